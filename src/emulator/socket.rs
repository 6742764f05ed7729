//! Sockets: connections that a fault can cut.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::outcome::Line;
use super::server::{self, Server};

/// For a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// After a failed accept, such as one for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until the server stops, and then until the open connections have ended.
pub(super) async fn serve(listener: TcpListener, server: Arc<Server>) {
    let mut stop = server.stop.clone();
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => break,
        };
        match accepted {
            Ok((stream, _)) => drop(connections.spawn(connection(stream, Arc::clone(&server)))),
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Ready when the server is to stop. An error means that the emulator was dropped: then too.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stopped| *stopped).await;
}

async fn connection(stream: TcpStream, server: Arc<Server>) {
    let _ = stream.set_nodelay(true);
    // A second handle on the socket: the first one is in the HTTP connection.
    let twin = SockRef::from(&stream).try_clone().ok();
    let line = Arc::new(Line::default());
    let mut stop = server.stop.clone();
    let service = service_fn(|request: Request<Incoming>| {
        let answer = server::handle(Arc::clone(&server), request.map(Body::new), Arc::clone(&line));
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(served);
    // How a connection ended is the client's to see.
    tokio::select! {
        biased;
        _ = served.as_mut() => {}
        () = line.close.notified() => {}
        () = line.reset.notified() => {
            // Closing a socket that lingers for no time resets the connection.
            let _ = twin.map(|twin| twin.set_linger(Some(Duration::ZERO)));
        }
        () = stopped(&mut stop) => {
            served.as_mut().graceful_shutdown();
            let _ = served.await;
        }
    }
}
