//! A Kintone app as a table.
mod text;
mod types;

pub use text::{TextColumn, TextOptions, canonical, downcast, item_range};
pub use types::{SQL_TYPE, SqlType};
