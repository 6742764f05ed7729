//! Functions that are written without parentheses: `current_schema`, `current_user`, `session_user` ...

use datafusion::sql::sqlparser::ast::{Expr, Function, FunctionArguments, Ident};

use super::call;
use super::visit::Rule;

pub(super) const RULE: Rule = Rule::Expr(with_parentheses);

const KEYWORDS: &[&str] =
    &["current_catalog", "current_role", "current_schema", "current_user", "session_user", "user"];

/// Whether a name without quotes is one of these functions.
pub(super) fn is_keyword(name: &Ident) -> bool {
    name.quote_style.is_none() && KEYWORDS.contains(&name.value.to_lowercase().as_str())
}

fn with_parentheses(expr: &mut Expr) {
    let name = match expr {
        Expr::Identifier(Ident { value, quote_style: None, .. }) => value.to_lowercase(),
        Expr::Function(Function { name, args: FunctionArguments::None, .. }) => {
            name.to_string().to_lowercase()
        }
        _ => return,
    };
    if KEYWORDS.contains(&name.as_str()) {
        *expr = call(&name, vec![]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn a_keyword_is_a_function() {
        check(RULE, "SELECT current_schema, CURRENT_USER", "SELECT current_schema(), current_user()");
        check(RULE, "SELECT \"user\"", "SELECT \"user\"");
    }
}
