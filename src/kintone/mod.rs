//! The client of Kintone's REST API: HTTP and JSON, no Arrow, no SQL.
//!
//! Takes: a connection's configuration, typed requests. Gives: typed replies, pages of records as bytes, errors with
//! Kintone's code, field and row. Reads are retried, writes only where Kintone did nothing; one domain's requests
//! are governed together, one rejected login stops them all; `doctor` finds out why a connection does not work.
//! Absent on purpose: any knowledge of tables, and the environment: secrets are resolved by the caller. Of the file
//! system it reads certificates only, when a configuration is made.

mod acl;
mod answer;
mod app;
mod bulk;
mod change;
mod client;
mod comment;
mod config;
mod cursor;
mod deploy;
pub mod doctor;
mod domain;
mod error;
mod fault;
mod file;
mod form;
mod http;
mod log;
mod login;
mod native;
mod observer;
mod process;
mod properties;
mod query;
mod record;
mod request;
mod retry;
mod secret;
mod tls;
mod user;
mod wire;

pub use acl::{
    AppRule, FieldRights, FieldRule, FieldRuleEntity, RecordRights, RecordRule, RecordRuleEntity, Rights,
    RuleEntity,
};
pub use app::{App, AppSettings, AppStatistics, View};
pub use change::{Change, Changed, Deletion, Saved, StatusChange, Target, Update, Upserted, Values};
pub use client::{AppKey, Client, Entity, EntityKind};
pub use comment::{Comment, CommentPage, Mention, NewComment};
pub use config::{Basic, ClientConfig, Credentials, Timeouts};
pub use cursor::Cursor;
pub use deploy::{Deployment, Settings};
pub use domain::{Clock, Domains, SystemClock};
pub use error::Error;
pub use fault::Fault;
pub use file::{Content, Download};
pub use form::{FieldProperties, Form, Lookup, Reference};
pub use log::Request;
pub use native::NativeError;
pub use observer::Observer;
pub use process::{Action, Process, State};
pub use properties::{PropertyError, Resolve, property_names};
pub use query::{Condition, Operator, OrderBy, Query};
pub use record::{Page, RecordsRequest};
pub use retry::RetryConfig;
pub use secret::Secret;
pub use tls::{ClientCertificate, ServerCertificates};
pub use user::{Group, Membership, Organization, Title, User};
