//! Answers of a real Kintone to what its documents leave open, asked on a scratch app.
//!
//! Takes: a connection that may write. Gives: for each question what was asked and answered, the position of the
//! embedded Kintone's switch that it settles, and what follows for the predicates that are pushed down. It makes an
//! app, or takes one that has this probe's name and no record; it deletes the records that it wrote. The switches are
//! known by name only: this is a third reading of Kintone, which shares nothing with the embedded one.

mod ask;
mod capability;
mod finding;
mod query;
mod scratch;
mod special;
mod token;

use std::time::Duration;

use chrono::{DateTime, Utc};

pub use finding::{Finding, Outcome, Row, Verdict};

use self::ask::Asker;
use self::finding::Findings;
use self::scratch::Scratch;
use super::super::config::{ClientConfig, Credentials};
use super::super::secret::Secret;
use super::line::Line;

/// The name of every scratch app. An app with another name is never touched.
pub const MARKER: &str = "kintone-sql probe";

/// Which app to write to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum App {
    /// A new one.
    New,
    /// One of an earlier probe: named [`MARKER`], and empty.
    Id(u64),
}

/// How to probe.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where.
    pub app: App,
    /// API tokens: of the scratch app, with every right, and of any other app. Which is which is found out.
    pub tokens: Vec<Secret>,
    /// Between two looks at a deployment, and before a call is tried again.
    pub pause: Duration,
    /// The clock here.
    pub now: DateTime<Utc>,
}

impl Options {
    /// With a second between two looks.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self { app, tokens: vec![], pause: Duration::from_secs(1), now: Utc::now() }
    }
}

/// Why there is no report, or only a part of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The connection or the app is not fit for it; nothing was written.
    #[error("{0}")]
    Refused(String),
    /// Kintone refuses, or does not answer.
    #[error("{0}")]
    Failed(String),
}

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The domain.
    pub url: String,
    /// The scratch app.
    pub app: u64,
    /// Each question with its answer, in the order of the fact sheet.
    pub findings: Vec<Finding>,
    /// What follows for the capability table.
    pub rows: Vec<Row>,
    /// Calls that were sent.
    pub requests: usize,
    /// Records that were written and could not be deleted.
    pub left: usize,
}

/// Probes. Everything it wrote is deleted at the end, also where it fails half way.
///
/// # Errors
/// The connection or the app is not fit, or Kintone refuses what every question needs.
pub async fn run(config: &ClientConfig, options: &Options) -> Result<Report, Fault> {
    if !matches!(config.credentials, Credentials::Password { .. }) {
        return Err(Fault::Refused("the probe needs User and Password: tokens cannot make apps".into()));
    }
    if config.read_only {
        return Err(Fault::Refused(
            "the connection is read-only; the probe writes: give Readonly=false".into(),
        ));
    }
    let line = Line::new(config, None).map_err(Fault::Refused)?;
    let asker = Asker::new(&line, options.pause);
    let mut scratch = Scratch::open(&asker, options).await?;
    let mut findings = Findings::default();
    let done = questions(&asker, &mut scratch, options, config, &mut findings).await;
    let left = scratch.clean(&asker).await;
    done.map_err(|fault| match left {
        0 => fault,
        n => Fault::Failed(format!("{fault}; {n} records are left in app {}", scratch.id)),
    })?;
    let findings = findings.sorted();
    let rows = capability::rows(&findings);
    let requests = line.traffic().requests;
    Ok(Report { url: config.url.to_string(), app: scratch.id, findings, rows, requests, left })
}

async fn questions(
    asker: &Asker<'_>,
    scratch: &mut Scratch,
    options: &Options,
    config: &ClientConfig,
    findings: &mut Findings,
) -> Result<(), Fault> {
    scratch.fill(asker, options.now).await?;
    query::ask_all(asker, scratch, findings).await;
    token::ask_all(asker, scratch, &options.tokens, findings).await;
    special::ask_all(asker, scratch, config, findings).await;
    Ok(())
}
