//! The User API: who is there, and who belongs where.

use super::*;

fn people() -> Value {
    let extra: Vec<Value> = (0..100).map(|n| json!({"code": format!("u{n:03}")})).collect();
    let mut users = vec![
        json!({
            "code": "sato", "name": "佐藤 昇", "password": "pw", "surName": "佐藤", "email": "sato@example.com",
            "organizations": [{"code": "sales", "title": "部長"}, "hq"], "primaryOrganization": "sales",
            "groups": ["managers"], "employeeNumber": "7", "ctime": "2020-04-01T00:00:00Z",
        }),
        json!({"code": "zoe", "name": "Zoe", "password": "pw", "timezone": "America/New_York", "id": "50"}),
        json!({"code": "old", "valid": false, "organizations": ["sales"]}),
        json!({"code": "guest/a@example.com", "password": "pw"}),
    ];
    users.extend(extra);
    json!({
        "users": users,
        "organizations": [
            {"code": "hq", "name": "本社", "users": ["zoe"]},
            {"code": "sales", "name": "営業部", "parentCode": "hq", "description": "売る"},
        ],
        "groups": [{"code": "managers", "name": "管理職"}, {"code": "everyone", "name": "全員"}],
        "apps": [{"apiTokens": ["one"], "form": {"properties": {
            "org": {"type": "ORGANIZATION_SELECT", "defaultValue": [{"type": "FUNCTION", "code": "PRIMARY_ORGANIZATION()"}]},
        }}, "records": [{"org": {"value": [{"code": "hq"}]}}, {"org": {"value": [{"code": "sales"}]}}, {}]}],
    })
}

impl Domain {
    /// Asks the User API.
    async fn ask(&self, path: &str) -> Reply {
        send(self.emulator.port(), "GET", &format!("/v1/{path}"), &[password("sato", "pw")], None).await
    }

    /// The codes under a key of the answer, or the refusal.
    async fn codes(&self, path: &str, key: &str, inner: &str) -> String {
        let reply = self.ask(path).await;
        if reply.status != 200 {
            return reply.outcome();
        }
        let body = reply.json();
        let entries = body[key].as_array().unwrap().iter();
        let entry = |entry: &Value| if inner.is_empty() { entry.clone() } else { entry[inner].clone() };
        entries.map(|e| entry(e)["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    }
}

#[tokio::test]
async fn users_are_listed_by_id_a_page_at_a_time() {
    let domain = Domain::start(&people()).await;
    let all = domain.codes("users.json", "users", "").await;
    assert!(all.starts_with("sato old u000 u001 u002"), "{all}");
    assert_eq!(all.split(' ').count(), 100);
    assert_eq!(domain.codes("users.json?offset=100", "users", "").await, "u097 u098 u099");
    assert_eq!(domain.codes("users.json?size=2&offset=1", "users", "").await, "old u000");
    assert_eq!(domain.codes("users.json?offset=1000", "users", "").await, "");
    assert_eq!(domain.codes("users.json?ids[0]=50&ids[1]=1&ids[2]=999", "users", "").await, "sato zoe");
    let codes = "users.json?codes%5B0%5D=zoe&codes%5B1%5D=nobody&codes%5B2%5D=old";
    assert_eq!(domain.codes(codes, "users", "").await, "old zoe");
    for path in [
        "users.json?size=0",
        "users.json?size=101",
        "users.json?offset=-1",
        "users.json?ids[0]=x",
        "users.json?ids[0]=1&codes[0]=sato",
    ] {
        assert_eq!(domain.codes(path, "users", "").await, "400 CB_VA01", "{path}");
    }
}

#[tokio::test]
async fn a_user_has_every_documented_key() {
    let domain = Domain::start(&people()).await;
    let users = domain.ask("users.json?size=2").await.json();
    assert_eq!(
        users["users"][0],
        json!({
            "id": "1", "code": "sato", "ctime": "2020-04-01T00:00:00Z", "mtime": "2026-01-01T00:00:00Z",
            "valid": true, "name": "佐藤 昇", "surName": "佐藤", "givenName": "", "surNameReading": "",
            "givenNameReading": "", "localName": "", "localNameLocale": "en", "timezone": "Asia/Tokyo",
            "locale": "ja", "description": "", "phone": "", "mobilePhone": "", "extensionNumber": "",
            "email": "sato@example.com", "callto": "", "url": "", "employeeNumber": "7", "birthDate": null,
            "joinDate": null, "primaryOrganization": "2", "sortOrder": null, "customItemValues": [],
        })
    );
    let old = &users["users"][1];
    assert_eq!((&old["valid"], &old["primaryOrganization"]), (&json!(false), &Value::Null));
    let zoe = domain.ask("users.json?codes[0]=zoe").await.json();
    assert_eq!(zoe["users"][0]["timezone"], "America/New_York");
    assert!(!users.to_string().contains("password"));
}

#[tokio::test]
async fn organizations_and_groups_have_their_members() {
    let domain = Domain::start(&people()).await;
    assert_eq!(
        domain.ask("organizations.json").await.json(),
        json!({"organizations": [
            {"id": "1", "code": "hq", "name": "本社", "localName": "", "localNameLocale": "en", "parentCode": null,
             "description": ""},
            {"id": "2", "code": "sales", "name": "営業部", "localName": "", "localNameLocale": "en",
             "parentCode": "hq", "description": "売る"},
        ]})
    );
    assert_eq!(
        domain.ask("groups.json?size=1").await.json(),
        json!({"groups": [
            {"id": "1", "code": "managers", "name": "管理職", "description": "", "type": "static"},
        ]})
    );
    let titles = domain.ask("user/organizations.json?code=sato").await.json();
    let titles = titles["organizationTitles"].as_array().unwrap().clone();
    assert_eq!(titles[0]["organization"]["code"], "sales");
    assert_eq!(titles[0]["title"], json!({"id": "1", "code": "部長", "name": "部長", "description": ""}));
    assert_eq!((&titles[1]["organization"]["code"], &titles[1]["title"]), (&json!("hq"), &Value::Null));
    let members = async |path: &str, key: &str, inner: &str| domain.codes(path, key, inner).await;
    assert_eq!(members("user/groups.json?code=sato", "groups", "").await, "managers everyone");
    assert_eq!(members("user/groups.json?code=old", "groups", "").await, "");
    assert_eq!(members("organization/users.json?code=sales", "userTitles", "user").await, "sato old");
    assert_eq!(members("organization/users.json?code=hq", "userTitles", "user").await, "sato zoe");
    assert_eq!(members("organization/users.json?code=hq&size=1&offset=1", "userTitles", "user").await, "zoe");
    assert_eq!(members("group/users.json?code=managers", "users", "").await, "sato");
    assert_eq!(members("group/users.json?code=everyone&offset=100", "users", "").await, "u098 u099");
    for path in [
        "user/groups.json",
        "user/groups.json?code=nobody",
        "group/users.json?code=sales",
        "organization/users.json",
    ] {
        assert_eq!(members(path, "users", "").await, "400 CB_VA01", "{path}");
    }
}

#[tokio::test]
async fn the_user_api_takes_passwords_only() {
    let domain = Domain::start(&people()).await;
    let port = domain.emulator.port();
    let get = async |path: &str, auth| send(port, "GET", path, &[auth], None).await;
    for path in ["users", "organizations", "groups", "user/groups", "group/users"] {
        let path = format!("/v1/{path}.json?code=sato");
        assert_eq!(get(&path, token("one")).await.outcome(), "401 CB_AU01", "{path}");
        assert_eq!(get(&path, password("sato", "no")).await.outcome(), "401 CB_WA01", "{path}");
    }
    assert_eq!(get("/k/v1/users.json", password("sato", "pw")).await.status, 404);
    assert_eq!(get("/v1/records.json?app=1", password("sato", "pw")).await.status, 404);
    let posted = send(port, "POST", "/v1/users.json", &[password("sato", "pw")], Some("{}")).await;
    assert_eq!(posted.status, 405);
}

#[tokio::test]
async fn queries_know_the_primary_organization() {
    let domain = Domain::start(&people()).await;
    let query = "org in (PRIMARY_ORGANIZATION()) order by $id asc";
    assert_eq!(domain.ids(1, query).await, "2");
    // Without one the condition falls away.
    let port = domain.emulator.port();
    let target = format!("/k/v1/records.json?app=1&query={}", encode(query));
    let reply = send(port, "GET", &target, &[password("zoe", "pw")], None).await;
    assert_eq!(reply.json()["records"].as_array().unwrap().len(), 3);
    let added = domain.call("POST", "record.json", json!({"app": 1})).await;
    assert_eq!(added.json()["id"], "4");
    let record = domain.get("record.json?app=1&id=4").await.json()["record"]["org"]["value"].clone();
    assert_eq!(record, json!([{"code": "sales", "name": "営業部"}]));
}

#[test]
fn fixtures_say_who_belongs_to_nothing() {
    for (world, expected) in [
        (json!({"users": [{"code": "a", "organizations": ["x"]}]}), "a: there is no organization x"),
        (json!({"users": [{"code": "a", "groups": ["x"]}]}), "a: there is no group x"),
        (json!({"groups": [{"code": "g", "users": ["x"]}]}), "groups[0]: one of its users is not there"),
        (json!({"organizations": [{"code": "o", "parentCode": "x"}]}), "o: there is no organization x"),
        (json!({"users": [{"code": "a", "id": 1}, {"code": "b", "id": 1}]}), "b: the id 1 is taken"),
        (
            json!({"organizations": [{"code": "o"}], "users": [{"code": "a", "primaryOrganization": "o"}]}),
            "a: the primary organization is not one of the user's",
        ),
    ] {
        assert_eq!(Fixture::from_json(&world).unwrap_err(), expected);
    }
}

#[tokio::test]
async fn organizations_and_groups_are_assigned_with_their_members() {
    let mut world = people();
    let state = |index: &str, entity: Value| json!({"index": index, "assignee": {"type": "ANY", "entities": [entity]}});
    let entity = |kind: &str, code: &str, with_below: bool| json!({"entity": {"type": kind, "code": code}, "includeSubs": with_below});
    let action = |from: &str, to: &str| json!({"name": "go", "from": from, "to": to, "filterCond": ""});
    world["apps"][0]["status"] = json!({
        "enable": true,
        "states": {
            "0": state("0", json!({"entity": {"type": "CREATOR", "code": null}})),
            "1": state("1", entity("ORGANIZATION", "hq", false)),
            "2": state("2", entity("ORGANIZATION", "hq", true)),
            "3": state("3", entity("GROUP", "managers", false)),
            "4": state("4", entity("FIELD_ENTITY", "org", false)),
        },
        "actions": [action("0", "1"), action("1", "2"), action("2", "3"), action("3", "4")],
    });
    world["users"][2]["valid"] = json!(true);
    let domain = Domain::start(&world).await;
    let added = domain.call("POST", "record.json", json!({"app": 1})).await;
    assert_eq!(added.json()["id"], "4");
    for assignees in ["sato zoe", "sato old zoe", "sato", "sato old"] {
        let body = json!({"app": 1, "id": 4, "action": "go"});
        assert_eq!(domain.call("PUT", "record/status.json", body).await.outcome(), "200", "{assignees}");
        let record = domain.get("record.json?app=1&id=4").await.json()["record"].clone();
        let codes = record["作業者"]["value"].as_array().unwrap().iter();
        let codes: Vec<&str> = codes.map(|user| user["code"].as_str().unwrap()).collect();
        assert_eq!(codes.join(" "), assignees);
    }
}
