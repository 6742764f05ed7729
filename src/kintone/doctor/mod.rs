//! What is wrong with a connection, step by step, from the settings to the apps; and, on a scratch app, what of
//! Kintone nobody has written down.
//!
//! Takes: a connection's configuration. Gives: a report in plain words, or as JSON, without any secret. A step that
//! makes the later ones meaningless ends the diagnosis: a rejected login is sent once. Absent on purpose: retries,
//! and the governor, which would hide what is looked for.

mod access;
mod line;
mod network;
pub mod probe;
mod refusal;
mod report;

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

pub use report::{Report, State, Step};

use self::line::Line;
use super::config::{ClientConfig, Credentials, login_fault, url_fault};

const SETTINGS: &str = "settings";

/// How long a diagnosis may take, and what time it is.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// For all steps together.
    pub total: Duration,
    /// For a name, and for a TCP connection.
    pub connect: Duration,
    /// The clock here.
    pub now: DateTime<Utc>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { total: Duration::from_secs(10), connect: Duration::from_secs(3), now: Utc::now() }
    }
}

/// Looks at a connection. `tell` gets each step as soon as it is known.
pub async fn diagnose(config: &ClientConfig, bounds: Bounds, tell: &mut (dyn FnMut(&Step) + Send)) -> Report {
    let began = Instant::now();
    let mut visit = Visit { config, bounds, steps: vec![], tell };
    let requests = visit.run(began).await;
    Report {
        connection: config.name.clone(),
        url: config.url.to_string(),
        steps: visit.steps,
        requests,
        took: began.elapsed(),
    }
}

/// A diagnosis under way.
struct Visit<'a> {
    config: &'a ClientConfig,
    bounds: Bounds,
    steps: Vec<Step>,
    tell: &'a mut (dyn FnMut(&Step) + Send),
}

/// There is no use in looking further: what is skipped, and why.
struct Stop(&'static str);

impl Visit<'_> {
    fn say(&mut self, step: Step) {
        (self.tell)(&step);
        self.steps.push(step);
    }

    /// All steps; gives how many requests were sent.
    async fn run(&mut self, began: Instant) -> usize {
        let line = match self.settings(began + self.bounds.total) {
            Ok(line) => line,
            Err(told) => {
                self.say(Step::failed(SETTINGS, told, "correct the connection's properties"));
                self.say(Step::skipped("network", "not looked at: the settings come first"));
                return 0;
            }
        };
        if let Err(Stop(why)) = self.follow(&line).await {
            self.say(Step::skipped("the rest", format!("not looked at: {why}")));
        }
        let traffic = line.traffic();
        if let Some(step) = network::latency(&traffic) {
            self.say(step);
        }
        traffic.requests
    }

    async fn follow(&mut self, line: &Line) -> Result<(), Stop> {
        self.reach(line).await?;
        self.log_in(line).await
    }

    /// What can be said without the network.
    fn settings(&mut self, until: Instant) -> Result<Line, String> {
        let config = self.config;
        if let Some(why) = url_fault(&config.url) {
            return Err(format!("Url {why}"));
        }
        if let Some((_, why)) = login_fault(config) {
            return Err(why);
        }
        let line = Line::new(config, Some(until))?;
        let login = match &config.credentials {
            Credentials::Password { user, .. } => format!("the password of {user}"),
            Credentials::ApiTokens(tokens) if tokens.len() == 1 => "an API token".into(),
            Credentials::ApiTokens(tokens) => format!("{} API tokens", tokens.len()),
            Credentials::OAuth(_) => "an access token of OAuth".into(),
        };
        let gate = if config.basic.is_some() { ", a Basic login" } else { "" };
        let certificate = if config.client_certificate.is_some() { ", a client certificate" } else { "" };
        let access = if config.read_only { "read-only" } else { "reads and writes" };
        self.say(Step::ok(SETTINGS, format!("{login}{gate}{certificate}; {access}")));
        if let Some(certificate) = &config.client_certificate {
            let step = network::own_certificate(certificate, self.bounds.now);
            self.say(step);
        }
        Ok(line)
    }
}
