//! The settings file: TOML text in, the doors' and the client's own settings out.
//!
//! Strict: an unknown key, a wrong type, a missing key or a name used twice is a fault with file, line and key, and
//! all faults are told at once. A secret is a literal, `{ env = "NAME" }` or `{ file = "PATH" }`, and is never shown.
//! Absent on purpose: whatever the settings make happen.

mod connection;
mod engine;
mod http;
mod local;
mod postgres;
mod reader;
mod secret;
mod user;

pub use connection::{DEFAULT_CONNECTION, connection, literal_secrets};
pub use http::HttpSettings;
pub use postgres::PostgresSettings;
pub use secret::Surroundings;
pub use user::UserSettings;

use std::collections::HashSet;

use toml::de::DeTable;

use self::reader::{Faults, Section};
use crate::engine::EngineConfig;
use crate::error::{Error, Kind, Result};
use crate::kintone::ClientConfig;

/// A commented settings file that works.
pub const EXAMPLE: &str = include_str!("example.toml");

/// Where the PostgreSQL door listens when nothing else is said.
pub const POSTGRES_LISTEN: &str = "127.0.0.1:5433";
/// Where the OData door listens when nothing else is said.
pub const HTTP_LISTEN: &str = "127.0.0.1:8153";

/// Everything that a settings file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `[engine]`
    pub engine: EngineConfig,
    /// `[postgres]`
    pub postgres: PostgresSettings,
    /// `[http]` and `[Application]`
    pub http: HttpSettings,
    /// `[[connections]]`, the default one first, with the environment over it; there may be none.
    pub connections: Vec<ClientConfig>,
    /// `[[users]]`
    pub users: Vec<UserSettings>,
}

impl Config {
    /// Reads a settings file.
    ///
    /// # Errors
    /// Of kind `Config`: the file cannot be read, or every fault in it.
    pub fn load(file: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let text = std::fs::read_to_string(file).map_err(|error| {
            Error::new(Kind::Config, format!("cannot read the settings file {file}: {error}"))
                .with_hint("kintone-sql config example > kintone-sql.toml writes one to start from")
        })?;
        Self::parse(&text, file, variable)
    }

    /// Reads the text of a settings file; `file` is its name in messages and the place of relative paths.
    ///
    /// # Errors
    /// Of kind `Config`: every fault, a line each.
    pub fn parse(text: &str, file: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let mut faults = Faults::new(file, text);
        let (table, syntax) = DeTable::parse_recoverable(text);
        for error in syntax {
            let at = error.span().map_or(0, |span| span.start);
            faults.add(at, "", format!("not TOML: {}", error.message()));
        }
        // After a syntax fault the rest of the table is a guess: its faults would mislead.
        let config = if faults.is_empty() {
            let around = Surroundings { variable, folder: secret::folder_of(file) };
            Some(read(Section::root(table.get_ref()), &around, &mut faults))
        } else {
            None
        };
        match config {
            Some(config) if faults.is_empty() => Ok(config),
            _ => Err(Error::new(Kind::Config, faults.report())),
        }
    }
}

fn read(mut root: Section<'_>, around: &Surroundings<'_>, faults: &mut Faults<'_>) -> Config {
    let mut engine = engine::read(&mut root, around, faults);
    local::read(&mut root, &mut engine, around, faults);
    let postgres = postgres::read(&mut root, around, faults);
    let http = http::read(&mut root, faults);
    let connections = connection::read(&mut root, around, faults);
    let mut names = HashSet::new();
    let mut users = vec![];
    for section in root.sections("users", faults) {
        users.extend(user::read(section, &mut names, around, faults));
    }
    root.finish(faults);
    Config { engine, postgres, http, connections, users }
}

/// The `listen` key of a door.
fn address(section: &mut Section<'_>, default: &str, faults: &mut Faults<'_>) -> String {
    let Some(item) = section.take("listen") else { return default.into() };
    let Some(text) = item.text(faults) else { return default.into() };
    let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port);
    if port.is_none_or(|port| port.parse::<u16>().is_err()) {
        let message = format!("expected HOST:PORT such as \"{default}\", found \"{text}\"");
        faults.add(item.at, item.path, message);
    }
    text.to_owned()
}

/// The `name` of a section, which no other of its sort may have.
fn unique_name(
    section: &mut Section<'_>,
    example: &str,
    names: &mut HashSet<String>,
    faults: &mut Faults<'_>,
) -> Option<String> {
    let item = section.require("name", &format!("name = {example}"), faults)?;
    let name = item.text(faults)?;
    if name.is_empty() {
        faults.add(item.at, item.path, "the name is empty");
    } else if !names.insert(name.to_owned()) {
        faults.add(item.at, item.path, format!("the name \"{name}\" is used twice"));
    }
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kintone::{Credentials, Secret};
    use crate::odata::{Cors, Privileges, Token};

    /// The settings file that must work, as it was promised.
    const PROMISED: &str = r#"
[postgres]
listen = "127.0.0.1:5433"
trusted_ips = ["10.0.0.0/8"]
max_connections = 1000
[http]
listen = "127.0.0.1:8153"
trusted_ips = []                         # empty: this machine only
base_url = ""                            # the outside address for nextLink and Swagger; empty: the validated Host header
[http.cors]
enabled = true
allow_origins = ["*"]                    # or a list
allow_all_without_star = false           # echo the origin instead of *
allow_methods = "GET,PUT,POST,OPTIONS"
allow_headers = "x-ms-client-request-id, authorization, content-type"
[Application]
AllowAuthtokenInURL = true               # CData's line, accepted literally; default false
[[connections]]
name = "public"
url = "http://localhost:8090"          # or one string: connection = "Url=...;User=...;Password=...;GuestSpaceId=5"
user = "demo"
password = { env = "KINTONE_PASSWORD" }  # or a literal, or { file = "..." }
[[users]]
name = "reader"
password = "plain, or SCRAM-SHA-256$..."
tokens = ["plain for trying, or sha256:..."]
privileges = ["GET"]                   # GET POST PUT DELETE, or "all"
"#;

    fn variable(name: &str) -> Option<String> {
        ["KINTONE_PASSWORD", "OTHER_PASSWORD", "READER_PASSWORD"].contains(&name).then(|| "s3cret".to_owned())
    }

    fn password(user: &str) -> Credentials {
        Credentials::Password { user: user.into(), password: Secret::new("s3cret") }
    }

    fn parse(text: &str) -> Result<Config> {
        Config::parse(text, "k.toml", &variable)
    }

    #[test]
    fn the_promised_file_works() {
        let config = parse(PROMISED).unwrap();
        assert_eq!(config.postgres.listen, "127.0.0.1:5433");
        assert_eq!((config.postgres.trusted_ips.len(), config.postgres.max_connections), (1, 1000));
        assert_eq!(config.http.listen, "127.0.0.1:8153");
        assert!(config.http.cors.enabled && config.http.allow_authtoken_in_url);
        let [connection] = config.connections.as_slice() else { panic!("{config:?}") };
        assert_eq!(connection.name, "public");
        assert_eq!(connection.url.as_str(), "http://localhost:8090/");
        assert_eq!(connection.credentials, password("demo"));
        let [user] = config.users.as_slice() else { panic!("{config:?}") };
        assert_eq!(user.password, "plain, or SCRAM-SHA-256$...".parse().ok());
        assert_eq!(user.tokens, [Token::of_text("plain for trying, or sha256:...")]);
        assert_eq!(user.privileges, Privileges { get: true, ..Privileges::default() });
        let shown = format!("{config:?}");
        assert!(!shown.contains("s3cret") && !shown.contains("plain"), "{shown}");
    }

    #[test]
    fn the_example_works() {
        let config = parse(EXAMPLE).unwrap();
        assert_eq!(config.postgres.listen, POSTGRES_LISTEN);
        assert_eq!(config.http.listen, HTTP_LISTEN);
        assert_eq!(config.http.cors, Cors::default());
        assert_eq!(config.users.len(), 1);
    }

    #[test]
    fn an_empty_file_has_the_defaults_and_no_connection() {
        let config = parse("").unwrap();
        assert_eq!(
            (config.postgres.listen.as_str(), config.http.listen.as_str()),
            ("127.0.0.1:5433", HTTP_LISTEN)
        );
        assert!(config.connections.is_empty() && config.users.is_empty());
    }

    #[test]
    fn connections_take_properties_in_any_case_and_form() {
        let text = r#"
[[connections]]
name = "sales"
connection = "Url=https://b;User=u;Password=env:OTHER_PASSWORD"
guestspaceid = [5, "8"]
Readonly = true
[[connections]]
name = "public"
URL = "https://a"
ApiToken = ["t1", { env = "OTHER_PASSWORD" }]
AppId = [12, 34]
Pagesize = 100
"#;
        let config = parse(text).unwrap();
        let [public, sales] = config.connections.as_slice() else { panic!("{config:?}") };
        let tokens = vec![Secret::new("t1"), Secret::new("s3cret")];
        assert_eq!(public.credentials, Credentials::ApiTokens(tokens));
        assert_eq!((public.page_size, public.apps.as_slice()), (100, &[12, 34][..]));
        assert_eq!((sales.guest_spaces.as_slice(), sales.read_only), (&[5, 8][..], true));
        assert_eq!(sales.credentials, password("u"));
    }

    #[test]
    fn certificates_lie_beside_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("k.toml");
        let authority = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let text = format!("{}{}", authority.cert.pem(), authority.signing_key.serialize_pem());
        std::fs::write(folder.path().join("own.pem"), text).unwrap();
        let text = r#"
[[connections]]
name = "public"
url = "https://a"
AuthScheme = "OAuth"
OAuthAccessToken = { env = "OTHER_PASSWORD" }
SSLServerCert = "own.pem"
SSLClientCert = "own.pem"
SSLClientCertType = "PEMKEY_FILE"
SSLClientCertPassword = { env = "KINTONE_PASSWORD" }
[[connections]]
name = "inside"
url = "https://b"
user = "u"
password = "p"
SSLClientCert = { file = "own.pem" }
SSLClientCertType = "PEMKEY_BLOB"
SSLServerCert = { file = "own.pem" }
"#;
        std::fs::write(&file, text).unwrap();
        let config = Config::load(file.to_str().unwrap(), &variable).unwrap();
        let [public, inside] = config.connections.as_slice() else { panic!("{config:?}") };
        assert_eq!(public.credentials, Credentials::OAuth(Secret::new("s3cret")));
        assert_eq!(public.client_certificate.as_ref().unwrap().subject(), "CN=rcgen self signed cert");
        assert_eq!(public.client_certificate, inside.client_certificate);
        assert_eq!(public.server_certificates, inside.server_certificates);
        assert_eq!(format!("{:?}", public.server_certificates), "ServerCertificates(1)");
        let shown = format!("{config:?}");
        assert!(!shown.contains("s3cret") && !shown.contains("PRIVATE"), "{shown}");
    }

    /// A settings file, and every fault that is told about it.
    const FAULTS: &[(&str, &str)] = &[
        ("[postgres]\nlisten = 5433", "2: postgres.listen: expected a string, found an integer"),
        (
            "[postgres]\nlisten = \"5433\"",
            "2: postgres.listen: expected HOST:PORT such as \"127.0.0.1:5433\", found \"5433\"",
        ),
        (
            "[postgres]\nmax_connections = 0\ntrusted_ips = [\"10.0.0\"]",
            "2: postgres.max_connections: expected a whole number of at least 1\n\
             3: postgres.trusted_ips[0]: \"10.0.0\" is not an address; Write an address, a range \
             (10.0.0.1-10.0.0.9), a wildcard (192.168.*.*) or a network (10.0.0.0/8)",
        ),
        (
            "[postgres]\nmax_connections = \"many\"",
            "2: postgres.max_connections: expected a whole number of at least 1, found a string",
        ),
        ("[http]\n\nlissten = \"a:1\"", "3: http.lissten: unknown key; did you mean listen?"),
        ("[htp]", "1: htp: unknown key; did you mean http?"),
        ("[application]", "1: application: unknown key; did you mean Application?"),
        (
            "[Application]\nAllowAuthTokenInUrl = true",
            "2: Application.AllowAuthTokenInUrl: unknown key; did you mean AllowAuthtokenInURL?",
        ),
        (
            "[http.cors]\nenabled = \"yes\"\nallow_origins = [1]",
            "2: http.cors.enabled: expected true or false, found a string\n\
             3: http.cors.allow_origins[0]: expected a string, found an integer",
        ),
        (
            "[http]\ntrusted_ips = [\"10.0.0.0/8\", \"10.0.0\"]\nbase_url = \"example.com\"",
            "2: http.trusted_ips[1]: \"10.0.0\" is not an address; Write an address, a range \
             (10.0.0.1-10.0.0.9), a wildcard (192.168.*.*) or a network (10.0.0.0/8)\n\
             3: http.base_url: expected an address that begins with https:// or http://",
        ),
        (
            "[engine]\ntimezone = \"Tokyo\"",
            "2: engine.timezone: no time zone is named \"Tokyo\"; write for example \"Asia/Tokyo\"",
        ),
        (
            "\n[[connections]]\nurl = \"a\"\nuser = \"u\"\npassword = \"s3cret\"",
            "2: connections[0].name: this key is missing; write for example name = \"public\"",
        ),
        (
            "[[connections]]\nname = \"a\"\nuser = \"u\"\npassword = \"s3cret\"",
            "1: connections[0].url: Url is missing; such as https://example.cybozu.com",
        ),
        (
            "[[connections]]\nname = \"a\"\nurl = \"a\"\nuser = \"u\"",
            "1: connections[0].password: Password is missing",
        ),
        (
            "[[connections]]\nname = \"a\"\nurl = \"a\"",
            "1: connections[0]: no login: give User and Password, ApiToken and AppId, or OAuthAccessToken",
        ),
        (
            "[[connections]]\nname = \"a\"\nurl = \"a\"\nuser = \"u\"\npasswrd = \"s3cret\"",
            "5: connections[0].passwrd: unknown property passwrd; did you mean Password?",
        ),
        (
            "[[connections]]\nname = \"a\"\nurl = \"a\"\nuser = \"u\"\npassword = \"s3cret\"\nSSLClientCert = \"no.pfx\"",
            "6: connections[0].SSLClientCert: SSLClientCert: cannot read the file no.pfx: \
             No such file or directory (os error 2)",
        ),
        (
            "[[connections]]\nname = \"a\"\nurl = \"a\"\nuser = \"u\"\npassword = \"s3cret\"\n\
             ssl_client_cert = \"s3cret\"\nssl_client_cert_type = \"JKSBLOB\"",
            "7: connections[0].ssl_client_cert_type: SSLClientCertType JKSBLOB is not supported: key stores of Java \
             are not read; write it as PFX (keytool -importkeystore -deststoretype PKCS12) and give PFXFILE",
        ),
        (
            "[[connections]]\nname = \"a\"\nconnection = \"Url=a;User=u;Password=s3cret;SSLServerCert=*\"",
            "3: connections[0].connection: SSLServerCert does not take *, with which anybody on the way could read \
             the login; give the server's certificate or its authority's, as PEM or as the path of a file",
        ),
        (
            "[[connections]]\nname = \"a\"\nurl = \"a\"\nOAuthAccessToken = \"s3cret\"\n\
             BasicAuthUser = \"g\"\nBasicAuthPassword = \"s3cret\"",
            "5: connections[0].BasicAuthUser: OAuthAccessToken and BasicAuthUser cannot go together: \
             both are sent in the header Authorization",
        ),
        (
            "[[connections]]\nname = \"a\"\nconnection = \"Url=a;User=u;Password=s3cret;Pagesize=0\"",
            "3: connections[0].connection: Pagesize takes 1 to 500",
        ),
        (
            "[[connections]]\nname = \"a\"\nconnection = \"Url=a;User=u;Password=s3cret\"\n\
             [[connections]]\nname = \"a\"\nconnection = \"Url=b;User=u;Password=s3cret\"",
            "5: connections[1].name: the name \"a\" is used twice",
        ),
        (
            "[[connections]]\nname = \"a\"\nurl = \"a\"\nuser = \"u\"\npassword = { env = \"NOT_SET\" }",
            "5: connections[0].password: the environment variable NOT_SET is not set",
        ),
        (
            "[[connections]]\nname = \"a\"\nurl = \"a\"\nuser = \"u\"\npassword = { evn = \"OTHER_PASSWORD\" }",
            "5: connections[0].password.evn: unknown key; did you mean env?\n\
             5: connections[0].password: expected a string, { env = \"NAME\" } or { file = \"PATH\" }",
        ),
        (
            "[[connections]]\nname = \"a\"\nconnection = \"Url=u;s3cret\"",
            "3: connections[0].connection: expected Key=Value; after the value of Url",
        ),
        (
            "[[connections]]\nname = \"a\"\nconnection = \"Url=u;User=u;Password=s3cret\"\nurl = \"v\"",
            "4: connections[0].url: this property is given twice",
        ),
        (
            "[connections]\nname = \"a\"",
            "1: connections: expected a list of tables, written [[connections]], found a table",
        ),
        (
            "[[users]]\nname = \"r\"\nprivileges = [\"GET\", \"READ\"]",
            "1: users[0].password: this user can never log in; give a password, or tokens\n\
             3: users[0].privileges[1]: unknown privilege; known: GET, POST, PUT, DELETE, or \"all\"",
        ),
        (
            "[[users]]\nname = \"r\"\ntokens = [\"t\"]\nprivilege = \"all\"",
            "1: users[0].privileges: this key is missing; write for example privileges = [\"GET\"]\n\
             4: users[0].privilege: unknown key; did you mean privileges?",
        ),
        (
            "[[users]]\nname = \"r\"\ntokens = [\"sha256:s3cret\"]\nprivileges = \"all\"",
            "3: users[0].tokens[0]: a token's hash is not sha256: and 64 hex digits; \
             Make one with: kintone-sql token create",
        ),
    ];

    #[test]
    fn every_fault_is_told_with_its_line_and_key() {
        for (text, expected) in FAULTS {
            let told = Config::parse(text, "k.toml", &|_| None).unwrap_err().message;
            let expected: Vec<_> = expected.lines().map(|line| format!("k.toml:{line}")).collect();
            assert_eq!(told, expected.join("\n"), "{text}");
            assert!(!told.contains("s3cret"), "{told}");
        }
    }

    #[test]
    fn a_syntax_fault_names_its_line() {
        let error = parse("[postgres]\nlisten = \"a:1\n[http]\nlisten = = 2").unwrap_err();
        assert!(error.message.starts_with("k.toml:2: not TOML: "), "{}", error.message);
        assert!(!error.message.contains("unknown key"), "{}", error.message);
        let error = parse("[http]\n[http]").unwrap_err();
        assert!(error.message.starts_with("k.toml:2: not TOML: duplicate key"), "{}", error.message);
    }
}
