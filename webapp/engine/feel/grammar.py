"""The grammar of FEEL for lark's LALR(1) parser (no conflicts), and the syntax tree that it builds.

`if`, `for`, `some`, `every` and `function` run as far to the right as they can, so they may only be the last operand of
an operator (`1 + if a then b else c`): the rules named `..._open` say that. (DMN 1.3, 10.3.1.2)
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput, VisitError

from webapp.engine.errors import FeelError
from webapp.engine.feel import nodes
from webapp.engine.feel.lexer import Tokenizer, TokenListLexer, syntax_error
from webapp.engine.feel.nodes import Node
from webapp.engine.feel.values import CONTEXT

GRAMMAR: Final = r"""
start: expr
unary: test_list                              -> tests
     | UNOT LPAR test_list RPAR               -> tests_not
?expr: disj | disj_open
?open: IF expr THEN expr ELSE expr            -> if_
     | FOR iterators RETURN expr              -> for_
     | SOME iterators SATISFIES expr          -> quantified
     | EVERY iterators SATISFIES expr         -> quantified
     | FUNCTION LPAR parameters RPAR expr     -> function
iterators: iterator (COMMA iterator)*
iterator: NAME IN expr (DOTDOT expr)?
parameters: (parameter (COMMA parameter)*)?
parameter: PARAM TYPE?
?disj: conj | disj OR conj                    -> junction
?conj: cmp | conj AND cmp                     -> junction
?cmp: add
    | cmp CMP add                             -> comparison
    | cmp BETWEEN add AND add                 -> between
    | cmp IN add                              -> in_
    | cmp IN CMP add                          -> in_operator
    | cmp INSTANCE_OF TYPE                    -> instance_of
?add: mul | add (PLUS|MINUS) mul              -> arithmetic
?mul: pow | mul (STAR|SLASH) pow              -> arithmetic
?pow: neg | pow POW neg                       -> arithmetic
?neg: postfix | MINUS neg                     -> negation
?disj_open: conj_open | disj OR conj_open     -> junction
?conj_open: cmp_open | conj AND cmp_open      -> junction
?cmp_open: add_open
    | cmp CMP add_open                        -> comparison
    | cmp BETWEEN add AND add_open            -> between
    | cmp IN add_open                         -> in_
    | cmp IN CMP add_open                     -> in_operator
?add_open: mul_open | add (PLUS|MINUS) mul_open -> arithmetic
?mul_open: pow_open | mul (STAR|SLASH) pow_open -> arithmetic
?pow_open: neg_open | pow POW neg_open        -> arithmetic
?neg_open: open | MINUS neg_open              -> negation
?postfix: primary
    | postfix DOT NAME                        -> path
    | postfix LSQB expr RSQB                  -> filter
    | postfix LPAR arguments RPAR             -> call
arguments: (argument (COMMA argument)*)?
argument: expr | ARGNAME expr
?primary: NUMBER                              -> number
    | STRING                                  -> string
    | AT                                      -> temporal
    | TRUE                                    -> true
    | FALSE                                   -> false
    | NULL                                    -> null
    | NAME                                    -> name
    | QMARK                                   -> name
    | LPAR test_list RPAR                     -> parenthesis
    | LSQB (expr (COMMA expr)*)? RSQB         -> list_
    | LBRACE (entry (COMMA entry)*)? RBRACE   -> context
    | (LPAR|LSQB|IV_START) expr DOTDOT expr (RPAR|RSQB|IV_END) -> interval
entry: KEY COLON expr
test_list: test (COMMA test)*
?test: expr | CMP add                         -> operator_test
%declare IF THEN ELSE FOR RETURN SOME EVERY SATISFIES FUNCTION EXTERNAL IN OR AND BETWEEN INSTANCE_OF TYPE CMP PLUS
%declare MINUS STAR SLASH POW DOT DOTDOT LPAR RPAR LSQB RSQB LBRACE RBRACE IV_START IV_END COMMA COLON NUMBER STRING AT
%declare TRUE FALSE NULL NAME QMARK KEY ARGNAME PARAM UNOT
"""


def _items(children: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple([child for child in children if not isinstance(child, Token)])


@v_args(inline=True)
class _TreeBuilder(Transformer[Token, Node]):
    """One method per rule; punctuation arrives as tokens and is left out."""

    def start(self, expression: Node) -> Node:
        return expression

    def test_list(self, *children: Any) -> tuple[Node, ...]:
        return _items(children)

    iterators = parameters = arguments = test_list

    def tests(self, tests: tuple[Node, ...]) -> Node:
        return nodes.UnaryTestList(tests, negated=False)

    def tests_not(self, _not: Token, _left: Token, tests: tuple[Node, ...], _right: Token) -> Node:
        return nodes.UnaryTestList(tests, negated=True)

    def operator_test(self, symbol: Token, value: Node) -> Node:
        return nodes.OperatorTest(str(symbol), value)

    def if_(self, _if: Token, condition: Node, _then: Token, then: Node, _else: Token, otherwise: Node) -> Node:
        return nodes.If(condition, then, otherwise)

    def for_(self, _for: Token, iterators: Any, _return: Token, body: Node) -> Node:
        return nodes.For(iterators, body)

    def quantified(self, keyword: Token, iterators: Any, _satisfies: Token, body: Node) -> Node:
        return nodes.Quantified(keyword.type == "SOME", iterators, body)

    def iterator(self, name: Token, _in: Token, source: Node, _to: Token | None = None, end: Node = None) -> Node:
        return nodes.Iterator(str(name), source, end)

    def parameter(self, name: Token, type_name: Token | None = None) -> tuple[str, str | None]:
        return str(name), None if type_name is None else str(type_name)

    def function(self, _function: Token, _left: Token, parameters: Any, _right: Token, body: Node) -> Node:
        return nodes.FunctionOf(parameters, body)

    def junction(self, left: Node, keyword: Token, right: Node) -> Node:
        stop = keyword.type == "OR"
        same = isinstance(left, nodes.Junction) and left.stop is stop
        return nodes.Junction(stop, (*(left.parts if same else (left,)), right))

    def comparison(self, left: Node, symbol: Token, right: Node) -> Node:
        return nodes.Comparison(str(symbol), left, right)

    def between(self, value: Node, _between: Token, low: Node, _and: Token, high: Node) -> Node:
        return nodes.Between(value, low, high)

    def in_(self, value: Node, _in: Token, tests: Node) -> Node:
        return nodes.In(value, tests.tests if isinstance(tests, nodes.Alternatives) else (tests,))

    def in_operator(self, value: Node, _in: Token, symbol: Token, operand: Node) -> Node:
        return nodes.In(value, (nodes.OperatorTest(str(symbol), operand),))

    def instance_of(self, value: Node, _instance: Token, type_name: Token) -> Node:
        return nodes.InstanceOf(value, str(type_name))

    def arithmetic(self, left: Node, symbol: Token, right: Node) -> Node:
        step = (str(symbol), right)
        if isinstance(left, nodes.Arithmetic):
            return nodes.Arithmetic(left.first, (*left.rest, step))
        return nodes.Arithmetic(left, (step,))

    def negation(self, _minus: Token, value: Node) -> Node:
        if isinstance(value, nodes.Literal) and type(value.value) is Decimal:
            return nodes.Literal(CONTEXT.minus(value.value))
        return nodes.Negation(value)

    def path(self, source: Node, _dot: Token, name: Token) -> Node:
        return nodes.Path(source, str(name))

    def filter(self, source: Node, _left: Token, condition: Node, _right: Token) -> Node:
        return nodes.Filter(source, condition)

    def argument(self, *children: Any) -> tuple[str | None, Node]:
        return (str(children[0]), children[1]) if len(children) == 2 else (None, children[0])

    def call(self, function: Node, _left: Token, arguments: Any, _right: Token) -> Node:
        return nodes.Call(function, arguments)

    def number(self, token: Token) -> Node:
        try:
            return nodes.Literal(CONTEXT.create_decimal(str(token)))
        except ArithmeticError:
            raise syntax_error(token.start_pos or 0, "数值超出范围。") from None

    def string(self, token: Token) -> Node:
        return nodes.Literal(str(token))

    def temporal(self, token: Token) -> Node:
        return nodes.Temporal(str(token))

    def true(self, _token: Token) -> Node:
        return nodes.Literal(True)

    def false(self, _token: Token) -> Node:
        return nodes.Literal(False)

    def null(self, _token: Token) -> Node:
        return nodes.Literal(None)

    def name(self, token: Token) -> Node:
        return nodes.Name(str(token))

    def parenthesis(self, _left: Token, tests: tuple[Node, ...], _right: Token) -> Node:
        return tests[0] if len(tests) == 1 else nodes.Alternatives(tests)

    def list_(self, *children: Any) -> Node:
        return nodes.ListOf(_items(children))

    def context(self, *children: Any) -> Node:
        return nodes.ContextOf(_items(children))

    def entry(self, key: Token, _colon: Token, value: Node) -> tuple[str, Node]:
        return str(key), value

    def interval(self, opening: Token, low: Node, _to: Token, high: Node, closing: Token) -> Node:
        return nodes.Interval(opening.type == "LSQB", low, high, closing.type == "RSQB")


_PARSER: Final = Lark(
    GRAMMAR,
    parser="lalr",
    lexer=TokenListLexer,
    start=["start", "unary"],
    transformer=_TreeBuilder(),
    maybe_placeholders=False,
)


def parse(
    source: str,
    names: frozenset[str] = frozenset(),
    members: frozenset[str] = frozenset(),
    *,
    unary: bool = False,
) -> Node:
    """The syntax tree of an expression, or of a cell's unary tests. `names`, `members`: odd names that may occur.

    Errors: FeelError with the position (from 0) in `detail`.
    """
    tokens = Tokenizer(source, names, members, unary=unary).run()
    try:
        return _parsed(tokens, "unary" if unary else "start")
    except UnexpectedInput as error:
        if unary and tokens and tokens[0].type == "UNOT":  # not(a) or b: here `not` is the function
            tokens = Tokenizer(source, names, members, unary=False).run()
            try:
                return _parsed(tokens, "unary")
            except UnexpectedInput as second:
                raise _described(second, source) from None
        raise _described(error, source) from None


def _parsed(tokens: list[Token], start: str) -> Node:
    try:
        return _PARSER.parse(tokens, start=start)
    except VisitError as error:
        raise error.orig_exc from None


def _described(error: UnexpectedInput, source: str) -> FeelError:
    token = getattr(error, "token", None)
    if token is None or token.type == "$END":
        return syntax_error(len(source.rstrip()), "表达式不完整。" if source.strip() else "表达式为空。")
    return syntax_error(token.start_pos or 0, f"此处不应出现“{token}”。")
