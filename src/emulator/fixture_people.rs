//! The users, organizations and groups of a fixture.
//!
//! ```json
//! {"users": [{"id": 7, "code": "sato", "name": "佐藤", "password": "secret", "timezone": "Asia/Tokyo",
//!             "organizations": ["sales", {"code": "hq", "title": "部長"}], "primaryOrganization": "sales",
//!             "groups": ["managers"], "surName": "佐藤", "email": "sato@example.com"}],
//!  "organizations": [{"code": "hq"}, {"code": "sales", "name": "営業部", "parentCode": "hq"}],
//!  "groups": [{"code": "managers", "name": "管理職", "users": ["sato"]}]}
//! ```

use serde_json::{Map, Value as Json};

use super::app::Entity;
use super::fixture::{code, list, number};

/// What is told by another part of an [`Entity`], or must not be told.
const NOT_PROFILE: &[&str] = &[
    "id",
    "code",
    "name",
    "valid",
    "timezone",
    "password",
    "organizations",
    "primaryOrganization",
    "groups",
    "parentCode",
    "users",
];

/// Reads them all; where one belongs to what is not there, says so.
pub(super) fn directory(root: &Map<String, Json>) -> Result<Vec<Entity>, String> {
    let mut all: Vec<Entity> = vec![];
    let mut members = vec![];
    for (key, kind) in [("users", "USER"), ("organizations", "ORGANIZATION"), ("groups", "GROUP")] {
        for (index, entry) in list(root.get(key), key)?.iter().enumerate() {
            let at = format!("{key}[{index}]");
            let made = entity(entry, kind).map_err(|e| format!("{at}: {e}"))?;
            for user in list(entry.get("users"), &format!("{at}.users"))?.iter().filter_map(code) {
                members.push((at.clone(), user, made.kind, made.code.clone()));
            }
            all.push(made);
        }
    }
    for (at, user, kind, code) in members {
        let user = all.iter_mut().find(|entity| entity.kind == "USER" && entity.code == user);
        let user = user.ok_or_else(|| format!("{at}: one of its users is not there"))?;
        if kind == "ORGANIZATION" {
            user.organizations.push((code, String::new()));
        } else {
            user.groups.push(code);
        }
    }
    check(&all)?;
    Ok(all)
}

fn entity(entry: &Json, kind: &'static str) -> Result<Entity, String> {
    let own = code(entry).ok_or("expected a code")?;
    let text = |key: &str| entry.get(key).and_then(Json::as_str);
    let organizations = list(entry.get("organizations"), "organizations")?.iter();
    let organizations = organizations.filter_map(|organization| {
        let title = organization.get("title").and_then(Json::as_str).unwrap_or_default();
        Some((code(organization)?, title.to_owned()))
    });
    let mut profile = entry.as_object().cloned().unwrap_or_default();
    profile.retain(|key, _| !NOT_PROFILE.contains(&key.as_str()));
    Ok(Entity {
        id: number(entry.get("id")).unwrap_or(0),
        valid: entry.get("valid").and_then(Json::as_bool).unwrap_or(true),
        timezone: text("timezone").unwrap_or("Asia/Tokyo").to_owned(),
        password: text("password").map(str::to_owned),
        organizations: organizations.collect(),
        primary_organization: text("primaryOrganization").map(str::to_owned),
        groups: list(entry.get("groups"), "groups")?.iter().filter_map(code).collect(),
        parent: text("parentCode").filter(|code| !code.is_empty()).map(str::to_owned),
        profile,
        ..Entity::new(kind, &own, text("name").unwrap_or(&own))
    })
}

/// Whether every code that one of them names is there, and no id twice.
fn check(all: &[Entity]) -> Result<(), String> {
    let is_there =
        |kind: &str, code: &str| all.iter().any(|entity| entity.kind == kind && entity.code == code);
    for (index, entity) in all.iter().enumerate() {
        let organizations = entity.organizations.iter().map(|(code, _)| code);
        let organizations = organizations.chain(&entity.primary_organization).chain(&entity.parent);
        let mut named = organizations
            .map(|code| ("ORGANIZATION", code))
            .chain(entity.groups.iter().map(|code| ("GROUP", code)));
        let code = &entity.code;
        if let Some((kind, missing)) = named.find(|(kind, code)| !is_there(kind, code)) {
            return Err(format!("{code}: there is no {} {missing}", kind.to_lowercase()));
        }
        let primary = entity.primary_organization.as_ref();
        if primary.is_some_and(|primary| !entity.organizations.iter().any(|(code, _)| code == primary)) {
            return Err(format!("{code}: the primary organization is not one of the user's"));
        }
        let before = all.get(..index).unwrap_or_default();
        let same = before.iter().any(|other| other.kind == entity.kind && other.id == entity.id);
        if entity.id != 0 && same {
            return Err(format!("{code}: the id {} is taken", entity.id));
        }
    }
    Ok(())
}
