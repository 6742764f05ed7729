//! `bytea` in its two forms, and `uuid` in all of its.

/// `\x` and hexadecimal digits, or text with escapes of three octal digits.
pub(super) fn bytea(text: &str) -> Option<Vec<u8>> {
    if let Some(digits) = text.strip_prefix("\\x") {
        return hexadecimal(digits);
    }
    let mut out = vec![];
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (b'\\', [b'\\', tail @ ..]) => {
                out.push(b'\\');
                tail
            }
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..]) => {
                out.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                tail
            }
            (b'\\', _) => return None,
            (byte, tail) => {
                out.push(*byte);
                tail
            }
        };
    }
    Some(out)
}

/// Blanks may stand between bytes.
fn hexadecimal(digits: &str) -> Option<Vec<u8>> {
    let hex = |digit: char| digit.to_digit(16).and_then(|value| u8::try_from(value).ok());
    let mut out = vec![];
    let mut digits = digits.chars();
    while let Some(high) = digits.next() {
        if !high.is_ascii_whitespace() {
            out.push(hex(high)? * 16 + hex(digits.next()?)?);
        }
    }
    Some(out)
}

/// In lower case with its hyphens; a hyphen may stand after any four digits, and braces around all.
pub(super) fn uuid(text: &str) -> Option<String> {
    let inner = match text.strip_prefix('{') {
        Some(rest) => rest.strip_suffix('}')?,
        None => text,
    };
    let mut digits = String::new();
    let mut after_hyphen = true;
    for letter in inner.chars() {
        match letter {
            '-' if !after_hyphen && digits.len().is_multiple_of(4) && digits.len() < 32 => {
                after_hyphen = true
            }
            _ if letter.is_ascii_hexdigit() => {
                digits.push(letter.to_ascii_lowercase());
                after_hyphen = false;
            }
            _ => return None,
        }
    }
    if digits.len() != 32 {
        return None;
    }
    let parts: Option<Vec<&str>> =
        [0..8, 8..12, 12..16, 16..20, 20..32].into_iter().map(|part| digits.get(part)).collect();
    Some(parts?.join("-"))
}
