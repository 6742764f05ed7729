//! From an accepted socket to a session: who may come in, whether it encrypts, its login.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use futures::FutureExt;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, SemaphorePermit};
use tokio::time::Instant;

use super::cancel::CancelKey;
use super::failure::Failure;
use super::output::Output;
use super::password::Scram;
use super::server::{Door, farewell, random, terminated};
use super::startup::{self, Encryption, Opening, Stop};
use crate::engine::Session;
use crate::trust;

/// From the first byte to the end of the login: a program that opens a thousand connections at once is slow itself.
const STARTUP: Duration = Duration::from_secs(30);
/// A silent client is asked so often whether it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(60);
/// Connections that log in at a time, and those that wait for that.
pub(super) const MAX_OPENING: usize = 1024;
pub(super) const MAX_WAITING: usize = 1024;
/// The first byte of a TLS handshake, which no message of this protocol has.
const TLS_HANDSHAKE: [u8; 1] = [0x16];
/// The answer to SSLRequest.
const ENCRYPTED: &[u8] = b"S";

/// A client that has logged in. The key and the place are given back when the connection ends.
pub(super) struct Opened {
    pub(super) session: Session,
    pub(super) key: CancelKey,
    /// Its place among `max_connections`.
    pub(super) place: OwnedSemaphorePermit,
}

/// How a connection begins.
enum Beginning {
    /// It ends before it said anything.
    Gone,
    /// As the protocol has it.
    Plain(Opening),
    /// With TLS, at once or after it was asked for.
    Encrypted { direct: bool },
}

/// What is known of a client before it logs in.
struct Guest<'a> {
    peer: IpAddr,
    /// Its first message; in TLS it is still to come.
    opening: Option<Opening>,
    scram: &'a Scram,
    deadline: Instant,
    /// Its place among those that log in.
    place: SemaphorePermit<'a>,
}

impl Door {
    /// One connection from its first byte to its last.
    pub(super) async fn attend(&self, mut stream: TcpStream, peer: IpAddr) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let keep_alive = socket2::TcpKeepalive::new().with_time(KEEP_ALIVE).with_interval(KEEP_ALIVE / 4);
        socket2::SockRef::from(&stream).set_tcp_keepalive(&keep_alive)?;
        let place = match self.place(Instant::now() + STARTUP).await {
            Ok(place) => place,
            Err(stop) => return leave(&mut Output::new(&mut stream), stop).await,
        };
        let deadline = Instant::now() + STARTUP;
        let guest = |opening| Guest { peer, opening, scram: &self.unbound, deadline, place };
        match self.in_time(deadline, self.begin(&mut stream)).await {
            Ok(Beginning::Gone) => Ok(()),
            Ok(Beginning::Plain(opening)) => {
                let (reader, writer) = stream.into_split();
                Box::pin(self.host(guest(Some(opening)), reader, writer)).await
            }
            Ok(Beginning::Encrypted { direct }) => {
                let Some(tls) = &self.tls else { return Ok(()) };
                let identity = tls.identity().await;
                let handshake = async { Ok(identity.accept(stream, direct).await?) };
                let stream = match self.in_time(deadline, Box::pin(handshake)).await {
                    Ok(stream) => stream,
                    Err(Stop::Io(error)) => return Err(error),
                    // There is no way to tell it that the client would understand.
                    Err(Stop::Failure(_)) => return Err(io::ErrorKind::TimedOut.into()),
                };
                let (reader, writer) = tokio::io::split(stream);
                let guest = Guest { scram: &identity.scram, ..guest(None) };
                Box::pin(self.host(guest, reader, writer)).await
            }
            Err(stop) => leave(&mut Output::new(&mut stream), stop).await,
        }
    }

    /// Waits for a place among those that log in. Each costs work and memory before it has proven anything.
    async fn place(&self, deadline: Instant) -> Result<SemaphorePermit<'_>, Stop> {
        if let Ok(place) = self.opening.try_acquire() {
            return Ok(place);
        }
        let _waiting = self.waiting.try_acquire().map_err(|_| crowded("logins in progress"))?;
        self.in_time(deadline, async { Ok(self.opening.acquire().await.map_err(|_| terminated())?) }).await
    }

    /// Runs a step of the opening, which ends with the server, or when the client takes too long.
    async fn in_time<T>(
        &self,
        deadline: Instant,
        step: impl Future<Output = Result<T, Stop>>,
    ) -> Result<T, Stop> {
        tokio::select! {
            biased;
            () = self.shutdown.cancelled() => Err(terminated().into()),
            done = tokio::time::timeout_at(deadline, step) => {
                done.unwrap_or_else(|_| Err(Failure::fatal("08006", "the login took too long").into()))
            }
        }
    }

    /// Whether the client encrypts. What it sent behind its request came unencrypted, perhaps from somebody else, and
    /// must never be taken for a part of what follows.
    async fn begin(&self, stream: &mut TcpStream) -> Result<Beginning, Stop> {
        let mut first = [0];
        if self.tls.is_some() && stream.peek(&mut first).await? > 0 && first == TLS_HANDSHAKE {
            return Ok(Beginning::Encrypted { direct: true });
        }
        let offer = if self.tls.is_some() { Encryption::Offered } else { Encryption::Refused };
        let (mut reader, writer) = stream.split();
        let opening = startup::open(&mut reader, &mut Output::new(writer), offer).await?;
        match opening {
            None => Ok(Beginning::Gone),
            Some(Opening::Encryption) => {
                if matches!(stream.peek(&mut first).now_or_never(), Some(Ok(1..))) {
                    return Err(Failure::protocol("received unencrypted data after SSL request").into());
                }
                stream.write_all(ENCRYPTED).await?;
                Ok(Beginning::Encrypted { direct: false })
            }
            Some(opening) => Ok(Beginning::Plain(opening)),
        }
    }

    /// The login, and what comes after it.
    async fn host<R, W>(&self, guest: Guest<'_>, mut reader: R, writer: W) -> io::Result<()>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin + Send,
    {
        let mut output = Output::new(writer);
        let mut buffer = BytesMut::new();
        let deadline = guest.deadline;
        let login = Box::pin(self.open(guest, &mut reader, &mut buffer, &mut output));
        match self.in_time(deadline, login).await {
            Ok(None) => output.close().await,
            Ok(Some(opened)) => self.converse(opened, reader, buffer, output).await,
            Err(stop) => leave(&mut output, stop).await,
        }
    }

    /// `None`: it was a CancelRequest, or nothing at all.
    async fn open<R, W>(
        &self,
        guest: Guest<'_>,
        reader: &mut R,
        buffer: &mut BytesMut,
        output: &mut Output<W>,
    ) -> Result<Option<Opened>, Stop>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let encrypted = guest.opening.is_none();
        let opening = match guest.opening {
            None => startup::open(reader, output, Encryption::Done).await?,
            opening => opening,
        };
        let is_trusted = trust::is_trusted(&self.trusted_ips, guest.peer);
        let startup = match opening {
            None | Some(Opening::Encryption) => return Ok(None),
            Some(Opening::Cancel(request)) => {
                if is_trusted {
                    self.keys.cancel(request.pid, &request.secret_key);
                }
                return Ok(None);
            }
            Some(Opening::Session(startup)) => startup,
        };
        self.admit(is_trusted, encrypted)?;
        let place = Arc::clone(&self.connections).try_acquire_owned();
        let place = place.map_err(|_| crowded("clients already"))?;
        let (name, settings) = startup::parameters(startup, output)?;
        let user = startup::authenticate(reader, buffer, output, &self.logins, guest.scram, &name).await?;
        drop(guest.place);
        let session = self.engine.session(user);
        startup::apply(&session, &name, &self.database, settings)?;
        for status in startup::reported(&session) {
            output.put(&status)?;
        }
        let key = self.keys.register(session.cancel_handle(), i32::from_be_bytes(random()?));
        session.set_backend(key.id(), Some(guest.peer), key.signals());
        output.put(&key.message())?;
        Ok(Some(Opened { session, key, place }))
    }

    /// What PostgreSQL's `pg_hba.conf` says of a connection: whence it may come, and how.
    fn admit(&self, is_trusted: bool, encrypted: bool) -> Result<(), Failure> {
        if !is_trusted {
            let message = "this address is not trusted; trusted_ips of [postgres] lists those that are";
            return Err(Failure::fatal("28000", message));
        }
        if !encrypted && self.tls.as_ref().is_some_and(|tls| tls.is_required()) {
            let message = "no encryption: this server takes encrypted connections only";
            return Err(Failure::fatal("28000", message).with_hint("Connect with sslmode=require."));
        }
        Ok(())
    }
}

fn crowded(what: &str) -> Failure {
    Failure::fatal("53300", format!("sorry, too many {what}"))
}

/// Ends a connection that did not come to a session.
async fn leave<W: AsyncWrite + Unpin>(output: &mut Output<W>, stop: Stop) -> io::Result<()> {
    match stop {
        Stop::Io(error) => Err(error),
        Stop::Failure(failure) => farewell(output, &failure).await,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::engine::{Engine, EngineConfig};
    use crate::postgres::PostgresConfig;

    const STARTUP: &[u8] = b"\0\0\0\x10\0\x03\0\0user\0a\0\0";

    /// What a client of this address is answered.
    async fn answer(config: PostgresConfig, peer: &str) -> String {
        let engine = Engine::new(EngineConfig::default(), vec![]).unwrap();
        let stop = CancellationToken::new();
        let door = Door::new(engine, vec![], config, stop.clone()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        client.write_all(STARTUP).await.unwrap();
        let told = async {
            let mut told = vec![0; 20];
            client.read_exact(&mut told).await.unwrap();
            // One that is let in is asked for its password, and would wait.
            stop.cancel();
            client.read_to_end(&mut told).await.unwrap();
            String::from_utf8_lossy(&told).into_owned()
        };
        let (ended, told) = tokio::join!(door.attend(stream, peer.parse().unwrap()), told);
        ended.unwrap();
        told
    }

    #[tokio::test]
    async fn an_address_that_is_not_trusted_is_told_so_before_any_login() {
        let trusting = || PostgresConfig {
            trusted_ips: vec!["10.0.0.0/8".parse().unwrap()],
            ..PostgresConfig::default()
        };
        for (config, peer, expected) in [
            (PostgresConfig::default(), "127.0.0.1", "SCRAM-SHA-256"),
            (PostgresConfig::default(), "10.0.0.1", "C28000\0Mthis address is not trusted"),
            (trusting(), "10.0.0.1", "SCRAM-SHA-256"),
            (trusting(), "::ffff:10.0.0.1", "SCRAM-SHA-256"),
            (trusting(), "192.168.0.1", "C28000\0Mthis address is not trusted"),
        ] {
            let told = answer(config, peer).await;
            assert!(told.contains(expected), "{peer}: {told:?}");
            assert_eq!(told.contains("SCRAM"), expected.contains("SCRAM"), "{peer}: {told:?}");
        }
    }
}
