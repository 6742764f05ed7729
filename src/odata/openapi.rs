//! `$oas`: the service as a Swagger 2.0 document, in the subset that Power Automate and custom connectors take.
//!
//! Identifiers of operations and definitions are ASCII letters and digits; people read the labels beside them.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::edm::Edm;
use super::metadata::{label, title};
use super::name::{EntitySet, Property};
use super::request::encode;

/// The longest summary that the designer shows.
const SUMMARY: usize = 80;

/// Where the document's operations are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place<'a> {
    /// `http` or `https`
    pub(super) scheme: &'a str,
    /// With the port.
    pub(super) host: &'a str,
    /// Path of the service's root, `/api.rsc`, with the token where the URL had it.
    pub(super) path: &'a str,
    /// The path holds the token: operations need no other credentials.
    pub(super) has_token: bool,
}

/// The document over these sets.
pub(super) fn document(sets: &[&EntitySet], place: &Place<'_>) -> Value {
    let mut ids = Ids::default();
    let (mut paths, mut definitions, mut tags) = (Map::new(), Map::new(), vec![]);
    definitions.insert("ODataError".into(), error_schema());
    for set in sets {
        let id = ids.assign(set);
        paths.insert(format!("/{}", encode(&set.name)), json!({ "get": list(set, &id) }));
        if set.is_keyed {
            let path = format!("/{}({})", encode(&set.name), key_template(set));
            paths.insert(path, json!({ "get": get(set, &id) }));
        }
        paths.insert(format!("/{}/$count", encode(&set.name)), json!({ "get": count(set, &id) }));
        definitions.insert(format!("{id}List"), list_schema(set, &id));
        definitions.insert(id, entity_schema(set));
        tags.push(json!({ "name": set.name, "description": described(set) }));
    }
    let mut document = json!({
        "swagger": "2.0",
        "info": {
            "title": "Kintone apps",
            "description": "Every app, table and view of the connection as an OData entity set.",
            "version": "1.0",
        },
        "host": place.host,
        "basePath": place.path,
        "schemes": [place.scheme],
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "securityDefinitions": {
            "basic": { "type": "basic", "description": "User name, and the token as password." },
            "token": {
                "type": "apiKey", "in": "header", "name": super::auth::TOKEN_HEADER,
                "description": "The user's token.",
            },
        },
        "tags": tags,
        "paths": paths,
        "definitions": definitions,
    });
    if let (false, Some(object)) = (place.has_token, document.as_object_mut()) {
        object.insert("security".into(), json!([{ "basic": [] }, { "token": [] }]));
    }
    document
}

/// Names of operations and definitions.
#[derive(Default)]
struct Ids(HashSet<String>);

impl Ids {
    /// The set's own letters and digits where they are all it has, else the number of its app.
    fn assign(&mut self, set: &EntitySet) -> String {
        let own: String = set.name.chars().filter(char::is_ascii_alphanumeric).collect();
        let base = match set.table.app_id {
            _ if own == set.name => own,
            Some(app) => format!("App{app}{own}"),
            None => format!("Set{own}"),
        };
        let mut id = base.clone();
        let mut number = 1u64;
        while self.is_taken(&id) {
            number += 1;
            id = format!("{base}N{number}");
        }
        self.0.extend([id.to_ascii_lowercase(), format!("{id}List").to_ascii_lowercase()]);
        id
    }

    fn is_taken(&self, id: &str) -> bool {
        let lower = id.to_ascii_lowercase();
        lower == "odataerror" || self.0.contains(&lower) || self.0.contains(&format!("{lower}list"))
    }
}

fn described(set: &EntitySet) -> String {
    let description = set.table.description.trim();
    if description.is_empty() {
        format!("{} ({})", title(set), set.table.name)
    } else {
        description.to_owned()
    }
}

fn list(set: &EntitySet, id: &str) -> Value {
    let option = |name: &str, kind: Value, summary: &str, description: &str, visibility: Option<&str>| {
        let mut parameter = json!({
            "name": name, "in": "query", "required": false,
            "x-ms-summary": summary, "description": description,
        });
        if let (Some(parameter), Value::Object(kind)) = (parameter.as_object_mut(), kind) {
            parameter.extend(kind);
            parameter.extend(visibility.map(|v| ("x-ms-visibility".to_owned(), json!(v))));
        }
        parameter
    };
    let text = || json!({ "type": "string" });
    let number = || json!({ "type": "integer", "format": "int32" });
    json!({
        "operationId": format!("List{id}"),
        "summary": summary("Return ", set, ""),
        "description": format!("Reads the records of {} that match the filter, a page at a time.", set.name),
        "tags": [set.name],
        "x-ms-pageable": { "nextLinkName": "@odata.nextLink" },
        "parameters": [
            filter_parameter(),
            option("$select", text(), "Select", "Names of the properties to return, with commas between.", Some("advanced")),
            option("$orderby", text(), "Order by", "Properties to sort by, such as: Id desc", None),
            option("$top", number(), "Top", "How many records to return.", None),
            option("$skip", number(), "Skip", "How many records to leave out at the beginning.", Some("advanced")),
            option("$count", json!({ "type": "boolean" }), "Count", "Whether to count the matching records too.", Some("advanced")),
        ],
        "responses": responses("The records.", &json!({ "$ref": format!("#/definitions/{id}List") })),
    })
}

fn filter_parameter() -> Value {
    json!({
        "name": "$filter", "in": "query", "required": false, "type": "string",
        "x-ms-summary": "Filter", "description": "A condition in OData syntax, such as: Id gt 100",
    })
}

fn get(set: &EntitySet, id: &str) -> Value {
    let parameters: Vec<Value> = set
        .key_properties()
        .map(|property| {
            let mut parameter = json!({
                "name": property.name, "in": "path", "required": true,
                "x-ms-summary": shortened(&label(property)),
                "description": format!("{} of the record.", property.name),
                "x-ms-url-encoding": "single",
            });
            if let (Some(parameter), Value::Object(kind)) =
                (parameter.as_object_mut(), scalar_schema(&property.edm))
            {
                parameter.extend(kind);
            }
            parameter
        })
        .collect();
    json!({
        "operationId": format!("Get{id}"),
        "summary": summary("Return ", set, " by key"),
        "description": format!("Reads one record of {}.", set.name),
        "tags": [set.name],
        "parameters": parameters,
        "responses": responses("The record.", &json!({ "$ref": format!("#/definitions/{id}") })),
    })
}

fn count(set: &EntitySet, id: &str) -> Value {
    json!({
        "operationId": format!("Count{id}"),
        "summary": summary("Count ", set, ""),
        "description": format!("Counts the records of {} that match the filter.", set.name),
        "tags": [set.name],
        "produces": ["text/plain"],
        "parameters": [filter_parameter()],
        "responses": responses("The number of records.", &json!({ "type": "string", "description": "Digits." })),
    })
}

/// `{Id}` of one property, `A={A},B='{B}'` of several. Texts stand in quotes.
fn key_template(set: &EntitySet) -> String {
    let is_single = set.key.len() == 1;
    let part = |property: &Property| {
        let value = match property.edm {
            Edm::String => format!("'{{{}}}'", property.name),
            _ => format!("{{{}}}", property.name),
        };
        if is_single { value } else { format!("{}={value}", encode(&property.name)) }
    };
    set.key_properties().map(part).collect::<Vec<_>>().join(",")
}

fn summary(before: &str, set: &EntitySet, after: &str) -> String {
    shortened(&format!("{before}{}{after}", set.name))
}

fn shortened(text: &str) -> String {
    text.chars().take(SUMMARY).collect()
}

fn responses(description: &str, schema: &Value) -> Value {
    json!({
        "200": { "description": description, "schema": schema },
        "default": { "description": "What went wrong.", "schema": { "$ref": "#/definitions/ODataError" } },
    })
}

fn list_schema(set: &EntitySet, id: &str) -> Value {
    json!({
        "type": "object",
        "properties": {
            "@odata.context": {
                "type": "string", "x-ms-summary": "Context", "description": "What the answer holds.",
                "x-ms-visibility": "internal",
            },
            "@odata.count": {
                "type": "integer", "format": "int64",
                "x-ms-summary": "Count", "description": "How many records match, with $count=true.",
            },
            "value": {
                "type": "array", "x-ms-summary": shortened(&set.name), "description": "The records of this page.",
                "items": { "$ref": format!("#/definitions/{id}") },
            },
            "@odata.nextLink": {
                "type": "string", "x-ms-summary": "Next link", "description": "The address of the next page.",
            },
        },
    })
}

fn entity_schema(set: &EntitySet) -> Value {
    let mut properties = Map::new();
    for property in &set.properties {
        let mut schema = match &property.edm {
            Edm::Collection(item) => json!({ "type": "array", "items": scalar_schema(item) }),
            Edm::String if property.column.kintone_type == "RICH_TEXT" => {
                json!({ "type": "string", "format": "html" })
            }
            edm => scalar_schema(edm),
        };
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("x-ms-summary".into(), json!(shortened(&label(property))));
            schema.insert("description".into(), json!(column_description(property)));
            let nullable = property.column.nullable && !matches!(property.edm, Edm::Collection(_));
            schema.extend(nullable.then(|| ("x-nullable".to_owned(), json!(true))));
        }
        properties.insert(property.name.clone(), schema);
    }
    json!({ "type": "object", "description": described(set), "properties": properties })
}

fn column_description(property: &Property) -> String {
    let kind = match property.column.kintone_type.as_str() {
        "" => property.edm.name(),
        kintone => format!("{kintone}, {}", property.edm.name()),
    };
    let options: Vec<&str> = property.column.options.iter().take(20).map(String::as_str).collect();
    let options = if options.is_empty() { String::new() } else { format!(": {}", options.join(", ")) };
    format!("{}: {kind}{options}.", property.column.name)
}

/// Type and format: the list of formats is the connectors' own, and has none for decimals or times.
fn scalar_schema(edm: &Edm) -> Value {
    match edm {
        Edm::Boolean => json!({ "type": "boolean" }),
        Edm::Int16 | Edm::Int32 => json!({ "type": "integer", "format": "int32" }),
        Edm::Int64 => json!({ "type": "integer", "format": "int64" }),
        Edm::Decimal | Edm::Double => json!({ "type": "number", "format": "double" }),
        Edm::Single => json!({ "type": "number", "format": "float" }),
        Edm::Date => json!({ "type": "string", "format": "date" }),
        Edm::DateTimeOffset => json!({ "type": "string", "format": "date-time" }),
        Edm::Binary => json!({ "type": "string", "format": "byte" }),
        Edm::String | Edm::TimeOfDay | Edm::Duration | Edm::Collection(_) => json!({ "type": "string" }),
    }
}

fn error_schema() -> Value {
    json!({
        "type": "object",
        "description": "What went wrong.",
        "properties": {
            "error": {
                "type": "object", "x-ms-summary": "Error", "description": "The error.",
                "properties": {
                    "code": { "type": "string", "x-ms-summary": "Code", "description": "What kind of error it is." },
                    "message": { "type": "string", "x-ms-summary": "Message", "description": "What is wrong and what to do." },
                },
            },
        },
    })
}
