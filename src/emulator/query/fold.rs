//! Text without the differences that a word search ignores: case, and full or half width (K§3.6).

/// Half-width katakana from U+FF66 on, in order, as full-width.
const KATAKANA: &str = "ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン";

/// Lower case, ASCII in half width, katakana in full width.
pub(super) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{FF01}'..='\u{FF5E}' => {
                let ascii = u32::from(c).checked_sub(0xFEE0).and_then(char::from_u32).unwrap_or(c);
                out.push(ascii.to_ascii_lowercase());
            }
            '\u{3000}' => out.push(' '),
            '\u{FF66}'..='\u{FF9D}' => out.push(full_width(c)),
            '\u{FF9E}' => voice(&mut out, 1),
            '\u{FF9F}' => voice(&mut out, 2),
            c => out.extend(c.to_lowercase()),
        }
    }
    out
}

fn full_width(c: char) -> char {
    let index = u32::from(c).checked_sub(0xFF66).and_then(|n| usize::try_from(n).ok());
    index.and_then(|index| KATAKANA.chars().nth(index)).unwrap_or(c)
}

/// Puts a voiced (1) or half-voiced (2) mark on the last letter: these follow it in Unicode.
fn voice(out: &mut String, step: u32) {
    let Some(last) = out.pop() else { return };
    let takes_it = match step {
        1 => matches!(last, 'カ'..='ト' | 'ハ' | 'ヒ' | 'フ' | 'ヘ' | 'ホ'),
        _ => matches!(last, 'ハ' | 'ヒ' | 'フ' | 'ヘ' | 'ホ'),
    };
    let voiced =
        if last == 'ウ' && step == 1 { Some('ヴ') } else { char::from_u32(u32::from(last) + step) };
    out.push(voiced.filter(|_| takes_it || last == 'ウ').unwrap_or(last));
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
    }
}
