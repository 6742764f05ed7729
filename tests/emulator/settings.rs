//! Apps, forms and settings.

use serde_json::{Value, json};

use super::{Domain, world};

#[tokio::test]
async fn settings_and_app_lists() {
    let domain = Domain::start(&world()).await;
    let names = async |path: &str| -> String {
        let reply = domain.get(path).await;
        if reply.status != 200 {
            return reply.outcome();
        }
        let body = reply.json();
        let names =
            body["apps"].as_array().unwrap().iter().map(|app| app["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>().join(" ")
    };
    for (path, expected) in [
        ("apps.json", "全部 注文 書込"),
        ("apps.json?limit=1&offset=1", "注文"),
        ("apps.json?ids%5B0%5D=4&ids%5B1%5D=1", "全部 書込"),
        ("apps.json?codes%5B0%5D=ALL", "全部"),
        ("apps.json?name=%E6%B3%A8", "注文"),
        ("apps.json?offset=5", ""),
        ("apps.json?limit=101", "400 CB_VA01"),
        ("apps.json?limit=0", "400 CB_VA01"),
    ] {
        assert_eq!(names(path).await, expected, "{path}");
    }
    let app = domain.get("app.json?id=1").await.json();
    assert_eq!((&app["appId"], &app["code"], &app["spaceId"]), (&json!("1"), &json!("ALL"), &Value::Null));
    let fields = domain.get("app/form/fields.json?app=2&lang=ja").await.json();
    let codes: Vec<&String> = fields["properties"].as_object().unwrap().keys().collect();
    assert_eq!(
        codes,
        [
            "顧客",
            "額",
            "レコード番号",
            "作成者",
            "作成日時",
            "更新者",
            "更新日時",
            "ステータス",
            "作業者",
            "カテゴリー"
        ]
    );
    assert_eq!(domain.get("app/form/fields.json?app=2&lang=xx").await.outcome(), "400 CB_VA01");
    let layout = domain.get("app/form/layout.json?app=4").await.json();
    assert_eq!(layout["layout"][10]["type"], "SUBTABLE");
    assert_eq!(domain.get("app/status.json?app=2").await.json()["states"], Value::Null);
    assert_eq!(domain.get("app/status.json?app=1").await.json()["enable"], true);
    let settings = domain.get("app/settings.json?app=2").await.json();
    assert_eq!(
        settings["numberPrecision"],
        json!({"digits": "16", "decimalPlaces": "4", "roundingMode": "HALF_EVEN"})
    );
    assert_eq!(domain.get("app/views.json?app=2").await.json()["views"], json!({}));
    // A status query where the process is off.
    assert_eq!(domain.ids(2, "ステータス in (\"a\")").await, "400 GAIA_ST02");
}
