//! What a client may set, for itself alone: PostgreSQL 15's settings and those of this engine, a closed list.
//!
//! Most are kept and shown back and change nothing. What would change an answer is done, or refused by name.
//! Absent on purpose: every setting of DataFusion.

mod known;
mod style;
mod value;
mod zone;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;

use super::{Clock, DateOrder};
use crate::error::{Error, Kind, Result};
use crate::table::Rules;
use known::Known;
pub(crate) use known::unknown;
pub(super) use zone::of_hours as zone_of_hours;

/// What a plan depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Planning {
    pub(crate) time_zone: Tz,
    pub(crate) date_order: DateOrder,
    pub(crate) search_path: Vec<String>,
    pub(crate) pushdown: Rules,
    pub(crate) max_requests: Option<u64>,
    pub(crate) page_size: u32,
    /// Requests of one scan at once; the connection's own bound holds besides.
    pub(crate) concurrency: usize,
}

impl Planning {
    /// What a text of a day or a time leaves open.
    pub(crate) fn clock(&self) -> Clock {
        Clock { zone: self.time_zone, order: self.date_order }
    }
}

/// One session's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) planning: Arc<Planning>,
    /// `None`: no limit.
    pub(crate) statement_timeout: Option<Duration>,
    /// Values that are not the defaults, in the form in which they are kept; by name in lower case.
    values: BTreeMap<String, String>,
}

/// A setting with its value, as `SHOW ALL` and `pg_settings` give it.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub(crate) name: String,
    /// As SHOW gives it: `2min`.
    pub(crate) shown: String,
    /// In the base unit: `120000`.
    pub(crate) kept: String,
    pub(crate) default: String,
    /// What PostgreSQL says of it; `None` for a name that a client made up.
    pub(crate) known: Option<&'static Known>,
}

/// Settings of this engine: the default, the category and the rest stand in the list of all.
const PUSHDOWN: &str = "kintone.pushdown";
const MAX_REQUESTS: &str = "kintone.max_requests";
const PAGE_SIZE: &str = "kintone.page_size";
const CONCURRENCY: &str = "kintone.concurrency";

/// No name of a client's own begins like these.
const RESERVED: &[&str] = &["kintone", "datafusion"];

/// A client hears of changes of these without asking (PostgreSQL's ParameterStatus).
const REPORTED: &[&str] = &[
    "application_name",
    "client_encoding",
    "DateStyle",
    "default_transaction_read_only",
    "IntervalStyle",
    "standard_conforming_strings",
    "TimeZone",
];

/// Of one transaction: what a block began with is gone with it.
pub(super) const TRANSACTION: &[(&str, &str)] = &[
    ("transaction_isolation", "default_transaction_isolation"),
    ("transaction_read_only", "default_transaction_read_only"),
    ("transaction_deferrable", "default_transaction_deferrable"),
];

/// Shown, but in no list: who the session is. There is nobody else to be.
const IDENTITY: &[&str] = &["role", "session_authorization"];

/// Names that a client may make up.
const MOST_CUSTOM: usize = 1000;

impl Settings {
    pub(super) fn new(time_zone: Tz, page_size: u32) -> Self {
        let planning = Planning {
            time_zone,
            date_order: DateOrder::default(),
            search_path: vec!["public".into()],
            pushdown: Rules::ON,
            max_requests: None,
            page_size,
            concurrency: 10,
        };
        let values = BTreeMap::from([("timezone".to_owned(), time_zone.name().to_owned())]);
        Self { planning: Arc::new(planning), statement_timeout: None, values }
    }

    /// Those of a user.
    pub(super) fn of_user(mut self, user: &str) -> Self {
        self.values.insert("session_authorization".into(), user.to_owned());
        self.values.insert("role".into(), "none".into());
        self
    }

    /// What a plan depends on, to be changed.
    pub(super) fn planning_mut(&mut self) -> &mut Planning {
        Arc::make_mut(&mut self.planning)
    }

    /// Looks into these schemas.
    pub(super) fn search_in(&mut self, schemas: Vec<String>) {
        let quoted: Vec<_> = schemas.iter().map(|name| super::function::quoted(name)).collect();
        self.values.insert("search_path".into(), quoted.join(", "));
        self.planning_mut().search_path = schemas;
    }

    /// The value as SHOW gives it.
    pub(super) fn show(&self, name: &str) -> Option<String> {
        let lower = lower(name);
        let kept = self.kept(&lower)?;
        Some(match known::find(&lower) {
            Some(known) => value::shown(known, &kept),
            None => kept,
        })
    }

    /// The value in its base unit.
    fn kept(&self, lower: &str) -> Option<String> {
        if let Some(value) = self.values.get(lower) {
            return Some(value.clone());
        }
        match lower {
            PAGE_SIZE => return Some(self.planning.page_size.to_string()),
            CONCURRENCY => return Some(self.planning.concurrency.to_string()),
            _ => {}
        }
        if let Some((_, default)) = TRANSACTION.iter().find(|(name, _)| *name == lower) {
            return self.kept(default);
        }
        known::find(lower).map(|known| known.default.clone())
    }

    /// The name as PostgreSQL spells it.
    pub(super) fn spelling(name: &str) -> String {
        let lower = lower(name);
        known::find(&lower).map_or(lower, |known| known.name.clone())
    }

    /// Every setting with its value, by name; those that clients made up last.
    pub(crate) fn all(&self) -> Vec<Setting> {
        let listed = known::ALL.iter().map(|known| {
            let kept = self.kept(&known.name.to_lowercase()).unwrap_or_default();
            Setting {
                name: known.name.clone(),
                shown: value::shown(known, &kept),
                kept,
                default: known.default.clone(),
                known: Some(known),
            }
        });
        let custom = self.values.iter().filter(|(name, _)| is_custom(name)).map(|(name, value)| Setting {
            name: name.clone(),
            shown: value.clone(),
            kept: value.clone(),
            default: String::new(),
            known: None,
        });
        listed.chain(custom).collect()
    }

    /// Takes a value; `at_start` for what a client says as its session begins.
    ///
    /// # Errors
    /// No setting of this name, one that may not be changed, a value that it does not take.
    pub(super) fn set(&mut self, name: &str, value: &str, at_start: bool) -> Result<()> {
        let lower = lower(name);
        if IDENTITY.contains(&lower.as_str()) {
            return self.check_identity(&lower, value);
        }
        let Some(known) = known::find(&lower) else { return self.set_custom(name, lower, value) };
        known.check_context(at_start)?;
        let kept = self.checked(known, &lower, value)?;
        self.values.insert(lower, kept);
        Ok(())
    }

    /// The value in the form that is kept; what it changes is changed.
    fn checked(&mut self, known: &Known, lower: &str, text: &str) -> Result<String> {
        let kept = value::check(known, text)?;
        match lower {
            "timezone" => {
                let wrong = "It takes the name of a time zone, such as Asia/Tokyo, or whole hours.";
                let zone = zone::parse(text).ok_or_else(|| value::invalid("TimeZone", text).with_hint(wrong));
                let (zone, name) = zone?;
                self.planning_mut().time_zone = zone;
                return Ok(name);
            }
            "statement_timeout" => {
                let limit = kept.parse().map(Duration::from_millis).unwrap_or_default();
                self.statement_timeout = (!limit.is_zero()).then_some(limit);
            }
            "search_path" => {
                let user = self.values.get("session_authorization").cloned().unwrap_or_default();
                let named = |name: String| if name == "$user" { user.clone() } else { name };
                let schemas = style::schemas(text)?.into_iter().map(named);
                self.planning_mut().search_path = schemas.filter(|name| !name.is_empty()).collect();
            }
            "datestyle" => {
                let current = self.kept(lower).unwrap_or_default();
                let style = style::date_style(text, &current)?;
                self.planning_mut().date_order = DateOrder::of_style(&style);
                return Ok(style);
            }
            "client_encoding" => return style::encoding(text),
            "intervalstyle" if kept != "postgres" => return Err(not_produced(known, &kept, "postgres")),
            "bytea_output" if kept != "hex" => return Err(not_produced(known, &kept, "hex")),
            "standard_conforming_strings" if kept != "on" => return Err(not_produced(known, &kept, "on")),
            "extra_float_digits" if kept.starts_with('-') => {
                return Err(not_produced(known, &kept, "0 to 3"));
            }
            "application_name" | "cluster_name" => return Ok(clean(text)),
            PUSHDOWN => match text.parse::<Rules>() {
                Ok(rules) => {
                    self.planning_mut().pushdown = rules;
                    return Ok(rules.to_string());
                }
                Err(()) => {
                    let names: Vec<_> = Rules::names().collect();
                    let hint = format!("It takes on, off, or a list of {}.", names.join(", "));
                    return Err(value::invalid(known.name.as_str(), text).with_hint(hint));
                }
            },
            MAX_REQUESTS => self.planning_mut().max_requests = kept.parse().ok().filter(|most| *most > 0),
            PAGE_SIZE => self.planning_mut().page_size = kept.parse().unwrap_or(500),
            CONCURRENCY => self.planning_mut().concurrency = kept.parse().unwrap_or(10),
            _ => {}
        }
        Ok(kept)
    }

    /// A name with a dot that is nobody's is the client's own, as in PostgreSQL.
    fn set_custom(&mut self, name: &str, lower: String, text: &str) -> Result<()> {
        let parts: Vec<&str> = lower.split('.').collect();
        let is_name = |part: &&str| {
            let mut letters = part.chars();
            letters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
                && letters.all(|letter| letter.is_alphanumeric() || letter == '_' || letter == '$')
        };
        let reserved = parts.first().is_some_and(|first| RESERVED.contains(first));
        if parts.len() < 2 || reserved {
            return Err(unknown(name));
        }
        if !parts.iter().all(is_name) {
            let message = format!("invalid configuration parameter name \"{name}\"");
            return Err(Error::new(Kind::InvalidName, message).with_detail(
                "Custom parameter names must be two or more simple identifiers separated by dots.",
            ));
        }
        let many = self.values.keys().filter(|name| is_custom(name)).count() >= MOST_CUSTOM;
        if many && !self.values.contains_key(&lower) {
            return Err(Error::new(
                Kind::TooLarge,
                format!("more than {MOST_CUSTOM} settings of a client's own"),
            ));
        }
        self.values.insert(lower, text.to_owned());
        Ok(())
    }

    /// A session stays who it is.
    fn check_identity(&self, lower: &str, text: &str) -> Result<()> {
        let user = self.values.get("session_authorization").map_or("", String::as_str);
        if text == user || (lower == "role" && text == "none") {
            return Ok(());
        }
        Err(Error::new(Kind::InvalidValue, format!("role \"{text}\" does not exist")))
    }

    /// Takes the value that another has: of a session's start, or of before a block.
    ///
    /// # Errors
    /// No setting of this name.
    pub(super) fn take(&mut self, name: &str, other: &Self) -> Result<()> {
        let lower = lower(name);
        let value = other.values.get(&lower);
        if value.is_none() && !self.values.contains_key(&lower) && known::find(&lower).is_none() {
            return Err(unknown(name));
        }
        match value {
            Some(value) => self.values.insert(lower.clone(), value.clone()),
            // What a client made up is empty once it is reset.
            None if is_custom(&lower) => self.values.insert(lower.clone(), String::new()),
            None => self.values.remove(&lower),
        };
        let theirs = &other.planning;
        match lower.as_str() {
            "timezone" => self.planning_mut().time_zone = theirs.time_zone,
            "search_path" => self.planning_mut().search_path.clone_from(&theirs.search_path),
            "statement_timeout" => self.statement_timeout = other.statement_timeout,
            PUSHDOWN => self.planning_mut().pushdown = theirs.pushdown,
            MAX_REQUESTS => self.planning_mut().max_requests = theirs.max_requests,
            PAGE_SIZE => self.planning_mut().page_size = theirs.page_size,
            CONCURRENCY => self.planning_mut().concurrency = theirs.concurrency,
            _ => {}
        }
        Ok(())
    }

    /// Whether a client may reset it.
    ///
    /// # Errors
    /// Those of changing it.
    pub(super) fn check_reset(name: &str) -> Result<()> {
        known::find(&lower(name)).map_or(Ok(()), |known| known.check_context(false))
    }

    /// These, with the values of `names` as they are in `other`.
    pub(super) fn with(&self, other: &Self, names: &[String]) -> Self {
        let mut out = self.clone();
        for name in names {
            // It was set, so it exists.
            let _ = out.take(name, other);
        }
        out
    }

    /// What a client is told where these become `next`.
    pub(super) fn reported_changes(&self, next: &Self) -> Vec<(String, String)> {
        let changed = |name: &&&str| self.show(name) != next.show(name);
        let told = REPORTED.iter().filter(changed);
        told.filter_map(|name| Some(((*name).to_owned(), next.show(name)?))).collect()
    }

    /// Whether a truth value is on.
    pub(super) fn is_on(&self, name: &str) -> bool {
        self.kept(name).as_deref() == Some("on")
    }
}

fn lower(name: &str) -> String {
    name.to_lowercase()
}

/// Whether a name is a client's own.
fn is_custom(lower: &str) -> bool {
    lower.contains('.') && known::find(lower).is_none()
}

fn not_produced(known: &Known, value: &str, takes: &str) -> Error {
    Error::unsupported(format!("{} {value}", known.name)).with_hint(format!("It takes {takes}."))
}

/// A name that goes into lists of others is printable ASCII, as in PostgreSQL: each other byte is a `?`.
fn clean(text: &str) -> String {
    text.bytes().map(|byte| if (b' '..=b'~').contains(&byte) { char::from(byte) } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::new(Tz::UTC, 500).of_user("demo")
    }

    #[test]
    fn set_and_show() {
        let mut settings = settings();
        for (name, value, shown) in [
            ("timezone", "asia/tokyo", "Asia/Tokyo"),
            ("TimeZone", "UTC", "UTC"),
            ("statement_timeout", "1500", "1500ms"),
            ("statement_timeout", "2min", "2min"),
            ("statement_timeout", "0", "0"),
            ("search_path", "\"$user\", public", "\"$user\", public"),
            ("kintone.pushdown", "off", "off"),
            ("kintone.pushdown", "filter,COUNT", "filter, count"),
            ("kintone.max_requests", "50", "50"),
            ("kintone.concurrency", "2", "2"),
            ("client_encoding", "utf-8", "UTF8"),
            ("application_name", "psql", "psql"),
            ("application_name", "é", "??"),
            ("a.B", "x", "x"),
            ("role", "none", "none"),
            ("session_authorization", "demo", "demo"),
        ] {
            settings.set(name, value, false).unwrap_or_else(|error| panic!("{name} {value}: {error}"));
            assert_eq!(settings.show(name).as_deref(), Some(shown), "{name}");
        }
        assert_eq!(settings.planning.pushdown.to_string(), "filter, count");
        for (name, value, kind) in [
            ("nonsense", "1", Kind::UndefinedObject),
            ("kintone.nonsense", "1", Kind::UndefinedObject),
            ("datafusion.runtime.memory_limit", "1G", Kind::UndefinedObject),
            ("a.1", "1", Kind::InvalidName),
            ("timezone", "Mars", Kind::InvalidValue),
            ("client_encoding", "SJIS", Kind::Unsupported),
            ("bytea_output", "escape", Kind::Unsupported),
            ("IntervalStyle", "iso_8601", Kind::Unsupported),
            ("standard_conforming_strings", "off", Kind::Unsupported),
            ("server_version", "9", Kind::CannotChange),
            ("kintone.page_size", "501", Kind::InvalidValue),
            ("kintone.pushdown", "everything", Kind::InvalidValue),
            ("kintone.concurrency", "51", Kind::InvalidValue),
            ("role", "postgres", Kind::InvalidValue),
        ] {
            assert_eq!(settings.set(name, value, false).unwrap_err().kind, kind, "{name}");
        }
    }

    #[test]
    fn a_reset_takes_the_value_of_the_start() {
        let start = settings();
        let mut now = start.clone();
        now.set("TimeZone", "Asia/Tokyo", false).unwrap();
        now.set("work_mem", "1MB", false).unwrap();
        now.set("my.own", "1", false).unwrap();
        assert_eq!(start.reported_changes(&now), [("TimeZone".to_owned(), "Asia/Tokyo".to_owned())]);
        for name in ["TimeZone", "work_mem", "my.own"] {
            now.take(name, &start).unwrap();
        }
        assert_eq!(now.planning, start.planning);
        assert_eq!(now.show("work_mem").as_deref(), Some("4MB"));
        assert_eq!(now.show("my.own").as_deref(), Some(""));
        assert_eq!(now.take("nonsense", &start).unwrap_err().kind, Kind::UndefinedObject);
    }

    #[test]
    fn a_transaction_has_the_default_until_it_is_told_otherwise() {
        let mut settings = settings();
        settings.set("default_transaction_isolation", "serializable", false).unwrap();
        assert_eq!(settings.show("transaction_isolation").as_deref(), Some("serializable"));
        settings.set("transaction_isolation", "repeatable read", false).unwrap();
        assert_eq!(settings.show("transaction_isolation").as_deref(), Some("repeatable read"));
    }
}
