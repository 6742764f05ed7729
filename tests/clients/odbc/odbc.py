"""psqlODBC: values, parameters, every catalog function, errors, time limits; with and without its own cursors."""

import datetime as dt
import os
import threading
import time
from decimal import Decimal

import pyodbc
from world import CUSTOMERS, ENDLESS, LONG, equal, passed


def connect(extra=""):
    connection = pyodbc.connect(f"{os.environ['ODBC']};{extra}", autocommit=True)
    return connection


def refused(name, states, call):
    """An ODBC error with one of these SQLSTATEs: its own class 42S is the driver's word for some of PostgreSQL's."""
    try:
        equal(name, call(), f"refused with {states}")
    except pyodbc.Error as error:
        equal(f"{name}: {error}", error.args[0] in states.split(), True)


def rows(cursor, *names):
    return [tuple(getattr(row, name) for name in names) for row in cursor.fetchall()]


# ODBC has no arrays, no zones and no JSON: they come as text and as local time.
SELECT = """SELECT "$id", 顧客コード, 会社名, タグ, 残高, 取引開始日, 面談日時, 開店, メモ FROM 顧客台帳 ORDER BY "$id\""""
EXPECTED = [
    (1, "C001", "青井商店", '{新規,"a,b","say \\"hi\\""}', CUSTOMERS[0][5], CUSTOMERS[0][6], dt.datetime(2026, 3, 2, 0, 30), dt.time(9, 30), CUSTOMERS[0][9]),
    (2, "C002", "O'Brien & Sons", "{}", Decimal("-0.5"), None, None, None, None),
    (3, "C003", None, "{}", None, dt.date(1999, 12, 31), dt.datetime(2026, 7, 1, 9, 0), None, None)]


def values(cursor):
    equal("rows", [tuple(row) for row in cursor.execute(SELECT).fetchall()], EXPECTED)
    equal("names", [column[0] for column in cursor.description][:3], ["$id", "顧客コード", "会社名"])
    equal("64 kanji", cursor.execute(f"SELECT 値 FROM {LONG}").fetchval(), "長い名前")
    equal("a join", [tuple(row) for row in cursor.execute(
        "SELECT d.件名, c.会社名 FROM deals d JOIN 顧客台帳 c ON c.顧客コード = d.顧客 WHERE d.\"Amount\" > ? ORDER BY d.id", 80).fetchall()],
        [("倉庫", "青井商店"), ("本社", "青井商店")])
    for value, column in [("C001", "顧客コード"), (CUSTOMERS[0][5], "残高"), (dt.date(2020, 2, 29), "取引開始日"), (dt.time(9, 30), "開店"), (1, '"$id"')]:
        equal(column, [row[0] for row in cursor.execute(f"SELECT 会社名 FROM 顧客台帳 WHERE {column} = ?", value).fetchall()], ["青井商店"])
    equal("unicode", cursor.execute("SELECT CAST(? AS text)", "𠮷 😀 'q' \\").fetchval(), "𠮷 😀 'q' \\")
    equal("null", cursor.execute("SELECT CAST(? AS text)", None).fetchval(), None)
    equal("escapes", tuple(cursor.execute("SELECT {d '2024-01-02'}, {fn UCASE('a')}, {fn CONCAT('a', 'b')}").fetchone()), (dt.date(2024, 1, 2), "A", "ab"))


def catalog(cursor):
    listed = [row[0] for row in rows(cursor.tables(schema="public", tableType="TABLE,VIEW"), "table_name")]
    equal("SQLTables", {"DEALS", "顧客台帳", "顧客台帳_連絡先", "Comments"} <= set(listed), True)
    equal("a table", rows(cursor.tables(table="DEALS"), "table_cat", "table_schem", "table_type"), [("kintone", "public", "TABLE")])
    equal("no table", rows(cursor.tables(table="no_such"), "table_name"), [])
    equal("catalogs", "kintone" in [row[0] for row in rows(cursor.tables(catalog="%", schema="", table=""), "table_cat")], True)
    equal("schemas", "public" in [row[0] for row in rows(cursor.tables(catalog="", schema="%", table=""), "table_schem")], True)
    columns = rows(cursor.columns(table="DEALS"), "column_name", "type_name", "nullable", "ordinal_position")
    equal("SQLColumns", columns[:6], [("$id", "int8", 0, 1), ("$revision", "int8", 0, 2), ("件名", "text", 1, 3), ("顧客", "text", 1, 4),
                                      ("Amount", "numeric", 1, 5), ("作業時間", "interval", 1, 6)])
    # The driver finds it, but keeps 127 bytes of a table's name in what its catalog functions give.
    found = rows(cursor.columns(table=LONG), "table_name", "column_name")
    equal("64 kanji", [(table[:42], column) for table, column in found][:3], [(LONG[:42], "$id"), (LONG[:42], "$revision"), (LONG[:42], "値")])
    equal("SQLPrimaryKeys", rows(cursor.primaryKeys("顧客台帳_連絡先"), "column_name", "key_seq"), [("$id", 1), ("RowId", 2)])
    keys = ("pktable_name", "pkcolumn_name", "fktable_name", "fkcolumn_name")
    equal("SQLForeignKeys", rows(cursor.foreignKeys(foreignTable="DEALS"), *keys), [("顧客台帳", "顧客コード", "DEALS", "顧客")])
    equal("to a table", sorted(rows(cursor.foreignKeys("顧客台帳"), *keys)), [
        ("顧客台帳", "$id", "顧客台帳_連絡先", "$id"), ("顧客台帳", "顧客コード", "DEALS", "顧客")])
    equal("SQLSpecialColumns", rows(cursor.rowIdColumns("DEALS"), "column_name"), [])
    types = {row[0] for row in rows(cursor.getTypeInfo(), "type_name")}
    equal("SQLGetTypeInfo", {"int8", "numeric", "varchar", "date", "time", "timestamptz", "bool"} <= types, True)
    cursor.procedures().fetchall()
    connection = cursor.connection
    equal("SQLGetInfo", (connection.getinfo(pyodbc.SQL_DBMS_NAME), connection.getinfo(pyodbc.SQL_DATABASE_NAME)), ("PostgreSQL", "kintone"))


for name, extra in [("as installed", ""), ("UseDeclareFetch", "UseDeclareFetch=1;Fetch=2"), ("client-side parameters", "UseServerSidePrepare=0"),
                    ("text as varchar", "BoolsAsChar=0;TextAsLongVarchar=0;MaxVarcharSize=4000")]:
    with connect(extra) as connection:
        values(connection.cursor())
        catalog(connection.cursor())
    passed(f"psqlODBC reads values and the catalog ({name})")

connection = connect()
cursor = connection.cursor()
for statement, states in [("SELEC 1", "42601"), ("SELECT * FROM 無い表", "42P01 42S02"), ("SELECT 無い列 FROM deals", "42703 42S22"),
                          ("SELECT 1 / 0", "22012"), ("SELECT 'x'::int", "22P02")]:
    refused(statement, states, lambda: cursor.execute(statement).fetchall())
connection.autocommit = False
equal("a transaction", cursor.execute("SELECT 1").fetchval(), 1)
refused("in it", "22012", lambda: cursor.execute("SELECT 1 / 0"))
connection.rollback()
equal("after it", cursor.execute("SELECT 2").fetchval(), 2)
connection.commit()
connection.autocommit = True
passed("psqlODBC sees errors with their SQLSTATE, and transactions")

threading.Timer(0.5, cursor.cancel).start()
began = time.monotonic()
refused("canceled", "57014 HY008", lambda: cursor.execute(ENDLESS))
equal("soon", time.monotonic() - began < 10, True)
cursor.execute("SET statement_timeout = 500")
refused("a time limit", "57014 HYT00", lambda: cursor.execute(ENDLESS))
cursor.execute("RESET statement_timeout")
equal("alive", cursor.execute("SELECT 1").fetchval(), 1)
passed("psqlODBC cancels, and a time limit ends a statement")
