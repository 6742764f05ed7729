//! `Apps`: every app that the connection's user may see.

use super::{Ask, Relation, Rows, SystemColumn as C, Value, once};

pub(super) struct Apps;

impl Relation for Apps {
    fn name(&self) -> &'static str {
        "Apps"
    }

    fn description(&self) -> &'static str {
        "Every app that the connection's user may see"
    }

    fn columns(&self) -> &'static [C] {
        const {
            &[
                C::integer("AppId"),
                C::text("Code"),
                C::text("Name"),
                C::text("Description"),
                C::integer("SpaceId").or_null(),
                C::integer("ThreadId").or_null(),
                C::instant("CreatedAt"),
                C::text("CreatorCode"),
                C::text("CreatorName"),
                C::instant("ModifiedAt"),
                C::text("ModifierCode"),
                C::text("ModifierName"),
            ]
        }
    }

    fn key(&self) -> &'static [&'static str] {
        &["AppId"]
    }

    fn rows(&self, ask: Ask) -> Rows {
        once(async move {
            let apps = ask.apps().await?;
            let row = |app: crate::kintone::App| {
                vec![
                    Value::Integer(app.key.id),
                    Value::text(app.code),
                    Value::text(app.name),
                    Value::text(app.description),
                    Value::number(app.space_id),
                    Value::number(app.thread_id),
                    Value::instant(&app.created_at),
                    Value::text(app.creator.code),
                    Value::text(app.creator.name),
                    Value::instant(&app.modified_at),
                    Value::text(app.modifier.code),
                    Value::text(app.modifier.name),
                ]
            };
            Ok(apps.into_iter().map(|(app, _)| row(app)).collect())
        })
    }
}
