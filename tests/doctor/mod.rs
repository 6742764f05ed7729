//! The doctor against the embedded Kintone and against servers with one thing wrong: what it says, what it does not
//! ask any more, and that no secret is in it.

mod probe;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use kintone_sql::emulator::{Emulator, Fixture, Options as Serve};
use kintone_sql::kintone::doctor::{Bounds, Report, State, diagnose};
use kintone_sql::kintone::{Basic, ClientConfig, Credentials, Secret};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const PASSWORD: &str = "canary-password";
const GATE: &str = "canary-gate";
/// For an answer that never comes.
const PATIENCE: Duration = Duration::from_millis(900);

fn password(user: &str, password: &str) -> Credentials {
    Credentials::Password { user: user.into(), password: Secret::new(password) }
}

fn tokens(tokens: &[&str]) -> Credentials {
    Credentials::ApiTokens(tokens.iter().map(|token| Secret::new(*token)).collect())
}

async fn examined(config: &ClientConfig, bounds: Bounds) -> Report {
    let mut told = vec![];
    let report = Box::pin(diagnose(config, bounds, &mut |step| told.push(step.clone()))).await;
    assert_eq!(told, report.steps, "each step is told once, in order");
    let all = format!("{} {} {report:?}", report.text(), report.json());
    assert!(!all.contains("canary"), "{all}");
    report
}

async fn seen(config: &ClientConfig) -> Report {
    examined(config, Bounds::default()).await
}

/// `TLS failed: ...` for each step that is not as it should be.
fn faults(report: &Report) -> Vec<String> {
    let steps = report.steps.iter().filter(|step| step.state > State::Ok);
    steps.map(|step| format!("{} {:?}: {}", step.name, step.state, step.told)).collect()
}

fn told<'r>(report: &'r Report, name: &str) -> Vec<&'r str> {
    report.steps.iter().filter(|step| step.name == name).map(|step| step.told.as_str()).collect()
}

// The embedded Kintone.

async fn serve(options: Serve) -> Emulator {
    let world = json!({
        "users": [{"code": "sato", "name": "佐藤", "password": PASSWORD}],
        "apps": [
            {"app": {"appId": 1, "name": "案件"}, "apiTokens": ["canary-one"], "form": {"properties": {}}},
            {"app": {"appId": 2, "name": "顧客"}, "apiTokens": ["canary-two"], "form": {"properties": {}}},
            {"app": {"appId": 3, "name": "客"}, "guestSpaceId": 5, "apiTokens": ["canary-guest"],
             "form": {"properties": {}}},
        ]
    });
    Emulator::start(Arc::new(Fixture::from_json(&world).unwrap()), options).await.unwrap()
}

fn to(emulator: &Emulator, credentials: Credentials) -> ClientConfig {
    ClientConfig::new("crm", emulator.url().parse().unwrap(), credentials)
}

#[tokio::test]
async fn a_good_connection_is_good_from_end_to_end() {
    let emulator = serve(Serve { basic: Some(("gate".into(), GATE.into())), ..Serve::default() }).await;
    let mut config = to(&emulator, password("sato", PASSWORD));
    config.basic = Some(Basic { user: "gate".into(), password: Secret::new(GATE) });
    config.guest_spaces = vec![5];
    let report = seen(&config).await;
    assert_eq!((faults(&report), report.exit_code()), (vec![], 0));
    let names: Vec<_> = report.steps.iter().map(|step| step.name).collect();
    let expected = [
        "settings",
        "DNS",
        "TCP",
        "TLS",
        "gate",
        "clock",
        "login",
        "rights",
        "rights",
        "guest space",
        "quota",
        "concurrency",
        "latency",
    ];
    assert_eq!(names, expected);
    assert_eq!(told(&report, "settings"), ["the password of sato, a Basic login; read-only"]);
    assert_eq!(told(&report, "gate"), ["the Basic login opens it"]);
    assert_eq!(told(&report, "login"), ["sato is logged in and sees 2 apps"]);
    assert_eq!(told(&report, "rights")[0], "app 1 (案件): records, form and settings can be read");
    assert_eq!(told(&report, "guest space"), ["5 has 1 app for this login"]);
    assert_eq!(told(&report, "concurrency"), ["1 of 100 requests run on the domain"]);
    let text = report.text();
    assert!(text.starts_with(&format!("crm  {}/\n  ✓ settings     the password", emulator.url())), "{text}");
    assert!(text.contains("\n\n13 ok; 10 requests in "), "{text}");
    let json = report.json();
    assert_eq!((&json["exitCode"], &json["steps"][6]["state"]), (&json!(0), &json!("ok")));
    assert_eq!(emulator.requests().len(), 10);
}

#[tokio::test]
async fn a_rejected_login_is_sent_once() {
    let emulator = serve(Serve::default()).await;
    let report = seen(&to(&emulator, password("sato", "canary-wrong"))).await;
    let expected =
        "login Failed: the user or the password is wrong, or the account is locked (401 CB_WA01)".to_owned();
    assert_eq!((faults(&report), report.exit_code()), (vec![expected], 2));
    assert_eq!(told(&report, "the rest"), ["not looked at: without a login nothing else can be asked"]);
    let paths: Vec<_> = emulator.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/k/v1/apis.json", "/k/v1/apps.json"]);

    emulator.clear_requests();
    let mut config = to(&emulator, tokens(&["canary-none"]));
    config.apps = vec![1, 2];
    let report = seen(&config).await;
    let expected = "token Failed: it on app 1: no app has this API token (520 GAIA_IA02)".to_owned();
    assert_eq!((faults(&report), report.exit_code()), (vec![expected], 2));
    assert_eq!(emulator.requests().len(), 2);
}

#[tokio::test]
async fn each_token_is_held_against_each_app() {
    let emulator = serve(Serve::default()).await;
    let mut config = to(&emulator, tokens(&["canary-two", "canary-one"]));
    config.apps = vec![1, 2];
    let report = seen(&config).await;
    assert_eq!((faults(&report), report.exit_code()), (vec![], 0));
    assert_eq!(told(&report, "token"), ["token 1 opens app 2", "token 2 opens app 1"]);
    assert_eq!(told(&report, "rights").len(), 2);
    // A token of an app that is not named, and an app that no token opens.
    config.credentials = tokens(&["canary-two", "canary-guest"]);
    let report = seen(&config).await;
    let expected = [
        "token Failed: token 2 is of an app that AppId does not name (400 GAIA_AP15)",
        "rights Failed: app 1: its form is closed: no token given is this app's (400 GAIA_AP15)",
    ];
    assert_eq!((faults(&report), report.exit_code()), (expected.map(String::from).to_vec(), 2));
    // In a guest space.
    config.credentials = tokens(&["canary-guest"]);
    config.apps = vec![3];
    let report = seen(&config).await;
    let expected = "token Failed: it on app 3: the app is in a guest space (400 GAIA_IL23)".to_owned();
    assert_eq!(faults(&report), [expected]);
    config.guest_spaces = vec![5];
    let report = seen(&config).await;
    assert_eq!((faults(&report), told(&report, "rights").len()), (vec![], 1));
    // Tokens list nothing.
    config.apps = vec![];
    let report = seen(&config).await;
    assert_eq!(faults(&report), ["login Warning: API tokens, and no app to use them on"]);
    assert_eq!(report.exit_code(), 0);
}

#[tokio::test]
async fn an_app_or_a_space_that_is_not_there_is_named() {
    let emulator = serve(Serve::default()).await;
    let mut config = to(&emulator, password("sato", PASSWORD));
    config.apps = vec![1, 3, 99];
    config.guest_spaces = vec![8];
    let report = seen(&config).await;
    let expected = [
        "rights Failed: app 3: its form is closed: the app is in a guest space (400 GAIA_IL23)",
        "rights Failed: app 99: its form is closed: there is no such app (404 GAIA_AP01)",
        "guest space Failed: 8 is closed to this login, or is not there (403 CB_NO02)",
    ];
    assert_eq!((faults(&report), report.exit_code()), (expected.map(String::from).to_vec(), 2));
}

#[tokio::test]
async fn a_closed_gate_ends_it() {
    let emulator = serve(Serve { basic: Some(("gate".into(), GATE.into())), ..Serve::default() }).await;
    let mut config = to(&emulator, password("sato", PASSWORD));
    let report = seen(&config).await;
    assert_eq!(faults(&report), ["gate Failed: the site demands a Basic login (401)"]);
    config.basic = Some(Basic { user: "gate".into(), password: Secret::new("canary-wrong") });
    let report = seen(&config).await;
    assert_eq!(
        (faults(&report), report.exit_code()),
        (vec!["gate Failed: the Basic login is wrong (401)".into()], 2)
    );
    assert_eq!(told(&report, "the rest"), ["not looked at: the gate is closed"]);
    // Kintone's own login was not sent.
    assert_eq!(emulator.requests().len(), 2);
}

#[tokio::test]
async fn settings_that_cannot_work_are_told_before_anything_is_sent() {
    for (url, expected) in [
        ("http://example.cybozu.com", "settings Failed: Url must begin with https://"),
        (
            "https://me:canary@example.cybozu.com",
            "settings Failed: Url must not hold a user or password; give User and Password",
        ),
    ] {
        let config = ClientConfig::new("crm", url.parse().unwrap(), password("sato", PASSWORD));
        let mut report = Box::pin(diagnose(&config, Bounds::default(), &mut |_| {})).await;
        assert_eq!((faults(&report), report.exit_code(), report.requests), (vec![expected.into()], 1, 0));
        report.url = String::new();
        assert!(!report.text().contains("canary"));
    }
    let config = ClientConfig::new("crm", "https://localhost".parse().unwrap(), tokens(&["canary"; 10]));
    let report = seen(&config).await;
    assert_eq!(report.exit_code(), 1);
    assert!(faults(&report)[0].starts_with("settings Failed: ApiToken takes 1 to 9 tokens"), "{report:?}");
}

#[tokio::test]
async fn no_name_and_no_port() {
    let config =
        ClientConfig::new("crm", "https://nobody.invalid".parse().unwrap(), password("sato", PASSWORD));
    let report = seen(&config).await;
    assert_eq!(report.exit_code(), 2);
    assert!(faults(&report)[0].starts_with("DNS Failed: nobody.invalid is not found: "), "{report:?}");
    assert_eq!(told(&report, "the rest"), ["not looked at: the host has no address"]);

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let url = format!("http://127.0.0.1:{port}").parse().unwrap();
    let report = seen(&ClientConfig::new("crm", url, password("sato", PASSWORD))).await;
    assert_eq!(report.exit_code(), 2);
    assert!(
        faults(&report)[0].starts_with(&format!("TCP Failed: 127.0.0.1:{port}: Connection refused")),
        "{report:?}"
    );

    let mut config =
        ClientConfig::new("crm", "https://example.cybozu.com".parse().unwrap(), password("sato", PASSWORD));
    config.proxy = Some(format!("http://127.0.0.1:{port}").parse().unwrap());
    let report = seen(&config).await;
    assert!(
        faults(&report)[0].starts_with(&format!("proxy Failed: 127.0.0.1:{port}: Connection refused")),
        "{report:?}"
    );
    assert!(report.text().contains("→ check the port in ProxyServer"), "{}", report.text());
}

// Scripted servers.

type Seen = Arc<Mutex<Vec<String>>>;

/// Answers the n-th request with the n-th text, the last one for ever; an empty one is no answer.
async fn script(answers: Vec<String>) -> (ClientConfig, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (seen, number) = (Seen::default(), Arc::new(AtomicUsize::new(0)));
    let kept = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let (kept, number, answers) = (Arc::clone(&kept), Arc::clone(&number), answers.clone());
            tokio::spawn(async move {
                loop {
                    let mut head = vec![];
                    while !head.ends_with(b"\r\n\r\n") {
                        let Ok(byte) = socket.read_u8().await else { return };
                        head.push(byte);
                    }
                    kept.lock().unwrap().push(String::from_utf8(head).unwrap());
                    let n = number.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
                    if answers[n].is_empty() {
                        tokio::time::sleep(Duration::from_secs(60)).await;
                    }
                    if socket.write_all(answers[n].as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    let url = format!("http://127.0.0.1:{port}").parse().unwrap();
    (ClientConfig::new("crm", url, password("sato", PASSWORD)), seen)
}

fn http(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn good(date: &str) -> String {
    let date = if date.is_empty() { String::new() } else { format!("Date: {date}\r\n") };
    http("200 OK", &format!("Content-Type: application/json\r\n{date}"), r#"{"apis":{}}"#)
}

fn refused(status: &str, code: &str, message: &str) -> String {
    let body = json!({"code": code, "id": "x", "message": message}).to_string();
    http(status, "Content-Type: application/json\r\n", &body)
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_a_warning() {
    let now: DateTime<Utc> = "2026-11-25T00:10:00Z".parse().unwrap();
    let bounds = Bounds { now, ..Bounds::default() };
    for (date, expected) in [
        ("Wed, 25 Nov 2026 00:10:20 GMT", vec![]),
        ("Wed, 25 Nov 2026 00:00:00 GMT", vec!["clock Warning: 600 s ahead of the server's"]),
        ("Wed, 25 Nov 2026 01:10:00 GMT", vec!["clock Warning: 3600 s behind the server's"]),
        ("", vec![]),
    ] {
        let apps = http("200 OK", "Content-Type: application/json\r\n", r#"{"apps":[]}"#);
        let (config, _) = script(vec![good(date), apps]).await;
        let report = examined(&config, bounds).await;
        let clock: Vec<_> = faults(&report).into_iter().filter(|fault| fault.starts_with("clock")).collect();
        assert_eq!(clock, expected);
    }
}

#[tokio::test]
async fn what_is_not_kintone_in_service_is_told_apart() {
    let html = "Content-Type: text/html; charset=utf-8\r\n";
    for (answer, expected) in [
        (http("503 X", html, "<html>canary</html>"), "gate Failed: Kintone is not in service (HTTP 503)"),
        (
            http("200 OK", html, "<html>canary</html>"),
            "gate Failed: not Kintone's answer (HTTP 200, text/html; charset=utf-8)",
        ),
        (
            http("302 X", "Location: https://elsewhere.example/canary\r\n", ""),
            "gate Failed: not Kintone's answer (HTTP 302, no content type)",
        ),
        (http("403 X", html, ""), "gate Failed: the site lets nobody in from here (403)"),
        (
            refused("429 X", "GAIA_TO04", ""),
            "gate Failed: too many requests run on the domain (429 GAIA_TO04)",
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".into(), "HTTP Failed: no answer in time"),
        (String::new(), "HTTP Failed: no answer in time"),
    ] {
        let (mut config, seen) = script(vec![answer]).await;
        if expected.ends_with("in time") {
            config.timeouts.total = PATIENCE;
        }
        let report = examined(&config, Bounds::default()).await;
        assert_eq!((faults(&report), report.exit_code()), (vec![expected.to_owned()], 2));
        let seen = seen.lock().unwrap();
        assert_eq!(seen.len(), 1);
        assert!(
            !seen[0].to_lowercase().contains("x-cybozu-authorization"),
            "the login waits for a good answer"
        );
    }
}

#[tokio::test]
async fn logins_are_told_apart() {
    for (status, code, message, expected) in [
        (
            "401 X",
            "CB_WA01",
            "Password authentication failed.",
            "the user or the password is wrong, or the account is locked",
        ),
        ("401 X", "CB_WA01", "Your account is locked.", "the account is locked"),
        ("401 X", "CB_AU01", "アカウントがロックされています。", "the account is locked"),
        ("401 X", "CB_AU01", "Please login.", "Kintone wants a login"),
        (
            "403 X",
            "CB_TW02",
            "",
            "the user has two-factor authentication, with which no password opens the API",
        ),
        ("400 X", "XX_01", "Something.", "Kintone says: Something."),
        ("503 X", "", "", "Kintone is not in service"),
    ] {
        let (config, seen) = script(vec![good(""), refused(status, code, message)]).await;
        let report = seen_once(&config).await;
        let outcome = format!("{} {code}", &status[..3]);
        let expected = format!("login Failed: {expected} ({})", outcome.trim_end());
        assert_eq!(faults(&report), [expected]);
        assert_eq!(seen.lock().unwrap().len(), 2, "one rejection is one request");
    }
}

async fn seen_once(config: &ClientConfig) -> Report {
    let report = seen(config).await;
    assert_eq!((report.exit_code(), report.requests), (2, 2));
    report
}

#[tokio::test]
async fn rights_quota_and_load() {
    let json = |body: Value| {
        let load = "X-ConcurrencyLimit-Limit: 100\r\nX-ConcurrencyLimit-Running: 95\r\n";
        http("200 OK", &format!("Content-Type: application/json\r\n{load}"), &body.to_string())
    };
    let answers = vec![
        good(""),
        json(json!({"apps": [{"appId": "7", "name": "x"}]})),
        json(json!({"properties": {}})),
        json(json!({"records": []})),
        refused("403 X", "CB_NO02", "No."),
        json(
            json!({"apps": [{"id": "7", "dailyRequestCount": "9001"}, {"id": "8", "dailyRequestCount": "3"}]}),
        ),
    ];
    let (config, _) = script(answers).await;
    let report = seen(&config).await;
    let expected = [
        "rights Warning: app 7 (x): records and form, but not the settings (403 CB_NO02)",
        "quota Warning: 6 requests by this diagnosis; the busiest app, 7, got 9001 today, of 10000 in the Standard course",
        "concurrency Warning: 95 of 100 requests run on the domain",
    ];
    assert_eq!((faults(&report), report.exit_code()), (expected.map(String::from).to_vec(), 0));
    // A server that goes silent half way is no reason to wait on.
    let (mut config, seen) =
        script(vec![good(""), json(json!({"apps": [{"appId": "7", "name": "x"}]})), String::new()]).await;
    config.timeouts.total = PATIENCE;
    let report = examined(&config, Bounds::default()).await;
    assert_eq!(faults(&report), ["apps Failed: no answer in time"]);
    assert_eq!(seen.lock().unwrap().len(), 3);
}

// TLS.

mod tls {
    use super::*;
    use crate::tls::{World, at};

    fn trusting(config: ClientConfig) -> ClientConfig {
        ClientConfig { credentials: password("sato", PASSWORD), ..config }
    }

    #[tokio::test]
    async fn certificates_are_told_with_their_dates() {
        let world = World::new();
        let server = world.start(&world.server).await;
        let config = trusting(world.config(&at(&server), &[("SSLServerCert", "ca.pem")]).unwrap());
        let report = seen(&config).await;
        let tls = told(&report, "TLS")[0];
        assert!(tls.contains("issued by CN=Test Authority, valid until "), "{tls}");
        // Nobody vouches for it here.
        let config = trusting(world.config(&at(&server), &[]).unwrap());
        let report = seen(&config).await;
        assert_eq!(report.exit_code(), 2);
        let [fault] = &faults(&report)[..] else { panic!("{report:?}") };
        assert!(
            fault.starts_with("TLS Failed: the server's certificate is signed by nobody trusted here"),
            "{fault}"
        );
        assert!(fault.contains("issued by CN=Test Authority"), "{fault}");
        assert_eq!(told(&report, "the rest"), ["not looked at: there is no secure connection"]);
        // Too old.
        let old = world.authority.sign(|params| {
            params.subject_alt_names = vec![rcgen::SanType::DnsName("localhost".try_into().unwrap())];
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(2021, 2, 3);
        });
        let server = world.start(&old).await;
        let report =
            seen(&trusting(world.config(&at(&server), &[("SSLServerCert", "ca.pem")]).unwrap())).await;
        let [fault] = &faults(&report)[..] else { panic!("{report:?}") };
        assert!(fault.starts_with("TLS Failed: the server's certificate has expired"), "{fault}");
        assert!(fault.contains("expired on 2021-02-03"), "{fault}");
    }

    #[tokio::test]
    async fn our_own_certificate_is_told_too() {
        let world = World::new();
        let server = world.strict(rustls::ALL_VERSIONS).await;
        world.file("client.pem", world.client.pem());
        let report =
            seen(&trusting(world.config(&at(&server), &[("SSLServerCert", "ca.pem")]).unwrap())).await;
        let [fault] = &faults(&report)[..] else { panic!("{report:?}") };
        assert!(
            fault.starts_with("TLS Failed: the server demands a client certificate: give SSLClientCert"),
            "{fault}"
        );
        let more = [
            ("SSLServerCert", "ca.pem"),
            ("SSLClientCert", "client.pem"),
            ("SSLClientCertType", "PEMKEY_FILE"),
        ];
        let report = seen(&trusting(world.config(&at(&server), &more).unwrap())).await;
        let own = told(&report, "certificate")[0];
        assert!(own.starts_with("C=JP, O=\"Example, Inc.\", CN=sql reader, valid until "), "{own}");
        assert!(!told(&report, "TLS").is_empty());
        // A month before its end is early enough.
        let end = world.config(&at(&server), &more).unwrap().client_certificate.unwrap().not_after();
        let bounds = Bounds { now: end - chrono::TimeDelta::days(3), ..Bounds::default() };
        let report = examined(&trusting(world.config(&at(&server), &more).unwrap()), bounds).await;
        assert!(faults(&report)[0].starts_with("certificate Warning: "), "{report:?}");
    }
}
