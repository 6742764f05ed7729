//! Days by their Julian number, and the weeks of ISO 8601, for years of any size.

/// The number of 1970-01-01.
pub(super) const EPOCH: i64 = 2_440_588;

/// A day of the proleptic Gregorian calendar; year 0 is 1 BC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ymd {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
}

/// The Julian number of a day. Months and days beyond their range run on into the next ones.
pub(super) fn of(date: Ymd) -> i64 {
    // Years are counted from March, so that the leap day is the last one.
    let months = date.year * 12 + date.month - 3;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12));
    let days_before = (153 * month + 2) / 5;
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    date.day + days_before + 365 * year + leaps + 1_721_119
}

/// The day of a Julian number.
pub(super) fn day(number: i64) -> Ymd {
    // Days since 0000-03-01, in eras of 400 years.
    let days = number - 1_721_120;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    Ymd { year: era * 400 + year_of_era + carry, month, day }
}

/// The Monday of a week of an ISO year.
pub(super) fn of_week(year: i64, week: i64) -> i64 {
    let fourth = of(Ymd { year, month: 1, day: 4 });
    fourth - fourth.rem_euclid(7) + (week - 1) * 7
}

/// The ISO year of a day, and its week.
pub(super) fn iso_week(date: Ymd) -> (i64, i64) {
    let number = of(date);
    let year = (date.year - 1..=date.year + 1).rev().find(|year| of_week(*year, 1) <= number);
    let year = year.unwrap_or(date.year);
    (year, (number - of_week(year, 1)) / 7 + 1)
}

pub(super) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The days of a month of 1 to 12.
pub(super) fn days_of_month(year: i64, month: i64) -> i64 {
    of(Ymd { year, month: month + 1, day: 1 }) - of(Ymd { year, month, day: 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_numbers_go_both_ways() {
        let date = |year, month, day| Ymd { year, month, day };
        assert_eq!(of(date(1970, 1, 1)), EPOCH);
        assert_eq!(of(date(2024, 2, 29)), 2_460_370);
        assert_eq!(of(date(2023, 2, 30)), of(date(2023, 3, 2)));
        assert_eq!(of(date(-4713, 11, 24)), 0);
        for number in [0, 1, 1_721_059, 1_721_060, EPOCH, 2_451_604, 2_451_605, 5_373_484] {
            assert_eq!(of(day(number)), number);
        }
        assert_eq!(iso_week(date(2021, 1, 3)), (2020, 53));
        assert_eq!(iso_week(date(2024, 12, 30)), (2025, 1));
        assert_eq!(iso_week(date(2024, 2, 29)), (2024, 9));
        assert_eq!(days_of_month(2023, 12), 31);
    }
}
