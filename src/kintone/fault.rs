//! What an error says of a field or a parameter: the keys of `errors` (K§5.2), taken apart.

/// One key of `errors`. Rows and records count from 0, as in Kintone's keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fault {
    /// Such as `records[3].Price.value`.
    pub key: String,
    /// In the language of the connection's user.
    pub messages: Vec<String>,
    /// The record's place in the request; none where the request has one record only.
    pub record: Option<usize>,
    /// The field's code; none where it is about a parameter.
    pub field: Option<String>,
    /// The row of a table field.
    pub row: Option<usize>,
    /// The column of a table field.
    pub column: Option<String>,
    /// The place in a list of values.
    pub item: Option<usize>,
}

/// A part of a key: a name after a point, or what brackets hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part<'k> {
    Name(&'k str),
    Bracket(&'k str),
}

impl Fault {
    /// Takes a key apart; what it does not say stays empty.
    #[must_use]
    pub fn new(key: &str, messages: &[String]) -> Self {
        let mut fault = Self { key: key.to_owned(), messages: messages.to_vec(), ..Self::default() };
        fault.read(&parts(key));
        fault
    }

    fn read(&mut self, parts: &[Part<'_>]) {
        let mut rest = parts;
        match rest {
            [Part::Name("records"), Part::Bracket(n), tail @ ..] if n.parse::<usize>().is_ok() => {
                self.record = n.parse().ok();
                rest = tail;
                // `records[0].record.F.value`: an update's records have their values one level deeper.
                if let [Part::Name("record"), tail @ ..] = rest
                    && !is_value(tail)
                {
                    rest = tail;
                }
            }
            [Part::Name("record"), tail @ ..] => rest = tail,
            [Part::Name(_), Part::Bracket(n), ..] => {
                self.item = n.parse().ok();
                return;
            }
            _ => return,
        }
        let [Part::Name(field) | Part::Bracket(field), tail @ ..] = rest else { return };
        // `records[2].id` is about a parameter.
        if !is_value(tail) {
            return;
        }
        self.field = Some((*field).to_owned());
        match tail {
            [Part::Name("value"), Part::Bracket(row), Part::Name("value"), column, tail @ ..] => {
                let (Part::Name(column) | Part::Bracket(column)) = column;
                self.row = row.parse().ok();
                self.column = Some((*column).to_owned());
                self.item = item(tail);
            }
            tail => self.item = item(tail),
        }
    }
}

fn is_value(parts: &[Part<'_>]) -> bool {
    matches!(parts, [Part::Name("value" | "values"), ..])
}

/// `values[2].value`, or `value[2]`.
fn item(parts: &[Part<'_>]) -> Option<usize> {
    match parts {
        [Part::Name(_), Part::Bracket(n), ..] => n.parse().ok(),
        _ => None,
    }
}

fn parts(key: &str) -> Vec<Part<'_>> {
    let mut parts = vec![];
    let mut rest = key;
    while !rest.is_empty() {
        if let Some(open) = rest.strip_prefix('[') {
            let Some((inner, tail)) = open.split_once(']') else { break };
            parts.push(Part::Bracket(inner));
            rest = tail;
        } else {
            let name = rest.strip_prefix('.').unwrap_or(rest);
            let end = name.find(['.', '[']).unwrap_or(name.len());
            if end == 0 {
                break;
            }
            parts.push(Part::Name(&name[..end]));
            rest = &name[end..];
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_taken_apart() {
        type Expect =
            (Option<usize>, Option<&'static str>, Option<usize>, Option<&'static str>, Option<usize>);
        let cases: [(&str, Expect); 22] = [
            ("record.Price.value", (None, Some("Price"), None, None, None)),
            ("record.単価.values", (None, Some("単価"), None, None, None)),
            ("record.Owner.values.value", (None, Some("Owner"), None, None, None)),
            ("record.Tags.values[2].value", (None, Some("Tags"), None, None, Some(2))),
            ("record[Price].value", (None, Some("Price"), None, None, None)),
            ("records[3].Price.value", (Some(3), Some("Price"), None, None, None)),
            ("records[3].record.Price.value", (Some(3), Some("Price"), None, None, None)),
            ("records[3].record.value", (Some(3), Some("record"), None, None, None)),
            ("records[12][Price].value", (Some(12), Some("Price"), None, None, None)),
            ("records[1].Tags.values[0].value", (Some(1), Some("Tags"), None, None, Some(0))),
            ("record.T.value[4].value.Price.value", (None, Some("T"), Some(4), Some("Price"), None)),
            ("record.T.value[4].value[Price].value", (None, Some("T"), Some(4), Some("Price"), None)),
            (
                "records[2].T.value[0].value.Tags.values[1].value",
                (Some(2), Some("T"), Some(0), Some("Tags"), Some(1)),
            ),
            ("records[2].id", (Some(2), None, None, None, None)),
            ("records[2].revision", (Some(2), None, None, None, None)),
            ("records", (None, None, None, None, None)),
            ("ids[7]", (None, None, None, None, Some(7))),
            ("query", (None, None, None, None, None)),
            ("app", (None, None, None, None, None)),
            ("", (None, None, None, None, None)),
            ("records[", (None, None, None, None, None)),
            ("records[x].Price..value[", (None, None, None, None, None)),
        ];
        for (key, expect) in cases {
            let fault = Fault::new(key, &["no".into()]);
            let seen = (fault.record, fault.field.as_deref(), fault.row, fault.column.as_deref(), fault.item);
            assert_eq!(seen, expect, "{key}");
            assert_eq!((fault.key.as_str(), fault.messages.as_slice()), (key, &["no".to_owned()][..]));
        }
    }
}
