"""What managers set: how long a case of a process should take."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base


class ProcessTarget(Base):
    """目标用时: the calendar days within which a case of a process should end."""

    __tablename__ = "process_target"
    definition_key: Mapped[str] = mapped_column(Text, primary_key=True)
    days: Mapped[int]
    set_by: Mapped[UUID | None]
    set_at: Mapped[datetime]
