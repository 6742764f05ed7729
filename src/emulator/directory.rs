//! Users, organizations and groups by code.

use std::collections::HashMap;

use super::app::Entity;

/// The directory of the domain.
pub(super) struct Directory {
    users: HashMap<String, (usize, Entity)>,
    organizations: HashMap<String, Entity>,
    groups: HashMap<String, Entity>,
}

impl Directory {
    pub(super) fn new(entities: Vec<Entity>) -> Self {
        let mut directory =
            Self { users: HashMap::new(), organizations: HashMap::new(), groups: HashMap::new() };
        for (number, entity) in entities.into_iter().enumerate() {
            let code = entity.code.clone();
            match entity.kind {
                "ORGANIZATION" => drop(directory.organizations.insert(code, entity)),
                "GROUP" => drop(directory.groups.insert(code, entity)),
                _ => drop(directory.users.insert(code, (number, entity))),
            }
        }
        directory
    }

    pub(super) fn user(&self, code: &str) -> Option<&Entity> {
        self.users.get(code).map(|(_, user)| user)
    }

    /// Every user, in no order.
    pub(super) fn users(&self) -> impl Iterator<Item = &Entity> {
        self.users.values().map(|(_, user)| user)
    }

    pub(super) fn organization(&self, code: &str) -> Option<&Entity> {
        self.organizations.get(code)
    }

    pub(super) fn group(&self, code: &str) -> Option<&Entity> {
        self.groups.get(code)
    }

    /// The hidden number that creators and modifiers sort by (K§3.7): neither code nor name.
    pub(super) fn user_number(&self, code: &str) -> usize {
        self.users.get(code).map_or(usize::MAX, |(number, _)| *number)
    }
}
