//! Three-valued logic, without a second engine: each predicate's truth on every row is evaluated as a column, where
//! nothing is pushed down; then the rows and counts of statements that filter by it must be those.
//!
//! Every row is in just one of WHERE p, WHERE NOT p and WHERE p IS NULL (ternary logic partitioning), and
//! count(*) WHERE p is sum(CASE WHEN p THEN 1 ELSE 0 END) (non-optimising reference engine construction).

use super::dice::Dice;
use super::form::{App, Numbers};
use super::predicate::{Dialect, Predicate};
use super::run::{Bench, Mode, Outcome, Tally};
use super::statement::Table;
use super::{number, run_worlds, seed, unknowns};

/// In the gate.
const STATEMENTS: usize = 4000;
/// Predicates of one table, evaluated by one statement.
const PREDICATES: usize = 6;
/// Statements about each predicate.
const FORMS: usize = 5;

/// Rows by which a table is told apart, and what each predicate is on them.
struct Truth {
    keys: Vec<Option<String>>,
    /// `Some("t")`, `Some("f")`, or unknown.
    values: Vec<Vec<Option<String>>>,
}

impl Truth {
    /// The keys of the rows on which all these predicates are as wanted.
    fn keys(&self, of: &[usize], wanted: Option<&str>) -> Outcome {
        let holds = |row: &usize| of.iter().all(|p| self.values[*row][*p].as_deref() == wanted);
        Ok((0..self.keys.len()).filter(holds).map(|row| vec![self.keys[row].clone()]).collect())
    }
}

async fn truth(bench: &Bench, table: &Table, predicates: &[Predicate]) -> Option<Truth> {
    let columns: Vec<_> = predicates.iter().map(|p| format!("({})", p.sql("", Dialect::Postgres))).collect();
    let key = &table.columns[0].code;
    let sql = format!("SELECT \"{key}\", {} FROM \"{}\" ORDER BY \"{key}\"", columns.join(", "), table.name);
    // Where one of them cannot be evaluated, all are left out.
    let rows = bench.reference(&sql).await.ok()?;
    let keys = rows.iter().map(|row| row[0].clone()).collect();
    Some(Truth { keys, values: rows.into_iter().map(|row| row[1..].to_vec()).collect() })
}

/// Each form of a statement about predicate `at`, and the rows that it must have.
fn forms(table: &Table, predicates: &[Predicate], at: usize, truth: &Truth) -> Vec<(String, Outcome)> {
    let sql = |predicate: &Predicate| predicate.sql("", Dialect::Postgres);
    let (p, q) = (&predicates[at], (at + 1) % predicates.len());
    let (name, key) = (&table.name, &table.columns[0].code);
    let rows = |filter: String| format!("SELECT \"{key}\" FROM \"{name}\" WHERE {filter} ORDER BY \"{key}\"");
    let one = |count: usize| Ok(vec![vec![Some(count.to_string())]]);
    let found = truth.keys(&[at], Some("t"));
    let count = found.as_ref().map_or(0, Vec::len);
    let not = Predicate::Not(Box::new(p.clone()));
    let unknown = Predicate::IsNull(Box::new(p.clone()));
    let all = [
        (format!("SELECT count(*) FROM \"{name}\" WHERE {}", sql(p)), one(count)),
        (rows(sql(p)), found),
        (rows(sql(&not)), truth.keys(&[at], Some("f"))),
        (rows(sql(&unknown)), truth.keys(&[at], None)),
        (rows(format!("{} AND {}", sql(&predicates[q]), sql(p))), truth.keys(&[at, q], Some("t"))),
    ];
    all.into()
}

async fn world(at: u64) -> Result<Tally, String> {
    let mut dice = Dice::new(seed(), 1 << 32 | at);
    let apps: Vec<App> = (1..=2).map(|id| App::random(&mut dice, id, Numbers::Decimals)).collect();
    let unknowns = unknowns(&mut dice);
    let bench = Bench::new(&apps, unknowns).await;
    let mut tally = Tally::default();
    for app in &apps {
        // Of a table of rows `$id` alone does not tell rows apart, which rows that come as often make no worse.
        let tables =
            [Some(Table::of_records(app)), (!app.row_columns.is_empty()).then(|| Table::of_rows(app))];
        for table in tables.into_iter().flatten() {
            let predicates: Vec<_> =
                (0..PREDICATES).map(|_| Predicate::random(&mut dice, &table.columns)).collect();
            let Some(truth) = truth(&bench, &table, &predicates).await else { continue };
            let sums = predicates.iter().map(|p| {
                format!("coalesce(sum(CASE WHEN {} THEN 1 ELSE 0 END), 0)", p.sql("", Dialect::Postgres))
            });
            let sums = format!("SELECT {} FROM \"{}\"", sums.collect::<Vec<_>>().join(", "), table.name);
            let counted = |p| Some(truth.keys(&[p], Some("t")).map_or(0, |rows| rows.len()).to_string());
            let mut all = vec![(sums, Ok(vec![(0..PREDICATES).map(counted).collect()]))];
            for predicate in 0..PREDICATES {
                all.extend(forms(&table, &predicates, predicate, &truth));
            }
            for (sql, right) in all {
                let mode = Mode::random(&mut dice, "on");
                let (answer, asked) = bench.answer(&mode, &sql).await;
                if answer != right {
                    let difference = super::run::Difference { sql, mode, asked, answer, right };
                    return Err(format!("world {at}\n{}", difference.report(&apps, &unknowns)));
                }
                tally.count("partition", super::run::is_pushed(&asked, &mode));
            }
        }
    }
    bench.world.emulator.stop().await;
    Ok(tally)
}

#[test]
fn every_row_is_where_its_predicate_says() {
    let statements = number("PUSHDOWN_CASES", STATEMENTS);
    // Mostly two tables of each of two apps.
    let tally = run_worlds(statements.div_ceil(4 * (PREDICATES * FORMS + 1)).max(2), world);
    let (run, pushed) = tally.total();
    assert!(run * 10 >= statements * 7 && pushed * 10 >= run * 3, "{tally:?}");
}
