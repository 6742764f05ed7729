//! RADIO_BUTTON and DROP_DOWN: one of the form's options.

use arrow::array::{Array, Scalar, StringArray};
use arrow::compute::kernels::comparison::{ilike, like};
use datafusion::scalar::ScalarValue;

use super::decode::TextDecoder;
use super::row;
use super::rule::{Comparison as C, Formula, Place, Predicate, PredicateKind as P, Rule};
use super::{Decoder, FieldColumn, FieldType, FormContext};
use crate::kintone::{Condition, FieldProperties};
use crate::table::types::SqlType;

/// Kintone takes only `in` on choices, and refuses an option that is not defined (K§3.2, K§3.5).
pub(crate) struct DropDown;

/// As [`DropDown`]; that `not in ("", ...)` leaves out the empty ones was measured on drop-downs only.
pub(crate) struct RadioButton;

const DEFINED: &str = "undefined options match nothing and are not sent (K§3.5)";
const EMPTY: &str = "the empty option stands for no choice (K§3.5)";

/// An option that is new since the form was read is found too, and compared here.
const OTHERS: Rule = Rule::superset(
    &[P::LT, P::LT_EQ, P::GT, P::GT_EQ, P::Like, P::NotLike],
    "`not in` the options for which it is false (K§3.5)",
);

/// In a table `not in` asks of every row, and options of the form may be out of date.
const IN_ROWS: &[Rule] = &[
    Rule::superset(&[P::EQ, P::In], row::IN),
    Rule::no(
        &[P::NOT_EQ, P::NotIn, P::LT, P::LT_EQ, P::GT, P::GT_EQ, P::Like, P::NotLike],
        "`not in` asks of every row (K§3.3)",
    ),
    Rule::no(P::NULLS, row::NULLS),
];

impl FieldType for DropDown {
    fn kintone_types(&self) -> &'static [&'static str] {
        &["DROP_DOWN"]
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
                        Rule::exact(&[P::EQ, P::In], DEFINED),
                        Rule::exact(&[P::NOT_EQ, P::NotIn, P::IsNull, P::IsNotNull], EMPTY),
                        OTHERS,
                    ]
                }
            }
            Place::Row => IN_ROWS,
        }
    }

    fn is_one_choice(&self) -> bool {
        true
    }

    fn formula(&self, field: &FieldProperties, place: Place, predicate: &Predicate) -> Option<Formula> {
        formula(field, place, predicate)
    }
}

impl FieldType for RadioButton {
    fn kintone_types(&self) -> &'static [&'static str] {
        &["RADIO_BUTTON"]
    }

    fn columns(&self, field: &FieldProperties) -> Vec<FieldColumn> {
        DropDown.columns(field)
    }

    fn decoder(&self, field: &FieldProperties, context: &FormContext) -> Box<dyn Decoder> {
        DropDown.decoder(field, context)
    }

    fn rules(&self, _: &FieldProperties, place: Place) -> &'static [Rule] {
        const UNMEASURED: &str = "`not in (\"\", ...)` was measured on drop-downs only (K§3.5)";
        match place {
            Place::Record => {
                const {
                    &[
                        Rule::exact(&[P::EQ, P::In], DEFINED),
                        Rule::superset(&[P::NOT_EQ, P::NotIn], UNMEASURED),
                        Rule::exact(P::NULLS, EMPTY),
                        OTHERS,
                    ]
                }
            }
            Place::Row => IN_ROWS,
        }
    }

    fn is_one_choice(&self) -> bool {
        true
    }

    fn formula(&self, field: &FieldProperties, place: Place, predicate: &Predicate) -> Option<Formula> {
        formula(field, place, predicate)
    }
}

fn formula(field: &FieldProperties, place: Place, predicate: &Predicate) -> Option<Formula> {
    let one = std::slice::from_ref;
    let (negated, values) = match (place, predicate) {
        (_, Predicate::Compare(C::Eq, value)) => (false, defined(field, one(value))?),
        (_, Predicate::In(values)) => (false, defined(field, values)?),
        (Place::Row, _) => return None,
        (_, Predicate::Compare(C::NotEq, value)) => (true, defined(field, one(value))?),
        (_, Predicate::NotIn(values)) => (true, defined(field, values)?),
        (_, Predicate::IsNull) => (false, vec![String::new()]),
        (_, Predicate::IsNotNull) => (true, vec![]),
        (_, Predicate::Compare(op, value)) => {
            let text = value.try_as_str().flatten()?;
            (true, failing(field, |option| op.holds(option.cmp(text))))
        }
        (_, Predicate::Like { pattern, negated, ignore_case }) => {
            let matching = matching(&field.options, pattern, *ignore_case)?;
            (true, failing(field, |option| matching.contains(&option) != *negated))
        }
        _ => return None,
    };
    Some(among(field, negated, values))
}

/// `in (...)`, or `not in ("", ...)`: SQL's negation leaves out what is empty, Kintone's does not.
fn among(field: &FieldProperties, negated: bool, mut values: Vec<String>) -> Formula {
    if negated {
        values.insert(0, String::new());
    } else if values.is_empty() {
        return Formula::Nothing;
    }
    Formula::Of(Condition::In { field: field.code.clone(), negated, values })
}

/// The options for which a test is false. One that cannot be written is left out: it is looked at here.
fn failing(field: &FieldProperties, test: impl Fn(&str) -> bool) -> Vec<String> {
    let options = field.options.iter();
    options.filter(|option| !test(option) && Condition::is_expressible(option)).cloned().collect()
}

/// The options that match a pattern, by the code that runs LIKE here.
fn matching<'a>(options: &'a [String], pattern: &str, ignore_case: bool) -> Option<Vec<&'a str>> {
    let (texts, pattern) =
        (StringArray::from_iter_values(options), Scalar::new(StringArray::from(vec![pattern])));
    let matches = if ignore_case { ilike(&texts, &pattern) } else { like(&texts, &pattern) }.ok()?;
    let matched = options.iter().enumerate().filter(|(i, _)| matches.is_valid(*i) && matches.value(*i));
    Some(matched.map(|(_, option)| option.as_str()).collect())
}

/// Those of the literals that the form has as options. `None` where one of them cannot be written.
pub(super) fn defined(field: &FieldProperties, values: &[ScalarValue]) -> Option<Vec<String>> {
    let mut out: Vec<String> = vec![];
    for value in values {
        let text = value.try_as_str().flatten()?;
        if field.options.iter().any(|o| o == text) && !out.iter().any(|o| o == text) {
            if !Condition::is_expressible(text) {
                return None;
            }
            out.push(text.to_owned());
        }
    }
    Some(out)
}
