//! What a record must satisfy, with every name and literal resolved, and whether it does (K§3.3, K§3.5).

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::super::app::File;
use super::super::field::Place;
use super::super::store::Stored;
use super::super::value::{Decimal, TableRow, Value};
use super::like::Keyword;

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
    Number(Comparison, Decimal),
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
        texts: HashSet<String>,
        unset: bool,
        ignores_case: bool,
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
            (Test::Integer(comparison, _, _, unset_is_least), View::Empty) => {
                *unset_is_least && comparison.takes_minus_infinity()
            }
            (Test::Number(comparison, literal), View::Number(value)) => {
                comparison.holds(&value, literal, literal)
            }
            (Test::Number(comparison, _), View::Empty) => comparison.takes_minus_infinity(),
            (Test::Integers { points, spans, .. }, View::Integer(value)) => {
                points.contains(&value) || spans.iter().any(|(first, last)| (*first..=*last).contains(&value))
            }
            (Test::Numbers { points, .. }, View::Number(value)) => points.contains(&value),
            (Test::Texts { texts, ignores_case, .. }, View::Text(value)) => {
                texts.contains(&*text_key(value, *ignores_case))
            }
            (Test::Texts { texts, ignores_case, .. }, View::Texts(values)) => {
                values.iter().any(|value| texts.contains(&*text_key(value, *ignores_case)))
            }
            (
                Test::Integers { unset, .. } | Test::Numbers { unset, .. } | Test::Texts { unset, .. },
                View::Empty,
            ) => *unset,
            (Test::Words(keyword), View::Text(text)) => keyword.matches(text),
            (Test::Words(keyword), View::Files(files)) => files.iter().any(|f| keyword.matches(&f.name)),
            (Test::Blank, View::Text(text)) => text.chars().all(char::is_whitespace),
            (Test::Unset | Test::Blank, View::Empty) => true,
            _ => false,
        }
    }
}

/// A text as equality compares it.
pub(super) fn text_key(text: &str, ignores_case: bool) -> std::borrow::Cow<'_, str> {
    if ignores_case { text.to_lowercase().into() } else { text.into() }
}

/// A condition.
#[derive(Debug)]
pub(super) enum Plan {
    All(Vec<Plan>),
    Any(Vec<Plan>),
    Value {
        place: Place,
        test: Test,
        negated: bool,
    },
    /// Some row of the table in this cell passes every test of its column.
    SameRow {
        table: usize,
        tests: Vec<(usize, Test)>,
    },
    /// There are rows, and none passes the test.
    NoRow {
        table: usize,
        column: usize,
        test: Test,
    },
    /// The value is a key of the related records found.
    Related {
        place: Place,
        keys: HashSet<String>,
    },
}

impl Plan {
    pub(super) fn holds(&self, record: &Stored) -> bool {
        match self {
            Plan::All(parts) => parts.iter().all(|part| part.holds(record)),
            Plan::Any(parts) => parts.iter().any(|part| part.holds(record)),
            Plan::Value { place, test, negated } => test.holds(View::at(record, *place)) != *negated,
            Plan::SameRow { table, tests } => rows(record, *table).iter().any(|row| {
                tests
                    .iter()
                    .all(|(column, test)| test.holds(row.cells.get(*column).map_or(View::Empty, View::of)))
            }),
            Plan::NoRow { table, column, test } => {
                let rows = rows(record, *table);
                !rows.is_empty()
                    && !rows
                        .iter()
                        .any(|row| test.holds(row.cells.get(*column).map_or(View::Empty, View::of)))
            }
            Plan::Related { place, keys } => {
                View::at(record, *place).key().is_some_and(|key| keys.contains(&key))
            }
        }
    }

    /// The ids outside of which no record can match, and whether every record inside does.
    pub(super) fn id_bounds(&self) -> (RangeInclusive<i64>, bool) {
        let everything = 0..=i64::MAX;
        match self {
            Plan::Value { place: Place::Id, test, negated: false } => match test {
                Test::Integer(comparison, first, last, _) => (
                    match comparison {
                        Comparison::Equal => *first..=*last,
                        Comparison::Less => 0..=first.saturating_sub(1),
                        Comparison::LessEqual => 0..=*last,
                        Comparison::Greater => last.saturating_add(1)..=i64::MAX,
                        Comparison::GreaterEqual => *first..=i64::MAX,
                    },
                    true,
                ),
                Test::Integers { points, spans, .. } if spans.is_empty() => {
                    let first = points.iter().min().copied().unwrap_or(1);
                    (first..=points.iter().max().copied().unwrap_or(0), false)
                }
                _ => (everything, false),
            },
            Plan::All(parts) => parts.iter().map(Plan::id_bounds).fold((everything, true), |all, part| {
                let first = *all.0.start().max(part.0.start());
                let last = *all.0.end().min(part.0.end());
                (first..=last, all.1 && part.1)
            }),
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
