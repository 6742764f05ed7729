//! What the READMEs show is what a new user gets: their commands exist, and their sessions print those lines.

use std::path::Path;
use std::process::{Command, Output};

const READMES: &[&str] = &["README.md", "README.ja.md"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap()
}

/// Runs the program as a shell would, from the top of the checkout.
fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kintone-sql")).args(args).current_dir(root()).output().unwrap()
}

/// The fenced blocks of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    text.split(fence.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn both_have_the_two_commands() {
    for readme in READMES {
        let commands = blocks(&text(readme), "sh");
        assert_eq!(commands[0], "cargo run -- demo\n", "{readme}");
        assert_eq!(commands[1], "tests/run\n", "{readme}");
    }
    assert!(text(".ci/run").contains("exec tests/run"));
}

/// Each `kintone=> SQL;` of a session with the lines below it, as of the day on which the README was written.
#[test]
fn sessions_print_what_they_show() {
    for readme in READMES {
        let mut seen = 0;
        for block in blocks(&text(readme), "console") {
            for part in block.split("kintone=> ").skip(1) {
                let (sql, shown) = part.split_once(";\n").unwrap();
                let output = run(&["query", "--demo", "--today", "2026-11-24", "-c", sql]);
                let printed = String::from_utf8(output.stdout).unwrap();
                assert_eq!(printed.trim_end(), shown.trim_end(), "{readme}: {sql}");
                seen += 1;
            }
        }
        assert!(seen > 0, "{readme} has no session");
    }
}

#[test]
fn checks_pass_as_they_are_shown() {
    let readme = text("README.md");
    let shown = readme.split("$ kintone-sql check --demo").nth(1).unwrap().split("```").next().unwrap();
    let files = ["customers", "deals", "orders"].map(|f| format!("sql/checks/{f}.sql"));
    let args: Vec<&str> = ["check", "--demo"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let output = run(&args);
    assert!(output.status.success());
    let names = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|l| l.trim_start().starts_with('✓'));
        lines.map(|l| l.rsplit_once(" (").unwrap().0.trim().to_owned()).collect()
    };
    assert_eq!(names(&String::from_utf8(output.stdout).unwrap()), names(shown));
}

#[test]
fn the_example_settings_are_good() {
    let example = run(&["config", "example"]);
    assert!(example.status.success());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kintone-sql.toml");
    std::fs::write(&file, example.stdout).unwrap();
    let mut check = Command::new(env!("CARGO_BIN_EXE_kintone-sql"));
    let output = check
        .args(["config", "check"])
        .arg(&file)
        .env("KINTONE_PASSWORD", "x")
        .env("READER_PASSWORD", "x")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
