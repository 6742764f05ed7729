//! `[engine]`: what holds for every statement.

use super::reader::{Faults, Section};
use super::secret::Surroundings;
use crate::engine::EngineConfig;

/// The folder beside the settings file where apps and forms are kept, unless the file names another.
const CACHE: &str = ".kintone-sql";

/// Reads the section.
pub(super) fn read(
    root: &mut Section<'_>,
    around: &Surroundings<'_>,
    faults: &mut Faults<'_>,
) -> EngineConfig {
    let cache_dir = Some(around.folder.join(CACHE));
    let mut config = EngineConfig { cache_dir, ..EngineConfig::default() };
    let Some(mut section) = root.section("engine", faults) else { return config };
    if let Some(item) = section.take("timezone")
        && let Some(name) = item.text(faults)
    {
        match name.parse() {
            Ok(zone) => config.time_zone = zone,
            Err(_) => faults.add(
                item.at,
                item.path,
                format!("no time zone is named \"{name}\"; write for example \"Asia/Tokyo\""),
            ),
        }
    }
    match section.text("cache_dir", faults) {
        Some("") => config.cache_dir = None,
        Some(folder) => config.cache_dir = Some(around.folder.join(folder)),
        None => {}
    }
    section.finish(faults);
    config
}
