//! Names and types: a syntax tree of `$filter` to conditions on the columns of one table. All that is wrong with a
//! request is found here, as 400 or 501 with its place, so that no statement fails for it later.

use std::collections::HashMap;

use chrono_tz::Tz;
use datafusion::scalar::ScalarValue;

use super::edm::Edm;
use super::function::{self, Function};
use super::name::EntitySet;
use super::parse::{Arithmetic, Comparison, Expression, Literal, Node};
use super::value::{midnight, natural, value_as};
use crate::engine::SqlType;
use crate::error::{Error, Kind, Result};

/// A condition or a value over the columns of one table, its types checked.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Bound {
    /// A property, by its index.
    Property(usize),
    Value(ScalarValue),
    Not(Box<Bound>),
    Negate(Box<Bound>),
    And(Vec<Bound>),
    Or(Vec<Bound>),
    Compare(Comparison, Box<Bound>, Box<Bound>),
    Calculate(Arithmetic, Box<Bound>, Box<Bound>),
    /// Null, or a text that is empty: Kintone knows no difference.
    IsNull {
        of: Box<Bound>,
        or_empty: bool,
    },
    /// One of the values, none of them null.
    In(Box<Bound>, Vec<ScalarValue>),
    /// The collection has the value.
    Has {
        collection: Box<Bound>,
        value: Box<Bound>,
    },
    /// How many values the collection has.
    Size(Box<Bound>),
    Call(&'static Function, Vec<Bound>),
}

/// A bound expression and its type.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Typed {
    pub(super) bound: Bound,
    pub(super) sql_type: SqlType,
}

impl Typed {
    fn new(bound: Bound, sql_type: SqlType) -> Self {
        Self { bound, sql_type }
    }

    fn condition(bound: Bound) -> Self {
        Self::new(bound, SqlType::Bool)
    }

    pub(super) fn edm(&self) -> Edm {
        Edm::of(&self.sql_type)
    }
}

/// What names mean in one request.
pub(super) struct Binder<'a> {
    pub(super) set: &'a EntitySet,
    /// Where a literal without a zone is at home.
    pub(super) zone: Tz,
    /// `@p` and what the URL says for it.
    pub(super) aliases: &'a HashMap<String, Expression>,
}

impl Binder<'_> {
    /// A condition for `$filter`.
    ///
    /// # Errors
    /// What [`Binder::typed`] finds, or `DatatypeMismatch` where the expression is no condition.
    pub(super) fn condition(&self, expression: &Expression) -> Result<Bound> {
        let typed = self.typed(expression)?;
        if typed.edm() == Edm::Boolean || typed.bound == Bound::Value(ScalarValue::Null) {
            return Ok(typed.bound);
        }
        Err(Error::new(
            Kind::DatatypeMismatch,
            format!("a condition is expected here, not {}", typed.edm().name()),
        )
        .with_hint("Write a comparison; after not, in brackets: not (Name eq 'x')")
        .with_position(expression.position))
    }

    /// An expression of any type.
    ///
    /// # Errors
    /// `UndefinedColumn`, `UndefinedFunction`, `DatatypeMismatch`, `Unsupported` ..., all with their place.
    pub(super) fn typed(&self, expression: &Expression) -> Result<Typed> {
        match &expression.node {
            Node::Literal(literal) => {
                natural(literal, self.zone).map(|(value, sql_type)| Typed::new(Bound::Value(value), sql_type))
            }
            Node::Path(segments) => self.path(segments),
            Node::Not(inner) => Ok(Typed::condition(Bound::Not(self.condition(inner)?.into()))),
            Node::Negate(inner) => self.negate(inner),
            Node::And(terms) => self.conditions(terms).map(Bound::And).map(Typed::condition),
            Node::Or(terms) => self.conditions(terms).map(Bound::Or).map(Typed::condition),
            Node::Compare(op, left, right) => self.compare(*op, left, right).map(Typed::condition),
            Node::Calculate(op, left, right) => self.calculate(*op, left, right),
            Node::In(left, items) => self.in_list(left, items).map(Typed::condition),
            Node::InCollection(left, right) => {
                let collection = self.typed(right)?;
                self.has(collection, left).map(Typed::condition)
            }
            Node::Call(name, arguments) => self.call(name, arguments),
            Node::Lambda(path, word, inner) => self.lambda(path, word, inner.as_ref()).map(Typed::condition),
        }
        .map_err(|error| placed(error, expression))
    }

    fn conditions(&self, terms: &[Expression]) -> Result<Vec<Bound>> {
        terms.iter().map(|term| self.condition(term)).collect()
    }

    fn path(&self, segments: &[String]) -> Result<Typed> {
        let (first, rest) = match segments {
            [it, first, rest @ ..] if it == "$it" => (first, rest),
            [first, rest @ ..] => (first, rest),
            [] => return Err(Error::new(Kind::Syntax, "a property is expected")),
        };
        if first.starts_with('@') {
            return self.alias(first);
        }
        let property = property(self.set, first)?;
        let column = self.set.properties.get(property).map(|property| &property.column);
        let sql_type = column.map_or(SqlType::Unknown, |column| column.sql_type.clone());
        match (rest, &sql_type) {
            ([], _) => Ok(Typed::new(Bound::Property(property), sql_type)),
            ([count], SqlType::Array(_)) if count.eq_ignore_ascii_case("$count") => {
                Ok(Typed::new(Bound::Size(Bound::Property(property).into()), SqlType::Int8))
            }
            _ => Err(Error::unsupported(format!("the path {}", segments.join("/")))),
        }
    }

    fn alias(&self, name: &str) -> Result<Typed> {
        let text = self
            .aliases
            .get(name)
            .ok_or_else(|| Error::new(Kind::UndefinedObject, format!("the URL gives no value for {name}")))?;
        // Aliases may not name aliases: so there is no end to look for.
        let inner = Binder { set: self.set, zone: self.zone, aliases: &HashMap::new() };
        inner.typed(text).map_err(|error| Error { position: None, ..error })
    }

    /// A literal, or an alias that stands for one.
    fn literal<'e>(&'e self, expression: &'e Expression) -> Option<&'e Literal> {
        match &expression.node {
            Node::Literal(literal) => Some(literal),
            Node::Path(segments) => match segments.as_slice() {
                [name] => match &self.aliases.get(name)?.node {
                    Node::Literal(literal) => Some(literal),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }

    fn negate(&self, inner: &Expression) -> Result<Typed> {
        let typed = self.typed(inner)?;
        if typed.edm().is_number() || typed.edm() == Edm::Duration {
            return Ok(Typed::new(Bound::Negate(typed.bound.into()), typed.sql_type));
        }
        Err(mismatch("-", &typed))
    }

    fn compare(&self, op: Comparison, left: &Expression, right: &Expression) -> Result<Bound> {
        match (self.literal(left), self.literal(right)) {
            (_, Some(literal)) => {
                self.compare_literal(op, self.typed(left)?, literal).map_err(|error| placed(error, right))
            }
            (Some(literal), None) => self
                .compare_literal(op.mirrored(), self.typed(right)?, literal)
                .map_err(|error| placed(error, left)),
            (None, None) => {
                let (left, right) = (self.typed(left)?, self.typed(right)?);
                if comparable(&left, &right) {
                    Ok(Bound::Compare(op, left.bound.into(), right.bound.into()))
                } else {
                    Err(Error::new(
                        Kind::DatatypeMismatch,
                        format!("{} and {} cannot be compared", left.edm().name(), right.edm().name()),
                    ))
                }
            }
        }
    }

    fn compare_literal(&self, op: Comparison, left: Typed, literal: &Literal) -> Result<Bound> {
        let is_empty =
            matches!(literal, Literal::String(text) if text.is_empty()) && left.edm() == Edm::String;
        if *literal == Literal::Null || (is_empty && matches!(op, Comparison::Eq | Comparison::Ne)) {
            let null = Bound::IsNull { or_empty: left.edm() == Edm::String, of: left.bound.into() };
            return Ok(match op {
                Comparison::Eq => null,
                Comparison::Ne => Bound::Not(null.into()),
                _ => Bound::Value(ScalarValue::Boolean(Some(false))),
            });
        }
        if let (Edm::Date, Literal::DateTimeOffset(at)) = (left.edm(), literal) {
            return self.compare_day(op, &left, at.timestamp_micros());
        }
        if matches!(left.edm(), Edm::Collection(_)) {
            return Err(mismatch("a comparison", &left).with_hint("Write Name/any(x: x eq 'a')"));
        }
        let value =
            value_as(literal, &left.sql_type, self.zone)?.ok_or_else(|| not_of_type(literal, &left))?;
        Ok(Bound::Compare(op, left.bound.into(), Bound::Value(value).into()))
    }

    /// A date against an instant: the date stands for its midnight, so that another instant lies between two days.
    fn compare_day(&self, op: Comparison, left: &Typed, micros: i64) -> Result<Bound> {
        let local = chrono::DateTime::from_timestamp_micros(micros).map(|at| at.with_timezone(&self.zone));
        let date = local
            .map(|at| at.date_naive())
            .ok_or_else(|| Error::new(Kind::InvalidDatetime, "no such day"))?;
        let day = value_as(&Literal::Date(date), &SqlType::Date, self.zone)?.unwrap_or(ScalarValue::Null);
        let compare = |op| Bound::Compare(op, left.bound.clone().into(), Bound::Value(day).into());
        if midnight(date, self.zone) == Some(micros) {
            return Ok(compare(op));
        }
        Ok(match op {
            Comparison::Eq => Bound::Value(ScalarValue::Boolean(Some(false))),
            Comparison::Ne => Bound::Value(ScalarValue::Boolean(Some(true))),
            Comparison::Gt | Comparison::Ge => compare(Comparison::Gt),
            Comparison::Lt | Comparison::Le => compare(Comparison::Le),
        })
    }

    fn in_list(&self, left: &Expression, items: &[Expression]) -> Result<Bound> {
        let left = self.typed(left)?;
        if matches!(left.edm(), Edm::Collection(_)) {
            return Err(mismatch("in", &left).with_hint("Write Name/any(x: x in ('a','b'))"));
        }
        let (mut values, mut has_null) = (vec![], false);
        for item in items {
            let at = |error: Error| error.with_position(item.position);
            let literal = self
                .literal(item)
                .ok_or_else(|| at(Error::unsupported("an in list of anything but literals")))?;
            let is_empty = matches!(literal, Literal::String(text) if text.is_empty());
            if *literal == Literal::Null || (is_empty && left.edm() == Edm::String) {
                has_null = true;
                continue;
            }
            let value = value_as(literal, &left.sql_type, self.zone).map_err(at)?;
            values.push(value.ok_or_else(|| at(not_of_type(literal, &left)))?);
        }
        let or_empty = left.edm() == Edm::String;
        let mut terms = vec![];
        if !values.is_empty() {
            terms.push(Bound::In(left.bound.clone().into(), values));
        }
        if has_null {
            terms.push(Bound::IsNull { of: left.bound.into(), or_empty });
        }
        Ok(if terms.is_empty() { Bound::Value(ScalarValue::Boolean(Some(false))) } else { Bound::Or(terms) })
    }

    /// The collection has this one value.
    fn has(&self, collection: Typed, value: &Expression) -> Result<Bound> {
        let SqlType::Array(item) = &collection.sql_type else { return Err(mismatch("in", &collection)) };
        let bound = match self.literal(value) {
            Some(literal) => {
                let of = Typed::new(Bound::Value(ScalarValue::Null), (**item).clone());
                Bound::Value(value_as(literal, item, self.zone)?.ok_or_else(|| not_of_type(literal, &of))?)
            }
            None => {
                let typed = self.typed(value)?;
                if typed.edm() != Edm::of(item) {
                    return Err(mismatch("in", &typed));
                }
                typed.bound
            }
        };
        Ok(Bound::Has { collection: collection.bound.into(), value: bound.into() })
    }

    fn calculate(&self, op: Arithmetic, left: &Expression, right: &Expression) -> Result<Typed> {
        let (left, right) = (self.typed(left)?, self.typed(right)?);
        let (l, r) = (left.edm(), right.edm());
        let is_shift = matches!(op, Arithmetic::Add | Arithmetic::Sub)
            && r == Edm::Duration
            && matches!(l, Edm::DateTimeOffset | Edm::Duration);
        let sql_type = if is_shift {
            left.sql_type.clone()
        } else if !l.is_number() || !r.is_number() {
            return Err(mismatch("arithmetic", if l.is_number() { &right } else { &left }));
        } else if matches!((&l, &r), (Edm::Double | Edm::Single, _) | (_, Edm::Double | Edm::Single)) {
            SqlType::Float8
        } else if l == Edm::Decimal || r == Edm::Decimal || op == Arithmetic::DivBy {
            SqlType::Numeric
        } else {
            SqlType::Int8
        };
        Ok(Typed::new(Bound::Calculate(op, left.bound.into(), right.bound.into()), sql_type))
    }

    fn call(&self, name: &str, arguments: &[Expression]) -> Result<Typed> {
        let Some(function) = function::find(name) else {
            return Err(if function::is_known(name) {
                Error::unsupported(format!("the function {name}"))
            } else {
                Error::new(Kind::UndefinedFunction, format!("there is no function {name}"))
            });
        };
        let most = function.arguments.len();
        if arguments.len() > most || arguments.len() < most - function.optional {
            let given = arguments.len();
            let message = format!("the function {} takes {most} arguments, not {given}", function.name);
            return Err(Error::new(Kind::UndefinedFunction, message));
        }
        let mut bound = vec![];
        let mut first = SqlType::Unknown;
        for (class, argument) in function.arguments.iter().zip(arguments) {
            let typed = self.typed(argument)?;
            if !class.accepts(&typed.edm()) {
                return Err(Error::new(
                    Kind::DatatypeMismatch,
                    format!(
                        "the function {} takes {}, not {}",
                        function.name,
                        class.name(),
                        typed.edm().name()
                    ),
                )
                .with_position(argument.position));
            }
            if bound.is_empty() {
                first = typed.sql_type.clone();
            }
            bound.push(typed.bound);
        }
        let sql_type = function.returns.as_ref().map_or(first, Edm::sql_type);
        Ok(Typed::new(Bound::Call(function, bound), sql_type))
    }

    /// `any()`, and `any` over one value or several: `x eq 'a'`, `x in ('a','b')`, joined by `or`.
    fn lambda(
        &self,
        path: &[String],
        word: &str,
        inner: Option<&(String, Box<Expression>)>,
    ) -> Result<Bound> {
        let collection = self.path(path)?;
        if !matches!(collection.edm(), Edm::Collection(_)) {
            return Err(mismatch(word, &collection));
        }
        let Some((variable, condition)) = inner else {
            let size = Bound::Size(collection.bound.into());
            let zero = Bound::Value(ScalarValue::Int64(Some(0)));
            return Ok(Bound::Compare(Comparison::Gt, size.into(), zero.into()));
        };
        let terms = match &condition.node {
            Node::Or(terms) => terms.iter().collect(),
            _ => vec![&**condition],
        };
        let mut out = vec![];
        for term in terms {
            let values = values_of(term, variable).filter(|_| word == "any").ok_or_else(|| {
                Error::unsupported(format!(
                    "{word} with another condition than any({variable}: {variable} eq 'value')"
                ))
                .with_position(term.position)
            })?;
            for value in values {
                out.push(self.has(collection.clone(), value)?);
            }
        }
        Ok(Bound::Or(out))
    }
}

/// With the expression's place, where the error has none of its own.
fn placed(error: Error, expression: &Expression) -> Error {
    if error.position.is_some() { error } else { error.with_position(expression.position) }
}

/// The values that a condition on the variable alone allows.
fn values_of<'e>(condition: &'e Expression, variable: &str) -> Option<Vec<&'e Expression>> {
    let is_variable = |e: &Expression| matches!(&e.node, Node::Path(path) if path.as_slice() == [variable]);
    let is_literal = |e: &Expression| matches!(e.node, Node::Literal(_));
    match &condition.node {
        Node::Compare(Comparison::Eq, left, right) if is_variable(left) && is_literal(right) => {
            Some(vec![right])
        }
        Node::Compare(Comparison::Eq, left, right) if is_variable(right) && is_literal(left) => {
            Some(vec![left])
        }
        Node::In(left, items) if is_variable(left) => Some(items.iter().collect()),
        _ => None,
    }
}

/// The index of a property, by its name.
///
/// # Errors
/// `UndefinedColumn`, with the nearest names.
pub(super) fn property(set: &EntitySet, name: &str) -> Result<usize> {
    set.property(name).ok_or_else(|| {
        let error = Error::new(Kind::UndefinedColumn, format!("{} has no property {name}", set.name));
        match nearest(name, set.properties.iter().map(|property| property.name.as_str())) {
            Some(near) => error.with_hint(format!("Is {near} meant?")),
            None => error,
        }
    })
}

/// The most similar of the names, where one is similar at all.
pub(super) fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let wanted = name.to_lowercase();
    let distance = |other: &str| strsim::damerau_levenshtein(&wanted, &other.to_lowercase());
    let close = |other: &&str| distance(other) * 3 <= wanted.chars().count().max(3);
    names.filter(close).min_by_key(|other| distance(other))
}

fn comparable(left: &Typed, right: &Typed) -> bool {
    let (l, r) = (left.edm(), right.edm());
    if matches!(l, Edm::Collection(_)) || matches!(r, Edm::Collection(_)) {
        return false;
    }
    l == r || (l.is_number() && r.is_number())
}

fn mismatch(what: &str, typed: &Typed) -> Error {
    Error::new(Kind::DatatypeMismatch, format!("{what} does not go with {}", typed.edm().name()))
}

fn not_of_type(literal: &Literal, typed: &Typed) -> Error {
    if let Literal::Other(name) = literal {
        return Error::unsupported(name);
    }
    let error =
        Error::new(Kind::DatatypeMismatch, format!("the value is not of the type {}", typed.edm().name()));
    if typed.edm() == Edm::String { error.with_hint("Put the text in single quotes") } else { error }
}
