//! The company's days: three years up to today, in Japan time.
//!
//! A day is counted from 1970-01-01, an instant in minutes from 1970-01-01T00:00Z, as Kintone keeps it.

use chrono::{Datelike, NaiveDate};

/// How many days before today the apps begin.
const SPAN: i64 = 3 * 365;
/// How far plans reach beyond today, in days.
const AHEAD: i64 = 400;
/// Minutes of a day.
const DAY: i64 = 24 * 60;
/// Japan is ahead of UTC by this many minutes, all year.
const JST: i64 = 9 * 60;
/// Work begins at 09:00 and lasts nine hours.
const OPENS: i64 = 9 * 60;
const OPEN_FOR: i64 = 9 * 60;

/// Today, the working days before it, and the text of every day in use.
pub(super) struct Calendar {
    today: i64,
    first: i64,
    workdays: Vec<i64>,
    texts: Vec<String>,
    months: Vec<u32>,
}

impl Calendar {
    /// The calendar of a company that lives on `today`.
    pub(super) fn new(today: NaiveDate) -> Self {
        let today = i64::from(today.to_epoch_days());
        let first = today - SPAN;
        let days = first..=today + AHEAD;
        Self {
            today,
            first,
            workdays: (first..=today).filter(|day| is_workday(*day)).collect(),
            texts: days.clone().map(spell).collect(),
            months: days.map(|day| on(day).map_or(1, |date| date.month())).collect(),
        }
    }

    /// Today.
    pub(super) fn today(&self) -> i64 {
        self.today
    }

    /// The day on which the apps were set up.
    pub(super) fn first(&self) -> i64 {
        self.first
    }

    /// No record was written after this instant: today at 09:00 in Japan.
    pub(super) fn now(&self) -> i64 {
        jst(self.today, OPENS)
    }

    /// When the `index`th of `count` records was written: in working hours, never before its
    /// predecessor, and denser towards today.
    pub(super) fn written(&self, index: usize, count: usize) -> i64 {
        let last = i64::try_from(self.workdays.len()).unwrap_or(1) * OPEN_FOR - OPEN_FOR;
        let index = i64::try_from(index).unwrap_or(0);
        let count = i64::try_from(count).unwrap_or(1).max(1);
        // Of n records, the share written by the time t is 0.75 t + 0.25 t²; this is near its inverse.
        let share = (index + 1) * 1_000_000 / count;
        let share = share + share * (1_000_000 - share) / 4_000_000;
        let at = last * share / 1_000_000;
        let nth = usize::try_from(at / OPEN_FOR).unwrap_or(0);
        let day = self.workdays.get(nth).copied().unwrap_or(self.first);
        jst(day, OPENS + at % OPEN_FOR).min(self.now())
    }

    /// `2026-04-24`.
    pub(super) fn date(&self, day: i64) -> String {
        let known = usize::try_from(day - self.first).ok().and_then(|at| self.texts.get(at));
        known.cloned().unwrap_or_else(|| spell(day))
    }

    /// `2026-04-24T12:00:00Z`.
    pub(super) fn datetime(&self, instant: i64) -> String {
        let mut text = String::with_capacity(20);
        let day = instant.div_euclid(DAY);
        match usize::try_from(day - self.first).ok().and_then(|at| self.texts.get(at)) {
            Some(known) => text.push_str(known),
            None => text.push_str(&spell(day)),
        }
        text.push('T');
        push_clock(&mut text, instant.rem_euclid(DAY));
        text.push_str(":00Z");
        text
    }

    /// The month, 1 to 12.
    pub(super) fn month(&self, day: i64) -> u32 {
        let known = usize::try_from(day - self.first).ok().and_then(|at| self.months.get(at));
        known.copied().unwrap_or_else(|| on(day).map_or(1, |date| date.month()))
    }

    /// The last day of the month that `day` is in.
    pub(super) fn month_end(&self, day: i64) -> i64 {
        let month = self.month(day);
        (day..day + 31).take_while(|next| self.month(*next) == month).last().unwrap_or(day)
    }
}

/// The instant of a time of day in Japan.
pub(super) fn jst(day: i64, minute: i64) -> i64 {
    day * DAY + minute - JST
}

/// The day in Japan at an instant.
pub(super) fn day_of(instant: i64) -> i64 {
    (instant + JST).div_euclid(DAY)
}

/// The year of a day.
pub(super) fn year_of(day: i64) -> i32 {
    on(day).map_or(1970, |date| date.year())
}

/// `09:05`, and beyond a day `25:01`.
pub(super) fn clock(minutes: i64) -> String {
    let mut text = String::with_capacity(5);
    push_clock(&mut text, minutes);
    text
}

fn push_clock(text: &mut String, minutes: i64) {
    let (hours, minutes) = (minutes / 60, minutes % 60);
    if hours >= 100 {
        text.push_str(&hours.to_string());
    } else {
        push_two(text, hours);
    }
    text.push(':');
    push_two(text, minutes);
}

fn push_two(text: &mut String, number: i64) {
    let digit = |n: i64| u32::try_from(n).ok().and_then(|n| char::from_digit(n, 10)).unwrap_or('0');
    text.push(digit(number / 10));
    text.push(digit(number % 10));
}

fn is_workday(day: i64) -> bool {
    // 1970-01-01 was a Thursday; 0 is Sunday.
    let weekday = (day + 4).rem_euclid(7);
    weekday != 0 && weekday != 6
}

fn on(day: i64) -> Option<NaiveDate> {
    NaiveDate::from_epoch_days(i32::try_from(day).ok()?)
}

fn spell(day: i64) -> String {
    on(day).unwrap_or_default().to_string()
}
