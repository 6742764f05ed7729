//! What a probe found, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{MARKER, Report};

/// How a question ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// This position of the switch.
    Settled(&'static str),
    /// An answer to a question that no switch stands for.
    Told(String),
    /// No answer: what is missing, or what came instead.
    Open(String),
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The switch's name, or the question's own where no switch stands for it.
    pub name: &'static str,
    /// Of the fact sheet, such as `3.5`.
    pub section: &'static str,
    /// What was asked, and what was answered. Records are named by letters.
    pub asked: Vec<(String, String)>,
    /// The answer.
    pub outcome: Outcome,
}

impl Finding {
    /// Whether the switch is in this position.
    pub(super) fn is(&self, position: &str) -> bool {
        matches!(&self.outcome, Outcome::Settled(found) if *found == position)
    }
}

/// Questions as they are answered.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn add(
        &mut self,
        name: &'static str,
        section: &'static str,
        asked: Vec<(String, String)>,
        outcome: Outcome,
    ) {
        self.0.push(Finding { name, section, asked, outcome });
    }

    /// In the order of the fact sheet.
    pub(super) fn sorted(mut self) -> Vec<Finding> {
        let key = |section: &str| {
            section.split('.').map(|part| part.parse::<u32>().unwrap_or_default()).collect::<Vec<_>>()
        };
        self.0.sort_by_key(|finding| key(finding.section));
        self.0
    }
}

/// What becomes of a row of the capability table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Kintone can do more than is asked of it now.
    Promote,
    /// As it is.
    Stay,
    /// Kintone does less than the table says: rows would be wrong.
    Demote,
    /// Not settled.
    Unsettled,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Promote => "promote",
            Self::Stay => "stay",
            Self::Demote => "demote",
            Self::Unsettled => "unsettled",
        }
    }
}

/// A row of the capability table: types of fields, and a predicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Such as `NUMBER`.
    pub types: &'static str,
    /// As the capability table names it, such as `IS NULL`.
    pub predicate: &'static str,
    /// What becomes of it.
    pub verdict: Verdict,
    /// Why.
    pub why: String,
}

impl Report {
    /// Switches that are settled, and all that were asked.
    #[must_use]
    pub fn settled(&self) -> (usize, usize) {
        let is_switch = |f: &&Finding| !matches!(f.outcome, Outcome::Told(_));
        let switches = self.findings.iter().filter(is_switch);
        let settled = switches.clone().filter(|f| matches!(f.outcome, Outcome::Settled(_)));
        (settled.count(), switches.count())
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let (settled, all) = self.settled();
        let mut out = format!("{MARKER}: {}\n", self.url);
        let _ = writeln!(out, "{settled} of {all} switches are settled\n");
        for finding in &self.findings {
            let (mark, answer) = match &finding.outcome {
                Outcome::Settled(position) => ("✓", format!("= {position}")),
                Outcome::Told(text) => ("·", format!(": {text}")),
                Outcome::Open(why) => ("?", format!("is open: {why}")),
            };
            let gap = if answer.starts_with(':') { "" } else { " " };
            let _ = writeln!(out, "  {mark} K§{:<4} {}{gap}{answer}", finding.section, finding.name);
            for (question, answer) in &finding.asked {
                let _ = writeln!(out, "             {question} → {answer}");
            }
        }
        out.push_str("\nThe capability table\n");
        for row in &self.rows {
            let what = format!("{} {}", row.types, row.predicate);
            let _ = writeln!(out, "  {:<9} {what:<40} {}", row.verdict.word(), row.why);
        }
        let _ = writeln!(out, "\n{}", self.farewell());
        out
    }

    /// What is left to do.
    #[must_use]
    pub fn farewell(&self) -> String {
        let app = self.app;
        let records = match self.left {
            0 => "The records of the probe are deleted.".to_owned(),
            n => format!("{n} records of the probe could not be deleted."),
        };
        format!(
            "{records} App {app} itself stays, since Kintone has no call that deletes an app: \
             delete it in its settings, or keep it for the next probe (--probe {app})."
        )
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let finding = |finding: &Finding| {
            let asked: Vec<_> =
                finding.asked.iter().map(|(q, a)| json!({"question": q, "answer": a})).collect();
            let (position, told, open) = match &finding.outcome {
                Outcome::Settled(position) => (Some(*position), None, None),
                Outcome::Told(text) => (None, Some(text), None),
                Outcome::Open(why) => (None, None, Some(why)),
            };
            json!({
                "name": finding.name, "section": finding.section, "position": position, "told": told,
                "open": open, "asked": asked,
            })
        };
        let row = |row: &Row| {
            json!({
                "types": row.types, "predicate": row.predicate, "verdict": row.verdict.word(), "why": row.why,
            })
        };
        json!({
            "url": self.url,
            "app": self.app,
            "findings": self.findings.iter().map(finding).collect::<Vec<_>>(),
            "rows": self.rows.iter().map(row).collect::<Vec<_>>(),
            "requests": self.requests,
            "recordsLeft": self.left,
        })
    }
}
