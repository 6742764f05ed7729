//! Results of checks as JUnit XML, which CI servers read.

use std::fmt::Write as _;
use std::time::Duration;

use super::{FileResult, Verdict};

/// The whole document.
pub(super) fn document(files: &[FileResult]) -> String {
    let all = || files.iter().flat_map(|file| &file.checks);
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let counts = counts(all().map(|check| &check.verdict));
    let time = seconds(all().map(|check| check.took).sum());
    let _ = writeln!(out, "<testsuites name=\"kintone-sql check\" {counts} time=\"{time}\">");
    for file in files {
        let name = escaped(&file.name);
        let counts = self::counts(file.checks.iter().map(|check| &check.verdict));
        let time = seconds(file.checks.iter().map(|check| check.took).sum());
        let _ = writeln!(out, "  <testsuite name=\"{name}\" {counts} time=\"{time}\">");
        for check in &file.checks {
            let _ = write!(
                out,
                "    <testcase name=\"{}\" classname=\"{name}\" file=\"{name}\" line=\"{}\" time=\"{}\"",
                escaped(&check.name),
                check.line,
                seconds(check.took)
            );
            let (element, message, text) = match &check.verdict {
                Verdict::Passed => {
                    out.push_str("/>\n");
                    continue;
                }
                Verdict::Failed { rows, table } => ("failure", rows.clone(), table.as_str()),
                Verdict::Error { report, .. } => {
                    ("error", report.lines().next().unwrap_or_default().to_owned(), report.as_str())
                }
            };
            let message = escaped(&message);
            let _ = writeln!(out, ">\n      <{element} message=\"{message}\">{}</{element}>", escaped(text));
            out.push_str("    </testcase>\n");
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn counts<'v>(verdicts: impl Iterator<Item = &'v Verdict>) -> String {
    let (mut tests, mut failures, mut errors) = (0, 0, 0);
    for verdict in verdicts {
        tests += 1;
        match verdict {
            Verdict::Passed => {}
            Verdict::Failed { .. } => failures += 1,
            Verdict::Error { .. } => errors += 1,
        }
    }
    format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\"")
}

fn seconds(took: Duration) -> String {
    format!("{:.3}", took.as_secs_f64())
}

/// Text for an attribute or an element. XML 1.0 has no place for most control characters, not even escaped.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\u{0}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::CheckResult;
    use super::*;

    #[test]
    fn the_document_is_what_ci_servers_read() {
        let check = |name: &str, verdict| CheckResult {
            name: name.into(),
            line: 3,
            took: Duration::from_millis(1_250),
            verdict,
        };
        let files = [FileResult {
            name: "checks/a&b.sql".into(),
            checks: vec![
                check("金額 < 0", Verdict::Passed),
                check("b", Verdict::Failed { rows: "2 rows".into(), table: " id\n----\n  1".into() }),
                check("c", Verdict::Error { report: "ERROR:  \"x\" \u{1B}\nHINT:  y".into(), exit_code: 3 }),
            ],
        }];
        assert_eq!(
            document(&files),
            r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="kintone-sql check" tests="3" failures="1" errors="1" time="3.750">
  <testsuite name="checks/a&amp;b.sql" tests="3" failures="1" errors="1" time="3.750">
    <testcase name="金額 &lt; 0" classname="checks/a&amp;b.sql" file="checks/a&amp;b.sql" line="3" time="1.250"/>
    <testcase name="b" classname="checks/a&amp;b.sql" file="checks/a&amp;b.sql" line="3" time="1.250">
      <failure message="2 rows"> id&#10;----&#10;  1</failure>
    </testcase>
    <testcase name="c" classname="checks/a&amp;b.sql" file="checks/a&amp;b.sql" line="3" time="1.250">
      <error message="ERROR:  &quot;x&quot; �">ERROR:  &quot;x&quot; �&#10;HINT:  y</error>
    </testcase>
  </testsuite>
</testsuites>
"#
        );
    }
}
