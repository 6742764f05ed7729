//! Tokens to a query (K§3.1). Knows no fields.

use super::super::reply::{Failure, LIMIT_TOO_LARGE, OFFSET_TOO_LARGE};
use super::super::unknown::{DEEPEST_NESTING, Undirected, Unknowns};
use super::lexer::{self, Token};

/// Records in an answer where no `limit` is given.
pub(super) const DEFAULT_LIMIT: usize = 100;
const KEYWORDS: &[&str] =
    &["and", "or", "not", "in", "like", "is", "empty", "order", "by", "asc", "desc", "limit", "offset"];
const LARGEST_LIMIT: usize = 500;
const LARGEST_OFFSET: usize = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    Greater,
    LessEqual,
    GreaterEqual,
    In,
    NotIn,
    Like,
    NotLike,
    IsEmpty,
    IsNotEmpty,
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operand {
    Text(String),
    Number(String),
    Function(String, Vec<Argument>),
}

/// An argument of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Argument {
    Number(String),
    Word(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Predicate {
    /// The related records' field, of `Related.field`.
    pub(super) related: Option<String>,
    pub(super) field: String,
    pub(super) operator: Operator,
    pub(super) operands: Vec<Operand>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Predicate(Predicate),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) related: Option<String>,
    pub(super) field: String,
    pub(super) ascending: bool,
}

/// A query that follows the grammar.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Query {
    pub(super) condition: Option<Condition>,
    pub(super) order: Vec<Key>,
    pub(super) limit: Option<usize>,
    pub(super) offset: Option<usize>,
}

/// Reads a query, or only its refusal: `CB_VA01` on `query`, or a limit or offset that is too large.
pub(super) fn parse(text: &str, unknowns: Unknowns) -> Result<Query, Failure> {
    let tokens = lexer::tokens(text).map_err(|at| syntax(text, at))?;
    let mut parser = Parser { tokens: &tokens, next: 0, depth: 0, unknowns };
    let query = parser.query().ok_or_else(|| {
        let at = tokens.get(parser.next).map_or(text.len(), |(_, at)| *at);
        syntax(text, at)
    })?;
    let number = |written: Option<String>| written.map(|n| n.parse::<usize>().unwrap_or(usize::MAX));
    let (limit, offset) = (number(query.limit), number(query.offset));
    if limit == Some(0) && !unknowns.limit_zero {
        return Err(Failure::invalid("query", format!("limit must be 1 to {LARGEST_LIMIT}.")));
    }
    if limit.is_some_and(|limit| limit > LARGEST_LIMIT) {
        return Err(LIMIT_TOO_LARGE.into());
    }
    if offset.is_some_and(|offset| offset > LARGEST_OFFSET) && !unknowns.large_offsets {
        return Err(OFFSET_TOO_LARGE.into());
    }
    Ok(Query { condition: query.condition, order: query.order, limit, offset })
}

fn syntax(text: &str, at: usize) -> Failure {
    let place = text.get(..at).map_or(0, |before| before.chars().count()) + 1;
    Failure::invalid("query", format!("The query is not valid at character {place}."))
}

/// A query with its limits as they were written.
struct Written {
    condition: Option<Condition>,
    order: Vec<Key>,
    limit: Option<String>,
    offset: Option<String>,
}

struct Parser<'a> {
    tokens: &'a [(Token, usize)],
    next: usize,
    depth: usize,
    unknowns: Unknowns,
}

impl<'a> Parser<'a> {
    fn peek(&self, ahead: usize) -> Option<&'a Token> {
        self.tokens.get(self.next + ahead).map(|(token, _)| token)
    }

    fn is_keyword(&self, ahead: usize, keyword: &str) -> bool {
        let Some(Token::Word(word)) = self.peek(ahead) else { return false };
        word == keyword || (self.unknowns.keywords_in_any_case && word.eq_ignore_ascii_case(keyword))
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let found = self.is_keyword(0, keyword);
        self.next += usize::from(found);
        found
    }

    fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(0), Some(Token::Sign(s)) if *s == sign);
        self.next += usize::from(found);
        found
    }

    fn query(&mut self) -> Option<Written> {
        let starts_clause = self.starts_clause();
        let condition = if self.peek(0).is_none() || starts_clause { None } else { Some(self.or()?) };
        let mut order = vec![];
        if self.is_keyword(0, "order") && self.is_keyword(1, "by") {
            self.next += 2;
            order.push(self.key()?);
            while self.sign(",") {
                order.push(self.key()?);
            }
        }
        let limit = if self.keyword("limit") { Some(self.count()?) } else { None };
        let offset = if self.keyword("offset") { Some(self.count()?) } else { None };
        self.peek(0).is_none().then_some(Written { condition, order, limit, offset })
    }

    fn starts_clause(&self) -> bool {
        let counted = matches!(self.peek(1), Some(Token::Number(_)));
        (self.is_keyword(0, "order") && self.is_keyword(1, "by"))
            || (counted && (self.is_keyword(0, "limit") || self.is_keyword(0, "offset")))
    }

    /// A whole number that is not negative.
    fn count(&mut self) -> Option<String> {
        let Some(Token::Number(number)) = self.peek(0) else { return None };
        if !number.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        self.next += 1;
        Some(number.clone())
    }

    fn key(&mut self) -> Option<Key> {
        let (related, field) = self.field()?;
        let ascending = match (self.keyword("asc"), self.unknowns.undirected_order) {
            (true, _) => true,
            _ if self.keyword("desc") => false,
            (_, Undirected::Descending) => false,
            (_, Undirected::Ascending) => true,
            (_, Undirected::Refused) => return None,
        };
        Some(Key { related, field, ascending })
    }

    fn or(&mut self) -> Option<Condition> {
        let mut parts = vec![self.and()?];
        while self.keyword("or") {
            parts.push(self.and()?);
        }
        if parts.len() == 1 { parts.pop() } else { Some(Condition::Or(parts)) }
    }

    fn and(&mut self) -> Option<Condition> {
        let mut parts = vec![self.part()?];
        while self.keyword("and") {
            parts.push(self.part()?);
        }
        if parts.len() == 1 { parts.pop() } else { Some(Condition::And(parts)) }
    }

    fn part(&mut self) -> Option<Condition> {
        if !self.sign("(") {
            return self.predicate().map(Condition::Predicate);
        }
        self.depth += 1;
        if self.depth > DEEPEST_NESTING {
            return None;
        }
        let inner = self.or()?;
        self.depth -= 1;
        self.sign(")").then_some(inner)
    }

    /// A field code. There is no way to quote one that is a keyword.
    fn word(&mut self) -> Option<String> {
        let Some(Token::Word(word)) = self.peek(0) else { return None };
        let is_keyword = KEYWORDS.iter().any(|keyword| self.is_keyword(0, keyword));
        if is_keyword && !self.unknowns.keywords_as_field_codes {
            return None;
        }
        self.next += 1;
        Some(word.clone())
    }

    fn field(&mut self) -> Option<(Option<String>, String)> {
        let first = self.word()?;
        if self.sign(".") { Some((Some(first), self.word()?)) } else { Some((None, first)) }
    }

    fn predicate(&mut self) -> Option<Predicate> {
        let (related, field) = self.field()?;
        let (operator, operands) = self.comparison()?;
        Some(Predicate { related, field, operator, operands })
    }

    fn comparison(&mut self) -> Option<(Operator, Vec<Operand>)> {
        let comparisons = [
            ("=", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
            ("<=", Operator::LessEqual),
            (">=", Operator::GreaterEqual),
        ];
        if let Some((_, operator)) = comparisons.into_iter().find(|(sign, _)| self.sign(sign)) {
            return Some((operator, vec![self.operand()?]));
        }
        if self.keyword("is") {
            let operator = if self.keyword("not") { Operator::IsNotEmpty } else { Operator::IsEmpty };
            return self.keyword("empty").then_some((operator, vec![]));
        }
        let negated = self.keyword("not");
        if self.keyword("in") {
            let operator = if negated { Operator::NotIn } else { Operator::In };
            return Some((operator, self.list()?));
        }
        if self.keyword("like") {
            let operator = if negated { Operator::NotLike } else { Operator::Like };
            return Some((operator, vec![self.operand()?]));
        }
        None
    }

    fn list(&mut self) -> Option<Vec<Operand>> {
        if !self.sign("(") {
            return None;
        }
        let mut operands = vec![self.operand()?];
        while self.sign(",") {
            operands.push(self.operand()?);
        }
        self.sign(")").then_some(operands)
    }

    fn operand(&mut self) -> Option<Operand> {
        let operand = match self.peek(0)? {
            Token::Text(text) => Operand::Text(text.clone()),
            Token::Number(number) => Operand::Number(number.clone()),
            Token::Word(name) if matches!(self.peek(1), Some(Token::Sign("("))) => {
                self.next += 2;
                return Some(Operand::Function(name.clone(), self.arguments()?));
            }
            _ => return None,
        };
        self.next += 1;
        Some(operand)
    }

    /// What stands between the parentheses of a function, of which the first is behind us.
    fn arguments(&mut self) -> Option<Vec<Argument>> {
        let mut arguments = vec![];
        while !self.sign(")") {
            if !arguments.is_empty() && !self.sign(",") {
                return None;
            }
            arguments.push(match self.peek(0)? {
                Token::Number(number) => Argument::Number(number.clone()),
                Token::Word(word) => Argument::Word(word.clone()),
                _ => return None,
            });
            self.next += 1;
        }
        Some(arguments)
    }
}
