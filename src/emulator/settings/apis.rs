//! GET `apis.json` (K§1.1): what can be called, for anybody.

use serde_json::{Map, Value as Json, json};

use super::super::reply::Answer;
use super::super::routes;

/// GET, without a login.
pub(crate) fn list() -> Answer {
    // Not the User API, which is another one.
    let own = routes::endpoints().filter(|(_, path)| !path.starts_with('/'));
    let apis: Map<String, Json> = own
        .map(|(method, path)| {
            let name = format!("{}/{}", path.trim_end_matches(".json"), method.as_str().to_lowercase());
            (name.clone(), json!({"link": format!("apis/{name}.json")}))
        })
        .collect();
    Answer::json(&json!({"baseUrl": "/k/v1/", "apis": apis}))
}
