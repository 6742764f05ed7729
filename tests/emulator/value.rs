//! Values as they are written: what is stored, and under which parameter which message stands.

use serde_json::{Value, json};

use super::Domain;

/// An app with a field for each rule, none of them required but the last ones.
fn world(required: bool) -> Value {
    let mut properties = json!({
        "短": {"type": "SINGLE_LINE_TEXT", "minLength": "2", "maxLength": "4", "defaultValue": "default"},
        "固": {"type": "SINGLE_LINE_TEXT", "maxLength": "3"},
        "長": {"type": "MULTI_LINE_TEXT", "maxLength": "3"},
        "一": {"type": "SINGLE_LINE_TEXT", "unique": true},
        "数": {"type": "NUMBER", "minValue": "-5", "maxValue": "100"},
        "桁": {"type": "NUMBER"},
        "日": {"type": "DATE"},
        "時刻": {"type": "TIME"},
        "日時": {"type": "DATETIME"},
        "選": {"type": "DROP_DOWN", "options": ["a", "b"], "defaultValue": "a"},
        "丸": {"type": "RADIO_BUTTON", "options": ["a", "b"], "defaultValue": "b"},
        "複": {"type": "MULTI_SELECT", "options": ["x", "y", "z"], "defaultValue": ["y"]},
        "人": {"type": "USER_SELECT", "entities": [{"type": "USER", "code": "zoe"}, {"type": "USER", "code": "sato"}]},
        "誰": {"type": "USER_SELECT", "entities": [{"type": "GROUP", "code": "everyone"}]},
        "組": {"type": "GROUP_SELECT", "entities": [{"type": "GROUP", "code": "everyone"}]},
        "部": {"type": "ORGANIZATION_SELECT"},
        "URL": {"type": "LINK", "protocol": "WEB", "minLength": "9"},
        "電話": {"type": "LINK", "protocol": "CALL"},
        "メール": {"type": "LINK", "protocol": "MAIL"},
        "計": {"type": "CALC", "expression": "1", "format": "NUMBER", "required": true},
        "無": {"type": "RADIO_BUTTON", "options": ["a"], "required": true},
        "表": {"type": "SUBTABLE", "fields": {
            "必": {"type": "SINGLE_LINE_TEXT", "required": true, "maxLength": "3"},
            "行数": {"type": "NUMBER", "maxValue": "9", "defaultValue": "1"},
            "行選": {"type": "CHECK_BOX", "options": ["p", "q"]},
        }},
    });
    properties["短"]["defaultValue"] = json!("dflt");
    if required {
        for code in ["固", "数", "選", "複", "人"] {
            properties[code]["required"] = json!(true);
            properties[code].as_object_mut().unwrap().remove("defaultValue");
        }
    }
    json!({
        "users": [
            {"code": "sato", "name": "佐藤", "password": "pw"},
            {"code": "zoe", "name": "ゾエ", "password": "pw"},
            {"code": "kato", "name": "加藤", "password": "pw"}
        ],
        "organizations": [{"code": "sales"}],
        "groups": [{"code": "everyone"}, {"code": "few"}],
        "apps": [{"app": {"appId": 1}, "form": {"properties": properties},
            "settings": {"numberPrecision": {"digits": "8", "decimalPlaces": "3", "roundingMode": "HALF_EVEN"}}}]
    })
}

async fn post(domain: &Domain, record: &Value) -> super::Reply {
    domain.call("POST", "record.json", json!({"app": 1, "record": record})).await
}

#[tokio::test]
async fn values_are_stored_in_kintones_form() {
    let domain = Domain::start(&world(false)).await;
    for (code, sent, stored) in [
        ("短", json!("😀"), json!("😀")),
        ("短", json!("日本語文"), json!("日本語文")),
        ("長", json!("longer than three"), json!("longer than three")),
        ("固", json!(12), json!("12")),
        ("固", json!(null), json!("")),
        ("数", json!(" 1.5e1 "), json!("15")),
        ("数", json!("+7."), json!("7")),
        ("数", json!("-.5"), json!("-0.5")),
        ("数", json!("1E-1"), json!("0.1")),
        ("数", json!(12.5), json!("12.5")),
        ("数", json!(""), json!("")),
        ("数", json!("100.0004"), json!("100")),
        ("桁", json!("0.0005"), json!("0")),
        ("桁", json!("0.0015"), json!("0.002")),
        ("桁", json!("99999.9994"), json!("99999.999")),
        ("桁", json!("1e-999"), json!("0")),
        ("日", json!("2015"), json!("2015-01-01")),
        ("日", json!("2015-7"), json!("2015-07-01")),
        ("日", json!("2015-7-5"), json!("2015-07-05")),
        ("日", json!(""), json!(null)),
        ("時刻", json!("09:05"), json!("09:05")),
        ("日時", json!("2026-01-01T09:00:59+09:00"), json!("2026-01-01T00:00:00Z")),
        ("日時", json!("2026-01-01T00:00:59Z"), json!("2026-01-01T00:00:00Z")),
        ("日時", json!("2026-01-01T00:00-05:30"), json!("2026-01-01T05:30:00Z")),
        ("日時", json!("2026-01-01"), json!("2026-01-01T00:00:00Z")),
        ("選", json!(""), json!(null)),
        ("複", json!([]), json!([])),
        ("複", json!(["z", "x", "z"]), json!(["x", "z"])),
        ("人", json!([{"code": "zoe"}, {"code": "zoe"}]), json!([{"code": "zoe", "name": "ゾエ"}])),
        ("誰", json!([{"code": "kato"}]), json!([{"code": "kato", "name": "加藤"}])),
        ("URL", json!("http://a.example"), json!("http://a.example")),
        ("電話", json!("+81-3 (1234)"), json!("+81-3 (1234)")),
        ("メール", json!("a@b.example"), json!("a@b.example")),
    ] {
        // The URL's shortest length is asked for on every record.
        let mut record = json!({"URL": {"value": "https://a.example"}});
        record[code] = json!({"value": sent, "type": "ANY"});
        let reply = post(&domain, &record).await;
        assert_eq!(reply.outcome(), "200", "{code} {sent}: {}", reply.json());
        let id = reply.json()["id"].as_str().unwrap().to_owned();
        let read = domain.get(&format!("record.json?app=1&id={id}")).await.json();
        assert_eq!(read["record"][code]["value"], stored, "{code} {sent}");
    }
}

#[tokio::test]
async fn wrong_values_are_named() {
    let domain = Domain::start(&world(false)).await;
    for (code, sent, key, message) in [
        ("短", json!("12345"), "record.短.value", "Enter less than 5 characters."),
        // Two units each in UTF-16.
        ("短", json!("😀😀😀"), "record.短.value", "Enter less than 5 characters."),
        ("短", json!("1"), "record.短.value", "Enter more than 1 characters."),
        ("短", json!(""), "record.短.value", "Enter more than 1 characters."),
        ("短", json!(["a"]), "record.短.value", "Enter a text."),
        ("一", json!("x".repeat(65)), "record.一.value", "Enter less than 65 characters."),
        ("数", json!("abc"), "record[数].value", "Only numbers are allowed."),
        ("数", json!("1,000"), "record[数].value", "Only numbers are allowed."),
        ("数", json!("１"), "record[数].value", "Only numbers are allowed."),
        ("数", json!({"a": 1}), "record[数].value", "Only numbers are allowed."),
        ("数", json!("100.001"), "record.数.value", "The value must be 100 or less."),
        ("数", json!(-6), "record.数.value", "The value must be -5 or more."),
        ("桁", json!("100000"), "record.桁.value", "The number of significant digits exceeds 8."),
        ("桁", json!("99999.9996"), "record.桁.value", "The number of significant digits exceeds 8."),
        ("桁", json!("1e99999"), "record.桁.value", "The number of significant digits exceeds 8."),
        ("日", json!("15-07-05"), "record.日.value", "Enter a date."),
        ("日", json!("2015-02-30"), "record.日.value", "Enter a date."),
        ("日", json!(" 2015-02-03"), "record.日.value", "Enter a date."),
        ("日", json!("2015/02/03"), "record.日.value", "Enter a date."),
        ("時刻", json!("25:00"), "record.時刻.value", "Enter a time."),
        ("日時", json!("2026-01-01T00:00:00"), "record.日時.value", "Enter a date and time."),
        ("選", json!("c"), "record.選.value", "The value, \"c\", is not in options."),
        ("丸", json!("c"), "record.丸.value", "The value, \"c\", is not in options."),
        ("複", json!(["x", "c"]), "record.複.values[1].value", "The value, \"c\", is not in options."),
        ("複", json!("x"), "record.複.values", "Enter an array."),
        ("人", json!([{"code": "who"}]), "record.人.values.value", "\"who\" was not found."),
        ("人", json!([{"code": "kato"}]), "record.人.values.value", "\"kato\" cannot be selected."),
        ("組", json!([{"code": "few"}]), "record.組.values.value", "\"few\" cannot be selected."),
        ("部", json!([{"code": "few"}]), "record.部.values.value", "\"few\" was not found."),
        ("URL", json!("ftp://a.example"), "record.URL.value", "The URL format is not valid."),
        ("URL", json!(""), "record.URL.value", "Enter more than 8 characters."),
        ("電話", json!("abc"), "record.電話.value", "The URL format is not valid."),
        ("メール", json!("ab"), "record.メール.value", "The URL format is not valid."),
        ("作成者", json!({"code": "who"}), "record.作成者.value", "\"who\" was not found."),
        ("作成日時", json!("soon"), "record.作成日時.value", "Enter a date and time."),
        ("表", json!("x"), "record.表.value", "Enter an array."),
        ("表", json!([1]), "record.表.value[0]", "Enter an object."),
        ("表", json!([{}]), "record.表.value[0].value.必.value", "Required."),
        (
            "表",
            json!([{"value": {"必": {"value": "long"}}}]),
            "record.表.value[0].value.必.value",
            "Enter less than 4 characters.",
        ),
        (
            "表",
            json!([{"value": {"必": {"value": "a"}, "行数": {"value": 10}}}]),
            "record.表.value[0].value.行数.value",
            "The value must be 9 or less.",
        ),
        (
            "表",
            json!([{"value": {"必": {"value": "a"}, "行選": {"value": ["p", "r"]}}}]),
            "record.表.value[0].value.行選.values[1].value",
            "The value, \"r\", is not in options.",
        ),
    ] {
        let mut record = json!({"URL": {"value": "https://a.example"}});
        record[code] = json!({"value": sent});
        let reply = post(&domain, &record).await;
        assert_eq!(reply.outcome(), "400 CB_VA01", "{code} {sent}");
        assert_eq!(reply.json()["errors"], json!({key: {"messages": [message]}}), "{code} {sent}");
    }
    // Two things wrong with one value, and a field that is no object.
    let reply = post(&domain, &json!({"URL": {"value": "x"}})).await;
    let messages = json!(["Enter more than 8 characters.", "The URL format is not valid."]);
    assert_eq!(reply.json()["errors"], json!({"record.URL.value": {"messages": messages}}));
    let reply = post(&domain, &json!({"URL": {"value": "https://a.example"}, "数": 1})).await;
    assert_eq!(reply.json()["errors"], json!({"record.数": {"messages": ["Enter an object."]}}));
    assert_eq!(post(&domain, &json!([])).await.json()["errors"]["record"]["messages"][0], "Enter an object.");
    assert_eq!(domain.ids(1, "").await, "");
}

#[tokio::test]
async fn required_fields_and_defaults() {
    let domain = Domain::start(&world(true)).await;
    let errors = |reply: &super::Reply| {
        let errors = reply.json()["errors"].clone();
        let mut keys: Vec<String> = errors.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    };
    let reply = post(&domain, &json!({})).await;
    let mut expected = vec![
        // Neither the calculated field nor the radio buttons.
        "record.URL.value",
        "record.人.values.value",
        "record.固.value",
        "record.数.value",
        "record.複.values",
        "record.選.value",
    ];
    expected.sort_unstable();
    assert_eq!(errors(&reply), expected);
    // What is no number or no option counts as nothing.
    let junk = json!({"URL": {"value": "https://a.example"}, "人": {"value": [{"code": "zoe"}]}, "固": {"value": "a"},
        "選": {"value": "a"}, "数": {"value": "junk"}, "複": {"value": ["x", "junk"]}});
    let mut expected =
        vec!["record.数.value", "record.複.values", "record.複.values[1].value", "record[数].value"];
    expected.sort_unstable();
    assert_eq!(errors(&post(&domain, &junk).await), expected);
    let mut good = junk;
    good["数"] = json!({"value": 1});
    good["複"] = json!({"value": ["x"]});
    assert_eq!(post(&domain, &good).await.json(), json!({"id": "1", "revision": "1"}));
    // Of the merged record, whatever was sent.
    let put = async |record: Value| {
        domain.call("PUT", "record.json", json!({"app": 1, "id": 1, "record": record})).await
    };
    assert_eq!(put(json!({"桁": {"value": 5}})).await.json(), json!({"revision": "2"}));
    assert_eq!(errors(&put(json!({"固": {"value": null}})).await), ["record.固.value"]);
    assert_eq!(errors(&put(json!({"人": {"value": []}})).await), ["record.人.values.value"]);
    // Both records of one call.
    let two = json!({"app": 1, "records": [{"URL": {"value": "x"}}, {"固": {"value": "toolong"}}]});
    let reply = domain.call("POST", "records.json", two).await;
    let keys = errors(&reply);
    assert!(keys.contains(&"records[0].URL.value".to_owned()), "{keys:?}");
    assert!(keys.contains(&"records[1].固.value".to_owned()), "{keys:?}");

    let domain = Domain::start(&world(false)).await;
    let url = json!({"value": "https://a.example"});
    post(&domain, &json!({"URL": url, "計": {"value": "9"}, "レコード番号": {"value": "99"}})).await;
    post(&domain, &json!({"URL": url, "選": {"value": ""}, "複": {"value": []}, "丸": {"value": null}}))
        .await;
    let read =
        async |id: u64| domain.get(&format!("record.json?app=1&id={id}")).await.json()["record"].clone();
    let (first, second) = (read(1).await, read(2).await);
    for (code, one, two) in [
        ("短", json!("dflt"), json!("dflt")),
        ("選", json!("a"), json!(null)),
        ("複", json!(["y"]), json!([])),
        ("丸", json!("b"), json!("")),
        ("レコード番号", json!("1"), json!("2")),
        ("計", json!(""), json!("")),
    ] {
        if code != "計" {
            assert_eq!((&first[code]["value"], &second[code]["value"]), (&one, &two), "{code}");
        } else {
            assert_ne!(first[code]["value"], "9");
        }
    }
    // Never on a PUT.
    domain.call("PUT", "record.json", json!({"app": 1, "id": 2, "record": {"桁": {"value": "1"}}})).await;
    assert_eq!(read(2).await["選"]["value"], Value::Null);
}

#[tokio::test]
async fn who_and_when_can_be_set_on_new_records_alone() {
    let domain = Domain::start(&world(false)).await;
    let system = json!({"URL": {"value": "https://a.example"}, "作成者": {"value": {"code": "zoe"}},
        "更新者": {"value": {"code": "kato"}}, "作成日時": {"value": "2020-01-01T09:00:30+09:00"},
        "更新日時": {"value": "2020-01-02"}});
    assert_eq!(post(&domain, &system).await.outcome(), "200");
    let read = async || domain.get("record.json?app=1&id=1").await.json()["record"].clone();
    let record = read().await;
    assert_eq!(record["作成者"]["value"], json!({"code": "zoe", "name": "ゾエ"}));
    assert_eq!(record["更新者"]["value"]["code"], "kato");
    assert_eq!(record["作成日時"]["value"], "2020-01-01T00:00:00Z");
    assert_eq!(record["更新日時"]["value"], "2020-01-02T00:00:00Z");
    let change = json!({"作成者": {"value": {"code": "kato"}}, "作成日時": {"value": "1999-01-01"}});
    let reply = domain.call("PUT", "record.json", json!({"app": 1, "id": 1, "record": change})).await;
    assert_eq!(reply.json(), json!({"revision": "2"}));
    let record = read().await;
    assert_eq!(
        (&record["作成者"]["value"]["code"], &record["更新者"]["value"]["code"]),
        (&json!("zoe"), &json!("sato"))
    );
    assert_eq!(record["作成日時"]["value"], "2020-01-01T00:00:00Z");
}

#[tokio::test]
async fn tables_are_replaced_and_merged_by_row() {
    let domain = Domain::start(&world(false)).await;
    let url = json!({"value": "https://a.example"});
    let rows = async || {
        let record = domain.get("record.json?app=1&id=1").await.json()["record"].clone();
        let shown = record["表"]["value"].as_array().unwrap().iter().map(|row| {
            let value = |code: &str| row["value"][code]["value"].as_str().unwrap().to_owned();
            format!("{}:{}:{}", row["id"].as_str().unwrap(), value("必"), value("行数"))
        });
        shown.collect::<Vec<_>>().join(" ")
    };
    let put = async |table: Value| {
        let body = json!({"app": 1, "id": 1, "record": {"表": {"value": table}}});
        domain.call("PUT", "record.json", body).await.outcome()
    };
    let cell = |text: &str| json!({"必": {"value": text}});
    let table = json!([
        {"value": {"必": {"value": "a"}, "行数": {"value": "junk"}}},
        {"id": null, "value": cell("b")},
        {"id": "77", "value": {"必": {"value": "c"}, "行数": {"value": ""}}},
    ]);
    assert_eq!(post(&domain, &json!({"URL": url, "表": {"value": table}})).await.outcome(), "200");
    // What is no number is silently dropped, a default is for what was not sent.
    assert_eq!(rows().await, "1:a: 2:b:1 3:c:");
    // The key is absent: they stay.
    domain.call("PUT", "record.json", json!({"app": 1, "id": 1, "record": {"桁": {"value": 1}}})).await;
    assert_eq!(rows().await, "1:a: 2:b:1 3:c:");
    // A known row keeps what was not sent, an unknown one is new, one that is missing goes, the order is the call's.
    let table = json!([{"id": 3, "value": {"行数": {"value": 5}}}, {"id": 99, "value": cell("d")}, {"id": "2"}, {"id": "2", "value": cell("e")}]);
    assert_eq!(put(table).await, "200");
    assert_eq!(rows().await, "3:c:5 4:d:1 2:b:1 5:e:1");
    assert_eq!(put(json!([{"id": 3, "value": cell("")}])).await, "400 CB_VA01");
    assert_eq!(put(json!([])).await, "200");
    assert_eq!(rows().await, "");
    assert_eq!(put(json!([{"value": cell("f")}])).await, "200");
    assert_eq!(rows().await, "6:f:1");
}
