//! `substring(x FROM 'pattern')` is the part that the pattern's first group matches, or the whole of what it matches.

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Value,
};

use super::visit::Rule;
use super::{call, number, take};

pub(super) const RULE: Rule = Rule::Expr(matched);

fn matched(expr: &mut Expr) {
    let (text, pattern) = match expr {
        Expr::Substring { expr, substring_from: Some(pattern), substring_for: None, .. } => {
            (expr.as_mut(), pattern.as_mut())
        }
        Expr::Function(Function { name, args: FunctionArguments::List(list), .. }) => {
            let name = name.0.last().and_then(|part| part.as_ident());
            if !name.is_some_and(|name| name.value.eq_ignore_ascii_case("substring")) {
                return;
            }
            match list.args.as_mut_slice() {
                [
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(text)),
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(pattern)),
                ] => (text, pattern),
                _ => return,
            }
        }
        _ => return,
    };
    if matches!(pattern, Expr::Value(value) if matches!(value.value, Value::SingleQuotedString(_))) {
        let groups = call("regexp_match", vec![take(text), take(pattern)]);
        *expr = call("array_element", vec![groups, number(1)]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn a_pattern_is_matched() {
        let after = "SELECT array_element(regexp_match(x, 'f=([0-9]*)'), 1) FROM t";
        check(RULE, "SELECT substring(x FROM 'f=([0-9]*)') FROM t", after);
        check(RULE, "SELECT \"substring\"(x, 'f=([0-9]*)') FROM t", after);
        let place = "SELECT SUBSTRING(x FROM 2 FOR 3) FROM t";
        check(RULE, place, place);
    }
}
