"""One root for every error that a person or a client may be told about.

`str(error)` is a sentence for people, in the language of the caller when it was made through gettext at the edge;
`status` is the HTTP status that views and REST answer with. No other exception text ever reaches a page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class QianyinError(Exception):
    """Root of all errors that are told to people."""

    status = 500
    code = "internal"

    def __init__(self, message: str = "", *, detail: Mapping[str, object] | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())
        self.message = str(self)
        self.detail = dict(detail or {})


class Invalid(QianyinError):
    """所填内容不符合要求。"""

    status = 422
    code = "invalid"

    def __init__(
        self,
        message: str = "",
        *,
        fields: Mapping[str, str | Sequence[str]] | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message, detail=detail)
        #: field path (`enterprises[2].credit_code`) -> sentence(s)
        self.fields = {k: [v] if isinstance(v, str) else list(v) for k, v in (fields or {}).items()}


class NotFound(QianyinError):
    """没有找到，或您无权查看。"""

    status = 404
    code = "not_found"


class Forbidden(QianyinError):
    """您没有办理此事项的权限。"""

    status = 403
    code = "forbidden"


class Conflict(QianyinError):
    """此事项刚刚被他人办理，请刷新后查看。"""

    status = 409
    code = "conflict"


class Unavailable(QianyinError):
    """系统暂时繁忙，请稍后再试。"""

    status = 503
    code = "unavailable"


class OutOfSpace(Unavailable):
    """服务器存储空间已满，本次没有保存任何内容；请联系系统管理员后重试。"""

    status = 507
    code = "out_of_space"


class ReadOnly(Unavailable):
    """数据库目前只能读取，本次没有保存任何内容；请联系系统管理员后重试。"""

    code = "read_only"
