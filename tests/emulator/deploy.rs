//! Settings: changed in the preview, and brought live.

use std::time::Duration;

use kintone_sql::emulator::{Options, Unknowns};
use serde_json::{Value, json};

use super::{Domain, password, send, token};

const FIELDS: &str = "preview/app/form/fields.json";

/// Two apps: customers, and deals that look them up. Deploys end with the next request.
async fn domain(deploy_time: Duration) -> Domain {
    let world = json!({
        "users": [{"code": "sato", "name": "佐藤", "password": "pw"}],
        "apps": [
            {
                "app": {"name": "顧客", "modifiedAt": "2026-01-01T00:00:00Z"},
                "apiTokens": ["t1"],
                "form": {"properties": {
                    "番号": {"type": "SINGLE_LINE_TEXT", "unique": true},
                    "社名": {"type": "SINGLE_LINE_TEXT"},
                    "額": {"type": "NUMBER"},
                    "区分": {"type": "DROP_DOWN", "options": ["A", "B"]},
                    "印": {"type": "CHECK_BOX", "options": ["x", "y"]},
                    "明細": {"type": "SUBTABLE", "fields": {
                        "品": {"type": "SINGLE_LINE_TEXT"}, "数": {"type": "NUMBER"}
                    }}
                }},
                "records": [
                    {"番号": {"value": "c1"}, "社名": {"value": "同じ"}, "額": {"value": "10"},
                     "区分": {"value": "A"}, "印": {"value": ["x", "y"]},
                     "明細": {"value": [{"value": {"品": {"value": "pen"}, "数": {"value": "3"}}}]}},
                    {"番号": {"value": "c2"}, "社名": {"value": "同じ"}, "区分": {"value": "B"}}
                ]
            },
            {
                "app": {"name": "案件"},
                "form": {"properties": {"件名": {"type": "SINGLE_LINE_TEXT"}}},
                "records": [{"件名": {"value": "d1"}}]
            },
            {"app": {"name": "客"}, "guestSpaceId": 5, "form": {"properties": {}}}
        ]
    });
    Domain::with(&world, Options { deploy_time, ..Options::default() }).await
}

impl Domain {
    /// Brings an app live and says how that ended.
    async fn deploy(&self, app: u64) -> String {
        let reply = self.call("POST", "preview/app/deploy.json", json!({"apps": [{"app": app}]})).await;
        if reply.status != 200 {
            return reply.outcome();
        }
        assert_eq!(reply.json(), json!({}));
        self.deploy_status(app).await
    }

    async fn deploy_status(&self, app: u64) -> String {
        let reply = self.get(&format!("preview/app/deploy.json?apps%5B0%5D={app}")).await.json();
        assert_eq!(reply["apps"][0]["app"], app.to_string());
        reply["apps"][0]["status"].as_str().unwrap().to_owned()
    }

    async fn change(&self, method: &str, path: &str, body: Value) -> String {
        self.call(method, path, body).await.outcome()
    }

    /// A definition of a form.
    async fn field(&self, path: &str, app: u64, code: &str) -> Value {
        self.get(&format!("{path}?app={app}")).await.json()["properties"][code].clone()
    }

    async fn record(&self, app: u64, id: u64) -> Value {
        self.get(&format!("record.json?app={app}&id={id}")).await.json()["record"].clone()
    }
}

#[tokio::test]
async fn an_app_is_made_filled_and_brought_live() {
    let domain = domain(Duration::ZERO).await;
    let made = domain.call("POST", "preview/app.json", json!({"name": "新しい"})).await.json();
    assert_eq!(made["app"], "4");
    assert_eq!(domain.get("app.json?id=4").await.outcome(), "404 GAIA_AP01", "it is not live");
    assert_eq!(domain.deploy_status(4).await, "CANCEL");
    let added = domain
        .call(
            "POST",
            FIELDS,
            json!({"app": 4, "revision": made["revision"], "properties": {
                "題": {"type": "SINGLE_LINE_TEXT", "code": "題", "label": "題名", "required": true},
                "色": {"type": "RADIO_BUTTON", "code": "色", "label": "色", "defaultValue": "赤",
                       "options": {"青": {"label": "青", "index": 1}, "赤": {"label": "赤", "index": "0"}}},
                "表": {"type": "SUBTABLE", "code": "表", "label": "表", "fields": {
                    "値": {"type": "NUMBER", "code": "値", "label": "値"}}},
                "計": {"type": "CALC", "code": "計", "label": "計", "expression": "SUM(値)"}
            }}),
        )
        .await;
    assert_eq!(added.json()["revision"], "3");
    let color = domain.field(FIELDS, 4, "色").await;
    assert_eq!(
        color["options"],
        json!({"赤": {"label": "赤", "index": "0"}, "青": {"label": "青", "index": "1"}})
    );
    let text = domain.field(FIELDS, 4, "題").await;
    assert_eq!(
        (&text["maxLength"], &text["unique"], &text["noLabel"]),
        (&json!(""), &json!(false), &json!(false))
    );
    let layout = domain.get("preview/app/form/layout.json?app=4").await.json();
    assert_eq!(layout["layout"][2]["fields"][0]["code"], "値");
    assert_eq!(domain.deploy(4).await, "SUCCESS");
    assert_eq!(domain.get("app/form/fields.json?app=4").await.json()["revision"], "3");
    assert_eq!(domain.get("app.json?id=4").await.json()["name"], "新しい");
    assert_eq!(domain.change("POST", "record.json", json!({"app": 4, "record": {}})).await, "400 CB_VA01");
    let record = json!({"app": 4, "record": {"題": {"value": "一"}}});
    assert_eq!(domain.change("POST", "record.json", record).await, "200");
    let record = domain.record(4, 1).await;
    assert_eq!((&record["色"]["value"], &record["表"]["value"]), (&json!("赤"), &json!([])));
    for (body, expected) in [
        (json!({}), "400 CB_VA01"),
        (json!({"name": "あ".repeat(65)}), "400 CB_VA01"),
        (json!({"name": "x", "space": 9}), "403 CB_NO02"),
        (json!({"name": "x", "space": "a"}), "400 CB_VA01"),
    ] {
        assert_eq!(domain.change("POST", "preview/app.json", body.clone()).await, expected, "{body}");
    }
}

#[tokio::test]
async fn records_follow_their_fields() {
    let domain = domain(Duration::ZERO).await;
    let before = domain.get("app.json?id=1").await.json();
    // Renamed, in another order, with renamed options; one column renamed, one gone, one new; one field gone.
    let change = json!({"app": 1, "properties": {
        "区分": {"type": "DROP_DOWN", "code": "種別", "options": {
            "B": {"label": "A", "index": 0}, "A": {"label": "C", "index": 1}}},
        "印": {"type": "CHECK_BOX", "options": {"y": {"label": "y", "index": 0}}},
        "明細": {"type": "SUBTABLE", "fields": {
            "個数": {"type": "NUMBER", "code": "個数", "label": "個数"},
            "品": {"type": "SINGLE_LINE_TEXT", "code": "品名"}}}
    }});
    assert_eq!(domain.change("PUT", FIELDS, change).await, "200");
    assert_eq!(domain.change("DELETE", FIELDS, json!({"app": 1, "fields": ["額"]})).await, "200");
    let add = json!({"app": 1, "properties": {
        "額": {"type": "NUMBER", "code": "額", "label": "額"},
        "日": {"type": "DATE", "code": "日", "label": "日"}}});
    assert_eq!(domain.change("POST", FIELDS, add).await, "200");
    assert_eq!(domain.record(1, 1).await["額"]["value"], "10", "nothing is live yet");
    assert_eq!(domain.get("app/form/fields.json?app=1").await.json()["revision"], "1");
    assert_eq!(domain.get("preview/app/form/fields.json?app=1").await.json()["revision"], "4");
    assert_eq!(domain.deploy(1).await, "SUCCESS");
    let record = domain.record(1, 1).await;
    assert_eq!(record["種別"], json!({"type": "DROP_DOWN", "value": "C"}), "the option has a new name");
    assert_eq!(record["印"]["value"], json!(["x", "y"]), "an option that is gone stays in records");
    assert_eq!(record["額"]["value"], "", "a new field under an old code");
    assert_eq!(record["日"]["value"], Value::Null);
    let row = &record["明細"]["value"][0];
    assert_eq!(
        row["value"],
        json!({
        "品名": {"type": "SINGLE_LINE_TEXT", "value": "pen"}, "個数": {"type": "NUMBER", "value": ""}})
    );
    assert_eq!(row["id"], "1", "rows keep their ids");
    assert_eq!((&record["社名"]["value"], &record["$revision"]["value"]), (&json!("同じ"), &json!("1")));
    assert_eq!(domain.record(1, 2).await["種別"]["value"], "A", "two names changed places");
    assert_eq!(domain.ids(1, "種別 in (\"C\")").await, "1");
    assert_eq!(domain.ids(1, "区分 in (\"A\")").await, "400 GAIA_IQ11");
    let after = domain.get("app.json?id=1").await.json();
    assert_ne!(before["modifiedAt"], after["modifiedAt"]);
    assert_eq!(before["createdAt"], after["createdAt"]);
    assert_eq!(domain.get("app/form/fields.json?app=1").await.json()["revision"], "4");
    // Ids go on where they were.
    assert_eq!(domain.change("DELETE", "records.json", json!({"app": 1, "ids": [2]})).await, "200");
    let change = json!({"app": 1, "name": "取引先"});
    assert_eq!(domain.change("PUT", "preview/app/settings.json", change).await, "200");
    assert_eq!(domain.deploy(1).await, "SUCCESS");
    assert_eq!(domain.call("POST", "record.json", json!({"app": 1})).await.json()["id"], "3");
}

#[tokio::test]
async fn definitions_are_checked() {
    let domain = domain(Duration::ZERO).await;
    let text = |more: Value| {
        let mut field = json!({"type": "SINGLE_LINE_TEXT", "code": "新", "label": "新"});
        field.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"新": field})
    };
    let of = |kind: &str, more: Value| {
        text(
            more.as_object()
                .map(|m| {
                    let mut m = m.clone();
                    m.insert("type".into(), json!(kind));
                    Value::Object(m)
                })
                .unwrap(),
        )
    };
    let coded = |code: &str| json!({code: {"type": "DATE", "code": code, "label": "x"}});
    let option = json!({"a": {"label": "a", "index": "0"}});
    let lookup = |app: Value, key: &str, field: &str, from: &str| {
        of(
            "SINGLE_LINE_TEXT",
            json!({"lookup": {
            "relatedApp": {"app": app}, "relatedKeyField": key,
            "fieldMappings": [{"field": field, "relatedField": from}],
            "lookupPickerFields": [], "filterCond": "", "sort": ""}}),
        )
    };
    let cases = [
        (json!({}), "400 CB_VA01", "properties"),
        (json!({"新": 1}), "400 CB_VA01", "properties[新]"),
        (of("NOTHING", json!({})), "400 CB_VA01", "properties[新].type"),
        (of("CREATOR", json!({})), "400 CB_VA01", "properties[新].type"),
        (json!({"新": {"code": "新", "label": "新"}}), "400 CB_VA01", "properties[新].type"),
        (json!({"新": {"type": "DATE", "label": "新"}}), "400 CB_VA01", "properties[新].code"),
        (json!({"新": {"type": "DATE", "code": "別", "label": "新"}}), "400 CB_VA01", "properties[新].code"),
        (json!({"新": {"type": "DATE", "code": "新"}}), "400 CB_VA01", "properties[新].label"),
        (text(json!({"label": "あ".repeat(129)})), "400 CB_VA01", "properties[新].label"),
        (coded("件名"), "400 CB_VA01", "properties[件名].code"),
        (coded("作成者"), "400 CB_VA01", "properties[作成者].code"),
        (coded("1a"), "400 CB_VA01", "properties[1a].code"),
        (coded("a-b"), "400 CB_VA01", "properties[a-b].code"),
        (coded("not"), "400 CB_VA01", "properties[not].code"),
        (coded(&"a".repeat(129)), "400 CB_VA01", ""),
        (coded("ｶﾅ_$￥・a1"), "200", ""),
        (text(json!({"required": "yes"})), "400 CB_VA01", "properties[新].required"),
        (text(json!({"maxLength": "x"})), "400 CB_VA01", "properties[新].maxLength"),
        (text(json!({"maxLength": 3, "minLength": "4"})), "400 CB_VA01", "properties[新].minLength"),
        (of("NUMBER", json!({"minValue": "2", "maxValue": "1"})), "400 CB_VA01", "properties[新].minValue"),
        (of("NUMBER", json!({"displayScale": 11})), "400 CB_VA01", "properties[新].displayScale"),
        (of("LINK", json!({"protocol": "FTP"})), "400 CB_VA01", "properties[新].protocol"),
        (of("DATE", json!({"defaultValue": "tomorrow"})), "400 CB_VA01", "properties[新].defaultValue"),
        (of("DROP_DOWN", json!({})), "400 CB_VA01", "properties[新].options"),
        (of("DROP_DOWN", json!({"options": {"a": {"label": "a"}}})), "400 CB_VA01", "properties[新].options"),
        (
            of("CHECK_BOX", json!({"options": option, "defaultValue": ["b"]})),
            "400 CB_VA01",
            "properties[新].defaultValue",
        ),
        (of("FILE", json!({"thumbnailSize": "7"})), "400 CB_VA01", "properties[新].thumbnailSize"),
        (
            of("USER_SELECT", json!({"entities": [{"type": "X", "code": "a"}]})),
            "400 CB_VA01",
            "properties[新].entities",
        ),
        (of("SUBTABLE", json!({})), "400 CB_VA01", "properties[新].fields"),
        (
            of("SUBTABLE", json!({"fields": {"列": {"type": "GROUP", "code": "列", "label": "列"}}})),
            "400 CB_VA01",
            "properties[新].fields[列].type",
        ),
        (
            of(
                "SUBTABLE",
                json!({"fields": {"列": {"type": "DATE", "code": "列", "label": "列", "unique": true}}}),
            ),
            "400 CB_VA01",
            "properties[新].fields[列].unique",
        ),
        (of("CALC", json!({})), "400 CB_VA01", "properties[新].expression"),
        (
            of("CALC", json!({"expression": "1", "format": "CURRENCY"})),
            "400 CB_VA01",
            "properties[新].format",
        ),
        (of("CALC", json!({"expression": "無い + 1"})), "400 GAIA_IL01", ""),
        (of("CALC", json!({"expression": "TODAY()"})), "400 GAIA_IL01", ""),
        (of("CALC", json!({"expression": "新 + 1"})), "400 GAIA_IL01", ""),
        (text(json!({"expression": "件名 &"})), "400 GAIA_IL01", ""),
        (lookup(json!(99), "番号", "件名", "社名"), "404 GAIA_AP01", ""),
        (lookup(json!(1), "無い", "件名", "社名"), "400 GAIA_FC01", ""),
        (lookup(json!(1), "番号", "無い", "社名"), "400 GAIA_FC01", ""),
        (lookup(json!(1), "番号", "件名", "無い"), "400 GAIA_FC01", ""),
        (of("REFERENCE_TABLE", json!({})), "400 CB_VA01", "properties[新].referenceTable"),
    ];
    for (properties, expected, at) in cases {
        let reply = domain.call("POST", FIELDS, json!({"app": 2, "properties": properties})).await;
        assert_eq!(reply.outcome(), expected, "{properties}");
        if !at.is_empty() {
            let errors = reply.json()["errors"].clone();
            assert!(errors.get(at).is_some(), "{properties}: {errors}");
        }
    }
    // Only what was accepted is there.
    assert_eq!(domain.field(FIELDS, 2, "新").await, Value::Null);
    for (method, body, expected) in [
        ("PUT", json!({"app": 2, "properties": {"無い": {"type": "DATE"}}}), "400 GAIA_FC01"),
        ("PUT", json!({"app": 2, "properties": {"件名": {"type": "NUMBER"}}}), "400 CB_VA01"),
        ("PUT", json!({"app": 2, "properties": {"件名": {"label": "x"}}}), "400 CB_VA01"),
        (
            "PUT",
            json!({"app": 2, "properties": {"件名": {"type": "SINGLE_LINE_TEXT", "code": "作成者"}}}),
            "400 CB_VA01",
        ),
        (
            "PUT",
            json!({"app": 2, "revision": 1, "properties": {"件名": {"type": "SINGLE_LINE_TEXT"}}}),
            "409 GAIA_CO02",
        ),
        (
            "PUT",
            json!({"app": 2, "revision": "-1", "properties": {"件名": {"type": "SINGLE_LINE_TEXT"}}}),
            "200",
        ),
        ("DELETE", json!({"app": 2, "fields": []}), "400 CB_VA01"),
        ("DELETE", json!({"app": 2, "fields": ["無い"]}), "400 GAIA_FC01"),
        ("DELETE", json!({"app": 2, "fields": ["作成者"]}), "400 CB_VA01"),
        ("DELETE", json!({"app": 9, "fields": ["件名"]}), "404 GAIA_AP01"),
        ("DELETE", json!({"app": 3, "fields": ["件名"]}), "400 GAIA_IL23"),
    ] {
        assert_eq!(domain.change(method, FIELDS, body.clone()).await, expected, "{body}");
    }
}

#[tokio::test]
async fn lookups_need_unique_keys_and_keep_them() {
    let domain = domain(Duration::ZERO).await;
    let lookup = |key: &str| {
        json!({"app": 2, "properties": {"客": {"type": "SINGLE_LINE_TEXT", "code": "客", "label": "客", "lookup": {
            "relatedApp": {"app": "1"}, "relatedKeyField": key,
            "fieldMappings": [{"field": "件名", "relatedField": "社名"}],
            "lookupPickerFields": ["社名"], "filterCond": "", "sort": "番号 desc"}}}})
    };
    assert_eq!(domain.change("POST", FIELDS, lookup("社名")).await, "200");
    assert_eq!(domain.deploy(2).await, "400 GAIA_LO03");
    assert_eq!(domain.change("DELETE", FIELDS, json!({"app": 2, "fields": ["客"]})).await, "200");
    assert_eq!(domain.change("POST", FIELDS, lookup("番号")).await, "200");
    assert_eq!(domain.deploy(2).await, "SUCCESS");
    let record = json!({"app": 2, "record": {"客": {"value": "c1"}}});
    assert_eq!(domain.change("POST", "record.json", record).await, "200");
    assert_eq!(domain.record(2, 2).await["件名"]["value"], "同じ");
    assert_eq!(domain.change("DELETE", FIELDS, json!({"app": 1, "fields": ["番号"]})).await, "400 GAIA_LO02");
    let field = json!({"type": "SINGLE_LINE_TEXT", "lookup": {}});
    assert_eq!(
        domain.change("PUT", FIELDS, json!({"app": 1, "properties": {"社名": field}})).await,
        "400 CB_VA01",
        "a field cannot become a lookup"
    );
    // Two records have the same name, so that it cannot become unique.
    let unique = json!({"app": 1, "properties": {"社名": {"type": "SINGLE_LINE_TEXT", "unique": true}}});
    assert_eq!(domain.change("PUT", FIELDS, unique).await, "200");
    assert_eq!(domain.deploy(1).await, "FAIL");
    assert_eq!(domain.field("app/form/fields.json", 1, "社名").await["unique"], false);
    // All apps of a call, or none.
    let change = json!({"app": 2, "name": "別"});
    assert_eq!(domain.change("PUT", "preview/app/settings.json", change).await, "200");
    let both = json!({"apps": [{"app": 2}, {"app": 1}]});
    assert_eq!(domain.change("POST", "preview/app/deploy.json", both).await, "200");
    assert_eq!(domain.deploy_status(2).await, "FAIL");
    assert_eq!(domain.get("app.json?id=2").await.json()["name"], "案件");
}

#[tokio::test]
async fn formulas_layouts_and_views_follow_a_new_code() {
    let domain = domain(Duration::ZERO).await;
    let add = json!({"app": 1, "properties": {
        "倍": {"type": "CALC", "code": "倍", "label": "倍", "expression": "額 * 2 + SUM(数)"}}});
    assert_eq!(domain.change("POST", FIELDS, add).await, "200");
    let views = json!({"app": 1, "views": {"表": {"type": "LIST", "index": 0, "fields": ["額", "社名"]}}});
    assert_eq!(domain.change("PUT", "preview/app/views.json", views).await, "200");
    let rename = json!({"app": 1, "properties": {"額": {"type": "NUMBER", "code": "金額"}}});
    assert_eq!(domain.change("PUT", FIELDS, rename).await, "200");
    assert_eq!(domain.field(FIELDS, 1, "倍").await["expression"], "金額 * 2 + SUM(数)");
    assert_eq!(domain.change("DELETE", FIELDS, json!({"app": 1, "fields": ["数"]})).await, "200");
    assert_eq!(domain.deploy(1).await, "400 GAIA_IL01", "the formula lost a field");
    let change = json!({"app": 1, "properties": {"倍": {"type": "CALC", "expression": "金額 * 3"}}});
    assert_eq!(domain.change("PUT", FIELDS, change).await, "200");
    assert_eq!(domain.deploy(1).await, "SUCCESS");
    assert_eq!(domain.record(1, 1).await["倍"]["value"], "30", "a new formula is computed for what there is");
    assert_eq!(domain.ids(1, "倍 = 30").await, "1");
    assert_eq!(
        domain.get("app/views.json?app=1").await.json()["views"]["表"]["fields"],
        json!(["金額", "社名"])
    );
    let layout = domain.get("app/form/layout.json?app=1").await.json()["layout"].to_string();
    assert!(layout.contains("金額") && !layout.contains("数") && layout.contains("倍"), "{layout}");
}

#[tokio::test]
async fn layouts_place_every_field_once() {
    let domain = domain(Duration::ZERO).await;
    let item = |kind: &str, code: &str| json!({"type": kind, "code": code, "size": {"width": 200}});
    let text = item("SINGLE_LINE_TEXT", "件名");
    let put = async |app: u64, layout: Value| {
        domain.change("PUT", "preview/app/form/layout.json", json!({"app": app, "layout": layout})).await
    };
    let row = |fields: Value| json!({"type": "ROW", "fields": fields});
    for (layout, expected) in [
        (json!([]), "400 GAIA_FN11"),
        (json!([row(json!([text, text]))]), "400 CB_VA01"),
        (json!([row(json!([item("NUMBER", "件名")]))]), "400 CB_VA01"),
        (json!([row(json!([item("NUMBER", "無い")]))]), "400 GAIA_FC01"),
        (json!([{"type": "COLUMN"}]), "400 CB_VA01"),
        (json!([row(json!([item("STATUS", "ステータス")]))]), "400 CB_VA01"),
        (json!([{"type": "SUBTABLE", "code": "件名", "fields": []}]), "400 GAIA_FC01"),
        (
            json!([row(json!([{"type": "LABEL", "label": "<b>x</b>"}, {"type": "HR"}])), row(json!([text]))]),
            "200",
        ),
    ] {
        assert_eq!(put(2, layout.clone()).await, expected, "{layout}");
    }
    let layout = domain.get("preview/app/form/layout.json?app=2").await.json();
    assert_eq!(layout["layout"][1]["fields"][0]["size"]["width"], "200");
    let table = |columns: Value| {
        json!([
            row(json!([item("SINGLE_LINE_TEXT", "番号"), item("SINGLE_LINE_TEXT", "社名")])),
            row(json!([item("NUMBER", "額"), item("DROP_DOWN", "区分"), item("CHECK_BOX", "印")])),
            {"type": "SUBTABLE", "code": "明細", "fields": columns},
        ])
    };
    assert_eq!(put(1, table(json!([item("NUMBER", "数")]))).await, "400 CB_VA01", "a column is missing");
    assert_eq!(put(1, table(json!([item("NUMBER", "数"), item("SINGLE_LINE_TEXT", "品")]))).await, "200");
}

#[tokio::test]
async fn views_and_settings_are_checked() {
    let domain = domain(Duration::ZERO).await;
    let put = async |views: Value| {
        domain.change("PUT", "preview/app/views.json", json!({"app": 1, "views": views})).await
    };
    let list = |more: Value| {
        let mut view = json!({"type": "LIST", "index": "0", "fields": ["社名"]});
        view.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"一": view})
    };
    for (views, expected) in [
        (list(json!({"type": "TREE"})), "400 CB_VA01"),
        (list(json!({"index": null})), "400 CB_VA01"),
        (list(json!({"fields": ["無い"]})), "400 GAIA_FC01"),
        (list(json!({"filterCond": "額 >"})), "400 CB_VA01"),
        (list(json!({"filterCond": "無い = 1"})), "400 GAIA_IQ11"),
        (list(json!({"sort": "明細 desc"})), "400 GAIA_IS02"),
        (list(json!({"type": "CALENDAR", "date": "社名", "title": "社名"})), "400 CB_VA01"),
        (list(json!({"filterCond": "額 > 1", "sort": "額 desc"})), "200"),
    ] {
        assert_eq!(put(views.clone()).await, expected, "{views}");
    }
    let ids = domain.get("preview/app/views.json?app=1").await.json()["views"]["一"]["id"].clone();
    let two = json!({
        "二": {"type": "CUSTOM", "index": 5, "html": "<p>"},
        "一": {"type": "LIST", "index": 9, "name": "三", "fields": []}
    });
    assert_eq!(put(two).await, "200");
    let views = domain.get("preview/app/views.json?app=1").await.json()["views"].clone();
    assert_eq!(
        (&views["三"]["id"], &views["三"]["index"], &views["二"]["index"]),
        (&ids, &json!("1"), &json!("0"))
    );
    assert_ne!(views["二"]["id"], ids);
    let put = async |body: Value| {
        let mut body = body;
        body["app"] = json!(1);
        domain.change("PUT", "preview/app/settings.json", body).await
    };
    for (body, expected) in [
        (json!({"name": ""}), "400 CB_VA01"),
        (json!({"theme": "PINK"}), "400 CB_VA01"),
        (json!({"icon": {"type": "PRESET", "key": "APP91"}}), "400 CB_VA01"),
        (json!({"titleField": {"selectionMode": "MANUAL", "code": "無い"}}), "400 GAIA_FC01"),
        (json!({"numberPrecision": {"digits": 31}}), "400 CB_VA01"),
        (json!({"firstMonthOfFiscalYear": "13"}), "400 CB_VA01"),
        (json!({"description": "x".repeat(10_001)}), "400 CB_VA01"),
        (json!({"name": "新名", "numberPrecision": {"digits": "8", "decimalPlaces": 2}}), "200"),
    ] {
        assert_eq!(put(body.clone()).await, expected, "{body}");
    }
    assert_eq!(domain.deploy(1).await, "SUCCESS");
    let settings = domain.get("app/settings.json?app=1").await.json();
    assert_eq!((&settings["name"], &settings["numberPrecision"]["digits"]), (&json!("新名"), &json!("8")));
    let record = json!({"app": 1, "record": {"額": {"value": "1234567"}}});
    assert_eq!(
        domain.change("POST", "record.json", record).await,
        "400 CB_VA01",
        "eight digits, two of them decimals"
    );
}

#[tokio::test]
async fn process_management_is_switched_on_and_renamed() {
    let domain = domain(Duration::ZERO).await;
    let put = async |body: Value| {
        let mut body = body;
        body["app"] = json!(2);
        domain.change("PUT", "preview/app/status.json", body).await
    };
    let states = |first: &str| {
        json!({
            "処理中": {"name": "処理中", "index": 1, "assignee": {"type": "ONE", "entities": []}},
            first: {"name": first, "index": 0},
        })
    };
    for (body, expected) in [
        (json!({"enable": true}), "400 CB_VA01"),
        (json!({"states": {"a": {"name": "a"}}}), "400 CB_VA01"),
        (json!({"states": {"a": {"index": 0, "assignee": {"type": "SOME"}}}}), "400 CB_VA01"),
        (
            json!({"states": {"a": {"index": 0, "assignee": {"type": "ONE", "entities": [
                {"entity": {"type": "FIELD_ENTITY", "code": "無い"}}]}}}}),
            "400 GAIA_FC01",
        ),
        (
            json!({"states": states("未着手"), "actions": [{"name": "x", "from": "未着手", "to": "無い"}]}),
            "400 CB_VA01",
        ),
        (
            json!({"enable": true, "states": states("未着手"),
                   "actions": [{"name": "着手", "from": "未着手", "to": "処理中"}]}),
            "200",
        ),
    ] {
        assert_eq!(put(body.clone()).await, expected, "{body}");
    }
    assert_eq!(domain.record(2, 1).await.get("ステータス"), None);
    assert_eq!(domain.deploy(2).await, "SUCCESS");
    assert_eq!(domain.record(2, 1).await["ステータス"]["value"], "未着手");
    let status = domain.get("app/status.json?app=2").await.json();
    assert_eq!((&status["enable"], &status["states"]["処理中"]["index"]), (&json!(true), &json!("1")));
    assert_eq!(domain.field("app/form/fields.json", 2, "ステータス").await["enabled"], true);
    let renamed =
        json!({"states": {"未着手": {"name": "新規", "index": 0}, "処理中": {"index": 1}}, "actions": []});
    assert_eq!(put(renamed).await, "200");
    assert_eq!(domain.deploy(2).await, "SUCCESS");
    assert_eq!(domain.record(2, 1).await["ステータス"]["value"], "新規");
    assert_eq!(put(json!({"enable": false})).await, "200");
    assert_eq!(domain.deploy(2).await, "SUCCESS");
    assert_eq!(domain.record(2, 1).await.get("ステータス"), None);
}

#[tokio::test]
async fn a_deploy_takes_its_time_and_locks_the_settings() {
    let domain = domain(Duration::from_secs(3_600)).await;
    let change = json!({"app": 1, "name": "後で"});
    assert_eq!(domain.change("PUT", "preview/app/settings.json", change.clone()).await, "200");
    let deploy = |app: Value| json!({"apps": [app]});
    for (body, expected) in [
        (json!({}), "400 CB_VA01"),
        (json!({"apps": []}), "400 CB_VA01"),
        (json!({"apps": vec![json!({"app": 1}); 301]}), "400 CB_VA01"),
        (json!({"apps": [{"app": 1}, {"app": 1}]}), "400 CB_VA01"),
        (deploy(json!({"app": 99})), "404 GAIA_AP01"),
        (deploy(json!({"app": 3})), "400 GAIA_IL23"),
        (deploy(json!({"app": 1, "revision": 1})), "409 GAIA_CO02"),
        (deploy(json!({"app": 1, "revision": "2"})), "200"),
        (deploy(json!({"app": 1})), "400 GAIA_DA02"),
    ] {
        assert_eq!(domain.change("POST", "preview/app/deploy.json", body.clone()).await, expected, "{body}");
    }
    assert_eq!(domain.deploy_status(1).await, "PROCESSING");
    assert_eq!(domain.deploy_status(2).await, "SUCCESS");
    assert_eq!(domain.get("app.json?id=1").await.json()["name"], "顧客");
    assert_eq!(domain.change("PUT", "preview/app/settings.json", change).await, "400 GAIA_DA02");
    assert_eq!(domain.ids(1, "").await, "2 1", "records are served meanwhile");
}

#[tokio::test]
async fn changes_are_taken_back() {
    let domain = domain(Duration::ZERO).await;
    let change = json!({"app": 1, "name": "いや"});
    assert_eq!(domain.change("PUT", "preview/app/settings.json", change).await, "200");
    let statistics = domain.get("apps/statistics.json").await.json();
    assert_eq!(
        (&statistics["apps"][0]["status"], &statistics["apps"][0]["recordCount"]),
        (&json!("CHANGED"), &json!("2"))
    );
    let revert = json!({"apps": [{"app": 1}], "revert": true});
    assert_eq!(domain.change("POST", "preview/app/deploy.json", revert).await, "200");
    assert_eq!(domain.deploy_status(1).await, "SUCCESS");
    assert_eq!(domain.get("preview/app/settings.json?app=1").await.json()["name"], "顧客");
    assert_eq!(domain.get("app.json?id=1").await.json()["modifiedAt"], "2026-01-01T00:00:00.000Z");
}

#[tokio::test]
async fn who_may_see_and_change_settings() {
    let domain = domain(Duration::ZERO).await;
    let port = domain.emulator.port();
    let outcome = async |target: &str, token_apps: &str| {
        send(port, "GET", target, &[token(token_apps)], None).await.outcome()
    };
    for (path, expected) in [
        ("app/form/fields.json?app=1", "200"),
        ("app/acl.json?app=1", "200"),
        ("app/acl.json?app=2", "400 GAIA_AP15"),
        ("preview/app/form/fields.json?app=1", "403 GAIA_NO01"),
        ("apps/statistics.json", "403 GAIA_NO01"),
        ("plugins.json", "403 GAIA_NO01"),
    ] {
        assert_eq!(outcome(&format!("/k/v1/{path}"), "t1").await, expected, "{path}");
    }
    // A guest space has a path of its own, and its apps are made there.
    let guest = async |method: &str, path: &str, body: Option<&str>| {
        let target = format!("/k/guest/5/v1/{path}");
        send(port, method, &target, &[password("sato", "pw")], body).await
    };
    assert_eq!(guest("GET", "preview/app/form/fields.json?app=3", None).await.outcome(), "200");
    assert_eq!(guest("GET", "preview/app/form/fields.json?app=1", None).await.outcome(), "403 CB_NO02");
    let made = guest("POST", "preview/app.json", Some("{\"name\":\"g\",\"space\":5}")).await;
    assert_eq!(made.json()["app"], "4");
    assert_eq!(
        guest("POST", "preview/app/deploy.json", Some("{\"apps\":[{\"app\":4}]}")).await.outcome(),
        "200"
    );
    assert_eq!(guest("GET", "app.json?id=4", None).await.json()["spaceId"], "5");
    assert_eq!(guest("GET", "space.json?id=5", None).await.json()["attachedApps"][1]["appId"], "4");
    assert_eq!(domain.get("space.json?id=5").await.outcome(), "403 CB_NO02");
    // What can be called is told to anybody.
    let list = send(port, "GET", "/k/v1/apis.json", &[], None).await;
    assert_eq!(list.json()["apis"]["records/get"]["link"], "apis/records/get.json");
    // Clients send what is deleted in the path, too.
    let target = "/k/v1/preview/app/form/fields.json?app=1&fields%5B0%5D=%E9%A1%8D&revision=1";
    assert_eq!(send(port, "DELETE", target, &[password("sato", "pw")], None).await.outcome(), "200");
    assert_eq!(domain.field(FIELDS, 1, "額").await, Value::Null);
}

#[tokio::test]
async fn open_facts_are_switches() {
    let unknowns =
        Unknowns { tokens_change_settings: true, unnamed_columns_are_deleted: false, ..Unknowns::strict() };
    let table = json!({"type": "SUBTABLE", "fields": {"a": {"type": "NUMBER"}, "b": {"type": "NUMBER"}}});
    let world = json!({"users": [], "apps": [{"apiTokens": ["t"], "form": {"properties": {"表": table}}}]});
    let domain = Domain::with(&world, Options { unknowns, ..Options::default() }).await;
    let port = domain.emulator.port();
    let target = format!("/k/v1/{FIELDS}");
    let fields = json!({"a": {"type": "NUMBER", "label": "A"}});
    let body = json!({"app": 1, "properties": {"表": {"type": "SUBTABLE", "fields": fields}}}).to_string();
    assert_eq!(send(port, "PUT", &target, &[token("t")], Some(&body)).await.outcome(), "200");
    let read = send(port, "GET", &format!("{target}?app=1"), &[token("t")], None).await.json();
    let columns = &read["properties"]["表"]["fields"];
    assert_eq!((&columns["a"]["label"], &columns["b"]["label"]), (&json!("A"), &json!("b")));
}
