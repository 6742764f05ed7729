//! A parsed condition against an app's fields: refused with Kintone's codes, or a plan.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use super::super::auth::Caller;
use super::super::field::{Field, Kind, Place};
use super::super::reply::{
    EQUALS_IN_TABLE, Failure, NO_APP, NO_FIELD, NO_PRIVILEGE, NOT_RELATED, PROCESS_OFF, WRONG_OPERATOR,
};
use super::super::store::{App, Store};
use super::super::unknown;
use super::operand;
use super::operators;
use super::parser::{self, Condition, Operator, Predicate};
use super::plan::{Plan, Test, View};

/// What a query is read against.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) store: &'a Store,
    pub(crate) app: &'a App,
    pub(crate) caller: &'a Caller,
    pub(crate) now: DateTime<Utc>,
}

/// A predicate's plan, kept apart where it looks at a table's row: `and` joins those.
enum Checked {
    Plan(Plan),
    Row { table: usize, column: usize, test: Test },
}

impl From<Checked> for Plan {
    fn from(checked: Checked) -> Self {
        match checked {
            Checked::Plan(plan) => plan,
            Checked::Row { table, column, test } => Plan::SameRow { table, tests: vec![(column, test)] },
        }
    }
}

/// The plan of a condition; `None` where nothing of it is left.
pub(super) fn plan(scope: &Scope<'_>, condition: &Condition) -> Result<Option<Plan>, Failure> {
    match condition {
        Condition::Predicate(found) => Ok(predicate(scope, found)?.map(Plan::from)),
        Condition::Or(parts) => {
            let parts = parts.iter().filter_map(|part| plan(scope, part).transpose());
            Ok(joined(parts.collect::<Result<_, _>>()?, Plan::Any))
        }
        Condition::And(_) => {
            let (mut plans, mut rows) = (vec![], vec![]);
            conjuncts(scope, condition, &mut plans, &mut rows)?;
            plans.extend(rows.into_iter().map(|(table, tests)| Plan::SameRow { table, tests }));
            Ok(joined(plans, Plan::All))
        }
    }
}

fn joined(mut plans: Vec<Plan>, join: fn(Vec<Plan>) -> Plan) -> Option<Plan> {
    if plans.len() > 1 { Some(join(plans)) } else { plans.pop() }
}

/// The tests of one table's columns that one row must pass.
type RowTests = (usize, Vec<(usize, Test)>);

/// The parts of a conjunction, those on one table gathered: they must hold on the same row (K§3.3).
fn conjuncts(
    scope: &Scope<'_>,
    condition: &Condition,
    plans: &mut Vec<Plan>,
    rows: &mut Vec<RowTests>,
) -> Result<(), Failure> {
    match condition {
        Condition::And(parts) => parts.iter().try_for_each(|part| conjuncts(scope, part, plans, rows)),
        Condition::Or(_) => {
            plans.extend(plan(scope, condition)?);
            Ok(())
        }
        Condition::Predicate(found) => {
            match predicate(scope, found)? {
                None => {}
                Some(Checked::Plan(plan)) => plans.push(plan),
                Some(Checked::Row { table, column, test }) => {
                    match rows.iter_mut().find(|(known, _)| *known == table) {
                        Some((_, tests)) => tests.push((column, test)),
                        None => rows.push((table, vec![(column, test)])),
                    }
                }
            }
            Ok(())
        }
    }
}

/// The field of a code, where queries may name it.
pub(super) fn field<'a>(scope: &Scope<'a>, code: &str) -> Result<&'a Field, Failure> {
    let hidden = code == "$revision" && !scope.store.unknowns.revision_in_queries;
    let field = scope.app.schema.find(code).filter(|_| !hidden);
    let field = field.ok_or_else(|| Failure::about(NO_FIELD, code))?;
    if field.kind.is_process() && !scope.app.schema.process {
        return Err(PROCESS_OFF.into());
    }
    Ok(field)
}

fn predicate(scope: &Scope<'_>, predicate: &Predicate) -> Result<Option<Checked>, Failure> {
    if let Some(table) = &predicate.related {
        return related(scope, table, predicate).map(|plan| Some(Checked::Plan(plan)));
    }
    let field = field(scope, &predicate.field)?;
    let column = if let Place::Column(table, column) = field.place { Some((table, column)) } else { None };
    operand::check_options(field, &predicate.operands)?;
    if column.is_some() && matches!(predicate.operator, Operator::Equal | Operator::NotEqual) {
        return Err(Failure::about(EQUALS_IN_TABLE, &field.code));
    }
    if !operators::allowed(field.kind, predicate.operator, column.is_some()) {
        return Err(Failure::about(WRONG_OPERATOR, &field.code));
    }
    let Some(test) = operand::test(scope, field, predicate)? else { return Ok(None) };
    let negated = operand::is_negative(predicate.operator);
    Ok(Some(match column {
        None => Checked::Plan(Plan::Value { place: field.place, test, negated }),
        Some((table, column)) if negated => Checked::Plan(Plan::NoRow { table, column, test }),
        Some((table, column)) => Checked::Row { table, column, test },
    }))
}

/// `Related.field ...`: which keys the other app's matching records have.
fn related(scope: &Scope<'_>, table: &str, found: &Predicate) -> Result<Plan, Failure> {
    const { assert!(unknown::RELATED_PREDICATES_ARE_INDEPENDENT) };
    let table = field(scope, table)?;
    if table.kind != Kind::ReferenceTable {
        return Err(Failure::about(NOT_RELATED, &table.code));
    }
    let reference = table.definition.get("referenceTable").filter(|r| !r.is_null()).ok_or(NO_PRIVILEGE)?;
    let text = |path: &str| reference.pointer(path).and_then(Json::as_str).unwrap_or_default();
    let id: u64 = text("/relatedApp/app").parse().map_err(|_| NO_APP)?;
    scope.caller.may_open(id)?;
    let other = Scope { app: scope.store.apps.get(&id).ok_or(NO_APP)?, ..*scope };
    let plain = Predicate { related: None, ..found.clone() };
    let wanted = predicate(&other, &plain)?.map(Plan::from);
    let filter = match parser::parse(text("/filterCond"), scope.store.unknowns)?.condition {
        Some(condition) => plan(&other, &condition)?,
        None => None,
    };
    let key = field(&other, text("/condition/relatedField"))?.place;
    let keys: HashSet<String> = other
        .app
        .read()
        .all
        .iter()
        .filter(|record| wanted.as_ref().is_none_or(|plan| plan.holds(record)))
        .filter(|record| filter.as_ref().is_none_or(|plan| plan.holds(record)))
        .filter_map(|record| View::at(record, key).key())
        .collect();
    Ok(Plan::Related { place: field(scope, text("/condition/field"))?.place, keys })
}
