//! `_pg_expandarray`: each item `x` of an array with its number `n`, from 1. Drivers unnest keys with it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int32Array, ListArray, StructArray};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::cast::as_list_array;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

/// Takes an array, gives an array of pairs.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ExpandArray {
    signature: Signature,
}

impl ExpandArray {
    pub(super) fn new() -> Self {
        Self { signature: Signature::new(TypeSignature::Any(1), Volatility::Immutable) }
    }
}

/// The pair of an item and its number.
fn pair(item: &DataType) -> Fields {
    Fields::from(vec![Field::new("x", item.clone(), true), Field::new("n", DataType::Int32, true)])
}

impl ScalarUDFImpl for ExpandArray {
    fn name(&self) -> &'static str {
        "_pg_expandarray"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [DataType::List(item)] => Ok(DataType::new_list(DataType::Struct(pair(item.data_type())), true)),
            _ => Err(DataFusionError::Plan("_pg_expandarray takes an array".into())),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let Some(column) = columns.first() else {
            return Err(DataFusionError::Internal("_pg_expandarray without an argument".into()));
        };
        let list = as_list_array(column)?;
        // Only the items that belong to a row, so that the numbers start with each row.
        let mut items = vec![];
        let mut numbers = vec![];
        let mut lengths = vec![];
        for i in 0..list.len() {
            let row = if list.is_null(i) { None } else { Some(list.value(i)) };
            let length = row.as_ref().map_or(0, |row| row.len());
            numbers.extend((1_i32..).take(length));
            lengths.push(length);
            items.extend(row);
        }
        let items: Vec<&dyn Array> = items.iter().map(AsRef::as_ref).collect();
        let values = if items.is_empty() {
            arrow::array::new_empty_array(&list.value_type())
        } else {
            arrow::compute::concat(&items)?
        };
        let fields = pair(&list.value_type());
        let numbers: ArrayRef = Arc::new(Int32Array::from(numbers));
        let pairs = StructArray::try_new(fields.clone(), vec![values, numbers], None)?;
        let field = Arc::new(Field::new_list_field(DataType::Struct(fields), true));
        let offsets = arrow::buffer::OffsetBuffer::from_lengths(lengths);
        let nulls = list.nulls().cloned();
        Ok(ColumnarValue::Array(Arc::new(ListArray::try_new(field, offsets, Arc::new(pairs), nulls)?)))
    }
}
