//! `pg_summand`: what `sum` adds up. A `bigint` is made a `numeric`, as PostgreSQL's sum of them is one; anything else is
//! left as it is, and the optimizer takes the call off.

use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

pub(super) const NAME: &str = "pg_summand";

/// All digits of a `bigint`.
const EXACT: DataType = DataType::Decimal128(20, 0);

/// Takes one value.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Summand {
    signature: Signature,
}

impl Summand {
    pub(super) fn new() -> Self {
        Self { signature: Signature::new(TypeSignature::Any(1), Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Summand {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [DataType::Int64] => Ok(EXACT),
            [other] => Ok(other.clone()),
            _ => plan_err!("{NAME} takes a value"),
        }
    }

    fn simplify(&self, args: Vec<Expr>, context: &SimplifyContext) -> Result<ExprSimplifyResult> {
        match args.as_slice() {
            [arg] if context.get_data_type(arg)? != DataType::Int64 => {
                Ok(ExprSimplifyResult::Simplified(arg.clone()))
            }
            _ => Ok(ExprSimplifyResult::Original(args)),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.into_iter().next() {
            Some(ColumnarValue::Array(array)) if *array.data_type() == DataType::Int64 => {
                Ok(ColumnarValue::Array(cast(&array, &EXACT)?))
            }
            Some(ColumnarValue::Scalar(value @ ScalarValue::Int64(_))) => {
                Ok(ColumnarValue::Scalar(value.cast_to(&EXACT)?))
            }
            Some(other) => Ok(other),
            None => plan_err!("{NAME} takes a value"),
        }
    }
}
