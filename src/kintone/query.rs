//! Kintone's query language as data. `Display` is the only renderer and the only escaper (K§3.1).

use std::fmt;

/// What `query` says to `records.json`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// Which records.
    pub condition: Option<Condition>,
    /// In which order.
    pub order_by: Vec<OrderBy>,
    /// At most so many, 1 to 500.
    pub limit: Option<u32>,
    /// After so many, to 10,000.
    pub offset: Option<u32>,
}

/// A key of the order; the direction is always written, since Kintone's default is descending (K§3.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderBy {
    /// A field code.
    pub field: String,
    /// `asc`, else `desc`.
    pub ascending: bool,
}

/// A condition on a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// `field op "value"`
    Compare {
        /// A field code.
        field: String,
        /// The operator.
        operator: Operator,
        /// As Kintone writes such a value.
        value: String,
    },
    /// `field in ("a", "b")`, `field not in (...)`
    In {
        /// A field code.
        field: String,
        /// `not in`
        negated: bool,
        /// At least one.
        values: Vec<String>,
    },
    /// `field is empty`, `field is not empty`
    IsEmpty {
        /// A field code.
        field: String,
        /// `is not empty`
        negated: bool,
    },
    /// `field >= TODAY()`
    Call {
        /// A field code.
        field: String,
        /// The operator.
        operator: Operator,
        /// A function of Kintone with its arguments.
        call: String,
    },
    /// `field in (LOGINUSER())`, `field not in (...)`
    InCall {
        /// A field code.
        field: String,
        /// `not in`
        negated: bool,
        /// A function of Kintone with its arguments.
        call: String,
    },
    /// `field like "word"`, `field not like "word"`: Kintone's word search (K§3.6).
    Like {
        /// A field code.
        field: String,
        /// `not like`
        negated: bool,
        /// What to search for.
        word: String,
    },
    /// All of them, at least one.
    And(Vec<Condition>),
    /// Any of them, at least one.
    Or(Vec<Condition>),
    /// In Kintone's own words: see [`Condition::native`].
    Native(String),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Eq,
    /// `!=`
    NotEq,
    /// `<`
    Lt,
    /// `<=`
    LtEq,
    /// `>`
    Gt,
    /// `>=`
    GtEq,
}

impl Condition {
    /// Whether a literal can be written: of control characters only tab, line feed and carriage return have an
    /// escape (K§3.1), and a raw one is an error in Kintone.
    #[must_use]
    pub fn is_expressible(literal: &str) -> bool {
        !literal.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
    }

    /// Whether a field of this code can be named: codes have no quotes (K§3.1), so that one that is a word of the
    /// language, or has a sign in it, would be read as something else.
    #[must_use]
    pub fn is_nameable(code: &str) -> bool {
        const WORDS: &[&str] = &[
            "and", "or", "not", "in", "like", "is", "empty", "order", "by", "asc", "desc", "limit", "offset",
        ];
        let mut letters = code.strip_prefix('$').unwrap_or(code).chars();
        letters.next().is_some_and(|c| c.is_alphabetic() || matches!(c, '_' | '＿'))
            && letters.all(|c| c.is_alphanumeric() || matches!(c, '_' | '＿' | '・' | '･'))
            && !WORDS.iter().any(|word| code.eq_ignore_ascii_case(word))
    }

    /// As an operand of `and` or `or`: `and` binds tighter than `or`, so an inner list is in brackets.
    fn write_operand(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(parts) | Self::Or(parts) if parts.len() > 1 => write!(f, "({self})"),
            _ => write!(f, "{self}"),
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Eq => "=",
            Self::NotEq => "!=",
            Self::Lt => "<",
            Self::LtEq => "<=",
            Self::Gt => ">",
            Self::GtEq => ">=",
        })
    }
}

/// A literal in quotes, escaped.
struct Literal<'a>(&'a str);

impl fmt::Display for Literal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\t' => f.write_str("\\t")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                c => write!(f, "{c}")?,
            }
        }
        f.write_str("\"")
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare { field, operator, value } => write!(f, "{field} {operator} {}", Literal(value)),
            Self::In { field, negated, values } => {
                write!(f, "{field} {}in (", if *negated { "not " } else { "" })?;
                for (i, value) in values.iter().enumerate() {
                    write!(f, "{}{}", if i == 0 { "" } else { ", " }, Literal(value))?;
                }
                f.write_str(")")
            }
            Self::IsEmpty { field, negated } => {
                write!(f, "{field} is {}empty", if *negated { "not " } else { "" })
            }
            Self::Call { field, operator, call } => write!(f, "{field} {operator} {call}"),
            Self::InCall { field, negated, call } => {
                write!(f, "{field} {}in ({call})", if *negated { "not " } else { "" })
            }
            Self::Like { field, negated, word } => {
                write!(f, "{field} {}like {}", if *negated { "not " } else { "" }, Literal(word))
            }
            Self::And(parts) => join(f, parts, " and "),
            Self::Or(parts) => join(f, parts, " or "),
            Self::Native(text) => write!(f, "({text})"),
        }
    }
}

fn join(f: &mut fmt::Formatter<'_>, parts: &[Condition], word: &str) -> fmt::Result {
    for (i, part) in parts.iter().enumerate() {
        f.write_str(if i == 0 { "" } else { word })?;
        part.write_operand(f)?;
    }
    Ok(())
}

impl fmt::Display for Query {
    /// Condition, order by, limit, offset: Kintone takes no other order of clauses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut clauses: Vec<String> = vec![];
        clauses.extend(self.condition.as_ref().map(ToString::to_string));
        if !self.order_by.is_empty() {
            let key = |o: &OrderBy| format!("{} {}", o.field, if o.ascending { "asc" } else { "desc" });
            clauses
                .push(format!("order by {}", self.order_by.iter().map(key).collect::<Vec<_>>().join(", ")));
        }
        clauses.extend(self.limit.map(|n| format!("limit {n}")));
        clauses.extend(self.offset.map(|n| format!("offset {n}")));
        f.write_str(&clauses.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn compare(field: &str, operator: Operator, value: &str) -> Condition {
        Condition::Compare { field: field.into(), operator, value: value.into() }
    }

    #[test]
    fn clauses_come_in_kintones_order() {
        let query = Query {
            condition: Some(Condition::And(vec![
                compare("$id", Operator::Gt, "500"),
                Condition::Or(vec![
                    compare("会社名", Operator::Eq, "a\"b"),
                    Condition::In {
                        field: "d".into(),
                        negated: true,
                        values: vec![String::new(), "x".into()],
                    },
                ]),
                Condition::IsEmpty { field: "m".into(), negated: true },
                Condition::Native("x in (TODAY())".into()),
                Condition::Call { field: "t".into(), operator: Operator::GtEq, call: "TODAY()".into() },
                Condition::InCall { field: "u".into(), negated: true, call: "LOGINUSER()".into() },
                Condition::Like { field: "m".into(), negated: true, word: "a\"".into() },
            ])),
            order_by: vec![OrderBy { field: "$id".into(), ascending: true }],
            limit: Some(500),
            offset: None,
        };
        let expect = r#"$id > "500" and (会社名 = "a\"b" or d not in ("", "x")) and m is not empty and (x in (TODAY())) and t >= TODAY() and u not in (LOGINUSER()) and m not like "a\"" order by $id asc limit 500"#;
        assert_eq!(query.to_string(), expect);
        assert_eq!(Query::default().to_string(), "");
    }

    #[test]
    fn only_plain_codes_are_named() {
        for code in ["$id", "会社名", "_a", "単価・税込", "Record_number", "ｎ１"] {
            assert!(Condition::is_nameable(code), "{code}");
        }
        for code in ["", "$", "limit", "AND", "a b", "a-b", "1a", "a.b", "a\"", "x)", "￥"] {
            assert!(!Condition::is_nameable(code), "{code}");
        }
    }

    /// What a reader of Kintone's grammar makes of a literal; `None` where it is not one, or not all of the text.
    fn read(text: &str) -> Option<String> {
        let mut chars = text.strip_prefix('"')?.chars();
        let mut out = String::new();
        loop {
            match chars.next()? {
                '"' => return chars.next().is_none().then_some(out),
                '\\' => out.push(match chars.next()? {
                    't' => '\t',
                    'n' => '\n',
                    'r' => '\r',
                    c @ ('"' | '\\') => c,
                    _ => return None,
                }),
                c if c.is_control() => return None,
                c => out.push(c),
            }
        }
    }

    proptest! {
        #[test]
        fn a_literal_stays_a_literal(text in "\\PC*|[\"\\\\\t\n\r a-c]*") {
            prop_assume!(Condition::is_expressible(&text));
            prop_assert_eq!(read(&Literal(&text).to_string()), Some(text));
        }
    }
}
