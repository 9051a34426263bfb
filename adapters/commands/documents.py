"""`gametriggers documents`: what clients are trusted to ask, beside what the program ships."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from adapters.config import Settings
from adapters.postgres.database import Database
from adapters.postgres.trusted_documents import PostgresTrustedDocuments, Upload

_NAME = re.compile(r"\b(?:query|mutation|subscription)\s+(\w+)")


class RefusedError(Exception):
    """Documents that are not in order; its text says, a line each, where and why."""


async def upload(settings: Settings, client: str, files: Sequence[Path], by: str) -> str:
    """Judge files against the schema, and store their documents for good. Raises `RefusedError`."""
    composed = _asked_of_the_schema("compose", client, *map(str, files))
    texts: dict[str, str] = json.loads(composed)
    async with _opened(settings) as database:
        added = await PostgresTrustedDocuments(database).add(client, texts.values(), by)
    ids = "\n".join(f"{id_}  {_name(text)}" for id_, text in texts.items())
    return f"{ids}\n{added} of {len(texts)} documents are new; servers find them when they are first asked for."


async def listing(settings: Settings) -> str:
    """Every trusted document: the shipped ones with their files, then uploads with who and when."""
    uploads = await _all(settings)
    rows = [
        f"{each.client}  {each.id}  {_name(each.text)}, by {each.by} at {each.at:%Y-%m-%d %H:%M}" for each in uploads
    ]
    return "\n".join([_asked_of_the_schema("list").rstrip(), *rows])


async def check(settings: Settings) -> str:
    """Hold all that is trusted against the schema of this program. Raises `RefusedError` with what it takes no more."""
    shipped = _asked_of_the_schema("check").rstrip()
    uploads = {f"{each.client} {each.id}": each.text for each in await _all(settings)}
    return f"Shipped: {shipped}\nUploaded: {_asked_of_the_schema('judge', given=json.dumps(uploads)).rstrip()}"


async def _all(settings: Settings) -> Sequence[Upload]:
    async with _opened(settings) as database:
        return await PostgresTrustedDocuments(database).all()


def _opened(settings: Settings) -> Database:
    return Database(settings.database_url.get_secret_value(), size=1, behind_pooler=settings.database_behind_pooler)


def _asked_of_the_schema(*arguments: str, given: str = "") -> str:
    """What the schema's own room answers: it stands above this one, and is called by name."""
    command = [sys.executable, "-m", "gql.trusting", *arguments]
    found = subprocess.run(command, input=given, capture_output=True, text=True, check=False)  # noqa: S603  # ours
    if found.returncode:
        raise RefusedError(found.stderr.strip())
    return found.stdout


def _name(text: str) -> str:
    found = _NAME.search(text)
    return found.group(1) if found else "?"
