//! The needs of a whole statement: of each SELECT in it, and of the functions and casts that read the catalog.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, Query, Select, SetExpr, Statement, Value, Visit, Visitor,
};

use super::condition::{place_of, relations};
use super::relation::{Kind, Relation, Scope};
use super::value::{arguments, name_of, pins_of};
use super::{Is, Need, Pin};
use crate::engine::dialect::{folded, may_show_views, mentions_catalog};
use crate::engine::pg_catalog::RELATIONS;

/// Functions over a table, its key or its index that tell of its form.
const OF_FORMS: &[&str] = &[
    "col_description",
    "has_column_privilege",
    "pg_column_is_updatable",
    "pg_describe_object",
    "pg_get_constraintdef",
    "pg_get_indexdef",
    "pg_get_replica_identity_index",
    "pg_get_ruledef",
    "pg_get_viewdef",
    "pg_index_column_has_property",
    "pg_index_has_property",
];

/// Functions over a table that tell of its name alone.
const OF_NAMES: &[&str] = &[
    "has_any_column_privilege",
    "has_table_privilege",
    "obj_description",
    "pg_relation_is_publishable",
    "pg_relation_is_updatable",
    "pg_table_is_visible",
    "pg_type_is_visible",
];

impl Need {
    /// What a statement needs, before or after its rewriting.
    pub(in crate::engine) fn of(statement: &Statement) -> Self {
        if !mentions_catalog(statement) {
            return Self::default();
        }
        let Statement::Query(query) = statement else { return Self::everything() };
        let need = Self { catalog: true, ..Self::default() };
        let mut analysis = Analysis { need, derived: HashMap::new() };
        analysis.query(query, &Scope::default());
        Self { views: may_show_views(statement), ..analysis.need }
    }
}

struct Analysis {
    need: Need,
    /// Relations of derived tables that were looked at together with the SELECT around, by the query's place.
    derived: HashMap<usize, Vec<Relation>>,
}

impl Analysis {
    fn query(&mut self, query: &Query, outer: &Scope<'_>) {
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.query(&cte.query, outer);
            // Its columns may mean anything.
            let name = folded(&cte.alias.name);
            self.need.all |= RELATIONS.iter().any(|relation| relation.name == name);
        }
        match (self.derived.remove(&place_of(query)), query.body.as_ref()) {
            (Some(relations), SetExpr::Select(select)) => self.with_relations(select, relations, outer),
            (_, body) => self.set_expr(body, outer),
        }
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
            _ => self.need.all = true,
        }
    }

    fn select(&mut self, select: &Select, outer: &Scope<'_>) {
        let (relations, derived) = relations(select, outer);
        self.derived.extend(derived);
        self.with_relations(select, relations, outer);
    }

    fn with_relations(&mut self, select: &Select, relations: Vec<Relation>, outer: &Scope<'_>) {
        let scope = Scope { relations, parent: Some(outer) };
        for relation in &scope.relations {
            match (relation.kind, &relation.pins, &relation.referenced) {
                (Kind::Free | Kind::Other, ..) => {}
                (Kind::Names | Kind::Types, Some(pins), _) => self.name(pins),
                (Kind::Types, None, _) => self.need.names = true,
                (Kind::Names, None, _) => self.need.lists = true,
                (Kind::Forms, Some(pins), _) => self.need.pins.extend(pins.iter().cloned()),
                // Foreign keys to a table: of all tables as far as they are known, as in a list.
                (Kind::Forms, None, Some(pins)) => {
                    self.need.pins.extend(pins.iter().cloned());
                    self.need.lists = true;
                }
                (Kind::Forms, None, None) if relation.refers => self.need.lists = true,
                (Kind::Forms, None, None) => self.need.all = true,
            }
        }
        self.expressions(select, &scope);
    }

    /// Tables that are listed by their names. A wide pattern is a list.
    fn name(&mut self, pins: &BTreeSet<Pin>) {
        for pin in pins {
            match pin {
                Pin::Name(pattern) if !pattern.is_narrow() => self.need.lists = true,
                Pin::Parameter { number, is, .. } => {
                    self.need.pins.insert(Pin::Parameter { number: *number, is: *is, in_list: true });
                }
                pin => {
                    self.need.pins.insert(pin.clone());
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
                let wanted = data_type.to_string().to_lowercase();
                if wanted.contains("regclass") || wanted.contains("regtype") {
                    self.looked_up(expr, scope);
                }
            }
            Expr::Identifier(name) if folded(name) == "relnatts" => self.need.all = true,
            Expr::CompoundIdentifier(path) if path.last().is_some_and(|name| folded(name) == "relnatts") => {
                self.need.all = true;
            }
            _ => {}
        }
    }

    fn function(&mut self, function: &Function, scope: &Scope<'_>) {
        let name = name_of(function);
        let arguments = arguments(function);
        if let ("to_regclass" | "to_regtype", Some(first)) = (name.as_str(), arguments.first()) {
            return self.looked_up(first, scope);
        }
        let is_of_forms = OF_FORMS.contains(&name.as_str());
        if !is_of_forms && !OF_NAMES.contains(&name.as_str()) {
            return;
        }
        for argument in arguments {
            match (pins_of(argument, Is::Oid), scope.relation_of(argument)) {
                (Some(pins), _) => self.need.pins.extend(pins),
                (None, Some(relation)) if !is_of_forms || relation.kind == Kind::Forms => {}
                // Pinned by its name alone: the form is needed too.
                (None, Some(relation)) if relation.pins.is_some() => {
                    self.need.pins.extend(relation.pins.iter().flatten().cloned());
                }
                (None, None) if !is_of_forms && names_column(argument) => {}
                _ => self.need.all |= !is_plain(argument),
            }
        }
    }

    /// A name that is looked up. One that a relation of the catalog gives is listed there already.
    fn looked_up(&mut self, expr: &Expr, scope: &Scope<'_>) {
        match pins_of(expr, Is::Oid) {
            Some(pins) => self.need.pins.extend(pins),
            None if names_column(expr) && !scope.has_others() => {}
            None => self.need.all = true,
        }
    }
}

/// `true` and `false`.
fn is_plain(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if matches!(value.value, Value::Boolean(_)))
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
        parts.extend((need.names && !need.all && !need.lists).then(|| "names".to_owned()));
        parts.extend((need.lists && !need.all).then(|| "list".to_owned()));
        parts.extend(need.pins.iter().filter(|_| !need.all).map(pin));
        if parts.is_empty() { "nothing".into() } else { parts.join(" ") }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a list of statements")]
    fn a_statement_needs_the_forms_that_its_rows_are_made_of() {
        for (sql, expect) in [
            ("SELECT 1", "nothing"),
            ("SELECT version(), current_schema()", "nothing"),
            ("SELECT typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace", "names"),
            ("SELECT typname FROM pg_type WHERE oid = 16400", "16400"),
            ("SELECT typname FROM pg_type WHERE typname = 'customers'", "customers"),
            ("SELECT 'int4'::regtype, 'timestamp with time zone'::regtype", "nothing"),
            ("SELECT 'customers'::regtype", "customers"),
            ("SELECT proname FROM pg_proc p JOIN pg_type t ON t.oid = p.prorettype", "nothing"),
            (
                "SELECT a.attname, (SELECT c.collname FROM pg_collation c, pg_type t WHERE c.oid = a.attcollation AND t.oid = a.atttypid) FROM pg_attribute a WHERE a.attrelid = '16400'",
                "16400",
            ),
            (
                "SELECT a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON a.atttypid = t.oid LEFT JOIN pg_type e ON e.oid = t.typelem WHERE c.relname = 'customers'",
                "customers",
            ),
            ("SELECT has_table_privilege('customers', 'SELECT')", "customers pattern"),
            ("SELECT relname, has_table_privilege(oid, 'SELECT') FROM pg_class", "list pattern"),
            ("SELECT relname, has_column_privilege(oid, 'a', 'SELECT') FROM pg_class", "all"),
            ("SELECT 1 FROM pg_depend WHERE objid = 16400", "16400"),
            ("SELECT 1 FROM pg_depend WHERE refobjid = 16400", "list"),
            ("SELECT relname FROM pg_stat_user_tables", "list"),
            ("SELECT name FROM pg_timezone_names", "nothing"),
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
            // As pgjdbc asks for a primary key, for keys of a table, and for keys to a table.
            (
                "SELECT a.attname FROM pg_class ct JOIN pg_attribute a ON (ct.oid = a.attrelid) JOIN (SELECT i.indexrelid, i.indrelid, information_schema._pg_expandarray(i.indkey) AS keys FROM pg_index i) i ON (a.attnum = (i.keys).n AND a.attrelid = i.indrelid) JOIN pg_class ci ON (ci.oid = i.indexrelid) WHERE ct.relname = 'customers'",
                "customers",
            ),
            (
                "SELECT 1 FROM pg_class pkc, pg_attribute pka, pg_class fkc, pg_attribute fka, pg_constraint con, pg_class pkic WHERE pkc.oid = pka.attrelid AND con.confrelid = pkc.oid AND fkc.oid = fka.attrelid AND con.conrelid = fkc.oid AND pkic.oid = con.conindid AND fkc.relname = 'customers'",
                "customers",
            ),
            (
                "SELECT 1 FROM pg_class pkc, pg_attribute pka, pg_class fkc, pg_attribute fka, pg_constraint con, pg_class pkic WHERE pkc.oid = pka.attrelid AND con.confrelid = pkc.oid AND fkc.oid = fka.attrelid AND con.conrelid = fkc.oid AND pkic.oid = con.conindid AND pkc.relname = 'customers'",
                "list customers",
            ),
            (
                "SELECT * FROM (SELECT attrelid AS t, attname, row_number() OVER () FROM pg_attribute) a WHERE t = 16400",
                "all",
            ),
            ("SELECT * FROM (SELECT attrelid AS t FROM pg_attribute LIMIT 5) a WHERE t = 16400", "all"),
            (
                "SELECT * FROM (SELECT attrelid AS t FROM pg_attribute) a LEFT JOIN pg_type ON t = 16400",
                "all",
            ),
            ("SELECT * FROM (SELECT attrelid AS t, attname FROM pg_attribute) a WHERE a.t = 16400", "16400"),
            ("SELECT * FROM (SELECT attrelid AS attnum FROM pg_attribute) a WHERE a.attrelid = 16400", "all"),
            // As psql asks about a table.
            (
                "SELECT c.relkind, am.amname FROM pg_class c LEFT JOIN pg_class tc ON (c.reltoastrelid = tc.oid) LEFT JOIN pg_am am ON (c.relam = am.oid) WHERE c.oid = '16400'",
                "16400",
            ),
            (
                "SELECT pubname, (CASE WHEN pr.prattrs IS NOT NULL THEN (SELECT string_agg(attname, ', ') FROM generate_series(0, array_upper(pr.prattrs::int2[], 1)) s, pg_attribute WHERE attrelid = pr.prrelid AND attnum = prattrs[s]) END) FROM pg_publication p JOIN pg_publication_rel pr ON p.oid = pr.prpubid JOIN pg_class c ON c.oid = pr.prrelid WHERE pr.prrelid = '16400'",
                "16400",
            ),
            (
                "SELECT c.oid::regclass FROM pg_class c, pg_inherits i WHERE c.oid = i.inhrelid AND i.inhparent = '16400'",
                "16400",
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
