//! `uuid`: text in one spelling.

use chrono_tz::Tz;
use datafusion::common::ScalarValue;

use super::scalar::Function;
use crate::engine::SqlType;
use crate::engine::input::read;
use crate::engine::pg_catalog::Value;
use crate::error::Error;

pub(super) const FUNCTIONS: &[Function] =
    &[Function::strict("pg_uuid", "uuid", |_, args| spelled(args, &SqlType::Uuid))];

/// The text as the type spells it.
fn spelled(args: &[Value], sql_type: &SqlType) -> Result<Value, Error> {
    let text = args.first().map(Value::text).unwrap_or_default();
    match read(&text, sql_type, Tz::UTC)? {
        ScalarValue::Utf8(Some(text)) => Ok(text.into()),
        _ => Ok(Value::Null),
    }
}
