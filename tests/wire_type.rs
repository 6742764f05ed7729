//! PostgreSQL's types on the wire, in text and in binary, both ways, through tokio-postgres.

use bytes::{BufMut, BytesMut};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use kintone_sql::engine::{EngineConfig, LocalTableSettings};
use serde_json::json;
use tokio_postgres::Client;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type};

use crate::support::door::{Door, run_simple};
use crate::support::world::{World, engine_of};

/// A value in the binary form of whatever type is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Raw(Vec<u8>);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw.to_vec()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl ToSql for Raw {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        out.put_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}

async fn open() -> (World, Door, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.ndjson");
    let line = r#"{"id": 1, "fee": 12.5, "code": "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "short": "ab", "owner": {"code": "x", "n": [1, 2]}}"#;
    std::fs::write(&file, line).unwrap();
    let columns = "id bigint primary key, fee numeric(12, 2), code uuid, short varchar(9), owner jsonb";
    let world = World::start(&json!({"users": [{"code": "demo", "password": "demo"}], "apps": []})).await;
    let config = EngineConfig {
        local_tables: vec![LocalTableSettings::new("ledger", file, columns).unwrap()],
        ..EngineConfig::default()
    };
    let door = Door::open(engine_of(&world.emulator.url(), ("demo", "demo"), config)).await;
    (world, door, folder)
}

async fn text(client: &Client, sql: &str) -> String {
    let answer = run_simple(client, sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    let shown = |value: Option<String>| value.unwrap_or_else(|| "NULL".into());
    let rows: Vec<String> =
        answer.rows.into_iter().map(|row| row.into_iter().map(shown).collect::<Vec<_>>().join("|")).collect();
    rows.join("\n")
}

async fn code(client: &Client, sql: &str) -> String {
    let error = client.simple_query(sql).await.err().unwrap_or_else(|| panic!("{sql}: no error"));
    error.code().unwrap().code().to_owned()
}

#[tokio::test]
async fn every_type_comes_back_as_it_was_sent() {
    let (_world, door, _folder) = open().await;
    let client = door.connect().await;
    let numeric = |parts: &[u16]| Raw(parts.iter().flat_map(|part| part.to_be_bytes()).collect());
    let array = |parts: &[i32]| Raw(parts.iter().flat_map(|part| part.to_be_bytes()).collect());
    for (name, wire, value) in [
        ("boolean", Type::BOOL, Raw(vec![1])),
        ("smallint", Type::INT2, Raw((-7_i16).to_be_bytes().to_vec())),
        ("int", Type::INT4, Raw(i32::MIN.to_be_bytes().to_vec())),
        ("bigint", Type::INT8, Raw(i64::MAX.to_be_bytes().to_vec())),
        ("real", Type::FLOAT4, Raw(1.5_f32.to_be_bytes().to_vec())),
        ("double precision", Type::FLOAT8, Raw(f64::NEG_INFINITY.to_be_bytes().to_vec())),
        ("text", Type::TEXT, Raw("髙﨑".as_bytes().to_vec())),
        ("varchar", Type::VARCHAR, Raw(b"a b ".to_vec())),
        ("bpchar", Type::BPCHAR, Raw(b"a".to_vec())),
        ("name", Type::NAME, Raw(b"n".to_vec())),
        ("oid", Type::OID, Raw(u32::MAX.to_be_bytes().to_vec())),
        ("bytea", Type::BYTEA, Raw(vec![0, 255, b'\\'])),
        ("uuid", Type::UUID, Raw((0..16).collect())),
        ("json", Type::JSON, Raw(br#"{"b":1 ,"a":[null]}"#.to_vec())),
        ("jsonb", Type::JSONB, Raw(b"\x01{\"a\": [1, null]}".to_vec())),
        ("date", Type::DATE, Raw(i32::MAX.to_be_bytes().to_vec())),
        ("date", Type::DATE, Raw((-730_000_i32).to_be_bytes().to_vec())),
        ("time", Type::TIME, Raw(86_400_000_000_i64.to_be_bytes().to_vec())),
        ("timestamp", Type::TIMESTAMP, Raw(i64::MIN.to_be_bytes().to_vec())),
        ("timestamp", Type::TIMESTAMP, Raw(1_i64.to_be_bytes().to_vec())),
        ("timestamptz", Type::TIMESTAMPTZ, Raw(i64::MAX.to_be_bytes().to_vec())),
        ("interval", Type::INTERVAL, Raw([&(-1_i64).to_be_bytes()[..], &[0, 0, 0, 3, 0, 0, 0, 14]].concat())),
        ("numeric", Type::NUMERIC, numeric(&[2, 0, 0, 2, 1, 5000])),
        ("numeric", Type::NUMERIC, numeric(&[0, 0, 0, 3])),
        ("numeric", Type::NUMERIC, numeric(&[1, 8, 0x4000, 0, 99])),
        ("numeric", Type::NUMERIC, numeric(&[0, 0, 0xc000, 0])),
        ("numeric", Type::NUMERIC, numeric(&[0, 0, 0xd000, 32])),
        ("numeric", Type::NUMERIC, numeric(&[0, 0, 0xf000, 32])),
        ("int[]", Type::INT4_ARRAY, array(&[2, 1, 23, 2, 1, 1, 1, 4, 7, -1])),
        ("int[]", Type::INT4_ARRAY, array(&[0, 0, 23])),
        ("bool[]", Type::BOOL_ARRAY, Raw([&array(&[1, 0, 16, 1, 1, 1]).0[..], &[1]].concat())),
        ("date[]", Type::DATE_ARRAY, array(&[1, 0, 1082, 1, 1, 4, 0])),
        ("uuid[]", Type::UUID_ARRAY, Raw([&array(&[1, 0, 2950, 1, 1, 16]).0[..], &[7; 16]].concat())),
        ("jsonb[]", Type::JSONB_ARRAY, Raw([&array(&[1, 0, 3802, 1, 1, 3]).0[..], b"\x0142"].concat())),
        ("timestamptz[]", Type::TIMESTAMPTZ_ARRAY, array(&[1, 0, 1184, 1, 1, 8, 0, 5])),
        ("text[]", Type::TEXT_ARRAY, Raw([&array(&[1, 1, 25, 2, 1, 0, -1]).0[..], b""].concat())),
    ] {
        for sql in [format!("SELECT $1::{name}"), "SELECT $1".to_owned()] {
            let statement = client.prepare_typed(&sql, std::slice::from_ref(&wire)).await.unwrap();
            assert_eq!(statement.columns()[0].type_(), &wire, "{sql} of {name}");
            let row = client
                .query_one(&statement, &[&value])
                .await
                .unwrap_or_else(|e| panic!("{sql} {name}: {e:?}"));
            assert_eq!(row.get::<_, Raw>(0), value, "{sql} of {name}");
            let null: Option<Raw> = client.query_one(&statement, &[&None::<Raw>]).await.unwrap().get(0);
            assert_eq!(null, None);
        }
    }
}

#[tokio::test]
async fn a_parameter_is_of_the_type_that_it_is_cast_to() {
    let (_world, door, _folder) = open().await;
    let client = door.connect().await;
    for (sql, types) in [
        (
            "SELECT $1::uuid, $2::json, $3::jsonb, $4::oid",
            vec![Type::UUID, Type::JSON, Type::JSONB, Type::OID],
        ),
        ("SELECT $1::numeric, $2::varchar, $3::bytea", vec![Type::NUMERIC, Type::VARCHAR, Type::BYTEA]),
        ("SELECT $1::text[], $2::date[]", vec![Type::TEXT_ARRAY, Type::DATE_ARRAY]),
        (
            "SELECT 1 FROM ledger WHERE id = ANY ($1) AND id <> ALL ($2)",
            vec![Type::INT8_ARRAY, Type::INT8_ARRAY],
        ),
        ("SELECT 1 FROM ledger WHERE code = $1 OR $2::int IS NULL OR id = $2", vec![Type::UUID, Type::INT4]),
        ("SELECT 1 FROM ledger WHERE fee > $1 LIMIT $2", vec![Type::NUMERIC, Type::INT8]),
        ("SELECT $1::timestamptz - $2::interval", vec![Type::TIMESTAMPTZ, Type::INTERVAL]),
    ] {
        let statement = client.prepare(sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
        assert_eq!(statement.params(), types, "{sql}");
    }
    let sql = "SELECT id FROM ledger WHERE id = ANY ($1) AND id <> ALL ($2)";
    let rows = client.query(sql, &[&vec![1_i64, 2], &vec![Some(9_i64)]]).await.unwrap();
    assert_eq!(rows.len(), 1);
    let rows = client.query(sql, &[&vec![1_i64, 2], &vec![Some(9_i64), None]]).await.unwrap();
    assert_eq!(rows.len(), 0, "nobody knows whether it is the NULL");
    let rows = client.query("SELECT unnest($1::text[])", &[&vec![Some("a"), None]]).await.unwrap();
    let rows: Vec<Option<String>> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(rows, [Some("a".to_owned()), None]);
    let day = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
    let noon = day.and_hms_micro_opt(12, 0, 0, 1).unwrap();
    let row = client
        .query_one(
            "SELECT $1::date, $2::timestamp, $3::timestamptz, $4::time",
            &[&day, &noon, &noon.and_utc(), &NaiveTime::from_hms_opt(23, 59, 59).unwrap()],
        )
        .await
        .unwrap();
    let back: (NaiveDate, NaiveDateTime, DateTime<Utc>) = (row.get(0), row.get(1), row.get(2));
    assert_eq!(back, (day, noon, noon.and_utc()));
}

#[tokio::test]
async fn numerics_keep_the_scale_that_they_are_written_with() {
    let (_world, door, _folder) = open().await;
    let client = door.connect().await;
    for (sql, expected) in [
        ("SELECT 1.50::numeric, '1.50'::numeric, 1.50, -1.50, 1::numeric", "1.50|1.50|1.50|-1.50|1"),
        ("SELECT 1::numeric(12, 2), '1.005'::numeric(12, 2), 1.10 + 1, 1.10 * 1.10", "1.00|1.01|2.10|1.2100"),
        (
            "SELECT fee, fee * 2, sum(fee) OVER (), round(fee, 1), fee / 2 FROM ledger",
            "12.50|25.00|12.5|12.5|6.25",
        ),
        ("SELECT sum(fee), max(fee), min(fee), avg(fee) FROM ledger", "12.50|12.50|12.50|12.5"),
        ("SELECT fee FROM (SELECT fee FROM ledger UNION ALL SELECT 1.00) x ORDER BY 1", "1.00\n12.50"),
        ("SELECT 'NaN'::numeric, '-inf'::numeric", "NaN|-Infinity"),
        (
            "SELECT round(2.5), 10.0 / 4, 12345678901234567890123456789012345678",
            "3|2.5|12345678901234567890123456789012345678",
        ),
    ] {
        assert_eq!(text(&client, sql).await, expected, "{sql}");
    }
    for (sql, expected) in [
        ("SELECT 'NaN'::numeric + 1", "0A000"),
        ("SELECT 1 WHERE 'Infinity'::numeric > 1", "0A000"),
        ("SELECT '100.5'::numeric(3, 1)", "22003"),
        ("SELECT '1e40'::numeric", "22003"),
    ] {
        assert_eq!(code(&client, sql).await, expected, "{sql}");
    }
    let parameter = Raw([2_u16, 0, 0, 2, 1, 5000].iter().flat_map(|part| part.to_be_bytes()).collect());
    let row = client.query_one("SELECT ($1::numeric + 1)::text", &[&parameter]).await.unwrap();
    assert_eq!(row.get::<_, String>(0), "2.50");
}

#[tokio::test]
async fn literals_are_read_as_postgresql_reads_them() {
    let (_world, door, _folder) = open().await;
    let client = door.connect().await;
    client.batch_execute("SET TimeZone = 'Asia/Tokyo'").await.unwrap();
    for (sql, expected) in [
        (
            "SELECT '2024-01-01 +00'::date, DATE 'infinity', '0044-03-15 BC'::date",
            "2024-01-01|infinity|0044-03-15 BC",
        ),
        (
            "SELECT '03:00'::time, TIME '24:00:00', '2025-01-01 12:00'::timestamp",
            "03:00:00|24:00:00|2025-01-01 12:00:00",
        ),
        (
            "SELECT '2025-01-01 12:00'::timestamptz, '2025-01-01 12:00Z'::timestamptz",
            "2025-01-01 12:00:00+09|2025-01-01 21:00:00+09",
        ),
        (
            "SELECT '-infinity'::timestamptz, '0001-01-01 00:00:00 BC'::timestamp",
            "-infinity|0001-01-01 00:00:00 BC",
        ),
        (
            "SELECT INTERVAL 'P1DT2H', '1 day -00:00:01'::interval, INTERVAL '1-2'",
            "1 day 02:00:00|1 day -00:00:01|1 year 2 mons",
        ),
        ("SELECT '\\x00ff'::bytea, 'a\\\\\\001'::bytea", "\\x00ff|\\x615c01"),
        ("SELECT 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("SELECT '{\"b\":1 }'::json, '{\"b\":1 }'::jsonb", "{\"b\":1 }|{\"b\": 1}"),
        ("SELECT '[0:1]={a,NULL}'::text[], '{{1,2},{3,4}}'::int[]", "{a,NULL}|{{1,2},{3,4}}"),
        ("SELECT 'abcdef'::varchar(3), 'abc'::char, 'x'::name", "abc|a|x"),
        ("SELECT count(*) FROM ledger WHERE code = 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid", "1"),
        (
            "SELECT count(*) FROM ledger WHERE code IN ('A0EEBC999C0B4EF8BB6D6BB9BD380A11') AND code = upper(code::text)",
            "0",
        ),
        (
            "SELECT count(*) FROM ledger WHERE code = 'A0EEBC999C0B4EF8BB6D6BB9BD380A11' AND id IN ('1', '7')",
            "1",
        ),
        ("SELECT count(*) FROM ledger WHERE id NOT IN (7, NULL) AND id IN (1, NULL)", "0"),
        ("SELECT count(*) FROM ledger WHERE id = ANY ('{1,2}') AND short <> ALL ('{a,b}')", "1"),
        ("SELECT count(*) FROM ledger WHERE id <> ALL ('{2,NULL}')", "0"),
        ("SELECT count(*) FROM ledger WHERE id > ANY ('{0,5}') AND id < ALL ('{2,3}')", "1"),
        (
            "SELECT owner ->> 'code', owner -> 'n' -> 0, owner #>> '{n,1}', owner -> 'n' FROM ledger",
            "x|1|2|[1, 2]",
        ),
        ("SELECT indkey, indkey::text FROM pg_index LIMIT 1", "1|1"),
    ] {
        assert_eq!(text(&client, sql).await, expected, "{sql}");
    }
    for (sql, expected) in [
        ("SELECT 'x'::int", "22P02"),
        ("SELECT 'soon'::date", "22007"),
        ("SELECT '2024-13-01'::date", "22008"),
        ("SELECT 1 FROM ledger WHERE id = ANY ('{1,x}')", "22P02"),
        ("SELECT 'x'::uuid", "22P02"),
        ("SELECT '{'::json", "22P02"),
        ("SELECT '9999999999'::int", "22003"),
    ] {
        assert_eq!(code(&client, sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn whole_numbers_are_integers_where_they_fit() {
    let (_world, door, _folder) = open().await;
    let client = door.connect().await;
    let sql = "SELECT 1, -1, 2 + 3, CASE WHEN true THEN 7 END, 3000000000, count(*), id, $1 || $2 FROM ledger \
               GROUP BY id ORDER BY 1 LIMIT 5";
    let statement = client.prepare(sql).await.unwrap();
    let types: Vec<_> = statement.columns().iter().map(|column| column.type_().clone()).collect();
    let (int4, int8) = (Type::INT4, Type::INT8);
    let expected =
        [int4.clone(), int4.clone(), int4.clone(), int4, int8.clone(), int8.clone(), int8, Type::TEXT];
    assert_eq!(types, expected);
    let row = client.query_one(&statement, &[&"a", &"b"]).await.unwrap();
    assert_eq!((row.get::<_, i32>(2), row.get::<_, i64>(4), row.get::<_, &str>(7)), (5, 3_000_000_000, "ab"));
    assert_eq!(code(&client, "SELECT 2147483647 + 1").await, "22003");
}

#[tokio::test]
async fn a_catalogs_vectors_are_vectors() {
    let (_world, door, _folder) = open().await;
    let client = door.connect().await;
    let statement =
        client.prepare("SELECT indkey, indclass FROM pg_index WHERE indisprimary LIMIT 1").await.unwrap();
    assert_eq!(statement.columns()[0].type_(), &Type::INT2_VECTOR);
    assert_eq!(statement.columns()[1].type_(), &Type::OID_VECTOR);
    let row = client.query_one(&statement, &[]).await.unwrap();
    let key: Raw = row.get(0);
    assert_eq!(key.0, [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 21, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1]);
}

#[tokio::test]
async fn what_is_no_value_names_its_parameter_and_the_session_goes_on() {
    let (_world, door, _folder) = open().await;
    let client = door.connect().await;
    for (wire, bytes, expected) in [
        (Type::INT4, &b"\0\0\0"[..], "22P03"),
        (Type::UUID, &[1, 2], "22P03"),
        (Type::NUMERIC, &[0, 1], "22P03"),
        (Type::TEXT, &[0xff], "22021"),
        (Type::JSONB, b"\x02{}", "22P03"),
        (Type::JSON, b"{", "22P02"),
        (
            Type::INT4_ARRAY,
            &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1],
            "22P03",
        ),
        (Type::INT4_ARRAY, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 25], "42804"),
    ] {
        let statement =
            client.prepare_typed("SELECT $1::int, $2", &[Type::INT4, wire.clone()]).await.unwrap();
        let error = client.query(&statement, &[&7, &Raw(bytes.to_vec())]).await.unwrap_err();
        let error = error.as_db_error().unwrap();
        assert_eq!(error.code().code(), expected, "{wire}: {error}");
        assert!(error.message().contains("$2"), "{error}");
    }
    let row = client.query_one("SELECT 1", &[]).await.unwrap();
    assert_eq!(row.get::<_, i32>(0), 1);
}
