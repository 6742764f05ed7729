//! SQL texts: from the command line, from files, from standard input.

use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use super::failure::{Failure, Result};
use crate::engine::{Session, Statement};
use crate::error::{Error, Kind};

/// An SQL text and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Script {
    /// The file's name; `None` for a text of the command line.
    pub(super) name: Option<String>,
    /// All of it.
    pub(super) text: String,
}

impl Script {
    /// Reads a file; `-` is standard input.
    pub(super) fn read(path: &Path) -> Result<Self> {
        if path == Path::new("-") {
            return Self::standard_input();
        }
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => Failure::own(format!("{name} is not UTF-8 text")),
            _ => Failure::own(format!("cannot read {name}: {error}")),
        })?;
        // Editors of Windows begin a file with a mark.
        let text = text.strip_prefix('\u{FEFF}').map(str::to_owned).unwrap_or(text);
        Ok(Self { name: Some(name), text })
    }

    fn standard_input() -> Result<Self> {
        let mut text = String::new();
        io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| Failure::own(format!("cannot read standard input: {error}")))?;
        Ok(Self { name: Some("<stdin>".into()), text })
    }

    /// The statements, guarded and parsed.
    pub(super) fn statements(&self, session: &Session) -> Result<Vec<Statement>, Error> {
        session.parse(&self.text).map_err(|error| self.explained(error))
    }

    /// A command of psql is no SQL; the parser's own words would not help.
    fn explained(&self, error: Error) -> Error {
        if error.kind != Kind::Syntax {
            return error;
        }
        let Some((before, command)) = psql_command(&self.text) else { return error };
        Error::new(Kind::Syntax, format!("{command} is a command of psql, not SQL"))
            .with_position(before + 1)
            .with_hint(
                "Connect with psql to use it (kintone-sql serve), or list tables by SELECT * FROM Apps.",
            )
    }
}

/// The texts of `-c` and `-f`, else standard input where it is no terminal.
pub(super) fn scripts(commands: &[String], files: &[PathBuf]) -> Result<Vec<Script>> {
    if commands.is_empty() && files.is_empty() {
        if io::stdin().is_terminal() {
            return Err(Failure::own("no SQL: give it by -c SQL, -f FILE, or on standard input"));
        }
        return Ok(vec![Script::standard_input()?]);
    }
    let commands = commands.iter().map(|text| Ok(Script { name: None, text: text.clone() }));
    commands.chain(files.iter().map(|file| Script::read(file))).collect()
}

/// The first line that begins with a backslash and a letter: the characters before the backslash, and the command.
fn psql_command(text: &str) -> Option<(usize, &str)> {
    let mut before = 0;
    for line in text.split_inclusive('\n') {
        let command = line.trim_start();
        let rest = command.strip_prefix('\\').unwrap_or_default();
        if rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '?') {
            let indent = line.chars().count() - command.chars().count();
            return Some((before + indent, command.split_whitespace().next()?));
        }
        before += line.chars().count();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_psql_are_found() {
        for (text, expected) in [
            ("\\d customers", Some((0, "\\d"))),
            ("SELECT 1;\n  \\timing on\n", Some((12, "\\timing"))),
            ("-- 髙\n\\?", Some((5, "\\?"))),
            ("SELECT E'\\n'", None),
            ("SELECT '\\\n'", None),
        ] {
            assert_eq!(psql_command(text), expected, "{text}");
        }
    }

    #[test]
    fn the_mark_of_windows_editors_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sql");
        std::fs::write(&path, "\u{FEFF}SELECT 1").unwrap();
        assert_eq!(Script::read(&path).unwrap().text, "SELECT 1");
        std::fs::write(&path, b"\x82\xA0").unwrap();
        assert!(Script::read(&path).unwrap_err().message().ends_with("a.sql is not UTF-8 text"));
    }
}
