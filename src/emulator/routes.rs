//! Which function answers which path and method.

use axum::http::Method;

use super::call::{Call, Change};
use super::reply::{Answer, Failure};
use super::{app_api, bulk, comment, cursor, process, records, rights, write};

/// What answers a call.
#[derive(Clone, Copy)]
pub(super) enum Handler {
    /// Beside other calls.
    Shared(fn(&Call<'_>) -> Result<Answer, Failure>),
    /// While no other call is served.
    Alone(fn(&mut Change<'_>) -> Result<Answer, Failure>),
}
use Handler::{Alone, Shared};

/// An API's path, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target<'a> {
    pub(super) guest_space: Option<u64>,
    /// What follows `v1/`, such as `records.json`.
    pub(super) endpoint: &'a str,
}

const ROUTES: &[(Method, &str, Handler)] = &[
    (Method::GET, "apps.json", Shared(app_api::list)),
    (Method::GET, "app.json", Shared(app_api::get)),
    (Method::GET, "app/form/fields.json", Shared(app_api::fields)),
    (Method::GET, "app/form/layout.json", Shared(app_api::layout)),
    (Method::GET, "app/views.json", Shared(app_api::views)),
    (Method::GET, "app/settings.json", Shared(app_api::settings)),
    (Method::GET, "app/status.json", Shared(app_api::status)),
    (Method::GET, "record.json", Shared(records::get)),
    (Method::POST, "record.json", Shared(write::insert_one)),
    (Method::PUT, "record.json", Shared(write::update_one)),
    (Method::GET, "records.json", Shared(records::list)),
    (Method::POST, "records.json", Shared(write::insert)),
    (Method::PUT, "records.json", Shared(write::update)),
    (Method::DELETE, "records.json", Shared(write::delete)),
    (Method::GET, "records/acl/evaluate.json", Shared(rights::evaluate)),
    (Method::PUT, "record/status.json", Shared(process::act)),
    (Method::PUT, "records/status.json", Shared(process::act_on_many)),
    (Method::PUT, "record/assignees.json", Shared(process::assign)),
    (Method::POST, "bulkRequest.json", Alone(bulk::run)),
    (Method::POST, "records/cursor.json", Shared(cursor::create)),
    (Method::GET, "records/cursor.json", Shared(cursor::read)),
    (Method::DELETE, "records/cursor.json", Shared(cursor::delete)),
    (Method::GET, "record/comments.json", Shared(comment::list)),
    (Method::POST, "record/comment.json", Shared(comment::add)),
    (Method::DELETE, "record/comment.json", Shared(comment::delete)),
];

/// The endpoint of a path, plain or of a guest space; `None` where there is none.
pub(super) fn target(path: &str) -> Option<Target<'_>> {
    let rest = path.strip_prefix("/k/")?;
    let (guest_space, rest) = match rest.strip_prefix("guest/") {
        Some(rest) => {
            let (space, rest) = rest.split_once('/')?;
            (Some(space.parse().ok()?), rest)
        }
        None => (None, rest),
    };
    let endpoint = rest.strip_prefix("v1/")?;
    ROUTES.iter().any(|(_, known, _)| *known == endpoint).then_some(Target { guest_space, endpoint })
}

/// The function of an endpoint for a method.
pub(super) fn handler(method: &Method, endpoint: &str) -> Option<Handler> {
    let route = ROUTES.iter().find(|(known, path, _)| known == method && *path == endpoint);
    route.map(|(_, _, handler)| *handler)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_apart() {
        let found = |path| target(path).map(|target| (target.guest_space, target.endpoint.to_owned()));
        assert_eq!(found("/k/v1/records.json"), Some((None, "records.json".into())));
        assert_eq!(found("/k/guest/7/v1/app.json"), Some((Some(7), "app.json".into())));
        for path in ["/k/v1/nothing.json", "/k/guest/x/v1/app.json", "/v1/app.json", "/"] {
            assert_eq!(found(path), None, "{path}");
        }
    }
}
