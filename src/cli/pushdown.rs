//! `pushdown`: which predicates Kintone answers, for each field type, how exactly and why.
//!
//! Takes: names of field types. Gives: the capability table, for a terminal of 100 columns or as Markdown. Absent on
//! purpose: the table itself; the engine decides by the same one.

use std::io::Write;

use clap::{Args, ValueEnum};

use super::failure::{Failure, Result};
use super::output;
use crate::engine::{Capabilities, OTHER_PREDICATES, capabilities};

/// The arguments of `pushdown`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct PushdownArgs {
    /// Field types, as Kintone calls them, such as NUMBER; all without any
    #[arg(value_name = "TYPE")]
    types: Vec<String>,
    /// How it is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

const EXAMPLES: &str = "\
EXPLAIN tells of one query what becomes of each of its filters, in the same three words.

Examples:
  kintone-sql pushdown NUMBER
  kintone-sql pushdown DROP_DOWN CHECK_BOX
  kintone-sql pushdown --format markdown > pushdown.md";

/// How the table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal
    Text,
    /// A page with a table for each field type
    Markdown,
}

const LEGEND: &[&str] = &[
    "What becomes of a predicate in WHERE. exact: Kintone returns precisely the rows. rechecked: at",
    "least the rows, which are filtered again. local: Kintone is not asked. In a table: columns of a",
    "table field, as a table of its own. K§n is a section of the fact sheet on Kintone's API.",
];

const OTHERS: &str = "Other predicates";

/// Prints the table.
pub(super) fn run(args: &PushdownArgs) -> Result<()> {
    let chosen = choose(&args.types)?;
    let mut out = output::open(None)?;
    let text = match args.format {
        Format::Text => text(&chosen, args.types.is_empty()),
        Format::Markdown => markdown(&chosen, args.types.is_empty()),
    };
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// The parts about these field types.
fn choose(types: &[String]) -> Result<Vec<Capabilities>> {
    let all = capabilities();
    let is = |part: &Capabilities, name: &str| part.field_types.iter().any(|t| t.eq_ignore_ascii_case(name));
    if let Some(unknown) = types.iter().find(|name| !all.iter().any(|part| is(part, name))) {
        let mut names: Vec<_> = all.iter().flat_map(|part| part.field_types.iter().copied()).collect();
        names.sort_unstable();
        names.dedup();
        return Err(Failure::own(format!(
            "there is no field type {unknown}: there are {}",
            names.join(", ")
        )));
    }
    Ok(all.into_iter().filter(|part| types.is_empty() || types.iter().any(|name| is(part, name))).collect())
}

/// What a part is about: `CALC (DATE), in a table: date`.
fn title(part: &Capabilities) -> String {
    let format = part.format.map_or_else(String::new, |format| format!(" ({format})"));
    let place = if part.in_table { ", in a table" } else { "" };
    format!("{}{format}{place}: {}", part.field_types.join(", "), part.sql_type)
}

fn text(parts: &[Capabilities], all: bool) -> String {
    let mut out = LEGEND.join("\n") + "\n";
    for part in parts {
        out += &format!("\n{}\n", title(part));
        for row in &part.rows {
            out += &format!("  {:<11}  {:<9}  {}\n", row.predicate, row.verdict.name(), row.why);
        }
    }
    if all {
        out += &format!("\n{OTHERS}\n");
        for (predicate, what) in OTHER_PREDICATES {
            out += &format!("  {predicate:<36}  {what}\n");
        }
    }
    out
}

fn markdown(parts: &[Capabilities], all: bool) -> String {
    let mut out = format!("# Predicates that Kintone answers\n\n{}\n", LEGEND.join("\n"));
    for part in parts {
        out += &format!("\n## {}\n\n| Predicate | Kintone | Why |\n| --- | --- | --- |\n", title(part));
        for row in &part.rows {
            out += &format!("| `{}` | {} | {} |\n", row.predicate, row.verdict.name(), row.why);
        }
    }
    if all {
        out += &format!("\n## {OTHERS}\n\n| Predicate | What becomes of it |\n| --- | --- |\n");
        for (predicate, what) in OTHER_PREDICATES {
            out += &format!("| {predicate} | {what} |\n");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::display_width;

    #[test]
    fn it_fits_a_terminal_of_100_columns() {
        for line in text(&capabilities(), true).lines() {
            assert!(display_width(line) <= 100, "{line}");
        }
    }

    #[test]
    fn a_type_is_chosen_by_any_of_its_names() {
        let names = |types: &[&str]| {
            let types: Vec<String> = types.iter().map(|t| (*t).to_owned()).collect();
            choose(&types).map(|parts| parts.iter().map(title).collect::<Vec<_>>())
        };
        let number = ["NUMBER: numeric", "NUMBER, in a table: numeric"];
        assert_eq!(names(&["number"]).unwrap(), number);
        assert_eq!(names(&["MULTI_SELECT"]).unwrap()[0], "CHECK_BOX, MULTI_SELECT: text[]");
        assert!(names(&["CALC"]).unwrap().contains(&"CALC (DATE): date".to_owned()));
        let error = names(&["NUMBERS"]).unwrap_err();
        assert!(error.message().starts_with("there is no field type NUMBERS: there are CALC, CATEGORY"));
    }

    #[test]
    fn nothing_breaks_a_markdown_table() {
        let cells = markdown(&capabilities(), true);
        for line in cells.lines().filter(|line| line.starts_with('|')) {
            assert!(matches!(line.matches('|').count(), 3 | 4), "{line}");
        }
    }
}
