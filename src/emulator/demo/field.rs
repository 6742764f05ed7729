//! The fields of a form, with every property that Kintone gives for their type (K§4.3).
//!
//! Booleans are booleans and numbers are texts there; `""` is an unset number.

use serde_json::{Map, Value, json};

/// A field of a form, or a decoration, which has a place in the layout only.
pub(super) struct Field {
    /// Empty in a decoration.
    pub(super) code: &'static str,
    /// Its entry in `fields.json`.
    pub(super) definition: Map<String, Value>,
    /// Its entry in `layout.json`.
    pub(super) place: Value,
}

impl Field {
    /// A field of a type, with the properties that this type has beyond its name.
    pub(super) fn new(kind: &'static str, code: &'static str, extras: Value) -> Self {
        let mut definition = Map::new();
        definition.insert("type".into(), kind.into());
        definition.insert("code".into(), code.into());
        definition.insert("label".into(), code.into());
        definition.insert("noLabel".into(), false.into());
        if let Value::Object(extras) = extras {
            definition.extend(extras);
        }
        let mut place = json!({"type": kind, "code": code});
        match kind {
            "REFERENCE_TABLE" => {}
            "MULTI_LINE_TEXT" | "RICH_TEXT" => place["size"] = json!({"width": "315", "innerHeight": "125"}),
            _ => place["size"] = json!({"width": "193"}),
        }
        Self { code, definition, place }
    }

    fn decoration(place: Value) -> Self {
        Self { code: "", definition: Map::new(), place }
    }

    fn with(mut self, property: &str, value: impl Into<Value>) -> Self {
        self.definition.insert(property.into(), value.into());
        self
    }

    /// Its name on the form, where that is not its code.
    pub(super) fn label(self, label: &str) -> Self {
        self.with("label", label)
    }

    /// It may not be empty.
    pub(super) fn required(self) -> Self {
        self.with("required", true)
    }

    /// No two records have the same value.
    pub(super) fn unique(self) -> Self {
        self.with("unique", true)
    }

    /// The longest text, in UTF-16 units.
    pub(super) fn longest(self, units: &str) -> Self {
        self.with("maxLength", units)
    }

    /// The smallest and the largest number; `""` for none.
    pub(super) fn limits(self, low: &str, high: &str) -> Self {
        self.with("minValue", low).with("maxValue", high)
    }

    /// What the number counts, written after it.
    pub(super) fn unit(self, unit: &str) -> Self {
        self.with("unit", unit)
    }

    /// Money: thousands separators, the sign before the number.
    pub(super) fn yen(self) -> Self {
        let separated = self.definition.contains_key("digit");
        let field = self.with("unit", "¥").with("unitPosition", "BEFORE");
        if separated { field.with("digit", true) } else { field }
    }

    /// How many decimals the form shows.
    pub(super) fn decimals(self, places: &str) -> Self {
        self.with("displayScale", places)
    }

    /// What a new record starts with.
    pub(super) fn starts_as(self, value: impl Into<Value>) -> Self {
        self.with("defaultValue", value)
    }

    /// A new record starts with the time of writing.
    pub(super) fn starts_now(self) -> Self {
        self.with("defaultNowValue", true)
    }

    /// Its value is copied from another app's record that has the same key.
    pub(super) fn lookup(self, lookup: &Lookup) -> Self {
        let copies: Vec<_> = lookup
            .copies
            .iter()
            .map(|(field, related)| json!({"field": field, "relatedField": related}))
            .collect();
        let mut field = self.with(
            "lookup",
            json!({
                "relatedApp": {"app": lookup.app.to_string(), "code": lookup.app_code},
                "relatedKeyField": lookup.key,
                "fieldMappings": copies,
                "lookupPickerFields": lookup.shows,
                "filterCond": "",
                "sort": lookup.sort,
            }),
        );
        // A lookup's definition has `required` and `lookup` alone.
        field.definition.retain(|name, _| {
            matches!(name.as_str(), "type" | "code" | "label" | "noLabel" | "required" | "lookup")
        });
        field
    }
}

/// Where a lookup gets its values.
pub(super) struct Lookup {
    /// The source app.
    pub(super) app: u64,
    /// The source app's code, or empty.
    pub(super) app_code: &'static str,
    /// A unique field of the source.
    pub(super) key: &'static str,
    /// (field here, field of the source).
    pub(super) copies: &'static [(&'static str, &'static str)],
    /// The source's fields shown when choosing.
    pub(super) shows: &'static [&'static str],
    /// The order when choosing.
    pub(super) sort: &'static str,
}

/// Which records of another app a related-records field lists.
pub(super) struct Related {
    /// The other app.
    pub(super) app: u64,
    /// The other app's code, or empty.
    pub(super) app_code: &'static str,
    /// The field here.
    pub(super) field: &'static str,
    /// The other app's field with the same value.
    pub(super) related_field: &'static str,
    /// Which of them, in the query language.
    pub(super) filter: &'static str,
    /// The other app's fields that are shown.
    pub(super) shows: &'static [&'static str],
    /// In which order, in the query language.
    pub(super) sort: &'static str,
}

/// One line.
pub(super) fn text(code: &'static str) -> Field {
    let extras = json!({
        "required": false, "unique": false, "minLength": "", "maxLength": "", "defaultValue": "",
        "expression": "", "hideExpression": false,
    });
    Field::new("SINGLE_LINE_TEXT", code, extras)
}

/// Several lines.
pub(super) fn multi_line(code: &'static str) -> Field {
    Field::new("MULTI_LINE_TEXT", code, json!({"required": false, "defaultValue": ""}))
}

/// HTML.
pub(super) fn rich_text(code: &'static str) -> Field {
    Field::new("RICH_TEXT", code, json!({"required": false, "defaultValue": ""}))
}

/// A number.
pub(super) fn number(code: &'static str) -> Field {
    let extras = json!({
        "required": false, "unique": false, "minValue": "", "maxValue": "", "defaultValue": "",
        "digit": false, "displayScale": "", "unit": "", "unitPosition": "AFTER",
    });
    Field::new("NUMBER", code, extras)
}

/// A computed value in one of Kintone's seven formats.
pub(super) fn calc(code: &'static str, format: &'static str, expression: &'static str) -> Field {
    let extras = json!({
        "required": false, "expression": expression, "hideExpression": false, "format": format,
        "displayScale": "", "unit": "", "unitPosition": "AFTER",
    });
    Field::new("CALC", code, extras)
}

/// A link: `WEB`, `CALL` or `MAIL`.
pub(super) fn link(code: &'static str, protocol: &'static str) -> Field {
    let extras = json!({
        "required": false, "unique": false, "minLength": "", "maxLength": "", "defaultValue": "",
        "protocol": protocol,
    });
    Field::new("LINK", code, extras)
}

/// Any of the options, ticked.
pub(super) fn check_box(code: &'static str, choices: &[&str]) -> Field {
    let extras = json!({
        "required": false, "options": options(choices), "defaultValue": [], "align": "HORIZONTAL",
    });
    Field::new("CHECK_BOX", code, extras)
}

/// One of the options, as buttons; the first one is chosen until another is.
pub(super) fn radio(code: &'static str, choices: &[&str]) -> Field {
    let first = choices.first().copied().unwrap_or_default();
    let extras = json!({
        "required": false, "options": options(choices), "defaultValue": first, "align": "HORIZONTAL",
    });
    Field::new("RADIO_BUTTON", code, extras)
}

/// One of the options.
pub(super) fn drop_down(code: &'static str, choices: &[&str]) -> Field {
    let extras = json!({"required": false, "options": options(choices), "defaultValue": ""});
    Field::new("DROP_DOWN", code, extras)
}

/// Any of the options, in a list.
pub(super) fn multi_select(code: &'static str, choices: &[&str]) -> Field {
    let extras = json!({"required": false, "options": options(choices), "defaultValue": []});
    Field::new("MULTI_SELECT", code, extras)
}

/// A day.
pub(super) fn date(code: &'static str) -> Field {
    let extras = json!({
        "required": false, "unique": false, "defaultValue": "", "defaultNowValue": false,
    });
    Field::new("DATE", code, extras)
}

/// A time of day.
pub(super) fn time(code: &'static str) -> Field {
    let extras = json!({"required": false, "defaultValue": "", "defaultNowValue": false});
    Field::new("TIME", code, extras)
}

/// An instant.
pub(super) fn datetime(code: &'static str) -> Field {
    let extras = json!({
        "required": false, "unique": false, "defaultValue": "", "defaultNowValue": false,
    });
    Field::new("DATETIME", code, extras)
}

/// Users.
pub(super) fn users(code: &'static str) -> Field {
    Field::new("USER_SELECT", code, json!({"required": false, "entities": [], "defaultValue": []}))
}

/// Organizations, below `root` only where it is not empty.
pub(super) fn organizations(code: &'static str, root: &str) -> Field {
    let entities = if root.is_empty() { json!([]) } else { json!([{"type": "ORGANIZATION", "code": root}]) };
    let extras = json!({"required": false, "entities": entities, "defaultValue": []});
    Field::new("ORGANIZATION_SELECT", code, extras)
}

/// Groups.
pub(super) fn groups(code: &'static str) -> Field {
    Field::new("GROUP_SELECT", code, json!({"required": false, "entities": [], "defaultValue": []}))
}

/// Attachments.
pub(super) fn files(code: &'static str) -> Field {
    Field::new("FILE", code, json!({"required": false, "thumbnailSize": "150"}))
}

/// Records of another app that belong to this one.
pub(super) fn related(code: &'static str, to: &Related) -> Field {
    let table = json!({
        "relatedApp": {"app": to.app.to_string(), "code": to.app_code},
        "condition": {"field": to.field, "relatedField": to.related_field},
        "filterCond": to.filter,
        "displayFields": to.shows,
        "sort": to.sort,
        "size": "10",
    });
    Field::new("REFERENCE_TABLE", code, json!({"referenceTable": table}))
}

/// A text on the form.
pub(super) fn label(html: &str) -> Field {
    Field::decoration(json!({"type": "LABEL", "label": html, "size": {"width": "300"}}))
}

/// An empty place on the form, for scripts to fill.
pub(super) fn spacer(element: &str) -> Field {
    let size = json!({"width": "120", "height": "60"});
    Field::decoration(json!({"type": "SPACER", "elementId": element, "size": size}))
}

/// A line across the form.
pub(super) fn rule() -> Field {
    Field::decoration(json!({"type": "HR", "size": {"width": "600"}}))
}

fn options(choices: &[&str]) -> Value {
    let mut map = Map::new();
    for (index, choice) in choices.iter().enumerate() {
        map.insert((*choice).to_owned(), json!({"label": choice, "index": index.to_string()}));
    }
    Value::Object(map)
}
