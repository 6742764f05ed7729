//! RECORD_NUMBER: `"12"`, or `"APPCODE-12"` where the app has a code.

use datafusion::scalar::ScalarValue;

use super::decode::TextDecoder;
use super::row;
use super::rule::{Comparison as C, Formula, Place, Predicate, PredicateKind as P, Rule};
use super::{Decoder, FieldColumn, FieldType, FormContext};
use crate::kintone::FieldProperties;
use crate::table::types::SqlType;

/// A text whose digits are the `$id`. Setting an app code changes all values, and how Kintone compares them then is
/// recalled only (K§3.5): so it is asked for the `$id`, and the text is compared here.
pub(crate) struct RecordNumber;

impl FieldType for RecordNumber {
    fn kintone_types(&self) -> &'static [&'static str] {
        &["RECORD_NUMBER"]
    }

    fn columns(&self, _: &FieldProperties) -> Vec<FieldColumn> {
        FieldColumn::value(SqlType::Text)
    }

    fn decoder(&self, _: &FieldProperties, _: &FormContext) -> Box<dyn Decoder> {
        Box::new(TextDecoder::default())
    }

    fn rules(&self, _: &FieldProperties, place: Place) -> &'static [Rule] {
        match place {
            Place::Record => {
                const {
                    &[
                        Rule::superset(
                            &[P::EQ, P::In],
                            "by the digits as `$id`; the app code is compared here (K§3.5)",
                        ),
                        Rule::no(
                            &[P::NOT_EQ, P::NotIn],
                            "the app code, of which the form tells nothing (K§3.5)",
                        ),
                        Rule::no(P::RANGES, "text in SQL, a number in Kintone (K§3.2)"),
                        Rule::no(P::NULLS, "never empty; NULL where the login may not view it (K§6)"),
                        Rule::no(P::LIKES, "no `like` on it (K§3.2)"),
                    ]
                }
            }
            Place::Row => &[],
        }
    }

    fn formula(&self, _: &FieldProperties, _: Place, predicate: &Predicate) -> Option<Formula> {
        let ids = match predicate {
            Predicate::Compare(C::Eq, value) => vec![id(value)?],
            Predicate::In(values) => values.iter().map(id).collect::<Option<Vec<_>>>()?,
            _ => return None,
        };
        Some(row::among("$id", ids.into_iter().flatten().collect()))
    }
}

/// The `$id` of a record number; `Some(None)` where no record has such a number.
fn id(value: &ScalarValue) -> Option<Option<String>> {
    let text = value.try_as_str().flatten()?;
    let digits = text.rsplit_once('-').map_or(text, |(_, digits)| digits);
    let is_number = digits.starts_with(|c: char| ('1'..='9').contains(&c))
        && digits.bytes().all(|b| b.is_ascii_digit())
        && digits.len() <= 18;
    Some(is_number.then(|| digits.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digits_are_the_id() {
        for (text, expect) in [
            ("12", Some("12")),
            ("DEALS-12", Some("12")),
            ("A-B-3", Some("3")),
            ("012", None),
            ("DEALS", None),
            ("", None),
            ("-", None),
            ("１２", None),
            ("1234567890123456789", None),
        ] {
            assert_eq!(id(&ScalarValue::from(text)), Some(expect.map(str::to_owned)), "{text}");
        }
    }
}
