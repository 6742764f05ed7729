//! How the numerics of a result's column are shown: with how many digits at least, or as a value that is no number.
//!
//! Kintone shows no zeros at the end of a fraction, and neither do its columns here. Where PostgreSQL knows a scale
//! that is not a column's of Kintone (a constant, a parameter, `numeric(12, 2)`), the field of the result says it.

use arrow::datatypes::Field;

/// The metadata key that holds the least number of digits after the point.
const SCALE: &str = "numeric_scale";
/// The metadata key that holds `NaN`, `Infinity` or `-Infinity`: what each row of a column of constants is.
const SPECIAL: &str = "numeric_special";

/// The values that are no numbers, as PostgreSQL prints them.
const SPECIALS: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

/// What a column's field says of its numerics; the default shows as many digits as there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NumericForm {
    /// Digits after the point, at least.
    pub scale: u8,
    /// What every row is, whatever the array holds.
    pub special: Option<&'static str>,
}

impl NumericForm {
    /// What a field says.
    #[must_use]
    pub fn of(field: &Field) -> Self {
        let said = |key| field.metadata().get(key).map(String::as_str);
        let special = said(SPECIAL).and_then(|text| SPECIALS.into_iter().find(|known| *known == text));
        Self { scale: said(SCALE).and_then(|scale| scale.parse().ok()).unwrap_or_default(), special }
    }

    /// The field, saying this.
    #[must_use]
    pub fn mark(self, field: Field) -> Field {
        let mut metadata = field.metadata().clone();
        for key in [SCALE, SPECIAL] {
            metadata.remove(key);
        }
        if self.scale > 0 {
            metadata.insert(SCALE.to_owned(), self.scale.to_string());
        }
        if let Some(special) = self.special {
            metadata.insert(SPECIAL.to_owned(), special.to_owned());
        }
        field.with_metadata(metadata)
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::DataType;

    use super::*;

    #[test]
    fn a_field_gives_back_what_it_was_told() {
        for form in [
            NumericForm::default(),
            NumericForm { scale: 2, special: None },
            NumericForm { scale: 0, special: Some("-Infinity") },
        ] {
            let field = form.mark(Field::new("n", DataType::Decimal128(38, 10), true));
            assert_eq!(NumericForm::of(&field), form);
        }
    }
}
