//! Users, organizations and groups by code and by id, and who belongs where.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::app::Entity;

/// The group that everybody is in.
const EVERYONE: &str = "everyone";
/// The group of those who may administer everything.
const ADMINISTRATORS: &str = "Administrators";

/// Those of one kind.
#[derive(Default)]
struct Entities {
    /// Ascending by id.
    all: Vec<Entity>,
    by_code: HashMap<String, usize>,
}

impl Entities {
    /// Gives ids to those that have none, in the order in which they come.
    fn new(mut all: Vec<Entity>) -> Self {
        let taken: HashSet<u64> = all.iter().map(|entity| entity.id).collect();
        let mut free = (1..).filter(|id| !taken.contains(id));
        for entity in all.iter_mut().filter(|entity| entity.id == 0) {
            entity.id = free.next().unwrap_or_default();
        }
        all.sort_by_key(|entity| entity.id);
        let by_code = all.iter().enumerate().map(|(index, entity)| (entity.code.clone(), index)).collect();
        Self { all, by_code }
    }

    fn get(&self, code: &str) -> Option<&Entity> {
        self.all.get(*self.by_code.get(code)?)
    }
}

/// The directory of the domain.
pub(super) struct Directory {
    users: Entities,
    organizations: Entities,
    groups: Entities,
    /// Ids of titles by name.
    titles: BTreeMap<String, usize>,
}

impl Directory {
    pub(super) fn new(entities: Vec<Entity>) -> Self {
        let (users, others): (Vec<Entity>, Vec<Entity>) =
            entities.into_iter().partition(|entity| !matches!(entity.kind, "ORGANIZATION" | "GROUP"));
        let (organizations, groups) = others.into_iter().partition(|entity| entity.kind == "ORGANIZATION");
        let mut titles = BTreeMap::new();
        for (_, title) in users.iter().flat_map(|user| &user.organizations) {
            if !title.is_empty() {
                let id = titles.len() + 1;
                titles.entry(title.clone()).or_insert(id);
            }
        }
        let entities = Entities::new;
        Self {
            users: entities(users),
            organizations: entities(organizations),
            groups: entities(groups),
            titles,
        }
    }

    pub(super) fn user(&self, code: &str) -> Option<&Entity> {
        self.users.get(code)
    }

    pub(super) fn organization(&self, code: &str) -> Option<&Entity> {
        self.organizations.get(code)
    }

    pub(super) fn group(&self, code: &str) -> Option<&Entity> {
        self.groups.get(code)
    }

    /// The hidden number that creators and modifiers sort by (K§3.7): neither code nor name.
    pub(super) fn user_number(&self, code: &str) -> u64 {
        self.user(code).map_or(u64::MAX, |user| user.id)
    }

    /// Every user of the domain, retired ones too, ascending by id. Guests of spaces are not users of the domain.
    pub(super) fn users(&self) -> impl Iterator<Item = &Entity> {
        self.users.all.iter().filter(|user| !is_guest(user))
    }

    /// Ascending by id.
    pub(super) fn organizations(&self) -> impl Iterator<Item = &Entity> {
        self.organizations.all.iter()
    }

    /// Ascending by id.
    pub(super) fn groups(&self) -> impl Iterator<Item = &Entity> {
        self.groups.all.iter()
    }

    /// Code of the organization that the user puts first.
    pub(super) fn primary_organization(&self, user: &str) -> Option<&str> {
        self.user(user)?.primary_organization.as_deref()
    }

    /// Whether the user belongs to the group. Everybody who is valid is in `everyone`.
    pub(super) fn is_in_group(&self, user: &Entity, group: &str) -> bool {
        user.groups.iter().any(|code| code == group) || (group == EVERYONE && user.valid && !is_guest(user))
    }

    /// Whether the user belongs to the organization, or where asked to one below it.
    pub(super) fn is_in_organization(&self, user: &Entity, organization: &str, with_below: bool) -> bool {
        user.organizations.iter().any(|(code, _)| {
            let above = |code: &String| self.organization(code)?.parent.clone();
            // A circle of organizations ends too.
            let chain = std::iter::successors(Some(code.clone()), above).take(self.organizations.all.len());
            let mut chain = chain.take(if with_below { usize::MAX } else { 1 });
            chain.any(|code| code == organization)
        })
    }

    /// Whether the user may do what nobody else may.
    pub(super) fn is_administrator(&self, code: &str) -> bool {
        self.user(code).is_some_and(|user| self.is_in_group(user, ADMINISTRATORS))
    }

    /// The id of a title.
    pub(super) fn title(&self, name: &str) -> Option<usize> {
        self.titles.get(name).copied()
    }
}

fn is_guest(user: &Entity) -> bool {
    user.code.starts_with("guest/")
}
