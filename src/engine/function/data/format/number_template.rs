//! Templates of numbers: `FM999,990.00` as fields, and what they say together.

use super::template::{Node as TextNode, Ordinal, literal};
use crate::error::{Error, Kind, Result};

/// A field of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    /// `9`, or `0` where `zero`.
    Digit {
        zero: bool,
    },
    /// `.` and `D`
    Point,
    /// `,` and `G`
    Group,
    /// `L`
    Currency,
    Roman {
        upper: bool,
    },
    Ordinal(Ordinal),
    /// `MI`
    Minus,
    /// `PL`
    Plus,
    /// `SG`
    Sign,
    /// What is told by [`Shape`] alone.
    Elsewhere,
}

/// A piece of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    Field(Field),
    Char(char),
}

/// Where the sign of `S` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    /// Before the first digit.
    First,
    /// Behind the last one.
    Last,
}

/// What the fields of a template say together.
#[derive(Debug, Clone, Default)]
pub(super) struct Shape {
    /// Digits before the point, and behind it.
    pub(super) before: usize,
    pub(super) behind: usize,
    /// Digits behind `V`, by which the number is multiplied.
    pub(super) shifted: usize,
    /// The digits before the first `0`, where there is one before the point.
    pub(super) first_zero: Option<usize>,
    /// The digits up to the last `0`.
    pub(super) last_zero: usize,
    pub(super) point: bool,
    /// `FM`
    pub(super) fill: bool,
    /// `S`
    pub(super) anchor: Option<Anchor>,
    /// The digits before an `S` that stands before the point.
    before_sign: usize,
    /// `MI` or `SG`
    pub(super) minus: bool,
    /// `PL` or `SG`
    pub(super) plus: bool,
    /// `PR`
    pub(super) brackets: bool,
    pub(super) roman: bool,
    /// `V`
    pub(super) multiplied: bool,
    /// `EEEE`
    pub(super) scientific: bool,
}

/// The names of fields, longest first.
const KEYWORDS: &[(&str, Word)] = &[
    ("EEEE", Word::Scientific),
    ("eeee", Word::Scientific),
    ("FM", Word::Fill),
    ("fm", Word::Fill),
    ("MI", Word::Minus),
    ("mi", Word::Minus),
    ("PL", Word::Plus),
    ("pl", Word::Plus),
    ("PR", Word::Brackets),
    ("pr", Word::Brackets),
    ("RN", Word::Roman(true)),
    ("rn", Word::Roman(false)),
    ("SG", Word::Sign),
    ("sg", Word::Sign),
    ("SP", Word::Nothing),
    ("sp", Word::Nothing),
    ("TH", Word::Ordinal(Ordinal::Upper)),
    ("th", Word::Ordinal(Ordinal::Lower)),
    (",", Word::Group),
    (".", Word::Point),
    ("0", Word::Zero),
    ("9", Word::Nine),
    ("B", Word::Nothing),
    ("b", Word::Nothing),
    ("C", Word::Nothing),
    ("c", Word::Nothing),
    ("D", Word::Point),
    ("d", Word::Point),
    ("G", Word::Group),
    ("g", Word::Group),
    ("L", Word::Currency),
    ("l", Word::Currency),
    ("S", Word::Anchored),
    ("s", Word::Anchored),
    ("V", Word::Shift),
    ("v", Word::Shift),
];

#[derive(Debug, Clone, Copy)]
enum Word {
    Scientific,
    Fill,
    Minus,
    Plus,
    Brackets,
    Roman(bool),
    Sign,
    Nothing,
    Ordinal(Ordinal),
    Group,
    Point,
    Zero,
    Nine,
    Currency,
    Anchored,
    Shift,
}

/// A template as its pieces, and what they say together.
///
/// # Errors
/// `Syntax` where two fields do not go together, as PostgreSQL says it.
pub(super) fn parsed(template: &str) -> Result<(Vec<Node>, Shape)> {
    let (mut nodes, mut shape) = (vec![], Shape::default());
    let mut rest = template;
    while !rest.is_empty() {
        if let Some((name, word)) = KEYWORDS.iter().find(|(name, _)| rest.starts_with(name)) {
            rest = rest.get(name.len()..).unwrap_or_default();
            shape.add(*word)?;
            nodes.push(Node::Field(field(*word)));
            continue;
        }
        let mut letters = vec![];
        rest = literal(rest, &mut letters, false);
        nodes.extend(letters.into_iter().filter_map(|letter| match letter {
            TextNode::Char(c) | TextNode::Separator(c) | TextNode::Space(c) => Some(Node::Char(c)),
            TextNode::Field { .. } => None,
        }));
    }
    Ok((nodes, shape))
}

fn field(word: Word) -> Field {
    match word {
        Word::Zero => Field::Digit { zero: true },
        Word::Nine => Field::Digit { zero: false },
        Word::Point => Field::Point,
        Word::Group => Field::Group,
        Word::Currency => Field::Currency,
        Word::Roman(upper) => Field::Roman { upper },
        Word::Ordinal(ordinal) => Field::Ordinal(ordinal),
        Word::Minus => Field::Minus,
        Word::Plus => Field::Plus,
        Word::Sign => Field::Sign,
        Word::Scientific | Word::Fill | Word::Brackets | Word::Nothing | Word::Anchored | Word::Shift => {
            Field::Elsewhere
        }
    }
}

fn refused(message: &str) -> Result<()> {
    Err(Error::new(Kind::Syntax, message))
}

impl Shape {
    fn add(&mut self, word: Word) -> Result<()> {
        if self.scientific && !matches!(word, Word::Scientific) {
            return refused("\"EEEE\" must be the last pattern used");
        }
        match word {
            Word::Nine => {
                if self.brackets {
                    return refused("\"9\" must be ahead of \"PR\"");
                }
                self.count(false);
            }
            Word::Zero => {
                if self.brackets {
                    return refused("\"0\" must be ahead of \"PR\"");
                }
                self.count(true);
            }
            Word::Point if self.point => return refused("multiple decimal points"),
            Word::Point if self.multiplied => return refused("cannot use \"V\" and decimal point together"),
            Word::Point => self.point = true,
            Word::Shift if self.point => return refused("cannot use \"V\" and decimal point together"),
            Word::Shift => self.multiplied = true,
            Word::Fill => self.fill = true,
            Word::Roman(_) => self.roman = true,
            Word::Scientific => return self.add_exponent(),
            Word::Anchored | Word::Minus | Word::Plus | Word::Sign | Word::Brackets => {
                return self.add_sign(word);
            }
            Word::Nothing | Word::Ordinal(_) | Word::Group | Word::Currency => {}
        }
        Ok(())
    }

    fn count(&mut self, zero: bool) {
        if !zero && self.multiplied {
            self.shifted += 1;
            return;
        }
        if zero && !self.point && self.first_zero.is_none() {
            self.first_zero = Some(self.before);
        }
        *if self.point { &mut self.behind } else { &mut self.before } += 1;
        if zero {
            self.last_zero = self.before + self.behind;
        }
    }

    fn add_sign(&mut self, word: Word) -> Result<()> {
        match word {
            Word::Anchored if self.anchor.is_some() => return refused("cannot use \"S\" twice"),
            Word::Anchored if self.plus || self.minus || self.brackets => {
                return refused("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together");
            }
            Word::Anchored if self.point => self.anchor = Some(Anchor::Last),
            Word::Anchored => {
                self.anchor = Some(Anchor::First);
                self.before_sign = self.before;
            }
            Word::Brackets if self.anchor.is_some() || self.plus || self.minus => {
                return refused("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together");
            }
            Word::Brackets => self.brackets = true,
            Word::Minus if self.anchor.is_some() => return refused("cannot use \"S\" and \"MI\" together"),
            Word::Minus => self.minus = true,
            Word::Plus if self.anchor.is_some() => return refused("cannot use \"S\" and \"PL\" together"),
            Word::Plus => self.plus = true,
            _ if self.anchor.is_some() => return refused("cannot use \"S\" and \"SG\" together"),
            _ => (self.minus, self.plus) = (true, true),
        }
        Ok(())
    }

    fn add_exponent(&mut self) -> Result<()> {
        if self.scientific {
            return refused("cannot use \"EEEE\" twice");
        }
        let other = self.fill || self.anchor.is_some() || self.brackets || self.minus || self.plus;
        if other || self.roman || self.multiplied {
            return Err(Error::new(Kind::Syntax, "\"EEEE\" is incompatible with other formats")
                .with_detail("\"EEEE\" may only be used together with digit and decimal point patterns."));
        }
        self.scientific = true;
        Ok(())
    }

    /// Where `S` is written: one behind all digits before the point stands behind the last digit.
    pub(super) fn sign_place(&self, before: usize) -> Option<Anchor> {
        match self.anchor {
            Some(Anchor::First) if self.before_sign == before => Some(Anchor::Last),
            other => other,
        }
    }
}
