//! `[[users]]`: who may ask, at every door.

use std::collections::HashSet;
use std::str::FromStr;

use super::reader::{Faults, Item, Section};
use super::secret::{Surroundings, secret};
use super::unique_name;
use crate::error::Error;
use crate::odata::{Privileges, Token};
use crate::postgres::Password;

/// Somebody who may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSettings {
    /// The login name.
    pub name: String,
    /// Without it there is no login by password.
    pub password: Option<Password>,
    /// Any of them opens the OData door.
    pub tokens: Vec<Token>,
    /// What the user may do.
    pub privileges: Privileges,
    /// Sees everyone's rows of `Requests`.
    pub administrator: bool,
}

const VERBS: &str = "GET, POST, PUT, DELETE, or \"all\"";
const ALL: Privileges = Privileges { get: true, post: true, put: true, delete: true };

/// Reads one section.
pub(super) fn read(
    mut section: Section<'_>,
    names: &mut HashSet<String>,
    around: &Surroundings<'_>,
    faults: &mut Faults<'_>,
) -> Option<UserSettings> {
    let name = unique_name(&mut section, "\"reader\"", names, faults);
    let password = section.take("password");
    let tokens = section.take("tokens");
    if password.is_none() && tokens.is_none() {
        let message = "this user can never log in; give a password, or tokens";
        faults.add(section.at(), section.path("password"), message);
    }
    let password = password.and_then(|item| proof(&item, around, faults));
    let tokens = tokens.map(|item| item.elements("tokens", faults)).unwrap_or_default();
    let tokens = tokens.iter().filter_map(|item| proof(item, around, faults)).collect();
    let privileges = section.require("privileges", "privileges = [\"GET\"]", faults);
    let privileges = privileges.map(|item| read_privileges(&item, faults)).unwrap_or_default();
    let administrator = section.flag("administrator", faults).unwrap_or(false);
    section.finish(faults);
    Some(UserSettings { name: name?, password, tokens, privileges, administrator })
}

/// A password or a token.
fn proof<T: FromStr<Err = Error>>(
    item: &Item<'_>,
    around: &Surroundings<'_>,
    faults: &mut Faults<'_>,
) -> Option<T> {
    secret(item, around, faults)?.parse().map_err(|error: Error| faults.refuse(item, error)).ok()
}

fn read_privileges(item: &Item<'_>, faults: &mut Faults<'_>) -> Privileges {
    let mut given = Privileges::default();
    let single = item.value.as_str().map(|_| vec![item.clone()]);
    for element in single.unwrap_or_else(|| item.elements(VERBS, faults)) {
        match element.text(faults).map(str::to_lowercase).as_deref() {
            Some("all") => given = ALL,
            Some("get") => given.get = true,
            Some("post") => given.post = true,
            Some("put") => given.put = true,
            Some("delete") => given.delete = true,
            Some(_) => {
                let known = format!("unknown privilege; known: {VERBS}");
                faults.add(element.at, element.path, known);
            }
            None => {}
        }
    }
    given
}
