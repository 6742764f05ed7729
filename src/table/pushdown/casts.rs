//! Casts of columns that a literal can be brought to: an instant as a day, a day as a time, a number as a float.
//!
//! Takes the zone from the columns: it is the session's, so that a day begins and ends where the session has it.

use arrow::datatypes::{DataType, TimeUnit};
use chrono::{Datelike, NaiveDate, TimeDelta, TimeZone};
use chrono_tz::Tz;
use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;

use super::{Column, Columns, Comparison, Predicate, Pushdown, SqlType, ask, column};

/// The function that makes a `numeric` the nearest `double precision`: the engine writes it for such a cast.
pub(crate) const FLOAT: &str = "pg_float";

const DAY: i64 = 86_400_000_000;

/// The longest list of days: each is a range of instants.
const LONGEST_LIST: usize = 20;

/// Whether a cast changes no value and no order: a wider decimal, an instant in another unit or zone.
pub(super) fn keeps_values(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        (DataType::Decimal128(p, s), DataType::Decimal128(p2, s2)) => {
            s2 >= s && i16::from(*p2) - i16::from(*s2) >= i16::from(*p) - i16::from(*s)
        }
        (DataType::Timestamp(_, Some(_)), DataType::Timestamp(unit, Some(_))) => {
            matches!(unit, TimeUnit::Microsecond | TimeUnit::Nanosecond)
        }
        (DataType::Time64(_), DataType::Time64(_)) => true,
        (from, to) => from == to,
    }
}

/// A comparison of a cast column with a literal.
pub(super) fn compare(expr: &Expr, op: Comparison, value: &ScalarValue, columns: &Columns) -> Pushdown {
    if let (Expr::ScalarFunction(call), ScalarValue::Float64(Some(value))) = (expr, value) {
        return match call.args.as_slice() {
            [arg] if call.name() == FLOAT => {
                column(arg, columns).map_or(Pushdown::No, |column| number_as_float(column, op, *value))
            }
            _ => Pushdown::No,
        };
    }
    let Expr::Cast(cast) = expr else { return Pushdown::No };
    let Some(column) = column(&cast.expr, columns) else { return Pushdown::No };
    let zone = columns.context.time_zone;
    match (&column.sql_type, cast.field.data_type(), value) {
        (SqlType::TimestampTz, DataType::Date32, ScalarValue::Date32(Some(day)))
            if keeps_zone(&cast.expr, zone) =>
        {
            instant_as_day(column, op, *day, zone)
        }
        (SqlType::Date, DataType::Timestamp(_, None), value) => {
            local_micros(value).map_or(Pushdown::No, |(micros, more)| day_as_time(column, op, micros, more))
        }
        _ => Pushdown::No,
    }
}

/// `number::double precision op value`: numbers that round to the value are between its two neighbours.
fn number_as_float(column: &Column, op: Comparison, value: f64) -> Pushdown {
    if column.sql_type != SqlType::Numeric {
        return Pushdown::No;
    }
    let ask = |op, bound: Option<i128>| match bound {
        Some(bound) => ask(column, &Predicate::Compare(op, ScalarValue::Decimal128(Some(bound), 38, 10))),
        None => Pushdown::No,
    };
    let least = || ask(Comparison::GtEq, tenth(value.next_down()).map(|bound| bound - 1));
    let most = || ask(Comparison::LtEq, tenth(value.next_up()).map(|bound| bound + 1));
    let bounded = match op {
        Comparison::Gt | Comparison::GtEq => least(),
        Comparison::Lt | Comparison::LtEq => most(),
        Comparison::Eq => least().and(most()),
        Comparison::NotEq => Pushdown::No,
    };
    bounded.into_parts().map_or(Pushdown::No, |(formula, _)| Pushdown::Superset(formula))
}

/// A number with ten digits after its point, as a whole number; `None` for one of more digits than a field holds.
fn tenth(value: f64) -> Option<i128> {
    if value.abs() < 1e19 { format!("{value:.10}").replace('.', "").parse().ok() } else { None }
}

/// Whether the day of an instant is still that of the column's own zone.
fn keeps_zone(instant: &Expr, zone: Tz) -> bool {
    match instant {
        Expr::Cast(cast) => {
            matches!(cast.field.data_type(), DataType::Timestamp(_, Some(name)) if **name == *zone.name())
                && keeps_zone(&cast.expr, zone)
        }
        Expr::Alias(alias) => keeps_zone(&alias.expr, zone),
        _ => true,
    }
}

/// `expr IN (...)`, or `NOT IN`; at least one value, none of them NULL.
pub(super) fn in_list(expr: &Expr, values: &[ScalarValue], negated: bool, columns: &Columns) -> Pushdown {
    if values.len() > LONGEST_LIST {
        return Pushdown::No;
    }
    let op = if negated { Comparison::NotEq } else { Comparison::Eq };
    let each = values.iter().map(|value| compare(expr, op, value, columns));
    if negated { each.fold(Pushdown::ALL, Pushdown::and) } else { each.fold(Pushdown::NOTHING, Pushdown::or) }
}

/// `instant::date op day`: a range of instants.
fn instant_as_day(column: &Column, op: Comparison, day: i32, zone: Tz) -> Pushdown {
    let day = NaiveDate::default().checked_add_signed(TimeDelta::days(i64::from(day)));
    let Some(day) = day else { return Pushdown::No };
    let (Some(first), Some(next)) = (start(day, zone), day.succ_opt().and_then(|next| start(next, zone)))
    else {
        return Pushdown::No;
    };
    let at = |op, micros| {
        let value = ScalarValue::TimestampMicrosecond(Some(micros), Some(zone.name().into()));
        ask(column, &Predicate::Compare(op, value))
    };
    match op {
        Comparison::Eq => at(Comparison::GtEq, first).and(at(Comparison::Lt, next)),
        Comparison::NotEq => at(Comparison::Lt, first).or(at(Comparison::GtEq, next)),
        Comparison::Lt => at(Comparison::Lt, first),
        Comparison::LtEq => at(Comparison::Lt, next),
        Comparison::Gt => at(Comparison::GtEq, next),
        Comparison::GtEq => at(Comparison::GtEq, first),
    }
}

/// The first instant of a day in a zone, in microseconds: midnight, or the first minute after it where the clocks go
/// forward over midnight. `None` where they go back over it, so that a day is no single range, and before 1970,
/// where zones are off by seconds.
fn start(day: NaiveDate, zone: Tz) -> Option<i64> {
    if !(1970..=9999).contains(&day.year()) {
        return None;
    }
    let midnight = day.and_hms_opt(0, 0, 0)?;
    // A zone that changed sides of the date line left out a whole day.
    let first = (0..=25 * 60).find_map(|minute| {
        zone.from_local_datetime(&midnight.checked_add_signed(TimeDelta::minutes(minute))?).earliest()
    })?;
    let before = zone.from_local_datetime(&midnight.checked_sub_signed(TimeDelta::minutes(1))?).latest();
    before.is_none_or(|before| before < first).then(|| first.timestamp_micros())
}

/// `day::timestamp op time`: the day against the day of the time. `more`: the time is a little after `micros`.
fn day_as_time(column: &Column, op: Comparison, micros: i64, more: bool) -> Pushdown {
    let Ok(day) = i32::try_from(micros.div_euclid(DAY)) else { return Pushdown::No };
    let day = ScalarValue::Date32(Some(day));
    let op = match (op, micros.rem_euclid(DAY) == 0 && !more) {
        (op, true) => op,
        (Comparison::Eq, false) => return Pushdown::NOTHING,
        (Comparison::NotEq, false) => return ask(column, &Predicate::IsNotNull),
        (Comparison::Gt | Comparison::GtEq, false) => Comparison::Gt,
        (Comparison::Lt | Comparison::LtEq, false) => Comparison::LtEq,
    };
    ask(column, &Predicate::Compare(op, day))
}

/// Microseconds of a time without a zone, and whether a part of one follows.
fn local_micros(value: &ScalarValue) -> Option<(i64, bool)> {
    match value {
        ScalarValue::TimestampSecond(Some(n), None) => Some((n.checked_mul(1_000_000)?, false)),
        ScalarValue::TimestampMillisecond(Some(n), None) => Some((n.checked_mul(1000)?, false)),
        ScalarValue::TimestampMicrosecond(Some(n), None) => Some((*n, false)),
        ScalarValue::TimestampNanosecond(Some(n), None) => {
            Some((n.div_euclid(1000), n.rem_euclid(1000) != 0))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_rounds_to_a_float_is_near_it() {
        for (value, least, most) in [
            (0.1, 999_999_999, 1_000_000_001),
            (89.5, 894_999_999_999, 895_000_000_001),
            (-1e15, -10_000_000_000_000_001_250_000_001, -9_999_999_999_999_998_749_999_999),
        ] {
            let bounds = (tenth(f64::next_down(value)).unwrap() - 1, tenth(f64::next_up(value)).unwrap() + 1);
            assert_eq!(bounds, (least, most), "{value}");
        }
        assert_eq!((tenth(1e20), tenth(f64::NAN)), (None, None));
    }

    #[test]
    fn a_day_begins_where_the_clocks_say() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let at = |text: &str, zone: Tz| {
            let start = start(day(text), zone)?;
            Some(chrono::DateTime::from_timestamp_micros(start)?.format("%Y-%m-%dT%H:%MZ").to_string())
        };
        for (text, zone, expect) in [
            ("2026-04-01", Tz::UTC, Some("2026-04-01T00:00Z")),
            ("2026-04-01", Tz::Asia__Tokyo, Some("2026-03-31T15:00Z")),
            ("2026-03-08", Tz::America__New_York, Some("2026-03-08T05:00Z")),
            ("2026-03-09", Tz::America__New_York, Some("2026-03-09T04:00Z")),
            // Clocks forward from 0:00 to 1:00; back from 0:00 to 23:00 of the day before.
            ("2018-11-04", Tz::America__Sao_Paulo, Some("2018-11-04T03:00Z")),
            ("2018-02-18", Tz::America__Sao_Paulo, Some("2018-02-18T03:00Z")),
            // Back from 0:01 to 23:01.
            ("2007-11-04", Tz::America__St_Johns, None),
            // There was no 30 December.
            ("2011-12-30", Tz::Pacific__Apia, Some("2011-12-30T10:00Z")),
            ("2011-12-31", Tz::Pacific__Apia, Some("2011-12-30T10:00Z")),
            ("1969-12-31", Tz::UTC, None),
        ] {
            assert_eq!(at(text, zone).as_deref(), expect, "{text} {zone}");
        }
    }
}
