//! From SQL names to OData identifiers: one map for `$metadata`, URLs and `$oas`.
//!
//! Deterministic by the order of tables and of columns, so that equal catalogs give equal names.

use std::collections::HashMap;
use std::sync::Arc;

use unicode_general_category::{GeneralCategory as Category, get_general_category};

use super::edm::Edm;
use crate::engine::{ColumnInfo, TableInfo};

/// CSDL 4.0, SimpleIdentifier.
const LONGEST: usize = 128;

/// Every entity set of the service.
#[derive(Debug, Default)]
pub(super) struct Model {
    sets: Vec<EntitySet>,
    by_name: HashMap<String, usize>,
}

/// A table as an entity set.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct EntitySet {
    /// The identifier in URLs, of the set and of its type.
    pub(super) name: String,
    /// What it stands for.
    pub(super) table: Arc<TableInfo>,
    /// In the order of the columns.
    pub(super) properties: Vec<Property>,
    /// Indexes of the key's properties.
    pub(super) key: Vec<usize>,
    /// Whether the key really is one: not where the table declares none and all columns stand in.
    pub(super) is_keyed: bool,
    by_name: HashMap<String, usize>,
}

/// A column as a property.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Property {
    /// The identifier in URLs and in JSON.
    pub(super) name: String,
    /// What it stands for.
    pub(super) column: ColumnInfo,
    /// Its type in OData.
    pub(super) edm: Edm,
}

impl Model {
    /// Names the tables of the schemas; those of all but the first get their schema's name in front.
    pub(super) fn new(schemas: &[(String, Vec<Arc<TableInfo>>)], ascii: bool) -> Self {
        // The container is a neighbour of the types, and names there are unique.
        let mut names = Names::new(ascii);
        names.assign(super::metadata::CONTAINER);
        let mut sets = vec![];
        for (position, (schema, tables)) in schemas.iter().enumerate() {
            for table in tables.iter().filter(|table| !table.columns.is_empty()) {
                let wanted =
                    if position == 0 { table.name.clone() } else { format!("{schema}_{}", table.name) };
                sets.push(EntitySet::new(names.assign(&wanted), Arc::clone(table), ascii));
            }
        }
        let by_name = sets.iter().enumerate().map(|(i, set)| (set.name.to_lowercase(), i)).collect();
        Self { sets, by_name }
    }

    /// All of them, in the order of the catalog.
    pub(super) fn sets(&self) -> &[EntitySet] {
        &self.sets
    }

    /// By its name. Names are unique ignoring case, so that any case finds one candidate at most.
    pub(super) fn set(&self, name: &str) -> Option<&EntitySet> {
        self.sets.get(*self.by_name.get(&name.to_lowercase())?)
    }
}

impl EntitySet {
    fn new(name: String, table: Arc<TableInfo>, ascii: bool) -> Self {
        let mut names = Names::new(ascii);
        let properties: Vec<Property> = table
            .columns
            .iter()
            .map(|column| Property {
                name: names.assign(match column.name.as_str() {
                    "$id" => "Id",
                    "$revision" => "Revision",
                    other => other,
                }),
                edm: Edm::of(&column.sql_type),
                column: column.clone(),
            })
            .collect();
        let by_name = properties.iter().enumerate().map(|(i, p)| (p.name.to_lowercase(), i)).collect();
        let (key, is_keyed) = key_of(&table, &properties);
        Self { name, table, properties, key, is_keyed, by_name }
    }

    /// The index of a property, by name in any case.
    pub(super) fn property(&self, name: &str) -> Option<usize> {
        self.by_name.get(&name.to_lowercase()).copied()
    }

    /// The index of the column of this SQL name.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.properties.iter().position(|property| property.column.name == name)
    }

    /// The properties of the key.
    pub(super) fn key_properties(&self) -> impl Iterator<Item = &Property> {
        self.key.iter().filter_map(|i| self.properties.get(*i))
    }
}

/// The declared key, else `$id`, else all scalar columns together: CSDL wants a key of every entity type.
fn key_of(table: &TableInfo, properties: &[Property]) -> (Vec<usize>, bool) {
    let index = |name: &str| properties.iter().position(|property| property.column.name == name);
    let declared: Option<Vec<usize>> = table.primary_key.iter().map(|name| index(name)).collect();
    if let Some(key) = declared.filter(|key| !key.is_empty()) {
        return (key, true);
    }
    if let Some(id) = index("$id") {
        return (vec![id], true);
    }
    let scalars = |nullable: bool| -> Vec<usize> {
        let fits = |p: &Property| p.edm.is_sortable() && p.column.nullable <= nullable;
        properties.iter().enumerate().filter(|(_, p)| fits(p)).map(|(i, _)| i).collect()
    };
    let required = scalars(false);
    (if required.is_empty() { scalars(true) } else { required }, false)
}

/// Gives each name once, ignoring case.
struct Names {
    ascii: bool,
    taken: HashMap<String, ()>,
}

impl Names {
    fn new(ascii: bool) -> Self {
        Self { ascii, taken: HashMap::new() }
    }

    fn assign(&mut self, wanted: &str) -> String {
        let base = identifier(wanted, self.ascii);
        let mut name = base.clone();
        let mut number = 1u64;
        while self.taken.insert(name.to_lowercase(), ()).is_some() {
            number += 1;
            let suffix = format!("_{number}");
            let kept = base.chars().take(LONGEST.saturating_sub(suffix.len()));
            name = kept.chain(suffix.chars()).collect();
        }
        name
    }
}

/// The nearest legal identifier: a character that is not allowed becomes `_`, a leading digit gets one before it.
/// With `ascii`, letters beyond ASCII become their code point, so that names stay distinct.
fn identifier(name: &str, ascii: bool) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if !is_identifier_part(c) {
            out.push('_');
        } else if ascii && !c.is_ascii() {
            out.push_str(&format!("_{:X}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    if !out.chars().next().is_some_and(is_identifier_start) {
        out.insert(0, '_');
    }
    out.chars().take(LONGEST).collect()
}

/// Whether an identifier may begin with this: a letter or `_` (OData ABNF, identifierLeadingCharacter).
pub(super) fn is_identifier_start(c: char) -> bool {
    c == '_'
        || matches!(
            get_general_category(c),
            Category::UppercaseLetter
                | Category::LowercaseLetter
                | Category::TitlecaseLetter
                | Category::ModifierLetter
                | Category::OtherLetter
                | Category::LetterNumber
        )
}

/// Whether an identifier may go on with this (OData ABNF, identifierCharacter).
pub(super) fn is_identifier_part(c: char) -> bool {
    is_identifier_start(c)
        || matches!(
            get_general_category(c),
            Category::DecimalNumber
                | Category::NonspacingMark
                | Category::SpacingMark
                | Category::ConnectorPunctuation
                | Category::Format
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_identifiers() {
        for (name, expected) in [
            ("Comments", "Comments"),
            ("会社名", "会社名"),
            ("【営業】活動履歴（旧）", "_営業_活動履歴_旧_"),
            ("文字列__1行_", "文字列__1行_"),
            ("2024年 売上-計", "_2024年_売上_計"),
            ("𠮷野家", "𠮷野家"),
            ("ｶﾅ・１", "ｶﾅ_１"),
            ("", "_"),
            ("💡", "_"),
        ] {
            assert_eq!(identifier(name, false), expected, "{name}");
        }
        assert_eq!(identifier("会社Name", true), "_4F1A_793EName");
        assert_eq!(identifier(&"長".repeat(200), false).chars().count(), 128);
    }

    #[test]
    fn names_are_unique_ignoring_case() {
        let mut names = Names::new(false);
        let given: Vec<String> =
            ["Name", "name", "NAME", "a b", "a-b"].iter().map(|n| names.assign(n)).collect();
        assert_eq!(given, ["Name", "name_2", "NAME_3", "a_b", "a_b_2"]);
        let long = "x".repeat(128);
        let mut names = Names::new(false);
        names.assign(&long);
        let second = names.assign(&long);
        assert!(second.ends_with("x_2") && second.len() == 128, "{second}");
    }
}
