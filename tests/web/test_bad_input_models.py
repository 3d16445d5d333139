"""Models that are broken, hostile or never stop: refused with a sentence, or an incident; never a hung program."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from tests.engine.runtime.models import end, model, start
from tests.support import Client
from webapp import worker
from webapp.cli import main
from webapp.engine.bpmn import workflow
from webapp.engine.tables import deployment, incident, process_definition, process_instance

USER = '<userTask id="ask" name="填写" camunda:candidateGroups="office"/>'
SOUND = model("sound", start(), USER, end(), flows="start>ask ask>end")
LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">'
    b'<!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;"><!ENTITY f "&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;">]>'
    b'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t">'
    b'<process id="p" name="&f;" isExecutable="true"/></definitions>'
)
XXE = LAUGHS[: LAUGHS.index(b"<!DOCTYPE")] + (
    b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>' + LAUGHS[LAUGHS.index(b"<definitions") :]
)
UTF16 = SOUND.decode().replace("UTF-8", "UTF-16").encode("utf-16")


def _script(language: str, words: str) -> bytes:
    attributes = f'id="run" scriptFormat="{language}" camunda:resultVariable="x"'
    task = f"<scriptTask {attributes}><script>{words}</script></scriptTask>"
    return model("scripted", start(), task, end(), flows="start>run run>end")


def _deep(levels: int) -> bytes:
    inner = "<task id='t'/>"
    for n in range(levels):
        first = f"s{n - 1}" if n else "t"
        way = f'<startEvent id="b{n}"/><sequenceFlow id="f{n}" sourceRef="b{n}" targetRef="{first}"/>'
        inner = f'<subProcess id="s{n}">{way}{inner}</subProcess>'
    return model("deep", start(), inner, end(), flows=f"start>s{levels - 1} s{levels - 1}>end")


REFUSED = {
    "no XML": (b"this is no model", "不是合法的 XML"),
    "empty": (b"", "不是合法的 XML"),
    "cut off": (SOUND[: len(SOUND) // 2], "不是合法的 XML"),
    "binary": (bytes(range(256)) * 40, "不是合法的 XML"),
    "another vocabulary": (b"<html><body>x</body></html>", ""),
    "billion laughs": (LAUGHS, "DTD"),
    "external entity": (XXE, "DTD"),
    "20 MB": (SOUND.replace(b"</definitions>", b"<!--" + b"x" * (20 * 2**20 - 4000) + b"--></definitions>"), "4 MB"),
    "nested without end": (b"<a>" * 100_000 + b"</a>" * 100_000, "不是合法的 XML"),
    "unknown handler": (
        model("p", start(), '<serviceTask id="do" camunda:topic="no.such"/>', end(), flows="start>do do>end"),
        "没有名为“no.such”的处理程序",
    ),
    "Java class": (
        model("p", start(), '<serviceTask id="do" camunda:class="a.B"/>', end(), flows="start>do do>end"),
        "引擎不执行",
    ),
    "JUEL": (
        model("p", start(), USER, end(), flows="start>ask[=true] ask>end").replace(b"=true", b"${1==1}"),
        "${",
    ),
    "Python": (_script("python", "import os"), "不支持脚本语言“python”"),
    "JavaScript": (_script("javascript", "while(true){}"), "不支持脚本语言“javascript”"),
    "FEEL that is none": (_script("feel", "1 +* 2"), ""),
    "unknown function": (_script("feel", 'eval("1")'), "eval"),
    "parentheses without end": (_script("feel", "(" * 20_000 + "1" + ")" * 20_000), ""),
    "lists without end": (_script("feel", "[" * 20_000 + "]" * 20_000), ""),
    "ifs without end": (_script("feel", "if true then " * 5_000 + "1" + " else 1" * 5_000), ""),
    "dots without end": (_script("feel", "a" + ".b" * 30_000), ""),
    "nobody can do it": (model("p", start(), '<userTask id="ask"/>', end(), flows="start>ask ask>end"), "没有人能办理"),
    "unknown role": (SOUND.replace(b'"office"', b'"boss"'), "没有名为“boss”的角色"),
    "unknown form": (SOUND.replace(b'name="\xe5\xa1', b'camunda:formRef="none" name="\xe5\xa1'), "none"),
    "markup in a name": (SOUND.replace(b'id="sound"', b'id="&lt;script&gt;"'), "标识"),
}


def deploy(client: Client, files: dict[str, bytes], **fields: str) -> Any:
    """Deploy by REST, as a modeler does."""
    parts = {f"data{n}": (io.BytesIO(content), name) for n, (name, content) in enumerate(files.items())}
    body = b"".join(
        f'--cut\r\nContent-Disposition: form-data; name="{key}"; filename="{name}"\r\n\r\n'.encode()
        + file.read()
        + b"\r\n"
        for key, (file, name) in parts.items()
    )
    body += b'--cut\r\nContent-Disposition: form-data; name="deployment-name"\r\n\r\ntest\r\n--cut--\r\n'
    return client.post("/engine-rest/deployment/create", data=body, content_type="multipart/form-data; boundary=cut")


@pytest.fixture
def designer(engine: Any, client: Client, sign_in: Any) -> Client:
    sign_in("designer", "manager", "office")
    return client


@pytest.mark.parametrize("name", REFUSED)
def test_a_broken_model_is_refused_with_its_reasons(designer: Client, session: Any, name: str) -> None:
    content, words = REFUSED[name]
    answer = deploy(designer, {"model.bpmn": content})
    assert answer.status_code == 400, answer.text
    told = answer.get_json()
    assert told["type"] == "ParseException"
    assert words in told["message"] + str(told["details"])
    assert "Traceback" not in answer.text
    assert "root:" not in answer.text
    assert session.scalar(select(func.count()).select_from(deployment)) == 0


def test_a_model_in_another_encoding_is_read(designer: Client, session: Any) -> None:
    assert deploy(designer, {"model.bpmn": UTF16}).status_code == 200
    assert session.scalar(select(process_definition.c.key)) == "sound"


@pytest.mark.parametrize("levels", [40, 200])
def test_subprocesses_in_subprocesses_are_read_or_refused(designer: Client, levels: int) -> None:
    assert deploy(designer, {"model.bpmn": _deep(levels)}).status_code in {200, 400}


def _form(component: str) -> bytes:
    return b'{"type":"default","id":"f","components":[' + component.encode() + b"]}"


FORMS = {
    "no JSON": b"{",
    "a list": b"[]",
    "nested without end": b'{"components":' * 50_000,
    "unknown component": _form('{"type":"iframe","key":"x"}'),
    "a pattern that is none": _form('{"type":"textfield","key":"x","validate":{"pattern":"(("}}'),
    "an expression that is none": _form('{"type":"textfield","key":"x","conditional":{"hide":"=1 +* 2"}}'),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_broken_form_is_refused_with_its_reasons(designer: Client, session: Any, name: str) -> None:
    bpmn = SOUND.replace(b'id="ask"', b'id="ask" camunda:formRef="f"')
    answer = deploy(designer, {"model.bpmn": bpmn, "f.json": FORMS[name]})
    assert answer.status_code == 400, answer.text
    assert answer.get_json()["details"]["model"]["errors"]
    assert session.scalar(select(func.count()).select_from(deployment)) == 0


@pytest.mark.parametrize("content", [b"", b"<x/>", LAUGHS, b"<a>" * 100_000], ids=["empty", "other", "laughs", "deep"])
def test_a_broken_decision_is_refused(designer: Client, session: Any, content: bytes) -> None:
    answer = deploy(designer, {"model.bpmn": SOUND, "rules.dmn": content})
    assert answer.status_code == 400, answer.text
    assert session.scalar(select(func.count()).select_from(deployment)) == 0


def test_a_request_without_files_or_with_the_same_file_twice_is_told(designer: Client) -> None:
    assert "没有收到要部署的文件" in deploy(designer, {}).get_json()["message"]
    twice = deploy(designer, {"a/model.bpmn": SOUND, "b/model.bpmn": SOUND})
    assert twice.status_code == 400
    assert "出现两次" in twice.get_json()["message"]


# ---- the command line


@pytest.fixture
def run(database: str, config: Any, monkeypatch: pytest.MonkeyPatch, engine: Any) -> Any:
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("DATA_DIR", str(config.data_dir))
    return lambda *words: CliRunner().invoke(main, words)


@pytest.mark.parametrize("name", ["no XML", "billion laughs", "20 MB", "unknown handler", "Python"])
def test_the_command_line_names_what_is_wrong_and_ends_with_1(
    run: Any, tmp_path: Path, session: Any, name: str
) -> None:
    content, words = REFUSED[name]
    (tmp_path / "model.bpmn").write_bytes(content)
    answer = run("deploy", str(tmp_path))
    assert answer.exit_code == 1
    assert words in answer.output
    assert "Traceback" not in answer.output
    assert session.scalar(select(func.count()).select_from(deployment)) == 0


def test_an_empty_folder_is_told(run: Any, tmp_path: Path) -> None:
    answer = run("deploy", str(tmp_path))
    assert answer.exit_code == 1
    assert answer.output.strip()
    assert answer.exception is None or isinstance(answer.exception, SystemExit)


# ---- at run time


def begin(client: Client, key: str) -> Any:
    return client.post(f"/engine-rest/process-definition/key/{key}/start", json={})


def incidents(session: Any) -> list[str]:
    session.rollback()
    return list(session.scalars(select(incident.c.message).where(incident.c.resolved_at.is_(None))))


BOMBS = {
    "minus without end": "-" * 30_000 + "1",
    "a filter over a billion numbers": "[1..1000000000][item &gt; 3]",
    "a sum over a billion numbers": "sum(for i in 1..1000000000 return i)",
    "loops in loops": "for a in 1..1000, b in 1..1000, c in 1..1000 return a * b * c",
    "a power": "9 ** 9 ** 9 ** 9",
    "a text that doubles": 'string join(for i in 1..100000 return string join(for j in 1..1000 return "xxxxxxxxxx"))',
    "a pattern that backtracks": 'matches("aaaaaaaaaaaaaaaaaaaaaaaaa!", "^(a+)+$") and count([1..1000000000]) &gt; 1',
    "a function that calls itself": "{f: function(n) f(n), r: f(1)}.r",
    "replacing again and again": 'replace(string join(for i in 1..90000 return "aaaaaaaaaa"), "a", "aaaaaaaaaaa")',
}


@pytest.mark.parametrize("name", BOMBS)
def test_an_expression_that_never_ends_becomes_an_incident_or_null(designer: Client, session: Any, name: str) -> None:
    deployed = deploy(designer, {"model.bpmn": _script("feel", BOMBS[name])})
    if deployed.status_code == 400:
        return
    started = begin(designer, "scripted")
    assert started.status_code == 200, started.text
    session.rollback()
    status = session.scalar(select(process_instance.c.status))
    told = incidents(session)
    assert (status == "active" and len(told) == 1) or (status == "completed" and not told)
    assert all("计算" in words or "超" in words for words in told)


def test_a_loop_that_never_waits_becomes_an_incident(designer: Client, session: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(workflow, "MAX_MOVES", 2_000)
    turning = model(
        "turning",
        start(),
        '<exclusiveGateway id="join"/>',
        '<task id="turn"/>',
        end(),
        '<exclusiveGateway id="split" default="f4"/>',
        flows="start>join join>turn turn>split split>end[=false] split>join",
    )
    assert deploy(designer, {"model.bpmn": turning}).status_code == 200
    assert begin(designer, "turning").status_code == 200
    assert len(incidents(session)) == 1
    assert "可能陷入循环" in incidents(session)[0]


def test_a_loop_that_forks_without_end_is_stopped(designer: Client, session: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(workflow, "MAX_MOVES", 2_000)
    forking = model(
        "forking",
        start(),
        '<exclusiveGateway id="join"/>',
        '<task id="turn"/>',
        '<parallelGateway id="fork"/>',
        USER,
        end(),
        flows="start>join join>turn turn>fork fork>join fork>join fork>ask ask>end",
    )
    assert deploy(designer, {"model.bpmn": forking}).status_code == 200
    answer = begin(designer, "forking")
    assert answer.status_code in {200, 400}
    if answer.status_code == 200:
        assert incidents(session)


def test_a_process_that_calls_itself_without_end_is_stopped(designer: Client, session: Any, engine: Any) -> None:
    again = model(
        "again", start(), '<callActivity id="call" calledElement="again"/>', end(), flows="start>call call>end"
    )
    assert deploy(designer, {"model.bpmn": again}).status_code == 200
    assert begin(designer, "again").status_code == 200
    worker.drain(engine)
    assert len(incidents(session)) == 1
    assert "层" in incidents(session)[0]
    assert session.scalar(select(func.count()).select_from(process_instance)) <= 60
