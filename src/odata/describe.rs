//! What the door would say and do, without an engine: for tests and for looking.

use std::sync::Arc;

use chrono_tz::Tz;

use super::error::Failure;
use super::handler::entity_set;
use super::metadata::csdl;
use super::name::{EntitySet, Model};
use super::openapi::{Place, document};
use super::plan::{self, Plan, Rows};
use super::query::{key_condition, selection};
use super::request::{Resource, parse};
use crate::engine::TableInfo;

/// `$metadata` and `$oas` of these tables, as the demo's address serves them.
#[must_use]
pub fn describe(tables: &[Arc<TableInfo>]) -> (String, serde_json::Value) {
    let model = model(tables);
    let sets: Vec<&EntitySet> = model.sets().iter().collect();
    let place = Place { scheme: "http", host: "127.0.0.1:8153", path: "/api.rsc", has_token: false };
    (csdl(&model), document(&sets, &place))
}

/// The statement that a path and query stand for, and its values, one per line.
///
/// # Errors
/// The text of the answer that a client would get.
pub fn translate(tables: &[Arc<TableInfo>], url: &str) -> Result<String, String> {
    let plan = plan_of(&model(tables), url).map_err(|failure| failure.to_string())?;
    let values = plan.parameters.iter().enumerate();
    let values: Vec<String> = values.map(|(i, value)| format!("${} = {value:?}", i + 1)).collect();
    Ok(format!("{}\n{}", plan.statement, values.join("\n")).trim_end().to_owned())
}

fn model(tables: &[Arc<TableInfo>]) -> Model {
    let schema = tables.first().map(|table| table.schema.clone()).unwrap_or_default();
    Model::new(&[(schema, tables.to_vec())], false)
}

fn plan_of(model: &Model, url: &str) -> Result<Plan, Failure> {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let address = parse(path, query, false)?;
    let options = &address.options;
    let (Resource::Set { name } | Resource::Count { name } | Resource::Entity { name, .. }) =
        &address.resource
    else {
        return Err(super::request::not_found("no entity set").into());
    };
    let set = entity_set(model, name)?;
    let selection = selection(set, options, Tz::UTC)?;
    Ok(match &address.resource {
        Resource::Count { .. } => plan::count(set, selection.filter.as_ref()),
        Resource::Entity { key, .. } => {
            let filter = Some(key_condition(set, key, options, Tz::UTC)?);
            plan::rows(set, &Rows { properties: selection.properties, filter, limit: 1, ..Rows::default() })
        }
        _ => plan::rows(
            set,
            &Rows {
                properties: selection.properties,
                filter: selection.filter,
                order: selection.order,
                limit: options.top.unwrap_or(500).min(500),
                offset: options.skip.unwrap_or(0),
                after: None,
            },
        ),
    })
}
