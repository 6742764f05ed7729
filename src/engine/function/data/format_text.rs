//! `format`: a text with places for values, as `sprintf` has them.

use std::iter::Peekable;
use std::str::Chars;

use super::cell::Cell;
use super::kind::{Kind, Returns};
use super::show::text;
use super::{Context, Def, variadic};
use crate::engine::function::text::{quote_ident, quote_literal};
use crate::error::{Error, Kind as Fault, Result};

pub(super) const FUNCTIONS: &[Def] =
    &[Def::lenient("format", &[variadic(&[Kind::Text], Kind::Any, Returns::Text, formatted)])];

fn invalid(message: impl Into<String>) -> Error {
    Error::new(Fault::InvalidValue, message)
}

/// The values behind the pattern, and the one that is next.
struct Values<'a> {
    context: &'a Context,
    values: &'a [Cell],
    next: usize,
}

impl<'a> Values<'a> {
    /// The value of a place from 1, or the next one.
    fn take(&mut self, place: Option<usize>) -> Result<&'a Cell> {
        if place == Some(0) {
            return Err(invalid("format specifies argument 0, but arguments are numbered from 1"));
        }
        let place = place.unwrap_or(self.next + 1);
        self.next = place;
        self.values.get(place - 1).ok_or_else(|| invalid("too few arguments for format()"))
    }
}

fn formatted(context: &Context, args: &[Cell]) -> Result<Cell> {
    let Some((Cell::Text(pattern), values)) = args.split_first() else { return Ok(Cell::Null) };
    let mut values = Values { context, values, next: 0 };
    let mut out = String::new();
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '%' if letters.peek() == Some(&'%') => {
                letters.next();
                out.push('%');
            }
            '%' => out.push_str(&specified(&mut letters, &mut values)?),
            other => out.push(other),
        }
    }
    Ok(Cell::Text(out))
}

/// `[position$][-][width]type`, behind the percent sign.
fn specified(letters: &mut Peekable<Chars<'_>>, values: &mut Values<'_>) -> Result<String> {
    let mut place = None;
    let mut width = number(letters)?;
    if width.is_some() && letters.peek() == Some(&'$') {
        letters.next();
        place = width.take();
    }
    let mut to_left = false;
    if width.is_none() {
        while letters.peek() == Some(&'-') {
            letters.next();
            to_left = true;
        }
        if letters.peek() == Some(&'*') {
            letters.next();
            let of_width = number(letters)?;
            if of_width.is_some() && letters.next() != Some('$') {
                return Err(invalid("width argument position must be ended by \"$\""));
            }
            let wanted = match values.take(of_width)? {
                Cell::Null => 0,
                cell => cell.int(),
            };
            to_left |= wanted < 0;
            width = usize::try_from(wanted.unsigned_abs()).ok();
        } else {
            width = number(letters)?;
        }
    }
    let shown = match letters.next() {
        Some(kind @ ('s' | 'I' | 'L')) => value(kind, values.take(place)?, values.context)?,
        Some(other) => return Err(invalid(format!("unrecognized format() type specifier \"{other}\""))),
        None => {
            let hint = "For a single \"%\" use \"%%\".";
            return Err(invalid("unterminated format() type specifier").with_hint(hint));
        }
    };
    let width = width.unwrap_or(0);
    if width > LONGEST {
        return Err(invalid("number is out of range"));
    }
    let spaces = " ".repeat(width.saturating_sub(shown.chars().count()));
    Ok(if to_left { shown + &spaces } else { spaces + &shown })
}

/// The widest place.
const LONGEST: usize = 10_000;

fn number(letters: &mut Peekable<Chars<'_>>) -> Result<Option<usize>> {
    let mut digits = String::new();
    while let Some(digit) = letters.next_if(char::is_ascii_digit) {
        digits.push(digit);
    }
    if digits.is_empty() {
        return Ok(None);
    }
    digits.parse().map(Some).map_err(|_| invalid("number is out of range"))
}

fn value(kind: char, cell: &Cell, context: &Context) -> Result<String> {
    let shown = text(cell, context.zone);
    Ok(match (kind, shown) {
        ('I', None) => return Err(invalid("null values cannot be formatted as an SQL identifier")),
        ('I', Some(name)) => quote_ident(&name),
        ('L', None) => "NULL".to_owned(),
        ('L', Some(text)) => quote_literal(&text),
        (_, shown) => shown.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;

    #[test]
    fn values_have_their_places() {
        let of = |pattern: &str, values: &[&str]| {
            let args: Vec<Cell> =
                std::iter::once(&pattern).chain(values).map(|text| Cell::Text((*text).into())).collect();
            match formatted(&Context { zone: Tz::UTC }, &args) {
                Ok(cell) => cell.text().to_owned(),
                Err(error) => error.message,
            }
        };
        assert_eq!(of("%2$s %1$s %s", &["a", "b"]), "b a b");
        assert_eq!(of("|%5s|%-5s|", &["a", "b"]), "|    a|b    |");
        assert_eq!(of("%I %L %%", &["a b", "it's"]), "\"a b\" 'it''s' %");
        assert_eq!(of("%s %s", &["a"]), "too few arguments for format()");
        assert_eq!(of("%x", &["a"]), "unrecognized format() type specifier \"x\"");
    }
}
