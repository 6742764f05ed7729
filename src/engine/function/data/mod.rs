//! Functions over data: numbers, days, times, intervals, texts, JSON, as PostgreSQL 15 has them.
//!
//! Takes: arguments of the types that a function is declared for. Gives: DataFusion's scalar functions.
//! A function is a [`Def`] in the list of the file that has its subject; the files are joined in [`LISTS`].
//! They read nothing but their arguments and the session's zone.

mod average;
mod build;
mod cell;
mod concat;
mod date_part;
mod date_trunc;
mod format;
mod format_text;
mod integer;
mod interval;
mod json;
mod json_build;
mod json_value;
mod kind;
mod list;
mod logarithm;
mod named;
mod numeric;
mod numeric_function;
mod record;
mod regexp;
mod row;
mod series;
mod show;
mod similar;
mod summand;
mod text_of;
mod timestamp;
mod zone;

use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, FieldRef};
use chrono_tz::Tz;
use datafusion::common::ScalarValue;
use datafusion::common::config::ConfigOptions;
use datafusion::common::plan_datafusion_err;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::error::Error;
use cell::Cell;
use kind::{Kind, Returns, sql_name};
pub(crate) use regexp::translated;

/// What a call knows besides its arguments.
struct Context {
    /// The session's zone.
    zone: Tz,
}

type Call = fn(&Context, &[Cell]) -> std::result::Result<Cell, Error>;

/// One list of arguments that a function takes.
struct Overload {
    args: &'static [Kind],
    /// The kind of any number of further arguments.
    rest: Option<Kind>,
    returns: Returns,
    call: Call,
}

/// An overload of so many arguments.
const fn on(args: &'static [Kind], returns: Returns, call: Call) -> Overload {
    Overload { args, rest: None, returns, call }
}

/// An overload with any number of arguments behind the first ones.
const fn variadic(args: &'static [Kind], rest: Kind, returns: Returns, call: Call) -> Overload {
    Overload { args, rest: Some(rest), returns, call }
}

/// A function of PostgreSQL.
struct Def {
    name: &'static str,
    /// NULL in, NULL out, without a call.
    strict: bool,
    overloads: &'static [Overload],
}

impl Def {
    /// NULL in, NULL out.
    const fn strict(name: &'static str, overloads: &'static [Overload]) -> Self {
        Self { name, strict: true, overloads }
    }

    /// Sees the NULLs.
    const fn lenient(name: &'static str, overloads: &'static [Overload]) -> Self {
        Self { name, strict: false, overloads }
    }
}

/// The functions by subject.
const LISTS: &[&[Def]] = &[
    average::FUNCTIONS,
    concat::FUNCTIONS,
    date_trunc::FUNCTIONS,
    format::FUNCTIONS,
    format_text::FUNCTIONS,
    interval::FUNCTIONS,
    json::FUNCTIONS,
    json_build::FUNCTIONS,
    list::FUNCTIONS,
    logarithm::FUNCTIONS,
    numeric_function::FUNCTIONS,
    record::FUNCTIONS,
    regexp::FUNCTIONS,
    series::FUNCTIONS,
    similar::FUNCTIONS,
    text_of::FUNCTIONS,
    timestamp::FUNCTIONS,
    zone::FUNCTIONS,
];

/// The functions, made once: one that knows the session's zone is made anew from these.
static FUNCTIONS: LazyLock<HashMap<&'static str, Arc<ScalarUDF>>> = LazyLock::new(|| {
    let listed = LISTS.iter().flat_map(|list| list.iter());
    let listed = listed.map(|def| ScalarUDF::from(DataFunction::new(def)));
    let others = [
        ScalarUDF::from(integer::IntegerOperator::new(integer::Operation::Add)),
        ScalarUDF::from(integer::IntegerOperator::new(integer::Operation::Subtract)),
        ScalarUDF::from(integer::IntegerOperator::new(integer::Operation::Multiply)),
        ScalarUDF::from(named::Named::new()),
        ScalarUDF::from(summand::Summand::new()),
        ScalarUDF::from(row::Row::new()),
        ScalarUDF::from(date_part::DatePart::new(date_part::Form::Extract)),
        ScalarUDF::from(date_part::DatePart::new(date_part::Form::DatePart)),
    ];
    listed.chain(others).map(|function| (static_name(function.name()), Arc::new(function))).collect()
});

/// The name as the lists have it.
fn static_name(name: &str) -> &'static str {
    const OTHERS: &[&str] = &[
        integer::ADD,
        integer::SUBTRACT,
        integer::MULTIPLY,
        named::NAME,
        summand::NAME,
        row::NAME,
        date_part::EXTRACT,
        date_part::DATE_PART,
    ];
    let listed = LISTS.iter().flat_map(|list| list.iter()).map(|def| def.name);
    listed.chain(OTHERS.iter().copied()).find(|known| *known == name).unwrap_or_default()
}

/// Every function, for a session to register.
pub(crate) fn functions() -> impl Iterator<Item = Arc<ScalarUDF>> {
    FUNCTIONS.values().cloned()
}

/// One of them, in the zone UTC: for rewritten plans, which hold functions instead of names.
///
/// # Errors
/// When there is none of that name, which is a bug.
pub(crate) fn function(name: &str) -> Result<Arc<ScalarUDF>> {
    FUNCTIONS
        .get(name)
        .cloned()
        .ok_or_else(|| DataFusionError::Internal(format!("there is no function {name}")))
}

/// A function as DataFusion has them.
struct DataFunction {
    def: &'static Def,
    zone: Arc<str>,
    signature: Signature,
}

impl DataFunction {
    fn new(def: &'static Def) -> Self {
        Self::in_zone(def, "UTC".into())
    }

    fn in_zone(def: &'static Def, zone: Arc<str>) -> Self {
        Self { def, zone, signature: Signature::user_defined(Volatility::Immutable) }
    }

    /// The overload that fits best.
    fn overload<'t>(&self, types: impl Iterator<Item = &'t DataType> + Clone) -> Result<&'static Overload> {
        let distance = |overload: &&Overload| {
            let mut sum = 0;
            let mut kinds = overload.args.iter();
            for data_type in types.clone() {
                sum += kinds.next().copied().or(overload.rest)?.distance(data_type)?;
            }
            kinds.next().is_none().then_some(sum)
        };
        let fitting = self.def.overloads.iter().filter_map(|o| distance(&o).map(|distance| (distance, o)));
        fitting.min_by_key(|(distance, _)| *distance).map(|(_, overload)| overload).ok_or_else(|| {
            let names: Vec<_> = types.map(sql_name).collect();
            plan_datafusion_err!("function {}({}) does not exist", self.def.name, names.join(", "))
        })
    }
}

impl fmt::Debug for DataFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.def.name)
    }
}

impl PartialEq for DataFunction {
    fn eq(&self, other: &Self) -> bool {
        self.def.name == other.def.name && self.zone == other.zone
    }
}

impl Eq for DataFunction {}

impl Hash for DataFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.def.name.hash(state);
    }
}

impl ScalarUDFImpl for DataFunction {
    fn name(&self) -> &str {
        self.def.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let zone = config.execution.time_zone.as_deref().unwrap_or("UTC");
        Some(ScalarUDF::from(Self::in_zone(self.def, zone.into())))
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let fields: Vec<FieldRef> =
            types.iter().map(|t| Arc::new(arrow::datatypes::Field::new("", t.clone(), true))).collect();
        let overload = self.overload(types.iter())?;
        Ok(overload.returns.field(self.def.name, &fields, &self.zone).data_type().clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let overload = self.overload(args.arg_fields.iter().map(|field| field.data_type()))?;
        Ok(Arc::new(overload.returns.field(self.def.name, args.arg_fields, &self.zone)))
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let overload = self.overload(types.iter())?;
        let kinds = overload.args.iter().copied().chain(overload.rest.into_iter().cycle());
        Ok(types.iter().zip(kinds).map(|(t, kind)| kind.coerced(t, &self.zone)).collect())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let overload = self.overload(args.arg_fields.iter().map(|field| field.data_type()))?;
        let context = Context { zone: self.zone.parse().unwrap_or(Tz::UTC) };
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let columns: Vec<ArrayRef> = args.args.iter().map(|arg| arg.to_array(rows)).collect::<Result<_>>()?;
        let mut cells = Vec::with_capacity(rows);
        for row in 0..rows {
            let values = columns.iter().zip(&args.arg_fields);
            let values =
                values.map(|(column, field)| cell::read(column, row, field)).collect::<Result<Vec<_>>>()?;
            cells.push(if self.def.strict && values.contains(&Cell::Null) {
                Cell::Null
            } else {
                (overload.call)(&context, &values).map_err(external)?
            });
        }
        let array = build::array(&cells, args.return_field.data_type()).map_err(external)?;
        if constant && array.len() == 1 {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?));
        }
        Ok(ColumnarValue::Array(array))
    }
}

fn external(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_there_once() {
        let listed = LISTS.iter().flat_map(|list| list.iter()).count();
        assert_eq!(FUNCTIONS.len(), listed + 8);
        assert!(!FUNCTIONS.contains_key(""));
    }
}
