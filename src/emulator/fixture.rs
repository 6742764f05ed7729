//! A world written down as JSON, each part in the shape in which Kintone's API gives it.
//!
//! ```json
//! {"users": [{"code": "sato", "name": "佐藤", "password": "secret", "timezone": "Asia/Tokyo"}],
//!  "organizations": [{"code": "sales", "name": "営業部"}], "groups": [{"code": "managers"}],
//!  "apps": [{"app": {"code": "DEALS", "name": "案件"}, "apiTokens": ["token"],
//!            "form": {"properties": {"金額": {"type": "NUMBER"}}},
//!            "records": [{"金額": {"value": "100"}}],
//!            "comments": {"1": [{"text": "よろしく"}]}}]}
//! ```
//!
//! Missing parts take defaults: ids from 1, system fields with Japanese codes, a layout of one field a row. A record
//! without a value for a field that has an `expression` gets it computed; a file may carry its content as `text` or
//! `base64`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

use super::app::{AppDefinition, Cell, Comment, Content, Entity, File, Record, Row, World};
use super::field::{Kind, Place};
use super::file::new_key;
use super::fixture_people;
use super::value;

/// 2026-01-01T00:00:00Z, where no time is given.
const DEFAULT_TIME: &str = "2026-01-01T00:00:00Z";
/// Who made what names nobody, where there is no user.
const DEFAULT_USER: &str = "Administrator";

/// System fields that a form gets where it lacks their type.
const SYSTEM_FIELDS: &[(&str, &str)] = &[
    ("レコード番号", "RECORD_NUMBER"),
    ("作成者", "CREATOR"),
    ("作成日時", "CREATED_TIME"),
    ("更新者", "MODIFIER"),
    ("更新日時", "UPDATED_TIME"),
    ("ステータス", "STATUS"),
    ("作業者", "STATUS_ASSIGNEE"),
    ("カテゴリー", "CATEGORY"),
];

/// A world read from JSON.
#[derive(Debug, Clone)]
pub struct Fixture {
    directory: Vec<Entity>,
    apps: Vec<FixtureApp>,
}

#[derive(Debug, Clone)]
struct FixtureApp {
    definition: AppDefinition,
    records: Vec<Record>,
    comments: BTreeMap<u64, Vec<Comment>>,
}

impl World for Fixture {
    fn directory(&self) -> Vec<Entity> {
        self.directory.clone()
    }

    fn apps(&self) -> Vec<AppDefinition> {
        self.apps.iter().map(|app| app.definition.clone()).collect()
    }

    fn records(&self, app: u64) -> Vec<Record> {
        self.find(app).map(|app| app.records.clone()).unwrap_or_default()
    }

    fn comments(&self, app: u64) -> Vec<(u64, Vec<Comment>)> {
        self.find(app).map(|app| app.comments.clone().into_iter().collect()).unwrap_or_default()
    }
}

impl Fixture {
    /// Reads a world.
    ///
    /// # Errors
    ///
    /// What is wrong, and where: `apps[0].records[2].金額: ...`.
    pub fn from_json(json: &Json) -> Result<Self, String> {
        let root = json.as_object().ok_or("the fixture: expected an object")?;
        let directory = fixture_people::directory(root)?;
        let user = directory.iter().find(|e| e.kind == "USER").map_or(DEFAULT_USER, |e| &e.code).to_owned();
        let mut apps: Vec<FixtureApp> = vec![];
        for (index, entry) in list(root.get("apps"), "apps")?.iter().enumerate() {
            let next_id = apps.iter().map(|app| app.definition.id).max().unwrap_or(0) + 1;
            let app = app(entry, next_id, &user).map_err(|e| format!("apps[{index}].{e}"))?;
            if apps.iter().any(|known| known.definition.id == app.definition.id) {
                return Err(format!("apps[{index}].app: the id {} is taken", app.definition.id));
            }
            apps.push(app);
        }
        Ok(Self { directory, apps })
    }

    fn find(&self, app: u64) -> Option<&FixtureApp> {
        self.apps.iter().find(|known| known.definition.id == app)
    }
}

pub(super) fn list<'a>(value: Option<&'a Json>, at: &str) -> Result<&'a [Json], String> {
    match value {
        None | Some(Json::Null) => Ok(&[]),
        Some(Json::Array(items)) => Ok(items),
        Some(_) => Err(format!("{at}: expected an array")),
    }
}

fn object(value: Option<&Json>, at: &str) -> Result<Map<String, Json>, String> {
    match value {
        None | Some(Json::Null) => Ok(Map::new()),
        Some(Json::Object(map)) => Ok(map.clone()),
        Some(_) => Err(format!("{at}: expected an object")),
    }
}

/// A text; empty where there is none.
fn text(map: &Json, key: &str) -> String {
    map.get(key).and_then(Json::as_str).unwrap_or_default().to_owned()
}

/// A number, also as text.
pub(super) fn number(value: Option<&Json>) -> Option<u64> {
    match value? {
        Json::Number(number) => number.as_u64(),
        Json::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn minutes(value: Option<&Json>) -> Result<i64, String> {
    let text = value.and_then(Json::as_str).unwrap_or(DEFAULT_TIME);
    value::parse_datetime(text).ok_or_else(|| format!("{text} is not a time like {DEFAULT_TIME}"))
}

/// A code, as text or as `{"code": ...}`.
pub(super) fn code(value: &Json) -> Option<String> {
    value.as_str().or_else(|| value.get("code")?.as_str()).map(str::to_owned)
}

fn app(entry: &Json, next_id: u64, user: &str) -> Result<FixtureApp, String> {
    let empty = Json::Null;
    let head = entry.get("app").unwrap_or(&empty);
    let status = object(entry.get("status"), "status")?;
    let mut properties = object(entry.get("form").and_then(|f| f.get("properties")), "form.properties")?;
    for (code, property) in &mut properties {
        complete(code, property).map_err(|e| format!("form.properties.{code}: {e}"))?;
    }
    add_system_fields(&mut properties, &status);
    let layout = list(entry.get("layout").and_then(|l| l.get("layout")), "layout.layout")?.to_vec();
    let layout = if layout.is_empty() { rows_of(&properties) } else { layout };
    let id = number(head.get("appId")).unwrap_or(next_id);
    let person = |key: &str| head.get(key).and_then(code).unwrap_or_else(|| user.to_owned());
    let definition = AppDefinition {
        id,
        code: text(head, "code"),
        name: head.get("name").and_then(Json::as_str).map_or_else(|| format!("App {id}"), str::to_owned),
        description: text(head, "description"),
        guest_space: number(entry.get("guestSpaceId")),
        creator: person("creator"),
        modifier: person("modifier"),
        created_at: minutes(head.get("createdAt")).map_err(|e| format!("app.createdAt: {e}"))?,
        modified_at: minutes(head.get("modifiedAt")).map_err(|e| format!("app.modifiedAt: {e}"))?,
        properties,
        layout,
        views: object(entry.get("views").and_then(|v| v.get("views")), "views.views")?,
        settings: object(entry.get("settings"), "settings")?,
        status,
        api_tokens: list(entry.get("apiTokens"), "apiTokens")?.iter().filter_map(code).collect(),
    };
    let records = records(entry, &definition, user)?;
    let comments = comments(entry, user)?;
    Ok(FixtureApp { definition, records, comments })
}

/// Fills in what a field's definition leaves out.
fn complete(code: &str, property: &mut Json) -> Result<(), String> {
    let map = property.as_object_mut().ok_or("expected an object")?;
    let name = map.get("type").and_then(Json::as_str).ok_or("expected a type")?;
    let kind = Kind::from_name(name).ok_or_else(|| format!("there is no field type {name}"))?;
    map.entry("code").or_insert_with(|| json!(code));
    map.entry("label").or_insert_with(|| json!(code));
    map.entry("noLabel").or_insert(Json::Bool(false));
    if kind.has_cell() && !matches!(kind, Kind::Subtable) {
        map.entry("required").or_insert(Json::Bool(false));
    }
    // Options may be a plain list of names.
    if let Some(Json::Array(names)) = map.get("options") {
        let names = names.iter().filter_map(Json::as_str).enumerate();
        let options: Map<String, Json> = names
            .map(|(index, name)| (name.to_owned(), json!({"label": name, "index": index.to_string()})))
            .collect();
        map.insert("options".to_owned(), Json::Object(options));
    }
    if let Some(Json::Object(columns)) = map.get_mut("fields") {
        for (code, column) in columns {
            complete(code, column).map_err(|e| format!("fields.{code}: {e}"))?;
        }
    }
    Ok(())
}

fn add_system_fields(properties: &mut Map<String, Json>, status: &Map<String, Json>) {
    let enabled = status.get("enable").and_then(Json::as_bool).unwrap_or(false);
    for (code, kind) in SYSTEM_FIELDS {
        if properties.values().any(|p| p.get("type").and_then(Json::as_str) == Some(kind)) {
            continue;
        }
        let mut property = json!({"type": kind, "code": code, "label": code});
        match *kind {
            "STATUS" | "STATUS_ASSIGNEE" => property["enabled"] = json!(enabled),
            "CATEGORY" => property["enabled"] = json!(false),
            _ => property["noLabel"] = json!(false),
        }
        properties.insert((*code).to_owned(), property);
    }
}

/// A layout of one field a row.
fn rows_of(properties: &Map<String, Json>) -> Vec<Json> {
    let kind = |property: &Json| property.get("type").cloned().unwrap_or(Json::Null);
    let named = |(code, property): (&String, &Json)| json!({"type": kind(property), "code": code});
    let shown =
        |property: &Json| !matches!(kind(property).as_str(), Some("STATUS" | "STATUS_ASSIGNEE" | "CATEGORY"));
    properties
        .iter()
        .filter(|(_, property)| shown(property))
        .map(|(code, property)| match kind(property).as_str() {
            Some("SUBTABLE") => {
                let columns = property.get("fields").and_then(Json::as_object);
                let fields: Vec<Json> = columns.into_iter().flatten().map(named).collect();
                json!({"type": "SUBTABLE", "code": code, "fields": fields})
            }
            Some("GROUP") => json!({"type": "GROUP", "code": code, "layout": []}),
            _ => json!({"type": "ROW", "fields": [named((code, property))]}),
        })
        .collect()
}

fn records(entry: &Json, app: &AppDefinition, user: &str) -> Result<Vec<Record>, String> {
    let mut out: Vec<Record> = vec![];
    let mut next_row = 1;
    for (index, record) in list(entry.get("records"), "records")?.iter().enumerate() {
        let next_id = out.last().map_or(1, |record: &Record| record.id + 1);
        let made = self::record(record, app, next_id, user, &mut next_row);
        out.push(made.map_err(|e| format!("records[{index}].{e}"))?);
    }
    out.sort_by_key(|record| record.id);
    if let Some(id) = out.windows(2).find_map(|pair| match pair {
        [a, b] if a.id == b.id => Some(a.id),
        _ => None,
    }) {
        return Err(format!("records: the id {id} is there twice"));
    }
    Ok(out)
}

fn record(
    record: &Json,
    app: &AppDefinition,
    next_id: u64,
    user: &str,
    next_row: &mut u64,
) -> Result<Record, String> {
    let map = record.as_object().ok_or("expected an object")?;
    let sent = |code: &str| map.get(code).map(|field| field.get("value").unwrap_or(field));
    if let Some(unknown) =
        map.keys().find(|code| !code.starts_with('$') && !app.properties.contains_key(*code))
    {
        return Err(format!("{unknown}: the form has no such field"));
    }
    let first_state =
        app.status.get("states").and_then(Json::as_object).and_then(|states| states.keys().next());
    let enabled = app.status.get("enable").and_then(Json::as_bool).unwrap_or(false);
    let mut out = Record {
        id: number(sent("$id")).unwrap_or(next_id),
        revision: number(sent("$revision")).unwrap_or(1),
        creator: user.to_owned(),
        modifier: user.to_owned(),
        created_at: minutes(None)?,
        updated_at: minutes(None)?,
        status: first_state.filter(|_| enabled).cloned(),
        assignees: vec![],
        categories: vec![],
        cells: vec![],
    };
    for (code, property) in &app.properties {
        let Some(kind) = kind(property) else { continue };
        let place = |e| format!("{code}: {e}");
        if kind.has_cell() {
            out.cells.push(cell(kind, property, sent(code), next_row).map_err(place)?);
        } else if let (Some(at), Some(value)) = (kind.system_place(), sent(code)) {
            set_system(&mut out, at, value).map_err(place)?;
        }
    }
    Ok(out)
}

fn kind(property: &Json) -> Option<Kind> {
    Kind::from_name(property.get("type")?.as_str()?)
}

fn set_system(record: &mut Record, place: Place, value: &Json) -> Result<(), String> {
    let codes = |value: &Json| value.as_array().into_iter().flatten().filter_map(code).collect();
    match place {
        // A number may carry the app's code.
        Place::Id => {
            let digits = value.as_str().and_then(|text| text.rsplit('-').next()).map(|t| json!(t));
            record.id = number(digits.as_ref().or(Some(value))).ok_or("expected a record number")?;
        }
        Place::Creator => record.creator = code(value).ok_or("expected a user")?,
        Place::Modifier => record.modifier = code(value).ok_or("expected a user")?,
        Place::Created => record.created_at = minutes(Some(value))?,
        Place::Updated => record.updated_at = minutes(Some(value))?,
        Place::Status => record.status = Some(value.as_str().ok_or("expected a state")?.to_owned()),
        Place::Assignees => record.assignees = codes(value),
        Place::Categories => record.categories = codes(value),
        _ => {}
    }
    Ok(())
}

fn cell(kind: Kind, property: &Json, value: Option<&Json>, next_row: &mut u64) -> Result<Cell, String> {
    let value = match value {
        None if property.get("expression").and_then(Json::as_str).is_some_and(|text| !text.is_empty()) => {
            return Ok(Cell::Computed);
        }
        None | Some(Json::Null) => return Ok(Cell::Empty),
        Some(value) => value,
    };
    let items = || list(Some(value), "the value");
    match kind {
        Kind::CheckBox | Kind::MultiSelect => Ok(Cell::Texts(items()?.iter().filter_map(code).collect())),
        Kind::UserSelect | Kind::OrganizationSelect | Kind::GroupSelect => {
            Ok(Cell::Codes(items()?.iter().filter_map(code).collect()))
        }
        Kind::File => {
            let files = items()?.iter().enumerate();
            let file = |(index, f)| file(f).map_err(|e| format!("[{index}]: {e}"));
            files.map(file).collect::<Result<_, _>>().map(Cell::Files)
        }
        Kind::Subtable => {
            let rows = items()?.iter().enumerate();
            let row = |(index, r)| row(property, r, next_row).map_err(|e| format!("[{index}].{e}"));
            rows.map(row).collect::<Result<_, _>>().map(Cell::Rows)
        }
        _ => match value {
            Json::String(text) if text.is_empty() => Ok(Cell::Empty),
            Json::String(text) => Ok(Cell::Text(text.clone())),
            Json::Number(number) => Ok(Cell::Text(number.to_string())),
            _ => Err("expected a text".to_owned()),
        },
    }
}

/// A file may carry its content: `"text": "..."`, or `"base64": "..."`.
fn file(value: &Json) -> Result<File, String> {
    let encoded = value.get("base64").and_then(Json::as_str);
    let decoded =
        encoded.map(|text| STANDARD.decode(text).map_err(|e| format!("base64: {e}"))).transpose()?;
    let plain = value.get("text").and_then(Json::as_str).map(|text| text.as_bytes().to_vec());
    let content = decoded.or(plain).map(|bytes| Content(bytes.into()));
    let length = content.as_ref().and_then(|content| u64::try_from(content.0.len()).ok());
    let default_type = if value.get("text").is_some() { "text/plain" } else { "application/octet-stream" };
    let or = |key: &str, default: &str| {
        Some(text(value, key)).filter(|text| !text.is_empty()).unwrap_or_else(|| default.to_owned())
    };
    Ok(File {
        file_key: Some(text(value, "fileKey")).filter(|key| !key.is_empty()).unwrap_or_else(new_key),
        name: text(value, "name"),
        content_type: or("contentType", default_type),
        size: length.or(number(value.get("size"))).unwrap_or(0),
        content,
    })
}

fn row(table: &Json, row: &Json, next_row: &mut u64) -> Result<Row, String> {
    let id = number(row.get("id")).unwrap_or(*next_row);
    *next_row = id.max(*next_row) + 1;
    let columns = table.get("fields").and_then(Json::as_object);
    let values = row.get("value").unwrap_or(row);
    let mut cells = vec![];
    for (code, column) in columns.into_iter().flatten() {
        let Some(kind) = kind(column) else { continue };
        let value = values.get(code).map(|field| field.get("value").unwrap_or(field));
        cells.push(cell(kind, column, value, next_row).map_err(|e| format!("{code}: {e}"))?);
    }
    Ok(Row { id, cells })
}

fn comments(entry: &Json, user: &str) -> Result<BTreeMap<u64, Vec<Comment>>, String> {
    let mut out = BTreeMap::new();
    for (record, sent) in object(entry.get("comments"), "comments")? {
        let id = record.parse().map_err(|_| format!("comments.{record}: expected a record id"))?;
        let mut comments: Vec<Comment> = vec![];
        for (index, comment) in list(Some(&sent), "comments")?.iter().enumerate() {
            let place = format!("comments.{record}[{index}]");
            let next_id = comments.last().map_or(1, |comment: &Comment| comment.id + 1);
            comments.push(Comment {
                id: number(comment.get("id")).unwrap_or(next_id),
                text: text(comment, "text"),
                creator: comment.get("creator").and_then(code).unwrap_or_else(|| user.to_owned()),
                created_at: minutes(comment.get("createdAt")).map_err(|e| format!("{place}: {e}"))?,
                mentions: list(comment.get("mentions"), &place)?.iter().filter_map(mention).collect(),
            });
        }
        out.insert(id, comments);
    }
    Ok(out)
}

fn mention(value: &Json) -> Option<(String, &'static str)> {
    let kind = match value.get("type").and_then(Json::as_str) {
        Some("GROUP") => "GROUP",
        Some("ORGANIZATION") => "ORGANIZATION",
        _ => "USER",
    };
    Some((code(value)?, kind))
}
