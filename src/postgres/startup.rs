//! From an accepted socket to a session: what the client begins with, its proof of the password, its settings.

use std::io;

use bytes::{Buf, BytesMut};
use pgwire::messages::PgWireFrontendMessage;
use pgwire::messages::cancel::CancelRequest;
use pgwire::messages::response::{GssEncResponse, SslResponse};
use pgwire::messages::startup::{
    Authentication, GssEncRequest, NegotiateProtocolVersion, ParameterStatus, PasswordMessageFamily,
    SslRequest, Startup,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

use super::failure::{Failure, c_string};
use super::frame::{self, Frame, SMALL};
use super::output::Output;
use super::password::{Logins, Scram, malformed};
use crate::engine::{Session, User};
use crate::error::Error;

/// Settings that a client hears of at the start, and what they are where the session does not say.
const REPORTED: &[(&str, &str)] = &[
    ("application_name", ""),
    ("client_encoding", "UTF8"),
    ("DateStyle", "ISO, MDY"),
    ("default_transaction_read_only", "off"),
    ("in_hot_standby", "off"),
    ("integer_datetimes", "on"),
    ("IntervalStyle", "postgres"),
    ("server_encoding", "UTF8"),
    ("server_version", concat!("15.0 (kintone-sql ", env!("CARGO_PKG_VERSION"), ")")),
    ("standard_conforming_strings", "on"),
    ("TimeZone", "UTC"),
];

/// What goes wrong while a connection opens, or later.
#[derive(Debug)]
pub(super) enum Stop {
    /// Told to the client.
    Failure(Failure),
    /// There is nobody to tell.
    Io(io::Error),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failure(error.into())
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// What a new connection is for.
#[derive(Debug)]
pub(super) enum Opening {
    /// To run statements.
    Session(Startup),
    /// To stop what another connection runs.
    Cancel(CancelRequest),
    /// To begin again in TLS. Nothing was answered yet.
    Encryption,
}

/// What is said to a client that asks for encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encryption {
    /// No.
    Refused,
    /// Yes.
    Offered,
    /// That it is there already.
    Done,
}

/// Reads what the client begins with. `None`: it went away before it said anything.
pub(super) async fn open<R, W>(
    reader: &mut R,
    output: &mut Output<W>,
    encryption: Encryption,
) -> Result<Option<Opening>, Stop>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    // SSLRequest and GSSENCRequest once each, then the message itself.
    for _ in 0..3 {
        let Some(mut packet) = read_packet(reader).await? else { return Ok(None) };
        let begun = encryption == Encryption::Done;
        if SslRequest::is_ssl_request_packet(&packet) && !begun {
            if encryption == Encryption::Offered {
                return Ok(Some(Opening::Encryption));
            }
            output.put(&SslResponse::Refuse)?;
            output.flush().await?;
        } else if GssEncRequest::is_gss_enc_request_packet(&packet) && !begun {
            output.put(&GssEncResponse::Refuse)?;
            output.flush().await?;
        } else {
            return match PgWireFrontendMessage::decode(&mut packet, &frame::context(true)) {
                Ok(Some(PgWireFrontendMessage::Startup(startup))) => Ok(Some(Opening::Session(startup))),
                Ok(Some(PgWireFrontendMessage::CancelRequest(request))) => Ok(Some(Opening::Cancel(request))),
                _ => {
                    Err(Failure::fatal("0A000", "unsupported frontend protocol: this server speaks 3.0")
                        .into())
                }
            };
        }
    }
    Err(Failure::protocol("encryption was asked for again after it was refused").into())
}

/// One of the messages without a type byte. Nothing past it is read, so that nothing can be slipped in before
/// an encrypted part.
async fn read_packet<R: AsyncRead + Unpin>(reader: &mut R) -> Result<Option<BytesMut>, Stop> {
    let length = match reader.read_u32().await {
        Ok(length) => length,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let size = usize::try_from(length).ok().filter(|size| (8..=SMALL).contains(size));
    let Some(size) = size else {
        return Err(Failure::protocol("invalid length of startup packet").into());
    };
    let mut packet = BytesMut::zeroed(size);
    if let Some((prefix, rest)) = packet.split_first_chunk_mut::<4>() {
        *prefix = length.to_be_bytes();
        reader.read_exact(rest).await?;
    }
    Ok(Some(packet))
}

/// The user's name and the other parameters, protocol options answered.
pub(super) fn parameters<W: AsyncWrite + Unpin>(
    startup: Startup,
    output: &mut Output<W>,
) -> Result<(String, Vec<(String, String)>), Stop> {
    let mut settings = vec![];
    let mut options = vec![];
    let mut user = None;
    let minor = startup.protocol_number_minor;
    for (name, value) in startup.parameters {
        match name.as_str() {
            "user" => user = Some(value),
            name if name.starts_with("_pq_.") => options.push(c_string(name)),
            _ => settings.push((name, value)),
        }
    }
    if minor > 0 || !options.is_empty() {
        output.put(&NegotiateProtocolVersion::new(Startup::PROTOCOL_VERSION_3_0, options))?;
    }
    let user = user
        .filter(|user| !user.is_empty())
        .ok_or_else(|| Failure::fatal("28000", "no PostgreSQL user name specified in startup packet"))?;
    Ok((user, settings))
}

/// SCRAM-SHA-256, with or without channel binding: the user has proven the password, or the connection ends.
pub(super) async fn authenticate<R, W>(
    reader: &mut R,
    buffer: &mut BytesMut,
    output: &mut Output<W>,
    logins: &Logins,
    scram: &Scram,
    name: &str,
) -> Result<User, Stop>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    output.put(&Authentication::SASL(scram.mechanisms()))?;
    output.flush().await?;
    let first = read_sasl(reader, buffer).await?;
    let (mechanism, client_first) = sasl_initial(&first).ok_or_else(malformed)?;
    scram.check(mechanism, client_first)?;
    let (server_first, waiting) = logins.challenge(scram, name, client_first).ok_or_else(malformed)?;
    output.put(&Authentication::SASLContinue(server_first.into()))?;
    output.flush().await?;
    let client_final = read_sasl(reader, buffer).await?;
    let wrong = || Failure::fatal("28P01", format!("password authentication failed for user \"{name}\""));
    let server_final = waiting.on_client_final_message(&client_final).map_err(|_| wrong())?;
    let administrator = logins.is_administrator(name).ok_or_else(wrong)?;
    output.put(&Authentication::SASLFinal(server_final.into()))?;
    output.put(&Authentication::Ok)?;
    Ok(User { name: name.to_owned(), administrator })
}

async fn read_sasl<R: AsyncRead + Unpin>(reader: &mut R, buffer: &mut BytesMut) -> Result<BytesMut, Stop> {
    match frame::read(reader, buffer, SMALL).await? {
        Some(Frame::Message(PgWireFrontendMessage::PasswordMessageFamily(PasswordMessageFamily::Raw(
            body,
        )))) => Ok(body),
        Some(Frame::Broken(failure)) => Err(failure.into()),
        Some(_) => Err(Failure::protocol("expected a SASL response").into()),
        None => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
    }
}

/// SASLInitialResponse: the mechanism, and its first message behind a length.
fn sasl_initial(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = body.iter().position(|byte| *byte == 0)?;
    let (mechanism, mut rest) = (body.get(..end)?, body.get(end + 1..)?);
    let length = rest.try_get_i32().ok()?;
    (usize::try_from(length).ok()? == rest.len()).then_some((mechanism, rest))
}

/// Checks the database and sets what the client asked for.
pub(super) fn apply(
    session: &Session,
    user: &str,
    database: &str,
    settings: Vec<(String, String)>,
) -> Result<(), Failure> {
    let mut wanted = user.to_owned();
    for (name, value) in settings {
        match name.as_str() {
            "database" => wanted = value,
            "options" => {
                for (name, value) in command_line_options(&value)? {
                    session.set(&name, &value).map_err(|error| Failure::from(error).into_fatal())?;
                }
            }
            "replication" if matches!(value.as_str(), "false" | "off" | "no" | "0") => {}
            "replication" => return Err(Failure::fatal("0A000", "replication is not supported")),
            _ => {
                session.set(&name, &value).map_err(|error| Failure::from(error).into_fatal())?;
            }
        }
    }
    // `psql -l` and tools that look around ask for the database that every PostgreSQL has.
    if wanted != database && wanted != "postgres" {
        return Err(Failure::fatal("3D000", format!("database \"{wanted}\" does not exist"))
            .with_hint(format!("The database is named \"{database}\".")));
    }
    Ok(())
}

/// `-c name=value` and `--name=value`, as `PGOPTIONS` has them; a backslash keeps the next character.
fn command_line_options(text: &str) -> Result<Vec<(String, String)>, Failure> {
    let mut words: Vec<String> = vec![];
    let mut in_word = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c.is_ascii_whitespace() {
            in_word = false;
            continue;
        }
        if !in_word {
            words.push(String::new());
            in_word = true;
        }
        let c = if c == '\\' { chars.next().unwrap_or('\\') } else { c };
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    let mut out = vec![];
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let setting = match word.strip_prefix("--").or_else(|| word.strip_prefix("-c")) {
            Some("") => words.next(),
            Some(setting) => Some(setting.to_owned()),
            None => None,
        };
        let pair = setting.as_deref().and_then(|setting| setting.split_once('='));
        let Some((name, value)) = pair else {
            return Err(Failure::fatal("42601", format!("invalid command-line argument: {word}"))
                .with_hint("options reads -c name=value"));
        };
        out.push((name.replace('-', "_"), value.to_owned()));
    }
    Ok(out)
}

/// The settings that a client is told when the session begins.
pub(super) fn reported(session: &Session) -> Vec<ParameterStatus> {
    let mut out: Vec<_> = REPORTED
        .iter()
        .map(|(name, default)| {
            let value = session.setting(name).unwrap_or_else(|| (*default).to_owned());
            ParameterStatus::new((*name).to_owned(), c_string(&value))
        })
        .collect();
    // Nobody is one here: what only a superuser may do does not exist.
    out.push(ParameterStatus::new("is_superuser".into(), "off".into()));
    out.push(ParameterStatus::new("session_authorization".into(), c_string(&session.user().name)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_split_as_postgresql_splits_them() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        for (text, expected) in [
            ("", vec![]),
            ("-c a=1 --b-c=2  -cd=3", vec![pair("a", "1"), pair("b_c", "2"), pair("d", "3")]),
            ("-c search_path=a,\\ b", vec![pair("search_path", "a, b")]),
        ] {
            assert_eq!(command_line_options(text).unwrap(), expected, "{text}");
        }
        for text in ["-c", "-c a", "-x", "a=1"] {
            assert!(command_line_options(text).unwrap_err().is_fatal(), "{text}");
        }
    }

    #[test]
    fn a_sasl_message_must_be_whole() {
        let whole = (&b"SCRAM-SHA-256"[..], &b"ab"[..]);
        assert_eq!(sasl_initial(b"SCRAM-SHA-256\0\0\0\0\x02ab"), Some(whole));
        for body in
            [&b"SCRAM-SHA-256\0\0\0\0\x03ab"[..], b"SCRAM-SHA-256\0\xff\xff\xff\xff", b"SCRAM-SHA-256", b""]
        {
            assert_eq!(sasl_initial(body), None);
        }
    }

    #[tokio::test]
    async fn encryption_is_refused_or_begun_and_a_broken_start_is_told() {
        let ssl = [0, 0, 0, 8, 4, 210, 22, 47];
        let start = b"\0\0\0\x10\0\x03\0\0user\0a\0\0";
        let mut sent = vec![];
        let mut output = Output::new(&mut sent);
        let bytes = [&ssl[..], start].concat();
        let opening = open(&mut bytes.as_slice(), &mut output, Encryption::Refused).await.unwrap();
        assert!(matches!(opening, Some(Opening::Session(s)) if s.parameters["user"] == "a"));
        assert_eq!(sent, b"N");
        let mut sent = vec![];
        let mut output = Output::new(&mut sent);
        let opening = open(&mut bytes.as_slice(), &mut output, Encryption::Offered).await.unwrap();
        assert!(matches!(opening, Some(Opening::Encryption)));
        let again = open(&mut bytes.as_slice(), &mut output, Encryption::Done).await.unwrap_err();
        assert!(matches!(again, Stop::Failure(failure) if failure.code() == "0A000"));
        assert_eq!(sent, b"");
        for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\0\0\0\x07", b"\0\0\0\x09\0\x02\0\0\0"] {
            let mut sent = vec![];
            let mut output = Output::new(&mut sent);
            let stop = open(&mut &*bytes, &mut output, Encryption::Refused).await.unwrap_err();
            assert!(matches!(stop, Stop::Failure(failure) if failure.is_fatal()));
        }
    }
}
