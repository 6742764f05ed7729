//! The names of `WINDOW w AS (...)` and `OVER w`, folded as all names without quotes are.

use datafusion::sql::sqlparser::ast::{Expr, Ident, NamedWindowExpr, Select, WindowType};

use super::visit::Rule;

/// Where windows are named.
pub(super) const DEFINITION: Rule = Rule::Select(definitions);
/// Where a name is used.
pub(super) const USE: Rule = Rule::Expr(used);

fn definitions(select: &mut Select) {
    for definition in &mut select.named_window {
        fold(&mut definition.0);
        match &mut definition.1 {
            NamedWindowExpr::NamedWindow(name) => fold(name),
            NamedWindowExpr::WindowSpec(window) => window.window_name.iter_mut().for_each(fold),
        }
    }
}

fn used(expr: &mut Expr) {
    let Expr::Function(function) = expr else { return };
    match &mut function.over {
        Some(WindowType::NamedWindow(name)) => fold(name),
        Some(WindowType::WindowSpec(window)) => window.window_name.iter_mut().for_each(fold),
        None => {}
    }
}

fn fold(name: &mut Ident) {
    if name.quote_style.is_none() {
        name.value = name.value.to_lowercase();
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn names_without_quotes_are_folded() {
        check(
            DEFINITION,
            "SELECT sum(a) OVER x FROM t WINDOW W AS (PARTITION BY b), \"W\" AS (V ORDER BY a)",
            "SELECT sum(a) OVER x FROM t WINDOW w AS (PARTITION BY b), \"W\" AS (v ORDER BY a)",
        );
        check(
            USE,
            "SELECT sum(a) OVER W, sum(a) OVER (W ORDER BY b)",
            "SELECT sum(a) OVER w, sum(a) OVER (w ORDER BY b)",
        );
    }
}
