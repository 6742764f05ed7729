//! Accepts connections, and takes each through its life.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::cancel::CancelKeys;
use super::connection::Connection;
use super::entry::{MAX_OPENING, MAX_WAITING, Opened};
use super::failure::Failure;
use super::frame::{self, Frame, LARGE};
use super::output::Output;
use super::password::{Login, Logins, Scram};
use super::tls::{Tls, TlsConfig};
use crate::engine::Engine;
use crate::trust::AddressRange;

/// For the last words to a client.
const FAREWELL: Duration = Duration::from_secs(1);
/// Messages that a client may be ahead of the answers, and bytes past them. A message that is longer than these goes
/// alone, so that a client that does not wait cannot fill the memory with them.
const AHEAD: usize = 8;
const READ_AHEAD: usize = 1 << 20;

/// The door's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresConfig {
    /// Where to listen; who binds the socket reads it.
    pub listen: SocketAddr,
    /// The name of the one database.
    pub database: String,
    /// Logged in at a time.
    pub max_connections: usize,
    /// Who may connect besides this machine.
    pub trusted_ips: Vec<AddressRange>,
    /// The certificate; without one nothing is encrypted.
    pub tls: Option<TlsConfig>,
}

impl Default for PostgresConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 5433)),
            database: "kintone".into(),
            max_connections: 100,
            trusted_ips: vec![],
            tls: None,
        }
    }
}

pub(super) struct Door {
    pub(super) engine: Engine,
    pub(super) logins: Logins,
    pub(super) database: String,
    pub(super) trusted_ips: Vec<AddressRange>,
    pub(super) tls: Option<Arc<Tls>>,
    /// For connections without TLS.
    pub(super) unbound: Scram,
    pub(super) connections: Arc<Semaphore>,
    pub(super) opening: Semaphore,
    pub(super) waiting: Semaphore,
    pub(super) keys: Arc<CancelKeys>,
    pub(super) shutdown: CancellationToken,
}

/// Serves clients until `shutdown`, which ends every connection with 57P01.
///
/// # Errors
/// When there is no randomness to be had, or the certificate cannot be used. What goes wrong with one connection ends
/// that one alone.
pub async fn serve(
    listener: TcpListener,
    engine: Engine,
    logins: Vec<Login>,
    config: PostgresConfig,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let door = Arc::new(Door::new(engine, logins, config, shutdown)?);
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            () = door.shutdown.cancelled() => break,
            Some(ended) = tasks.join_next() => log_end(ended),
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let door = Arc::clone(&door);
                    tasks.spawn(async move { (peer, door.attend(stream, peer.ip()).await) });
                }
                Err(error) => {
                    // Out of file descriptors, for one: others must be able to end.
                    tracing::warn!(%error, "a connection cannot be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
    drop(listener);
    while let Some(ended) = tasks.join_next().await {
        log_end(ended);
    }
    Ok(())
}

fn log_end(ended: Result<(SocketAddr, io::Result<()>), tokio::task::JoinError>) {
    match ended {
        Ok((peer, Ok(()))) => tracing::debug!(%peer, "connection ended"),
        Ok((peer, Err(error))) => tracing::debug!(%peer, %error, "connection broke"),
        Err(error) => tracing::error!(%error, "a connection ended by a defect"),
    }
}

pub(super) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    let provider = rustls::crypto::ring::default_provider();
    provider.secure_random.fill(&mut bytes).map_err(|_| io::Error::other("no random numbers"))?;
    Ok(bytes)
}

impl Door {
    pub(super) fn new(
        engine: Engine,
        logins: Vec<Login>,
        config: PostgresConfig,
        shutdown: CancellationToken,
    ) -> io::Result<Self> {
        let tls = config.tls.map(Tls::open).transpose().map_err(io::Error::other)?;
        Ok(Self {
            engine,
            logins: Logins::new(logins, random()?),
            database: config.database,
            trusted_ips: config.trusted_ips,
            tls: tls.map(Arc::new),
            unbound: Scram::unbound(),
            connections: Arc::new(Semaphore::new(config.max_connections.min(Semaphore::MAX_PERMITS))),
            opening: Semaphore::new(MAX_OPENING),
            waiting: Semaphore::new(MAX_WAITING),
            keys: Arc::default(),
            shutdown,
        })
    }

    /// Answers until the client leaves, or everything ends. A client that vanishes takes its statement with it.
    pub(super) async fn converse<R, W>(
        &self,
        opened: Opened,
        reader: R,
        buffer: BytesMut,
        output: Output<W>,
    ) -> io::Result<()>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin + Send,
    {
        let Opened { session, key, place: _place } = opened;
        let mut connection = Connection::new(session, output, key.cancels());
        let (sender, mut frames) = mpsc::channel(AHEAD);
        tokio::select! {
            biased;
            () = self.shutdown.cancelled() => farewell(&mut connection.output, &terminated()).await,
            () = key.ended().cancelled() => farewell(&mut connection.output, &terminated()).await,
            gone = receive(reader, buffer, sender) => gone,
            ended = connection.run(&mut frames, &key) => {
                ended?;
                connection.output.close().await
            }
        }
    }
}

/// Hands messages over while statements run, until the client is gone: so its leaving is seen at once.
async fn receive<R: AsyncRead + Unpin>(
    mut reader: R,
    mut buffer: BytesMut,
    sender: mpsc::Sender<Box<Frame>>,
) -> io::Result<()> {
    let mut waiting = None;
    let mut needed = 1;
    loop {
        if waiting.is_none() {
            let before = buffer.len();
            waiting = frame::take(&mut buffer, LARGE).map(Box::new);
            needed = if before - buffer.len() > READ_AHEAD { AHEAD } else { 1 };
        }
        frame::make_room(&mut buffer);
        tokio::select! {
            places = sender.reserve_many(needed), if waiting.is_some() => {
                let (Ok(mut places), Some(frame)) = (places, waiting.take()) else { return Ok(()) };
                let broken = matches!(*frame, Frame::Broken(_));
                let Some(place) = places.next() else { return Ok(()) };
                place.send(frame);
                if broken {
                    // The dialogue ends the connection; nothing more is read.
                    return std::future::pending().await;
                }
            }
            read = reader.read_buf(&mut buffer), if waiting.is_none() || buffer.len() < READ_AHEAD => {
                if read? == 0 {
                    return Ok(());
                }
            }
        }
    }
}

pub(super) fn terminated() -> Failure {
    Failure::fatal("57P01", "terminating connection due to administrator command")
}

/// Tells why the connection ends, to a client that may not listen any more.
pub(super) async fn farewell<W: AsyncWrite + Unpin>(
    output: &mut Output<W>,
    failure: &Failure,
) -> io::Result<()> {
    output.put(&failure.response())?;
    tokio::time::timeout(FAREWELL, output.close()).await.unwrap_or(Ok(()))
}
