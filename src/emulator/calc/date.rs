//! `DATE_FORMAT`: a time of seconds since 1970 in UTC as a text.

use chrono::{DateTime, Datelike as _, Timelike as _};
use chrono_tz::{OffsetName as _, Tz};

use super::Fault;

/// The years 1000 to 9999.
const SECONDS: std::ops::RangeInclusive<i64> = -30_610_224_000..=253_402_300_799;

/// Writes a time by a pattern such as `YYYY-MM-dd HH:mm`. `system` names the zone of the domain.
pub(super) fn format(seconds: i64, pattern: &str, zone: &str, domain: Tz) -> Result<String, Fault> {
    let zone: Tz = if zone == "system" { domain } else { zone.parse().map_err(|_| Fault::value())? };
    let time = DateTime::from_timestamp(seconds, 0).filter(|_| SECONDS.contains(&seconds));
    let time = time.ok_or_else(Fault::value)?.with_timezone(&zone);
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            rest = quoted(rest, &mut out);
            continue;
        }
        let run = rest.find(|c| c != first).unwrap_or(rest.len());
        if first.is_ascii_alphabetic() {
            out += &part(&time, first, run)?;
        } else {
            out.push_str(rest.get(..run).unwrap_or_default());
        }
        rest = rest.get(run..).unwrap_or_default();
    }
    Ok(out)
}

/// Copies what stands in quotes, two of which are one; gives what follows.
fn quoted<'a>(text: &'a str, out: &mut String) -> &'a str {
    let inner = text.get(1..).unwrap_or_default();
    let end = inner.find('\'').unwrap_or(inner.len());
    out.push_str(if end == 0 { "'" } else { inner.get(..end).unwrap_or_default() });
    inner.get(end + 1..).unwrap_or_default()
}

/// What a run of one letter stands for.
fn part(time: &DateTime<Tz>, letter: char, run: usize) -> Result<String, Fault> {
    let padded = |number: i64| format!("{number:0run$}");
    Ok(match letter {
        'Y' | 'y' if run == 2 => format!("{:02}", time.year().rem_euclid(100)),
        'Y' | 'y' => padded(i64::from(time.year())),
        'M' if run == 3 => time.format("%b").to_string(),
        'M' if run > 3 => time.format("%B").to_string(),
        'M' => padded(i64::from(time.month())),
        'd' => padded(i64::from(time.day())),
        'E' if run > 3 => time.format("%A").to_string(),
        'E' => time.format("%a").to_string(),
        'a' => if time.hour() < 12 { "AM" } else { "PM" }.to_owned(),
        'H' => padded(i64::from(time.hour())),
        'k' => padded(i64::from(if time.hour() == 0 { 24 } else { time.hour() })),
        'K' => padded(i64::from(time.hour() % 12)),
        'h' => padded(i64::from(time.hour12().1)),
        'm' => padded(i64::from(time.minute())),
        's' => padded(i64::from(time.second())),
        'Z' if run == 1 => time.format("%z").to_string(),
        'Z' if run == 2 => time.format("%:z").to_string(),
        'Z' => time.offset().tz_id().to_owned(),
        _ => return Err(Fault::value()),
    })
}
