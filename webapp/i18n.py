"""The language of what people read: Chinese is written in the code, English comes from a gettext catalogue.

`_` and `ngettext` speak the reader's language inside a request, Chinese outside of one; `lazy` waits until it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import flask_babel
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, has_request_context, request, session
from flask_babel.speaklater import LazyString

LANGUAGES = ("zh", "en")
TRANSLATIONS = Path(__file__).parent / "translations"


def _(message: str, **values: object) -> str:
    """The sentence in the reader's language, with `%(name)s` filled in; Chinese outside of a request."""
    if language() != "zh":  # the words of the code need no looking up
        return str(flask_babel.gettext(message, **values))
    return message % values if values else message


def ngettext(one: str, many: str, count: int, **values: object) -> str:
    """Like `_`, with the plural where the language has one; `%(num)s` is the count."""
    if language() != "zh":
        return str(flask_babel.ngettext(one, many, count, **values))
    return many % {"num": count, **values}


def say(pattern: str, values: Mapping[str, object]) -> str:
    """A sentence that comes with its pattern and values (a finding): texts among the values are translated too."""
    return _(
        pattern, **{name: _(value) if isinstance(value, str) and value else value for name, value in values.items()}
    )


def lazy(message: str, **values: object) -> LazyString:
    """A sentence that is put into the reader's language when it is shown (for module-level tables)."""
    return LazyString(_, message, **values)


def language() -> str:
    """`zh` or `en`: the reader's; `zh` outside of a request."""
    locale = flask_babel.get_locale() if has_request_context() else None
    return locale.language if locale is not None else "zh"


def _choose() -> str:
    """The choice of this session, else what the browser prefers, else Chinese."""
    chosen = session.get("lang") or request.accept_languages.best_match(LANGUAGES)
    return chosen if chosen in LANGUAGES else "zh"


def init_app(app: Flask) -> None:
    """Give the program its languages; catalogues that are newer than their compiled form are compiled first."""
    compile_catalogues()
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(TRANSLATIONS)
    flask_babel.Babel(
        app, default_locale="zh", default_timezone="Asia/Shanghai", locale_selector=_choose, timezone_selector=None
    )
    context: dict[str, Any] = {"_": _, "ngettext": ngettext, "get_locale": flask_babel.get_locale}
    app.jinja_env.globals.update(context)


def compile_catalogues(*, force: bool = False) -> list[str]:
    """Compile each `messages.po` whose `messages.mo` is missing or older; give the languages that were compiled."""
    compiled = []
    for source in sorted(TRANSLATIONS.glob("*/LC_MESSAGES/messages.po")):
        target = source.with_suffix(".mo")
        if not force and target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        with source.open("rb") as file:
            catalogue = read_po(file, locale=source.parent.parent.name)
        fresh = target.with_suffix(f".{uuid4().hex}.tmp")
        with fresh.open("wb") as file:
            write_mo(file, catalogue)
        fresh.replace(target)  # two processes may start at once: each sees a whole file
        compiled.append(source.parent.parent.name)
    return compiled
