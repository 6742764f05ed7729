//! `[[local_tables]]` and `[[views]]`: files and queries as tables, added by the administrator.

use std::collections::HashSet;

use super::reader::{Faults, Section};
use super::secret::Surroundings;
use super::unique_name;
use crate::engine::{EngineConfig, LocalTableSettings, ViewSettings};

const COLUMNS: &str = "columns = '\"$id\" bigint primary key, company text'";

/// Reads both, into the engine's settings. Names are shared: a view has no table's.
pub(super) fn read(
    root: &mut Section<'_>,
    engine: &mut EngineConfig,
    around: &Surroundings<'_>,
    faults: &mut Faults<'_>,
) {
    let mut names = HashSet::new();
    for section in root.sections("local_tables", faults) {
        engine.local_tables.extend(table(section, &mut names, around, faults));
    }
    for section in root.sections("views", faults) {
        engine.views.extend(view(section, &mut names, faults));
    }
}

fn table(
    mut section: Section<'_>,
    names: &mut HashSet<String>,
    around: &Surroundings<'_>,
    faults: &mut Faults<'_>,
) -> Option<LocalTableSettings> {
    let name = unique_name(&mut section, "\"ledger\"", names, faults);
    let file = section.require("file", "file = \"ledger.csv\"", faults);
    let columns = section.require("columns", COLUMNS, faults);
    section.finish(faults);
    let file = around.folder.join(file?.text(faults)?);
    let columns = columns?;
    let parsed = LocalTableSettings::new(&name?, file, columns.text(faults)?);
    parsed.map_err(|error| faults.refuse(&columns, error)).ok()
}

fn view(
    mut section: Section<'_>,
    names: &mut HashSet<String>,
    faults: &mut Faults<'_>,
) -> Option<ViewSettings> {
    let name = unique_name(&mut section, "\"open_deals\"", names, faults);
    let sql = section.require("sql", "sql = \"SELECT company FROM customers\"", faults);
    section.finish(faults);
    let sql = sql?;
    ViewSettings::new(&name?, sql.text(faults)?).map_err(|error| faults.refuse(&sql, error)).ok()
}
