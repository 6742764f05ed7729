//! `single_value`: the one value of a subquery that must have at most one row.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};

use crate::error::{Error, Kind};

/// The aggregate that stands for a subquery in an expression.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct SingleValue {
    signature: Signature,
}

impl SingleValue {
    pub(super) fn new() -> Self {
        Self { signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for SingleValue {
    fn name(&self) -> &'static str {
        "single_value"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types.first().cloned().unwrap_or(DataType::Null))
    }

    fn return_field(&self, fields: &[FieldRef]) -> Result<FieldRef> {
        let field =
            fields.first().map_or(Field::new("", DataType::Null, true), |field| field.as_ref().clone());
        Ok(Arc::new(field.with_name(self.name()).with_nullable(true)))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let value = Field::new("value", args.return_field.data_type().clone(), true);
        Ok(vec![Arc::new(Field::new("rows", DataType::Int64, true)), Arc::new(value)])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let value = ScalarValue::try_from(args.return_field.data_type())?;
        Ok(Box::new(One { rows: 0, value, distinct: args.is_distinct }))
    }
}

#[derive(Debug)]
struct One {
    rows: i64,
    value: ScalarValue,
    /// The same value again is no other.
    distinct: bool,
}

impl One {
    fn take(&mut self, value: ScalarValue, rows: i64) -> Result<()> {
        if rows == 0 || (self.distinct && self.rows > 0 && self.value == value) {
            return Ok(());
        }
        self.rows += rows;
        self.value = value;
        if self.rows > 1 {
            let message = "more than one row returned by a subquery used as an expression";
            return Err(DataFusionError::External(Box::new(Error::new(Kind::Cardinality, message))));
        }
        Ok(())
    }
}

impl Accumulator for One {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(column) = values.first() else { return Ok(()) };
        for i in 0..column.len() {
            self.take(ScalarValue::try_from_array(column, i)?, 1)?;
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [rows, values] = states else { return Ok(()) };
        for i in 0..rows.len() {
            let ScalarValue::Int64(Some(count)) = ScalarValue::try_from_array(rows, i)? else { continue };
            self.take(ScalarValue::try_from_array(values, i)?, count)?;
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.value.clone())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Int64(Some(self.rows)), self.value.clone()])
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.value.size()
    }
}
