"""Django's PostgreSQL backend with fewer trips to the server, for what every push does: two for a scan instead of seven.

What needs no answer of its own travels with something else: the BEGIN with the first statement, a question with one that comes
before its answer is needed, a row that nobody reads back with the COMMIT. And psycopg's cursors are passed by: they wait in
small steps, and at each, nine in a statement, another thread may take the interpreter. Everything else goes through them as
ever, after what was put off.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import cache, partial
from select import POLLIN, poll
from typing import Any, NamedTuple

from django.db.backends.postgresql import base
from django.db.backends.utils import debug_transaction
from psycopg import Connection, errors
from psycopg.adapt import PyFormat, Transformer
from psycopg.generators import send
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

Row = tuple[Any, ...]
Question = tuple[str, tuple[Any, ...]]  # a statement and its parameters
# A prepared statement is gone, or a migration has changed the type of what it returns.
OUTDATED = (errors.InvalidSqlStatementName, errors.FeatureNotSupported)


class _Statement(NamedTuple):
    """A prepared statement with its parameters as the server takes them. Of a `question`, the answer is kept."""

    name: bytes
    values: Sequence[Any]
    question: Question | None = None


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection of one thread. It knows which statements the server has, what was put off, and what was asked ahead."""

    def get_connection_params(self) -> dict[str, Any]:
        """As Django has them. psycopg itself prepares nothing: it would throw away ours with its own."""
        return {**super().get_connection_params(), "prepare_threshold": None}

    def get_new_connection(self, conn_params: dict[str, Any]) -> "Connection[Any]":
        """A connection whose server knows no statement yet."""
        link: Connection[Any] = super().get_new_connection(conn_params)
        self._names: dict[str, bytes] = {}
        self._transformer = Transformer(link)
        self._forget()
        return link

    def run_prepared(self, sql: str, params: Sequence[Any]) -> Row | None:
        """Run a statement with `%s` for its parameters, which the server parses once; the first row that it returns, if any.

        Their types are those that the server sees for them in the statement. Raises Django's database errors, also those of
        what was put off before.
        """
        self.ensure_connection()
        if self._answers and (question := (sql, tuple(params))) in self._answers:
            return self._answers[question]
        with self.wrap_database_errors:
            return self._row(self._send(self._prepared(sql, params)))

    def put_off(self, sql: str, params: Sequence[Any]) -> None:
        """Run such a statement with the next one or with the commit, for who needs no result; then it raises what it raises."""
        if not self.in_atomic_block:
            self.run_prepared(sql, params)
            return
        self.ensure_connection()
        with self.wrap_database_errors:
            self._put_off.append(self._prepared(sql, params))

    def ask_ahead(self, sql: str, params: Sequence[Any]) -> None:
        """Ask something with the next statement that is sent: `run_prepared` finds the answer until the transaction ends."""
        if self.in_atomic_block:
            self.ensure_connection()
            with self.wrap_database_errors:
                self._put_off.append(self._prepared(sql, params)._replace(question=(sql, tuple(params))))

    def create_cursor(self, name: str | None = None) -> Any:
        """A cursor of psycopg's. What was put off goes first."""
        if self._put_off:
            with self.wrap_database_errors:
                self._send()
        return super().create_cursor(name)

    def _commit(self) -> None:
        if self.connection is not None:
            with debug_transaction(self, "COMMIT"), self.wrap_database_errors:
                self._send_commit(self.connection.pgconn)
            self._forget()

    def _send_commit(self, pgconn: PGconn) -> None:
        if not self._put_off and pgconn.transaction_status == TransactionStatus.IDLE:
            return
        ended = self._send(end=b"COMMIT") if self._put_off else _checked(self.connection, pgconn.exec_(b"COMMIT"))
        if ended.command_status == b"ROLLBACK":  # the server does not call it an error, but nothing is kept
            raise errors.InFailedSqlTransaction("a database error was caught outside of an atomic of its own")

    def _rollback(self) -> None:
        self._forget()
        super()._rollback()  # type: ignore[misc]  # of BaseDatabaseWrapper, which the stubs leave out

    def _savepoint_rollback(self, sid: str) -> None:
        self._put_off.clear()  # all of it is younger: to set a savepoint sends what was put off before
        super()._savepoint_rollback(sid)  # type: ignore[misc]  # as above

    def _forget(self) -> None:
        self._put_off: list[_Statement] = []
        self._answers: dict[Question, Row | None] = {}

    def _prepared(self, sql: str, params: Sequence[Any]) -> _Statement:
        name = self._names.get(sql)
        if name is None:
            name = b"wxhub_%d" % len(self._names)
            _checked(self.connection, self.connection.pgconn.prepare(name, _numbered(sql)))
            self._names[sql] = name
        return _Statement(name, self._transformer.dump_sequence(params, [PyFormat.TEXT] * len(params)))

    def _send(self, statement: _Statement | None = None, *, end: bytes = b"") -> PGresult:
        """Send what was put off, this statement and the `end` of the transaction in one trip; what the last of it returned."""
        pgconn = self.connection.pgconn
        begins = not self.connection.autocommit and pgconn.transaction_status == TransactionStatus.IDLE
        if statement and not begins and not self._put_off:
            return _checked(self.connection, pgconn.exec_prepared(statement.name, statement.values))
        statements = [*self._put_off, statement] if statement else self._put_off
        self._put_off = []
        commands = [partial(pgconn.send_query_prepared, each.name, each.values) for each in statements]
        if begins:
            commands.insert(0, partial(pgconn.send_query_params, self.connection._get_tx_start_command(), None))
        if end:
            commands.append(partial(pgconn.send_query_params, end, None))
        results = [_checked(self.connection, result) for result in self._together(commands)]
        for each, result in zip(statements, results[begins:], strict=False):
            if each.question:
                self._answers[each.question] = self._row(result)
        return results[-1]

    def _together(self, commands: "Sequence[Callable[[], None]]") -> list[PGresult]:
        """The result of each command. After one that fails the server does none of the others."""
        link: Connection[Any] = self.connection
        with ExitStack() as cut:
            cut.callback(link.close)  # else what is still on its way would be taken for the answer to something else
            link.pgconn.enter_pipeline_mode()
            for command in commands:
                command()
            link.pgconn.pipeline_sync()
            results = _results(link, len(commands))
            link.pgconn.exit_pipeline_mode()
            cut.pop_all()
        return results

    def _row(self, result: PGresult) -> Row | None:
        if not result.ntuples:
            return None
        self._transformer.set_pgresult(result)
        return self._transformer.load_row(0, tuple)


def _results(link: "Connection[Any]", count: int) -> list[PGresult]:
    """Wait for the results of so many commands in pipeline mode, and for the end. Raises OperationalError when it is cut."""
    pgconn, readable = link.pgconn, poll()
    readable.register(pgconn.socket, POLLIN)
    if pgconn.flush():
        link.wait(send(pgconn))  # more than the socket takes at once
    results: list[PGresult] = []
    for is_sync in (*[False] * count, True):
        while pgconn.is_busy():
            readable.poll()
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            raise errors.OperationalError("the server broke off")
        if not is_sync:
            results.append(result)
            pgconn.get_result()  # None: the end of this one
    return results


def _checked(link: "Connection[Any]", result: PGresult) -> PGresult:
    """The result, unless it is an error. Raises psycopg's errors, an OperationalError when the connection is of no more use."""
    if result.status != ExecStatus.FATAL_ERROR:
        return result
    error = errors.error_from_result(result)
    if isinstance(error, OUTDATED):
        link.close()  # the next one prepares them anew
    if link.pgconn.status == ConnStatus.BAD:
        raise errors.OperationalError(str(error))
    raise error


@cache
def _numbered(sql: str) -> bytes:
    """The statement with the server's own marks, $1 …, instead of `%s`."""
    first, *rest = sql.split("%s")
    return (first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))).encode()
