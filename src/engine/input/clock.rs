//! What a session says about the texts of days and times that leave it open.

use chrono_tz::Tz;

/// In which order `1/2/2024` has its parts: the second word of `DateStyle`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DateOrder {
    /// `MDY`
    #[default]
    MonthDayYear,
    /// `DMY`
    DayMonthYear,
    /// `YMD`
    YearMonthDay,
}

impl DateOrder {
    pub(crate) const ALL: [Self; 3] = [Self::MonthDayYear, Self::DayMonthYear, Self::YearMonthDay];

    /// The order that a value of `DateStyle` in its full form names.
    pub(crate) fn of_style(style: &str) -> Self {
        match style.rsplit(", ").next() {
            Some("DMY") => Self::DayMonthYear,
            Some("YMD") => Self::YearMonthDay,
            _ => Self::MonthDayYear,
        }
    }
}

/// The zone of a time without one, and the order of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// Where the clock hangs.
    pub zone: Tz,
    /// How days are written.
    pub order: DateOrder,
}

impl From<Tz> for Clock {
    fn from(zone: Tz) -> Self {
        Self { zone, order: DateOrder::default() }
    }
}
