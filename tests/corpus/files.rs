//! Where the files are, and how each is run.

use std::path::{Path, PathBuf};

use super::unit::{Class, Unit};

/// SQLite's samples beside the project (public domain).
const SQLITE: &str = "../shared/data/slt";

/// The crate whose `test_files` are DataFusion's (Apache-2.0), as `cargo info datafusion-sqllogictest@55.2.0` leaves
/// it in cargo's registry: that downloads this one crate and nothing that it needs.
const DATAFUSION: &str = "datafusion-sqllogictest-55.2.0";

/// Every n-th query of a file of SQLite's runs in the gate. Primes: the files go over their five tables in turn.
const SQLITE_STRIDE: usize = 23;
/// The same for files of DataFusion's.
const DATAFUSION_STRIDE: usize = 3;

/// Every run of a file, in a fixed order.
pub(super) fn units() -> Vec<Unit> {
    let mut units = sqlite();
    units.extend(datafusion());
    units
}

fn sqlite() -> Vec<Unit> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(SQLITE);
    let files = files(&folder, "test");
    if files.is_empty() {
        println!("skipped: SQLite's samples are not in {SQLITE}");
    }
    let mut units = vec![];
    for path in files {
        let name = format!("sqlite/{}", path.file_stem().unwrap().to_string_lossy());
        let unit = Unit { name, path, class: Class::Integers, pushdown: true, stride: SQLITE_STRIDE };
        let other = |name: &str, class, pushdown| {
            let name = format!("{}{name}", unit.name);
            Unit { name, class, pushdown, ..unit.clone() }
        };
        if unit.name.contains("/index-") {
            units.push(other("", Class::Filters, true));
            units.push(other(" (pushdown off)", Class::Filters, false));
            continue;
        }
        if unit.name.contains("/select") {
            units.push(other(" (numeric)", Class::Filters, true));
        }
        units.push(unit);
    }
    units
}

fn datafusion() -> Vec<Unit> {
    let Some(folder) = registry_folder() else {
        println!(
            "skipped: no {DATAFUSION} in cargo's registry; `cargo info datafusion-sqllogictest@55.2.0` gets it"
        );
        return vec![];
    };
    let parts = ["", "datetime", "pg_compat", "string"].iter().flat_map(|part| {
        files(&folder.join(part), "slt").into_iter().map(move |path| {
            let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
            let name = if part.is_empty() { stem } else { format!("{part}/{stem}") };
            (name, path)
        })
    });
    parts
        .filter(|(name, _)| !LEFT_OUT.iter().any(|left_out| name.starts_with(left_out)))
        .map(|(name, path)| Unit {
            name: format!("datafusion/{name}"),
            path,
            class: Class::DataFusion,
            pushdown: true,
            stride: DATAFUSION_STRIDE,
        })
        .collect()
}

/// Beginnings of names of files about what is not here: files, plans, DataFusion's catalog and settings, writes.
const LEFT_OUT: &[&str] = &[
    "arrow_files",
    "async_udf",
    "avro",
    "clickbench",
    "copy",
    "create_external",
    "create_function",
    "csv_files",
    "ddl",
    "delete",
    "describe",
    "dml_",
    "dynamic_f",
    "dynamic_row",
    "encrypted",
    "explain",
    "file_row",
    "imdb",
    "information_schema",
    "input_file_name",
    "insert",
    "json",
    "listing_",
    "merge_into",
    "options",
    "parquet",
    "prepare",
    "push_down_filter_parquet",
    "range_partitioning",
    "repartition",
    "schema_evolution",
    "set_variable",
    "slt_features",
    "sort_pushdown",
    "statistics_registry",
    "truncate",
    "update",
];

/// The crate's `test_files` in cargo's registry.
fn registry_folder() -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
    let sources = std::fs::read_dir(home.join("registry/src")).ok()?;
    let folders = sources.filter_map(|source| Some(source.ok()?.path().join(DATAFUSION).join("test_files")));
    folders.into_iter().find(|folder| folder.is_dir())
}

/// The files of a folder, by name; none where there is no folder.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    files.sort();
    files
}
