"""The English catalogue: every sentence of the pages has its English, with the same placeholders."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from babel.messages.pofile import read_po

from webapp import i18n
from webapp.config import ROOT
from webapp.engine.bpmn import report
from webapp.errors import QianyinError

CATALOGUE = i18n.TRANSLATIONS / "en" / "LC_MESSAGES" / "messages.po"
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def placeholders(sentence: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)s|\{\w+\}|\{\{", sentence))


@pytest.fixture(scope="module")
def english():
    with CATALOGUE.open("rb") as file:
        return {message.id: message.string for message in read_po(file, locale="en") if message.id}


@pytest.fixture(scope="module")
def sentences(tmp_path_factory):
    """Every msgid of the program, as `make translations` collects them."""
    target = tmp_path_factory.mktemp("i18n") / "messages.pot"
    words = ["-k", "lazy", "-k", "_", "-k", "ngettext:1,2", "-F", "webapp/translations/babel.cfg"]
    command = [sys.executable, "-m", "babel.messages.frontend", "-q", "extract", *words, "-o", str(target)]
    subprocess.run([*command, "webapp", "handlers"], cwd=ROOT, check=True, capture_output=True)
    with target.open("rb") as file:
        return {message.id for message in read_po(file) if message.id}


def test_every_sentence_has_its_english(sentences, english):
    assert sorted(s for s in sentences if not english.get(s)) == []


def test_the_catalogue_holds_nothing_that_no_page_says(sentences, english):
    assert sorted(set(english) - sentences) == []


def test_english_names_no_placeholder_that_the_chinese_lacks(english):
    """It may leave one out: English has no measure words."""
    assert [s for s, said in english.items() if not placeholders(said) <= placeholders(s)] == []


def test_english_is_english(english):
    assert [said for said in english.values() if CHINESE.search(said)] == []


def _kinds(kind: type[QianyinError]) -> list[type[QianyinError]]:
    return [kind, *(found for sub in kind.__subclasses__() for found in _kinds(sub))]


def test_what_an_error_says_by_itself_is_translated(app, english):
    said = {(kind.__doc__ or "").strip() for kind in _kinds(QianyinError)}
    assert sorted(s for s in said if CHINESE.search(s) and s not in english) == []


def test_what_is_found_in_a_model_is_told_in_the_readers_language(app):
    script = (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p" isExecutable="true">'
        '<scriptTask id="t"><script>1 +</script></scriptTask><complexGateway id="g"/></process></definitions>'
    )
    findings = {finding.code: finding for finding in report(script.encode()).findings}
    with app.test_request_context("/", headers={"Accept-Language": "en"}):
        feel, unsupported = findings["feel"], findings["unsupported"]
        assert i18n.say(feel.pattern, feel.values).startswith("Script is no valid FEEL: ")
        assert i18n.say(unsupported.pattern, unsupported.values) == "The engine does not carry out: complex gateway."
        assert i18n._(unsupported.mend) == "Use an element that the engine carries out."
    assert unsupported.message == "引擎不执行复杂网关。"


def test_catalogues_are_compiled_when_they_are_newer(tmp_path, monkeypatch):
    folder = tmp_path / "en" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8"\n'
    (folder / "messages.po").write_text(header, encoding="utf-8")
    monkeypatch.setattr(i18n, "TRANSLATIONS", tmp_path)
    assert i18n.compile_catalogues() == ["en"]
    assert i18n.compile_catalogues() == []
    assert i18n.compile_catalogues(force=True) == ["en"]
    assert [path.name for path in folder.iterdir() if path.suffix == ".tmp"] == []


def test_a_page_in_english_holds_no_untranslated_words(client, sign_in):
    sign_in("sysadmin", locale="en", name="Chen")
    page = client.get("/admin/accounts").text
    text = re.sub(r"<[^>]+>", " ", page)
    assert "Accounts" in text
    left = set(re.findall(r"[\u4e00-\u9fff]+", text)) - {"中文", "数字化牵引单位管理"}
    assert left == set()
