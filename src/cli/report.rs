//! SQL errors as psql prints them: severity, the line with a caret under the place, detail and hint.

use std::fmt::Write as _;

use super::failure::Failure;
use super::output::display_width;
use super::script::Script;
use crate::error::{Error, Kind};

/// A line of SQL is cut to about so many columns, as psql does.
const WIDTH: usize = 60;
/// So many of them stay before the caret when the line is cut.
const BEFORE_CARET: usize = 40;

/// Kintone does not answer or refuses: one line and exit code 2. Anything else: the error in its script.
pub(super) fn failure(error: &Error, script: &Script) -> Failure {
    // Whoever uses the command line may do everything: only Kintone forbids anything here.
    let exit_code = if error.kind == Kind::Forbidden { 2 } else { error.kind.exit_code() };
    if exit_code == 2 {
        return Failure::reported(exit_code, Failure::from(error.clone()).message());
    }
    Failure::reported(exit_code, text(error, script))
}

/// The report, without a line break at its end. `FILE:LINE: ` comes before it where the SQL is in a file.
pub(super) fn text(error: &Error, script: &Script) -> String {
    let mut out = String::new();
    let place = error.position.and_then(|position| Place::new(&script.text, position));
    if let Some(name) = &script.name {
        let _ = match &place {
            Some(place) => write!(out, "{name}:{}: ", place.line),
            None => write!(out, "{name}: "),
        };
    }
    let _ = write!(out, "ERROR:  {}", error.message);
    if let Some(place) = place {
        let label = format!("LINE {}: ", place.line);
        let (line, caret) = place.window();
        let _ = write!(out, "\n{label}{line}\n{}^", " ".repeat(label.len() + caret));
    }
    for (label, more) in [("DETAIL", &error.detail), ("HINT", &error.hint)] {
        if let Some(more) = more {
            let _ = write!(out, "\n{label}:  {more}");
        }
    }
    out
}

/// A position inside a text.
struct Place {
    /// From 1.
    line: usize,
    text: Vec<char>,
    /// Characters of the line before the position.
    column: usize,
}

impl Place {
    /// `position` counts characters from 1, as PostgreSQL does.
    fn new(text: &str, position: usize) -> Option<Self> {
        let before: String = text.chars().take(position.checked_sub(1)?).collect();
        if before.len() > text.len() {
            return None;
        }
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let shown = text.get(start..)?.lines().next().unwrap_or_default();
        Some(Self {
            line: before.matches('\n').count() + 1,
            text: shown.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
            column: before.get(start..)?.chars().count(),
        })
    }

    /// The line, cut around the position where it is long, and the terminal columns before the caret.
    fn window(&self) -> (String, usize) {
        let (before, after) = self.text.split_at(self.column.min(self.text.len()));
        if width(&self.text) <= WIDTH {
            return (self.text.iter().collect(), width(before));
        }
        let kept = before.len() - fitting(before.iter().rev(), BEFORE_CARET);
        let shown_before = before.get(kept..).unwrap_or(before);
        let kept_after = fitting(after.iter(), WIDTH.saturating_sub(width(shown_before)));
        let shown_after = after.get(..kept_after).unwrap_or(after);
        let left = if kept > 0 { "..." } else { "" };
        let right = if kept_after < after.len() { "..." } else { "" };
        let text: String = shown_before.iter().chain(shown_after).collect();
        (format!("{left}{text}{right}"), left.len() + width(shown_before))
    }
}

fn width(chars: &[char]) -> usize {
    display_width(&chars.iter().collect::<String>())
}

/// How many of the characters fit in so many columns.
fn fitting<'c>(chars: impl Iterator<Item = &'c char>, columns: usize) -> usize {
    let mut used = 0;
    chars
        .take_while(|c| {
            used += width(&[**c]);
            used <= columns
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: Option<&str>, sql: &str, error: &Error, expected: &str) {
        let script = Script { name: name.map(str::to_owned), text: sql.to_owned() };
        assert_eq!(text(error, &script), expected);
    }

    #[test]
    fn the_caret_stands_under_the_place() {
        let error = |position| {
            Error::new(Kind::UndefinedColumn, "column \"x\" does not exist").with_position(position)
        };
        check(
            None,
            "SELECT x FROM 顧客管理",
            &error(8),
            "ERROR:  column \"x\" does not exist\nLINE 1: SELECT x FROM 顧客管理\n               ^",
        );
        check(
            None,
            "SELECT 会社名, x FROM t",
            &error(13),
            "ERROR:  column \"x\" does not exist\nLINE 1: SELECT 会社名, x FROM t\n                       ^",
        );
        check(
            Some("a.sql"),
            "-- one\nSELECT\n\tx\nFROM t",
            &error(16),
            "a.sql:3: ERROR:  column \"x\" does not exist\nLINE 3:  x\n         ^",
        );
    }

    #[test]
    fn a_place_at_the_end_or_beyond_is_no_fault() {
        let error = |position| Error::new(Kind::Syntax, "m").with_position(position);
        check(None, "SELECT", &error(7), "ERROR:  m\nLINE 1: SELECT\n              ^");
        check(None, "SELECT", &error(99), "ERROR:  m\nLINE 1: SELECT\n              ^");
        check(None, "", &error(1), "ERROR:  m\nLINE 1: \n        ^");
        check(Some("f"), "SELECT", &error(0), "f: ERROR:  m");
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let sql = format!("SELECT {} x, {}", "会社名, ".repeat(20), "会社名, ".repeat(20));
        let error = Error::new(Kind::Syntax, "m")
            .with_position(sql.find(" x,").map_or(0, |at| sql[..at].chars().count() + 2));
        let script = Script { name: None, text: sql };
        let report = text(&error, &script);
        let lines: Vec<_> = report.lines().collect();
        assert!(lines[1].starts_with("LINE 1: ...") && lines[1].ends_with("..."), "{report}");
        let caret = lines[2].find('^').unwrap();
        let under: String = lines[1]
            .chars()
            .scan(0, |at, c| {
                let start = *at;
                *at += display_width(&c.to_string());
                Some((start, c))
            })
            .filter(|(at, _)| *at == caret)
            .map(|(_, c)| c)
            .collect();
        assert_eq!(under, "x", "{report}");
    }

    #[test]
    fn detail_and_hint_follow() {
        let error = Error::new(Kind::UndefinedTable, "relation \"custmers\" does not exist")
            .with_detail("d")
            .with_hint("Did you mean CUSTOMERS?");
        check(
            None,
            "SELECT 1",
            &error,
            "ERROR:  relation \"custmers\" does not exist\nDETAIL:  d\nHINT:  Did you mean CUSTOMERS?",
        );
    }

    #[test]
    fn a_fault_of_the_connection_is_one_line() {
        let error = Error::new(Kind::Unauthenticated, "connection public: wrong password")
            .with_hint("check KINTONE_PASSWORD");
        let script = Script { name: Some("a.sql".into()), text: "SELECT 1".into() };
        let failure = failure(&error, &script);
        assert_eq!(
            failure,
            Failure::reported(2, "connection public: wrong password; check KINTONE_PASSWORD")
        );
    }
}
