//! `+`, `-` and `*` of whole numbers, which say when the result does not fit: DataFusion's own wrap around.

use arrow::array::{Array, ArrayRef, Datum};
use arrow::compute::kernels::numeric;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use super::external;
use super::kind::sql_name;
use crate::error::{Error, Kind};

pub(super) const ADD: &str = "pg_integer_add";
pub(super) const SUBTRACT: &str = "pg_integer_subtract";
pub(super) const MULTIPLY: &str = "pg_integer_multiply";

/// What is done with two numbers of one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Operation {
    Add,
    Subtract,
    Multiply,
}

/// The function of an operator.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct IntegerOperator {
    operation: Operation,
    signature: Signature,
}

impl IntegerOperator {
    pub(super) fn new(operation: Operation) -> Self {
        Self { operation, signature: Signature::any(2, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for IntegerOperator {
    fn name(&self) -> &'static str {
        match self.operation {
            Operation::Add => ADD,
            Operation::Subtract => SUBTRACT,
            Operation::Multiply => MULTIPLY,
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [left, right] if left == right => Ok(left.clone()),
            _ => plan_err!("{} takes two whole numbers of one type", self.name()),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = args.args.as_slice() else {
            return plan_err!("{} takes two numbers", self.name());
        };
        let apply = |left: &dyn Datum, right: &dyn Datum| -> Result<ArrayRef> {
            let done = match self.operation {
                Operation::Add => numeric::add(left, right),
                Operation::Subtract => numeric::sub(left, right),
                Operation::Multiply => numeric::mul(left, right),
            };
            done.map_err(|error| match error {
                ArrowError::ArithmeticOverflow(_) => {
                    let name = sql_name(args.return_field.data_type());
                    external(Error::new(Kind::NumericOutOfRange, format!("{name} out of range")))
                }
                other => other.into(),
            })
        };
        Ok(match (left, right) {
            (ColumnarValue::Array(left), ColumnarValue::Array(right)) => {
                ColumnarValue::Array(apply(left, right)?)
            }
            (ColumnarValue::Array(left), ColumnarValue::Scalar(right)) => {
                ColumnarValue::Array(apply(left, &right.to_scalar()?)?)
            }
            (ColumnarValue::Scalar(left), ColumnarValue::Array(right)) => {
                ColumnarValue::Array(apply(&left.to_scalar()?, right)?)
            }
            (ColumnarValue::Scalar(left), ColumnarValue::Scalar(right)) => {
                let array = apply(&left.to_scalar()?, &right.to_scalar()?)?;
                debug_assert_eq!(array.len(), 1);
                ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?)
            }
        })
    }
}
