"""SQLAlchemy Core statements, compiled once to the driver's own SQL and run on the unit of work's raw connection."""

from asyncpg import Connection, Record
from sqlalchemy import ClauseElement
from sqlalchemy.dialects import registry
from sqlalchemy.sql.compiler import SQLCompiler

_DIALECT = registry.load("postgresql.asyncpg")()


class Statement:
    """A statement whose parameters are named where it is written, and numbered where it is run."""

    def __init__(self, clause: ClauseElement) -> None:
        compiled = clause.compile(dialect=_DIALECT)
        if not isinstance(compiled, SQLCompiler):
            raise TypeError("only statements that take parameters are compiled here")
        self.sql = str(compiled)
        self._constants = dict(compiled.params)
        self._order = list(compiled.positiontup or ())

    async def run(self, connection: Connection, **values: object) -> None:
        """Execute it."""
        await connection.execute(self.sql, *self._numbered(values))

    async def rows(self, connection: Connection, **values: object) -> list[Record]:
        """Execute it and answer its rows."""
        found: list[Record] = await connection.fetch(self.sql, *self._numbered(values))
        return found

    def _numbered(self, values: dict[str, object]) -> list[object]:
        unknown = values.keys() - set(self._order)
        if unknown:
            raise TypeError(f"the statement takes no {', '.join(sorted(unknown))}")
        return [values[name] if name in values else self._constants[name] for name in self._order]
