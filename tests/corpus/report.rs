//! Counts, the table of them, and the numbers that they must equal.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use kintone_sql::emulator::LoggedRequest;

use super::rule;
use super::script::Query;
use super::unit::Unit;

/// What came of a file's queries.
#[derive(Debug)]
pub(super) struct Tally {
    name: String,
    pushdown: bool,
    passed: usize,
    /// By reason.
    left_out: BTreeMap<String, usize>,
    failures: Vec<String>,
    waived: BTreeSet<u32>,
    /// Passed queries with a WHERE, and those of them whose condition went to Kintone in part at least.
    filtered: usize,
    pushed: usize,
    requests: usize,
    rows: u64,
}

impl Tally {
    pub(super) fn new(unit: &Unit) -> Self {
        Self {
            name: unit.name.clone(),
            pushdown: unit.pushdown,
            passed: 0,
            left_out: BTreeMap::new(),
            failures: vec![],
            waived: BTreeSet::new(),
            filtered: 0,
            pushed: 0,
            requests: 0,
            rows: 0,
        }
    }

    /// The file's answer. One that may be another the next time is waived whether it is another or not, since the golden
    /// file must be the same every day.
    pub(super) fn pass(&mut self, query: &Query, requests: &[LoggedRequest]) {
        match self.waiver(query.line) {
            Some(reason) if reason.ends_with(SOMETIMES) => self.waive(query.line, &reason),
            _ => self.passed += 1,
        }
        self.requests += requests.len();
        self.rows += requests.iter().map(|request| request.rows).sum::<u64>();
        if query.sql.to_lowercase().contains("where") {
            self.filtered += 1;
            self.pushed += usize::from(requests.is_empty() || requests.iter().any(has_condition));
        }
    }

    pub(super) fn leave_out(&mut self, query: &Query, reason: &str) {
        *self.left_out.entry(reason.to_owned()).or_default() += 1;
        self.show(query, reason, "");
    }

    pub(super) fn refuse(&mut self, query: &Query, reason: &str, message: &str) {
        *self.left_out.entry(reason.to_owned()).or_default() += 1;
        self.show(query, reason, message);
    }

    fn show(&self, query: &Query, reason: &str, message: &str) {
        if std::env::var("CORPUS_SHOW").is_ok_and(|wanted| reason.contains(&wanted)) {
            println!("{}:{} {reason}: {message}\n{}\n", self.name, query.line, query.sql);
        }
    }

    /// An answer that is not the file's.
    pub(super) fn differ(&mut self, query: &Query, actual: &[String]) {
        if let Some(reason) = self.waiver(query.line) {
            return self.waive(query.line, &reason);
        }
        if query.expected.iter().chain([&query.sql]).any(|line| rule::has_nanoseconds(line)) {
            return self.refuse(query, "a part of a microsecond: times have none, as in PostgreSQL", "");
        }
        let lines =
            |lines: &[String]| lines.iter().take(12).fold(String::new(), |out, line| out + "\n  " + line);
        let both = format!("expected:{}\nactual:{}", lines(&query.expected), lines(actual));
        self.failures.push(format!("{}:{} {}\n{both}", self.name, query.line, query.sql));
    }

    /// No answer where there should be one.
    pub(super) fn fail(&mut self, line: u32, sql: &str, error: &str) {
        match self.waiver(line) {
            Some(reason) => self.waive(line, &reason),
            None => self.failures.push(format!("{}:{line} {sql}\n{error}", self.name)),
        }
    }

    fn waive(&mut self, line: u32, reason: &str) {
        self.waived.insert(line);
        *self.left_out.entry(format!("waived: {reason}")).or_default() += 1;
    }

    fn waiver(&self, line: u32) -> Option<String> {
        let at = format!("{}:{line}", self.name.trim_end_matches(" (pushdown off)"));
        let text = std::fs::read_to_string(folder().join("waivers.txt")).unwrap_or_default();
        let mut reason = String::new();
        for entry in text.lines() {
            match entry.strip_prefix("# ") {
                Some(text) => text.clone_into(&mut reason),
                None if entry == at => return Some(reason),
                None => {}
            }
        }
        None
    }

    /// A line of the golden file.
    fn golden(&self) -> String {
        let left_out = self.left_out.iter().map(|(reason, count)| format!("; {count} {reason}"));
        format!("{}: {} passed{}", self.name, self.passed, left_out.collect::<String>())
    }
}

/// Kintone was asked for less than everything.
fn has_condition(request: &LoggedRequest) -> bool {
    let query = request.query.as_deref().unwrap_or_default();
    let condition = query.split("order by").next().unwrap_or_default();
    [" = ", " != ", " in ", " < ", " <= ", " > ", " >= ", "empty"].iter().any(|part| condition.contains(part))
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

/// All files that ran.
pub(super) struct Report {
    every: bool,
    tallies: Vec<Tally>,
}

impl Report {
    pub(super) fn new(every: bool) -> Self {
        Self { every, tallies: vec![] }
    }

    pub(super) fn add(&mut self, tally: Tally) {
        println!("{} {}", if tally.failures.is_empty() { "ok    " } else { "FAILED" }, tally.name);
        tally.failures.iter().for_each(|failure| println!("{failure}\n"));
        self.tallies.push(tally);
    }

    /// Prints the table, and compares it with the golden one; how many files went well, and how many did not.
    pub(super) fn finish(self, whole: bool) -> (usize, usize) {
        if self.tallies.is_empty() {
            return (0, 0);
        }
        println!("{}", self.table());
        let mut failed: BTreeSet<&str> = BTreeSet::new();
        failed.extend(self.tallies.iter().filter(|t| !t.failures.is_empty()).map(|t| t.name.as_str()));
        let golden = self.golden(whole);
        for tally in &self.tallies {
            let found = tally.golden();
            if !golden.contains(&found) {
                println!("not as in tests/corpus/golden.txt:\n  {found}");
                failed.insert(&tally.name);
            }
            if tally.name.contains("/index-")
                && tally.pushdown
                && tally.pushed * 100 < tally.filtered * MOSTLY
            {
                println!("{}: {} of {} filters went to Kintone", tally.name, tally.pushed, tally.filtered);
                failed.insert(&tally.name);
            }
        }
        (self.tallies.len() - failed.len(), failed.len())
    }

    /// The lines of this sort of run; rewritten first where that is asked for.
    fn golden(&self, whole: bool) -> Vec<String> {
        let path = folder().join(if self.every { "golden_all.txt" } else { "golden.txt" });
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if std::env::var("CORPUS_GOLDEN").is_ok_and(|value| value == "write") {
            let old = |line: &String| self.tallies.iter().any(|t| line.starts_with(&format!("{}: ", t.name)));
            lines.retain(|line| !whole && !old(line));
            lines.extend(self.tallies.iter().map(Tally::golden));
            lines.sort();
            std::fs::write(path, lines.join("\n") + "\n").unwrap();
        }
        lines
    }

    fn table(&self) -> String {
        let mut out = String::from("\npassed  left out  wrong  WHERE  pushed  requests  rows  file\n");
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        let mut sums = [0; 4];
        for tally in &self.tallies {
            let left_out: usize = tally.left_out.values().sum();
            tally.left_out.iter().for_each(|(reason, count)| *reasons.entry(reason).or_default() += count);
            let (passed, wrong) = (tally.passed, tally.failures.len());
            let _ = writeln!(
                out,
                "{passed:6}  {left_out:8}  {wrong:5}  {:5}  {:6}  {:8}  {:4}  {}",
                tally.filtered, tally.pushed, tally.requests, tally.rows, tally.name
            );
            sums[0] += passed;
            sums[1] += left_out;
            sums[2] += wrong;
            sums[3] += tally.waived.len();
        }
        let _ = writeln!(
            out,
            "{:6}  {:8}  {:5}  in all, {} of those left out waived\n",
            sums[0], sums[1], sums[2], sums[3]
        );
        for (reason, count) in reasons {
            let _ = writeln!(out, "{count:6}  {reason}");
        }
        out
    }
}

/// Ends the reason of an answer that differs on some days only.
const SOMETIMES: &str = "may differ";

/// In a file of filters, at least so many of a hundred must go to Kintone: else its answers may be right only because
/// everything was fetched.
const MOSTLY: usize = 90;
