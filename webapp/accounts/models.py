"""Organisations, accounts and the roles that they hold. Role ids and their rules come from `processes/roles.toml`."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.db import Base
from webapp.ids import uuid7


class Organisation(Base):
    """A body that people belong to: a lead unit's firm, the bureau, an expert's employer."""

    __tablename__ = "organisation"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    name: Mapped[str] = mapped_column(Text)
    credit_code: Mapped[str | None] = mapped_column(Text, unique=True)  # GB 32100-2015
    kind: Mapped[str] = mapped_column(Text)  # bureau | firm | other
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Account(Base):
    """A person who can sign in."""

    __tablename__ = "account"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    username: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str] = mapped_column(Text)  # argon2id
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    active: Mapped[bool] = mapped_column(default=True)
    locale: Mapped[str] = mapped_column(Text, default="zh")
    theme: Mapped[str] = mapped_column(Text, default="auto")
    version: Mapped[int] = mapped_column(default=1)  # raised by every change: ends sessions and cached credentials
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_login_at: Mapped[datetime | None]
    organisation: Mapped[Organisation | None] = relationship(lazy="joined")
    role_rows: Mapped[list[AccountRole]] = relationship(lazy="selectin", cascade="all, delete-orphan")

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(row.role for row in self.role_rows)

    @property
    def organisation_name(self) -> str:
        return self.organisation.name if self.organisation else ""


class AccountRole(Base):
    """One role held by one account."""

    __tablename__ = "account_role"
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(Text, primary_key=True)
    __table_args__ = (Index("ix_account_role_role", "role"),)


class Setting(Base):
    """A house rule 工作口径 or a setting of the office, changed on the page, with who and when in the audit trail."""

    __tablename__ = "setting"
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[dict[str, Any]]  # {"value": …}
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_by: Mapped[UUID | None]


class FailedLogin(Base):
    """A sign-in that failed: too many pause the name at that address. Rows are dropped after a day."""

    __tablename__ = "failed_login"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    username: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    __table_args__ = (Index("ix_failed_login_address", "address", "at"),)


__all__ = ["Account", "AccountRole", "FailedLogin", "Organisation", "Setting"]
