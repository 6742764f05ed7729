//! Runs statements with the pushdown in some mode, and compares their rows with those of another reading.

use std::fmt::Write as _;

use kintone_sql::emulator::{SWITCHES, Unknowns};
use kintone_sql::engine::Session;
use kintone_sql::error::Kind;

use super::dice::Dice;
use super::form::{App, fixture};
use super::predicate::Dialect;
use super::statement::{Promise, Statement};
use crate::support::world::{World, run};

/// Rows, or the kind of the error.
pub(super) type Outcome = Result<Vec<Vec<Option<String>>>, Kind>;

/// How a statement is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mode {
    /// `kintone.pushdown`
    pub rules: String,
    /// `kintone.page_size`
    pub page: usize,
    /// `kintone.concurrency`
    pub at_once: usize,
}

/// More records than any app here has.
const WHOLE: usize = 500;

impl Mode {
    /// Everything is read in one page and evaluated here.
    pub(super) fn off() -> Self {
        Self { rules: "off".into(), page: WHOLE, at_once: 1 }
    }

    pub(super) fn random(dice: &mut Dice, rules: &str) -> Self {
        let small: &[usize] = if rules == "group" { &[1, 1, 2] } else { &[WHOLE, WHOLE, WHOLE, 1, 2, 3, 5] };
        Self { rules: rules.into(), page: dice.pick(small), at_once: dice.pick(&[1, 2, 10]) }
    }
}

/// A Kintone of random apps, and two sessions over it.
pub(super) struct Bench {
    pub world: World,
    reference: Session,
    subject: Session,
}

impl Bench {
    pub(super) async fn new(apps: &[App], unknowns: Unknowns) -> Self {
        let world = World::with(&fixture(apps), unknowns).await;
        let (reference, subject) = (world.session(), world.session());
        set(&reference, &Mode::off());
        Self { world, reference, subject }
    }

    /// Both sessions in a zone.
    pub(super) fn set_zone(&self, zone: &str) {
        for session in [&self.reference, &self.subject] {
            session.set("TimeZone", zone).unwrap();
        }
    }

    /// What is right: everything is evaluated here.
    pub(super) async fn reference(&self, sql: &str) -> Outcome {
        outcome(&self.reference, sql).await
    }

    /// What comes out in a mode, and what Kintone was asked for.
    pub(super) async fn answer(&self, mode: &Mode, sql: &str) -> (Outcome, Vec<String>) {
        set(&self.subject, mode);
        self.world.emulator.clear_requests();
        let answer = outcome(&self.subject, sql).await;
        let asked = self.world.record_requests().into_iter();
        (answer, asked.map(|request| request.query.unwrap_or_default()).collect())
    }

    /// Compares a statement in a mode with its reading without pushdown; true where something was pushed down.
    pub(super) async fn compare(&self, statement: &Statement, mode: &Mode) -> Result<bool, Box<Difference>> {
        let right = self.right(statement).await;
        self.compare_with(statement, mode, &right).await
    }

    /// The rows that a statement's may be compared with.
    pub(super) async fn right(&self, statement: &Statement) -> Outcome {
        self.reference(&statement.without_open_limit().sql(Dialect::Postgres)).await
    }

    /// Compares a statement in a mode with what [`Self::right`] gave.
    pub(super) async fn compare_with(
        &self,
        statement: &Statement,
        mode: &Mode,
        right: &Outcome,
    ) -> Result<bool, Box<Difference>> {
        let sql = statement.sql(Dialect::Postgres);
        let (answer, asked) = self.answer(mode, &sql).await;
        if agree(&answer, right, statement.promise()) {
            return Ok(is_pushed(&asked, mode));
        }
        Err(Box::new(Difference { sql, mode: mode.clone(), asked, answer, right: right.clone() }))
    }
}

pub(super) fn set(session: &Session, mode: &Mode) {
    session.set("kintone.pushdown", &mode.rules).unwrap();
    session.set("kintone.page_size", &mode.page.to_string()).unwrap();
    session.set("kintone.concurrency", &mode.at_once.to_string()).unwrap();
}

pub(super) async fn outcome(session: &Session, sql: &str) -> Outcome {
    run(session, sql).await.map(|answer| answer.rows).map_err(|error| error.kind)
}

/// Whether two readings agree, as far as the statement promises its rows.
pub(super) fn agree(answer: &Outcome, right: &Outcome, promise: Promise) -> bool {
    let (Ok(answer), Ok(right)) = (answer, right) else { return answer == right };
    let sorted = |rows: &[Vec<Option<String>>]| {
        let mut rows = rows.to_vec();
        rows.sort();
        rows
    };
    match promise {
        Promise::Ordered => answer == right,
        Promise::AnyOrder => sorted(answer) == sorted(right),
        Promise::SomeOf(rows, skipped) => {
            let mut all = right.clone();
            let known = answer.iter().all(|row| {
                let place = all.iter().position(|other| other == row);
                place.map(|place| all.swap_remove(place)).is_some()
            });
            known && answer.len() == right.len().saturating_sub(skipped).min(rows)
        }
    }
}

/// Kintone was asked for less than whole tables by `$id`, or not at all.
pub(super) fn is_pushed(asked: &[String], mode: &Mode) -> bool {
    let limit = format!("limit {}", mode.page);
    let is_plain = |query: &String| {
        let Some(rest) = query.strip_suffix(&limit) else { return false };
        let Some((condition, order)) = rest.split_once("order by ") else { return false };
        let by_id = ["$id asc ", "$id desc "].contains(&order);
        by_id && condition.split(" and ").all(|part| part.trim().is_empty() || part.starts_with("$id "))
    };
    !asked.iter().all(is_plain) || asked.is_empty()
}

/// Two readings of one statement that are not the same.
#[derive(Debug, Clone)]
pub(super) struct Difference {
    pub sql: String,
    pub mode: Mode,
    pub asked: Vec<String>,
    pub answer: Outcome,
    pub right: Outcome,
}

impl Difference {
    /// All that one needs to see what is wrong.
    pub(super) fn report(&self, apps: &[App], unknowns: &Unknowns) -> String {
        let mut out = format!("{}\n{:?}\n", self.sql, self.mode);
        for asked in &self.asked {
            let _ = writeln!(out, "asked: {asked}");
        }
        let _ = writeln!(out, "answer: {:?}\nright:  {:?}", self.answer, self.right);
        for app in apps.iter().filter(|app| self.sql.contains(&format!("\"{}", app.table()))) {
            for (at, record) in app.records.iter().enumerate() {
                let _ = writeln!(out, "{} {}: {}", app.table(), at + 1, app.record(record));
            }
        }
        for switch in SWITCHES {
            let (here, strict) = (switch.position(unknowns), switch.position(&Unknowns::strict()));
            if here != strict {
                let _ = writeln!(out, "{}: {here}", switch.name);
            }
        }
        out
    }
}

/// How many statements ran under each rule, and of how many something went to Kintone.
#[derive(Debug, Default, Clone)]
pub(super) struct Tally {
    pub by_rules: std::collections::BTreeMap<String, (usize, usize)>,
}

impl Tally {
    pub(super) fn count(&mut self, rules: &str, pushed: bool) {
        let entry = self.by_rules.entry(rules.to_owned()).or_default();
        entry.0 += 1;
        entry.1 += usize::from(pushed);
    }

    pub(super) fn add(&mut self, other: Self) {
        for (rules, (run, pushed)) in other.by_rules {
            let entry = self.by_rules.entry(rules).or_default();
            entry.0 += run;
            entry.1 += pushed;
        }
    }

    /// Run, pushed.
    pub(super) fn total(&self) -> (usize, usize) {
        self.by_rules.values().fold((0, 0), |sum, each| (sum.0 + each.0, sum.1 + each.1))
    }
}
