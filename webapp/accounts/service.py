"""Accounts: find, sign in, make, change. Callers give the session; the edge commits."""

from __future__ import annotations

import re
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp import clock
from webapp.accounts import leaving, passwords, roles
from webapp.accounts.models import Account, AccountRole, Organisation
from webapp.audit import service as audit
from webapp.engine.handler_api import Actor
from webapp.errors import Conflict, Forbidden, Invalid, NotFound
from webapp.i18n import _, language
from webapp.registers import checks

_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}", re.ASCII)


def find(session: Session, username: str) -> Account | None:
    """The account with this user name (any case), active or not."""
    return session.scalar(select(Account).where(Account.username == username.strip().casefold()))


def get(session: Session, account_id: UUID) -> Account:
    """The account with this id. Errors: NotFound."""
    account = session.get(Account, account_id)
    if account is None:
        raise NotFound(_("没有找到该账号。"))
    return account


def accounts_with_role(session: Session, role: str) -> list[Account]:
    """The active accounts that hold a role, by name."""
    held = select(AccountRole.account_id).where(AccountRole.role == role)
    return list(session.scalars(select(Account).where(Account.id.in_(held), Account.active).order_by(Account.name)))


def verify(session: Session, username: str, password: str) -> Account | None:
    """The active account whose name and password these are, else None; takes as long either way."""
    account = find(session, username)
    right = passwords.matches(account.password_hash if account else None, password)
    if account is None or not right or not account.active:
        return None
    if passwords.is_outdated(account.password_hash):
        account.password_hash = passwords.hash(password)
    return account


def resolve(session: Session, username: str) -> UUID | None:
    """The id of the active account with this name: how a model's `camunda:assignee` becomes an account."""
    account = find(session, username)
    return account.id if account and account.active else None


def actor_of(account: Account) -> Actor:
    """The account as the engine knows it."""
    return Actor(account.id, account.username, account.name, account.roles, account.organisation_id)


def actor(session: Session, account_id: UUID) -> Actor | None:
    """An account by its id, active or not: for whom an act that was begun is finished."""
    account = session.get(Account, account_id)
    return actor_of(account) if account else None


def current_actor() -> Actor:
    """Who acts in this request. Errors: Forbidden when nobody is signed in (a rule is missing on the route)."""
    from flask_login import current_user

    user = current_user._get_current_object()
    if not user.is_authenticated:
        raise Forbidden
    return actor_of(user.person)


def create_organisation(
    session: Session, actor: Actor | None, *, name: str, kind: str = "firm", credit_code: str | None = None
) -> Organisation:
    """Make an organisation. Errors: Invalid (no name, a wrong credit code), Conflict (the code is taken)."""
    name, code = name.strip(), (credit_code or "").strip().upper() or None
    problems: dict[str, str] = {}
    if not name:
        problems["name"] = _("请填写单位名称。")
    if code and (problem := checks.credit_code(code)):
        problems["credit_code"] = problem
    if problems:
        raise Invalid(_("单位没有保存，请改正以下内容。"), fields=problems)
    if code and session.scalar(select(Organisation.id).where(Organisation.credit_code == code)):
        raise Conflict(_("已有单位使用此统一社会信用代码。"))
    made = Organisation(name=name, kind=kind, credit_code=code)
    session.add(made)
    session.flush()
    audit.record(session, "organisation.create", actor, subject=name)
    return made


def create_account(
    session: Session,
    actor: Actor | None,
    *,
    username: str,
    name: str,
    password: str,
    organisation_id: UUID | None = None,
) -> Account:
    """Make an account without roles (another administrator gives them). Errors: Invalid with fields, Conflict."""
    username, name = username.strip().casefold(), name.strip()
    problems: dict[str, str] = {}
    if not _USERNAME.fullmatch(username):
        problems["username"] = _("用户名为 2 至 40 个小写字母、数字或 . _ - ，以字母或数字开头。")
    if not name:
        problems["name"] = _("请填写姓名。")
    if organisation_id and session.get(Organisation, organisation_id) is None:
        problems["organisation"] = _("请选择单位。")
    try:
        passwords.check(password, username=username)
    except Invalid as error:
        problems["password"] = error.message
    if problems:
        raise Invalid(_("账号没有保存，请改正以下内容。"), fields=problems)
    if find(session, username):
        raise Conflict(_("用户名 %(username)s 已被使用，请换一个。", username=username))
    made = Account(
        username=username, name=name, password_hash=passwords.hash(password), organisation_id=organisation_id
    )
    session.add(made)
    session.flush()
    audit.record(session, "account.create", actor, subject=username)
    return made


def set_active(session: Session, actor: Actor | None, account: Account, active: bool) -> None:
    """Switch an account on or off; off ends its sessions at once. Errors: Forbidden (oneself), Conflict (last one)."""
    if actor and account.id == actor.id:
        raise Forbidden(_("不能停用自己的账号。"))
    if not active:
        _keep_one(session, account, account.roles)
    account.active = active
    account.version += 1
    session.flush()
    if not active:
        leaving.release(session, actor, account)
    audit.record(session, "account.activate" if active else "account.deactivate", actor, subject=account.username)


def set_roles(session: Session, actor: Actor | None, account: Account, wanted: Iterable[str]) -> None:
    """Give an account exactly these roles. Errors: Invalid (exclusive), Forbidden (one's own), Conflict (last)."""
    new, old = frozenset(wanted), account.roles
    if actor and account.id == actor.id:
        raise Forbidden(_("不能调整自己的角色，请由另一位安全管理员办理。"))
    roles.check_together(new, language())
    if lost := old - new:
        _keep_one(session, account, lost)
    if new & roles.ORG_SCOPED and account.organisation_id is None:
        raise Invalid(_("该账号没有所属单位，不能担任单位一方的角色。"))
    if new == old:
        return
    account.role_rows = [row for row in account.role_rows if row.role in new]
    account.role_rows += [AccountRole(account_id=account.id, role=role) for role in sorted(new - old)]
    account.version += 1
    session.flush()
    if lost:
        leaving.release(session, actor, account, new)
    detail = {"before": sorted(old), "after": sorted(new)}
    audit.record(session, "account.roles", actor, subject=account.username, detail=detail)


def _keep_one(session: Session, account: Account, lost: Iterable[str]) -> None:
    """The last active holder of an administrator's role keeps it: otherwise nobody could ever give it again."""
    for role in sorted({"sysadmin", "secadmin"} & set(lost)):
        holders = select(func.count()).where(
            AccountRole.role == role, AccountRole.account_id == Account.id, Account.active, Account.id != account.id
        )
        if account.active and not session.scalar(holders):
            name = roles.ROLES[role].label(language())
            raise Conflict(_("这是最后一个“%(role)s”账号，请先指定他人。", role=name))


def set_password(session: Session, actor: Actor | None, account: Account, password: str) -> None:
    """Set a new password; ends every session of the account. Errors: Invalid."""
    passwords.check(password, username=account.username)
    account.password_hash = passwords.hash(password)
    account.version += 1
    session.flush()
    audit.record(session, "account.password", actor, subject=account.username)


def change_password(session: Session, account: Account, old: str, new: str, again: str) -> None:
    """Change one's own password. Errors: Invalid with fields."""
    if not passwords.matches(account.password_hash, old):
        raise Invalid(_("原密码不正确。"), fields={"old": _("原密码不正确。")})
    if new != again:
        raise Invalid(_("两次输入的新密码不一致。"), fields={"again": _("两次输入的新密码不一致。")})
    if new == old:
        raise Invalid(_("新密码不能与原密码相同。"), fields={"password": _("新密码不能与原密码相同。")})
    set_password(session, actor_of(account), account, new)


def touch(account: Account) -> None:
    """Note that the account signed in just now."""
    account.last_login_at = clock.now()
