//! The client's logins, certificates and proxies, against servers that speak TLS: what they saw, and what is told
//! when one side does not trust the other.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kintone_sql::kintone::{
    AppKey, Basic, Client, ClientConfig, Credentials, Error, Query, RecordsRequest, RetryConfig, Secret,
};
use p12_keystore::{EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKey, PrivateKeyChain};
use pkcs8::PrivateKeyInfoRef;
use pkcs8::pkcs5::pbes2::Parameters;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair, SanType,
    date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion, version};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use x509_parser::prelude::{FromDer as _, X509Certificate};

const PASSWORD: &str = "canary-password";
const KEY_PASSWORD: &str = "canary-key-password";
const PROXY_PASSWORD: &str = "canary-proxy";

const ONE_VERSION: [&[&SupportedProtocolVersion]; 2] = [&[&version::TLS12], &[&version::TLS13]];

// Certificates.

/// A certificate with its key.
struct Pair {
    der: CertificateDer<'static>,
    key: KeyPair,
}

impl Pair {
    fn pem(&self) -> String {
        format!("{}{}", pem(&self.der), self.key.serialize_pem())
    }

    /// PEM whose key stands under a password.
    fn encrypted_pem(&self, password: &str) -> String {
        let info = PrivateKeyInfoRef::try_from(self.key.serialized_der()).unwrap();
        let parameters = Parameters::generate_pbkdf2_sha256_aes256cbc(2048, b"saltsalt", [7; 16]).unwrap();
        let key = info.encrypt_with_params(parameters, password).unwrap();
        let key = pem::encode(&pem::Pem::new("ENCRYPTED PRIVATE KEY", key.as_bytes()));
        format!("Bag Attributes\n    friendlyName: sql\n{}{key}", pem(&self.der))
    }
}

fn pem(der: &CertificateDer<'_>) -> String {
    pem::encode(&pem::Pem::new("CERTIFICATE", der.to_vec()))
}

/// A PFX of these, under other names than the order would have.
fn pfx(pairs: &[(&Pair, &[&CertificateDer<'static>])], password: &str, legacy: bool) -> Vec<u8> {
    let mut store = KeyStore::new();
    for (number, (pair, issuers)) in pairs.iter().enumerate() {
        let certificates = std::iter::once(&pair.der).chain(issuers.iter().copied());
        let certificates = certificates.map(|der| p12_keystore::Certificate::from_der(der).unwrap());
        let key = PrivateKey::from_der(pair.key.serialized_der()).unwrap();
        let chain = PrivateKeyChain::new(format!("id{number}"), key, certificates.collect::<Vec<_>>());
        store.add_entry(&format!("entry{number}"), KeyStoreEntry::PrivateKeyChain(chain));
    }
    let writer = store.writer(password).encryption_iterations(100).mac_iterations(100);
    let writer = if legacy {
        writer
            .encryption_algorithm(EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc)
            .mac_algorithm(MacAlgorithm::HmacSha1)
    } else {
        writer
    };
    writer.write().unwrap()
}

fn name(fields: &[(DnType, &str)]) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    for (kind, value) in fields {
        name.push(kind.clone(), *value);
    }
    name
}

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn parameters(common_name: &str) -> CertificateParams {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.distinguished_name = name(&[(DnType::CommonName, common_name)]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    }

    fn new(common_name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(Self::parameters(common_name), key).unwrap())
    }

    /// One that this one vouches for.
    fn below(&self, common_name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::signed_by(Self::parameters(common_name), key, &self.0).unwrap())
    }

    fn der(&self) -> &CertificateDer<'static> {
        self.0.der()
    }

    fn sign(&self, change: impl FnOnce(&mut CertificateParams)) -> Pair {
        let mut params = CertificateParams::new(vec![]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Pair { der: certificate.der().clone(), key }
    }

    fn server(&self, host: &str) -> Pair {
        self.sign(|params| params.subject_alt_names = vec![SanType::DnsName(host.try_into().unwrap())])
    }

    fn client(&self, common_name: &str) -> Pair {
        let fields = [
            (DnType::CountryName, "JP"),
            (DnType::OrganizationName, "Example, Inc."),
            (DnType::CommonName, common_name),
        ];
        self.sign(|params| params.distinguished_name = name(&fields))
    }
}

// Servers.

/// What a server knows of a request.
#[derive(Debug, Clone, Default)]
struct Seen {
    head: String,
    /// The client certificate's subject, and how many certificates came with it.
    peer: Option<(String, usize)>,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        let pairs = self.head.lines().filter_map(|line| line.split_once(": "));
        pairs.into_iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

struct Server {
    port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A Kintone of two records, in TLS.
struct Setup<'a> {
    certificate: &'a Pair,
    /// Whose certificates clients must show.
    clients: Option<&'a Authority>,
    versions: &'static [&'static SupportedProtocolVersion],
}

impl Setup<'_> {
    async fn start(self) -> Server {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_protocol_versions(self.versions).unwrap();
        let builder = match self.clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.der().clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let key = PrivatePkcs8KeyDer::from(self.certificate.key.serialized_der().to_vec());
        let config = builder.with_single_cert(vec![self.certificate.der.clone()], key.into()).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let all = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, acceptor.clone(), Arc::clone(&all)));
            }
        });
        Server { port, seen }
    }
}

async fn serve(socket: TcpStream, acceptor: TlsAcceptor, seen: Arc<Mutex<Vec<Seen>>>) {
    let mut stream = match acceptor.accept(socket).into_fallible().await {
        Ok(stream) => stream,
        // What still comes in is read, so that the alert arrives before the end of the connection.
        Err((_, mut socket)) => {
            let _ = socket.shutdown().await;
            while matches!(socket.read(&mut [0; 512]).await, Ok(1..)) {}
            return;
        }
    };
    let peer = stream.get_ref().1.peer_certificates().map(|certificates| {
        let (_, leaf) = X509Certificate::from_der(&certificates[0]).unwrap();
        (leaf.subject().to_string(), certificates.len())
    });
    while let Some(head) = read_head(&mut stream).await {
        seen.lock().unwrap().push(Seen { head, peer: peer.clone() });
        if stream.write_all(answer().as_bytes()).await.is_err() {
            return;
        }
        let _ = stream.flush().await;
    }
}

fn answer() -> String {
    let body = r#"{"records":[{"$id":{"type":"__ID__","value":"1"}},{"$id":{"type":"__ID__","value":"2"}}],"totalCount":null}"#;
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = vec![];
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).unwrap())
}

impl Server {
    /// Plain HTTP, which this machine alone may speak.
    async fn plain() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let all = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                while let Some(head) = read_head(&mut socket).await {
                    all.lock().unwrap().push(Seen { head, peer: None });
                    socket.write_all(answer().as_bytes()).await.unwrap();
                }
            }
        });
        Self { port, seen }
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    fn last(&self) -> Seen {
        self.seen().pop().expect("a request")
    }
}

/// A proxy that knows one way: to this port. `status` 200 lets everybody with its login through.
struct Proxy {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    async fn start(to: u16, login: Option<&'static str>, status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let all = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let Some(head) = read_head(&mut socket).await else { continue };
                let is_known = login.is_none_or(|login| {
                    head.to_lowercase().contains("proxy-authorization: basic ")
                        && head.contains(&BASE64_STANDARD.encode(login))
                });
                all.lock().unwrap().push(head);
                let status = if is_known { status } else { 407 };
                let reply = format!("HTTP/1.1 {status} Any\r\n\r\n");
                socket.write_all(reply.as_bytes()).await.unwrap();
                if status == 200 {
                    let mut server = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
                    tokio::spawn(async move { copy_bidirectional(&mut socket, &mut server).await });
                }
            }
        });
        Self { port, seen }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

// The client.

/// A configuration from properties, as a settings file in that folder has them.
fn configured(folder: &Path, properties: &[(&str, &str)]) -> Result<ClientConfig, String> {
    let pairs: Vec<_> = properties.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let as_it_is = |text: &str| Ok(text.to_owned());
    let mut config = ClientConfig::from_properties_in(folder, "crm", &pairs, &as_it_is).map_err(|error| {
        let text = error.to_string();
        assert!(!format!("{text} {error:?}").contains("canary"), "{text}");
        if let Some(property) = &error.property {
            assert!(text.contains(property.as_str()), "{property}: {text}");
        }
        text
    })?;
    config.retry = RetryConfig {
        attempts: 2,
        base: Duration::from_millis(1),
        cap: Duration::from_millis(2),
        ..config.retry
    };
    Ok(config)
}

/// The login of every test that is not about logins.
fn with_login<'a>(url: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [("Url", url), ("User", "sato"), ("Password", PASSWORD)].into_iter().chain(more.iter().copied()).collect()
}

/// The ids of the records.
async fn rows(config: ClientConfig) -> Result<Vec<String>, Error> {
    let client = Client::new(config)?;
    let query = Query { condition: None, order_by: vec![], limit: Some(2), offset: None };
    let request = RecordsRequest { query, fields: vec![], total_count: false };
    let page = client.records(AppKey { id: 7, guest_space: None }, &request).await;
    let page = page.inspect_err(|error| {
        let told = format!("{error} {error:?} {client:?} {:?} {:?}", client.config(), client.requests());
        assert!(!told.contains("canary") && !told.contains("PRIVATE KEY"), "{told}");
    })?;
    let body: Value = serde_json::from_slice(&page.body).unwrap();
    let ids = body["records"].as_array().unwrap().iter();
    Ok(ids.map(|record| record["$id"]["value"].as_str().unwrap().to_owned()).collect())
}

/// The error of a connection that cannot be made secure.
async fn refusal(config: ClientConfig) -> String {
    let error = rows(config).await.unwrap_err();
    // A certificate does not get better by trying again.
    assert!(matches!(error, Error::Handshake { .. }), "{error:?}");
    assert!(error.is_unreachable());
    error.to_string()
}

/// A folder, an authority, its server on `localhost`, and a client's certificate.
struct World {
    folder: TempDir,
    authority: Authority,
    server: Pair,
    client: Pair,
}

impl World {
    fn new() -> Self {
        let authority = Authority::new("Test Authority");
        let (server, client) = (authority.server("localhost"), authority.client("sql reader"));
        let world = Self { folder: tempfile::tempdir().unwrap(), server, client, authority };
        world.file("ca.pem", pem(world.authority.der()));
        world
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.folder.path().join(name), content).unwrap();
    }

    fn config(&self, url: &str, more: &[(&str, &str)]) -> Result<ClientConfig, String> {
        configured(self.folder.path(), &with_login(url, more))
    }

    async fn start(&self, certificate: &Pair) -> Server {
        Setup { certificate, clients: None, versions: rustls::ALL_VERSIONS }.start().await
    }

    /// Demands a client certificate.
    async fn strict(&self, versions: &'static [&'static SupportedProtocolVersion]) -> Server {
        Setup { certificate: &self.server, clients: Some(&self.authority), versions }.start().await
    }
}

fn at(server: &Server) -> String {
    format!("https://localhost:{}", server.port)
}

const SUBJECT: &str = "C=JP, O=Example, Inc., CN=sql reader";

// Client certificates.

#[tokio::test]
async fn each_type_of_certificate_is_shown() {
    let world = World::new();
    let server = world.strict(rustls::ALL_VERSIONS).await;
    let pfx = |legacy| pfx(&[(&world.client, &[])], KEY_PASSWORD, legacy);
    world.file("client.pfx", pfx(false));
    world.file("old.pfx", pfx(true));
    world.file("client.pem", world.client.pem());
    world.file("locked.pem", world.client.encrypted_pem(KEY_PASSWORD));
    let wrapped = |content: &[u8]| {
        let text = BASE64_STANDARD.encode(content);
        text.as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect::<Vec<_>>()
            .join("\r\n")
    };
    let (pfx_blob, pem_blob) = (wrapped(&pfx(false)), wrapped(world.client.pem().as_bytes()));
    let locked_blob = BASE64_STANDARD.encode(world.client.encrypted_pem(KEY_PASSWORD));
    let plain = world.client.pem();
    let whole = world.folder.path().join("client.pfx").display().to_string();
    for (kind, certificate, password) in [
        ("PFXFILE", "client.pfx", KEY_PASSWORD),
        ("pfxfile", &whole, KEY_PASSWORD),
        ("PFXFILE", "old.pfx", KEY_PASSWORD),
        // The type's default.
        ("", "client.pfx", KEY_PASSWORD),
        ("PFXBLOB", &pfx_blob, KEY_PASSWORD),
        ("PEMKEY_FILE", "client.pem", ""),
        ("PEMKEY_FILE", "locked.pem", KEY_PASSWORD),
        ("PEMKEY_BLOB", &pem_blob, ""),
        ("PemKey_Blob", &locked_blob, KEY_PASSWORD),
        ("PEMKEY_BLOB", &plain, ""),
    ] {
        let more = [
            ("SSLServerCert", "ca.pem"),
            ("SSLClientCert", certificate),
            ("SSLClientCertType", kind),
            ("SSLClientCertPassword", password),
        ];
        let config = world.config(&at(&server), &more).unwrap();
        let shown = config.client_certificate.as_ref().unwrap().subject().to_owned();
        assert_eq!(shown, "C=JP, O=\"Example, Inc.\", CN=sql reader");
        assert_eq!(rows(config).await.unwrap(), ["1", "2"], "{kind}");
        let seen = server.last();
        assert_eq!(seen.peer, Some((SUBJECT.to_owned(), 1)), "{kind}");
        // The certificate stands for the gate's login; Kintone's own goes with it.
        let login = BASE64_STANDARD.encode(format!("sato:{PASSWORD}"));
        assert_eq!(seen.header("X-Cybozu-Authorization"), Some(login.as_str()));
        assert_eq!(seen.header("Authorization"), None);
    }
    assert_eq!(server.seen().len(), 10);
}

#[tokio::test]
async fn both_versions_of_tls_take_the_certificate() {
    let world = World::new();
    world.file("client.pem", world.client.pem());
    for versions in ONE_VERSION {
        let server = world.strict(versions).await;
        let more = [
            ("SSLServerCert", "ca.pem"),
            ("SSLClientCert", "client.pem"),
            ("SSLClientCertType", "PEMKEY_FILE"),
        ];
        assert_eq!(rows(world.config(&at(&server), &more).unwrap()).await.unwrap(), ["1", "2"]);
        assert_eq!(server.last().peer, Some((SUBJECT.to_owned(), 1)));
    }
}

#[tokio::test]
async fn the_subject_chooses_among_certificates() {
    let world = World::new();
    let server = world.strict(rustls::ALL_VERSIONS).await;
    let (first, second) = (&world.client, world.authority.client("second"));
    world.file("both.pfx", pfx(&[(first, &[]), (&second, &[])], KEY_PASSWORD, false));
    // Certificates first, keys after them in the other order: a key is found by what it is.
    let text =
        [pem(&first.der), pem(&second.der), second.key.serialize_pem(), first.key.serialize_pem()].concat();
    world.file("both.pem", text);
    let of_second = "C=JP, O=Example, Inc., CN=second";
    for (subject, expect) in [
        ("", SUBJECT),
        ("*", SUBJECT),
        ("C=JP, O=\"Example, Inc.\", CN=second", of_second),
        ("cn=second,o=Example\\, Inc.,c=JP", of_second),
        ("C=JP, O=\"Example, Inc.\", CN=sql reader", SUBJECT),
    ] {
        for (kind, file) in [("PFXFILE", "both.pfx"), ("PEMKEY_FILE", "both.pem")] {
            let more = [
                ("SSLServerCert", "ca.pem"),
                ("SSLClientCert", file),
                ("SSLClientCertType", kind),
                ("SSLClientCertPassword", KEY_PASSWORD),
                ("SSLClientCertSubject", subject),
            ];
            assert_eq!(rows(world.config(&at(&server), &more).unwrap()).await.unwrap(), ["1", "2"]);
            assert_eq!(server.last().peer, Some((expect.to_owned(), 1)), "{subject} of {file}");
        }
    }
    for (subject, expect) in [
        (
            // A part of a subject is not the subject.
            "CN=second",
            "SSLClientCertSubject is the subject of no certificate there; \
             it has C=JP, O=\"Example, Inc.\", CN=sql reader; C=JP, O=\"Example, Inc.\", CN=second",
        ),
        ("second", "SSLClientCertSubject takes * or a subject such as CN=sql, O=Example"),
    ] {
        let more = [
            ("SSLClientCert", "both.pfx"),
            ("SSLClientCertPassword", KEY_PASSWORD),
            ("SSLClientCertSubject", subject),
        ];
        let error = world.config(&at(&server), &more).unwrap_err();
        assert_eq!(error, format!("connection crm: {expect}"));
    }
}

#[tokio::test]
async fn authorities_in_between_are_sent_along() {
    let world = World::new();
    let server = world.strict(rustls::ALL_VERSIONS).await;
    let between = world.authority.below("Between");
    let client = between.client("sql reader");
    world.file("chain.pfx", pfx(&[(&client, &[between.der(), world.authority.der()])], KEY_PASSWORD, false));
    world.file("chain.pem", [pem(world.authority.der()), pem(between.der()), client.pem()].concat());
    world.file("alone.pem", client.pem());
    let config = |kind, file| {
        let more = [
            ("SSLServerCert", "ca.pem"),
            ("SSLClientCert", file),
            ("SSLClientCertType", kind),
            ("SSLClientCertPassword", KEY_PASSWORD),
        ];
        world.config(&at(&server), &more).unwrap()
    };
    for (kind, file) in [("PFXFILE", "chain.pfx"), ("PEMKEY_FILE", "chain.pem")] {
        assert_eq!(rows(config(kind, file)).await.unwrap(), ["1", "2"]);
        // Without the root, which the server has.
        assert_eq!(server.last().peer, Some((SUBJECT.to_owned(), 2)), "{file}");
    }
    let error = refusal(config("PEMKEY_FILE", "alone.pem")).await;
    assert!(error.contains("the server does not take the certificate of SSLClientCert"), "{error}");
}

#[tokio::test]
async fn a_server_that_refuses_the_certificate_is_understood() {
    let world = World::new();
    let (stranger, old) = (
        Authority::new("Stranger").client("sql reader"),
        world.authority.sign(|params| {
            params.distinguished_name = name(&[(DnType::CommonName, "old")]);
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 2, 3);
        }),
    );
    world.file("stranger.pem", stranger.pem());
    world.file("old.pem", old.pem());
    for versions in ONE_VERSION {
        let server = world.strict(versions).await;
        for (file, expect) in [
            ("", "the server demands a client certificate: give SSLClientCert"),
            (
                "stranger.pem",
                "the server does not take the certificate of SSLClientCert (C=JP, O=\"Example, Inc.\", CN=sql reader, valid until",
            ),
            (
                "old.pem",
                "the server does not take the certificate of SSLClientCert (CN=old, expired on 2021-02-03): CertificateExpired",
            ),
        ] {
            let kind = if file.is_empty() { "" } else { "PEMKEY_FILE" };
            let more = [("SSLServerCert", "ca.pem"), ("SSLClientCert", file), ("SSLClientCertType", kind)];
            let error = refusal(world.config(&at(&server), &more).unwrap()).await;
            let start =
                format!("connection crm: no secure connection to localhost:{}: {expect}", server.port);
            assert!(error.starts_with(&start), "{error}");
        }
        assert_eq!(server.seen().len(), 0);
    }
}

#[test]
fn a_certificate_that_cannot_be_used_is_told_by_its_property() {
    let world = World::new();
    world.file("client.pfx", pfx(&[(&world.client, &[])], KEY_PASSWORD, false));
    world.file("old.pfx", pfx(&[(&world.client, &[])], KEY_PASSWORD, true));
    let whole = pfx(&[(&world.client, &[])], KEY_PASSWORD, false);
    world.file("cut.pfx", &whole[..whole.len() / 2]);
    world.file("garbage", "canary: neither of both");
    world.file("client.pem", world.client.pem());
    world.file("locked.pem", world.client.encrypted_pem(KEY_PASSWORD));
    world.file("certificate.pem", pem(&world.client.der));
    world.file("key.pem", world.client.key.serialize_pem());
    world.file("other.pem", [pem(&world.server.der), world.client.key.serialize_pem()].concat());
    world.file("damaged.pem", world.client.pem().replace("KEY-----\n", "KEY-----\ncanary!"));
    let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nY2FuYXJ5\n-----END RSA PRIVATE KEY-----\n";
    world.file("old.pem", [pem(&world.client.der), old.to_owned()].concat());
    let unknown = pem::encode(&pem::Pem::new("PRIVATE KEY", b"canary".to_vec()));
    world.file("unknown.pem", [pem(&world.client.der), unknown].concat());
    let unreadable = pem::encode(&pem::Pem::new("CERTIFICATE", b"canary".to_vec()));
    world.file("unreadable.pem", [unreadable, world.client.key.serialize_pem()].concat());
    let absent = world.folder.path().join("absent.pfx").display().to_string();
    let long = "canary/".repeat(50);
    let text = world.client.pem();
    for (kind, certificate, password, expect) in [
        ("PFXFILE", "client.pfx", "wrong", "SSLClientCertPassword is not the password of SSLClientCert"),
        ("PFXFILE", "old.pfx", "wrong", "SSLClientCertPassword is not the password of SSLClientCert"),
        ("PFXFILE", "client.pfx", "", "SSLClientCertPassword is missing: SSLClientCert is encrypted"),
        ("PFXFILE", "cut.pfx", KEY_PASSWORD, "SSLClientCert is not a PFX file, or is damaged"),
        ("PFXFILE", "garbage", KEY_PASSWORD, "SSLClientCert is not a PFX file, or is damaged"),
        (
            "PFXFILE",
            "client.pem",
            "",
            "SSLClientCert is PEM and not PFX; give SSLClientCertType=PEMKEY_FILE or PEMKEY_BLOB",
        ),
        (
            "PFXFILE",
            &absent,
            "",
            &format!("SSLClientCert: cannot read the file {absent}: No such file or directory (os error 2)"),
        ),
        (
            "PFXFILE",
            &long,
            "",
            "SSLClientCert is not the path of a file; for the certificate itself give PFXBLOB or PEMKEY_BLOB",
        ),
        (
            "PEMKEY_FILE",
            &text,
            "",
            "SSLClientCert is not the path of a file; for the certificate itself give PFXBLOB or PEMKEY_BLOB",
        ),
        ("PFXBLOB", "canary!", "", "SSLClientCert is not base64, as the type's BLOB says"),
        ("PEMKEY_BLOB", "canary!", "", "SSLClientCert is not base64, as the type's BLOB says"),
        (
            "PEMKEY_FILE",
            "garbage",
            "",
            "SSLClientCert is not PEM: a line with -----BEGIN is missing; for a PFX file give SSLClientCertType=PFXFILE or PFXBLOB",
        ),
        ("PEMKEY_FILE", "locked.pem", "wrong", "SSLClientCertPassword is not the password of SSLClientCert"),
        ("PEMKEY_FILE", "locked.pem", "", "SSLClientCertPassword is missing: SSLClientCert is encrypted"),
        ("PEMKEY_FILE", "certificate.pem", "", "SSLClientCert holds no private key"),
        ("PEMKEY_FILE", "key.pem", "", "SSLClientCert holds a private key but no certificate"),
        (
            "PEMKEY_FILE",
            "other.pem",
            "",
            "SSLClientCert holds no certificate that belongs to its private key",
        ),
        ("PEMKEY_FILE", "damaged.pem", "", "SSLClientCert is damaged: a PEM block of it cannot be read"),
        (
            "PEMKEY_FILE",
            "old.pem",
            "",
            "SSLClientCert holds a key that is encrypted in an old form; write it anew with openssl pkcs8 -topk8",
        ),
        (
            "PEMKEY_FILE",
            "unknown.pem",
            "",
            "SSLClientCert holds a private key that cannot be used; RSA from 2048 bits, ECDSA on P-256 and P-384, and Ed25519 can",
        ),
        ("PEMKEY_FILE", "unreadable.pem", "", "SSLClientCert holds a certificate that cannot be read"),
        (
            "USER",
            "MY",
            "",
            "SSLClientCertType USER is not supported: certificate stores of Windows are not read; \
             export the certificate with its key as PFX and give PFXFILE",
        ),
        (
            "JKSFILE",
            "client.jks",
            "",
            "SSLClientCertType JKSFILE is not supported: key stores of Java are not read; \
             write it as PFX (keytool -importkeystore -deststoretype PKCS12) and give PFXFILE",
        ),
        (
            "public_key_file",
            "client.cer",
            "",
            "SSLClientCertType PUBLIC_KEY_FILE is not supported: it has no private key, without which nobody can log in; \
             give PFXFILE or PEMKEY_FILE",
        ),
        (
            "XMLBLOB",
            "canary",
            "",
            "SSLClientCertType XMLBLOB is not supported: it has a key but no certificate for TLS; give PFXFILE or PEMKEY_FILE",
        ),
        ("PFX", "client.pfx", "", "SSLClientCertType takes PFXFILE, PFXBLOB, PEMKEY_FILE or PEMKEY_BLOB"),
    ] {
        let more = [
            ("SSLClientCert", certificate),
            ("SSLClientCertType", kind),
            ("SSLClientCertPassword", password),
        ];
        let error = world.config("https://example.s.cybozu.com", &more).unwrap_err();
        assert_eq!(error, format!("connection crm: {expect}"), "{kind}");
    }
}

#[test]
fn no_content_of_a_pfx_stops_the_program() {
    let world = World::new();
    let whole = pfx(&[(&world.client, &[])], KEY_PASSWORD, true);
    let random = &mut fastrand::Rng::with_seed(1);
    for _ in 0..300 {
        let mut broken = whole.clone();
        for _ in 0..random.usize(1..4) {
            let place = random.usize(..broken.len());
            broken[place] = random.u8(..);
        }
        broken.truncate(random.usize(broken.len() / 2..=broken.len()));
        let blob = BASE64_STANDARD.encode(broken);
        let more = [
            ("SSLClientCert", blob.as_str()),
            ("SSLClientCertType", "PFXBLOB"),
            ("SSLClientCertPassword", KEY_PASSWORD),
        ];
        // Damage to what is not read may pass; all else is told as a fault of one of the two.
        if let Err(error) = world.config("https://example.s.cybozu.com", &more) {
            assert!(error.starts_with("connection crm: SSLClientCert"), "{error}");
        }
    }
}

// Servers that we trust.

#[tokio::test]
async fn an_own_authority_is_trusted_only_where_it_is_given() {
    let world = World::new();
    let server = world.start(&world.server).await;
    let stranger = Authority::new("Stranger");
    let authority = pem(world.authority.der());
    world.file("bundle.pem", [pem(stranger.der()), authority.clone()].concat());
    world.file("ca.cer", world.authority.der());
    world.file("stranger.pem", pem(stranger.der()));
    // The server's own certificate does as well.
    world.file("server.pem", pem(&world.server.der));
    let whole = world.folder.path().join("ca.pem").display().to_string();
    for given in ["ca.pem", &whole, "bundle.pem", "ca.cer", "server.pem", &authority] {
        let config = world.config(&at(&server), &[("SSLServerCert", given)]).unwrap();
        assert_eq!(rows(config).await.unwrap(), ["1", "2"], "{given}");
    }
    let count = server.seen().len();
    assert_eq!(count, 6);
    for given in ["", "stranger.pem"] {
        let error = refusal(world.config(&at(&server), &[("SSLServerCert", given)]).unwrap()).await;
        let expect = format!(
            "connection crm: no secure connection to localhost:{}: the server's certificate is signed by nobody trusted \
             here; if the server is yours, give its certificate or its authority's as SSLServerCert",
            server.port
        );
        assert_eq!(error, expect);
    }
    assert_eq!(server.seen().len(), count);
}

#[tokio::test]
async fn a_server_that_signs_for_itself_is_trusted_by_its_very_certificate() {
    let world = World::new();
    let itself = |common_name: &str, change: fn(&mut CertificateParams)| {
        let mut params = Authority::parameters(common_name);
        params.subject_alt_names = vec![SanType::DnsName("localhost".try_into().unwrap())];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        Pair { der: params.self_signed(&key).unwrap().der().clone(), key }
    };
    let (good, twin) = (itself("itself", |_| {}), itself("itself", |_| {}));
    let old = itself("old", |params| params.not_after = date_time_ymd(2021, 2, 3));
    let elsewhere = itself("elsewhere", |params| {
        params.subject_alt_names = vec![SanType::DnsName("example.test".try_into().unwrap())];
    });
    for (file, pair) in [("good", &good), ("old", &old), ("elsewhere", &elsewhere)] {
        world.file(file, pem(&pair.der));
    }
    for (pair, given, expect) in [
        (&good, "good", ""),
        (&good, "", "refused"),
        // The same name and another key.
        (&twin, "good", "refused"),
        (&old, "old", "the server's certificate has expired, or the clock here is wrong"),
        (&elsewhere, "elsewhere", "the server's certificate is not for the name localhost; check Url"),
    ] {
        let server = world.start(pair).await;
        let config = world.config(&at(&server), &[("SSLServerCert", given)]).unwrap();
        if expect.is_empty() {
            assert_eq!(rows(config).await.unwrap(), ["1", "2"]);
            continue;
        }
        let error = refusal(config).await;
        assert!(
            error.contains("the server's certificate ") && (expect == "refused" || error.ends_with(expect)),
            "{error}"
        );
        assert_eq!(server.seen().len(), 0);
    }
}

#[tokio::test]
async fn names_and_dates_of_servers_are_checked() {
    let world = World::new();
    let dated = |from: (i32, u8), to: (i32, u8)| {
        world.authority.sign(|params| {
            params.subject_alt_names = vec![SanType::DnsName("localhost".try_into().unwrap())];
            (params.not_before, params.not_after) =
                (date_time_ymd(from.0, from.1, 1), date_time_ymd(to.0, to.1, 1));
        })
    };
    for (certificate, expect) in [
        (
            world.authority.server("example.test"),
            "the server's certificate is not for the name localhost; check Url",
        ),
        (dated((2020, 1), (2021, 1)), "the server's certificate has expired, or the clock here is wrong"),
        (
            dated((2090, 1), (2091, 1)),
            "the server's certificate is not valid yet, or the clock here is wrong",
        ),
    ] {
        let server = world.start(&certificate).await;
        let error = refusal(world.config(&at(&server), &[("SSLServerCert", "ca.pem")]).unwrap()).await;
        assert_eq!(
            error,
            format!("connection crm: no secure connection to localhost:{}: {expect}", server.port)
        );
        assert_eq!(server.seen().len(), 0);
    }
}

#[test]
fn what_is_no_server_certificate_is_refused() {
    let world = World::new();
    world.file("key.pem", world.client.key.serialize_pem());
    world.file("garbage", "canary: no certificate");
    let absent = world.folder.path().join("absent.pem").display().to_string();
    for (given, expect) in [
        (
            "*",
            "SSLServerCert does not take *, with which anybody on the way could read the login; give the server's \
             certificate or its authority's, as PEM or as the path of a file",
        ),
        (
            "34a929226ae0819f2ec14b4a3d904f801cbb150d",
            "SSLServerCert does not take a thumbprint; give the certificate as PEM or as the path of a file",
        ),
        ("key.pem", "SSLServerCert holds no certificate"),
        ("garbage", "SSLServerCert is neither PEM nor a certificate that can be read"),
        (
            "absent.pem",
            &format!("SSLServerCert: cannot read the file {absent}: No such file or directory (os error 2)"),
        ),
        (
            "-----BEGIN CERTIFICATE-----\ncanary!\n-----END CERTIFICATE-----",
            "SSLServerCert is damaged: a PEM block of it cannot be read",
        ),
    ] {
        let error = world.config("https://example.cybozu.com", &[("SSLServerCert", given)]).unwrap_err();
        assert_eq!(error, format!("connection crm: {expect}"));
    }
    // Which property was meant, nearly.
    let error = world.config("https://example.cybozu.com", &[("SSLServerCrt", "ca.pem")]).unwrap_err();
    assert_eq!(error, "connection crm: unknown property SSLServerCrt; did you mean SSLServerCert?");
}

// Proxies.

#[tokio::test]
async fn https_goes_through_the_proxy_unread() {
    let world = World::new();
    let pair = world.authority.server("kintone.test");
    world.file("client.pem", world.client.pem());
    let setup = Setup { certificate: &pair, clients: Some(&world.authority), versions: rustls::ALL_VERSIONS };
    let server = setup.start().await;
    let login: &'static str = "gate:canary-proxy";
    for (login, user, password) in [(Some(login), "gate", PROXY_PASSWORD), (None, "", "")] {
        let proxy = Proxy::start(server.port, login, 200).await;
        let port = proxy.port.to_string();
        let more = [
            ("SSLServerCert", "ca.pem"),
            ("SSLClientCert", "client.pem"),
            ("SSLClientCertType", "PEMKEY_FILE"),
            ("ProxyServer", "127.0.0.1"),
            ("ProxyPort", &port),
            ("ProxyUser", user),
            ("ProxyPassword", password),
        ];
        let config = world.config("https://kintone.test", &more).unwrap();
        assert_eq!(rows(config).await.unwrap(), ["1", "2"]);
        // The proxy learns the name of the server and its own login, and nothing of Kintone's.
        let [head] = proxy.seen().try_into().unwrap();
        assert!(head.starts_with("CONNECT kintone.test:443 HTTP/1.1\r\n"), "{head}");
        assert_eq!(head.to_lowercase().contains("proxy-authorization: "), login.is_some(), "{head}");
        assert!(!head.to_lowercase().contains("cybozu"), "{head}");
        // And the server nothing of the proxy's.
        let seen = server.last();
        assert_eq!(seen.peer, Some((SUBJECT.to_owned(), 1)));
        assert_eq!(seen.header("Proxy-Authorization"), None);
        assert!(seen.header("X-Cybozu-Authorization").is_some());
        assert!(seen.head.starts_with("GET /k/v1/records.json?"), "{}", seen.head);
    }
}

#[tokio::test]
async fn a_proxy_that_refuses_is_told() {
    let world = World::new();
    let server = world.start(&world.server).await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let login = Some("gate:another");
    let (strict, broken) =
        (Proxy::start(server.port, login, 200).await, Proxy::start(server.port, None, 502).await);
    let config = |port: u16, user, password| {
        let port = format!("http://127.0.0.1:{port}");
        let more = [("ProxyServer", port.as_str()), ("ProxyUser", user), ("ProxyPassword", password)];
        world.config("https://kintone.test", &more).unwrap()
    };
    let start = "connection crm: no secure connection to kintone.test:443: the proxy ";
    let error = refusal(config(strict.port, "", "")).await;
    assert_eq!(error, format!("{start}demands a login: give ProxyUser and ProxyPassword"));
    let error = refusal(config(strict.port, "gate", PROXY_PASSWORD)).await;
    assert_eq!(error, format!("{start}does not take ProxyUser and ProxyPassword"));
    // Each once: a login that is wrong stays wrong.
    assert_eq!(strict.seen().len(), 2);
    for (port, expect) in [(broken.port, "refused to connect"), (closed, "Connection refused")] {
        let error = rows(config(port, "", "")).await.unwrap_err();
        assert!(error.is_unreachable(), "{error:?}");
        let error = error.to_string();
        let start = "connection crm: cannot reach kintone.test:443 (ProxyServer 127.0.0.1:";
        assert!(error.starts_with(start) && error.contains(expect), "{error}");
    }
    // Such may be over soon.
    assert_eq!(broken.seen().len(), 2);
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn this_machine_is_reached_without_the_proxy() {
    let world = World::new();
    let (plain, secure) = (Server::plain().await, world.start(&world.server).await);
    let proxy = Proxy::start(plain.port, None, 200).await;
    let port = proxy.port.to_string();
    for url in
        [format!("http://localhost:{}", plain.port), format!("http://127.0.0.1:{}", plain.port), at(&secure)]
    {
        let more = [("SSLServerCert", "ca.pem"), ("ProxyServer", "127.0.0.1"), ("ProxyPort", port.as_str())];
        assert_eq!(rows(world.config(&url, &more).unwrap()).await.unwrap(), ["1", "2"]);
    }
    assert_eq!((plain.seen().len(), secure.seen().len(), proxy.seen().len()), (2, 1, 0));
    for (server, expect) in [
        ("https://proxy:8080", "ProxyServer takes a host name or an http URL"),
        ("socks5://proxy:1080", "ProxyServer takes a host name or an http URL"),
    ] {
        let error = world.config("https://kintone.test", &[("ProxyServer", server)]).unwrap_err();
        assert_eq!(error, format!("connection crm: {expect}"));
    }
}

// Logins.

fn login_of(properties: &[(&str, &str)]) -> Result<ClientConfig, String> {
    configured(Path::new("/nowhere"), properties)
}

#[tokio::test]
async fn every_login_goes_into_its_header() {
    let server = Server::plain().await;
    let url = format!("http://localhost:{}", server.port);
    let nine = (1..=9).map(|n| format!("canary-t{n}")).collect::<Vec<_>>().join(",");
    let password = BASE64_STANDARD.encode(format!("sato:{PASSWORD}"));
    let gate = format!("Basic {}", BASE64_STANDARD.encode(format!("gate:{PASSWORD}")));
    let basic = [("BasicAuthUser", "gate"), ("BasicAuthPassword", PASSWORD)];
    let user = [("User", "sato"), ("Password", PASSWORD)];
    let token = [("ApiToken", nine.as_str()), ("AppId", "7")];
    let bearer = [("OAuthAccessToken", "canary-bearer")];
    for (properties, expect) in [
        (user.to_vec(), [Some(password.as_str()), None, None]),
        ([user, basic].concat(), [Some(password.as_str()), None, Some(gate.as_str())]),
        (token.to_vec(), [None, Some(nine.as_str()), None]),
        ([token, basic].concat(), [None, Some(nine.as_str()), Some(gate.as_str())]),
        (bearer.to_vec(), [None, None, Some("Bearer canary-bearer")]),
        ([&bearer[..], &[("AuthScheme", "oauth")]].concat(), [None, None, Some("Bearer canary-bearer")]),
        ([&token[..], &[("AuthScheme", "APIToken")]].concat(), [None, Some(nine.as_str()), None]),
    ] {
        let properties = [&[("Url", url.as_str())][..], &properties].concat();
        assert_eq!(rows(login_of(&properties).unwrap()).await.unwrap(), ["1", "2"]);
        let seen = server.last();
        let names = ["X-Cybozu-Authorization", "X-Cybozu-API-Token", "Authorization"];
        assert_eq!(names.map(|name| seen.header(name)), expect);
    }
}

#[test]
fn logins_that_cannot_be_are_refused() {
    let ten = (1..=10).map(|n| format!("canary{n}")).collect::<Vec<_>>().join(",");
    let user = [("User", "sato"), ("Password", PASSWORD)];
    let bearer = ("OAuthAccessToken", "canary");
    for (properties, expect) in [
        (
            vec![("ApiToken", ten.as_str()), ("AppId", "7")],
            "ApiToken takes 1 to 9 tokens and has 10: Kintone refuses a request with more",
        ),
        (
            vec![bearer, ("BasicAuthUser", "gate"), ("BasicAuthPassword", "canary")],
            "OAuthAccessToken and BasicAuthUser cannot go together: both are sent in the header Authorization",
        ),
        (vec![bearer, user[0], user[1]], "give either User and Password, or ApiToken, or OAuthAccessToken"),
        (
            vec![bearer, ("ApiToken", "canary")],
            "give either User and Password, or ApiToken, or OAuthAccessToken",
        ),
        (vec![], "no login: give User and Password, ApiToken and AppId, or OAuthAccessToken"),
        (
            vec![bearer, ("AuthScheme", "Password")],
            "AuthScheme is Password, and OAuthAccessToken is given, which is of another",
        ),
        (vec![("AuthScheme", "OAuth")], "OAuthAccessToken is missing"),
        (vec![("AuthScheme", "Password"), user[0]], "Password is missing"),
        (vec![bearer, ("AuthScheme", "Kerberos")], "AuthScheme takes Password, APIToken or OAuth"),
        (
            vec![user[0], user[1], ("SSLClientCertPassword", "canary")],
            "SSLClientCertPassword is given without SSLClientCert",
        ),
        (vec![("OAuthToken", "canary")], "unknown property OAuthToken; did you mean OAuthAccessToken?"),
    ] {
        let properties = [&[("Url", "https://example.cybozu.com")][..], &properties].concat();
        assert_eq!(login_of(&properties).unwrap_err(), format!("connection crm: {expect}"));
    }
    // A certificate stands for the gate's login.
    let world = World::new();
    world.file("client.pfx", pfx(&[(&world.client, &[])], KEY_PASSWORD, false));
    let more = [
        ("SSLClientCert", "client.pfx"),
        ("SSLClientCertPassword", KEY_PASSWORD),
        ("BasicAuthUser", "gate"),
        ("BasicAuthPassword", "canary"),
    ];
    let error = world.config("https://example.s.cybozu.com", &more).unwrap_err();
    assert_eq!(
        error,
        "connection crm: SSLClientCert is given instead of BasicAuthUser and BasicAuthPassword, not besides them"
    );
}

#[test]
fn a_client_refuses_the_same_logins() {
    let config =
        |credentials| ClientConfig::new("crm", "https://example.cybozu.com".parse().unwrap(), credentials);
    let tokens = |count| Credentials::ApiTokens(vec![Secret::new("canary"); count]);
    assert!(Client::new(config(tokens(9))).is_ok());
    let basic = Basic { user: "gate".into(), password: Secret::new("canary") };
    let bearer = ClientConfig { basic: Some(basic), ..config(Credentials::OAuth(Secret::new("canary"))) };
    for (config, expect) in [
        (config(tokens(10)), "ApiToken takes 1 to 9 tokens and has 10: Kintone refuses a request with more"),
        (
            bearer,
            "OAuthAccessToken and BasicAuthUser cannot go together: both are sent in the header Authorization",
        ),
        (
            config(Credentials::OAuth(Secret::new("canary\r\nX: y"))),
            "a credential has a character that HTTP cannot carry",
        ),
    ] {
        let error = Client::new(config).unwrap_err();
        assert_eq!(error.to_string(), format!("connection crm: {expect}"));
        assert!(!format!("{error:?}").contains("canary"));
    }
}
