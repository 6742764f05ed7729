//! `pg_settings`: the session's settings, in their base units.

use super::Value;
use super::builder::Builder;
use super::snapshot::Snapshot;

pub(super) fn rows(snapshot: &Snapshot, out: &mut Builder<'_>) {
    let Some(settings) = &snapshot.settings else { return };
    for setting in settings.all() {
        let known = setting.known;
        let text = |text: Option<&String>| match text {
            Some(text) if !text.is_empty() => Value::from(text.as_str()),
            _ => Value::Null,
        };
        let choices = known.map(|known| known.choices.clone()).filter(|choices| !choices.is_empty());
        let source = if setting.kept == setting.default { "default" } else { "session" };
        out.row([
            ("name", setting.name.as_str().into()),
            ("setting", setting.kept.as_str().into()),
            ("unit", text(known.map(|known| &known.unit))),
            ("category", known.map_or("Customized Options", |known| known.category.as_str()).into()),
            ("short_desc", "".into()),
            ("context", known.map_or("user", |known| known.context.as_str()).into()),
            ("vartype", known.map_or("string", |known| known.kind.as_str()).into()),
            ("source", source.into()),
            ("min_val", text(known.map(|known| &known.min))),
            ("max_val", text(known.map(|known| &known.max))),
            ("enumvals", choices.map_or(Value::Null, Value::from)),
            ("boot_val", setting.default.as_str().into()),
            ("reset_val", setting.default.as_str().into()),
            ("pending_restart", false.into()),
        ]);
    }
}
