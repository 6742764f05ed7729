//! A text of SQL as statements: guarded, split, parsed, and let through only if their kind is on the list.

use datafusion::sql::sqlparser::ast;
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use super::fetch::{self, Fetch};
use super::guard;
use super::operator_form;
use super::procedure;
use super::spelling;
use super::utility::{self, Fault, Utility};
use crate::error::{Error, Kind, Result};

/// Stack for parsing and planning: deep but legal statements need more than a thread has.
const STACK: usize = 64 * 1024 * 1024;

/// The parser's own bound; the guard's is lower for all that nests.
const RECURSION: usize = 400;

/// One statement of a text, parsed and let through by the guard.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Its own text.
    pub sql: String,
    /// Its syntax tree.
    pub ast: ast::Statement,
    /// Characters before it in the whole text; added to an error's position.
    pub offset: usize,
    /// What a FETCH or MOVE asks for.
    pub fetch: Option<Fetch>,
    /// A statement about the session; its syntax tree stands for nothing.
    pub utility: Option<Utility>,
    /// Why it is not done, where it can be read and is not: told when it would run, as those before it do.
    pub refused: Option<Box<Error>>,
    /// Where it begins in the whole text, as the places in its tree are counted; line 0 for a tree without places.
    pub start: Location,
}

impl Statement {
    /// A tree that was not parsed from a text.
    #[must_use]
    pub fn of_tree(ast: ast::Statement) -> Self {
        Self::new(ast.to_string(), ast, 0, Location::empty())
    }

    fn new(sql: String, ast: ast::Statement, offset: usize, start: Location) -> Self {
        Self { sql, ast, offset, start, fetch: None, utility: None, refused: None }
    }

    /// Another tree in the place of this one: what stands inside of it.
    #[must_use]
    pub fn with_tree(&self, ast: ast::Statement) -> Self {
        Self { ast, fetch: None, ..self.clone() }
    }

    /// Whether it is one that is done.
    ///
    /// # Errors
    /// Of kind `Unsupported`, or as the statement has it.
    pub fn check(&self) -> Result<()> {
        self.refused.as_ref().map_or(Ok(()), |error| Err(error.as_ref().clone()))
    }

    /// The word for it, where it would write.
    pub(super) fn write(&self) -> Option<&'static str> {
        const WRITES: &[&str] = &[
            "INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "CREATE", "ALTER", "DROP", "COMMENT", "GRANT",
            "REVOKE", "REINDEX", "SELECT",
        ];
        self.refused.as_ref().filter(|error| error.kind == Kind::Unsupported)?;
        let word = self.sql.split_whitespace().next().unwrap_or_default();
        let word = WRITES.iter().copied().find(|write| word.eq_ignore_ascii_case(write))?;
        let writes = word != "SELECT" || matches!(&self.ast, ast::Statement::Query(query) if is_into(query));
        writes.then_some(if word == "SELECT" { "SELECT INTO" } else { word })
    }

    /// Whether it ends a transaction block, or goes back in it: all that is heard after an error.
    pub(super) fn ends_block(&self) -> bool {
        matches!(self.utility, Some(Utility::End { .. } | Utility::RollbackTo(_)))
    }

    /// A place of the tree, in characters of the whole text from 1; `None` where the tree has none.
    pub(super) fn place(&self, at: Location) -> Option<usize> {
        if at.line == 0 || at.line < self.start.line || self.start.line == 0 {
            return None;
        }
        let line = at.line - self.start.line + 1;
        let column = if line == 1 { at.column.saturating_sub(self.start.column) + 1 } else { at.column };
        Some(position(&self.sql, Location { line, column }) + self.offset)
    }
}

/// Runs what may recurse as deep as a legal statement is. The program's own threads have room for it: making a stack
/// for each step would take longer than planning a short statement.
pub(super) fn on_big_stack<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(STACK, STACK, work)
}

/// Splits and parses a text. Nothing of it runs when one of its statements does not parse.
pub(super) fn parse(sql: &str) -> Result<Vec<Statement>> {
    guard::check_size(sql)?;
    let dialect = PostgreSqlDialect {};
    let tokens = Tokenizer::new(&dialect, sql)
        .tokenize_with_location()
        .map_err(|e| Error::new(Kind::Syntax, e.message).with_position(position(sql, e.location)))?;
    let mut statements = vec![];
    for tokens in tokens.split(|t| t.token == Token::SemiColon) {
        guard::check_tokens(tokens)?;
        if let Some(statement) = on_big_stack(|| parse_one(sql, tokens))? {
            statements.push(statement);
        }
    }
    Ok(statements)
}

fn parse_one(sql: &str, tokens: &[TokenWithSpan]) -> Result<Option<Statement>> {
    let visible = |t: &&TokenWithSpan| !matches!(t.token, Token::Whitespace(_) | Token::EOF);
    let (Some(first), Some(last)) = (tokens.iter().find(visible), tokens.iter().rev().find(visible)) else {
        return Ok(None);
    };
    let start = offset(sql, first.span.start);
    let end = offset(sql, last.span.end);
    let text: String = sql.chars().skip(start).take(end - start).collect();
    let words: Vec<&Token> = tokens.iter().filter(visible).map(|t| &t.token).collect();
    if let Some(fetch) = fetch::parse(&words) {
        let ast = ast::Statement::Fetch {
            name: ast::Ident::with_quote('"', &fetch.cursor),
            direction: ast::FetchDirection::Next,
            position: ast::FetchPosition::From,
            into: None,
        };
        let fetch = Some(fetch);
        return Ok(Some(Statement { fetch, ..Statement::new(text, ast, start, first.span.start) }));
    }
    if let Some(read) = utility::parse(&words) {
        let statement = |utility, refused| {
            let stands_for_it = ast::Statement::UNLISTEN { channel: ast::Ident::new("*") };
            let statement = Statement::new(text.clone(), stands_for_it, start, first.span.start);
            Ok(Some(Statement { utility: Some(utility), refused, ..statement }))
        };
        return match read {
            Ok(utility) => statement(utility, None),
            Err(Fault::Refused(error)) => statement(Utility::Unlisten, Some(error)),
            Err(Fault::At(token)) => {
                let at = words_with_places(tokens).get(token).map(|token| offset(sql, token.span.start));
                Err(near(sql, at.unwrap_or(end)))
            }
        };
    }
    refuse_reserved(sql, &words_with_places(tokens))?;
    let dialect = PostgreSqlDialect {};
    let respelled = match spelling::respelled(&operator_form::plain(tokens)) {
        Ok(tokens) => tokens,
        Err(error) => {
            let stands_for_it = ast::Statement::UNLISTEN { channel: ast::Ident::new("*") };
            let statement = Statement::new(text, stands_for_it, start, first.span.start);
            return Ok(Some(Statement { refused: Some(Box::new(error)), ..statement }));
        }
    };
    let mut parser =
        Parser::new(&dialect).with_recursion_limit(RECURSION).with_tokens_with_locations(respelled);
    let parsed = parser.parse_statement().and_then(|ast| {
        let next = parser.peek_token();
        if next.token == Token::EOF { Ok(ast) } else { parser.expected("end of statement", next) }
    });
    match parsed {
        Ok(ast) => {
            let refused = allow(&ast, start).err().map(Box::new);
            Ok(Some(Statement { refused, ..Statement::new(text, ast, start, first.span.start) }))
        }
        Err(error) => Err(syntax_error(sql, &error, &text, start)),
    }
}

fn words_with_places(tokens: &[TokenWithSpan]) -> Vec<&TokenWithSpan> {
    tokens.iter().filter(|t| !matches!(t.token, Token::Whitespace(_) | Token::EOF)).collect()
}

/// Words that no table is named without quotes; the parser takes them for one.
const NO_TABLE: &[Keyword] = &[
    Keyword::WHERE,
    Keyword::GROUP,
    Keyword::HAVING,
    Keyword::ORDER,
    Keyword::LIMIT,
    Keyword::OFFSET,
    Keyword::UNION,
    Keyword::FROM,
    Keyword::ON,
    Keyword::USING,
];

/// `SELECT FROM WHERE` is no statement about a table named `where`.
fn refuse_reserved(sql: &str, tokens: &[&TokenWithSpan]) -> Result<()> {
    for pair in tokens.windows(2) {
        let [before, after] = pair else { continue };
        let (Token::Word(before), Token::Word(word)) = (&before.token, &after.token) else { continue };
        let wants_table = matches!(before.keyword, Keyword::FROM | Keyword::JOIN);
        if wants_table && word.quote_style.is_none() && NO_TABLE.contains(&word.keyword) {
            let message = format!("syntax error at or near \"{}\"", word.value);
            return Err(Error::new(Kind::Syntax, message).with_position(position(sql, after.span.start)));
        }
    }
    Ok(())
}

/// The statements that there are. Everything else is refused, so that nothing of the parser or the planner that
/// was not thought of is let in.
fn allow(statement: &ast::Statement, start: usize) -> Result<()> {
    use ast::Statement as S;
    let refused = |what: &str| {
        Err(Error::unsupported(what)
            .with_hint("This server answers SELECT, EXPLAIN, COPY TO STDOUT, cursors, SET, SHOW, CALL refresh_schema and transaction statements.")
            .with_position(start + 1))
    };
    match statement {
        S::Query(query) => match &query.body.as_ref() {
            ast::SetExpr::Insert(_)
            | ast::SetExpr::Update(_)
            | ast::SetExpr::Delete(_)
            | ast::SetExpr::Merge(_) => refused("writing to Kintone"),
            ast::SetExpr::Select(select) if select.into.is_some() => refused("SELECT INTO"),
            _ if !query.locks.is_empty() => refused("FOR UPDATE and FOR SHARE"),
            _ => Ok(()),
        },
        S::Explain { statement, .. } => match statement.as_ref() {
            S::Query(_) => allow(statement, start),
            _ => refused("EXPLAIN of anything but a query"),
        },
        S::Close { .. } | S::Execute { immediate: false, .. } | S::Deallocate { .. } => Ok(()),
        S::Call(call) => procedure::check(call).map_err(|error| error.with_position(start + 1)),
        S::Prepare { statement, .. } => match statement.as_ref() {
            S::Query(_) => allow(statement, start),
            _ => refused("PREPARE of anything but a query"),
        },
        S::Declare { stmts } => match stmts.as_slice() {
            [ast::Declare { for_query: Some(query), .. }] => allow(&S::Query(query.clone()), start),
            _ => refused("DECLARE of anything but a cursor"),
        },
        S::Copy { to: true, target: ast::CopyTarget::Stdout, source, .. } => match source {
            ast::CopySource::Query(query) => allow(&S::Query(query.clone()), start),
            ast::CopySource::Table { .. } => Ok(()),
        },
        S::Copy { to: true, .. } => refused("COPY to a file or a program"),
        S::Insert(_) | S::Update(_) | S::Delete(_) | S::Merge(_) | S::Truncate(_) | S::Copy { .. } => {
            refused(&first_words(statement))
        }
        other => refused(&first_words(other)),
    }
}

fn is_into(query: &ast::Query) -> bool {
    matches!(query.body.as_ref(), ast::SetExpr::Select(select) if select.into.is_some())
}

/// What the statement is called: its leading keywords.
fn first_words(statement: &ast::Statement) -> String {
    let text = statement.to_string();
    let words: Vec<_> =
        text.split_whitespace().take_while(|w| w.chars().all(|c| c.is_ascii_uppercase())).collect();
    if words.is_empty() { "this statement".into() } else { words.join(" ") }
}

/// `syntax error at or near "x"`, at the place that the parser names.
fn syntax_error(sql: &str, error: &ParserError, text: &str, start: usize) -> Error {
    let message = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.clone(),
        ParserError::RecursionLimitExceeded => {
            return Error::new(Kind::TooComplex, "statement too complex: it nests too deep");
        }
    };
    let (expected, place) = message.split_once(" at Line: ").unwrap_or((&message, ""));
    let mut numbers = place.split(", Column: ").filter_map(|n| n.trim().parse::<u64>().ok());
    let at = match (numbers.next(), numbers.next()) {
        (Some(line), Some(column)) => offset(sql, Location { line, column }),
        _ => start + text.chars().count(),
    };
    near(sql, at).with_detail(expected.trim_end_matches(',').to_owned())
}

/// `syntax error at or near` the token behind so many characters.
fn near(sql: &str, at: usize) -> Error {
    let rest: String = sql.chars().skip(at).collect();
    let near = Tokenizer::new(&PostgreSqlDialect {}, &rest)
        .tokenize()
        .ok()
        .and_then(|tokens| tokens.into_iter().next())
        .filter(|t| !matches!(t, Token::EOF | Token::SemiColon));
    let message = match near {
        Some(token) => format!("syntax error at or near \"{token}\""),
        None => "syntax error at end of input".to_owned(),
    };
    Error::new(Kind::Syntax, message).with_position(at + 1)
}

/// Characters before a place of the text.
pub(super) fn offset(sql: &str, at: Location) -> usize {
    let mut count = 0;
    let lines_before = usize::try_from(at.line.saturating_sub(1)).unwrap_or(usize::MAX);
    for line in sql.split_inclusive('\n').take(lines_before) {
        count += line.chars().count();
    }
    count + usize::try_from(at.column.saturating_sub(1)).unwrap_or(0)
}

/// A place as PostgreSQL counts it: characters from 1.
pub(super) fn position(sql: &str, at: Location) -> usize {
    offset(sql, at) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_split_into_statements() {
        let statements = parse("SELECT 'a;b';\n -- c ; d\n SELECT 顧客 FROM t ; ;").unwrap();
        let texts: Vec<_> = statements.iter().map(|s| (s.sql.as_str(), s.offset)).collect();
        assert_eq!(texts, [("SELECT 'a;b'", 0), ("SELECT 顧客 FROM t", 25)]);
        assert!(parse(" ;; -- nothing\n").unwrap().is_empty());
    }

    #[test]
    fn errors_say_where() {
        for (sql, message, position) in [
            ("SELEC 1", "syntax error at or near \"SELEC\"", Some(1)),
            ("SELECT 1;\nSELECT 顧客 FORM t x", "syntax error at or near \"t\"", Some(26)),
            ("SELECT FROM WHERE", "syntax error at or near \"WHERE\"", Some(13)),
            ("SELECT (1", "syntax error at end of input", Some(10)),
            ("SELECT 'a", "Unterminated string literal", Some(8)),
        ] {
            let error = parse(sql).unwrap_err();
            assert_eq!((error.message.as_str(), error.position), (message, position), "{sql}");
            assert_eq!(error.kind, Kind::Syntax);
        }
    }

    #[test]
    fn only_listed_statements_pass() {
        for sql in [
            "SELECT 1",
            "EXPLAIN SELECT 1",
            "EXPLAIN ANALYZE SELECT 1",
            "SET TimeZone = 'UTC'",
            "SHOW TimeZone",
            "BEGIN",
            "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE",
            "START TRANSACTION NOT DEFERRABLE",
            "SAVEPOINT a",
            "COPY t TO STDOUT (FORMAT csv)",
            "DECLARE c SCROLL CURSOR FOR SELECT 1",
            "MOVE ABSOLUTE 5 IN c",
            "COMMIT",
            "ROLLBACK",
            "VALUES (1)",
            "RESET ALL",
            "CALL refresh_schema('顧客')",
            "call Refresh_Schema()",
        ] {
            let parsed = parse(sql).and_then(|statements| statements[0].check());
            parsed.unwrap_or_else(|e| panic!("{sql}: {e}"));
        }
        for sql in [
            "NOTIFY a",
            "PREPARE TRANSACTION 'a'",
            "SET TRANSACTION SNAPSHOT 'a'",
            "INSERT INTO t VALUES (1)",
            "EXPLAIN DELETE FROM t",
            "COPY t TO '/tmp/x'",
            "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
            "CREATE TABLE t AS SELECT 1",
            "CREATE VIEW v AS SELECT 1",
            "DROP TABLE t",
            "SELECT 1 INTO t",
            "SELECT 1 FROM t FOR UPDATE",
            "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x",
            "LOAD 'x'",
        ] {
            let error = parse(sql).and_then(|statements| statements[0].check()).unwrap_err();
            assert!(matches!(error.kind, Kind::Unsupported | Kind::Syntax), "{sql}: {error}");
        }
    }

    fn long(before: &str, part: &str, count: usize, after: &str) -> String {
        format!("{before}{}{after}", part.repeat(count))
    }

    #[test]
    fn long_chains_are_refused_not_fatal() {
        for part in [
            " or c = 0",
            " and c = 0",
            " + 1",
            " || 'a'",
            "::int",
            " union all select 1",
            " join t using (a)",
        ] {
            assert!(
                parse(&long("select 1 from t where c = 0", part, 200, "")).is_ok()
                    || part.contains("un")
                    || part.contains("jo"),
                "{part}"
            );
            for count in [5_000, 100_000] {
                let error = parse(&long("select c from t where c = 0", part, count, "")).unwrap_err();
                assert!(matches!(error.kind, Kind::TooComplex | Kind::TooLarge), "{part} {count}: {error}");
            }
        }
        for (before, part, after) in [
            ("select ", "(", "1"),
            ("select ", "case when true then ", "1"),
            ("select ", "not ", "true"),
            ("select ", "- ", "1"),
        ] {
            let error = parse(&long(before, part, 60, after)).unwrap_err();
            assert_eq!(error.kind, Kind::TooComplex, "{part}");
        }
    }

    #[test]
    fn depth_below_the_bound_parses() {
        let cases = format!("select {}1{}", "case when true then ".repeat(49), " end".repeat(49));
        assert!(parse(&cases).unwrap()[0].ast.to_string().matches("CASE").count() == 49);
        let brackets = format!("select {}1{}", "(".repeat(49), ")".repeat(49));
        assert!(parse(&brackets).is_ok());
    }
}
