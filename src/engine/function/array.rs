//! Bounds and texts of arrays, as PostgreSQL has them.

use super::scalar::Function;
use crate::engine::pg_catalog::{Snapshot, Value};
use crate::error::{Error, Kind};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::strict("array_upper", "int4", |_, args| Ok(length(args).into())),
    Function::strict("array_lower", "int4", |_, args| Ok(length(args).map(|_| 1).into())),
    Function::lenient("pg_no_oids", "oid[]", |_, _| Ok(Value::List(vec![]))),
    Function::strict("pg_series", "int8[]", series),
    Function::strict("pg_vector_text", "text", vector_text),
];

/// The most items that a series of one row may have: it is held in memory as a whole.
const LONGEST_SERIES: usize = 100_000;

/// The whole numbers from the first argument to the second, by the third.
fn series(_: &Snapshot, args: &[Value]) -> Result<Value, Error> {
    let bound = |i: usize| args.get(i).and_then(Value::int);
    let (Some(first), Some(last), step) = (bound(0), bound(1), bound(2).unwrap_or(1)) else {
        return Err(Error::unsupported("generate_series with bounds that are not whole numbers"));
    };
    if step == 0 {
        return Err(Error::new(Kind::InvalidValue, "step size cannot equal zero"));
    }
    let within = |number: &i64| if step > 0 { *number <= last } else { *number >= last };
    let numbers = std::iter::successors(Some(first), |number| number.checked_add(step)).take_while(within);
    let numbers: Vec<i64> = numbers.take(LONGEST_SERIES + 1).collect();
    if numbers.len() > LONGEST_SERIES {
        let message = format!("generate_series gives more than {LONGEST_SERIES} rows for one row");
        return Err(Error::new(Kind::TooLarge, message));
    }
    Ok(numbers.into())
}

/// The number of items; NULL for an empty array or a dimension that is not the first.
fn length(args: &[Value]) -> Option<i64> {
    match args {
        [Value::List(items), Value::Int(1)] if !items.is_empty() => i64::try_from(items.len()).ok(),
        _ => None,
    }
}

/// `int2vector` and `oidvector` are shown with blanks between their items.
#[expect(clippy::unnecessary_wraps, reason = "the shape of every function")]
fn vector_text(_: &Snapshot, args: &[Value]) -> Result<Value, Error> {
    Ok(match args.first() {
        Some(Value::List(items)) => items.iter().map(Value::text).collect::<Vec<_>>().join(" ").into(),
        _ => Value::Null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_bounded() {
        let of = |args: &[i64]| {
            let args: Vec<Value> = args.iter().map(|n| Value::Int(*n)).collect();
            series(&Snapshot::default(), &args)
        };
        assert_eq!(of(&[1, 3]), Ok(vec![1, 2, 3].into()));
        assert_eq!(of(&[5, 1, -2]), Ok(vec![5, 3, 1].into()));
        assert_eq!(of(&[1, 0]), Ok(Value::List(vec![])));
        assert!(of(&[1, 2, 0]).is_err());
        assert!(of(&[1, i64::MAX]).is_err());
    }
}
