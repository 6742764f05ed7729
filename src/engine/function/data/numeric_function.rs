//! Functions and operators of `numeric`, and rounding as PostgreSQL does it.

use super::cell::Cell;
use super::kind::{Kind, Returns};
use super::numeric::Number;
use super::{Def, on};
use crate::error::Error;

pub(super) const FUNCTIONS: &[Def] = &[
    // The operators, which the planner writes as calls.
    Def::strict(
        "pg_numeric_divide",
        &[on(&[Kind::Numeric, Kind::Numeric], Returns::Wide, |_, args| {
            let [dividend, divisor] = args else { return Ok(Cell::Null) };
            dividend.number().divided_by(&divisor.number()).map(Cell::Number)
        })],
    ),
    Def::strict(
        "pg_numeric_multiply",
        &[on(&[Kind::Numeric, Kind::Numeric], Returns::Wide, |_, args| {
            let [left, right] = args else { return Ok(Cell::Null) };
            Ok(Cell::Number(left.number().times(&right.number())))
        })],
    ),
    // To the nearest whole number, halves to the even one.
    Def::strict(
        "pg_round_even",
        &[on(&[Kind::Float], Returns::Float, |_, args| {
            Ok(Cell::Float(first(args).float().round_ties_even()))
        })],
    ),
    Def::strict(
        "mod",
        &[
            on(&[Kind::Int, Kind::Int], Returns::Like(0), |_, args| remainder(args)),
            on(&[Kind::Numeric, Kind::Numeric], Returns::Numeric(10), |_, args| remainder(args)),
        ],
    ),
    Def::strict(
        "div",
        &[on(&[Kind::Numeric, Kind::Numeric], Returns::Numeric(0), |_, args| {
            let [dividend, divisor] = args else { return Ok(Cell::Null) };
            let (dividend, divisor) = (dividend.number(), divisor.number());
            let whole = dividend.minus(&dividend.remainder(&divisor)?);
            Ok(Cell::Number(whole.divided_by(&divisor)?.rounded(0)))
        })],
    ),
    Def::strict(
        "sign",
        &[
            on(&[Kind::Float], Returns::Float, |_, args| {
                let value = first(args).float();
                Ok(Cell::Float(if value == 0.0 || value.is_nan() { value } else { value.signum() }))
            }),
            on(&[Kind::Numeric], Returns::Numeric(0), |_, args| {
                let number = first(args).number();
                let sign = match number.digits.sign() {
                    num_bigint::Sign::Minus => -1,
                    num_bigint::Sign::NoSign => 0,
                    num_bigint::Sign::Plus => 1,
                };
                Ok(Cell::Number(Number::whole(sign)))
            }),
        ],
    ),
    Def::strict(
        "scale",
        &[on(&[Kind::Numeric], Returns::Int4, |_, args| Ok(Cell::Int(first(args).number().scale.into())))],
    ),
    Def::strict(
        "min_scale",
        &[on(&[Kind::Numeric], Returns::Int4, |_, args| {
            Ok(Cell::Int(first(args).number().trimmed().scale.into()))
        })],
    ),
    Def::strict(
        "trim_scale",
        &[on(&[Kind::Numeric], Returns::Wide, |_, args| Ok(Cell::Number(first(args).number().trimmed())))],
    ),
    Def::strict(
        "width_bucket",
        &[
            on(&[Kind::Float, Kind::Float, Kind::Float, Kind::Int], Returns::Int4, |_, args| bucket(args)),
            on(&[Kind::Numeric, Kind::Numeric, Kind::Numeric, Kind::Int], Returns::Int4, |_, args| {
                bucket(args)
            }),
            on(&[Kind::Float, Kind::Any], Returns::Int4, |_, args| {
                let [value, Cell::List(bounds)] = args else { return Ok(Cell::Null) };
                let value = value.float();
                let below = bounds.iter().take_while(|bound| bound.float() <= value).count();
                Ok(Cell::Int(i64::try_from(below).unwrap_or(i64::MAX)))
            }),
        ],
    ),
];

fn first(args: &[Cell]) -> &Cell {
    args.first().unwrap_or(&Cell::Null)
}

fn remainder(args: &[Cell]) -> Result<Cell, Error> {
    match args {
        [Cell::Int(_), Cell::Int(0)] => {
            Err(Error::new(crate::error::Kind::DivisionByZero, "division by zero"))
        }
        [Cell::Int(left), Cell::Int(right)] => Ok(Cell::Int(left.wrapping_rem(*right))),
        [left, right] => Ok(Cell::Number(left.number().remainder(&right.number())?)),
        _ => Ok(Cell::Null),
    }
}

/// The number of the bucket, of `count` between two bounds, that a value is in: 0 below, `count + 1` from the last
/// bound on.
fn bucket(args: &[Cell]) -> Result<Cell, Error> {
    let [value, low, high, count] = args else { return Ok(Cell::Null) };
    let invalid = |message: &str| Error::new(crate::error::Kind::InvalidBucket, message);
    let count = count.int();
    if count <= 0 {
        return Err(invalid("count must be greater than zero"));
    }
    let (value, low, high) = (value.number_or_float(), low.number_or_float(), high.number_or_float());
    if low == high {
        return Err(invalid("lower bound cannot equal upper bound"));
    }
    let descending = high < low;
    let (below, beyond) =
        if descending { (value > low, value <= high) } else { (value < low, value >= high) };
    if below {
        return Ok(Cell::Int(0));
    }
    if beyond {
        return Ok(Cell::Int(count + 1));
    }
    let parts: f64 = Cell::Int(count).float();
    let place = ((value - low) / (high - low) * parts).floor();
    let place: i64 = format!("{place:.0}").parse().unwrap_or(0);
    Ok(Cell::Int((place + 1).min(count)))
}

impl Cell {
    /// A number of any kind.
    fn number_or_float(&self) -> f64 {
        self.float()
    }
}
