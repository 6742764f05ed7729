//! The OData V4 door, with a Swagger 2.0 document: what Power Automate, Power BI and Excel talk to.
//!
//! Takes: HTTP requests (`/api.rsc/...`). Gives: JSON, CSDL, Swagger, rows streamed as they arrive.
//!
//! ```text
//! server -> trust, auth, cors -> request -> parse -> bind -> plan -> engine -> encode
//! socket    who may ask          URL        text     types   SQL AST           JSON
//! ```
//!
//! Every value of a request becomes a bound parameter, every name is looked up in one map (`name`), so that no text
//! of a client enters a statement. What is not done is answered with 501 and its name, never ignored.
//! Deliberately absent: writes, `$expand`, `$search`, `$apply`, `$batch`, sessions, cookies.

mod auth;
mod bind;
mod cors;
mod describe;
mod edm;
mod encode;
mod error;
mod format;
mod function;
mod handler;
mod host;
mod metadata;
mod name;
mod openapi;
mod page;
mod parse;
mod plan;
mod query;
mod read;
mod request;
mod server;
mod sql;
mod stream;
mod value;

use std::net::SocketAddr;

use url::Url;

pub use auth::{ApiUser, Privileges, Token};
pub use cors::Cors;
pub use describe::{describe, translate};
pub use server::serve;

use crate::trust::AddressRange;

/// `[http]` of the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OdataConfig {
    /// Where the door listens.
    pub listen: SocketAddr,
    /// Who may connect besides this machine.
    pub trusted_ips: Vec<AddressRange>,
    /// The outside address, for links and Swagger; `None`: the request's own host.
    pub base_url: Option<Url>,
    /// Names that a `Host` header may hold besides this machine's and that of `base_url`.
    pub host_names: Vec<String>,
    /// Which pages of other sites may read answers.
    pub cors: Cors,
    /// CData's `AllowAuthtokenInURL`: `/api.rsc/@TOKEN/...` and `?@authtoken=TOKEN`.
    pub allow_authtoken_in_url: bool,
    /// Rows of a page, at least 1.
    pub page_size: usize,
    /// Identifiers of ASCII characters alone, for clients that take no others.
    pub ascii_names: bool,
}

impl OdataConfig {
    /// Loopback only, no CORS, no token in URLs, pages of 500 rows: one request to Kintone each.
    #[must_use]
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            trusted_ips: vec![],
            base_url: None,
            host_names: vec![],
            cors: Cors::default(),
            allow_authtoken_in_url: false,
            page_size: 500,
            ascii_names: false,
        }
    }
}
