//! What a check is called and where it stands: the comment line right before it.

use crate::engine::Statement;

/// A check's name and the line of its first word, from 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) name: String,
    pub(super) line: usize,
}

/// The place of a statement in its text. Comments may or may not be part of the statement's own text.
pub(super) fn place(text: &str, statement: &Statement) -> Place {
    let offset = text.char_indices().nth(statement.offset).map_or(text.len(), |(at, _)| at);
    place_at(text, offset)
}

fn place_at(text: &str, offset: usize) -> Place {
    let (before, from) = text.split_at_checked(offset).unwrap_or((text, ""));
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let mut number = before.matches('\n').count() + 1;
    let mut name = before.get(..start).and_then(|above| comment(above.lines().next_back()?));
    let mut inside_line = before.get(start..).unwrap_or_default().to_owned();
    for line in from.lines() {
        let whole = std::mem::take(&mut inside_line) + line;
        // What the statement before left on the line is not of this one.
        let own = line.trim();
        if own.is_empty() || own == ";" {
            name = None;
        } else if own.starts_with("--") {
            name = comment(&whole);
        } else {
            break;
        }
        number += 1;
    }
    Place { name: name.unwrap_or_else(|| format!("the query at line {number}")), line: number }
}

/// The text of a comment line.
fn comment(line: &str) -> Option<String> {
    let text = line.trim().strip_prefix("--")?.trim_start_matches('-').trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comment_right_before_names_the_check() {
        let text = "-- A file of checks.\n\n-- 金額がある\nSELECT 1;\nSELECT 2; -- not this\n\n-- first\n-- second\nSELECT 3\n;\n-- gone\n\nSELECT 4";
        for (word, name, line) in [
            ("SELECT 1", "金額がある", 4),
            ("SELECT 2", "the query at line 5", 5),
            ("SELECT 3", "second", 9),
            ("SELECT 4", "the query at line 13", 13),
        ] {
            let expected = Place { name: name.into(), line };
            let at = text.find(word).unwrap();
            assert_eq!(place_at(text, at), expected, "from the word {word}");
            let after_last = text[..at].rfind(';').map_or(0, |end| end + 1);
            assert_eq!(place_at(text, after_last), expected, "from the end of the statement before {word}");
        }
    }
}
