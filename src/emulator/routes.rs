//! Which function answers which path and method.

use axum::http::Method;

use super::call::{Call, Change};
use super::reply::{Answer, Failure};
use super::settings::{self, LIVE, PREVIEW};
use super::{bulk, comment, cursor, file, process, records, rights, user_api, write};

/// What answers a call.
#[derive(Clone, Copy)]
pub(super) enum Handler {
    /// Beside other calls.
    Shared(fn(&Call<'_>) -> Result<Answer, Failure>),
    /// While no other call is served.
    Alone(fn(&mut Change<'_>) -> Result<Answer, Failure>),
    /// For anybody, without a login.
    Open(fn() -> Answer),
}
use Handler::{Alone, Open, Shared};

/// An API's path, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target<'a> {
    pub(super) guest_space: Option<u64>,
    /// What follows `v1/`, such as `records.json`; of the User API all of the path.
    pub(super) endpoint: &'a str,
}

const ROUTES: &[(Method, &str, Handler)] = &[
    (Method::GET, "apis.json", Open(settings::apis)),
    (Method::GET, "apps.json", Shared(settings::apps)),
    (Method::GET, "app.json", Shared(settings::app)),
    (Method::GET, "apps/statistics.json", Shared(settings::statistics)),
    (Method::GET, "space.json", Shared(settings::space)),
    (Method::GET, "space/members.json", Shared(settings::members)),
    (Method::GET, "spaces/statistics.json", Shared(settings::space_statistics)),
    (Method::GET, "plugins.json", Shared(settings::installed_plugins)),
    (Method::GET, "plugins/required.json", Shared(settings::required_plugins)),
    (Method::GET, "app/form/fields.json", Shared(|c| settings::fields(c, LIVE))),
    (Method::GET, "app/form/layout.json", Shared(|c| settings::layout(c, LIVE))),
    (Method::GET, "form.json", Shared(|c| settings::form(c, LIVE))),
    (Method::GET, "app/views.json", Shared(|c| settings::views(c, LIVE))),
    (Method::GET, "app/settings.json", Shared(|c| settings::settings(c, LIVE))),
    (Method::GET, "app/status.json", Shared(|c| settings::status(c, LIVE))),
    (Method::GET, "app/reports.json", Shared(|c| settings::reports(c, LIVE))),
    (Method::GET, "app/acl.json", Shared(|c| settings::app_rights(c, LIVE))),
    (Method::GET, "record/acl.json", Shared(|c| settings::record_rights(c, LIVE))),
    (Method::GET, "field/acl.json", Shared(|c| settings::field_rights(c, LIVE))),
    (Method::GET, "app/notifications/general.json", Shared(|c| settings::general_notifications(c, LIVE))),
    (Method::GET, "app/notifications/perRecord.json", Shared(|c| settings::record_notifications(c, LIVE))),
    (Method::GET, "app/notifications/reminder.json", Shared(|c| settings::reminders(c, LIVE))),
    (Method::GET, "app/customize.json", Shared(|c| settings::customization(c, LIVE))),
    (Method::GET, "app/plugins.json", Shared(|c| settings::plugins(c, LIVE))),
    (Method::GET, "app/actions.json", Shared(|c| settings::actions(c, LIVE))),
    (Method::GET, "app/adminNotes.json", Shared(|c| settings::admin_notes(c, LIVE))),
    (Method::POST, "preview/app.json", Alone(settings::create)),
    (Method::GET, "preview/app/deploy.json", Shared(settings::deploy_status)),
    (Method::POST, "preview/app/deploy.json", Alone(settings::deploy)),
    (Method::GET, "preview/app/form/fields.json", Shared(|c| settings::fields(c, PREVIEW))),
    (Method::GET, "preview/app/form/layout.json", Shared(|c| settings::layout(c, PREVIEW))),
    (Method::GET, "preview/form.json", Shared(|c| settings::form(c, PREVIEW))),
    (Method::GET, "preview/app/views.json", Shared(|c| settings::views(c, PREVIEW))),
    (Method::GET, "preview/app/settings.json", Shared(|c| settings::settings(c, PREVIEW))),
    (Method::GET, "preview/app/status.json", Shared(|c| settings::status(c, PREVIEW))),
    (Method::GET, "preview/app/reports.json", Shared(|c| settings::reports(c, PREVIEW))),
    (Method::GET, "preview/app/acl.json", Shared(|c| settings::app_rights(c, PREVIEW))),
    (Method::GET, "preview/record/acl.json", Shared(|c| settings::record_rights(c, PREVIEW))),
    (Method::GET, "preview/field/acl.json", Shared(|c| settings::field_rights(c, PREVIEW))),
    (
        Method::GET,
        "preview/app/notifications/general.json",
        Shared(|c| settings::general_notifications(c, PREVIEW)),
    ),
    (
        Method::GET,
        "preview/app/notifications/perRecord.json",
        Shared(|c| settings::record_notifications(c, PREVIEW)),
    ),
    (Method::GET, "preview/app/notifications/reminder.json", Shared(|c| settings::reminders(c, PREVIEW))),
    (Method::GET, "preview/app/customize.json", Shared(|c| settings::customization(c, PREVIEW))),
    (Method::GET, "preview/app/plugins.json", Shared(|c| settings::plugins(c, PREVIEW))),
    (Method::GET, "preview/app/actions.json", Shared(|c| settings::actions(c, PREVIEW))),
    (Method::GET, "preview/app/adminNotes.json", Shared(|c| settings::admin_notes(c, PREVIEW))),
    (Method::POST, "preview/app/form/fields.json", Alone(settings::add_fields)),
    (Method::PUT, "preview/app/form/fields.json", Alone(settings::update_fields)),
    (Method::DELETE, "preview/app/form/fields.json", Alone(settings::delete_fields)),
    (Method::PUT, "preview/app/form/layout.json", Alone(settings::update_layout)),
    (Method::PUT, "preview/app/views.json", Alone(settings::update_views)),
    (Method::PUT, "preview/app/settings.json", Alone(settings::update_settings)),
    (Method::PUT, "preview/app/status.json", Alone(settings::update_status)),
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
    (Method::GET, "file.json", Shared(file::download)),
    (Method::POST, "file.json", Shared(file::upload)),
    (Method::GET, "record/comments.json", Shared(comment::list)),
    (Method::POST, "record/comment.json", Shared(comment::add)),
    (Method::DELETE, "record/comment.json", Shared(comment::delete)),
    (Method::GET, "/v1/users.json", Shared(user_api::users)),
    (Method::GET, "/v1/organizations.json", Shared(user_api::organizations)),
    (Method::GET, "/v1/groups.json", Shared(user_api::groups)),
    (Method::GET, "/v1/user/organizations.json", Shared(user_api::organizations_of_user)),
    (Method::GET, "/v1/user/groups.json", Shared(user_api::groups_of_user)),
    (Method::GET, "/v1/organization/users.json", Shared(user_api::users_of_organization)),
    (Method::GET, "/v1/group/users.json", Shared(user_api::users_of_group)),
];

/// Every endpoint with its method.
pub(super) fn endpoints() -> impl Iterator<Item = (&'static Method, &'static str)> {
    ROUTES.iter().map(|(method, path, _)| (method, *path))
}

/// The endpoint of a path, plain or of a guest space; `None` where there is none.
pub(super) fn target(path: &str) -> Option<Target<'_>> {
    let known = |guest_space, endpoint| {
        let found = ROUTES.iter().any(|(_, known, _)| *known == endpoint);
        found.then_some(Target { guest_space, endpoint })
    };
    let Some(rest) = path.strip_prefix("/k/") else {
        return if path.starts_with("/v1/") { known(None, path) } else { None };
    };
    let (guest_space, rest) = match rest.strip_prefix("guest/") {
        Some(rest) => {
            let (space, rest) = rest.split_once('/')?;
            (Some(space.parse().ok()?), rest)
        }
        None => (None, rest),
    };
    let endpoint = rest.strip_prefix("v1/")?;
    if endpoint.starts_with('/') { None } else { known(guest_space, endpoint) }
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
        assert_eq!(found("/v1/users.json"), Some((None, "/v1/users.json".into())));
        for path in [
            "records.json",
            "/v1/records.json",
            "/k/v1//v1/users.json",
            "/k/v1/nothing.json",
            "/k/guest/x/v1/app.json",
            "/v1/app.json",
            "/",
        ] {
            assert_eq!(found(path), None, "{path}");
        }
    }
}
