//! `pg_row`: a row of names and values in turn, whose columns keep the marks of their types.

use std::sync::Arc;

use arrow::array::StructArray;
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

pub(super) const NAME: &str = "pg_row";

/// DataFusion's `named_struct`, but for the marks.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Row {
    signature: Signature,
}

impl Row {
    pub(super) fn new() -> Self {
        Self { signature: Signature::variadic_any(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Row {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        plan_err!("{NAME} takes names and values")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let names = args.scalar_arguments.iter().step_by(2);
        let values = args.arg_fields.iter().skip(1).step_by(2);
        let columns = names.zip(values).map(|(name, value)| match name {
            Some(ScalarValue::Utf8(Some(name))) => {
                Ok(Arc::new(value.as_ref().clone().with_name(name).with_nullable(true)))
            }
            _ => plan_err!("{NAME} takes names and values"),
        });
        let columns: Fields = columns.collect::<Result<Vec<_>>>()?.into();
        Ok(Arc::new(Field::new(NAME, DataType::Struct(columns), true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let DataType::Struct(columns) = args.return_field.data_type() else {
            return plan_err!("{NAME} gives a row");
        };
        let values = args.args.iter().skip(1).step_by(2);
        let values = values.map(|value| value.to_array(args.number_rows)).collect::<Result<Vec<_>>>()?;
        Ok(ColumnarValue::Array(Arc::new(StructArray::try_new(columns.clone(), values, None)?)))
    }
}
