//! Conditions and orders that settings keep: query-language text, each by itself (K§2.2).

use serde_json::{Map, Value as Json};

use super::super::call::Call;
use super::super::query::{Scope, prepare};
use super::super::reply::Failure;
use super::super::store::App;

/// The `filterCond` and the `sort` of a setting, held against the form as it will be. `at` is where the setting stands
/// in the call.
pub(super) fn read<'s>(
    call: &Call<'_>,
    app: &App,
    setting: &'s Map<String, Json>,
    at: &str,
) -> Result<(&'s str, &'s str), Failure> {
    let fault = |name: &str, message: &str| Failure::invalid(&format!("{at}.{name}"), message);
    let text = |name: &str| match setting.get(name) {
        None | Some(Json::Null) => Ok(""),
        Some(value) => value.as_str().ok_or_else(|| fault(name, "Enter a text.")),
    };
    let (condition, sort) = (text("filterCond")?, text("sort")?);
    let scope = Scope { store: call.store, app, caller: call.caller, now: call.now };
    let prepared = prepare(scope, condition)?;
    if prepared.is_paged() || prepared.is_ordered() {
        return Err(fault("filterCond", "Enter a condition alone."));
    }
    if !sort.is_empty() && prepare(scope, &format!("order by {sort}"))?.is_paged() {
        return Err(fault("sort", "Enter an order alone."));
    }
    Ok((condition, sort))
}
