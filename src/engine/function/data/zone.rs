//! Zones: `AT TIME ZONE`, and the step between an instant and what the clocks of a zone show.

use chrono::{DateTime, Duration, LocalResult, NaiveDateTime, Offset, TimeZone, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};

use super::cell::{Cell, DAY};
use super::kind::{Kind, Returns};
use super::{Def, on};
use crate::error::{Error, Kind as Fault, Result};

pub(super) const FUNCTIONS: &[Def] = &[Def::strict(
    "timezone",
    &[
        on(&[Kind::Text, Kind::Instant], Returns::Timestamp, |_, args| {
            let [zone, instant] = args else { return Ok(Cell::Null) };
            Zone::read(zone.text())?.local(instant.micros()).map(Cell::Timestamp)
        }),
        on(&[Kind::Text, Kind::Timestamp], Returns::Instant, |_, args| {
            let [zone, local] = args else { return Ok(Cell::Null) };
            Zone::read(zone.text())?.instant(local.micros()).map(Cell::Instant)
        }),
        on(&[Kind::Interval, Kind::Instant], Returns::Timestamp, |_, args| {
            let [zone, instant] = args else { return Ok(Cell::Null) };
            Zone::of_interval(zone)?.local(instant.micros()).map(Cell::Timestamp)
        }),
        on(&[Kind::Interval, Kind::Timestamp], Returns::Instant, |_, args| {
            let [zone, local] = args else { return Ok(Cell::Null) };
            Zone::of_interval(zone)?.instant(local.micros()).map(Cell::Instant)
        }),
    ],
)];

/// A zone by its name, or a fixed distance from UTC in seconds, east positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    Named(Tz),
    Fixed(i64),
}

/// Abbreviations, in hours east of UTC (PostgreSQL's default set, those that are no names of zones).
const ABBREVIATIONS: &[(&str, i64)] = &[
    ("JST", 9),
    ("KST", 9),
    ("Z", 0),
    ("UTC", 0),
    ("GMT", 0),
    ("WET", 0),
    ("WEST", 1),
    ("BST", 1),
    ("CET", 1),
    ("CEST", 2),
    ("EET", 2),
    ("EEST", 3),
    ("MSK", 3),
    ("EST", -5),
    ("EDT", -4),
    ("CST", -6),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
    ("AKST", -9),
    ("AKDT", -8),
    ("HST", -10),
    ("NZST", 12),
    ("NZDT", 13),
];

impl Zone {
    /// Reads a zone: an abbreviation, a name in any case, or POSIX's form, whose hours count west.
    ///
    /// # Errors
    /// `InvalidValue` for anything else.
    pub(super) fn read(text: &str) -> Result<Self> {
        let text = text.trim();
        if let Some((_, hours)) = ABBREVIATIONS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
            return Ok(Self::Fixed(hours * 3_600));
        }
        if let Some(zone) = TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(text)) {
            return Ok(Self::Named(*zone));
        }
        // A name in brackets may have signs of its own.
        let named = text.find('>').map_or(0, |at| at + 1);
        let place = text.get(named..).and_then(|rest| rest.find(['+', '-'])).map(|at| named + at);
        let posix = place.and_then(|place| Some((text.get(..place)?, text.get(place..)?)));
        let seconds = posix.and_then(|(name, offset)| {
            let is_quoted = name.starts_with('<') && name.ends_with('>');
            let fits = |c: char| c.is_ascii_alphanumeric() || is_quoted && "<>+-".contains(c);
            name.chars().all(fits).then(|| west(offset))?
        });
        seconds
            .map(|west| Self::Fixed(-west))
            .ok_or_else(|| Error::new(Fault::InvalidValue, format!("time zone \"{text}\" not recognized")))
    }

    fn of_interval(cell: &Cell) -> Result<Self> {
        let span = cell.span();
        if span.months != 0 || span.days != 0 {
            return Err(Error::new(
                Fault::InvalidValue,
                "interval time zone must not include months or days",
            ));
        }
        Ok(Self::Fixed(span.micros / 1_000_000))
    }

    /// What the clocks show at an instant. Both in microseconds.
    ///
    /// # Errors
    /// `InvalidDatetime` beyond what there are days for.
    pub(super) fn local(self, instant: i64) -> Result<i64> {
        let offset = match self {
            Self::Fixed(seconds) => seconds,
            Self::Named(zone) => {
                zone.offset_from_utc_datetime(&naive(instant)?).fix().local_minus_utc().into()
            }
        };
        instant.checked_add(offset * 1_000_000).ok_or_else(out_of_range)
    }

    /// The instant at which the clocks show a time. One that they skip is read with the offset before, of one that
    /// they show twice the later is meant, as in PostgreSQL.
    ///
    /// # Errors
    /// As [`Zone::local`].
    pub(super) fn instant(self, local: i64) -> Result<i64> {
        let seconds = match self {
            Self::Fixed(seconds) => seconds,
            Self::Named(zone) => offset_at(zone, &naive(local)?),
        };
        local.checked_sub(seconds * 1_000_000).ok_or_else(out_of_range)
    }
}

/// The offset of a zone when its clocks show a time, in seconds.
fn offset_at(zone: Tz, local: &NaiveDateTime) -> i64 {
    let offset = match zone.offset_from_local_datetime(local) {
        LocalResult::Single(offset) | LocalResult::Ambiguous(_, offset) => offset.fix(),
        LocalResult::None => {
            let before = local.checked_sub_signed(Duration::hours(3)).unwrap_or(*local);
            zone.offset_from_utc_datetime(&before).fix()
        }
    };
    offset.local_minus_utc().into()
}

/// `+09`, `-05:30`: seconds west of UTC, as POSIX counts.
fn west(offset: &str) -> Option<i64> {
    let (sign, rest) = match offset.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, offset.strip_prefix('+')?),
    };
    let mut seconds = 0;
    let mut unit = 3_600;
    for part in rest.split(':') {
        let value: i64 = part.parse().ok().filter(|value| (0..168).contains(value))?;
        seconds += value * unit;
        unit /= 60;
    }
    (unit >= 1 || rest.matches(':').count() == 2).then_some(sign * seconds)
}

/// Microseconds since 1970-01-01 as a day and a time.
///
/// # Errors
/// `InvalidDatetime` beyond what there are days for.
pub(super) fn naive(micros: i64) -> Result<NaiveDateTime> {
    let time: Option<DateTime<Utc>> = DateTime::from_timestamp_micros(micros);
    time.map(|time| time.naive_utc()).ok_or_else(out_of_range)
}

/// A day and a time as microseconds since 1970-01-01.
pub(super) fn micros(time: &NaiveDateTime) -> i64 {
    time.and_utc().timestamp_micros()
}

/// The days of microseconds, and what is left of the last one.
pub(super) fn days_and_rest(micros: i64) -> (i64, i64) {
    (micros.div_euclid(DAY), micros.rem_euclid(DAY))
}

/// The error of a time that there is none for.
pub(super) fn out_of_range() -> Error {
    Error::new(Fault::InvalidDatetime, "timestamp out of range")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_read() {
        for (text, zone) in [
            ("Asia/Tokyo", Zone::Named(Tz::Asia__Tokyo)),
            ("asia/tokyo", Zone::Named(Tz::Asia__Tokyo)),
            ("jst", Zone::Fixed(32_400)),
            ("+09", Zone::Fixed(-32_400)),
            ("UTC-9", Zone::Fixed(32_400)),
            ("<+09>-09:30", Zone::Fixed(34_200)),
        ] {
            assert_eq!(Zone::read(text), Ok(zone), "{text}");
        }
        for text in ["", "Nowhere/At", "+", "+9x"] {
            assert!(Zone::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn clocks_that_skip_and_repeat() {
        let new_york = Zone::Named(Tz::America__New_York);
        let at = |text: &str| micros(&NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap());
        assert_eq!(new_york.instant(at("2024-03-10 02:30")), Ok(at("2024-03-10 07:30")));
        assert_eq!(new_york.instant(at("2024-11-03 01:30")), Ok(at("2024-11-03 06:30")));
        assert_eq!(new_york.local(at("2024-07-01 12:00")), Ok(at("2024-07-01 08:00")));
    }
}
