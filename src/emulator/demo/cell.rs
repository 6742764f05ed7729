//! Values as Kintone's JSON writes them.

use crate::emulator::app::{Cell, File};

use super::dice::mix;

/// A text; unset where it is empty.
pub(super) fn text(value: impl Into<String>) -> Cell {
    let value = value.into();
    if value.is_empty() { Cell::Empty } else { Cell::Text(value) }
}

/// A whole number.
pub(super) fn integer(value: i64) -> Cell {
    Cell::Text(value.to_string())
}

/// A number given in units of its last decimal: 1250 with two places is `12.5`.
pub(super) fn decimal(value: i64, places: u32) -> Cell {
    Cell::Text(spell(value, places))
}

/// Several choices; unset where there is none.
pub(super) fn texts(values: Vec<String>) -> Cell {
    if values.is_empty() { Cell::Empty } else { Cell::Texts(values) }
}

/// One user, organization or group.
pub(super) fn code(code: &str) -> Cell {
    if code.is_empty() { Cell::Empty } else { Cell::Codes(vec![code.to_owned()]) }
}

/// A value that may be unset.
pub(super) fn maybe<T>(value: Option<T>, cell: impl FnOnce(T) -> Cell) -> Cell {
    value.map_or(Cell::Empty, cell)
}

/// Attachments of a record, (name, MIME type): each key is made of the place it is attached to, so an app
/// has one field of attachments at most.
pub(super) fn files(app: u64, record: u64, attachments: &[(&str, &str)]) -> Cell {
    let file = |(nth, (name, content_type)): (u64, &(&str, &str))| {
        let low = mix(app ^ mix(record ^ (nth << 40)));
        let high = mix(low ^ app);
        File {
            file_key: format!("{app:x}-{record:x}-{nth}-{low:016x}{high:016x}"),
            name: (*name).to_owned(),
            content_type: (*content_type).to_owned(),
            size: 1_024 + low % 2_000_000,
            content: None,
        }
    };
    let files: Vec<_> = (0_u64..).zip(attachments).map(file).collect();
    if files.is_empty() { Cell::Empty } else { Cell::Files(files) }
}

fn spell(value: i64, places: u32) -> String {
    let scale = 10_u64.pow(places);
    let whole = value.unsigned_abs() / scale;
    let mut part = value.unsigned_abs() % scale;
    let sign = if value < 0 { "-" } else { "" };
    if part == 0 {
        return format!("{sign}{whole}");
    }
    let mut width = usize::try_from(places).unwrap_or(0);
    while part.is_multiple_of(10) {
        part /= 10;
        width -= 1;
    }
    format!("{sign}{whole}.{part:0width$}")
}

#[cfg(test)]
mod tests {
    use super::spell;

    #[test]
    fn decimals_are_plain_and_without_trailing_zeros() {
        for (value, places, expected) in [
            (1250, 2, "12.5"),
            (-5, 2, "-0.05"),
            (0, 4, "0"),
            (1200, 2, "12"),
            (-1, 0, "-1"),
            (1_234_567_890_123_456, 4, "123456789012.3456"),
        ] {
            assert_eq!(spell(value, places), expected);
        }
    }
}
