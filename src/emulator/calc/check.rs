//! Whether a form's formulas can be used, which Kintone looks at when a form goes live (GAIA_IL01).

use std::collections::HashMap;

use super::super::field::{Domain, Field, Kind, Place};
use super::Fault;
use super::function::Function;
use super::parser::{Expression, Operator, parse};

/// What an expression gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Number,
    Text,
    Truth,
    Numbers,
    Texts,
    /// Of `IF` with branches of two types.
    Either,
}

impl Type {
    fn fits(self, wanted: Type) -> bool {
        self == wanted || self == Type::Either
    }
}

/// Field by code, with the cell of the table that it is a column of.
type Fields<'a> = HashMap<&'a str, &'a Field>;

/// Refuses a form where a formula cannot be used: the field's label or code, and why.
pub(in super::super) fn check_form(fields: &[Field]) -> Result<(), (String, String)> {
    for field in fields.iter().chain(fields.iter().flat_map(|field| &field.columns)) {
        if super::formula_of(field).is_some() {
            let named = |fault: Fault| (field.code.to_string(), fault.reason);
            check(field.text("expression"), fields, field.place).map_err(named)?;
        }
    }
    match super::in_order(fields).1.first() {
        Some(code) => Err((code.to_string(), "The fields refer to each other in a circle.".to_owned())),
        None => Ok(()),
    }
}

/// Refuses a formula that cannot be used in a field at that place of a form.
pub(in super::super) fn check(expression: &str, fields: &[Field], place: Place) -> Result<(), Fault> {
    let all: Fields<'_> = fields
        .iter()
        .chain(fields.iter().flat_map(|field| &field.columns))
        .map(|field| (&*field.code, field))
        .collect();
    let result = type_of(&parse(expression)?, &all, place)?;
    if matches!(result, Type::Numbers | Type::Texts) { Err(no_list()) } else { Ok(()) }
}

fn no_list() -> Fault {
    Fault::new("A list of values is used without a function that takes one.")
}

fn type_of(expression: &Expression, fields: &Fields<'_>, place: Place) -> Result<Type, Fault> {
    match expression {
        Expression::Number(_) => Ok(Type::Number),
        Expression::Text(_) => Ok(Type::Text),
        Expression::Field(code) => field_type(code, fields, place),
        Expression::Minus(inner) | Expression::Plus(inner) => {
            let inner = type_of(inner, fields, place)?;
            if inner.fits(Type::Number) { Ok(Type::Number) } else { Err(wrong_operand(inner, "-")) }
        }
        Expression::Two(operator, left, right) => {
            operator_type(*operator, type_of(left, fields, place)?, type_of(right, fields, place)?)
        }
        Expression::Call(function, arguments) => {
            let types = arguments.iter().map(|argument| type_of(argument, fields, place));
            function_type(*function, &types.collect::<Result<Vec<_>, _>>()?)
        }
    }
}

fn field_type(code: &str, fields: &Fields<'_>, place: Place) -> Result<Type, Fault> {
    let field =
        fields.get(code).ok_or_else(|| Fault::new(format!("There is no field {code} in the form.")))?;
    let lists = match (field.place, place) {
        (Place::Column(theirs, _), Place::Column(own, _)) => theirs != own,
        (Place::Column(..), _) => true,
        _ => false,
    };
    let single = match field.kind {
        Kind::SingleLineText | Kind::DropDown | Kind::RadioButton | Kind::Creator | Kind::Modifier => {
            Type::Text
        }
        Kind::CheckBox | Kind::MultiSelect => Type::Texts,
        Kind::Number | Kind::Calc => Type::Number,
        _ if matches!(field.domain, Domain::Date | Domain::Time | Domain::DateTime) => Type::Number,
        kind => {
            return Err(Fault::new(format!("A field of type {} cannot be used in a formula.", kind.name())));
        }
    };
    Ok(match (lists, single) {
        (true, Type::Number) => Type::Numbers,
        (true, Type::Text) => Type::Texts,
        (_, single) => single,
    })
}

fn wrong_operand(operand: Type, sign: &str) -> Fault {
    if matches!(operand, Type::Numbers | Type::Texts) {
        return no_list();
    }
    Fault::new(format!("The operator {sign} does not go with these types of values."))
}

fn operator_type(operator: Operator, left: Type, right: Type) -> Result<Type, Fault> {
    let both = |wanted: Type| left.fits(wanted) && right.fits(wanted);
    let is_value = |value: Type| value.fits(Type::Number) || value == Type::Text;
    let (fits, result, sign) = match operator {
        Operator::Join => (is_value(left) && is_value(right), Type::Text, "&"),
        Operator::Equal | Operator::NotEqual => {
            // A number is held against "" too.
            ((is_value(left) && is_value(right)) || both(Type::Truth), Type::Truth, "=")
        }
        Operator::Less | Operator::LessEqual => (both(Type::Number), Type::Truth, "<"),
        Operator::Greater | Operator::GreaterEqual => (both(Type::Number), Type::Truth, ">"),
        Operator::Add => (both(Type::Number), Type::Number, "+"),
        Operator::Subtract => (both(Type::Number), Type::Number, "-"),
        Operator::Multiply => (both(Type::Number), Type::Number, "*"),
        Operator::Divide => (both(Type::Number), Type::Number, "/"),
        Operator::Power => (both(Type::Number), Type::Number, "^"),
    };
    if fits {
        return Ok(result);
    }
    let list = [left, right].into_iter().find(|side| matches!(side, Type::Numbers | Type::Texts));
    Err(wrong_operand(list.unwrap_or(left), sign))
}

fn function_type(function: Function, arguments: &[Type]) -> Result<Type, Fault> {
    let all = |wanted: Type| arguments.iter().all(|argument| argument.fits(wanted));
    let each = |wanted: &[Type]| arguments.iter().zip(wanted).all(|(argument, w)| argument.fits(*w));
    let (fits, result) = match function {
        Function::Sum => {
            (arguments.iter().all(|a| a.fits(Type::Number) || *a == Type::Numbers), Type::Number)
        }
        Function::If => {
            let branches = arguments.get(1..).unwrap_or_default();
            let lists = branches.iter().any(|b| matches!(b, Type::Numbers | Type::Texts));
            let result = match branches {
                [left, right] if left == right => *left,
                _ => Type::Either,
            };
            (each(&[Type::Truth]) && !lists, result)
        }
        Function::And | Function::Or | Function::Not => (all(Type::Truth), Type::Truth),
        Function::Round | Function::RoundUp | Function::RoundDown => (all(Type::Number), Type::Number),
        Function::Yen => (all(Type::Number), Type::Text),
        Function::DateFormat => (each(&[Type::Number, Type::Text, Type::Text]), Type::Text),
        Function::Contains => (each(&[Type::Texts, Type::Text]), Type::Truth),
    };
    if fits {
        return Ok(result);
    }
    let message = format!("The function {} does not go with these types of arguments.", function.name());
    Err(Fault::new(message))
}
