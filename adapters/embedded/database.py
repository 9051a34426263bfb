"""Makes a database with the two roles that the application wants, on any PostgreSQL that we are superuser of."""

from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

OWNER_ROLE = "gametriggers_owner"
APP_ROLE = "gametriggers_app"

_ROLES_LOCK = 0x67616D65


@dataclass(frozen=True, slots=True)
class RolePasswords:
    """Passwords of the role that owns the tables and of the role that the application runs as."""

    owner: str
    app: str


@dataclass(frozen=True, slots=True)
class DatabaseAddresses:
    """One database, for each of those who use it."""

    name: str
    app_url: str
    owner_url: str
    superuser_url: str


async def make_roles(superuser_url: str, passwords: RolePasswords) -> None:
    """Make both roles, or give them these passwords if they exist."""
    connection = await asyncpg.connect(superuser_url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _ROLES_LOCK)
            for role, password in ((OWNER_ROLE, passwords.owner), (APP_ROLE, passwords.app)):
                exists = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role)
                secret = await connection.fetchval("SELECT quote_literal($1::text)", password)
                await connection.execute(f"{'ALTER' if exists else 'CREATE'} ROLE {role} LOGIN PASSWORD {secret}")
    finally:
        await connection.close()


async def make_database(
    superuser_url: str, name: str, passwords: RolePasswords, template: str = "template1"
) -> DatabaseAddresses:
    """Make a database that the owner role owns and that the application's role may connect to; keep it if it exists."""
    connection = await asyncpg.connect(superuser_url)
    try:
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
            quoted = await connection.fetchval("SELECT quote_ident($1)", name)
            original = await connection.fetchval("SELECT quote_ident($1)", template)
            await connection.execute(f"CREATE DATABASE {quoted} OWNER {OWNER_ROLE} TEMPLATE {original}")
            await connection.execute(f"REVOKE ALL ON DATABASE {quoted} FROM PUBLIC")
            await connection.execute(f"GRANT CONNECT ON DATABASE {quoted} TO {APP_ROLE}")
    finally:
        await connection.close()
    return addresses(superuser_url, name, passwords)


def addresses(superuser_url: str, name: str, passwords: RolePasswords) -> DatabaseAddresses:
    """The addresses of a database on the superuser's server, for both roles and for the superuser."""
    return DatabaseAddresses(
        name=name,
        app_url=_address(superuser_url, name, APP_ROLE, passwords.app),
        owner_url=_address(superuser_url, name, OWNER_ROLE, passwords.owner),
        superuser_url=_address(superuser_url, name),
    )


def _address(superuser_url: str, name: str, role: str | None = None, password: str = "") -> str:
    parts = urlsplit(superuser_url)
    host = parts.netloc.rpartition("@")[2]
    login = f"{role}:{quote(password, safe='')}" if role else parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{login}@{host}", path=f"/{quote(name, safe='')}"))
