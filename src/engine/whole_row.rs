//! A relation's name in the place of a value: `count(d.*)`, `row_to_json(d)`, `SELECT d`.
//!
//! A row that an outer join did not find is NULL as a whole.

use datafusion::sql::sqlparser::ast::{
    CaseWhen, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, Value,
};

use super::dialect::call;

/// `count(d.*)` with the name that it names, and the function.
pub(super) fn counted(expr: &mut Expr) -> Option<(ObjectName, &mut Function)> {
    let Expr::Function(function) = expr else { return None };
    if !function.name.to_string().eq_ignore_ascii_case("count") {
        return None;
    }
    let FunctionArguments::List(list) = &function.args else { return None };
    let [FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(name))] = list.args.as_slice() else {
        return None;
    };
    if list.duplicate_treatment.is_some() {
        return None;
    }
    let name = name.clone();
    Some((name, function))
}

/// Makes it a count of the rows of which some column has a value.
pub(super) fn count_rows(function: &mut Function, alias: &str, columns: &[String]) {
    if let FunctionArguments::List(list) = &mut function.args {
        list.args = vec![FunctionArg::Unnamed(FunctionArgExpr::Wildcard)];
    }
    let there = is_there(alias, columns);
    function.filter = Some(Box::new(match function.filter.take() {
        None => there,
        Some(filter) => Expr::BinaryOp {
            left: Box::new(Expr::Nested(filter)),
            op: datafusion::sql::sqlparser::ast::BinaryOperator::And,
            right: Box::new(there),
        },
    }));
}

/// The row as a value with a field for each column.
pub(super) fn row(alias: &str, columns: &[String]) -> Expr {
    let fields = columns
        .iter()
        .flat_map(|column| [Expr::value(Value::SingleQuotedString(column.clone())), of(alias, column)]);
    Expr::Case {
        case_token: datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken::empty(),
        end_token: datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken::empty(),
        operand: None,
        conditions: vec![CaseWhen {
            condition: is_there(alias, columns),
            result: call("pg_row", fields.collect()),
        }],
        else_result: None,
    }
}

/// A row as text, where it is a column of a result: there is no type of rows here.
pub(super) fn shown(row: Expr) -> Expr {
    call("pg_record_text", vec![row])
}

fn is_there(alias: &str, columns: &[String]) -> Expr {
    call("pg_has_value", columns.iter().map(|column| of(alias, column)).collect())
}

/// A column of a relation.
pub(super) fn of(alias: &str, column: &str) -> Expr {
    Expr::CompoundIdentifier(vec![Ident::with_quote('"', alias), Ident::with_quote('"', column)])
}
