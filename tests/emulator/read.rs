//! Reading records: values, fields, counts.

use serde_json::{Value, json};

use super::{Domain, Reply, encode, password, send, world};

#[tokio::test]
async fn values_read_as_in_kintone() {
    let domain = Domain::start(&world()).await;
    let record = domain.get("record.json?app=1&id=1").await.json()["record"].clone();
    let expected = json!({
        "レコード番号": "ALL-1", "$id": "1", "$revision": "1", "文字": "apple", "数値": "10", "計算": "20",
        "時間計算": "25:01", "チェック": ["a", "b"], "ドロップ": "x", "日付": "2026-01-10", "時刻": "09:30",
        "日時": "2026-01-10T00:00:00Z", "担当": [{"code": "sato", "name": "佐藤"}], "ステータス": "未処理",
        "組織": [{"code": "sales", "name": "営業"}], "グループ": [{"code": "everyone", "name": "全員"}],
        "作成者": {"code": "zoe", "name": "ゾエ"}, "作業者": [{"code": "sato", "name": "佐藤"}],
        "作成日時": "2026-01-01T01:00:00Z", "複数行": "gamma keyword\n二行目",
        "添付": [{"contentType": "application/pdf", "fileKey": "f1", "name": "見積 quote.pdf", "size": "12"}],
    });
    for (code, value) in expected.as_object().unwrap() {
        assert_eq!(record[code]["value"], *value, "{code}");
    }
    assert_eq!(record["$id"]["type"], "__ID__");
    assert_eq!(record["明細"]["value"][1]["id"], "2");
    assert_eq!(record["明細"]["value"][1]["value"]["納期"], json!({"type": "DATE", "value": null}));
    for absent in ["カテゴリー", "枠", "関連"] {
        assert!(record.get(absent).is_none(), "{absent}");
    }

    let empty = domain.get("record.json?app=1&id=3").await.json()["record"].clone();
    let expected = json!({
        "文字": "", "複数行": "", "リッチ": "", "リンク": "", "数値": "", "計算": "", "チェック": [], "複数選択": [],
        "ラジオ": "", "ドロップ": null, "日付": null, "時刻": null, "日時": "", "担当": [], "組織": [],
        "グループ": [], "添付": [], "明細": [], "作業者": [],
    });
    for (code, value) in expected.as_object().unwrap() {
        assert_eq!(empty[code]["value"], *value, "{code}");
    }
    let large = domain.get("record.json?app=1&id=4").await.json();
    assert_eq!(large["record"]["数値"]["value"], "12345678901234567890.0000000001");
    let other = domain.get("record.json?app=2&id=1").await.json();
    assert!(other["record"].get("ステータス").is_none() && other["record"].get("作業者").is_none());
}

#[tokio::test]
async fn fields_and_counts() {
    let domain = Domain::start(&world()).await;
    let codes = |reply: &Reply| {
        let mut codes: Vec<String> =
            reply.json()["records"][0].as_object().unwrap().keys().cloned().collect();
        codes.sort();
        codes.join(" ")
    };
    let path = |fields: &[&str], more: &str| {
        let fields = fields.iter().enumerate();
        let fields: Vec<String> = fields.map(|(i, f)| format!("fields%5B{i}%5D={}", encode(f))).collect();
        format!("records.json?app=1&{}{more}", fields.join("&"))
    };
    // A column and an unknown code bring nothing; a table brings its columns.
    let reply = domain.get(&path(&["$id", "数値", "品名", "無い", "明細"], "&totalCount=true")).await;
    assert_eq!(codes(&reply), "$id 数値 明細");
    assert_eq!(reply.json()["totalCount"], "4");
    let reply = domain.get(&path(&["数値"], "&query=limit%201")).await;
    assert_eq!((codes(&reply), reply.json()["totalCount"].clone()), ("数値".into(), Value::Null));
    for (query, total) in [
        ("limit 1", "4"),
        ("$id > 1 limit 1", "3"),
        ("数値 < 0 limit 1", "2"),
        ("数値 > 0 order by 数値 asc limit 1", "2"),
    ] {
        let reply = domain.get(&format!("records.json?app=1&totalCount=true&query={}", encode(query))).await;
        assert_eq!(reply.json()["totalCount"], total, "{query}");
    }
    let many: Vec<String> = (0..1001).map(|n| format!("f{n}")).collect();
    let override_get = |body: Value| {
        let headers = [password("sato", "pw"), ("X-HTTP-Method-Override", "GET".to_owned())];
        let port = domain.emulator.port();
        async move { send(port, "POST", "/k/v1/records.json", &headers, Some(&body.to_string())).await }
    };
    assert_eq!(override_get(json!({"app": 1, "fields": many})).await.outcome(), "400 CB_VA01");
    let reply =
        override_get(json!({"app": "1", "query": "$id = 2", "fields": ["$id"], "totalCount": true})).await;
    assert_eq!(
        reply.json(),
        json!({"records": [{"$id": {"type": "__ID__", "value": "2"}}], "totalCount": "1"})
    );
    assert_eq!(domain.get("records.json?app=1&fields%5B100%5D=a").await.outcome(), "400 CB_VA01");
}
