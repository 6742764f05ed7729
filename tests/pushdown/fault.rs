//! What these tests find: an engine for each planted fault answers random statements until one answer differs from
//! that of an engine without it.

use kintone_sql::emulator::Unknowns;
use kintone_sql::engine::{Engine, EngineConfig, Session, User};
use kintone_sql::kintone::{Client, ClientConfig, Credentials, Secret};
use kintone_sql::table::Fault;

use super::dice::Dice;
use super::form::Numbers;
use super::predicate::Dialect;
use super::run::{Bench, Mode, agree, outcome, set};
use super::statement::Statement;
use super::{SEED, apps};

/// Each fault must be found within so many statements.
const WITHIN: usize = 2500;
/// Statements over one set of apps.
const OF_A_WORLD: usize = 50;

fn session(bench: &Bench, fault: Fault) -> Session {
    let credentials = Credentials::Password { user: "demo".into(), password: Secret::new("demo") };
    let config = ClientConfig::new("public", bench.world.emulator.url().parse().unwrap(), credentials);
    let with = EngineConfig { fault: Some(fault), ..EngineConfig::default() };
    let engine = Engine::new(with, vec![Client::new(config).unwrap()]).unwrap();
    engine.session(User { name: "tester".into(), administrator: true })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_planted_fault_is_found() {
    let mut missing = Fault::ALL.to_vec();
    let mut ran = 0;
    for at in 0.. {
        if missing.is_empty() || ran >= WITHIN {
            break;
        }
        let mut dice = Dice::new(SEED, 5 << 32 | at);
        let apps = apps(&mut dice, Numbers::Decimals);
        let bench = Bench::new(&apps, Unknowns::strict()).await;
        let faulty: Vec<_> = missing.iter().map(|fault| (*fault, session(&bench, *fault))).collect();
        for _ in 0..OF_A_WORLD {
            let statement = Statement::for_all_rules(&mut dice, &apps);
            // Small pages: groups are counted only where that is cheaper than reading.
            let small = if dice.coin() { "group" } else { "on" };
            let mode = Mode { rules: "on".into(), ..Mode::random(&mut dice, small) };
            let right = bench.right(&statement).await;
            let sql = statement.sql(Dialect::Postgres);
            ran += 1;
            for (fault, session) in &faulty {
                if !missing.contains(fault) {
                    continue;
                }
                set(session, &mode);
                let answer = outcome(session, &sql).await;
                if !agree(&answer, &right, statement.promise()) {
                    println!("{fault:?}: found by statement {ran}");
                    missing.retain(|other| other != fault);
                }
            }
        }
        bench.world.emulator.stop().await;
    }
    assert!(missing.is_empty(), "not found within {ran} statements: {missing:?}");
}
