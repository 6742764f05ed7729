//! `aclexplode` in a SELECT list: the privileges that an access list grants. Here are none: rights are Kintone's.

use std::sync::Arc;

use arrow::array::ListArray;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use crate::engine::pg_catalog::typed;

/// Takes nothing, gives an empty array of privileges.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct NoAcl {
    signature: Signature,
}

impl NoAcl {
    pub(super) fn new() -> Self {
        Self { signature: Signature::nullary(Volatility::Stable) }
    }
}

fn item() -> Arc<Field> {
    let columns =
        [("grantor", "oid"), ("grantee", "oid"), ("privilege_type", "text"), ("is_grantable", "bool")];
    let fields: Fields = columns.into_iter().map(|(name, word)| typed(name, word)).collect();
    Arc::new(Field::new_list_field(DataType::Struct(fields), true))
}

impl ScalarUDFImpl for NoAcl {
    fn name(&self) -> &'static str {
        "pg_no_acl"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::List(item()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let item = item();
        let values = arrow::array::new_empty_array(item.data_type());
        let offsets = arrow::buffer::OffsetBuffer::from_lengths(vec![0; args.number_rows]);
        Ok(ColumnarValue::Array(Arc::new(ListArray::try_new(item, offsets, values, None)?)))
    }
}
