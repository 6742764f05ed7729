//! `pg_sleep`, `pg_sleep_for`, `pg_sleep_until`: wait, for each row once. A cancel and a time limit end the wait.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{DataType, FieldRef, IntervalMonthDayNano, IntervalUnit, TimeUnit};
use async_trait::async_trait;
use datafusion::common::{ScalarValue, internal_err};
use datafusion::error::Result;
use datafusion::logical_expr::async_udf::{AsyncScalarUDF, AsyncScalarUDFImpl};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::engine::pg_catalog::typed;

/// Microseconds of a day, and of a month as intervals count it.
const DAY: i64 = 86_400_000_000;
const MONTH: i64 = 30 * DAY;

/// The functions.
pub(super) fn functions() -> impl Iterator<Item = Arc<ScalarUDF>> {
    let all = [
        ("pg_sleep", DataType::Float64),
        ("pg_sleep_for", DataType::Interval(IntervalUnit::MonthDayNano)),
        ("pg_sleep_until", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))),
    ];
    all.into_iter().map(|(name, takes)| {
        let signature = Signature::exact(vec![takes], Volatility::Volatile);
        let sleep = Arc::new(Sleep { name, signature });
        Arc::new(AsyncScalarUDF::new(sleep).into_scalar_udf())
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Sleep {
    name: &'static str,
    signature: Signature,
}

impl ScalarUDFImpl for Sleep {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(typed(self.name, "void").into())
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        internal_err!("{} waits, and is called where nothing can", self.name)
    }
}

#[async_trait]
impl AsyncScalarUDFImpl for Sleep {
    async fn invoke_async_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(lengths) = args.args.first() else { return internal_err!("how long is missing") };
        let lengths = lengths.to_array(args.number_rows)?;
        let mut rows = vec![];
        for row in 0..args.number_rows {
            let length = ScalarValue::try_from_array(&lengths, row)?;
            if length.is_null() {
                rows.push(None);
                continue;
            }
            tokio::time::sleep(duration(&length)).await;
            rows.push(Some(""));
        }
        // An array even of one row: one value is taken for one row, however many there are.
        Ok(ColumnarValue::Array(Arc::new(StringArray::from(rows)) as ArrayRef))
    }
}

/// How long to wait; what has passed already is not waited for.
fn duration(length: &ScalarValue) -> Duration {
    let micros = match length {
        ScalarValue::Float64(Some(seconds)) => {
            // Below zero, not a number, or longer than can be counted.
            let beyond = if *seconds > 0.0 { Duration::MAX } else { Duration::ZERO };
            return Duration::try_from_secs_f64(*seconds).unwrap_or(beyond);
        }
        ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano { months, days, nanoseconds })) => {
            let months = i64::from(*months).saturating_mul(MONTH);
            months.saturating_add(i64::from(*days).saturating_mul(DAY)).saturating_add(nanoseconds / 1000)
        }
        ScalarValue::TimestampMicrosecond(Some(until), _) => {
            until.saturating_sub(chrono::Utc::now().timestamp_micros())
        }
        _ => 0,
    };
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_never_below_zero() {
        let interval = |months, days, nanoseconds| {
            ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano { months, days, nanoseconds }))
        };
        for (length, expected) in [
            (ScalarValue::Float64(Some(0.25)), Duration::from_millis(250)),
            (ScalarValue::Float64(Some(-1.0)), Duration::ZERO),
            (ScalarValue::Float64(Some(f64::NAN)), Duration::ZERO),
            (ScalarValue::Float64(Some(f64::INFINITY)), Duration::MAX),
            (interval(0, 0, 2_000_000_000), Duration::from_secs(2)),
            (interval(1, 1, 0), Duration::from_secs(31 * 86_400)),
            (interval(0, -1, 0), Duration::ZERO),
            (ScalarValue::TimestampMicrosecond(Some(0), None), Duration::ZERO),
        ] {
            assert_eq!(duration(&length), expected, "{length}");
        }
    }
}
