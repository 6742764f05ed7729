//! The integration tests, one program.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    clippy::too_many_lines,
    clippy::allow_attributes,
    reason = "a test may fail"
)]

mod architecture;
mod cli;
mod client;
mod data_file;
mod doctor;
mod emulator;
mod explain;
mod faults;
mod field;
mod introspection;
mod join;
mod local;
mod native;
mod odata;
mod postgres;
mod pushdown;
mod readme;
mod requests;
mod scan;
mod schema;
mod session;
#[allow(dead_code, reason = "each test program uses a part of it")]
mod support;
mod tls;
mod wire_type;
