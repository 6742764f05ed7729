//! Dates and times in the forms that PostgreSQL takes.
//!
//! Word by word, as `ParseDateTime` of PostgreSQL does: a day, a time, a zone and an era stand in any order.

use chrono::{Datelike, LocalResult, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;

use super::{Clock, DateOrder, Wrong};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;
const SECOND: i64 = 1_000_000;
/// The Julian day of 1970-01-01.
const JULIAN_EPOCH: i64 = 2_440_588;

type Parsed<T> = Result<T, Wrong>;

/// Days since 1970-01-01; the ends of the range are `infinity` and `-infinity`. A time and a zone say nothing.
pub(super) fn date(text: &str, order: DateOrder) -> Parsed<i32> {
    if let Some(negative) = infinity(text) {
        return Ok(if negative { i32::MIN } else { i32::MAX });
    }
    Words::read(text, order)?.day()
}

/// Microseconds since midnight, up to 24:00:00. A day and a zone say nothing.
pub(super) fn time(text: &str) -> Parsed<i64> {
    // Digits alone would be a day.
    let colons = match (is_number(text), text.len()) {
        (true, 4) => text.get(..2).zip(text.get(2..)).map(|(hour, minute)| format!("{hour}:{minute}")),
        (true, 6) => {
            let parts = text.get(..2).zip(text.get(2..4)).zip(text.get(4..));
            parts.map(|((hour, minute), second)| format!("{hour}:{minute}:{second}"))
        }
        _ => None,
    };
    let words = Words::read(colons.as_deref().unwrap_or(text), DateOrder::default())?;
    words.clock()?.ok_or(Wrong::Syntax)
}

/// Microseconds since 1970-01-01 00:00 on a clock without a zone: one that is written says nothing.
pub(super) fn timestamp(text: &str, order: DateOrder) -> Parsed<i64> {
    if let Some(negative) = infinity(text) {
        return Ok(if negative { i64::MIN } else { i64::MAX });
    }
    Words::read(text, order)?.local()
}

/// Microseconds since 1970-01-01 00:00 UTC. The clock has the zone of a time without one.
pub(super) fn instant(text: &str, clock: Clock) -> Parsed<i64> {
    if let Some(negative) = infinity(text) {
        return Ok(if negative { i64::MIN } else { i64::MAX });
    }
    let words = Words::read(text, clock.order)?;
    let local = words.local()?;
    match words.zone.unwrap_or(Zone::Named(clock.zone)) {
        Zone::Offset(seconds) => local.checked_sub(seconds * SECOND).ok_or(Wrong::Range),
        Zone::Named(zone) => in_zone(local, zone),
    }
}

/// The instant at which a zone's clocks show a time. Where they show it twice it is the later, where they leave it
/// out it is counted from before, as `DetermineTimeZoneOffset` of PostgreSQL has it.
fn in_zone(local: i64, zone: Tz) -> Parsed<i64> {
    let clock = chrono::DateTime::from_timestamp_micros(local).ok_or(Wrong::Range)?.naive_utc();
    match zone.from_local_datetime(&clock) {
        LocalResult::Single(at) | LocalResult::Ambiguous(_, at) => Ok(at.timestamp_micros()),
        LocalResult::None => {
            let before: NaiveDateTime = clock.checked_sub_signed(TimeDelta::hours(25)).ok_or(Wrong::Range)?;
            let offset = zone.offset_from_local_datetime(&before).earliest().ok_or(Wrong::Range)?;
            Ok(local - i64::from(offset.fix().local_minus_utc()) * SECOND)
        }
    }
}

fn infinity(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "infinity" | "+infinity" => Some(false),
        "-infinity" => Some(true),
        _ => None,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Zone {
    /// Seconds east of Greenwich.
    Offset(i64),
    Named(Tz),
}

/// What the words of a text say.
#[derive(Debug, Default)]
struct Words {
    order: DateOrder,
    /// The year as it is written, and how many digits it has.
    year: Option<(i64, usize)>,
    month: Option<u32>,
    day: Option<u32>,
    /// A Julian day or the epoch, as days since 1970-01-01.
    days: Option<i64>,
    /// Hour, minute, and microseconds of the minute.
    time: Option<(i64, i64, i64)>,
    afternoon: Option<bool>,
    before_christ: bool,
    zone: Option<Zone>,
}

impl Words {
    fn read(text: &str, order: DateOrder) -> Parsed<Self> {
        let mut words = Self { order, ..Self::default() };
        let spread = spread(text);
        let mut any = false;
        for word in spread.split(|c: char| c.is_ascii_whitespace() || c == ',').filter(|w| !w.is_empty()) {
            words.word(word)?;
            any = true;
        }
        if any { Ok(words) } else { Err(Wrong::Syntax) }
    }

    fn word(&mut self, word: &str) -> Parsed<()> {
        let lower = word.to_ascii_lowercase();
        match word.bytes().next() {
            Some(b'0'..=b'9') if word.contains(':') => self.time_word(&lower),
            Some(b'0'..=b'9') if is_day(word) => self.day_word(&lower),
            Some(b'0'..=b'9') => self.number(&lower),
            Some(b'+' | b'-') => self.set_zone(Zone::Offset(offset(&lower)?)),
            _ => self.name(word, &lower),
        }
    }

    fn name(&mut self, word: &str, lower: &str) -> Parsed<()> {
        if let Some(month) = month(lower) {
            return once(&mut self.month, month);
        }
        if let Some(digits) = lower.strip_prefix('j').filter(|digits| is_number(digits)) {
            let julian: i64 = digits.parse().map_err(|_| Wrong::Range)?;
            return once(&mut self.days, julian - JULIAN_EPOCH);
        }
        match lower {
            "t" | "at" => Ok(()),
            "bc" => {
                self.before_christ = true;
                Ok(())
            }
            "ad" => Ok(()),
            "am" | "pm" => once(&mut self.afternoon, lower == "pm"),
            "epoch" => {
                self.zone = Some(Zone::Offset(0));
                once(&mut self.days, 0)
            }
            "allballs" => {
                self.zone = Some(Zone::Offset(0));
                once(&mut self.time, (0, 0, 0))
            }
            _ if is_weekday(lower) => Ok(()),
            _ => {
                let missing = if lower.contains('/') { Wrong::Zone } else { Wrong::Syntax };
                self.set_zone(zone(word, lower).ok_or(missing)?)
            }
        }
    }

    fn set_zone(&mut self, zone: Zone) -> Parsed<()> {
        match (self.zone, zone) {
            // `UTC+9` and `GMT-3` are not told apart from their offset alone.
            (Some(_), _) => Err(Wrong::Syntax),
            (None, zone) => {
                self.zone = Some(zone);
                Ok(())
            }
        }
    }

    /// `12:34`, `12:34:56.789`, and what is written at its end: `PM`, `Z`, `+09`.
    fn time_word(&mut self, word: &str) -> Parsed<()> {
        let end = word.find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.').unwrap_or(word.len());
        let (clock, rest) = word.split_at_checked(end).ok_or(Wrong::Syntax)?;
        let mut parts = clock.split(':');
        let hour = parts.next().ok_or(Wrong::Syntax)?;
        let minute = parts.next().ok_or(Wrong::Syntax)?;
        let second = parts.next().unwrap_or("0");
        if parts.next().is_some()
            || !is_number(hour)
            || !is_number(minute)
            || hour.len() > 7
            || minute.len() > 2
        {
            return Err(Wrong::Syntax);
        }
        let number = |digits: &str| digits.parse::<i64>().map_err(|_| Wrong::Syntax);
        once(&mut self.time, (number(hour)?, number(minute)?, micros(second)?))?;
        if rest.is_empty() { Ok(()) } else { self.word(rest) }
    }

    /// Three parts, of which one may be a month's name: `2024-01-31`, `1/31/2024`, `31-Jan-2024`. A zone may follow.
    fn day_word(&mut self, word: &str) -> Parsed<()> {
        let (word, rest) = match word.find('+') {
            Some(at) => word.split_at(at),
            None => (word, ""),
        };
        let mut parts = word.splitn(4, ['-', '/', '.']);
        let (Some(a), Some(b), Some(c)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Wrong::Syntax);
        };
        if let Some(more) = parts.next() {
            self.word(&format!("-{more}"))?;
        }
        let named = month(b);
        let (year, month, day) = match named {
            Some(_) if a.len() > 2 => (a, b, c),
            Some(_) => (c, b, a),
            None if a.len() > 2 => (a, b, c),
            None => match self.order {
                DateOrder::MonthDayYear => (c, a, b),
                DateOrder::DayMonthYear => (c, b, a),
                DateOrder::YearMonthDay => (a, b, c),
            },
        };
        if !is_number(year) || !is_number(day) || day.len() > 2 || (named.is_none() && !is_number(month)) {
            return Err(Wrong::Syntax);
        }
        let number = |digits: &str| digits.parse::<u32>().map_err(|_| Wrong::Field);
        once(&mut self.month, named.map_or_else(|| number(month), Ok)?)?;
        once(&mut self.day, number(day)?)?;
        once(&mut self.year, (year.parse().map_err(|_| Wrong::Field)?, year.len()))?;
        if rest.is_empty() { Ok(()) } else { self.word(rest) }
    }

    /// Digits alone: `20240131`, `123456`, a day or a year beside a month's name, and what is written at its end.
    fn number(&mut self, word: &str) -> Parsed<()> {
        let end = word.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.len());
        let (digits, rest) = word.split_at_checked(end).ok_or(Wrong::Syntax)?;
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let part = |range: std::ops::Range<usize>| whole.get(range).unwrap_or_default();
        let has_day = self.day.is_some() || self.days.is_some();
        match whole.len() {
            8 if !has_day && fraction.is_empty() => {
                self.day_word(&format!("{}-{}-{}", part(0..4), part(4..6), part(6..8)))?;
            }
            6 if has_day || self.time.is_none() && !fraction.is_empty() => {
                let second = format!("{}.{fraction}", part(4..6));
                self.time_word(&format!("{}:{}:{second}", part(0..2), part(2..4)))?;
            }
            6 if self.month.is_none() => {
                self.day_word(&format!("{}-{}-{}", part(2..4), part(4..6), part(0..2)))?;
            }
            4 if has_day && self.year.is_some() && self.time.is_none() => {
                self.time_word(&format!("{}:{}", part(0..2), part(2..4)))?;
            }
            1 | 2 if fraction.is_empty() && matches!(rest, "am" | "pm") => {
                self.time_word(&format!("{whole}:00"))?;
            }
            1 | 2 if fraction.is_empty() && !has_day => {
                self.day = Some(whole.parse().map_err(|_| Wrong::Syntax)?);
            }
            4..=7 if fraction.is_empty() && self.year.is_none() => {
                self.year = Some((whole.parse().map_err(|_| Wrong::Syntax)?, whole.len()));
            }
            1..=7 if fraction.is_empty() && self.month.is_some() => {
                once(&mut self.year, (whole.parse().map_err(|_| Wrong::Syntax)?, whole.len()))?;
            }
            _ => return Err(Wrong::Syntax),
        }
        if rest.is_empty() { Ok(()) } else { self.word(rest) }
    }

    fn day(&self) -> Parsed<i32> {
        if let Some(days) = self.days {
            return i32::try_from(days).map_err(|_| Wrong::Range);
        }
        let (Some((year, digits)), Some(month), Some(day)) = (self.year, self.month, self.day) else {
            return Err(Wrong::Syntax);
        };
        let year = match (self.before_christ, digits) {
            _ if year == 0 => return Err(Wrong::Field),
            (true, _) => 1 - year,
            (false, 1 | 2) if year < 70 => year + 2000,
            (false, 1 | 2) => year + 1900,
            _ => year,
        };
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return Err(Wrong::Field);
        }
        let year = i32::try_from(year).map_err(|_| Wrong::Range)?;
        // The widest that is held here; PostgreSQL begins in 4714 BC.
        let first = NaiveDate::from_ymd_opt(year, month, 1)
            .filter(|date| date.year() >= -4713)
            .ok_or(Wrong::Range)?;
        let date = first.with_day(day).ok_or(Wrong::Field)?;
        Ok(date.to_epoch_days())
    }

    /// Microseconds since midnight.
    fn clock(&self) -> Parsed<Option<i64>> {
        let Some((hour, minute, micros)) = self.time else {
            return if self.afternoon.is_some() { Err(Wrong::Syntax) } else { Ok(None) };
        };
        let hour = match self.afternoon {
            Some(_) if !(1..=12).contains(&hour) => return Err(Wrong::Field),
            Some(true) => hour % 12 + 12,
            Some(false) => hour % 12,
            None => hour,
        };
        if hour > 24 || minute > 59 || micros > 60 * SECOND {
            return Err(Wrong::Field);
        }
        let clock = (hour * 60 + minute) * 60 * SECOND + micros;
        if clock > DAY { Err(Wrong::Field) } else { Ok(Some(clock)) }
    }

    fn local(&self) -> Parsed<i64> {
        let days = i64::from(self.day()?);
        let clock = self.clock()?.unwrap_or_default();
        days.checked_mul(DAY).and_then(|micros| micros.checked_add(clock)).ok_or(Wrong::Range)
    }
}

fn once<T>(place: &mut Option<T>, value: T) -> Parsed<()> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Wrong::Syntax),
    }
}

fn is_number(digits: &str) -> bool {
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a word has the three parts of a day.
fn is_day(word: &str) -> bool {
    let end = word.find('+').unwrap_or(word.len());
    let day = word.get(..end).unwrap_or_default();
    ['-', '/', '.'].iter().any(|between| day.matches(*between).count() >= 2)
}

/// A blank in place of the `T` between a day and a time, and before an era or a zone's name that follows digits.
fn spread(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    let letters: Vec<char> = text.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at)).is_some_and(char::is_ascii_digit);
        let after = letters.get(at + 1).is_some_and(char::is_ascii_digit);
        out.push(if matches!(letter, 't' | 'T') && before && after { ' ' } else { *letter });
    }
    out
}

/// Microseconds of `56.789`, rounded.
fn micros(seconds: &str) -> Parsed<i64> {
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    if !is_number(whole) || whole.len() > 2 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Wrong::Syntax);
    }
    let padded = format!("{fraction:0<7}");
    let digits: i64 = padded.get(..7).and_then(|digits| digits.parse().ok()).ok_or(Wrong::Syntax)?;
    let seconds: i64 = whole.parse().map_err(|_| Wrong::Syntax)?;
    Ok(seconds * SECOND + (digits + 5) / 10)
}

/// Seconds of `+9`, `-0330`, `+05:30`, `+09:18:59`.
fn offset(text: &str) -> Parsed<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let parts: Vec<&str> = if digits.contains(':') {
        digits.split(':').collect()
    } else {
        match digits.len() {
            1 | 2 => vec![digits],
            3 | 4 => {
                let (hours, minutes) = digits.split_at_checked(digits.len() - 2).ok_or(Wrong::Syntax)?;
                vec![hours, minutes]
            }
            _ => return Err(Wrong::Syntax),
        }
    };
    if parts.len() > 3 || parts.iter().any(|part| !is_number(part) || part.len() > 2) {
        return Err(Wrong::Syntax);
    }
    let number = |at: usize| parts.get(at).and_then(|part| part.parse::<i64>().ok()).unwrap_or_default();
    // PostgreSQL's bounds (`MAX_TZDISP_HOUR`).
    if number(0) > 15 || number(1) > 59 || number(2) > 59 {
        return Err(Wrong::Field);
    }
    Ok(sign * ((number(0) * 60 + number(1)) * 60 + number(2)))
}

/// A zone by its name, or by one of the usual abbreviations.
fn zone(word: &str, lower: &str) -> Option<Zone> {
    let hours = |hours: i64| Some(Zone::Offset(hours * 3600));
    match lower {
        "z" | "utc" | "ut" | "uct" | "gmt" | "zulu" | "wet" => hours(0),
        "jst" | "kst" => hours(9),
        "cet" | "bst" | "west" | "met" => hours(1),
        "eet" | "cest" | "mest" => hours(2),
        "msk" | "eest" => hours(3),
        "est" | "cdt" => hours(-5),
        "edt" => hours(-4),
        "cst" | "mdt" => hours(-6),
        "mst" | "pdt" => hours(-7),
        "pst" => hours(-8),
        _ => {
            let named = |name: &str| name.parse::<Tz>().ok();
            let same =
                || chrono_tz::TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(word)).copied();
            named(word).or_else(same).map(Zone::Named)
        }
    }
}

fn month(lower: &str) -> Option<u32> {
    const NAMES: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let at = NAMES.iter().position(|name| lower == *name || name.get(..3) == Some(lower));
    match (at, lower) {
        (Some(at), _) => u32::try_from(at + 1).ok(),
        (None, "sept") => Some(9),
        _ => None,
    }
}

fn is_weekday(lower: &str) -> bool {
    const NAMES: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    const MORE: [&str; 5] = ["tues", "weds", "thur", "thurs", "wedn"];
    MORE.contains(&lower) || NAMES.iter().any(|name| lower == *name || name.get(..3) == Some(lower))
}
