"""Messages between instances: exactly once, the right receiver, in order, kept while nobody waits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.engine.runtime.conftest import Bench
from tests.engine.runtime.models import boundary, end, message, model, start, user
from webapp import db
from webapp.clock import clock
from webapp.engine.errors import NobodyWaits

MESSAGE = '<message id="m" name="answer"/>'
MAPPING = (
    "<extensionElements><camunda:inputOutput>"
    '<camunda:inputParameter name="words">=words</camunda:inputParameter></camunda:inputOutput></extensionElements>'
)
RECEIVER = model(
    "receiver",
    start(),
    user("before"),
    '<receiveTask id="wait" messageRef="m" qianyin:correlationKey="=number"/>',
    user("after"),
    end(),
    extra=MESSAGE,
    flows="start>before before>wait wait>after after>end",
)
SENDER = model(
    "sender",
    start(),
    f'<intermediateThrowEvent id="throw" qianyin:correlationKey="=to">{MAPPING}{message("m")}</intermediateThrowEvent>',
    end(),
    extra=MESSAGE,
    flows="start>throw throw>end",
)


@pytest.fixture
def pair(bench: Bench) -> Bench:
    bench.deploy(RECEIVER, SENDER)
    return bench


def _waiting(bench: Bench, number: str) -> Any:
    started = bench.start("receiver", {"number": number})
    bench.complete(started.opened[0])
    return started.instance_id


def test_a_message_reaches_the_one_that_waits_for_its_key(pair: Bench) -> None:
    one, other = _waiting(pair, "A-1"), _waiting(pair, "A-2")
    pair.start("sender", {"to": "A-2", "words": "好"})
    assert pair.open(other) == {}  # not in the thrower's step
    pair.drain()
    assert list(pair.open(other)) == ["after"]
    assert pair.variables(other)["words"] == "好"
    assert pair.open(one) == {}
    assert pair.rows("select status, receiver_instance_id from message") == [("delivered", other)]


def test_a_message_that_comes_before_its_receiver_is_kept(pair: Bench) -> None:
    pair.start("sender", {"to": "A-9", "words": "早"})
    assert pair.drain() == 1
    assert pair.rows("select status from message") == [("waiting",)]
    instance_id = _waiting(pair, "A-9")
    pair.drain()
    assert list(pair.open(instance_id)) == ["after"]
    assert pair.variables(instance_id)["words"] == "早"


def test_a_message_is_delivered_once(pair: Bench) -> None:
    from webapp.engine import messages

    first, second = _waiting(pair, "A-1"), _waiting(pair, "A-1")
    pair.start("sender", {"to": "A-1", "words": "x"})
    pair.drain()
    [(message_id,)] = pair.rows("select id from message")
    messages.deliver(pair.engine, message_id)  # a rerun after a killed worker
    assert list(pair.open(first)) == ["after"]
    assert pair.open(second) == {}


def test_messages_of_one_sender_keep_their_order(bench: Bench) -> None:
    throw = (
        '<intermediateThrowEvent id="{0}" qianyin:correlationKey="=to"><extensionElements><camunda:inputOutput>'
        '<camunda:inputParameter name="words">={0}</camunda:inputParameter></camunda:inputOutput></extensionElements>'
        '<messageEventDefinition messageRef="m"/></intermediateThrowEvent>'
    )
    bench.deploy(
        RECEIVER,
        model(
            "twice",
            start(),
            throw.format("one"),
            throw.format("two"),
            end(),
            extra=MESSAGE,
            flows="start>one one>two two>end",
        ),
    )
    bench.start("twice", {"to": "A-1", "one": "first", "two": "second"})
    bench.drain()
    [(_, last)] = bench.rows("select min(id), max(id) from message")
    from webapp.engine import messages

    first, second = _waiting(bench, "A-1"), _waiting(bench, "A-1")
    messages.deliver(bench.engine, last)  # the later one's job comes first
    bench.drain()
    assert bench.variables(first)["words"] == "first"
    assert bench.variables(second)["words"] == "second"


def test_a_message_thrown_while_the_receiver_was_on_its_way_is_found(pair: Bench) -> None:
    """The receiver's step looked before the thrower had committed, and the delivery before the receiver had."""
    started = pair.start("receiver", {"number": "A-1"})
    with db.transaction() as session:
        from webapp.engine.commands import CompleteTask

        pair.engine.step(session, started.instance_id, CompleteTask(started.opened[0]))
        pair.start("sender", {"to": "A-1", "words": "x"})
        assert pair.drain() == 1
        assert pair.rows("select status from message") == [("waiting",)]
    pair.drain()
    assert list(pair.open(started.instance_id)) == ["after"]


def test_an_expired_message_is_an_incident_of_its_sender(pair: Bench) -> None:
    from webapp.engine import incidents, messages

    sent = pair.start("sender", {"to": "nobody", "words": "x"})
    pair.drain()
    clock.advance(timedelta(days=91))
    db.retrying(messages.expire)
    [incident] = pair.incidents(sent.instance_id)
    assert "nobody" in incident.message
    assert pair.rows("select status from message") == [("expired",)]
    instance_id = _waiting(pair, "nobody")
    db.retrying(lambda session: incidents.retry(pair.engine, session, incident.id, None, "接收者已补办"))
    pair.drain()
    assert list(pair.open(instance_id)) == ["after"]
    assert pair.incidents() == []


def test_a_message_whose_receiver_waits_never_expires(pair: Bench) -> None:
    """Workers that stood still for a long time find it late, not lost."""
    from webapp.engine import messages

    instance_id = _waiting(pair, "A-1")
    sent = pair.start("sender", {"to": "A-1", "words": "x"})
    clock.advance(timedelta(days=91))
    db.retrying(messages.expire)
    assert pair.incidents(sent.instance_id) == []
    pair.drain()
    assert list(pair.open(instance_id)) == ["after"]


def test_a_message_without_key_never_reaches_a_wait_with_one(pair: Bench) -> None:
    instance_id = _waiting(pair, "A-1")
    with pytest.raises(NobodyWaits), db.transaction() as session:
        pair.engine.correlate(session, "answer", payload={"words": "x"})
    assert pair.open(instance_id) == {}


def test_correlate_from_outside(pair: Bench) -> None:
    instance_id = _waiting(pair, "A-1")
    with pytest.raises(NobodyWaits), db.transaction() as session:
        pair.engine.correlate(session, "answer", correlation_key="A-2")
    with db.transaction() as session:
        reached = pair.engine.correlate(session, "answer", correlation_key="A-1", payload={"words": "外"})
    assert (reached.instance_id, reached.started) == (instance_id, False)
    assert pair.variables(instance_id)["words"] == "外"


def test_correlate_refuses_to_choose(pair: Bench) -> None:
    _waiting(pair, "A-1")
    _waiting(pair, "A-1")
    with pytest.raises(NobodyWaits, match="不止一个"), db.transaction() as session:
        pair.engine.correlate(session, "answer", correlation_key="A-1")


STARTED = model(
    "started", start("begin", message("m")), user("look"), end(), extra=MESSAGE, flows="begin>look look>end"
)


def test_a_message_starts_an_instance(bench: Bench) -> None:
    bench.deploy(STARTED, SENDER)
    bench.start("sender", {"to": "A-1", "words": "新"})
    bench.drain()
    [(instance_id,)] = bench.rows("select id from process_instance where definition_key = 'started'")
    assert list(bench.open(instance_id)) == ["look"]
    assert bench.variables(instance_id)["words"] == "新"
    with db.transaction() as session:
        reached = bench.engine.correlate(session, "answer", business_key="B-7", payload={"words": "外"})
    assert reached.started
    assert bench.rows("select business_key from process_instance where id = :i", i=reached.instance_id) == [("B-7",)]


def test_only_the_newest_version_is_started_by_a_message(bench: Bench) -> None:
    bench.deploy(STARTED)
    bench.deploy(STARTED.replace(b'name="look"', b'name="look again"'))
    with db.transaction() as session:
        bench.engine.correlate(session, "answer")
    assert bench.rows(
        "select d.version from process_instance p join process_definition d on d.id = p.definition_id"
    ) == [(2,)]


def test_a_signal_reaches_everyone_once(bench: Bench) -> None:
    signal = '<signal id="s" name="closed"/>'
    catch = '<signalEventDefinition signalRef="s"/>'
    bench.deploy(
        model(
            "listener",
            start(),
            user("work"),
            boundary("heard", "work", catch, cancel=False),
            user("note"),
            end(),
            extra=signal,
            flows="start>work work>end heard>note note>end",
        ),
        model("speaker", start(), end("say", catch), extra=signal, flows="start>say"),
    )
    listeners = [bench.start("listener").instance_id for _ in range(3)]
    bench.start("speaker")
    bench.drain()
    for instance_id in listeners:
        assert sorted(bench.open(instance_id)) == ["note", "work"]
    bench.drain()
    assert bench.rows("select count(*) from user_task where element_id = 'note'") == [(3,)]
    with db.transaction() as session:
        assert bench.engine.signal(session, "closed") == 3
    bench.drain()
    assert bench.rows("select count(*) from user_task where element_id = 'note'") == [(6,)]


def test_each_start_event_of_a_process_listens_for_its_own(bench: Bench) -> None:
    signal = '<signalEventDefinition signalRef="sg"/>'
    many = model(
        "many",
        start("by_m", message("m")),
        start("by_m2", message("m2")),
        start("by_sg", signal),
        *(user(f"u_{name}") for name in ("m", "m2", "sg")),
        extra=MESSAGE + '<message id="m2" name="other"/><signal id="sg" name="storm"/>',
        flows="by_m>u_m by_m2>u_m2 by_sg>u_sg",
    )
    bench.deploy(many)
    begun = {}
    with db.transaction() as session:
        for name, element in (("answer", "u_m"), ("other", "u_m2")):
            found = bench.engine.correlate(session, name)
            assert found.started
            begun[found.instance_id] = element
        assert bench.engine.signal(session, "storm") == 1
    bench.drain()
    assert {element: list(bench.open(instance)) for instance, element in begun.items()} == {
        "u_m": ["u_m"],
        "u_m2": ["u_m2"],
    }
    assert [row.element_id for row in bench.rows("select element_id from user_task order by element_id")] == [
        "u_m",
        "u_m2",
        "u_sg",
    ]
