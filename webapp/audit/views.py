"""The audit trail, read only, for the audit administrator."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel.speaklater import LazyString

from webapp import access, clock
from webapp.accounts.admin_views import page
from webapp.accounts.service import current_actor
from webapp.audit import service
from webapp.errors import Invalid
from webapp.http import db_session
from webapp.i18n import _, lazy

#: Acts in words; one that is not here is shown by its name.
ACTIONS: Mapping[str, LazyString] = {
    "account.activate": lazy("启用账号"),
    "account.create": lazy("新建账号"),
    "account.deactivate": lazy("停用账号"),
    "account.password": lazy("重设密码"),
    "account.roles": lazy("调整角色"),
    "audit.export": lazy("导出审计记录"),
    "batch.again": lazy("再试批量操作"),
    "batch.cancel": lazy("撤销批量操作"),
    "batch.pause": lazy("暂停批量操作"),
    "batch.resume": lazy("继续批量操作"),
    "batch.start": lazy("执行批量操作"),
    "demo.clock": lazy("拨快演示时间"),
    "deployment.create": lazy("部署流程"),
    "filing.remind": lazy("催告补正"),
    "incident.retry": lazy("重试异常"),
    "instance.cancel": lazy("终止案件"),
    "instance.resume": lazy("恢复案件"),
    "instance.start": lazy("发起案件"),
    "instance.suspend": lazy("挂起案件"),
    "instance.variables": lazy("修改案件数据"),
    "interpretation.enter": lazy("登记解释"),
    "job.retry": lazy("重试作业"),
    "login": lazy("登录"),
    "login.failed": lazy("登录失败"),
    "logout": lazy("退出登录"),
    "message.deliver": lazy("送达消息"),
    "objection.enter": lazy("登记来信异议"),
    "organisation.create": lazy("新建单位"),
    "setting.change": lazy("修改设置"),
    "process.target": lazy("设定目标用时"),
    "task.claim": lazy("签收事项"),
    "task.comment": lazy("留言"),
    "task.complete": lazy("办结事项"),
    "task.release": lazy("放回事项"),
    "task.transfer": lazy("转办事项"),
    "standin.appoint": lazy("指定代理人"),
    "standin.end": lazy("结束代理"),
    "task.stand_in": lazy("代他人签收"),
    "task.stand_in_end": lazy("代理结束，退还本人"),
    "task.chase": lazy("催办"),
    "timer.fire": lazy("触发定时"),
}

bp = Blueprint("audit", __name__, url_prefix="/admin/audit", template_folder="templates")


def _day(name: str) -> date | None:
    words = request.args.get(name, "").strip()
    try:
        day = date.fromisoformat(words) if words else None
    except ValueError:
        day = date.min
    if day is not None and not 2000 <= day.year <= 2200:
        raise Invalid(_("请填写日期，例如 2027-12-31。"))
    return day


def _search() -> service.Search:
    arguments = request.args
    return service.Search(
        person=arguments.get("person", "").strip(),
        action=arguments.get("action", "").strip(),
        words=arguments.get("q", "").strip(),
        since=_day("since"),
        until=_day("until"),
    )


def _arguments() -> dict[str, Any]:
    return {k: v for k, v in request.args.items() if v and k in {"person", "action", "q", "since", "until"}}


@bp.get("")
@access.roles("auditor")
def listing() -> ResponseReturnValue:
    """A page of the trail, newest first."""
    session = db_session()
    rows, before = service.find(session, _search(), before=request.args.get("before", type=int))
    return page(
        "audit/listing.html",
        rows=[
            (row, row.at.astimezone(clock.BEIJING).strftime("%Y-%m-%d %H:%M:%S"), ACTIONS.get(row.action, row.action))
            for row in rows
        ],
        actions=[{"value": act, "label": ACTIONS.get(act, act)} for act in service.actions(session)],
        entered=_arguments(),
        next_url=url_for("audit.listing", before=before, **_arguments()) if before else None,
        first_url=url_for("audit.listing", **_arguments()) if request.args.get("before") else None,
        export_url=url_for("audit.export", **_arguments()),
    )


@bp.get("/export.csv")
@access.roles("auditor")
def export() -> ResponseReturnValue:
    """The lines that were searched for, as CSV; the export itself is written into the trail."""
    session = db_session()
    content = service.export(session, _search())
    service.record(session, "audit.export", current_actor(), detail=_arguments())
    name = f"audit-{clock.today():%Y%m%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, mimetype="text/csv", headers=headers)
