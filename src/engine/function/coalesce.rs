//! `coalesce`, which reads a text literal beside an array as an array: `coalesce(names, '{}')`, and beside a
//! number, a day or a time as one.

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::Result;
use datafusion::functions::core::coalesce::CoalesceFunc;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature,
};

use crate::engine::dialect::array_items;
use crate::engine::pg_catalog::Value;

/// DataFusion's function, with that difference.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Coalesce {
    inner: CoalesceFunc,
}

impl Coalesce {
    pub(super) fn new() -> Self {
        Self { inner: CoalesceFunc::new() }
    }
}

/// The type of the arrays, where some arguments are arrays and the others text.
fn array_beside_text<'a>(mut types: impl Iterator<Item = &'a DataType> + Clone) -> Option<DataType> {
    let has_text = types.clone().any(|data_type| *data_type == DataType::Utf8);
    types.find(|data_type| has_text && matches!(data_type, DataType::List(_))).cloned()
}

/// The type of the numbers, days or times, where all arguments are of one such type, or text.
fn typed_beside_text(types: &[DataType]) -> Option<DataType> {
    let has_text = types.contains(&DataType::Utf8);
    let mut others = types.iter().filter(|t| !matches!(t, DataType::Utf8 | DataType::Null));
    let first = others.next().filter(|_| has_text)?;
    let is_time = matches!(first, DataType::Date32 | DataType::Time64(_) | DataType::Timestamp(..));
    ((is_time || first.is_numeric()) && others.all(|other| other == first)).then(|| first.clone())
}

impl ScalarUDFImpl for Coalesce {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types = args.arg_fields.iter().map(|field| field.data_type());
        match array_beside_text(types) {
            Some(array) => Ok(FieldRef::new(arrow::datatypes::Field::new(self.name(), array, true))),
            None => self.inner.return_field_from_args(args),
        }
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        if array_beside_text(types.iter()).is_some() {
            return Ok(types.to_vec());
        }
        match typed_beside_text(types) {
            Some(typed) => Ok(vec![typed; types.len()]),
            None => self.inner.coerce_types(types),
        }
    }

    fn simplify(&self, mut args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let types = args.iter().map(|arg| info.get_data_type(arg)).collect::<Result<Vec<_>>>()?;
        if let Some(array) = array_beside_text(types.iter()) {
            for arg in &mut args {
                if let Expr::Literal(ScalarValue::Utf8(Some(text)), _) = arg {
                    let Some(items) = array_items(text) else {
                        return plan_err!("malformed array literal: \"{text}\"");
                    };
                    *arg = Expr::Literal(Value::from(items).to_scalar(&array)?, None);
                }
            }
        }
        self.inner.simplify(args, info)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.inner.invoke_with_args(args)
    }

    fn conditional_arguments<'a>(&self, args: &'a [Expr]) -> Option<(Vec<&'a Expr>, Vec<&'a Expr>)> {
        self.inner.conditional_arguments(args)
    }

    fn short_circuits(&self) -> bool {
        true
    }
}
