//! Makes a case that went wrong as small as it stays wrong.

use kintone_sql::emulator::{SWITCHES, Unknowns};

use super::form::App;
use super::run::{Bench, Mode};
use super::statement::{Query, Statement};

/// What is tried, at most.
const TRIES: usize = 400;

/// A statement that went wrong, over these apps.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub apps: Vec<App>,
    pub unknowns: Unknowns,
    pub statement: Statement,
    pub mode: Mode,
}

impl Case {
    /// What is wrong, if it still is.
    async fn difference(&self) -> Option<String> {
        let bench = Bench::new(&self.apps, self.unknowns).await;
        let difference = bench.compare(&self.statement, &self.mode).await.err();
        difference.map(|difference| difference.report(&self.apps, &self.unknowns))
    }

    /// Fewer apps and records, a shorter statement, open facts that are strict.
    fn smaller(&self) -> Vec<Self> {
        let mut out = vec![];
        let named = |app: &App| {
            let names = [app.table(), app.row_table()];
            let right = match &self.statement.query {
                Query::Join { right, .. } => Some(&right.name),
                _ => None,
            };
            names.contains(&self.statement.table.name) || right.is_some_and(|name| names.contains(name))
        };
        if !self.apps.iter().all(named) {
            let apps = self.apps.iter().filter(|app| named(app)).cloned().collect();
            out.push(Self { apps, ..self.clone() });
        }
        if self.unknowns != Unknowns::strict() {
            out.push(Self { unknowns: Unknowns::strict(), ..self.clone() });
        }
        out.extend(self.statement.smaller().into_iter().map(|statement| Self { statement, ..self.clone() }));
        for (at, app) in self.apps.iter().enumerate() {
            for record in 0..app.records.len() {
                let mut apps = self.apps.clone();
                apps[at].records.remove(record);
                out.push(Self { apps, ..self.clone() });
            }
        }
        for switch in SWITCHES {
            let strict = switch.position(&Unknowns::strict());
            if switch.position(&self.unknowns) != strict {
                let unknowns = self.unknowns.with(switch.name, strict).unwrap();
                out.push(Self { unknowns, ..self.clone() });
            }
        }
        if self.mode.page != Mode::off().page {
            out.push(Self { mode: Mode { rules: self.mode.rules.clone(), ..Mode::off() }, ..self.clone() });
        }
        out
    }

    /// The smallest case found that is still wrong, as a report.
    pub(super) async fn smallest(mut self, mut report: String) -> String {
        let mut tries = 0;
        'smaller: loop {
            for case in self.smaller() {
                tries += 1;
                if tries > TRIES {
                    break 'smaller;
                }
                if let Some(found) = case.difference().await {
                    (self, report) = (case, found);
                    continue 'smaller;
                }
            }
            break;
        }
        report
    }
}
