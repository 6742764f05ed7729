//! Text without the differences that a word search ignores: case, and full or half width (K§3.6).

use std::iter::Peekable;
use std::str::Chars;

/// Half-width katakana from U+FF66 on, in order, as full-width.
const KATAKANA: &str = "ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン";

/// Lower case, ASCII in half width, katakana in full width.
pub(super) fn fold(text: &str) -> String {
    folded(text, true, true).collect()
}

/// The characters of a text, in lower case and in one width as asked for. Nothing is allocated.
pub(super) fn folded(text: &str, case: bool, width: bool) -> impl Iterator<Item = char> + '_ {
    let wide = Widths { rest: text.chars().peekable(), on: width };
    wide.flat_map(move |c| {
        let lower = case.then(|| c.to_lowercase()).into_iter().flatten();
        (!case).then_some(c).into_iter().chain(lower)
    })
}

/// Characters in one width: a voiced mark of half width joins the letter before it.
struct Widths<'a> {
    rest: Peekable<Chars<'a>>,
    on: bool,
}

impl Iterator for Widths<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        if !self.on {
            return Some(c);
        }
        Some(match c {
            '\u{FF01}'..='\u{FF5E}' => u32::from(c).checked_sub(0xFEE0).and_then(char::from_u32).unwrap_or(c),
            '\u{3000}' => ' ',
            '\u{FF66}'..='\u{FF9D}' => {
                let letter = full_width(c);
                let step = match self.rest.peek() {
                    Some('\u{FF9E}') => 1,
                    Some('\u{FF9F}') => 2,
                    _ => return Some(letter),
                };
                let Some(voiced) = voice(letter, step) else { return Some(letter) };
                self.rest.next();
                voiced
            }
            c => c,
        })
    }
}

fn full_width(c: char) -> char {
    let index = u32::from(c).checked_sub(0xFF66).and_then(|n| usize::try_from(n).ok());
    index.and_then(|index| KATAKANA.chars().nth(index)).unwrap_or(c)
}

/// A letter with a voiced (1) or half-voiced (2) mark: these follow it in Unicode.
fn voice(letter: char, step: u32) -> Option<char> {
    match (letter, step) {
        ('ウ', 1) => Some('ヴ'),
        ('カ'..='ト', 1) | ('ハ' | 'ヒ' | 'フ' | 'ヘ' | 'ホ', _) => {
            char::from_u32(u32::from(letter) + step)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn width_and_case_fold() {
        for (text, folded) in [
            ("ＡＢＣ　１２", "abc 12"),
            ("ｶﾞｷﾞﾊﾟﾝ", "ガギパン"),
            ("ｳﾞ", "ヴ"),
            ("Straße", "straße"),
            ("株式会社", "株式会社"),
        ] {
            assert_eq!(fold(text), folded);
        }
        assert_eq!(super::folded("Ａｂ", false, true).collect::<String>(), "Ab");
        assert_eq!(super::folded("Ａｂ", true, false).collect::<String>(), "ａｂ");
    }
}
