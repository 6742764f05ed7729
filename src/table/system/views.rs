//! `Views`: the saved views of every app.

use super::{Ask, Error, Relation, Rows, SystemColumn as C, Value, each_app};

pub(super) struct Views;

impl Relation for Views {
    fn name(&self) -> &'static str {
        "Views"
    }

    fn description(&self) -> &'static str {
        "The saved views of every app"
    }

    fn columns(&self) -> &'static [C] {
        const {
            &[
                C::integer("AppId"),
                C::integer("Id"),
                C::text("Name"),
                C::text("Type"),
                C::text("Filter"),
                C::text("Sort"),
            ]
        }
    }

    fn key(&self) -> &'static [&'static str] {
        &["AppId", "Id"]
    }

    fn rows(&self, ask: Ask) -> Rows {
        each_app(ask, |ask, app| async move {
            ask.budget.take()?;
            let views = match ask.client.views(app.key).await {
                // Deleted since the list was read.
                Err(error) if error.code() == Some("GAIA_AP01") => return Ok(vec![]),
                other => other.map_err(Error::from)?,
            };
            let row = |view: crate::kintone::View| {
                vec![
                    Value::Integer(app.key.id),
                    Value::Integer(view.id),
                    Value::text(view.name),
                    Value::text(view.kind),
                    Value::text(view.filter),
                    Value::text(view.sort),
                ]
            };
            Ok(views.into_iter().map(row).collect())
        })
    }
}
