"""Prepared statements on psycopg's own connection, many in one round trip (libpq's pipeline mode).

A cursor of psycopg costs several times what PostgreSQL needs for one of our statements.
Transactions stay psycopg's: it looks at the same connection, and ends what is begun here.
"""

import select
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg import pq
from psycopg.pq.abc import PGconn, PGresult
from sqlalchemy import text
from sqlalchemy.dialects.postgresql.base import PGDialect

from gateway.store import schema
from gateway.store.driver import Answer, Statement

DIALECT = PGDialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]  # SQLAlchemy's
for _index, _condition in schema.partial.items():
    _index.dialect_kwargs["postgresql_where"] = text(_condition)
PATIENCE = 7_000  # milliseconds without a byte; the server itself gives up before
_TEXT, _BINARY = 0, 1

_DECODERS: dict[int, Callable[[bytes], Any]] = {
    16: lambda value: value == b"t",  # boolean
    17: lambda value: bytes.fromhex(value[2:].decode()),  # bytea
    20: int,
    21: int,
    23: int,
    1700: int,  # numeric: the sum of whole numbers
}
_DONE = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)


def _rows(result: PGresult) -> list[tuple[Any, ...]]:
    if result.ntuples == 0:
        return []
    columns = range(result.nfields)
    decoders = [_DECODERS.get(result.ftype(column), bytes.decode) for column in columns]
    value = result.get_value
    return [
        tuple(
            None if (cell := value(row, column)) is None else decoders[column](cell)
            for column in columns
        )
        for row in range(result.ntuples)
    ]


_prepared: WeakKeyDictionary[psycopg.Connection[Any], dict[str, bytes]] = WeakKeyDictionary()
_waiting: WeakKeyDictionary[psycopg.Connection[Any], list[Statement]] = WeakKeyDictionary()


def hung_up(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server has ended an idle connection: then there is something to read."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.pgconn.socket, select.POLLIN)
    return bool(poll.poll(0))


def later(connection: psycopg.Connection[Any], sql: str) -> None:
    """To be said together with what is run next; nobody waits for its answer."""
    _waiting.setdefault(connection, []).append(Statement(sql, ()))


def flush(connection: psycopg.Connection[Any]) -> None:
    """Say what was put off."""
    if _waiting.get(connection):
        run(connection, ())


def run(connection: psycopg.Connection[Any], statements: Sequence[Statement]) -> list[Answer]:
    """Run all in one round trip; the first error is raised, and what follows it was not run."""
    before = _waiting.pop(connection, [])
    return _run(connection, [*before, *statements])[len(before) :]


def _run(connection: psycopg.Connection[Any], statements: Sequence[Statement]) -> list[Answer]:
    pgconn = connection.pgconn
    names = _prepared.setdefault(connection, {})
    pgconn.enter_pipeline_mode()
    try:
        fresh = _send(connection, pgconn, names, statements)
        results = [_result(pgconn) for _ in range(len(statements) + len(fresh))]
        begun = _sync(pgconn)
    except BaseException:
        connection.close()  # half a conversation cannot be gone on with
        raise
    pgconn.exit_pipeline_mode()
    assert begun
    return _answers(names, fresh, results)


def _send(
    connection: psycopg.Connection[Any],
    pgconn: PGconn,
    names: Mapping[str, bytes],
    statements: Sequence[Statement],
) -> dict[int, tuple[str, bytes] | None]:
    """Say everything; where in the results something stands that is no statement's own answer."""
    fresh: dict[int, tuple[str, bytes] | None] = {}
    place = 0
    if pgconn.transaction_status == pq.TransactionStatus.IDLE:
        pgconn.send_query_params(_begin(connection), None)
        fresh[place] = None
        place += 1
    new: dict[str, bytes] = {}
    for sql, values in statements:
        name = names.get(sql) or new.get(sql)
        if name is None:
            name = new[sql] = b"portiere%d" % (len(names) + len(new))
            pgconn.send_prepare(name, sql.encode())
            fresh[place] = (sql, name)
            place += 1
        formats = [_BINARY if type(value) is bytes else _TEXT for value in values]
        pgconn.send_query_prepared(name, [_encoded(value) for value in values], formats)
        place += 1
    pgconn.pipeline_sync()
    return fresh


def _begin(connection: psycopg.Connection[Any]) -> bytes:
    level = connection.isolation_level
    words = "BEGIN" if level is None else f"BEGIN ISOLATION LEVEL {level.name.replace('_', ' ')}"
    return (f"{words} READ ONLY" if connection.read_only else words).encode()


def _encoded(value: Any) -> bytes | None:
    if value is None or type(value) is bytes:
        return value
    if value is True or value is False:
        return b"t" if value else b"f"
    return str(value).encode()


def _result(pgconn: PGconn) -> PGresult:
    """One statement's result, with the nothing that ends it."""
    result = _next(pgconn)
    if result is None:
        raise psycopg.OperationalError("the server ended the connection")
    while _next(pgconn) is not None:
        pass
    return result


def _sync(pgconn: PGconn) -> bool:
    result = _next(pgconn)
    return result is not None and result.status == pq.ExecStatus.PIPELINE_SYNC


def _next(pgconn: PGconn) -> PGresult | None:
    while pgconn.flush():
        _wait(pgconn, select.POLLIN | select.POLLOUT)
    while pgconn.is_busy():
        _wait(pgconn, select.POLLIN)
    return pgconn.get_result()


def _wait(pgconn: PGconn, events: int) -> None:
    poll = select.poll()
    poll.register(pgconn.socket, events)
    ready = poll.poll(PATIENCE)
    if not ready:
        raise psycopg.OperationalError("the server does not answer")
    if ready[0][1] & ~select.POLLOUT:
        pgconn.consume_input()


def _answers(
    names: dict[str, bytes],
    fresh: Mapping[int, tuple[str, bytes] | None],
    results: Sequence[PGresult],
) -> list[Answer]:
    answers = []
    problem: psycopg.Error | None = None
    for place, result in enumerate(results):
        if result.status not in _DONE:
            problem = problem or _error(result)
        elif place not in fresh:
            answers.append(Answer(_rows(result), result.command_tuples or 0))
        elif (prepared := fresh[place]) is not None:
            names[prepared[0]] = prepared[1]
    if problem is not None:
        raise problem
    return answers


def _error(result: PGresult) -> psycopg.Error:
    state = result.error_field(pq.DiagnosticField.SQLSTATE) or b""
    try:
        kind: type[psycopg.Error] = psycopg.errors.lookup(state.decode())
    except KeyError:
        kind = psycopg.DatabaseError if state else psycopg.OperationalError
    return kind(result.error_message.decode("utf-8", "replace").strip())
