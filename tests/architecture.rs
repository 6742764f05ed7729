//! The structure, as a test: imports go one way, crates stay in their layer, files and folders stay small.

use std::fs;
use std::path::{Path, PathBuf};

/// Who may import whom. A layer that is not in its own list imports nothing of ours.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("emulator", &[]),
    ("kintone", &[]),
    ("table", &["kintone"]),
    ("error", &["kintone"]),
    ("engine", &["error", "kintone", "table"]),
    ("trust", &["error"]),
    ("postgres", &["engine", "error", "trust"]),
    ("odata", &["engine", "error", "trust"]),
    ("config", &["engine", "error", "kintone", "odata", "postgres", "trust"]),
    ("cli", &["config", "emulator", "engine", "error", "kintone", "odata", "postgres"]),
];

/// Crates that one layer alone may name.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("reqwest", &["kintone"]),
    ("pgwire", &["postgres"]),
    ("axum", &["emulator", "odata"]),
    ("clap", &["cli"]),
];

/// Crates that a layer must not name.
const NEVER_IN: &[(&str, &[&str])] = &[
    ("kintone", &["arrow", "datafusion"]),
    ("emulator", &["arrow", "datafusion", "reqwest"]),
    ("odata", &["pgwire", "reqwest"]),
];

/// Lines of production code in one file.
const LONGEST_FILE: usize = 600;

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, out: &mut Vec<(PathBuf, String)>) {
        let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                walk(&path, out);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                out.push((path, text));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut out = vec![];
    walk(&root.join("src"), &mut out);
    out.into_iter().map(|(p, t)| (p.strip_prefix(root).unwrap().to_owned(), t)).collect()
}

/// The part of a file before its unit tests, comments blanked.
fn production(text: &str) -> String {
    let text = text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or(text);
    text.lines().map(|l| if l.trim_start().starts_with("//") { "" } else { l }).collect::<Vec<_>>().join("\n")
}

fn layer(path: &Path) -> Option<String> {
    let part = path.components().nth(1)?.as_os_str().to_str()?.trim_end_matches(".rs").to_owned();
    (part != "lib" && part != "main").then_some(part)
}

/// The words right after each occurrence of `prefix` that does not follow a letter.
fn words_after<'a>(text: &'a str, prefix: &str) -> Vec<(usize, &'a str)> {
    let mut out = vec![];
    for (at, _) in text.match_indices(prefix) {
        if text[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &text[at + prefix.len()..];
        let line = text[..at].matches('\n').count() + 1;
        if let Some(group) = rest.strip_prefix('{') {
            // `use crate::{a::B, c}`: each first word at depth one.
            let mut depth = 1;
            let mut start = true;
            for (i, c) in group.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 1 => start = true,
                    c if depth == 1 && start && c.is_alphabetic() => {
                        out.push((line, word(&group[i..])));
                        start = false;
                    }
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
        } else {
            out.push((line, word(rest)));
        }
    }
    out
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

#[test]
fn imports_go_one_way() {
    let mut faults = vec![];
    for (path, text) in sources() {
        let Some(layer) = layer(&path) else { continue };
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == layer) else {
            faults.push(format!("{}: layer {layer} is not in the table of this test", path.display()));
            continue;
        };
        let text = production(&text);
        for (line, imported) in words_after(&text, "crate::") {
            let is_layer = MAY_IMPORT.iter().any(|(name, _)| *name == imported);
            if is_layer && imported != layer && !allowed.contains(&imported) {
                faults.push(format!(
                    "{}:{line} imports {imported}; {layer} may import {}",
                    path.display(),
                    if allowed.is_empty() { "nothing of ours".into() } else { allowed.join(", ") }
                ));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn the_layers_have_no_cycle() {
    // The table lists each layer after those that it imports, which is only possible without a cycle.
    for (i, (layer, imports)) in MAY_IMPORT.iter().enumerate() {
        for import in *imports {
            assert!(MAY_IMPORT[..i].iter().any(|(name, _)| name == import), "{layer} imports {import}");
        }
    }
}

#[test]
fn crates_stay_in_their_layer() {
    let mut faults = vec![];
    for (path, text) in sources() {
        let Some(layer) = layer(&path) else { continue };
        let text = production(&text);
        let names = |name: &str| text.contains(&format!("{name}::"));
        for (name, layers) in ONLY_IN {
            if names(name) && !layers.contains(&layer.as_str()) {
                faults.push(format!(
                    "{} names {name}, which belongs to {}",
                    path.display(),
                    layers.join(", ")
                ));
            }
        }
        for (at, crates) in NEVER_IN {
            for name in *crates {
                if *at == layer && names(name) {
                    faults.push(format!("{} names {name}; {at} never does", path.display()));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn files_are_small() {
    let long: Vec<_> = sources()
        .iter()
        .map(|(path, text)| {
            let text = text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or(text);
            (path.display().to_string(), text.lines().count())
        })
        .filter(|(_, lines)| *lines > LONGEST_FILE)
        .collect();
    assert!(long.is_empty(), "longer than {LONGEST_FILE} lines: {long:?}");
}

#[test]
fn every_folder_opens_with_its_contract() {
    for (path, text) in sources() {
        if path.ends_with("mod.rs") {
            assert!(
                text.starts_with("//! "),
                "{} does not say what the folder takes and gives",
                path.display()
            );
        }
    }
}
