"""The editor's words: each has its English, and nothing of bpmn-js's menus stays English on a Chinese page."""

import re
from pathlib import Path

from webapp.frontend import build as builder

SOURCES = Path(builder.__file__).parent / "src"
LIBRARIES = Path(builder.__file__).parent / "node_modules"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
STRING = re.compile(r"'((?:[^'\\\n]|\\.)*)'")
#: Said to programmers only, or never offered here.
UNSEEN = {"HELLO {you}", " + shift + ", " + x + ", "Alert target ID"}


def words(path: Path) -> set[str]:
    text = re.sub(r"^\s*(//|\*).*$", "", path.read_text(), flags=re.M)
    return {found.replace("\\'", "'") for found in STRING.findall(text)}


def test_every_chinese_word_of_the_editor_has_its_english():
    english = (SOURCES / "designer" / "words-en.js").read_text()
    known = {found.replace("\\'", "'") for found in re.findall(r"^  '((?:[^'\\]|\\.)*)':", english, flags=re.M)}
    said = set()
    for path in [SOURCES / "designer.js", *(SOURCES / "designer").glob("*.js")]:
        if path.name not in ("bpmn-zh.js", "words-en.js"):
            said |= {word for word in words(path) if CHINESE.search(word)}
    assert said - known == set()
    assert known - said == set()


def test_every_word_of_the_library_has_its_chinese():
    table = (SOURCES / "designer" / "bpmn-zh.js").read_text()
    kinds = re.findall(r"(\w+): '", table.split("const places")[0])
    places = re.findall(r"'([a-z][^']*)': '", table.split("const places")[1].split("const events")[0])
    known = words(SOURCES / "designer" / "bpmn-zh.js") | {f"{kind} {place}" for kind in kinds for place in places}
    said = set()
    folders = [
        LIBRARIES / "bpmn-js" / "lib",
        LIBRARIES / "diagram-js" / "lib",
        LIBRARIES / "diagram-js-minimap" / "dist",
    ]
    for path in [file for folder in folders for file in folder.rglob("*.js") if ".umd" not in file.name]:
        said |= set(re.findall(r"translate\(\s*'([^']+)'", path.read_text()))
    entries = (LIBRARIES / "bpmn-js" / "lib" / "features" / "popup-menu" / "PopupEntries.js").read_text()
    said |= set(re.findall(r"label: '([^']+)'", entries))
    assert len(said) > 80
    assert said - known - UNSEEN == set()
