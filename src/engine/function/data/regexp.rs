//! Regular expressions: `regexp_match` and its kin, with PostgreSQL's flags.
//!
//! Patterns are those of the crate behind DataFusion, which reads nearly all that PostgreSQL's advanced expressions
//! are; its own escapes for the edges of words are translated. Backreferences and looking around are errors.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use arrow::error::ArrowError;
use datafusion::functions::regex::compile_regex;

use super::cell::Cell;
use super::kind::{Kind, Returns};
use super::{Def, Overload, on};
use crate::error::{Error, Kind as Fault, Result};

const TEXT_PATTERN: &[Kind] = &[Kind::Text, Kind::Text];
const AND_FLAGS: &[Kind] = &[Kind::Text, Kind::Text, Kind::Text];
const AND_START: &[Kind] = &[Kind::Text, Kind::Text, Kind::Int];
const START_FLAGS: &[Kind] = &[Kind::Text, Kind::Text, Kind::Int, Kind::Text];
const START_NTH: &[Kind] = &[Kind::Text, Kind::Text, Kind::Int, Kind::Int];
const NTH_FLAGS: &[Kind] = &[Kind::Text, Kind::Text, Kind::Int, Kind::Int, Kind::Text];
const NTH_GROUP: &[Kind] = &[Kind::Text, Kind::Text, Kind::Int, Kind::Int, Kind::Text, Kind::Int];
const INSTR_FLAGS: &[Kind] = &[Kind::Text, Kind::Text, Kind::Int, Kind::Int, Kind::Int, Kind::Text];
const INSTR_END: &[Kind] = &[Kind::Text, Kind::Text, Kind::Int, Kind::Int, Kind::Int];
const INSTR_GROUP: &[Kind] =
    &[Kind::Text, Kind::Text, Kind::Int, Kind::Int, Kind::Int, Kind::Text, Kind::Int];

const REPLACE_FLAGS: &[Kind] = &[Kind::Text, Kind::Text, Kind::Text, Kind::Text];
const REPLACE_START: &[Kind] = &[Kind::Text, Kind::Text, Kind::Text, Kind::Int];
const REPLACE_NTH: &[Kind] = &[Kind::Text, Kind::Text, Kind::Text, Kind::Int, Kind::Int];
const REPLACE_ALL: &[Kind] = &[Kind::Text, Kind::Text, Kind::Text, Kind::Int, Kind::Int, Kind::Text];

const TEXTS: Returns = Returns::Word("text[]");

const fn counts(args: &'static [Kind]) -> Overload {
    on(args, Returns::Int4, |_, args| {
        let search = Search::new(args, 3)?;
        let count = search.matches(&start(args)?.0)?.len();
        Ok(Cell::Int(i64::try_from(count).unwrap_or(i64::MAX)))
    })
}

const fn parts(args: &'static [Kind]) -> Overload {
    on(args, Returns::Text, |_, args| part(args))
}

const fn places(args: &'static [Kind]) -> Overload {
    on(args, Returns::Int4, |_, args| place(args))
}

pub(super) const FUNCTIONS: &[Def] = &[
    Def::strict(
        "regexp_match",
        &[
            on(TEXT_PATTERN, TEXTS, |_, args| first_match(args)),
            on(AND_FLAGS, TEXTS, |_, args| first_match(args)),
        ],
    ),
    // What `regexp_matches` becomes: a list of its rows.
    Def::strict(
        "pg_regexp_matches",
        &[
            on(TEXT_PATTERN, Returns::Word("text[][]"), |_, args| all_matches(args)),
            on(AND_FLAGS, Returns::Word("text[][]"), |_, args| all_matches(args)),
        ],
    ),
    Def::strict(
        "regexp_split_to_array",
        &[on(TEXT_PATTERN, TEXTS, |_, args| split(args)), on(AND_FLAGS, TEXTS, |_, args| split(args))],
    ),
    Def::strict(
        "regexp_replace",
        &[
            on(AND_FLAGS, Returns::Text, |_, args| replaced(args, 3, None)),
            on(REPLACE_FLAGS, Returns::Text, |_, args| replaced(args, 3, None)),
            on(REPLACE_START, Returns::Text, |_, args| replaced(args, 5, Some(1))),
            on(REPLACE_NTH, Returns::Text, |_, args| replaced(args, 5, Some(1))),
            on(REPLACE_ALL, Returns::Text, |_, args| replaced(args, 5, Some(1))),
        ],
    ),
    Def::strict(
        "regexp_like",
        &[
            on(TEXT_PATTERN, Returns::Bool, |_, args| like(args)),
            on(AND_FLAGS, Returns::Bool, |_, args| like(args)),
        ],
    ),
    Def::strict("regexp_count", &[counts(TEXT_PATTERN), counts(AND_START), counts(START_FLAGS)]),
    Def::strict(
        "regexp_substr",
        &[parts(TEXT_PATTERN), parts(AND_START), parts(START_NTH), parts(NTH_FLAGS), parts(NTH_GROUP)],
    ),
    Def::strict(
        "regexp_instr",
        &[
            places(TEXT_PATTERN),
            places(AND_START),
            places(START_NTH),
            places(INSTR_END),
            places(INSTR_FLAGS),
            places(INSTR_GROUP),
        ],
    ),
];

/// A match: the range of bytes of the whole, and those of its groups.
struct Match {
    whole: (usize, usize),
    groups: Vec<Option<(usize, usize)>>,
}

/// A pattern with its flags.
struct Search {
    pattern: String,
    global: bool,
}

fn invalid(message: &str) -> Error {
    Error::new(Fault::InvalidValue, message)
}

impl Search {
    /// The pattern is the second argument, the flags are that of a place.
    fn new(args: &[Cell], flags_at: usize) -> Result<Self> {
        let pattern = args.get(1).map_or("", Cell::text);
        let flags = args.get(flags_at).map_or("", Cell::text);
        let (mut insensitive, mut global, mut expanded, mut literal) = (false, false, false, false);
        // The dot matches a line's end, and `^` and `$` are the ends of the text, unless a flag says otherwise.
        let (mut dot_lines, mut anchor_lines) = (true, false);
        for flag in flags.chars() {
            match flag {
                'g' => global = true,
                'i' => insensitive = true,
                'c' => insensitive = false,
                'x' => expanded = true,
                't' => expanded = false,
                's' => (dot_lines, anchor_lines) = (true, false),
                'n' | 'm' => (dot_lines, anchor_lines) = (false, true),
                'p' => (dot_lines, anchor_lines) = (false, false),
                'w' => (dot_lines, anchor_lines) = (true, true),
                'q' => literal = true,
                'e' | 'b' => {}
                other => {
                    return Err(invalid(&format!("invalid regular expression option: \"{other}\"")));
                }
            }
        }
        let mut out = String::new();
        for (on, flag) in [(insensitive, 'i'), (expanded, 'x'), (dot_lines, 's'), (anchor_lines, 'm')] {
            if on {
                out.push(flag);
            }
        }
        let options = if out.is_empty() { String::new() } else { format!("(?{out})") };
        let pattern = if literal { quoted(pattern) } else { translated(pattern) };
        Ok(Self { pattern: options + &pattern, global })
    }

    /// All matches, in order, none that overlap.
    fn matches(&self, text: &str) -> Result<Vec<Match>> {
        let known = FINDERS.with_borrow(|finders| finders.get(&self.pattern).cloned());
        if let Some(find) = known {
            return Ok(find(text));
        }
        let find = finder(&self.pattern)?;
        FINDERS.with_borrow_mut(|finders| {
            if finders.len() >= MOST_FINDERS {
                finders.clear();
            }
            finders.insert(self.pattern.clone(), Rc::clone(&find));
        });
        Ok(find(text))
    }
}

/// Finds the matches of one pattern in a text.
type Finder = Rc<dyn Fn(&str) -> Vec<Match>>;

/// Patterns that a thread keeps ready: reading one takes longer than finding its matches.
const MOST_FINDERS: usize = 16;

thread_local! {
    static FINDERS: RefCell<HashMap<String, Finder>> = RefCell::default();
}

fn finder(pattern: &str) -> Result<Finder> {
    let regex = compile_regex(pattern, None).map_err(|error| {
        let message = match error {
            ArrowError::ComputeError(message) => message,
            other => other.to_string(),
        };
        Error::new(Fault::InvalidText, format!("invalid regular expression: {message}"))
    })?;
    Ok(Rc::new(move |text| {
        let found = regex.captures_iter(text).map(|captures| {
            let range = |place: usize| captures.get(place).map(|group| (group.start(), group.end()));
            Match { whole: range(0).unwrap_or_default(), groups: (1..captures.len()).map(range).collect() }
        });
        found.collect()
    }))
}

fn quoted(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        if letter.is_ascii_punctuation() {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

/// A pattern whose escapes mean here what they mean in PostgreSQL.
pub(crate) fn translated(pattern: &str) -> String {
    let mut out = String::new();
    let mut letters = pattern.strip_prefix("***:").unwrap_or(pattern).chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('y') => out.push_str("\\b"),
            Some('Y') => out.push_str("\\B"),
            Some('m') => out.push_str("\\b{start}"),
            Some('M') => out.push_str("\\b{end}"),
            Some('Z') => out.push_str("\\z"),
            Some('b') => out.push_str("\\x08"),
            Some('e') => out.push_str("\\x1B"),
            Some(other) => {
                out.push('\\');
                out.push(other);
            }
            None => out.push('\\'),
        }
    }
    out
}

fn slice(text: &str, range: (usize, usize)) -> Cell {
    Cell::Text(text.get(range.0..range.1).unwrap_or_default().to_owned())
}

/// The groups of a match, or the whole where the pattern has none.
fn groups(text: &str, found: &Match) -> Cell {
    if found.groups.is_empty() {
        return Cell::List(vec![slice(text, found.whole)]);
    }
    Cell::List(
        found.groups.iter().map(|group| group.map_or(Cell::Null, |range| slice(text, range))).collect(),
    )
}

fn first_match(args: &[Cell]) -> Result<Cell> {
    let (text, search) = (args.first().map_or("", Cell::text), Search::new(args, 2)?);
    if search.global {
        return Err(invalid("regexp_match() does not support the \"global\" option")
            .with_hint("Use the regexp_matches function instead."));
    }
    Ok(search.matches(text)?.first().map_or(Cell::Null, |found| groups(text, found)))
}

fn all_matches(args: &[Cell]) -> Result<Cell> {
    let (text, search) = (args.first().map_or("", Cell::text), Search::new(args, 2)?);
    let most = if search.global { usize::MAX } else { 1 };
    Ok(Cell::List(search.matches(text)?.iter().take(most).map(|found| groups(text, found)).collect()))
}

fn not_global(search: &Search, function: &str) -> Result<()> {
    if search.global {
        return Err(invalid(&format!("{function}() does not support the \"global\" option")));
    }
    Ok(())
}

fn like(args: &[Cell]) -> Result<Cell> {
    let search = Search::new(args, 2)?;
    not_global(&search, "regexp_like")?;
    Ok(Cell::Bool(!search.matches(args.first().map_or("", Cell::text))?.is_empty()))
}

/// What is between the matches. One of no length counts neither at an end of the text nor behind another match.
fn split(args: &[Cell]) -> Result<Cell> {
    let (text, search) = (args.first().map_or("", Cell::text), Search::new(args, 2)?);
    not_global(&search, "regexp_split_to_array")?;
    let (mut parts, mut from) = (vec![], 0);
    for found in search.matches(text)? {
        let (start, end) = found.whole;
        if start == end && (start == from || start >= text.len()) {
            continue;
        }
        parts.push(slice(text, (from, start)));
        from = end;
    }
    parts.push(slice(text, (from, text.len())));
    Ok(Cell::List(parts))
}

/// The text with one match replaced, the one of a number, or all: with the flag `g` or the number 0.
fn replaced(args: &[Cell], flags_at: usize, number: Option<i64>) -> Result<Cell> {
    let search = Search::new(args, flags_at)?;
    let start = args.get(3).filter(|_| number.is_some()).map_or(1, Cell::int);
    let nth = args.get(4).filter(|_| number.is_some()).map_or(i64::from(!search.global), Cell::int);
    if start < 1 {
        return Err(invalid(&format!("invalid value for parameter \"start\": {start}")));
    }
    if nth < 0 {
        return Err(invalid(&format!("invalid value for parameter \"n\": {nth}")));
    }
    let text = args.first().map_or("", Cell::text);
    let skipped: usize = usize::try_from(start - 1).unwrap_or(usize::MAX);
    let before = text.char_indices().nth(skipped).map_or(text.len(), |(at, _)| at);
    let (head, text) = text.split_at_checked(before).unwrap_or((text, ""));
    let with = args.get(2).map_or("", Cell::text);
    let (mut out, mut from) = (head.to_owned(), 0);
    for (found, place) in search.matches(text)?.iter().zip(1_i64..) {
        if nth != 0 && nth != place {
            continue;
        }
        out.push_str(text.get(from..found.whole.0).unwrap_or_default());
        substitute(&mut out, text, found, with);
        from = found.whole.1;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    Ok(Cell::Text(out))
}

/// `\1` is a group, `\&` the whole match, `\\` a backslash.
fn substitute(out: &mut String, text: &str, found: &Match, with: &str) {
    let mut letters = with.chars();
    while let Some(letter) = letters.next() {
        let range = match letter {
            '\\' => match letters.next() {
                Some('&') => Some(found.whole),
                Some(digit @ '1'..='9') => {
                    let group = digit.to_digit(10).and_then(|group| usize::try_from(group).ok()).unwrap_or(1);
                    found.groups.get(group - 1).copied().flatten()
                }
                Some('\\') | None => {
                    out.push('\\');
                    continue;
                }
                Some(other) => {
                    out.push('\\');
                    out.push(other);
                    continue;
                }
            },
            other => {
                out.push(other);
                continue;
            }
        };
        if let Some((start, end)) = range {
            out.push_str(text.get(start..end).unwrap_or_default());
        }
    }
}

/// The text from the character that the third argument says, and how many bytes and characters are before it.
fn start(args: &[Cell]) -> Result<(String, usize)> {
    let text = args.first().map_or("", Cell::text);
    let from = args.get(2).map_or(1, Cell::int);
    if from < 1 {
        return Err(invalid(&format!("invalid value for parameter \"start\": {from}")));
    }
    let before = usize::try_from(from - 1).unwrap_or(usize::MAX);
    Ok((text.chars().skip(before).collect(), before))
}

/// An argument that is at least 1.
fn counted(args: &[Cell], at: usize, least: i64, name: &str) -> Result<usize> {
    let value = args.get(at).map_or(least, Cell::int);
    if value < least {
        return Err(invalid(&format!("invalid value for parameter \"{name}\": {value}")));
    }
    Ok(usize::try_from(value).unwrap_or(usize::MAX))
}

/// The range of the match, or of the group of it, that the arguments say.
fn wanted(args: &[Cell], text: &str, flags_at: usize, function: &str) -> Result<Option<(usize, usize)>> {
    let search = Search::new(args, flags_at)?;
    not_global(&search, function)?;
    let nth = if args.len() > 3 { counted(args, 3, 1, "n")? } else { 1 };
    let group = counted(args, flags_at + 1, 0, "subexpr")?;
    let found = search.matches(text)?;
    let Some(found) = found.get(nth - 1) else { return Ok(None) };
    Ok(match group {
        0 => Some(found.whole),
        group => found.groups.get(group - 1).copied().flatten(),
    })
}

fn part(args: &[Cell]) -> Result<Cell> {
    let (text, _) = start(args)?;
    Ok(wanted(args, &text, 4, "regexp_substr")?.map_or(Cell::Null, |range| slice(&text, range)))
}

fn place(args: &[Cell]) -> Result<Cell> {
    let (text, before) = start(args)?;
    let at_end = args.get(4).map_or(0, Cell::int);
    if !(0..=1).contains(&at_end) {
        return Err(invalid(&format!("invalid value for parameter \"endoption\": {at_end}")));
    }
    let Some((from, to)) = wanted(args, &text, 5, "regexp_instr")? else { return Ok(Cell::Int(0)) };
    let bytes = if at_end == 1 { to } else { from };
    let letters = text.get(..bytes).unwrap_or_default().chars().count();
    Ok(Cell::Int(i64::try_from(before + letters + 1).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(texts: &[&str]) -> Vec<Cell> {
        texts.iter().map(|text| Cell::Text((*text).into())).collect()
    }

    #[test]
    fn texts_are_split() {
        let parts = |text: &str, pattern: &str| split(&cells(&[text, pattern]));
        assert_eq!(parts("a1b22c", "[0-9]+"), Ok(Cell::List(cells(&["a", "b", "c"]))));
        assert_eq!(parts("abc", ""), Ok(Cell::List(cells(&["a", "b", "c"]))));
        assert_eq!(
            parts("the quick", "\\s*"),
            Ok(Cell::List(cells(&["t", "h", "e", "q", "u", "i", "c", "k"])))
        );
        assert_eq!(parts(",a,", ","), Ok(Cell::List(cells(&["", "a", ""]))));
    }

    #[test]
    fn flags_say_how_patterns_are_read() {
        let like = |text: &str, pattern: &str, flags: &str| like(&cells(&[text, pattern, flags]));
        assert_eq!(like("ABC", "b", "i"), Ok(Cell::Bool(true)));
        assert_eq!(like("a\nb", "a.b", ""), Ok(Cell::Bool(true)));
        assert_eq!(like("a\nb", "^b", "n"), Ok(Cell::Bool(true)));
        assert_eq!(like("a.b", "a.b", "q"), Ok(Cell::Bool(true)));
        assert_eq!(like("axb", "a.b", "q"), Ok(Cell::Bool(false)));
        assert_eq!(like("foo bar", "\\mbar\\M", ""), Ok(Cell::Bool(true)));
        assert!(like("a", "a", "z").is_err());
        assert!(like("a", "(", "").is_err());
    }
}
