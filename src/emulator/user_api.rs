//! The User API (K§2.3): users, organizations, groups, and who belongs where. For logins with a password only.

use serde_json::{Map, Value as Json, json};

use super::app::Entity;
use super::call::Call;
use super::params::integer;
use super::reply::{Answer, Failure};

/// Entries of a page.
const MOST: usize = 100;
/// When everybody came, where the profile does not say.
const DEFAULT_TIME: &str = "2026-01-01T00:00:00Z";

/// Texts of a user that are empty unless the profile has them.
const USER_TEXTS: &[&str] = &[
    "surName",
    "givenName",
    "surNameReading",
    "givenNameReading",
    "localName",
    "description",
    "phone",
    "mobilePhone",
    "extensionNumber",
    "email",
    "callto",
    "url",
    "employeeNumber",
];

/// GET `/v1/users.json`.
pub(super) fn users(call: &Call<'_>) -> Result<Answer, Failure> {
    let found = chosen(call, call.store.directory.users())?;
    page(call, "users", found.into_iter().map(|user| shown_user(call, user)))
}

/// GET `/v1/organizations.json`.
pub(super) fn organizations(call: &Call<'_>) -> Result<Answer, Failure> {
    let found = chosen(call, call.store.directory.organizations())?;
    page(call, "organizations", found.into_iter().map(shown_organization))
}

/// GET `/v1/groups.json`.
pub(super) fn groups(call: &Call<'_>) -> Result<Answer, Failure> {
    let found = chosen(call, call.store.directory.groups())?;
    page(call, "groups", found.into_iter().map(shown_group))
}

/// GET `/v1/user/organizations.json`.
pub(super) fn organizations_of_user(call: &Call<'_>) -> Result<Answer, Failure> {
    call.caller.must_log_in()?;
    let directory = &call.store.directory;
    let user = named(call, |code| directory.user(code))?;
    let titled = user.organizations.iter().filter_map(|(code, title)| {
        let organization = shown_organization(directory.organization(code)?);
        Some(json!({"organization": organization, "title": shown_title(call, title)}))
    });
    page(call, "organizationTitles", titled)
}

/// GET `/v1/user/groups.json`.
pub(super) fn groups_of_user(call: &Call<'_>) -> Result<Answer, Failure> {
    call.caller.must_log_in()?;
    let directory = &call.store.directory;
    let user = named(call, |code| directory.user(code))?;
    let own = directory.groups().filter(|group| directory.is_in_group(user, &group.code));
    page(call, "groups", own.map(shown_group))
}

/// GET `/v1/organization/users.json`.
pub(super) fn users_of_organization(call: &Call<'_>) -> Result<Answer, Failure> {
    call.caller.must_log_in()?;
    let directory = &call.store.directory;
    let organization = named(call, |code| directory.organization(code))?;
    let titled = directory.users().filter_map(|user| {
        let (_, title) = user.organizations.iter().find(|(code, _)| *code == organization.code)?;
        Some(json!({"user": shown_user(call, user), "title": shown_title(call, title)}))
    });
    page(call, "userTitles", titled)
}

/// GET `/v1/group/users.json`.
pub(super) fn users_of_group(call: &Call<'_>) -> Result<Answer, Failure> {
    call.caller.must_log_in()?;
    let directory = &call.store.directory;
    let group = named(call, |code| directory.group(code))?;
    let members = directory.users().filter(|user| directory.is_in_group(user, &group.code));
    page(call, "users", members.map(|user| shown_user(call, user)))
}

/// Those that `ids` or `codes` name, else all of them. Ones that are not there are left out.
fn chosen<'a>(call: &Call<'_>, all: impl Iterator<Item = &'a Entity>) -> Result<Vec<&'a Entity>, Failure> {
    call.caller.must_log_in()?;
    let ids = call.params.array("ids")?;
    let codes = call.params.texts("codes", MOST)?;
    if ids.is_some() && codes.is_some() {
        return Err(Failure::invalid("ids", "Specify either ids or codes."));
    }
    if let Some(codes) = codes {
        return Ok(all.filter(|entity| codes.contains(&entity.code)).collect());
    }
    let Some(ids) = ids else { return Ok(all.collect()) };
    if ids.len() > MOST {
        return Err(Failure::invalid("ids", format!("No more than {MOST} can be given.")));
    }
    let id = |value| integer(value).and_then(|id| u64::try_from(id).ok()).filter(|id| *id > 0);
    let ids: Option<Vec<u64>> = ids.iter().map(id).collect();
    let ids = ids.ok_or_else(|| Failure::invalid("ids", "Must be 1 or larger."))?;
    Ok(all.filter(|entity| ids.contains(&entity.id)).collect())
}

/// The one whose code is asked for.
fn named<'a>(
    call: &'a Call<'_>,
    find: impl Fn(&'a str) -> Option<&'a Entity>,
) -> Result<&'a Entity, Failure> {
    let code = call.params.text("code")?.ok_or_else(|| Failure::invalid("code", "Required field."))?;
    find(code).ok_or_else(|| Failure::invalid("code", format!("\"{code}\" was not found.")))
}

/// Cuts `size` entries from `offset` on. There is no total: a short page is the last.
fn page(call: &Call<'_>, name: &str, all: impl Iterator<Item = Json>) -> Result<Answer, Failure> {
    let offset = call.params.integer("offset")?.unwrap_or(0);
    let offset = usize::try_from(offset).map_err(|_| Failure::invalid("offset", "Must be 0 or larger."))?;
    let size = call.params.integer("size")?.map_or(Ok(MOST), usize::try_from).ok();
    let size = size.filter(|size| (1..=MOST).contains(size));
    let size = size.ok_or_else(|| Failure::invalid("size", format!("Must be 1 to {MOST}.")))?;
    let page: Vec<Json> = all.skip(offset).take(size).collect();
    let rows = page.len();
    Ok(Answer::json(&json!({name: page})).with_rows(rows))
}

fn shown_user(call: &Call<'_>, user: &Entity) -> Json {
    let primary = user.primary_organization.as_deref();
    let primary = primary.and_then(|code| call.store.directory.organization(code));
    let mut out = json!({
        "id": user.id.to_string(),
        "code": user.code,
        "ctime": DEFAULT_TIME,
        "mtime": DEFAULT_TIME,
        "valid": user.valid,
        "name": user.name,
        "localNameLocale": "en",
        "timezone": user.timezone,
        "locale": "ja",
        "birthDate": null,
        "joinDate": null,
        "primaryOrganization": primary.map(|organization| organization.id.to_string()),
        "sortOrder": null,
        "customItemValues": [],
    });
    for key in USER_TEXTS {
        out[*key] = json!("");
    }
    with_profile(out, &user.profile)
}

fn shown_organization(organization: &Entity) -> Json {
    let out = json!({
        "id": organization.id.to_string(),
        "code": organization.code,
        "name": organization.name,
        "localName": "",
        "localNameLocale": "en",
        "parentCode": organization.parent,
        "description": "",
    });
    with_profile(out, &organization.profile)
}

fn shown_group(group: &Entity) -> Json {
    let out = json!({
        "id": group.id.to_string(),
        "code": group.code,
        "name": group.name,
        "description": "",
        "type": "static",
    });
    with_profile(out, &group.profile)
}

fn shown_title(call: &Call<'_>, title: &str) -> Json {
    let Some(id) = call.store.directory.title(title) else { return Json::Null };
    json!({"id": id.to_string(), "code": title, "name": title, "description": ""})
}

/// What the profile says of the entry's own keys.
fn with_profile(mut entry: Json, profile: &Map<String, Json>) -> Json {
    for (key, value) in profile {
        if entry.get(key).is_some() {
            entry[key] = value.clone();
        }
    }
    entry
}
