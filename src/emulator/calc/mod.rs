//! CALC fields and automatic texts: what a formula makes of a record (K§4.1, K§4.3).
//!
//! `lexer` -> `parser` -> `check` when a form goes live; `evaluate` with `function`, `date` and `arithmetic` at each
//! write, in the order in which formulas need each other, each result brought into its field's format. A formula
//! that fails gives an empty value, and so does one that needs it. A field whose formula is empty, cannot be read or
//! needs itself keeps what it has.

mod arithmetic;
mod check;
mod date;
mod evaluate;
mod function;
mod lexer;
mod parser;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono_tz::Tz;

#[cfg_attr(not(test), expect(unused_imports, reason = "the first comes with the settings"))]
pub(super) use check::{check, check_form};

use super::directory::Directory;
use super::field::{Domain, Field, Kind, Place, Schema};
use super::store::Stored;
use super::value::{TableRow, Value};
use arithmetic::Mode;
use evaluate::{Computed, Context};
use parser::Expression;

const MINUTE: i64 = 60;
const MINUTES_OF_DAY: i64 = 24 * 60;
/// The minutes of the years 1 to 9999.
const MINUTES: std::ops::RangeInclusive<i64> = -62_135_596_800 / MINUTE..=253_402_300_799 / MINUTE;

/// Why a formula cannot be used, or has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// In words.
    pub(super) reason: String,
}

impl Fault {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }

    fn grammar() -> Self {
        Self::new("The grammar of the formula is not correct.")
    }

    /// A value of the wrong type, too large, or a division by zero.
    fn value() -> Self {
        Self::new("The formula has no value.")
    }
}

/// A field that is computed.
#[derive(Debug)]
struct Formula {
    place: Place,
    kind: Kind,
    domain: Domain,
    expression: Expression,
}

/// A form's formulas, each after those that it needs.
#[derive(Debug, Default)]
pub(super) struct Formulas(Vec<Formula>);

impl Formulas {
    pub(super) fn new(fields: &[Field]) -> Self {
        let formula = |(field, expression): (&Field, Expression)| Formula {
            place: field.place,
            kind: field.kind,
            domain: field.domain,
            expression,
        };
        Self(in_order(fields).0.into_iter().map(formula).collect())
    }
}

/// The formula of a field that has one.
fn formula_of(field: &Field) -> Option<&str> {
    let text = field.text("expression").trim();
    (matches!(field.kind, Kind::Calc | Kind::SingleLineText) && !text.is_empty()).then_some(text)
}

/// The fields with a formula that can be read, each after those that it needs, and the codes of those that need
/// themselves.
fn in_order(fields: &[Field]) -> (Vec<(&Field, Expression)>, Vec<Arc<str>>) {
    let all = fields.iter().chain(fields.iter().flat_map(|field| &field.columns));
    let mut waiting: Vec<(&Field, Expression)> =
        all.filter_map(|field| Some((field, parser::parse(formula_of(field)?).ok()?))).collect();
    let mut ordered = vec![];
    loop {
        let needed: HashMap<Arc<str>, ()> =
            waiting.iter().map(|(field, _)| (Arc::clone(&field.code), ())).collect();
        let (later, ready): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(_, expression)| {
            let mut codes = vec![];
            expression.fields(&mut codes);
            codes.iter().any(|code| needed.contains_key(*code))
        });
        if ready.is_empty() {
            return (ordered, later.iter().map(|(field, _)| Arc::clone(&field.code)).collect());
        }
        ordered.extend(ready);
        waiting = later;
    }
}

/// What a record's formulas are computed against.
#[derive(Clone, Copy)]
pub(super) struct Calculator<'a> {
    pub(super) schema: &'a Schema,
    pub(super) directory: &'a Directory,
    /// The zone that `DATE_FORMAT` calls `system`.
    pub(super) zone: Tz,
}

impl Calculator<'_> {
    /// Computes every formula of a record anew.
    pub(super) fn recompute(&self, record: &mut Stored) {
        self.compute(record, |_, _| true);
    }

    /// Computes those values that `wanted` names: a cell, or a column and the number of its row.
    pub(super) fn compute(&self, record: &mut Stored, wanted: impl Fn(Place, Option<usize>) -> bool) {
        let mut failed = HashSet::new();
        for formula in &self.schema.formulas.0 {
            match formula.place {
                Place::Cell(cell) if wanted(formula.place, None) => {
                    let value = self.value(formula, record, None, &mut failed);
                    if let Some(slot) = record.cells.get_mut(cell) {
                        *slot = value;
                    }
                }
                Place::Column(table, column) => {
                    let Some(Value::Rows(rows)) = record.cells.get(table) else { continue };
                    let mut rows = rows.to_vec();
                    for (index, row) in rows.iter_mut().enumerate() {
                        if !wanted(formula.place, Some(index)) {
                            continue;
                        }
                        let value = self.value(formula, record, Some((table, index, row)), &mut failed);
                        if let Some(slot) = row.cells.get_mut(column) {
                            *slot = value;
                        }
                    }
                    if let Some(slot) = record.cells.get_mut(table) {
                        *slot = Value::Rows(rows.into());
                    }
                }
                _ => {}
            }
        }
    }

    fn value(
        &self,
        formula: &Formula,
        record: &Stored,
        row: Option<(usize, usize, &TableRow)>,
        failed: &mut HashSet<(Place, Option<usize>)>,
    ) -> Value {
        let context = Context {
            schema: self.schema,
            directory: self.directory,
            zone: self.zone,
            record,
            row,
            failed: &*failed,
        };
        let result = context.evaluate(&formula.expression);
        result.and_then(|computed| self.formatted(formula, computed)).unwrap_or_else(|_| {
            failed.insert((formula.place, row.map(|(_, index, _)| index)));
            Value::Empty
        })
    }

    /// A result in its field's format. Times lose their seconds.
    fn formatted(&self, formula: &Formula, computed: Computed) -> Result<Value, Fault> {
        if let Computed::Truth(truth) = computed {
            return self.formatted(formula, Computed::Number(arithmetic::whole(i64::from(truth))));
        }
        if formula.kind == Kind::SingleLineText {
            let text = computed.shown()?;
            return Ok(if text.is_empty() { Value::Empty } else { Value::Text(text.into()) });
        }
        if matches!(&computed, Computed::Text(text) if text.is_empty()) {
            return Ok(Value::Empty);
        }
        let number = computed.number()?;
        if formula.domain == Domain::Number {
            let places = i32::try_from(self.schema.places).map_err(|_| Fault::value())?;
            let rounded = arithmetic::round(number, places, Mode::from(self.schema.rounding));
            let most = self.schema.digits.saturating_sub(self.schema.places);
            let fits = rounded.filter(|number| arithmetic::whole_digits(*number) <= most);
            return fits.map(Value::Number).ok_or_else(Fault::value);
        }
        let seconds = arithmetic::truncated(number).ok_or_else(Fault::value)?;
        let minutes = seconds.div_euclid(MINUTE);
        let day =
            |minutes: i64| i32::try_from(minutes.div_euclid(MINUTES_OF_DAY)).map_err(|_| Fault::value());
        match formula.domain {
            Domain::Time => {
                let minute = i32::try_from(minutes.rem_euclid(MINUTES_OF_DAY)).map_err(|_| Fault::value())?;
                Ok(Value::Time(minute))
            }
            Domain::Duration => Ok(Value::Duration(seconds / MINUTE)),
            _ if !MINUTES.contains(&minutes) => Err(Fault::value()),
            Domain::Date => day(minutes).map(Value::Date),
            _ => Ok(Value::DateTime(minutes)),
        }
    }
}
