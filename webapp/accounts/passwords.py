"""Passwords: argon2id, and what a new one must be."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from webapp.errors import Invalid
from webapp.i18n import _

_hasher = PasswordHasher()
#: The hash that an unknown account is verified against: both answers take the same time.
_NOBODY = _hasher.hash("nobody's password")
SHORTEST = 10
LONGEST = 128


def hash(password: str) -> str:
    """The argon2id hash of a password (about 0.1 s)."""
    return _hasher.hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Whether the password is the stored one; as slow for an account that does not exist."""
    try:
        _hasher.verify(stored or _NOBODY, password[: LONGEST * 4])
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Whether the hash was made with weaker settings than today's and should be made anew."""
    return _hasher.check_needs_rehash(stored)


def check(password: str, *, username: str = "") -> None:
    """Refuse a weak new password. Errors: Invalid for the field `password`."""
    kinds = (str.islower, str.isupper, str.isdigit, lambda c: not c.isalnum() or ord(c) > 127)
    if not SHORTEST <= len(password) <= LONGEST:
        sentence = _("密码长度应为 %(least)s 至 %(most)s 个字符。", least=SHORTEST, most=LONGEST)
    elif sum(any(kind(c) for c in password) for kind in kinds) < 3:
        sentence = _("密码应包含大写字母、小写字母、数字、符号中的三种。")
    elif username and username.casefold() in password.casefold():
        sentence = _("密码中不能包含用户名。")
    else:
        return
    raise Invalid(sentence, fields={"password": sentence})
