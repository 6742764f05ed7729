//! Random predicates, as trees that can be written for each engine and made smaller.

use std::sync::Arc;

use super::dice::Dice;
use super::form::{Column, Sort};
use super::pool;

/// Whose SQL is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Ours, which is PostgreSQL's.
    Postgres,
    Sqlite,
}

/// What a column is compared with.
#[derive(Debug, Clone)]
pub(super) enum Literal {
    Null,
    Whole(i64),
    Number(String),
    QuotedNumber(String),
    CastNumber(String),
    Text(String),
    Date(String),
    TypedDate(String),
    /// Hours and minutes, seconds.
    Time(String, &'static str),
    /// A minute of UTC, seconds, whether the zone is written.
    Instant(String, &'static str, bool),
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Literal {
    fn random(dice: &mut Dice, column: &Column) -> Self {
        if dice.one_in(25) {
            return Self::Null;
        }
        let of_pool = |dice: &mut Dice| dice.pick(&column.literals);
        match column.sort {
            Sort::Id => Self::Whole(dice.between(-1, 12)),
            Sort::Text if dice.one_in(12) => Self::Text(String::new()),
            Sort::Text | Sort::Choice | Sort::Choices => Self::Text(of_pool(dice)),
            Sort::Number => match dice.weighted(&[4, 1, 1, 1]) {
                0 => Self::Number(of_pool(dice)),
                1 => Self::QuotedNumber(of_pool(dice)),
                2 => Self::CastNumber(of_pool(dice)),
                _ => Self::Whole(dice.between(-3, 12)),
            },
            Sort::Date if dice.coin() => Self::Date(of_pool(dice)),
            Sort::Date => Self::TypedDate(of_pool(dice)),
            Sort::Time => Self::Time(of_pool(dice), dice.pick(pool::SECONDS)),
            Sort::Instant => Self::instant(dice),
        }
    }

    fn instant(dice: &mut Dice) -> Self {
        Self::Instant(dice.pick(pool::INSTANTS).to_owned(), dice.pick(pool::SECONDS), dice.coin())
    }

    fn sql(&self, dialect: Dialect) -> String {
        match (self, dialect) {
            (Self::Null, _) => "NULL".into(),
            (Self::Whole(number), _) => number.to_string(),
            (Self::Number(number), _) => number.clone(),
            (Self::QuotedNumber(text) | Self::Text(text) | Self::Date(text), _) => quoted(text),
            (Self::CastNumber(number), _) => format!("CAST({number} AS numeric(38, 10))"),
            (Self::TypedDate(date), Dialect::Postgres) => format!("DATE '{date}'"),
            (Self::TypedDate(date), Dialect::Sqlite) => quoted(date),
            (Self::Time(time, seconds), Dialect::Postgres) => format!("TIME '{time}{seconds}'"),
            (Self::Time(time, seconds), Dialect::Sqlite) => format!("'{time}{seconds}'"),
            (Self::Instant(minute, seconds, zoned), Dialect::Postgres) => {
                format!("'{minute}{seconds}{}'", if *zoned { "+00:00" } else { "" })
            }
            (Self::Instant(minute, seconds, _), Dialect::Sqlite) => format!("'{minute}{seconds}+00'"),
        }
    }
}

/// A predicate on one column.
#[derive(Debug, Clone)]
pub(super) enum Test {
    /// `column op literal`, or the other way round.
    Compare(&'static str, Literal, bool),
    In(Vec<Literal>),
    NotIn(Vec<Literal>),
    Between(bool, Literal, Literal),
    Null(bool),
    /// `literal = ANY(column)`
    Any(Literal),
    Cardinality(&'static str, i64),
    /// `column @> ARRAY[...]`, negated or not.
    Array(bool, &'static str, Vec<Literal>),
    /// `column = '{}'`
    EmptyArray(&'static str),
    Like(bool, &'static str),
    ILike(bool, &'static str),
    /// `column IS DISTINCT FROM literal`, negated or not.
    Distinct(bool, Literal),
    /// `coalesce(column, literal) op literal`
    Coalesce(Literal, &'static str, Literal),
    Upper(&'static str, Literal),
    /// `CAST(column AS numeric(38, 10)) op number`
    NumberCast(&'static str, Literal),
    Columns(&'static str, Arc<Column>),
    /// `column op instant::timestamptz`, of a date.
    DateAsInstant(&'static str, Literal),
    /// `column::date op date`, of an instant.
    InstantAsDate(&'static str, Literal),
}

const COMPARISONS: &[&str] = &["=", "<>", "<", "<=", ">", ">="];

impl Test {
    fn random(dice: &mut Dice, column: &Column, all: &[Arc<Column>]) -> Self {
        let literal = |dice: &mut Dice| Literal::random(dice, column);
        // Kintone is asked for nothing else of texts and choices.
        let of_texts = matches!(column.sort, Sort::Text | Sort::Choice) && !dice.one_in(4);
        let op = dice.pick(if of_texts { &COMPARISONS[..2] } else { COMPARISONS });
        if column.sort == Sort::Choices {
            return match dice.weighted(&[6, 1, 2, 5, 1]) {
                0 => Self::Any(literal(dice)),
                1 => Self::Null(dice.coin()),
                2 => Self::Cardinality(op, dice.between(0, 3)),
                3 => {
                    let items = (0..=dice.below(3)).map(|_| Literal::Text(dice.pick(&column.literals)));
                    let items = items.collect();
                    Self::Array(dice.one_in(3), dice.pick(&["@>", "&&", "=", "<>"]), items)
                }
                _ => Self::EmptyArray(dice.pick(&["=", "<>"])),
            };
        }
        let list = |dice: &mut Dice| {
            let mut list: Vec<_> = (0..=dice.below(4)).map(|_| literal(dice)).collect();
            if dice.one_in(10) {
                list.push(Literal::Null);
            }
            list
        };
        match (dice.weighted(&[9, 2, 2, 2, 2, 4, 1, 1, 1]), column.sort) {
            (7, _) => Self::Distinct(dice.coin(), literal(dice)),
            (8, _) => Self::Coalesce(literal(dice), op, literal(dice)),
            (5, Sort::Text | Sort::Choice) if dice.one_in(8) => {
                Self::ILike(dice.coin(), dice.pick(pool::PATTERNS))
            }
            (1, _) => Self::In(list(dice)),
            (2, _) => Self::NotIn(list(dice)),
            (3, _) => Self::Between(dice.coin(), literal(dice), literal(dice)),
            (4, _) => Self::Null(dice.coin()),
            (5, Sort::Text | Sort::Choice) => Self::Like(dice.coin(), dice.pick(pool::PATTERNS)),
            (6, Sort::Text | Sort::Choice) => Self::Upper(op, literal(dice)),
            (5, Sort::Number) => Self::NumberCast(op, literal(dice)),
            (6, Sort::Number) => {
                let numbers: Vec<_> = all.iter().filter(|c| c.sort == Sort::Number).cloned().collect();
                Self::Columns(op, dice.pick(&numbers))
            }
            (5, Sort::Date) => Self::DateAsInstant(op, Literal::instant(dice)),
            (5, Sort::Instant) => Self::InstantAsDate(op, Literal::Date(dice.pick(pool::DATES).to_owned())),
            _ => Self::Compare(op, literal(dice), dice.one_in(3)),
        }
    }

    fn sql(&self, column: &str, other: &dyn Fn(&Column) -> String, dialect: Dialect) -> String {
        let list = |all: &[Literal]| all.iter().map(|one| one.sql(dialect)).collect::<Vec<_>>().join(", ");
        let not = |negated: bool| if negated { "NOT " } else { "" };
        match self {
            Self::Compare(op, value, false) => format!("{column} {op} {}", value.sql(dialect)),
            Self::Compare(op, value, true) => format!("{} {op} {column}", value.sql(dialect)),
            Self::In(values) => format!("{column} IN ({})", list(values)),
            Self::NotIn(values) => format!("{column} NOT IN ({})", list(values)),
            Self::Between(negated, low, high) => {
                format!("{column} {}BETWEEN {} AND {}", not(*negated), low.sql(dialect), high.sql(dialect))
            }
            Self::Null(negated) => format!("{column} IS {}NULL", not(*negated)),
            Self::Any(value) => format!("{} = ANY({column})", value.sql(dialect)),
            Self::Cardinality(op, n) => format!("cardinality({column}) {op} {n}"),
            Self::Array(negated, op, items) => {
                format!("{}({column} {op} ARRAY[{}])", not(*negated), list(items))
            }
            Self::EmptyArray(op) => format!("{column} {op} '{{}}'"),
            Self::Distinct(negated, value) => {
                // In brackets, without which the parser reads on to what follows.
                format!("({column} IS {}DISTINCT FROM {})", not(*negated), value.sql(dialect))
            }
            Self::Coalesce(first, op, value) => {
                format!("coalesce({column}, {}) {op} {}", first.sql(dialect), value.sql(dialect))
            }
            Self::ILike(negated, pattern) => format!("{column} {}ILIKE '{pattern}'", not(*negated)),
            Self::Like(negated, pattern) => format!("{column} {}LIKE '{pattern}'", not(*negated)),
            Self::Upper(op, value) => format!("upper({column}) {op} {}", value.sql(dialect)),
            Self::NumberCast(op, value) => {
                format!("CAST({column} AS numeric(38, 10)) {op} {}", value.sql(dialect))
            }
            Self::Columns(op, with) => format!("{column} {op} {}", other(with)),
            Self::DateAsInstant(op, value) => format!("{column} {op} {}::timestamptz", value.sql(dialect)),
            Self::InstantAsDate(op, value) => format!("{column}::date {op} {}", value.sql(dialect)),
        }
    }

    /// The literals in it.
    pub(super) fn literals(&self) -> Vec<&Literal> {
        match self {
            Self::Compare(_, one, _)
            | Self::Any(one)
            | Self::Upper(_, one)
            | Self::NumberCast(_, one)
            | Self::DateAsInstant(_, one)
            | Self::InstantAsDate(_, one)
            | Self::Distinct(_, one) => vec![one],
            Self::In(all) | Self::NotIn(all) | Self::Array(_, _, all) => all.iter().collect(),
            Self::Between(_, low, high) | Self::Coalesce(low, _, high) => vec![low, high],
            Self::Null(_)
            | Self::Cardinality(..)
            | Self::EmptyArray(_)
            | Self::Like(..)
            | Self::ILike(..)
            | Self::Columns(..) => vec![],
        }
    }

    /// The same of a shorter list.
    fn smaller(&self) -> Vec<Self> {
        let shorter = |all: &[Literal], of: fn(Vec<Literal>) -> Self| -> Vec<Self> {
            let without =
                |at: usize| all.iter().enumerate().filter(move |(i, _)| *i != at).map(|(_, l)| l.clone());
            let each = (0..all.len()).filter(|_| all.len() > 1);
            each.map(|at| of(without(at).collect())).collect()
        };
        match self {
            Self::In(all) => shorter(all, Self::In),
            Self::NotIn(all) => shorter(all, Self::NotIn),
            _ => vec![],
        }
    }
}

/// A predicate.
#[derive(Debug, Clone)]
pub(super) enum Predicate {
    Test(Arc<Column>, Test),
    And(Vec<Predicate>),
    Or(Vec<Predicate>),
    Not(Box<Predicate>),
    IsNull(Box<Predicate>),
    /// `(p) IS NOT TRUE` and its kin.
    Is(Box<Predicate>, &'static str),
    /// `CASE WHEN p THEN 1 WHEN q THEN 2 ELSE 3 END op n`
    Case(Vec<Predicate>, &'static str, i64),
}

/// What a truth value is asked for.
const TRUTHS: &[&str] = &["TRUE", "NOT TRUE", "FALSE", "NOT FALSE", "UNKNOWN", "NOT UNKNOWN"];

impl Predicate {
    /// Half of the time one test, else at most three deep.
    pub(super) fn random(dice: &mut Dice, columns: &[Arc<Column>]) -> Self {
        let deepest = dice.pick(&[0, 0, 0, 1, 2, 3]);
        Self::below(dice, columns, deepest)
    }

    fn below(dice: &mut Dice, columns: &[Arc<Column>], deepest: usize) -> Self {
        let parts = |dice: &mut Dice| {
            (0..2 + dice.below(2)).map(|_| Self::below(dice, columns, deepest - 1)).collect()
        };
        match if deepest == 0 { 0 } else { dice.weighted(&[7, 4, 3, 2, 1, 1]) } {
            4 => Self::Is(Box::new(Self::below(dice, columns, deepest - 1)), dice.pick(TRUTHS)),
            5 => Self::Case(parts(dice), dice.pick(&["=", "<>"]), dice.between(1, 3)),
            0 => {
                // The keys are the first.
                let mut column = if dice.one_in(8) { Arc::clone(&columns[0]) } else { dice.pick(columns) };
                if column.is_seldom_pushed() && !dice.one_in(4) {
                    column = dice.pick(columns);
                }
                let test = Test::random(dice, &column, columns);
                Self::Test(column, test)
            }
            1 => Self::And(parts(dice)),
            2 => Self::Or(parts(dice)),
            _ => Self::Not(Box::new(Self::below(dice, columns, deepest - 1))),
        }
    }

    /// As SQL, its columns behind `alias`.
    pub(super) fn sql(&self, alias: &str, dialect: Dialect) -> String {
        let name = |column: &Column| format!("{alias}\"{}\"", column.code);
        let join = |parts: &[Self], word: &str| {
            let parts: Vec<_> = parts.iter().map(|part| part.sql(alias, dialect)).collect();
            format!("({})", parts.join(word))
        };
        match self {
            Self::Test(column, test) => test.sql(&name(column), &name, dialect),
            Self::And(parts) => join(parts, " AND "),
            Self::Or(parts) => join(parts, " OR "),
            Self::Not(part) => format!("NOT ({})", part.sql(alias, dialect)),
            Self::IsNull(part) => format!("({}) IS NULL", part.sql(alias, dialect)),
            Self::Is(part, truth) => {
                let truth = if dialect == Dialect::Sqlite {
                    truth.replace("UNKNOWN", "NULL")
                } else {
                    (*truth).into()
                };
                format!("(({}) IS {truth})", part.sql(alias, dialect))
            }
            Self::Case(parts, op, n) => {
                let cases = (1..)
                    .zip(parts)
                    .map(|(at, part)| format!("WHEN {} THEN {at} ", part.sql(alias, dialect)));
                format!("(CASE {}ELSE {} END {op} {n})", cases.collect::<String>(), parts.len() + 1)
            }
        }
    }

    /// Its tests.
    pub(super) fn tests(&self) -> Vec<(&Column, &Test)> {
        match self {
            Self::Test(column, test) => vec![(column, test)],
            Self::And(parts) | Self::Or(parts) | Self::Case(parts, ..) => {
                parts.iter().flat_map(Self::tests).collect()
            }
            Self::Not(part) | Self::IsNull(part) | Self::Is(part, _) => part.tests(),
        }
    }

    /// What to try in its place where something is wrong with it.
    pub(super) fn smaller(&self) -> Vec<Self> {
        let inside = |parts: &[Self], of: &dyn Fn(Vec<Self>) -> Self| {
            let mut out = parts.to_vec();
            for at in 0..parts.len() {
                let with = |part: Option<Self>| {
                    let mut parts = parts.to_vec();
                    parts.splice(at..=at, part);
                    of(parts)
                };
                if parts.len() > 2 {
                    out.push(with(None));
                }
                out.extend(parts[at].smaller().into_iter().map(|part| with(Some(part))));
            }
            out
        };
        match self {
            Self::Test(column, test) => {
                test.smaller().into_iter().map(|test| Self::Test(Arc::clone(column), test)).collect()
            }
            Self::And(parts) => inside(parts, &Self::And),
            Self::Or(parts) => inside(parts, &Self::Or),
            Self::Not(part) => {
                let inner = part.smaller().into_iter().map(|part| Self::Not(Box::new(part)));
                [part.as_ref().clone()].into_iter().chain(inner).collect()
            }
            Self::IsNull(part) => part.smaller().into_iter().map(|p| Self::IsNull(Box::new(p))).collect(),
            Self::Is(part, truth) => {
                let inner = part.smaller().into_iter().map(|p| Self::Is(Box::new(p), truth));
                [part.as_ref().clone()].into_iter().chain(inner).collect()
            }
            Self::Case(parts, op, n) => {
                let (op, n) = (*op, *n);
                parts.iter().cloned().chain(inside(parts, &|parts| Self::Case(parts, op, n))).collect()
            }
        }
    }
}
