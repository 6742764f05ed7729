//! The functions of `$filter` and `$orderby`: one row each (OData 4.01, part 2, canonical functions).

use datafusion::sql::sqlparser::ast::{BinaryOperator, DataType, DateTimeField, Expr};

use super::edm::Edm;
use super::sql;

/// What an argument may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Text,
    Number,
    Integer,
    /// A date, or an instant's date.
    Day,
    /// A time, or an instant's time.
    Clock,
    Instant,
}

impl Class {
    /// Whether a value of this type may stand there.
    pub(super) fn accepts(self, edm: &Edm) -> bool {
        match self {
            Self::Text => *edm == Edm::String,
            Self::Number => edm.is_number(),
            Self::Integer => edm.is_integer(),
            Self::Day => matches!(edm, Edm::Date | Edm::DateTimeOffset),
            Self::Clock => matches!(edm, Edm::TimeOfDay | Edm::DateTimeOffset),
            Self::Instant => *edm == Edm::DateTimeOffset,
        }
    }

    /// For a message.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number => "a number",
            Self::Integer => "a whole number",
            Self::Day => "a date or an instant",
            Self::Clock => "a time or an instant",
            Self::Instant => "an instant",
        }
    }
}

/// A function: its name, its arguments, what it gives and how SQL says it.
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) arguments: &'static [Class],
    /// How many of the arguments, from the end, may be left out.
    pub(super) optional: usize,
    /// `None`: the type of the first argument.
    pub(super) returns: Option<Edm>,
    form: fn(&[Expr]) -> Option<Expr>,
}

impl Function {
    const fn with_optional(mut self, optional: usize) -> Self {
        self.optional = optional;
        self
    }

    /// The SQL of a call; `None` with a number of arguments that was not checked.
    pub(super) fn sql(&self, arguments: &[Expr]) -> Option<Expr> {
        (self.form)(arguments)
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

use Class::{Clock, Day, Instant, Integer, Number, Text};

/// Every function that is done.
pub(super) static FUNCTIONS: &[Function] = &[
    row("contains", &[Text, Text], Some(Edm::Boolean), |args| match args {
        [text, part] => Some(sql::binary(
            sql::call("strpos", vec![text.clone(), part.clone()]),
            BinaryOperator::Gt,
            sql::number(0),
        )),
        _ => None,
    }),
    row("startswith", &[Text, Text], Some(Edm::Boolean), |args| {
        Some(sql::call("starts_with", args.to_vec()))
    }),
    row("endswith", &[Text, Text], Some(Edm::Boolean), |args| match args {
        [text, part] => {
            let tail = sql::call("right", vec![text.clone(), sql::call("length", vec![part.clone()])]);
            Some(sql::binary(tail, BinaryOperator::Eq, part.clone()))
        }
        _ => None,
    }),
    row("indexof", &[Text, Text], Some(Edm::Int32), |args| {
        Some(sql::binary(sql::call("strpos", args.to_vec()), BinaryOperator::Minus, sql::number(1)))
    }),
    row("length", &[Text], Some(Edm::Int32), |args| Some(sql::call("length", args.to_vec()))),
    row("substring", &[Text, Integer, Integer], Some(Edm::String), substring).with_optional(1),
    row("tolower", &[Text], Some(Edm::String), |args| Some(sql::call("lower", args.to_vec()))),
    row("toupper", &[Text], Some(Edm::String), |args| Some(sql::call("upper", args.to_vec()))),
    row("trim", &[Text], Some(Edm::String), |args| Some(sql::call("btrim", args.to_vec()))),
    row("concat", &[Text, Text], Some(Edm::String), |args| match args {
        [left, right] => Some(sql::binary(left.clone(), BinaryOperator::StringConcat, right.clone())),
        _ => None,
    }),
    row("year", &[Day], Some(Edm::Int32), |args| extract(DateTimeField::Year, args)),
    row("month", &[Day], Some(Edm::Int32), |args| extract(DateTimeField::Month, args)),
    row("day", &[Day], Some(Edm::Int32), |args| extract(DateTimeField::Day, args)),
    row("hour", &[Clock], Some(Edm::Int32), |args| extract(DateTimeField::Hour, args)),
    row("minute", &[Clock], Some(Edm::Int32), |args| extract(DateTimeField::Minute, args)),
    row("second", &[Clock], Some(Edm::Int32), |args| {
        Some(sql::call("floor", vec![extract(DateTimeField::Second, args)?]))
    }),
    row("date", &[Instant], Some(Edm::Date), |args| Some(sql::cast(args.first()?.clone(), DataType::Date))),
    row("time", &[Instant], Some(Edm::TimeOfDay), |args| Some(sql::cast(args.first()?.clone(), sql::TIME))),
    row("now", &[], Some(Edm::DateTimeOffset), |_| Some(sql::call("now", vec![]))),
    row("round", &[Number], None, |args| Some(sql::call("round", args.to_vec()))),
    row("floor", &[Number], None, |args| Some(sql::call("floor", args.to_vec()))),
    row("ceiling", &[Number], None, |args| Some(sql::call("ceil", args.to_vec()))),
];

/// Functions of the standard that are not done: they are answered with 501, all others with 400.
const KNOWN: &[&str] = &[
    "cast",
    "case",
    "fractionalseconds",
    "geo.distance",
    "geo.intersects",
    "geo.length",
    "hassubsequence",
    "hassubset",
    "isof",
    "matchespattern",
    "maxdatetime",
    "mindatetime",
    "totaloffsetminutes",
    "totalseconds",
];

/// The row of a name in any case.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name.eq_ignore_ascii_case(name))
}

/// Whether the standard has a function of that name.
pub(super) fn is_known(name: &str) -> bool {
    KNOWN.iter().any(|known| known.eq_ignore_ascii_case(name))
}

const fn row(
    name: &'static str,
    arguments: &'static [Class],
    returns: Option<Edm>,
    form: fn(&[Expr]) -> Option<Expr>,
) -> Function {
    Function { name, arguments, optional: 0, returns, form }
}

/// OData counts from 0, SQL from 1.
fn substring(args: &[Expr]) -> Option<Expr> {
    let (text, rest) = args.split_first()?;
    let (start, length) = rest.split_first()?;
    let from = sql::binary(start.clone(), BinaryOperator::Plus, sql::number(1));
    let mut all = vec![text.clone(), from];
    all.extend_from_slice(length);
    Some(sql::call("substr", all))
}

fn extract(field: DateTimeField, args: &[Expr]) -> Option<Expr> {
    Some(sql::extract(field, args.first()?.clone()))
}
