//! What a statement needs to know of the apps before the catalog can answer it.
//!
//! A form costs requests, and a connection may have thousands, so that a statement reads those that its rows are made
//! of and no other. It is decided by the statement's tree alone:
//! - Relations and functions that tell nothing of tables (`pg_type`, `version()`) need nothing, not even the list of
//!   apps.
//! - Relations that list tables (`pg_class`, `pg_tables`, `information_schema.tables`) need the list. Table fields and
//!   list views are tables too, and only forms tell of them: where many forms are not known the list is given as far
//!   as it is known, with a notice.
//! - Types (`pg_type`) need the list: the rows of each table have one. Those of table fields and list views are there
//!   once their forms are known.
//! - Every other relation needs forms: of the tables that its rows are of, where the conditions that are joined by AND
//!   say which (`attrelid = 16400`, `c.relname ~ '^(customers)$' AND a.attrelid = c.oid`); else of all. A parameter
//!   counts as a literal, and is put in when the statement runs.
//!
//! Takes: a syntax tree as the client wrote it. Gives: a [`Need`]. No I/O. When in doubt more is read.

mod condition;
mod pattern;
mod relation;
mod statement;
mod value;

use std::collections::BTreeSet;

use datafusion::scalar::ScalarValue;

pub(super) use pattern::Pattern;

/// What has to be known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Need {
    /// Whether it names the catalog at all.
    catalog: bool,
    /// The names of apps.
    names: bool,
    /// Tables are listed that no condition names.
    pub(super) lists: bool,
    /// Every form.
    pub(super) all: bool,
    /// The list views too.
    pub(super) views: bool,
    /// It is a view of the settings, which cannot tell of itself.
    of_view: bool,
    /// The tables that it names.
    pub(super) pins: BTreeSet<Pin>,
}

/// A table that a statement names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pin {
    /// By the oid of it, of its key or of its index.
    Oid(i64),
    /// By a name, or by a pattern.
    Name(Pattern),
    /// By the value of `$n`, n from 1.
    Parameter {
        /// n
        number: usize,
        /// What the value is.
        is: Is,
        /// For a relation that lists tables: a wide pattern is a list there.
        in_list: bool,
    },
}

/// What a value that names a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Is {
    /// An oid, or a name with or without its schema where an oid can be written so.
    Oid,
    /// The exact name.
    Name,
    /// A pattern of LIKE.
    Like,
    /// A regular expression.
    Regex,
}

impl Need {
    /// Everything that there is.
    pub(crate) fn everything() -> Self {
        Self { catalog: true, names: true, lists: true, all: true, views: true, ..Self::default() }
    }

    /// Whether the catalog is read at all.
    pub(crate) fn reads_catalog(&self) -> bool {
        self.catalog
    }

    /// Whether tables are told of.
    pub(super) fn reads_tables(&self) -> bool {
        self.names || self.lists || self.all || !self.pins.is_empty()
    }

    /// Whether it is a view of the settings.
    pub(super) fn is_of_view(&self) -> bool {
        self.of_view
    }

    /// The same for a view of the settings.
    pub(super) fn of_own_view(mut self) -> Self {
        self.of_view = true;
        self
    }

    /// What both need.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.catalog |= other.catalog;
        self.names |= other.names;
        self.lists |= other.lists;
        self.all |= other.all;
        self.views |= other.views;
        self.pins.extend(other.pins);
        self
    }

    /// With the values of the parameters, as many as they are; those that are not there yet need nothing yet.
    pub(super) fn with(&self, parameters: &[ScalarValue]) -> Self {
        let mut bound = Self { pins: BTreeSet::new(), ..self.clone() };
        for pin in &self.pins {
            let Pin::Parameter { number, is, in_list } = pin else {
                bound.pins.insert(pin.clone());
                continue;
            };
            let Some(value) = number.checked_sub(1).and_then(|at| parameters.get(at)) else { continue };
            let is_wide = |pin: &Pin| matches!(pin, Pin::Name(pattern) if !pattern.is_narrow());
            match value::pins_of_scalar(value, *is) {
                Some(pins) if *in_list && pins.iter().any(is_wide) => bound.lists = true,
                Some(pins) => bound.pins.extend(pins),
                None if *in_list => bound.lists = true,
                None => bound.all = true,
            }
        }
        bound
    }
}
