//! `COPY ... TO STDOUT`: rows as lines of text, of CSV, or in PostgreSQL's binary form.

use bytes::{BufMut, BytesMut};
use datafusion::sql::sqlparser::ast::{CopyLegacyCsvOption, CopyLegacyOption, CopyOption, Ident};

use super::failure::Failure;

/// How a row is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CopyFormat {
    Text { delimiter: u8, null: String, header: bool },
    Csv(Csv),
    Binary,
}

/// How CSV is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Csv {
    delimiter: u8,
    null: String,
    header: bool,
    quote: u8,
    escape: u8,
    force: Force,
}

/// Which columns are in quotes whatever is in them.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Force {
    These(Vec<String>),
    All,
}

/// What the statement says, before defaults.
#[derive(Debug, Default)]
struct Said {
    format: Option<String>,
    delimiter: Option<char>,
    null: Option<String>,
    header: bool,
    quote: Option<char>,
    escape: Option<char>,
    force: Vec<Ident>,
}

/// Before the first row of the binary form: signature, no flags, no extension.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// After the last one.
const TRAILER: &[u8] = &[0xff, 0xff];

impl CopyFormat {
    /// Reads the options, as they are written today or were before.
    pub(super) fn new(options: &[CopyOption], legacy: &[CopyLegacyOption]) -> Result<Self, Failure> {
        let mut said = Said::default();
        for option in options {
            match option.clone() {
                CopyOption::Format(format) => said.format = Some(format.value.to_lowercase()),
                CopyOption::Delimiter(delimiter) => said.delimiter = Some(delimiter),
                CopyOption::Null(null) => said.null = Some(null),
                CopyOption::Header(header) => said.header = header,
                CopyOption::Quote(quote) => said.quote = Some(quote),
                CopyOption::Escape(escape) => said.escape = Some(escape),
                CopyOption::ForceQuote(columns) => said.force = columns,
                CopyOption::Encoding(encoding) if is_utf8(&encoding) => {}
                other => return Err(unsupported(&other.to_string())),
            }
        }
        for option in legacy {
            match option.clone() {
                CopyLegacyOption::Binary => said.format = Some("binary".into()),
                CopyLegacyOption::Delimiter(delimiter) => said.delimiter = Some(delimiter),
                CopyLegacyOption::Null(null) => said.null = Some(null),
                CopyLegacyOption::Header => said.header = true,
                CopyLegacyOption::Csv(options) => {
                    said.format = Some("csv".into());
                    for option in options {
                        match option {
                            CopyLegacyCsvOption::Header => said.header = true,
                            CopyLegacyCsvOption::Quote(quote) => said.quote = Some(quote),
                            CopyLegacyCsvOption::Escape(escape) => said.escape = Some(escape),
                            CopyLegacyCsvOption::ForceQuote(columns) => said.force = columns,
                            other => return Err(unsupported(&other.to_string())),
                        }
                    }
                }
                other => return Err(unsupported(&other.to_string())),
            }
        }
        said.finish()
    }

    /// The code of the format for all columns: 1 for binary.
    pub(super) fn is_binary(&self) -> bool {
        *self == Self::Binary
    }

    /// What stands before the first row, in one message with it.
    pub(super) fn before(&self) -> &'static [u8] {
        if self.is_binary() { SIGNATURE } else { &[] }
    }

    /// What stands after the last one.
    pub(super) fn after(&self) -> &'static [u8] {
        if self.is_binary() { TRAILER } else { &[] }
    }

    /// The line of column names, where one is wanted.
    pub(super) fn header(&self, names: &[&str]) -> Option<BytesMut> {
        let mut out = BytesMut::new();
        match self {
            Self::Text { header: true, .. } | Self::Csv(Csv { header: true, .. }) => {
                for (at, name) in names.iter().enumerate() {
                    self.separate(&mut out, at);
                    match self {
                        Self::Csv(csv) => csv.put(&mut out, name, false),
                        _ => self.put_text(&mut out, name),
                    }
                }
                out.put_u8(b'\n');
                Some(out)
            }
            _ => None,
        }
    }

    /// Before the value at this place of a line.
    pub(super) fn separate(&self, out: &mut BytesMut, at: usize) {
        match self {
            Self::Text { delimiter, .. } | Self::Csv(Csv { delimiter, .. }) if at > 0 => {
                out.put_u8(*delimiter)
            }
            _ => {}
        }
    }

    /// A value of a line; `None` is NULL.
    pub(super) fn put(&self, out: &mut BytesMut, value: Option<&str>, column: &str) {
        match (self, value) {
            (Self::Text { null, .. } | Self::Csv(Csv { null, .. }), None) => out.put_slice(null.as_bytes()),
            (Self::Csv(csv), Some(value)) => csv.put(out, value, csv.is_forced(column)),
            (_, Some(value)) => self.put_text(out, value),
            (Self::Binary, None) => {}
        }
    }

    fn put_text(&self, out: &mut BytesMut, value: &str) {
        let Self::Text { delimiter, .. } = self else { return };
        for byte in value.bytes() {
            let escaped = match byte {
                b'\\' => b'\\',
                0x08 => b'b',
                0x0c => b'f',
                b'\n' => b'n',
                b'\r' => b'r',
                b'\t' => b't',
                0x0b => b'v',
                other if other == *delimiter => other,
                other => {
                    out.put_u8(other);
                    continue;
                }
            };
            out.put_slice(&[b'\\', escaped]);
        }
    }
}

impl Csv {
    fn is_forced(&self, column: &str) -> bool {
        match &self.force {
            Force::All => true,
            Force::These(columns) => columns.iter().any(|name| name == column),
        }
    }

    fn put(&self, out: &mut BytesMut, value: &str, force: bool) {
        let special =
            |byte: u8| byte == self.delimiter || byte == self.quote || byte == b'\n' || byte == b'\r';
        if !force && value != self.null && value != "\\." && !value.bytes().any(special) {
            return out.put_slice(value.as_bytes());
        }
        out.put_u8(self.quote);
        for byte in value.bytes() {
            if byte == self.quote || byte == self.escape {
                out.put_u8(self.escape);
            }
            out.put_u8(byte);
        }
        out.put_u8(self.quote);
    }
}

impl Said {
    fn finish(self) -> Result<CopyFormat, Failure> {
        let csv_only = self.quote.is_some() || self.escape.is_some() || !self.force.is_empty();
        let format = self.format.as_deref().unwrap_or("text");
        if csv_only && format != "csv" {
            return Err(Failure::error(
                "0A000",
                "QUOTE, ESCAPE and FORCE_QUOTE are available only in CSV mode",
            ));
        }
        Ok(match format {
            "text" => CopyFormat::Text {
                delimiter: byte(self.delimiter, b'\t', "delimiter")?,
                null: self.null.unwrap_or_else(|| "\\N".into()),
                header: self.header,
            },
            "csv" => {
                let quote = byte(self.quote, b'"', "quote")?;
                let all = matches!(self.force.as_slice(), [one] if one.value == "*");
                CopyFormat::Csv(Csv {
                    delimiter: byte(self.delimiter, b',', "delimiter")?,
                    null: self.null.unwrap_or_default(),
                    header: self.header,
                    quote,
                    escape: byte(self.escape, quote, "escape")?,
                    force: if all {
                        Force::All
                    } else {
                        Force::These(self.force.into_iter().map(|ident| ident.value).collect())
                    },
                })
            }
            "binary" if self.delimiter.is_some() || self.null.is_some() || self.header => {
                return Err(Failure::error(
                    "42601",
                    "cannot specify DELIMITER, NULL or HEADER in BINARY mode",
                ));
            }
            "binary" => CopyFormat::Binary,
            other => {
                return Err(Failure::error("22023", format!("COPY format \"{other}\" not recognized")));
            }
        })
    }
}

fn byte(said: Option<char>, default: u8, what: &str) -> Result<u8, Failure> {
    let Some(letter) = said else { return Ok(default) };
    match u8::try_from(letter) {
        Ok(byte) if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | b'\\') => Ok(byte),
        _ => Err(Failure::error("22023", format!("COPY {what} must be a single one-byte character"))),
    }
}

fn is_utf8(encoding: &str) -> bool {
    ["utf8", "utf-8", "unicode"].contains(&encoding.trim_matches('\'').to_lowercase().as_str())
}

fn unsupported(option: &str) -> Failure {
    Failure::error("0A000", format!("the COPY option {option} is not supported"))
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::ast::Statement;
    use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
    use datafusion::sql::sqlparser::parser::Parser;

    use super::*;

    fn format(options: &str) -> Result<CopyFormat, Failure> {
        let sql = format!("COPY t TO STDOUT {options}");
        let statement = Parser::parse_sql(&PostgreSqlDialect {}, &sql).unwrap().remove(0);
        let Statement::Copy { options, legacy_options, .. } = statement else { panic!("{sql}") };
        CopyFormat::new(&options, &legacy_options)
    }

    fn line(options: &str, values: &[Option<&str>]) -> String {
        let format = format(options).unwrap();
        let mut out = BytesMut::new();
        for (at, value) in values.iter().enumerate() {
            format.separate(&mut out, at);
            format.put(&mut out, *value, &format!("c{at}"));
        }
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn lines_are_as_postgresql_writes_them() {
        let values = [Some("a\tb\\c\nd"), None, Some(""), Some("x,y \"z\""), Some("\\N")];
        assert_eq!(line("", &values), "a\\tb\\\\c\\nd\t\\N\t\tx,y \"z\"\t\\\\N");
        assert_eq!(line("CSV", &values), "\"a\tb\\c\nd\",,\"\",\"x,y \"\"z\"\"\",\\N");
        assert_eq!(
            line("(FORMAT csv, DELIMITER ';', NULL '~')", &values),
            "\"a\tb\\c\nd\";~;;\"x,y \"\"z\"\"\";\\N"
        );
        assert_eq!(line("(FORMAT csv, FORCE_QUOTE (c0, c1))", &[Some("a"), None, Some("b")]), "\"a\",,b");
        assert_eq!(line("(DELIMITER '|', NULL '')", &[Some("a|b"), None, Some("c")]), "a\\|b||c");
    }

    #[test]
    fn a_header_is_a_line_of_names() {
        let header = |options| format(options).unwrap().header(&["$id", "a,b"]).map(|line| line.to_vec());
        assert_eq!(header("CSV HEADER").unwrap(), b"$id,\"a,b\"\n");
        assert_eq!(header("(HEADER)").unwrap(), b"$id\ta,b\n");
        assert_eq!(header("CSV"), None);
    }

    #[test]
    fn options_that_do_not_fit_are_refused() {
        for (options, code) in [
            ("(FORMAT xml)", "22023"),
            ("(FORMAT binary, HEADER)", "42601"),
            ("(QUOTE 'x')", "0A000"),
            ("(FORMAT csv, DELIMITER '\\')", "22023"),
            ("(ENCODING 'LATIN1')", "0A000"),
        ] {
            assert_eq!(format(options).unwrap_err().code(), code, "{options}");
        }
    }
}
