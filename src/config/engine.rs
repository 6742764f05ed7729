//! `[engine]`: what holds for every statement.

use super::reader::{Faults, Section};
use crate::engine::EngineConfig;

/// Reads the section.
pub(super) fn read(root: &mut Section<'_>, faults: &mut Faults<'_>) -> EngineConfig {
    let mut config = EngineConfig::default();
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
    section.finish(faults);
    config
}
