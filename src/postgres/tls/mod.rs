//! Encryption of the door: the certificate, its reload, and the handshake.
//!
//! Takes: two PEM files. Gives: TLS 1.2 or 1.3 on a socket, and the SCRAM that is tied to the certificate of that very
//! connection. The files are looked at when a client asks for encryption: new ones hold from that connection on, and
//! ones that cannot be used are logged and leave the old ones in place.
//! Deliberately absent: certificates of clients, session tickets (no PostgreSQL client uses them), keys under a password.

mod certificate;

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub use self::certificate::TlsFault;
use super::password::Scram;

/// The name of this protocol in TLS (ALPN), as PostgreSQL 17 has it.
const PROTOCOL: &[u8] = b"postgresql";

/// The door's certificate, and who must encrypt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsConfig {
    /// A PEM file: the server's certificate first, then those of the authorities between it and the root.
    pub certificate: PathBuf,
    /// A PEM file: the certificate's private key, without a password.
    pub key: PathBuf,
    /// Clients that do not encrypt are refused.
    pub required: bool,
}

impl TlsConfig {
    /// Reads the files and looks whether they go together.
    ///
    /// # Errors
    /// Which of the two is at fault, and why.
    pub fn check(&self) -> Result<(), TlsFault> {
        certificate::load(self).map(|_| ())
    }
}

/// A certificate that is in use, ready for handshakes.
pub(super) struct Identity {
    config: Arc<ServerConfig>,
    pub(super) scram: Scram,
    /// What an administrator should know of it.
    warning: Option<String>,
}

impl Identity {
    /// The handshake on a socket whose client has asked for it, or has begun it (`direct`): then the client must also
    /// have said which protocol it speaks inside, so that no server of another protocol can be mistaken for this one.
    pub(super) async fn accept(&self, stream: TcpStream, direct: bool) -> io::Result<TlsStream<TcpStream>> {
        let stream = TlsAcceptor::from(Arc::clone(&self.config)).accept(stream).await?;
        if direct && stream.get_ref().1.alpn_protocol() != Some(PROTOCOL) {
            return Err(io::Error::other("encryption was begun without the protocol's name (ALPN)"));
        }
        Ok(stream)
    }
}

/// The certificate of the door, as its files are now.
pub(super) struct Tls {
    config: TlsConfig,
    state: Mutex<State>,
}

struct State {
    /// The files that were looked at last, whether they could be used or not.
    seen: Files,
    identity: Arc<Identity>,
}

impl Tls {
    /// # Errors
    /// The files cannot be used; nothing must be served then.
    pub(super) fn open(config: TlsConfig) -> Result<Self, TlsFault> {
        let seen = Files::of(&config);
        let identity = certificate::load(&config)?;
        if let Some(warning) = &identity.warning {
            tracing::warn!("{warning}");
        }
        Ok(Self { config, state: Mutex::new(State { seen, identity: Arc::new(identity) }) })
    }

    pub(super) fn is_required(&self) -> bool {
        self.config.required
    }

    /// The certificate for a connection that begins now.
    pub(super) async fn identity(self: &Arc<Self>) -> Arc<Identity> {
        let tls = Arc::clone(self);
        match tokio::task::spawn_blocking(move || tls.refreshed()).await {
            Ok(identity) => identity,
            Err(_) => Arc::clone(&self.lock().identity),
        }
    }

    fn refreshed(&self) -> Arc<Identity> {
        let mut state = self.lock();
        let files = Files::of(&self.config);
        if state.seen != files {
            state.seen = files;
            match certificate::load(&self.config) {
                Ok(identity) => {
                    let path = self.config.certificate.display();
                    tracing::info!("the certificate {path} was read again");
                    if let Some(warning) = &identity.warning {
                        tracing::warn!("{warning}");
                    }
                    state.identity = Arc::new(identity);
                }
                Err(fault) => tracing::error!("the certificate in use is kept: {fault}"),
            }
        }
        Arc::clone(&state.identity)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What tells that a file is another one: when it was written, its length, its place on the disk.
#[derive(PartialEq, Eq)]
struct Files([Option<(SystemTime, u64, u64)>; 2]);

impl Files {
    fn of(config: &TlsConfig) -> Self {
        let mark = |path: &Path| {
            let data = std::fs::metadata(path).ok()?;
            Some((data.modified().ok()?, data.len(), data.ino()))
        };
        Self([mark(&config.certificate), mark(&config.key)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, host: &str) -> (TlsConfig, Vec<u8>) {
        let own = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
        let config =
            TlsConfig { certificate: folder.join("c.pem"), key: folder.join("k.pem"), required: false };
        std::fs::write(&config.certificate, own.cert.pem()).unwrap();
        std::fs::write(&config.key, own.signing_key.serialize_pem()).unwrap();
        (config, own.cert.der().to_vec())
    }

    #[tokio::test]
    async fn new_files_are_used_and_bad_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let (config, _) = write(folder.path(), "first.example");
        let tls = Arc::new(Tls::open(config.clone()).unwrap());
        let first = tls.identity().await;
        assert!(Arc::ptr_eq(&first, &tls.identity().await));
        write(folder.path(), "the-second-one.example");
        let second = tls.identity().await;
        assert!(!Arc::ptr_eq(&first, &second));
        for nonsense in ["nonsense", ""] {
            std::fs::write(&config.certificate, nonsense).unwrap();
            assert!(Arc::ptr_eq(&second, &tls.identity().await), "{nonsense}");
        }
        std::fs::remove_file(&config.key).unwrap();
        assert!(Arc::ptr_eq(&second, &tls.identity().await));
        write(folder.path(), "third.example");
        assert!(!Arc::ptr_eq(&second, &tls.identity().await));
    }
}
