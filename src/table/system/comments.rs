//! `Comments`: the comments of an app's records.
//!
//! Kintone gives them record by record, ten at a time, so that a walk costs at least a request for each record.
//! Records come by `$id` descending, the newest comment of each first; a statement that wants another order sorts.
//! `LIMIT` ends the walk where nothing sorts: whoever takes no more rows drops it.

use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use super::{Ask, Error, Relation, Rows, SystemColumn as C, Value};
use crate::kintone::{AppKey, Comment, Condition, Operator, OrderBy, Query, RecordsRequest};
use crate::table::decode::PageDecoder;
use crate::table::field::FormContext;
use crate::table::schema::Columns;

pub(super) struct Comments;

/// Records in a page of ids.
const PAGE: u32 = 500;

impl Relation for Comments {
    fn name(&self) -> &'static str {
        "Comments"
    }

    fn description(&self) -> &'static str {
        "The comments of an app's records; needs a filter on AppId"
    }

    fn columns(&self) -> &'static [C] {
        const {
            &[
                C::integer("Id"),
                C::integer("AppId"),
                C::integer("RecordId"),
                C::text("Text"),
                C::text("CreatorCode"),
                C::text("CreatorName"),
                C::instant("CreatedAt"),
                C::json("MentionsAggregate"),
            ]
        }
    }

    fn key(&self) -> &'static [&'static str] {
        &["AppId", "RecordId", "Id"]
    }

    fn needs_apps(&self) -> bool {
        true
    }

    fn requests(&self) -> &'static [&'static str] {
        &[
            "path: GET /k/v1/record/comments.json, ten comments a page, the newest first",
            "requests: one or more for each record, by $id descending; one for 500 record ids",
        ]
    }

    fn descending(&self) -> &'static [&'static str] {
        &["RecordId", "Id"]
    }

    fn rows(&self, ask: Ask) -> Rows {
        let ask = Arc::new(ask);
        let apps = {
            let ask = Arc::clone(&ask);
            stream::once(async move { ask.apps().await })
                .map_ok(|apps| stream::iter(apps).map(Ok::<_, Error>))
                .try_flatten()
        };
        apps.map_ok(move |(app, _)| of_app(Arc::clone(&ask), app.key)).try_flatten().boxed()
    }
}

fn of_app(ask: Arc<Ask>, app: AppKey) -> Rows {
    let ids: BoxStream<'static, Result<u64, Error>> = match ask.records.clone() {
        Some(mut ids) => {
            ids.retain(|id| *id > 0);
            ids.sort_unstable_by(|a, b| b.cmp(a));
            ids.dedup();
            stream::iter(ids).map(Ok).boxed()
        }
        None => record_ids(Arc::clone(&ask), app),
    };
    let at_once = ask.concurrency;
    ids.map_ok(move |record| of_record(Arc::clone(&ask), app, record)).try_buffered(at_once).boxed()
}

/// Every record's id, the newest first.
fn record_ids(ask: Arc<Ask>, app: AppKey) -> BoxStream<'static, Result<u64, Error>> {
    let first = ask.up_to.map(|id| id.saturating_add(1));
    let pages = stream::try_unfold(Some(first), move |state| {
        let ask = Arc::clone(&ask);
        async move {
            let Some(before) = state else { return Ok(None) };
            let ids = page_of_ids(&ask, app, before).await?;
            let full = ids.len() == usize::try_from(PAGE).unwrap_or(usize::MAX);
            let next = ids.last().copied().filter(|_| full).map(Some);
            Ok::<_, Error>(Some((stream::iter(ids).map(Ok), next)))
        }
    });
    pages.try_flatten().boxed()
}

async fn page_of_ids(ask: &Ask, app: AppKey, before: Option<u64>) -> Result<Vec<u64>, Error> {
    ask.budget.take()?;
    let condition = before.map(|id| Condition::Compare {
        field: "$id".into(),
        operator: Operator::Lt,
        value: id.to_string(),
    });
    let order_by = vec![OrderBy { field: "$id".into(), ascending: false }];
    let query = Query { condition, order_by, limit: Some(PAGE), offset: None };
    let request = RecordsRequest { query, fields: vec!["$id".into()], total_count: false };
    let page = ask.client.records(app, &request).await?;
    // Only `$id` is wanted: the columns of a form without fields are `$id` and `$revision`.
    let context = FormContext { scale: 0, time_zone: chrono_tz::UTC, by_label: false };
    let columns = Columns::of_records(&crate::kintone::Form::default(), context);
    let unread = |reason: String| Error::Page { app: app.to_string(), reason };
    let schema = Arc::new(columns.schema.project(&[0]).map_err(|e| unread(e.to_string()))?);
    let decoded = PageDecoder::new(app.to_string(), &columns, &[0], schema).decode(&page.body)?;
    page.set_rows(decoded.ids.len());
    Ok(decoded.ids)
}

/// One record's comments, the newest first, as far back as is asked for: an old one ends this record, never the
/// walk, since a comment does not touch its record. A record that was deleted meanwhile has none.
async fn of_record(ask: Arc<Ask>, app: AppKey, record: u64) -> Result<Vec<Vec<Value>>, Error> {
    let mut rows = vec![];
    let mut last = None;
    let mut offset = 0;
    loop {
        ask.budget.take()?;
        let page = match ask.client.comments(app, record, offset, false).await {
            Err(error) if error.code() == Some("GAIA_RE01") => return Ok(rows),
            other => other?,
        };
        offset += u64::try_from(page.comments.len()).unwrap_or(u64::MAX);
        let empty = page.comments.is_empty();
        // A comment written meanwhile moves the others on: those that came already are left out.
        for comment in page.comments {
            if last.is_none_or(|last| comment.id < last) {
                last = Some(comment.id);
                let row = row(app, record, comment);
                if is_before(&row, ask.since) {
                    return Ok(rows);
                }
                rows.push(row);
            }
        }
        if !page.older || empty {
            return Ok(rows);
        }
    }
}

/// Whether a comment is older than what is asked for.
fn is_before(row: &[Value], since: Option<i64>) -> bool {
    let created = row.iter().find_map(|value| match value {
        Value::Instant(micros) => Some(*micros),
        _ => None,
    });
    created.zip(since).is_some_and(|(created, since)| created < since)
}

fn row(app: AppKey, record: u64, comment: Comment) -> Vec<Value> {
    vec![
        Value::Integer(comment.id),
        Value::Integer(app.id),
        Value::Integer(record),
        Value::text(comment.text),
        Value::text(comment.creator.code),
        Value::text(comment.creator.name),
        Value::instant(&comment.created_at),
        Value::text(comment.mentions),
    ]
}
