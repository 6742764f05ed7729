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

#[cfg(test)]
use check::check;
pub(super) use check::check_form;
pub(super) use lexer::renamed;

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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value as Json, json};

    use super::super::app::World;
    use super::super::demo::Company;
    use super::super::field::{Field, Place, Schema};
    use super::super::fixture::Fixture;
    use super::super::store::Store;
    use super::super::unknown::Unknowns;
    use super::{check, check_form, renamed};

    #[test]
    fn the_sample_company_has_what_its_formulas_give() {
        let world: Arc<dyn World> =
            Arc::new(Company::new(1, chrono::NaiveDate::from_ymd_opt(2026, 6, 1).unwrap()));
        let store = Store::new(&world, Unknowns::strict(), std::time::Duration::ZERO);
        let mut formulas = 0;
        for app in store.apps.values() {
            assert_eq!(check_form(&app.schema.fields), Ok(()), "{}", app.definition.name);
            formulas += app.schema.formulas.0.len();
            for record in app.read().all.iter().rev().take(500) {
                let mut computed = (**record).clone();
                app.calculator().recompute(&mut computed);
                assert_eq!(computed.cells, record.cells, "{} {}", app.definition.name, record.id);
            }
        }
        assert_eq!(formulas, 15);
    }

    fn fields(properties: &Json) -> Vec<Field> {
        let fixture = Fixture::from_json(&json!({"apps": [{"form": {"properties": properties}}]})).unwrap();
        Schema::new(fixture.apps().first().unwrap()).fields
    }

    #[test]
    fn formulas_are_checked_before_a_form_goes_live() {
        let fields = fields(&json!({
            "a": {"type": "NUMBER"}, "s": {"type": "SINGLE_LINE_TEXT"}, "m": {"type": "MULTI_LINE_TEXT"},
            "ch": {"type": "CHECK_BOX", "options": ["x"]}, "u": {"type": "USER_SELECT"},
            "T": {"type": "SUBTABLE", "fields": {"q": {"type": "NUMBER"}, "r": {"type": "SINGLE_LINE_TEXT"}}},
        }));
        for (formula, reason) in [
            ("a * 2", ""),
            ("SUM(q) + a", ""),
            ("IF(a = \"\", \"\", a + 1)", ""),
            ("IF(a = \"\", \"\", a) + 1", ""),
            ("DATE_FORMAT(作成日時, s, \"system\") & a", ""),
            ("IF(CONTAINS(ch, \"x\"), 作成者, \"-\")", ""),
            ("CONTAINS(r, s)", ""),
            ("a +", "The grammar of the formula is not correct."),
            ("a b", "The grammar of the formula is not correct."),
            ("(a", "The grammar of the formula is not correct."),
            ("\"open", "The grammar of the formula is not correct."),
            ("1a + 2", "The grammar of the formula is not correct."),
            ("1.2.3", "The grammar of the formula is not correct."),
            ("a % 2", "The grammar of the formula is not correct."),
            ("a ＋ 1", "The full-width symbol ＋ cannot be used."),
            ("none + 1", "There is no field none in the form."),
            ("T", "A field of type SUBTABLE cannot be used in a formula."),
            ("m & s", "A field of type MULTI_LINE_TEXT cannot be used in a formula."),
            ("u = s", "A field of type USER_SELECT cannot be used in a formula."),
            ("ABS(a)", "The function ABS cannot be used."),
            ("sum(a)", "The function sum cannot be used."),
            ("SUM()", "The function SUM needs 1 arguments."),
            ("IF(a > 1, 2)", "The function IF needs 3 arguments."),
            ("NOT(a > 1, a > 2)", "The function NOT takes no more than 1 arguments."),
            ("SUM(s)", "The function SUM does not go with these types of arguments."),
            ("AND(a, a)", "The function AND does not go with these types of arguments."),
            ("CONTAINS(s, \"x\")", "The function CONTAINS does not go with these types of arguments."),
            ("s + 1", "The operator + does not go with these types of values."),
            ("s < \"b\"", "The operator < does not go with these types of values."),
            ("q + 1", "A list of values is used without a function that takes one."),
            ("ch", "A list of values is used without a function that takes one."),
        ] {
            let found = check(formula, &fields, Place::Cell(0)).err().map_or(String::new(), |f| f.reason);
            assert_eq!(found, reason, "{formula}");
        }
        // Inside the table its columns have one value.
        assert!(check("q + 1", &fields, Place::Column(5, 0)).is_ok());
        let deep = format!("{}1{}", "(".repeat(200), ")".repeat(200));
        assert!(check(&deep, &fields, Place::Cell(0)).is_err());
        let long = vec!["1"; 3_000].join("+");
        assert!(check(&long, &fields, Place::Cell(0)).is_err());
    }

    #[test]
    fn formulas_name_a_field_by_its_new_code() {
        let formula = "単価 * SUM(単価2, 単価) & \"単価\"";
        assert_eq!(renamed(formula, "単価", "価格"), "価格 * SUM(単価2, 価格) & \"単価\"");
        assert_eq!(renamed("a + \"", "a", "b"), "a + \"", "what cannot be read stays");
    }

    #[test]
    fn circles_are_refused() {
        let calc = |formula: &str| json!({"type": "CALC", "format": "NUMBER", "expression": formula});
        let form = fields(&json!({"a": calc("b"), "b": calc("c + 1"), "c": calc("1")}));
        assert_eq!(check_form(&form), Ok(()));
        let form = fields(&json!({"a": calc("b"), "b": calc("c + 1"), "c": calc("b")}));
        let reason = "The fields refer to each other in a circle.".to_owned();
        assert_eq!(check_form(&form), Err(("a".to_owned(), reason)));
        let form = fields(&json!({"a": calc("b")}));
        assert_eq!(check_form(&form).unwrap_err().1, "There is no field b in the form.");
    }
}
