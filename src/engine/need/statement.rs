//! The needs of a whole statement: of each SELECT in it, and of the functions and casts that read the catalog.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Function, Query, Select, SetExpr, Statement, Visit, Visitor};

use super::condition::{Kind, Scope, relations};
use super::value::{arguments, name_of, pins_of};
use super::{Is, Need, Pin};
use crate::engine::dialect::{folded, may_show_views, mentions_catalog};
use crate::engine::pg_catalog::RELATIONS;

/// Functions over a table's oid, or that of its key or index, that tell of its form.
const OF_FORMS: &[&str] = &["col_description", "pg_get_constraintdef", "pg_get_indexdef", "pg_get_viewdef"];

/// Functions over a table's oid that tell of its name alone.
const OF_NAMES: &[&str] = &["obj_description", "pg_relation_is_publishable", "pg_table_is_visible"];

impl Need {
    /// What a statement needs, before or after its rewriting.
    pub(in crate::engine) fn of(statement: &Statement) -> Self {
        if !mentions_catalog(statement) {
            return Self::default();
        }
        let Statement::Query(query) = statement else { return Self::everything() };
        let mut analysis = Analysis(Self { catalog: true, ..Self::default() });
        analysis.query(query, &Scope::default());
        Self { views: may_show_views(statement), ..analysis.0 }
    }
}

struct Analysis(Need);

impl Analysis {
    fn query(&mut self, query: &Query, outer: &Scope<'_>) {
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.query(&cte.query, outer);
            // Its columns may mean anything.
            let name = folded(&cte.alias.name);
            self.0.all |= RELATIONS.iter().any(|relation| relation.name == name);
        }
        self.set_expr(&query.body, outer);
        self.expressions(&query.order_by, outer);
        self.expressions(&query.limit_clause, outer);
    }

    fn set_expr(&mut self, body: &SetExpr, outer: &Scope<'_>) {
        match body {
            SetExpr::Select(select) => self.select(select, outer),
            SetExpr::Query(query) => self.query(query, outer),
            SetExpr::SetOperation { left, right, .. } => {
                self.set_expr(left, outer);
                self.set_expr(right, outer);
            }
            SetExpr::Values(values) => self.expressions(values, outer),
            _ => self.0.all = true,
        }
    }

    fn select(&mut self, select: &Select, outer: &Scope<'_>) {
        let scope = Scope { relations: relations(select, outer), parent: Some(outer) };
        for relation in &scope.relations {
            match (relation.kind, &relation.pins, &relation.referenced) {
                (Kind::Free | Kind::Other, ..) => {}
                (Kind::Names, Some(pins), _) => self.name(pins),
                (Kind::Names, None, _) => self.0.lists = true,
                (Kind::Forms, Some(pins), _) => self.0.pins.extend(pins.iter().cloned()),
                // Foreign keys to a table: of all tables as far as they are known, as in a list.
                (Kind::Forms, None, Some(pins)) => {
                    self.0.pins.extend(pins.iter().cloned());
                    self.0.lists = true;
                }
                (Kind::Forms, None, None) => self.0.all = true,
            }
        }
        self.expressions(select, &scope);
    }

    /// Tables that are listed by their names. A wide pattern is a list.
    fn name(&mut self, pins: &BTreeSet<Pin>) {
        for pin in pins {
            match pin {
                Pin::Name(pattern) if !pattern.is_narrow() => self.0.lists = true,
                Pin::Parameter { number, is, .. } => {
                    self.0.pins.insert(Pin::Parameter { number: *number, is: *is, in_list: true });
                }
                pin => {
                    self.0.pins.insert(pin.clone());
                }
            }
        }
    }

    fn expressions(&mut self, node: &impl Visit, scope: &Scope<'_>) {
        let _ = node.visit(&mut Walk { analysis: self, scope, depth: 0 });
    }

    fn expression(&mut self, expr: &Expr, scope: &Scope<'_>) {
        match expr {
            Expr::Function(function) => self.function(function, scope),
            Expr::Cast { expr, data_type, .. } => {
                if data_type.to_string().to_lowercase().contains("regclass") {
                    self.regclass(expr, scope);
                }
            }
            Expr::Identifier(name) if folded(name) == "relnatts" => self.0.all = true,
            Expr::CompoundIdentifier(path) if path.last().is_some_and(|name| folded(name) == "relnatts") => {
                self.0.all = true;
            }
            _ => {}
        }
    }

    fn function(&mut self, function: &Function, scope: &Scope<'_>) {
        let name = name_of(function);
        let arguments = arguments(function);
        let Some(first) = arguments.first() else { return };
        if name == "to_regclass" {
            return self.regclass(first, scope);
        }
        if OF_NAMES.contains(&name.as_str()) {
            self.0.pins.extend(pins_of(first, Is::Oid).unwrap_or_default());
        }
        if !OF_FORMS.contains(&name.as_str()) {
            return;
        }
        match (pins_of(first, Is::Oid), scope.relation_of(first)) {
            (Some(pins), _) => self.0.pins.extend(pins),
            (None, Some(relation)) if relation.kind == Kind::Forms => {}
            // Pinned by its name alone: the form is needed too.
            (None, Some(relation)) if relation.pins.is_some() => {
                self.0.pins.extend(relation.pins.iter().flatten().cloned());
            }
            _ => self.0.all = true,
        }
    }

    /// A name that is looked up. One that a relation of the catalog gives is listed there already.
    fn regclass(&mut self, expr: &Expr, scope: &Scope<'_>) {
        match pins_of(expr, Is::Oid) {
            Some(pins) => self.0.pins.extend(pins),
            None if names_column(expr) && !scope.has_others() => {}
            None => self.0.all = true,
        }
    }
}

/// Whether an expression reads a column.
fn names_column(expr: &Expr) -> bool {
    struct Columns;
    impl Visitor for Columns {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Identifier(_) | Expr::CompoundIdentifier(_) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    expr.visit(&mut Columns).is_break()
}

/// Every expression below a node. A subquery is analysed as a whole where the walk enters it; what the walk then
/// meets inside is done.
struct Walk<'w, 's> {
    analysis: &'w mut Analysis,
    scope: &'s Scope<'s>,
    depth: usize,
}

impl Visitor for Walk<'_, '_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if self.depth == 0 {
            self.analysis.query(query, self.scope);
        }
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if self.depth == 0 {
            self.analysis.expression(expr, self.scope);
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
    use datafusion::sql::sqlparser::parser::Parser;

    use super::super::Pattern;
    use super::*;

    fn of(sql: &str) -> Need {
        let statement = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap().remove(0);
        Need::of(&statement)
    }

    /// `nothing`, `all`, or `list` and the pins.
    fn shown(need: &Need) -> String {
        let pin = |pin: &Pin| match pin {
            Pin::Oid(oid) => oid.to_string(),
            Pin::Name(pattern) => {
                let name = ["customers", "ｶ", "a_b"].iter().find(|name| *pattern == Pattern::name(name));
                name.map_or_else(|| "pattern".to_owned(), |name| (*name).to_owned())
            }
            Pin::Parameter { number, .. } => format!("${number}"),
        };
        let mut parts: Vec<String> = vec![];
        parts.extend(need.all.then(|| "all".to_owned()));
        parts.extend((need.lists && !need.all).then(|| "list".to_owned()));
        parts.extend(need.pins.iter().filter(|_| !need.all).map(pin));
        if parts.is_empty() { "nothing".into() } else { parts.join(" ") }
    }

    #[test]
    fn a_statement_needs_the_forms_that_its_rows_are_made_of() {
        for (sql, expect) in [
            ("SELECT 1", "nothing"),
            ("SELECT version(), current_schema()", "nothing"),
            ("SELECT typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace", "nothing"),
            ("SELECT relname FROM pg_class", "list"),
            ("SELECT relnatts FROM pg_class", "all"),
            ("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'", "list"),
            ("SELECT * FROM pg_attribute", "all"),
            ("SELECT * FROM pg_attribute WHERE attrelid = 16400", "16400"),
            ("SELECT * FROM pg_attribute WHERE attrelid = '16400'::oid AND attnum > 0", "16400"),
            ("SELECT * FROM pg_attribute WHERE attrelid = 16400 OR attnum > 0", "all"),
            ("SELECT * FROM pg_attribute WHERE NOT attrelid = 16400", "all"),
            (
                "SELECT * FROM pg_attribute WHERE attrelid = 16400 OR attrelid IN (16401, 16402)",
                "16400 16401 16402",
            ),
            ("SELECT * FROM pg_attribute WHERE attrelid = 'customers'::regclass", "customers"),
            ("SELECT * FROM pg_attribute WHERE attrelid = 'public.\"Customers\"'::regclass", "customers"),
            ("SELECT * FROM pg_attribute WHERE attrelid = 'pg_class'::regclass", "nothing"),
            ("SELECT * FROM pg_attribute WHERE attrelid = $1", "$1"),
            ("SELECT * FROM pg_attribute WHERE attrelid = ANY ($1)", "$1"),
            ("SELECT * FROM pg_attribute WHERE attrelid = ANY ('{16400,16401}')", "16400 16401"),
            (
                "SELECT a.attname FROM pg_class c, pg_attribute a WHERE a.attrelid = c.oid AND c.relname = 'customers'",
                "customers",
            ),
            (
                "SELECT a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND c.relname LIKE 'customers'",
                "customers",
            ),
            (
                "SELECT a.attname FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND c.relname = 'customers'",
                "all",
            ),
            (
                "SELECT a.attname FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relname = 'customers'",
                "customers",
            ),
            ("SELECT a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid", "all"),
            (
                "SELECT oid FROM pg_class WHERE relname OPERATOR(pg_catalog.~) '^(customers)$' COLLATE pg_catalog.default",
                "customers",
            ),
            ("SELECT oid FROM pg_class WHERE relname ~ '^(cust.*)$'", "list"),
            ("SELECT oid FROM pg_class WHERE relname LIKE '%'", "list"),
            (
                "SELECT column_name FROM information_schema.columns WHERE table_name = 'customers'",
                "customers",
            ),
            ("SELECT column_name FROM information_schema.columns WHERE table_name LIKE 'a\\_b'", "a_b"),
            ("SELECT column_name FROM information_schema.columns WHERE column_name = 'customers'", "all"),
            (
                "SELECT 1 FROM pg_class c WHERE c.oid = 16400 AND EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid)",
                "16400",
            ),
            ("SELECT (SELECT count(*) FROM pg_index i WHERE i.indrelid = c.oid) FROM pg_class c", "all"),
            (
                "SELECT c2.relname, pg_get_indexdef(i.indexrelid, 0, true) FROM pg_class c, pg_class c2, pg_index i LEFT JOIN pg_constraint con ON (conrelid = i.indrelid AND conindid = i.indexrelid AND contype IN ('p','u','x')) WHERE c.oid = '16400' AND c.oid = i.indrelid AND i.indexrelid = c2.oid",
                "16400",
            ),
            (
                "SELECT conname, conrelid::pg_catalog.regclass, pg_get_constraintdef(c.oid, true) FROM pg_constraint c WHERE confrelid IN (SELECT pg_catalog.pg_partition_ancestors('16400') UNION ALL VALUES ('16400'::pg_catalog.regclass)) AND contype = 'f'",
                "list 16400",
            ),
            (
                "SELECT * FROM pg_attribute WHERE attrelid = (SELECT oid FROM pg_class WHERE relname = 'customers')",
                "customers",
            ),
            ("SELECT * FROM pg_attribute WHERE attrelid IN (SELECT oid FROM pg_class)", "all"),
            (
                "SELECT c.relname, d.description FROM pg_class c LEFT JOIN pg_description d ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass",
                "list",
            ),
            (
                "SELECT c.relname, d.description FROM pg_class c LEFT JOIN pg_description d ON d.objoid = c.oid",
                "all",
            ),
            ("SELECT relname, pg_get_viewdef(oid) FROM pg_class", "all"),
            ("SELECT pg_get_viewdef(oid) FROM pg_class WHERE relname = 'customers'", "customers"),
            ("SELECT 'customers'::regclass::oid", "customers"),
            ("SELECT lower('customers')::regclass", "all"),
            ("SELECT oid::regclass FROM pg_class", "list"),
            ("SELECT t.name::regclass FROM t", "all"),
            ("SELECT * FROM (SELECT * FROM pg_attribute) a WHERE attrelid = 1", "all"),
            ("WITH x AS (SELECT * FROM pg_attribute WHERE attrelid = 16400) SELECT * FROM x", "16400"),
        ] {
            assert_eq!(shown(&of(sql)), expect, "{sql}");
        }
    }

    #[test]
    fn a_parameter_names_a_table_when_it_is_there() {
        use datafusion::scalar::ScalarValue;

        let need = of("SELECT * FROM pg_attribute WHERE attrelid = $1");
        assert!(!need.with(&[]).reads_tables());
        assert_eq!(shown(&need.with(&[ScalarValue::Int64(Some(16_400))])), "16400");
        assert_eq!(shown(&need.with(&[ScalarValue::from("customers")])), "customers");
        assert_eq!(shown(&need.with(&[ScalarValue::Boolean(Some(true))])), "all");
        let listed = of("SELECT oid FROM pg_class WHERE relname LIKE $1");
        assert_eq!(shown(&listed.with(&[ScalarValue::from("cust%")])), "list");
        assert_eq!(shown(&listed.with(&[ScalarValue::from("customers")])), "customers");
    }
}
