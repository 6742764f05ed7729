//! PostgreSQL 15's settings, from `sql/pg_catalog/pg_settings.csv`: names, defaults, who may change them, what they take.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::error::{Error, Kind, Result};

const LIST: &str = include_str!("../../../sql/pg_catalog/pg_settings.csv");

/// One setting.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) name: String,
    /// As `pg_settings` shows it: in the base unit.
    pub(crate) default: String,
    /// `ms`, `kB`, `8kB` ...; empty: none.
    pub(crate) unit: String,
    pub(crate) category: String,
    /// Who may change it, and when: `user`, `sighup`, `postmaster` ...
    pub(crate) context: String,
    /// `bool`, `integer`, `real`, `string`, `enum`.
    pub(crate) kind: String,
    pub(crate) min: String,
    pub(crate) max: String,
    /// What an enum takes.
    pub(crate) choices: Vec<String>,
}

/// All of them, ordered by name without regard to case.
pub(super) static ALL: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let mut reader = csv::ReaderBuilder::new().from_reader(LIST.as_bytes());
    let mut all: Vec<Known> = reader
        .records()
        .filter_map(Result::ok)
        .map(|row| {
            let field = |at: usize| row.get(at).unwrap_or_default().to_owned();
            let choices = field(8);
            let choices =
                if choices.is_empty() { vec![] } else { choices.split('|').map(str::to_owned).collect() };
            Known {
                name: field(0),
                default: field(1),
                unit: field(2),
                category: field(3),
                context: field(4),
                kind: field(5),
                min: field(6),
                max: field(7),
                choices,
            }
        })
        .collect();
    all.sort_by_key(|known| known.name.to_lowercase());
    all
});

static BY_NAME: LazyLock<HashMap<String, &'static Known>> =
    LazyLock::new(|| ALL.iter().map(|known| (known.name.to_lowercase(), known)).collect());

/// The setting of this name in lower case.
pub(super) fn find(lower: &str) -> Option<&'static Known> {
    BY_NAME.get(lower).copied()
}

/// A name that is on no list.
pub(crate) fn unknown(name: &str) -> Error {
    Error::new(Kind::UndefinedObject, format!("unrecognized configuration parameter \"{name}\""))
}

impl Known {
    /// Whether a client may change it; as a session starts it may change more.
    ///
    /// # Errors
    /// PostgreSQL's, by what the setting is for.
    pub(super) fn check_context(&self, at_start: bool) -> Result<()> {
        let why = match self.context.as_str() {
            "user" => return Ok(()),
            "backend" | "superuser-backend" if at_start => return Ok(()),
            "backend" | "superuser-backend" => "cannot be set after connection start",
            "postmaster" => "cannot be changed without restarting the server",
            "sighup" => "cannot be changed now",
            "superuser" => {
                let message = format!("permission denied to set parameter \"{}\"", self.name);
                return Err(Error::new(Kind::Forbidden, message));
            }
            _ => "cannot be changed",
        };
        Err(Error::new(Kind::CannotChange, format!("parameter \"{}\" {why}", self.name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_read() {
        assert!(ALL.len() > 350, "{}", ALL.len());
        assert_eq!(find("datestyle").unwrap().default, "ISO, MDY");
        assert_eq!(find("transaction_isolation").unwrap().choices.len(), 4);
        for known in ALL.iter() {
            assert!(
                ["bool", "integer", "real", "string", "enum"].contains(&known.kind.as_str()),
                "{known:?}"
            );
        }
    }

    #[test]
    fn who_may_change_what() {
        for (name, code) in [
            ("work_mem", None),
            ("port", Some(Kind::CannotChange)),
            ("fsync", Some(Kind::CannotChange)),
            ("server_version", Some(Kind::CannotChange)),
            ("log_connections", Some(Kind::CannotChange)),
            ("log_statement", Some(Kind::Forbidden)),
        ] {
            let result = find(name).unwrap().check_context(false);
            assert_eq!(result.err().map(|error| error.kind), code, "{name}");
        }
        assert!(find("ignore_system_indexes").unwrap().check_context(true).is_ok());
    }
}
