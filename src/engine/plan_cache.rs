//! Logical plans that statements of the same text share, in every session.
//!
//! A plan is kept under all that it was made from but the tables: those are looked up anew when it is wanted
//! (`tables::unchanged`). Physical plans are never kept: a join keeps its build side, a scan its totals.

use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::catalog::default_table_source::source_as_provider;
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan, Volatility};
use lru::LruCache;

use super::SqlType;
use super::function::is_of_session;
use super::pg_catalog;
use super::plan::Planned;
use super::settings::Planning;
use super::statement::Statement;

/// Plans that are kept.
const MOST_PLANS: usize = 256;

/// Bytes of a text whose plan is kept: what a plan takes grows with its text.
const MOST_BYTES: usize = 8 * 1024;

/// What a plan is made from beside the tables that it names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct PlanKey {
    sql: String,
    /// The parameters' types as far as they were said.
    types: Vec<Option<SqlType>>,
    planning: Arc<Planning>,
}

impl PlanKey {
    /// `None` for a statement whose plan is not kept: a long one, and one that has no text of its own.
    pub(super) fn new(
        statement: &Statement,
        types: &[Option<SqlType>],
        planning: &Arc<Planning>,
    ) -> Option<Self> {
        let kept = statement.start.line > 0 && statement.sql.len() <= MOST_BYTES;
        kept.then(|| Self {
            sql: statement.sql.clone(),
            types: types.to_vec(),
            planning: Arc::clone(planning),
        })
    }
}

/// The plans of all sessions, those used last.
pub(super) struct Plans {
    plans: Mutex<LruCache<PlanKey, Arc<Planned>>>,
}

impl Default for Plans {
    fn default() -> Self {
        let most = std::num::NonZeroUsize::new(MOST_PLANS).unwrap_or(std::num::NonZeroUsize::MIN);
        Self { plans: Mutex::new(LruCache::new(most)) }
    }
}

impl Plans {
    pub(super) fn get(&self, key: &PlanKey) -> Option<Arc<Planned>> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    pub(super) fn put(&self, key: PlanKey, planned: Arc<Planned>) {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).put(key, planned);
    }
}

/// What a plan depends on when it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Traits {
    /// It reads the session, or the catalog as a session sees it.
    pub of_session: bool,
    /// It gives the same rows whenever it runs: no table, no clock, no chance.
    pub constant: bool,
}

impl Traits {
    /// Walks through the whole plan.
    ///
    /// # Errors
    /// Those of walking a plan.
    pub(super) fn of(plan: &LogicalPlan) -> DfResult<Self> {
        let mut traits = Self { of_session: false, constant: true };
        plan.apply_with_subqueries(|node| {
            traits.constant &= is_plain(node);
            traits.of_session |= is_catalog_scan(node);
            node.apply_expressions(|expr| {
                expr.apply(|expr| {
                    traits.see(expr);
                    Ok(TreeNodeRecursion::Continue)
                })
            })
        })?;
        Ok(traits)
    }

    fn see(&mut self, expr: &Expr) {
        match expr {
            Expr::ScalarFunction(call) => {
                self.of_session |= is_of_session(call.name());
                self.constant &= call.func.signature().volatility == Volatility::Immutable;
            }
            Expr::Placeholder(_)
            | Expr::ScalarVariable(..)
            | Expr::AggregateFunction(_)
            | Expr::WindowFunction(_) => self.constant = false,
            _ => {}
        }
    }
}

/// A node that gives the same for the same input.
fn is_plain(node: &LogicalPlan) -> bool {
    matches!(
        node,
        LogicalPlan::Projection(_)
            | LogicalPlan::EmptyRelation(_)
            | LogicalPlan::Values(_)
            | LogicalPlan::SubqueryAlias(_)
            | LogicalPlan::Filter(_)
            | LogicalPlan::Limit(_)
            | LogicalPlan::Sort(_)
    )
}

fn is_catalog_scan(node: &LogicalPlan) -> bool {
    let LogicalPlan::TableScan(scan) = node else { return false };
    source_as_provider(&scan.source).is_ok_and(|provider| pg_catalog::is_relation(provider.as_ref()))
}
