//! `jsonb`: text that is JSON, in PostgreSQL's spelling.

use super::scalar::Function;
use crate::error::{Error, Kind};
use crate::table::append_jsonb;

pub(super) const FUNCTIONS: &[Function] = &[Function::strict("pg_jsonb", "jsonb", |_, args| {
    let text = args.first().map(crate::engine::pg_catalog::Value::text).unwrap_or_default();
    let mut out = String::with_capacity(text.len());
    append_jsonb(&mut out, &text).map_err(|_| {
        Error::new(Kind::InvalidText, "invalid input syntax for type json")
            .with_detail(format!("the text is not JSON: {text}"))
    })?;
    Ok(out.into())
})];
