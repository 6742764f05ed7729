//! Writing records: what is refused, what is stored.

use serde_json::{Value, json};

use super::{Domain, password, send, world};

/// A write on app 4 and its outcome, in order; then what record it left.
#[tokio::test]
async fn writes_are_checked_and_merged() {
    let domain = Domain::start(&world()).await;
    let record =
        async |id: u64| domain.get(&format!("record.json?app=4&id={id}")).await.json()["record"].clone();
    let post =
        async |record: Value| domain.call("POST", "record.json", json!({"app": 4, "record": record})).await;

    let added = post(json!({"鍵": {"value": "k3"}, "数": {"value": " 1.5e1 "}, "無い": {"value": 1}})).await;
    assert_eq!(added.json(), json!({"id": "3", "revision": "1"}));
    let new = record(3).await;
    for (code, value) in [
        ("数", json!("15")),
        ("日", json!("2026-05-05")),
        ("選", json!("a")),
        ("複", json!(["y"])),
        ("人", json!([{"code": "sato", "name": "佐藤"}])),
        ("作成者", json!({"code": "sato", "name": "佐藤"})),
        ("表", json!([])),
    ] {
        assert_eq!(new[code]["value"], value, "{code}");
    }

    // Each fault with the parameter that its message is under.
    for (fault, key) in [
        (json!({"数": {"value": "1"}}), "record.鍵.value"),
        (json!({"鍵": {"value": "k1"}}), "record.鍵.value"),
        (json!({"鍵": {"value": "toolong"}}), "record.鍵.value"),
        (json!({"鍵": {"value": "n"}, "数": {"value": "abc"}}), "record[数].value"),
        (json!({"鍵": {"value": "n"}, "数": {"value": "1234567890123"}}), "record.数.value"),
        (json!({"鍵": {"value": "n"}, "数": {"value": "1000001"}}), "record.数.value"),
        (json!({"鍵": {"value": "n"}, "選": {"value": "z"}}), "record.選.value"),
        (json!({"鍵": {"value": "n"}, "複": {"value": ["x", "z"]}}), "record.複.values[1].value"),
        (json!({"鍵": {"value": "n"}, "日": {"value": "yesterday"}}), "record.日.value"),
        (json!({"鍵": {"value": "n"}, "人": {"value": [{"code": "who"}]}}), "record.人.values.value"),
        (json!({"鍵": {"value": "n"}, "URL": {"value": "ftp://x"}}), "record.URL.value"),
    ] {
        let reply = post(fault.clone()).await;
        assert_eq!(reply.outcome(), "400 CB_VA01", "{fault}");
        assert!(reply.json()["errors"][key]["messages"][0].is_string(), "{fault}: {}", reply.json());
    }
    assert_eq!(
        post(json!({"鍵": {"value": "n"}, "商品": {"value": "nothing"}})).await.outcome(),
        "400 GAIA_LO04"
    );

    // Rounding, lenient dates, minutes, lookups, tables.
    let put = async |body: Value| {
        let mut body = body;
        body["app"] = json!(4);
        domain.call("PUT", "record.json", body).await
    };
    let change = json!({"数": {"value": "0.00005"}, "日": {"value": "2015-7"}, "時": {"value": "2026-01-01T09:00:59+09:00"},
        "商品": {"value": "apple"}, "単価": {"value": "1"},
        "表": {"value": [{"id": "2", "value": {"品": {"value": "changed"}}}, {"value": {"個": {"value": "junk"}}}, {"id": 99, "value": {}}]}});
    assert_eq!(put(json!({"id": 1, "revision": 1, "record": change})).await.json(), json!({"revision": "2"}));
    let changed = record(1).await;
    for (code, value) in [
        ("数", json!("0")),
        ("日", json!("2015-07-01")),
        ("時", json!("2026-01-01T00:00:00Z")),
        ("単価", json!("100")),
        ("$revision", json!("2")),
    ] {
        assert_eq!(changed[code]["value"], value, "{code}");
    }
    let rows = changed["表"]["value"].as_array().unwrap();
    let row = |n: usize| {
        (
            rows[n]["id"].clone(),
            rows[n]["value"]["品"]["value"].clone(),
            rows[n]["value"]["個"]["value"].clone(),
        )
    };
    assert_eq!(row(0), (json!("2"), json!("changed"), json!("")));
    assert_eq!(row(1), (json!("3"), json!(""), json!("")));
    assert_eq!(row(2), (json!("4"), json!(""), json!("1")));

    assert_eq!(put(json!({"id": 1, "revision": 1, "record": {}})).await.outcome(), "409 GAIA_CO02");
    assert_eq!(
        put(json!({"id": 1, "revision": -1, "record": {"商品": {"value": ""}}})).await.json(),
        json!({"revision": "3"})
    );
    assert_eq!(record(1).await["単価"]["value"], "");
    assert_eq!(put(json!({"id": 99, "record": {}})).await.outcome(), "404 GAIA_RE01");
    assert_eq!(
        put(json!({"updateKey": {"field": "鍵", "value": "k2"}, "record": {"数": {"value": 7}}}))
            .await
            .json(),
        json!({"revision": "6"})
    );
    assert_eq!(
        put(json!({"updateKey": {"field": "鍵", "value": "none"}, "record": {}})).await.outcome(),
        "404 GAIA_RE20"
    );
    assert_eq!(
        put(json!({"updateKey": {"field": "数", "value": "7"}, "record": {}})).await.outcome(),
        "400 CB_VA01"
    );
}

#[tokio::test]
async fn batches_are_all_or_nothing() {
    let domain = Domain::start(&world()).await;
    let write = async |method: &str, body: Value| {
        let mut body = body;
        body["app"] = json!("4");
        domain.call(method, "records.json", body).await
    };
    let key = |key: &str| json!({"鍵": {"value": key}});
    let many: Vec<Value> = (0..101).map(|n| key(&n.to_string())).collect();
    assert_eq!(write("POST", json!({"records": many})).await.outcome(), "400 CB_VA01");
    assert_eq!(write("POST", json!({"records": []})).await.json(), json!({"ids": [], "revisions": []}));
    // The second collides with the first of the same call.
    let reply = write("POST", json!({"records": [key("a"), key("a")]})).await;
    assert!(reply.json()["errors"]["records[1].鍵.value"].is_object(), "{}", reply.json());
    assert_eq!(domain.ids(4, "").await, "2 1");
    let reply = write("POST", json!({"records": [key("a"), key("b")]})).await;
    assert_eq!(reply.json(), json!({"ids": ["3", "4"], "revisions": ["1", "1"]}));

    let reply = write(
        "PUT",
        json!({"records": [{"id": 1, "record": {"数": {"value": "9"}}}, {"id": 99, "record": {}}]}),
    )
    .await;
    assert_eq!(reply.outcome(), "404 GAIA_RE01");
    assert_eq!(domain.ids(4, "数 = 9").await, "");
    let reply = write(
        "PUT",
        json!({"upsert": true, "records": [
            {"updateKey": {"field": "鍵", "value": "a"}, "record": {"数": {"value": "9"}}},
            {"updateKey": {"field": "鍵", "value": "new"}, "record": {"数": {"value": "9"}}}]}),
    )
    .await;
    assert_eq!(
        reply.json(),
        json!({"records": [{"id": "3", "revision": "2", "operation": "UPDATE"}, {"id": "5", "revision": "1", "operation": "INSERT"}]})
    );
    assert_eq!(domain.ids(4, "鍵 = \"new\" and 数 = 9").await, "5");

    assert_eq!(write("DELETE", json!({"ids": [1, 99]})).await.outcome(), "404 GAIA_RE01");
    assert_eq!(write("DELETE", json!({"ids": []})).await.outcome(), "400 CB_VA01");
    assert_eq!(write("DELETE", json!({"ids": [2], "revisions": [1]})).await.outcome(), "409 GAIA_CO02");
    assert_eq!(write("DELETE", json!({"ids": ["1", 2], "revisions": [null, 5]})).await.json(), json!({}));
    let target = "/k/v1/records.json?app=4&ids%5B0%5D=5&revisions%5B0%5D=-1";
    let reply = send(domain.emulator.port(), "DELETE", target, &[password("sato", "pw")], None).await;
    assert_eq!(reply.outcome(), "200");
    assert_eq!(domain.ids(4, "").await, "4 3");
    // An id is never given twice.
    assert_eq!(write("POST", json!({"records": [key("z")]})).await.json()["ids"], json!(["6"]));
}
