//! Reads of one entity set: a page, one entity, a count.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use datafusion::scalar::ScalarValue;
use futures::StreamExt;

use super::encode::Encoder;
use super::error::Failure;
use super::format::{self, JsonFormat, Metadata};
use super::handler::answer;
use super::name::EntitySet;
use super::page::{After, Position, Signer};
use super::plan::{self, Plan, Rows};
use super::query::{Selection, key_condition, selection};
use super::request::{Options, encode};
use super::stream::{Links, Page, body};
use crate::engine::{QueryResult, Session, SqlType, Statement};
use crate::error::{Error, Kind, Result};

/// Rows that one request to Kintone brings at most (K§2): a page of a multiple of them asks for no row more than it
/// shows, because that row would cost another request.
const KINTONE_PAGE: u64 = 500;

/// A page closes after this time once it has a row: callers give up at about 120 seconds.
const PAGE_TIME: Duration = Duration::from_secs(20);

/// Reads of one request.
pub(super) struct Reader<'a> {
    pub(super) session: Session,
    pub(super) set: &'a EntitySet,
    /// The service's root, for links.
    pub(super) base: String,
    pub(super) page_size: usize,
    pub(super) signer: Arc<Signer>,
}

impl Reader<'_> {
    /// `GET Set`: the rows up to the page's end.
    pub(super) async fn page(
        self,
        options: &Options,
        headers: &HeaderMap,
    ) -> Result<Response<Body>, Failure> {
        let json = format::json(headers, options.format.as_deref())?;
        let selection = selection(self.set, options, self.session.time_zone())?;
        let preferred = format::max_page_size(headers);
        let size = preferred.map_or(self.page_size, |size| size.min(self.page_size));
        let binding = format!("{}\n{}\n{}", self.session.user().name, self.set.name, options.repeated());
        let position = self.position(options, &binding)?;
        let left = match &position {
            Some(position) => position.left,
            None => options.top,
        };
        let (rows, cut) =
            self.rows(&selection, options, position, left, u64::try_from(size).unwrap_or(u64::MAX));
        let head = self.head(&selection, options, json).await?;
        let query = plan::rows(self.set, &rows);
        let encoder = self.encoder(&selection, &query, json);
        let (first, stream) = if rows.limit == 0 {
            (None, futures::stream::empty().boxed().fuse())
        } else {
            // The first batch may be the last, and a stream that has ended must not be asked again.
            let mut rows = self.run(&query).await?.rows.fuse();
            // Most errors show before the first row: they still get a status of their own.
            (rows.next().await.transpose().map_err(from_engine)?, rows)
        };
        let page = Page {
            encoder,
            order_columns: query.order_columns,
            size: cut.size,
            time: PAGE_TIME,
            full_means_more: cut.full_means_more,
            left,
            rows_before: (!self.set.is_keyed).then_some(rows.offset),
            links: self.links(options, binding),
        };
        let mut response = answer(&json.content_type(), Body::from_stream(body(page, head, first, stream)));
        if preferred.is_some()
            && let Ok(applied) = HeaderValue::from_str(&format!("odata.maxpagesize={size}"))
        {
            response.headers_mut().insert("preference-applied", applied);
        }
        Ok(response)
    }

    /// `GET Set(5)`.
    pub(super) async fn entity(
        self,
        key: &str,
        options: &Options,
        headers: &HeaderMap,
    ) -> Result<Response<Body>, Failure> {
        let json = format::json(headers, options.format.as_deref())?;
        let plural = options.filter.is_some() || options.orderby.is_some() || options.skiptoken.is_some();
        if plural || options.top.is_some() || options.skip.is_some() || options.count {
            return Err(Error::new(Kind::Syntax, "one entity takes $select and $format only").into());
        }
        let zone = self.session.time_zone();
        let selection = selection(self.set, options, zone)?;
        let filter = key_condition(self.set, key, options, zone)?;
        // The key is read in any case: without it an answer of null values alone could not be told from none.
        let rows = Rows {
            properties: selection.properties.clone(),
            filter: Some(filter),
            order: vec![],
            after: None,
            limit: 1,
            offset: 0,
        };
        let query = plan::rows(self.set, &rows);
        let encoder = self.encoder(&selection, &query, json);
        let mut result = self.run(&query).await?;
        let Some(batch) = first_row(&mut result).await? else {
            let message = format!("{} has no entity with this key", self.set.name);
            return Err(Failure::of_status(StatusCode::NOT_FOUND, message));
        };
        let columns = encoder.columns(&batch)?;
        let etag = encoder.etag(&columns, 0).and_then(|etag| HeaderValue::from_str(&etag).ok());
        if let Some(etag) = &etag
            && headers.get(header::IF_NONE_MATCH) == Some(etag)
        {
            let mut unchanged = answer(&json.content_type(), Body::empty());
            *unchanged.status_mut() = StatusCode::NOT_MODIFIED;
            unchanged.headers_mut().insert(header::ETAG, etag.clone());
            return Ok(unchanged);
        }
        let mut out = String::from("{");
        if json.metadata != Metadata::None {
            out.push_str(&format!("\"@odata.context\":{},", self.context(&selection, true)));
        }
        encoder.members(&columns, 0, &mut out)?;
        out.push('}');
        let mut response = answer(&json.content_type(), out);
        if let Some(etag) = etag {
            response.headers_mut().insert(header::ETAG, etag);
        }
        Ok(response)
    }

    /// `GET Set/$count`: digits alone.
    pub(super) async fn count(
        self,
        options: &Options,
        headers: &HeaderMap,
    ) -> Result<Response<Body>, Failure> {
        format::exactly(headers, options.format.as_deref(), "text/plain", "text")?;
        let selection = selection(self.set, options, self.session.time_zone())?;
        let count = self.number_of(&selection).await?;
        Ok(answer("text/plain;charset=utf-8", count.to_string()))
    }

    /// Where the page begins, by its token.
    fn position(&self, options: &Options, binding: &str) -> Result<Option<Position>, Failure> {
        let Some(token) = &options.skiptoken else { return Ok(None) };
        if options.top.is_some() || options.skip.is_some() {
            let message = "$top and $skip do not go with $skiptoken: @odata.nextLink holds them already";
            return Err(Error::new(Kind::Syntax, message).into());
        }
        self.signer.verify(binding, token).map(Some).map_err(|error| Failure::at(error, "$skiptoken"))
    }

    fn rows(
        &self,
        selection: &Selection,
        options: &Options,
        position: Option<Position>,
        left: Option<u64>,
        page_size: u64,
    ) -> (Rows, Cut) {
        let (after, offset) = match position.map(|position| position.after) {
            Some(After::Values(values)) => (Some(values), 0),
            Some(After::Rows(rows)) => (None, rows),
            None => (None, options.skip.unwrap_or(0)),
        };
        let cut = Cut::new(page_size, left);
        let rows = Rows {
            properties: selection.properties.clone(),
            filter: selection.filter.clone(),
            order: selection.order.clone(),
            after,
            limit: cut.limit,
            offset,
        };
        (rows, cut)
    }

    /// The answer up to its first row, the count included where it is asked for.
    async fn head(&self, selection: &Selection, options: &Options, json: JsonFormat) -> Result<String> {
        let mut head = String::from("{");
        if json.metadata != Metadata::None {
            head.push_str(&format!("\"@odata.context\":{},", self.context(selection, false)));
        }
        if options.count {
            let count = self.number_of(selection).await?;
            let quote = if json.ieee754_compatible { "\"" } else { "" };
            head.push_str(&format!("\"@odata.count\":{quote}{count}{quote},"));
        }
        head.push_str("\"value\":[");
        Ok(head)
    }

    async fn number_of(&self, selection: &Selection) -> Result<i64> {
        let mut result = self.run(&plan::count(self.set, selection.filter.as_ref())).await?;
        let batch = first_row(&mut result).await?;
        let count = batch.and_then(|batch| {
            let column = batch.columns().first()?.as_primitive_opt::<Int64Type>()?.clone();
            column.is_valid(0).then(|| column.value(0))
        });
        count.ok_or_else(|| Error::internal("a count gave no number"))
    }

    fn encoder(&self, selection: &Selection, query: &Plan, json: JsonFormat) -> Encoder {
        Encoder::new(self.set, &selection.properties, query.revision_column, json, &self.base)
    }

    /// `.../$metadata#Set(a,b)/$entity`, as JSON.
    fn context(&self, selection: &Selection, is_entity: bool) -> serde_json::Value {
        let mut fragment = encode(&self.set.name);
        if selection.is_chosen {
            let names = selection.properties.iter().filter_map(|i| self.set.properties.get(*i));
            let names: Vec<String> = names.map(|property| encode(&property.name)).collect();
            fragment.push_str(&format!("({})", names.join(",")));
        }
        fragment.push_str(if is_entity { "/$entity" } else { "" });
        serde_json::Value::from(format!("{}/$metadata#{fragment}", self.base))
    }

    fn links(&self, options: &Options, query: String) -> Links {
        let repeated = options.repeated();
        let and = if repeated.is_empty() { "" } else { "&" };
        let url = format!("{}/{}?{repeated}{and}$skiptoken=", self.base, encode(&self.set.name));
        Links { signer: Arc::clone(&self.signer), query, url }
    }

    async fn run(&self, plan: &Plan) -> Result<QueryResult> {
        let statement = Statement::of_tree(plan.statement.clone());
        tracing::debug!(sql = statement.sql, "OData");
        let types: Vec<_> = plan
            .parameters
            .iter()
            .map(|value| {
                (!matches!(value, ScalarValue::Null)).then(|| SqlType::of_data_type(&value.data_type()))
            })
            .collect();
        // The engine's futures are large.
        let prepared = Box::pin(self.session.prepare(statement, &types)).await.map_err(from_engine)?;
        Box::pin(self.session.execute(&prepared, plan.parameters.clone())).await.map_err(from_engine)
    }
}

/// How many rows a page shows, how many it reads, and what that says about the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cut {
    size: u64,
    limit: u64,
    full_means_more: bool,
}

impl Cut {
    fn new(page_size: u64, left: Option<u64>) -> Self {
        if let Some(left) = left.filter(|left| *left <= page_size) {
            return Self { size: left, limit: left, full_means_more: false };
        }
        let full_means_more = page_size.is_multiple_of(KINTONE_PAGE);
        let limit = if full_means_more { page_size } else { page_size.saturating_add(1) };
        Self { size: page_size, limit, full_means_more }
    }
}

async fn first_row(result: &mut QueryResult) -> Result<Option<RecordBatch>> {
    while let Some(batch) = result.rows.next().await {
        let batch = batch.map_err(from_engine)?;
        if batch.num_rows() > 0 {
            return Ok(Some(batch));
        }
    }
    Ok(None)
}

/// An error of the engine for this door's client: a place in the statement would mean nothing to it, and Kintone's
/// refusal of the connection's own password is not the client's.
pub(super) fn from_engine(error: Error) -> Error {
    let kind = if error.kind == Kind::Unauthenticated { Kind::BadUpstream } else { error.kind };
    Error { kind, position: None, ..error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_reads_no_request_more_than_it_must() {
        let cut = |size, left| Cut::new(size, left);
        assert_eq!(cut(500, None), Cut { size: 500, limit: 500, full_means_more: true });
        assert_eq!(cut(7, None), Cut { size: 7, limit: 8, full_means_more: false });
        assert_eq!(cut(500, Some(500)), Cut { size: 500, limit: 500, full_means_more: false });
        assert_eq!(cut(500, Some(0)), Cut { size: 0, limit: 0, full_means_more: false });
        assert_eq!(cut(7, Some(8)), Cut { size: 7, limit: 8, full_means_more: false });
    }
}
