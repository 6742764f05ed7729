//! Which parts of the pushdown a statement uses, so that each can be compared with doing without.

use std::fmt;
use std::str::FromStr;

/// A part of the pushdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Conditions go to Kintone.
    Filter,
    /// LIMIT bounds what is asked for.
    Limit,
    /// ORDER BY ... LIMIT is ordered by Kintone.
    TopK,
    /// `count(*)` is Kintone's totalCount.
    Count,
    /// `min` and `max` are the first record of an order.
    MinMax,
    /// GROUP BY a choice is one count for each option.
    Group,
    /// The keys of a join's small side go into the query of the other.
    Join,
}

const RULES: &[(Rule, &str)] = &[
    (Rule::Filter, "filter"),
    (Rule::Limit, "limit"),
    (Rule::TopK, "top_k"),
    (Rule::Count, "count"),
    (Rule::MinMax, "min_max"),
    (Rule::Group, "group"),
    (Rule::Join, "join"),
];

/// A set of rules. Written as `on`, `off`, or a list such as `filter, limit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rules(u8);

impl Rules {
    /// Everything is read and evaluated here.
    pub const OFF: Self = Self(0);
    /// Everything that Kintone can do, it does.
    pub const ON: Self = Self((1 << RULES.len()) - 1);

    /// Whether the rule is on.
    #[must_use]
    pub fn has(self, rule: Rule) -> bool {
        self.0 & bit(rule) != 0
    }

    /// The names of the rules, as a list of them is written.
    pub fn names() -> impl Iterator<Item = &'static str> {
        RULES.iter().map(|(_, name)| *name)
    }
}

fn bit(rule: Rule) -> u8 {
    RULES.iter().position(|(known, _)| *known == rule).map_or(0, |place| 1 << place)
}

impl FromStr for Rules {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.trim().to_lowercase();
        match text.as_str() {
            "on" | "true" | "yes" | "1" => return Ok(Self::ON),
            "off" | "false" | "no" | "0" => return Ok(Self::OFF),
            _ => {}
        }
        text.split(',').try_fold(Self::OFF, |set, name| {
            let rule = RULES.iter().find(|(_, known)| *known == name.trim()).ok_or(())?;
            Ok(Self(set.0 | bit(rule.0)))
        })
    }
}

impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ON => f.write_str("on"),
            Self::OFF => f.write_str("off"),
            set => {
                let names: Vec<_> =
                    RULES.iter().filter(|(rule, _)| set.has(*rule)).map(|(_, name)| *name).collect();
                f.write_str(&names.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_read_and_written() {
        for (text, shown) in
            [("on", "on"), ("OFF", "off"), ("filter", "filter"), ("count,Filter", "filter, count")]
        {
            assert_eq!(text.parse::<Rules>().unwrap().to_string(), shown);
        }
        let all = Rules::names().collect::<Vec<_>>().join(",");
        assert_eq!(all.parse(), Ok(Rules::ON));
        assert!("filters".parse::<Rules>().is_err());
        assert!("".parse::<Rules>().is_err());
    }
}
