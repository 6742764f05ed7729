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
mod missing;
mod no_acl;
mod privilege;
mod registered;
mod scalar;
mod session;
mod setting;
mod single_value;
mod size;
mod sleep;
mod text;
mod type_name;
mod type_of;
mod uuid;
mod visibility;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use super::pg_catalog::Snapshot;
use super::session::Session;
pub(crate) use data::{function as data_function, translated as regex_pattern};
pub(crate) use registered::display_function;
pub(crate) use text::quote_ident as quoted;
pub(crate) use type_name::type_text;

/// The functions by subject.
const LISTS: &[&[scalar::Function]] = &[
    array::FUNCTIONS,
    comment::FUNCTIONS,
    definition::FUNCTIONS,
    privilege::FUNCTIONS,
    registered::FUNCTIONS,
    session::FUNCTIONS,
    size::FUNCTIONS,
    text::FUNCTIONS,
    type_name::FUNCTIONS,
    uuid::FUNCTIONS,
    visibility::FUNCTIONS,
];

/// The functions by name.
static BY_NAME: LazyLock<HashMap<&'static str, &'static scalar::Function>> = LazyLock::new(|| {
    LISTS.iter().flat_map(|list| list.iter()).map(|function| (function.name, function)).collect()
});

/// The function of this name that reads a session or its catalog, for one of its statements.
pub(crate) fn scalar_function(name: &str, session: &Session) -> Option<Arc<ScalarUDF>> {
    if let Some(bound) = setting::Bound::find(name, session.state()) {
        return Some(Arc::new(ScalarUDF::from(bound)));
    }
    let function = BY_NAME.get(name)?;
    let catalog = Arc::clone(session.catalog());
    Some(Arc::new(ScalarUDF::from(scalar::CatalogFunction::new(function, catalog))))
}

/// What stands for a function that there is not.
pub(crate) fn missing(name: &str) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(missing::Missing::new(name)))
}

/// The names of those.
pub(crate) fn scalar_names() -> impl Iterator<Item = &'static str> {
    BY_NAME.keys().copied().chain(setting::FUNCTIONS.iter().map(setting::SessionFunction::name))
}

/// Whether a plan that calls this function is of one session.
pub(crate) fn is_of_session(name: &str) -> bool {
    is_catalog_function(name) || setting::FUNCTIONS.iter().any(|function| function.name() == name)
}

/// Functions that read nothing but their arguments.
pub(crate) fn plain_functions() -> impl Iterator<Item = Arc<ScalarUDF>> {
    let others = [
        Arc::new(ScalarUDF::from(expand_array::ExpandArray::new())),
        Arc::new(ScalarUDF::from(coalesce::Coalesce::new())),
        Arc::new(ScalarUDF::from(type_of::TypeOf::new())),
        Arc::new(ScalarUDF::from(no_acl::NoAcl::new())),
    ];
    others.into_iter().chain(sleep::functions()).chain(data::functions())
}

/// The aggregates that rewritten statements call.
pub(crate) fn aggregate_functions() -> Vec<Arc<AggregateUDF>> {
    vec![Arc::new(single_value())]
}

/// The aggregate of a subquery for one value, which fails for a second row.
pub(crate) fn single_value() -> AggregateUDF {
    AggregateUDF::from(single_value::SingleValue::new())
}

/// Whether a name is a type's that is none of a table's rows.
pub(crate) fn is_type(name: &str) -> bool {
    type_name::oid_of(&Snapshot::default(), name).is_some()
}

/// Whether a function reads the catalog, so that the snapshot has to be fresh when it runs.
pub(crate) fn is_catalog_function(name: &str) -> bool {
    BY_NAME.contains_key(name)
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
