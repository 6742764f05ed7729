//! Tokens as an expression tree.
//!
//! From loose to tight: comparison, `&`, `+ -`, `* /`, `^`, a sign in front; equal ones from left to right, as
//! in a spreadsheet.

use std::sync::Arc;

use super::super::value::Decimal;
use super::Fault;
use super::function::Function;
use super::lexer::{Token, tokens};

/// How deep parentheses and calls may nest.
const DEEPEST: usize = 100;
/// Tokens of a formula; an operator each makes the tree deeper.
const MOST_TOKENS: usize = 2_000;

/// An operator between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Join,
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}
use Operator::{
    Add, Divide, Equal, Greater, GreaterEqual, Join, Less, LessEqual, Multiply, NotEqual, Power, Subtract,
};

/// Signs by level, the loosest first.
const LEVELS: &[&[(&str, Operator)]] = &[
    &[
        ("=", Equal),
        ("!=", NotEqual),
        ("<>", NotEqual),
        ("<", Less),
        ("<=", LessEqual),
        (">", Greater),
        (">=", GreaterEqual),
    ],
    &[("&", Join)],
    &[("+", Add), ("-", Subtract)],
    &[("*", Multiply), ("/", Divide)],
    &[("^", Power)],
];

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    Number(Decimal),
    Text(Arc<str>),
    /// By code.
    Field(String),
    Minus(Box<Expression>),
    Plus(Box<Expression>),
    Two(Operator, Box<Expression>, Box<Expression>),
    Call(Function, Vec<Expression>),
}

impl Expression {
    /// Every field code in it.
    pub(super) fn fields<'a>(&'a self, found: &mut Vec<&'a str>) {
        match self {
            Expression::Number(_) | Expression::Text(_) => {}
            Expression::Field(code) => found.push(code),
            Expression::Minus(inner) | Expression::Plus(inner) => inner.fields(found),
            Expression::Two(_, left, right) => {
                left.fields(found);
                right.fields(found);
            }
            Expression::Call(_, arguments) => arguments.iter().for_each(|inner| inner.fields(found)),
        }
    }
}

/// Reads a formula.
pub(super) fn parse(text: &str) -> Result<Expression, Fault> {
    let tokens = tokens(text)?;
    if tokens.len() > MOST_TOKENS {
        return Err(Fault::grammar());
    }
    let mut parser = Parser { tokens, at: 0, depth: 0 };
    let expression = parser.level(0)?;
    if parser.at == parser.tokens.len() { Ok(expression) } else { Err(Fault::grammar()) }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn take_sign(&mut self, wanted: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Sign(sign)) if *sign == wanted);
        self.at += usize::from(found);
        found
    }

    fn level(&mut self, level: usize) -> Result<Expression, Fault> {
        let Some(operators) = LEVELS.get(level) else { return self.signed() };
        let mut left = self.level(level + 1)?;
        while let Some((_, operator)) = operators.iter().find(|(sign, _)| self.take_sign(sign)) {
            let right = self.level(level + 1)?;
            left = Expression::Two(*operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn signed(&mut self) -> Result<Expression, Fault> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Fault::grammar());
        }
        let expression = if self.take_sign("-") {
            Expression::Minus(Box::new(self.signed()?))
        } else if self.take_sign("+") {
            Expression::Plus(Box::new(self.signed()?))
        } else {
            self.primary()?
        };
        self.depth -= 1;
        Ok(expression)
    }

    fn primary(&mut self) -> Result<Expression, Fault> {
        if self.take_sign("(") {
            let inner = self.level(0)?;
            return if self.take_sign(")") { Ok(inner) } else { Err(Fault::grammar()) };
        }
        let token = self.tokens.get(self.at).cloned().ok_or_else(Fault::grammar)?;
        self.at += 1;
        match token {
            Token::Number(number) => Ok(Expression::Number(number)),
            Token::Text(text) => Ok(Expression::Text(text.into())),
            Token::Word(word) if self.take_sign("(") => self.call(&word),
            Token::Word(word) => Ok(Expression::Field(word)),
            Token::Sign(_) => Err(Fault::grammar()),
        }
    }

    fn call(&mut self, name: &str) -> Result<Expression, Fault> {
        let function = Function::from_name(name)
            .ok_or_else(|| Fault::new(format!("The function {name} cannot be used.")))?;
        let mut arguments = vec![];
        if !self.take_sign(")") {
            loop {
                arguments.push(self.level(0)?);
                if self.take_sign(")") {
                    break;
                }
                if !self.take_sign(",") {
                    return Err(Fault::grammar());
                }
            }
        }
        function.check_count(arguments.len())?;
        Ok(Expression::Call(function, arguments))
    }
}
