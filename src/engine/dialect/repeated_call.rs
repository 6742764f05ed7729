//! `sum(a), sum(a::int)`: calls that DataFusion takes for one, since a cast is no part of the name that it gives them.
//! The cast of the later one gets a name: `sum(a), sum(pg_named(a::int, 1))`.

use std::collections::HashMap;
use std::convert::Infallible;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, Select, SelectItem, VisitMut,
    VisitorMut,
};

use super::visit::Rule;
use super::{call, number, take};

pub(super) const RULE: Rule = Rule::Select(apart);

/// Gives what it is given.
const NAMED: &str = "pg_named";

fn apart(select: &mut Select) {
    let mut known = Known { calls: HashMap::new() };
    for item in &mut select.projection {
        if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
            let _ = expr.visit(&mut known);
        }
    }
    let _ = select.having.visit(&mut known);
}

/// Calls with a cast in them, by their text without casts: the texts that they were written with.
struct Known {
    calls: HashMap<String, Vec<String>>,
}

impl VisitorMut for Known {
    type Break = Infallible;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Infallible> {
        // What was named here is not named again: that would have no end.
        match expr {
            Expr::Function(function) if function.name.to_string() != NAMED => {}
            _ => return ControlFlow::Continue(()),
        }
        let mut bare = as_sum(expr);
        let written = bare.to_string();
        let _ = bare.visit(&mut Uncast);
        let texts = self.calls.entry(bare.to_string()).or_default();
        let place = texts.iter().position(|known| *known == written).unwrap_or_else(|| {
            texts.push(written);
            texts.len() - 1
        });
        if let Some(place) = u32::try_from(place).ok().filter(|place| *place > 0) {
            let mut named = Named { place, found: false };
            let _ = expr.visit(&mut named);
            if !named.found {
                name_argument(expr, place);
            }
        }
        ControlFlow::Continue(())
    }
}

/// An average becomes a sum and a count: calls of the three count as calls of one.
fn as_sum(expr: &Expr) -> Expr {
    let mut expr = expr.clone();
    if let Expr::Function(function) = &mut expr
        && matches!(function.name.to_string().to_lowercase().as_str(), "avg" | "count")
    {
        function.name = ObjectName::from(vec![Ident::new("sum")]);
    }
    expr
}

/// Takes casts off.
struct Uncast;

impl VisitorMut for Uncast {
    type Break = Infallible;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Infallible> {
        if let Expr::Cast { expr: inner, .. } | Expr::Nested(inner) = expr {
            *expr = take(inner);
        }
        ControlFlow::Continue(())
    }
}

/// A later call without a cast: its argument gets the name.
fn name_argument(expr: &mut Expr, place: u32) {
    let Expr::Function(function) = expr else { return };
    let FunctionArguments::List(list) = &mut function.args else { return };
    if let [FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)), ..] = list.args.as_mut_slice() {
        let value = take(argument);
        *argument = call(NAMED, vec![value, number(place)]);
    }
}

/// Gives the first cast a name.
struct Named {
    place: u32,
    found: bool,
}

impl VisitorMut for Named {
    type Break = Infallible;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Infallible> {
        if !self.found && matches!(expr, Expr::Cast { .. }) {
            self.found = true;
            let cast = take(expr);
            *expr = call(NAMED, vec![cast, number(self.place)]);
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn the_cast_of_a_second_call_has_a_name() {
        check(RULE, "SELECT sum(a), sum(a::INT)", "SELECT sum(a), sum(pg_named(a::INT, 1))");
        check(
            RULE,
            "SELECT sum(a), avg(a), sum(a::INT), avg(a::FLOAT8)",
            "SELECT sum(a), avg(a), sum(pg_named(a::INT, 1)), avg(pg_named(a::FLOAT8, 2))",
        );
        check(
            RULE,
            "SELECT sum(a::INT), avg(a::INT), sum(a::INT)",
            "SELECT sum(a::INT), avg(a::INT), sum(a::INT)",
        );
    }
}
