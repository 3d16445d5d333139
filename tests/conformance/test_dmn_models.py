"""Expressions, requirements, business knowledge and types of DMN models."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from webapp.engine.decisions import parse_dmn
from webapp.engine.feel import LimitExceeded

from .models import NOW, decision, definitions, literal, only, requires, rows, table

D = Decimal
AGE_TYPE = (
    '<itemDefinition name="tAge"><typeRef>number</typeRef><allowedValues><text>[0..150]</text></allowedValues>'
    "</itemDefinition>"
)


def _input(name: str, type_ref: str = "Any", key: str = "i") -> str:
    return f'<inputData id="{key}" name="{name}"><variable name="{name}" typeRef="{type_ref}"/></inputData>'


def test_a_literal_expression_answers_under_its_variable() -> None:
    greeting = only(decision(literal('"您好，" + 姓名'), variable='<variable name="问候" typeRef="string"/>'))
    assert (greeting.key, greeting.name, greeting.names) == ("d", "d", {"姓名"})
    assert rows(greeting, 姓名="李") == [{"问候": "您好，李"}]


def test_names_of_input_data_may_hold_operators_and_spaces() -> None:
    pay = only(
        _input("net-price per month", "number"),
        decision(literal("net-price per month * 12"), needs=[requires("i", "Input")]),
    )
    assert pay.evaluate({"net-price per month": 2}, now=NOW) == [{"d": D(24)}]


def test_required_decisions_are_made_first() -> None:
    risk = decision(
        table(["count(items)"], ["risk"], [("> 2", '"high"'), ("<= 2", '"low"')]), key="r", name="Risk Level"
    )
    price = decision(literal('if Risk Level = "high" then 100 else 10'), key="p", needs=[requires("r")])
    fee = only(risk, price, decision(literal("p + count(items)"), key="fee", needs=[requires("p"), requires("r")]))
    assert rows(fee, items=[1, 2, 3]) == [{"fee": D(103)}]
    assert fee.names == {"items"}


def test_outputs_of_a_required_table_are_visible_by_name_as_in_camunda() -> None:
    season = decision(table(["month"], ["season"], [("12, 1, 2", '"冬"'), ("[3..11]", '"其他"')]), key="s")
    dish = only(
        season, decision(table(["season"], ["dish"], [('"冬"', '"汤"'), ('"其他"', '"沙拉"')]), needs=[requires("s")])
    )
    assert rows(dish, month=1) == [{"dish": "汤"}]
    assert rows(dish, month=7) == [{"dish": "沙拉"}]


def test_a_model_lists_its_decisions_in_order() -> None:
    found = parse_dmn(definitions(decision(literal("1"), key="b"), decision(literal("2"), key="a", name="甲")))
    assert [(each.key, each.name) for each in found] == [("b", "b"), ("a", "甲")]


def test_business_knowledge_is_invoked_and_may_call_itself() -> None:
    factorial = (
        '<businessKnowledgeModel id="k" name="factorial"><encapsulatedLogic id="e"><formalParameter name="n" '
        f'typeRef="number"/>{literal("if n <= 1 then 1 else n * factorial(n - 1)")}</encapsulatedLogic>'
        "</businessKnowledgeModel>"
    )
    invocation = (
        f'<invocation id="v">{literal("factorial")}<binding><parameter name="n"/>{literal("x")}</binding></invocation>'
    )
    by_box = only(factorial, decision(invocation, needs=[requires("k", "Knowledge")]))
    by_name = only(factorial, decision(literal("factorial(n: x)"), needs=[requires("k", "Knowledge")]))
    assert rows(by_box, x=5) == rows(by_name, x=5) == [{"d": D(120)}]
    with pytest.raises(LimitExceeded):
        rows(by_name, x=10_000)


def test_contexts_lists_and_relations() -> None:
    def entry(name: str, logic: str) -> str:
        return f'<contextEntry><variable name="{name}"/>{logic}</contextEntry>'

    relation = (
        f'<relation id="re"><column name="a"/><column name="b"/><row>{literal("1")}{literal("x")}</row></relation>'
    )
    both = "<list>" + literal("rate") + literal("rows.b") + "</list>"
    entries = entry("rate", literal("2")) + entry("rows", relation) + entry("both", both)
    context = f'<context id="c">{entries}'
    whole = only(decision(context + "</context>"))
    assert rows(whole, x=7) == [{"d": {"rate": 2, "rows": [{"a": 1, "b": 7}], "both": [2, [7]]}}]
    assert whole.names == {"x"}
    result = only(decision(f"{context}<contextEntry>{literal('rate * x')}</contextEntry></context>"))
    assert rows(result, x=7) == [{"d": D(14)}]


def test_types_are_checked_and_values_of_the_wrong_type_are_null() -> None:
    age = only(AGE_TYPE, _input("age", "tAge"), decision(literal("age"), needs=[requires("i", "Input")]))
    assert rows(age, age=18) == [{"d": D(18)}]
    assert rows(age, age=[18]) == [{"d": D(18)}]
    for wrong in (200, "18", True):
        assert rows(age, age=wrong) == [{"d": None}]


def test_structures_and_collections_are_checked() -> None:
    person = (
        '<itemDefinition name="tPerson"><itemComponent name="age"><typeRef>tAge</typeRef></itemComponent>'
        "</itemDefinition>"
        '<itemDefinition name="tPeople" isCollection="true"><typeRef>tPerson</typeRef></itemDefinition>'
    )
    people = only(
        AGE_TYPE + person, _input("people", "tPeople"), decision(literal("people.age"), needs=[requires("i", "Input")])
    )
    assert rows(people, people=[{"age": 1}, {"age": 2}]) == [{"d": [D(1), D(2)]}]
    assert rows(people, people=[{"age": 1}, {"age": 999}]) == [{"d": None}]


def test_threads_share_a_decision() -> None:
    shared = only(decision(table(["x"], ["n"], [(f"{n}", f"{n} * x") for n in range(50)])))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda x: rows(shared, x=x), list(range(50)) * 10))
    assert found == [[{"n": D(x * x)}] for x in range(50)] * 10
