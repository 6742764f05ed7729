//! What Arrow's decimals do not say of PostgreSQL's numerics: the scale that a value is shown with, and the values
//! that are no numbers.
//!
//! Takes: logical plans. Gives: marks on the fields of a result ([`crate::table::NumericForm`]).

mod scale;
mod special;

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::logical_expr::LogicalPlan;

use crate::table::NumericForm;
pub(super) use special::{Specials, take_specials};

/// The schema with the form of each numeric that `plan`, which has the same columns, gives.
pub(super) fn with_forms(schema: &SchemaRef, plan: &LogicalPlan, specials: &Specials) -> SchemaRef {
    let fields = schema.fields().iter().enumerate().map(|(at, field)| {
        if !is_numeric(field.data_type()) {
            return Arc::clone(field);
        }
        let scale = scale::shown_scale(plan, at).unwrap_or_default();
        let form = NumericForm { scale, special: specials.get(&at).copied() };
        Arc::new(form.mark(Field::clone(field)))
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn is_numeric(data_type: &DataType) -> bool {
    match data_type {
        DataType::Decimal128(..) | DataType::Decimal256(..) => true,
        DataType::List(item) => is_numeric(item.data_type()),
        _ => false,
    }
}
