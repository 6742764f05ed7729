//! Kintone's own functions and conditions in SQL: `kintone_query('...')`, `kintone_match(field, 'word')`,
//! `LOGINUSER()`, `TODAY()` and its kin.
//!
//! Takes: a parsed query, then its plan. Gives: the plan with each of them among the filters of its table's scan, or
//! an error with its place. They are sent to Kintone whatever `kintone.pushdown` says, or refused; nothing of
//! DataFusion's optimizer gets to see one as an expression. `syntax` knows the forms of SQL and makes markers of them,
//! `place` brings the markers down to the scans. What Kintone can say of which field is the tables' business.

mod call;
mod place;
mod syntax;

pub(super) use place::place;
pub(super) use syntax::mark;
