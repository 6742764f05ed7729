//! The functions of formulas (K§4.3): their names, how many arguments each takes, and what it gives.

use super::super::value::Decimal;
use super::Fault;
use super::arithmetic::{self, Mode};
use super::date;
use super::evaluate::{Computed, Context};
use super::parser::Expression;

/// Arguments of `SUM`, `AND` and `OR`.
const MOST_ARGUMENTS: usize = 32;
/// The furthest that a rounding function can be told to round.
const FURTHEST_PLACE: i64 = 30;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Sum,
    If,
    And,
    Or,
    Not,
    Round,
    RoundUp,
    RoundDown,
    Yen,
    DateFormat,
    Contains,
}

/// (name, function, fewest arguments, most arguments).
const FUNCTIONS: &[(&str, Function, usize, usize)] = &[
    ("SUM", Function::Sum, 1, MOST_ARGUMENTS),
    ("IF", Function::If, 3, 3),
    ("AND", Function::And, 1, MOST_ARGUMENTS),
    ("OR", Function::Or, 1, MOST_ARGUMENTS),
    ("NOT", Function::Not, 1, 1),
    ("ROUND", Function::Round, 1, 2),
    ("ROUNDUP", Function::RoundUp, 1, 2),
    ("ROUNDDOWN", Function::RoundDown, 1, 2),
    ("YEN", Function::Yen, 2, 2),
    ("DATE_FORMAT", Function::DateFormat, 3, 3),
    ("CONTAINS", Function::Contains, 2, 2),
];

impl Function {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        FUNCTIONS.iter().find(|(known, ..)| *known == name).map(|(_, function, ..)| *function)
    }

    pub(super) fn name(self) -> &'static str {
        FUNCTIONS.iter().find(|(_, known, ..)| *known == self).map_or("", |(name, ..)| name)
    }

    pub(super) fn check_count(self, count: usize) -> Result<(), Fault> {
        let name = self.name();
        let limits = FUNCTIONS.iter().find(|(_, known, ..)| *known == self);
        let (fewest, most) = limits.map_or((0, 0), |(.., fewest, most)| (*fewest, *most));
        if count < fewest {
            return Err(Fault::new(format!("The function {name} needs {fewest} arguments.")));
        }
        if count > most {
            return Err(Fault::new(format!("The function {name} takes no more than {most} arguments.")));
        }
        Ok(())
    }

    /// Its value. `IF`, `AND` and `OR` look at no more arguments than they need.
    pub(super) fn evaluate(self, context: &Context<'_>, arguments: &[Expression]) -> Result<Computed, Fault> {
        let value = |index: usize| {
            let argument = arguments.get(index).ok_or_else(Fault::value)?;
            context.evaluate(argument)
        };
        match self {
            Function::Sum => sum(context, arguments),
            Function::If => value(if value(0)?.truth()? { 1 } else { 2 }),
            Function::And | Function::Or => {
                for argument in arguments {
                    if context.evaluate(argument)?.truth()? == (self == Function::Or) {
                        return Ok(Computed::Truth(self == Function::Or));
                    }
                }
                Ok(Computed::Truth(self == Function::And))
            }
            Function::Not => Ok(Computed::Truth(!value(0)?.truth()?)),
            Function::Round | Function::RoundUp | Function::RoundDown => {
                let mode = match self {
                    Function::RoundUp => Mode::Up,
                    Function::RoundDown => Mode::Down,
                    _ => Mode::HalfUp,
                };
                let places = if arguments.len() > 1 { places(&value(1)?)? } else { 0 };
                let rounded = arithmetic::round(value(0)?.number()?, places, mode);
                rounded.map(Computed::Number).ok_or_else(Fault::value)
            }
            Function::Yen => yen(value(0)?.number()?, places(&value(1)?)?).map(Computed::Text),
            Function::DateFormat => {
                let seconds = arithmetic::truncated(value(0)?.number()?).ok_or_else(Fault::value)?;
                let (pattern, zone) = (value(1)?.text()?, value(2)?.text()?);
                date::format(seconds, &pattern, &zone, context.zone).map(Computed::Text)
            }
            Function::Contains => match (value(0)?, value(1)?) {
                (Computed::Texts(texts), Computed::Text(wanted)) => {
                    Ok(Computed::Truth(texts.iter().any(|text| **text == *wanted)))
                }
                _ => Err(Fault::value()),
            },
        }
    }
}

fn sum(context: &Context<'_>, arguments: &[Expression]) -> Result<Computed, Fault> {
    let mut total = arithmetic::whole(0);
    let mut include = |number| {
        total = arithmetic::add(total, number).ok_or_else(Fault::value)?;
        Ok::<(), Fault>(())
    };
    for argument in arguments {
        match context.evaluate(argument)? {
            Computed::Numbers(numbers) => numbers.into_iter().try_for_each(&mut include)?,
            single => include(single.number()?)?,
        }
    }
    Ok(Computed::Number(total))
}

/// Decimal places; those of the number itself are cut off.
fn places(value: &Computed) -> Result<i32, Fault> {
    let places = arithmetic::truncated(value.number()?).filter(|places| places.abs() <= FURTHEST_PLACE);
    places.and_then(|places| i32::try_from(places).ok()).ok_or_else(Fault::value)
}

/// `¥1,235`, rounded half up.
fn yen(number: Decimal, places: i32) -> Result<String, Fault> {
    let text = arithmetic::round(number, places, Mode::HalfUp).ok_or_else(Fault::value)?.to_string();
    let (sign, magnitude) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let width = usize::try_from(places).unwrap_or(0);
    let point = if width > 0 { "." } else { "" };
    Ok(format!("{sign}¥{grouped}{point}{fraction:0<width$}"))
}
