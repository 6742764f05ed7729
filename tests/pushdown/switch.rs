//! Each of Kintone's open facts in each position, the others strict: the answers stay the same.

use kintone_sql::emulator::{SWITCHES, Unknowns};

use super::dice::Dice;
use super::form::{App, Numbers};
use super::run::{Bench, Mode, Tally};
use super::shrink::Case;
use super::statement::Statement;
use super::{run_worlds, seed};

/// Statements for each position.
const STATEMENTS: usize = 12;

/// Every position of every switch, in order.
fn positions() -> Vec<(&'static str, &'static str)> {
    let each = SWITCHES.iter().flat_map(|switch| switch.positions.iter().map(|at| (switch.name, *at)));
    each.collect()
}

async fn world(at: u64) -> Result<Tally, String> {
    let mut dice = Dice::new(seed(), 2 << 32 | at);
    let (name, position) = positions()[at as usize];
    let unknowns = Unknowns::strict().with(name, position).unwrap();
    let apps: Vec<App> = (1..=2).map(|id| App::random(&mut dice, id, Numbers::Decimals)).collect();
    let bench = Bench::new(&apps, unknowns).await;
    let mut tally = Tally::default();
    for _ in 0..STATEMENTS {
        let statement = Statement::random(&mut dice, &apps, "on");
        let mode = Mode::random(&mut dice, "on");
        match bench.compare(&statement, &mode).await {
            Ok(pushed) => tally.count("switch", pushed),
            Err(difference) => {
                let report = format!("{name}: {position}\n{}", difference.report(&apps, &unknowns));
                let case = Case { apps, unknowns, statement, mode };
                return Err(Box::pin(case.smallest(report)).await);
            }
        }
    }
    bench.world.emulator.stop().await;
    Ok(tally)
}

#[test]
fn every_position_of_every_open_fact_answers_alike() {
    let tally = run_worlds(positions().len(), world);
    assert_eq!(tally.total().0, positions().len() * STATEMENTS);
}
