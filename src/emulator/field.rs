//! An app's fields: their types, where a record keeps their values, and what their definitions allow.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::app::AppDefinition;
use super::calc::Formulas;
use super::value::Rounding;

/// The types of fields (K§3.2), with `$id` and `$revision`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Id,
    Revision,
    RecordNumber,
    Creator,
    Modifier,
    CreatedTime,
    UpdatedTime,
    Status,
    Assignee,
    Category,
    SingleLineText,
    MultiLineText,
    RichText,
    Link,
    Number,
    Calc,
    CheckBox,
    MultiSelect,
    RadioButton,
    DropDown,
    Date,
    Time,
    DateTime,
    UserSelect,
    OrganizationSelect,
    GroupSelect,
    File,
    Subtable,
    ReferenceTable,
    Group,
}

/// Kintone's names of the types.
const NAMES: &[(&str, Kind)] = &[
    ("__ID__", Kind::Id),
    ("__REVISION__", Kind::Revision),
    ("RECORD_NUMBER", Kind::RecordNumber),
    ("CREATOR", Kind::Creator),
    ("MODIFIER", Kind::Modifier),
    ("CREATED_TIME", Kind::CreatedTime),
    ("UPDATED_TIME", Kind::UpdatedTime),
    ("STATUS", Kind::Status),
    ("STATUS_ASSIGNEE", Kind::Assignee),
    ("CATEGORY", Kind::Category),
    ("SINGLE_LINE_TEXT", Kind::SingleLineText),
    ("MULTI_LINE_TEXT", Kind::MultiLineText),
    ("RICH_TEXT", Kind::RichText),
    ("LINK", Kind::Link),
    ("NUMBER", Kind::Number),
    ("CALC", Kind::Calc),
    ("CHECK_BOX", Kind::CheckBox),
    ("MULTI_SELECT", Kind::MultiSelect),
    ("RADIO_BUTTON", Kind::RadioButton),
    ("DROP_DOWN", Kind::DropDown),
    ("DATE", Kind::Date),
    ("TIME", Kind::Time),
    ("DATETIME", Kind::DateTime),
    ("USER_SELECT", Kind::UserSelect),
    ("ORGANIZATION_SELECT", Kind::OrganizationSelect),
    ("GROUP_SELECT", Kind::GroupSelect),
    ("FILE", Kind::File),
    ("SUBTABLE", Kind::Subtable),
    ("REFERENCE_TABLE", Kind::ReferenceTable),
    ("GROUP", Kind::Group),
];

impl Kind {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    pub(super) fn name(self) -> &'static str {
        NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// Whether a record of the contract has a cell for it: user-made, and not a mere frame.
    pub(super) fn has_cell(self) -> bool {
        self.system_place().is_none() && !matches!(self, Kind::ReferenceTable | Kind::Group)
    }

    /// Where a system field's value is.
    pub(super) fn system_place(self) -> Option<Place> {
        Some(match self {
            Kind::Id | Kind::RecordNumber => Place::Id,
            Kind::Revision => Place::Revision,
            Kind::Creator => Place::Creator,
            Kind::Modifier => Place::Modifier,
            Kind::CreatedTime => Place::Created,
            Kind::UpdatedTime => Place::Updated,
            Kind::Status => Place::Status,
            Kind::Assignee => Place::Assignees,
            Kind::Category => Place::Categories,
            _ => return None,
        })
    }

    /// Whether its values are options of its definition.
    pub(super) fn is_choice(self) -> bool {
        matches!(self, Kind::CheckBox | Kind::MultiSelect | Kind::RadioButton | Kind::DropDown)
    }

    /// Whether process management gives it.
    pub(super) fn is_process(self) -> bool {
        matches!(self, Kind::Status | Kind::Assignee)
    }
}

/// How a field's values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Domain {
    Text,
    Number,
    Date,
    Time,
    DateTime,
    Duration,
    /// `$id`, `$revision`, record numbers.
    Serial,
    Texts,
    Codes,
    Files,
    Other,
}

/// Where a record keeps a field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    Id,
    Revision,
    Creator,
    Modifier,
    Created,
    Updated,
    Status,
    Assignees,
    Categories,
    Cell(usize),
    /// In the rows of the table in that cell.
    Column(usize, usize),
    Nowhere,
}

/// A field.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) code: Arc<str>,
    pub(super) kind: Kind,
    pub(super) domain: Domain,
    pub(super) place: Place,
    /// Options of a choice, states of the process: name to position.
    pub(super) options: HashMap<Arc<str>, usize>,
    /// Of a table.
    pub(super) columns: Vec<Field>,
    /// As `form/fields.json` gives it.
    pub(super) definition: Map<String, Json>,
}

impl Field {
    fn new(code: &str, kind: Kind, place: Place, definition: Map<String, Json>) -> Self {
        let options = definition.get("options").and_then(Json::as_object).map(positions).unwrap_or_default();
        let domain = domain(kind, definition.get("format").and_then(Json::as_str));
        Self { code: code.into(), kind, domain, place, options, columns: vec![], definition }
    }

    /// A text of the definition; empty where unset.
    pub(super) fn text(&self, key: &str) -> &str {
        self.definition.get(key).and_then(Json::as_str).unwrap_or_default()
    }

    /// A switch of the definition.
    pub(super) fn flag(&self, key: &str) -> bool {
        self.definition.get(key).and_then(Json::as_bool).unwrap_or_default()
    }
}

fn positions(options: &Map<String, Json>) -> HashMap<Arc<str>, usize> {
    let place = |option: &Json| match option.get("index") {
        Some(Json::String(text)) => text.parse().unwrap_or_default(),
        Some(Json::Number(number)) => {
            number.as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or_default()
        }
        _ => 0,
    };
    options.iter().map(|(name, option)| (name.as_str().into(), place(option))).collect()
}

fn domain(kind: Kind, format: Option<&str>) -> Domain {
    match kind {
        Kind::Id | Kind::Revision | Kind::RecordNumber => Domain::Serial,
        Kind::Number => Domain::Number,
        Kind::Calc => match format {
            Some("DATE") => Domain::Date,
            Some("TIME") => Domain::Time,
            Some("DATETIME") => Domain::DateTime,
            Some("HOUR_MINUTE" | "DAY_HOUR_MINUTE") => Domain::Duration,
            _ => Domain::Number,
        },
        Kind::Date => Domain::Date,
        Kind::Time => Domain::Time,
        Kind::DateTime | Kind::CreatedTime | Kind::UpdatedTime => Domain::DateTime,
        Kind::CheckBox | Kind::MultiSelect | Kind::Category => Domain::Texts,
        Kind::UserSelect | Kind::OrganizationSelect | Kind::GroupSelect | Kind::Assignee => Domain::Codes,
        Kind::File => Domain::Files,
        Kind::Subtable | Kind::ReferenceTable | Kind::Group => Domain::Other,
        _ => Domain::Text,
    }
}

/// An app's fields in the order of `form/fields.json`, and what else decides how values are read.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) fields: Vec<Field>,
    by_code: HashMap<Arc<str>, (usize, Option<usize>)>,
    id: Field,
    revision: Field,
    /// Whether process management is on.
    pub(super) process: bool,
    /// Prefix of record numbers, with its hyphen; empty without an app code.
    pub(super) number_prefix: String,
    /// Digits of a number in all.
    pub(super) digits: usize,
    /// Decimal places of a number.
    pub(super) places: usize,
    pub(super) rounding: Rounding,
    /// Of CALC fields and automatic texts.
    pub(super) formulas: Formulas,
}

impl Schema {
    pub(super) fn new(app: &AppDefinition) -> Self {
        let process = app.status.get("enable").and_then(Json::as_bool).unwrap_or_default();
        let mut fields = vec![];
        let mut by_code = HashMap::new();
        let mut cells = 0;
        for (code, definition) in &app.properties {
            let Some(definition) = definition.as_object() else { continue };
            let name = definition.get("type").and_then(Json::as_str).unwrap_or_default();
            let Some(kind) = Kind::from_name(name) else { continue };
            let place = kind.system_place().unwrap_or_else(|| {
                if !kind.has_cell() {
                    return Place::Nowhere;
                }
                cells += 1;
                Place::Cell(cells - 1)
            });
            let mut field = Field::new(code, kind, place, definition.clone());
            if kind == Kind::Status {
                field.options =
                    app.status.get("states").and_then(Json::as_object).map(positions).unwrap_or_default();
            }
            if let Place::Cell(cell) = place {
                field.columns = columns(&field.definition, cell);
            }
            for (index, column) in field.columns.iter().enumerate() {
                by_code.insert(Arc::clone(&column.code), (fields.len(), Some(index)));
            }
            by_code.insert(Arc::clone(&field.code), (fields.len(), None));
            fields.push(field);
        }
        let precision = app.settings.get("numberPrecision");
        let size = |key: &str, default: usize| {
            precision
                .and_then(|p| p.get(key))
                .and_then(Json::as_str)
                .and_then(|t| t.parse().ok())
                .unwrap_or(default)
        };
        Self {
            formulas: Formulas::new(&fields),
            fields,
            by_code,
            id: Field::new("$id", Kind::Id, Place::Id, Map::new()),
            revision: Field::new("$revision", Kind::Revision, Place::Revision, Map::new()),
            process,
            number_prefix: if app.code.is_empty() { String::new() } else { format!("{}-", app.code) },
            digits: size("digits", 16),
            places: size("decimalPlaces", 4),
            rounding: match precision.and_then(|p| p.get("roundingMode")).and_then(Json::as_str) {
                Some("UP") => Rounding::Up,
                Some("DOWN") => Rounding::Down,
                _ => Rounding::HalfEven,
            },
        }
    }

    /// The field, or table column, of a code; `$id` and `$revision` too.
    pub(super) fn find(&self, code: &str) -> Option<&Field> {
        match code {
            "$id" => return Some(&self.id),
            "$revision" => return Some(&self.revision),
            _ => {}
        }
        let (field, column) = self.by_code.get(code)?;
        let field = self.fields.get(*field)?;
        match column {
            Some(column) => field.columns.get(*column),
            None => Some(field),
        }
    }

    /// `$id` and `$revision`, which no form lists.
    pub(super) fn hidden(&self) -> [&Field; 2] {
        [&self.id, &self.revision]
    }
}

fn columns(definition: &Map<String, Json>, cell: usize) -> Vec<Field> {
    let Some(inner) = definition.get("fields").and_then(Json::as_object) else { return vec![] };
    inner
        .iter()
        .filter_map(|(code, column)| {
            let column = column.as_object()?;
            let kind = Kind::from_name(column.get("type")?.as_str()?)?;
            Some((code, kind, column.clone()))
        })
        .enumerate()
        .map(|(index, (code, kind, column))| Field::new(code, kind, Place::Column(cell, index), column))
        .collect()
}
