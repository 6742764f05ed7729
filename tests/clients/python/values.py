"""psycopg 3: every value of Kintone's fields, in text and in binary, and parameters both ways."""

import datetime as dt
from decimal import Decimal
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb
from world import COLUMNS, CUSTOMERS, LONG, SELECT, connect, equal, passed

connection = connect()

for binary in (False, True):
    cursor = connection.cursor(binary=binary)
    equal("rows", cursor.execute(SELECT).fetchall(), CUSTOMERS)
    equal("names", [column.name for column in cursor.description], COLUMNS)
    oids = [20, 25, 25, 25, 1009, 1700, 1082, 1184, 1083, 25, 1009, 1009, 3802]
    equal("type oids", [column.type_code for column in cursor.description], oids)
    equal("status", cursor.statusmessage, "SELECT 3")
    equal("a table of 64 kanji", cursor.execute(f'SELECT 値 FROM "{LONG}"').fetchall(), [("長い名前",)])
    joined = """SELECT d.件名, d."Amount", d.作業時間, c.会社名 FROM deals d LEFT JOIN 顧客台帳 c ON c.顧客コード = d.顧客
                ORDER BY d."$id\""""
    hours = lambda n: dt.timedelta(hours=n)
    equal("a join", cursor.execute(joined).fetchall(), [
        ("倉庫", Decimal("90"), hours(1.5), "青井商店"), ("本社", Decimal("1500"), hours(25), "青井商店"),
        ("保守", Decimal("1.5"), hours(1 / 60), None), ("新規", None, hours(0), None)])
    rows = 'SELECT "$id", "RowId", "RowIndex", 氏名, 年齢, 会社名 FROM 顧客台帳_連絡先 ORDER BY 1, 3'
    equal("table rows", cursor.execute(rows).fetchall(), [
        (1, 1, 1, "青井 太郎", Decimal("40"), "青井商店"), (1, 2, 2, "𠮷野 😀", None, "青井商店"),
        (3, 3, 1, "高木", Decimal("31.5"), None)])
    comments = "SELECT id, recordid, text, creatorname, createdat FROM comments WHERE appid = %s"
    equal("comments", cursor.execute(comments, (1,)).fetchall(),
          [(1, 1, "確認しました", "佐藤 花子", dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.timezone.utc))])
passed("psycopg reads the values of every field, in text and in binary")

for zone, shown in [("UTC", "2026-03-01 15:30:00+00"), ("America/New_York", "2026-03-01 10:30:00-05"),
                    ("Asia/Kolkata", "2026-03-01 21:00:00+05:30")]:
    connection.execute(sql.SQL("SET TimeZone = {}").format(zone))
    equal(zone, connection.execute(SELECT).fetchall(), CUSTOMERS)
    read = connection.execute('SELECT 面談日時 FROM 顧客台帳 WHERE id = 1').fetchone()[0]
    equal(zone, str(read.tzinfo), zone)
connection.execute("RESET TimeZone")
equal("reset", connection.execute("SHOW TimeZone").fetchone(), ("Asia/Tokyo",))
passed("psycopg sees instants in the session's zone")

PARAMETERS = [
    ("smallint", -7), ("integer", 2**31 - 1), ("bigint", -(2**63)), ("numeric", Decimal("12345678901234567890.0123456789")),
    ("numeric", Decimal("-0.00001")), ("double precision", 1.5e300), ("real", 0.5), ("boolean", False), ("text", "日本語 'q' \\ 😀"),
    ("text", ""), ("varchar", "𠮷"), ("date", dt.date(1, 1, 1)), ("time", dt.time(23, 59, 59, 999999)),
    ("timestamp", dt.datetime(1999, 12, 31, 23, 59, 59, 1)), ("timestamptz", dt.datetime(2024, 1, 2, 3, 4, tzinfo=dt.timezone.utc)),
    ("interval", dt.timedelta(days=3, seconds=5)), ("bytea", b"\x00\xff'\\"),
    ("jsonb", Jsonb({"キー": [1, None, "値"]})), ("bigint[]", [1, -2]),
    ("numeric[]", [Decimal("1.5")]), ("date[]", [dt.date(2024, 2, 29)]), ("bigint", None), ("text", None)]
for type_name, value in PARAMETERS:
    for binary in (False, True):
        for placeholder in ("%s",) if value is None else ("%s", "%t", "%b"):
            got = connection.execute(f"SELECT {placeholder}::{type_name}", (value,), binary=binary).fetchone()[0]
            expected = value.obj if isinstance(value, Jsonb) else value
            equal(f"{placeholder}::{type_name}", (type(got), got), (type(expected), expected))
passed("psycopg sends and receives parameters of every type, in text and in binary")

for column, operator in [("顧客コード", "="), ("会社名", "="), ("残高", "="), ("取引開始日", "="), ("面談日時", "="), ("タグ", "@>"),
                         ]:
    value = CUSTOMERS[0][COLUMNS.index(column)]
    query = sql.SQL("SELECT id FROM 顧客台帳 WHERE {} {} %s").format(sql.Identifier(column), sql.SQL(operator))
    equal(column, connection.execute(query, (value,)).fetchall(), [(1,)])
equal("= ANY", connection.execute("SELECT 件名 FROM deals WHERE id = ANY(%s) ORDER BY id LIMIT %s", ([1, 3, 9], 5)).fetchall(), [("倉庫",), ("保守",)])
passed("psycopg filters with parameters")
