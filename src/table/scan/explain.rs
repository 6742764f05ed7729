//! What a scan sends, as EXPLAIN shows it: path, query, fields, how many requests and why, and what becomes of each
//! filter.

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_expr::expressions::DynamicFilterPhysicalExpr;
use datafusion::physical_expr::{PhysicalExpr, split_conjunction};
use datafusion::physical_expr_common::physical_expr::fmt_sql;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::{ExecutionPlan, replace_children_if_necessary};

use super::batches::batch_size;
use super::{FilterNote, KintoneScan, PART, ScanRequest, keys};
use crate::kintone::AppKey;
use crate::table::fault::Fault;
use crate::table::grouped::grouped;
use crate::table::schema::Shape;

/// The path of a call about records.
pub(crate) fn records_path(app: AppKey) -> String {
    match app.guest_space {
        Some(space) => format!("/k/guest/{space}/v1/records.json"),
        None => "/k/v1/records.json".into(),
    }
}

impl ScanRequest {
    /// How many requests, and why.
    fn expectation(&self) -> String {
        let page = u64::from(self.page_size);
        let of_limit = self.limit.filter(|_| self.columns.shape == Shape::Record);
        let limit = of_limit.and_then(|n| u64::try_from(n).ok());
        let bound = [self.at_most, limit].into_iter().flatten().min();
        if let Some(n) = bound.filter(|n| *n <= page) {
            let why = if self.at_most == Some(n) { "ids" } else { "limit" };
            return format!("1 ({why}: at most {} records)", grouped(n));
        }
        let chains = format!("up to {} at once by $id", self.concurrency);
        let order = if self.ordered { "in order" } else { "in any order" };
        let early = if self.limited || self.limit.is_some() { "; ends early with a limit" } else { "" };
        match [self.expected, bound].into_iter().flatten().min() {
            Some(n) if n <= page => format!("1 ({} records when last counted)", grouped(n)),
            Some(n) => format!(
                "about {} ({} records, {} a page, {chains}, {order}{early})",
                grouped(n.div_ceil(page)),
                grouped(n),
                page
            ),
            None if self.joined && self.limit.is_none() => format!(
                "unknown (total unknown: a join of large tables counts it first; {page} a page, {chains}, {order}{early})"
            ),
            None => format!("unknown (not counted yet; {page} a page, {chains}, {order}{early})"),
        }
    }
}

impl KintoneScan {
    pub(super) fn describe(&self) -> String {
        let request = &self.request;
        let query = request.query(0, None, request.page_limit(request.limit));
        let mut parts = vec![
            format!("KintoneScan: {} (app {})", request.table.name, request.table.app),
            format!("path: GET {}", records_path(request.table.app)),
            format!("query: {query}"),
            format!("fields: {}", self.decoder().fields().join(", ")),
            format!("requests: {}", request.expectation()),
        ];
        parts.extend(request.filters.iter().map(|f| format!("{}: {}", f.verdict, f.filter)));
        let names: Vec<String> =
            self.keys.iter().flat_map(|key| keys::names(key, &request.columns, &self.schema)).collect();
        if !names.is_empty() {
            let (names, most) = (names.join(", "), batch_size(request));
            parts.push(format!("keys: {names} from the join, at most {most} in a query"));
        }
        parts.extend(self.asked.get().map(|asked| format!("asked: {asked}")));
        parts.join(&PART.to_string())
    }
}

/// Notes on each scan which filters are evaluated here alone.
#[derive(Debug)]
pub struct LocalFilters;

impl PhysicalOptimizerRule for LocalFilters {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> DfResult<Arc<dyn ExecutionPlan>> {
        let noted = plan.transform_up(|node| {
            let Some(filter) = node.downcast_ref::<FilterExec>() else { return Ok(Transformed::no(node)) };
            let Some(scan) = filter.input().downcast_ref::<KintoneScan>() else {
                return Ok(Transformed::no(node));
            };
            let mut scan = scan.clone();
            if scan.request.fault == Some(Fault::LimitPastFilter) {
                scan.request.limit = filter.fetch();
            }
            for part in split_conjunction(filter.predicate()) {
                // What a join tells is shown as keys.
                if part.downcast_ref::<DynamicFilterPhysicalExpr>().is_some() {
                    continue;
                }
                let text = plain(part);
                if !scan.request.filters.iter().any(|f| f.filter == text) {
                    scan.request.filters.push(FilterNote { filter: text, verdict: "local" });
                }
            }
            Ok(Transformed::yes(replace_children_if_necessary(node, vec![Arc::new(scan)])?))
        })?;
        Ok(noted.data)
    }

    fn name(&self) -> &'static str {
        "local_filters"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// An expression as EXPLAIN shows a filter, without the places of its columns.
fn plain(expr: &Arc<dyn PhysicalExpr>) -> String {
    fmt_sql(expr.as_ref()).to_string()
}
