//! A file as a list of steps, parsed by the sqllogictest crate.

use std::path::Path;

use sqllogictest::{ColumnType, Condition, QueryExpect, Record, SortMode, StatementExpect};

use super::unit::Class;

/// One record of a file that means something here.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// It makes or changes tables.
    Statement(String),
    Query(Query),
}

/// A query and its answer.
#[derive(Debug, Clone)]
pub(super) struct Query {
    /// Of the file, from 1.
    pub(super) line: u32,
    pub(super) sql: String,
    /// A letter a column.
    pub(super) types: String,
    pub(super) sort: SortMode,
    /// The answer's lines, or the sum of its values.
    pub(super) expected: Vec<String>,
    /// Why the file itself leaves it out.
    pub(super) left_out: Option<&'static str>,
}

/// Reads a file. A query or statement that must fail has no answer to compare, and counts as left out.
pub(super) fn read(path: &Path, class: Class) -> Result<Vec<Step>, String> {
    let records = if class == Class::DataFusion {
        sqllogictest::parse_file::<Letter>(path)
    } else {
        let text = std::fs::read_to_string(path).unwrap();
        sqllogictest::parse_with_name::<Letter>(&without_remarks(&text), path.to_string_lossy())
    };
    let records = records.map_err(|error| error.to_string())?;
    Ok(records.into_iter().filter_map(|record| step(record, class)).collect())
}

fn step(record: Record<Letter>, class: Class) -> Option<Step> {
    match record {
        Record::Statement {
            conditions,
            sql,
            expected: StatementExpect::Ok | StatementExpect::Count(_),
            ..
        } => left_out(&conditions, class).is_none().then_some(Step::Statement(sql)),
        Record::Query { loc, conditions, sql, expected, .. } => {
            let mut query = Query {
                line: loc.line(),
                sql,
                types: String::new(),
                sort: SortMode::NoSort,
                expected: vec![],
                left_out: left_out(&conditions, class),
            };
            match expected {
                QueryExpect::Results { types, sort_mode, results, .. } => {
                    query.types = types.iter().map(|letter| letter.0).collect();
                    query.sort = sort_mode.unwrap_or(SortMode::NoSort);
                    query.expected = results;
                }
                QueryExpect::Error(_) => query.left_out = Some("an error is expected"),
            }
            Some(Step::Query(query))
        }
        _ => None,
    }
}

/// The marks in the file: SQLite's know PostgreSQL, whose SQL is spoken here; DataFusion's know DataFusion.
fn left_out(conditions: &[Condition], class: Class) -> Option<&'static str> {
    let own = if class == Class::DataFusion { "datafusion" } else { "postgresql" };
    conditions.iter().find_map(|condition| match condition {
        Condition::OnlyIf { label } if !label.eq_ignore_ascii_case(own) => {
            Some("marked: for another database")
        }
        Condition::SkipIf { label } if label.eq_ignore_ascii_case(own) => Some("marked: not for PostgreSQL"),
        _ => None,
    })
}

/// SQLite's files end `skipif` and `onlyif` lines with remarks, which the parser refuses.
fn without_remarks(text: &str) -> String {
    let lines = text.lines().map(|line| match line.split_once('#') {
        Some((mark, _)) if mark.starts_with("skipif ") || mark.starts_with("onlyif ") => mark.trim_end(),
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A column's type, whatever its letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Letter(char);

impl ColumnType for Letter {
    fn from_char(letter: char) -> Option<Self> {
        Some(Self(letter))
    }

    fn to_char(&self) -> char {
        self.0
    }
}
