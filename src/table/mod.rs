//! A Kintone app as a table.
mod types;

pub use types::{SQL_TYPE, SqlType};
