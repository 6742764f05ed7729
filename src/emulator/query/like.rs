//! `like`: a search for words, not for substrings (K§3.6).

use super::fold::fold;

/// A keyword, split as texts are.
#[derive(Debug)]
pub(super) struct Keyword(Vec<Word>);

/// A run of characters that are searched together.
#[derive(Debug, PartialEq, Eq)]
enum Word {
    /// Letters and digits: matched whole.
    Latin(String),
    /// Japanese or Chinese: matched by any part of two characters or more, or by all of a single one.
    Ideographs(String),
}

impl Keyword {
    pub(super) fn new(text: &str) -> Self {
        Self(words(text))
    }

    /// Whether the text has every word of the keyword. A keyword of symbols alone matches nothing.
    pub(super) fn matches(&self, text: &str) -> bool {
        let words = words(text);
        !self.0.is_empty() && self.0.iter().all(|wanted| words.iter().any(|word| found(wanted, word)))
    }
}

fn found(wanted: &Word, word: &Word) -> bool {
    match (wanted, word) {
        (Word::Latin(wanted), Word::Latin(word)) => wanted == word,
        (Word::Ideographs(wanted), Word::Ideographs(word)) => {
            wanted == word || (wanted.chars().nth(1).is_some() && word.contains(wanted.as_str()))
        }
        _ => false,
    }
}

fn words(text: &str) -> Vec<Word> {
    let mut out = vec![];
    for c in fold(text).chars() {
        if !c.is_alphanumeric() && c != 'ー' {
            out.push(None);
            continue;
        }
        let latin = u32::from(c) < 0x2E80;
        match out.last_mut() {
            Some(Some(Word::Latin(word))) if latin => word.push(c),
            Some(Some(Word::Ideographs(word))) if !latin => word.push(c),
            _ if latin => out.push(Some(Word::Latin(c.into()))),
            _ => out.push(Some(Word::Ideographs(c.into()))),
        }
    }
    out.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::Keyword;

    #[test]
    fn words_not_substrings() {
        for (keyword, text, expected) in [
            ("key", "gamma keyword", false),
            ("keyword", "gamma keyword", true),
            ("KEYWORD", "gamma ｋｅｙｗｏｒｄ", true),
            ("KS002", "KS0022", false),
            ("日本", "日本語", true),
            ("本語", "日本語", true),
            ("日", "日本語", false),
            ("日", "日 本", true),
            ("ﾊﾞﾅﾅ", "赤いバナナ", true),
            ("%", "100%", false),
            ("a-b", "b / a", true),
        ] {
            assert_eq!(Keyword::new(keyword).matches(text), expected, "{keyword} in {text}");
        }
    }
}
