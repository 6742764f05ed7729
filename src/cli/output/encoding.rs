//! The bytes of a text in the encoding that was asked for.

use clap::ValueEnum;

use crate::cli::failure::{Failure, Result};

/// How CSV is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Encoding {
    /// UTF-8, lines end in LF
    Utf8,
    /// UTF-8 with the mark that Excel needs, lines end in CRLF
    Utf8Bom,
    /// Windows-31J, the Shift_JIS of Windows and Excel in Japan, lines end in CRLF
    Cp932,
}

impl Encoding {
    /// What ends a line: Excel writes and older Windows programs need CRLF, shells need LF.
    pub(super) fn line_end(self) -> &'static str {
        if self == Self::Utf8 { "\n" } else { "\r\n" }
    }

    /// What the text begins with.
    pub(super) fn mark(self) -> &'static [u8] {
        if self == Self::Utf8Bom { b"\xEF\xBB\xBF" } else { b"" }
    }
}

/// The bytes of a text.
///
/// # Errors
/// Names the character that the encoding lacks; `place` says where it stands.
pub(in crate::cli) fn encoded(text: &str, encoding: Encoding, place: &str) -> Result<Vec<u8>> {
    if encoding != Encoding::Cp932 {
        return Ok(text.as_bytes().to_vec());
    }
    let mut encoder = encoding_rs::SHIFT_JIS.new_encoder();
    let text: String = text.chars().map(microsoft).collect();
    let room = encoder.max_buffer_length_from_utf8_without_replacement(text.len());
    let mut out = Vec::with_capacity(room.unwrap_or(text.len() * 2));
    match encoder.encode_from_utf8_to_vec_without_replacement(&text, &mut out, true).0 {
        encoding_rs::EncoderResult::Unmappable(c) => Err(Failure::own(format!(
            "{place}: the character {c} (U+{:04X}) does not exist in cp932; use --encoding utf8-bom, which Excel \
             opens too",
            u32::from(c)
        ))),
        _ => Ok(out),
    }
}

/// Six characters of JIS X 0208 that Microsoft's table has at another code point: macOS types the first of each.
fn microsoft(c: char) -> char {
    match c {
        '\u{301C}' => '\u{FF5E}',
        '\u{2016}' => '\u{2225}',
        '\u{2014}' => '\u{2015}',
        '\u{00A2}' => '\u{FFE0}',
        '\u{00A3}' => '\u{FFE1}',
        '\u{00AC}' => '\u{FFE2}',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cp932_has_its_own_bytes() {
        for (text, bytes) in [
            ("ABC", b"ABC".as_slice()),
            ("あ", b"\x82\xA0"),
            ("髙﨑", b"\xFB\xFC\xFA\xB1"),
            ("㈱", b"\x87\x8A"),
            ("ｶﾅ", b"\xB6\xC5"),
            ("〜～", b"\x81\x60\x81\x60"),
            ("ソ表", b"\x83\x5C\x95\x5C"),
        ] {
            assert_eq!(encoded(text, Encoding::Cp932, "").unwrap(), bytes, "{text}");
        }
    }

    #[test]
    fn a_missing_character_is_named() {
        let error = encoded("𠮷野家", Encoding::Cp932, "row 3, column \"会社名\"").unwrap_err();
        assert_eq!(
            error.message(),
            "row 3, column \"会社名\": the character 𠮷 (U+20BB7) does not exist in cp932; use --encoding utf8-bom, \
             which Excel opens too"
        );
        assert_eq!(encoded("𠮷", Encoding::Utf8, "").unwrap(), "𠮷".as_bytes());
    }
}
