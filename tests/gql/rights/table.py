"""The table of rights: a line for each field, a column for each kind of caller. `--write` writes it anew.

Run `python -m tests.gql.rights.table --write` after a change of the schema, and read what `git diff` shows.
"""

import argparse
import asyncio
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from adapters.embedded.database import make_database
from gql.access import Requires, Right
from tests.gql.rights.asking import places, requires, roots
from tests.gql.rights.cast import CALLERS
from tests.gql.rights.sweep import DATA, NOTHING, OTHER, OWN, Findings, swept
from tests.servers import PASSWORDS, Addresses, Servers, drop_database
from tests.servers import run as run_to_end

FILE = Path(__file__).with_name("rights.txt")

_SIGNS = {
    DATA: "+", NOTHING: "0", "UNAUTHENTICATED": "U", "FORBIDDEN": "F", "BAD_INPUT": "B", "INTERNAL": "!",
    "UNAVAILABLE": "!", "RATE_LIMITED": "!",
}  # fmt: skip
_UNASKED = "."
_INTRODUCTION = """\
Who gets what: asked over HTTP and WebSocket, of people with sessions on PostgreSQL. A line for each field, a column for
each kind of caller. Written by `python -m tests.gql.rights.table --write`; a test holds it to what is so.

Each cell has a sign for what is the caller's own (for one in a brand: the brand's), and where a field names an object a
second one for what is another person's or brand's:
  +      data; for a change, that it is made; for what leans on its parent, that it is answered, be it with null
  0      null or an empty list
  U      UNAUTHENTICATED: sign in
  F      FORBIDDEN
  1 2 3  refused, with the code that the line ends with
  B      BAD_INPUT
  .      not met: nothing led there
What is nobody's answers like what is another's, byte for byte, but to staff who may see it.

Callers:
"""


def written(findings: Findings) -> str:
    """The table."""
    head = [f"  {caller.mark}   {caller.meaning}" for caller in CALLERS]
    sections = [
        ("Queries, changes and subscriptions", {root.row: requires(root.declared) for root in roots()}),
        ("What is below them, met through what is one's own", {place: requires(found) for place, found in places()}),
    ]
    parts = [_INTRODUCTION + "\n".join(head)]
    for title, found in sections:
        lines = [_line(name, _right(found[name]), findings.marks.get(name, {})) for name in sorted(found)]
        columns = "".join(f"{caller.mark:<5}" for caller in CALLERS)
        parts.append(f"{title}\n{'':<34}{'right':<28}{columns}\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _right(found: Requires) -> str:
    named = (found.permission or found.role) or None
    return f"{Right(found.right).name} {named.name if named else ''}".strip()


def _line(name: str, right: str, marks: Mapping[str, Mapping[str, set[str]]]) -> str:
    codes: list[str] = []
    cells = [_cell(marks.get(caller.mark, {}), codes) for caller in CALLERS]
    notes = "".join(f"{number} {code}  " for number, code in enumerate(codes, 1))
    return f"{name:<34}{right:<28}{''.join(f'{cell:<5}' for cell in cells)}{notes}".rstrip()


def _cell(marks: Mapping[str, set[str]], codes: list[str]) -> str:
    asked = [whose for whose in (OWN, OTHER) if whose in marks]
    return "".join(_sign(marks[whose], codes) for whose in asked) or _UNASKED


def _sign(marks: set[str], codes: list[str]) -> str:
    """One sign. Of what was met several times it is the most that came of it."""
    mark = next((each for each in _SIGNS if each in marks), min(marks))
    if mark in _SIGNS:
        return _SIGNS[mark]
    code = mark.removeprefix("refused ")
    if code not in codes:
        codes.append(code)
    return str(codes.index(code) + 1)


def find_out(servers: Addresses) -> Findings:
    """Sweep a database of its own."""
    name = f"rights_{secrets.token_hex(6)}"
    database = run_to_end(make_database(servers.superuser_url, name, PASSWORDS, template=servers.template))
    try:
        with TemporaryDirectory() as folder:
            return asyncio.run(swept(Path(folder), database, servers.valkey_url))
    finally:
        run_to_end(drop_database(servers.superuser_url, name))


def main(arguments: Sequence[str]) -> int:
    """Write the table, or show it."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--write", action="store_true", help=f"write {FILE.name} anew instead of showing it")
    options = parser.parse_args(arguments)
    servers = Servers()
    try:
        text = written(find_out(servers.start()))
    finally:
        servers.stop()
    if options.write:
        FILE.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
