//! Kintone's query language, read independently of the rest of the program.
//!
//! Takes a query's text, an app's fields and the calling user; gives the ids of the records in order, or the
//! refusal that Kintone gives. Text -> `lexer` -> `parser` (syntax) -> `check` (fields, operators, operands)
//! -> `plan` (what a record must satisfy) -> `run` (ids). Deliberately absent: any index but the one by id,
//! and word searches in attachments that are not plain text.

mod check;
mod fold;
mod function;
mod lexer;
mod like;
mod operand;
mod operators;
mod order;
mod parser;
mod plan;
mod run;
mod search;
mod text;

pub(super) use check::Scope;
pub(super) use plan::View;
pub(super) use run::{Prepared, prepare};
pub(super) use search::Search;
