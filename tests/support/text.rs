//! A value as a test file writes it, and a value of PostgreSQL's binary format as text.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta};
use chrono_tz::Tz;
use tokio_postgres::types::{Kind, Type};

/// One value on one line: NULL and empty text have names; what cannot be seen is escaped.
pub(crate) fn shown(value: Option<&str>) -> String {
    match value {
        None => "NULL".into(),
        Some("") => "(empty)".into(),
        Some(text) => {
            let body = text.trim_matches(' ');
            let blanks = |count: usize| "␠".repeat(count);
            let before = text.len() - text.trim_start_matches(' ').len();
            let after = text.len() - before - body.len();
            let body = body.replace('\n', "\\n").replace('\t', "\\t").replace('\r', "\\r");
            format!("{}{body}{}", blanks(before), blanks(after))
        }
    }
}

/// The text of a value of PostgreSQL's binary format, by the rules of each type's output function.
pub(crate) fn from_binary(sql_type: &Type, bytes: &[u8], zone: Tz) -> String {
    if let Kind::Array(item) = sql_type.kind() {
        return array(item, bytes, zone);
    }
    let epoch = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap();
    let instant = || epoch.and_time(NaiveTime::MIN) + TimeDelta::microseconds(int(bytes));
    match *sql_type {
        Type::BOOL => if bytes == [1] { "t" } else { "f" }.into(),
        Type::INT2 | Type::INT4 | Type::INT8 => int(bytes).to_string(),
        Type::OID | Type::XID => (int(bytes) & 0xffff_ffff).to_string(),
        Type::FLOAT4 => f32::from_be_bytes(bytes.try_into().unwrap()).to_string(),
        Type::FLOAT8 => f64::from_be_bytes(bytes.try_into().unwrap()).to_string(),
        Type::NUMERIC => numeric(bytes),
        Type::DATE => (epoch + TimeDelta::days(int(bytes))).to_string(),
        Type::TIME => time(NaiveTime::MIN + TimeDelta::microseconds(int(bytes))),
        Type::TIMESTAMP => timestamp(instant()),
        Type::TIMESTAMPTZ => {
            let local: DateTime<Tz> = instant().and_utc().with_timezone(&zone);
            let offset = local.offset().fix().local_minus_utc();
            let sign = if offset < 0 { '-' } else { '+' };
            let (hours, minutes) = (offset.abs() / 3600, offset.abs() / 60 % 60);
            let minutes = if minutes == 0 { String::new() } else { format!(":{minutes:02}") };
            format!("{}{sign}{hours:02}{minutes}", timestamp(local.naive_local()))
        }
        Type::INTERVAL => interval(bytes),
        Type::JSONB => String::from_utf8(bytes[1..].to_vec()).unwrap(),
        Type::BYTEA => bytes.iter().fold("\\x".into(), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        }),
        _ => String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

/// A signed number of 1 to 8 bytes.
fn int(bytes: &[u8]) -> i64 {
    let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    bytes.iter().fold(if negative { -1 } else { 0 }, |sum, byte| (sum << 8) | i64::from(*byte))
}

fn time(time: NaiveTime) -> String {
    trim_fraction(&time.format("%H:%M:%S%.6f").to_string())
}

fn timestamp(stamp: NaiveDateTime) -> String {
    trim_fraction(&stamp.format("%Y-%m-%d %H:%M:%S%.6f").to_string())
}

fn trim_fraction(text: &str) -> String {
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Digits in groups of four from the group `weight` on, cut to the display scale.
fn numeric(bytes: &[u8]) -> String {
    let part = |at: usize| i16::from_be_bytes(bytes[2 * at..2 * at + 2].try_into().unwrap());
    let (count, weight, sign, scale) = (part(0), part(1), part(2), part(3));
    let group = |at: i16| {
        let index = weight - at;
        if (0..count).contains(&index) { part(4 + usize::try_from(index).unwrap()) } else { 0 }
    };
    let integer: String = (0..=weight.max(0)).rev().map(|at| format!("{:04}", group(at))).collect();
    let fraction: String = (1..=(scale + 3) / 4).map(|at| format!("{:04}", group(-at))).collect();
    let integer = integer.trim_start_matches('0');
    let integer = if integer.is_empty() { "0" } else { integer };
    let point = if scale > 0 { "." } else { "" };
    let minus = if sign == 0x4000 { "-" } else { "" };
    format!("{minus}{integer}{point}{}", &fraction[..usize::try_from(scale).unwrap()])
}

/// Style `postgres`.
fn interval(bytes: &[u8]) -> String {
    let (micros, days, months) = (int(&bytes[..8]), int(&bytes[8..12]), int(&bytes[12..16]));
    let unit = |count: i64, name: &str| match count {
        0 => None,
        1 => Some(format!("1 {name}")),
        _ => Some(format!("{count} {name}s")),
    };
    let mut parts: Vec<String> = [unit(months / 12, "year"), unit(months % 12, "mon"), unit(days, "day")]
        .into_iter()
        .flatten()
        .collect();
    if micros != 0 || parts.is_empty() {
        let (sign, rest) = (if micros < 0 { "-" } else { "" }, micros.abs());
        let (seconds, fraction) = (rest / 1_000_000, rest % 1_000_000);
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let fraction = if fraction == 0 { String::new() } else { trim_fraction(&format!(".{fraction:06}")) };
        parts.push(format!("{sign}{hours:02}:{minutes:02}:{seconds:02}{fraction}"));
    }
    parts.join(" ")
}

fn array(item: &Type, bytes: &[u8], zone: Tz) -> String {
    let number = |at: usize| usize::try_from(int(&bytes[at..at + 4])).unwrap();
    if number(0) == 0 {
        return "{}".into();
    }
    let (mut at, mut items) = (20, vec![]);
    for _ in 0..number(12) {
        let length = int(&bytes[at..at + 4]);
        at += 4;
        let Ok(length) = usize::try_from(length) else {
            items.push("NULL".into());
            continue;
        };
        items.push(quoted(&from_binary(item, &bytes[at..at + length], zone)));
        at += length;
    }
    format!("{{{}}}", items.join(","))
}

fn quoted(item: &str) -> String {
    let special = |c: char| "{},\"\\".contains(c) || c.is_ascii_whitespace();
    if !item.is_empty() && !item.eq_ignore_ascii_case("null") && !item.contains(special) {
        return item.to_owned();
    }
    format!("\"{}\"", item.replace('\\', "\\\\").replace('"', "\\\""))
}
