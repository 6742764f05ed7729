//! A function that there is not: once the types of its arguments are known, it is told with them, as PostgreSQL does.

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

use super::type_name::type_text;
use crate::engine::SqlType;
use crate::engine::pg_catalog::type_oid;

/// Stands for a call until its types are asked for.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Missing {
    name: String,
    signature: Signature,
}

impl Missing {
    pub(super) fn new(name: &str) -> Self {
        let any = TypeSignature::OneOf(vec![TypeSignature::Nullary, TypeSignature::VariadicAny]);
        Self { name: name.to_owned(), signature: Signature::new(any, Volatility::Volatile) }
    }

    fn refuse<T>(&self, types: &[String]) -> Result<T> {
        plan_err!("function {}({}) does not exist", self.name, types.join(", "))
    }
}

impl ScalarUDFImpl for Missing {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        self.refuse(&[])
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let values = args.scalar_arguments.iter().copied();
        let types = args.arg_fields.iter().zip(values).map(|(field, value)| match value {
            Some(ScalarValue::Utf8(_) | ScalarValue::Null) => "unknown".to_owned(),
            Some(ScalarValue::Int64(Some(number))) if i32::try_from(*number).is_ok() => "integer".to_owned(),
            _ => match SqlType::of(field) {
                SqlType::Unknown => "unknown".to_owned(),
                known => type_text(type_oid(&known)),
            },
        });
        self.refuse(&types.collect::<Vec<_>>())
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.refuse(&[])
    }
}
