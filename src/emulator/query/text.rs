//! Sets of texts, as `=` and `in` compare them (K§3.5).

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::super::unknown::Unknowns;
use super::fold::folded;

/// Which differences of two texts do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Alike {
    case: bool,
    width: bool,
    trailing_spaces: bool,
}

impl Alike {
    /// Options, codes and states: every difference counts.
    pub(super) const EXACT: Self = Self { case: false, width: false, trailing_spaces: false };

    /// Texts that users type.
    pub(super) fn typed(unknowns: Unknowns) -> Self {
        Self {
            case: unknowns.text_equality_ignores_case,
            width: unknowns.text_equality_ignores_width,
            trailing_spaces: unknowns.text_equality_ignores_trailing_spaces,
        }
    }

    /// Whether a text of spaces alone is as an empty one.
    pub(super) fn blank_is_empty(self) -> bool {
        self.trailing_spaces
    }

    fn characters(self, text: &str) -> impl Iterator<Item = char> + '_ {
        let text = if self.trailing_spaces { text.trim_end_matches([' ', '\u{3000}']) } else { text };
        folded(text, self.case, self.width)
    }

    fn hash(self, text: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.characters(text).for_each(|c| c.hash(&mut hasher));
        hasher.finish()
    }
}

/// Texts to be found. Looking one up allocates nothing, since it is done once a record.
#[derive(Debug)]
pub(super) enum Texts {
    Exact(HashSet<String>),
    /// By the hash of what counts.
    Alike(Alike, HashMap<u64, Vec<String>>),
}

impl Texts {
    pub(super) fn new(texts: Vec<String>, alike: Alike) -> Self {
        if alike == Alike::EXACT {
            return Self::Exact(texts.into_iter().collect());
        }
        let mut by_hash: HashMap<u64, Vec<String>> = HashMap::new();
        for text in texts {
            by_hash.entry(alike.hash(&text)).or_default().push(text);
        }
        Self::Alike(alike, by_hash)
    }

    pub(super) fn contains(&self, text: &str) -> bool {
        match self {
            Self::Exact(texts) => texts.contains(text),
            Self::Alike(alike, by_hash) => by_hash.get(&alike.hash(text)).is_some_and(|texts| {
                texts.iter().any(|known| alike.characters(known).eq(alike.characters(text)))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_difference_counts_or_not() {
        let none = Alike::EXACT;
        for (alike, text, expected) in [
            (none, "Ab", true),
            (none, "ab", false),
            (Alike { case: true, ..none }, "aB", true),
            (Alike { case: true, ..none }, "ａB", false),
            (Alike { width: true, ..none }, "Ａｂ", true),
            (Alike { width: true, ..none }, "ａｂ", false),
            (Alike { trailing_spaces: true, ..none }, "Ab \u{3000}", true),
            (Alike { trailing_spaces: true, ..none }, " Ab", false),
        ] {
            let texts = Texts::new(vec!["x".to_owned(), "Ab".to_owned()], alike);
            assert_eq!(texts.contains(text), expected, "{text} {alike:?}");
        }
    }
}
