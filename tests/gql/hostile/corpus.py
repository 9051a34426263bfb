"""Bodies of requests that are meant to hurt: by depth, by width, by repetition, by numbers and texts that are none.

Each is meant to be refused. They are functions, so that nothing of it is made before it is wanted.
"""

from collections.abc import Callable

import orjson

from gql.requests import LARGEST_BODY

Body = Callable[[], bytes]


def asking(query: str, **more: object) -> bytes:
    """A body as clients send it."""
    return orjson.dumps({"query": query, **more})


def filled(query: str, piece: str, tail: str = "") -> str:
    """A document with as many pieces as a body may hold."""
    room = LARGEST_BODY - len(asking(query + tail)) - 1_000
    return query + piece * (room // len(orjson.dumps(piece)[1:-1])) + tail


def numbered(pieces: int, piece: str) -> str:
    """So many different pieces."""
    return " ".join(piece.format(number) for number in range(pieces))


def _doubling(steps: int) -> str:
    chain = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(steps))
    return f"{{ ...F0 }} {chain} fragment F{steps} on Query {{ x: __typename }}"


def _overlapping(fields: int) -> str:
    """What makes validation compare every pair of fields."""
    return "{ " + "viewer { id } " * fields + "nonsense }"


def _nested_json(levels: int) -> bytes:
    return b'{"query": "{ nonsense }", "variables": {"a": ' + b"[" * levels + b"]" * levels + b"}}"


IDS = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
PAGE = "query ($n: Int!) { topUps(first: $n) { edges { cursor } } }"
AT = 'query ($at: DateTime!) { wallet(id: "x") { balanceAt(at: $at) { held { amount } } } }'

DOCUMENTS: dict[str, Body] = {
    "a deep one": lambda: asking("{a" * 12_000 + "}" * 12_000),
    "a deep one of fields that are there": lambda: asking("{ viewer " + "{ wallets " * 600 + "{ id }" + "}" * 601),
    "a deep literal": lambda: asking("{ node(id: " + "[" * 12_000 + "]" * 12_000 + ") { id } }"),
    "a deep object literal": lambda: asking("{ node(id: " + "{a: " * 12_000 + "1" + "}" * 12_000 + ") { id } }"),
    "a deep type": lambda: asking("query ($a: " + "[" * 900 + "Int" + "]" * 900 + ") { __typename }"),
    "a wide one": lambda: asking(filled("{ ", "__typename ", "}")),
    "as wide as tokens allow": lambda: asking("{ " + "nonsense " * 1_990 + "}"),
    "a hundred thousand aliases": lambda: asking("{ " + numbered(100_000, "a{0}:id") + " }"),
    "aliases as tokens allow": lambda: asking("{ " + numbered(600, "a{0}: __typename") + " }"),
    "a hundred thousand directives": lambda: asking("{ __typename " + "@a " * 100_000 + "}"),
    "directives as tokens allow": lambda: asking("{ __typename " + "@a " * 990 + "}"),
    "directives on the operation": lambda: asking("query " + "@a " * 900 + "{ __typename }"),
    "pairs of fields": lambda: asking(_overlapping(390)),
    "a circle of fragments": lambda: asking("{ ...A } fragment A on Query { ...A }"),
    "a great circle of fragments": lambda: asking(
        "{ ...F0 } " + " ".join(f"fragment F{n} on Query {{ ...F{(n + 1) % 200} }}" for n in range(200))
    ),
    "fragments that multiply": lambda: asking(_doubling(150)),
    "fragments that nobody uses": lambda: asking("{ __typename } " + numbered(240, "fragment F{0} on Query {{ id }}")),
    "unknown fragments": lambda: asking("{ " + numbered(600, "...F{0}") + " }"),
    "many operations": lambda: asking(numbered(400, "query Q{0} {{ __typename }}")),
    "many variables": lambda: asking("query (" + numbered(390, "$v{0}: Int") + ") { __typename }"),
    "a variable many times": lambda: asking("query (" + "$v: Int " * 390 + ") { __typename }"),
    "many arguments": lambda: asking("{ viewer(" + numbered(390, "a{0}: 1") + ") { id } }"),
    "pages in pages": lambda: asking(
        "{ topUps(first: 100) { edges { node { wallet { statement(first: 100) { edges { cursor } } } } } } }"
    ),
    "introspection around": lambda: asking(
        "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }"
    ),
    "a long name": lambda: asking(filled("{ ", "a", " }")),
    "a long comment and nothing": lambda: asking(filled("#", "a")),
    "commas": lambda: asking(filled("", ",")),
    "blanks": lambda: asking(filled("", " ")),
    "a long text": lambda: asking(filled('{ node(id: "', "a", '") { nonsense } }')),
    "a block string of indented lines": lambda: asking(filled('{ node(id: """', "\n    a", '""") { nonsense } }')),
    "a block string of quotes": lambda: asking(filled('{ node(id: """', '\\"""', '""") { nonsense } }')),
    "a block string without end": lambda: asking(filled('{ node(id: """', "a\n")),
    "a string without end": lambda: asking(filled('{ node(id: "', "a")),
    "escapes": lambda: asking(filled('{ node(id: "', "\\u{10FFFF}", '") { nonsense } }')),
    "a lone surrogate": lambda: b'{"query": "{ node(id: \\"\\ud800\\") { id } }"}',
    "a surrogate escaped for the document": lambda: asking('{ node(id: "\\uD800") { id } }'),
    "an escape beyond Unicode": lambda: asking('{ node(id: "\\u{FFFFFFFFFFFFFFFF}") { id } }'),
    "a NUL": lambda: asking("{ __typename \x00 }"),
    "a NUL in a text": lambda: asking('{ node(id: "\x00") { nonsense } }'),
    "a NUL escaped": lambda: asking('{ node(id: "\\u0000") { nonsense } }'),
    "bells and other signs": lambda: asking("{ \x07\x1b[2J\x7f }"),
    "a number without end": lambda: asking(filled("{ topUps(first: ", "9", ") { edges { cursor } } }")),
    "a fraction without end": lambda: asking(filled("{ topUps(first: 1.", "9", ") { edges { cursor } } }")),
    "an exponent": lambda: asking("{ topUps(first: 1e400) { edges { cursor } } }"),
    "a zero before": lambda: asking("{ topUps(first: 00) { edges { cursor } } }"),
    "marks of byte order": lambda: asking(filled("", "\ufeff")),
    "other blanks": lambda: asking("{\u00a0__typename\u2028}"),
    "letters of others": lambda: asking("{ __t\u0443pename }"),
    "a schema": lambda: asking("type Query { a: Int }"),
    "a schema extended": lambda: asking("{ __typename } extend type Query { a: Int }"),
    "nothing": lambda: asking(""),
    "braces": lambda: asking("{" * 1_900),
}
"""Documents."""

BODIES: dict[str, Body] = {
    "ids without end": lambda: asking(IDS, variables={"ids": ["a"] * 20_000}),
    "a hundred thousand ids": lambda: asking(IDS, variables={"ids": ["a"] * 100_000}),
    "ids that are wrong": lambda: asking(IDS, variables={"ids": [{}] * 9_000}),
    "an endless id": lambda: asking(IDS, variables={"ids": [{"a": "b" * 90_000}]}),
    "a deep value": lambda: _nested_json(900),
    "a value too deep to be read": lambda: _nested_json(40_000),
    "a huge whole number": lambda: b'{"query": "%s", "variables": {"n": %s}}' % (PAGE.encode(), b"9" * 90_000),
    "1e400": lambda: b'{"query": "%s", "variables": {"n": 1e400}}' % PAGE.encode(),
    "-1e400": lambda: b'{"query": "%s", "variables": {"n": -1e400}}' % PAGE.encode(),
    "NaN": lambda: b'{"query": "%s", "variables": {"n": NaN}}' % PAGE.encode(),
    "Infinity": lambda: b'{"query": "%s", "variables": {"n": Infinity}}' % PAGE.encode(),
    "beyond 32 bits": lambda: asking(PAGE, variables={"n": 2**40}),
    "beyond 64 bits": lambda: b'{"query": "%s", "variables": {"n": %d}}' % (PAGE.encode(), 2**80),
    "a year beyond all": lambda: asking(AT, variables={"at": "99999-01-01T00:00:00Z"}),
    "an endless instant": lambda: asking(AT, variables={"at": "2" * 90_000}),
    "variables that nobody declared, many": lambda: asking("{ nonsense }", variables={str(n): n for n in range(8_000)}),
    "keys twice, the last is meant": lambda: b'{"query": "{ __typename }", "query": "{ nonsense }"}',
    "a lone surrogate as a value": lambda: b'{"query": "%s", "variables": {"n": "\\udfff"}}' % PAGE.encode(),
    "no UTF-8": lambda: b'{"query": "{ __typename \xff\xfe }"}',
    "an overlong NUL": lambda: b'{"query": "{ __typename \xc0\x80 }"}',
    "a surrogate in UTF-8": lambda: b'{"query": "{ __typename \xed\xa0\x80 }"}',
    "a mark of byte order before all": lambda: b'\xef\xbb\xbf{"query": "{ __typename }"}',
    "UTF-16": lambda: '{"query": "{ __typename }"}'.encode("utf-16"),
    "zeros": lambda: bytes(50_000),
    "brackets": lambda: b"[" * 100_000,
    "objects": lambda: b'{"a":' * 20_000,
    "a batch": lambda: orjson.dumps([{"query": "{ __typename }"}] * 1_000),
    "a number": lambda: b"1",
    "nothing at all": lambda: b"",
    "a query that is none": lambda: b'{"query": {"a": 1}}',
    "a name that is none": lambda: b'{"query": "{ __typename }", "operationName": []}',
    "an endless name": lambda: asking("query A { __typename }", operationName="A" * 90_000),
    "variables that are none": lambda: b'{"query": "{ __typename }", "variables": "a"}',
    "too much": lambda: b" " * (LARGEST_BODY + 1),
}
"""Whole bodies."""
