//! Kintone's order by a field, where it is SQL's.

use super::rule::Formula;

/// Kintone sorts the empty ones below all others (K§3.7); which records those are can be asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Order {
    /// Precisely the records with a value. `None`: Kintone cannot be asked.
    pub filled: Option<Formula>,
    /// Precisely the records without.
    pub empty: Option<Formula>,
}

impl Order {
    /// Of a field that no record lacks.
    pub(crate) fn never_empty() -> Self {
        Self { filled: Some(Formula::All), empty: Some(Formula::Nothing) }
    }
}
