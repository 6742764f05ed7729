//! Tokens to a syntax tree, by precedence climbing.

use super::token::{Placed, Token, tokenize};
use super::{Limits, Literal};
use crate::error::{Error, Kind, Result};

/// A node and where it begins in the option's text, in characters from 1.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Expression {
    pub(in super::super) node: Node,
    pub(in super::super) position: usize,
}

/// What an expression is made of. `and` and `or` are flat lists: a thousand terms are no depth.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Node {
    Literal(Literal),
    /// A property, or a longer path: its segments.
    Path(Vec<String>),
    Not(Box<Expression>),
    Negate(Box<Expression>),
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Compare(Comparison, Box<Expression>, Box<Expression>),
    Calculate(Arithmetic, Box<Expression>, Box<Expression>),
    /// `x in (1,2)`
    In(Box<Expression>, Vec<Expression>),
    /// `'a' in Tags`
    InCollection(Box<Expression>, Box<Expression>),
    Call(String, Vec<Expression>),
    /// `Tags/any(x:x eq 'a')`: path, `any` or `all`, variable and condition
    Lambda(Vec<String>, String, Option<(String, Box<Expression>)>),
}

/// `eq ne gt ge lt le`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Comparison {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

impl Comparison {
    /// The same with the sides exchanged: `5 lt x` is `x gt 5`.
    pub(in super::super) fn mirrored(self) -> Self {
        match self {
            Self::Gt => Self::Lt,
            Self::Ge => Self::Le,
            Self::Lt => Self::Gt,
            Self::Le => Self::Ge,
            same => same,
        }
    }
}

/// `add sub mul div divby mod`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Arithmetic {
    Add,
    Sub,
    Mul,
    Div,
    DivBy,
    Mod,
}

/// One item of `$orderby`.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct OrderItem {
    pub(in super::super) expression: Expression,
    pub(in super::super) descending: bool,
}

/// An operator between two operands and how tightly it binds (OData 4.01, part 2, operator precedence).
#[derive(Clone, Copy)]
enum Infix {
    Or,
    And,
    Compare(Comparison),
    Calculate(Arithmetic),
    In,
}

impl Infix {
    fn of(word: &str) -> Option<(Self, u8)> {
        Some(match word.to_ascii_lowercase().as_str() {
            "or" => (Self::Or, 1),
            "and" => (Self::And, 2),
            "eq" => (Self::Compare(Comparison::Eq), 3),
            "ne" => (Self::Compare(Comparison::Ne), 3),
            "gt" => (Self::Compare(Comparison::Gt), 4),
            "ge" => (Self::Compare(Comparison::Ge), 4),
            "lt" => (Self::Compare(Comparison::Lt), 4),
            "le" => (Self::Compare(Comparison::Le), 4),
            "add" => (Self::Calculate(Arithmetic::Add), 5),
            "sub" => (Self::Calculate(Arithmetic::Sub), 5),
            "mul" => (Self::Calculate(Arithmetic::Mul), 6),
            "div" => (Self::Calculate(Arithmetic::Div), 6),
            "divby" => (Self::Calculate(Arithmetic::DivBy), 6),
            "mod" => (Self::Calculate(Arithmetic::Mod), 6),
            "in" => (Self::In, 8),
            _ => return None,
        })
    }
}

/// Binds tighter than every infix operator but `in`.
const UNARY: u8 = 7;

/// A whole text as one expression.
pub(in super::super) fn parse_expression(text: &str, limits: &mut Limits) -> Result<Expression> {
    let mut parser = Parser::new(text, limits)?;
    let expression = parser.expression(0, 0)?;
    parser.end()?;
    Ok(expression)
}

/// `A desc,B` of `$orderby`.
pub(in super::super) fn parse_order(text: &str, limits: &mut Limits) -> Result<Vec<OrderItem>> {
    /// Enough for any list on a screen.
    const LONGEST: usize = 16;
    let mut parser = Parser::new(text, limits)?;
    let mut out = vec![];
    loop {
        let expression = parser.expression(0, 0)?;
        let descending = match parser.take_word().map(|word| word.to_ascii_lowercase()).as_deref() {
            Some("desc") => true,
            Some("asc") | None => false,
            Some(other) => return Err(parser.unexpected(&format!("\"{other}\""))),
        };
        out.push(OrderItem { expression, descending });
        if !parser.accept(&Token::Comma) {
            break;
        }
    }
    parser.end()?;
    if out.len() > LONGEST {
        return Err(Error::new(Kind::TooComplex, format!("$orderby has more than {LONGEST} items")));
    }
    Ok(out)
}

/// The inside of `Set(...)`: one value, or `Name=value` pairs.
pub(in super::super) fn parse_key(
    text: &str,
    limits: &mut Limits,
) -> Result<Vec<(Option<String>, Expression)>> {
    let mut parser = Parser::new(text, limits)?;
    let mut out = vec![];
    loop {
        let named = matches!(parser.peek_at(1), Some(Token::Equals));
        let name = if named { parser.take_word() } else { None };
        if named && !parser.accept(&Token::Equals) {
            return Err(parser.unexpected("the key"));
        }
        out.push((name, parser.operand(0)?));
        if !parser.accept(&Token::Comma) {
            break;
        }
    }
    parser.end()?;
    Ok(out)
}

/// Where in the tokens the reading stands.
struct Parser<'a> {
    tokens: Vec<Placed>,
    next: usize,
    limits: &'a mut Limits,
}

impl<'a> Parser<'a> {
    fn new(text: &str, limits: &'a mut Limits) -> Result<Self> {
        Limits::check_text(text)?;
        Ok(Self { tokens: tokenize(text)?, next: 0, limits })
    }

    fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |placed| &placed.token)
    }

    fn peek_at(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.next + ahead).map(|placed| &placed.token)
    }

    fn position(&self) -> usize {
        self.tokens.get(self.next).or(self.tokens.last()).map_or(1, |placed| placed.position)
    }

    fn is_spaced(&self, index: usize) -> bool {
        self.tokens.get(index).is_none_or(|placed| placed.spaced)
    }

    fn accept(&mut self, token: &Token) -> bool {
        let found = self.peek() == token;
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, token: &Token, name: &str) -> Result<()> {
        if self.accept(token) { Ok(()) } else { Err(self.missing(name)) }
    }

    fn take_word(&mut self) -> Option<String> {
        let Token::Word(word) = self.peek() else { return None };
        let word = word.clone();
        self.next += 1;
        Some(word)
    }

    fn end(&self) -> Result<()> {
        if *self.peek() == Token::End { Ok(()) } else { Err(self.missing("an operator or the end")) }
    }

    fn missing(&self, name: &str) -> Error {
        Error::new(Kind::Syntax, format!("{name} is expected")).with_position(self.position())
    }

    fn unexpected(&self, what: &str) -> Error {
        Error::new(Kind::Syntax, format!("{what} is not expected here")).with_position(self.position())
    }

    fn node(&mut self, node: Node, position: usize) -> Result<Expression> {
        self.limits.charge()?;
        Ok(Expression { node, position })
    }

    /// An expression whose operators bind tighter than `least`.
    fn expression(&mut self, least: u8, depth: usize) -> Result<Expression> {
        Limits::check_depth(depth)?;
        let mut left = self.operand(depth)?;
        // Every further operator of a chain wraps what is before it, and so counts as depth.
        let mut level = depth;
        loop {
            let Token::Word(word) = self.peek() else { return Ok(left) };
            if word.eq_ignore_ascii_case("has") {
                return Err(Error::unsupported("the operator has").with_position(self.position()));
            }
            let Some((infix, binding)) = Infix::of(word).filter(|(_, binding)| *binding > least) else {
                return Ok(left);
            };
            self.check_spaces()?;
            self.next += 1;
            if !matches!(infix, Infix::And | Infix::Or) {
                level += 1;
                Limits::check_depth(level)?;
            }
            left = self.combine(left, infix, binding, level)?;
        }
    }

    /// `1add 2` is not an expression.
    fn check_spaces(&self) -> Result<()> {
        let brackets = |index: Option<usize>, token: &Token| {
            index.and_then(|i| self.tokens.get(i)).is_some_and(|placed| placed.token == *token)
        };
        let before = self.is_spaced(self.next) || brackets(self.next.checked_sub(1), &Token::Close);
        let after = self.is_spaced(self.next + 1)
            || brackets(Some(self.next + 1), &Token::Open)
            || brackets(Some(self.next + 1), &Token::End);
        if before && after { Ok(()) } else { Err(self.missing("a space around the operator")) }
    }

    fn combine(&mut self, left: Expression, infix: Infix, binding: u8, depth: usize) -> Result<Expression> {
        let position = left.position;
        let node = match infix {
            Infix::In => return self.in_list(left, depth),
            Infix::Or => {
                let right = self.expression(binding, depth)?;
                Node::Or(joined(
                    left,
                    right,
                    |node| if let Node::Or(all) = node { Ok(all) } else { Err(node) },
                ))
            }
            Infix::And => {
                let right = self.expression(binding, depth)?;
                Node::And(joined(
                    left,
                    right,
                    |node| if let Node::And(all) = node { Ok(all) } else { Err(node) },
                ))
            }
            Infix::Compare(op) => Node::Compare(op, left.into(), self.expression(binding, depth + 1)?.into()),
            Infix::Calculate(op) => {
                Node::Calculate(op, left.into(), self.expression(binding, depth + 1)?.into())
            }
        };
        self.node(node, position)
    }

    fn in_list(&mut self, left: Expression, depth: usize) -> Result<Expression> {
        let position = left.position;
        if !self.accept(&Token::Open) {
            let collection = self.operand(depth + 1)?;
            return self.node(Node::InCollection(left.into(), collection.into()), position);
        }
        let mut items = vec![];
        if !self.accept(&Token::Close) {
            loop {
                let budget = self.limits.clone();
                items.push(self.operand(depth + 1)?);
                *self.limits = budget;
                Limits::check_list(items.len())?;
                if !self.accept(&Token::Comma) {
                    break;
                }
            }
            self.expect(&Token::Close, "\")\"")?;
        }
        self.node(Node::In(left.into(), items), position)
    }

    fn operand(&mut self, depth: usize) -> Result<Expression> {
        Limits::check_depth(depth)?;
        let position = self.position();
        match self.peek().clone() {
            Token::Literal(literal) => {
                self.next += 1;
                self.node(Node::Literal(literal), position)
            }
            Token::Open => {
                self.next += 1;
                let inner = self.expression(0, depth + 1)?;
                self.expect(&Token::Close, "\")\"")?;
                Ok(inner)
            }
            Token::Minus => {
                self.next += 1;
                let inner = self.expression(UNARY, depth + 1)?;
                self.node(Node::Negate(inner.into()), position)
            }
            Token::Word(word) if word.eq_ignore_ascii_case("not") && self.begins_operand(1) => {
                self.next += 1;
                let inner = self.expression(UNARY, depth + 1)?;
                self.node(Node::Not(inner.into()), position)
            }
            Token::Word(word) => {
                self.next += 1;
                if self.accept(&Token::Open) {
                    self.call(word, position, depth)
                } else {
                    self.path(word, position, depth)
                }
            }
            Token::End => Err(self.missing("a value, a property or a function")),
            _ => Err(self.unexpected("this")),
        }
    }

    /// Whether an operand may begin there: tells `not x` from a property that is called `not`.
    fn begins_operand(&self, ahead: usize) -> bool {
        match self.peek_at(ahead) {
            Some(Token::Word(word)) => {
                Infix::of(word).is_none() || self.peek_at(ahead + 1) == Some(&Token::Open)
            }
            Some(Token::Literal(_) | Token::Open | Token::Minus) => true,
            _ => false,
        }
    }

    fn call(&mut self, name: String, position: usize, depth: usize) -> Result<Expression> {
        let mut arguments = vec![];
        if !self.accept(&Token::Close) {
            loop {
                arguments.push(self.expression(0, depth + 1)?);
                if !self.accept(&Token::Comma) {
                    break;
                }
            }
            self.expect(&Token::Close, "\")\"")?;
        }
        self.node(Node::Call(name, arguments), position)
    }

    fn path(&mut self, first: String, position: usize, depth: usize) -> Result<Expression> {
        let mut segments = vec![first];
        while self.accept(&Token::Slash) {
            let Some(word) = self.take_word() else { return Err(self.missing("a name")) };
            if matches!(word.to_ascii_lowercase().as_str(), "any" | "all") && self.accept(&Token::Open) {
                return self.lambda(segments, &word, position, depth);
            }
            if *self.peek() == Token::Open {
                return Err(
                    Error::unsupported(format!("the function {word} in a path")).with_position(position)
                );
            }
            segments.push(word);
        }
        self.node(Node::Path(segments), position)
    }

    fn lambda(&mut self, path: Vec<String>, word: &str, position: usize, depth: usize) -> Result<Expression> {
        let word = word.to_ascii_lowercase();
        if word == "any" && self.accept(&Token::Close) {
            return self.node(Node::Lambda(path, word, None), position);
        }
        let Some(variable) = self.take_word() else { return Err(self.missing("a variable")) };
        self.expect(&Token::Colon, "\":\"")?;
        let condition = self.expression(0, depth + 1)?;
        self.expect(&Token::Close, "\")\"")?;
        self.node(Node::Lambda(path, word, Some((variable, condition.into()))), position)
    }
}

/// The terms of a chain as one list. Only what is to the left may be a chain of the same operator already.
fn joined(
    left: Expression,
    right: Expression,
    terms: impl Fn(Node) -> Result<Vec<Expression>, Node>,
) -> Vec<Expression> {
    let position = left.position;
    let mut all = terms(left.node).unwrap_or_else(|node| vec![Expression { node, position }]);
    all.push(right);
    all
}
