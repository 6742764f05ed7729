//! One cell of a catalog relation, one argument or result of a catalog function.

use arrow::datatypes::{DataType, IntervalMonthDayNano, IntervalUnit};
use datafusion::common::ScalarValue;
use datafusion::error::Result;

/// A value, free of Arrow's widths.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// SQL's NULL.
    Null,
    /// `boolean`
    Bool(bool),
    /// Every whole number, and every kind of oid.
    Int(i64),
    /// `real` and `double precision`
    Float(f64),
    /// Every kind of text.
    Text(String),
    /// An array.
    List(Vec<Value>),
}

impl Value {
    /// From one element of an Arrow array. A type that no catalog function takes becomes its text.
    pub(crate) fn of(scalar: &ScalarValue) -> Self {
        if scalar.is_null() {
            return Self::Null;
        }
        match scalar {
            ScalarValue::Boolean(Some(v)) => Self::Bool(*v),
            ScalarValue::Float32(Some(v)) => Self::Float(f64::from(*v)),
            ScalarValue::Float64(Some(v)) => Self::Float(*v),
            ScalarValue::Utf8(Some(v)) | ScalarValue::LargeUtf8(Some(v)) | ScalarValue::Utf8View(Some(v)) => {
                Self::Text(v.clone())
            }
            ScalarValue::List(list) => {
                let items = list.values();
                let items = (0..items.len()).filter_map(|i| ScalarValue::try_from_array(items, i).ok());
                Self::List(items.map(|item| Self::of(&item)).collect())
            }
            other => match other.cast_to(&DataType::Int64) {
                Ok(ScalarValue::Int64(Some(v))) if other.data_type().is_integer() => Self::Int(v),
                _ => Self::Text(other.to_string()),
            },
        }
    }

    /// As a value of an Arrow type.
    pub(crate) fn to_scalar(&self, data_type: &DataType) -> Result<ScalarValue> {
        match (self, data_type) {
            (Self::Null, _) => ScalarValue::try_from(data_type),
            (Self::Bool(v), _) => ScalarValue::Boolean(Some(*v)).cast_to(data_type),
            // A whole number of seconds.
            (Self::Int(v), DataType::Interval(IntervalUnit::MonthDayNano)) => {
                let nanos = v.saturating_mul(1_000_000_000);
                Ok(ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano::new(0, 0, nanos))))
            }
            (Self::Int(v), _) => ScalarValue::Int64(Some(*v)).cast_to(data_type),
            (Self::Float(v), _) => ScalarValue::Float64(Some(*v)).cast_to(data_type),
            (Self::Text(v), _) => ScalarValue::Utf8(Some(v.clone())).cast_to(data_type),
            (Self::List(items), DataType::List(item)) => {
                let items: Vec<_> =
                    items.iter().map(|v| v.to_scalar(item.data_type())).collect::<Result<_>>()?;
                Ok(ScalarValue::List(ScalarValue::new_list_nullable(&items, item.data_type())))
            }
            (Self::List(_), _) => ScalarValue::Utf8(Some(self.text())).cast_to(data_type),
        }
    }

    /// As PostgreSQL prints it; NULL as nothing.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(v) => if *v { "t" } else { "f" }.into(),
            Self::Int(v) => v.to_string(),
            Self::Float(v) => v.to_string(),
            Self::Text(v) => v.clone(),
            Self::List(items) => {
                format!("{{{}}}", items.iter().map(Self::text).collect::<Vec<_>>().join(","))
            }
        }
    }

    /// As a whole number: an oid given as text (`'16387'`) counts.
    pub(crate) fn int(&self) -> Option<i64> {
        match self {
            Self::Int(v) => Some(*v),
            Self::Text(v) => v.trim().parse().ok(),
            _ => None,
        }
    }
}

impl From<bool> for Value {
    fn from(v: bool) -> Self {
        Self::Bool(v)
    }
}

impl From<i64> for Value {
    fn from(v: i64) -> Self {
        Self::Int(v)
    }
}

impl From<&str> for Value {
    fn from(v: &str) -> Self {
        Self::Text(v.to_owned())
    }
}

impl From<String> for Value {
    fn from(v: String) -> Self {
        Self::Text(v)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(v: Option<T>) -> Self {
        v.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(v: Vec<T>) -> Self {
        Self::List(v.into_iter().map(Into::into).collect())
    }
}
