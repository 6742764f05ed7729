//! A query of one column whose rows are brought together: `SELECT f(v) FROM (query) AS t(v)`.

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, Query, SelectItem, SetExpr, TableAlias, TableAliasColumnDef, TableFactor, TableWithJoins,
    Values,
};

use super::quantified::NAME;
use super::set_returning::select;

/// No user's column has it.
pub(super) const VALUE: &str = "\u{E001}value";

/// The column.
pub(super) fn value() -> Expr {
    Expr::Identifier(Ident::with_quote('"', VALUE))
}

/// Makes `query` one whose only item is an expression over [`value`].
pub(super) fn over(query: &mut Query, item: Expr) {
    let mut outer = select(vec![SelectItem::UnnamedExpr(item)]);
    if let SetExpr::Select(select) = outer.body.as_mut() {
        let column = TableAliasColumnDef { name: Ident::with_quote('"', VALUE), data_type: None };
        let name = Ident::with_quote('"', NAME);
        let relation = TableFactor::Derived {
            lateral: false,
            subquery: Box::new(taken(query)),
            alias: Some(TableAlias { explicit: true, name, columns: vec![column], at: None }),
            sample: None,
        };
        select.from = vec![TableWithJoins { relation, joins: vec![] }];
    }
    *query = outer;
}

/// Moves a query out of its place.
pub(super) fn taken(query: &mut Query) -> Query {
    let none = Values { explicit_row: false, value_keyword: false, rows: vec![] };
    std::mem::replace(query, super::query(SetExpr::Values(none)))
}
