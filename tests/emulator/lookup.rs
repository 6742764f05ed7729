//! Lookups: what a key copies, and which keys are refused.

use serde_json::{Value, json};

use super::{Domain, Reply, send, token};

fn lookup(app: &str, key: &str, mappings: &[(&str, &str)]) -> Value {
    let mappings: Vec<Value> =
        mappings.iter().map(|(field, related)| json!({"field": field, "relatedField": related})).collect();
    json!({"relatedApp": {"app": app, "code": ""}, "relatedKeyField": key, "fieldMappings": mappings,
        "lookupPickerFields": [], "filterCond": "値段 > 1000", "sort": ""})
}

fn world() -> Value {
    let goods = lookup("2", "名", &[("値", "値段"), ("印", "札")]);
    json!({
        "users": [{"code": "sato", "name": "佐藤", "password": "pw"}],
        "apps": [
            {
                "app": {"appId": 1},
                "apiTokens": ["token1"],
                "form": {"properties": {
                    "品": {"type": "SINGLE_LINE_TEXT", "required": true, "lookup": goods},
                    "値": {"type": "NUMBER"},
                    "印": {"type": "SINGLE_LINE_TEXT", "defaultValue": "none"},
                    "番": {"type": "SINGLE_LINE_TEXT", "lookup": lookup("2", "レコード番号", &[("番の名", "名")])},
                    "番の名": {"type": "SINGLE_LINE_TEXT"},
                    "値引": {"type": "NUMBER", "lookup": lookup("2", "値段", &[])},
                    "親": {"type": "SINGLE_LINE_TEXT", "lookup": lookup("1", "印", &[])},
                    "消": {"type": "SINGLE_LINE_TEXT", "lookup": lookup("99", "名", &[])},
                    "表": {"type": "SUBTABLE", "fields": {
                        "行品": {"type": "SINGLE_LINE_TEXT", "lookup": lookup("2", "名", &[("行値", "値段")])},
                        "行値": {"type": "NUMBER"},
                    }},
                }}
            },
            {
                "app": {"appId": 2, "code": "GOODS"},
                "apiTokens": ["token2"],
                "form": {"properties": {
                    "名": {"type": "SINGLE_LINE_TEXT"}, "値段": {"type": "NUMBER"}, "札": {"type": "SINGLE_LINE_TEXT"}
                }},
                "records": [
                    {"名": {"value": "pen"}, "値段": {"value": "5"}, "札": {"value": "red"}},
                    {"名": {"value": "ink"}, "値段": {"value": "7"}},
                    {"名": {"value": "twin"}, "値段": {"value": "9"}},
                    {"名": {"value": "twin"}, "値段": {"value": "9"}}
                ]
            }
        ]
    })
}

async fn post(domain: &Domain, record: Value) -> Reply {
    domain.call("POST", "record.json", json!({"app": 1, "record": record})).await
}

#[tokio::test]
async fn a_key_copies_and_its_absence_keeps() {
    let domain = Domain::start(&world()).await;
    let read = async || domain.get("record.json?app=1&id=1").await.json()["record"].clone();
    let put = async |record: Value| {
        domain.call("PUT", "record.json", json!({"app": 1, "id": 1, "record": record})).await.outcome()
    };
    let record = json!({"値": {"value": "1"}, "品": {"value": "pen"}, "番": {"value": "GOODS-2"}, "値引": {"value": "5.0"},
        "表": {"value": [{"value": {"行品": {"value": "ink"}, "行値": {"value": 1}}}]}});
    assert_eq!(post(&domain, record).await.outcome(), "200");
    let first = read().await;
    for (code, value) in [("値", "5"), ("印", "red"), ("番", "GOODS-2"), ("番の名", "ink"), ("値引", "5")]
    {
        assert_eq!(first[code]["value"], value, "{code}");
    }
    assert_eq!(first["表"]["value"][0]["value"]["行値"]["value"], "7");
    // The source changes, the copy does not; what is sent for a copy is dropped.
    domain.call("PUT", "record.json", json!({"app": 2, "id": 1, "record": {"値段": {"value": "6"}}})).await;
    assert_eq!(put(json!({"値": {"value": "99"}})).await, "200");
    assert_eq!(read().await["値"]["value"], "5");
    // Copied anew, and cleared with the key.
    assert_eq!(put(json!({"品": {"value": "pen"}})).await, "200");
    assert_eq!(read().await["値"]["value"], "6");
    assert_eq!(put(json!({"番": {"value": ""}})).await, "200");
    assert_eq!(read().await["番の名"]["value"], "");
    let row = json!({"表": {"value": [{"id": "1", "value": {"行品": {"value": ""}}}]}});
    assert_eq!(put(row).await, "200");
    assert_eq!(read().await["表"]["value"][0]["value"]["行値"]["value"], "");
    assert_eq!(put(json!({"品": {"value": ""}})).await, "400 CB_VA01");
    // A record of the app itself.
    assert_eq!(put(json!({"親": {"value": "red"}})).await, "200");
}

#[tokio::test]
async fn keys_without_one_source_are_refused() {
    let domain = Domain::start(&world()).await;
    for (record, outcome) in [
        (json!({"品": {"value": "none"}}), "400 GAIA_LO04"),
        (json!({"品": {"value": "PEN"}}), "400 GAIA_LO04"),
        (json!({"品": {"value": "twin"}}), "400 GAIA_LO03"),
        (json!({"品": {"value": "pen"}, "番": {"value": "9"}}), "400 GAIA_LO04"),
        (json!({"品": {"value": "pen"}, "番": {"value": "x"}}), "400 GAIA_LO04"),
        (json!({"品": {"value": "pen"}, "値引": {"value": "9"}}), "400 GAIA_LO03"),
        (json!({"品": {"value": "pen"}, "消": {"value": "9"}}), "400 GAIA_LO04"),
        (
            json!({"品": {"value": "pen"}, "表": {"value": [{"value": {"行品": {"value": "x"}}}]}}),
            "400 GAIA_LO04",
        ),
        (json!({}), "400 CB_VA01"),
    ] {
        let reply = post(&domain, record.clone()).await;
        assert_eq!(reply.outcome(), outcome, "{record}");
        assert_eq!(reply.json().get("errors").is_some(), outcome.ends_with("CB_VA01"), "{record}");
    }
    let two = json!({"app": 1, "records": [{"品": {"value": "pen"}}, {"品": {"value": "none"}}]});
    assert_eq!(domain.call("POST", "records.json", two).await.outcome(), "400 GAIA_LO04");
    assert_eq!(domain.ids(1, "").await, "");
    // Once there is one source alone, its key will do.
    domain.call("DELETE", "records.json", json!({"app": 2, "ids": [3]})).await;
    assert_eq!(post(&domain, json!({"品": {"value": "twin"}})).await.outcome(), "200");
}

#[tokio::test]
async fn the_source_apps_token_must_come_along() {
    let domain = Domain::start(&world()).await;
    let body = json!({"app": 1, "record": {"品": {"value": "pen"}}}).to_string();
    let post = async |tokens: &str| {
        send(domain.emulator.port(), "POST", "/k/v1/record.json", &[token(tokens)], Some(&body))
            .await
            .outcome()
    };
    assert_eq!(post("token1").await, "400 GAIA_AP15");
    assert_eq!(post("token1,token2").await, "200");
    // The writer is the user of tokens.
    let record = domain.get("record.json?app=1&id=1").await.json();
    assert_eq!(record["record"]["作成者"]["value"]["code"], "Administrator");
}
