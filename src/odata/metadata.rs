//! The service document and `$metadata` (CSDL XML 4.0).

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::edm::Edm;
use super::name::{EntitySet, Model, Property};
use super::request::encode;
use crate::engine::TableKind;

/// The namespace of all types.
pub(super) const NAMESPACE: &str = "Kintone";
/// The name of the one container.
pub(super) const CONTAINER: &str = "Container";

/// The list of entity sets at the service's root.
pub(super) fn service_document(model: &Model, base: &str, with_context: bool) -> Value {
    let sets: Vec<Value> = model
        .sets()
        .iter()
        .map(|set| json!({ "name": set.name, "title": title(set), "kind": "EntitySet", "url": encode(&set.name) }))
        .collect();
    if with_context {
        json!({ "@odata.context": format!("{base}/$metadata"), "value": sets })
    } else {
        json!({ "value": sets })
    }
}

/// What people call the table.
pub(super) fn title(set: &EntitySet) -> &str {
    if set.table.label.is_empty() { &set.table.name } else { &set.table.label }
}

/// The model as XML.
pub(super) fn csdl(model: &Model) -> String {
    let mut out = String::from(concat!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n",
        "<edmx:Edmx Version=\"4.0\" xmlns:edmx=\"http://docs.oasis-open.org/odata/ns/edmx\">\n",
        "<edmx:Reference Uri=\"https://oasis-tcs.github.io/odata-vocabularies/vocabularies/Org.OData.Core.V1.xml\">",
        "<edmx:Include Namespace=\"Org.OData.Core.V1\" Alias=\"Core\"/></edmx:Reference>\n",
        "<edmx:DataServices>\n",
    ));
    let _ =
        writeln!(out, "<Schema Namespace=\"{NAMESPACE}\" xmlns=\"http://docs.oasis-open.org/odata/ns/edm\">");
    for set in model.sets() {
        entity_type(set, &mut out);
    }
    let _ = writeln!(out, "<EntityContainer Name=\"{CONTAINER}\">");
    for set in model.sets() {
        let name = escape(&set.name);
        let _ = write!(out, "<EntitySet Name=\"{name}\" EntityType=\"{NAMESPACE}.{name}\">");
        annotate("Core.Description", &described(set), &mut out);
        if let Some(revision) = set.column("$revision").and_then(|i| set.properties.get(i)) {
            let path = escape(&revision.name);
            let _ = write!(
                out,
                "<Annotation Term=\"Core.OptimisticConcurrency\"><Collection><PropertyPath>{path}</PropertyPath></Collection></Annotation>"
            );
        }
        out.push_str("</EntitySet>\n");
    }
    out.push_str("</EntityContainer>\n</Schema>\n</edmx:DataServices>\n</edmx:Edmx>\n");
    out
}

/// The table's name in Kintone, and what stands about it there.
fn described(set: &EntitySet) -> String {
    match (set.table.kind, set.table.description.trim()) {
        (TableKind::System, "") => format!("{} of the connection", set.table.name),
        (_, "") => title(set).to_owned(),
        (_, text) => format!("{}: {text}", title(set)),
    }
}

fn entity_type(set: &EntitySet, out: &mut String) {
    let _ = writeln!(out, "<EntityType Name=\"{}\">", escape(&set.name));
    if !set.key.is_empty() {
        out.push_str("<Key>");
        for property in set.key_properties() {
            let _ = write!(out, "<PropertyRef Name=\"{}\"/>", escape(&property.name));
        }
        out.push_str("</Key>\n");
    }
    for (i, property) in set.properties.iter().enumerate() {
        declare(property, set.key.contains(&i), out);
    }
    out.push_str("</EntityType>\n");
}

fn declare(property: &Property, is_key: bool, out: &mut String) {
    let (name, edm) = (escape(&property.name), property.edm.name());
    let _ = write!(out, "<Property Name=\"{name}\" Type=\"{edm}\"");
    let is_collection = matches!(property.edm, Edm::Collection(_));
    if is_key || is_collection || !property.column.nullable {
        out.push_str(" Nullable=\"false\"");
    }
    match property.edm {
        // Without it a client takes the scale for 0 and cuts digits off.
        Edm::Decimal => out.push_str(" Scale=\"variable\""),
        // Kintone's own times have no seconds' fraction, those of system tables may have.
        Edm::DateTimeOffset | Edm::TimeOfDay => {
            out.push_str(if property.column.kintone_type.is_empty() {
                " Precision=\"6\""
            } else {
                " Precision=\"0\""
            });
        }
        _ => {}
    }
    let label = label(property);
    if label == property.name {
        out.push_str("/>\n");
        return;
    }
    out.push('>');
    annotate("Core.Description", &label, out);
    out.push_str("</Property>\n");
}

/// The field's label, with its code where the identifier hides it.
pub(super) fn label(property: &Property) -> String {
    let (label, code) = (property.column.label.as_str(), property.column.name.as_str());
    match (label, code) {
        ("", code) => code.to_owned(),
        (label, code) if label == code || code == property.name => label.to_owned(),
        (label, code) => format!("{label} ({code})"),
    }
}

fn annotate(term: &str, text: &str, out: &mut String) {
    let _ = write!(out, "<Annotation Term=\"{term}\" String=\"{}\"/>", escape(text));
}

/// Text for an attribute. Characters that XML 1.0 has no place for are left out.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            c if c < ' ' || matches!(c, '\u{FFFE}' | '\u{FFFF}') => {}
            c => out.push(c),
        }
    }
    out
}
