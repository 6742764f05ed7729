//! The tables of a file, as they are before each of its queries.
//!
//! Takes: the statements that make and change tables. They run in a DataFusion of its own, which only keeps the rows.
//! Gives: an app for each table that a query names, in the state that it has then, and the query as it is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::error::DataFusionError;
use datafusion::execution::context::SessionContext;
use datafusion::prelude::SessionConfig;
use datafusion::sql::sqlparser::ast::Statement;
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use serde_json::{Value, json};

use super::app::{self, App};
use super::rule;
use super::unit::Class;

/// Rows of a table over which it is not loaded.
const MOST_ROWS: usize = 20_000;

pub(super) struct Loader {
    context: SessionContext,
    class: Class,
    /// By the table's name: its latest rows, and what came of them.
    known: Vec<(String, RecordBatch, Result<App, &'static str>)>,
    /// Places in `known` of tables that no statement may have changed since.
    fresh: BTreeMap<String, usize>,
    own_settings: bool,
    /// Tables that lack rows.
    broken: BTreeSet<String>,
    apps: Vec<Value>,
}

impl Loader {
    pub(super) fn new(class: Class) -> Self {
        let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
        Self {
            context,
            class,
            known: vec![],
            fresh: BTreeMap::new(),
            own_settings: false,
            broken: BTreeSet::new(),
            apps: vec![],
        }
    }

    /// Runs a statement. One that fails leaves a table out, or as it was: its queries will tell.
    pub(super) async fn run(&mut self, sql: &str) {
        const CHANGES: &[&str] =
            &["alter", "create", "delete", "drop", "insert", "reset", "set", "truncate", "update"];
        // A table over a file that is not there is empty: wrong, where none at all is honest.
        if CHANGES.contains(&rule::first_word(sql).as_str())
            && (sql.to_lowercase().contains("external table") || self.change(sql).await.is_err())
            && rule::first_word(sql) == "insert"
        {
            self.broken.extend(words(sql).nth(2));
        }
        self.fresh.clear();
        if ["set", "reset"].contains(&rule::first_word(sql).as_str()) {
            self.own_settings = self.differs_from_default();
        }
    }

    async fn change(&self, sql: &str) -> Result<(), DataFusionError> {
        self.context.sql(sql).await?.collect().await.map(drop)
    }

    /// Whether a setting that changes answers is not as it begins.
    pub(super) fn has_own_settings(&self) -> bool {
        self.own_settings
    }

    fn differs_from_default(&self) -> bool {
        let of = |config: &SessionConfig| {
            let mut entries = config.options().entries();
            entries.retain(|entry| {
                [
                    "datafusion.sql_parser.",
                    "datafusion.execution.time_zone",
                    "datafusion.execution.enable_ansi",
                ]
                .iter()
                .any(|prefix| entry.key.starts_with(prefix))
            });
            entries.into_iter().map(|entry| entry.value).collect::<Vec<_>>()
        };
        of(&self.context.copied_config()) != of(&SessionConfig::new())
    }

    /// The query as it is asked, over apps; or why a table of it is none.
    pub(super) async fn rewrite(&mut self, sql: &str) -> Result<String, &'static str> {
        let mut tables = vec![];
        for name in self.names(sql) {
            if self.broken.contains(&name) {
                return Err("a table that could not be loaded");
            }
            if let Some(app) = self.app(&name).await? {
                tables.push(app.table);
            }
        }
        if self.class == Class::Filters || tables.is_empty() {
            return Ok(sql.to_owned());
        }
        Ok(with_tables(sql, &tables.join(", ")))
    }

    /// The tables that a query may name: those whose name it holds as a word, and does not give to a CTE.
    fn names(&self, sql: &str) -> Vec<String> {
        let lower = sql.to_lowercase();
        let words: Vec<String> = words(&lower).collect();
        let own = own_ctes(sql);
        let schema = self.context.catalog("datafusion").and_then(|catalog| catalog.schema("public"));
        let mut names = schema.map(|schema| schema.table_names()).unwrap_or_default();
        names.retain(|name| words.contains(&name.to_lowercase()) && !own.contains(name));
        names.sort();
        names
    }

    async fn app(&mut self, name: &str) -> Result<Option<App>, &'static str> {
        if let Some(at) = self.fresh.get(name) {
            return self.known[*at].2.clone().map(Some);
        }
        let quoted = format!("SELECT * FROM \"{}\"", name.replace('"', "\"\""));
        let Ok(frame) = self.context.sql(&quoted).await else { return Ok(None) };
        let schema = Arc::clone(frame.schema().inner());
        let Ok(batches) = frame.collect().await else { return Ok(None) };
        if batches.iter().map(RecordBatch::num_rows).sum::<usize>() > MOST_ROWS {
            return Err("a table of very many rows");
        }
        let rows = concat_batches(&schema, &batches).unwrap();
        if let Some(at) = self.known.iter().position(|(known, batch, _)| known == name && *batch == rows) {
            self.fresh.insert(name.to_owned(), at);
            return self.known[at].2.clone().map(Some);
        }
        let app = app::of_table(name, &rows, self.class, self.apps.len());
        if let Ok(app) = &app {
            self.apps.push(app.definition.clone());
        }
        self.fresh.insert(name.to_owned(), self.known.len());
        self.known.push((name.to_owned(), rows, app.clone()));
        app.map(Some)
    }

    /// A Kintone with all these apps.
    pub(super) fn fixture(&self) -> Value {
        json!({"users": [{"code": "demo", "password": "demo"}], "apps": self.apps})
    }
}

/// The words of a text, in lower case.
fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    words.map(str::to_lowercase)
}

/// The CTEs that the statement itself names at its top.
fn own_ctes(sql: &str) -> Vec<String> {
    if rule::first_word(sql) != "with" {
        return vec![];
    }
    let Ok(statements) = Parser::parse_sql(&PostgreSqlDialect {}, sql) else { return vec![] };
    let Some(Statement::Query(query)) = statements.first() else { return vec![] };
    let ctes = query.with.iter().flat_map(|with| &with.cte_tables);
    ctes.map(|cte| cte.alias.name.value.to_lowercase()).collect()
}

/// The text with CTEs before it. The rest of it stays as it was written.
fn with_tables(sql: &str, tables: &str) -> String {
    let body = rule::after_comments(sql);
    let comments = &sql[..sql.len() - body.len()];
    match after_word(body, "with").map(|rest| (rest, after_word(rest, "recursive"))) {
        Some((_, Some(rest))) => format!("{comments}WITH RECURSIVE {tables}, {rest}"),
        Some((rest, None)) => format!("{comments}WITH {tables}, {rest}"),
        None => format!("{comments}WITH {tables} {body}"),
    }
}

/// The text after a word and blanks.
fn after_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let head = text.get(..word.len()).filter(|head| head.eq_ignore_ascii_case(word))?;
    let rest = &text[head.len()..];
    rest.starts_with(char::is_whitespace).then(|| rest.trim_start())
}
