//! Encryption at the PostgreSQL door: versions, channel binding, who is refused, new certificates, cancels.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use futures::{FutureExt, TryFutureExt};
use kintone_sql::postgres::TlsConfig;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig as TlsClient, RootCertStore, SupportedProtocolVersion, version};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client;

use super::*;

const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
const STARTUP: &[u8] = b"\0\0\0\x24\0\x03\0\0user\0demo\0database\0kintone\0\0";

/// A self-signed certificate in a folder of its own.
struct Files {
    folder: TempDir,
    der: CertificateDer<'static>,
}

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let der = Self::write(folder.path(), "localhost");
        Self { folder, der }
    }

    fn write(folder: &Path, host: &str) -> CertificateDer<'static> {
        let names = [host.to_owned(), "127.0.0.1".to_owned()];
        let own = rcgen::generate_simple_self_signed(names).unwrap();
        std::fs::write(folder.join("c.pem"), own.cert.pem()).unwrap();
        std::fs::write(folder.join("k.pem"), own.signing_key.serialize_pem()).unwrap();
        own.cert.der().clone()
    }

    fn config(&self, required: bool) -> PostgresConfig {
        let at = |name: &str| self.folder.path().join(name);
        let tls = TlsConfig { certificate: at("c.pem"), key: at("k.pem"), required };
        PostgresConfig { tls: Some(tls), ..PostgresConfig::default() }
    }
}

/// A client that trusts one certificate.
#[derive(Clone)]
struct Tls {
    connector: TlsConnector,
    /// What it binds to instead of the certificate that it sees.
    binding: Option<Vec<u8>>,
}

impl Tls {
    fn new(trusted: &CertificateDer<'static>) -> Self {
        Self::with(trusted, &[&version::TLS12, &version::TLS13], &[b"postgresql"])
    }

    fn with(
        trusted: &CertificateDer<'static>,
        versions: &[&'static SupportedProtocolVersion],
        protocols: &[&[u8]],
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(trusted.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = TlsClient::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Self { connector: TlsConnector::from(Arc::new(config)), binding: None }
    }

    async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> std::io::Result<Encrypted<S>> {
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream = self.connector.connect(name, stream).await?;
        let certificate = stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned();
        let binding = self.binding.clone().unwrap_or_else(|| Sha256::digest(&certificate).to_vec());
        Ok(Encrypted { stream, certificate, binding })
    }

    /// A connection in TLS before its first message, after SSLRequest or at once.
    async fn open(&self, port: u16, direct: bool) -> std::io::Result<Encrypted<TcpStream>> {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        if !direct {
            stream.write_all(&SSL_REQUEST).await?;
            assert_eq!(stream.read_u8().await?, b'S');
        }
        self.handshake(stream).await
    }
}

struct Encrypted<S> {
    stream: client::TlsStream<S>,
    certificate: CertificateDer<'static>,
    binding: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Encrypted<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::tls_server_end_point(self.binding.clone())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for Tls {
    type Stream = Encrypted<S>;
    type Error = std::io::Error;
    type Future = BoxFuture<'static, std::io::Result<Encrypted<S>>>;

    fn connect(self, stream: S) -> Self::Future {
        async move { self.handshake(stream).await }.boxed()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Tls {
    type Stream = Encrypted<S>;
    type TlsConnect = Self;
    type Error = std::io::Error;

    fn make_tls_connect(&mut self, _: &str) -> std::io::Result<Self> {
        Ok(self.clone())
    }
}

async fn connect(server: &Server, rest: &str, tls: &Tls) -> Result<Client, tokio_postgres::Error> {
    let url = server.url(&format!("sslmode=require {rest}"));
    let (client, connection) = tokio_postgres::connect(&url, tls.clone()).await?;
    tokio::spawn(connection.map_err(|error| eprintln!("{error}")));
    Ok(client)
}

/// Reads messages up to one of this type; its body.
async fn until(stream: &mut (impl AsyncRead + Unpin), wanted: u8) -> Vec<u8> {
    loop {
        let kind = stream.read_u8().await.unwrap();
        let mut body = vec![0; stream.read_u32().await.unwrap() as usize - 4];
        stream.read_exact(&mut body).await.unwrap();
        if kind == wanted {
            return body;
        }
        assert_ne!(kind, b'E', "{}", String::from_utf8_lossy(&body));
    }
}

fn holds(body: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(body).contains(text)
}

#[tokio::test(flavor = "multi_thread")]
async fn both_versions_of_tls_carry_a_session() {
    let files = Files::new();
    let server = server_of(files.config(true)).await;
    for version in [&version::TLS12, &version::TLS13] {
        for direct in [false, true] {
            let tls = Tls::with(&files.der, &[version], &[b"postgresql"]);
            let stream = tls.open(server.port, direct).await.unwrap().stream;
            assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
            for binding in ["require", "disable"] {
                let negotiation = if direct { "direct" } else { "postgres" };
                let rest = format!("channel_binding={binding} sslnegotiation={negotiation}");
                let client = connect(&server, &rest, &tls).await.unwrap();
                let rows =
                    client.query("SELECT v FROM generate_series(1, 20000) AS t(v)", &[]).await.unwrap();
                assert_eq!(rows.len(), 20_000, "{version:?} {rest}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_login_is_the_same_in_tls() {
    let files = Files::new();
    let server = server_of(files.config(false)).await;
    let tls = Tls::new(&files.der);
    let mut told = vec![];
    for login in ["user=demo password=wrong", "user=nobody password=wrong"] {
        let error = connect(&server, login, &tls).await.err().unwrap();
        told.push(error.as_db_error().unwrap().to_string().replace("nobody", "demo"));
    }
    assert!(told[0].contains("password authentication failed"), "{told:?}");
    assert_eq!(told[0], told[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_tls_is_refused_where_it_is_required_and_taken_elsewhere() {
    let files = Files::new();
    let strict = server_of(files.config(true)).await;
    let error = strict.try_connect("sslmode=disable").await.err().unwrap();
    assert_eq!(code(&error), "28000");
    assert!(error.as_db_error().unwrap().message().contains("no encryption"), "{error}");
    connect(&strict, "", &Tls::new(&files.der)).await.unwrap();
    let lax = server_of(files.config(false)).await;
    lax.try_connect("sslmode=disable").await.unwrap();
    connect(&lax, "", &Tls::new(&files.der)).await.unwrap();
    let open = server().await;
    let error = connect(&open, "", &Tls::new(&files.der)).await.err().unwrap();
    assert!(error.to_string().contains("TLS"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn channel_binding_cannot_be_taken_away() {
    let files = Files::new();
    let server = server_of(files.config(false)).await;
    let tls = Tls::new(&files.der);
    for (mechanism, first, expected) in [
        ("SCRAM-SHA-256", "y,,n=,r=abc", "C28000\0"),
        ("SCRAM-SHA-256-PLUS", "n,,n=,r=abc", "C08P01\0"),
        ("SCRAM-SHA-256", "p=tls-server-end-point,,n=,r=abc", "C08P01\0"),
        ("SCRAM-SHA-256-PLUS", "p=tls-unique,,n=,r=abc", "C08P01\0"),
    ] {
        let mut stream = tls.open(server.port, false).await.unwrap();
        stream.write_all(STARTUP).await.unwrap();
        let offer = until(&mut stream, b'R').await;
        assert!(holds(&offer, "SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0"), "{offer:?}");
        let body = [mechanism.as_bytes(), &[0, 0, 0, 0, first.len() as u8], first.as_bytes()].concat();
        stream.write_all(&[&[b'p', 0, 0, 0, body.len() as u8 + 4], &body[..]].concat()).await.unwrap();
        let told = until(&mut stream, b'E').await;
        assert!(holds(&told, expected), "{first}: {}", String::from_utf8_lossy(&told));
    }
    // Without TLS there is nothing to bind to.
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
    stream.write_all(STARTUP).await.unwrap();
    let offer = until(&mut stream, b'R').await;
    assert!(holds(&offer, "SCRAM-SHA-256\0") && !holds(&offer, "PLUS"), "{offer:?}");
}

/// Another server's certificate in the middle: the client binds to what it saw, which is not what this server showed.
#[tokio::test(flavor = "multi_thread")]
async fn a_proof_that_is_bound_to_another_certificate_fails() {
    let files = Files::new();
    let server = server_of(files.config(false)).await;
    let misled = Tls { binding: Some(vec![7; 32]), ..Tls::new(&files.der) };
    assert_eq!(code(&connect(&server, "", &misled).await.err().unwrap()), "28P01");
    connect(&server, "channel_binding=disable", &misled).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_used_and_a_bad_one_is_not() {
    let files = Files::new();
    let server = server_of(files.config(true)).await;
    let old = connect(&server, "", &Tls::new(&files.der)).await.unwrap();
    let new = Files::write(files.folder.path(), "a-longer-name.example");
    let stream = Tls::new(&new).open(server.port, false).await.unwrap();
    assert_eq!(stream.certificate, new);
    connect(&server, "channel_binding=require", &Tls::new(&new)).await.unwrap();
    std::fs::write(files.folder.path().join("c.pem"), "nonsense").unwrap();
    connect(&server, "channel_binding=require", &Tls::new(&new)).await.unwrap();
    assert!(connect(&server, "", &Tls::new(&files.der)).await.is_err());
    // A connection keeps what it began with.
    old.query("SELECT 1", &[]).await.unwrap();
}

#[tokio::test]
async fn a_bad_certificate_stops_the_server() {
    let files = Files::new();
    std::fs::write(files.folder.path().join("k.pem"), "nonsense").unwrap();
    let engine = Engine::new(EngineConfig::default(), vec![]).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stop = CancellationToken::new();
    let error = serve(listener, engine, vec![], files.config(false), stop).await.unwrap_err().to_string();
    assert!(error.contains("k.pem has no private key"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_before_the_handshake_counts() {
    let files = Files::new();
    let server = server_of(files.config(false)).await;
    let port = server.port;
    for slipped in [STARTUP, b"Q\0\0\0\x0dSELECT 1\0"] {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(&[&SSL_REQUEST, slipped].concat()).await.unwrap();
        let mut answer = vec![];
        // Bytes that were not read may turn the end into a reset.
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.is_empty() || holds(&answer, "C08P01\0"), "{answer:?}");
    }
    // After the answer, what is no handshake is the end.
    for garbage in [STARTUP, b"\x16\x03\x01\xff\xff", b"GET / HTTP/1.1\r\n\r\n"] {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(&SSL_REQUEST).await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'S');
        stream.write_all(garbage).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = vec![];
        let _ = stream.read_to_end(&mut answer).await;
        assert_ne!(answer.first(), Some(&b'R'), "{answer:?}");
    }
    // Encryption that is begun at once must name the protocol inside.
    let nameless = Tls::with(&files.der, &[&version::TLS13], &[]);
    let mut stream = nameless.open(port, true).await.unwrap();
    let _ = stream.write_all(STARTUP).await;
    let mut answer = vec![];
    let _ = stream.read_to_end(&mut answer).await;
    assert_eq!(answer, b"");
    // Within it, there is nothing left to ask for.
    let mut stream = Tls::new(&files.der).open(port, false).await.unwrap();
    stream.write_all(&SSL_REQUEST).await.unwrap();
    assert!(holds(&until(&mut stream, b'E').await, "C0A000\0"));
    connect(&server, "", &Tls::new(&files.der)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_comes_through_tls_or_beside_it() {
    let files = Files::new();
    let server = server_of(files.config(true)).await;
    let tls = Tls::new(&files.der);
    // Not `require`, with which this client would not cancel beside TLS; PostgreSQL's own always does before 17.
    let client = connect(&server, "sslmode=prefer", &tls).await.unwrap();
    client.simple_query("SELECT * FROM 受注 LIMIT 1").await.unwrap();
    server.kintone.set_latency(Duration::from_secs(1));
    let token = client.cancel_token();
    for encrypted in [true, false] {
        let before = server.kintone.requests().len();
        let (result, ()) = tokio::join!(client.query(SLOW, &[]), async {
            // Once a request has been answered, others are under way.
            while server.kintone.requests().len() == before {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            if encrypted {
                token.cancel_query(tls.clone()).await.unwrap();
            } else {
                token.cancel_query(NoTls).await.unwrap();
            }
        });
        assert_eq!(code(&result.unwrap_err()), "57014", "encrypted: {encrypted}");
    }
}
