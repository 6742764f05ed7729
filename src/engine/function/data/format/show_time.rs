//! `to_char` of times and intervals.

use std::fmt::Write as _;

use super::julian::{self, Ymd};
use super::template::{Case, Field, Node, Ordinal, parsed};
use crate::error::{Error, Kind, Result};

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
/// From December down, as a reader of texts wants them: `viii` before `vii`.
pub(super) const ROMAN: [&str; 12] =
    ["xii", "xi", "x", "ix", "viii", "vii", "vi", "v", "iv", "iii", "ii", "i"];

/// A time in parts, or an interval in parts that may be negative.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'z> {
    pub(super) date: Ymd,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    /// Microseconds.
    pub(super) fraction: i64,
    pub(super) day_of_year: i64,
    /// Seconds east of UTC, and the zone's short name where there is a zone.
    pub(super) offset: i64,
    pub(super) zone: &'z str,
    pub(super) is_interval: bool,
}

/// The text of a time by a template.
///
/// # Errors
/// `DatetimeSyntax` where an interval has no such field.
pub(super) fn shown(parts: &Parts<'_>, template: &str) -> Result<String> {
    let mut out = String::new();
    for node in parsed(template) {
        match node {
            Node::Char(letter) | Node::Separator(letter) | Node::Space(letter) => out.push(letter),
            Node::Field { field, fill, localized, ordinal, .. } => {
                if parts.is_interval && needs_calendar(field) {
                    return Err(Error::new(
                        Kind::DatetimeSyntax,
                        "invalid format specification for an interval value",
                    )
                    .with_hint("Intervals are not tied to specific calendar dates."));
                }
                match number(parts, field, fill) {
                    Some(digits) => {
                        out.push_str(&digits);
                        out.push_str(suffix(&digits, ordinal));
                    }
                    // Names of a locale are not filled up.
                    None => word(parts, field, fill || localized, &mut out),
                }
            }
        }
    }
    Ok(out)
}

/// Whether a field is of a day, which an interval has none of.
fn needs_calendar(field: Field) -> bool {
    matches!(
        field,
        Field::Era { .. }
            | Field::Weekday { .. }
            | Field::MonthName { .. }
            | Field::DayOfWeek
            | Field::IsoDayOfWeek
            | Field::Offset
            | Field::ZoneHours
            | Field::ZoneMinutes
            | Field::Zone { .. }
    )
}

/// A number with zeros before it; a sign takes a place more.
fn padded(value: i64, width: usize, fill: bool) -> String {
    let width = if fill { 0 } else { width + usize::from(value < 0) };
    format!("{value:0width$}")
}

/// The digits of a field that is a number.
fn number(parts: &Parts<'_>, field: Field, fill: bool) -> Option<String> {
    let Ymd { year, month, day } = parts.date;
    // Years before Christ are counted back from 1.
    let counted = |year: i64| if parts.is_interval || year > 0 { year } else { 1 - year };
    let weekday = (julian::of(parts.date) + 1).rem_euclid(7);
    Some(match field {
        Field::Hour24 => padded(parts.hour, 2, fill),
        Field::Hour12 => {
            let hour = if parts.hour % 12 == 0 { 12 } else { parts.hour % 12 };
            // The sign of the hour gives the width, also where the number shown is 12.
            let width = 2 + usize::from(parts.hour < 0 && hour > 0);
            padded(hour, width, fill)
        }
        Field::Minute => padded(parts.minute, 2, fill),
        Field::Second => padded(parts.second, 2, fill),
        Field::Fraction { digits, .. } => {
            let cut = 10_i64.pow(u32::try_from(6 - digits.min(6)).unwrap_or(0));
            let value = parts.fraction / cut;
            format!("{value:0digits$}")
        }
        Field::SecondOfDay => (parts.hour * 3_600 + parts.minute * 60 + parts.second).to_string(),
        Field::Month => padded(month, 2, fill),
        Field::DayOfYear => zeros(parts.day_of_year, 3, fill),
        Field::IsoDayOfYear => {
            let (iso_year, _) = julian::iso_week(parts.date);
            zeros(julian::of(parts.date) - julian::of_week(iso_year, 1) + 1, 3, fill)
        }
        Field::Day => zeros(day, 2, fill),
        Field::DayOfWeek => (weekday + 1).to_string(),
        Field::IsoDayOfWeek => if weekday == 0 { 7 } else { weekday }.to_string(),
        Field::WeekOfYear => zeros((parts.day_of_year - 1) / 7 + 1, 2, fill),
        Field::IsoWeek => zeros(julian::iso_week(parts.date).1, 2, fill),
        Field::WeekOfMonth => ((day - 1) / 7 + 1).to_string(),
        Field::Quarter if month == 0 => String::new(),
        Field::Quarter => ((month - 1) / 3 + 1).to_string(),
        Field::Century => {
            let century = match (parts.is_interval, year > 0) {
                (true, _) => year / 100,
                (false, true) => (year - 1) / 100 + 1,
                (false, false) => year / 100 - 1,
            };
            if century.abs() <= 99 { padded(century, 2, fill) } else { century.to_string() }
        }
        Field::YearWithComma => format!("{},{:03}", counted(year) / 1_000, counted(year) % 1_000),
        Field::Year(digits) => year_digits(counted(year), digits, fill),
        Field::IsoYear(4) if parts.is_interval => {
            zeros(julian::iso_week(parts.date).0, if year < 0 { 5 } else { 4 }, fill)
        }
        Field::IsoYear(digits) => year_digits(counted(julian::iso_week(parts.date).0), digits, fill),
        Field::Julian => julian::of(parts.date).to_string(),
        _ => return None,
    })
}

/// A number with zeros before it to a width that a sign is part of.
fn zeros(value: i64, width: usize, fill: bool) -> String {
    if fill { value.to_string() } else { format!("{value:0width$}") }
}

fn year_digits(year: i64, digits: usize, fill: bool) -> String {
    match digits {
        4 => padded(year, 4, fill),
        1 => (year % 10).to_string(),
        digits => {
            let last = year % 10_i64.pow(u32::try_from(digits).unwrap_or(0));
            let width = if fill { 0 } else { digits + usize::from(year < 0) };
            format!("{last:0width$}")
        }
    }
}

/// `st`, `nd`, `rd` or `th`.
pub(super) fn suffix(digits: &str, ordinal: Ordinal) -> &'static str {
    let mut last = digits.chars().rev();
    let upper = match ordinal {
        Ordinal::None => return "",
        Ordinal::Upper => true,
        Ordinal::Lower => false,
    };
    let Some(unit) = last.next().filter(char::is_ascii_digit) else { return "" };
    match (unit, last.next() == Some('1'), upper) {
        ('1', false, true) => "ST",
        ('1', false, false) => "st",
        ('2', false, true) => "ND",
        ('2', false, false) => "nd",
        ('3', false, true) => "RD",
        ('3', false, false) => "rd",
        (_, _, true) => "TH",
        (_, _, false) => "th",
    }
}

fn cased(word: &str, case: Case) -> String {
    match case {
        Case::Upper => word.to_uppercase(),
        Case::Title => word.to_owned(),
        Case::Lower => word.to_lowercase(),
    }
}

/// A name, whole ones filled up to the longest.
fn name(names: &[&str], place: i64, whole: bool, case: Case, fill: bool) -> String {
    let name = usize::try_from(place).ok().and_then(|place| names.get(place)).copied().unwrap_or_default();
    let width = if whole && !fill { 9 } else { 0 };
    let name = if whole { name } else { name.get(..3).unwrap_or(name) };
    format!("{:<width$}", cased(name, case))
}

/// A field that is a word.
fn word(parts: &Parts<'_>, field: Field, fill: bool, out: &mut String) {
    let Ymd { year, month, .. } = parts.date;
    let offset = parts.offset.abs();
    let sign = if parts.offset < 0 { '-' } else { '+' };
    // Writing to a text does not fail.
    let _ = match field {
        Field::Meridian { dots, upper } => {
            let late = parts.hour % 24 >= 12;
            out.write_str(spelled(
                late,
                ["am", "pm", "a.m.", "p.m.", "AM", "PM", "A.M.", "P.M."],
                dots,
                upper,
            ))
        }
        Field::Era { dots, upper } => {
            let words = ["ad", "bc", "a.d.", "b.c.", "AD", "BC", "A.D.", "B.C."];
            out.write_str(spelled(year <= 0, words, dots, upper))
        }
        Field::Weekday { whole, case } => {
            let weekday = (julian::of(parts.date) + 1).rem_euclid(7);
            out.write_str(&name(&WEEKDAYS, weekday, whole, case, fill))
        }
        Field::MonthName { whole, case } => out.write_str(&name(&MONTHS, month - 1, whole, case, fill)),
        Field::RomanMonth { upper } => out.write_str(&roman(month, year, upper, fill)),
        Field::Offset => {
            let hours = offset / 3_600;
            let width = if fill { 0 } else { 2 };
            let minutes = offset % 3_600 / 60;
            let rest = if offset % 3_600 == 0 { String::new() } else { format!(":{minutes:02}") };
            write!(out, "{sign}{hours:0width$}{rest}")
        }
        Field::ZoneHours => write!(out, "{sign}{:02}", offset / 3_600),
        Field::ZoneMinutes => write!(out, "{:02}", offset % 3_600 / 60),
        Field::Zone { upper: true } => out.write_str(parts.zone),
        Field::Zone { upper: false } => out.write_str(&parts.zone.to_lowercase()),
        _ => Ok(()),
    };
}

fn spelled(second: bool, words: [&'static str; 8], dots: bool, upper: bool) -> &'static str {
    let place = usize::from(second) + 2 * usize::from(dots) + 4 * usize::from(upper);
    words.get(place).copied().unwrap_or_default()
}

fn roman(month: i64, year: i64, upper: bool, fill: bool) -> String {
    // Whole years of an interval are twelve months, one back from January is December.
    let place = match (month, year) {
        (0, 0) => return String::new(),
        (0, year) if year > 0 => 0,
        (0, _) => 11,
        (month, _) if month < 0 => -(month + 1),
        (month, _) => 12 - month,
    };
    let numeral = usize::try_from(place).ok().and_then(|place| ROMAN.get(place)).copied().unwrap_or_default();
    let width = if fill { 0 } else { 4 };
    format!("{:<width$}", cased(numeral, if upper { Case::Upper } else { Case::Lower }))
}
