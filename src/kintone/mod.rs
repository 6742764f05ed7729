//! The client of Kintone's REST API: HTTP and JSON, no Arrow, no SQL.
//!
//! Takes: a connection's configuration, typed requests. Gives: typed replies, pages of records as bytes, errors with
//! Kintone's code. Reads are retried, one domain's requests are governed together, one rejected login stops them
//! all. Absent on purpose: any knowledge of tables, and the environment: secrets are resolved by the caller.
//! Of the file system it reads certificates only, when a configuration is made.

mod client;
mod config;
mod error;
mod form;
mod http;
mod limit;
mod log;
mod login;
mod properties;
mod query;
mod retry;
mod secret;
mod tls;

pub use client::{
    App, AppKey, AppSettings, Client, Comment, CommentPage, Entity, Page, RecordsRequest, View,
};
pub use config::{Basic, ClientConfig, Credentials, Timeouts};
pub use error::Error;
pub use form::{FieldProperties, Form, Lookup, Reference};
pub use log::Request;
pub use properties::{PropertyError, Resolve, property_names};
pub use query::{Condition, Operator, OrderBy, Query};
pub use retry::RetryConfig;
pub use secret::Secret;
pub use tls::{ClientCertificate, ServerCertificates};
