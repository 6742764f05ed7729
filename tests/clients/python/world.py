"""What the Python scripts share: the rows of world.json as Python sees them, and how a refusal is compared."""

import datetime as dt
import sys
from decimal import Decimal
from zoneinfo import ZoneInfo

import psycopg

TOKYO = ZoneInfo("Asia/Tokyo")
LONG = "株式会社東京本店営業部第一課顧客管理台帳二〇二六年度版関東甲信越地区法人契約更新予定一覧表兼請求書送付先住所録正式運用中改訂三版"
COLUMNS = "$id 顧客コード 会社名 ランク タグ 残高 取引開始日 面談日時 開店 メモ 担当者 担当者_names 連絡先".split()
CUSTOMERS = [
    (1, "C001", "青井商店", "A", ["新規", "a,b", 'say "hi"'], Decimal("12345678901234567890.0123456789"),
     dt.date(2020, 2, 29), dt.datetime(2026, 3, 2, 0, 30, tzinfo=TOKYO), dt.time(9, 30),
     '一行目\n\t"引用" \\ 終わり', ["sato", "smith"], ["佐藤 花子", "Ann Smith"],
     [{"id": "1", "value": {"氏名": {"type": "SINGLE_LINE_TEXT", "value": "青井 太郎"}, "年齢": {"type": "NUMBER", "value": "40"}}},
      {"id": "2", "value": {"氏名": {"type": "SINGLE_LINE_TEXT", "value": "𠮷野 😀"}, "年齢": {"type": "NUMBER", "value": ""}}}]),
    (2, "C002", "O'Brien & Sons", "B", [], Decimal("-0.5"), None, None, None, None, [], [], []),
    (3, "C003", None, "A", [], None, dt.date(1999, 12, 31), dt.datetime(2026, 7, 1, 9, 0, tzinfo=TOKYO), None, None, [], [],
     [{"id": "3", "value": {"氏名": {"type": "SINGLE_LINE_TEXT", "value": "高木"}, "年齢": {"type": "NUMBER", "value": "31.5"}}}]),
]
SELECT = "SELECT " + ", ".join(f'"{name}"' for name in COLUMNS) + ' FROM 顧客台帳 ORDER BY "$id"'

# Ends by a cancel or a time limit only.
ENDLESS = "SELECT count(*) FROM generate_series(1, 1000) a, generate_series(1, 100) b, generate_series(1, 1000000) c WHERE a.a + b.b + c.c < 0"


def connect(**options):
    """A connection as PGHOST and its kin say, in autocommit."""
    return psycopg.connect(**{"autocommit": True, **options})


failures = []


def equal(name, got, expected):
    """Compares; a difference is printed, and fails the script at its next `passed`."""
    if got != expected:
        failures.append(name)
        print(f"{name}\n  expected {expected!r}\n  got      {got!r}")


def refused(name, sqlstate, call):
    """`call()` must be refused with this SQLSTATE; returns the error."""
    try:
        equal(name, call(), f"refused with {sqlstate}")
    except psycopg.Error as error:
        equal(f"{name}: {error}", error.sqlstate, sqlstate)
        return error


def passed(what):
    """Says that the comparisons since the last one were equal, or ends the script."""
    if failures:
        sys.exit(f"not passed: {what}")
    print(f"passed: {what}", flush=True)
