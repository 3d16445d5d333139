"""The tokenizer: hand-written, because FEEL's names have spaces and its brackets also bound open intervals.

Known odd names win by longest match, other neighbouring words are merged (see `names`). `]` at the start of an operand
and `[` at the end of an interval are told apart here, so that the grammar behind has no conflict. Patterns are linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from lark import Token
from lark.lexer import Lexer

from webapp.engine.errors import FeelError
from webapp.engine.feel.names import KEYWORDS, STANDARD_ODD_NAMES, is_odd, normalized, pattern_of

MAX_SOURCE: Final = 32_000
MAX_BRACKETS: Final = 60

_SPACE = re.compile(r"(?:[\s\ufeff]++|//[^\n]*+|/\*(?s:.*?)\*/)++")
_NUMBER = re.compile(r"(?:[0-9]++(?:\.[0-9]++)?+|\.[0-9]++)(?:[eE][+-]?[0-9]{1,5}(?![0-9]))?")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"', re.S)
_WORD = re.compile(r"[^\W\d]\w*+")
_NEXT_WORD = re.compile(r"\s++(\w++)")
_ITERATOR_NAME = re.compile(r"[^\W\d]\w*+(?:\s++(?!in\b)\w++)*+(?=\s++in\b)")
_NOT_WITHOUT_BRACKET = re.compile(r"not\s++\w")
_INSTANCE_OF = re.compile(r"instance\s++of\b")
_KEY = re.compile(r"[^\W\d][^:{}\[\](),\"]*+(?=:)")
_ARGUMENT_NAME = re.compile(r"([^\W\d]\w*+(?:\s++\w++)*+)\s*+:")
_PARAMETER = re.compile(r"[^\W\d][^:,()]*+(?=[:,)])")
_COLON = re.compile(r"\s*+:\s*+")
_OPENING = re.compile(r"\s*+\(")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{6}|.)", re.S)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "'": "'", "\\": "\\"}

_SYMBOLS: Final = {
    "**": "POW", "..": "DOTDOT", "<=": "CMP", ">=": "CMP", "!=": "CMP", "<": "CMP", ">": "CMP", "=": "CMP",
    "+": "PLUS", "-": "MINUS", "*": "STAR", "/": "SLASH", "(": "LPAR", ")": "RPAR", "[": "LSQB", "]": "RSQB",
    "{": "LBRACE", "}": "RBRACE", ",": "COMMA", ":": "COLON", ".": "DOT", "?": "QMARK",
}  # fmt: skip
_ENDS_OPERAND: Final = frozenset(
    {"NUMBER", "STRING", "AT", "NAME", "RPAR", "RSQB", "RBRACE", "IV_END", "TRUE", "FALSE", "NULL", "QMARK", "TYPE"}
)
_FULL_WIDTH: Final = frozenset("（），：；。“”‘’＝＜＞［］｛｝＋－＊／、【】《》")


def syntax_error(position: int, sentence: str) -> FeelError:
    """An error at a character (counted from 0; people count from 1)."""
    return FeelError(f"表达式第 {position + 1} 个字符处有误：{sentence}", detail={"position": position})


def unquoted(literal: str) -> str:
    """The text of a string literal, escapes resolved."""
    if "\\" not in literal:
        return literal[1:-1]

    def resolved(match: re.Match[str]) -> str:
        escape = match[1]
        if len(escape) > 1:
            code = int(escape[1:], 16)
            return chr(code) if code <= 0x10FFFF else "\ufffd"
        return _ESCAPES.get(escape, "\\" + escape)

    text = _ESCAPE.sub(resolved, literal[1:-1])
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@dataclass(slots=True)
class _Frame:
    """An open bracket: what it is, local names before it, whether it is an interval, how many loop heads are open."""

    bracket: str  # "(" "[" "{" or "call" or "parameters"
    names_before: int = 0
    interval: bool = False
    heads: int = 0


class Tokenizer:
    """Reads one source once. `names`: odd names in scope; `members`: odd names that may follow a dot."""

    def __init__(self, source: str, names: frozenset[str], members: frozenset[str], *, unary: bool) -> None:
        if len(source) > MAX_SOURCE:
            raise FeelError(f"表达式超过 {MAX_SOURCE} 个字符。")
        self._source = source
        self._at = 0
        self._unary = unary
        self._declared_in_scope = names
        self._scope_names = pattern_of(names | STANDARD_ODD_NAMES)
        self._member_names = pattern_of(members)
        self._local_names: list[str] = []
        self._local_pattern: re.Pattern[str] | None = None
        self._frames = [_Frame("")]
        self._previous = ""
        self.tokens: list[Token] = []

    def run(self) -> list[Token]:
        """All tokens. Errors: FeelError with the position."""
        source, end = self._source, len(self._source)
        while True:
            space = _SPACE.match(source, self._at)
            if space:
                self._at = space.end()
            if self._at >= end:
                return self.tokens
            if source.startswith("/*", self._at):
                raise syntax_error(self._at, "注释没有结束。")
            if not (self._declaration() or self._literal() or self._word()):
                self._symbol()

    def _add(self, kind: str, value: str, end: int) -> bool:
        self.tokens.append(Token(kind, value, start_pos=self._at))
        self._previous = kind
        self._at = end
        return True

    # ---- places where a name is declared ----

    def _declaration(self) -> bool:
        frame, previous = self._frames[-1], self._previous
        if previous in ("FOR", "SOME", "EVERY") or (previous == "COMMA" and frame.heads):
            return self._declare("NAME", _ITERATOR_NAME)
        if previous == "INSTANCE_OF":
            return self._type(self._at)
        if previous not in ("LBRACE", "COMMA", "LPAR"):
            return False
        if frame.bracket == "{":
            return self._quoted_key() or self._declare("KEY", _KEY)
        if frame.bracket == "parameters":
            return self._parameter()
        if frame.bracket == "call":
            match = _ARGUMENT_NAME.match(self._source, self._at)
            return bool(match and self._add("ARGNAME", normalized(match[1]), match.end()))
        return False

    def _declare(self, kind: str, pattern: re.Pattern[str]) -> bool:
        match = pattern.match(self._source, self._at)
        if not match:
            return False
        name = normalized(match[0])
        if is_odd(name):
            self._local_names.append(name)
            self._local_pattern = pattern_of(frozenset(self._local_names))
        return self._add(kind, name, match.end())

    def _quoted_key(self) -> bool:
        match = _STRING.match(self._source, self._at)
        return bool(match and self._add("KEY", unquoted(match[0]), match.end()))

    def _parameter(self) -> bool:
        if not self._declare("PARAM", _PARAMETER):
            return False
        colon = _COLON.match(self._source, self._at)
        return self._type(colon.end()) if colon else True

    def _type(self, start: int) -> bool:
        end = _end_of_type(self._source, start)
        return self._add("TYPE", normalized(self._source[start:end]), end)

    # ---- literals and words ----

    def _literal(self) -> bool:
        source, at = self._source, self._at
        first, second = source[at], source[at + 1 : at + 2]
        if first == '"' or (first == "@" and second == '"'):
            match = _STRING.match(source, at + (first == "@"))
            if not match:
                raise syntax_error(at, "字符串没有结束。")
            return self._add("AT" if first == "@" else "STRING", unquoted(match[0]), match.end())
        starts_fraction = first == "." and "0" <= second <= "9" and self._previous not in _ENDS_OPERAND
        if "0" <= first <= "9" or starts_fraction:
            match = _NUMBER.match(source, at)
            return bool(match and self._add("NUMBER", match[0], match.end()))
        return False

    def _word(self) -> bool:
        match = _WORD.match(self._source, self._at)
        if not match:
            return False
        known = self._known_name()
        if known:
            return self._add("NAME", normalized(known[0]), known.end())
        return (self._previous != "DOT" and self._keyword(match)) or self._merged_name(match.end())

    def _known_name(self) -> re.Match[str] | None:
        after_dot = self._previous == "DOT"
        patterns = (self._member_names,) if after_dot else (self._local_pattern, self._scope_names)
        found = [match for pattern in patterns if pattern and (match := pattern.match(self._source, self._at))]
        best = max(found, key=lambda match: match.end(), default=None)
        if best is None or after_dot:
            return best
        name = normalized(best[0])
        declared = name in self._declared_in_scope or name in self._local_names
        # `date and time` without a bracket is two variables, unless a variable is called so
        return best if declared or _OPENING.match(self._source, best.end()) else None

    def _keyword(self, match: re.Match[str]) -> bool:
        word = match[0]
        if word == "instance":
            both = _INSTANCE_OF.match(self._source, self._at)
            return bool(both and self._add("INSTANCE_OF", word, both.end()))
        if word in KEYWORDS:
            if word in ("for", "some", "every"):
                self._frames[-1].heads += 1
            elif word in ("return", "satisfies"):
                self._frames[-1].heads = max(0, self._frames[-1].heads - 1)
            return self._add(word.upper(), word, match.end())
        if self._unary and not self.tokens and word == "not" and _OPENING.match(self._source, match.end()):
            return self._add("UNOT", word, match.end())
        return False

    def _merged_name(self, end: int) -> bool:
        while True:
            match = _NEXT_WORD.match(self._source, end)
            if not match or match[1] in KEYWORDS or match[1] == "instance":
                if self._source.startswith("not", self._at) and _NOT_WITHOUT_BRACKET.match(self._source, self._at):
                    raise syntax_error(self._at, "否定请写成 not(…)。")
                return self._add("NAME", normalized(self._source[self._at : end]), end)
            end = match.end()

    # ---- operators and brackets ----

    def _symbol(self) -> None:
        source, at = self._source, self._at
        symbol = source[at : at + 2]
        if symbol not in _SYMBOLS:
            symbol = source[at]
        if symbol not in _SYMBOLS:
            raise _unexpected(symbol, at)
        self._add(self._bracketed(symbol, _SYMBOLS[symbol]), symbol, at + len(symbol))

    def _bracketed(self, symbol: str, kind: str) -> str:
        """The token's kind, brackets tracked."""
        frames, after_operand = self._frames, self._previous in _ENDS_OPERAND
        if kind == "RSQB" and not after_operand and self._previous != "LSQB":
            self._open("[")
            return "IV_START"  # ]1..5]
        if kind == "LSQB" and frames[-1].interval:
            self._close()
            return "IV_END"  # [1..5[
        if kind == "LPAR" and self._previous == "FUNCTION":
            self._open("parameters")
        elif kind == "LPAR" and after_operand:
            self._open("call")
        elif kind in ("LPAR", "LSQB", "LBRACE"):
            self._open(symbol)
        elif kind in ("RPAR", "RSQB", "RBRACE"):
            self._close()
        elif kind == "DOTDOT" and frames[-1].bracket in ("(", "[") and not frames[-1].heads:
            frames[-1].interval = True
        return kind

    def _open(self, bracket: str) -> None:
        if len(self._frames) > MAX_BRACKETS:
            raise syntax_error(self._at, f"括号嵌套超过 {MAX_BRACKETS} 层。")
        self._frames.append(_Frame(bracket, len(self._local_names)))

    def _close(self) -> None:
        if len(self._frames) == 1:
            return  # the parser reports it
        frame = self._frames.pop()
        if frame.bracket != "parameters" and len(self._local_names) > frame.names_before:
            del self._local_names[frame.names_before :]
            self._local_pattern = pattern_of(frozenset(self._local_names))


def _unexpected(symbol: str, at: int) -> FeelError:
    if symbol in _FULL_WIDTH:
        return syntax_error(at, f"“{symbol}”是全角符号，请改用半角。")
    if symbol in "$#":
        return syntax_error(at, "不支持 ${…} 写法，请改写为 FEEL 表达式。")
    return syntax_error(at, f"不认识的符号“{symbol}”。")


def _end_of_type(text: str, at: int) -> int:
    """Where a type's name ends that starts at `at`: `number`, `list<date and time>`, `function<number> -> string`."""
    depth = 0
    while at < len(text):
        word = _WORD.match(text, at)
        if word:
            odd = next((name for name in STANDARD_ODD_NAMES if text.startswith(name, at)), None)
            if odd is None and depth == 0 and word[0] in KEYWORDS - {"function", "null"}:
                break
            at = at + len(odd) if odd else word.end()
        elif text.startswith("->", at):
            at += 2
        elif text[at] == "<" or (text[at] == ">" and depth):
            depth += 1 if text[at] == "<" else -1
            at += 1
        elif text[at].isspace() or text[at] == "." or (depth and text[at] in ",:"):
            at += 1
        else:
            break
    return at


class TokenListLexer(Lexer):
    """The lark plug-in: the parser is fed with a ready list of tokens."""

    def __init__(self, conf: Any) -> None:
        pass

    def lex(self, lexer_state: Any, parser_state: Any = None) -> Iterator[Token]:
        return iter(lexer_state)
