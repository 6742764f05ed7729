//! `pg_typeof`: the type of a value, as the planner knows it.

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

use crate::engine::SqlType;
use crate::engine::pg_catalog::{type_oid, typed};

/// Takes a value, gives its type's oid.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct TypeOf {
    signature: Signature,
}

impl TypeOf {
    pub(super) fn new() -> Self {
        Self { signature: Signature::new(TypeSignature::Any(1), Volatility::Stable) }
    }
}

impl ScalarUDFImpl for TypeOf {
    fn name(&self) -> &'static str {
        "pg_typeof"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(typed(self.name(), "regtype").into())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let sql_type = args.arg_fields.first().map_or(SqlType::Unknown, |field| SqlType::of(field));
        // PostgreSQL says `unknown` of a bare NULL.
        let oid = if sql_type == SqlType::Unknown { 705 } else { type_oid(&sql_type) };
        Ok(ColumnarValue::Scalar(ScalarValue::Int64(Some(oid))))
    }
}
