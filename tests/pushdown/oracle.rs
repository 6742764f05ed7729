//! The same data and statements in another engine: what the two share of SQL, and what they do not.
//!
//! Kintone's empty values go in as NULL, which is how they are read here.

use super::dice::Dice;
use super::form::{App, Cell, Column, Numbers, Sort};
use super::predicate::{Dialect, Literal, Test};
use super::run::{Bench, Difference, Mode, Outcome, Tally, agree};
use super::statement::{Query, Statement, Table};
use super::{seed, unknowns};

/// A form of SQL that is not compared with an engine, and why.
pub(super) struct Waiver {
    engine: Dialect,
    why: &'static str,
    applies: fn(&Column, &Test) -> bool,
}

const fn waiver(engine: Dialect, why: &'static str, applies: fn(&Column, &Test) -> bool) -> Waiver {
    Waiver { engine, why, applies }
}

/// All of them, one line each.
#[rustfmt::skip]
pub(super) const WAIVERS: &[Waiver] = &[
    waiver(Dialect::Postgres, "in its C collation upper() knows ASCII letters only", |_, t| matches!(t, Test::Upper(..))),
    waiver(Dialect::Sqlite, "upper() knows ASCII letters only", |_, t| matches!(t, Test::Upper(..))),
    waiver(Dialect::Postgres, "in its C collation ILIKE knows ASCII letters only", |_, t| matches!(t, Test::ILike(..))),
    waiver(Dialect::Sqlite, "there is no ILIKE", |_, t| matches!(t, Test::ILike(..))),
    waiver(Dialect::Sqlite, "there are no arrays", |c, _| c.sort == Sort::Choices),
    waiver(Dialect::Sqlite, "there are no decimals: numbers are those that a double is, and never cast", |_, t| matches!(t, Test::NumberCast(..))),
    waiver(Dialect::Sqlite, "a cast or quoted number has another affinity", |_, t| t.literals().iter().any(|l| matches!(l, Literal::CastNumber(_) | Literal::QuotedNumber(_)))),
    waiver(Dialect::Sqlite, "dates and times are texts: none becomes the other", |_, t| matches!(t, Test::DateAsInstant(..) | Test::InstantAsDate(..))),
    waiver(Dialect::Sqlite, "a backslash in LIKE escapes nothing", |_, t| matches!(t, Test::Like(_, pattern) if pattern.contains('\\'))),
];

/// Whether a statement is of the SQL that an engine shares.
fn is_shared(engine: Dialect, statement: &Statement) -> Result<(), &'static str> {
    for (column, test) in statement.predicates().into_iter().flat_map(super::predicate::Predicate::tests) {
        let waived = WAIVERS.iter().find(|w| w.engine == engine && (w.applies)(column, test));
        if let Some(waiver) = waived {
            return Err(waiver.why);
        }
    }
    // SELECT * has Kintone's own columns too.
    let is_star = matches!(&statement.query, Query::Rows { columns, .. } if columns.is_empty());
    if is_star { Err("SELECT * has the columns that Kintone adds") } else { Ok(()) }
}

/// Statements for one engine over random apps; `load` and `ask` are that engine's.
pub(super) struct Oracle {
    pub apps: Vec<App>,
    pub statements: Vec<Statement>,
    dice: Dice,
    dialect: Dialect,
    waived: usize,
}

impl Oracle {
    pub(super) fn random(dialect: Dialect, stream: u64, statements: usize) -> Self {
        let mut dice = Dice::new(seed(), stream);
        let numbers = if dialect == Dialect::Sqlite { Numbers::Doubles } else { Numbers::Decimals };
        let apps: Vec<App> = (1..=3)
            .map(|id| {
                let mut app = App::random(&mut dice, id, numbers);
                if dialect == Dialect::Sqlite {
                    app.drop_lists();
                }
                app
            })
            .collect();
        let mut oracle = Self { apps, statements: vec![], dice, dialect, waived: 0 };
        while oracle.statements.len() < statements {
            let statement = Statement::for_all_rules(&mut oracle.dice, &oracle.apps);
            match is_shared(dialect, &statement) {
                Ok(()) => oracle.statements.push(statement),
                Err(_) => oracle.waived += 1,
            }
        }
        oracle
    }

    /// Statements that make the tables.
    pub(super) fn schema(&self) -> String {
        self.apps.iter().map(|app| self.tables(app)).collect()
    }

    fn tables(&self, app: &App) -> String {
        let mut sql = self.create(&Table::of_records(app));
        for (at, record) in app.records.iter().enumerate() {
            let id = (at + 1).to_string();
            let cells: Vec<String> =
                app.columns.iter().zip(&record.cells).map(|(c, cell)| self.value(c, cell)).collect();
            sql += &insert(&app.table(), [id.clone()].into_iter().chain(cells.clone()));
            if app.row_columns.is_empty() {
                continue;
            }
            for (index, row) in record.rows.iter().enumerate() {
                let own = app.row_columns.iter().zip(row).map(|(c, cell)| self.value(c, cell));
                let keys = [id.clone(), (index + 1).to_string()].into_iter();
                sql += &insert(&app.row_table(), keys.chain(own).chain(cells.clone()));
            }
        }
        if !app.row_columns.is_empty() {
            sql.insert_str(0, &self.create(&Table::of_rows(app)));
        }
        sql
    }

    fn create(&self, table: &Table) -> String {
        let typed = |column: &std::sync::Arc<Column>| {
            let sql_type = match (column.sort, self.dialect) {
                (Sort::Id, _) => "integer",
                (Sort::Number, _) => "numeric",
                (Sort::Date, Dialect::Postgres) => "date",
                (Sort::Time, Dialect::Postgres) => "time",
                (Sort::Instant, Dialect::Postgres) => "timestamptz",
                (Sort::Choices, _) => "text[] COLLATE \"C\"",
                (_, Dialect::Postgres) => "text COLLATE \"C\"",
                (_, Dialect::Sqlite) => "text",
            };
            format!("\"{}\" {sql_type}", column.code)
        };
        let columns: Vec<_> = table.columns.iter().map(typed).collect();
        format!(
            "DROP TABLE IF EXISTS \"{0}\";\nCREATE TABLE \"{0}\" ({1});\n",
            table.name,
            columns.join(", ")
        )
    }

    fn value(&self, column: &Column, cell: &Cell) -> String {
        let text = |text: &str| format!("'{}'", text.replace('\'', "''"));
        match cell {
            Cell::Empty => "NULL".into(),
            Cell::One(value) if column.sort == Sort::Number => value.clone(),
            Cell::One(value) if column.sort == Sort::Instant => text(&format!("{value}:00+00")),
            Cell::One(value) if column.sort == Sort::Time => text(&format!("{value}:00")),
            Cell::One(value) => text(value),
            Cell::Many(values) => {
                format!("ARRAY[{}]::text[]", values.iter().map(|v| text(v)).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// Compares this program's answers with pushdown to those of the engine; `None` where it refuses.
    pub(super) async fn compare(mut self, at: u64, right: &[Option<Rows>]) -> Result<Tally, String> {
        let unknowns = unknowns(&mut self.dice);
        let bench = Bench::new(&self.apps, unknowns).await;
        let mut tally = Tally::default();
        for (statement, right) in self.statements.iter().zip(right) {
            let Some(right) = right else {
                tally.count("refused by the engine", false);
                continue;
            };
            let mode = Mode::random(&mut self.dice, "on");
            let sql = statement.sql(Dialect::Postgres);
            let (answer, asked) = bench.answer(&mode, &sql).await;
            let right: Outcome = Ok(trimmed(right));
            let read = answer.as_ref().map(|rows| trimmed(rows)).map_err(|kind| *kind);
            if !agree(&read, &right, statement.promise()) {
                let difference = Difference { sql, mode, asked, answer, right };
                return Err(format!("world {at}\n{}", difference.report(&self.apps, &unknowns)));
            }
            tally.count(
                if self.dialect == Dialect::Sqlite { "sqlite" } else { "postgres" },
                super::run::is_pushed(&asked, &mode),
            );
        }
        bench.world.emulator.stop().await;
        Ok(tally)
    }
}

pub(super) type Rows = Vec<Vec<Option<String>>>;

fn insert(table: &str, values: impl Iterator<Item = String>) -> String {
    format!("INSERT INTO \"{table}\" VALUES ({});\n", values.collect::<Vec<_>>().join(", "))
}

/// Numbers (and texts that look like them) without the zeros at their end: a numeric there shows as many as it was
/// written with.
fn trimmed(rows: &[Vec<Option<String>>]) -> Rows {
    let plain = |value: &String| {
        let digits = value.strip_prefix('-').unwrap_or(value);
        let is_decimal = digits.contains('.') && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
        if is_decimal { value.trim_end_matches('0').trim_end_matches('.').to_owned() } else { value.clone() }
    };
    rows.iter().map(|row| row.iter().map(|value| value.as_ref().map(plain)).collect()).collect()
}
