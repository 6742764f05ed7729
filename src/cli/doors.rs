//! Both doors over one engine, until a signal ends them.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::failure::{Failure, Result};

/// Listens at `HOST:PORT`. `remedy` names the flag or the key that changes the address.
pub(super) async fn listen(address: &str, remedy: &str) -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await.map_err(|error| refused(address, remedy, &error))?;
    let local = listener.local_addr().map_err(|error| refused(address, remedy, &error))?;
    Ok((listener, local))
}

/// Why nothing listens there, and what to do.
pub(super) fn refused(address: &str, remedy: &str, error: &io::Error) -> Failure {
    Failure::own(match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!(
                "{address} is in use by another program; choose another port by {remedy} (port 0 takes any)"
            )
        }
        _ => format!("cannot listen at {address}: {error}; change it by {remedy}"),
    })
}

/// Waits for Ctrl-C or SIGTERM.
pub(super) async fn end() -> Result<()> {
    let signals =
        signal(SignalKind::interrupt()).and_then(|ctrl_c| Ok((ctrl_c, signal(SignalKind::terminate())?)));
    let (mut ctrl_c, mut terminate) =
        signals.map_err(|error| Failure::own(format!("cannot watch for signals: {error}")))?;
    tokio::select! {
        _ = ctrl_c.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
