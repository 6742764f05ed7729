//! What can only be said of the whole record, as it will be stored: required fields, the shortest length of a
//! text that was not sent, values that must not occur twice (K§4.2).

use std::collections::BTreeSet;

use super::super::field::{Field, Kind, Place};
use super::super::store::Stored;
use super::super::value::Value;
use super::draft::Draft;
use super::errors::Errors;
use super::value::too_short;

/// Notes what is wrong with a record. `is_taken` tells whether another record has a field's value.
pub(super) fn check(
    fields: &[Field],
    record: &Stored,
    draft: &Draft,
    is_taken: impl Fn(&Field, &Value) -> bool,
    errors: &mut Errors,
) {
    for field in fields {
        let Place::Cell(cell) = field.place else { continue };
        if draft.refused.contains(&cell) {
            continue;
        }
        let value = record.cells.get(cell).unwrap_or(&Value::Empty);
        unset(field, value, &draft.at, errors);
        if let Value::Rows(rows) = value {
            let sent = draft.tables.get(&cell);
            let none = BTreeSet::new();
            for (index, row) in rows.iter().enumerate() {
                let at = format!("{}.{}.value[{index}].value", draft.at, field.code);
                // Rows that were sent are the table's rows, in their order.
                let refused = sent.and_then(|sent| sent.get(index)).map_or(&none, |sent| &sent.refused);
                for (place, column) in field.columns.iter().enumerate() {
                    if !refused.contains(&place) {
                        unset(column, row.cells.get(place).unwrap_or(&Value::Empty), &at, errors);
                    }
                }
            }
        }
        if must_be_unique(field) && *value != Value::Empty && is_taken(field, value) {
            let key = format!("{}.{}.value", draft.at, field.code);
            errors.add(key, "This value already exists in another record.");
        }
    }
}

/// Only these types can be unique.
pub(super) fn must_be_unique(field: &Field) -> bool {
    let can_be =
        matches!(field.kind, Kind::SingleLineText | Kind::Number | Kind::Link | Kind::Date | Kind::DateTime);
    can_be && field.flag("unique")
}

fn unset(field: &Field, value: &Value, at: &str, errors: &mut Errors) {
    if *value != Value::Empty {
        return;
    }
    let enforced = !matches!(field.kind, Kind::Calc | Kind::RadioButton | Kind::Subtable);
    if enforced && field.flag("required") {
        errors.add(format!("{at}.{}.{}", field.code, suffix(field)), "Required.");
    } else if let Some(message) = too_short(field, 0) {
        errors.add(format!("{at}.{}.value", field.code), message);
    }
}

fn suffix(field: &Field) -> &'static str {
    match field.kind {
        Kind::CheckBox | Kind::MultiSelect | Kind::File => "values",
        Kind::UserSelect | Kind::OrganizationSelect | Kind::GroupSelect => "values.value",
        _ => "value",
    }
}
