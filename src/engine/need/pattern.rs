//! A name or a pattern of names, in any case: more may match than the statement means, never less.

/// A pattern of LIKE, or a name, which is one without wildcards.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) struct Pattern(Vec<Part>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Letter(char),
    /// `_`
    One,
    /// `%`
    Many,
}

impl Pattern {
    /// This name.
    pub(super) fn name(name: &str) -> Self {
        Self(name.to_lowercase().chars().map(Part::Letter).collect())
    }

    /// Names like this, a backslash before what is meant as it is.
    pub(super) fn like(pattern: &str) -> Self {
        let mut parts = vec![];
        let lower = pattern.to_lowercase();
        let mut letters = lower.chars();
        while let Some(letter) = letters.next() {
            parts.push(match letter {
                '%' => Part::Many,
                '_' => Part::One,
                '\\' => Part::Letter(letters.next().unwrap_or('\\')),
                other => Part::Letter(other),
            });
        }
        Self(parts)
    }

    /// psql's `^(name)$`; `None` for every other regular expression.
    pub(super) fn regex(text: &str) -> Option<Self> {
        let inner = text.strip_prefix("^(")?.strip_suffix(")$")?;
        let mut parts = vec![];
        let lower = inner.to_lowercase();
        let mut letters = lower.chars();
        while let Some(letter) = letters.next() {
            parts.push(match letter {
                // A backslash before a letter or a digit is a class, a place or a reference.
                '\\' => Part::Letter(letters.next().filter(|c| c.is_ascii_punctuation())?),
                '.' | '*' | '+' | '?' | '[' | ']' | '{' | '}' | '(' | ')' | '|' | '^' | '$' => return None,
                other => Part::Letter(other),
            });
        }
        Some(Self(parts))
    }

    /// Whether it names so few tables that those may be looked up: it has no `%`.
    pub(super) fn is_narrow(&self) -> bool {
        !self.0.contains(&Part::Many)
    }

    /// Whether a name matches.
    pub(in crate::engine) fn matches(&self, name: &str) -> bool {
        self.after(&name.to_lowercase()).contains(&self.0.len())
    }

    /// Whether a name that begins so may match.
    pub(in crate::engine) fn may_begin(&self, start: &str) -> bool {
        !self.after(&start.to_lowercase()).is_empty()
    }

    /// Where in the pattern one may stand after these letters.
    fn after(&self, letters: &str) -> Vec<usize> {
        let mut places = self.skipping(vec![0]);
        for letter in letters.chars() {
            let mut next = vec![];
            for place in places {
                match self.0.get(place) {
                    Some(Part::Letter(wanted)) if *wanted == letter => next.push(place + 1),
                    Some(Part::One) => next.push(place + 1),
                    Some(Part::Many) => next.push(place),
                    _ => {}
                }
            }
            places = self.skipping(next);
        }
        places
    }

    /// With the places that a `%` for nothing leads to.
    fn skipping(&self, mut places: Vec<usize>) -> Vec<usize> {
        let mut at = 0;
        while let Some(place) = places.get(at).copied() {
            if self.0.get(place) == Some(&Part::Many) && !places.contains(&(place + 1)) {
                places.push(place + 1);
            }
            at += 1;
        }
        places.sort_unstable();
        places.dedup();
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_in_any_case_and_by_their_start() {
        for (pattern, name, matches, begins) in [
            (Pattern::name("Customers"), "CUSTOMERS", true, true),
            (Pattern::name("orders_lines"), "orders", false, true),
            (Pattern::name("orders"), "orders_", false, false),
            (Pattern::like("app\\_1"), "app_1", true, true),
            (Pattern::like("app\\_1"), "appx1", false, false),
            (Pattern::like("a_c"), "ABC", true, true),
            (Pattern::like("a%c"), "a", false, true),
            (Pattern::like("%"), "", true, true),
            (Pattern::like("顧客%"), "顧客管理", true, true),
            (Pattern::regex("^(a\\.b)$").unwrap(), "a.b", true, true),
        ] {
            assert_eq!(
                (pattern.matches(name), pattern.may_begin(name)),
                (matches, begins),
                "{pattern:?} {name}"
            );
        }
        for regex in ["^(a.*)$", "^(a|b)$", "a", "^(\\d)$", "^(a\\)$"] {
            assert_eq!(Pattern::regex(regex), None, "{regex}");
        }
    }
}
