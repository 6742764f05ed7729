//! Reads a TOML table key by key and remembers every fault with its line, instead of stopping at the first.
//!
//! serde would do the types, but it ends at the first fault and does not know the path of the key.

use std::fmt::Write as _;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::Error;

/// One thing that is wrong in the file.
struct Fault {
    line: usize,
    key: String,
    message: String,
}

/// Everything that is wrong in one file.
pub(super) struct Faults<'t> {
    file: &'t str,
    text: &'t str,
    list: Vec<Fault>,
}

impl<'t> Faults<'t> {
    pub(super) fn new(file: &'t str, text: &'t str) -> Self {
        Self { file, text, list: vec![] }
    }

    /// Notes a fault at a byte of the text. An empty key means the file as a whole.
    pub(super) fn add(&mut self, at: usize, key: impl Into<String>, message: impl Into<String>) {
        let line = self.text.bytes().take(at).filter(|b| *b == b'\n').count() + 1;
        self.list.push(Fault { line, key: key.into(), message: message.into() });
    }

    /// Notes that a value was refused by whom it is for, who shows no secret.
    pub(super) fn refuse(&mut self, item: &Item<'_>, error: Error) {
        let message = match error.hint {
            Some(hint) => format!("{}; {hint}", error.message),
            None => error.message,
        };
        self.add(item.at, &item.path, message);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// `FILE:LINE: key: what is wrong`, a line each, in the order of the file.
    pub(super) fn report(mut self) -> String {
        self.list.sort_by_key(|fault| fault.line);
        let mut out = String::new();
        for Fault { line, key, message } in &self.list {
            let gap = if out.is_empty() { "" } else { "\n" };
            let colon = if key.is_empty() { "" } else { ": " };
            // Writing to a String cannot fail.
            let _ = write!(out, "{gap}{}:{line}: {key}{colon}{message}", self.file);
        }
        out
    }
}

/// A value with its key's path and where it stands.
#[derive(Clone)]
pub(super) struct Item<'t> {
    pub(super) path: String,
    pub(super) at: usize,
    pub(super) value: &'t DeValue<'t>,
}

impl<'t> Item<'t> {
    fn wrong(&self, expected: &str, faults: &mut Faults<'_>) {
        let found = self.value.type_str();
        let article = if found.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        faults.add(self.at, &self.path, format!("expected {expected}, found {article} {found}"));
    }

    pub(super) fn text(&self, faults: &mut Faults<'_>) -> Option<&'t str> {
        let text = self.value.as_str();
        if text.is_none() {
            self.wrong("a string", faults);
        }
        text
    }

    pub(super) fn flag(&self, faults: &mut Faults<'_>) -> Option<bool> {
        let flag = self.value.as_bool();
        if flag.is_none() {
            self.wrong("true or false", faults);
        }
        flag
    }

    /// A whole number of at least 1.
    pub(super) fn count(&self, faults: &mut Faults<'_>) -> Option<usize> {
        const EXPECTED: &str = "a whole number of at least 1";
        let Some(number) = self.value.as_integer() else {
            self.wrong(EXPECTED, faults);
            return None;
        };
        let count = usize::from_str_radix(number.as_str(), number.radix()).ok().filter(|count| *count > 0);
        if count.is_none() {
            faults.add(self.at, &self.path, format!("expected {EXPECTED}"));
        }
        count
    }

    /// A string as the value that it stands for.
    pub(super) fn parsed<T: FromStr<Err = Error>>(&self, faults: &mut Faults<'_>) -> Option<T> {
        self.text(faults)?.parse().map_err(|error: Error| faults.refuse(self, error)).ok()
    }

    /// The elements of a list.
    pub(super) fn elements(&self, of: &str, faults: &mut Faults<'_>) -> Vec<Item<'t>> {
        let Some(array) = self.value.as_array() else {
            self.wrong(&format!("a list of {of}"), faults);
            return vec![];
        };
        let element = |(i, value): (usize, &'t Spanned<DeValue<'t>>)| Item {
            path: format!("{}[{i}]", self.path),
            at: value.span().start,
            value: value.get_ref(),
        };
        array.iter().enumerate().map(element).collect()
    }

    pub(super) fn section(&self, faults: &mut Faults<'_>) -> Option<Section<'t>> {
        let table = self.value.as_table();
        if table.is_none() {
            self.wrong("a table", faults);
        }
        Some(Section { path: self.path.clone(), at: self.at, table: table?, known: vec![] })
    }

    /// A string, a whole number, true or false, as the text of a connection property.
    pub(super) fn scalar(&self, faults: &mut Faults<'_>) -> Option<String> {
        match self.value {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
            DeValue::Boolean(flag) => Some(flag.to_string()),
            _ => {
                self.wrong("a string, a number, true or false, or a list of those", faults);
                None
            }
        }
    }
}

/// A table of the file, and which of its keys were asked for.
pub(super) struct Section<'t> {
    path: String,
    at: usize,
    table: &'t DeTable<'t>,
    known: Vec<&'static str>,
}

impl<'t> Section<'t> {
    /// The whole file.
    pub(super) fn root(table: &'t DeTable<'t>) -> Self {
        Self { path: String::new(), at: 0, table, known: vec![] }
    }

    /// The path of the table itself.
    pub(super) fn own_path(&self) -> String {
        self.path.clone()
    }

    /// The path of a key of this table.
    pub(super) fn path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Where the table stands: its header.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The value of a key, where it is given.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Item<'t>> {
        self.known.push(key);
        let (name, value) = self.table.get_key_value(key)?;
        Some(Item { path: self.path(key), at: name.span().start, value: value.get_ref() })
    }

    /// As [`Self::take`], and a fault where it is not given.
    pub(super) fn require(
        &mut self,
        key: &'static str,
        example: &str,
        faults: &mut Faults<'_>,
    ) -> Option<Item<'t>> {
        let item = self.take(key);
        if item.is_none() {
            faults.add(self.at, self.path(key), format!("this key is missing; write for example {example}"));
        }
        item
    }

    pub(super) fn text(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Option<&'t str> {
        self.take(key)?.text(faults)
    }

    pub(super) fn flag(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Option<bool> {
        self.take(key)?.flag(faults)
    }

    pub(super) fn section(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Option<Self> {
        self.take(key)?.section(faults)
    }

    /// The tables of a `[[key]]`.
    pub(super) fn sections(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Vec<Self> {
        let Some(item) = self.take(key) else { return vec![] };
        let elements = item.elements(&format!("tables, written [[{key}]]"), faults);
        elements.iter().filter_map(|element| element.section(faults)).collect()
    }

    /// The keys that nobody asked for yet.
    pub(super) fn rest(&self) -> Vec<(&'t str, Item<'t>)> {
        let unknown = |key: &str| !self.known.contains(&key);
        let item = |(key, value): (&'t Spanned<_>, &'t Spanned<DeValue<'t>>)| {
            let name: &'t std::borrow::Cow<'t, str> = key.get_ref();
            let name: &'t str = name;
            (name, Item { path: self.path(name), at: key.span().start, value: value.get_ref() })
        };
        self.table.iter().map(item).filter(|(key, _)| unknown(key)).collect()
    }

    /// Every key that is left is a fault, with the nearest name that would have been right.
    pub(super) fn finish(self, faults: &mut Faults<'_>) {
        for (key, item) in self.rest() {
            let advice = match nearest(key, &self.known) {
                Some(name) => format!("unknown key; did you mean {name}?"),
                None => format!("unknown key; known here: {}", self.known.join(", ")),
            };
            faults.add(item.at, item.path, advice);
        }
    }
}

/// The values that a list of strings stands for; none where it is not given.
pub(super) fn parsed_list<T: FromStr<Err = Error>>(
    section: &mut Section<'_>,
    key: &'static str,
    of: &str,
    faults: &mut Faults<'_>,
) -> Vec<T> {
    let items = section.take(key).map(|item| item.elements(of, faults)).unwrap_or_default();
    items.iter().filter_map(|item| item.parsed(faults)).collect()
}

/// The known name that somebody who typed `word` most likely meant.
pub(super) fn nearest<'n>(word: &str, names: &[&'n str]) -> Option<&'n str> {
    let word = word.to_lowercase();
    let distance = |name: &&str| strsim::damerau_levenshtein(&word, &name.to_lowercase());
    let best = names.iter().min_by_key(|name| distance(name))?;
    (distance(best) <= word.chars().count().div_ceil(3)).then_some(*best)
}
