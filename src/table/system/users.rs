//! `Users`, `UserGroups`, `UserDepartments`: the people of the domain, and where they belong.
//!
//! They come from the User API, which takes a login with a password and no API token. A filter on `UserCode` asks for
//! those users alone; without it the groups and the departments are asked for their members.

use std::future::Future;

use futures::stream::{self, StreamExt, TryStreamExt};

use super::{Ask, Error, Relation, Rows, SystemColumn as C, Value, once};
use crate::kintone::{Group, Membership, Organization, User};

pub(super) struct Users;

impl Relation for Users {
    fn name(&self) -> &'static str {
        "Users"
    }

    fn description(&self) -> &'static str {
        "Every user of the domain; needs a login with a password"
    }

    fn columns(&self) -> &'static [C] {
        const {
            &[
                C::integer("Id"),
                C::text("Code"),
                C::instant("CreatedTime"),
                C::instant("UpdatedTime"),
                C::boolean("Valid"),
                C::text("Name"),
                C::text("SurName"),
                C::text("GivenName"),
                C::text("SurNameReading"),
                C::text("GivenNameReading"),
                C::text("LocalName"),
                C::text("LocalNameLocale"),
                C::text("Timezone"),
                C::text("Locale"),
                C::text("Description"),
                C::text("Phone"),
                C::text("MobilePhone"),
                C::text("ExtensionNumber"),
                C::text("Email"),
                C::text("SkypeID"),
                C::text("Url"),
                C::text("EmployeeNumber"),
                C::text("BirthDate"),
                C::text("JoinDate"),
                C::integer("PrimaryOrganization").or_null(),
                C::integer("SortOrder").or_null(),
            ]
        }
    }

    fn key(&self) -> &'static [&'static str] {
        &["Id"]
    }

    fn requests(&self) -> &'static [&'static str] {
        &["path: GET /v1/users.json", "requests: one for 100 users"]
    }

    fn rows(&self, ask: Ask) -> Rows {
        once(async move {
            ask.budget.take()?;
            let users = ask.client.users().await?;
            Ok(users.into_iter().map(row).collect())
        })
    }
}

fn row(user: User) -> Vec<Value> {
    vec![
        Value::Integer(user.id),
        Value::text(user.code),
        Value::instant(&user.ctime),
        Value::instant(&user.mtime),
        Value::Boolean(user.valid),
        Value::text(user.name),
        Value::text(user.sur_name),
        Value::text(user.given_name),
        Value::text(user.sur_name_reading),
        Value::text(user.given_name_reading),
        Value::text(user.local_name),
        Value::text(user.local_name_locale),
        Value::text(user.timezone),
        Value::text(user.locale),
        Value::text(user.description),
        Value::text(user.phone),
        Value::text(user.mobile_phone),
        Value::text(user.extension_number),
        Value::text(user.email),
        Value::text(user.callto),
        Value::text(user.url),
        Value::text(user.employee_number),
        Value::text(user.birth_date),
        Value::text(user.join_date),
        Value::number(user.primary_organization),
        Value::number(user.sort_order),
    ]
}

pub(super) struct UserGroups;

impl Relation for UserGroups {
    fn name(&self) -> &'static str {
        "UserGroups"
    }

    fn description(&self) -> &'static str {
        "The groups that each user is in; a filter on UserCode asks for that user alone"
    }

    fn columns(&self) -> &'static [C] {
        const {
            &[
                C::text("UserCode"),
                C::integer("GroupId"),
                C::text("GroupCode"),
                C::text("GroupName"),
                C::text("GroupDescription"),
            ]
        }
    }

    fn key(&self) -> &'static [&'static str] {
        &["UserCode", "GroupId"]
    }

    fn requests(&self) -> &'static [&'static str] {
        &[
            "path: GET /v1/user/groups.json for users that are named, else /v1/groups.json and /v1/group/users.json",
        ]
    }

    fn rows(&self, ask: Ask) -> Rows {
        if let Some(codes) = ask.users.clone() {
            return each(ask, codes, |ask, code| async move {
                ask.budget.take()?;
                let groups = found(ask.client.groups_of_user(&code).await)?;
                Ok(groups.iter().map(|group| in_group(&code, group)).collect())
            });
        }
        walk(
            ask,
            |ask| async move { Ok(ask.client.groups().await?) },
            |ask, group: Group| async move {
                ask.budget.take()?;
                let members = found(ask.client.users_of_group(&group.code).await)?;
                Ok(members.iter().map(|user| in_group(&user.code, &group)).collect())
            },
        )
    }
}

fn in_group(user: &str, group: &Group) -> Vec<Value> {
    vec![
        Value::text(user),
        Value::Integer(group.id),
        Value::text(group.code.as_str()),
        Value::text(group.name.as_str()),
        Value::text(group.description.as_str()),
    ]
}

pub(super) struct UserDepartments;

impl Relation for UserDepartments {
    fn name(&self) -> &'static str {
        "UserDepartments"
    }

    fn description(&self) -> &'static str {
        "The departments that each user belongs to, with the title there; a filter on UserCode asks for that user alone"
    }

    fn columns(&self) -> &'static [C] {
        const {
            &[
                C::text("UserCode"),
                C::integer("OrganizationId"),
                C::integer("TitleId").or_null(),
                C::text("OrganizationCode"),
                C::text("OrganizationName"),
                C::text("OrganizationLocalName"),
                C::text("OrganizationLocalNameLocale"),
                C::text("OrganizationParentCode"),
                C::text("OrganizationDescription"),
                C::text("TitleCode"),
                C::text("TitleName"),
                C::text("TitleDescription"),
            ]
        }
    }

    fn key(&self) -> &'static [&'static str] {
        &["UserCode", "OrganizationId"]
    }

    fn requests(&self) -> &'static [&'static str] {
        &["path: GET /v1/user/organizations.json for users that are named, else /v1/organizations.json and \
             /v1/organization/users.json"]
    }

    fn rows(&self, ask: Ask) -> Rows {
        if let Some(codes) = ask.users.clone() {
            return each(ask, codes, |ask, code| async move {
                ask.budget.take()?;
                let own = found(ask.client.organizations_of_user(&code).await)?;
                Ok(own.iter().map(|own| in_department(&code, &own.of, own)).collect())
            });
        }
        let all = |ask: Ask| async move { Ok(ask.client.organizations().await?) };
        walk(ask, all, |ask, department: Organization| async move {
            ask.budget.take()?;
            let members = found(ask.client.users_of_organization(&department.code).await)?;
            Ok(members.iter().map(|user| in_department(&user.of.code, &department, user)).collect())
        })
    }
}

fn in_department<T>(user: &str, department: &Organization, membership: &Membership<T>) -> Vec<Value> {
    let title = membership.title.as_ref();
    vec![
        Value::text(user),
        Value::Integer(department.id),
        Value::number(title.map(|title| title.id)),
        Value::text(department.code.as_str()),
        Value::text(department.name.as_str()),
        Value::text(department.local_name.as_str()),
        Value::text(department.local_name_locale.as_str()),
        Value::text(department.parent_code.clone().unwrap_or_default()),
        Value::text(department.description.as_str()),
        Value::text(title.map(|title| title.code.clone()).unwrap_or_default()),
        Value::text(title.map(|title| title.name.clone()).unwrap_or_default()),
        Value::text(title.map(|title| title.description.clone()).unwrap_or_default()),
    ]
}

/// A code that nobody has is no member of anything: Kintone calls it a wrong parameter.
fn found<T>(result: Result<Vec<T>, crate::kintone::Error>) -> Result<Vec<T>, Error> {
    match result {
        Err(error) if error.code() == Some("CB_VA01") => Ok(vec![]),
        other => other.map_err(Error::from),
    }
}

/// The rows of each item, some at work at once, in the items' order.
fn each<T, F, Fut>(ask: Ask, items: Vec<T>, rows: F) -> Rows
where
    T: Send + 'static,
    F: Fn(Ask, T) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Vec<Vec<Value>>, Error>> + Send + 'static,
{
    let at_once = ask.concurrency;
    stream::iter(items).map(move |item| rows(ask.clone(), item)).buffered(at_once).boxed()
}

/// The rows of each item of a list that is asked for first.
fn walk<T, L, LFut, F, Fut>(ask: Ask, list: L, rows: F) -> Rows
where
    T: Send + 'static,
    L: FnOnce(Ask) -> LFut + Send + 'static,
    LFut: Future<Output = Result<Vec<T>, Error>> + Send + 'static,
    F: Fn(Ask, T) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Vec<Vec<Value>>, Error>> + Send + 'static,
{
    stream::once(async move {
        ask.budget.take()?;
        let items = list(ask.clone()).await?;
        Ok::<_, Error>(each(ask, items, rows))
    })
    .try_flatten()
    .boxed()
}
