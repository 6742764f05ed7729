//! Pushdown changes no answer: random apps, rows and statements, each with `kintone.pushdown` on, with each of its
//! rules alone, and off, however Kintone's open facts turn out; the same against a real PostgreSQL and SQLite; and
//! planted faults, which measure what these tests find.
//!
//! `PUSHDOWN_CASES` is the number of random statements, `PUSHDOWN_SEED` another run of the dice.

mod dice;
mod fault;
mod form;
mod oracle;
mod partition;
mod pool;
mod postgres;
mod predicate;
mod render;
mod run;
mod shrink;
mod sqlite;
mod statement;
mod switch;

use futures::{StreamExt, stream};
use kintone_sql::emulator::{SWITCHES, Unknowns};
use kintone_sql::table::Rules;

use dice::Dice;
use form::{App, Numbers};
use run::{Bench, Mode, Tally};
use shrink::Case;
use statement::Statement;

/// Statements of [`every_rule_answers_as_without`] in the gate.
const STATEMENTS: usize = 9000;
/// Statements over one set of apps.
const OF_A_WORLD: usize = 80;
/// Apps of one Kintone.
const APPS: u64 = 4;
/// Worlds at once: more than cores, since each waits for its Kintone at times.
const AT_ONCE: usize = 4;
/// Shared by all tests here; each has streams of its own.
const SEED: u64 = 20_261_124;

fn number<T: std::str::FromStr>(variable: &str, default: T) -> T {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn seed() -> u64 {
    number("PUSHDOWN_SEED", SEED)
}

fn apps(dice: &mut Dice, numbers: Numbers) -> Vec<App> {
    (1..=APPS).map(|id| App::random(dice, id, numbers)).collect()
}

/// Kintone's open facts: one time in three all strict, else each in any position.
fn unknowns(dice: &mut Dice) -> Unknowns {
    if dice.one_in(3) {
        return Unknowns::strict();
    }
    SWITCHES.iter().fold(Unknowns::strict(), |unknowns, switch| {
        unknowns.with(switch.name, dice.pick(switch.positions)).unwrap()
    })
}

/// Runs `worlds` tasks, some at once, and adds up what they counted; fails with the first that is wrong.
fn run_worlds<F>(worlds: usize, world: impl Fn(u64) -> F + Copy) -> Tally
where
    F: Future<Output = Result<Tally, String>> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let all = async {
        let tasks = (0..worlds as u64).map(|at| tokio::spawn(world(at)));
        let mut done = stream::iter(tasks).buffer_unordered(AT_ONCE);
        let mut tally = Tally::default();
        while let Some(found) = done.next().await {
            match found.unwrap() {
                Ok(counted) => tally.add(counted),
                Err(report) => panic!("PUSHDOWN_SEED={}\n{report}", seed()),
            }
        }
        tally
    };
    let tally = runtime.block_on(all);
    println!("{tally:?} {:?}", tally.total());
    tally
}

/// One Kintone: each statement with everything on, or with a rule alone, or with some of them.
async fn world(at: u64) -> Result<Tally, String> {
    let mut dice = Dice::new(seed(), at);
    let (apps, unknowns) = (apps(&mut dice, Numbers::Decimals), unknowns(&mut dice));
    let bench = Bench::new(&apps, unknowns).await;
    bench.set_zone(dice.pick(pool::ZONES));
    let names: Vec<&str> = Rules::names().collect();
    let mut tally = Tally::default();
    while tally.total().0 < OF_A_WORLD {
        let (aim, rules) = match dice.weighted(&[4, 4, 1]) {
            0 => ("on", "on".to_owned()),
            1 => {
                let rule = dice.pick(&names);
                (rule, rule.to_owned())
            }
            _ => {
                let some: Vec<_> = names.iter().filter(|_| dice.coin()).copied().collect();
                (
                    some.first().copied().unwrap_or("on"),
                    if some.is_empty() { "on".into() } else { some.join(", ") },
                )
            }
        };
        let statement = Statement::random(&mut dice, &apps, aim);
        let right = bench.right(&statement).await;
        // What a rule does alone, everything on does too, and more.
        let modes = if rules == "on" { vec![rules] } else { vec![rules, "on".to_owned()] };
        for rules in modes {
            let mode = Mode::random(&mut dice, &rules);
            match bench.compare_with(&statement, &mode, &right).await {
                // Two errors of a kind are nothing to go by.
                Ok(_) if right.is_err() => tally.count("failed", false),
                Ok(pushed) => tally.count(if rules.contains(',') { "some" } else { &rules }, pushed),
                Err(difference) => {
                    let report = difference.report(&apps, &unknowns);
                    let case = Case { apps, unknowns, statement, mode };
                    return Err(Box::pin(case.smallest(format!("world {at}\n{report}"))).await);
                }
            }
        }
    }
    bench.world.emulator.stop().await;
    Ok(tally)
}

#[test]
fn every_rule_answers_as_without() {
    let statements = number("PUSHDOWN_CASES", STATEMENTS);
    let tally = run_worlds(statements.div_ceil(OF_A_WORLD), world);
    let (failed, _) = tally.by_rules.get("failed").copied().unwrap_or_default();
    let (run, pushed) = tally.total();
    assert!(failed * 50 < run, "too many statements failed: {tally:?}");
    assert!(run >= statements && pushed * 10 >= run * 6, "too little was pushed down: {tally:?}");
    for rule in Rules::names().chain(["on"]) {
        let (run, pushed) = tally.by_rules.get(rule).copied().unwrap_or_default();
        assert!(run > 0 && pushed * 10 >= run, "{rule} does next to nothing: {tally:?}");
    }
}
