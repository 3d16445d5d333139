"""The edge of the web: one unit of work per request, errors as pages or JSON, security headers.

The unit's session opens at its first use (`db_session()`), is committed after the view gave a response below 400 and
rolled back otherwise. After a deadlock the whole view runs again, from the start.
"""

from __future__ import annotations

import copy
import errno
import json
import logging
import re
import secrets
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, cast

from flask import (
    Flask,
    Request,
    Response,
    g,
    has_request_context,
    jsonify,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge, Unauthorized

from webapp import db
from webapp.errors import Conflict, Invalid, OutOfSpace, QianyinError, ReadOnly, Unavailable
from webapp.i18n import _, lazy

log = logging.getLogger(__name__)

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:;"
    " object-src 'none'; frame-ancestors 'self'; base-uri 'none'; form-action 'self'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
#: What a program is answered: JSON, files and text, never a page that a browser carries out.
REST_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
ATTEMPTS = 4
#: Controls and non-characters (XML 1.0, 2.2).
_UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
#: Values of forms that nobody typed: ids, switches, the names of choices.
_CODED = re.compile(r"[0-9a-f-]{36}|[a-z_]+|[\w-]+\.[\w-]+\.[\w-]+")
#: SQLSTATE of a lock that was not given in time.
LOCK_TIMEOUT = "55P03"
#: Seconds after which a client may come again that was refused for now (RFC 9110, 10.2.3).
RETRY_AFTER = 5
#: SQLSTATE of a database that has no room left, or takes no writes (a standby, a file system that became read-only).
DISK_FULL, READ_ONLY = "53100", "25006"
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def unit() -> db.UnitOfWork:
    """The request's unit of work."""
    held = g._get_current_object()  # each look through the proxy costs a walk to the context
    found = held.get("unit")
    if found is None:
        found = held.unit = db.UnitOfWork()
    return cast(db.UnitOfWork, found)


def db_session() -> Session:
    """The request's session. Views and services flush; the edge commits."""
    return unit().session()


def is_api() -> bool:
    """Whether the request goes to the JSON APIs, which answer in JSON and take credentials."""
    return has_request_context() and request.path.startswith(("/engine-rest", "/api/"))


def wants_json() -> bool:
    """Whether the caller reads errors as JSON: an API path, or JSON among what is accepted (the upload script)."""
    return is_api() or any(kind == "application/json" and q > 0 for kind, q in request.accept_mimetypes)


class CleanRequest(Request):
    """A request whose fields hold no character that neither the database nor XML can hold: people paste them unseen."""

    def _load_form_data(self) -> None:
        super()._load_form_data()
        if "form" in self.__dict__:
            self.__dict__["form"] = _clean(self.form)

    @cached_property
    def args(self) -> MultiDict[str, str]:
        return _clean(super().args)

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """The body as JSON; what is nested too deeply to be read, or holds half a character, is no JSON either."""
        try:
            found = super().get_json(force, silent, cache)
            if rb"\ud" in self.get_data().lower():
                json.dumps(found, ensure_ascii=False).encode()
        except (RecursionError, UnicodeEncodeError) as error:
            if silent:
                return None
            raise BadRequest() from error
        return found


def _clean(fields: MultiDict[str, str]) -> MultiDict[str, str]:
    if not any(_UNFIT.search(text) for pair in fields.items(multi=True) for text in pair):
        return fields
    return ImmutableMultiDict((_UNFIT.sub("", k), _UNFIT.sub("", v)) for k, v in fields.items(multi=True))


class Web(Flask):
    """Flask, with the view inside the unit of work."""

    request_class = CleanRequest

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Our views are plain functions: nobody need ask that of each of them in every request."""
        return func

    def dispatch_request(self) -> Response:
        kept = _kept()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                response = self.make_response(super().dispatch_request())
                if response.status_code < 400:
                    unit().finish()
                else:
                    unit().rollback()
                return response
            except DBAPIError as error:
                unit().rollback()
                _put_back(kept)
                if attempt == ATTEMPTS or not db.is_retryable(error):
                    raise
                _begin_again(attempt)
            except BaseException:
                unit().rollback()
                _put_back(kept)
                raise
        raise AssertionError("unreachable")


def _kept() -> dict[str, Any] | None:
    """The session as a write begins with it. Reading does not change it, and must not vary by its cookie."""
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return None
    stored = dict(session)
    return copy.deepcopy(stored) if stored else stored


def _put_back(kept: dict[str, Any] | None) -> None:
    """What was not committed has not happened for the session either: nobody is signed in by it, or told of it."""
    from webapp.accounts import sessions

    if kept is not None and dict(session) != kept:
        session.clear()
        session.update(kept)
        sessions.forget_user()


def _begin_again(attempt: int) -> None:
    from webapp.accounts import sessions

    time.sleep(0.02 * 2**attempt)
    sessions.forget_user()
    for stream in request.files.values():
        stream.seek(0)


def _close(_error: BaseException | None) -> None:
    if (unit := g.get("unit")) is not None:
        unit.rollback()


def _headers(response: Response) -> Response:
    asked = request._get_current_object()  # type: ignore[attr-defined]
    headers = REST_HEADERS if asked.path.startswith("/engine-rest") else HEADERS
    for name, value in headers.items():
        response.headers.setdefault(name, value)
    if response.status_code == 401 and is_api() and "HX-Request" not in asked.headers:
        response.headers.setdefault("WWW-Authenticate", 'Basic realm="qianyin", charset="UTF-8"')
    if asked.endpoint != "static":
        from webapp.accounts import sessions

        sessions.no_store(response)
    return response


#: The titles of error pages and the sentences of what the framework itself refuses.
TITLES = {
    400: lazy("请求有误"),
    401: lazy("请先登录"),
    403: lazy("没有权限"),
    404: lazy("没有找到"),
    405: lazy("不支持的操作"),
    409: lazy("已被他人办理"),
    413: lazy("文件过大"),
    415: lazy("格式不支持"),
    422: lazy("内容有误"),
    429: lazy("操作过于频繁"),
    500: lazy("系统出错"),
    503: lazy("系统繁忙"),
    507: lazy("存储空间已满"),
}
SENTENCES = {
    400: lazy("请求有误，请返回上一页重试。"),
    401: lazy("请登录后再试。"),
    404: lazy("没有找到，或您无权查看。"),
    405: lazy("此地址不支持这种操作。"),
    415: lazy("不支持此格式的内容。"),
    429: lazy("操作过于频繁，请稍后再试。"),
}


#: What an error says when it was raised without words: its docstring, in the reader's language.
UNSAID = (
    lazy("所填内容不符合要求。"),
    lazy("没有找到，或您无权查看。"),
    lazy("您没有办理此事项的权限。"),
    lazy("此事项刚刚被他人办理，请刷新后查看。"),
    lazy("系统暂时繁忙，请稍后再试。"),
    lazy("模型未通过检查，没有部署。"),
    lazy("表达式有误。"),
    lazy("表达式超出计算上限。"),
    lazy("此任务已办结或已撤销。"),
    lazy("没有找到该办理事项。"),
    lazy("文件存储目录不能写入，本次没有保存任何内容；请联系系统管理员后重试。"),
    lazy("登录失败次数过多，请十五分钟后再试。"),
    lazy("决策无法得出结果。"),
    lazy("没有办理事项在等待这条消息，或等待者不止一个。"),
    lazy("所填内容有需要修改之处，没有提交。"),
    lazy("该办理事项已结束。"),
    lazy("规程规定的环节不能跳过。"),
    lazy("该事项不能迁移到这个版本。"),
    lazy("该办理事项已暂停，恢复后才能继续办理。"),
    lazy("服务器存储空间已满，本次没有保存任何内容；请联系系统管理员后重试。"),
    lazy("数据库目前只能读取，本次没有保存任何内容；请联系系统管理员后重试。"),
    lazy("文件存储空间已满，本次没有保存任何内容；请联系系统管理员后重试。"),
    lazy("处理程序因作业进程停止而中断，稍后重新执行。"),
    lazy("另有人先保存了这份草稿。"),
)


def spoken(error: QianyinError) -> str:
    """The error's sentence in the reader's language."""
    return _(error.message) if error.message == (type(error).__doc__ or "").strip() else error.message


def answer(
    status: int, message: str, *, code: str, extra: dict[str, Any] | None = None, typed: Sequence[str] = ()
) -> tuple[Response, int]:
    """The error, as JSON or as a page, by what the caller reads. `typed`: what was entered, to be copied from there."""
    extra = extra or {}
    if wants_json():
        said = jsonify({"type": code, "message": message, **{k: v for k, v in extra.items() if v}})
        return _soon(said, status), status
    title = str(TITLES.get(status, TITLES[500]))
    page = {"status": status, "title": title, "message": message, "reference": extra.get("reference", "")}
    page["typed"] = typed
    page["retry_url"] = request.full_path if status == 503 and request.method == "GET" else None
    try:
        body = render_template("errors/error.html", **page)
    except Exception:
        log.exception("the error page could not be made")
        body = f"<!doctype html><meta charset=utf-8><title>{status}</title><h1>{status}</h1><p>{message}</p>"
    return _soon(Response(body, mimetype="text/html"), status), status


def _soon(response: Response, status: int) -> Response:
    """Whoever was refused for now is told when to come again."""
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def _told(error: QianyinError) -> ResponseReturnValue:
    extra: dict[str, Any] = {"detail": {k: str(v) for k, v in error.detail.items()}}
    if isinstance(error, Invalid):
        extra["fields"] = error.fields
    if error.status >= 500:
        log.error("%s: %s", error.code, error.message, exc_info=error)
    return answer(error.status, spoken(error), code=error.code, extra=extra)


def _refused(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:
        return error.get_response()  # a redirect of the router
    if isinstance(error, Unauthorized):
        return _sign_in_first()
    if isinstance(error, CSRFError):
        message = _("页面停留过久或登录已变化，本次没有提交。请返回上一页，刷新后再提交；已暂存的内容不会丢失。")
        return answer(400, message, code="csrf", typed=_typed())
    if isinstance(error, RequestEntityTooLarge):
        from flask import current_app

        megabytes = (current_app.config["MAX_CONTENT_LENGTH"] or 0) // 2**20
        message = _("上传内容超过 %(size)s MB，请压缩后再传。", size=megabytes)
        return answer(413, message, code="too_large")
    message = str(SENTENCES.get(error.code, SENTENCES[400]))
    response, status = answer(error.code, message, code=error.name.lower().replace(" ", "_"))
    for name, value in error.get_headers(request.environ):
        if name == "Allow":
            response.headers[name] = value
    return response, status


def _sign_in_first() -> ResponseReturnValue:
    """A page goes to the sign-in and back; an API gets 401 with the way to sign in; a fragment gets 401 alone."""
    if not wants_json() and request.method == "GET" and "HX-Request" not in request.headers:
        return redirect(url_for("accounts.login", next=request.full_path.rstrip("?")), 303)
    return answer(401, _("请登录后再试。"), code="unauthorized", typed=_typed())


def _typed() -> list[str]:
    """The texts of a form that was refused whole, for the error page; none of a password, none from another site."""
    origin = request.headers.get("Origin")
    ours = origin is None or origin.split("://")[-1] == request.host
    if not ours or request.method != "POST" or any("password" in name for name in request.form):
        return []
    texts = [value.strip() for name, value in request.form.items(multi=True) if name not in {"csrf_token", "next"}]
    return [text for text in dict.fromkeys(texts) if len(text) > 1 and not _CODED.fullmatch(text)][:5000]


def _database(error: DBAPIError | PoolTimeout) -> ResponseReturnValue:
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    if isinstance(error, DBAPIError) and db.is_retryable(error):
        return _told(Conflict())
    if state in {DISK_FULL, READ_ONLY}:
        return _told(OutOfSpace() if state == DISK_FULL else ReadOnly())
    if state == LOCK_TIMEOUT or isinstance(error, PoolTimeout | OperationalError | InterfaceError):
        log.warning("the database did not answer: %s", error)
        if "_login_user" not in g:  # nor will it say who this is: the page does without
            from webapp.accounts import sessions

            sessions.be_nobody()
        return _told(Unavailable(_("系统暂时繁忙，请稍后再试。")))
    if isinstance(error, DataError):  # a value that no column can hold: whoever sent it can mend it
        log.warning("a value was refused by the database: %s", error.orig)
        return answer(400, _("提交的内容过长、过大或含有无法保存的字符，没有生效；请核对后重试。"), code="invalid")
    return _unforeseen(error)


def _unforeseen(error: Exception) -> ResponseReturnValue:
    if isinstance(error, OSError) and error.errno in _NO_ROOM:  # while the request itself was being received
        return _told(OutOfSpace())
    reference = secrets.token_hex(4).upper()
    log.error("unforeseen error %s on %s %s", reference, request.method, request.path, exc_info=error)
    message = _("系统出错，本次操作没有生效。请稍后重试；若仍出错，请联系系统管理员。")
    return answer(500, message, code="internal", extra={"reference": reference})


def init_app(app: Flask) -> None:
    """Register the handlers of errors, the headers and the end of the unit of work."""
    app.teardown_appcontext(_close)
    app.after_request(_headers)
    app.register_error_handler(QianyinError, _told)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(PoolTimeout, _database)
    app.register_error_handler(Exception, _unforeseen)
