"""psycopg 3: what the catalog tells of Kintone's apps, and types by their name."""

from psycopg.types import TypeInfo
from world import LONG, connect, equal, passed

connection = connect()
ask = lambda *query: connection.execute(*query).fetchall()

for name, oid, array in [("jsonb", 3802, 3807), ("numeric", 1700, 1231), ("timestamptz", 1184, 1185), ("uuid", 2950, 2951)]:
    found = TypeInfo.fetch(connection, name)
    equal(name, (found.oid, found.array_oid), (oid, array))
equal("no type", TypeInfo.fetch(connection, "no_such_type"), None)

equal("columns", ask("""
    SELECT column_name, ordinal_position, is_nullable, data_type, udt_name, numeric_precision
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'DEALS' AND ordinal_position <= 6
    ORDER BY ordinal_position"""), [
    ("$id", 1, "NO", "bigint", "int8", 64), ("$revision", 2, "NO", "bigint", "int8", 64), ("件名", 3, "YES", "text", "text", None),
    ("顧客", 4, "YES", "text", "text", None), ("Amount", 5, "YES", "numeric", "numeric", None),
    ("作業時間", 6, "YES", "interval", "interval", None)])
equal("comments", ask("""
    SELECT c.relname, obj_description(c.oid, 'pg_class'), a.attname, col_description(c.oid, a.attnum)
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
    WHERE c.oid = 'deals'::regclass AND a.attname = 'Amount'"""), [("DEALS", "案件", "Amount", "金額")])
equal("keys", ask("""
    SELECT conrelid::regclass::text, contype, pg_get_constraintdef(oid) FROM pg_catalog.pg_constraint
    WHERE conrelid IN ('deals'::regclass, '顧客台帳_連絡先'::regclass) ORDER BY 1, 2, 3"""), [
    ('"DEALS"', "f", "FOREIGN KEY (\"顧客\") REFERENCES \"顧客台帳\"(\"顧客コード\")"), ('"DEALS"', "p", 'PRIMARY KEY ("$id")'),
    ('"DEALS"', "u", 'UNIQUE ("レコード番号")'),
    ('"顧客台帳_連絡先"', "f", 'FOREIGN KEY ("$id") REFERENCES "顧客台帳"("$id")'), ('"顧客台帳_連絡先"', "p", 'PRIMARY KEY ("$id", "RowId")')])
equal("64 kanji", ask("SELECT relname FROM pg_catalog.pg_class WHERE relname = %s", (LONG,)), [(LONG,)])
equal("names of 255 bytes", ask("SELECT typlen, current_setting('max_identifier_length') FROM pg_catalog.pg_type WHERE typname = 'name'"), [(255, "255")])
passed("psycopg sees columns, comments and keys in the catalog")
