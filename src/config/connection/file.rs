//! `[[connections]]` of the settings file.

use std::collections::HashSet;

use super::{DEFAULT_CONNECTION, Properties, as_it_is, from_environment, layered, parse, property, same};
use crate::config::reader::{Faults, Item, Section};
use crate::config::secret::{Surroundings, secret};
use crate::config::unique_name;
use crate::kintone::ClientConfig;

/// A `[[connections]]` of the file, before the environment had its say.
struct Draft<'t> {
    name: String,
    properties: Properties,
    /// Where the section begins.
    at: usize,
    path: String,
    /// Where each key stands.
    items: Vec<Item<'t>>,
}

/// Every `[[connections]]` of the settings file, the default one first, with the environment over that one.
pub(in crate::config) fn read(
    root: &mut Section<'_>,
    around: &Surroundings<'_>,
    faults: &mut Faults<'_>,
) -> Vec<ClientConfig> {
    let mut names = HashSet::new();
    let sections = root.sections("connections", faults);
    let drafts = sections.into_iter().map(|section| draft(section, &mut names, around, faults));
    let mut drafts: Vec<_> = drafts.collect::<Vec<_>>().into_iter().flatten().collect();
    drafts.sort_by_key(|draft| draft.name != DEFAULT_CONNECTION);
    match from_environment(around) {
        Err(error) => faults.add(0, "", error.message),
        Ok(upper) if upper.is_empty() => {}
        Ok(upper) => match drafts.first_mut() {
            Some(first) => first.properties = layered(std::mem::take(&mut first.properties), upper),
            // A password alone is there for a reference of the file.
            None if property(&upper, "Url").is_none() => {}
            None => drafts.push(Draft {
                name: DEFAULT_CONNECTION.into(),
                properties: upper,
                at: 0,
                path: "the environment's connection".into(),
                items: vec![],
            }),
        },
    }
    drafts.into_iter().filter_map(|draft| finished(&draft, around, faults)).collect()
}

fn draft<'t>(
    mut section: Section<'t>,
    names: &mut HashSet<String>,
    around: &Surroundings<'_>,
    faults: &mut Faults<'_>,
) -> Option<Draft<'t>> {
    let name = unique_name(&mut section, "\"public\"", names, faults);
    let mut properties = vec![];
    let mut items = vec![];
    if let Some(item) = section.take("connection") {
        properties = connection_string(&item, around, faults)?;
        items.push(item);
    }
    let mut sound = true;
    for (key, item) in section.rest() {
        match value_of(&item, around, faults) {
            _ if property(&properties, key).is_some() => {
                faults.add(item.at, &item.path, "this property is given twice");
                sound = false;
            }
            Some(value) => properties.push((key.to_owned(), value)),
            None => sound = false,
        }
        items.push(item);
    }
    let (at, path) = (section.at(), section.own_path());
    // A value that could not be read is told already; what follows from its absence is not.
    sound.then_some(Draft { name: name?, properties, at, path, items })
}

/// The client's settings. Its verdict is told at the key that it is about.
fn finished(draft: &Draft<'_>, around: &Surroundings<'_>, faults: &mut Faults<'_>) -> Option<ClientConfig> {
    let (folder, name) = (&around.folder, &draft.name);
    let error = match ClientConfig::from_properties_in(folder, name, &draft.properties, &as_it_is) {
        Ok(config) => return Some(config),
        Err(error) => error,
    };
    let key = error.property.unwrap_or_default();
    let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    let item = draft.items.iter().find(|item| !key.is_empty() && same(&last(&item.path), &key));
    // A property of a connection string stands where the string does.
    let inside = draft.items.iter().find(|item| item.path.ends_with(".connection"));
    let inside = inside.filter(|_| property(&draft.properties, &key).is_some());
    match item.or(inside) {
        Some(item) => faults.add(item.at, &item.path, error.reason),
        None => {
            let dot = if key.is_empty() { "" } else { "." };
            faults.add(draft.at, format!("{}{dot}{}", draft.path, key.to_lowercase()), error.reason);
        }
    }
    None
}

/// A property's value. References to secrets may stand for it, and in a list of it.
fn value_of(item: &Item<'_>, around: &Surroundings<'_>, faults: &mut Faults<'_>) -> Option<String> {
    if item.value.as_table().is_some() {
        return secret(item, around, faults);
    }
    if item.value.as_array().is_none() {
        return item.scalar(faults);
    }
    let elements = item.elements("strings or numbers", faults);
    let texts: Option<Vec<_>> = elements.iter().map(|element| value_of(element, around, faults)).collect();
    Some(texts?.join(","))
}

/// The pairs of a connection string in the file.
fn connection_string(
    item: &Item<'_>,
    around: &Surroundings<'_>,
    faults: &mut Faults<'_>,
) -> Option<Properties> {
    let pairs = parse(item.text(faults)?, around);
    pairs.map_err(|fault| faults.add(item.at, &item.path, fault)).ok()
}
