"""Statements of SQLAlchemy Core, compiled once and run on the driver's own connection.

The one read and the writer run about a dozen statements a mail; SQLAlchemy's execution costs more
than SQLite's there. A `Link` knows the engine; on PostgreSQL it sends what belongs together in one
round trip.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Dialect, Select, Table, Text, literal_column, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import BindParameter, ColumnElement
from sqlalchemy.sql.expression import ClauseElement, Executable, bindparam
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import TableValuedAlias

from gateway.store.columns import clean, dump_texts
from gateway.store.driver import Answer, Statement
from gateway.store.upsert import Insert, insert

Row = tuple[Any, ...]
Values = Mapping[str, Any]


class Spelling(NamedTuple):
    """One dialect's spelling of a statement."""

    sql: str
    order: tuple[str, ...]  # names of the parameters in their places
    constants: dict[str, Any]


class Prepared:
    """A statement that is compiled once a dialect."""

    __slots__ = ("_texts", "statement")

    def __init__(self, statement: Executable) -> None:
        """`statement` has named bind parameters only."""
        self.statement = statement
        self._texts: dict[str, Spelling] = {}

    def text(self, dialect: Dialect) -> Spelling:
        """The SQL for this dialect."""
        found = self._texts.get(dialect.name)
        if found is None:
            found = self._texts[dialect.name] = self._compile(dialect)
        return found

    def _compile(self, dialect: Dialect) -> Spelling:
        assert isinstance(self.statement, ClauseElement)
        compiled: Any = self.statement.compile(
            dialect=dialect, compile_kwargs={"render_postcompile": True}
        )
        given = compiled.construct_params(_check=False)
        constants = {name: value for name, value in given.items() if value is not None}
        return Spelling(str(compiled), tuple(compiled.positiontup), constants)


class Step(NamedTuple):
    """A statement with its values, and how many rows it must touch (None: any)."""

    prepared: Prepared
    values: Values
    rows: int | None = None


def param(name: str) -> BindParameter[Any]:
    """A parameter that is given a value when the statement runs."""
    return bindparam(name, required=False)


def const(word: str) -> ColumnElement[str]:
    """A word of ours in the statement itself.

    As a parameter it would keep PostgreSQL from the partial index that it names, and make SQLite
    compile the statement again each time it is bound.
    """
    assert word.replace(" ", "").isalpha() or word in ("", "[]")
    return literal_column(f"'{word}'")


class _Each(FunctionElement[str]):
    """The strings of a JSON list as rows: of any length it is one parameter, and one statement."""

    inherit_cache = True
    name = "each"
    type = Text()


@compiles(_Each, "sqlite")
def _each_in_sqlite(element: _Each, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(_Each, "postgresql")
def _each_in_postgresql(element: _Each, compiler: SQLCompiler, **options: Any) -> str:
    given = compiler.process(element.clauses, **options)
    return f"jsonb_array_elements_text(CAST({given} AS jsonb))"


def named_in(
    name: str, column: ColumnElement[str], *columns: ColumnElement[Any] | Table
) -> Select[Any]:
    """The rows whose `column` is one of a list that is given as `listed`.

    A join, because SQLite prefers to scan where it could look up the values of an IN.
    """
    rows = each(name)
    assert isinstance(column, Column)
    return select(*columns).select_from(rows).join(column.table, column == rows.c.value)


def each(name: str) -> TableValuedAlias:
    """The strings of a list that is given as `listed`, as rows with one column, `value`."""
    return _Each(param(name)).table_valued("value")


def listed(values: Iterable[str]) -> str:
    """The parameter of `named_in`; each value counts once."""
    return dump_texts(dict.fromkeys(clean(value) for value in values))


def insert_into(table: Table, *, unless_there: bool = False) -> Insert:
    """One row with every column named but a serial `id`; both engines speak this ON CONFLICT."""
    columns = [column for column in table.c if column.autoincrement is not True]
    values = {column.name: param(column.name) for column in columns}
    statement = insert(table).values(values)
    return statement.on_conflict_do_nothing() if unless_there else statement


def fill(name: str, size: int, values: Sequence[str]) -> dict[str, str | None]:
    """The values of `slots`: NULL, which equals nothing, in the places left over."""
    taken = values[:size]
    filled: dict[str, str | None] = {f"{name}{n}": value for n, value in enumerate(taken)}
    for n in range(len(taken), size):
        filled[f"{name}{n}"] = None
    return filled


class _Server(NamedTuple):
    """How a PostgreSQL server is spoken to."""

    dialect: Dialect
    run: Callable[[Any, Sequence[Statement]], list[Answer]]
    later: Callable[[Any, str], None]
    flush: Callable[[Any], None]


@cache
def _postgres() -> _Server:
    from gateway.store import postgres  # loads psycopg: see `driver`

    return _Server(postgres.DIALECT, postgres.run, postgres.later, postgres.flush)


class Link:
    """A driver's connection inside a transaction that somebody else began and will end."""

    __slots__ = ("dbapi", "dialect", "postgres")

    def __init__(self, dbapi: Any, dialect: Dialect) -> None:
        """`dbapi` is sqlite3's or psycopg's connection."""
        self.dbapi = dbapi
        self.postgres = _postgres() if dialect.name == "postgresql" else None
        self.dialect = self.postgres.dialect if self.postgres else dialect

    @classmethod
    def of(cls, connection: Connection) -> "Link":
        """The link under a SQLAlchemy connection, in the same transaction."""
        return cls(connection.connection.dbapi_connection, connection.dialect)

    def statement(self, prepared: Prepared, values: Values) -> Statement:
        """The SQL with its parameters in order."""
        sql, order, constants = prepared.text(self.dialect)
        merged = {**constants, **values} if constants else values
        return Statement(sql, _cleaned(map(merged.__getitem__, order)))

    def rows(self, prepared: Prepared, values: Values) -> list[Row]:
        """All rows of a query, as plain tuples."""
        return self.answers([(prepared, values)])[0].rows

    def run(self, prepared: Prepared, values: Values) -> int:
        """How many rows a statement touched."""
        return self.answers([(prepared, values)])[0].touched

    def answers(self, asked: Iterable[tuple[Prepared, Values]]) -> list[Answer]:
        """Rows and counts of several statements, run in order, in one round trip."""
        statements = [self.statement(prepared, values) for prepared, values in asked]
        if self.postgres:
            return self.postgres.run(self.dbapi, statements)
        return [self._answer(*statement) for statement in statements]

    def _answer(self, sql: str, values: Sequence[Any]) -> Answer:
        cursor = self.dbapi.execute(sql, values)
        return Answer(cursor.fetchall() if cursor.description else [], cursor.rowcount)

    def mark(self, sql: str) -> None:
        """SAVEPOINT and its like: said at the latest with what is run next, or by `flush`."""
        if self.postgres:
            self.postgres.later(self.dbapi, sql)
        else:
            self.dbapi.execute(sql)

    def flush(self) -> None:
        """Say what was put off, before others use the connection."""
        if self.postgres:
            self.postgres.flush(self.dbapi)


def _cleaned(values: Iterable[Any]) -> list[Any]:
    """Text that both engines take; enumerations and tainted text as the plain strings they are.

    Nearly every value is plain, and there are a hundred of them a mail: the test stands in line.
    """
    return [
        value
        if value is None
        or (kind := type(value)) is int
        or (kind is str and value.isascii() and "\0" not in value)
        else clean(str(value))
        if isinstance(value, str)
        else value
        for value in values
    ]
