//! A line of a list of functions as a scalar function of DataFusion.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use crate::engine::pg_catalog::{Catalog, Snapshot, Value, typed};
use crate::error::Error;

/// A function: takes any arguments, gives one value.
pub(super) struct Function {
    /// Its name in SQL.
    pub(super) name: &'static str,
    /// The word for the type that it gives: `text`, `bool`, `oid`, `text[]` ...
    pub(super) returns: &'static str,
    /// NULL in, NULL out, without a call.
    pub(super) strict: bool,
    /// What it does.
    pub(super) call: fn(&Snapshot, &[Value]) -> Result<Value, Error>,
}

impl Function {
    /// NULL in, NULL out.
    pub(super) const fn strict(
        name: &'static str,
        returns: &'static str,
        call: fn(&Snapshot, &[Value]) -> Result<Value, Error>,
    ) -> Self {
        Self { name, returns, strict: true, call }
    }

    /// Sees the NULLs.
    pub(super) const fn lenient(
        name: &'static str,
        returns: &'static str,
        call: fn(&Snapshot, &[Value]) -> Result<Value, Error>,
    ) -> Self {
        Self { name, returns, strict: false, call }
    }
}

/// A function with the catalog that it reads.
pub(super) struct CatalogFunction {
    function: &'static Function,
    catalog: Arc<Catalog>,
    signature: Signature,
}

impl CatalogFunction {
    pub(super) fn new(function: &'static Function, catalog: Arc<Catalog>) -> Self {
        Self { function, catalog, signature: Signature::user_defined(Volatility::Stable) }
    }

    fn field(&self) -> FieldRef {
        Arc::new(typed(self.function.name, self.function.returns))
    }
}

impl fmt::Debug for CatalogFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.function.name)
    }
}

impl PartialEq for CatalogFunction {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name && Arc::ptr_eq(&self.catalog, &other.catalog)
    }
}

impl Eq for CatalogFunction {}

impl Hash for CatalogFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl ScalarUDFImpl for CatalogFunction {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.field().data_type().clone())
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(self.field())
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let snapshot = self.catalog.current();
        let field = self.field();
        let data_type = field.data_type();
        let call = |row: &[Value]| {
            if self.function.strict && row.contains(&Value::Null) {
                return ScalarValue::try_from(data_type);
            }
            let value = (self.function.call)(&snapshot, row);
            value.map_err(|e| DataFusionError::External(Box::new(e)))?.to_scalar(data_type)
        };
        let constants: Option<Vec<_>> = args
            .args
            .iter()
            .map(|arg| match arg {
                ColumnarValue::Scalar(scalar) => Some(Value::of(scalar)),
                ColumnarValue::Array(_) => None,
            })
            .collect();
        if let Some(row) = constants {
            return Ok(ColumnarValue::Scalar(call(&row)?));
        }
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let mut results = Vec::with_capacity(args.number_rows);
        for i in 0..args.number_rows {
            let row: Vec<_> = columns
                .iter()
                .map(|column| Ok(Value::of(&ScalarValue::try_from_array(column, i)?)))
                .collect::<Result<_>>()?;
            results.push(call(&row)?);
        }
        if results.is_empty() {
            return Ok(ColumnarValue::Array(arrow::array::new_empty_array(data_type)));
        }
        Ok(ColumnarValue::Array(ScalarValue::iter_to_array(results)?))
    }
}
