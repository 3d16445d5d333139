"""Transactions, compensation by event subprocesses, several start events, data objects, people named by the standard."""
# ruff: noqa: E501  # models read better unbroken

from __future__ import annotations

from tests.engine.bpmn.helpers import Run, Surroundings, TaskOpened, compiled, document, flow, line, path, refused, user
from webapp.engine.types import MessageThrown

UNDO = "<compensateEventDefinition/>"


def undoable(name: str) -> str:
    """A user task whose compensation is another user task."""
    return (
        user(name)
        + f'<boundaryEvent id="b{name}" attachedToRef="{name}">{UNDO}</boundaryEvent>'
        + user(f"undo_{name}", attributes='isForCompensation="true"')
        + f'<association sourceRef="b{name}" targetRef="undo_{name}"/>'
    )


def transaction(inner: str, outside: str = "") -> bytes:
    cancel = f'<boundaryEvent id="given_up" attachedToRef="t"><cancelEventDefinition/></boundaryEvent>{flow("given_up", "after")}{user("after")}'
    return document(line(f'<transaction id="t">{inner}</transaction>', user("done"), after=cancel + outside))


GIVING_UP = transaction(
    f'<startEvent id="i"/>{undoable("a")}{undoable("b")}{flow("i", "a")}{flow("a", "b")}{flow("b", "g")}'
    f'<exclusiveGateway id="g" default="well"/>{flow("g", "no", "bad")}<endEvent id="no"><cancelEventDefinition/></endEvent>'
    f'{flow("g", "yes", flow_id="well")}<endEvent id="yes"/>'
)


def test_a_cancelled_transaction_is_undone_backwards_and_left_by_its_cancel_event() -> None:
    run = Run(GIVING_UP, bad=True).do("a").do("b")
    assert run.open == ["undo_b"]
    run.do("undo_b")
    assert run.open == ["undo_a"]
    run.do("undo_a")
    assert run.open == ["after"]
    run.do("after")
    assert run.ended == "completed"
    assert run.ended_elements(cancelled=True) == ["t"]


def test_a_transaction_that_succeeds_goes_on_and_can_still_be_undone_as_a_whole() -> None:
    assert Run(GIVING_UP, bad=False).do("a").do("b").open == ["done"]


def test_a_cancelled_transaction_takes_its_other_work_away_and_undoes_what_was_done_inside_it() -> None:
    run = Run(
        transaction(
            f'<startEvent id="i"/>{flow("i", "g")}<parallelGateway id="g"/>{flow("g", "c")}{flow("g", "sp")}'
            f'{user("c")}{flow("c", "no")}<endEvent id="no"><cancelEventDefinition/></endEvent>'
            f'<subProcess id="sp"><startEvent id="si"/>{undoable("a")}{user("b")}{path("si", "a", "b")}</subProcess>'
        )
    )
    run.do("a")
    assert run.open == ["b", "c"]
    run.do("c")
    assert run.open == ["undo_a"]
    run.do("undo_a")
    assert run.open == ["after"]


def test_a_cancel_event_belongs_to_a_transaction() -> None:
    cancel = '<endEvent id="no"><cancelEventDefinition/></endEvent>'
    assert refused(document(line(user("u")) + cancel + flow("u", "no")))["cancel"] == "no"
    inside = f'<transaction id="t"><startEvent id="i"/>{cancel}{flow("i", "no")}</transaction>'
    assert refused(document(line(inside)))["cancel"] == "t"
    boundary = (
        f'<boundaryEvent id="b" attachedToRef="u"><cancelEventDefinition/></boundaryEvent>{flow("b", "v")}{user("v")}'
    )
    assert refused(document(line(user("u"), after=boundary)))["cancel"] == "b"
    loop = '<standardLoopCharacteristics loopMaximum="2"/>'
    assert refused(document(line(f'<transaction id="t">{loop}<startEvent id="i"/></transaction>')))["loop"] == "t"


def test_a_transaction_of_another_method_is_refused() -> None:
    body = line('<transaction id="t" method="##Store"><startEvent id="i"/></transaction>')
    assert refused(document(body)) == {"unsupported": "t"}


HANDLED = document(
    line(
        f'<subProcess id="sp"><startEvent id="i"/>{undoable("a")}{undoable("b")}{path("i", "a", "b")}'
        f'<subProcess id="es" triggeredByEvent="true"><startEvent id="es_s">{UNDO}</startEvent>{user("look")}{flow("es_s", "look")}'
        f'<intermediateThrowEvent id="inner">{UNDO}</intermediateThrowEvent>{flow("look", "inner")}{flow("inner", "tidy")}{user("tidy")}</subProcess></subProcess>',
        f'<intermediateThrowEvent id="t">{UNDO}</intermediateThrowEvent>',
        user("end"),
    )
)


def test_a_compensation_event_subprocess_undoes_its_subprocess() -> None:
    run = Run(HANDLED).do("a").do("b")
    for expected in ("look", "undo_b", "undo_a", "tidy", "end"):
        assert run.open == [expected]
        run.do(expected)
    assert run.ended == "completed"


def test_a_compensation_event_subprocess_of_the_process_is_refused() -> None:
    sub = f'<subProcess id="es" triggeredByEvent="true"><startEvent id="es_s">{UNDO}</startEvent>{user("h")}{flow("es_s", "h")}</subProcess>'
    assert refused(document(line(user("u")) + sub)) == {"event": "es_s"}


def test_compensation_of_something_that_is_not_there_is_refused() -> None:
    throw = '<intermediateThrowEvent id="t"><compensateEventDefinition activityRef="{}"/></intermediateThrowEvent>'
    assert refused(document(line(user("u"), throw.format("ghost")))) == {"compensation": "t"}
    assert refused(document(line(user("u"), throw.format("u")))) == {"compensation": "t"}
    quick = (
        '<intermediateThrowEvent id="t"><compensateEventDefinition waitForCompletion="false"/></intermediateThrowEvent>'
    )
    assert refused(document(line(quick))) == {"unsupported": "t"}


def test_a_process_may_begin_in_several_ways() -> None:
    starts = (
        '<startEvent id="by_hand"/><startEvent id="by_m1"><messageEventDefinition messageRef="m"/></startEvent>'
        '<startEvent id="by_m2"><messageEventDefinition messageRef="m2"/></startEvent>'
        '<startEvent id="sig"><signalEventDefinition signalRef="sg"/></startEvent>'
        '<startEvent id="yearly"><timerEventDefinition><timeCycle>R/2026-01-01/P1Y</timeCycle></timerEventDefinition></startEvent>'
    )
    names = ("by_hand", "by_m1", "by_m2", "sig", "yearly")
    xml = document(starts + "".join(user(f"u_{name}") + flow(name, f"u_{name}") for name in names))
    process = compiled(xml)
    assert process.start_elements == {
        "by_hand": "none",
        "by_m1": "message",
        "by_m2": "message",
        "sig": "signal",
        "yearly": "timer",
    }
    assert process.start_names == {"by_m1": "stop", "by_m2": "go", "sig": "sig", "yearly": "R/2026-01-01/P1Y"}
    for name in names:
        assert Run(xml, start=name).open == [f"u_{name}"]
    assert Run(xml).open == ["u_by_hand"]


def test_two_start_events_that_nothing_tells_apart_are_refused() -> None:
    twice = '<startEvent id="a"><messageEventDefinition messageRef="m"/></startEvent>'
    both = twice + twice.replace('"a"', '"b"')
    assert refused(document(both + user("u") + flow("a", "u") + flow("b", "u")))["start"] == "b"
    assert (
        refused(document('<startEvent id="a"/><startEvent id="b"/>' + user("u") + flow("a", "u") + flow("b", "u")))[
            "start"
        ]
        == "p"
    )


DATA = (
    '<dataObject id="d1" name="申请"/><dataObjectReference id="r1" name="申请书" dataObjectRef="d1"/>'
    '<dataObject id="d2"/><dataObjectReference id="r2" name="意见" dataObjectRef="d2"/>'
)


def data_task(inner: str = "") -> str:
    return (
        '<serviceTask id="t" camunda:topic="h"><ioSpecification><dataInput id="i" name="text"/><dataOutput id="o" name="answer"/>'
        "<inputSet/><outputSet/></ioSpecification>"
        "<dataInputAssociation><sourceRef>r1</sourceRef><targetRef>i</targetRef></dataInputAssociation>"
        f"<dataOutputAssociation><sourceRef>o</sourceRef><targetRef>r2</targetRef>{inner}</dataOutputAssociation></serviceTask>"
    )


def test_named_data_inputs_and_outputs_carry_data_objects() -> None:
    host = Surroundings({"h": lambda variables: {"answer": variables["text"] + "!", "noise": 1}})
    run = Run(document(DATA + line(data_task(), user("u"))), host, 申请="请批准")
    assert run.variables == {"申请": "请批准", "意见": "请批准!"}
    upper = "<transformation>upper case(answer)</transformation>"
    host = Surroundings({"h": lambda variables: {"answer": variables["text"]}})
    assert Run(document(DATA + line(data_task(upper), user("u"))), host, 申请="abc").variables["意见"] == "ABC"


def test_a_data_association_that_only_decorates_changes_nothing() -> None:
    drawn = user(
        "u",
        '<property id="pp" name="__targetRef_placeholder"/><dataInputAssociation><sourceRef>r1</sourceRef><targetRef>pp</targetRef></dataInputAssociation>',
    )
    run = Run(document(DATA + line(drawn))).do("u", x=1)
    assert (run.ended, run.variables) == ("completed", {"x": 1})


def test_an_assignment_inside_a_data_association_is_refused() -> None:
    inner = "<assignment><from>1</from><to>2</to></assignment>"
    assert refused(document(DATA + line(data_task(inner)))) == {"unsupported": "t"}


def test_a_throw_event_sends_its_data_inputs() -> None:
    throw = (
        '<intermediateThrowEvent id="t"><dataInput id="i" name="text"/><dataInputAssociation><sourceRef>r1</sourceRef>'
        '<targetRef>i</targetRef></dataInputAssociation><messageEventDefinition messageRef="m"/></intermediateThrowEvent>'
    )
    run = Run(document(DATA + line(throw)), 申请="x", other=1)
    assert run.of(MessageThrown)[0].payload == {"text": "x"}


def test_the_results_of_a_multi_instance_by_the_standards_own_elements() -> None:
    loop = (
        "<multiInstanceLoopCharacteristics><loopDataInputRef>xs</loopDataInputRef><loopDataOutputRef>ys</loopDataOutputRef>"
        '<inputDataItem id="x" name="x"/><outputDataItem id="y" name="x"/></multiInstanceLoopCharacteristics>'
    )
    run = Run(document(line(user("u", loop))), xs=[1, 2]).do("u").do("u")
    assert run.variables == {"xs": [1, 2], "ys": [1, 2]}
    behaviour = loop.replace("<multiInstanceLoopCharacteristics>", '<multiInstanceLoopCharacteristics behavior="None">')
    assert refused(document(line(user("u", behaviour)))) == {"unsupported": "u"}


def test_people_named_as_the_standard_names_them() -> None:
    owner = "<potentialOwner><resourceAssignmentExpression><formalExpression>group(office), user(chen), manager</formalExpression></resourceAssignmentExpression></potentialOwner>"
    human = "<humanPerformer><resourceAssignmentExpression><formalExpression>user(li)</formalExpression></resourceAssignmentExpression></humanPerformer>"
    by_resource = "<potentialOwner><resourceRef>res</resourceRef></potentialOwner>"
    run = Run(
        document(
            line(f'<userTask id="u">{owner}{human}</userTask>', f'<userTask id="v">{by_resource}</userTask>'),
            extra='<resource id="res" name="office"/>',
        )
    )
    opened = run.of(TaskOpened)[0]
    assert (opened.candidate_groups, opened.candidate_users, opened.assignee) == (
        ("office", "manager"),
        ("chen",),
        "li",
    )
    assert run.do("u").of(TaskOpened)[1].candidate_groups == ("office",)


def test_quantities_and_loop_limits_that_are_not_carried_out_are_refused() -> None:
    assert refused(document(line(user("u", attributes='startQuantity="2"')))) == {"unsupported": "u"}
    assert refused(document(line(user("u", '<standardLoopCharacteristics loopMaximum="many"/>')))) == {"loop": "u"}
