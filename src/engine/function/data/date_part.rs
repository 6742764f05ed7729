//! `extract` and `date_part`: a field of a day, a time or an interval.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use chrono::{Datelike, Offset, TimeZone};
use chrono_tz::Tz;
use datafusion::common::config::ConfigOptions;
use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::Result;
use datafusion::functions::datetime::date_part::DatePartFunc;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility, lit,
};

use super::cell::{self, Cell, DAY, Span};
use super::date_trunc::{unit_name, unknown_unit};
use super::kind::sql_name;
use super::numeric::Number;
use super::timestamp::date_of;
use super::zone::{Zone, naive};
use super::{build, external};
use crate::error::{Error, Kind as Fault};

pub(super) const EXTRACT: &str = "pg_extract";
pub(super) const DATE_PART: &str = "date_part";

/// The two spellings, which differ in what they give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// `extract(field FROM x)`: numeric.
    Extract,
    /// `date_part('field', x)`: double precision.
    DatePart,
}

/// Takes a field's name and a value.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct DatePart {
    form: Form,
    zone: Arc<str>,
    signature: Signature,
}

impl DatePart {
    pub(super) fn new(form: Form) -> Self {
        Self { form, zone: "UTC".into(), signature: Signature::user_defined(Volatility::Immutable) }
    }

    fn data_type(&self, field: Option<&str>) -> DataType {
        let fraction = field.is_none_or(|field| {
            matches!(unit_name(field).as_str(), "second" | "millisecond" | "epoch" | "julian")
        });
        match self.form {
            Form::DatePart => DataType::Float64,
            Form::Extract => DataType::Decimal128(38, if fraction { 6 } else { 0 }),
        }
    }
}

impl ScalarUDFImpl for DatePart {
    fn name(&self) -> &'static str {
        match self.form {
            Form::Extract => EXTRACT,
            Form::DatePart => DATE_PART,
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let zone = config.execution.time_zone.as_deref().unwrap_or("UTC").into();
        Some(ScalarUDF::from(Self { zone, ..Self::new(self.form) }))
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.data_type(None))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let field = args.scalar_arguments.first().copied().flatten().and_then(|v| v.try_as_str().flatten());
        Ok(Arc::new(Field::new(self.name(), self.data_type(field), true)))
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [field, value] = types else { return plan_err!("function {}() does not exist", self.name()) };
        let value = match value {
            DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
            DataType::Date32 | DataType::Time64(_) | DataType::Null => value.clone(),
            DataType::Duration(_) | DataType::Interval(_) => {
                super::kind::Kind::Interval.coerced(value, &self.zone)
            }
            DataType::Utf8 => super::kind::Kind::Instant.coerced(value, &self.zone),
            other => {
                let types = format!("{}, {}", sql_name(field), sql_name(other));
                return plan_err!("function {}({types}) does not exist", self.name());
            }
        };
        Ok(vec![DataType::Utf8, value])
    }

    /// `extract(year FROM d) = 2024` is a range of days, which can be asked for.
    fn preimage(&self, args: &[Expr], literal: &Expr, info: &SimplifyContext) -> Result<PreimageResult> {
        let whole = match literal.as_literal() {
            Some(value @ (ScalarValue::Decimal128(Some(_), ..) | ScalarValue::Float64(Some(_)))) => {
                let whole = value.cast_to(&DataType::Int32).ok();
                whole.filter(|whole| whole.cast_to(&value.data_type()).is_ok_and(|back| back == *value))
            }
            _ => None,
        };
        match whole {
            Some(year) => DatePartFunc::new().preimage(args, &lit(year), info),
            None => Ok(PreimageResult::None),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [field, value] = args.args.as_slice() else {
            return plan_err!("{} takes two values", self.name());
        };
        let (ColumnarValue::Scalar(_), Some(value_field)) = (field, args.arg_fields.get(1)) else {
            return plan_err!("{} takes a constant field", self.name());
        };
        let ColumnarValue::Scalar(name) = field else { return plan_err!("a constant field") };
        let constant = matches!(value, ColumnarValue::Scalar(_));
        let rows = if constant { 1 } else { args.number_rows };
        let column: ArrayRef = value.to_array(rows)?;
        let zone = self.zone.parse().unwrap_or(Tz::UTC);
        let mut cells = Vec::with_capacity(rows);
        for row in 0..rows {
            let cell = cell::read(&column, row, value_field)?;
            cells.push(match name.try_as_str().flatten() {
                Some(name) if cell != Cell::Null => self.shown(part(name, &cell, zone).map_err(external)?),
                _ => Cell::Null,
            });
        }
        let array = build::array(&cells, args.return_field.data_type()).map_err(external)?;
        if constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?));
        }
        Ok(ColumnarValue::Array(array))
    }
}

impl DatePart {
    fn shown(&self, number: Number) -> Cell {
        match self.form {
            Form::Extract => Cell::Number(number),
            Form::DatePart => Cell::Float(Cell::Number(number).float()),
        }
    }
}

/// Millionths.
fn micros(value: i64) -> Number {
    Number::new(value.into(), 6)
}

/// A field of a value.
fn part(written: &str, value: &Cell, zone: Tz) -> std::result::Result<Number, Error> {
    let name = unit_name(written);
    match value {
        Cell::Interval(span) => of_interval(&name, *span).ok_or_else(|| unknown_unit(written, "interval")),
        Cell::Time(time) => {
            of_time(&name, *time).ok_or_else(|| unknown_unit(written, "time without time zone"))
        }
        Cell::Date(_) => of_date(&name, value.micros())?.ok_or_else(|| {
            let message = format!("unit \"{}\" not supported for type date", written.to_lowercase());
            if of_time(&name, 0).is_some() || name.starts_with("timezone") {
                return Error::new(Fault::Unsupported, message);
            }
            unknown_unit(written, "date")
        }),
        Cell::Timestamp(local) => of_local(&name, *local, *local)?
            .ok_or_else(|| unknown_unit(written, "timestamp without time zone")),
        Cell::Instant(instant) => {
            let offset = i64::from(zone.offset_from_utc_datetime(&naive(*instant)?).fix().local_minus_utc());
            let local = Zone::Named(zone).local(*instant)?;
            let of_zone = match name.as_str() {
                "timezone" => Some(Number::whole(offset)),
                "timezone_hour" => Some(Number::whole(offset / 3_600)),
                "timezone_minute" => Some(Number::whole(offset / 60 % 60)),
                _ => of_local(&name, local, *instant)?,
            };
            of_zone.ok_or_else(|| unknown_unit(written, "timestamp with time zone"))
        }
        other => Err(Error::internal(format!("{other:?} has no fields"))),
    }
}

fn of_time(name: &str, time: i64) -> Option<Number> {
    let minute = time % 60_000_000;
    Some(match name {
        "microsecond" => Number::whole(minute),
        "millisecond" => Number::new(minute.into(), 3),
        "second" => micros(minute),
        "minute" => Number::whole(time / 60_000_000 % 60),
        "hour" => Number::whole(time / 3_600_000_000),
        "epoch" => micros(time),
        _ => return None,
    })
}

fn of_local(name: &str, local: i64, instant: i64) -> std::result::Result<Option<Number>, Error> {
    if name == "epoch" {
        return Ok(Some(micros(instant)));
    }
    if name == "julian" {
        let days = Number::new((i128::from(local) + 2_440_588 * i128::from(DAY)).into(), 0);
        return days.divided_by(&Number::whole(DAY)).map(Some);
    }
    match of_date(name, local)? {
        Some(number) => Ok(Some(number)),
        None => Ok(of_time(name, local.rem_euclid(DAY))),
    }
}

/// A year as PostgreSQL counts: there is no year 0.
fn counted(year: i64) -> i64 {
    if year > 0 { year } else { year - 1 }
}

fn of_date(name: &str, local: i64) -> std::result::Result<Option<Number>, Error> {
    let date = date_of(local)?;
    let year = i64::from(date.year());
    let era = |size: i64| {
        if year > 0 { (year + size - 1) / size } else { -((size - 1 - (year - 1)) / size) }
    };
    Ok(Some(Number::whole(match name {
        "year" => counted(year),
        "month" => date.month().into(),
        "day" => date.day().into(),
        "quarter" => i64::from(date.month0()) / 3 + 1,
        "week" => date.iso_week().week().into(),
        "isoyear" => counted(date.iso_week().year().into()),
        "dow" => date.weekday().num_days_from_sunday().into(),
        "isodow" => date.weekday().number_from_monday().into(),
        "doy" => date.ordinal().into(),
        "decade" => year.div_euclid(10),
        "century" => era(100),
        "millennium" => era(1_000),
        "julian" => local.div_euclid(DAY) + 2_440_588,
        "epoch" => return Ok(Some(micros(local))),
        _ => return Ok(None),
    })))
}

fn of_interval(name: &str, span: Span) -> Option<Number> {
    let months = i64::from(span.months);
    Some(match name {
        "year" => Number::whole(months / 12),
        "month" => Number::whole(months % 12),
        "quarter" => Number::whole(months % 12 / 3 + 1),
        "decade" => Number::whole(months / 120),
        "century" => Number::whole(months / 1_200),
        "millennium" => Number::whole(months / 12_000),
        "day" => Number::whole(span.days.into()),
        "epoch" => {
            // A year has 365.25 days here, a month of the rest 30.
            let days = i128::from(months / 12) * 31_557_600 + i128::from(months % 12) * 30 * 86_400;
            let seconds = days + i128::from(span.days) * 86_400;
            Number::new((seconds * 1_000_000 + i128::from(span.micros)).into(), 6)
        }
        other => return of_time(other, span.micros),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_postgresqls() {
        let day = Cell::Date(19_849); // 2024-05-06
        let time = Cell::Timestamp(19_849 * DAY + 7 * 3_600_000_000 + 9_500_000);
        let instant = Cell::Instant(19_849 * DAY);
        let span = Cell::Interval(Span { months: 14, days: 3, micros: 9_500_000 });
        for (name, cell, value) in [
            ("year", &day, "2024"),
            ("dow", &day, "1"),
            ("epoch", &day, "1714953600.000000"),
            ("century", &day, "21"),
            ("second", &time, "9.500000"),
            ("milliseconds", &time, "9500.000"),
            ("HOUR", &time, "7"),
            ("hour", &instant, "9"),
            ("timezone", &instant, "32400"),
            ("month", &span, "2"),
            ("epoch", &span, "37000809.500000"),
        ] {
            assert_eq!(part(name, cell, Tz::Asia__Tokyo).unwrap().to_string(), value, "{name}");
        }
        assert_eq!(part("hour", &day, Tz::UTC).unwrap_err().kind, Fault::Unsupported);
        assert_eq!(part("nonsense", &time, Tz::UTC).unwrap_err().kind, Fault::InvalidValue);
    }
}
