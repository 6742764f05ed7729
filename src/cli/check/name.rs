//! What a check is called and where it stands: the comment line right before it.

use crate::engine::Statement;

/// A check's name and the line of its first word, from 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) name: String,
    pub(super) line: usize,
}

/// The place of a statement in its text.
pub(super) fn place(text: &str, statement: &Statement) -> Place {
    let offset = text.char_indices().nth(statement.offset).map_or(text.len(), |(at, _)| at);
    place_at(text, offset)
}

fn place_at(text: &str, offset: usize) -> Place {
    let before = text.get(..offset).unwrap_or(text);
    let (above, beside) = before.rsplit_once('\n').unwrap_or(("", before));
    let line = before.matches('\n').count() + 1;
    let name = match beside.trim() {
        "" => above.rsplit('\n').next().and_then(comment),
        _ => None,
    };
    Place { name: name.unwrap_or_else(|| format!("the query at line {line}")), line }
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
        let text = "-- A file of checks.\n\n-- 金額がある\nSELECT 1;\nSELECT 2; SELECT 3 -- not this\n\n-- first\n-- second\n\
                    \x20 SELECT 4\n;\n-- gone\n\nSELECT 5";
        for (word, name, line) in [
            ("SELECT 1", "金額がある", 4),
            ("SELECT 2", "the query at line 5", 5),
            ("SELECT 3", "the query at line 5", 5),
            ("SELECT 4", "second", 9),
            ("SELECT 5", "the query at line 13", 13),
        ] {
            let expected = Place { name: name.into(), line };
            assert_eq!(place_at(text, text.find(word).unwrap()), expected, "{word}");
        }
    }

    #[test]
    fn the_first_word_of_a_text_is_at_its_first_line() {
        assert_eq!(place_at("SELECT 1", 0), Place { name: "the query at line 1".into(), line: 1 });
    }
}
