//! A call's parameters: from the query string or from a JSON body, read the same way (K§1.4).

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value as Json};

use super::app::File;
use super::reply::{BAD_JSON, Failure};

/// Highest index of an array in a query string (K§2.1).
const HIGHEST_INDEX: usize = 99;

/// Named values, and the file that came with them.
#[derive(Debug, Default)]
pub(super) struct Params {
    values: Map<String, Json>,
    file: Option<File>,
}

impl Params {
    /// Of a query string: `fields[0]=a&fields[1]=b` is an array.
    pub(super) fn from_query(text: &str) -> Result<Self, Failure> {
        let mut plain = Map::new();
        let mut arrays: BTreeMap<String, BTreeMap<usize, Json>> = BTreeMap::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, Json::String(decode(value)?));
            match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
                Some((array, index)) => {
                    let index = index.parse().ok().filter(|index| *index <= HIGHEST_INDEX);
                    let index = index.ok_or_else(|| Failure::invalid(&name, "The index must be 0 to 99."))?;
                    arrays.entry(array.to_owned()).or_default().insert(index, value);
                }
                None => {
                    plain.insert(name, value);
                }
            }
        }
        for (name, values) in arrays {
            plain.insert(name, Json::Array(values.into_values().collect()));
        }
        Ok(Self { values: plain, file: None })
    }

    /// Of a JSON body, which must be an object.
    pub(super) fn from_body(body: &[u8]) -> Result<Self, Failure> {
        match serde_json::from_slice(body) {
            Ok(Json::Object(values)) => Ok(Self { values, file: None }),
            _ => Err(BAD_JSON.into()),
        }
    }

    /// Of an upload.
    pub(super) fn from_file(file: File) -> Self {
        Self { values: Map::new(), file: Some(file) }
    }

    /// The file of an upload.
    pub(super) fn file(&self) -> Option<&File> {
        self.file.as_ref()
    }

    /// Of an object within another call.
    pub(super) fn from_json(values: Map<String, Json>) -> Self {
        Self { values, file: None }
    }

    /// Everything that was sent.
    pub(super) fn all(&self) -> &Map<String, Json> {
        &self.values
    }

    /// A value that was sent; `null` counts as not sent.
    pub(super) fn get(&self, name: &str) -> Option<&Json> {
        self.values.get(name).filter(|value| !value.is_null())
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Failure> {
        self.get(name).map(|v| v.as_str().ok_or_else(|| Failure::invalid(name, "Enter a text."))).transpose()
    }

    /// An integer, as a number or as text.
    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, Failure> {
        let read = |v| integer(v).ok_or_else(|| Failure::invalid(name, "Enter an integer."));
        self.get(name).map(read).transpose()
    }

    /// An id, from 1.
    pub(super) fn id(&self, name: &str) -> Result<u64, Failure> {
        let value = self.integer(name)?.ok_or_else(|| Failure::invalid(name, "Required field."))?;
        u64::try_from(value)
            .ok()
            .filter(|id| *id > 0)
            .ok_or_else(|| Failure::invalid(name, "Must be 1 or larger."))
    }

    /// A switch, as a boolean or as text.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Failure> {
        match self.get(name) {
            None => Ok(false),
            Some(Json::Bool(flag)) => Ok(*flag),
            Some(Json::String(text)) if text == "true" => Ok(true),
            Some(Json::String(text)) if text == "false" => Ok(false),
            Some(_) => Err(Failure::invalid(name, "Enter true or false.")),
        }
    }

    /// An array.
    pub(super) fn array(&self, name: &str) -> Result<Option<&[Json]>, Failure> {
        let read =
            |v: &'_ Json| v.is_array().then_some(()).ok_or_else(|| Failure::invalid(name, "Enter an array."));
        self.get(name).map(read).transpose()?;
        Ok(self.get(name).and_then(Json::as_array).map(Vec::as_slice))
    }

    /// An array of texts, at most `most` of them.
    pub(super) fn texts(&self, name: &str, most: usize) -> Result<Option<Vec<String>>, Failure> {
        let Some(values) = self.array(name)? else { return Ok(None) };
        if values.len() > most {
            return Err(Failure::invalid(name, format!("No more than {most} can be given.")));
        }
        let text = |value: &Json| match value {
            Json::String(text) => Ok(text.clone()),
            Json::Number(number) => Ok(number.to_string()),
            _ => Err(Failure::invalid(name, "Enter an array of texts.")),
        };
        values.iter().map(text).collect::<Result<_, _>>().map(Some)
    }
}

/// An integer of JSON, as a number or as text.
pub(super) fn integer(value: &Json) -> Option<i64> {
    match value {
        Json::Number(number) => number.as_i64(),
        Json::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn decode(text: &str) -> Result<String, Failure> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(std::borrow::Cow::into_owned).map_err(|_| Failure::invalid("query", "The URL is not UTF-8."))
}
