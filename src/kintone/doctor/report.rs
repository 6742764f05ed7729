//! What was found out about a connection: a line for each step, and what to do.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Not looked at: an earlier step makes it meaningless, or it does not apply.
    Skipped,
    /// As it should be.
    Ok,
    /// It works, but look at it.
    Warning,
    /// It does not work.
    Failed,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }

    fn mark(self) -> &'static str {
        match self {
            Self::Skipped => "-",
            Self::Ok => "✓",
            Self::Warning => "!",
            Self::Failed => "✗",
        }
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Such as `TLS`.
    pub name: &'static str,
    /// How it went.
    pub state: State,
    /// What was found.
    pub told: String,
    /// What to do about it.
    pub advice: Option<String>,
}

impl Step {
    pub(super) fn ok(name: &'static str, told: impl Into<String>) -> Self {
        Self { name, state: State::Ok, told: told.into(), advice: None }
    }

    pub(super) fn skipped(name: &'static str, told: impl Into<String>) -> Self {
        Self { name, state: State::Skipped, told: told.into(), advice: None }
    }

    pub(super) fn warning(name: &'static str, told: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, state: State::Warning, told: told.into(), advice: Some(advice.into()) }
    }

    pub(super) fn failed(name: &'static str, told: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, state: State::Failed, told: told.into(), advice: Some(advice.into()) }
    }

    /// Columns of the names.
    const NAMES: usize = 12;

    /// The step as lines, with a line break at the end.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { name, state, told, advice } = self;
        let word = match state {
            State::Warning | State::Failed => format!("{}: ", state.word()),
            State::Ok | State::Skipped => String::new(),
        };
        let mut out = format!("  {} {name:width$} {word}{told}\n", state.mark(), width = Self::NAMES);
        if let Some(advice) = advice {
            let _ = writeln!(out, "    {:width$} → {advice}", "", width = Self::NAMES);
        }
        out
    }
}

/// A connection's diagnosis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The connection's name.
    pub connection: String,
    /// Its URL.
    pub url: String,
    /// In the order in which they were looked at.
    pub steps: Vec<Step>,
    /// That were sent.
    pub requests: usize,
    /// In all.
    pub took: Duration,
}

impl Report {
    /// 0: it works. 1: its settings are wrong. 2: Kintone is not reached, or refuses.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let failed = self.steps.iter().find(|step| step.state == State::Failed);
        failed.map_or(0, |step| if step.name == super::SETTINGS { 1 } else { 2 })
    }

    /// What stands above the steps.
    #[must_use]
    pub fn heading(connection: &str, url: &str) -> String {
        format!("{connection}  {url}\n")
    }

    /// What stands below them.
    #[must_use]
    pub fn summary(&self) -> String {
        let count = |state| self.steps.iter().filter(|step| step.state == state).count();
        let mut out = format!("{} ok", count(State::Ok));
        for (state, word) in [(State::Warning, "to look at"), (State::Failed, "failed")] {
            if count(state) > 0 {
                let _ = write!(out, ", {} {word}", count(state));
            }
        }
        let plural = if self.requests == 1 { "" } else { "s" };
        format!("{out}; {} request{plural} in {:.2} s\n", self.requests, self.took.as_secs_f64())
    }

    /// The whole report for people.
    #[must_use]
    pub fn text(&self) -> String {
        let steps: String = self.steps.iter().map(Step::text).collect();
        format!("{}{steps}\n{}", Self::heading(&self.connection, &self.url), self.summary())
    }

    /// The whole report for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let step = |step: &Step| {
            json!({
                "name": step.name, "state": step.state.word(), "found": step.told, "advice": step.advice,
            })
        };
        json!({
            "connection": self.connection,
            "url": self.url,
            "steps": self.steps.iter().map(step).collect::<Vec<_>>(),
            "requests": self.requests,
            "exitCode": self.exit_code(),
        })
    }
}
