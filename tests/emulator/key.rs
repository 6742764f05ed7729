//! Which record a write means: ids, keys without duplicates, revisions, upsert.

use serde_json::{Value, json};

use super::{Domain, password, send};

fn world() -> Value {
    json!({
        "users": [{"code": "sato", "name": "佐藤", "password": "pw"}],
        "apps": [{
            "app": {"appId": 1, "code": "KEY"},
            "form": {"properties": {
                "文": {"type": "SINGLE_LINE_TEXT", "unique": true},
                "数": {"type": "NUMBER", "unique": true},
                "リンク": {"type": "LINK", "unique": true, "protocol": "WEB"},
                "日": {"type": "DATE", "unique": true},
                "日時": {"type": "DATETIME", "unique": true},
                "時刻": {"type": "TIME", "unique": true},
                "他": {"type": "SINGLE_LINE_TEXT"}
            }},
            "records": [{"文": {"value": "one"}, "数": {"value": "1"}}, {"文": {"value": "two"}}, {}]
        }]
    })
}

async fn write(domain: &Domain, method: &str, endpoint: &str, body: Value) -> super::Reply {
    let mut body = body;
    body["app"] = json!("1");
    domain.call(method, endpoint, body).await
}

/// The keys of a reply's errors.
fn keys(reply: &super::Reply) -> Vec<String> {
    let errors = reply.json()["errors"].as_object().cloned().unwrap_or_default();
    errors.into_iter().map(|(key, _)| key).collect()
}

#[tokio::test]
async fn values_that_must_be_unique() {
    let domain = Domain::start(&world()).await;
    let post = async |record: Value| write(&domain, "POST", "record.json", json!({"record": record})).await;
    for (code, value, same) in [
        ("文", json!("three"), json!("three")),
        ("数", json!("7.50"), json!(7.5)),
        ("リンク", json!("https://a.example"), json!("https://a.example")),
        ("日", json!("2026-01-01"), json!("2026")),
        ("日時", json!("2026-01-01T00:00:00Z"), json!("2026-01-01T09:00:30+09:00")),
    ] {
        assert_eq!(post(json!({code: {"value": value}})).await.outcome(), "200", "{code}");
        let reply = post(json!({code: {"value": same}})).await;
        let message = json!({"messages": ["This value already exists in another record."]});
        assert_eq!(reply.outcome(), "400 CB_VA01", "{code}");
        assert_eq!(reply.json()["errors"], json!({format!("record.{code}.value"): message}), "{code}");
        // Unset values never collide.
        assert_eq!(post(json!({code: {"value": ""}})).await.outcome(), "200", "{code}");
    }
    // A time cannot be unique, and letters differ by case.
    for _ in 0..2 {
        assert_eq!(post(json!({"時刻": {"value": "09:00"}})).await.outcome(), "200");
    }
    assert_eq!(post(json!({"文": {"value": "ONE"}})).await.outcome(), "200");
    // Its own value, one that its owner gives up in the same call, and one that is given up before.
    let put = async |records: Value| write(&domain, "PUT", "records.json", json!({"records": records})).await;
    let to = |id: u64, text: &str| json!({"id": id, "record": {"文": {"value": text}}});
    assert_eq!(put(json!([to(1, "one")])).await.outcome(), "200");
    let reply = put(json!([to(3, "one"), to(1, "free")])).await;
    assert_eq!(keys(&reply), ["records[0].文.value"]);
    assert_eq!(put(json!([to(1, "free"), to(3, "one")])).await.outcome(), "200");
    assert_eq!(keys(&put(json!([to(1, "one")])).await), ["records[0].文.value"]);
    let pair = json!({"records": [{"文": {"value": "p"}}, {"文": {"value": "q"}}, {"文": {"value": "p"}}]});
    assert_eq!(keys(&write(&domain, "POST", "records.json", pair).await), ["records[2].文.value"]);
    // A deleted record's value is free.
    assert_eq!(write(&domain, "DELETE", "records.json", json!({"ids": [3]})).await.outcome(), "200");
    assert_eq!(put(json!([to(2, "one")])).await.outcome(), "200");
}

#[tokio::test]
async fn records_are_named_by_key() {
    let domain = Domain::start(&world()).await;
    let put = async |body: Value| write(&domain, "PUT", "record.json", body).await;
    let by = |field: &str, value: Value| json!({"updateKey": {"field": field, "value": value}, "record": {"他": {"value": "x"}}});
    for (body, outcome) in [
        (by("文", json!("one")), "200"),
        (by("数", json!("1.0")), "200"),
        (by("数", json!(1)), "200"),
        (by("レコード番号", json!("KEY-1")), "200"),
        (by("レコード番号", json!(1)), "200"),
        (by("レコード番号", json!("KEY-9")), "404 GAIA_RE20"),
        (by("文", json!("none")), "404 GAIA_RE20"),
        (by("数", json!("x")), "404 GAIA_RE20"),
        (by("文", json!("x".repeat(64))), "404 GAIA_RE20"),
        (by("文", json!("x".repeat(65))), "400 CB_VA01"),
        (by("文", json!("")), "400 CB_VA01"),
        (by("文", json!(null)), "400 CB_VA01"),
        (by("他", json!("x")), "400 CB_VA01"),
        (by("日", json!("2026-01-01")), "400 CB_VA01"),
        (by("無い", json!("x")), "400 CB_VA01"),
        (by("$id", json!("1")), "400 CB_VA01"),
        (json!({"record": {}}), "400 CB_VA01"),
        (json!({"id": 1, "updateKey": {"field": "文", "value": "one"}}), "400 CB_VA01"),
        (json!({"id": "x"}), "400 CB_VA01"),
        (json!({"id": 0}), "400 CB_VA01"),
        (json!({"id": 1.5}), "400 CB_VA01"),
        (json!({"id": 99}), "404 GAIA_RE01"),
        (json!({"id": 1, "record": []}), "400 CB_VA01"),
    ] {
        assert_eq!(put(body.clone()).await.outcome(), outcome, "{body}");
    }
    let long = by("文", json!("x".repeat(65)));
    let many = json!({"records": [by("文", json!("one")), long]});
    assert_eq!(keys(&write(&domain, "PUT", "records.json", many).await), ["records[1].updateKey.value"]);
}

#[tokio::test]
async fn revisions_are_held_against_the_record() {
    let domain = Domain::start(&world()).await;
    let put = async |revision: Value| {
        let reply = write(&domain, "PUT", "record.json", json!({"id": 1, "revision": revision})).await;
        if reply.status == 200 {
            reply.json()["revision"].as_str().unwrap().to_owned()
        } else {
            reply.outcome()
        }
    };
    for (revision, outcome) in [
        (json!(1), "2"),
        (json!("2"), "3"),
        (json!(-1), "4"),
        (json!("-1"), "5"),
        (json!(null), "6"),
        (json!(1), "409 GAIA_CO02"),
        (json!("7"), "409 GAIA_CO02"),
        (json!(0), "400 CB_VA01"),
        (json!(-2), "400 CB_VA01"),
        (json!("x"), "400 CB_VA01"),
    ] {
        assert_eq!(put(revision.clone()).await, outcome, "{revision}");
    }
    let two = json!({"records": [{"id": 2, "record": {"他": {"value": "x"}}}, {"id": 1, "revision": 5}]});
    assert_eq!(write(&domain, "PUT", "records.json", two).await.outcome(), "409 GAIA_CO02");
    assert_eq!(domain.ids(1, "他 = \"x\"").await, "");
}

#[tokio::test]
async fn upsert_updates_or_inserts() {
    let domain = Domain::start(&world()).await;
    let upsert = async |records: Value| {
        write(&domain, "PUT", "records.json", json!({"upsert": true, "records": records})).await
    };
    let reply = upsert(json!([
        {"updateKey": {"field": "文", "value": "one"}, "record": {"他": {"value": "x"}}, "revision": 1},
        {"updateKey": {"field": "文", "value": "new"}, "record": {"他": {"value": "x"}}},
        {"id": 99, "record": {"文": {"value": "n99"}}},
        {"id": "2", "record": {"他": {"value": "x"}}},
        // The record that this very call has added.
        {"updateKey": {"field": "文", "value": "new"}, "record": {"他": {"value": "y"}}},
        {"updateKey": {"field": "数", "value": 8}},
    ]))
    .await;
    let done = |id: &str, revision: &str, operation: &str| json!({"id": id, "revision": revision, "operation": operation});
    assert_eq!(
        reply.json(),
        json!({"records": [done("1", "2", "UPDATE"), done("4", "1", "INSERT"), done("5", "1", "INSERT"),
            done("2", "2", "UPDATE"), done("4", "2", "UPDATE"), done("6", "1", "INSERT")]})
    );
    assert_eq!(domain.ids(1, "数 = 8").await, "6");
    assert_eq!(domain.ids(1, "文 = \"new\" and 他 = \"y\"").await, "4");
    let stale = json!([{"id": 77}, {"updateKey": {"field": "文", "value": "one"}, "revision": 1}]);
    assert_eq!(upsert(stale).await.outcome(), "409 GAIA_CO02");
    assert_eq!(domain.ids(1, "").await, "6 5 4 3 2 1");
    assert_eq!(upsert(json!([])).await.json(), json!({"records": []}));
    assert_eq!(upsert(json!([{"record": {}}])).await.outcome(), "400 CB_VA01");
    let reply = write(&domain, "PUT", "records.json", json!({"upsert": "maybe", "records": []})).await;
    assert_eq!(keys(&reply), ["upsert"]);
}

#[tokio::test]
async fn deletion_takes_all_or_none() {
    let domain = Domain::start(&world()).await;
    let delete = async |body: Value| write(&domain, "DELETE", "records.json", body).await;
    for (body, outcome) in [
        (json!({}), "400 CB_VA01"),
        (json!({"ids": []}), "400 CB_VA01"),
        (json!({"ids": 1}), "400 CB_VA01"),
        (json!({"ids": ["x"]}), "400 CB_VA01"),
        (json!({"ids": vec![1; 101]}), "400 CB_VA01"),
        (json!({"ids": [1, 2], "revisions": [1]}), "400 CB_VA01"),
        (json!({"ids": [1, 99]}), "404 GAIA_RE01"),
        (json!({"ids": [1, 2], "revisions": [1, 2]}), "409 GAIA_CO02"),
        (json!({"ids": [1, 2], "revisions": [1, "x"]}), "400 CB_VA01"),
    ] {
        assert_eq!(delete(body.clone()).await.outcome(), outcome, "{body}");
        assert_eq!(domain.ids(1, "").await, "3 2 1", "{body}");
    }
    let target = "/k/v1/records.json?app=1&ids%5B0%5D=1&ids%5B1%5D=3&revisions%5B0%5D=-1&revisions%5B1%5D=1";
    let reply = send(domain.emulator.port(), "DELETE", target, &[password("sato", "pw")], None).await;
    assert_eq!(reply.json(), json!({}));
    assert_eq!(domain.ids(1, "").await, "2");
    assert_eq!(delete(json!({"ids": [2], "revisions": [null]})).await.json(), json!({}));
    let reply = write(&domain, "POST", "record.json", json!({})).await;
    assert_eq!(reply.json(), json!({"id": "4", "revision": "1"}));
    let reply = write(&domain, "POST", "records.json", json!({"records": [{}, 1]})).await;
    assert_eq!(keys(&reply), ["records[1]"]);
    assert_eq!(keys(&write(&domain, "POST", "records.json", json!({})).await), ["records"]);
}
