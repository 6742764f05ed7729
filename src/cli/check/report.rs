//! What a run of checks comes to: lines for people, annotations for GitHub, the exit code.

use std::fmt::Write as _;
use std::time::Duration;

use super::{CheckResult, FileResult, Verdict};

/// What is printed about a check.
pub(super) fn line(check: &CheckResult) -> String {
    let took = seconds(check.took);
    let (head, details) = match &check.verdict {
        Verdict::Passed => (format!("  ✓ {} ({took})\n", check.name), ""),
        Verdict::Failed { rows, table } => {
            (format!("  ✗ {} (line {}, {took}): {rows}\n", check.name, check.line), table.as_str())
        }
        Verdict::Error { report, .. } => (format!("  ! {} ({took})\n", check.name), report.as_str()),
    };
    let mut out = head;
    for detail in details.lines() {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "      {detail}");
    }
    out
}

/// A duration as people read it.
pub(super) fn seconds(took: Duration) -> String {
    format!("{:.2} s", took.as_secs_f64())
}

/// How many passed, failed and could not be asked.
pub(super) fn totals(files: &[FileResult]) -> String {
    let count = |wanted: fn(&Verdict) -> bool| {
        files.iter().flat_map(|file| &file.checks).filter(|check| wanted(&check.verdict)).count()
    };
    let passed = count(|verdict| matches!(verdict, Verdict::Passed));
    let failed = count(|verdict| matches!(verdict, Verdict::Failed { .. }));
    let errors = count(|verdict| matches!(verdict, Verdict::Error { .. }));
    let mut out = format!("{passed} passed");
    if failed > 0 {
        let _ = write!(out, ", {failed} failed");
    }
    if errors > 0 {
        let _ = write!(out, ", {errors} could not be asked");
    }
    out
}

/// Errors weigh more than failures: a check that was not asked says nothing.
pub(super) fn exit_code(files: &[FileResult]) -> u8 {
    let codes = files.iter().flat_map(|file| &file.checks).map(|check| match &check.verdict {
        Verdict::Passed => 0,
        Verdict::Failed { .. } => 1,
        Verdict::Error { exit_code, .. } => *exit_code,
    });
    codes.max_by_key(|code| [0, 1, 3, 2].iter().position(|known| known == code)).unwrap_or(0)
}

/// Failures and errors as GitHub's workflow commands.
pub(super) fn annotations(files: &[FileResult]) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let mut out = String::new();
    for file in files {
        for check in &file.checks {
            let message = match &check.verdict {
                Verdict::Passed => continue,
                Verdict::Failed { rows, table } => format!("{rows}\n{table}"),
                Verdict::Error { report, .. } => report.clone(),
            };
            let (name, title) = (property(&file.name), property(&check.name));
            let _ =
                writeln!(out, "::error file={name},line={},title={title}::{}", check.line, data(&message));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(verdicts: Vec<Verdict>) -> Vec<FileResult> {
        let check = |verdict| CheckResult {
            name: "金額, ある".into(),
            line: 7,
            took: Duration::from_millis(123),
            verdict,
        };
        vec![FileResult { name: "a.sql".into(), checks: verdicts.into_iter().map(check).collect() }]
    }

    fn failed() -> Verdict {
        Verdict::Failed { rows: "1 row".into(), table: " id\n----\n  5".into() }
    }

    fn error(exit_code: u8) -> Verdict {
        Verdict::Error { report: "ERROR:  100%".into(), exit_code }
    }

    #[test]
    fn errors_weigh_more_than_failures() {
        for (verdicts, code, words) in [
            (vec![], 0, "0 passed"),
            (vec![Verdict::Passed], 0, "1 passed"),
            (vec![failed(), Verdict::Passed], 1, "1 passed, 1 failed"),
            (vec![error(3), failed()], 3, "0 passed, 1 failed, 1 could not be asked"),
            (vec![error(3), error(2)], 2, "0 passed, 2 could not be asked"),
        ] {
            let files = file(verdicts);
            assert_eq!((exit_code(&files), totals(&files).as_str()), (code, words));
        }
    }

    #[test]
    fn lines_show_rows_and_errors() {
        let lines: Vec<_> = file(vec![Verdict::Passed, failed(), error(3)])
            .iter()
            .flat_map(|file| &file.checks)
            .map(line)
            .collect();
        assert_eq!(
            lines,
            [
                "  ✓ 金額, ある (0.12 s)\n",
                "  ✗ 金額, ある (line 7, 0.12 s): 1 row\n       id\n      ----\n        5\n",
                "  ! 金額, ある (0.12 s)\n      ERROR:  100%\n",
            ]
        );
    }

    #[test]
    fn annotations_are_escaped() {
        assert_eq!(
            annotations(&file(vec![Verdict::Passed, failed(), error(3)])),
            "::error file=a.sql,line=7,title=金額%2C ある::1 row%0A id%0A----%0A  5\n\
             ::error file=a.sql,line=7,title=金額%2C ある::ERROR:  100%25\n"
        );
    }
}
