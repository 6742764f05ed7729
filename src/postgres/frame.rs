//! Bytes of a client as messages: framing and limits here, the decoding in pgwire.
//!
//! pgwire trusts the counts and lengths inside a message, and would panic on ones that lie: each message is
//! walked through before it is decoded. Startup messages, which have no type byte, are read in `startup`.

use std::io;

use bytes::{Buf, BytesMut};
use pgwire::messages::{DecodeContext, PgWireFrontendMessage, ProtocolVersion};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::failure::Failure;

/// Before the password is proven: a message of SCRAM is far smaller.
pub(super) const SMALL: usize = 10_000;
/// After it. The engine refuses far shorter statements; parameters may be long.
pub(super) const LARGE: usize = 16 << 20;

/// A complete message.
#[derive(Debug)]
pub(super) enum Frame {
    /// As pgwire decodes it.
    Message(PgWireFrontendMessage),
    /// Its text is not UTF-8: an error of the statement. Whether it belongs to the extended protocol.
    NotUtf8 { extended: bool },
    /// A function is called by its number, past SQL.
    FunctionCall,
    /// What follows cannot be trusted.
    Broken(Failure),
}

/// Takes one message from the buffer; `None` until it is complete.
pub(super) fn take(buffer: &mut BytesMut, limit: usize) -> Option<Frame> {
    let (kind, length) = match buffer.get(..5)? {
        [kind, length @ ..] => (*kind, u32::from_be_bytes(length.try_into().ok()?)),
        [] => return None,
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if !(4..=limit).contains(&length) {
        let message = format!("invalid message length {length}; at most {limit} bytes are taken");
        return Some(Frame::Broken(Failure::protocol(message)));
    }
    if buffer.len() <= length {
        return None;
    }
    let mut frame = buffer.split_to(length + 1);
    match check(kind, frame.get(5..).unwrap_or_default()) {
        Some(true) => {}
        Some(false) => return Some(Frame::NotUtf8 { extended: kind != b'Q' }),
        None => {
            let message = format!("malformed message of type {:?}", char::from(kind));
            return Some(Frame::Broken(Failure::protocol(message)));
        }
    }
    if kind == b'F' {
        return Some(Frame::FunctionCall);
    }
    match PgWireFrontendMessage::decode(&mut frame, &context(false)) {
        Ok(Some(message)) => Some(Frame::Message(message)),
        Ok(None) => Some(Frame::Broken(Failure::protocol("incomplete message"))),
        Err(error) => Some(Frame::Broken(Failure::protocol(error.to_string()))),
    }
}

/// What one read takes at least; an idle connection keeps no more.
const READ: usize = 1 << 10;

/// Makes room for a read. What long messages took is given back once all of it was taken.
pub(super) fn make_room(buffer: &mut BytesMut) {
    if buffer.is_empty() && buffer.capacity() != READ {
        *buffer = BytesMut::with_capacity(READ);
    } else if buffer.capacity() - buffer.len() < READ {
        buffer.reserve(READ);
    }
}

/// Reads one message; `None` at the end of the connection.
pub(super) async fn read<R: AsyncRead + Unpin>(
    reader: &mut R,
    buffer: &mut BytesMut,
    limit: usize,
) -> io::Result<Option<Frame>> {
    loop {
        if let Some(frame) = take(buffer, limit) {
            return Ok(Some(frame));
        }
        make_room(buffer);
        if reader.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

/// How pgwire is to read the bytes: as a message with a type, or as one of those that start a connection.
pub(super) fn context(startup: bool) -> DecodeContext {
    let mut context = DecodeContext::new(ProtocolVersion::PROTOCOL3_0);
    context.awaiting_frontend_ssl = false;
    context.awaiting_frontend_startup = startup;
    context
}

/// Whether the body is what its type says: `None` when it is not, `false` when a text in it is not UTF-8.
fn check(kind: u8, mut body: &[u8]) -> Option<bool> {
    let body = &mut body;
    let mut valid = true;
    match kind {
        b'Q' => valid &= text(body)?,
        b'P' => {
            valid &= text(body)? & text(body)?;
            let count = usize::from(body.try_get_u16().ok()?);
            skip(body, count * 4)?;
        }
        b'B' => {
            valid &= text(body)? & text(body)?;
            values(body)?;
            codes(body)?;
        }
        b'C' | b'D' => {
            body.try_get_u8().ok()?;
            valid &= text(body)?;
        }
        b'E' => {
            valid &= text(body)?;
            body.try_get_i32().ok()?;
        }
        b'F' => {
            body.try_get_u32().ok()?;
            values(body)?;
            body.try_get_u16().ok()?;
        }
        b'H' | b'S' | b'X' => {}
        // Read by what comes next in the dialogue, not by its type alone.
        b'p' => return Some(true),
        // COPY is not begun by this server: what a client still sends of it is thrown away.
        b'd' | b'c' | b'f' => return Some(true),
        _ => return None,
    }
    body.is_empty().then_some(valid)
}

fn skip(body: &mut &[u8], bytes: usize) -> Option<()> {
    body.split_off(..bytes).map(|_| ())
}

/// Format codes, and values behind their lengths.
fn values(body: &mut &[u8]) -> Option<()> {
    codes(body)?;
    for _ in 0..body.try_get_u16().ok()? {
        // A negative length is NULL.
        let length = body.try_get_i32().ok()?;
        skip(body, usize::try_from(length).unwrap_or(0))?;
    }
    Some(())
}

fn codes(body: &mut &[u8]) -> Option<()> {
    let count = usize::from(body.try_get_u16().ok()?);
    skip(body, count * 2)
}

fn text(body: &mut &[u8]) -> Option<bool> {
    let end = body.iter().position(|byte| *byte == 0)?;
    let text = body.split_off(..end)?;
    skip(body, 1)?;
    Some(std::str::from_utf8(text).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> BytesMut {
        let mut out = BytesMut::from(&[kind][..]);
        out.extend(u32::try_from(body.len() + 4).unwrap().to_be_bytes());
        out.extend(body);
        out
    }

    fn kind_of(mut bytes: BytesMut) -> &'static str {
        match take(&mut bytes, SMALL) {
            None => "incomplete",
            Some(Frame::Message(_)) => "message",
            Some(Frame::NotUtf8 { .. }) => "not utf8",
            Some(Frame::FunctionCall) => "function call",
            Some(Frame::Broken(failure)) => {
                assert!(failure.is_fatal());
                "broken"
            }
        }
    }

    #[test]
    fn messages_are_taken_or_refused() {
        for (kind, body, expected) in [
            (b'Q', &b"SELECT 1\0"[..], "message"),
            (b'Q', b"SELECT 1", "broken"),
            (b'Q', b"SELECT 1\0x", "broken"),
            (b'Q', b"\xff\0", "not utf8"),
            (b'P', b"\0SELECT $1\0\0\x01\0\0\0\x17", "message"),
            (b'P', b"\0SELECT $1\0\0\x09\0\0\0\x17", "broken"),
            (b'P', b"\0SELECT $1\0", "broken"),
            (b'B', b"\0\0\0\0\0\x01\0\0\0\x01x\0\x01\0\x01", "message"),
            (b'B', b"\0\0\0\0\0\x01\xff\xff\xff\xff\0\0", "message"),
            (b'B', b"\0\0\0\0\0\x01\x7f\xff\xff\xffx\0\0", "broken"),
            (b'B', b"\0\0\xff\xff", "broken"),
            (b'E', b"\0\0\0\0\0", "message"),
            (b'E', b"\0", "broken"),
            (b'D', b"S\0", "message"),
            (b'C', b"", "broken"),
            (b'S', b"", "message"),
            (b'F', b"\0\0\0\x07\0\0\0\x01\0\0\0\x01x\0\0", "function call"),
            (b'F', b"\0\0\0\x07", "broken"),
            (b'!', b"", "broken"),
        ] {
            assert_eq!(kind_of(message(kind, body)), expected, "{} {body:?}", char::from(kind));
        }
    }

    #[test]
    fn a_length_is_believed_only_within_the_limit() {
        assert_eq!(kind_of(BytesMut::from(&b"Q\x7f\xff\xff\xff"[..])), "broken");
        assert_eq!(kind_of(BytesMut::from(&b"Q\0\0\0\x03"[..])), "broken");
        assert_eq!(kind_of(BytesMut::from(&b"Q\0\0\0\x09SEL"[..])), "incomplete");
        assert_eq!(kind_of(BytesMut::from(&b"Q\0\0"[..])), "incomplete");
    }

    #[test]
    fn any_bytes_of_any_type_are_refused_without_a_panic() {
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..20_000 {
            let kind = *random.choice(b"QPBDECHSXFpdcf").unwrap();
            let body: Vec<u8> = (0..random.usize(..40)).map(|_| random.u8(..) % 5).collect();
            kind_of(message(kind, &body));
        }
    }
}
