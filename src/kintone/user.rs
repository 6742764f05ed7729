//! Users, groups and organizations of the User API, which has a path of its own (K§2.3).

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::client::Client;
use super::error::Error;
use super::request::Call;
use super::wire::{id, maybe_id, or_default};

/// A page of the lists, Kintone's most (K§2.3).
const SIZE: usize = 100;

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The id.
    #[serde(deserialize_with = "id")]
    pub id: u64,
    /// The login name.
    pub code: String,
    /// The display name.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// False for users that are switched off.
    #[serde(default, deserialize_with = "or_default")]
    pub valid: bool,
    /// The address; empty where there is none.
    #[serde(default, deserialize_with = "or_default")]
    pub email: String,
    /// Such as `Asia/Tokyo`: dates in queries are this user's.
    #[serde(default, deserialize_with = "or_default")]
    pub timezone: String,
    /// Such as `ja`, or `auto`.
    #[serde(default, deserialize_with = "or_default")]
    pub locale: String,
    /// The organization that `PRIMARY_ORGANIZATION()` means.
    #[serde(default, deserialize_with = "maybe_id")]
    pub primary_organization: Option<u64>,
    /// When the user was made: `2026-04-24T12:00:00Z`.
    #[serde(default, deserialize_with = "or_default")]
    pub ctime: String,
    /// When the user was changed last.
    #[serde(default, deserialize_with = "or_default")]
    pub mtime: String,
    /// The family name.
    #[serde(default, deserialize_with = "or_default")]
    pub sur_name: String,
    /// The given name.
    #[serde(default, deserialize_with = "or_default")]
    pub given_name: String,
    /// How the family name is read.
    #[serde(default, deserialize_with = "or_default")]
    pub sur_name_reading: String,
    /// How the given name is read.
    #[serde(default, deserialize_with = "or_default")]
    pub given_name_reading: String,
    /// The name in another language.
    #[serde(default, deserialize_with = "or_default")]
    pub local_name: String,
    /// That language, such as `en`.
    #[serde(default, deserialize_with = "or_default")]
    pub local_name_locale: String,
    /// What the user wrote about themselves.
    #[serde(default, deserialize_with = "or_default")]
    pub description: String,
    /// The telephone number.
    #[serde(default, deserialize_with = "or_default")]
    pub phone: String,
    /// The mobile telephone number.
    #[serde(default, deserialize_with = "or_default")]
    pub mobile_phone: String,
    /// The extension number.
    #[serde(default, deserialize_with = "or_default")]
    pub extension_number: String,
    /// The Skype name.
    #[serde(default, deserialize_with = "or_default")]
    pub callto: String,
    /// The web page.
    #[serde(default, deserialize_with = "or_default")]
    pub url: String,
    /// The employee number.
    #[serde(default, deserialize_with = "or_default")]
    pub employee_number: String,
    /// Such as `1990-04-01`.
    #[serde(default, deserialize_with = "or_default")]
    pub birth_date: String,
    /// Such as `2020-04-01`.
    #[serde(default, deserialize_with = "or_default")]
    pub join_date: String,
    /// The place in lists of users.
    #[serde(default, deserialize_with = "maybe_id")]
    pub sort_order: Option<u64>,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Group {
    /// The id.
    #[serde(deserialize_with = "id")]
    pub id: u64,
    /// The code.
    pub code: String,
    /// The name.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// The description.
    #[serde(default, deserialize_with = "or_default")]
    pub description: String,
}

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Organization {
    /// The id.
    #[serde(deserialize_with = "id")]
    pub id: u64,
    /// The code.
    pub code: String,
    /// The name.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// The description.
    #[serde(default, deserialize_with = "or_default")]
    pub description: String,
    /// The code of the one above; none at the top.
    #[serde(default)]
    pub parent_code: Option<String>,
    /// The name in another language.
    #[serde(default, deserialize_with = "or_default")]
    pub local_name: String,
    /// That language, such as `en`.
    #[serde(default, deserialize_with = "or_default")]
    pub local_name_locale: String,
}

/// A title that a user has in an organization.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Title {
    /// The id.
    #[serde(deserialize_with = "id")]
    pub id: u64,
    /// The code.
    #[serde(default, deserialize_with = "or_default")]
    pub code: String,
    /// The name.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// The description.
    #[serde(default, deserialize_with = "or_default")]
    pub description: String,
}

/// A user of an organization, or an organization of a user, with the title there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Membership<T> {
    /// The user or the organization.
    #[serde(alias = "user", alias = "organization")]
    pub of: T,
    /// None where the user has none.
    #[serde(default)]
    pub title: Option<Title>,
}

/// Something with an id, in a list that is read page by page.
trait Listed {
    fn id(&self) -> u64;
}

impl Listed for User {
    fn id(&self) -> u64 {
        self.id
    }
}

impl Listed for Group {
    fn id(&self) -> u64 {
        self.id
    }
}

impl Listed for Organization {
    fn id(&self) -> u64 {
        self.id
    }
}

impl<T: Listed> Listed for Membership<T> {
    fn id(&self) -> u64 {
        self.of.id()
    }
}

impl Client {
    /// All users. Not with API tokens.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn users(&self) -> Result<Vec<User>, Error> {
        self.list(Call::common("users.json"), |reply: UsersReply| reply.users).await
    }

    /// All groups. Not with API tokens.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn groups(&self) -> Result<Vec<Group>, Error> {
        self.list(Call::common("groups.json"), |reply: GroupsReply| reply.groups).await
    }

    /// All organizations. Not with API tokens.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn organizations(&self) -> Result<Vec<Organization>, Error> {
        self.list(Call::common("organizations.json"), |reply: OrganizationsReply| reply.organizations).await
    }

    /// The members of a group.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn users_of_group(&self, code: &str) -> Result<Vec<User>, Error> {
        let call = Call::common("group/users.json").with("code", code);
        self.list(call, |reply: UsersReply| reply.users).await
    }

    /// The members of an organization.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn users_of_organization(&self, code: &str) -> Result<Vec<Membership<User>>, Error> {
        let call = Call::common("organization/users.json").with("code", code);
        self.list(call, |reply: TitlesReply| reply.user_titles).await
    }

    /// The groups of a user.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn groups_of_user(&self, code: &str) -> Result<Vec<Group>, Error> {
        let call = Call::common("user/groups.json").with("code", code);
        self.reply(&call).await.map(|reply: GroupsReply| reply.groups)
    }

    /// The organizations of a user.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn organizations_of_user(&self, code: &str) -> Result<Vec<Membership<Organization>>, Error> {
        let call = Call::common("user/organizations.json").with("code", code);
        self.reply(&call).await.map(|reply: OrganizationTitlesReply| reply.organization_titles)
    }

    /// Pages until one is short: there is no total. What is known already is not taken again, and a page of
    /// nothing else ends the list.
    async fn list<R: DeserializeOwned, T: Listed>(
        &self,
        call: Call,
        items: impl Fn(R) -> Vec<T>,
    ) -> Result<Vec<T>, Error> {
        let (mut all, mut known, mut offset) = (vec![], HashSet::new(), 0);
        loop {
            let page = items(self.reply(&call.clone().with("size", SIZE).with("offset", offset)).await?);
            let (count, before) = (page.len(), all.len());
            all.extend(page.into_iter().filter(|item| known.insert(item.id())));
            if count < SIZE || all.len() == before {
                return Ok(all);
            }
            offset += count;
        }
    }
}

#[derive(Deserialize)]
struct UsersReply {
    users: Vec<User>,
}

#[derive(Deserialize)]
struct GroupsReply {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct OrganizationsReply {
    organizations: Vec<Organization>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TitlesReply {
    user_titles: Vec<Membership<User>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrganizationTitlesReply {
    organization_titles: Vec<Membership<Organization>>,
}
