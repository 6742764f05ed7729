//! SINGLE_LINE_TEXT.

use datafusion::scalar::ScalarValue;

use super::decode::TextDecoder;
use super::rule::{Formula, Place, Predicate, PredicateKind as P, Rule};
use super::{Decoder, FieldColumn, FieldType, FormContext, Native, Order, id, native, row};
use crate::kintone::{Condition, FieldProperties};
use crate::table::types::SqlType;

/// One line of text. No range operators in Kintone (K§3.2).
pub(crate) struct Text;

const SEARCH: Rule = Rule::no(P::LIKES, "`like` is a search for words, over an index that lags (K§3.6)");
const RANGES: Rule = Rule::no(P::RANGES, "no range operators on text (K§3.2)");
const DIFFERS: &str = "where `=` finds too many, `!=` finds too few (K§10.1)";

/// Whether Kintone's `=` on text minds case, width and trailing blanks is unknown (K§10.1). If it does not, `=`
/// finds too many and `!=` too few: so `=` is rechecked, and `!=` never sent.
pub(super) fn rules(place: Place) -> &'static [Rule] {
    match place {
        Place::Record => {
            const {
                &[
                    Rule::superset(&[P::EQ, P::In], "case, width and trailing blanks unknown (K§10.1)"),
                    Rule::no(&[P::NOT_EQ, P::NotIn], DIFFERS),
                    RANGES,
                    Rule::superset(&[P::IsNull], "blank text may count as empty (K§10.1)"),
                    Rule::no(&[P::IsNotNull], "`!= \"\"` may lose blank text (K§10.1)"),
                    SEARCH,
                ]
            }
        }
        Place::Row => {
            const {
                &[
                    Rule::superset(&[P::EQ, P::In], row::IN),
                    Rule::no(&[P::NOT_EQ, P::NotIn], row::NEGATED),
                    RANGES,
                    Rule::no(P::NULLS, row::NULLS),
                    SEARCH,
                ]
            }
        }
    }
}

/// By code point, as SQL's here, the empty ones first (K§3.7). Which ones are empty cannot be asked for.
pub(super) const ORDER: Order = Order { empties_first: true, filled: None, empty: None };

impl FieldType for Text {
    fn kintone_types(&self) -> &'static [&'static str] {
        &["SINGLE_LINE_TEXT"]
    }

    fn columns(&self, _: &FieldProperties) -> Vec<FieldColumn> {
        FieldColumn::value(SqlType::Text)
    }

    fn decoder(&self, _: &FieldProperties, _: &FormContext) -> Box<dyn Decoder> {
        Box::new(TextDecoder::default())
    }

    fn rules(&self, _: &FieldProperties, place: Place) -> &'static [Rule] {
        rules(place)
    }

    fn order(&self, _: &FieldProperties) -> Option<Order> {
        Some(ORDER)
    }

    fn native(&self, field: &FieldProperties, native: &Native) -> Option<Formula> {
        native::word(field, native)
    }

    fn formula(&self, field: &FieldProperties, place: Place, predicate: &Predicate) -> Option<Formula> {
        formula(field, place, predicate)
    }
}

/// Text conditions; also those of LINK.
pub(super) fn formula(field: &FieldProperties, place: Place, predicate: &Predicate) -> Option<Formula> {
    match (place, predicate) {
        (Place::Record, Predicate::IsNull) => Some(id::emptiness(&field.code, true)),
        (_, Predicate::Compare(_, value)) if is_empty(value) => Some(Formula::Nothing),
        (_, Predicate::In(values)) => {
            let values = values.iter().filter(|value| !is_empty(value)).map(literal);
            Some(row::among(&field.code, values.collect::<Option<_>>()?))
        }
        (Place::Record, other) => id::formula(&field.code, other, &literal),
        (Place::Row, other) => row::formula(&field.code, other, &literal),
    }
}

/// `''` equals no text of Kintone: empty text is NULL.
fn is_empty(value: &ScalarValue) -> bool {
    value.try_as_str().flatten() == Some("")
}

/// A text literal, where Kintone's grammar can carry it (K§3.1: no raw control characters).
pub(super) fn literal(value: &ScalarValue) -> Option<String> {
    let text = value.try_as_str().flatten()?;
    (!text.is_empty() && Condition::is_expressible(text)).then(|| text.to_owned())
}
