//! A second opinion on the grammar: kintone-query-builder, whose authors read Kintone's documents on their own.
//! What it accepts and the fact sheet says is legal, the emulator accepts. Skipped, and said so, without npm.
//!
//! `QUERY_SEED` is another run of the dice, `QUERY_COUNT` the number of queries of each kind.

use std::fs;
use std::path::Path;
use std::process::Command;

use kintone_sql::emulator::{Options, Unknowns};
use serde_json::{Value, json};

use super::{Domain, cell, password, send};

/// Its version, whose grammar the differences below are of.
const PACKAGE: &str = "kintone-query-builder@0.1.7";
const SEED: &str = "7";
const COUNT: &str = "150";

/// Where the two readings differ or agree to refuse: whether it accepts, what the emulator says, and why.
const NAMED: &[(&str, bool, &str, &str)] = &[
    ("escapes of JSON", true, "400 CB_VA01", "K§3.1: of escapes, \\\" \\\\ \\t \\n \\r alone"),
    ("a negative limit", true, "400 CB_VA01", "K§3.7"),
    ("limit 0", true, "400 CB_VA01", "K§3.7: not certain; the switch limit_zero"),
    ("a limit above 500", true, "400 GAIA_QU01", "K§3.7"),
    ("a keyword as a field", true, "400 CB_VA01", "K§3.1: not certain; the switch keywords_as_field_codes"),
    ("full-width blanks", false, "200", "K§3.1: observed"),
    ("tabs and newlines as blanks", false, "200", "K§3.1: observed"),
    ("blanks within order by", false, "200", "K§3.1: any white space separates"),
    ("no blank before a list", false, "200", "K§3.1: any white space separates"),
    ("blanks within brackets", false, "200", "K§3.1: any white space separates"),
    ("blanks within a function", false, "200", "K§3.1: any white space separates"),
    ("the id of related records", false, "200", "K§3.3: documented"),
    ("upper case", false, "400 CB_VA01", "K§3.1: not certain; the switch keywords_in_any_case"),
    ("a negated bracket", false, "400 CB_VA01", "K§3.1"),
    ("single quotes", false, "400 CB_VA01", "K§3.1"),
    ("between", false, "400 CB_VA01", "K§3.1"),
    ("clauses out of order", false, "400 CB_VA01", "K§3.1"),
    ("exponents", false, "400 CB_VA01", "K§3.1"),
    ("a constant alone", false, "400 CB_VA01", "K§3.1"),
];

/// The queries with its opinion; `Err` says why there are none.
fn queries() -> Result<Vec<Value>, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("query-builder");
    fs::create_dir_all(&folder).unwrap();
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).current_dir(&folder).output();
        let output = output.map_err(|e| format!("no {program}: {e}"))?;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(output.stdout) } else { Err(format!("{program} failed: {error}")) }
    };
    if !folder.join("node_modules/kintone-query-builder/package.json").exists() {
        run("npm", &["install", "--silent", "--no-audit", "--no-fund", "--prefix", ".", PACKAGE])?;
    }
    fs::write(folder.join("queries.mjs"), include_str!("../clients/query-builder/queries.mjs")).unwrap();
    let setting = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let (seed, count) = (setting("QUERY_SEED", SEED), setting("QUERY_COUNT", COUNT));
    let printed = run("node", &["queries.mjs", &seed, &count]).unwrap();
    Ok(serde_json::from_slice(&printed).unwrap())
}

/// A difference that a changed query may have by chance: an escape of JSON, a negative limit, two keywords
/// without a blank. Keywords as fields and `limit 0` are switched on for these queries.
fn has_named_difference(query: &str) -> bool {
    let glued =
        ["asclimit", "desclimit", "ascoffset", "descoffset"].iter().any(|words| query.contains(words))
            || (0..10).any(|digit| query.contains(&format!("{digit}offset")));
    query.contains("\\/") || query.contains("limit -1") || glued
}

#[tokio::test]
async fn the_grammar_is_that_of_another_reader() {
    let queries = match queries() {
        Ok(queries) => queries,
        Err(reason) => return eprintln!("skipped: kintone-query-builder: {reason}"),
    };
    let domain = Domain::start(&cell::world()).await;
    let unknowns = Unknowns::strict().with("keywords_as_field_codes", "yes").unwrap();
    let unknowns = unknowns.with("limit_zero", "yes").unwrap();
    let lenient = Domain::with(&cell::world(), Options { unknowns, ..Options::default() }).await;
    let headers = [password("sato", "pw"), ("X-HTTP-Method-Override", "GET".to_owned())];
    let (mut faults, mut accepted, mut named) = (vec![], 0, 0);
    for entry in &queries {
        let (kind, query) = (entry["kind"].as_str().unwrap(), entry["query"].as_str().unwrap());
        let body = json!({"app": 1, "query": query}).to_string();
        let port = if kind == "changed" { &lenient } else { &domain }.emulator.port();
        let reply = send(port, "POST", "/k/v1/records.json", &headers, Some(&body)).await;
        let (outcome, theirs) = (reply.outcome(), entry["accepted"] == true);
        accepted += u32::from(theirs);
        let as_expected = match kind {
            "named" => {
                named += 1;
                let expected =
                    NAMED.iter().find(|(name, ..)| entry["name"] == *name).expect("a named difference");
                (theirs, outcome.as_str()) == (expected.1, expected.2)
            }
            "changed" => {
                // It may name what is not there; only the form of the query is of interest.
                let message =
                    reply.json()["errors"]["query"]["messages"][0].as_str().unwrap_or_default().to_owned();
                let malformed = message.starts_with("The query is not valid at character");
                !theirs || !malformed || has_named_difference(query)
            }
            _ => theirs && outcome == "200",
        };
        if !as_expected {
            faults.push(format!(
                "{kind}: {query}\n  theirs {theirs}, ours {outcome} {}",
                reply.json()["errors"]
            ));
        }
    }
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), queries.len(), faults.join("\n"));
    assert_eq!(named, NAMED.len());
    assert!(accepted > 300, "{accepted} accepted");
}
