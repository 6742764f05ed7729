//! Kintone's order by a field, where it is SQL's.

use super::rule::Formula;

/// Kintone's order of the records with a value is SQL's. Where the empty ones stand is another matter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Order {
    /// Whether it is measured that the empty ones come first where the order ascends, last where it descends.
    pub empties_first: bool,
    /// Precisely the records with a value. `None`: Kintone cannot be asked.
    pub filled: Option<Formula>,
    /// Precisely the records without.
    pub empty: Option<Formula>,
}

impl Order {
    /// Of a field that no record lacks.
    pub(crate) fn never_empty() -> Self {
        Self { empties_first: true, filled: Some(Formula::All), empty: Some(Formula::Nothing) }
    }
}
