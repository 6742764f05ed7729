//! An expression's value for one record, or one row of a table.
//!
//! An unset number, date or time counts as 0, and equals `""`; a date is the seconds from 1970 to its midnight in
//! UTC, a time the seconds from midnight (K§4.3).

use std::collections::HashSet;
use std::sync::Arc;

use chrono_tz::Tz;

use super::super::directory::Directory;
use super::super::field::{Domain, Field, Place, Schema};
use super::super::store::Stored;
use super::super::value::{Decimal, TableRow, Value};
use super::Fault;
use super::arithmetic::{self, Mode};
use super::parser::{Expression, Operator};

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

/// A value inside a formula.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Computed {
    Number(Decimal),
    /// A number, date or time that is not set.
    Unset,
    Text(String),
    Truth(bool),
    /// A choice of several, or a table's column of texts.
    Texts(Vec<Arc<str>>),
    /// A table's column of numbers; unset ones are left out.
    Numbers(Vec<Decimal>),
}

impl Computed {
    pub(super) fn number(&self) -> Result<Decimal, Fault> {
        match self {
            Computed::Number(number) => Ok(*number),
            Computed::Unset => Ok(arithmetic::whole(0)),
            _ => Err(Fault::value()),
        }
    }

    pub(super) fn truth(&self) -> Result<bool, Fault> {
        if let Computed::Truth(truth) = self { Ok(*truth) } else { Err(Fault::value()) }
    }

    pub(super) fn text(self) -> Result<String, Fault> {
        if let Computed::Text(text) = self { Ok(text) } else { Err(Fault::value()) }
    }

    /// As a part of a text.
    pub(super) fn shown(self) -> Result<String, Fault> {
        match self {
            Computed::Text(text) => Ok(text),
            other => Ok(other.number()?.to_string()),
        }
    }
}

/// What a formula sees.
pub(super) struct Context<'a> {
    pub(super) schema: &'a Schema,
    pub(super) directory: &'a Directory,
    pub(super) zone: Tz,
    pub(super) record: &'a Stored,
    /// The table's cell, the row and its place in it, where the formula is a column's.
    pub(super) row: Option<(usize, usize, &'a TableRow)>,
    /// Computed fields that came to nothing by an error, columns with their row.
    pub(super) failed: &'a HashSet<(Place, Option<usize>)>,
}

impl Context<'_> {
    pub(super) fn evaluate(&self, expression: &Expression) -> Result<Computed, Fault> {
        match expression {
            Expression::Number(number) => Ok(Computed::Number(*number)),
            Expression::Text(text) => Ok(Computed::Text(text.to_string())),
            Expression::Field(code) => self.field(code),
            Expression::Plus(inner) => self.evaluate(inner)?.number().map(Computed::Number),
            Expression::Minus(inner) => {
                let negative = arithmetic::subtract(arithmetic::whole(0), self.evaluate(inner)?.number()?);
                negative.map(Computed::Number).ok_or_else(Fault::value)
            }
            Expression::Two(operator, left, right) => {
                self.two(*operator, self.evaluate(left)?, self.evaluate(right)?)
            }
            Expression::Call(function, arguments) => function.evaluate(self, arguments),
        }
    }

    fn two(&self, operator: Operator, left: Computed, right: Computed) -> Result<Computed, Fault> {
        let (places, mode) = (self.schema.places, Mode::from(self.schema.rounding));
        let result = match operator {
            Operator::Join => return Ok(Computed::Text(left.shown()? + &right.shown()?)),
            Operator::Add => arithmetic::add(left.number()?, right.number()?),
            Operator::Subtract => arithmetic::subtract(left.number()?, right.number()?),
            Operator::Multiply => arithmetic::multiply(left.number()?, right.number()?),
            Operator::Divide => arithmetic::divide(left.number()?, right.number()?, places, mode),
            Operator::Power => arithmetic::power(left.number()?, right.number()?, places, mode),
            comparison => return compare(comparison, &left, &right).map(Computed::Truth),
        };
        result.map(Computed::Number).ok_or_else(Fault::value)
    }

    fn field(&self, code: &str) -> Result<Computed, Fault> {
        let field = self.schema.find(code).ok_or_else(Fault::value)?;
        if let Place::Column(table, column) = field.place {
            return self.column(field, table, column);
        }
        if self.failed.contains(&(field.place, None)) {
            return Err(Fault::value());
        }
        let name = |code: &str| {
            let user = self.directory.user(code);
            Ok(Computed::Text(user.map_or(code, |user| &user.name).to_owned()))
        };
        match field.place {
            Place::Creator => name(&self.record.creator),
            Place::Modifier => name(&self.record.modifier),
            Place::Created => of_value(field, &Value::DateTime(self.record.created)),
            Place::Updated => of_value(field, &Value::DateTime(self.record.updated)),
            Place::Cell(cell) => of_value(field, self.record.cells.get(cell).unwrap_or(&Value::Empty)),
            _ => Err(Fault::value()),
        }
    }

    /// The row's value inside the table, all rows' outside of it.
    fn column(&self, field: &Field, table: usize, column: usize) -> Result<Computed, Fault> {
        let fails = |index| self.failed.contains(&(field.place, Some(index)));
        if let Some((_, index, row)) = self.row.filter(|(own, ..)| *own == table) {
            if fails(index) {
                return Err(Fault::value());
            }
            return of_value(field, row.cells.get(column).unwrap_or(&Value::Empty));
        }
        let rows: &[TableRow] =
            if let Some(Value::Rows(rows)) = self.record.cells.get(table) { rows } else { &[] };
        let (mut numbers, mut texts) = (vec![], vec![]);
        for (index, row) in rows.iter().enumerate() {
            if fails(index) {
                return Err(Fault::value());
            }
            match of_value(field, row.cells.get(column).unwrap_or(&Value::Empty))? {
                Computed::Number(number) => numbers.push(number),
                Computed::Text(text) => texts.push(text.into()),
                Computed::Texts(list) => texts.extend(list),
                _ => {}
            }
        }
        Ok(if is_text(field.domain) { Computed::Texts(texts) } else { Computed::Numbers(numbers) })
    }
}

fn is_text(domain: Domain) -> bool {
    matches!(domain, Domain::Text | Domain::Texts)
}

fn of_value(field: &Field, value: &Value) -> Result<Computed, Fault> {
    let seconds = |seconds: i64| Ok(Computed::Number(arithmetic::whole(seconds)));
    match value {
        Value::Empty => Ok(match field.domain {
            Domain::Texts => Computed::Texts(vec![]),
            Domain::Text => Computed::Text(String::new()),
            _ => Computed::Unset,
        }),
        Value::Number(number) => Ok(Computed::Number(*number)),
        Value::Date(days) => seconds(i64::from(*days) * DAY),
        Value::Time(minutes) => seconds(i64::from(*minutes) * MINUTE),
        Value::DateTime(minutes) | Value::Duration(minutes) => seconds(minutes.saturating_mul(MINUTE)),
        Value::Text(text) if field.domain == Domain::Text => Ok(Computed::Text(text.to_string())),
        Value::Texts(texts) => Ok(Computed::Texts(texts.to_vec())),
        _ => Err(Fault::value()),
    }
}

/// Texts are the same or not; only numbers have an order.
fn compare(operator: Operator, left: &Computed, right: &Computed) -> Result<bool, Fault> {
    let is_blank = |value: &Computed| matches!(value, Computed::Text(text) if text.is_empty());
    let same = match (left, right) {
        (Computed::Text(left), Computed::Text(right)) => left == right,
        (Computed::Truth(left), Computed::Truth(right)) => left == right,
        // Whether a field is filled in.
        (Computed::Unset, blank) | (blank, Computed::Unset) if is_blank(blank) => true,
        (Computed::Number(_), blank) | (blank, Computed::Number(_)) if is_blank(blank) => false,
        _ => {
            let order = left.number()?.cmp(&right.number()?);
            return Ok(match operator {
                Operator::Equal => order.is_eq(),
                Operator::NotEqual => order.is_ne(),
                Operator::Less => order.is_lt(),
                Operator::LessEqual => order.is_le(),
                Operator::Greater => order.is_gt(),
                _ => order.is_ge(),
            });
        }
    };
    match operator {
        Operator::Equal => Ok(same),
        Operator::NotEqual => Ok(!same),
        _ => Err(Fault::value()),
    }
}
