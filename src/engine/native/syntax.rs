//! The forms of SQL that Kintone's own predicates have, made into markers that the planner takes for calls.
//!
//! They stand in WHERE and in ON, with AND, OR and NOT around them. Anywhere else they are refused here, with their
//! place, before the planner can say something that tells less.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    self, BinaryOperator, Expr, Function, Ident, JoinConstraint, JoinOperator, ObjectName, Select, Spanned,
    TableFactor, UnaryOperator, Value, Visit, VisitMut, Visitor, VisitorMut,
};
use datafusion::sql::sqlparser::tokenizer::Location;

use super::call::{self, expressions, is_call, name_of};
use crate::engine::dialect::call as function_call;
use crate::engine::statement::Statement;
use crate::error::{Error, Kind, Result};
use crate::table::Marker;

const MATCH: &str = "KINTONE_MATCH";
const QUERY: &str = "KINTONE_QUERY";

/// Makes markers of a query's predicates that are Kintone's own.
///
/// # Errors
/// One stands where it cannot, or takes what it does not.
pub(in crate::engine) fn mark(query: &mut ast::Statement, statement: &Statement) -> Result<()> {
    let place = |at: Location| statement.place(at);
    if let ControlFlow::Break(error) = Visit::visit(query, &mut Forged) {
        return Err(error);
    }
    if let ControlFlow::Break(error) = VisitMut::visit(query, &mut Conditions { place: &place }) {
        return Err(error);
    }
    match Visit::visit(query, &mut Elsewhere { place: &place }) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

type Place<'a> = &'a dyn Fn(Location) -> Option<usize>;

fn placed(error: Error, place: Option<usize>) -> Error {
    match place {
        Some(place) => error.with_position(place),
        None => error,
    }
}

fn start(function: &Function) -> Location {
    function.name.0.last().and_then(|part| part.as_ident()).map_or_else(Location::empty, |i| i.span.start)
}

/// Markers are made here alone.
struct Forged;

impl Visitor for Forged {
    type Break = Error;

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Error> {
        if let Expr::Function(function) = expr
            && name_of(function).starts_with("KINTONE:")
        {
            let message = format!("function {} does not exist", function.name);
            return ControlFlow::Break(Error::new(Kind::UndefinedFunction, message));
        }
        ControlFlow::Continue(())
    }
}

/// Whether a function is one that only a condition can hold.
fn is_native(function: &Function) -> bool {
    is_call(function) || matches!(name_of(function).as_str(), MATCH | QUERY)
}

/// What is left after the conditions were marked stands elsewhere.
struct Elsewhere<'a> {
    place: Place<'a>,
}

impl Elsewhere<'_> {
    fn refused(&self, name: &ObjectName) -> Error {
        let ident = name.0.last().and_then(|part| part.as_ident());
        let upper = ident.map(|ident| ident.value.to_uppercase()).unwrap_or_default();
        let place = ident.and_then(|ident| (self.place)(ident.span.start));
        let hint = match upper.as_str() {
            MATCH | QUERY => {
                "It stands in WHERE or ON, with AND, OR and NOT: WHERE kintone_query('...') AND ..."
            }
            "LOGINUSER" => "It stands in WHERE or ON: creator = LOGINUSER(), LOGINUSER() = ANY (users).",
            _ => "It stands in WHERE or ON, compared with a field; SQL's own are current_date and now().",
        };
        let name = if matches!(upper.as_str(), MATCH | QUERY) { upper.to_lowercase() } else { upper + "()" };
        let message = format!("{name} is answered by Kintone alone, and cannot be sent from here");
        placed(Error::new(Kind::Unsupported, message).with_hint(hint), place)
    }
}

impl Visitor for Elsewhere<'_> {
    type Break = Error;

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Error> {
        match expr {
            Expr::Function(function) if is_native(function) => {
                ControlFlow::Break(self.refused(&function.name))
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<Error> {
        let name = match table {
            TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. } => name,
            _ => return ControlFlow::Continue(()),
        };
        let Expr::Function(function) = function_call("x", vec![]) else { return ControlFlow::Continue(()) };
        if is_native(&Function { name: name.clone(), ..function }) {
            return ControlFlow::Break(self.refused(name));
        }
        ControlFlow::Continue(())
    }
}

/// Marks what stands in WHERE and ON.
struct Conditions<'a> {
    place: Place<'a>,
}

impl VisitorMut for Conditions<'_> {
    type Break = Error;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        match self.select(select) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

impl Conditions<'_> {
    fn select(&self, select: &mut Select) -> Result<()> {
        if let Some(selection) = &mut select.selection {
            self.condition(selection)?;
        }
        select.from.iter_mut().try_for_each(|from| self.joins(from))
    }

    fn joins(&self, from: &mut ast::TableWithJoins) -> Result<()> {
        for join in &mut from.joins {
            use JoinOperator as J;
            if let J::Join(c)
            | J::Inner(c)
            | J::Left(c)
            | J::LeftOuter(c)
            | J::Right(c)
            | J::RightOuter(c)
            | J::FullOuter(c) = &mut join.join_operator
                && let JoinConstraint::On(on) = c
            {
                self.condition(on)?;
            }
        }
        let relations =
            std::iter::once(&mut from.relation).chain(from.joins.iter_mut().map(|j| &mut j.relation));
        for relation in relations {
            if let TableFactor::NestedJoin { table_with_joins, .. } = relation {
                self.joins(table_with_joins)?;
            }
        }
        Ok(())
    }

    /// Down AND, OR, NOT and brackets to the predicates.
    fn condition(&self, expr: &mut Expr) -> Result<()> {
        match expr {
            Expr::Nested(inner) | Expr::UnaryOp { op: UnaryOperator::Not, expr: inner } => {
                self.condition(inner)
            }
            Expr::BinaryOp { left, op: BinaryOperator::And | BinaryOperator::Or, right } => {
                self.condition(left)?;
                self.condition(right)
            }
            predicate => {
                if let Some(marked) = self.predicate(predicate)? {
                    *predicate = marked;
                }
                Ok(())
            }
        }
    }

    /// The predicate with markers, where it has something of Kintone's own.
    fn predicate(&self, expr: &Expr) -> Result<Option<Expr>> {
        match expr {
            Expr::Function(function) => match name_of(function).as_str() {
                MATCH => self.matched(function).map(Some),
                QUERY => self.query(function).map(Some),
                _ => Ok(None),
            },
            Expr::BinaryOp { left, op, right } => self.comparison(left, op, right),
            Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => self.contains(left, right),
            Expr::AllOp { left, compare_op: BinaryOperator::NotEq, right } => {
                Ok(self.contains(left, right)?.map(not))
            }
            Expr::Between { expr, negated, low, high } => {
                if function(low).is_none() && function(high).is_none() {
                    return Ok(None);
                }
                let low = self.compared(expr, &BinaryOperator::GtEq, low)?;
                let high = self.compared(expr, &BinaryOperator::LtEq, high)?;
                let both = joined(low, BinaryOperator::And, high);
                Ok(Some(if *negated { not(both) } else { nested(both) }))
            }
            Expr::InList { expr, list, negated } => {
                let (own, plain): (Vec<_>, Vec<_>) = list.iter().partition(|item| function(item).is_some());
                if own.is_empty() {
                    return Ok(None);
                }
                let marked = own.into_iter().map(|item| self.compared(expr, &BinaryOperator::Eq, item));
                let mut any = marked.collect::<Result<Vec<_>>>()?;
                if !plain.is_empty() {
                    let list = plain.into_iter().cloned().collect();
                    any.push(Expr::InList { expr: expr.clone(), list, negated: false });
                }
                let any = any.into_iter().reduce(|a, b| joined(a, BinaryOperator::Or, b));
                Ok(any.map(|any| if *negated { not(any) } else { nested(any) }))
            }
            _ => Ok(None),
        }
    }

    fn comparison(&self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Result<Option<Expr>> {
        use BinaryOperator as O;
        let flipped = match op {
            O::Eq => O::Eq,
            O::NotEq => O::NotEq,
            O::Lt => O::Gt,
            O::LtEq => O::GtEq,
            O::Gt => O::Lt,
            O::GtEq => O::LtEq,
            _ => return Ok(None),
        };
        match (function(left), function(right)) {
            (None, Some(call)) => self.marked(call, left, &op.to_string()).map(Some),
            (Some(call), None) => self.marked(call, right, &flipped.to_string()).map(Some),
            _ => Ok(None),
        }
    }

    /// A comparison, which may be with a function of Kintone's.
    fn compared(&self, field: &Expr, op: &BinaryOperator, with: &Expr) -> Result<Expr> {
        match function(with) {
            Some(call) => self.marked(call, field, &op.to_string()),
            None => Ok(joined(field.clone(), op.clone(), with.clone())),
        }
    }

    fn contains(&self, item: &Expr, list: &Expr) -> Result<Option<Expr>> {
        function(item).map(|call| self.marked(call, list, "any")).transpose()
    }

    fn marked(&self, call: &Function, field: &Expr, op: &str) -> Result<Expr> {
        let place = (self.place)(start(call));
        let text = call::text_of(call).map_err(|error| placed(error, place))?;
        let args = vec![number(place), field.clone(), string(op), string(&text)];
        Ok(function_call(Marker::Function.name(), args))
    }

    fn matched(&self, function: &Function) -> Result<Expr> {
        let place = (self.place)(start(function));
        let args = expressions(function).unwrap_or_default();
        let [field, word] = args.as_slice() else {
            return Err(placed(wrong_arguments("kintone_match takes a field and a word"), place));
        };
        let args = vec![number(place), (*field).clone(), (*word).clone()];
        Ok(function_call(Marker::Match.name(), args))
    }

    /// The table is said by one of its columns, or by its name alone.
    fn query(&self, function: &Function) -> Result<Expr> {
        let place = (self.place)(start(function));
        let args = expressions(function).unwrap_or_default();
        let (table, text) = match args.as_slice() {
            [text] => (None, *text),
            [table, text] => (Some(*table), *text),
            _ => {
                let what = "kintone_query takes a condition, or a table and a condition";
                return Err(placed(wrong_arguments(what), place));
            }
        };
        // The literal says more than the name of the function.
        let place = (self.place)(text.span().start).or(place);
        let mut args = vec![number(place)];
        args.extend(table.map(|table| match table {
            Expr::Identifier(name) => {
                Expr::CompoundIdentifier(vec![name.clone(), Ident::with_quote('"', "$id")])
            }
            other => other.clone(),
        }));
        args.push(text.clone());
        Ok(function_call(Marker::Query.name(), args))
    }
}

fn wrong_arguments(what: &str) -> Error {
    let hint = "kintone_match(field, 'word'), kintone_query('condition'), kintone_query(table, 'condition')";
    Error::new(Kind::UndefinedFunction, what).with_hint(hint)
}

/// The function of Kintone's that an operand is.
fn function(expr: &Expr) -> Option<&Function> {
    match expr {
        Expr::Function(function) => is_call(function).then_some(function),
        Expr::Nested(inner) => function(inner),
        _ => None,
    }
}

fn joined(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}

fn nested(expr: Expr) -> Expr {
    Expr::Nested(Box::new(expr))
}

fn not(expr: Expr) -> Expr {
    Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(nested(expr)) }
}

fn string(text: &str) -> Expr {
    Expr::value(Value::SingleQuotedString(text.to_owned()))
}

/// A place, 0 where there is none.
fn number(place: Option<usize>) -> Expr {
    Expr::value(Value::Number(place.unwrap_or_default().to_string(), false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::statement;

    fn marked(sql: &str) -> Result<String> {
        let statement = statement::parse(sql)?.remove(0);
        let mut ast = statement.ast.clone();
        mark(&mut ast, &statement)?;
        Ok(ast.to_string())
    }

    #[test]
    fn predicates_become_markers() {
        for (sql, expect) in [
            ("a >= TODAY()", "kintone:function(29, a, '>=', 'TODAY()')"),
            ("today() < a", "kintone:function(24, a, '>', 'TODAY()')"),
            ("NOT LOGINUSER() = ANY(u)", "NOT kintone:function(28, u, 'any', 'LOGINUSER()')"),
            ("LOGINUSER() <> ALL(u)", "NOT (kintone:function(24, u, 'any', 'LOGINUSER()'))"),
            (
                "a BETWEEN FROM_TODAY(-7, DAYS) AND '2026-01-01'",
                "(kintone:function(34, a, '>=', 'FROM_TODAY(-7, DAYS)') AND a <= '2026-01-01')",
            ),
            ("a NOT IN (TODAY(), b)", "NOT (kintone:function(34, a, '=', 'TODAY()') OR a IN (b))"),
            ("kintone_match(m, 'x') OR b", "kintone:match(24, m, 'x') OR b"),
            ("kintone_query('x = 1')", "kintone:query(38, 'x = 1')"),
            ("kintone_query(T, 'x = 1')", "kintone:query(41, T.\"$id\", 'x = 1')"),
        ] {
            let expect = format!("SELECT 1 FROM t WHERE {expect}");
            assert_eq!(marked(&format!("SELECT 1 FROM t  WHERE {sql}")).unwrap(), expect, "{sql}");
        }
    }

    #[test]
    fn elsewhere_they_are_refused_with_their_place() {
        for (sql, position) in [
            ("SELECT TODAY()", 8),
            ("SELECT 1;\nSELECT 1,\n today() + 1 FROM t", 22),
            ("SELECT a FROM t GROUP BY a HAVING max(a) > TODAY()", 44),
            ("SELECT a FROM t ORDER BY LOGINUSER()", 26),
            ("SELECT a FROM t WHERE a = TODAY() + 1", 27),
            ("SELECT a FROM t WHERE (a = TODAY()) IS TRUE", 28),
            ("SELECT a FROM t WHERE TODAY() = TODAY()", 23),
            ("SELECT * FROM today()", 15),
            ("SELECT count(*) FILTER (WHERE kintone_match(a, 'x')) FROM t", 31),
            ("SELECT a FROM t WHERE a = PRIMARY_ORGANIZATION()", 27),
        ] {
            let statement = statement::parse(sql).unwrap().pop().unwrap();
            let error = mark(&mut statement.ast.clone(), &statement).unwrap_err();
            assert_eq!((error.kind, error.position), (Kind::Unsupported, Some(position)), "{sql}: {error}");
        }
        let error = marked("SELECT 1 FROM t WHERE \"kintone:condition\"('a', NULL, 1)").unwrap_err();
        assert_eq!(error.kind, Kind::UndefinedFunction);
    }
}
