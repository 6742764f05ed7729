//! `TimeZone`: names, offsets in hours, and POSIX forms such as `JST-9`.

use chrono_tz::Tz;

/// The zone, and the name under which it is shown; `None` where it is none.
///
/// Offsets are whole hours: the zones that stand for them are `Etc/GMT-14` to `Etc/GMT+12`.
pub(super) fn parse(text: &str) -> Option<(Tz, String)> {
    let text = text.trim();
    if let Ok(hours) = text.parse::<f64>() {
        return of_hours(hours);
    }
    let named = chrono_tz::TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(text));
    if let Some(zone) = named {
        return Some((*zone, zone.name().to_owned()));
    }
    posix(text).map(|zone| (zone, text.to_owned()))
}

/// So many hours east of UTC, under the name that PostgreSQL gives it: `<+09>-09`.
pub(in crate::engine) fn of_hours(hours: f64) -> Option<(Tz, String)> {
    let zone = east(hours)?;
    let west = if hours > 0.0 { '-' } else { '+' };
    let sign = if hours < 0.0 { '-' } else { '+' };
    Some((zone, format!("<{sign}{:02.0}>{west}{:02.0}", hours.abs(), hours.abs())))
}

/// The zone that is so far east of UTC; `None` outside of what there is, and for parts of an hour.
fn east(hours: f64) -> Option<Tz> {
    if hours == 0.0 {
        return Some(Tz::UTC);
    }
    if hours.fract() != 0.0 {
        return None;
    }
    // POSIX counts to the west.
    format!("Etc/GMT{}{:.0}", if hours > 0.0 { '-' } else { '+' }, hours.abs()).parse().ok()
}

/// `JST-9`, `<+09>-09`, `UTC+3`, `+09:00`: an abbreviation and how far west it is.
fn posix(text: &str) -> Option<Tz> {
    let offset = match text.strip_prefix('<') {
        Some(quoted) => quoted.split_once('>')?.1,
        None => text.trim_start_matches(|c: char| c.is_ascii_alphabetic()),
    };
    let named = text.len() - offset.len();
    if named != 0 && named < 3 {
        return None;
    }
    let (sign, digits) = match offset.strip_prefix('-') {
        Some(digits) => (1.0, digits),
        None => (-1.0, offset.strip_prefix('+').unwrap_or(offset)),
    };
    let mut parts = digits.split(':');
    let hours: u8 = parts.next()?.parse().ok()?;
    let zero = |part: &str| part.parse::<u8>() == Ok(0);
    parts.all(zero).then(|| east(sign * f64::from(hours))).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_read_in_every_form() {
        for (text, zone, shown) in [
            ("asia/tokyo", "Asia/Tokyo", "Asia/Tokyo"),
            ("utc", "UTC", "UTC"),
            ("GMT", "GMT", "GMT"),
            ("9", "Etc/GMT-9", "<+09>-09"),
            ("-7", "Etc/GMT+7", "<-07>+07"),
            ("0", "UTC", "<+00>+00"),
            ("JST-9", "Etc/GMT-9", "JST-9"),
            ("UTC+3", "Etc/GMT+3", "UTC+3"),
            ("<+09>-09", "Etc/GMT-9", "<+09>-09"),
            ("+09:00", "Etc/GMT+9", "+09:00"),
            ("est5edt", "EST5EDT", "EST5EDT"),
        ] {
            let (found, name) = parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((found.name(), name.as_str()), (zone, shown), "{text}");
        }
        for text in ["mars", "5.5", "", "jst", "JST-9:30", "99"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
