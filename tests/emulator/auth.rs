//! Who may call what.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kintone_sql::emulator::Options;

use super::{Domain, password, send, token, world};

#[tokio::test]
async fn credentials() {
    let options = Options { basic: Some(("gate".into(), "open".into())), ..Options::default() };
    let gated = Domain::with(&world(), options).await;
    let domain = Domain::start(&world()).await;
    let basic = |user: &str| ("Authorization", format!("Basic {}", STANDARD.encode(format!("{user}:open"))));
    let ask = async |target: &str, headers: &[(&str, String)]| {
        send(domain.emulator.port(), "GET", target, headers, None).await.outcome()
    };
    let app1 = "/k/v1/app/form/fields.json?app=1";
    for (target, headers, expected) in [
        (app1, vec![], "401 CB_AU01"),
        (app1, vec![password("sato", "pw")], "200"),
        (app1, vec![password("sato", "no")], "401 CB_WA01"),
        (app1, vec![password("nobody", "pw")], "401 CB_WA01"),
        (app1, vec![password("old", "pw")], "401 CB_WA01"),
        (app1, vec![("X-Cybozu-Authorization", "%%%".to_owned())], "401 CB_WA01"),
        (app1, vec![token("token1")], "200"),
        (app1, vec![token("token2, token1")], "200"),
        (app1, vec![token("token2"), token("token1")], "200"),
        (app1, vec![token("token2")], "400 GAIA_AP15"),
        (app1, vec![token(&["token1"; 9].join(","))], "200"),
        (app1, vec![token(&["token1"; 10].join(","))], "400 CB_VA01"),
        // A password wins, also a wrong one.
        (app1, vec![password("sato", "no"), token("token1")], "401 CB_WA01"),
        ("/k/v1/apps.json", vec![token("token1")], "403 GAIA_NO01"),
        ("/k/v1/apps.json", vec![password("sato", "pw")], "200"),
        ("/k/v1/records.json?app=99", vec![password("sato", "pw")], "404 GAIA_AP01"),
        // Related records need the other app's token.
        (
            "/k/v1/records.json?app=1&query=%E9%96%A2%E9%80%A3.%E9%A1%8D%3E1",
            vec![token("token1")],
            "400 GAIA_AP15",
        ),
        (
            "/k/v1/records.json?app=1&query=%E9%96%A2%E9%80%A3.%E9%A1%8D%3E1",
            vec![token("token1,token2")],
            "200",
        ),
        // Guest spaces.
        ("/k/v1/records.json?app=3", vec![password("sato", "pw")], "400 GAIA_IL23"),
        ("/k/guest/7/v1/records.json?app=3", vec![password("sato", "pw")], "200"),
        ("/k/guest/8/v1/records.json?app=3", vec![password("sato", "pw")], "403 CB_NO02"),
        ("/k/guest/7/v1/records.json?app=1", vec![password("sato", "pw")], "403 CB_NO02"),
    ] {
        assert_eq!(ask(target, &headers).await, expected, "{target} {headers:?}");
    }
    let unknown = send(domain.emulator.port(), "GET", app1, &[token("nothing")], None).await;
    assert_eq!(unknown.json()["code"], "GAIA_IA02");

    let port = gated.emulator.port();
    let shut = send(port, "GET", app1, &[password("sato", "pw")], None).await;
    assert_eq!((shut.status, shut.header("www-authenticate").is_some()), (401, true));
    assert_eq!(send(port, "GET", app1, &[password("sato", "pw"), basic("who")], None).await.status, 401);
    assert_eq!(send(port, "GET", app1, &[password("sato", "pw"), basic("gate")], None).await.status, 200);
}
