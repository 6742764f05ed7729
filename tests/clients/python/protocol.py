"""psycopg 3: prepared statements, pipelines, server cursors, COPY, transactions, errors, cancel, time limits."""

import asyncio
import threading
import time

import psycopg
from psycopg.pq import DiagnosticField, ExecStatus
from world import COLUMNS, CUSTOMERS, ENDLESS, SELECT, connect, equal, passed, refused

connection = connect()
execute = connection.execute

for attempt in range(8):  # psycopg prepares at the fifth
    equal("prepared", execute("SELECT 会社名 FROM 顧客台帳 WHERE id = %s", (attempt % 3 + 1,)).fetchone(), (CUSTOMERS[attempt % 3][2],))
wire = connection.pgconn
wire.prepare(b"s", 'SELECT "$id", 残高, 1 FROM 顧客台帳 WHERE 会社名 = $1 AND 取引開始日 > $2 LIMIT $3'.encode())
described = wire.describe_prepared(b"s")
equal("parameters", [described.param_type(n) for n in range(described.nparams)], [25, 1082, 20])
equal("columns", [(described.fname(n).decode(), described.ftype(n)) for n in range(2)], [("$id", 20), ("残高", 1700)])
table, = execute("SELECT '顧客台帳'::regclass::oid").fetchone()
equal("origins", [(described.ftable(n), described.ftablecol(n)) for n in range(3)], [(table, 1), (table, 7), (0, 0)])
equal("executed", wire.exec_prepared(b"s", ["青井商店".encode(), b"2020-01-01", b"5"]).get_value(0, 1), b"12345678901234567890.0123456789")
equal("an empty query", wire.exec_(b"").status, ExecStatus.EMPTY_QUERY)
equal("two at once", wire.exec_params(b"SELECT 1; SELECT 2", []).error_field(DiagnosticField.SQLSTATE), b"42601")
several = execute("SELECT 1; SELECT 2")
equal("several", (several.fetchall(), several.nextset(), several.fetchall()), ([(1,)], True, [(2,)]))
passed("psycopg prepares and describes statements")

with connection.pipeline():
    cursors = [execute("SELECT %s::int", (n,)) for n in range(20)]
    equal("pipeline", [cursor.fetchone() for cursor in cursors], [(n,) for n in range(20)])
def broken():
    with connection.pipeline():
        execute("SELECT 1")
        execute("SELECT 1 / 0")
        execute("SELECT 2")
refused("a pipeline", "22012", broken)
equal("after it", execute("SELECT 3").fetchone(), (3,))
passed("psycopg sends statements in a pipeline")

for binary in (False, True):
    with connection.transaction(), connection.cursor("c", binary=binary) as cursor:
        cursor.execute(SELECT)
        equal("fetchmany", [cursor.fetchmany(2), cursor.fetchmany(2), cursor.fetchmany(2)], [CUSTOMERS[:2], CUSTOMERS[2:], []])
with connection.transaction(), connection.cursor("c", scrollable=True) as cursor:
    cursor.execute("SELECT n FROM generate_series(1, 1000) t(n) WHERE n > %s ORDER BY n", (0,))
    cursor.scroll(500, mode="absolute")
    equal("scrolled on", cursor.fetchone(), (501,))
    cursor.scroll(-101)
    equal("scrolled back", cursor.fetchone(), (401,))
with connection.cursor("kept", withhold=True) as cursor:
    equal("WITH HOLD", cursor.execute(SELECT).fetchall(), CUSTOMERS)
passed("psycopg reads by server cursors")

types = ["int8", "text", "text", "text", "text[]", "numeric", "date", "timestamptz", "time", "text", "text[]", "text[]", "jsonb"]
for form in ("text", "binary"):
    with connection.cursor().copy(f"COPY ({SELECT}) TO STDOUT (FORMAT {form})") as copy:
        copy.set_types(types)
        equal(form, list(copy.rows()), CUSTOMERS)
with connection.cursor().copy("COPY deals (件名, \"Amount\") TO STDOUT (FORMAT csv, HEADER, NULL '-')") as copy:
    equal("csv", sorted(b"".join(copy).decode().splitlines()), sorted(["件名,Amount", "倉庫,90", "本社,1500", "保守,1.5", "新規,-"]))
passed("psycopg copies out as text, csv and binary")

equal("stream", list(connection.cursor().stream(SELECT)), CUSTOMERS)
other = psycopg.connect()
equal("a transaction", (other.execute("SELECT 1").fetchone(), other.info.transaction_status.name), ((1,), "INTRANS"))
refused("in a transaction", "22012", lambda: other.execute("SELECT 1 / 0"))
equal("failed", other.info.transaction_status.name, "INERROR")
refused("in a failed one", "25P02", lambda: other.execute("SELECT 1"))
other.rollback()
def inner():
    with other.transaction():
        other.execute("SELECT 1 / 0")
with other.transaction():
    refused("a savepoint", "22012", inner)
    equal("after it", other.execute("SELECT 5").fetchone(), (5,))
other.isolation_level, other.read_only, other.deferrable = psycopg.IsolationLevel.SERIALIZABLE, True, True
equal("isolation", other.execute("SHOW transaction_isolation").fetchone(), ("serializable",))
other.close()
passed("psycopg keeps transactions and savepoints")

for statement, sqlstate in [
        ("SELEC 1", "42601"), ("SELECT * FROM 無い表", "42P01"), ("SELECT 無い列 FROM 顧客台帳", "42703"), ("SELECT 'x'::int", "22P02"),
        ("SELECT 1 / 0", "22012"), ("SELECT no_such_function(1)", "42883"), ("SELECT '2024-13-01'::date", "22008"),
        ("SELECT 9999999999::int", "22003"), ("EXECUTE no_such", "26000"), ("FETCH 1 FROM no_such", "34000"), ("SHOW no_such", "42704"),
        ("SELECT id FROM 顧客台帳 a, 顧客台帳 b", "42702"), ("SELECT 会社名, count(*) FROM 顧客台帳", "42803"),
        ("DELETE FROM 顧客台帳", "0A000")]:
    for parameters in (None, ()):
        error = refused(statement, sqlstate, lambda: execute(statement, parameters))
        equal("severity", error.diag.severity_nonlocalized, "ERROR")
equal("position", refused("a column", "42703", lambda: execute("SELECT 会社名, 無い列 FROM 顧客台帳")).diag.statement_position, "13")
error = refused("a parameter", "22P02", lambda: execute("SELECT id FROM 顧客台帳 WHERE 残高 = %t::numeric", ("x",)))
equal("a parameter", error.diag.message_primary, 'invalid input syntax for type numeric: "x" (parameter $1)')
def reach(**options):
    try:
        psycopg.connect(**options)
    except psycopg.OperationalError as failure:
        return str(failure)
wrong = reach(password="wrong")
assert 'password authentication failed for user "client"' in wrong, wrong
equal("a wrong user looks the same", reach(user="nobody").replace("nobody", "client"), wrong)
passed("psycopg sees errors with their SQLSTATE and position")

threading.Timer(0.5, connection.cancel_safe).start()
began = time.monotonic()
refused("canceled", "57014", lambda: execute(ENDLESS))
assert time.monotonic() - began < 10, "the cancel came late"
execute("SET statement_timeout = 300")
refused("a time limit", "57014", lambda: execute(ENDLESS))
execute("SET statement_timeout = 0")
equal("alive", execute("SELECT 1").fetchone(), (1,))
passed("psycopg cancels, and a time limit ends a statement")


async def many():
    async def one(n):
        async with await psycopg.AsyncConnection.connect(autocommit=True) as each:
            return await (await each.execute("SELECT count(*) + %s FROM deals", (n,))).fetchone()
    equal("at once", await asyncio.gather(*map(one, range(10))), [(4 + n,) for n in range(10)])
asyncio.run(many())
passed("psycopg asks on ten connections at once")
