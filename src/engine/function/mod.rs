//! PostgreSQL's SQL functions that clients call to look around.
//!
//! Takes: values, and the session's catalog snapshot. Gives: DataFusion's scalar functions.
//! A function is a line in the list of the file that has its subject; the files are joined in [`LISTS`].
//! Functions over data (dates, numbers, texts of records) are in [`data`].
//! Absent on purpose: waiting, the network.

mod array;
mod coalesce;
mod comment;
mod data;
pub(super) mod definition;
mod expand_array;
mod jsonb;
mod privilege;
mod registered;
mod scalar;
mod session;
mod single_value;
mod size;
mod text;
mod type_name;
mod visibility;

use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use super::pg_catalog::Catalog;
pub(crate) use data::function as data_function;
pub(crate) use registered::display_function;
pub(crate) use text::quote_ident as quoted;

/// The functions by subject.
const LISTS: &[&[scalar::Function]] = &[
    array::FUNCTIONS,
    comment::FUNCTIONS,
    definition::FUNCTIONS,
    jsonb::FUNCTIONS,
    privilege::FUNCTIONS,
    registered::FUNCTIONS,
    session::FUNCTIONS,
    size::FUNCTIONS,
    text::FUNCTIONS,
    type_name::FUNCTIONS,
    visibility::FUNCTIONS,
];

/// Every catalog function, for a session to register.
pub(crate) fn scalar_functions(catalog: &Arc<Catalog>) -> Vec<Arc<ScalarUDF>> {
    LISTS
        .iter()
        .flat_map(|list| list.iter())
        .map(|function| {
            Arc::new(ScalarUDF::from(scalar::CatalogFunction::new(function, Arc::clone(catalog))))
        })
        .chain([
            Arc::new(ScalarUDF::from(expand_array::ExpandArray::new())),
            Arc::new(ScalarUDF::from(coalesce::Coalesce::new())),
        ])
        .chain(data::functions())
        .collect()
}

/// The aggregates that rewritten statements call.
pub(crate) fn aggregate_functions() -> Vec<Arc<AggregateUDF>> {
    vec![Arc::new(AggregateUDF::from(single_value::SingleValue::new()))]
}

/// Whether a function reads the catalog, so that the snapshot has to be fresh when it runs.
pub(crate) fn is_catalog_function(name: &str) -> bool {
    LISTS.iter().flat_map(|list| list.iter()).any(|function| function.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_name_is_there_once() {
        let mut seen = HashSet::new();
        for function in LISTS.iter().flat_map(|list| list.iter()) {
            assert!(seen.insert(function.name), "{} twice", function.name);
        }
    }
}
