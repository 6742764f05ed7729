//! What we know of each Kintone field type, one file each: its SQL type, how its values are read, and which
//! predicates Kintone can answer for it, how exactly.
//!
//! Takes: a field's definition. Gives: columns, a decoder, conditions. A new type is a new file and one line in
//! [`FIELD_TYPES`]. Absent on purpose: anything about paging, planning or the wire.

mod calc;
mod category;
mod choice;
mod creator;
mod date;
mod datetime;
mod decode;
mod file;
mod id;
mod link;
mod multi_choice;
mod multi_line_text;
mod native;
mod number;
mod order;
mod record_number;
mod rich_text;
mod row;
mod rule;
mod status;
mod subtable;
mod text;
mod time;
mod user;

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use chrono_tz::Tz;

pub(crate) use decode::{Decoder, Text, append_json};
pub(crate) use native::{Call, Native};
pub(crate) use order::Order;
pub(crate) use rule::{Answer, Comparison, Formula, Place, Predicate, PredicateKind, Rule};

use super::types::SqlType;
use crate::kintone::FieldProperties;

/// What a field's columns depend on besides its own definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormContext {
    /// Digits after the point of every number of the app (see [`number_scale`]).
    pub scale: i8,
    /// The zone that timestamptz columns carry, so that literals without a zone are read in it.
    pub time_zone: Tz,
    /// Columns are named by label instead of field code.
    pub by_label: bool,
}

impl FormContext {
    /// The Arrow type of a column. Only numbers and instants depend on the context.
    pub(crate) fn data_type(&self, sql_type: &SqlType) -> DataType {
        match sql_type {
            SqlType::Numeric => DataType::Decimal128(38, self.scale),
            SqlType::TimestampTz => {
                DataType::Timestamp(TimeUnit::Microsecond, Some(self.time_zone.name().into()))
            }
            // As the planner reads TIME '...': it compares no other unit with it.
            SqlType::Time => DataType::Time64(TimeUnit::Nanosecond),
            other => other.data_type(),
        }
    }
}

/// A column that a field makes: the first bears the field's code, the next are companions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldColumn {
    /// Appended to the field's code: `""`, `_name`, `_names`.
    pub suffix: &'static str,
    pub sql_type: SqlType,
    pub nullable: bool,
}

impl FieldColumn {
    pub(crate) fn value(sql_type: SqlType) -> Vec<Self> {
        vec![Self { suffix: "", sql_type, nullable: true }]
    }

    /// An array: empty where the field is empty, never NULL.
    pub(crate) fn list() -> Vec<Self> {
        vec![Self { suffix: "", sql_type: SqlType::Array(Box::new(SqlType::Text)), nullable: false }]
    }
}

/// Everything that differs from one field type to the next.
pub(crate) trait FieldType: Send + Sync {
    /// Kintone's names of it.
    fn kintone_types(&self) -> &'static [&'static str];

    /// The columns of such a field.
    fn columns(&self, field: &FieldProperties) -> Vec<FieldColumn>;

    /// Reads its values into arrays, one for each of `columns`.
    fn decoder(&self, field: &FieldProperties, context: &FormContext) -> Box<dyn Decoder>;

    /// What Kintone answers to each predicate on the first column, and why: every predicate that such a column takes
    /// ([`PredicateKind::of`]) in one rule. Empty where the type does not stand in that place.
    fn rules(&self, field: &FieldProperties, place: Place) -> &'static [Rule];

    /// The formats that decide about a field's type, where they do.
    fn formats(&self) -> &'static [&'static str] {
        &[]
    }

    /// Kintone's order by it, where that is the order of the first column.
    fn order(&self, _: &FieldProperties) -> Option<Order> {
        None
    }

    /// Whether a value is one of the form's options, each of which can be asked for.
    fn is_one_choice(&self) -> bool {
        false
    }

    /// What only Kintone can answer, in its words; `None` where this type of field has no such predicate (K§3.2,
    /// K§3.4).
    fn native(&self, _: &FieldProperties, _: &Native) -> Option<Formula> {
        None
    }

    /// The predicate in Kintone's words; `None` where this literal cannot be said in them.
    fn formula(&self, _: &FieldProperties, _: Place, _: &Predicate) -> Option<Formula> {
        None
    }
}

/// Every field type, one line each.
pub(crate) const FIELD_TYPES: &[&dyn FieldType] = &[
    &id::Id,
    &id::Revision,
    &record_number::RecordNumber,
    &text::Text,
    &link::Link,
    &multi_line_text::MultiLineText,
    &rich_text::RichText,
    &number::Number,
    &calc::Calc,
    &choice::RadioButton,
    &choice::DropDown,
    &multi_choice::MultiChoice,
    &category::Category,
    &date::Date,
    &time::Time,
    &datetime::Datetime,
    &datetime::SystemTime,
    &user::UserSelect,
    &creator::Creator,
    &status::Status,
    &file::File,
    &subtable::Subtable,
];

/// Types without a value in a record (K§4.1).
const WITHOUT_VALUE: &[&str] = &["REFERENCE_TABLE", "GROUP", "LABEL", "SPACER", "HR"];

/// The knowledge about a field. A type that Kintone may add one day is shown as JSON and never pushed down.
/// `None`: the field has no value in a record.
pub(crate) fn field_type(kintone_type: &str) -> Option<&'static dyn FieldType> {
    if WITHOUT_VALUE.contains(&kintone_type) {
        return None;
    }
    let known = FIELD_TYPES.iter().find(|t| t.kintone_types().contains(&kintone_type));
    Some(known.copied().unwrap_or(&subtable::UnknownType))
}

/// The field types of Kintone that have a column of their own, by Kintone's names.
pub fn field_type_names() -> impl Iterator<Item = &'static str> {
    FIELD_TYPES.iter().flat_map(|t| t.kintone_types()).copied()
}

/// Digits after the point of an app's numbers: 10, the most that Kintone keeps, or less where the digits before
/// the point leave no room in 38 (K§3.5: at most 30 digits, `decimal_places` of them after the point).
#[must_use]
pub fn number_scale(digits: u8, decimal_places: u8) -> i8 {
    let integer = i8::try_from(digits.saturating_sub(decimal_places)).unwrap_or(30);
    (38 - integer).clamp(0, 10)
}

/// `$id` as a field definition, so that it goes the way of every field.
pub(crate) fn system_field(kintone_type: &str, code: &str) -> Arc<FieldProperties> {
    Arc::new(FieldProperties {
        kind: kintone_type.to_owned(),
        code: code.to_owned(),
        label: code.to_owned(),
        enabled: true,
        ..FieldProperties::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scale_leaves_room_for_the_integer_digits() {
        assert_eq!(number_scale(16, 4), 10);
        assert_eq!(number_scale(30, 4), 10);
        assert_eq!(number_scale(30, 0), 8);
        assert_eq!(number_scale(30, 10), 10);
    }

    #[test]
    fn each_type_is_known_once() {
        let mut names: Vec<_> = FIELD_TYPES.iter().flat_map(|t| t.kintone_types()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn an_unknown_type_is_shown_as_json() {
        let t = field_type("HOLOGRAM").unwrap();
        assert_eq!(t.columns(&FieldProperties::default())[0].sql_type, SqlType::Jsonb);
        assert!(field_type("LABEL").is_none());
    }
}
