//! Sockets: who may connect, how many at a time, how long a request's head may take.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use futures::FutureExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::OdataConfig;
use super::auth::ApiUser;
use super::error::Failure;
use super::handler::Door;
use crate::engine::Engine;
use crate::error::Error;
use crate::trust;

/// Open connections at a time; more wait in the system's queue.
const CONNECTIONS: usize = 512;
/// For a request's head: slow clients must not hold sockets for ever.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of a request's head, its URL included.
const HEAD_BYTES: usize = 64 * 1024;
/// Lines of a request's head.
const HEADERS: usize = 100;
/// After a failed accept, such as one for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Serves until `shutdown`, and then until the answers under way have ended. Dropping the future ends them at once:
/// how long they may take is the caller's to say.
///
/// # Errors
/// When the system gives no random numbers, which links between pages are signed with.
pub async fn serve(
    listener: TcpListener,
    engine: Engine,
    users: Vec<ApiUser>,
    config: OdataConfig,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let door = Door::new(engine, users, config).map_err(|error| io::Error::other(error.message))?;
    let door = Arc::new(door);
    let mut tasks = JoinSet::new();
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        while tasks.try_join_next().is_some() {}
        let Ok(permit) = Arc::clone(&free).acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let connection = connection(stream, peer, Arc::clone(&door), shutdown.clone());
                tasks.spawn(async move {
                    connection.await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    while tasks.join_next().await.is_some() {}
    Ok(())
}

fn panicked() -> Response<Body> {
    Failure::from(Error::internal("a request panicked")).response()
}

async fn connection(stream: TcpStream, peer: SocketAddr, door: Arc<Door>, shutdown: CancellationToken) {
    // Small answers leave at once.
    let _ = stream.set_nodelay(true);
    let local = stream.local_addr().map(|address| address.ip()).ok();
    let service = service_fn(move |request: Request<Incoming>| {
        let door = Arc::clone(&door);
        let is_trusted = trust::is_trusted(&door.config.trusted_ips, peer.ip());
        async move {
            let answer = door.answer(request.map(Body::new), peer.ip(), local, is_trusted);
            // A bug in one request is that client's error alone.
            let answer = AssertUnwindSafe(answer).catch_unwind().await;
            Ok::<_, Infallible>(answer.unwrap_or_else(|_| panicked()))
        }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = shutdown.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
