//! `(a, b) = (c, d)` is `a = c AND b = d`, and so on for the other comparisons, IN and IS NULL: DataFusion compares rows as
//! values, which knows nothing of a NULL in one.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator,
};

use super::visit::Rule;

pub(super) const RULE: Rule = Rule::Expr(spelled);

fn spelled(expr: &mut Expr) {
    let written = match expr {
        Expr::BinaryOp { left, op, right } => match (items(left), items(right)) {
            (Some(left), Some(right)) if left.len() == right.len() && !left.is_empty() => {
                compared(&left, op, &right)
            }
            _ => None,
        },
        Expr::InList { expr: row, list, negated } => items(row).and_then(|row| within(&row, list, *negated)),
        Expr::IsNull(row) => items(row).and_then(|row| all(row, |item| Expr::IsNull(Box::new(item)))),
        Expr::IsNotNull(row) => items(row).and_then(|row| all(row, |item| Expr::IsNotNull(Box::new(item)))),
        _ => None,
    };
    if let Some(written) = written {
        *expr = Expr::Nested(Box::new(written));
    }
}

/// The values of a row.
fn items(expr: &Expr) -> Option<Vec<Expr>> {
    match expr {
        Expr::Tuple(items) => Some(items.clone()),
        Expr::Nested(inner) => items(inner),
        Expr::Function(Function { name, args: FunctionArguments::List(list), .. })
            if name.to_string().eq_ignore_ascii_case("row") =>
        {
            let item = |arg: &FunctionArg| match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
                _ => None,
            };
            list.args.iter().map(item).collect()
        }
        _ => None,
    }
}

fn all(items: Vec<Expr>, test: impl Fn(Expr) -> Expr) -> Option<Expr> {
    items.into_iter().map(test).reduce(|left, right| binary(left, BinaryOperator::And, right))
}

fn compared(left: &[Expr], op: &BinaryOperator, right: &[Expr]) -> Option<Expr> {
    use BinaryOperator as B;
    let pairs = || left.iter().cloned().zip(right.iter().cloned());
    let each = |op: &B, with: B| {
        let each = pairs().map(|(left, right)| binary(left, op.clone(), right));
        each.reduce(|left, right| binary(left, with.clone(), right))
    };
    match op {
        B::Eq => each(op, B::And),
        B::NotEq => each(op, B::Or),
        B::Lt | B::LtEq | B::Gt | B::GtEq => {
            let strict = if matches!(op, B::Lt | B::LtEq) { B::Lt } else { B::Gt };
            let mut pairs = pairs().rev();
            let (left, right) = pairs.next()?;
            // The later values decide where the earlier ones are equal.
            Some(pairs.fold(binary(left, op.clone(), right), |rest, (left, right)| {
                let equal = binary(left.clone(), B::Eq, right.clone());
                let rest = Expr::Nested(Box::new(binary(equal, B::And, Expr::Nested(Box::new(rest)))));
                binary(binary(left, strict.clone(), right), B::Or, rest)
            }))
        }
        _ => None,
    }
}

fn within(row: &[Expr], list: &[Expr], negated: bool) -> Option<Expr> {
    let equal = list.iter().map(|one| {
        let one = items(one).filter(|one| one.len() == row.len())?;
        compared(row, &BinaryOperator::Eq, &one).map(|equal| Expr::Nested(Box::new(equal)))
    });
    let equal = equal.collect::<Option<Vec<_>>>()?;
    let any = equal.into_iter().reduce(|left, right| binary(left, BinaryOperator::Or, right))?;
    Some(if negated {
        Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(Expr::Nested(Box::new(any))) }
    } else {
        any
    })
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn rows_are_compared_value_by_value() {
        check(
            RULE,
            "SELECT (a, b) = (1, 2), row(a, b) <> (1, 2)",
            "SELECT (a = 1 AND b = 2), (a <> 1 OR b <> 2)",
        );
        check(RULE, "SELECT (a, b) <= (1, 2)", "SELECT (a < 1 OR (a = 1 AND (b <= 2)))");
        check(RULE, "SELECT (a, b) IN ((1, 2), (3, 4))", "SELECT ((a = 1 AND b = 2) OR (a = 3 AND b = 4))");
        check(RULE, "SELECT (a, b) NOT IN ((1, 2))", "SELECT (NOT ((a = 1 AND b = 2)))");
        check(RULE, "SELECT (a, b) IS NULL", "SELECT (a IS NULL AND b IS NULL)");
        check(RULE, "SELECT a IN (1, 2), (a, b) IN ((1, 2), c)", "SELECT a IN (1, 2), (a, b) IN ((1, 2), c)");
    }
}
