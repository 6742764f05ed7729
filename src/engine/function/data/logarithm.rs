//! Roots and logarithms, which have no value for some numbers.

use super::cell::Cell;
use super::kind::{Kind, Returns};
use super::{Def, on};
use crate::error::{Error, Kind as Fault};

pub(super) const FUNCTIONS: &[Def] = &[
    Def::strict(
        "sqrt",
        &[on(&[Kind::Float], Returns::Float, |_, args| {
            let value = of(args);
            if value < 0.0 {
                let message = "cannot take square root of a negative number";
                return Err(Error::new(Fault::InvalidPower, message));
            }
            Ok(Cell::Float(value.sqrt()))
        })],
    ),
    Def::strict("ln", &[on(&[Kind::Float], Returns::Float, |_, args| positive(of(args), f64::ln))]),
    Def::strict(
        "log",
        &[
            on(&[Kind::Float], Returns::Float, |_, args| positive(of(args), f64::log10)),
            on(&[Kind::Float, Kind::Float], Returns::Float, |_, args| {
                let [base, value] = args else { return Ok(Cell::Null) };
                let (Cell::Float(base), Cell::Float(value)) =
                    (positive(base.float(), f64::ln)?, positive(value.float(), f64::ln)?)
                else {
                    return Ok(Cell::Null);
                };
                if base == 0.0 {
                    return Err(Error::new(Fault::DivisionByZero, "division by zero"));
                }
                Ok(Cell::Float(value / base))
            }),
        ],
    ),
    Def::strict("log10", &[on(&[Kind::Float], Returns::Float, |_, args| positive(of(args), f64::log10))]),
];

fn of(args: &[Cell]) -> f64 {
    args.first().map_or(f64::NAN, Cell::float)
}

fn positive(value: f64, logarithm: fn(f64) -> f64) -> Result<Cell, Error> {
    if value == 0.0 {
        return Err(Error::new(Fault::InvalidLogarithm, "cannot take logarithm of zero"));
    }
    if value < 0.0 {
        return Err(Error::new(Fault::InvalidLogarithm, "cannot take logarithm of a negative number"));
    }
    Ok(Cell::Float(logarithm(value)))
}
