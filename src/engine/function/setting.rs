//! Functions that read or change the session itself, or stop another one: `current_setting`, `set_config`,
//! `pg_backend_pid`, `pg_cancel_backend`, `pg_terminate_backend`.
//!
//! They are of one session, so that no plan with them is shared; those that change something do so when they run, once
//! for each row.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use crate::engine::Notice;
use crate::engine::backend::Signals;
use crate::engine::settings::unknown;
use crate::engine::state::State;
use crate::error::{Error, Kind};

impl SessionFunction {
    /// Its name in SQL.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }
}

/// What a function does with its arguments as texts.
type Call = fn(&State, &[Option<String>]) -> Result<Option<String>, Error>;

/// One function.
#[derive(Debug)]
pub(super) struct SessionFunction {
    name: &'static str,
    /// The type of its value.
    gives: DataType,
    /// It changes a session: it runs when its statement does, never before.
    changes: bool,
    call: Call,
}

/// The functions.
pub(super) const FUNCTIONS: &[SessionFunction] = &[
    SessionFunction { name: "current_setting", gives: DataType::Utf8, changes: false, call: current_setting },
    SessionFunction { name: "set_config", gives: DataType::Utf8, changes: true, call: set_config },
    SessionFunction { name: "pg_backend_pid", gives: DataType::Int32, changes: false, call: pid },
    SessionFunction { name: "pg_cancel_backend", gives: DataType::Boolean, changes: true, call: cancel },
    SessionFunction {
        name: "pg_terminate_backend",
        gives: DataType::Boolean,
        changes: true,
        call: terminate,
    },
];

fn current_setting(state: &State, args: &[Option<String>]) -> Result<Option<String>, Error> {
    let Some(Some(name)) = args.first() else { return Ok(None) };
    let missing_ok = match args.get(1) {
        None => false,
        Some(None) => return Ok(None),
        Some(Some(text)) => text == "true",
    };
    match state.settings().show(name) {
        None if !missing_ok => Err(unknown(name)),
        value => Ok(value),
    }
}

fn set_config(state: &State, args: &[Option<String>]) -> Result<Option<String>, Error> {
    let [name, value, local] = args else {
        return Err(Error::new(
            Kind::UndefinedFunction,
            "set_config takes a name, a value and whether it is local",
        ));
    };
    let missing = || Error::new(Kind::InvalidValue, "SET requires parameter name");
    let name = name.as_deref().ok_or_else(missing)?;
    let local = local.as_deref() == Some("true");
    state.set(name, value.as_deref(), local)?;
    // Outside of a transaction a local value is gone at once, and told nevertheless.
    if local && state.began().is_none() {
        return Ok(value.clone());
    }
    Ok(state.settings().show(name))
}

fn pid(state: &State, _: &[Option<String>]) -> Result<Option<String>, Error> {
    Ok(Some(state.pid().to_string()))
}

fn cancel(state: &State, args: &[Option<String>]) -> Result<Option<String>, Error> {
    signal(state, args, "query is being canceled", |signals| signals.cancel())
}

fn terminate(state: &State, args: &[Option<String>]) -> Result<Option<String>, Error> {
    if let Some(Some(timeout)) = args.get(1)
        && timeout.parse::<i64>().is_ok_and(|timeout| timeout < 0)
    {
        return Err(Error::new(Kind::NumericOutOfRange, "\"timeout\" must not be negative"));
    }
    signal(state, args, "process is being terminated", |signals| signals.terminate())
}

/// Whether there is such a session, which is signaled where its user asks for it.
fn signal(
    state: &State,
    args: &[Option<String>],
    what: &str,
    send: fn(&dyn Signals),
) -> Result<Option<String>, Error> {
    let Some(text) = args.first() else {
        return Err(Error::new(Kind::UndefinedFunction, "the number of a session is missing"));
    };
    if args.contains(&None) {
        return Ok(None);
    }
    let text = text.as_deref().unwrap_or_default();
    let pid: i32 = text.trim().parse().map_err(|_| {
        Error::new(Kind::InvalidText, format!("invalid input syntax for type integer: \"{text}\""))
    })?;
    let Some(backend) = state.backends().get(pid) else {
        let message = format!("PID {pid} is not a PostgreSQL backend process");
        state.tell(Notice { severity: "WARNING", code: "01000", message });
        return Ok(Some("false".into()));
    };
    if backend.user != state.user() {
        let message = format!("must be a member of the role whose {what} or member of pg_signal_backend");
        return Err(Error::new(Kind::Forbidden, message));
    }
    send(backend.signals.as_ref());
    if pid == state.pid() {
        return Err(Error::new(Kind::Canceled, "canceling statement due to user request"));
    }
    Ok(Some("true".into()))
}

/// A function of one session.
pub(super) struct Bound {
    function: &'static SessionFunction,
    state: Arc<State>,
    signature: Signature,
}

impl Bound {
    /// The function of this name.
    pub(super) fn find(name: &str, state: &Arc<State>) -> Option<Self> {
        let function = FUNCTIONS.iter().find(|function| function.name == name)?;
        let volatility = if function.changes { Volatility::Volatile } else { Volatility::Stable };
        Some(Self { function, state: Arc::clone(state), signature: Signature::user_defined(volatility) })
    }

    fn data_type(&self) -> DataType {
        self.function.gives.clone()
    }
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.function.name)
    }
}

impl PartialEq for Bound {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name && Arc::ptr_eq(&self.state, &other.state)
    }
}

impl Eq for Bound {}

impl Hash for Bound {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl ScalarUDFImpl for Bound {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.data_type())
    }

    /// Texts, and truth values as such.
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let of = |of: &DataType| if *of == DataType::Boolean { DataType::Boolean } else { DataType::Utf8 };
        Ok(types.iter().map(of).collect())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let call = |row: &[ScalarValue]| -> Result<ScalarValue> {
            let text = |value: &ScalarValue| match value {
                ScalarValue::Utf8(text) => text.clone(),
                ScalarValue::Boolean(value) => value.map(|value| value.to_string()),
                _ => None,
            };
            let texts: Vec<_> = row.iter().map(text).collect();
            let value = (self.function.call)(&self.state, &texts);
            let value = value.map_err(|error| DataFusionError::External(Box::new(error)))?;
            Ok(match self.function.gives {
                DataType::Int32 => ScalarValue::Int32(value.and_then(|value| value.parse().ok())),
                DataType::Boolean => ScalarValue::Boolean(value.map(|value| value == "true")),
                _ => ScalarValue::Utf8(value),
            })
        };
        let constants = args.args.iter().map(|arg| match arg {
            ColumnarValue::Scalar(value) => Some(value.clone()),
            ColumnarValue::Array(_) => None,
        });
        if args.number_rows == 0 {
            return Ok(ColumnarValue::Array(arrow::array::new_empty_array(&self.data_type())));
        }
        if let Some(row) = constants.collect::<Option<Vec<_>>>() {
            return Ok(ColumnarValue::Scalar(call(&row)?));
        }
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let mut results = Vec::with_capacity(args.number_rows);
        for at in 0..args.number_rows {
            let row = columns.iter().map(|column| ScalarValue::try_from_array(column, at));
            results.push(call(&row.collect::<Result<Vec<_>>>()?)?);
        }
        Ok(ColumnarValue::Array(ScalarValue::iter_to_array(results)?))
    }
}
