//! `to_number`: a text by a template.

use num_bigint::BigInt;

use super::number_template::{Field, Node, Shape, parsed};
use crate::engine::function::data::numeric::{Number, power};
use crate::error::{Error, Kind, Result};

/// The number of a text. What does not fit the template is passed over, as PostgreSQL does.
///
/// # Errors
/// Those of the template, and `InvalidText` where the text has no digit for it.
pub(super) fn read(text: &str, template: &str) -> Result<Number> {
    let (nodes, shape) = parsed(template)?;
    if shape.scientific {
        return Err(Error::unsupported("\"EEEE\" for input"));
    }
    if shape.roman {
        return Err(Error::unsupported("\"RN\" for input"));
    }
    let mut reader = Reader {
        shape: &shape,
        letters: text.chars().collect(),
        place: 0,
        sign: None,
        digits: String::new(),
        before: 0,
        behind: 0,
        point: false,
    };
    for node in &nodes {
        if reader.at_end() {
            break;
        }
        reader.take(*node);
    }
    reader.number()
}

struct Reader<'s> {
    shape: &'s Shape,
    letters: Vec<char>,
    place: usize,
    sign: Option<char>,
    digits: String,
    /// Digits that were read before the point, and behind it.
    before: usize,
    behind: usize,
    point: bool,
}

impl Reader<'_> {
    fn at_end(&self) -> bool {
        self.place >= self.letters.len()
    }

    fn letter(&self) -> Option<char> {
        self.letters.get(self.place).copied()
    }

    fn take(&mut self, node: Node) {
        let Node::Field(field) = node else {
            self.place += 1;
            return;
        };
        match field {
            Field::Digit { .. } => {
                self.part(true);
                self.place += 1;
            }
            Field::Point => {
                self.part(false);
                self.place += 1;
            }
            Field::Group if self.letter() == Some(',') => self.place += 1,
            Field::Currency => self.pass_over(1),
            Field::Ordinal(_) => self.pass_over(2),
            Field::Minus => self.own_sign(&['-']),
            Field::Plus => self.own_sign(&['+']),
            Field::Sign => self.own_sign(&['-', '+']),
            Field::Group | Field::Roman { .. } | Field::Elsewhere => {}
        }
    }

    fn own_sign(&mut self, signs: &[char]) {
        match self.letter().filter(|letter| signs.contains(letter)) {
            Some(sign) => {
                self.sign = Some(sign);
                self.place += 1;
            }
            None => self.pass_over(1),
        }
    }

    /// Passes over characters that belong to no number.
    fn pass_over(&mut self, most: usize) {
        for _ in 0..most {
            match self.letter() {
                Some(letter) if !letter.is_ascii_digit() && !".,+-".contains(letter) => self.place += 1,
                _ => return,
            }
        }
    }

    /// Reads what a field of a digit or the point stands at. The caller moves on by one.
    fn part(&mut self, is_digit: bool) {
        if self.letter() == Some(' ') {
            self.place += 1;
        }
        if self.at_end() {
            return;
        }
        if self.sign.is_none() && is_digit && self.before + self.behind == 0 {
            self.first_sign();
        }
        let mut has_read = false;
        match self.letter() {
            None => return,
            Some(digit) if digit.is_ascii_digit() => {
                if self.point && self.behind == self.shape.behind {
                    return;
                }
                self.digits.push(digit);
                *if self.point { &mut self.behind } else { &mut self.before } += 1;
                has_read = true;
            }
            Some('.') if self.shape.point && !self.point => {
                self.point = true;
                has_read = true;
            }
            Some(_) => {}
        }
        if self.sign.is_none() && self.before + self.behind > 0 {
            self.last_sign(has_read);
        }
    }

    fn first_sign(&mut self) {
        let sign = match self.letter() {
            Some(sign @ ('-' | '+')) => sign,
            Some('<') if self.shape.brackets => '-',
            _ => return,
        };
        self.sign = Some(sign);
        self.place += 1;
    }

    /// A sign behind the number.
    fn last_sign(&mut self, has_read: bool) {
        let shape = self.shape;
        if shape.anchor.is_some() {
            if !has_read {
                return;
            }
            if let Some(sign @ ('-' | '+')) = self.letters.get(self.place + 1).copied() {
                self.sign = Some(sign);
                self.place += 1;
            }
        } else if !has_read
            && (shape.plus || shape.minus)
            && let Some(sign @ ('-' | '+')) = self.letter()
        {
            self.sign = Some(sign);
        }
    }

    fn number(self) -> Result<Number> {
        if self.digits.is_empty() {
            let text = format!("{}{}", self.sign.unwrap_or(' '), if self.point { "." } else { "" });
            let message = format!("invalid input syntax for type numeric: \"{text}\"");
            return Err(Error::new(Kind::InvalidText, message));
        }
        let most = self.shape.before + self.shape.shifted;
        let whole = self.digits.get(..self.before).unwrap_or_default().trim_start_matches('0');
        if whole.len() > most {
            return Err(Error::new(Kind::NumericOutOfRange, "numeric field overflow"));
        }
        let digits: BigInt = self.digits.parse().unwrap_or_default();
        let digits = if self.sign == Some('-') { -digits } else { digits };
        let number = Number::new(digits, u32::try_from(self.behind).unwrap_or(0));
        if self.shape.multiplied {
            let shift = Number::new(power(u32::try_from(self.shape.shifted).unwrap_or(0)), 0);
            return number.divided_by(&shift);
        }
        Ok(number)
    }
}
