//! The tables that a statement names: what each name means, and whether it still means the same later.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::sql::sqlparser::ast::{self, Ident, ObjectName, Query, visit_relations};

use super::Local;
use super::apps::AppForm;
use super::dialect::folded;
use super::expansion;
use super::fault;
use super::found::Found;
use super::local::View;
use super::names::{self, KnownTable, KnownTables};
use super::need::Need;
use super::pg_catalog;
use super::plan;
use super::registry::Tables;
use super::runtime::DATABASE;
use super::session::Session;
use super::settings::Planning;
use super::statement::Statement;
use crate::error::{Error, Result};
use crate::table::ScanSettings;

/// What a name meant when its statement was planned.
#[derive(Debug, Clone)]
pub(super) struct Read {
    schema: Option<String>,
    name: String,
    quoted: bool,
    /// How many views of the settings it could mean.
    views: usize,
    /// The schema where it was found, and what it is; `None`: it is no table (a CTE).
    found: Option<(String, Source)>,
}

impl Read {
    /// Whether it is the catalog that is read, as one session sees it.
    pub(super) fn is_of_catalog(&self) -> bool {
        matches!(&self.found, Some((_, Source::Catalog)))
    }
}

/// What a plan over a table was made from.
#[derive(Debug, Clone)]
enum Source {
    /// A relation of the catalog.
    Catalog,
    /// A table of the settings.
    Local(String),
    /// The view of the settings at this place.
    View(usize),
    /// A table of a connection, with its app's form.
    Connection(Found, Option<Arc<AppForm>>),
}

impl Source {
    /// Whether a plan over one is a plan over the other. Forms are compared as objects: one that is read anew is
    /// another one, whatever is in it.
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Catalog, Self::Catalog) => true,
            (Self::Local(one), Self::Local(other)) => one == other,
            (Self::View(one), Self::View(other)) => one == other,
            (Self::Connection(one, form), Self::Connection(other, other_form)) => {
                let same_form = match (form, other_form) {
                    (Some(one), Some(other)) => Arc::ptr_eq(one, other),
                    (None, None) => true,
                    _ => false,
                };
                same_form && one.is(other)
            }
            _ => false,
        }
    }
}

/// What a query's names mean.
#[derive(Default)]
pub(super) struct Named {
    pub known: KnownTables,
    pub tables: Tables,
    pub reads: Reads,
}

/// What a query reads, itself and through the views of the settings that it names.
#[derive(Default)]
pub(super) struct Reads {
    /// Each name.
    pub names: Vec<Read>,
    /// Of the catalog.
    pub need: Need,
}

impl Reads {
    /// The schemas of the tables.
    pub(super) fn schemas(&self) -> BTreeSet<String> {
        let found = self.names.iter().filter_map(|read| read.found.as_ref());
        found.map(|(schema, _)| schema.clone()).collect()
    }

    fn add(&mut self, other: Self) {
        self.names.extend(other.names);
        self.need = std::mem::take(&mut self.need).and(other.need);
    }
}

/// The tables that a query names. A name that is none is a CTE's, or an error.
pub(super) async fn find_tables(
    session: &Session,
    statement: &Statement,
    query: &Query,
    planning: &Planning,
    views: usize,
) -> Result<Named> {
    let mut relations: Vec<ObjectName> = vec![];
    let _ = visit_relations(query, |name| {
        relations.push(name.clone());
        ControlFlow::<()>::Continue(())
    });
    refuse_misread(query).map_err(|error| fault::named(error, statement))?;
    expansion::check(query)?;
    let ctes = cte_names(query);
    let mut named = Named::default();
    for name in relations {
        let key = names::key(&name);
        if named.known.contains_key(&key) {
            continue;
        }
        let parts: Vec<&Ident> = name.0.iter().filter_map(|p| p.as_ident()).collect();
        let found = find_table(session, &parts, planning, views, &mut named.reads).await?;
        let Some((schema, table, provider)) = found else {
            let is_cte = matches!(parts.as_slice(), [one] if ctes.contains(&folded(one)));
            if is_cte {
                continue;
            }
            let names = session.engine.table_names().await;
            return Err(fault::no_table(statement, parts.last().copied(), &name.to_string(), &names));
        };
        let columns = provider.schema().fields().iter().map(|f| f.name().clone()).collect();
        named.known.insert(key, KnownTable { schema: schema.clone(), name: table.clone(), columns });
        named.tables.entry(schema).or_default().insert(table, provider);
    }
    Ok(named)
}

/// Whether every name still means what it meant. Asks Kintone as far as what is known of it is too old.
pub(super) async fn unchanged(session: &Session, reads: &[Read], planning: &Planning) -> Result<bool> {
    for read in reads {
        let now = locate(session, read, planning).await?;
        let same = match (&read.found, &now) {
            (None, None) => true,
            (Some((schema, source)), Some((now_schema, now))) => schema == now_schema && source.is(now),
            _ => false,
        };
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What would be answered otherwise than it is meant: the planner leaves TABLESAMPLE out and gives every row, and
/// the parser takes `a IS DISTINCT FROM b AND c` for `a IS DISTINCT FROM (b AND c)`.
fn refuse_misread(query: &Query) -> Result<()> {
    struct Misread;
    impl ast::Visitor for Misread {
        type Break = Error;
        fn pre_visit_table_factor(&mut self, table: &ast::TableFactor) -> ControlFlow<Error> {
            match table {
                ast::TableFactor::Table { sample: Some(_), .. }
                | ast::TableFactor::Derived { sample: Some(_), .. } => {
                    ControlFlow::Break(Error::unsupported("TABLESAMPLE"))
                }
                _ => ControlFlow::Continue(()),
            }
        }
        fn pre_visit_expr(&mut self, expr: &ast::Expr) -> ControlFlow<Error> {
            if let ast::Expr::Collate { collation, .. } = expr {
                return ControlFlow::Break(fault::no_collation(collation));
            }
            let (ast::Expr::IsDistinctFrom(_, right) | ast::Expr::IsNotDistinctFrom(_, right)) = expr else {
                return ControlFlow::Continue(());
            };
            match right.as_ref() {
                ast::Expr::BinaryOp { op: ast::BinaryOperator::And | ast::BinaryOperator::Or, .. } => {
                    let error = Error::unsupported("IS DISTINCT FROM beside AND or OR without brackets");
                    ControlFlow::Break(error.with_hint("Write (a IS DISTINCT FROM b) AND c."))
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }
    match ast::Visit::visit(query, &mut Misread) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// Every CTE's name, wherever it stands: enough to tell it from a table that does not exist.
fn cte_names(query: &Query) -> Vec<String> {
    struct Ctes(Vec<String>);
    impl ast::Visitor for Ctes {
        type Break = ();
        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            let ctes = query.with.iter().flat_map(|w| &w.cte_tables);
            self.0.extend(ctes.map(|c| folded(&c.alias.name)));
            ControlFlow::Continue(())
        }
    }
    let mut ctes = Ctes(vec![]);
    let _ = ast::Visit::visit(query, &mut ctes);
    ctes.0
}

/// `table`, `schema.table` or `database.schema.table`.
async fn find_table(
    session: &Session,
    parts: &[&Ident],
    planning: &Planning,
    views: usize,
    reads: &mut Reads,
) -> Result<Option<(String, String, Arc<dyn TableProvider>)>> {
    let (schema, table) = match parts {
        [table] => (None, *table),
        [schema, table] => (Some(folded(schema)), *table),
        [database, schema, table] if folded(database) == DATABASE => (Some(folded(schema)), *table),
        _ => return Ok(None),
    };
    let quoted = table.quote_style.is_some();
    let mut read = Read { schema, name: table.value.clone(), quoted, views, found: None };
    read.found = locate(session, &read, planning).await?;
    let Some((schema, source)) = read.found.clone() else {
        reads.names.push(read);
        return Ok(None);
    };
    reads.names.push(read);
    let (name, provider) = provider(session, &schema, source, &folded(table), planning, reads).await?;
    Ok(Some((schema, name, provider)))
}

/// Looks for what a name means, in the order of the search path.
async fn locate(session: &Session, read: &Read, planning: &Planning) -> Result<Option<(String, Source)>> {
    let one;
    let wanted = match &read.schema {
        Some(schema) => {
            one = [schema.clone()];
            &one[..]
        }
        None => &planning.search_path[..],
    };
    let folded = if read.quoted { read.name.clone() } else { read.name.to_lowercase() };
    for schema in wanted {
        if pg_catalog::table(session.catalog(), schema, &folded).is_some() {
            return Ok(Some((schema.clone(), Source::Catalog)));
        }
        match session.engine.local(schema, &read.name, read.quoted) {
            Some(Local::Table(local)) => {
                return Ok(Some((schema.clone(), Source::Local(local.info.name.clone()))));
            }
            Some(Local::View(of)) if of.place < read.views => {
                return Ok(Some((schema.clone(), Source::View(of.place))));
            }
            _ => {}
        }
        let Some(connection) = session.engine.connection(schema) else { continue };
        let found = connection.find(&read.name, read.quoted).await.map_err(|e| fault::of_table(&e))?;
        if let Some(found) = found {
            let form = match found.app() {
                Some(app) => Some(connection.form(app).await.map_err(|e| fault::of_table(&e))?),
                None => None,
            };
            return Ok(Some((schema.clone(), Source::Connection(found, form))));
        }
    }
    Ok(None)
}

/// The table to read from, under its exact name.
async fn provider(
    session: &Session,
    schema: &str,
    source: Source,
    name: &str,
    planning: &Planning,
    reads: &mut Reads,
) -> Result<(String, Arc<dyn TableProvider>)> {
    let gone = || Error::internal("a table that was found is gone");
    let engine = &session.engine;
    match source {
        Source::Catalog => {
            let table = pg_catalog::table(session.catalog(), schema, name).ok_or_else(gone)?;
            Ok((name.to_owned(), table))
        }
        Source::Local(name) => {
            let Some(Local::Table(local)) = engine.local(schema, &name, true) else { return Err(gone()) };
            let provider = local.provider(planning.time_zone).map_err(|e| fault::translate(&e, None))?;
            Ok((name, provider))
        }
        Source::View(place) => {
            let of: &View = engine.inner.views.get(place).ok_or_else(gone)?;
            let (view, inside) = plan::view(session, of, planning).await?;
            reads.add(inside);
            Ok((of.name.clone(), Arc::new(view)))
        }
        Source::Connection(found, _) => {
            let scan = ScanSettings {
                pushdown: planning.pushdown,
                page_size: planning.page_size,
                concurrency: planning.concurrency,
                fault: engine.inner.config.fault,
            };
            let connection = engine.connection(schema).ok_or_else(gone)?;
            let provider = connection.provider(&found, planning.time_zone, scan, engine.remembered()).await;
            provider.map_err(|e| fault::of_table(&e))
        }
    }
}
