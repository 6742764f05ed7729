//! An embedded Kintone: a real HTTP server on loopback, as strict as Kintone is.
//!
//! Takes a [`app::World`] (a demo company, or a [`Fixture`] of JSON) and serves its apps over Kintone's REST
//! API: `server` -> `auth` -> `routes` -> one function per endpoint -> `render`. The facts are those of the
//! Kintone fact sheet (K in comments); what it does not know is decided in `unknown` alone.
//! It shares no code with the rest of the program, so that a wrong reading of a fact shows as a difference.
//! Deliberately absent: access rights of users.

pub mod app;
mod auth;
mod bulk;
mod calc;
mod call;
mod comment;
mod cursor;
pub mod demo;
mod directory;
mod field;
mod file;
mod fixture;
mod fixture_people;
mod log;
mod params;
mod process;
mod query;
mod records;
mod render;
mod reply;
mod rights;
mod routes;
mod server;
mod settings;
mod store;
mod stored;
mod unknown;
mod user_api;
mod value;
mod write;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use app::World;
pub use fixture::Fixture;
pub use log::LoggedRequest;
pub use unknown::{SWITCHES, Switch, Unknowns};

/// How long `stop` waits for connections to close.
const STOP_WITHIN: Duration = Duration::from_millis(800);
/// Tries to find a port that is free on both loopback addresses.
const PORT_TRIES: u32 = 20;

/// How to serve.
#[derive(Clone)]
pub struct Options {
    /// 0 for any.
    pub port: u16,
    /// Added to each request.
    pub latency: Duration,
    /// How many of the latest requests the log keeps.
    pub log_capacity: usize,
    /// Requests at the same time; one more is refused with 429 (K§5.1).
    pub concurrency_limit: u32,
    /// User and password of the site's Basic authentication.
    pub basic: Option<(String, String)>,
    /// How Kintone's open facts are taken.
    pub unknowns: Unknowns,
    /// How long changed settings take to go live.
    pub deploy_time: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            latency: Duration::ZERO,
            log_capacity: 10_000,
            concurrency_limit: 100,
            basic: None,
            unknowns: Unknowns::strict(),
            deploy_time: Duration::from_millis(200),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("port", &self.port)
            .field("latency", &self.latency)
            .field("log_capacity", &self.log_capacity)
            .field("concurrency_limit", &self.concurrency_limit)
            .field("basic", &self.basic.is_some())
            .field("unknowns", &self.unknowns)
            .field("deploy_time", &self.deploy_time)
            .finish()
    }
}

/// A running Kintone. Dropping it stops it too, without waiting.
pub struct Emulator {
    server: Arc<server::Server>,
    port: u16,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<io::Result<()>>>,
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator").field("port", &self.port).finish_non_exhaustive()
    }
}

impl Emulator {
    /// Serves a world on 127.0.0.1 and, where the machine has it, ::1.
    ///
    /// # Errors
    ///
    /// Where the port is taken.
    pub async fn start(world: Arc<dyn World>, options: Options) -> io::Result<Self> {
        let (port, listeners) = bind(options.port).await?;
        let (stop, stopped) = watch::channel(false);
        let server = Arc::new(server::Server {
            store: RwLock::new(store::Store::new(&world, options.unknowns, options.deploy_time)),
            cursors: cursor::Cursors::default(),
            log: log::RequestLog::new(options.log_capacity),
            latency: Mutex::new(options.latency),
            basic: options.basic,
            concurrency_limit: options.concurrency_limit,
            running: AtomicU32::new(0),
            stop: stopped,
        });
        let router = Router::new().fallback(server::handle).with_state(Arc::clone(&server));
        let tasks = listeners
            .into_iter()
            .map(|listener| {
                let mut stopped = stop.subscribe();
                let serving = axum::serve(listener, router.clone()).with_graceful_shutdown(async move {
                    // An error means that the emulator was dropped: stop as well.
                    let _ = stopped.wait_for(|stopped| *stopped).await;
                });
                tokio::spawn(serving.into_future())
            })
            .collect();
        Ok(Self { server, port, stop, tasks })
    }

    /// The port on both addresses.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `http://localhost:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Makes every app's records in the background, the smallest ids first, so that a first question need not wait.
    /// Ends early with the emulator; a process that ends does not wait for it.
    pub fn warm_up(&self) {
        let server = Arc::clone(&self.server);
        let work = move || {
            let ids: Vec<u64> = server.store().apps.keys().copied().collect();
            for id in ids {
                if *server.stop.borrow() {
                    return;
                }
                // Not all under one lock: who changes settings would wait, and everybody behind them.
                let _ = server.store().apps.get(&id).map(|app| drop(app.read()));
            }
        };
        // Without a thread the first question makes them.
        let _ = std::thread::Builder::new().name("warm-up".into()).spawn(work);
    }

    /// The latest requests, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.server.log.all()
    }

    /// Empties the log.
    pub fn clear_requests(&self) {
        self.server.log.clear();
    }

    /// Changes what is added to each request from now on.
    pub fn set_latency(&self, latency: Duration) {
        *self.server.latency.lock().unwrap_or_else(PoisonError::into_inner) = latency;
    }

    /// How many hits of a keyword abort a search (K§3.6), from now on.
    pub fn set_search_limit(&self, hits: usize) {
        self.server.store().search.set_limit(hits);
    }

    /// Keeps the search index as it is now, so that `like` does not see what is written from now on, or lets
    /// it catch up at once (K§3.6).
    pub fn hold_search_index(&self, held: bool) {
        let store = self.server.store();
        store.search.hold(&store, held);
    }

    /// Stops serving, within a second. Requests that run are cut off.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let deadline = tokio::time::Instant::now() + STOP_WITHIN;
        for mut task in self.tasks {
            if tokio::time::timeout_at(deadline, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}

/// Listeners on one port of both loopback addresses.
async fn bind(port: u16) -> io::Result<(u16, Vec<TcpListener>)> {
    let mut tries = 1;
    loop {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let bound = first.local_addr()?.port();
        match TcpListener::bind((Ipv6Addr::LOCALHOST, bound)).await {
            Ok(second) => return Ok((bound, vec![first, second])),
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => return Ok((bound, vec![first])),
            Err(error) if port != 0 || tries == PORT_TRIES => return Err(error),
            Err(_) => tries += 1,
        }
    }
}
