"""问卷调查 (3.2) for a pilot enterprise: the page that its one-time link opens; no account, made for a telephone."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from webapp import access, clock
from webapp.errors import NotFound, QianyinError
from webapp.forms import parse, render, schema
from webapp.forms.scope import Environment
from webapp.http import db_session
from webapp.i18n import _
from webapp.notices import limits
from webapp.notices.blueprint import bp
from webapp.notices.objection_views import address
from webapp.registers import evaluation_labels as words
from webapp.registers import questionnaires
from webapp.registers.supervision_models import Questionnaire
from webapp.registers.values import until_words

#: The kind of the limit: wrong links tried from one address.
GUESS = "questionnaire"


@bp.route("/questionnaires/<token>", methods=["GET", "POST"])
@access.public
def questionnaire(token: str) -> ResponseReturnValue:
    """The questions, and their answers once; what a link no longer opens is told in a sentence with its status."""
    try:
        limits.check(db_session(), GUESS, address())
        found, _invitation = questionnaires.open_link(db_session(), token, clock.now())
        if request.method == "GET":
            return _private(_page(found, MultiDict(), sent=False))
        parsed = parse.parse(schema.load(found.form), request.form, Environment())
        if not parsed.ok:
            return _private(_page(found, request.form, sent=True), 422)
        questionnaires.answer(db_session(), token, parsed.data, clock.now())
    except NotFound as error:
        limits.count(GUESS, address())
        return _closed(error)
    except (questionnaires.LinkEnded, questionnaires.AlreadyAnswered, limits.TooOften) as error:
        return _closed(error)
    return redirect(url_for(".questionnaire_thanks"), 303)


@bp.get("/questionnaires/thanks")
@access.public
def questionnaire_thanks() -> str:
    """After an answer was kept."""
    text = _("答卷已经收到，感谢您的配合。可以关闭本页。")
    return render_template("notices/questionnaire_closed.html", title=_("提交成功"), text=text, good=True)


def _page(found: Questionnaire, given: MultiDict[str, str], *, sent: bool) -> str:
    form, environment = schema.load(found.form), Environment()
    parsed = parse.parse(form, given, environment)
    errors = _plain(form, parsed) if sent else {}
    result = found.result
    return render_template(
        "notices/questionnaire.html",
        unit=result.lead_unit.name,
        quarter=words.quarter(result.round.year, result.round.quarter),
        until=until_words(found.ends_at),
        fields=render.render(form, parsed.data, errors, environment),
        errors=render.error_items(form, errors),
    )


def _plain(form: schema.Schema, parsed: parse.Parsed) -> dict[str, list[str]]:
    """The errors in words for who fills in one form in a life: which question has no answer yet."""
    asked = [component.key for component in form.walk() if component.key]
    told = {}
    for path, sentences in parsed.errors.items():
        missing = path in asked and parsed.data.get(path) in (None, "")
        told[path] = [_("第 %(n)s 题还没有回答。", n=asked.index(path) + 1)] if missing else sentences
    return told


def _closed(error: QianyinError) -> ResponseReturnValue:
    titles = {404: _("没有这份问卷"), 409: _("已经提交过了"), 410: _("链接已失效"), 429: _("请稍后再试")}
    page = render_template(
        "notices/questionnaire_closed.html", title=titles[error.status], text=error.message, good=False
    )
    return _private(page, error.status)


def _private(page: str, status: int = 200) -> ResponseReturnValue:
    """Neither kept by the browser nor found by a search engine, and the link is told to no other site."""
    response = make_response(page, status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
