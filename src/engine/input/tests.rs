use super::*;

fn shown(text: &str, sql_type: &SqlType) -> Result<String, &'static str> {
    match read(text, sql_type, chrono_tz::Asia::Tokyo) {
        Ok(value) => Ok(format!("{value:?}")),
        Err(error) => Err(error.kind.sqlstate()),
    }
}

fn array(item: SqlType) -> SqlType {
    SqlType::Array(Box::new(item))
}

#[test]
fn texts_are_read_as_postgresql_reads_them() {
    for (text, sql_type, expected) in [
        ("t", SqlType::Bool, "Boolean(true)"),
        (" off ", SqlType::Bool, "Boolean(false)"),
        ("-12", SqlType::Int4, "Int32(-12)"),
        ("2249", SqlType::Oid, "Int64(2249)"),
        ("-1", SqlType::Oid, "Int64(4294967295)"),
        ("1e2", SqlType::Float8, "Float64(100)"),
        ("NaN", SqlType::Float8, "Float64(NaN)"),
        ("-inf", SqlType::Float8, "Float64(-inf)"),
        ("-1.50", SqlType::Numeric, "Decimal128(-1.50,3,2)"),
        ("1.5e3", SqlType::Numeric, "Decimal128(1500,4,0)"),
        (".5", SqlType::Numeric, "Decimal128(0.5,1,1)"),
        ("1e-10", SqlType::Numeric, "Decimal128(0.0000000001,10,10)"),
        ("0.00", SqlType::Numeric, "Decimal128(0.00,2,2)"),
        (" a ", SqlType::Text, "Utf8(\" a \")"),
        ("a  ", SqlType::Bpchar, "Utf8(\"a\")"),
        ("\\x00fF", SqlType::Bytea, "Binary(\"0,255\")"),
        ("\\x00 fF", SqlType::Bytea, "Binary(\"0,255\")"),
        ("a\\\\\\001", SqlType::Bytea, "Binary(\"97,92,1\")"),
        ("1 2", SqlType::Int2Vector, "List([1, 2])"),
    ] {
        assert_eq!(shown(text, &sql_type).as_deref(), Ok(expected), "{text}");
    }
    let uuid = "Utf8(\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\")";
    for text in [
        "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
        "{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}",
        "a0eebc999c0b4ef8bb6d6bb9bd380a11",
    ] {
        assert_eq!(shown(text, &SqlType::Uuid).as_deref(), Ok(uuid), "{text}");
    }
}

#[test]
fn a_numeric_has_38_digits_or_is_none() {
    let widest = "99999999999999999999999999999999999999";
    assert_eq!(shown(widest, &SqlType::Numeric), Ok(format!("Decimal128({widest},38,0)")));
    assert_eq!(shown(&format!("{widest}9"), &SqlType::Numeric), Err("22003"));
    assert_eq!(shown("1e38", &SqlType::Numeric), Err("22003"));
    assert_eq!(shown("1e-39", &SqlType::Numeric), Err("22003"));
    for (text, name) in [("nan", "NaN"), ("inf", "Infinity"), ("-Infinity", "-Infinity")] {
        let value = read(text, &SqlType::Numeric, chrono_tz::UTC).unwrap();
        assert_eq!(special_of(&value), Some(name));
    }
}

/// Days and times as the text column of a result prints them.
fn printed(text: &str, sql_type: &SqlType) -> Result<String, &'static str> {
    let zone = chrono_tz::America::New_York;
    let value = read(text, sql_type, zone).map_err(|error| error.kind.sqlstate())?;
    let array = value.to_array().unwrap();
    let options = crate::engine::TextOptions { time_zone: zone };
    let mut out = String::new();
    crate::engine::TextColumn::new(&array, sql_type, options).unwrap().append(&mut out, 0);
    Ok(out)
}

#[test]
fn days_and_times_are_read_in_every_form() {
    use SqlType::{Date, Time, Timestamp, TimestampTz};
    for (text, sql_type, expected) in [
        ("2026-04-24", Date, "2026-04-24"),
        ("2026-04-24 10:00:00", Date, "2026-04-24"),
        ("2024-01-01 +00", Date, "2024-01-01"),
        ("2024-01-01+09", Date, "2024-01-01"),
        ("20240229", Date, "2024-02-29"),
        ("1/8/1999", Date, "1999-01-08"),
        ("January 8, 1999", Date, "1999-01-08"),
        ("8 Jan 1999", Date, "1999-01-08"),
        ("1999-Jan-08", Date, "1999-01-08"),
        ("08-Jan-99", Date, "1999-01-08"),
        ("Friday 1999-01-08", Date, "1999-01-08"),
        ("0044-03-15 BC", Date, "0044-03-15 BC"),
        ("12024-01-01", Date, "12024-01-01"),
        ("J2451187", Date, "1999-01-08"),
        ("epoch", Date, "1970-01-01"),
        ("infinity", Date, "infinity"),
        ("-Infinity", Date, "-infinity"),
        ("03:00", Time, "03:00:00"),
        ("24:00:00", Time, "24:00:00"),
        ("23:59:60", Time, "24:00:00"),
        ("04:05:06.789", Time, "04:05:06.789"),
        ("04:05:06.7899995", Time, "04:05:06.79"),
        ("040506", Time, "04:05:06"),
        ("0405", Time, "04:05:00"),
        ("04:05 PM", Time, "16:05:00"),
        ("12:05am", Time, "00:05:00"),
        ("04:05:06+09", Time, "04:05:06"),
        ("2024-01-01 04:05:06", Time, "04:05:06"),
        ("2025-01-01 12:00", Timestamp, "2025-01-01 12:00:00"),
        ("2026-04-24T12:00:00Z", Timestamp, "2026-04-24 12:00:00"),
        ("2026-04-24 24:00:00", Timestamp, "2026-04-25 00:00:00"),
        ("0001-01-01 00:00:00.000001 BC", Timestamp, "0001-01-01 00:00:00.000001 BC"),
        ("20260424T123456", Timestamp, "2026-04-24 12:34:56"),
        ("Jan 5 2024 3:04:05 PM", Timestamp, "2024-01-05 15:04:05"),
        ("infinity", Timestamp, "infinity"),
        ("-infinity", TimestampTz, "-infinity"),
        ("epoch", TimestampTz, "1969-12-31 19:00:00-05"),
        ("2026-04-24 12:00:00", TimestampTz, "2026-04-24 12:00:00-04"),
        ("2026-04-24", TimestampTz, "2026-04-24 00:00:00-04"),
        ("2026-04-24T16:00:00Z", TimestampTz, "2026-04-24 12:00:00-04"),
        ("2026-04-24 18:00:00+02", TimestampTz, "2026-04-24 12:00:00-04"),
        ("2026-04-24 21:30:00.000+0530", TimestampTz, "2026-04-24 12:00:00-04"),
        ("2026-04-24 18:00:00 Europe/Paris", TimestampTz, "2026-04-24 12:00:00-04"),
        ("2026-04-24 18:00:00 europe/paris", TimestampTz, "2026-04-24 12:00:00-04"),
        ("2026-04-25 01:00 JST", TimestampTz, "2026-04-24 12:00:00-04"),
        // Left out by the clocks, and shown twice by them.
        ("2024-03-10 02:30", TimestampTz, "2024-03-10 03:30:00-04"),
        ("2024-11-03 01:30", TimestampTz, "2024-11-03 01:30:00-05"),
    ] {
        assert_eq!(printed(text, &sql_type).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn intervals_are_read_in_every_form() {
    for (text, expected) in [
        ("1 day", "1 day"),
        ("25:01:00", "25:01:00"),
        ("1 mon 2 days 03:04:05", "1 mon 2 days 03:04:05"),
        ("1 day -00:00:01", "1 day -00:00:01"),
        ("-1 day +02:03:04.5", "-1 days +02:03:04.5"),
        ("1 day 02:03:04", "1 day 02:03:04"),
        ("P1DT2H", "1 day 02:00:00"),
        ("P1Y2M3W4DT5H6M7.5S", "1 year 2 mons 25 days 05:06:07.5"),
        ("P-1DT-2H", "-1 days -02:00:00"),
        ("P0001-02-03T04:05:06", "1 year 2 mons 3 days 04:05:06"),
        ("PT0.000001S", "00:00:00.000001"),
        ("1.5 days", "1 day 12:00:00"),
        ("1.5 months", "1 mon 15 days"),
        ("0.5 year", "6 mons"),
        ("2 weeks 3 days", "17 days"),
        ("1h30m", "01:30:00"),
        ("1d2h", "1 day 02:00:00"),
        ("@ 1 minute 2.5 secs ago", "-00:01:02.5"),
        ("1-2", "1 year 2 mons"),
        ("-1-2", "-1 years -2 mons"),
        ("3 4:05:06", "3 days 04:05:06"),
        ("4:05.6", "00:04:05.6"),
        ("90", "00:01:30"),
        ("-1.5", "-00:00:01.5"),
        ("1 decade", "10 years"),
        ("3 days 00:00:05", "3 days 00:00:05"),
    ] {
        assert_eq!(printed(text, &SqlType::Interval).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn arrays_have_dimensions_nulls_and_bounds() {
    for (text, sql_type, expected) in [
        (r#"{a, "b c" ,NULL,"NULL","q\"\\"}"#, array(SqlType::Text), r#"{a,"b c",NULL,"NULL","q\"\\"}"#),
        ("{}", array(SqlType::Int8), "{}"),
        (" { 1 , 2 } ", array(SqlType::Int8), "{1,2}"),
        ("{1.5,2.25,10}", array(SqlType::Numeric), "{1.5,2.25,10}"),
        ("{NULL}", array(SqlType::Numeric), "{NULL}"),
        ("{{1,2},{3,NULL}}", array(SqlType::Int4), "{{1,2},{3,NULL}}"),
        ("[0:1]={a,b}", array(SqlType::Text), "{a,b}"),
        ("[1:1][-2:-1]={{3,4}}", array(SqlType::Int4), "{{3,4}}"),
        ("{a\\,b, c d }", array(SqlType::Text), r#"{"a,b","c d"}"#),
        ("{\\null}", array(SqlType::Text), r#"{"null"}"#),
        ("{2026-04-24,infinity}", array(SqlType::Date), "{2026-04-24,infinity}"),
        ("{t,f}", array(SqlType::Bool), "{t,f}"),
        (r#"{"{\"a\": 1}"}"#, array(SqlType::Jsonb), r#"{"{\"a\": 1}"}"#),
    ] {
        let value = read(text, &sql_type, chrono_tz::UTC).unwrap();
        let depth =
            if text.contains("{{1") || text.contains("={{") { array(sql_type.clone()) } else { sql_type };
        let options = crate::engine::TextOptions { time_zone: chrono_tz::UTC };
        let mut out = String::new();
        let column = crate::engine::TextColumn::new(&value.to_array().unwrap(), &depth, options).unwrap();
        column.append(&mut out, 0);
        assert_eq!(out, expected, "{text}");
    }
}

#[test]
fn what_is_not_a_value_is_an_error() {
    for (text, sql_type, code) in [
        ("maybe", SqlType::Bool, "22P02"),
        ("", SqlType::Int4, "22P02"),
        ("1.5", SqlType::Int4, "22P02"),
        ("40000", SqlType::Int2, "22003"),
        ("9223372036854775808", SqlType::Int8, "22003"),
        ("99999999999999999999999999999999999999999", SqlType::Int8, "22003"),
        ("1e400", SqlType::Float8, "22003"),
        ("1e39", SqlType::Float4, "22003"),
        ("1.2.3", SqlType::Numeric, "22P02"),
        ("1e", SqlType::Numeric, "22P02"),
        ("{\"a\":", SqlType::Jsonb, "22P02"),
        ("a0eebc99", SqlType::Uuid, "22P02"),
        ("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1-1", SqlType::Uuid, "22P02"),
        ("\\x0", SqlType::Bytea, "22023"),
        ("\\xzz", SqlType::Bytea, "22023"),
        ("\\9", SqlType::Bytea, "22P02"),
        ("2026-02-30", SqlType::Date, "22008"),
        ("2024-13-01", SqlType::Date, "22008"),
        ("0000-01-01", SqlType::Date, "22008"),
        ("999999-01-01", SqlType::Date, "22008"),
        ("12:00", SqlType::Date, "22007"),
        ("25:00", SqlType::Time, "22008"),
        ("24:00:01", SqlType::Time, "22008"),
        ("12:60", SqlType::Time, "22008"),
        ("13:00 PM", SqlType::Time, "22008"),
        ("2024-01-01", SqlType::Time, "22007"),
        ("soon", SqlType::TimestampTz, "22007"),
        ("", SqlType::Timestamp, "22007"),
        ("2024-01-01 12:00 Nowhere/City", SqlType::TimestampTz, "22023"),
        ("2024-01-01 12:00+99", SqlType::TimestampTz, "22008"),
        ("", SqlType::Interval, "22007"),
        ("1:70", SqlType::Interval, "22008"),
        ("1 parsec", SqlType::Interval, "22007"),
        ("P", SqlType::Interval, "22007"),
        ("P1DT", SqlType::Interval, "22007"),
        ("99999999999 years", SqlType::Interval, "22008"),
        ("{a", array(SqlType::Text), "22P02"),
        ("{a,}", array(SqlType::Text), "22P02"),
        ("{a}b", array(SqlType::Text), "22P02"),
        ("{{1},{2,3}}", array(SqlType::Int4), "22P02"),
        ("{{},{}}", array(SqlType::Int4), "22P02"),
        ("{{1},2}", array(SqlType::Int4), "22P02"),
        ("{x}", array(SqlType::Int4), "22P02"),
        ("[2:1]={a}", array(SqlType::Text), "22P02"),
        ("{NaN}", array(SqlType::Numeric), "0A000"),
    ] {
        assert_eq!(shown(text, &sql_type), Err(code), "{text}");
    }
}

#[test]
fn any_text_is_a_value_or_an_error() {
    let pieces = [
        "",
        "-",
        "+",
        ":",
        "1",
        "999999999999999999999",
        ".",
        "é",
        "{",
        "}",
        "\"",
        "\\",
        "T",
        "P",
        "e",
        "[0:",
        "]=",
    ];
    let types = [
        SqlType::Numeric,
        SqlType::Date,
        SqlType::Time,
        SqlType::TimestampTz,
        SqlType::Interval,
        SqlType::Uuid,
        SqlType::Bytea,
        array(SqlType::Text),
    ];
    for a in pieces {
        for b in pieces {
            for c in pieces {
                for sql_type in &types {
                    let _ = read(&format!("{a}{b}{c}"), sql_type, chrono_tz::UTC);
                }
            }
        }
    }
}
