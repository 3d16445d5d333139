"""Errors of the engine. The docstring is the message when none is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from webapp.engine.types import Finding
from webapp.errors import Conflict, Invalid, NotFound, QianyinError


class DeploymentRefused(Invalid):
    """模型未通过检查，没有部署。"""

    code = "deployment_refused"

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("；".join(f"{f.element_id or '—'}：{f.message}" for f in self.findings) or "")


class FeelError(Invalid):
    """表达式有误。"""

    code = "feel"


class LimitExceeded(FeelError):
    """表达式超出计算上限。"""

    code = "feel_limit"


class TaskNotOpen(Conflict):
    """此任务已办结或已撤销。"""

    code = "task_not_open"


class InstanceNotActive(Conflict):
    """该办理事项已结束。"""

    code = "instance_not_active"


class InstanceSuspended(Conflict):
    """该办理事项已暂停，恢复后才能继续办理。"""

    code = "instance_suspended"


class LawForbids(Conflict):
    """规程规定的环节不能跳过。"""

    code = "law"


class CannotMigrate(Invalid):
    """该事项不能迁移到这个版本。"""

    code = "cannot_migrate"

    def __init__(self, hindrances: Mapping[str, str]) -> None:
        """`hindrances`: element id -> why its token has no place in the other version."""
        self.hindrances = dict(hindrances)
        super().__init__("；".join(hindrances.values()), detail={"elements": self.hindrances})


class NobodyWaits(Invalid):
    """没有办理事项在等待这条消息，或等待者不止一个。"""

    status = 400
    code = "mismatching_correlation"


class InstanceNotFound(NotFound):
    """没有找到该办理事项。"""


class HandlerFailed(QianyinError):
    """A handler failed; `permanent` when a retry cannot help."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


class BpmnError(QianyinError):
    """A business fault raised by a handler, caught by an error boundary event of this code."""

    def __init__(self, error_code: str, message: str = "") -> None:
        super().__init__(message or error_code)
        self.error_code = error_code
