//! Statements about the session: SET, RESET, SHOW, transactions, DISCARD, LISTEN, LOCK, read by PostgreSQL's grammar.
//!
//! The parser of queries knows a part of these forms (`SET TIME ZONE INTERVAL`, `COMMIT AND CHAIN`, `SHOW` of names
//! with a dot and others are missing), so that they are read here, from its tokens. Nothing is done here.

use datafusion::sql::sqlparser::tokenizer::Token;

use super::settings::zone_of_hours;
use crate::error::{Error, Kind};

/// A statement about the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Utility {
    /// `SET [LOCAL] name = value`.
    Set {
        /// The setting's name, as it was written.
        name: String,
        /// `None`: DEFAULT.
        values: Option<Vec<Item>>,
        /// For the transaction alone.
        local: bool,
    },
    /// `SET TRANSACTION`, and with `session` `SET SESSION CHARACTERISTICS`: settings by name, with their values.
    SetTransaction {
        /// `isolation`, `read_only`, `deferrable`.
        modes: Vec<Mode>,
        /// For all later transactions.
        session: bool,
    },
    /// `SET CONSTRAINTS`: none can be deferred.
    SetConstraints,
    /// `RESET name`; `None`: all.
    Reset(Option<String>),
    /// `SHOW name`; `None`: all.
    Show(Option<String>),
    /// BEGIN, or START TRANSACTION.
    Begin {
        /// The tag.
        tag: &'static str,
        /// What is said of the transaction.
        modes: Vec<Mode>,
    },
    /// COMMIT, ROLLBACK and their other names; with `chain` the next transaction begins at once.
    End {
        /// Whether it commits.
        commits: bool,
        /// AND CHAIN.
        chain: bool,
    },
    /// SAVEPOINT.
    Savepoint(String),
    /// RELEASE.
    Release(String),
    /// ROLLBACK TO.
    RollbackTo(String),
    /// DISCARD of this: `ALL`, `PLANS`, `SEQUENCES`, `TEMP`.
    Discard(&'static str),
    /// LISTEN: nobody can notify, so that nothing is missed.
    Listen,
    /// UNLISTEN.
    Unlisten,
    /// `LOCK TABLE`; whether in the weakest mode, which keeps nobody from anything.
    Lock {
        /// ACCESS SHARE.
        weakest: bool,
    },
}

/// What is said of a transaction: a setting's end (`isolation`) and its value.
pub type Mode = (&'static str, &'static str);

/// A value of SET.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A word, folded; a number as it stands.
    Word(String),
    /// A text in quotes.
    Text(String),
}

/// Where a statement cannot be read: the token, counted from 0; behind the last one: the end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A token that has no place there.
    At(usize),
    /// It can be read, and is not done.
    Refused(Box<Error>),
}

type Read<T> = Result<T, Fault>;

/// Reads a statement without its blanks; `None` where it is none of these.
pub(super) fn parse(tokens: &[&Token]) -> Option<Read<Utility>> {
    let mut parser = Parser { tokens, at: 0 };
    let first = parser.word()?;
    parser.at = 1;
    let read = match first.as_str() {
        "set" => parser.set(),
        "reset" => parser.reset(),
        "show" => parser.show(),
        "begin" => parser.begin("BEGIN"),
        "start" => parser.expect("transaction").and_then(|()| parser.begin("START TRANSACTION")),
        "commit" | "end" => parser.end(true),
        "rollback" | "abort" => parser.end(false),
        "savepoint" => parser.name().map(Utility::Savepoint),
        "release" => parser.release(),
        "discard" => parser.discard(),
        "listen" => parser.name().map(|_| Utility::Listen),
        "unlisten" => parser.unlisten(),
        "notify" => Err(refused("NOTIFY")),
        "checkpoint" => {
            let message = "must be superuser or have privileges of pg_checkpoint to do CHECKPOINT";
            Err(Fault::Refused(Box::new(Error::new(Kind::Forbidden, message))))
        }
        "lock" => parser.lock(),
        "prepare" if parser.is("transaction") => Err(refused("PREPARE TRANSACTION")),
        _ => return None,
    };
    Some(read.and_then(|utility| match parser.at {
        at if at >= tokens.len() => Ok(utility),
        at => Err(Fault::At(at)),
    }))
}

fn refused(what: &str) -> Fault {
    Fault::Refused(Box::new(Error::unsupported(what)))
}

struct Parser<'t> {
    tokens: &'t [&'t Token],
    at: usize,
}

impl Parser<'_> {
    fn token(&self) -> Option<&Token> {
        self.tokens.get(self.at).copied()
    }

    /// The keyword or name without quotes that stands here, in lower case.
    fn word(&self) -> Option<String> {
        match self.token() {
            Some(Token::Word(word)) if word.quote_style.is_none() => Some(word.value.to_lowercase()),
            _ => None,
        }
    }

    fn is(&self, word: &str) -> bool {
        self.word().as_deref() == Some(word)
    }

    /// Passes these words, where all of them stand here.
    fn take(&mut self, words: &[&str]) -> bool {
        let start = self.at;
        for word in words {
            if !self.is(word) {
                self.at = start;
                return false;
            }
            self.at += 1;
        }
        true
    }

    fn expect(&mut self, word: &str) -> Read<()> {
        if self.take(&[word]) { Ok(()) } else { Err(Fault::At(self.at)) }
    }

    fn token_is(&mut self, wanted: &Token) -> bool {
        let found = self.token() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    /// A name: in quotes exact, else in lower case.
    fn name(&mut self) -> Read<String> {
        let Some(Token::Word(word)) = self.token() else { return Err(Fault::At(self.at)) };
        let name = if word.quote_style.is_some() { word.value.clone() } else { word.value.to_lowercase() };
        self.at += 1;
        Ok(name)
    }

    /// `name` or `name.name`.
    fn setting(&mut self) -> Read<String> {
        let mut name = self.name()?;
        while self.token_is(&Token::Period) {
            name = format!("{name}.{}", self.name()?);
        }
        Ok(name)
    }

    fn set(&mut self) -> Read<Utility> {
        if self.take(&["transaction"]) {
            if self.is("snapshot") {
                return Err(refused("SET TRANSACTION SNAPSHOT"));
            }
            return Ok(Utility::SetTransaction { modes: self.modes(true)?, session: false });
        }
        if self.take(&["constraints"]) {
            self.at = self.tokens.len();
            return Ok(Utility::SetConstraints);
        }
        if self.take(&["session", "characteristics", "as", "transaction"]) {
            return Ok(Utility::SetTransaction { modes: self.modes(true)?, session: true });
        }
        if self.take(&["session", "authorization"]) {
            return self.value_of("session_authorization", false);
        }
        let local = self.take(&["local"]);
        // `SET session = 1` is about a setting of that name.
        if !local && self.is("session") && !matches!(self.tokens.get(self.at + 1), Some(Token::Eq)) {
            self.at += 1;
        }
        if self.take(&["transaction"]) {
            return Ok(Utility::SetTransaction { modes: self.modes(true)?, session: false });
        }
        if self.take(&["time", "zone"]) {
            return self.time_zone(local);
        }
        if self.take(&["session", "authorization"]) {
            return self.value_of("session_authorization", local);
        }
        if self.is("role") && !matches!(self.tokens.get(self.at + 1), Some(Token::Eq)) && !self.next_is("to")
        {
            self.at += 1;
            return self.value_of("role", local);
        }
        if self.take(&["names"]) {
            if self.token().is_none() {
                return Ok(Utility::Set { name: "client_encoding".into(), values: None, local });
            }
            return self.value_of("client_encoding", local);
        }
        if self.take(&["xml", "option"]) {
            return self.value_of("xmloption", local);
        }
        if self.is("schema") && matches!(self.tokens.get(self.at + 1), Some(Token::SingleQuotedString(_))) {
            self.at += 1;
            return self.value_of("search_path", local);
        }
        let name = self.setting()?;
        if self.take(&["from", "current"]) {
            return Err(refused("SET FROM CURRENT"));
        }
        if !self.take(&["to"]) && !self.token_is(&Token::Eq) {
            return Err(Fault::At(self.at));
        }
        if name == "timezone" && !self.is("default") {
            return self.time_zone(local);
        }
        self.values(name, local)
    }

    fn next_is(&self, word: &str) -> bool {
        matches!(self.tokens.get(self.at + 1), Some(Token::Word(next)) if next.value.eq_ignore_ascii_case(word))
    }

    fn value_of(&mut self, name: &str, local: bool) -> Read<Utility> {
        if self.take(&["default"]) {
            return Ok(Utility::Set { name: name.into(), values: None, local });
        }
        let value = self.item()?;
        Ok(Utility::Set { name: name.into(), values: Some(vec![value]), local })
    }

    fn values(&mut self, name: String, local: bool) -> Read<Utility> {
        if self.take(&["default"]) {
            return Ok(Utility::Set { name, values: None, local });
        }
        let mut values = vec![self.item()?];
        while self.token_is(&Token::Comma) {
            values.push(self.item()?);
        }
        Ok(Utility::Set { name, values: Some(values), local })
    }

    fn item(&mut self) -> Read<Item> {
        let sign = if self.token_is(&Token::Minus) {
            "-"
        } else {
            self.token_is(&Token::Plus);
            ""
        };
        let item = match self.token() {
            Some(Token::Number(digits, _)) => Item::Word(format!("{sign}{digits}")),
            Some(_) if !sign.is_empty() => return Err(Fault::At(self.at)),
            Some(
                Token::SingleQuotedString(text)
                | Token::EscapedStringLiteral(text)
                | Token::UnicodeStringLiteral(text),
            ) => Item::Text(text.clone()),
            Some(Token::DollarQuotedString(text)) => Item::Text(text.value.clone()),
            Some(Token::Word(_)) => return self.name().map(Item::Word),
            _ => return Err(Fault::At(self.at)),
        };
        self.at += 1;
        Ok(item)
    }

    /// A zone's name, hours, or an interval of hours.
    fn time_zone(&mut self, local: bool) -> Read<Utility> {
        let set = |values| Utility::Set { name: "timezone".into(), values, local };
        if self.take(&["default"]) || self.take(&["local"]) {
            return Ok(set(None));
        }
        if self.take(&["interval"]) {
            let Some(Token::SingleQuotedString(text)) = self.token() else { return Err(Fault::At(self.at)) };
            let text = text.clone();
            let hours = hours(&text);
            self.at += 1;
            if self.take(&["hour"]) && self.take(&["to"]) {
                self.expect("minute")?;
            }
            let zone = hours.and_then(zone_of_hours).ok_or_else(|| {
                let message = format!("invalid value for parameter \"TimeZone\": \"{text}\"");
                let error = Error::new(Kind::InvalidValue, message);
                Fault::Refused(Box::new(error.with_hint("An offset is a number of whole hours.")))
            });
            return Ok(set(Some(vec![Item::Text(zone?.1)])));
        }
        let value = self.item()?;
        Ok(set(Some(vec![value])))
    }

    /// `ISOLATION LEVEL x`, `READ ONLY`, `READ WRITE`, `[NOT] DEFERRABLE`, with or without commas.
    fn modes(&mut self, at_least_one: bool) -> Read<Vec<Mode>> {
        let mut modes = vec![];
        while let Some(mode) = self.mode()? {
            modes.push(mode);
            if self.token_is(&Token::Comma) && self.token().is_none() {
                return Err(Fault::At(self.at));
            }
        }
        if modes.is_empty() && at_least_one { Err(Fault::At(self.at)) } else { Ok(modes) }
    }

    fn mode(&mut self) -> Read<Option<Mode>> {
        const ISOLATION: &str = "isolation";
        if self.take(&["isolation"]) {
            self.expect("level")?;
            let levels: [(&[&str], &'static str); 4] = [
                (&["serializable"], "serializable"),
                (&["repeatable", "read"], "repeatable read"),
                (&["read", "committed"], "read committed"),
                (&["read", "uncommitted"], "read uncommitted"),
            ];
            let level = levels.into_iter().find(|(words, _)| self.take(words));
            return level.map(|(_, level)| Some((ISOLATION, level))).ok_or(Fault::At(self.at));
        }
        for (words, mode) in [
            (&["read", "only"][..], ("read_only", "on")),
            (&["read", "write"][..], ("read_only", "off")),
            (&["deferrable"][..], ("deferrable", "on")),
            (&["not", "deferrable"][..], ("deferrable", "off")),
        ] {
            if self.take(words) {
                return Ok(Some(mode));
            }
        }
        Ok(None)
    }

    fn reset(&mut self) -> Read<Utility> {
        if self.take(&["all"]) {
            return Ok(Utility::Reset(None));
        }
        self.shown_name().map(|name| Utility::Reset(Some(name)))
    }

    fn show(&mut self) -> Read<Utility> {
        if self.take(&["all"]) {
            return Ok(Utility::Show(None));
        }
        self.shown_name().map(|name| Utility::Show(Some(name)))
    }

    /// A setting's name, or one of those that are several words.
    fn shown_name(&mut self) -> Read<String> {
        for (words, name) in [
            (&["time", "zone"][..], "timezone"),
            (&["transaction", "isolation", "level"][..], "transaction_isolation"),
            (&["session", "authorization"][..], "session_authorization"),
        ] {
            if self.take(words) {
                return Ok(name.into());
            }
        }
        self.setting()
    }

    fn begin(&mut self, tag: &'static str) -> Read<Utility> {
        if tag == "BEGIN" && !self.take(&["work"]) {
            self.take(&["transaction"]);
        }
        Ok(Utility::Begin { tag, modes: self.modes(false)? })
    }

    fn end(&mut self, commits: bool) -> Read<Utility> {
        if self.is("prepared") {
            return Err(refused(if commits { "COMMIT PREPARED" } else { "ROLLBACK PREPARED" }));
        }
        if !self.take(&["work"]) {
            self.take(&["transaction"]);
        }
        if !commits && self.take(&["to"]) {
            self.take(&["savepoint"]);
            return self.name().map(Utility::RollbackTo);
        }
        let mut chain = false;
        if self.take(&["and"]) {
            chain = !self.take(&["no"]);
            self.expect("chain")?;
        }
        Ok(Utility::End { commits, chain })
    }

    fn release(&mut self) -> Read<Utility> {
        self.take(&["savepoint"]);
        self.name().map(Utility::Release)
    }

    fn discard(&mut self) -> Read<Utility> {
        let kinds = [
            ("all", "ALL"),
            ("plans", "PLANS"),
            ("sequences", "SEQUENCES"),
            ("temp", "TEMP"),
            ("temporary", "TEMP"),
        ];
        let found = kinds.into_iter().find(|(word, _)| self.take(&[word]));
        found.map(|(_, kind)| Utility::Discard(kind)).ok_or(Fault::At(self.at))
    }

    fn unlisten(&mut self) -> Read<Utility> {
        if !self.token_is(&Token::Mul) {
            self.name()?;
        }
        Ok(Utility::Unlisten)
    }

    /// The tables are not looked at: nothing is kept from anybody.
    fn lock(&mut self) -> Read<Utility> {
        self.take(&["table"]);
        self.take(&["only"]);
        self.setting()?;
        while self.token_is(&Token::Comma) {
            self.setting()?;
        }
        let mut weakest = false;
        if self.take(&["in"]) {
            weakest = self.take(&["access", "share", "mode"]);
            while !weakest && self.word().is_some_and(|word| word != "mode") {
                self.at += 1;
            }
            if !weakest {
                self.expect("mode")?;
            }
        }
        self.take(&["nowait"]);
        Ok(Utility::Lock { weakest })
    }
}

/// `+09:00`, `9 hours`, `-7`: hours of an interval.
fn hours(text: &str) -> Option<f64> {
    let text = text.trim().to_lowercase();
    let text = text.trim_end_matches("hours").trim_end_matches("hour").trim();
    let (hours, minutes) = text.split_once(':').unwrap_or((text, "0"));
    let minutes = minutes.split(':').map(|part| part.parse::<u8>()).collect::<Result<Vec<_>, _>>().ok()?;
    if minutes.iter().any(|part| *part != 0) {
        return None;
    }
    hours.parse().ok()
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
    use datafusion::sql::sqlparser::tokenizer::Tokenizer;

    use super::*;

    fn read(sql: &str) -> Option<Read<Utility>> {
        let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize().unwrap();
        let tokens: Vec<_> = tokens.iter().filter(|t| !matches!(t, Token::Whitespace(_))).collect();
        parse(&tokens)
    }

    fn set(name: &str, values: Option<&[&str]>, local: bool) -> Utility {
        let item = |value: &&str| match value.strip_prefix('\'') {
            Some(text) => Item::Text(text.to_owned()),
            None => Item::Word((*value).to_owned()),
        };
        let values = values.map(|values| values.iter().map(item).collect());
        Utility::Set { name: name.into(), values, local }
    }

    #[test]
    fn settings_are_set_in_every_form() {
        for (sql, expected) in [
            ("SET a = 1", set("a", Some(&["1"]), false)),
            ("SET a TO -1.5", set("a", Some(&["-1.5"]), false)),
            ("SET SESSION a TO 'x'", set("a", Some(&["'x"]), false)),
            ("SET LOCAL a.b = on", set("a.b", Some(&["on"]), true)),
            ("SET \"A\" = \"B\", c", set("A", Some(&["B", "c"]), false)),
            ("SET a TO DEFAULT", set("a", None, false)),
            ("SET search_path = a, 'b c'", set("search_path", Some(&["a", "'b c"]), false)),
            ("SET DateStyle TO ISO, MDY", set("datestyle", Some(&["iso", "mdy"]), false)),
            ("SET TIME ZONE 'UTC'", set("timezone", Some(&["'UTC"]), false)),
            ("SET SESSION TIME ZONE LOCAL", set("timezone", None, false)),
            ("SET TIME ZONE -7", set("timezone", Some(&["-7"]), false)),
            ("SET TIME ZONE INTERVAL '+09:00' HOUR TO MINUTE", set("timezone", Some(&["'<+09>-09"]), false)),
            ("SET TimeZone = 'Asia/Tokyo'", set("timezone", Some(&["'Asia/Tokyo"]), false)),
            ("SET NAMES 'utf8'", set("client_encoding", Some(&["'utf8"]), false)),
            ("SET NAMES DEFAULT", set("client_encoding", None, false)),
            ("SET ROLE NONE", set("role", Some(&["none"]), false)),
            ("SET role = 'x'", set("role", Some(&["'x"]), false)),
            ("SET SESSION AUTHORIZATION DEFAULT", set("session_authorization", None, false)),
            ("SET XML OPTION document", set("xmloption", Some(&["document"]), false)),
            ("SET CONSTRAINTS ALL DEFERRED", Utility::SetConstraints),
        ] {
            assert_eq!(read(sql), Some(Ok(expected)), "{sql}");
        }
    }

    #[test]
    fn transactions_are_read_in_every_form() {
        let end = |commits, chain| Utility::End { commits, chain };
        let begin = |modes: &[Mode]| Utility::Begin { tag: "BEGIN", modes: modes.to_vec() };
        for (sql, expected) in [
            ("BEGIN", begin(&[])),
            ("begin work", begin(&[])),
            ("BEGIN TRANSACTION READ ONLY", begin(&[("read_only", "on")])),
            (
                "BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY NOT DEFERRABLE",
                begin(&[("isolation", "serializable"), ("read_only", "on"), ("deferrable", "off")]),
            ),
            ("START TRANSACTION", Utility::Begin { tag: "START TRANSACTION", modes: vec![] }),
            ("COMMIT", end(true, false)),
            ("END TRANSACTION AND NO CHAIN", end(true, false)),
            ("COMMIT WORK AND CHAIN", end(true, true)),
            ("ABORT", end(false, false)),
            ("ROLLBACK TO SAVEPOINT \"A\"", Utility::RollbackTo("A".into())),
            ("ROLLBACK WORK TO a", Utility::RollbackTo("a".into())),
            ("RELEASE SAVEPOINT a", Utility::Release("a".into())),
            ("SAVEPOINT A", Utility::Savepoint("a".into())),
            (
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
                Utility::SetTransaction { modes: vec![("isolation", "repeatable read")], session: false },
            ),
            (
                "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
                Utility::SetTransaction { modes: vec![("read_only", "off")], session: true },
            ),
        ] {
            assert_eq!(read(sql), Some(Ok(expected)), "{sql}");
        }
    }

    #[test]
    fn others_are_read() {
        for (sql, expected) in [
            ("SHOW ALL", Utility::Show(None)),
            ("SHOW kintone.page_size", Utility::Show(Some("kintone.page_size".into()))),
            ("SHOW TIME ZONE", Utility::Show(Some("timezone".into()))),
            ("SHOW TRANSACTION ISOLATION LEVEL", Utility::Show(Some("transaction_isolation".into()))),
            ("RESET ALL", Utility::Reset(None)),
            ("RESET SESSION AUTHORIZATION", Utility::Reset(Some("session_authorization".into()))),
            ("DISCARD TEMPORARY", Utility::Discard("TEMP")),
            ("UNLISTEN *", Utility::Unlisten),
            ("LISTEN a", Utility::Listen),
            ("LOCK TABLE ONLY a.b, c IN ACCESS SHARE MODE NOWAIT", Utility::Lock { weakest: true }),
            ("LOCK a IN SHARE ROW EXCLUSIVE MODE", Utility::Lock { weakest: false }),
        ] {
            assert_eq!(read(sql), Some(Ok(expected)), "{sql}");
        }
        for (sql, at) in [
            ("SET", 1),
            ("SET a", 2),
            ("SET a = ", 3),
            ("SET a = 1 2", 4),
            ("SHOW", 1),
            ("BEGIN foo", 1),
            ("COMMIT AND", 2),
            ("SET TRANSACTION", 2),
            ("SET TRANSACTION ISOLATION LEVEL x", 4),
            ("DISCARD x", 1),
        ] {
            assert_eq!(read(sql), Some(Err(Fault::At(at))), "{sql}");
        }
        for sql in ["SELECT 1", "PREPARE a AS SELECT 1", "VALUES (1)", ""] {
            assert_eq!(read(sql), None, "{sql}");
        }
    }
}
