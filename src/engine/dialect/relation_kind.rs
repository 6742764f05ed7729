//! Whether a statement about the catalog can show a view: psql's `\dt` asks for tables alone.
//!
//! Only a plain list of relations whose WHERE says so shows none; of every other statement a view may be part.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, ObjectName, Select, SetExpr, Statement, Value, Visit, Visitor,
};

/// What such a list may name besides: nothing that tells of a view.
const BESIDE: &[&str] = &["pg_class", "pg_namespace", "pg_am", "pg_roles"];

/// Whether a statement may show something of a view.
pub(crate) fn may_show_views(statement: &Statement) -> bool {
    let mut parts = Parts::default();
    let _ = statement.visit(&mut parts);
    let Statement::Query(query) = statement else { return true };
    let SetExpr::Select(select) = query.body.as_ref() else { return true };
    let listed = parts.relations.iter().all(|name| BESIDE.contains(&name.as_str()))
        && parts.relations.iter().filter(|name| *name == "pg_class").count() == 1;
    parts.selects != 1
        || parts.looks_up
        || !listed
        || !select.selection.as_ref().is_some_and(leaves_out_views)
}

#[derive(Default)]
struct Parts {
    selects: usize,
    relations: Vec<String>,
    /// A name is looked up, which may be a view's.
    looks_up: bool,
}

impl Visitor for Parts {
    type Break = ();

    fn pre_visit_select(&mut self, _: &Select) -> ControlFlow<()> {
        self.selects += 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        let last = relation.0.last().and_then(|part| part.as_ident());
        self.relations.push(last.map(|ident| ident.value.to_lowercase()).unwrap_or_default());
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        self.looks_up |= match expr {
            Expr::Cast { data_type, .. } => data_type.to_string().to_lowercase().contains("reg"),
            Expr::Function(function) => function.name.to_string().to_lowercase().contains("reg"),
            _ => false,
        };
        ControlFlow::Continue(())
    }
}

/// Whether a condition holds for no view: it, or what is joined to it with AND.
fn leaves_out_views(condition: &Expr) -> bool {
    match condition {
        Expr::Nested(inner) => leaves_out_views(inner),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            leaves_out_views(left) || leaves_out_views(right)
        }
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => is_kind(left) && is_other_kind(right),
        Expr::InList { expr, list, negated: false } => is_kind(expr) && list.iter().all(is_other_kind),
        _ => false,
    }
}

fn is_kind(expr: &Expr) -> bool {
    let name = match expr {
        Expr::Identifier(name) => Some(name),
        Expr::CompoundIdentifier(path) => path.last(),
        _ => None,
    };
    name.is_some_and(|name| name.value.eq_ignore_ascii_case("relkind"))
}

/// A kind of relation that is no view's.
fn is_other_kind(expr: &Expr) -> bool {
    match expr {
        Expr::Value(value) => matches!(&value.value, Value::SingleQuotedString(kind) if kind != "v"),
        Expr::Cast { expr, .. } => is_other_kind(expr),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::parse;
    use super::*;

    #[test]
    fn a_list_of_tables_shows_no_view() {
        for (sql, expect) in [
            (
                "SELECT c.relname FROM pg_catalog.pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r','p','') AND n.nspname <> 'x'",
                false,
            ),
            ("SELECT relname FROM pg_class WHERE relkind = 'r'::\"char\"", false),
            ("SELECT relname FROM pg_class WHERE relkind IN ('r', 'v')", true),
            ("SELECT relname FROM pg_class WHERE relkind = 'r' OR relname = 'x'", true),
            ("SELECT relname FROM pg_class", true),
            ("SELECT relname, 'x'::regclass FROM pg_class WHERE relkind = 'r'", true),
            (
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND oid IN (SELECT attrelid FROM pg_attribute)",
                true,
            ),
            ("SELECT 1 FROM pg_class a, pg_class b WHERE a.relkind = 'r'", true),
            ("SELECT table_name FROM information_schema.tables", true),
        ] {
            assert_eq!(may_show_views(&parse(sql)), expect, "{sql}");
        }
    }
}
