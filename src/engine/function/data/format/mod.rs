//! `to_char`, `to_date`, `to_timestamp` and `to_number`: values by templates, as PostgreSQL 15 has them.
//!
//! Takes: a value, or a text, and a template. Gives: a text, or a value. The words of names are English, signs are
//! those of the locale C.
//! Source of the rules: <https://www.postgresql.org/docs/15/functions-formatting.html>

mod julian;
mod number_template;
mod read_number;
mod read_time;
mod show_number;
mod show_time;
mod template;
#[cfg(test)]
mod tests;

use chrono::{Datelike, Offset, TimeZone, Timelike};
use chrono_tz::OffsetName;

use self::julian::Ymd;
use self::show_time::Parts;
use super::cell::{Cell, DAY, Span};
use super::kind::{Kind, Returns};
use super::zone::{Zone, naive, out_of_range};
use super::{Context, Def, on};
use crate::error::{Error, Kind as Fault, Result};

pub(super) const FUNCTIONS: &[Def] = &[
    Def::strict(
        "to_char",
        &[
            on(&[Kind::Timestamp, Kind::Text], Returns::Text, |_, args| {
                let [local, template] = args else { return Ok(Cell::Null) };
                moment(local.micros(), 0, "", template)
            }),
            on(&[Kind::Instant, Kind::Text], Returns::Text, instant),
            on(&[Kind::Interval, Kind::Text], Returns::Text, |_, args| {
                let [span, template] = args else { return Ok(Cell::Null) };
                interval(span.span(), template)
            }),
            on(&[Kind::Time, Kind::Text], Returns::Text, |_, args| {
                let [time, template] = args else { return Ok(Cell::Null) };
                interval(Span { micros: time.micros(), ..Span::default() }, template)
            }),
            on(&[Kind::Int, Kind::Text], Returns::Text, |_, args| {
                let [number, template] = args else { return Ok(Cell::Null) };
                let shown = match i32::try_from(number.int()) {
                    Ok(number) => show_number::integer(number, template.text()),
                    Err(_) => show_number::decimal(&number.number(), template.text()),
                };
                shown.map(Cell::Text)
            }),
            on(&[Kind::Numeric, Kind::Text], Returns::Text, |_, args| {
                let [number, template] = args else { return Ok(Cell::Null) };
                show_number::decimal(&number.number(), template.text()).map(Cell::Text)
            }),
            on(&[Kind::Float, Kind::Text], Returns::Text, |_, args| {
                let [number, template] = args else { return Ok(Cell::Null) };
                show_number::float(number.float(), template.text()).map(Cell::Text)
            }),
            // Not to be taken for a time: a literal may be of any type.
            on(&[Kind::Text, Kind::Text], Returns::Text, |_, _| {
                Err(Error::new(Fault::UndefinedFunction, "function to_char(unknown, unknown) is not unique")
                    .with_hint("Could not choose a best candidate function. You might need to add explicit type casts."))
            }),
        ],
    ),
    Def::strict(
        "to_date",
        &[on(&[Kind::Text, Kind::Text], Returns::Date, |_, args| {
            let [text, template] = args else { return Ok(Cell::Null) };
            let read = read_time::read(text.text(), template.text())?;
            let days = julian::of(read.date) - julian::EPOCH;
            i32::try_from(days)
                .ok()
                .filter(|days| naive(i64::from(*days) * DAY).is_ok())
                .map(Cell::Date)
                .ok_or_else(|| {
                    Error::new(Fault::InvalidDatetime, format!("date out of range: \"{}\"", text.text()))
                })
        })],
    ),
    Def::strict(
        "to_number",
        &[on(&[Kind::Text, Kind::Text], Returns::Wide, |_, args| {
            let [text, template] = args else { return Ok(Cell::Null) };
            if template.text().is_empty() {
                return Ok(Cell::Null);
            }
            read_number::read(text.text(), template.text()).map(Cell::Number)
        })],
    ),
];

/// `to_timestamp(text, template)`.
///
/// # Errors
/// Those of reading, and `InvalidDatetime` beyond what there are days for.
pub(super) fn to_timestamp(context: &Context, args: &[Cell]) -> Result<Cell> {
    let [text, template] = args else { return Ok(Cell::Null) };
    let read = read_time::read(text.text(), template.text())?;
    let days = julian::of(read.date) - julian::EPOCH;
    let start = days.checked_mul(DAY).and_then(|start| start.checked_add(read.micros));
    let local = start.ok_or_else(out_of_range)?;
    naive(local)?;
    let zone = read.offset.map_or(Zone::Named(context.zone), Zone::Fixed);
    zone.instant(local).map(Cell::Instant)
}

fn instant(context: &Context, args: &[Cell]) -> Result<Cell> {
    let [instant, template] = args else { return Ok(Cell::Null) };
    let zone = context.zone;
    let offset = zone.offset_from_utc_datetime(&naive(instant.micros())?);
    let local = Zone::Named(zone).local(instant.micros())?;
    let seconds = offset.fix().local_minus_utc();
    moment(local, seconds.into(), offset.abbreviation().unwrap_or_default(), template)
}

/// An empty template gives NULL.
fn moment(local: i64, offset: i64, zone: &str, template: &Cell) -> Result<Cell> {
    if template.text().is_empty() {
        return Ok(Cell::Null);
    }
    let time = naive(local)?;
    let parts = Parts {
        date: Ymd { year: time.year().into(), month: time.month().into(), day: time.day().into() },
        hour: time.hour().into(),
        minute: time.minute().into(),
        second: time.second().into(),
        fraction: (time.nanosecond() / 1_000).into(),
        day_of_year: time.ordinal().into(),
        offset,
        zone,
        is_interval: false,
    };
    show_time::shown(&parts, template.text()).map(Cell::Text)
}

fn interval(span: Span, template: &Cell) -> Result<Cell> {
    if template.text().is_empty() {
        return Ok(Cell::Null);
    }
    let (months, days, seconds) = (i64::from(span.months), i64::from(span.days), span.micros / 1_000_000);
    let parts = Parts {
        date: Ymd { year: months / 12, month: months % 12, day: days },
        hour: seconds / 3_600,
        minute: seconds / 60 % 60,
        second: seconds % 60,
        fraction: span.micros % 1_000_000,
        // What a span has in days, about.
        day_of_year: months * 30 + days,
        offset: 0,
        zone: "",
        is_interval: true,
    };
    show_time::shown(&parts, template.text()).map(Cell::Text)
}
