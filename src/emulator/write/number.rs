//! NUMBER values as they are sent (K§4.2).

use super::super::field::{Field, Schema};
use super::super::value::{Decimal, Digits, Value};
use super::errors::{Fault, Part};

/// Reads a number: sign, point and exponent, spaces around it; rounded to the app's decimal places without a
/// word. `None` stands for what is no text and no number at all.
pub(super) fn read(schema: &Schema, field: &Field, text: Option<&str>) -> Result<Value, Fault> {
    let text = text.map(str::trim);
    if text == Some("") {
        return Ok(Value::Empty);
    }
    let Some(digits) = text.and_then(|text| Digits::parse(text, true)) else {
        return Err(Fault::new(Part::NotANumber, "Only numbers are allowed."));
    };
    let most = schema.digits.saturating_sub(schema.places);
    // Rounding up may give one digit more.
    let number = digits.round(schema.places, schema.rounding).filter(|number| number.whole_digits() <= most);
    let Some(number) = number else {
        return Err(Fault::value(format!("The number of significant digits exceeds {}.", schema.digits)));
    };
    if Decimal::parse(field.text("maxValue")).is_some_and(|most| number > most) {
        return Err(Fault::value(format!("The value must be {} or less.", field.text("maxValue"))));
    }
    if Decimal::parse(field.text("minValue")).is_some_and(|least| number < least) {
        return Err(Fault::value(format!("The value must be {} or more.", field.text("minValue"))));
    }
    Ok(Value::Number(number))
}
