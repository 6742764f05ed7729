//! The date functions: what span of time each stands for, in the calling user's zone (K§3.4).

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

use super::super::reply::{BAD_DAY, BAD_UNIT, Failure, WRONG_ARITY};
use super::super::unknown::MissingDay;
use super::parser::Argument;

/// What a function stands for: an instant, or whole days.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// Minutes since 1970 in UTC.
    Now(i64),
    /// First and last day.
    Days(NaiveDate, NaiveDate),
}

const WEEKDAYS: &[&str] = &["SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"];

/// When and where a function is asked.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    pub(super) now: DateTime<Utc>,
    /// Of the calling user.
    pub(super) zone: Tz,
    pub(super) missing_day: MissingDay,
}

/// The span of a function; `Ok(None)` where no date function has that name.
pub(super) fn span(name: &str, arguments: &[Argument], clock: Clock) -> Result<Option<Span>, Failure> {
    let today = clock.now.with_timezone(&clock.zone).date_naive();
    let month = |within| month(arguments.first(), within, clock.missing_day);
    let most_arguments = match name {
        "NOW" | "TODAY" | "YESTERDAY" | "TOMORROW" | "THIS_YEAR" | "LAST_YEAR" | "NEXT_YEAR" => 0,
        "THIS_WEEK" | "LAST_WEEK" | "NEXT_WEEK" | "THIS_MONTH" | "LAST_MONTH" | "NEXT_MONTH" => 1,
        "FROM_TODAY" => 2,
        _ => return Ok(None),
    };
    if arguments.len() > most_arguments || (name == "FROM_TODAY" && arguments.len() != 2) {
        return Err(Failure::about(WRONG_ARITY, name));
    }
    let day = |date: Option<NaiveDate>| date.map(|date| Span::Days(date, date)).ok_or(BAD_DAY);
    let span = match name {
        "NOW" => Span::Now(clock.now.timestamp().div_euclid(60)),
        "TODAY" => day(Some(today))?,
        "YESTERDAY" => day(today.pred_opt())?,
        "TOMORROW" => day(today.succ_opt())?,
        "FROM_TODAY" => day(Some(from_today(arguments, today)?))?,
        "THIS_YEAR" => year(today.year())?,
        "LAST_YEAR" => year(today.year() - 1)?,
        "NEXT_YEAR" => year(today.year() + 1)?,
        "THIS_WEEK" => week(arguments.first(), Some(today))?,
        "LAST_WEEK" => week(arguments.first(), today.checked_sub_days(Days::new(7)))?,
        "NEXT_WEEK" => week(arguments.first(), today.checked_add_days(Days::new(7)))?,
        "LAST_MONTH" => month(today.checked_sub_months(Months::new(1)))?,
        "NEXT_MONTH" => month(today.checked_add_months(Months::new(1)))?,
        _ => month(Some(today))?,
    };
    Ok(Some(span))
}

fn from_today(arguments: &[Argument], today: NaiveDate) -> Result<NaiveDate, Failure> {
    let [Argument::Number(count), Argument::Word(unit)] = arguments else { return Err(BAD_UNIT.into()) };
    let count: i32 = count.parse().map_err(|_| BAD_DAY)?;
    let size = u64::from(count.unsigned_abs());
    let (days, months) = match unit.as_str() {
        "DAYS" => (Some(size), None),
        "WEEKS" => (Some(size * 7), None),
        "MONTHS" => (None, u32::try_from(size).ok()),
        "YEARS" => (None, u32::try_from(size * 12).ok()),
        _ => return Err(BAD_UNIT.into()),
    };
    let moved = match (days, months, count < 0) {
        (Some(days), _, false) => today.checked_add_days(Days::new(days)),
        (Some(days), _, true) => today.checked_sub_days(Days::new(days)),
        (None, Some(months), false) => today.checked_add_months(Months::new(months)),
        (None, Some(months), true) => today.checked_sub_months(Months::new(months)),
        (None, None, _) => None,
    };
    moved.ok_or_else(|| BAD_DAY.into())
}

fn year(year: i32) -> Result<Span, Failure> {
    let first = NaiveDate::from_ymd_opt(year, 1, 1).ok_or(BAD_DAY)?;
    let last = NaiveDate::from_ymd_opt(year, 12, 31).ok_or(BAD_DAY)?;
    Ok(Span::Days(first, last))
}

/// A week from Sunday on, or one day of it.
fn week(argument: Option<&Argument>, within: Option<NaiveDate>) -> Result<Span, Failure> {
    let within = within.ok_or(BAD_DAY)?;
    let back = u64::from(within.weekday().num_days_from_sunday());
    let sunday = within.checked_sub_days(Days::new(back)).ok_or(BAD_DAY)?;
    let after = |days| sunday.checked_add_days(Days::new(days)).ok_or(BAD_DAY);
    let Some(argument) = argument else { return Ok(Span::Days(sunday, after(6)?)) };
    let Argument::Word(name) = argument else { return Err(BAD_DAY.into()) };
    let index = (0..).zip(WEEKDAYS).find(|(_, day)| *day == name).ok_or(BAD_DAY)?.0;
    Ok(Span::Days(after(index)?, after(index)?))
}

/// A month, or one day of it.
fn month(
    argument: Option<&Argument>,
    within: Option<NaiveDate>,
    missing_day: MissingDay,
) -> Result<Span, Failure> {
    let first = within.and_then(|date| date.with_day(1)).ok_or(BAD_DAY)?;
    let next = first.checked_add_months(Months::new(1)).ok_or(BAD_DAY)?;
    let last = next.pred_opt().ok_or(BAD_DAY)?;
    let day = match argument {
        None => return Ok(Span::Days(first, last)),
        Some(Argument::Word(word)) if word == "LAST" => last,
        Some(Argument::Number(number)) => {
            let day = number.parse().ok().filter(|day| (1..=31).contains(day)).ok_or(BAD_DAY)?;
            first.with_day(day).unwrap_or(match missing_day {
                MissingDay::NextMonth => next,
                MissingDay::Last => last,
            })
        }
        Some(Argument::Word(_)) => return Err(BAD_DAY.into()),
    };
    Ok(Span::Days(day, day))
}

/// The first minute of a day in a zone, in UTC.
pub(super) fn start_of_day(date: NaiveDate, zone: Tz) -> i64 {
    let midnight = date.and_time(NaiveTime::MIN);
    // A clock change may skip midnight: the day then starts an hour later.
    let local = zone
        .from_local_datetime(&midnight)
        .earliest()
        .or_else(|| zone.from_local_datetime(&(midnight + chrono::TimeDelta::hours(1))).earliest());
    local.map_or(midnight.and_utc().timestamp(), |local| local.timestamp()).div_euclid(60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(name: &str, arguments: &[Argument]) -> String {
        // 2026-01-30 is a Friday; in Tokyo it is already the 31st.
        let now = Utc.with_ymd_and_hms(2026, 1, 30, 16, 0, 0).unwrap();
        let clock = Clock { now, zone: chrono_tz::Asia::Tokyo, missing_day: MissingDay::NextMonth };
        match span(name, arguments, clock) {
            Ok(Some(Span::Days(first, last))) => format!("{first}..{last}"),
            Ok(other) => format!("{other:?}"),
            Err(failure) => failure.name().to_owned(),
        }
    }

    #[test]
    fn spans() {
        let number = |text: &str| Argument::Number(text.to_owned());
        let word = |text: &str| Argument::Word(text.to_owned());
        for (name, arguments, expected) in [
            ("TODAY", vec![], "2026-01-31..2026-01-31"),
            ("FROM_TODAY", vec![number("1"), word("MONTHS")], "2026-02-28..2026-02-28"),
            ("FROM_TODAY", vec![number("-1"), word("WEEKS")], "2026-01-24..2026-01-24"),
            ("FROM_TODAY", vec![number("1"), word("HOURS")], "GAIA_IQ25"),
            ("FROM_TODAY", vec![number("1")], "GAIA_IL08"),
            ("TODAY", vec![number("1")], "GAIA_IL08"),
            ("THIS_WEEK", vec![], "2026-01-25..2026-01-31"),
            ("NEXT_WEEK", vec![word("MONDAY")], "2026-02-02..2026-02-02"),
            ("NEXT_MONTH", vec![], "2026-02-01..2026-02-28"),
            ("NEXT_MONTH", vec![number("30")], "2026-03-01..2026-03-01"),
            ("LAST_MONTH", vec![word("LAST")], "2025-12-31..2025-12-31"),
            ("THIS_MONTH", vec![number("32")], "GAIA_IQ23"),
            ("NEXT_YEAR", vec![], "2027-01-01..2027-12-31"),
        ] {
            assert_eq!(days(name, &arguments), expected, "{name} {arguments:?}");
        }
    }
}
