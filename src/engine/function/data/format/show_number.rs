//! `to_char` of numbers.

use super::number_template::{Anchor, Field, Node, Shape, parsed};
use super::show_time::suffix;
use crate::engine::function::data::numeric::{Number, power};
use crate::error::{Error, Kind, Result};

/// Digits that a double precision number has for sure.
const FLOAT_DIGITS: usize = 15;

/// A decimal number by a template.
///
/// # Errors
/// Those of the template.
pub(super) fn decimal(number: &Number, template: &str) -> Result<String> {
    let (nodes, shape) = parsed(template)?;
    if shape.roman {
        return Ok(written(&nodes, &shape, &roman_digits(&number.rounded(0).to_string())?));
    }
    if shape.scientific {
        return Ok(signed(scientific(number, shape.behind)));
    }
    let shifted = number.times(&Number::new(power(u32::try_from(shape.shifted).unwrap_or(0)), 0));
    let digits = shifted.rounded(u32::try_from(shape.behind).unwrap_or(0)).to_string();
    Ok(written(&nodes, &shape, &Digits::fitted(&digits, &shape)))
}

/// A whole number that fits `integer`: PostgreSQL writes its exponent as that of a double precision number.
///
/// # Errors
/// Those of the template.
pub(super) fn integer(number: i32, template: &str) -> Result<String> {
    let (_, shape) = parsed(template)?;
    if shape.scientific {
        float(f64::from(number), template)
    } else {
        decimal(&Number::whole(number.into()), template)
    }
}

/// Digits behind the point of an exponent's form: a float has no more, and a format takes no more than 65,535.
const MOST_DIGITS: usize = 1_100;

/// A double precision number by a template.
///
/// # Errors
/// Those of the template.
pub(super) fn float(number: f64, template: &str) -> Result<String> {
    let (nodes, mut shape) = parsed(template)?;
    if shape.roman {
        // One that no integer holds is beyond all numerals, too.
        let whole = format!("{:.0}", number.round_ties_even().clamp(-1.0, 4_000.0));
        return Ok(written(&nodes, &shape, &roman_digits(&whole)?));
    }
    if shape.scientific {
        if !number.is_finite() {
            let (before, behind) = ("#".repeat(shape.before), "#".repeat(shape.behind + 4));
            return Ok(format!(" {before}.{behind}"));
        }
        let digits = format!("{number:.*e}", shape.behind.min(MOST_DIGITS));
        let (digits, exponent) = digits.split_once('e').unwrap_or((&digits, "0"));
        return Ok(signed(format!("{digits}e{}", exponent_text(exponent.parse().unwrap_or(0)))));
    }
    let number = number * 10_f64.powi(i32::try_from(shape.shifted).unwrap_or(i32::MAX));
    if !number.is_finite() {
        return Err(Error::unsupported(format!("to_char of {number}")));
    }
    let whole = format!("{:.0}", number.abs()).len();
    shape.behind = if whole >= FLOAT_DIGITS { 0 } else { shape.behind.min(FLOAT_DIGITS - whole) };
    let digits = format!("{number:.*}", shape.behind);
    Ok(written(&nodes, &shape, &Digits::fitted(&digits, &shape)))
}

fn signed(text: String) -> String {
    if text.starts_with('-') { text } else { format!(" {text}") }
}

fn exponent_text(exponent: i64) -> String {
    format!("{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

/// The digits before the exponent, so many behind the point. Rounding may make two of the one before it, as in
/// PostgreSQL.
fn scientific(number: &Number, behind: usize) -> String {
    let digits = number.digits.magnitude().to_string();
    let places = i64::try_from(digits.len()).unwrap_or(0);
    let exponent = if number.is_zero() { 0 } else { places - 1 - i64::from(number.scale) };
    // The number with its point behind the first digit.
    let scale = i64::from(number.scale) + exponent;
    let first = match u32::try_from(scale) {
        Ok(scale) => Number::new(number.digits.clone(), scale),
        Err(_) => Number::new(&number.digits * power(u32::try_from(-scale).unwrap_or(0)), 0),
    };
    let text = first.rounded(u32::try_from(behind).unwrap_or(0));
    format!("{text}e{}", exponent_text(exponent))
}

/// The digits that fill a template.
struct Digits {
    negative: bool,
    text: Vec<char>,
    /// Fields before the first digit.
    spaces: usize,
}

impl Digits {
    fn fitted(number: &str, shape: &Shape) -> Self {
        let (negative, digits) = match number.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, number),
        };
        let before = shape.before + shape.shifted;
        let length = digits.find('.').unwrap_or(digits.len());
        if length > before {
            let text = format!("{}.{}", "#".repeat(before), "#".repeat(shape.behind));
            return Self { negative, text: text.chars().collect(), spaces: 0 };
        }
        Self { negative, text: digits.chars().collect(), spaces: before - length }
    }
}

fn roman_digits(whole: &str) -> Result<Digits> {
    let number: i32 =
        whole.parse().map_err(|_| Error::new(Kind::NumericOutOfRange, "integer out of range"))?;
    Ok(Digits { negative: false, text: roman(number).chars().collect(), spaces: 0 })
}

/// A number of 1 to 3999 in Roman numerals.
fn roman(number: i32) -> String {
    const NUMERALS: [(i32, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    if !(1..=3999).contains(&number) {
        return "#".repeat(15);
    }
    let (mut rest, mut out) = (number, String::new());
    for (value, numeral) in NUMERALS {
        while rest >= value {
            out.push_str(numeral);
            rest -= value;
        }
    }
    out
}

/// Writes a number into a template, field by field.
struct Writer<'a> {
    shape: &'a Shape,
    digits: &'a Digits,
    out: String,
    /// The next digit.
    place: usize,
    /// The fields of digits and the point so far.
    fields: usize,
    sign_written: bool,
    /// Whether the last field wrote a digit.
    in_number: bool,
    /// With `FM`, the last digit that is not a zero at the end of the fraction, or the point.
    last_relevant: Option<usize>,
    brackets: bool,
    sign: Option<Anchor>,
    /// The fields of digits in all, less one.
    count: usize,
}

fn written(nodes: &[Node], shape: &Shape, digits: &Digits) -> String {
    let mut writer = Writer::new(shape, digits);
    for node in nodes {
        match node {
            Node::Char(letter) => writer.out.push(*letter),
            Node::Field(field) => writer.field(*field),
        }
    }
    writer.out
}

impl<'a> Writer<'a> {
    fn new(shape: &'a Shape, digits: &'a Digits) -> Self {
        let before = shape.before + shape.shifted;
        let sign = shape.sign_place(before);
        let apart = shape.plus || shape.minus;
        let sign_written =
            if apart { shape.minus } else { !digits.negative && shape.fill && shape.anchor.is_none() };
        let brackets = shape.brackets && (apart || digits.negative || !shape.fill);
        let mut count = (before + shape.behind).saturating_sub(1);
        if !sign_written && digits.spaces == 0 {
            count += 1;
        }
        let last_relevant = if shape.fill && shape.point { last_relevant(shape, digits) } else { None };
        Self {
            shape,
            digits,
            out: String::new(),
            place: 0,
            fields: 0,
            sign_written,
            in_number: false,
            last_relevant,
            brackets,
            sign,
            count,
        }
    }

    fn field(&mut self, field: Field) {
        let (shape, negative) = (self.shape, self.digits.negative);
        match field {
            Field::Digit { zero } => self.digit(zero),
            Field::Point => self.digit(false),
            Field::Group if self.in_number => self.out.push(','),
            // The currency of the locale C has no sign.
            Field::Group if shape.roman || !shape.fill => self.out.push(' '),
            Field::Currency => self.out.push(' '),
            Field::Roman { upper } => self.roman(upper),
            Field::Ordinal(ordinal) => {
                let overflow = self.digits.text.first() == Some(&'#');
                if !(shape.roman || overflow || negative || shape.point) {
                    let digits: String = self.digits.text.iter().collect();
                    self.out.push_str(suffix(&digits, ordinal));
                }
            }
            Field::Minus if negative => self.out.push('-'),
            Field::Plus if !negative => self.out.push('+'),
            Field::Minus | Field::Plus if !shape.fill => self.out.push(' '),
            Field::Sign => self.out.push(if negative { '-' } else { '+' }),
            Field::Group | Field::Minus | Field::Plus | Field::Elsewhere => {}
        }
    }

    fn roman(&mut self, upper: bool) {
        let text: String = self.digits.text.iter().collect();
        let text = if upper { text } else { text.to_lowercase() };
        let width = if self.shape.fill { 0 } else { 15 };
        self.out.push_str(&format!("{text:>width$}"));
    }

    /// Whether the next digit is the zero before the point, which is left out unless a `0` asks for it.
    fn is_bare_zero(&self) -> bool {
        self.shape.first_zero.is_none()
            && self.place == 0
            && self.digits.text.first() == Some(&'0')
            && self.shape.behind != 0
    }

    /// Whether nothing but the point is relevant: `FM9.9` of 0 is `0.`.
    fn ends_in_point(&self) -> bool {
        self.last_relevant.is_some_and(|last| self.digits.text.get(last) == Some(&'.'))
    }

    fn digit(&mut self, zero: bool) {
        if self.shape.roman {
            return;
        }
        self.in_number = false;
        let spaces = self.digits.spaces;
        let zeros_from = self.shape.first_zero;
        let begins = self.fields >= spaces || zeros_from == Some(self.fields);
        if !self.sign_written && begins && (!self.is_bare_zero() || self.ends_in_point()) {
            self.first_sign();
        }
        if self.fields < spaces {
            if zeros_from.is_some_and(|first| first <= self.fields) {
                self.out.push('0');
                self.in_number = true;
            } else if !self.shape.fill {
                self.out.push(' ');
            }
        } else {
            self.own_digit(zero);
        }
        self.last_sign();
        self.fields += 1;
    }

    /// Writes a digit of the number, or the point.
    fn own_digit(&mut self, zero: bool) {
        let Some(digit) = self.digits.text.get(self.place).copied() else { return };
        if digit == '.' {
            self.out.push('.');
        } else if self.last_relevant.is_some_and(|last| self.place > last) && !zero {
            // A zero at the end, which FM leaves out.
        } else if self.is_bare_zero() {
            if !self.shape.fill {
                self.out.push(' ');
            } else if self.ends_in_point() {
                self.out.push('0');
            }
        } else {
            self.out.push(digit);
            self.in_number = true;
        }
        self.place += 1;
    }

    fn first_sign(&mut self) {
        let negative = self.digits.negative;
        if self.shape.anchor.is_some() {
            if self.sign != Some(Anchor::First) {
                return;
            }
            self.out.push(if negative { '-' } else { '+' });
        } else if self.brackets {
            self.out.push(if negative { '<' } else { ' ' });
        } else if negative {
            self.out.push('-');
        } else if !self.shape.fill {
            self.out.push(' ');
        }
        self.sign_written = true;
    }

    fn last_sign(&mut self) {
        let mut end = self.count + usize::from(self.digits.spaces > 0) + usize::from(self.shape.point);
        if self.last_relevant == Some(self.place) {
            end = self.fields;
        }
        if self.fields + 1 != end {
            return;
        }
        let negative = self.digits.negative;
        if self.sign_written && self.brackets {
            self.out.push(if negative { '>' } else { ' ' });
        } else if self.sign == Some(Anchor::Last) {
            self.out.push(if negative { '-' } else { '+' });
        }
    }
}

/// The last digit of a fraction that is not zero, or the point; a `0` of the template keeps those up to it.
fn last_relevant(shape: &Shape, digits: &Digits) -> Option<usize> {
    let point = digits.text.iter().position(|c| *c == '.')?;
    let last = digits.text.iter().skip(point + 1).rposition(|c| *c != '0').map_or(point, |at| point + 1 + at);
    if shape.last_zero <= digits.spaces {
        return Some(last);
    }
    let kept = (digits.text.len() - 1).min(shape.last_zero - digits.spaces);
    Some(last.max(kept))
}
