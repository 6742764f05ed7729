//! The results as their part of `benches/README.md`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::compare::Results;

const BEGIN: &str = "<!-- serving: written by benches/run -->\n";
const END: &str = "<!-- end of serving -->\n";

/// A line of the table: name, words, the most seconds that it is to take, how often as fast as PostgreSQL and roapi it is to be.
type Line = (&'static str, &'static str, Option<f64>, Option<(f64, f64)>);

const TABLE: &[Line] = &[
    ("text", "every row, text", None, Some((1.0, 1.9))),
    ("binary", "every row, prepared, binary", None, Some((1.0, 1.9))),
    ("copy", "every row, `COPY`", None, Some((1.0, 1.9))),
    ("first", "the first row of them", Some(5e-3), None),
    ("prepared", "`SELECT 1`, prepared", Some(100e-6), None),
    ("simple", "`SELECT 1`, simple", Some(200e-6), None),
    ("list", "the list of 1,000 apps, as `\\d`", Some(200e-3), None),
];

/// Writes it.
pub(crate) fn write(results: &Results) {
    let text = table(results);
    println!("\n{text}");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/README.md");
    let readme = fs::read_to_string(&file).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("a place for the results");
    let (_, after) = rest.split_once(END).expect("an end of that place");
    fs::write(&file, format!("{before}{BEGIN}\n{text}\n{END}{after}")).unwrap();
}

fn seconds(seconds: f64) -> String {
    match seconds {
        1.0.. => format!("{seconds:.2} s"),
        0.01.. => format!("{:.0} ms", seconds * 1e3),
        0.001.. => format!("{:.1} ms", seconds * 1e3),
        _ => format!("{:.0} µs", seconds * 1e6),
    }
}

fn mark(met: bool) -> char {
    if met { '✓' } else { '✗' }
}

fn table(results: &Results) -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let mut out = format!(
        "{} rows of 8 columns; medians of {} rounds; took {:.0} minutes; load average of the last 15 minutes at the end: {}.\n\n\
         | What | kintone-sql | PostgreSQL 15 | roapi | Goal |\n|---|--:|--:|--:|---|\n",
        results.rows,
        results.rounds,
        results.took.as_secs_f64() / 60.0,
        load.split(' ').nth(2).unwrap_or("?"),
    );
    for (what, words, most, times) in TABLE {
        let of = |server| results.median(what, server);
        let shown = |server| of(server).map_or_else(String::new, seconds);
        let Some(ours) = of("kintone-sql") else { continue };
        let mut goals = vec![];
        if let Some(most) = most {
            goals.push(format!("at most {} {}", seconds(*most), mark(ours <= *most)));
        }
        if let Some((postgres, roapi)) = times {
            for (server, goal) in [("PostgreSQL", postgres), ("roapi", roapi)] {
                if let Some(theirs) = of(server) {
                    let ratio = theirs / ours;
                    goals.push(format!("{goal} × {server}: {ratio:.2} {}", mark(ratio >= *goal)));
                }
            }
        }
        let (postgres, roapi) = (shown("PostgreSQL"), shown("roapi"));
        writeln!(out, "| {words} | {} | {postgres} | {roapi} | {} |", seconds(ours), goals.join(", "))
            .unwrap();
    }
    if let Some(first) = results.median("list", "kintone-sql first") {
        writeln!(out, "| the same, first of all | {} | | | |", seconds(first)).unwrap();
    }
    let idle = results.idle;
    writeln!(
        out,
        "| an idle connection of 1,000, of a server that just started | {idle:.0} KiB | | | at most 100 KiB {} |",
        mark(idle <= 100.0)
    )
    .unwrap();
    out
}
