//! Accepts connections, and takes each through its life.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::cancel::{CancelKey, CancelKeys};
use super::connection::Connection;
use super::failure::Failure;
use super::frame::{self, Frame, LARGE};
use super::output::Output;
use super::password::{Login, Logins};
use super::startup::{self, Opening, Stop};
use crate::engine::{Engine, Session};

/// From the first byte to the end of the login.
const STARTUP: Duration = Duration::from_secs(10);
/// Connections that have not logged in yet.
const MAX_OPENING: usize = 64;
/// For the last words to a client.
const FAREWELL: Duration = Duration::from_secs(1);
/// A silent client is asked so often whether it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(60);
/// Messages that a client may be ahead of the answers, and bytes past them.
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
}

impl Default for PostgresConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 5433)),
            database: "kintone".into(),
            max_connections: 100,
        }
    }
}

struct Door {
    engine: Engine,
    logins: Logins,
    database: String,
    connections: Arc<Semaphore>,
    opening: Arc<Semaphore>,
    keys: Arc<CancelKeys>,
    shutdown: CancellationToken,
}

/// Serves clients until `shutdown`, which ends every connection with 57P01.
///
/// # Errors
/// When there is no randomness to be had. What goes wrong with one connection ends that one alone.
pub async fn serve(
    listener: TcpListener,
    engine: Engine,
    logins: Vec<Login>,
    config: PostgresConfig,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let door = Arc::new(Door {
        engine,
        logins: Logins::new(logins, random()?),
        database: config.database,
        connections: Arc::new(Semaphore::new(config.max_connections.min(Semaphore::MAX_PERMITS))),
        opening: Arc::new(Semaphore::new(MAX_OPENING)),
        keys: Arc::default(),
        shutdown,
    });
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            () = door.shutdown.cancelled() => break,
            Some(ended) = tasks.join_next() => log_end(ended),
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let door = Arc::clone(&door);
                    tasks.spawn(async move { (peer, door.attend(stream).await) });
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

fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    let provider = rustls::crypto::ring::default_provider();
    provider.secure_random.fill(&mut bytes).map_err(|_| io::Error::other("no random numbers"))?;
    Ok(bytes)
}

/// A client that has logged in. The key and the place are given back when the connection ends.
struct Opened {
    session: Session,
    key: CancelKey,
    _place: OwnedSemaphorePermit,
}

impl Door {
    /// One connection from its first byte to its last.
    async fn attend(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let keep_alive = socket2::TcpKeepalive::new().with_time(KEEP_ALIVE).with_interval(KEEP_ALIVE / 4);
        socket2::SockRef::from(&stream).set_tcp_keepalive(&keep_alive)?;
        let (mut reader, writer) = stream.into_split();
        let mut output = Output::new(writer);
        let mut buffer = BytesMut::new();
        let opened = tokio::select! {
            biased;
            () = self.shutdown.cancelled() => Err(terminated().into()),
            opened = tokio::time::timeout(STARTUP, self.open(&mut reader, &mut buffer, &mut output)) => {
                opened.unwrap_or_else(|_| Err(Failure::fatal("08006", "the login took too long").into()))
            }
        };
        match opened {
            Ok(None) => Ok(()),
            Ok(Some(opened)) => self.converse(opened, reader, buffer, output).await,
            Err(Stop::Io(error)) => Err(error),
            Err(Stop::Failure(failure)) => farewell(&mut output, &failure).await,
        }
    }

    /// `None`: it was a CancelRequest, or nothing at all.
    async fn open<R, W>(
        &self,
        reader: &mut R,
        buffer: &mut BytesMut,
        output: &mut Output<W>,
    ) -> Result<Option<Opened>, Stop>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let _opening = self.opening.try_acquire().map_err(|_| crowded("logins in progress"))?;
        let startup = match startup::open(reader, output).await? {
            None => return Ok(None),
            Some(Opening::Cancel(request)) => {
                self.keys.cancel(request.pid, &request.secret_key);
                return Ok(None);
            }
            Some(Opening::Session(startup)) => startup,
        };
        let place = Arc::clone(&self.connections).try_acquire_owned();
        let place = place.map_err(|_| crowded("clients already"))?;
        let (name, settings) = startup::parameters(startup, output)?;
        let user = startup::authenticate(reader, buffer, output, &self.logins, &name).await?;
        let session = self.engine.session(user);
        startup::apply(&session, &name, &self.database, settings)?;
        for status in startup::reported(&session) {
            output.put(&status)?;
        }
        let key = self.keys.register(session.cancel_handle(), i32::from_be_bytes(random()?));
        session.set_backend_pid(key.id());
        output.put(&key.message())?;
        Ok(Some(Opened { session, key, _place: place }))
    }

    /// Answers until the client leaves, or everything ends. A client that vanishes takes its statement with it.
    async fn converse<R, W>(
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
        let Opened { session, key, _place } = opened;
        let mut connection = Connection::new(session, output, key.cancels());
        let (sender, mut frames) = mpsc::channel(AHEAD);
        tokio::select! {
            biased;
            () = self.shutdown.cancelled() => farewell(&mut connection.output, &terminated()).await,
            gone = receive(reader, buffer, sender) => gone,
            ended = connection.run(&mut frames) => {
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
    sender: mpsc::Sender<Frame>,
) -> io::Result<()> {
    let mut waiting = None;
    loop {
        if waiting.is_none() {
            waiting = frame::take(&mut buffer, LARGE);
        }
        tokio::select! {
            place = sender.reserve(), if waiting.is_some() => {
                let (Ok(place), Some(frame)) = (place, waiting.take()) else { return Ok(()) };
                let broken = matches!(frame, Frame::Broken(_));
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

fn terminated() -> Failure {
    Failure::fatal("57P01", "terminating connection due to administrator command")
}

fn crowded(what: &str) -> Failure {
    Failure::fatal("53300", format!("sorry, too many {what}"))
}

/// Tells why the connection ends, to a client that may not listen any more.
async fn farewell<W: AsyncWrite + Unpin>(output: &mut Output<W>, failure: &Failure) -> io::Result<()> {
    output.put(&failure.response())?;
    tokio::time::timeout(FAREWELL, output.close()).await.unwrap_or(Ok(()))
}
