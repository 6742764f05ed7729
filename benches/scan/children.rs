//! The other processes: Kintone, the official client, psql.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A process that answers a line with a line.
pub(crate) struct Partner {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Partner {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take(), child.stdout.take().unwrap());
        Self { child, input, output: BufReader::new(output) }
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.output.read_line(&mut line).unwrap() > 0, "a process of the bench ended");
        line.trim_end().to_owned()
    }

    pub(crate) fn ask(&mut self, line: &str) -> String {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
        self.line()
    }

    pub(crate) fn json(&mut self, request: &Value) -> Value {
        serde_json::from_str(&self.ask(&request.to_string())).unwrap()
    }
}

impl Drop for Partner {
    /// They end with their input.
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// This program in another part.
pub(crate) fn itself(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(arguments);
    command
}

/// The official client under Node.js.
pub(crate) fn official_client(url: &str) -> Partner {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/client");
    let mut command = Command::new("node");
    command.current_dir(folder).args(["--expose-gc", "--max-old-space-size=4096", "client.mjs", url]);
    Partner::start(&mut command)
}

/// How long psql takes for a query, its start among it; with `rows`, what it prints goes there.
pub(crate) fn psql(port: u16, sql: &str, rows: Option<&mut Vec<u8>>) -> Duration {
    let mut command = Command::new("psql");
    let url = format!("postgresql://bench@127.0.0.1:{port}/kintone");
    command.env("PGPASSWORD", super::PASSWORD).args(["-XAtq", "-F", "\u{1f}", "-R", "\u{1e}"]);
    command.args(["-P", "null=\\N", "-c", sql, &url]);
    let started = Instant::now();
    match rows {
        Some(rows) => *rows = command.output().unwrap().stdout,
        None => assert!(command.args(["-o", "/dev/null"]).status().unwrap().success(), "psql failed"),
    }
    started.elapsed()
}

/// What a command says of its version.
pub(crate) fn version(program: &str) -> String {
    let output = Command::new(program).arg("--version").output();
    output.map_or_else(|_| "?".into(), |o| String::from_utf8_lossy(&o.stdout).trim().to_owned())
}
