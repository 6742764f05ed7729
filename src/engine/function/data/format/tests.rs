use chrono_tz::Tz;

use super::*;

fn span(months: i32, days: i32, micros: i64) -> Span {
    Span { months, days, micros }
}

fn text(cell: Result<Cell>) -> String {
    match cell {
        Ok(Cell::Text(text)) => text,
        Ok(other) => format!("{other:?}"),
        Err(error) => format!("{}: {}", error.kind.sqlstate(), error.message),
    }
}

#[test]
fn a_template_that_is_no_time_of_an_interval_is_refused() {
    let shown = |template: &str| text(interval(span(14, 3, 3_600_000_000), &Cell::Text(template.into())));
    assert_eq!(shown("YYYY MM DD HH24:MI"), "0001 02 03 01:00");
    assert_eq!(shown("Day"), "22007: invalid format specification for an interval value");
    assert_eq!(interval(span(0, 0, 0), &Cell::Text(String::new())), Ok(Cell::Null));
}

#[test]
fn zones_of_texts_are_read() {
    let context = Context { zone: Tz::Asia__Tokyo };
    let read = |text: &str, template: &str| {
        let args = [Cell::Text(text.into()), Cell::Text(template.into())];
        to_timestamp(&context, &args)
    };
    assert_eq!(read("1970-01-01 09:00", "YYYY-MM-DD HH24:MI"), Ok(Cell::Instant(0)));
    assert_eq!(read("1970-01-01 00:00 +00", "YYYY-MM-DD HH24:MI TZH"), Ok(Cell::Instant(0)));
    assert_eq!(
        read("x", "TZ").map_err(|error| error.message),
        Err("formatting field \"TZ\" is only supported in to_char".into())
    );
}

#[test]
fn templates_of_numbers_that_say_two_things_are_refused() {
    for (template, message) in [
        ("9.9.9", "multiple decimal points"),
        ("S9S", "cannot use \"S\" twice"),
        ("9PR9", "\"9\" must be ahead of \"PR\""),
        ("9V9.9", "cannot use \"V\" and decimal point together"),
        ("9EEEE9", "\"EEEE\" must be the last pattern used"),
    ] {
        assert_eq!(text(show_number::integer(1, template).map(Cell::Text)), format!("42601: {message}"));
    }
}
