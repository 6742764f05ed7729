//! What an app of the emulator is made of, in the shapes of Kintone's own API, and one record's values.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

/// An app's settings, all of it but the records.
#[derive(Debug, Clone, Default)]
pub struct AppDefinition {
    /// The app id.
    pub id: u64,
    /// The app code; empty where there is none.
    pub code: String,
    /// The app's name.
    pub name: String,
    /// HTML, as Kintone gives it.
    pub description: String,
    /// The guest space it lives in.
    pub guest_space: Option<u64>,
    /// Login codes.
    pub creator: String,
    /// Login code of who changed the settings last.
    pub modifier: String,
    /// Minutes since 1970 in UTC.
    pub created_at: i64,
    /// Minutes since 1970 in UTC, of the settings.
    pub modified_at: i64,
    /// `form/fields.json`'s `properties`: system fields too, table columns nested under their table.
    pub properties: Map<String, Value>,
    /// `form/layout.json`'s `layout`.
    pub layout: Vec<Value>,
    /// `views.json`'s `views`.
    pub views: Map<String, Value>,
    /// `settings.json`, without name and description.
    pub settings: Map<String, Value>,
    /// `status.json` (`enable`, `states`, `actions`); empty where it was never on.
    pub status: Map<String, Value>,
    /// Plain tokens that open this app.
    pub api_tokens: Vec<String>,
}

/// One field's value. Which variant goes with which field type:
/// texts, numbers, choices of one, dates, times (all as Kintone's JSON writes them) are `Text`;
/// check box and multi-select are `Texts`; user, organization and group selections are `Codes`;
/// an unset value of any type is `Empty`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Unset.
    Empty,
    /// `"..."` in Kintone's JSON.
    Text(String),
    /// `["...", ...]`.
    Texts(Vec<String>),
    /// Codes of users, organizations or groups; their names come from the directory.
    Codes(Vec<String>),
    /// Attachments.
    Files(Vec<File>),
    /// Rows of a table field.
    Rows(Vec<Row>),
    /// What the field's `expression` makes of the record, worked out when the record is loaded.
    Computed,
}

/// A file's bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Content(pub Arc<[u8]>);

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({} bytes)", self.0.len())
    }
}

/// An attachment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct File {
    /// The key to download it by.
    pub file_key: String,
    /// The file's name.
    pub name: String,
    /// Its MIME type.
    pub content_type: String,
    /// Bytes.
    pub size: u64,
    /// What is in it; where unset, something of that size is made up when it is downloaded.
    pub content: Option<Content>,
}

impl File {
    /// What a search for words looks at beside the name: the content, where it is text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        let kind = self.content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_text = kind.starts_with("text/") || kind.ends_with("json") || kind.ends_with("xml");
        let bytes = &self.content.as_ref().filter(|_| is_text)?.0;
        std::str::from_utf8(bytes).ok()
    }
}

/// A row of a table field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Unique in the app.
    pub id: u64,
    /// In the order of the table's `fields`.
    pub cells: Vec<Cell>,
}

/// A stored record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// `$id`.
    pub id: u64,
    /// `$revision`.
    pub revision: u64,
    /// Login code.
    pub creator: String,
    /// Login code.
    pub modifier: String,
    /// Minutes since 1970 in UTC.
    pub created_at: i64,
    /// Minutes since 1970 in UTC.
    pub updated_at: i64,
    /// The state's name, where process management is on.
    pub status: Option<String>,
    /// Login codes.
    pub assignees: Vec<String>,
    /// Category names.
    pub categories: Vec<String>,
    /// One for each user-made field, in the order of `AppDefinition::properties` with the system fields
    /// (record number, creator, times, status ...), related records and groups left out.
    /// A CALC field's value is given too, as Kintone would have computed it.
    pub cells: Vec<Cell>,
}

/// A comment on a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// From 1 in each record.
    pub id: u64,
    /// As its writer typed it.
    pub text: String,
    /// Login code.
    pub creator: String,
    /// Minutes since 1970 in UTC.
    pub created_at: i64,
    /// (code, `USER` | `GROUP` | `ORGANIZATION`).
    pub mentions: Vec<(String, &'static str)>,
}

/// Someone of the directory: a user, an organization or a group.
#[derive(Clone, PartialEq, Eq)]
pub struct Entity {
    /// Among those of its kind; 0 for the next one in the order of the directory.
    pub id: u64,
    /// `USER`, `ORGANIZATION` or `GROUP`.
    pub kind: &'static str,
    /// The login code, or the code.
    pub code: String,
    /// The display name.
    pub name: String,
    /// A retired user is not valid: it stays in old records and cannot log in.
    pub valid: bool,
    /// A user's zone, such as `Asia/Tokyo`.
    pub timezone: String,
    /// A user's password.
    pub password: Option<String>,
    /// A user's organizations: code, and the title held there, empty for none.
    pub organizations: Vec<(String, String)>,
    /// Code of one of them.
    pub primary_organization: Option<String>,
    /// Codes of a user's groups. Everybody is in the group `everyone` besides.
    pub groups: Vec<String>,
    /// Code of the organization above this one.
    pub parent: Option<String>,
    /// What the User API tells beside that, such as `surName` or `email`, by its names there.
    pub profile: Map<String, Value>,
}

impl Entity {
    /// A valid one without memberships, password or profile, in Tokyo.
    #[must_use]
    pub fn new(kind: &'static str, code: &str, name: &str) -> Self {
        Self {
            id: 0,
            kind,
            code: code.to_owned(),
            name: name.to_owned(),
            valid: true,
            timezone: "Asia/Tokyo".to_owned(),
            password: None,
            organizations: vec![],
            primary_organization: None,
            groups: vec![],
            parent: None,
            profile: Map::new(),
        }
    }
}

impl fmt::Debug for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entity").field("kind", &self.kind).field("code", &self.code).finish_non_exhaustive()
    }
}

/// Everything that the emulator serves. The apps' records are made when somebody first asks for them.
pub trait World: Send + Sync {
    /// Users, organizations and groups.
    fn directory(&self) -> Vec<Entity>;
    /// Every app, cheap to list: no records yet.
    fn apps(&self) -> Vec<AppDefinition>;
    /// An app's records, ids ascending. Called once an app, at first touch.
    fn records(&self, app: u64) -> Vec<Record>;
    /// An app's comments by record id, in the order they were written. Called once an app.
    fn comments(&self, app: u64) -> Vec<(u64, Vec<Comment>)>;
}
