//! Process management: states, actions and whose turn it is.

use serde_json::{Value, json};

use super::{Domain, password, send, token};

fn user(code: &str) -> Value {
    json!({"entity": {"type": "USER", "code": code}, "includeSubs": false})
}

/// 申請 -> 審査 (one is chosen) -> 合議 (all) -> 決裁 (any) -> 完了, and back from 審査.
fn world() -> Value {
    let state = |index: u64, turn: &str, entities: Value| json!({"index": index.to_string(), "assignee": {"type": turn, "entities": entities}});
    let action = |name: &str, from: &str, to: &str, condition: &str| json!({"name": name, "from": from, "to": to, "filterCond": condition, "type": "PRIMARY"});
    let field = |code: &str| json!({"entity": {"type": "FIELD_ENTITY", "code": code}, "includeSubs": false});
    let mut withdraw = action("取下", "審査", "完了", "");
    withdraw["type"] = json!("SECONDARY");
    withdraw["executableUser"] = json!({"entities": [field("作成者")]});
    json!({
        "users": [
            {"code": "sato", "name": "佐藤", "password": "pw"},
            {"code": "zoe", "name": "ゾエ", "password": "pw"},
            {"code": "kato", "name": "加藤", "password": "pw"},
            {"code": "old", "name": "退職", "password": "pw", "valid": false}
        ],
        "groups": [{"code": "everyone"}],
        "apps": [
            {
                "app": {"appId": 1},
                "apiTokens": ["token1"],
                "form": {"properties": {"額": {"type": "NUMBER"}, "長": {"type": "USER_SELECT"}}},
                "status": {
                    "enable": true,
                    "states": {
                        "申請": state(0, "ONE", json!([field("作成者")])),
                        "審査": state(1, "ONE", json!([field("長"), user("kato"), user("old")])),
                        "合議": state(2, "ALL", json!([user("zoe"), user("kato")])),
                        "決裁": state(3, "ANY", json!([{"entity": {"type": "GROUP", "code": "everyone"}}])),
                        "完了": state(4, "ONE", json!([])),
                    },
                    "actions": [
                        action("申請する", "申請", "審査", ""),
                        action("差戻", "審査", "申請", ""),
                        action("承認", "審査", "合議", "額 <= 100"),
                        action("承認", "合議", "決裁", ""),
                        action("承認", "決裁", "完了", ""),
                        action("重複", "決裁", "完了", ""),
                        action("重複", "決裁", "申請", ""),
                        withdraw,
                    ]
                }
            },
            {"app": {"appId": 2}, "form": {"properties": {"額": {"type": "NUMBER"}}}}
        ]
    })
}

/// A domain with records in app 1, and each call by a user of choice.
struct Office(Domain);

impl Office {
    async fn start() -> Self {
        let office = Self(Domain::start(&world()).await);
        for amount in [100, 101, 5] {
            let record = json!({"額": {"value": amount}, "長": {"value": [{"code": "zoe"}]}});
            office.0.call("POST", "record.json", json!({"app": 1, "record": record})).await;
        }
        office
    }

    async fn put(&self, user: &str, endpoint: &str, body: Value) -> super::Reply {
        let login = if user == "token" { token("token1") } else { password(user, "pw") };
        let target = format!("/k/v1/{endpoint}");
        send(self.0.emulator.port(), "PUT", &target, &[login], Some(&body.to_string())).await
    }

    /// `200 3` with the new revision, or the refusal.
    async fn act(&self, user: &str, id: u64, action: &str, assignee: Option<&str>) -> String {
        let body = json!({"app": 1, "id": id, "action": action, "assignee": assignee});
        let reply = self.put(user, "record/status.json", body).await;
        match reply.status {
            200 => format!("200 {}", reply.json()["revision"].as_str().unwrap()),
            _ => reply.outcome(),
        }
    }

    /// `審査 zoe,kato` of a record.
    async fn state(&self, id: u64) -> String {
        let record = self.0.get(&format!("record.json?app=1&id={id}")).await.json()["record"].clone();
        let codes = record["作業者"]["value"].as_array().unwrap().iter().map(|u| u["code"].as_str().unwrap());
        let codes: Vec<&str> = codes.collect();
        format!("{} {}", record["ステータス"]["value"].as_str().unwrap(), codes.join(","))
    }
}

#[tokio::test]
async fn an_application_goes_its_way() {
    let office = Office::start().await;
    assert_eq!(office.state(1).await, "申請 sato");
    for (user, action, assignee, outcome, state) in [
        // Only the assignee, from the right state, with somebody who can be chosen.
        ("zoe", "申請する", Some("zoe"), "400 GAIA_NT01", "申請 sato"),
        ("token", "申請する", Some("zoe"), "400 GAIA_NT01", "申請 sato"),
        ("sato", "承認", None, "400 GAIA_IL03", "申請 sato"),
        ("sato", "無い", None, "400 GAIA_IL03", "申請 sato"),
        ("sato", "申請する", None, "400 GAIA_SA01", "申請 sato"),
        ("sato", "申請する", Some("sato"), "400 CB_VA01", "申請 sato"),
        ("sato", "申請する", Some("old"), "400 CB_VA01", "申請 sato"),
        ("sato", "申請する", Some("nobody"), "400 GAIA_IL26", "申請 sato"),
        ("sato", "申請する", Some("zoe"), "200 3", "審査 zoe"),
        ("zoe", "差戻", None, "400 GAIA_SA01", "審査 zoe"),
        ("zoe", "差戻", Some("sato"), "200 5", "申請 sato"),
        ("sato", "申請する", Some("kato"), "200 7", "審査 kato"),
        // All of two: the first leaves it with the other.
        ("kato", "承認", Some("ignored"), "200 9", "合議 zoe,kato"),
        ("sato", "承認", None, "400 GAIA_NT01", "合議 zoe,kato"),
        ("zoe", "承認", None, "200 11", "合議 kato"),
        ("zoe", "承認", None, "400 GAIA_NT01", "合議 kato"),
    ] {
        assert_eq!(office.act(user, 1, action, assignee).await, outcome, "{user} {action}");
        assert_eq!(office.state(1).await, state, "{user} {action}");
    }
    assert_eq!(office.act("kato", 1, "承認", None).await, "200 13");
    let state = office.state(1).await;
    let mut everyone: Vec<&str> = state.strip_prefix("決裁 ").unwrap().split(',').collect();
    everyone.sort_unstable();
    assert_eq!(everyone, ["kato", "sato", "zoe"]);
    // Two of one name cannot be told apart; any one of them may go on.
    assert_eq!(office.act("zoe", 1, "重複", None).await, "400 GAIA_IL03");
    assert_eq!(office.act("zoe", 1, "承認", None).await, "200 15");
    assert_eq!(office.state(1).await, "完了 ");
    let record = office.0.get("record.json?app=1&id=1").await.json()["record"].clone();
    assert_eq!(
        (&record["更新者"]["value"]["code"], &record["$revision"]["value"]),
        (&json!("zoe"), &json!("15"))
    );
}

#[tokio::test]
async fn conditions_and_actions_for_others() {
    let office = Office::start().await;
    assert_eq!(office.act("sato", 2, "申請する", Some("zoe")).await, "200 3");
    // The amount is over what the action takes.
    assert_eq!(office.act("zoe", 2, "承認", None).await, "400 GAIA_IL03");
    // The creator, who is not the assignee.
    assert_eq!(office.act("kato", 2, "取下", None).await, "400 GAIA_NT01");
    assert_eq!(office.act("zoe", 2, "取下", None).await, "400 GAIA_NT01");
    assert_eq!(office.act("sato", 2, "取下", None).await, "200 5");
    assert_eq!(office.state(2).await, "完了 ");
}

#[tokio::test]
async fn assignees_are_set_by_whoever_manages() {
    let office = Office::start().await;
    let assign = async |user: &str, body: Value| {
        let mut body = body;
        body["app"] = json!(1);
        office.put(user, "record/assignees.json", body).await
    };
    let reply = assign("zoe", json!({"id": "1", "assignees": ["kato", "kato"], "revision": "1"})).await;
    assert_eq!(reply.json(), json!({"revision": "2"}));
    assert_eq!(office.state(1).await, "申請 kato");
    for (body, outcome) in [
        (json!({"id": 1, "assignees": ["zoe"], "revision": 1}), "409 GAIA_CO02"),
        (json!({"id": 99, "assignees": []}), "404 GAIA_RE01"),
        (json!({"id": 1, "assignees": ["nobody"]}), "400 GAIA_IL26"),
        (json!({"id": 1, "assignees": ["old"]}), "400 GAIA_IL26"),
        (json!({"id": 1, "assignees": ["zoe", "sato"]}), "400 CB_VA01"),
        (json!({"id": 1, "assignees": vec!["zoe"; 101]}), "400 CB_VA01"),
        (json!({"id": 1}), "400 CB_VA01"),
        (json!({"id": 0, "assignees": []}), "400 CB_VA01"),
    ] {
        assert_eq!(assign("sato", body.clone()).await.outcome(), outcome, "{body}");
    }
    // A token manages, and acts where nobody is the assignee.
    assert_eq!(office.act("token", 1, "申請する", Some("zoe")).await, "400 GAIA_NT01");
    assert_eq!(assign("token", json!({"id": 1, "assignees": []})).await.json(), json!({"revision": "3"}));
    assert_eq!(office.act("token", 1, "申請する", Some("zoe")).await, "200 5");
    assert_eq!(office.state(1).await, "審査 zoe");
}

#[tokio::test]
async fn many_records_move_together_or_not_at_all() {
    let office = Office::start().await;
    let act = async |records: Value| {
        office.put("sato", "records/status.json", json!({"app": 1, "records": records})).await
    };
    let send_in = |id: u64, assignee: &str| json!({"id": id, "action": "申請する", "assignee": assignee});
    let reply = act(json!([send_in(1, "zoe"), send_in(2, "zoe"), {"id": 99, "action": "申請する"}])).await;
    assert_eq!(reply.outcome(), "404 GAIA_RE01");
    let reply = act(json!([send_in(1, "zoe"), {"id": "2", "action": "承認"}])).await;
    assert_eq!(reply.outcome(), "400 GAIA_IL03");
    // The second finds what the first has made of the record.
    assert_eq!(act(json!([send_in(1, "zoe"), send_in(1, "zoe")])).await.outcome(), "400 GAIA_IL03");
    let mut stale = send_in(2, "zoe");
    stale["revision"] = json!("7");
    assert_eq!(act(json!([send_in(1, "zoe"), stale])).await.outcome(), "409 GAIA_CO02");
    assert_eq!(office.state(1).await, "申請 sato");
    let mut checked = send_in(3, "kato");
    checked["revision"] = json!(1);
    let reply = act(json!([send_in(2, "zoe"), checked])).await;
    assert_eq!(
        reply.json(),
        json!({"records": [{"id": "2", "revision": "3"}, {"id": "3", "revision": "3"}]})
    );
    assert_eq!((office.state(2).await, office.state(3).await), ("審査 zoe".into(), "審査 kato".into()));
    assert_eq!(act(json!(vec![send_in(1, "zoe"); 101])).await.outcome(), "400 CB_VA01");
    assert_eq!(act(json!([])).await.json(), json!({"records": []}));
    let reply = act(json!([send_in(1, "zoe"), {"id": 1}])).await;
    assert!(reply.json()["errors"]["records[1].action"].is_object(), "{}", reply.json());
}

#[tokio::test]
async fn an_app_without_it_refuses() {
    let office = Office::start().await;
    for (endpoint, body) in [
        ("record/status.json", json!({"app": 2, "id": 1, "action": "承認"})),
        ("records/status.json", json!({"app": 2, "records": [{"id": 1, "action": "承認"}]})),
        ("record/assignees.json", json!({"app": 2, "id": 1, "assignees": []})),
    ] {
        assert_eq!(office.put("sato", endpoint, body).await.outcome(), "400 GAIA_ST02", "{endpoint}");
    }
    let reply = office.put("sato", "record/status.json", json!({"app": 1, "id": 1})).await;
    assert!(reply.json()["errors"]["action"].is_object());
}
