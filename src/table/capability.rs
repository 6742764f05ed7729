//! The capability table as documentation: for each field type and each predicate what Kintone answers, and why.
//!
//! Takes nothing but the field types themselves: what is shown is what decides.

use super::field::{Answer, FIELD_TYPES, Place, PredicateKind};
use crate::kintone::FieldProperties;

/// How a predicate is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Kintone returns precisely the rows.
    Exact,
    /// Kintone returns at least the rows, and they are filtered again.
    Rechecked,
    /// Kintone is not asked.
    Local,
}

impl Verdict {
    /// As EXPLAIN has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Rechecked => "rechecked",
            Self::Local => "local",
        }
    }
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capability {
    /// In SQL.
    pub predicate: String,
    /// How it is answered.
    pub verdict: Verdict,
    /// The reason, with the section of the fact sheet.
    pub why: &'static str,
}

/// The rows of one kind of column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// Kintone's names of the field types.
    pub field_types: Vec<&'static str>,
    /// Of fields whose format decides about their type.
    pub format: Option<&'static str>,
    /// The column's type in SQL.
    pub sql_type: String,
    /// It is a column of a table field.
    pub in_table: bool,
    /// Each predicate that such a column takes, once.
    pub rows: Vec<Capability>,
}

/// The whole table, in the order of the field types.
#[must_use]
pub fn capabilities() -> Vec<Capabilities> {
    let mut out = vec![];
    for field_type in FIELD_TYPES {
        let formats = field_type.formats();
        let formats =
            if formats.is_empty() { vec![None] } else { formats.iter().copied().map(Some).collect() };
        for format in formats {
            let field = FieldProperties { format: format.map(str::to_owned), ..FieldProperties::default() };
            let Some(column) = field_type.columns(&field).into_iter().next() else { continue };
            for place in [Place::Record, Place::Row] {
                let rules = field_type.rules(&field, place);
                let row = |kind: &PredicateKind| {
                    let rule = rules.iter().find(|rule| rule.predicates.contains(kind))?;
                    let verdict = match rule.answer {
                        Answer::Exact => Verdict::Exact,
                        Answer::Superset => Verdict::Rechecked,
                        Answer::No => Verdict::Local,
                    };
                    Some(Capability { predicate: kind.to_string(), verdict, why: rule.why })
                };
                let rows: Vec<_> = PredicateKind::of(&column.sql_type).iter().filter_map(row).collect();
                if !rows.is_empty() {
                    out.push(Capabilities {
                        field_types: field_type.kintone_types().to_vec(),
                        format,
                        sql_type: column.sql_type.name(),
                        in_table: place == Place::Row,
                        rows,
                    });
                }
            }
        }
    }
    out
}

/// What becomes of the predicates that are no comparison of one column with literals, whatever the field's type.
pub const OTHER_PREDICATES: &[(&str, &str)] = &[
    ("x BETWEEN a AND b", "as x >= a AND x <= b"),
    ("x = ANY (array), x <> ALL (array)", "as IN, NOT IN"),
    ("x LIKE p without % and _", "as ="),
    ("x IS DISTINCT FROM a", "as x <> a OR x IS NULL; IS NOT DISTINCT FROM as ="),
    ("cardinality(x) = 0, > 0", "as = '{}', <> '{}'"),
    ("p AND q", "each that Kintone answers; exact where both are"),
    ("p OR q", "whole or not at all; exact where both are"),
    ("NOT p", "brought down to the columns, so that NULL stays NULL"),
    ("p IS [NOT] TRUE, FALSE, UNKNOWN", "as p, NOT p and IS NULL"),
    ("CASE, coalesce, nullif", "each branch with its condition, up to 8 branches"),
    ("t::date = d (t an instant)", "a range of instants of the session's zone; 1970 to 9998"),
    ("d::timestamp = t (d a date)", "as a comparison of days"),
    ("extract(year FROM d) = n", "as a range"),
    ("functions of literals", "evaluated before anything is asked"),
    ("a literal NULL", "no row, and no request"),
    ("functions of columns, two columns", "local"),
    ("lists", "to 2,000 values, dates and times to 100; longer: local"),
    ("x_name, x_names, RowId, RowIndex", "local: Kintone has no such field"),
    ("a field whose code is a keyword", "local: codes cannot be quoted (K§3.1)"),
];

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::table::field::FieldType;

    /// Every place of every type, with the rules of each format.
    fn each(check: impl Fn(&dyn FieldType, Option<&str>, Place)) {
        for field_type in FIELD_TYPES {
            let formats = field_type.formats().iter().copied().map(Some);
            for format in formats.chain([None]) {
                check(*field_type, format, Place::Record);
                check(*field_type, format, Place::Row);
            }
        }
    }

    #[test]
    fn each_predicate_of_each_type_has_one_rule_with_a_reason() {
        each(|field_type, format, place| {
            let field = FieldProperties { format: format.map(str::to_owned), ..FieldProperties::default() };
            let sql_type = field_type.columns(&field)[0].sql_type.clone();
            let mut found: HashMap<PredicateKind, usize> = HashMap::new();
            let rules = field_type.rules(&field, place);
            for rule in rules {
                assert!(!rule.why.is_empty());
                rule.predicates.iter().for_each(|kind| *found.entry(*kind).or_default() += 1);
            }
            let types = field_type.kintone_types();
            if rules.is_empty() {
                assert_eq!(place, Place::Row, "{types:?}");
                return;
            }
            for kind in PredicateKind::of(&sql_type) {
                assert_eq!(found.remove(kind), Some(1), "{types:?} {format:?} {place:?}: {kind}");
            }
            assert!(found.is_empty(), "{types:?} {format:?} {place:?}: {found:?} on {sql_type:?}");
        });
    }

    /// K§4.3: what the form of a table may hold.
    #[test]
    fn the_types_of_tables_are_kintones() {
        let mut in_tables: Vec<_> =
            capabilities().into_iter().filter(|c| c.in_table).flat_map(|c| c.field_types).collect();
        in_tables.dedup();
        let expect = [
            "SINGLE_LINE_TEXT",
            "LINK",
            "MULTI_LINE_TEXT",
            "RICH_TEXT",
            "NUMBER",
            "CALC",
            "RADIO_BUTTON",
            "DROP_DOWN",
            "CHECK_BOX",
            "MULTI_SELECT",
            "DATE",
            "TIME",
            "DATETIME",
            "USER_SELECT",
            "ORGANIZATION_SELECT",
            "GROUP_SELECT",
            "STATUS_ASSIGNEE",
            "FILE",
        ];
        assert_eq!(in_tables, expect);
    }

    /// A condition on a table's column finds records: it cannot be exact of rows.
    #[test]
    fn nothing_is_exact_in_a_table() {
        for table in capabilities().iter().filter(|c| c.in_table) {
            assert!(table.rows.iter().all(|row| row.verdict != Verdict::Exact), "{:?}", table.field_types);
        }
    }

    #[test]
    fn reasons_cite_the_fact_sheet_in_a_line() {
        for row in capabilities().iter().flat_map(|c| &c.rows) {
            let shown = row.why.chars().count();
            assert!(shown <= 72, "{shown} letters: {}", row.why);
            let cites = row.why.contains("(K§");
            assert!(cites || row.why.starts_with("never NULL"), "{}", row.why);
        }
    }
}
