//! The PostgreSQL door: protocol 3.0 on a socket to SQL for the engine, and batches back to rows.
//!
//! Takes a listener, the engine and the logins; gives nothing but answers to clients. pgwire has the messages;
//! the dialogue is our own, because a cancel, a time limit, a vanished client and a panic must each end the
//! *stream* of rows, wherever it is.
//!
//! ```text
//! server     accepts; a session's life; who is gone is noticed here
//! entry      who may come in, encrypted or not: startup, password, cancel key
//! tls        the certificate, its reload, the handshake
//! startup    SSLRequest, StartupMessage, SCRAM (password), settings
//! frame      bytes -> messages, within limits
//! connection simple query; Parse, Bind, Describe, Execute, Close, Sync; the error state
//! statement  a statement's start, here or in the engine
//! command    what of a statement is this door's: COPY (copy), cursors (cursor), PREPARE and EXECUTE
//! portal     a statement with its values (parameter, parse_text) and its rows under back-pressure
//! running    the rows' own task, so that a cancel is heard while they are computed
//! encode     RecordBatch -> DataRow, in text (table's) or binary
//! output     messages -> socket
//! ```
//!
//! Deliberately absent: COPY FROM, replication, functions by fastpath, certificates of clients.

mod binary;
mod cancel;
mod command;
mod connection;
mod copy;
mod cursor;
mod encode;
mod entry;
mod failure;
mod frame;
mod output;
mod parameter;
mod parse_text;
mod password;
mod portal;
mod running;
mod server;
mod startup;
mod statement;
mod tls;
mod types;

pub use password::{Login, Password, Verifier};
pub use server::{PostgresConfig, serve};
pub use tls::{TlsConfig, TlsFault};
