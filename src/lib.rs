//! kintone-sql: every Kintone app is a SQL table.
//!
//! ```text
//!  psql, BI, ODBC/JDBC    Power Automate, Power BI, Excel    shell, CI
//!         | wire                 | URL                          | SQL
//!    postgres                 odata                           cli         doors: protocol <-> SQL
//!         \______________________|____________________________/
//!                                v  SQL + parameters
//!                             engine     guard, parse, session, catalog, EXPLAIN
//!                                v  Expr, projection, limit
//!                             table      app -> TableProvider; field/<type>.rs; pushdown; scan; decode
//!                                v  Query
//!                             kintone    HTTP: credentials, governor, retry, pages, errors
//!                                v
//!                      a Kintone domain, or the emulator (imports nothing of ours)
//! ```
//!
//! The folders are the data flow, imports go one way down, and `tests/architecture.rs` proves it.

pub mod cli;
pub mod config;
pub mod emulator;
pub mod engine;
pub mod error;
pub mod kintone;
pub mod odata;
pub mod postgres;
pub mod table;
pub mod trust;
