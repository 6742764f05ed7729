//! A parsed condition against an app's fields: refused with Kintone's codes, or a plan.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use super::super::auth::Caller;
use super::super::field::{Field, Kind, Place};
use super::super::reply::{
    EQUALS_IN_TABLE, Failure, NO_APP, NO_FIELD, NO_PRIVILEGE, NOT_RELATED, PROCESS_OFF, SAVED_NAME,
    WRONG_OPERATOR,
};
use super::super::store::{App, Store};
use super::operand;
use super::operators;
use super::parser::{self, Condition, Operator, Predicate};
use super::plan::{Filter, Plan, Test, View};
use super::search;

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
            let mut all = Conjunction::default();
            all.add(scope, condition)?;
            all.plan(scope)
        }
    }
}

fn joined(mut plans: Vec<Plan>, join: fn(Vec<Plan>) -> Plan) -> Option<Plan> {
    if plans.len() > 1 { Some(join(plans)) } else { plans.pop() }
}

/// The parts of a conjunction.
#[derive(Default)]
struct Conjunction<'a> {
    plans: Vec<Plan>,
    /// By table: these must hold on the same row (K§3.3).
    rows: Vec<(usize, Vec<(usize, Test)>)>,
    /// By list of related records, where these must hold on the same record.
    related: Vec<(&'a str, Vec<&'a Predicate>)>,
}

impl<'a> Conjunction<'a> {
    fn add(&mut self, scope: &Scope<'_>, condition: &'a Condition) -> Result<(), Failure> {
        match condition {
            Condition::And(parts) => return parts.iter().try_for_each(|part| self.add(scope, part)),
            Condition::Or(_) => self.plans.extend(plan(scope, condition)?),
            Condition::Predicate(found) => match &found.related {
                Some(table) if scope.store.unknowns.related_predicates_share_a_record => {
                    group(&mut self.related, table.as_str(), found);
                }
                _ => match predicate(scope, found)? {
                    None => {}
                    Some(Checked::Plan(plan)) => self.plans.push(plan),
                    Some(Checked::Row { table, column, test }) => {
                        group(&mut self.rows, table, (column, test));
                    }
                },
            },
        }
        Ok(())
    }

    fn plan(mut self, scope: &Scope<'_>) -> Result<Option<Plan>, Failure> {
        let rows = self.rows.into_iter().map(|(table, tests)| Plan::SameRow { table, tests });
        self.plans.extend(rows);
        for (table, predicates) in self.related {
            self.plans.push(related(scope, table, &predicates)?);
        }
        Ok(joined(self.plans, Plan::All))
    }
}

fn group<K: PartialEq, V>(groups: &mut Vec<(K, Vec<V>)>, key: K, value: V) {
    match groups.iter_mut().find(|(known, _)| *known == key) {
        Some((_, values)) => values.push(value),
        None => groups.push((key, vec![value])),
    }
}

/// The field of a code, where queries may name it; `$revision` where `with_revision`.
pub(super) fn field<'a>(scope: &Scope<'a>, code: &str, with_revision: bool) -> Result<&'a Field, Failure> {
    let hidden = code == "$revision" && !with_revision;
    let field = scope.app.schema.find(code).filter(|_| !hidden);
    let field = field.ok_or_else(|| Failure::about(NO_FIELD, code))?;
    if field.kind.is_process() && !scope.app.schema.process {
        return Err(PROCESS_OFF.into());
    }
    Ok(field)
}

fn predicate(scope: &Scope<'_>, predicate: &Predicate) -> Result<Option<Checked>, Failure> {
    if let Some(table) = &predicate.related {
        return related(scope, table, &[predicate]).map(|plan| Some(Checked::Plan(plan)));
    }
    let unknowns = scope.store.unknowns;
    let field = field(scope, &predicate.field, unknowns.revision_in_conditions)?;
    let column = if let Place::Column(table, column) = field.place { Some((table, column)) } else { None };
    operand::check_options(field, &predicate.operands)?;
    if column.is_some() && matches!(predicate.operator, Operator::Equal | Operator::NotEqual) {
        return Err(Failure::about(EQUALS_IN_TABLE, &field.code));
    }
    if !operators::allowed(field.kind, predicate.operator, column.is_some(), unknowns) {
        return Err(Failure::about(WRONG_OPERATOR, &field.code));
    }
    let Some(filter) = operand::filter(scope, field, predicate)? else { return Ok(None) };
    let negated = filter.negated.is_some();
    let checked = match (column, filter) {
        (None, filter) => Checked::Plan(Plan::Value { place: field.place, filter }),
        (Some((table, column)), Filter { test, negated: None }) => Checked::Row { table, column, test },
        (Some((table, column)), filter) => Checked::Plan(Plan::EveryRow { table, column, filter }),
    };
    let is_search = matches!(predicate.operator, Operator::Like | Operator::NotLike);
    Ok(Some(if is_search && search::is_limited(scope) {
        Checked::Plan(search::limited(scope, checked.into(), negated))
    } else {
        checked
    }))
}

/// `Related.field ...`: which keys those of the other app's records have that match all predicates.
fn related(scope: &Scope<'_>, table: &str, found: &[&Predicate]) -> Result<Plan, Failure> {
    let table = field(scope, table, false)?;
    if table.kind != Kind::ReferenceTable {
        return Err(Failure::about(NOT_RELATED, &table.code));
    }
    let reference = table.definition.get("referenceTable").filter(|r| !r.is_null()).ok_or(NO_PRIVILEGE)?;
    let text = |path: &str| reference.pointer(path).and_then(Json::as_str).unwrap_or_default();
    let id: u64 = text("/relatedApp/app").parse().map_err(|_| NO_APP)?;
    scope.caller.may_open(id)?;
    let other = Scope { app: scope.store.apps.get(&id).ok_or(NO_APP)?, ..*scope };
    let plain =
        |found: &&Predicate| Condition::Predicate(Predicate { related: None, ..Predicate::clone(found) });
    let wanted = plan(&other, &Condition::And(found.iter().map(plain).collect()))?;
    let filter = match parser::parse(text("/filterCond"), scope.store.unknowns)?.condition {
        Some(condition) => plan(&other, &condition).map_err(in_saved_condition)?,
        None => None,
    };
    let aborted = [&wanted, &filter].into_iter().flatten().any(Plan::is_aborted);
    let key = field(&other, text("/condition/relatedField"), false)?.place;
    let keys: HashSet<String> = other
        .app
        .read()
        .all
        .iter()
        .filter(|record| wanted.as_ref().is_none_or(|plan| plan.holds(record)))
        .filter(|record| filter.as_ref().is_none_or(|plan| plan.holds(record)))
        .filter_map(|record| View::at(record, key).key())
        .collect();
    Ok(Plan::Related { place: field(scope, text("/condition/field"), false)?.place, keys, aborted })
}

/// Names that a condition of the settings has and the directory lacks are another error (K§3.5).
fn in_saved_condition(failure: Failure) -> Failure {
    match failure.name() {
        "GAIA_IL26" | "GAIA_IL27" | "GAIA_IL28" => SAVED_NAME.into(),
        _ => failure,
    }
}
