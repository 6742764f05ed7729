//! `to_timestamp` and `to_date`: a text by a template.
//!
//! As PostgreSQL 15 reads them: spaces and signs of the text need not be those of the template (outside `FX`), a field
//! takes as many digits as it has letters unless something that is no digit follows.

use super::julian::{self, Ymd};
use super::show_time::{MONTHS, ROMAN, WEEKDAYS};
use super::template::{Field, Node, Ordinal, is_separator, parsed};
use crate::error::{Error, Kind, Result};

/// What a text said, in PostgreSQL's terms: a field that was not read is 0.
#[derive(Debug, Default)]
struct Read {
    calendar: Option<Calendar>,
    twelve_hours: bool,
    afternoon: i64,
    hour: i64,
    minute: i64,
    second: i64,
    second_of_day: i64,
    milliseconds: i64,
    microseconds: i64,
    day_of_week: i64,
    day: i64,
    day_of_year: i64,
    month: i64,
    year: i64,
    year_digits: usize,
    before_christ: i64,
    century: i64,
    julian: i64,
    week: i64,
    week_of_month: i64,
    zone_sign: i64,
    zone_hours: i64,
    zone_minutes: i64,
}

/// The calendars that a template may not mix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Calendar {
    Gregorian,
    IsoWeeks,
}

/// A day, a time of day in microseconds, and seconds east of UTC where the text has a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) date: Ymd,
    pub(super) micros: i64,
    pub(super) offset: Option<i64>,
}

fn syntax(message: String) -> Error {
    Error::new(Kind::DatetimeSyntax, message)
}

/// Reads a text by a template.
///
/// # Errors
/// `DatetimeSyntax` for a text that is not as the template says, `InvalidDatetime` for a field out of its range,
/// `Unsupported` for a zone by its name.
pub(super) fn read(text: &str, template: &str) -> Result<Moment> {
    let nodes = parsed(template);
    let mut reader = Reader { rest: text, exact: false, skipped: 0, read: Read::default(), last: None };
    for (place, node) in nodes.iter().enumerate() {
        if reader.rest.is_empty() {
            break;
        }
        reader.take(*node, place == 0, nodes.get(place + 1))?;
    }
    moment(reader.read, text)
}

struct Reader<'t> {
    rest: &'t str,
    /// `FX`
    exact: bool,
    /// Characters that were skipped beyond those of the template.
    skipped: i64,
    /// The character before `rest`.
    last: Option<char>,
    read: Read,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let mut letters = self.rest.chars();
        self.last = letters.next();
        self.rest = letters.as_str();
        self.last
    }

    fn skip_spaces(&mut self) {
        while self.rest.starts_with(is_space) {
            self.next();
            self.skipped += 1;
        }
    }

    fn take(&mut self, node: Node, first: bool, behind: Option<&Node>) -> Result<()> {
        let is_field = matches!(node, Node::Field { .. });
        let is_exact = matches!(node, Node::Field { field: Field::Exact, .. });
        if !self.exact && !is_exact && (is_field || first) {
            self.skip_spaces();
        }
        match node {
            Node::Separator(_) | Node::Space(_) if !self.exact => {
                self.skipped -= 1;
                if self.rest.starts_with(|c| is_space(c) || is_separator(c)) {
                    self.next();
                    self.skipped += 1;
                }
            }
            // What was skipped already may be this.
            Node::Char(_) if !self.exact && self.skipped > 0 => self.skipped -= 1,
            Node::Separator(_) | Node::Space(_) | Node::Char(_) => {
                self.next();
            }
            Node::Field { field: Field::Exact, .. } => self.exact = true,
            Node::Field { field, name, fill, ordinal, .. } => {
                let slurp = fill || ordinal != Ordinal::None || behind.is_none_or(is_no_digit);
                let numeric = Numeric { name, slurp };
                self.field(field, numeric)?;
                if ordinal != Ordinal::None && takes_ordinal(field) {
                    self.next();
                    self.next();
                }
            }
        }
        if is_field && !self.exact {
            self.skipped = 0;
            self.skip_spaces();
        }
        Ok(())
    }

    #[expect(clippy::too_many_lines, reason = "an arm for each field")]
    fn field(&mut self, field: Field, numeric: Numeric) -> Result<()> {
        self.calendar(field)?;
        let name = numeric.name;
        match field {
            Field::Meridian { dots, .. } => {
                let late = self.word(if dots { &["a.m.", "p.m."] } else { &["am", "pm"] }, name)?;
                set(&mut self.read.afternoon, late, name)?;
                self.read.twelve_hours = true;
            }
            Field::Era { dots, .. } => {
                let before = self.word(if dots { &["a.d.", "b.c."] } else { &["ad", "bc"] }, name)?;
                set(&mut self.read.before_christ, before, name)?;
            }
            Field::Hour12 => {
                self.number(numeric, 2, |read| &mut read.hour)?;
                self.read.twelve_hours = true;
            }
            Field::Hour24 => drop(self.number(numeric, 2, |read| &mut read.hour)?),
            Field::Minute => drop(self.number(numeric, 2, |read| &mut read.minute)?),
            Field::Second => drop(self.number(numeric, 2, |read| &mut read.second)?),
            Field::SecondOfDay => drop(self.number(numeric, name.len(), |read| &mut read.second_of_day)?),
            Field::Fraction { digits: 3, unit: true } => {
                let length = self.number(numeric, 3, |read| &mut read.milliseconds)?;
                self.read.milliseconds *= tens(3, length);
            }
            Field::Fraction { digits, .. } => {
                let length = self.number(numeric, digits, |read| &mut read.microseconds)?;
                self.read.microseconds *= tens(6, length);
            }
            Field::ZoneHours => self.zone_hours(numeric)?,
            Field::ZoneMinutes => {
                if self.read.zone_sign == 0 {
                    self.read.zone_sign = 1;
                }
                self.number(numeric, 2, |read| &mut read.zone_minutes)?;
            }
            Field::Zone { .. } | Field::Offset => {
                let message = format!("formatting field \"{name}\" is only supported in to_char");
                return Err(Error::new(Kind::Unsupported, message));
            }
            Field::MonthName { whole, .. } => {
                let place = self.name(&MONTHS, whole, name)?;
                set(&mut self.read.month, place + 1, name)?;
            }
            Field::Weekday { whole, .. } => {
                let place = self.name(&WEEKDAYS, whole, name)?;
                set(&mut self.read.day_of_week, place + 1, name)?;
            }
            Field::RomanMonth { .. } => {
                let place = self.word(&ROMAN, name)?;
                set(&mut self.read.month, 12 - place, name)?;
            }
            Field::Month => drop(self.number(numeric, 2, |read| &mut read.month)?),
            Field::Day => drop(self.number(numeric, 2, |read| &mut read.day)?),
            Field::DayOfYear | Field::IsoDayOfYear => {
                self.number(numeric, 3, |read| &mut read.day_of_year)?;
            }
            Field::DayOfWeek => drop(self.number(numeric, 1, |read| &mut read.day_of_week)?),
            Field::IsoDayOfWeek => {
                self.number(numeric, 1, |read| &mut read.day_of_week)?;
                // From a week that begins on Monday to one that begins on Sunday.
                self.read.day_of_week += 1;
                if self.read.day_of_week > 7 {
                    self.read.day_of_week = 1;
                }
            }
            Field::WeekOfYear | Field::IsoWeek => drop(self.number(numeric, 2, |read| &mut read.week)?),
            Field::WeekOfMonth => drop(self.number(numeric, 1, |read| &mut read.week_of_month)?),
            // A quarter says no day: it is read over.
            Field::Quarter => drop(self.integer(numeric, 1)?),
            Field::Century => drop(self.number(numeric, 2, |read| &mut read.century)?),
            Field::Julian => drop(self.number(numeric, 1, |read| &mut read.julian)?),
            Field::YearWithComma => self.year_with_comma(name)?,
            Field::Year(digits) | Field::IsoYear(digits) => {
                let length = self.number(numeric, digits, |read| &mut read.year)?;
                if digits < 4 && length < 4 {
                    self.read.year = near_2020(self.read.year);
                }
                self.read.year_digits = digits;
            }
            Field::Exact => {}
        }
        Ok(())
    }

    fn calendar(&mut self, field: Field) -> Result<()> {
        let calendar = match field {
            Field::IsoDayOfYear | Field::IsoDayOfWeek | Field::IsoWeek | Field::IsoYear(_) => {
                Calendar::IsoWeeks
            }
            Field::DayOfYear
            | Field::Day
            | Field::DayOfWeek
            | Field::Month
            | Field::MonthName { .. }
            | Field::RomanMonth { .. }
            | Field::WeekOfYear
            | Field::WeekOfMonth
            | Field::Year(_)
            | Field::YearWithComma => Calendar::Gregorian,
            _ => return Ok(()),
        };
        if *self.read.calendar.get_or_insert(calendar) == calendar {
            return Ok(());
        }
        Err(syntax("invalid combination of date conventions".into())
            .with_hint("Do not mix Gregorian and ISO week date conventions in a formatting template."))
    }

    /// The minus before the hours of a zone may have been taken for a sign between fields.
    fn zone_hours(&mut self, numeric: Numeric) -> Result<()> {
        self.read.zone_sign = match self.rest.chars().next() {
            Some(sign @ ('+' | '-' | ' ')) => {
                self.next();
                if sign == '-' { -1 } else { 1 }
            }
            _ if self.skipped > 0 && self.last == Some('-') => -1,
            _ => 1,
        };
        self.number(numeric, 2, |read| &mut read.zone_hours).map(drop)
    }

    fn year_with_comma(&mut self, name: &str) -> Result<()> {
        let invalid = || syntax(format!("invalid input string for \"{name}\""));
        let (thousands, length) = leading_integer(self.rest).ok_or_else(invalid)?;
        let behind = self.rest.get(length..).and_then(|rest| rest.strip_prefix(',')).ok_or_else(invalid)?;
        let digits = behind.bytes().take(3).take_while(u8::is_ascii_digit).count();
        let years: i64 = behind.get(..digits).and_then(|digits| digits.parse().ok()).ok_or_else(invalid)?;
        self.advance(length + 1 + digits);
        let year = thousands.checked_mul(1_000).and_then(|thousands| thousands.checked_add(years));
        let year = year.filter(|year| i32::try_from(*year).is_ok()).ok_or_else(invalid)?;
        set(&mut self.read.year, year, name)?;
        self.read.year_digits = 4;
        Ok(())
    }

    /// Moves on by bytes.
    fn advance(&mut self, bytes: usize) {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.last = taken.chars().next_back().or(self.last);
        self.rest = rest;
    }

    /// Reads a number into a field. Gives the characters that it took, spaces before it too.
    fn number(&mut self, numeric: Numeric, length: usize, field: fn(&mut Read) -> &mut i64) -> Result<usize> {
        let (value, length) = self.integer(numeric, length)?;
        set(field(&mut self.read), value, numeric.name)?;
        Ok(length)
    }

    fn integer(&mut self, numeric: Numeric, length: usize) -> Result<(i64, usize)> {
        let name = numeric.name;
        let hint = "If your source string is not fixed-width, try using the \"FM\" modifier.";
        let spaces = self.rest.len() - self.rest.trim_start_matches(is_space).len();
        let text = self.rest.get(spaces..).unwrap_or_default();
        // As many characters as the field has, or all digits that there are.
        let fixed: String = text.chars().take(length).collect();
        let part = if numeric.slurp { text } else { fixed.as_str() };
        if !numeric.slurp && text.len() < length {
            let detail = format!("Field requires {length} characters, but only {} remain.", text.len());
            let message = format!("source string too short for \"{name}\" formatting field");
            return Err(syntax(message).with_detail(detail).with_hint(hint));
        }
        let read = leading_integer(part);
        let used = read.map_or(0, |(_, used)| used);
        if !numeric.slurp && used > 0 && used < length {
            let detail = format!("Field requires {length} characters, but only {used} could be parsed.");
            return Err(invalid(&fixed, name).with_detail(detail).with_hint(hint));
        }
        let Some((value, used)) = read else {
            return Err(invalid(&fixed, name).with_detail("Value must be an integer."));
        };
        if i32::try_from(value).is_err() {
            let detail = "Value must be in the range -2147483648 to 2147483647.";
            let message = format!("value for \"{name}\" in source string is out of range");
            return Err(Error::new(Kind::InvalidDatetime, message).with_detail(detail));
        }
        self.advance(spaces + used);
        Ok((value, spaces + used))
    }

    /// The place of the word that the text begins with.
    fn word(&mut self, words: &[&str], name: &str) -> Result<i64> {
        let begins =
            |word: &str| self.rest.get(..word.len()).is_some_and(|text| text.eq_ignore_ascii_case(word));
        let Some(place) = words.iter().position(|word| begins(word)) else {
            let shown: String = self.rest.chars().take_while(|c| !is_space(*c)).collect();
            let detail = "The given value did not match any of the allowed values for this field.";
            return Err(invalid(&shown, name).with_detail(detail));
        };
        self.advance(words.get(place).map_or(0, |word| word.len()));
        Ok(i64::try_from(place).unwrap_or(0))
    }

    fn name(&mut self, names: &[&str], whole: bool, name: &str) -> Result<i64> {
        let names: Vec<&str> =
            names.iter().map(|name| if whole { name } else { name.get(..3).unwrap_or(name) }).collect();
        self.word(&names, name)
    }
}

/// A field of digits.
#[derive(Debug, Clone, Copy)]
struct Numeric {
    name: &'static str,
    /// All digits that there are are its own.
    slurp: bool,
}

fn is_space(letter: char) -> bool {
    letter.is_ascii_whitespace() || letter == '\u{b}'
}

fn invalid(value: &str, name: &str) -> Error {
    syntax(format!("invalid value \"{value}\" for \"{name}\""))
}

/// Whether a piece of a template takes no digit.
fn is_no_digit(node: &Node) -> bool {
    match node {
        Node::Field { field, .. } => matches!(
            field,
            Field::Meridian { .. }
                | Field::Era { .. }
                | Field::Weekday { .. }
                | Field::MonthName { .. }
                | Field::RomanMonth { .. }
                | Field::Exact
                | Field::Offset
                | Field::ZoneHours
                | Field::Zone { .. }
        ),
        Node::Char(letter) | Node::Separator(letter) | Node::Space(letter) => !letter.is_ascii_digit(),
    }
}

/// Whether `th` behind a field takes two characters of the text.
fn takes_ordinal(field: Field) -> bool {
    !matches!(
        field,
        Field::Meridian { .. }
            | Field::Era { .. }
            | Field::Weekday { .. }
            | Field::MonthName { .. }
            | Field::RomanMonth { .. }
            | Field::ZoneHours
            | Field::ZoneMinutes
    )
}

/// A field that was read already must be the same again.
fn set(field: &mut i64, value: i64, name: &str) -> Result<()> {
    if *field != 0 && *field != value {
        return Err(syntax(format!("conflicting values for \"{name}\" field in formatting string"))
            .with_detail("This value contradicts a previous setting for the same field type."));
    }
    *field = value;
    Ok(())
}

/// The number that a text begins with, after spaces, with its sign, and its length in bytes.
fn leading_integer(text: &str) -> Option<(i64, usize)> {
    let number = text.trim_start_matches(is_space);
    let signed = number.strip_prefix(['+', '-']).unwrap_or(number);
    let digits = signed.bytes().take_while(u8::is_ascii_digit).count();
    let length = text.len() - signed.len() + digits;
    if digits == 0 {
        return None;
    }
    let value = text.get(text.len() - number.len()..length)?;
    let beyond = if number.starts_with('-') { i64::MIN } else { i64::MAX };
    Some((value.parse().unwrap_or(beyond), length))
}

/// What a fraction of so many digits lacks to `whole` of them.
fn tens(whole: usize, length: usize) -> i64 {
    10_i64.pow(u32::try_from(whole.saturating_sub(length)).unwrap_or(0))
}

/// A year of less than four digits is the one near to 2020.
fn near_2020(year: i64) -> i64 {
    match year {
        ..70 => year + 2_000,
        70..100 => year + 1_900,
        100..520 => year + 2_000,
        520..1_000 => year + 1_000,
        _ => year,
    }
}

/// What the fields say together.
fn moment(mut read: Read, text: &str) -> Result<Moment> {
    let micros = time_of_day(&read, text)?;
    let date = date(&mut read, text)?;
    let offset = if read.zone_sign == 0 {
        None
    } else {
        if !(0..=15).contains(&read.zone_hours) || !(0..60).contains(&read.zone_minutes) {
            return Err(out_of_range(text));
        }
        Some(read.zone_sign * (read.zone_hours * 3_600 + read.zone_minutes * 60))
    };
    Ok(Moment { date, micros, offset })
}

fn out_of_range(text: &str) -> Error {
    Error::new(Kind::InvalidDatetime, format!("date/time field value out of range: \"{text}\""))
}

fn time_of_day(read: &Read, text: &str) -> Result<i64> {
    let whole = read.second_of_day;
    let or = |field: i64, otherwise: i64| if field == 0 { otherwise } else { field };
    let mut hour = or(read.hour, whole / 3_600);
    let minute = or(read.minute, whole % 3_600 / 60);
    let second = or(read.second, whole % 60);
    if read.twelve_hours {
        if !(1..=12).contains(&hour) {
            return Err(syntax(format!("hour \"{hour}\" is invalid for the 12-hour clock"))
                .with_hint("Use the 24-hour clock, or give an hour between 1 and 12."));
        }
        hour = hour % 12 + if read.afternoon == 0 { 0 } else { 12 };
    }
    let fraction = read.milliseconds * 1_000 + read.microseconds;
    let fits = (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..60).contains(&second)
        && (0..1_000_000).contains(&fraction);
    if !fits {
        return Err(out_of_range(text));
    }
    Ok(((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction)
}

/// The year that year, century and era say; 0 is 1 BC. `None` where they say none.
fn year(read: &Read) -> Option<i64> {
    let before = read.before_christ != 0;
    let century = if before { -read.century } else { read.century };
    if read.year == 0 {
        // The first year of the century.
        return match century {
            0 => None,
            1.. => Some((century - 1) * 100 + 1),
            _ => Some(century * 100 + 1),
        };
    }
    // With a century, a year of one or two digits is one of it.
    if read.century != 0 && read.year_digits <= 2 {
        let last = read.year % 100;
        return Some(match (last, century >= 0) {
            (0, true) => century * 100,
            (0, false) => century * 100 + 1,
            (last, true) => last + (century - 1) * 100,
            (last, false) => (century + 1) * 100 - last + 1,
        });
    }
    let year = if before { -read.year } else { read.year };
    Some(if year < 0 { year + 1 } else { year })
}

/// The day; what the text does not say is the first of its kind.
fn date(read: &mut Read, text: &str) -> Result<Ymd> {
    let said = year(read);
    let mut date = Ymd { year: said.unwrap_or(0), month: 1, day: 1 };
    let (mut has_year, mut has_month, mut has_day) = (said.is_some(), false, false);
    let all = |flags: (&mut bool, &mut bool, &mut bool)| (*flags.0, *flags.1, *flags.2) = (true, true, true);
    if read.julian != 0 {
        date = julian::day(read.julian);
        all((&mut has_year, &mut has_month, &mut has_day));
    }
    if read.week != 0 {
        if read.calendar == Some(Calendar::IsoWeeks) {
            let monday = julian::of_week(date.year, read.week);
            // Sunday is the first day of a week there, and the last one here.
            let behind = match read.day_of_week {
                0 => 0,
                1 => 6,
                day => day - 2,
            };
            date = julian::day(monday + behind);
            all((&mut has_year, &mut has_month, &mut has_day));
        } else {
            read.day_of_year = (read.week - 1) * 7 + 1;
        }
    }
    if read.week_of_month != 0 {
        read.day = (read.week_of_month - 1) * 7 + 1;
    }
    if read.day != 0 {
        (date.day, has_day) = (read.day, true);
    }
    if read.month != 0 {
        (date.month, has_month) = (read.month, true);
    }
    if read.day_of_year != 0 && (date.month <= 1 || date.day <= 1) {
        if date.year == 0 && read.before_christ == 0 {
            return Err(syntax("cannot calculate day of year without year information".into()));
        }
        if read.calendar == Some(Calendar::IsoWeeks) {
            date = julian::day(julian::of_week(date.year, 1) - 1 + read.day_of_year);
            all((&mut has_year, &mut has_month, &mut has_day));
        } else {
            by_day_of_year(&mut date, read.day_of_year);
            (has_month, has_day) = (true, true);
        }
    }
    let fits = (!has_month || (1..=12).contains(&date.month))
        && (!has_day || (1..=31).contains(&date.day))
        && (!(has_year && has_month && has_day) || date.day <= julian::days_of_month(date.year, date.month));
    if fits { Ok(date) } else { Err(out_of_range(text)) }
}

/// The month and the day of a year's day, each where it was not said.
fn by_day_of_year(date: &mut Ymd, day_of_year: i64) {
    let length = if julian::is_leap(date.year) { 366 } else { 365 };
    let (month, day) = if (1..=length).contains(&day_of_year) {
        let first = julian::of(Ymd { year: date.year, month: 1, day: 1 });
        let found = julian::day(first + day_of_year - 1);
        (found.month, found.day)
    } else if day_of_year > length {
        (13, day_of_year - length)
    } else {
        (1, day_of_year)
    };
    if date.month <= 1 {
        date.month = month;
    }
    if date.day <= 1 {
        date.day = day;
    }
}
