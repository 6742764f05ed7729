"""SQLAlchemy reflects Kintone's apps and joins them; pandas reads frames."""

import datetime as dt
from decimal import Decimal

import pandas
import sqlalchemy
from sqlalchemy import MetaData, Table, create_engine, func, inspect, select, text
from world import CUSTOMERS, LONG, SELECT, equal, passed

engine = create_engine("postgresql+psycopg://", pool_pre_ping=True)

look = inspect(engine)
equal("tables", {"DEALS", "顧客台帳", "顧客台帳_連絡先", LONG} <= set(look.get_table_names()), True)
equal("columns", [(c["name"], str(c["type"]), c["nullable"]) for c in look.get_columns("DEALS")[:6]], [
    ("$id", "BIGINT", False), ("$revision", "BIGINT", False), ("件名", "TEXT", True), ("顧客", "TEXT", True),
    ("Amount", "NUMERIC", True), ("作業時間", "INTERVAL", True)])
equal("comment", (look.get_table_comment("DEALS"), look.get_columns("DEALS")[4]["comment"]), ({"text": "案件"}, "金額"))
equal("primary key", look.get_pk_constraint("顧客台帳_連絡先")["constrained_columns"], ["$id", "RowId"])
foreign, = look.get_foreign_keys("DEALS")
equal("foreign key", (foreign["constrained_columns"], foreign["referred_table"], foreign["referred_columns"]), (["顧客"], "顧客台帳", ["顧客コード"]))
equal("unique", sorted(u["column_names"] for u in look.get_unique_constraints("顧客台帳")), [["レコード番号"], ["顧客コード"]])
equal("indexes", sorted(i["name"] for i in look.get_indexes("顧客台帳")), ["顧客台帳_レコード番号_key", "顧客台帳_顧客コード_key"])
passed("SQLAlchemy reflects apps")

with engine.connect() as connection:
    deals = Table("DEALS", MetaData(), autoload_with=connection)
    customers = deals.metadata.tables["顧客台帳"]  # by the foreign key
    joined = select(customers.c.会社名, func.sum(deals.c.Amount)).select_from(deals.join(customers)).group_by(customers.c.会社名)
    equal("joined", set(connection.execute(joined).all()), {("青井商店", Decimal("1590")), (None, Decimal("1.5"))})
    page = select(deals.c.件名).where(deals.c.Amount.between(1, 100)).order_by(deals.c["$id"]).limit(5).offset(1)
    equal("a page", connection.scalars(page).all(), ["保守"])
    streamed = connection.execution_options(stream_results=True, yield_per=2).execute(text(SELECT))
    equal("streamed", [tuple(row) for row in streamed], CUSTOMERS)
    try:
        connection.execute(text("SELECT 無い列 FROM deals"))
    except sqlalchemy.exc.ProgrammingError as error:
        equal("SQLSTATE", error.orig.sqlstate, "42703")
passed("SQLAlchemy joins by the foreign key, pages and streams")

with engine.connect() as connection:
    frame = pandas.read_sql(text(SELECT), connection, index_col="$id", coerce_float=False)
    equal("shape", frame.shape, (3, 12))
    equal("names", frame["会社名"].dropna().tolist(), ["青井商店", "O'Brien & Sons"])
    equal("numbers", frame["残高"].dropna().tolist(), [Decimal("12345678901234567890.0123456789"), Decimal("-0.5")])
    equal("dates", frame["取引開始日"].dropna().tolist(), [dt.date(2020, 2, 29), dt.date(1999, 12, 31)])
    table = pandas.read_sql_table("DEALS", connection, columns=["件名", "Amount"])
    equal("a table", sorted(table["件名"]), sorted(["倉庫", "本社", "保守", "新規"]))
    chunks = pandas.read_sql(text("SELECT 件名 FROM deals ORDER BY id"), connection, chunksize=3)
    equal("chunks", [len(chunk) for chunk in chunks], [3, 1])
passed("pandas reads frames")
