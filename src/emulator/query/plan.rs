//! What a record must satisfy, with every name and literal resolved, and whether it does (K§3.3, K§3.5).

use std::collections::{BTreeSet, HashSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::super::app::File;
use super::super::field::Place;
use super::super::store::Stored;
use super::super::value::{Decimal, TableRow, Value};
use super::like::Keyword;
use super::search::Found;
use super::text::Texts;

/// A value as comparisons see it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum View<'a> {
    Empty,
    Text(&'a str),
    Number(Decimal),
    /// Ids, days, minutes.
    Integer(i64),
    Texts(&'a [Arc<str>]),
    Files(&'a [File]),
}

impl<'a> View<'a> {
    pub(crate) fn of(value: &'a Value) -> Self {
        match value {
            Value::Empty | Value::Rows(_) => View::Empty,
            Value::Text(text) if text.is_empty() => View::Empty,
            Value::Texts(list) | Value::Codes(list) if list.is_empty() => View::Empty,
            Value::Text(text) => View::Text(text),
            Value::Number(number) => View::Number(*number),
            Value::Date(days) => View::Integer(i64::from(*days)),
            Value::Time(minutes) => View::Integer(i64::from(*minutes)),
            Value::DateTime(minutes) | Value::Duration(minutes) => View::Integer(*minutes),
            Value::Texts(list) | Value::Codes(list) => View::Texts(list),
            Value::Files(files) => View::Files(files),
        }
    }

    /// A record's value at a place. A table's columns have no single one.
    pub(crate) fn at(record: &'a Stored, place: Place) -> Self {
        let list = |list: &'a [Arc<str>]| if list.is_empty() { View::Empty } else { View::Texts(list) };
        match place {
            Place::Id => View::Integer(i64::try_from(record.id).unwrap_or(i64::MAX)),
            Place::Revision => View::Integer(i64::try_from(record.revision).unwrap_or(i64::MAX)),
            Place::Creator => View::Text(&record.creator),
            Place::Modifier => View::Text(&record.modifier),
            Place::Created => View::Integer(record.created),
            Place::Updated => View::Integer(record.updated),
            Place::Status => record.status.as_deref().map_or(View::Empty, View::Text),
            Place::Assignees => list(&record.assignees),
            Place::Categories => list(&record.categories),
            Place::Cell(cell) => record.cells.get(cell).map_or(View::Empty, View::of),
            Place::Column(..) | Place::Nowhere => View::Empty,
        }
    }

    /// The value as a key that joins records of two apps; `None` where it is unset or has several.
    pub(crate) fn key(self) -> Option<String> {
        match self {
            View::Text(text) => Some(text.to_owned()),
            View::Number(number) => Some(number.to_string()),
            View::Integer(integer) => Some(integer.to_string()),
            View::Empty | View::Texts(_) | View::Files(_) => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl Comparison {
    /// `first..last` is the span that a literal or a function stands for.
    fn holds<T: Ord>(self, value: &T, first: &T, last: &T) -> bool {
        match self {
            Comparison::Equal => first <= value && value <= last,
            Comparison::Less => value < first,
            Comparison::LessEqual => value <= last,
            Comparison::Greater => value > last,
            Comparison::GreaterEqual => value >= first,
        }
    }

    fn takes_minus_infinity(self) -> bool {
        matches!(self, Comparison::Less | Comparison::LessEqual)
    }
}

/// A positive test of one value.
#[derive(Debug)]
pub(super) enum Test {
    /// The last says whether an unset value is minus infinity.
    Integer(Comparison, i64, i64, bool),
    /// As `Integer`.
    Number(Comparison, Decimal, bool),
    Integers {
        points: HashSet<i64>,
        spans: Vec<(i64, i64)>,
        unset: bool,
    },
    Numbers {
        points: HashSet<Decimal>,
        unset: bool,
    },
    /// One of the texts; of a list, any element.
    Texts {
        texts: Texts,
        unset: bool,
    },
    Words(Keyword),
    Unset,
    /// Unset, or white space alone.
    Blank,
}

impl Test {
    pub(super) fn holds(&self, view: View<'_>) -> bool {
        match (self, view) {
            (Test::Integer(comparison, first, last, _), View::Integer(value)) => {
                comparison.holds(&value, first, last)
            }
            (Test::Number(comparison, literal, _), View::Number(value)) => {
                comparison.holds(&value, literal, literal)
            }
            (Test::Integer(comparison, .., least) | Test::Number(comparison, _, least), View::Empty) => {
                *least && comparison.takes_minus_infinity()
            }
            (Test::Integers { points, spans, .. }, View::Integer(value)) => {
                points.contains(&value) || spans.iter().any(|(first, last)| (*first..=*last).contains(&value))
            }
            (Test::Numbers { points, .. }, View::Number(value)) => points.contains(&value),
            (Test::Texts { texts, .. }, View::Text(value)) => texts.contains(value),
            (Test::Texts { texts, .. }, View::Texts(values)) => {
                values.iter().any(|value| texts.contains(value))
            }
            (Test::Words(keyword), View::Text(text)) => keyword.matches(text),
            (Test::Words(keyword), View::Files(files)) => files.iter().any(|file| is_in_file(keyword, file)),
            (Test::Blank, View::Text(text)) => text.chars().all(char::is_whitespace),
            (_, View::Empty) => self.asks_unset(),
            _ => false,
        }
    }

    /// Whether unset values are among those that it asks for.
    fn asks_unset(&self) -> bool {
        match self {
            Test::Integers { unset, .. } | Test::Numbers { unset, .. } | Test::Texts { unset, .. } => *unset,
            Test::Unset | Test::Blank => true,
            Test::Integer(..) | Test::Number(..) | Test::Words(_) => false,
        }
    }
}

/// Whether a keyword is in a file's name, or in its content where that is text.
fn is_in_file(keyword: &Keyword, file: &File) -> bool {
    keyword.matches(&file.name) || file.text().is_some_and(|text| keyword.matches(text))
}

/// A test or its negation.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) test: Test,
    /// Where it is negated: whether an unset value that the test does not ask for passes.
    pub(super) negated: Option<bool>,
}

impl Filter {
    pub(super) fn passes(&self, view: View<'_>) -> bool {
        match (self.negated, view) {
            (None, _) => self.test.holds(view),
            (Some(unset_passes), View::Empty) => unset_passes && !self.test.asks_unset(),
            (Some(_), _) => !self.test.holds(view),
        }
    }
}

/// A condition.
#[derive(Debug)]
pub(super) enum Plan {
    All(Vec<Plan>),
    Any(Vec<Plan>),
    Value {
        place: Place,
        filter: Filter,
    },
    /// Some row of the table in this cell passes every test of its column.
    SameRow {
        table: usize,
        tests: Vec<(usize, Test)>,
    },
    /// There are rows, and every one passes.
    EveryRow {
        table: usize,
        column: usize,
        filter: Filter,
    },
    /// A word search that is cut off or looks at an old index.
    Search(Found),
    /// The value is a key of the related records found.
    Related {
        place: Place,
        keys: HashSet<String>,
        /// Whether the search of the related records was cut off.
        aborted: bool,
    },
}

impl Plan {
    pub(super) fn holds(&self, record: &Stored) -> bool {
        match self {
            Plan::All(parts) => parts.iter().all(|part| part.holds(record)),
            Plan::Any(parts) => parts.iter().any(|part| part.holds(record)),
            Plan::Value { place, filter } => filter.passes(View::at(record, *place)),
            Plan::SameRow { table, tests } => rows(record, *table).iter().any(|row| {
                tests
                    .iter()
                    .all(|(column, test)| test.holds(row.cells.get(*column).map_or(View::Empty, View::of)))
            }),
            Plan::EveryRow { table, column, filter } => {
                let rows = rows(record, *table);
                let passes =
                    |row: &TableRow| filter.passes(row.cells.get(*column).map_or(View::Empty, View::of));
                !rows.is_empty() && rows.iter().all(passes)
            }
            Plan::Search(found) => found.holds(record),
            Plan::Related { place, keys, .. } => {
                View::at(record, *place).key().is_some_and(|key| keys.contains(&key))
            }
        }
    }

    /// Whether a word search of it was cut off.
    pub(super) fn is_aborted(&self) -> bool {
        match self {
            Plan::All(parts) | Plan::Any(parts) => parts.iter().any(Plan::is_aborted),
            Plan::Search(found) => found.is_aborted(),
            Plan::Related { aborted, .. } => *aborted,
            Plan::Value { .. } | Plan::SameRow { .. } | Plan::EveryRow { .. } => false,
        }
    }

    /// The ids that it lists, where it does: no other record can match.
    pub(super) fn ids(&self) -> Option<BTreeSet<i64>> {
        match self {
            Plan::Value { place: Place::Id, filter: Filter { test, negated: None } } => match test {
                Test::Integers { points, spans, .. } if spans.is_empty() => {
                    Some(points.iter().copied().collect())
                }
                _ => None,
            },
            Plan::All(parts) => parts.iter().filter_map(Plan::ids).min_by_key(BTreeSet::len),
            _ => None,
        }
    }

    /// The ids outside of which no record can match, and whether every record inside does.
    pub(super) fn id_bounds(&self) -> (RangeInclusive<i64>, bool) {
        let everything = 0..=i64::MAX;
        match self {
            Plan::Value {
                place: Place::Id,
                filter: Filter { test: Test::Integer(comparison, first, last, _), negated: None },
            } => (
                match comparison {
                    Comparison::Equal => *first..=*last,
                    Comparison::Less => 0..=first.saturating_sub(1),
                    Comparison::LessEqual => 0..=*last,
                    Comparison::Greater => last.saturating_add(1)..=i64::MAX,
                    Comparison::GreaterEqual => *first..=i64::MAX,
                },
                true,
            ),
            Plan::All(parts) => parts.iter().map(Plan::id_bounds).fold((everything, true), |all, part| {
                let first = *all.0.start().max(part.0.start());
                let last = *all.0.end().min(part.0.end());
                (first..=last, all.1 && part.1)
            }),
            Plan::Any(parts) => {
                let bounds = parts.iter().map(|part| part.id_bounds().0);
                let hull = bounds.reduce(|a, b| *a.start().min(b.start())..=*a.end().max(b.end()));
                (hull.unwrap_or(everything), false)
            }
            _ => (everything, false),
        }
    }
}

fn rows(record: &Stored, table: usize) -> &[TableRow] {
    match record.cells.get(table) {
        Some(Value::Rows(rows)) => rows,
        _ => &[],
    }
}
