//! Both doors over one engine, until a signal ends them.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::failure::{Failure, Result};
use crate::engine::Engine;
use crate::odata::{self, ApiUser, OdataConfig};
use crate::postgres::{self, Login, PostgresConfig};

/// Two listening sockets.
pub(super) struct Doors {
    postgres: TcpListener,
    http: TcpListener,
    /// Where PostgreSQL clients connect.
    pub(super) postgres_address: SocketAddr,
    /// Where OData clients connect.
    pub(super) http_address: SocketAddr,
    ends: Ends,
}

/// Who may come in, and how.
pub(super) struct Rules {
    pub(super) logins: Vec<Login>,
    pub(super) postgres: PostgresConfig,
    pub(super) api_users: Vec<ApiUser>,
    pub(super) odata: OdataConfig,
}

impl Doors {
    /// Listens at both addresses. Each comes with the flag or the key that changes it.
    pub(super) async fn listen(postgres: (&str, &str), http: (&str, &str)) -> Result<Self> {
        let (postgres, postgres_address) = listen(postgres.0, postgres.1).await?;
        let (http, http_address) = listen(http.0, http.1).await?;
        Ok(Self { postgres, http, postgres_address, http_address, ends: Ends::watch()? })
    }

    /// Serves until Ctrl-C or SIGTERM; then open connections have `grace` to end. A second signal ends at once.
    pub(super) async fn serve(mut self, engine: &Engine, rules: Rules, grace: Duration) -> Result<()> {
        let stop = CancellationToken::new();
        let mut doors = JoinSet::new();
        doors.spawn(postgres::serve(
            self.postgres,
            engine.clone(),
            rules.logins,
            rules.postgres,
            stop.clone(),
        ));
        doors.spawn(odata::serve(self.http, engine.clone(), rules.api_users, rules.odata, stop.clone()));
        tokio::select! {
            () = self.ends.next() => {}
            Some(ended) = doors.join_next() => return Err(closed(ended)),
        }
        stop.cancel();
        tokio::select! {
            () = async { while doors.join_next().await.is_some() {} } => {}
            () = tokio::time::sleep(grace) => {}
            () = self.ends.next() => {}
        }
        Ok(())
    }
}

/// A door that ends by itself is a failure.
fn closed(ended: Result<io::Result<()>, tokio::task::JoinError>) -> Failure {
    Failure::own(match ended {
        Ok(Ok(())) => "a door closed by itself".to_owned(),
        Ok(Err(error)) => format!("a door closed: {error}"),
        Err(error) => format!("a door closed, a bug in kintone-sql: {error}"),
    })
}

async fn listen(address: &str, remedy: &str) -> Result<(TcpListener, SocketAddr)> {
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

/// Ctrl-C and SIGTERM, from the moment on that the sockets are open.
pub(super) struct Ends {
    ctrl_c: Signal,
    terminate: Signal,
}

impl Ends {
    pub(super) fn watch() -> Result<Self> {
        let watch =
            |kind| signal(kind).map_err(|error| Failure::own(format!("cannot watch for signals: {error}")));
        Ok(Self { ctrl_c: watch(SignalKind::interrupt())?, terminate: watch(SignalKind::terminate())? })
    }

    /// Ready at the next of them.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.ctrl_c.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
