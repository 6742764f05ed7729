//! Intervals: `1 day 02:03:04`, `1 year -2 mons`, `1.5 hours ago`, `P1DT2H`, `1-2`, `3 4:05:06`.

use arrow::datatypes::IntervalMonthDayNano;

use super::Wrong;

type Parsed<T> = Result<T, Wrong>;

const SECOND: i64 = 1_000_000;
const DAY_MICROS: f64 = 86_400_000_000.0;

/// A whole number and the fraction after it, both with its sign.
#[derive(Debug, Clone, Copy)]
struct Number {
    whole: i64,
    fraction: f64,
}

/// The parts of an interval.
#[derive(Debug, Default)]
struct Parts {
    months: i64,
    days: i64,
    micros: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// So many microseconds.
    Micros(i64),
    /// So many days.
    Days(i64),
    /// So many months.
    Months(i64),
}

/// Reads an interval; each part has its own sign.
pub(super) fn interval(text: &str) -> Parsed<IntervalMonthDayNano> {
    let lower = text.to_ascii_lowercase();
    let parts = match lower.strip_prefix('p') {
        Some(iso) => iso_parts(iso)?,
        None => word_parts(&lower)?,
    };
    let months = i32::try_from(parts.months).map_err(|_| Wrong::Field)?;
    let days = i32::try_from(parts.days).map_err(|_| Wrong::Field)?;
    let nanos = parts.micros.checked_mul(1000).ok_or(Wrong::Range)?;
    Ok(IntervalMonthDayNano::new(months, days, nanos))
}

impl Parts {
    fn add(&mut self, number: Number, unit: Unit) -> Parsed<()> {
        let sum = |to: &mut i64, count: i64, each: i64| -> Parsed<()> {
            let more = count.checked_mul(each).ok_or(Wrong::Field)?;
            *to = to.checked_add(more).ok_or(Wrong::Field)?;
            Ok(())
        };
        match unit {
            Unit::Micros(each) => {
                sum(&mut self.micros, number.whole, each)?;
                sum(&mut self.micros, rounded(number.fraction * float(each))?, 1)
            }
            Unit::Days(each) => {
                sum(&mut self.days, number.whole, each)?;
                self.add_days(number.fraction * float(each))
            }
            Unit::Months(1) => {
                sum(&mut self.months, number.whole, 1)?;
                self.add_days(number.fraction * 30.0)
            }
            Unit::Months(each) => {
                sum(&mut self.months, number.whole, each)?;
                sum(&mut self.months, rounded(number.fraction * float(each))?, 1)
            }
        }
    }

    /// Whole days, and what is left of one as a time.
    fn add_days(&mut self, days: f64) -> Parsed<()> {
        let whole = days.trunc();
        self.days = self.days.checked_add(rounded(whole)?).ok_or(Wrong::Field)?;
        let micros = rounded((days - whole) * DAY_MICROS)?;
        self.micros = self.micros.checked_add(micros).ok_or(Wrong::Field)?;
        Ok(())
    }

    fn negate(&mut self) {
        self.months = -self.months;
        self.days = -self.days;
        self.micros = -self.micros;
    }
}

/// Units are small numbers.
fn float(each: i64) -> f64 {
    u32::try_from(each).map_or(3_600_000_000.0, f64::from)
}

fn rounded(value: f64) -> Parsed<i64> {
    format!("{:.0}", value.round_ties_even()).parse().map_err(|_| Wrong::Field)
}

/// `-1.5`.
fn number(text: &str) -> Parsed<Number> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if !(whole.bytes().chain(fraction.bytes())).all(|b| b.is_ascii_digit())
        || digits.len() == digits.matches('.').count()
    {
        return Err(Wrong::Syntax);
    }
    let sign: i64 = if text.starts_with('-') { -1 } else { 1 };
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| Wrong::Field)? };
    let fraction: f64 = format!("0.{fraction}0").parse().map_err(|_| Wrong::Syntax)?;
    Ok(Number { whole: sign * whole, fraction: if sign < 0 { -fraction } else { fraction } })
}

fn word_parts(text: &str) -> Parsed<Parts> {
    let spread = spread(text);
    let mut words = spread.split_ascii_whitespace().peekable();
    let mut parts = Parts::default();
    let (mut any, mut ago) = (false, false);
    while let Some(word) = words.next() {
        if ago {
            return Err(Wrong::Syntax);
        }
        match word {
            "@" if !any => continue,
            "ago" => {
                ago = true;
                continue;
            }
            _ if word.contains(':') => clock(&mut parts, word)?,
            _ if is_years_and_months(word) => years_and_months(&mut parts, word)?,
            _ => {
                let number = number(word)?;
                let unit = match words.peek() {
                    Some(next) if unit(next).is_some() => words.next().and_then(unit),
                    // `3 4:05:06`: days, as in the SQL standard.
                    Some(next) if next.contains(':') => Some(Unit::Days(1)),
                    Some(next) if *next != "ago" => None,
                    _ => Some(Unit::Micros(SECOND)),
                };
                parts.add(number, unit.ok_or(Wrong::Syntax)?)?;
            }
        }
        any = true;
    }
    if ago {
        parts.negate();
    }
    if any { Ok(parts) } else { Err(Wrong::Syntax) }
}

/// Blanks between a number and its unit: `1d2h`.
fn spread(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut last = ' ';
    for letter in text.chars() {
        let starts_unit = letter.is_ascii_alphabetic() && (last.is_ascii_digit() || last == '.');
        let starts_number =
            last.is_ascii_alphabetic() && (letter.is_ascii_digit() || matches!(letter, '+' | '-' | '.'));
        if starts_unit || starts_number {
            out.push(' ');
        }
        out.push(letter);
        last = letter;
    }
    out
}

fn unit(word: &str) -> Option<Unit> {
    Some(match word {
        "us" | "usec" | "usecs" | "usecond" | "useconds" | "microsecond" | "microseconds" | "microsecon" => {
            Unit::Micros(1)
        }
        "ms" | "msec" | "msecs" | "msecond" | "mseconds" | "millisecond" | "milliseconds" | "millisecon" => {
            Unit::Micros(1000)
        }
        "s" | "sec" | "secs" | "second" | "seconds" => Unit::Micros(SECOND),
        "m" | "min" | "mins" | "minute" | "minutes" => Unit::Micros(60 * SECOND),
        "h" | "hr" | "hrs" | "hour" | "hours" => Unit::Micros(3600 * SECOND),
        "d" | "day" | "days" => Unit::Days(1),
        "w" | "week" | "weeks" => Unit::Days(7),
        "mon" | "mons" | "month" | "months" => Unit::Months(1),
        "qtr" | "quarter" => Unit::Months(3),
        "y" | "yr" | "yrs" | "year" | "years" => Unit::Months(12),
        "dec" | "decs" | "decade" | "decades" => Unit::Months(120),
        "c" | "cent" | "century" | "centuries" => Unit::Months(1200),
        "mil" | "mils" | "millennia" | "millennium" => Unit::Months(12_000),
        _ => return None,
    })
}

/// `[-]H:MM[:SS[.fff]]`; there may be more hours than a day has.
fn clock(parts: &mut Parts, word: &str) -> Parsed<()> {
    let negative = word.starts_with('-');
    let mut of = word.strip_prefix(['+', '-']).unwrap_or(word).split(':');
    let (hours, minutes, seconds) = (of.next().unwrap_or(""), of.next().unwrap_or(""), of.next());
    if of.next().is_some() || hours.is_empty() || minutes.is_empty() {
        return Err(Wrong::Syntax);
    }
    // `4:05.6` is minutes and seconds.
    let (hours, minutes, seconds) = match seconds {
        Some(seconds) => (hours, minutes, seconds),
        None if minutes.contains('.') => ("0", hours, minutes),
        None => (hours, minutes, "0"),
    };
    let bounded = |digits: &str| -> Parsed<Number> {
        let number = number(digits)?;
        if digits.starts_with(['+', '-']) { Err(Wrong::Syntax) } else { Ok(number) }
    };
    let (hours, minutes, seconds) = (bounded(hours)?, bounded(minutes)?, bounded(seconds)?);
    if minutes.whole > 59 || seconds.whole > 60 {
        return Err(Wrong::Field);
    }
    let mut own = Parts::default();
    own.add(hours, Unit::Micros(3600 * SECOND))?;
    own.add(minutes, Unit::Micros(60 * SECOND))?;
    own.add(seconds, Unit::Micros(SECOND))?;
    if negative {
        own.negate();
    }
    parts.micros = parts.micros.checked_add(own.micros).ok_or(Wrong::Field)?;
    Ok(())
}

/// `1-2` and `-1-2`: years and months, as in the SQL standard.
fn is_years_and_months(word: &str) -> bool {
    let rest = word.strip_prefix(['+', '-']).unwrap_or(word);
    rest.split_once('-').is_some_and(|(years, months)| !years.is_empty() && !months.is_empty())
}

fn years_and_months(parts: &mut Parts, word: &str) -> Parsed<()> {
    let rest = word.strip_prefix(['+', '-']).unwrap_or(word);
    let (years, months) = rest.split_once('-').ok_or(Wrong::Syntax)?;
    let mut own = Parts::default();
    let (years, months) = (number(years)?, number(months)?);
    if months.whole > 11 {
        return Err(Wrong::Field);
    }
    own.add(years, Unit::Months(12))?;
    own.add(months, Unit::Months(1))?;
    if word.starts_with('-') {
        own.negate();
    }
    parts.months = parts.months.checked_add(own.months).ok_or(Wrong::Field)?;
    Ok(())
}

/// ISO 8601 after its `P`: `1y2m3dt4h5m6.7s`, or `0001-02-03T04:05:06`.
fn iso_parts(text: &str) -> Parsed<Parts> {
    let (day, time) = match text.split_once('t') {
        Some((day, time)) => (day, Some(time)),
        None => (text, None),
    };
    let mut parts = Parts::default();
    if is_years_and_months(day) {
        let mut of = day.splitn(3, '-');
        for unit in [Unit::Months(12), Unit::Months(1), Unit::Days(1)] {
            parts.add(number(of.next().unwrap_or("0"))?, unit)?;
        }
        if let Some(time) = time {
            clock(&mut parts, time)?;
        }
        return Ok(parts);
    }
    let date_unit = |letter| match letter {
        'y' => Some(Unit::Months(12)),
        'm' => Some(Unit::Months(1)),
        'w' => Some(Unit::Days(7)),
        'd' => Some(Unit::Days(1)),
        _ => None,
    };
    let time_unit = |letter| match letter {
        'h' => Some(Unit::Micros(3600 * SECOND)),
        'm' => Some(Unit::Micros(60 * SECOND)),
        's' => Some(Unit::Micros(SECOND)),
        _ => None,
    };
    let days = iso_fields(&mut parts, day, date_unit)?;
    let times = match time {
        Some(time) if time.contains(':') => clock(&mut parts, time).map(|()| 1)?,
        Some(time) => iso_fields(&mut parts, time, time_unit)?,
        None => 0,
    };
    if days + times == 0 || (time.is_some() && times == 0) { Err(Wrong::Syntax) } else { Ok(parts) }
}

/// Adds numbers that are followed by the letter of their unit, and says how many there are.
fn iso_fields(parts: &mut Parts, text: &str, unit: impl Fn(char) -> Option<Unit>) -> Parsed<usize> {
    let (mut digits, mut count) = (String::new(), 0);
    for letter in text.chars() {
        if letter.is_ascii_digit() || matches!(letter, '+' | '-' | '.') {
            digits.push(letter);
        } else {
            parts.add(number(&std::mem::take(&mut digits))?, unit(letter).ok_or(Wrong::Syntax)?)?;
            count += 1;
        }
    }
    if digits.is_empty() { Ok(count) } else { Err(Wrong::Syntax) }
}
