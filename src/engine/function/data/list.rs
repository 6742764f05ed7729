//! Arrays: bounds, filling, and the aggregates over values in their order.

use super::cell::Cell;
use super::kind::{Kind, Returns};
use super::{Def, on};
use crate::error::{Error, Kind as Fault, Result};

pub(super) const FUNCTIONS: &[Def] = &[
    Def::strict(
        "pg_array_length",
        &[on(&[Kind::Any, Kind::Int], Returns::Int4, |_, args| {
            let [array, dimension] = args else { return Ok(Cell::Null) };
            let wanted = usize::try_from(dimension.int()).unwrap_or(0);
            let lengths = dimensions(array);
            Ok(wanted
                .checked_sub(1)
                .and_then(|at| lengths.get(at))
                .map_or(Cell::Null, |length| count(*length)))
        })],
    ),
    Def::strict(
        "pg_array_dims",
        &[on(&[Kind::Any], Returns::Text, |_, args| {
            let lengths = dimensions(args.first().unwrap_or(&Cell::Null));
            let shown: String = lengths.iter().map(|length| format!("[1:{length}]")).collect();
            Ok(if shown.is_empty() { Cell::Null } else { Cell::Text(shown) })
        })],
    ),
    Def::lenient(
        "array_fill",
        &[on(&[Kind::Any, Kind::Any], Returns::ListOf(0), |_, args| {
            let [value, lengths] = args else { return Ok(Cell::Null) };
            match lengths {
                Cell::List(lengths) => match lengths.as_slice() {
                    [] => Ok(Cell::List(vec![])),
                    [Cell::Int(length)] => {
                        let length =
                            usize::try_from(*length).ok().filter(|length| *length <= LONGEST).ok_or_else(
                                || Error::new(Fault::TooLarge, "array size exceeds the maximum allowed"),
                            )?;
                        Ok(Cell::List(vec![value.clone(); length]))
                    }
                    _ => Err(Error::unsupported("array_fill with several dimensions")),
                },
                _ => {
                    Err(Error::new(Fault::InvalidValue, "dimension array or low bound array cannot be null"))
                }
            }
        })],
    ),
    Def::strict(
        "trim_array",
        &[on(&[Kind::Any, Kind::Int], Returns::Like(0), |_, args| {
            let [Cell::List(items), less] = args else { return Ok(Cell::Null) };
            let kept = usize::try_from(less.int()).ok().and_then(|less| items.len().checked_sub(less));
            let kept = kept.and_then(|kept| items.get(..kept)).ok_or_else(|| {
                let message = format!("number of elements to trim must be between 0 and {}", items.len());
                Error::new(Fault::InvalidValue, message)
            })?;
            Ok(Cell::List(kept.to_vec()))
        })],
    ),
    // `x IN (SELECT ...)`: no array is no row.
    Def::lenient(
        "pg_is_in",
        &[on(&[Kind::Any, Kind::Any], Returns::Bool, |_, args| {
            let [value, array] = args else { return Ok(Cell::Null) };
            match array {
                Cell::List(items) if !items.is_empty() => is_in(value, items),
                _ => Ok(Cell::Bool(false)),
            }
        })],
    ),
    // Of values in their order: `percentile_cont`, `percentile_disc`, `mode`.
    Def::strict(
        "pg_percentile_cont",
        &[
            on(&[Kind::Any, Kind::Float], Returns::Float, |_, args| at_fractions(args, continuous)),
            on(&[Kind::Any, Kind::Any], Returns::Word("float8[]"), |_, args| at_fractions(args, continuous)),
        ],
    ),
    Def::strict(
        "pg_percentile_disc",
        &[
            on(&[Kind::Any, Kind::Float], Returns::ItemOf(0), |_, args| at_fractions(args, discrete)),
            on(&[Kind::Any, Kind::Any], Returns::Like(0), |_, args| at_fractions(args, discrete)),
        ],
    ),
    Def::strict(
        "pg_mode",
        &[on(&[Kind::Any], Returns::ItemOf(0), |_, args| {
            let values = values(args.first().unwrap_or(&Cell::Null));
            let runs = values.chunk_by(|left, right| left == right);
            // Of several that are the most frequent, the first.
            let longest = runs.rev().max_by_key(|run| run.len());
            Ok(longest.and_then(|run| run.first().cloned()).unwrap_or(Cell::Null))
        })],
    ),
];

/// Whether a value is among others; NULL where it might be.
fn is_in(value: &Cell, items: &[Cell]) -> Result<Cell> {
    if *value == Cell::Null {
        return Ok(Cell::Null);
    }
    let mut unknown = false;
    for item in items {
        if *item == Cell::Null {
            unknown = true;
        } else if equal(value, item)? {
            return Ok(Cell::Bool(true));
        }
    }
    Ok(if unknown { Cell::Null } else { Cell::Bool(false) })
}

/// Whether two values are equal. Those of two types are compared only where both are numbers.
fn equal(left: &Cell, right: &Cell) -> Result<bool> {
    match (left, right) {
        (Cell::Float(_), Cell::Int(_) | Cell::Number(_) | Cell::Float(_))
        | (Cell::Int(_) | Cell::Number(_), Cell::Float(_)) => {
            let (left, right) = (left.float(), right.float());
            Ok(left == right || left.is_nan() && right.is_nan())
        }
        (Cell::Int(_) | Cell::Number(_), Cell::Int(_) | Cell::Number(_)) => {
            Ok(left.number().minus(&right.number()).is_zero())
        }
        (left, right) if std::mem::discriminant(left) == std::mem::discriminant(right) => Ok(left == right),
        _ => Err(Error::unsupported("comparing with a subquery's rows of another type")),
    }
}

/// The most items that `array_fill` makes.
const LONGEST: usize = 1_000;

/// The lengths of an array's dimensions; an empty one has none.
fn dimensions(array: &Cell) -> Vec<usize> {
    match array {
        Cell::List(items) if !items.is_empty() => {
            let inner = items.first().map(dimensions).unwrap_or_default();
            std::iter::once(items.len()).chain(inner).collect()
        }
        _ => vec![],
    }
}

fn count(length: usize) -> Cell {
    Cell::Int(i64::try_from(length).unwrap_or(i64::MAX))
}

fn float(length: usize) -> f64 {
    count(length).float()
}

/// The items that are there.
fn values(array: &Cell) -> Vec<Cell> {
    match array {
        Cell::List(items) => items.iter().filter(|item| **item != Cell::Null).cloned().collect(),
        _ => vec![],
    }
}

fn checked(fraction: f64) -> Result<f64> {
    if (0.0..=1.0).contains(&fraction) {
        return Ok(fraction);
    }
    let message = format!("percentile value {fraction} is not between 0 and 1");
    Err(Error::new(Fault::NumericOutOfRange, message))
}

/// The value at a fraction, or those at several.
fn at_fractions(args: &[Cell], value: fn(&[Cell], f64) -> Result<Cell>) -> Result<Cell> {
    let [array, fraction] = args else { return Ok(Cell::Null) };
    let values = values(array);
    match fraction {
        Cell::List(fractions) => {
            let each = fractions.iter().map(|fraction| match fraction {
                Cell::Null => Ok(Cell::Null),
                fraction => value(&values, fraction.float()),
            });
            each.collect::<Result<_>>().map(Cell::List)
        }
        fraction => value(&values, fraction.float()),
    }
}

/// The first value that so many are not behind.
fn discrete(values: &[Cell], fraction: f64) -> Result<Cell> {
    let place = (checked(fraction)? * float(values.len())).ceil();
    let place: usize = format!("{place:.0}").parse().unwrap_or(0);
    Ok(values.get(place.saturating_sub(1)).cloned().unwrap_or(Cell::Null))
}

/// Between two neighbours, what is as far between them.
fn continuous(values: &[Cell], fraction: f64) -> Result<Cell> {
    let place = checked(fraction)? * float(values.len().saturating_sub(1));
    let at = |place: f64| {
        let place: usize = format!("{place:.0}").parse().unwrap_or(0);
        values.get(place).map(Cell::float)
    };
    Ok(match (at(place.floor()), at(place.ceil())) {
        (Some(low), Some(high)) if place.floor() < place.ceil() => {
            Cell::Float(low + (high - low) * (place - place.floor()))
        }
        (Some(low), _) => Cell::Float(low),
        (None, _) => Cell::Null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_between_others() {
        let values = [Cell::Int(1), Cell::Int(2), Cell::Int(10)];
        assert_eq!(continuous(&values, 0.5), Ok(Cell::Float(2.0)));
        assert_eq!(continuous(&values, 0.75), Ok(Cell::Float(6.0)));
        assert_eq!(continuous(&[], 0.5), Ok(Cell::Null));
        assert!(continuous(&values, 1.5).is_err());
    }

    #[test]
    fn empty_arrays_have_no_bounds() {
        assert_eq!(dimensions(&Cell::List(vec![])), Vec::<usize>::new());
        let row = Cell::List(vec![Cell::Int(1), Cell::Int(2)]);
        assert_eq!(dimensions(&Cell::List(vec![row.clone(), row])), [2, 2]);
    }
}
