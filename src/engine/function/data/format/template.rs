//! Templates of dates and times: `YYYY-MM-DD HH24:MI` as fields and the text between them.

/// What a field of a template is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    /// `AM`, `a.m.`; whether with dots, and whether in capitals.
    Meridian {
        dots: bool,
        upper: bool,
    },
    /// `AD`, `b.c.`
    Era {
        dots: bool,
        upper: bool,
    },
    Century,
    /// The name of a weekday, whole or of three letters.
    Weekday {
        whole: bool,
        case: Case,
    },
    DayOfYear,
    IsoDayOfYear,
    Day,
    /// 1 is Sunday.
    DayOfWeek,
    /// 1 is Monday.
    IsoDayOfWeek,
    /// `FF1` to `FF6`, `MS` (3) and `US` (6), where `unit` says that it is one of the latter two.
    Fraction {
        digits: usize,
        unit: bool,
    },
    /// `FX`
    Exact,
    Hour24,
    Hour12,
    IsoWeek,
    /// Digits of the year, 4 to 1.
    IsoYear(usize),
    Year(usize),
    /// `Y,YYY`
    YearWithComma,
    Julian,
    Minute,
    Month,
    MonthName {
        whole: bool,
        case: Case,
    },
    RomanMonth {
        upper: bool,
    },
    /// `OF`
    Offset,
    Quarter,
    SecondOfDay,
    Second,
    ZoneHours,
    ZoneMinutes,
    /// `TZ`
    Zone {
        upper: bool,
    },
    WeekOfYear,
    WeekOfMonth,
}

/// How a name is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Upper,
    Title,
    Lower,
}

/// `th` behind a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ordinal {
    None,
    Upper,
    Lower,
}

/// A piece of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    Field {
        field: Field,
        /// As written, for messages.
        name: &'static str,
        /// `FM`: without padding.
        fill: bool,
        /// `TM`: in the words of a locale.
        localized: bool,
        ordinal: Ordinal,
    },
    /// A character that stands for itself, or, in a text that is read, for one of its kind.
    Char(char),
    Separator(char),
    Space(char),
}

const fn meridian(dots: bool, upper: bool) -> Field {
    Field::Meridian { dots, upper }
}

const fn era(dots: bool, upper: bool) -> Field {
    Field::Era { dots, upper }
}

const fn weekday(whole: bool, case: Case) -> Field {
    Field::Weekday { whole, case }
}

const fn month(whole: bool, case: Case) -> Field {
    Field::MonthName { whole, case }
}

const fn fraction(digits: usize) -> Field {
    Field::Fraction { digits, unit: false }
}

/// The names that take either all capitals or none. A name stands before those that it begins with.
const EITHER_CASE: &[(&str, &str, Field)] = &[
    ("CC", "cc", Field::Century),
    ("DDD", "ddd", Field::DayOfYear),
    ("DD", "dd", Field::Day),
    ("FF1", "ff1", fraction(1)),
    ("FF2", "ff2", fraction(2)),
    ("FF3", "ff3", fraction(3)),
    ("FF4", "ff4", fraction(4)),
    ("FF5", "ff5", fraction(5)),
    ("FF6", "ff6", fraction(6)),
    ("FX", "fx", Field::Exact),
    ("HH24", "hh24", Field::Hour24),
    ("HH12", "hh12", Field::Hour12),
    ("HH", "hh", Field::Hour12),
    ("IDDD", "iddd", Field::IsoDayOfYear),
    ("ID", "id", Field::IsoDayOfWeek),
    ("IW", "iw", Field::IsoWeek),
    ("IYYY", "iyyy", Field::IsoYear(4)),
    ("IYY", "iyy", Field::IsoYear(3)),
    ("IY", "iy", Field::IsoYear(2)),
    ("I", "i", Field::IsoYear(1)),
    ("J", "j", Field::Julian),
    ("MI", "mi", Field::Minute),
    ("MM", "mm", Field::Month),
    ("MS", "ms", Field::Fraction { digits: 3, unit: true }),
    ("OF", "of", Field::Offset),
    ("Q", "q", Field::Quarter),
    ("SSSSS", "sssss", Field::SecondOfDay),
    ("SSSS", "ssss", Field::SecondOfDay),
    ("SS", "ss", Field::Second),
    ("TZH", "tzh", Field::ZoneHours),
    ("TZM", "tzm", Field::ZoneMinutes),
    ("US", "us", Field::Fraction { digits: 6, unit: true }),
    ("WW", "ww", Field::WeekOfYear),
    ("W", "w", Field::WeekOfMonth),
    ("Y,YYY", "y,yyy", Field::YearWithComma),
    ("YYYY", "yyyy", Field::Year(4)),
    ("YYY", "yyy", Field::Year(3)),
    ("YY", "yy", Field::Year(2)),
    ("Y", "y", Field::Year(1)),
];

/// The names whose case says how the result is written.
const BY_CASE: &[(&str, Field)] = &[
    ("A.D.", era(true, true)),
    ("B.C.", era(true, true)),
    ("AD", era(false, true)),
    ("BC", era(false, true)),
    ("a.d.", era(true, false)),
    ("b.c.", era(true, false)),
    ("ad", era(false, false)),
    ("bc", era(false, false)),
    ("A.M.", meridian(true, true)),
    ("P.M.", meridian(true, true)),
    ("AM", meridian(false, true)),
    ("PM", meridian(false, true)),
    ("a.m.", meridian(true, false)),
    ("p.m.", meridian(true, false)),
    ("am", meridian(false, false)),
    ("pm", meridian(false, false)),
    ("DAY", weekday(true, Case::Upper)),
    ("Day", weekday(true, Case::Title)),
    ("day", weekday(true, Case::Lower)),
    ("DY", weekday(false, Case::Upper)),
    ("Dy", weekday(false, Case::Title)),
    ("dy", weekday(false, Case::Lower)),
    ("MONTH", month(true, Case::Upper)),
    ("Month", month(true, Case::Title)),
    ("month", month(true, Case::Lower)),
    ("MON", month(false, Case::Upper)),
    ("Mon", month(false, Case::Title)),
    ("mon", month(false, Case::Lower)),
    ("RM", Field::RomanMonth { upper: true }),
    ("rm", Field::RomanMonth { upper: false }),
];

/// The names that others begin with.
const SHORT: &[(&str, Field)] = &[
    ("D", Field::DayOfWeek),
    ("d", Field::DayOfWeek),
    ("TZ", Field::Zone { upper: true }),
    ("tz", Field::Zone { upper: false }),
];

/// The field that a text begins with.
fn keyword(text: &str) -> Option<(&'static str, Field)> {
    let either = EITHER_CASE.iter().flat_map(|(upper, lower, field)| [(*upper, *field), (*lower, *field)]);
    let mut known = BY_CASE.iter().copied().chain(either).chain(SHORT.iter().copied());
    known.find(|(name, _)| text.starts_with(name))
}

/// A template as its pieces. There is no text that is none.
pub(super) fn parsed(template: &str) -> Vec<Node> {
    let mut nodes = vec![];
    let mut rest = template;
    while !rest.is_empty() {
        let (mut fill, mut localized) = (false, false);
        if let Some(behind) = rest.strip_prefix("FM").or_else(|| rest.strip_prefix("fm")) {
            (fill, rest) = (true, behind);
        } else if let Some(behind) = rest.strip_prefix("TM").or_else(|| rest.strip_prefix("tm")) {
            (localized, rest) = (true, behind);
        }
        if let Some((name, field)) = keyword(rest) {
            rest = rest.get(name.len()..).unwrap_or_default();
            let ordinal = if rest.starts_with("TH") {
                Ordinal::Upper
            } else if rest.starts_with("th") {
                Ordinal::Lower
            } else {
                Ordinal::None
            };
            if ordinal != Ordinal::None || rest.starts_with("SP") {
                rest = rest.get(2..).unwrap_or_default();
            }
            nodes.push(Node::Field { field, name, fill, localized, ordinal });
        } else {
            rest = literal(rest, &mut nodes, true);
        }
    }
    nodes
}

/// Takes one character, or a text in double quotes, from the front of a template. Gives what is behind it.
pub(super) fn literal<'t>(text: &'t str, nodes: &mut Vec<Node>, of_dates: bool) -> &'t str {
    let mut letters = text.chars();
    let Some(letter) = letters.next() else { return "" };
    if letter == '"' {
        while let Some(letter) = letters.next() {
            match letter {
                '"' => break,
                '\\' => nodes.push(Node::Char(letters.next().unwrap_or('\\'))),
                other => nodes.push(Node::Char(other)),
            }
        }
        return letters.as_str();
    }
    // A backslash is a letter, but before a double quote.
    let letter = if letter == '\\' && letters.as_str().starts_with('"') {
        letters.next().unwrap_or(letter)
    } else {
        letter
    };
    nodes.push(match letter {
        other if of_dates && is_separator(other) => Node::Separator(other),
        other if other.is_ascii_whitespace() || other == '\u{b}' => Node::Space(other),
        other => Node::Char(other),
    });
    letters.as_str()
}

/// ASCII's signs: neither letters nor digits, nor a space.
pub(super) fn is_separator(letter: char) -> bool {
    letter.is_ascii_punctuation()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(template: &str) -> Vec<String> {
        let name = |node: &Node| match node {
            Node::Field { name, .. } => (*name).to_owned(),
            Node::Char(letter) => format!("'{letter}"),
            Node::Separator(letter) | Node::Space(letter) => letter.to_string(),
        };
        parsed(template).iter().map(name).collect()
    }

    #[test]
    fn the_longest_name_is_taken() {
        assert_eq!(names("YYYYMMDD"), ["YYYY", "MM", "DD"]);
        assert_eq!(names("Y,YYYFXDDDth"), ["Y,YYY", "FX", "DDD"]);
        assert_eq!(names("Dy DTZHTZ"), ["Dy", " ", "D", "TZH", "TZ"]);
        assert_eq!(names("IYYY-\"W\\\"\"IWx"), ["IYYY", "-", "'W", "'\"", "IW", "'x"]);
        assert_eq!(names("\\\"A.M."), ["\"", "A.M."]);
        assert_eq!(names("FMMonth"), ["Month"]);
    }
}
