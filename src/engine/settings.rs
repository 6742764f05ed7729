//! What a client may set, for itself alone: a closed list.

use std::time::Duration;

use chrono_tz::Tz;

use crate::error::{Error, Kind, Result};
use crate::table::Rules;

/// One session's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    pub time_zone: Tz,
    /// `None`: no limit.
    pub statement_timeout: Option<Duration>,
    pub search_path: Vec<String>,
    pub pushdown: Rules,
    pub max_requests: Option<u64>,
    pub page_size: u32,
    /// Requests of one scan at once; the connection's own bound holds besides.
    pub concurrency: usize,
    /// Settings that are kept and shown back, and change nothing here.
    kept: Vec<(&'static str, String)>,
}

/// Kept and shown back: name, default, the values that are taken (empty: any).
const KEPT: &[(&str, &str, &[&str])] = &[
    ("application_name", "", &[]),
    ("client_encoding", "UTF8", &["utf8", "utf-8", "unicode"]),
    ("client_min_messages", "notice", &[]),
    ("DateStyle", "ISO, MDY", &["iso", "iso, mdy", "iso,mdy", "iso, ymd", "iso, dmy"]),
    ("extra_float_digits", "1", &[]),
    ("IntervalStyle", "postgres", &["postgres"]),
    ("standard_conforming_strings", "on", &["on", "true", "1", "yes"]),
    ("transaction_isolation", "read committed", &[]),
    ("default_transaction_isolation", "read committed", &[]),
    ("transaction_read_only", "on", &[]),
    ("default_transaction_read_only", "on", &[]),
    ("row_security", "on", &[]),
    ("lock_timeout", "0", &[]),
    ("idle_in_transaction_session_timeout", "0", &[]),
    ("jit", "off", &[]),
    ("bytea_output", "hex", &["hex"]),
    ("synchronize_seqscans", "on", &[]),
    ("default_table_access_method", "heap", &[]),
    ("default_tablespace", "", &[]),
    ("xmloption", "content", &[]),
];

/// Only shown.
const FIXED: &[(&str, &str)] = &[
    ("server_version", SERVER_VERSION),
    ("server_version_num", "150000"),
    ("server_encoding", "UTF8"),
    ("integer_datetimes", "on"),
    ("is_superuser", "off"),
    ("max_identifier_length", "255"),
    ("max_index_keys", "32"),
    ("lc_collate", "C"),
    ("lc_ctype", "C"),
    ("in_hot_standby", "off"),
];

/// The version of PostgreSQL whose behaviour clients find here.
const SERVER_VERSION: &str = "15.0";

/// A client hears of changes of these without asking (PostgreSQL's ParameterStatus).
const REPORTED: &[&str] = &["application_name", "client_encoding", "DateStyle", "IntervalStyle", "TimeZone"];

impl Settings {
    pub(super) fn new(time_zone: Tz, page_size: u32) -> Self {
        Self {
            time_zone,
            statement_timeout: None,
            search_path: vec!["public".into()],
            pushdown: Rules::ON,
            max_requests: None,
            page_size,
            concurrency: 10,
            kept: vec![],
        }
    }

    /// The value as SHOW gives it.
    pub(super) fn show(&self, name: &str) -> Option<String> {
        Some(match name.to_lowercase().as_str() {
            "timezone" | "time zone" => self.time_zone.name().to_owned(),
            "statement_timeout" => match self.statement_timeout {
                None => "0".into(),
                Some(d) if d.subsec_millis() == 0 => format!("{}s", d.as_secs()),
                Some(d) => format!("{}ms", d.as_millis()),
            },
            "search_path" => self.search_path.join(", "),
            "kintone.pushdown" => self.pushdown.to_string(),
            "kintone.max_requests" => self.max_requests.map_or_else(|| "0".into(), |n| n.to_string()),
            "kintone.page_size" => self.page_size.to_string(),
            "kintone.concurrency" => self.concurrency.to_string(),
            lower => {
                let kept =
                    self.kept.iter().find(|(n, _)| n.eq_ignore_ascii_case(lower)).map(|(_, v)| v.clone());
                let default =
                    || KEPT.iter().find(|(n, ..)| n.eq_ignore_ascii_case(lower)).map(|(_, v, _)| (*v).into());
                let fixed =
                    || FIXED.iter().find(|(n, _)| n.eq_ignore_ascii_case(lower)).map(|(_, v)| (*v).into());
                return kept.or_else(default).or_else(fixed);
            }
        })
    }

    /// Every setting with its value, by name.
    pub(super) fn all(&self) -> Vec<(String, String)> {
        let ours = [
            "TimeZone",
            "statement_timeout",
            "search_path",
            "kintone.pushdown",
            "kintone.max_requests",
            "kintone.page_size",
            "kintone.concurrency",
        ];
        let names =
            ours.into_iter().chain(KEPT.iter().map(|(n, ..)| *n)).chain(FIXED.iter().map(|(n, _)| *n));
        let mut all: Vec<_> = names.filter_map(|n| Some((n.to_owned(), self.show(n)?))).collect();
        all.sort_by_key(|(n, _)| n.to_lowercase());
        all
    }

    /// Takes a value as SET gives it; the name and value that a client is told of, where it is.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<Option<(String, String)>> {
        // Some clients quote a start-up setting as SET would have it.
        let value = value.strip_prefix('\'').and_then(|v| v.strip_suffix('\'')).unwrap_or(value);
        let wrong = |takes: &str| {
            let message = format!("invalid value for parameter \"{name}\": \"{value}\"");
            Err(Error::new(Kind::InvalidValue, message).with_hint(format!("It takes {takes}.")))
        };
        match name.to_lowercase().as_str() {
            "timezone" | "time zone" => match zone(value) {
                Some(zone) => self.time_zone = zone,
                None => return wrong("the name of a time zone, such as Asia/Tokyo"),
            },
            "statement_timeout" => match duration(value) {
                Some(limit) => self.statement_timeout = (!limit.is_zero()).then_some(limit),
                None => return wrong("milliseconds, or a number with ms, s or min"),
            },
            "search_path" => {
                let parts = value.split(',').map(|p| p.trim().trim_matches('"').to_owned());
                self.search_path = parts.filter(|p| !p.is_empty() && p != "$user").collect();
            }
            "kintone.pushdown" => match value.parse() {
                Ok(rules) => self.pushdown = rules,
                Err(()) => {
                    let names: Vec<_> = Rules::names().collect();
                    return wrong(&format!("on, off, or a list of {}", names.join(", ")));
                }
            },
            "kintone.max_requests" => match value.trim().parse() {
                Ok(limit) => self.max_requests = Some(limit).filter(|n| *n > 0),
                Err(_) => return wrong("a number of requests; 0 is no limit"),
            },
            "kintone.page_size" => match value.trim().parse() {
                Ok(size @ 1..=500) => self.page_size = size,
                _ => return wrong("1 to 500"),
            },
            "kintone.concurrency" => match value.trim().parse() {
                Ok(requests @ 1..=50) => self.concurrency = requests,
                _ => return wrong("1 to 50 requests at once; the connection may allow fewer"),
            },
            lower => return self.keep(name, lower, value),
        }
        Ok(self.reported(name))
    }

    fn keep(&mut self, name: &str, lower: &str, value: &str) -> Result<Option<(String, String)>> {
        let Some((name, _, takes)) = KEPT.iter().find(|(n, ..)| n.eq_ignore_ascii_case(lower)) else {
            if FIXED.iter().any(|(n, _)| n.eq_ignore_ascii_case(lower)) {
                return Err(Error::new(
                    Kind::InvalidValue,
                    format!("parameter \"{name}\" cannot be changed"),
                ));
            }
            return Err(unknown(name));
        };
        if !takes.is_empty() && !takes.contains(&value.trim().to_lowercase().as_str()) {
            let message = format!("invalid value for parameter \"{name}\": \"{value}\"");
            return Err(
                Error::new(Kind::InvalidValue, message).with_hint(format!("It takes {}.", takes.join(" | ")))
            );
        }
        let value = if takes.is_empty() { value.to_owned() } else { canonical(name, value) };
        self.kept.retain(|(n, _)| n != name);
        self.kept.push((name, value));
        Ok(self.reported(name))
    }

    /// These, with the values of `names` as they are in `other`.
    pub(super) fn with(&self, other: &Self, names: &[String]) -> Self {
        let mut out = self.clone();
        for name in names {
            if let Some(value) = other.show(name) {
                // What was shown can be set.
                let _ = out.set(name, &value);
            }
        }
        out
    }

    /// What a client is told where these become `next`.
    pub(super) fn reported_changes(&self, next: &Self) -> Vec<(String, String)> {
        let changed = |name: &&&str| self.show(name) != next.show(name);
        let told = REPORTED.iter().filter(changed);
        told.filter_map(|name| Some(((*name).to_owned(), next.show(name)?))).collect()
    }

    fn reported(&self, name: &str) -> Option<(String, String)> {
        let name = REPORTED.iter().find(|n| n.eq_ignore_ascii_case(name))?;
        Some(((*name).to_owned(), self.show(name)?))
    }
}

/// The values of the closed sets are shown back in PostgreSQL's spelling.
fn canonical(name: &str, value: &str) -> String {
    match name {
        "client_encoding" => "UTF8".into(),
        "DateStyle" if value.to_lowercase().contains("ymd") => "ISO, YMD".into(),
        "DateStyle" if value.to_lowercase().contains("dmy") => "ISO, DMY".into(),
        "DateStyle" => "ISO, MDY".into(),
        "standard_conforming_strings" => "on".into(),
        _ => value.trim().to_lowercase(),
    }
}

/// A name that is on no list.
pub(super) fn unknown(name: &str) -> Error {
    Error::new(Kind::UndefinedObject, format!("unrecognized configuration parameter \"{name}\""))
}

fn zone(value: &str) -> Option<Tz> {
    let name = value.trim();
    if ["utc", "gmt", "z"].contains(&name.to_lowercase().as_str()) {
        return Some(Tz::UTC);
    }
    chrono_tz::TZ_VARIANTS.iter().find(|tz| tz.name().eq_ignore_ascii_case(name)).copied()
}

fn duration(value: &str) -> Option<Duration> {
    let value = value.trim().to_lowercase();
    let split = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let number: u64 = value[..split].parse().ok()?;
    match value[split..].trim() {
        "" | "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "min" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_and_show() {
        let mut settings = Settings::new(Tz::UTC, 500);
        for (name, value, shown) in [
            ("timezone", "asia/tokyo", "Asia/Tokyo"),
            ("TimeZone", "UTC", "UTC"),
            ("statement_timeout", "1500", "1500ms"),
            ("statement_timeout", "2min", "120s"),
            ("statement_timeout", "0", "0"),
            ("search_path", "\"$user\", public", "public"),
            ("kintone.pushdown", "off", "off"),
            ("kintone.pushdown", "filter,COUNT", "filter, count"),
            ("kintone.max_requests", "50", "50"),
            ("kintone.concurrency", "2", "2"),
            ("client_encoding", "utf-8", "UTF8"),
            ("client_encoding", "'utf-8'", "UTF8"),
            ("application_name", "psql", "psql"),
        ] {
            settings.set(name, value).unwrap();
            assert_eq!(settings.show(name).as_deref(), Some(shown), "{name}");
        }
        for (name, value, kind) in [
            ("nonsense", "1", Kind::UndefinedObject),
            ("datafusion.runtime.memory_limit", "1G", Kind::UndefinedObject),
            ("timezone", "Mars", Kind::InvalidValue),
            ("client_encoding", "SJIS", Kind::InvalidValue),
            ("server_version", "9", Kind::InvalidValue),
            ("kintone.page_size", "501", Kind::InvalidValue),
            ("kintone.pushdown", "everything", Kind::InvalidValue),
            ("kintone.concurrency", "51", Kind::InvalidValue),
        ] {
            assert_eq!(settings.set(name, value).unwrap_err().kind, kind, "{name}");
        }
    }
}
