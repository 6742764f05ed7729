//! The shape of a refusal.

use super::{Domain, password, send, world};

#[tokio::test]
async fn refusals_have_kintones_body_and_headers() {
    let domain = Domain::start(&world()).await;
    let reply = domain.get("records.json?app=1&query=a%20b").await;
    let body = reply.json();
    assert_eq!(body["code"], "CB_VA01");
    assert_eq!(body["id"].as_str().unwrap().len(), 20);
    assert!(body["errors"]["query"]["messages"][0].is_string());
    assert_eq!(reply.header("content-type"), Some("application/json;charset=utf-8"));
    for name in ["x-concurrencylimit-limit", "x-concurrencylimit-running"] {
        assert!(reply.header(name).is_some(), "{name}");
    }
    let port = domain.emulator.port();
    let login = [password("sato", "pw")];
    for (method, path, body, expected) in [
        ("GET", "records.json", None, "400 CB_VA01"),
        ("GET", "records.json?app=x", None, "400 CB_VA01"),
        ("GET", "record.json?app=1&id=99", None, "404 GAIA_RE01"),
        ("POST", "records.json", Some("{"), "400 CB_IJ01"),
        ("POST", "records.json", Some("[]"), "400 CB_IJ01"),
    ] {
        let reply = send(port, method, &format!("/k/v1/{path}"), &login, body).await;
        assert_eq!(reply.outcome(), expected, "{method} {path}");
    }
    assert_eq!(send(port, "GET", "/k/v1/none.json", &login, None).await.status, 404);
    assert_eq!(send(port, "PUT", "/k/v1/apps.json", &login, None).await.status, 405);
    let long = format!("/k/v1/records.json?app=1&query={}", "a".repeat(9000));
    assert_eq!(send(port, "GET", &long, &login, None).await.status, 414);
    let typed = [password("sato", "pw"), ("Content-Type", "application/json".to_owned())];
    let reply = send(port, "GET", "/k/v1/apps.json", &typed, None).await;
    assert_eq!(reply.outcome(), "400 CB_IL02");

    let zipped = [password("sato", "pw"), ("Accept-Encoding", "gzip, br".to_owned())];
    let reply = send(port, "GET", "/k/v1/records.json?app=1", &zipped, None).await;
    assert_eq!((reply.header("content-encoding"), &reply.bytes[..2]), (Some("gzip"), &[0x1f, 0x8b][..]));
    let reply = send(port, "GET", "/k/v1/records.json?app=1&query=limit%200", &zipped, None).await;
    assert_eq!(reply.header("content-encoding"), None);
}
