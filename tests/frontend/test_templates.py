"""The macros: all shown on the pieces page, all documented, all translatable, all icons drawn."""

import re
from pathlib import Path

import pytest

from tests.frontend.rendering import WEBAPP, page

MACROS = WEBAPP / "templates" / "macros"
SHOWN = ("pieces", "layout", "lists", "fields")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def macros(name: str) -> list[str]:
    return re.findall(r"{% macro ([a-z]\w*)\(", (MACROS / f"{name}.html").read_text())


@pytest.mark.parametrize("name", SHOWN)
def test_every_macro_is_documented_with_its_parameters(name: str) -> None:
    source = (MACROS / f"{name}.html").read_text()
    for macro in macros(name):
        assert re.search(r"{#[^#]*\b" + macro + r"\(", source), macro


@pytest.mark.parametrize("name", SHOWN)
def test_every_macro_is_shown_on_the_pieces_page(name: str) -> None:
    shown = (WEBAPP / "templates" / "pieces.html").read_text()
    prefix = {"pieces": "p", "layout": "l", "lists": "t", "fields": "f"}[name]
    inner = {"crumbs", "icon", "diff_row", "label_line", "hint_line", "error_line", "phrase_buttons"}
    for macro in macros(name):
        if macro not in inner:  # shown by the macros that use them
            assert f"{prefix}.{macro}(" in shown, macro


def test_every_icon_that_a_template_names_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (WEBAPP / "frontend/src/icons.svg").read_text()))
    for template in WEBAPP.rglob("templates/**/*.html"):
        for name in re.findall(r"\bicon\('([\w-]+)'", template.read_text()):
            assert name in drawn, f"{template.name}: {name}"
    for script in (WEBAPP / "frontend/src").rglob("*.js"):
        for name in re.findall(r"#([a-z-]+)`", script.read_text()):
            assert name in drawn, f"{script.name}: {name}"


FRAME = sorted({*MACROS.glob("*.html"), *(WEBAPP / "templates").glob("**/*.html")} - {WEBAPP / "templates/pieces.html"})


@pytest.mark.parametrize("template", FRAME, ids=lambda path: path.name)
def test_every_word_of_the_frame_goes_through_gettext(template: Path) -> None:
    source = template.read_text()
    source = re.sub(r"{#.*?#}", "", source, flags=re.S)
    source = re.sub(r"_\('[^']*'", "_()", source)
    source = re.sub(r"state_badge\('[^']*'", "", source)  # translated inside
    source = re.sub(r"{% set tones = {.*?} -?%}", "", source, flags=re.S)  # keys, not words on the page
    allowed = re.sub(r"'中文'|>中文<|（|）|，|；|：|　", "", source)
    assert not CHINESE.search(allowed), CHINESE.findall(allowed)


def test_data_is_escaped_wherever_it_stands() -> None:
    shown = page("pieces.html", nav=[{"label": "<i>x</i>", "url": '"><i>', "active": False, "count": 0}])
    assert "<i>x</i>" not in shown
    assert '"><i>' not in shown
