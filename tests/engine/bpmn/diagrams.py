"""Random diagrams built from blocks, and an interpreter of the blocks that knows nothing of tokens, flows or Spiff.

Both are driven by the same decisions; after each step the work that is open must be the same (as a multiset of element
ids). So no step can lose or double a token unseen. Decisions read the variable `c` (0 to 7), which each completion
sets: bit i takes branch i of an inclusive gateway, `c = i` branch i of an exclusive one, `c >= 4` another round.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from tests.engine.bpmn.helpers import document


class Now(Enum):
    """What became of a running block: it still runs, its token goes on, or its token has ended inside."""

    RUNS = 1
    DONE = 2
    GONE = 3


Result = Now
Draw = Callable[[int, int], int]  # a number between two bounds, both possible


# ---- what a diagram consists of


@dataclass
class Block:
    """`kind`: task, external, stop, seq, par, xor, inc, loop, sub, multi, attached, guarded, fork."""

    kind: str
    name: str
    parts: list[Block] = field(default_factory=list)
    inclusive: bool = False  # par: joined by an inclusive gateway
    sequential: bool = False
    count: int = 0  # multi: instances
    enough: int = 0  # multi: so many are enough (0: all)
    cancels: bool = True
    again: bool = False  # attached: by a message, which may come any number of times

    @property
    def leads_on(self) -> bool:
        """Whether a token can leave it at all."""
        parts = [part.leads_on for part in self.parts]
        if self.kind in ("seq", "loop"):
            return all(parts)
        if self.kind in ("par", "xor"):
            return any(parts)
        return parts[1] if self.kind == "fork" else self.kind != "stop"


class Maker:
    """Draws a diagram. `stops`: whether a branch may end by itself where it stands."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.numbers = itertools.count(1)
        self.left = 14  # blocks with something inside

    def name(self, letter: str) -> str:
        return f"{letter}{next(self.numbers)}"

    def leaf(self) -> Block:
        return Block("external" if self.draw(0, 5) == 0 else "task", self.name("t"))

    def block(self, depth: int, stops: bool) -> Block:
        self.left -= 1
        if depth <= 0 or self.left <= 0:
            return self.leaf()
        kinds = ["task", "seq", "seq", "par", "xor", "inc", "loop", "sub", "multi", "attached", "guarded", "fork"]
        kind = kinds[self.draw(0, len(kinds) - 1)]
        if kind == "task":
            return self.leaf()
        name = self.name(kind[0] if kind != "sub" else "S")
        made = Block(kind, name)
        if kind == "seq":
            made.parts = [self.block(depth - 1, stops) for _ in range(self.draw(2, 3))]
        elif kind in ("par", "inc", "xor"):
            made.inclusive = kind == "inc" or self.draw(0, 1) == 1
            may_stop = stops and (made.inclusive or kind == "xor")
            made.parts = [self.branch(depth - 1, may_stop) for _ in range(self.draw(2, 3))]
        elif kind == "loop":
            made.parts = [Block("seq", name + "q", [self.leaf(), self.block(depth - 1, stops)])]
        elif kind == "sub":
            made.parts = [self.block(depth - 1, True)]
        elif kind == "multi":
            made.sequential, made.count = self.draw(0, 1) == 1, self.draw(1, 3)
            made.enough = self.draw(0, made.count)
            inner = Block("seq", name + "q", [self.leaf(), self.block(depth - 1, True)])
            made.parts = [self.leaf() if self.draw(0, 1) else Block("sub", name + "s", [inner])]
        elif kind == "attached":
            host = Block("sub", name + "h", [self.block(depth - 1, True)]) if self.draw(0, 1) else self.leaf()
            if self.draw(0, 3) == 0:
                host = Block("multi", name + "l", [host], count=2, sequential=self.draw(0, 1) == 1)
            made.cancels = self.draw(0, 1) == 1
            made.again = not made.cancels and self.draw(0, 1) == 1
            made.parts = [host, self.block(depth - 1, stops if made.cancels else True)]
        elif kind == "guarded":
            made.cancels = self.draw(0, 1) == 1
            made.parts = [self.block(depth - 1, True), self.block(depth - 2, True)]
        else:
            made.parts = [self.leaf(), self.block(depth - 1, stops), self.block(depth - 1, True)]
        return made

    def branch(self, depth: int, stops: bool) -> Block:
        if stops and self.draw(0, 4) == 0:
            stop = Block("stop", self.name("e"))
            return stop if self.draw(0, 1) else Block("seq", self.name("q"), [self.leaf(), stop])
        return self.block(depth, stops)


# ---- the diagram as BPMN


class Writer:
    """Writes blocks; every block is entered by one element and left by one, or not left at all (None)."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)

    def flow(self, source: str | None, target: str | None, condition: str = "", name: str = "") -> str:
        if source is None or target is None:
            return ""
        inner = f"<conditionExpression>{condition}</conditionExpression>" if condition else ""
        flow_id = name or f"f{next(self.numbers)}"
        return f'<sequenceFlow id="{flow_id}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>'

    def write(self, block: Block, loop: str = "") -> tuple[str, str, str | None]:
        """The XML, the element that it begins with, the element that it is left by."""
        written: tuple[str, str, str | None] = getattr(self, block.kind)(block, loop)
        return written

    def whole(self, block: Block) -> tuple[str, str]:
        """A run by itself: what it is left by leads to an end event."""
        xml, first, last = self.write(block)
        if last is None:
            return xml, first
        end = f"end{next(self.numbers)}"
        return f'{xml}<endEvent id="{end}"/>{self.flow(last, end)}', first

    def task(self, block: Block, loop: str) -> tuple[str, str, str | None]:
        xml = f'<userTask id="{block.name}" camunda:candidateGroups="office">{loop}</userTask>'
        return xml, block.name, block.name

    def external(self, block: Block, loop: str) -> tuple[str, str, str | None]:
        xml = f'<serviceTask id="{block.name}" camunda:type="external" camunda:topic="x">{loop}</serviceTask>'
        return xml, block.name, block.name

    def stop(self, block: Block, loop: str) -> tuple[str, str, str | None]:
        return f'<endEvent id="{block.name}"/>', block.name, None

    def seq(self, block: Block, loop: str) -> tuple[str, str, str | None]:
        parts = [self.write(part) for part in block.parts]
        for number, part in enumerate(parts):
            if part[2] is None:  # nothing stands behind an end event
                parts = parts[: number + 1]
                break
        flows = "".join(self.flow(a[2], b[1]) for a, b in itertools.pairwise(parts))
        return "".join(part[0] for part in parts) + flows, parts[0][1], parts[-1][2]

    def _split(self, block: Block, gateway: str, join: str, conditions: list[str]) -> tuple[str, str, str | None]:
        opened, closed = block.name, f"{block.name}j"
        parts = [self.write(part) for part in block.parts]
        xml = "".join(part[0] for part in parts)
        default = f"{block.name}d"
        ways = [(part[1], condition) for part, condition in zip(parts, conditions, strict=True)]
        leaves = [part[2] for part in parts if part[2] is not None]
        if gateway == "inclusiveGateway":
            ways.append((closed, "default"))
            leaves.append(None)
        for target, condition in ways:
            plain = condition == "default"
            xml += self.flow(opened, target, "" if plain else condition, default if plain else "")
        xml += "".join(self.flow(leaf, closed) for leaf in leaves)
        named = f' default="{default}"' if any(condition == "default" for _, condition in ways) else ""
        xml = f'<{gateway} id="{opened}"{named}/>{xml}'
        if not leaves:
            return xml, opened, None
        return f'{xml}<{join} id="{closed}"/>', opened, closed

    def par(self, block: Block, loop: str) -> tuple[str, str, str | None]:
        join = "inclusiveGateway" if block.inclusive else "parallelGateway"
        return self._split(block, "parallelGateway", join, [""] * len(block.parts))

    def inc(self, block: Block, loop: str) -> tuple[str, str, str | None]:
        taken = [f"list contains({[n for n in range(8) if n >> i & 1]}, c)" for i in range(len(block.parts))]
        return self._split(block, "inclusiveGateway", "inclusiveGateway", taken)

    def xor(self, block: Block, loop: str) -> tuple[str, str, str | None]:
        join = "inclusiveGateway" if block.inclusive else "exclusiveGateway"
        ways = [f"c = {i}" for i in range(len(block.parts) - 1)]
        return self._split(block, "exclusiveGateway", join, [*ways, "default"])

    def loop(self, block: Block, loop: str) -> tuple[str, str, str | None]:
        xml, first, last = self.write(block.parts[0])
        if last is None:
            return xml, first, None
        opened, closed = block.name, f"{block.name}j"
        gateways = f'<exclusiveGateway id="{opened}"/><exclusiveGateway id="{closed}" default="{closed}d"/>'
        leave = f'<task id="{closed}o"/>' + self.flow(closed, f"{closed}o", name=f"{closed}d")
        back = self.flow(closed, opened, "c &gt;= 4")
        return (
            gateways + xml + self.flow(opened, first) + self.flow(last, closed) + back + leave,
            opened,
            f"{closed}o",
        )

    def sub(self, block: Block, loop: str) -> tuple[str, str, str | None]:
        xml, first = self.whole(block.parts[0])
        start = f'<startEvent id="{block.name}i"/>' + self.flow(f"{block.name}i", first)
        return f'<subProcess id="{block.name}">{loop}{start}{xml}</subProcess>', block.name, block.name

    def multi(self, block: Block, loop: str) -> tuple[str, str, str | None]:
        enough = f"nrOfCompletedInstances &gt;= {block.enough}" if block.enough else ""
        condition = f"<completionCondition>{enough}</completionCondition>" if enough else ""
        inner = (
            f'<multiInstanceLoopCharacteristics isSequential="{str(block.sequential).lower()}">'
            f"<loopCardinality>{block.count}</loopCardinality>{condition}</multiInstanceLoopCharacteristics>"
        )
        return self.write(block.parts[0], inner)

    def attached(self, block: Block, loop: str) -> tuple[str, str, str | None]:
        host = self.write(block.parts[0])
        handler = self.write(block.parts[1]) if block.cancels else self.whole(block.parts[1])
        timer = "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>"
        timer = '<messageEventDefinition messageRef="m"/>' if block.again else timer
        cancels = str(block.cancels).lower()
        xml = (
            f'{host[0]}{handler[0]}<boundaryEvent id="{block.name}" attachedToRef="{host[1]}" '
            f'cancelActivity="{cancels}">{timer}</boundaryEvent>{self.flow(block.name, handler[1])}'
        )
        if not block.cancels:
            return xml, host[1], host[2]
        merge = f"{block.name}m"
        xml += f'<exclusiveGateway id="{merge}"/>{self.flow(host[2], merge)}{self.flow(handler[-1], merge)}'
        return xml, host[1], merge

    def guarded(self, block: Block, loop: str) -> tuple[str, str, str | None]:
        body, handler = self.whole(block.parts[0]), self.whole(block.parts[1])
        start, listener = f"{block.name}i", f"{block.name}v"
        message = '<messageEventDefinition messageRef="m"/>'
        cancels = str(block.cancels).lower()
        inside = (
            f'<startEvent id="{start}"/>{self.flow(start, body[1])}{body[0]}'
            f'<subProcess id="{block.name}x" triggeredByEvent="true">'
            f'<startEvent id="{listener}" isInterrupting="{cancels}">{message}</startEvent>'
            f"{self.flow(listener, handler[1])}{handler[0]}</subProcess>"
        )
        return f'<subProcess id="{block.name}">{inside}</subProcess>', block.name, block.name

    def fork(self, block: Block, loop: str) -> tuple[str, str, str | None]:
        first, main, beside = self.write(block.parts[0]), self.write(block.parts[1]), self.whole(block.parts[2])
        xml = first[0] + main[0] + beside[0] + self.flow(first[2], main[1]) + self.flow(first[2], beside[1])
        return xml, first[1], main[2]


def as_bpmn(block: Block) -> bytes:
    """The diagram as a process of its own."""
    writer = Writer()
    xml, first = writer.whole(block)
    return document(f'<startEvent id="begin"/>{writer.flow("begin", first)}{xml}')


# ---- the blocks, interpreted


@dataclass(eq=False)
class Leaf:
    """Open work: a task, an external task or a timer; `number` counts up as work begins."""

    name: str
    number: int


class Scope:
    """The process, a subprocess or an instance of a loop: it lasts while something runs beside its main run too."""

    def __init__(self) -> None:
        self.beside: list[Running] = []


class Running:
    """A block that has begun. `c` is shared by all."""

    def __init__(self, block: Block, scope: Scope, run: Reference) -> None:
        self.block, self.scope, self.run = block, scope, run
        self.leaf: Leaf | None = None
        self.inner: list[Running] = []
        self.at = self.finished = 0
        self.survivors = False
        self.own: Scope | None = None
        self.fired = False
        self.now = self._begin()

    # ---- beginning

    def _begin(self) -> Now:
        kind = self.block.kind
        if kind in ("task", "external"):
            self.leaf = Leaf(self.block.name, next(self.run.numbers))
            return Now.RUNS
        if kind == "stop":
            return Now.GONE
        if kind in ("attached", "guarded"):
            self.leaf = Leaf(self.block.name + ("v" if kind == "guarded" else ""), next(self.run.numbers))
        if kind in ("sub", "guarded"):
            self.own = Scope()
        if kind == "multi":
            first = 1 if self.block.sequential else self.block.count
            self.inner = [self._part(0) for _ in range(first)]
            return self._settle()
        if kind in ("par", "inc"):
            c = self.run.c
            taken = [i for i in range(len(self.block.parts)) if kind == "par" or c >> i & 1]
            self.survivors = not taken
            self.inner = [self._part(i) for i in taken]
            return self._settle()
        chosen = 0
        if kind == "xor":
            chosen = min(self.run.c, len(self.block.parts) - 1)
        self.inner = [self._part(chosen)]
        return self._settle()

    def _part(self, number: int) -> Running:
        return Running(self.block.parts[number], self.own or self.scope, self.run)

    # ---- going on

    def leaves(self) -> Iterator[Leaf]:
        if self.now is not Now.RUNS:
            return
        if self.leaf is not None:
            yield self.leaf
        for inner in self.inner:
            yield from inner.leaves()
        if self.own is not None:
            for beside in self.own.beside:
                yield from beside.leaves()

    def fire(self, leaf: Leaf) -> bool:
        """Whether the leaf was inside; it happens."""
        if self.now is not Now.RUNS:
            return False
        if self.leaf is leaf:
            self._own_leaf()
            return True
        found = any(inner.fire(leaf) for inner in [*self.inner, *(self.own.beside if self.own else ())])
        if found:
            self.now = self._settle()
        return found

    def _own_leaf(self) -> None:
        if self.block.kind not in ("attached", "guarded"):
            self.now = Now.DONE
            return
        home = self.own or self.scope
        if not self.block.cancels:
            if self.block.kind == "attached" and not self.block.again:
                self.leaf = None
            home.beside.append(self._part(1))
            return
        self.leaf, self.fired = None, True
        if self.own is not None:
            self.own.beside = []
        self.inner = [self._part(1)]
        self.now = self._settle()

    def _settle(self) -> Now:
        """Go on as far as nothing waits."""
        return getattr(self, f"_{self.block.kind}")() if self.inner or self.block.kind in ("inc", "par") else Now.RUNS

    def _take_finished(self) -> list[Now]:
        over = [inner.now for inner in self.inner if inner.now is not Now.RUNS]
        self.inner = [inner for inner in self.inner if inner.now is Now.RUNS]
        return over

    def _seq(self) -> Now:
        while True:
            now = self.inner[0].now
            if now is not Now.DONE:
                return now
            self.at += 1
            if self.at == len(self.block.parts):
                return Now.DONE
            self.inner = [self._part(self.at)]

    def can_leave(self) -> bool:
        """Whether a token can still come to where the block is left: an inclusive join waits for no other."""
        kind, parts = self.block.kind, self.block.parts
        if kind == "stop" or self.now is Now.GONE:
            return False
        if kind == "seq":
            return self.inner[0].can_leave() and all(part.leads_on for part in parts[self.at + 1 :])
        if kind in ("par", "inc"):
            return self.survivors or any(inner.can_leave() for inner in self.inner)
        if kind in ("xor", "loop") or (kind == "attached" and self.fired):
            return self.inner[0].can_leave()
        if kind == "fork":
            return self.inner[0].can_leave() if self.at else parts[1].leads_on
        return True

    def _par(self) -> Now:
        self.survivors |= Now.DONE in self._take_finished()
        if any(inner.can_leave() for inner in self.inner):
            return Now.RUNS
        self.scope.beside += self.inner
        self.inner = []
        return Now.DONE if self.survivors else Now.GONE

    _inc = _par

    def _xor(self) -> Now:
        return self.inner[0].now

    def _loop(self) -> Now:
        while self.inner[0].now is Now.DONE and self.run.c >= 4:
            self.inner = [self._part(0)]
        return self.inner[0].now

    def _sub(self) -> Now:
        assert self.own is not None
        self.own.beside = [beside for beside in self.own.beside if beside.now is Now.RUNS]
        if self.inner[0].now is Now.RUNS or self.own.beside:
            return Now.RUNS
        return Now.DONE

    _guarded = _sub

    def _multi(self) -> Now:
        while over := self._take_finished():
            self.finished += len(over)
            if self.block.enough and self.finished >= self.block.enough:
                return Now.DONE
            if not self.inner and self.block.sequential and self.finished < self.block.count:
                self.inner = [self._part(0)]
        return Now.RUNS if self.inner else Now.DONE

    def _attached(self) -> Now:
        return self.inner[0].now

    def _fork(self) -> Now:
        if self.at == 0 and self.inner[0].now is Now.DONE:
            self.at = 1
            self.inner = [self._part(1)]
            self.scope.beside.append(self._part(2))
        return self.inner[0].now


class Reference:
    """A run of the interpreter."""

    def __init__(self, block: Block) -> None:
        self.c = 0
        self.numbers = itertools.count()
        self.top = Running(Block("sub", "process", [block]), Scope(), self)

    @property
    def open(self) -> list[Leaf]:
        """Oldest first."""
        return sorted(self.top.leaves(), key=lambda leaf: leaf.number)

    @property
    def ended(self) -> bool:
        return self.top.now is not Now.RUNS

    def act(self, leaf: Leaf, c: int | None) -> None:
        """The work is done (with the decision `c`) or, for a timer, its time has come."""
        if c is not None:
            self.c = c
        assert self.top.fire(leaf)


# ---- graphs without any structure


def tangle(draw: Draw) -> bytes:
    """Gateways and tasks joined as it comes: most of it is wrong in some way. Decisions read `c` as above."""
    kinds = ["task", "exclusiveGateway", "parallelGateway", "inclusiveGateway"]
    count = draw(3, 9)
    nodes = [kinds[draw(0, 3)] for _ in range(count)]
    ways: list[list[int]] = [[] for _ in nodes]
    for number in range(1, count):  # everything can be reached
        ways[draw(0, number - 1)].append(number)
    for _ in range(draw(0, count)):
        source, target = draw(0, count - 1), draw(1, count - 1)
        if target not in ways[source] and (target > source or nodes[source] == "task"):
            ways[source].append(target)
    xml, flows = "", '<sequenceFlow id="f0" sourceRef="begin" targetRef="n0"/>'
    for number, kind in enumerate(nodes):
        targets = [f"n{target}" for target in ways[number]] or [f"end{number}"]
        xml += "" if ways[number] else f'<endEvent id="end{number}"/>'
        decides = kind in ("exclusiveGateway", "inclusiveGateway") and len(targets) > 1
        default = f' default="f{number}_0"' if decides else ""
        if kind == "task":
            xml += f'<userTask id="n{number}" camunda:candidateGroups="office"/>'
        else:
            xml += f'<{kind} id="n{number}"{default}/>'
        for place, target in enumerate(targets):
            taken = [n for n in range(8) if (n >> place & 1 if kind[0] == "i" else n == place)]
            condition = f"<conditionExpression>list contains({taken}, c)</conditionExpression>"
            inner = condition if decides and place else ""
            flow = f'id="f{number}_{place}" sourceRef="n{number}" targetRef="{target}"'
            flows += f"<sequenceFlow {flow}>{inner}</sequenceFlow>"
    return document(f'<startEvent id="begin"/>{xml}{flows}')
