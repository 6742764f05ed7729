"""asyncpg: binary values of every field, parameters and arrays, cursors, COPY, transactions, cancel, errors."""

import asyncio
import datetime as dt
import io
import json
from decimal import Decimal
from uuid import UUID

import asyncpg
from world import COLUMNS, CUSTOMERS, ENDLESS, SELECT, equal, passed


async def refused(name, error, call):
    try:
        equal(name, await call, f"refused with {error.__name__}")
    except asyncpg.PostgresError as found:
        equal(f"{name}: {found}", type(found), error)


async def values(connection):
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    rows = await connection.fetch(SELECT)
    equal("names", list(rows[0].keys()), COLUMNS)
    equal("rows", [tuple(row.values()) for row in rows], CUSTOMERS)
    statement = await connection.prepare("SELECT $1::int, $2::text[], $3::numeric, $4::date, $5::uuid, $6::jsonb, $7::timestamptz")
    equal("parameters", [p.name for p in statement.get_parameters()],
          ["int4", "text[]", "numeric", "date", "uuid", "jsonb", "timestamptz"])
    given = (7, ["a", None, "b,c"], Decimal("1.50"), dt.date(2024, 2, 29), UUID(int=5), {"a": [1]},
             dt.datetime(2026, 3, 1, 15, 30, tzinfo=dt.timezone.utc))
    equal("values", tuple(await statement.fetchrow(*given)), given)
    for name, given in [("int2", [1, None]), ("int4", []), ("int8", [2**40]), ("numeric", [Decimal("0.10")]), ("bool", [True, False]),
                        ("date", [dt.date(1999, 12, 31)]), ("float8", [1.5]), ("uuid", [UUID(int=1)]), ("oid", [23]), ("text", ["x", ""])]:
        equal(f"{name}[]", await connection.fetchval(f"SELECT $1::{name}[]", given), given)
    equal("a nested array", await connection.fetchval("SELECT ARRAY[ARRAY[1, 2], ARRAY[3, 4]]"), [[1, 2], [3, 4]])
    equal("ids", await connection.fetch('SELECT 会社名 FROM 顧客台帳 WHERE "$id" = ANY($1::bigint[]) ORDER BY "$id"', [1, 3]), [("青井商店",), (None,)])
    equal("a tag", await connection.fetchval("SELECT 顧客コード FROM 顧客台帳 WHERE タグ && $1", ["新規", "ない"]), "C001")
    equal("numbers", tuple(await connection.fetchrow("SELECT 1, 3000000000, 1.5, count(*), row_number() OVER () FROM deals")), (1, 3000000000, Decimal("1.5"), 4, 1))
    passed("asyncpg reads and sends the values of every type")


async def protocol(connection):
    async with connection.transaction(isolation="serializable", readonly=True):
        cursor = await connection.cursor('SELECT "$id" FROM 顧客台帳 ORDER BY 1')
        equal("a cursor", (await cursor.fetch(2), await cursor.fetchrow()), ([(1,), (2,)], (3,)))
        equal("an iteration", [row[0] async for row in connection.cursor("SELECT generate_series(1, 120)", prefetch=50)], list(range(1, 121)))
    copied = io.BytesIO()
    equal("COPY", await connection.copy_from_query('SELECT "$id", 会社名 FROM 顧客台帳 WHERE "$id" < $1 ORDER BY 1', 3, output=copied, format="csv", header=True), "COPY 2")
    equal("copied", copied.getvalue().decode(), "$id,会社名\n1,青井商店\n2,O'Brien & Sons\n")
    try:
        async with connection.transaction():
            await connection.fetch("SELECT 1 / 0")
    except asyncpg.DivisionByZeroError:
        equal("after a failure", await connection.fetchval("SELECT 1"), 1)
    await refused("a table", asyncpg.UndefinedTableError, connection.fetch("SELECT * FROM no_such"))
    await refused("a column", asyncpg.UndefinedColumnError, connection.fetch("SELECT no_such FROM deals"))
    await connection.add_listener("news", print)
    try:
        await connection.fetch(ENDLESS, timeout=0.5)
    except asyncio.TimeoutError:
        equal("after a cancel", await connection.fetchval("SELECT 2"), 2)
    await connection.reset()
    passed("asyncpg reads by cursors and COPY, and goes on after failures and cancels")


async def main():
    async with asyncpg.create_pool(min_size=2, max_size=4) as pool:
        async with pool.acquire() as connection:
            await values(connection)
        async with pool.acquire() as connection:
            await protocol(connection)
        each = await asyncio.gather(*(pool.fetchval("SELECT $1::int * 2", n) for n in range(20)))
        equal("a pool", each, [2 * n for n in range(20)])
    passed("asyncpg pools its connections")


asyncio.run(main())
