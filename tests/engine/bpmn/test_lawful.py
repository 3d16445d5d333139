"""Whatever people complete, return and recall, in any order and any model: its tokens stand as the model allows."""

from __future__ import annotations

import itertools
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.bpmn.helpers import document, flow, path, user
from tests.engine.bpmn.test_moving import Case, everything
from webapp.engine.bpmn import moving
from webapp.engine.bpmn.marking import Net, marking
from webapp.engine.bpmn.specs import Scope
from webapp.errors import QianyinError

#: A model as nested tuples: ("task",), ("many", sequential), ("sub", block), or (kind, block, block …).
Block = tuple[object, ...]
LEAVES = st.one_of(st.just(("task",)), st.just(("task",)), st.sampled_from([("many", "true"), ("many", "false")]))
BLOCKS: st.SearchStrategy[Block] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(st.just("sequence"), inner, inner),
        st.tuples(st.sampled_from(["parallel", "inclusive", "exclusive"]), inner, inner),
        st.tuples(st.sampled_from(["sub", "redo"]), inner),
    ),
    max_leaves=7,
)


class Writer:
    """Turns a block into BPMN; each gives (xml, first element, last element)."""

    def __init__(self) -> None:
        self.numbers = itertools.count()

    def write(self, block: Block) -> tuple[str, str, str]:
        kind, n = str(block[0]), next(self.numbers)
        if kind in ("task", "many"):
            return self._task(block, n)
        inside = [("sequence", ("task",), block[1])] if kind == "redo" else block[1:]  # a loop waits for somebody
        parts = [self.write(part) for part in inside]  # type: ignore[arg-type]
        xml = "".join(part[0] for part in parts)
        if kind == "sequence":
            return xml + flow(parts[0][2], parts[1][1]), parts[0][1], parts[1][2]
        if kind == "sub":
            inner = f'<startEvent id="s{n}"/>{xml}<endEvent id="e{n}"/>' + path(f"s{n}", parts[0][1])
            inner += flow(parts[0][2], f"e{n}")
            return f'<subProcess id="sub{n}">{inner}</subProcess>', f"sub{n}", f"sub{n}"
        if kind == "redo":
            gates = f'<exclusiveGateway id="in{n}"/><exclusiveGateway id="out{n}" default="on{n}"/>'
            after = f'<exclusiveGateway id="after{n}"/>' + flow(f"out{n}", f"after{n}", flow_id=f"on{n}")
            back = flow(f"out{n}", f"in{n}", "redo = true")
            return (
                gates + xml + after + flow(f"in{n}", parts[0][1]) + flow(parts[0][2], f"out{n}") + back,
                f"in{n}",
                f"after{n}",
            )
        return self._fork(kind, n, xml, parts)

    def _task(self, block: Block, n: int) -> tuple[str, str, str]:
        loop = ""
        if block[0] == "many":
            loop = (
                f'<multiInstanceLoopCharacteristics isSequential="{block[1]}"><loopCardinality>2</loopCardinality>'
                "</multiInstanceLoopCharacteristics>"
            )
        return user(f"t{n}", loop), f"t{n}", f"t{n}"

    def _fork(self, kind: str, n: int, xml: str, parts: list[tuple[str, str, str]]) -> tuple[str, str, str]:
        default = "" if kind == "parallel" else f' default="d{n}"'
        xml += f'<{kind}Gateway id="fork{n}"{default}/><{kind}Gateway id="join{n}"/>'
        first = None if kind == "parallel" else "way = true"
        xml += flow(f"fork{n}", parts[0][1], first)
        xml += flow(f"fork{n}", parts[1][1], "both = true" if kind == "inclusive" else None, f"d{n}0")
        if kind == "inclusive":  # neither condition: past both
            xml += flow(f"fork{n}", f"join{n}", flow_id=f"d{n}")
        else:
            xml = xml.replace(f'id="d{n}0"', f'id="d{n}"')
        return xml + "".join(flow(part[2], f"join{n}") for part in parts), f"fork{n}", f"join{n}"


def model(block: Block) -> bytes:
    xml, first, last = Writer().write(block)
    return document(f'<startEvent id="s"/>{xml}<endEvent id="e"/>{flow("s", first)}{flow(last, "e")}')


def assert_lawful(case: Case) -> None:
    """Each scope stands as its model can stand, nothing is in an incident, nobody has the same task twice."""
    if case.execution.ended is not None:
        return
    tokens = [case.execution.root, *case.execution.root.workflow.tasks.values()]
    for token in tokens:
        if isinstance(token.task_spec, Scope) and not token.body and token.kids:
            assert Net.of(token.task_spec).lawful(marking(token)), marking(token)
        if token.up is not None and not token.up.body:
            counted = Counter(kid.element_id for kid in token.up.kids)
            assert counted[token.element_id] == 1 or token.task_spec.joins
    assert "incident" not in [state for _, _, state, _ in case.execution.tokens()]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(BLOCKS, st.data())
def test_tokens_stay_lawful(block: Block, data: st.DataObject) -> None:
    case = Case(model(block), way=True, both=True, redo=False)
    done: list[str] = []
    for _ in range(data.draw(st.integers(3, 12))):
        if case.execution.ended is not None:
            break
        act = data.draw(st.sampled_from(["complete", "complete", "return", "recall"]))
        here = data.draw(st.sampled_from(case.open))
        try:
            if act == "complete" or not done:
                values = {name: data.draw(st.booleans()) for name in ("way", "both", "redo")}
                case.do(here, **values)
                done.append(here)
            elif act == "return":
                case.back(here, data.draw(st.sampled_from(done)))
            else:
                case.recall(data.draw(st.sampled_from(done)))
        except QianyinError:  # it is not before this task: refused, and nothing has changed
            pass
        assert_lawful(case)
    if case.execution.ended is None:
        case.set(redo=False)
        assert everything(case) == "completed"


def test_a_return_is_possible_along_every_way() -> None:
    """The generator would prove nothing if every return were refused."""
    block: Block = ("sequence", ("task",), ("sequence", ("parallel", ("task",), ("sub", ("task",))), ("task",)))
    case = Case(model(block), way=True, both=True, redo=False)
    first = case.open[0]
    everything_but_last(case)
    plan = moving.back(case.execution.token(case.node(case.open[0])), case.execution.goal(first))
    assert [token.element_id for token in plan.cancelled] == [case.open[0]]
    case.back(case.open[0], first)
    assert case.open == [first]


def everything_but_last(case: Case) -> None:
    while not (len(case.open) == 1 and case.ended_elements()[-1].startswith("join")):
        case.do(case.open[0])
