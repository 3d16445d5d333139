"""Operations on running instances through the one door: rows opened and closed, the law, 退回, 收回, other versions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.runtime.conftest import Bench
from tests.engine.runtime.models import boundary, end, gateway, model, service, start, timer, user
from webapp.engine.commands import (
    DeliverMessage,
    FireTimer,
    Migrate,
    MoveToken,
    RecallTask,
    RestartFrom,
    ReturnTask,
    SetVariables,
)
from webapp.engine.errors import CannotMigrate, LawForbids
from webapp.engine.handler_api import Actor
from webapp.errors import Conflict, Invalid
from webapp.ids import uuid7

LATE = boundary("late", "check", timer("timeDuration", "P5D"))
PLAIN = model(
    "plain",
    start(),
    user("draft"),
    user("check"),
    LATE,
    user("sign"),
    end(),
    flows="start>draft draft>check check>sign late>sign sign>end",
)
LAW = 'qianyin:law="true" qianyin:clause="4.4"'
GUARDED = model(
    "guarded",
    start(),
    user("facts", LAW),
    user("propose"),
    user("meeting", LAW),
    gateway("resolved", "f6"),
    user("decide"),
    service("expel", "expel", LAW),
    user("after"),
    end(),
    flows="start>facts facts>propose propose>meeting meeting>resolved resolved>decide[=ok] decide>expel resolved>facts"
    " expel>after after>end",
)


def node_of(bench: Bench, task_id: Any) -> Any:
    return bench.rows("select node from user_task where id = :id", id=task_id)[0][0]


def trail(bench: Bench, action: str) -> list[Any]:
    return bench.rows("select reason, detail, address from audit where action = :a order by id", a=action)


def actor(name: str = "li") -> Actor:
    return Actor(uuid7(), name, name, frozenset({"office"}), None)


def test_a_move_closes_what_it_leaves_and_opens_where_it_goes(bench: Bench, officer: Actor) -> None:
    bench.deploy(PLAIN)
    started = bench.start("plain")
    bench.complete(bench.open(started.instance_id)["draft"], officer, variables={"n": 1})
    assert len(bench.rows("select 1 from timer")) == 1
    bench.step(started.instance_id, MoveToken("sign", "领导已口头同意", element_id="check"), officer)
    assert list(bench.open(started.instance_id)) == ["sign"]
    assert bench.rows("select 1 from timer") == []
    assert bench.variables(started.instance_id) == {"n": 1}
    [(reason, detail, _)] = trail(bench, "instance.move")
    assert (reason, detail["from"], detail["to"]) == ("领导已口头同意", ["check"], "sign")
    bench.step(started.instance_id, RestartFrom("draft", "重新起草"), officer)
    assert list(bench.open(started.instance_id)) == ["draft"]


def test_no_move_passes_what_the_law_demands(bench: Bench, officer: Actor) -> None:
    bench.handler("expel", lambda context: {})
    bench.deploy(GUARDED)
    id = bench.start("guarded", {"ok": True}).instance_id
    for command in (MoveToken("propose", "快", element_id="facts"), RestartFrom("decide", "快")):
        with pytest.raises(LawForbids, match=r"“facts”是规程规定的环节（4\.4）"):
            bench.step(id, command, officer)
    bench.complete(bench.open(id)["facts"], officer)
    with pytest.raises(LawForbids, match="meeting"):
        bench.step(id, MoveToken("decide", "快", element_id="propose"), officer)
    bench.step(id, MoveToken("meeting", "免拟", element_id="propose"), officer)  # nothing demanded lies between
    assert list(bench.open(id)) == ["meeting"]
    bench.complete(bench.open(id)["meeting"], officer)
    assert list(bench.open(id)) == ["decide"]


def test_a_resolution_on_old_facts_does_not_count_for_new_ones(bench: Bench, officer: Actor) -> None:
    bench.handler("expel", lambda context: {})
    bench.deploy(GUARDED)
    id = bench.start("guarded", {"ok": True}).instance_id
    for name in ("facts", "propose", "meeting"):
        bench.complete(bench.open(id)[name], officer)
    bench.step(id, MoveToken("facts", "事实有误", element_id="decide"), officer)  # back: all is done again
    with pytest.raises(LawForbids, match="facts"):
        bench.step(id, MoveToken("decide", "上次已议", element_id="facts"), officer)
    bench.complete(bench.open(id)["facts"], officer)
    with pytest.raises(LawForbids, match="meeting"):
        bench.step(id, MoveToken("decide", "上次已议", element_id="propose"), officer)


def test_a_timer_that_interrupts_what_the_law_demands_is_not_fired_early(bench: Bench, officer: Actor) -> None:
    bench.deploy(
        model(
            "hearing",
            start(),
            user("state", LAW),
            boundary("over", "state", timer("timeDuration", "P5D")),
            end(),
            flows="start>state state>end over>end",
        )
    )
    id = bench.start("hearing").instance_id
    [(timer_id,)] = bench.rows("select id from timer")
    with pytest.raises(LawForbids, match="提前中断"):
        bench.step(id, FireTimer(timer_id, "不等了"), officer)


def test_a_return_opens_the_earlier_task_for_who_did_it(bench: Bench, officer: Actor) -> None:
    bench.deploy(PLAIN)
    id = bench.start("plain").instance_id
    bench.complete(bench.open(id)["draft"], officer, form_data={"n": 1})
    check = bench.open(id)["check"]
    command = ReturnTask(node_of(bench, check), "draft", "数字有误", officer.id, check)
    bench.step(id, command, actor("wang"))
    [(assignee,)] = bench.rows("select assignee_id from user_task where status = 'open'")
    assert assignee == officer.id
    assert bench.rows("select 1 from timer") == []
    with pytest.raises(Conflict):
        bench.step(id, command, actor("wang"))  # pressed twice: the activation is gone
    bench.complete(bench.open(id)["draft"], officer)
    assert list(bench.open(id)) == ["check"]
    assert len(bench.rows("select 1 from timer")) == 1


def test_a_return_does_not_go_back_over_what_cannot_be_undone(bench: Bench, officer: Actor) -> None:
    bench.handler("expel", lambda context: {})
    bench.deploy(GUARDED)
    id = bench.start("guarded", {"ok": True}).instance_id
    for name in ("facts", "propose", "meeting", "decide"):
        bench.complete(bench.open(id)[name], officer)
    with pytest.raises(Conflict, match="已经生效"):
        bench.step(id, ReturnTask(node_of(bench, bench.open(id)["after"]), "decide", "改"), officer)


MAILED = '{}<serviceTask id="mail" camunda:topic="mail" {}/>'


@pytest.mark.parametrize(
    ("mail", "sign", "allowed"),
    [
        ("", "", False),
        ('qianyin:repeatable="true"', "", True),
        ("", 'qianyin:returnTo="draft"', True),
        ('qianyin:repeatable="true"', 'qianyin:returnTo="none"', False),
        ('qianyin:repeatable="true"', 'qianyin:returnTo="other"', False),
    ],
)
def test_the_model_says_where_one_may_return_to(
    bench: Bench, officer: Actor, mail: str, sign: str, allowed: bool
) -> None:
    bench.handler("mail", lambda context: {})
    nodes = (start(), user("draft"), service("mail", "mail", mail), user("sign", sign), user("other"), end())
    bench.deploy(model("mailed", *nodes, flows="start>draft draft>mail mail>sign sign>other other>end"))
    id = bench.start("mailed").instance_id
    bench.complete(bench.open(id)["draft"], officer)
    command = ReturnTask(node_of(bench, bench.open(id)["sign"]), "draft", "改")
    if allowed:
        bench.step(id, command, officer)
        assert list(bench.open(id)) == ["draft"]
    else:
        with pytest.raises(Conflict):
            bench.step(id, command, officer)
        assert list(bench.open(id)) == ["sign"]


def test_what_was_just_sent_is_recalled(bench: Bench, officer: Actor) -> None:
    bench.deploy(PLAIN)
    id = bench.start("plain").instance_id
    draft = bench.open(id)["draft"]
    bench.complete(draft, officer)
    with pytest.raises(Conflict, match="自己"):
        bench.step(id, RecallTask(draft, "漏了附件"), actor("wang"))
    bench.step(id, RecallTask(draft, "漏了附件"), officer)
    assert bench.rows("select element_id, assignee_id from user_task where status = 'open'") == [("draft", officer.id)]
    assert bench.rows("select 1 from timer") == []
    with pytest.raises(Conflict, match="又有进展"):
        bench.step(id, RecallTask(draft, "再来一次"), officer)


@pytest.mark.parametrize("column", ["seen_at = now()", "claimed_at = now() + interval '1 day'"])
def test_what_the_next_person_has_seen_is_not_recalled(bench: Bench, officer: Actor, column: str) -> None:
    bench.deploy(PLAIN)
    id = bench.start("plain").instance_id
    draft = bench.open(id)["draft"]
    bench.complete(draft, officer)
    bench.rows(f"update user_task set {column} where status = 'open' returning 1")
    with pytest.raises(Conflict, match="已经签收或打开"):
        bench.step(id, RecallTask(draft, "漏了附件"), officer)


def test_what_a_handler_did_is_not_recalled(bench: Bench, officer: Actor) -> None:
    bench.handler("mail", lambda context: {})
    nodes = (start(), user("draft"), service("mail", "mail"), user("sign"), end())
    bench.deploy(model("mailed", *nodes, flows="start>draft draft>mail mail>sign sign>end"))
    id = bench.start("mailed").instance_id
    draft = bench.open(id)["draft"]
    bench.complete(draft, officer)
    with pytest.raises(Conflict, match="已经执行"):
        bench.step(id, RecallTask(draft, "漏了附件"), officer)


COUNTERSIGN = (
    '<multiInstanceLoopCharacteristics isSequential="{}" camunda:collection="=people" camunda:elementVariable="who"/>'
)


@pytest.mark.parametrize("sequential", ["true", "false"])
def test_one_signature_of_several_is_recalled(bench: Bench, officer: Actor, sequential: str) -> None:
    nodes = (start(), user("sign", inner=COUNTERSIGN.format(sequential)), user("c"), end())
    bench.deploy(model("many", *nodes, flows="start>sign sign>c c>end"))
    id = bench.start("many", {"people": ["a", "b"]}).instance_id
    first = bench.rows("select id from user_task where status = 'open' order by id")[0][0]
    bench.complete(first, officer)
    bench.step(id, RecallTask(first, "看错了"), officer)
    assert len(bench.rows("select 1 from user_task where status = 'open'")) == (1 if sequential == "true" else 2)
    for _ in range(2):
        last = bench.rows("select id from user_task where status = 'open' order by id")[0][0]
        bench.complete(last, officer)
    assert list(bench.open(id)) == ["c"]
    with pytest.raises(Conflict, match="都已办结"):
        bench.step(id, RecallTask(last, "看错了"), officer)


CHILD = model("child", start(), user("inner"), end(), flows="start>inner inner>end")
CALLER = model(
    "caller",
    start(),
    user("draft"),
    '<callActivity id="call" name="call" calledElement="child"/>',
    user("sign"),
    end(),
    flows="start>draft draft>call call>sign sign>end",
)


def test_a_return_out_of_a_called_case_ends_it(bench: Bench, officer: Actor) -> None:
    bench.deploy(CALLER, CHILD)
    id = bench.start("caller").instance_id
    bench.complete(bench.open(id)["draft"], officer)
    bench.drain()
    [(child, node)] = bench.rows("select id, super_node from process_instance where super_instance_id = :id", id=id)
    bench.step(id, ReturnTask(node, "draft", "不该转下去"), officer)
    assert bench.status(child) == "cancelled"
    assert bench.open(child) == {}
    bench.complete(bench.open(id)["draft"], officer)
    bench.drain()
    [(again,)] = bench.rows(
        "select id from process_instance where super_instance_id = :id and status = 'active'", id=id
    )
    bench.complete(bench.open(again)["inner"], officer)
    bench.drain()
    assert list(bench.open(id)) == ["sign"]


def test_a_move_over_a_call_to_a_guarded_process_is_refused(bench: Bench, officer: Actor) -> None:
    guarded = model("child", start(), user("inner", LAW), end(), flows="start>inner inner>end")
    bench.deploy(CALLER, guarded)
    id = bench.start("caller").instance_id
    with pytest.raises(LawForbids, match="call"):
        bench.step(id, MoveToken("sign", "快", element_id="draft"), officer)


# ---- migration


def _second(bench: Bench, xml: bytes) -> Any:
    [definition] = bench.deploy(xml).definitions
    return definition.id


def test_an_instance_goes_on_in_a_new_version(bench: Bench, officer: Actor) -> None:
    bench.deploy(PLAIN)
    id = bench.start("plain").instance_id
    bench.complete(bench.open(id)["draft"], officer)
    check = bench.open(id)["check"]
    bench.rows("update user_task set assignee_id = :a where id = :id returning 1", a=officer.id, id=check)
    [(due, timer_id)] = bench.rows("select due_at, id from timer")
    new = PLAIN.replace(b'id="check"', b'id="verify"').replace(b'"check"', b'"verify"')
    new = new.replace(b'name="check"', b'name="verify"')
    second = _second(bench, new)
    with pytest.raises(CannotMigrate, match="请指定它对应的环节"):
        bench.step(id, Migrate(second, "改版"), officer)
    bench.step(id, Migrate(second, "改版", {"check": "verify"}), officer)
    assert bench.open(id) == {"verify": check}
    assert bench.rows("select assignee_id, name from user_task where id = :id", id=check) == [(officer.id, "verify")]
    assert bench.rows("select due_at, id from timer") == [(due, timer_id)]  # the same timer: it goes on
    bench.restarted()
    bench.complete(check, officer)
    assert list(bench.open(id)) == ["sign"]


def test_timers_that_are_defined_otherwise_begin_anew(bench: Bench, officer: Actor) -> None:
    bench.deploy(PLAIN)
    id = bench.start("plain").instance_id
    bench.complete(bench.open(id)["draft"], officer)
    [(due,)] = bench.rows("select due_at from timer")
    bench.step(id, Migrate(_second(bench, PLAIN.replace(b"P5D", b"P9D")), "改版"), officer)
    [(later,)] = bench.rows("select due_at from timer")
    assert (later - due).days >= 3
    first = bench.rows("select id from process_definition where key = 'plain' order by version")[0][0]
    bench.step(id, Migrate(first, "撤回改版"), officer)
    assert len(bench.rows("select 1 from timer")) == 1


def test_who_has_no_place_in_the_new_version_is_told(bench: Bench, officer: Actor) -> None:
    bench.deploy(PLAIN)
    id = bench.start("plain").instance_id
    gone = model("plain", start(), user("sign"), service("draft", "x"), end(), flows="start>sign sign>draft draft>end")
    bench.handler("x", lambda context: {})
    with pytest.raises(CannotMigrate, match="种类不同") as refused:
        bench.step(id, Migrate(_second(bench, gone), "改版"), officer)
    assert list(refused.value.hindrances) == ["draft"]
    bench.deploy(CHILD)
    [(other,)] = bench.rows("select id from process_definition where key = 'child'")
    with pytest.raises(Invalid, match="另一个流程"):
        bench.step(id, Migrate(other, "改版"), officer)


def test_no_migration_passes_what_the_law_demands(bench: Bench, officer: Actor) -> None:
    bench.deploy(PLAIN)
    id = bench.start("plain").instance_id
    bench.complete(bench.open(id)["draft"], officer)
    stricter = PLAIN.replace(b'<userTask id="draft"', user("hear", LAW).encode() + b'<userTask id="draft"')
    stricter = stricter.replace(b'sourceRef="draft" targetRef="check"', b'sourceRef="draft" targetRef="hear"')
    extra = b'<sequenceFlow id="fx" sourceRef="hear" targetRef="check"/></process>'
    second = _second(bench, stricter.replace(b"</process>", extra))
    with pytest.raises(LawForbids, match="hear"):
        bench.step(id, Migrate(second, "改版"), officer)
    bench.step(id, MoveToken("draft", "重来", element_id="check"), officer)
    bench.step(id, Migrate(second, "改版"), officer)
    bench.complete(bench.open(id)["draft"], officer)
    assert list(bench.open(id)) == ["hear"]


def test_a_mapping_does_not_make_done_what_the_law_demands(bench: Bench, officer: Actor) -> None:
    """Whoever maps a trifle that is done to the meeting has not held the meeting."""
    flows = "start>draft draft>propose propose>meeting meeting>publish publish>end"
    tasks = [user("draft"), user("propose"), user("meeting", LAW), user("publish")]
    bench.deploy(model("mapped", start(), *tasks, end(), flows=flows))
    id = bench.start("mapped").instance_id
    bench.complete(bench.open(id)["draft"], officer)
    second = _second(bench, model("mapped", start(), *tasks, end(), flows=flows, name="第二版"))
    for mapping in ({"propose": "publish"}, {"draft": "meeting", "propose": "publish"}):
        with pytest.raises(LawForbids, match="meeting"):
            bench.step(id, Migrate(second, "改版", mapping), officer)
    bench.step(id, Migrate(second, "改版"), officer)
    bench.complete(bench.open(id)["propose"], officer)
    bench.complete(bench.open(id)["meeting"], officer)
    assert list(bench.open(id)) == ["publish"]


def test_a_message_that_a_person_sends_does_not_correct_what_the_law_guards(bench: Bench, officer: Actor) -> None:
    bench.deploy(
        model(
            "told",
            start(),
            '<receiveTask id="wait" messageRef="m"/>',
            gateway("ok", "f2"),
            user("meeting", LAW),
            end(),
            extra='<message id="m" name="go"/>',
            flows="start>wait wait>ok ok>meeting ok>end[=small]",
        )
    )
    id = bench.start("told", {"small": False, "note": "a"}).instance_id
    [(subscription,)] = bench.rows("select id from event_subscription where instance_id = :id", id=id)
    for payload in ({"small": True}, {"other": 1}):
        with pytest.raises(LawForbids):
            bench.step(id, DeliverMessage(subscription, payload), officer)
    bench.step(id, DeliverMessage(subscription, {"note": "b"}), officer)
    assert list(bench.open(id)) == ["meeting"]
    assert bench.variables(id) == {"small": False, "note": "b"}


def test_a_task_without_a_form_does_not_correct_what_the_law_guards(bench: Bench, officer: Actor) -> None:
    bench.handler("expel", lambda context: {})
    bench.deploy(GUARDED)
    id = bench.start("guarded", {"ok": False}).instance_id
    facts = bench.open(id)["facts"]
    with pytest.raises(LawForbids, match="ok"):
        bench.complete(facts, officer, form_data={"ok": True})
    bench.complete(facts, officer, form_data={"outcome": "done"})
    assert list(bench.open(id)) == ["propose"]


def test_a_refused_operation_leaves_everything(bench: Bench, officer: Actor) -> None:
    bench.deploy(PLAIN)
    id = bench.start("plain").instance_id
    before = bench.rows("select version, state, tokens from process_instance")
    for command in (MoveToken("nowhere", "x", element_id="draft"), MoveToken("sign", "x", element_id="sign")):
        with pytest.raises((Invalid, Conflict)):
            bench.step(id, command, officer)
    assert bench.rows("select version, state, tokens from process_instance") == before
    bench.complete(bench.open(id)["draft"], officer)


def test_variables_that_decide_are_not_corrected_where_the_law_guards(bench: Bench, officer: Actor) -> None:
    bench.handler("expel", lambda context: {})
    bench.hooks.handlers["expel"].inputs["unit"] = "whom"  # type: ignore[index]
    bench.deploy(GUARDED)
    id = bench.start("guarded", {"ok": False, "unit": "甲", "remark": "x", "outcome": "y"}).instance_id
    for name, value in (("ok", True), ("unit", "乙"), ("outcome", "z"), ("invented", 1)):
        with pytest.raises(LawForbids):
            bench.step(id, SetVariables({name: value}, "更正"), officer)
    with pytest.raises(Invalid, match="不能更正为数"):
        bench.step(id, SetVariables({"remark": 5}, "更正"), officer)
    bench.step(id, SetVariables({"remark": "好"}, "更正"), officer)
    assert bench.variables(id)["remark"] == "好"
