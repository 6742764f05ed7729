//! One page of entities as a stream of JSON: rows are written as they arrive, and the client's leaving drops the
//! statement.

use std::sync::Arc;
use std::time::Duration;

use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use datafusion::scalar::ScalarValue;
use futures::stream::{self, Fuse, Stream, StreamExt};
use tokio::time::Instant;

use super::encode::Encoder;
use super::page::{After, Position, Signer};
use crate::engine::RowStream;
use crate::error::{Error, Result};

/// What a page needs to write its rows and the link to the next one.
pub(super) struct Page {
    pub(super) encoder: Encoder,
    pub(super) order_columns: Vec<usize>,
    /// Rows of this page at most.
    pub(super) size: u64,
    /// The page closes after this time once it has a row.
    pub(super) time: Duration,
    /// Whether a page of `size` rows means that there are more, or the statement reads one row more to know.
    pub(super) full_means_more: bool,
    /// Rows that `$top` allows, this page's included.
    pub(super) left: Option<u64>,
    /// Rows before this page, for a set without a key.
    pub(super) rows_before: Option<u64>,
    pub(super) links: Links,
}

/// How the address of the next page is made.
pub(super) struct Links {
    pub(super) signer: Arc<Signer>,
    /// What the token is bound to.
    pub(super) query: String,
    /// The address up to the token.
    pub(super) url: String,
}

struct Reading {
    page: Page,
    rows: Fuse<RowStream>,
    /// What was read before the answer began.
    first: Option<RecordBatch>,
    /// `{"@odata.context":...,"value":[`
    head: Option<String>,
    written: u64,
    /// The values of the order in the last row that was written.
    last: Option<After>,
    since: Instant,
    done: bool,
}

/// The body of an answer. An error in the middle ends it without its closing bracket: a broken answer must not look
/// like a whole one.
pub(super) fn body(
    page: Page,
    head: String,
    first: Option<RecordBatch>,
    rows: Fuse<RowStream>,
) -> impl Stream<Item = Result<Bytes>> + Send {
    let reading = Reading {
        page,
        rows,
        first,
        head: Some(head),
        written: 0,
        last: None,
        since: Instant::now(),
        done: false,
    };
    stream::try_unfold(reading, |mut reading| async move {
        if reading.done {
            return Ok(None);
        }
        let chunk = reading.next().await.inspect_err(|error| {
            tracing::warn!(%error, "an OData answer broke off in the middle");
        })?;
        Ok(Some((Bytes::from(chunk), reading)))
    })
}

impl Reading {
    async fn next(&mut self) -> Result<String> {
        let mut out = self.head.take().unwrap_or_default();
        let batch = match self.first.take() {
            Some(batch) => Some(batch),
            None => match self.next_batch().await {
                Some(batch) => batch?,
                None => return self.close_late(out),
            },
        };
        let Some(batch) = batch else {
            self.done = true;
            out.push_str("]}");
            return Ok(out);
        };
        let link = self.write(&batch, &mut out)?;
        if let Some(link) = link {
            out.push_str(&link);
            self.done = true;
        }
        Ok(out)
    }

    /// The next batch, or the end of the rows; `None` when the page's time is up before it and a link can be given.
    async fn next_batch(&mut self) -> Option<Result<Option<RecordBatch>>> {
        if self.last.is_none() {
            return Some(self.rows.next().await.transpose());
        }
        let end = self.since + self.page.time;
        tokio::time::timeout_at(end, self.rows.next()).await.ok().map(Option::transpose)
    }

    fn close_late(&mut self, mut out: String) -> Result<String> {
        self.done = true;
        if let Some(after) = self.last.take() {
            out.push_str(&format!("],\"@odata.nextLink\":{}}}", self.next_link(after)?));
        }
        Ok(out)
    }

    /// Writes the rows of a batch that belong to the page; the end of the answer where the page ends in it.
    fn write(&mut self, batch: &RecordBatch, out: &mut String) -> Result<Option<String>> {
        let columns = self.page.encoder.columns(batch)?;
        let room = usize::try_from(self.page.size.saturating_sub(self.written)).unwrap_or(usize::MAX);
        let count = room.min(batch.num_rows());
        for row in 0..count {
            out.push_str(if self.written > 0 { ",{" } else { "{" });
            self.page.encoder.members(&columns, row, out)?;
            out.push('}');
            self.written += 1;
        }
        if let Some(row) = count.checked_sub(1) {
            self.last = Some(match self.page.rows_before {
                Some(before) => After::Rows(before + self.written),
                None => After::Values(self.order_values(batch, row)?),
            });
        }
        let is_full = self.written == self.page.size;
        let saw_more = count < batch.num_rows();
        let may_go_on = self.page.left.is_none_or(|left| left > self.written);
        let is_cut = saw_more || (is_full && self.page.full_means_more);
        match self.last.clone().filter(|_| may_go_on && is_cut) {
            Some(after) => Ok(Some(format!("],\"@odata.nextLink\":{}}}", self.next_link(after)?))),
            None => Ok(None),
        }
    }

    fn next_link(&self, after: After) -> Result<serde_json::Value> {
        let left = self.page.left.map(|left| left.saturating_sub(self.written));
        let links = &self.page.links;
        let token = links.signer.sign(&links.query, &Position { after, left })?;
        Ok(serde_json::Value::from(format!("{}{token}", links.url)))
    }

    fn order_values(&self, batch: &RecordBatch, row: usize) -> Result<Vec<ScalarValue>> {
        let value = |column: &usize| {
            let array = batch
                .columns()
                .get(*column)
                .ok_or_else(|| Error::internal("a column of the order is missing"))?;
            ScalarValue::try_from_array(array, row).map_err(|error| Error::internal(error.to_string()))
        };
        self.page.order_columns.iter().map(value).collect()
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{
        ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, ListArray,
        StringViewArray, Time64MicrosecondArray, TimestampMicrosecondArray,
    };
    use arrow::datatypes::Int32Type;

    use super::*;
    use crate::engine::{ColumnInfo, SqlType, TableInfo, TableKind};
    use crate::error::Kind;
    use crate::odata::format::{JsonFormat, Metadata};
    use crate::odata::name::{EntitySet, Model};

    fn model() -> Model {
        let types = [
            ("$id", SqlType::Int8),
            ("$revision", SqlType::Int8),
            ("会社 名", SqlType::Text),
            ("額", SqlType::Numeric),
            ("率", SqlType::Float8),
            ("済", SqlType::Bool),
            ("日", SqlType::Date),
            ("時", SqlType::Time),
            ("更新", SqlType::TimestampTz),
            ("Tags", SqlType::Array(Box::new(SqlType::Int8))),
        ];
        let column = |(name, sql_type): (&str, SqlType)| ColumnInfo {
            name: name.into(),
            label: String::new(),
            sql_type,
            nullable: true,
            unique: false,
            kintone_type: String::new(),
            options: vec![],
        };
        let table = TableInfo {
            schema: "public".into(),
            name: "受注".into(),
            kind: TableKind::App,
            app_id: None,
            label: String::new(),
            description: String::new(),
            columns: types.into_iter().map(column).collect(),
            primary_key: vec![],
            foreign_keys: vec![],
        };
        Model::new(&[("public".into(), vec![Arc::new(table)])], false)
    }

    fn batch() -> RecordBatch {
        let tags = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None]);
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("id", Arc::new(Int64Array::from(vec![9_007_199_254_740_993, 2]))),
            ("revision", Arc::new(Int64Array::from(vec![7, 8]))),
            ("name", Arc::new(StringViewArray::from(vec![Some("髙﨑\n\"x\""), None]))),
            (
                "amount",
                Arc::new(
                    Decimal128Array::from(vec![Some(123_450), None]).with_precision_and_scale(38, 4).unwrap(),
                ),
            ),
            ("rate", Arc::new(Float64Array::from(vec![0.1, f64::NAN]))),
            ("done", Arc::new(BooleanArray::from(vec![Some(true), None]))),
            ("day", Arc::new(Date32Array::from(vec![0, 19_723]))),
            ("time", Arc::new(Time64MicrosecondArray::from(vec![0, 34_200_000_000]))),
            ("at", Arc::new(TimestampMicrosecondArray::from(vec![0, 1]).with_timezone("+00:00"))),
            ("tags", Arc::new(tags)),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    fn page(set: &EntitySet, size: u64, format: JsonFormat) -> Page {
        let properties: Vec<usize> = (0..set.properties.len()).collect();
        Page {
            encoder: Encoder::new(set, &properties, Some(1), format, "http://h/api.rsc"),
            order_columns: vec![0],
            size,
            time: Duration::from_secs(20),
            full_means_more: false,
            left: None,
            rows_before: None,
            links: Links {
                signer: Arc::new(Signer::new().unwrap()),
                query: "q".into(),
                url: "http://h/api.rsc/S?$skiptoken=".into(),
            },
        }
    }

    async fn text(page: Page, batches: Vec<Result<RecordBatch>>) -> Result<String> {
        let rows = stream::iter(batches).boxed().fuse();
        let chunks: Vec<Result<Bytes>> = body(page, "{\"value\":[".into(), None, rows).collect().await;
        let bytes: Result<Vec<Bytes>> = chunks.into_iter().collect();
        Ok(String::from_utf8(bytes?.concat()).unwrap())
    }

    #[tokio::test]
    async fn every_type_is_written_by_the_standard() {
        let model = model();
        let set = model.set("受注").unwrap();
        let json = text(page(set, 10, JsonFormat::default()), vec![Ok(batch())]).await.unwrap();
        let expected = concat!(
            "{\"value\":[{\"@odata.etag\":\"W/\\\"7\\\"\",\"Id\":9007199254740993,\"Revision\":7,\"会社_名\":\"髙﨑\\n\\\"x\\\"\",",
            "\"額\":12.345,\"率\":0.1,\"済\":true,\"日\":\"1970-01-01\",\"時\":\"00:00:00\",",
            "\"更新\":\"1970-01-01T00:00:00Z\",\"Tags\":[1,null]},",
            "{\"@odata.etag\":\"W/\\\"8\\\"\",\"Id\":2,\"Revision\":8,\"会社_名\":null,\"額\":null,\"率\":\"NaN\",\"済\":null,",
            "\"日\":\"2024-01-01\",\"時\":\"09:30:00\",\"更新\":\"1970-01-01T00:00:00.000001Z\",\"Tags\":[]}]}",
        );
        assert_eq!(json, expected);
    }

    #[tokio::test]
    async fn full_metadata_names_types_and_addresses() {
        let model = model();
        let set = model.set("受注").unwrap();
        let format = JsonFormat { metadata: Metadata::Full, ieee754_compatible: true };
        let json = text(page(set, 10, format), vec![Ok(batch())]).await.unwrap();
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        let first = &value["value"][0];
        assert_eq!(first["@odata.type"], "#Kintone.受注");
        assert_eq!(first["@odata.id"], "http://h/api.rsc/%E5%8F%97%E6%B3%A8(9007199254740993)");
        assert_eq!(first["額@odata.type"], "#Decimal");
        assert_eq!(first["額"], "12.345");
        assert_eq!(first["Tags@odata.type"], "#Collection(Int64)");
    }

    #[tokio::test]
    async fn a_page_links_to_the_row_after_its_last() {
        let model = model();
        let set = model.set("受注").unwrap();
        let next =
            |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap()["@odata.nextLink"].clone();
        // The row too many comes in the same batch, or in the next one.
        let one = batch().slice(0, 1);
        for batches in [vec![Ok(batch())], vec![Ok(one.clone()), Ok(batch().slice(1, 1))]] {
            let page = page(set, 1, JsonFormat::default());
            let signer = Arc::clone(&page.links.signer);
            let link = next(&text(page, batches).await.unwrap());
            let token = link.as_str().unwrap().strip_prefix("http://h/api.rsc/S?$skiptoken=").unwrap();
            let position = signer.verify("q", token).unwrap();
            assert_eq!(position.after, After::Values(vec![ScalarValue::Int64(Some(9_007_199_254_740_993))]));
        }
        let last = text(page(set, 1, JsonFormat::default()), vec![Ok(one.clone())]).await.unwrap();
        assert_eq!(next(&last), serde_json::Value::Null);
        let full = Page { full_means_more: true, ..page(set, 1, JsonFormat::default()) };
        assert!(next(&text(full, vec![Ok(one.clone())]).await.unwrap()).is_string());
        let served = Page { full_means_more: true, left: Some(1), ..page(set, 1, JsonFormat::default()) };
        assert_eq!(next(&text(served, vec![Ok(one)]).await.unwrap()), serde_json::Value::Null);
        let empty = text(page(set, 1, JsonFormat::default()), vec![]).await.unwrap();
        assert_eq!(empty, "{\"value\":[]}");
    }

    #[tokio::test]
    async fn a_page_closes_when_its_time_is_up() {
        let model = model();
        let set = model.set("受注").unwrap();
        let rows = stream::iter([Ok(batch())]).chain(stream::pending()).boxed().fuse();
        let hasty = Page { time: Duration::from_millis(20), ..page(set, 10, JsonFormat::default()) };
        let chunks: Vec<Result<Bytes>> = body(hasty, "{\"value\":[".into(), None, rows).collect().await;
        let bytes = chunks.into_iter().collect::<Result<Vec<Bytes>>>().unwrap().concat();
        let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(json["value"].as_array().unwrap().len(), 2);
        assert!(json["@odata.nextLink"].is_string());
    }

    #[tokio::test]
    async fn an_error_in_the_middle_breaks_the_answer_off() {
        let model = model();
        let set = model.set("受注").unwrap();
        let batches = vec![Ok(batch()), Err(Error::new(Kind::Unavailable, "gone"))];
        assert_eq!(
            text(page(set, 10, JsonFormat::default()), batches).await.unwrap_err().kind,
            Kind::Unavailable
        );
    }
}
