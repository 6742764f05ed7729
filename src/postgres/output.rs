//! What goes to the client: complete messages in a buffer, written under the client's back-pressure.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use pgwire::messages::Message;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// What an idle connection keeps: most answers without rows fit.
const KEPT: usize = 1 << 10;
/// Rows are written once so many bytes of them are ready.
const CHUNK: usize = 64 << 10;
/// A client that takes no byte for so long is given up.
const STALLED: Duration = Duration::from_secs(300);

/// The way to the client. Only complete messages are ever in the buffer, so that an error can follow at any time.
#[derive(Debug)]
pub(super) struct Output<W> {
    buffer: BytesMut,
    /// The longest part that was written since the last rest.
    longest: usize,
    writer: W,
}

impl<W: AsyncWrite + Unpin> Output<W> {
    pub(super) fn new(writer: W) -> Self {
        Self { buffer: BytesMut::with_capacity(KEPT), longest: 0, writer }
    }

    /// Adds a message.
    pub(super) fn put(&mut self, message: &impl Message) -> io::Result<()> {
        let start = self.buffer.len();
        message.encode(&mut self.buffer).inspect_err(|_| self.buffer.truncate(start))?;
        Ok(())
    }

    /// Where rows are added. Whoever adds leaves only complete messages behind.
    pub(super) fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Whether there is enough to be worth a write.
    pub(super) fn is_full(&self) -> bool {
        self.buffer.len() >= CHUNK
    }

    /// Writes all there is, as slowly as the client reads. Safe to drop half way: what is not written stays.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        self.longest = self.longest.max(self.buffer.len());
        while !self.buffer.is_empty() {
            let written = tokio::time::timeout(STALLED, self.writer.write_buf(&mut self.buffer)).await;
            if written.map_err(|_| io::ErrorKind::TimedOut)?? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
        }
        // TLS keeps what the socket did not take.
        let flushed = tokio::time::timeout(STALLED, self.writer.flush()).await;
        flushed.map_err(|_| io::ErrorKind::TimedOut)?
    }

    /// The client is to speak next, perhaps in hours: gives back the memory that long answers took.
    pub(super) fn rest(&mut self) {
        if self.buffer.is_empty() && self.longest > KEPT {
            self.buffer = BytesMut::with_capacity(KEPT);
            self.longest = 0;
        }
    }

    /// Ends the connection in good order.
    pub(super) async fn close(&mut self) -> io::Result<()> {
        self.flush().await?;
        self.writer.shutdown().await
    }
}
