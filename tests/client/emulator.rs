//! The client against the embedded Kintone, which was written from the same facts by other hands: what one sends the
//! other takes, and what it refuses the client tells by record, field and row.

use futures::{StreamExt, stream};
use kintone_sql::emulator::{Emulator, Fixture, Options};
use kintone_sql::kintone::{
    Change, Changed, Content, Deletion, Deployment, Mention, NewComment, Saved, Settings, StatusChange,
    Target, Update, Upserted, Values,
};

use super::*;

const ORDERS: AppKey = AppKey { id: 1, guest_space: None };
const GUEST: AppKey = AppKey { id: 2, guest_space: Some(5) };

async fn start() -> (Emulator, Client) {
    let user = |code: &str| json!({"entity": {"type": "USER", "code": code}, "includeSubs": false});
    let state = |index: &str, entities: Value| json!({"index": index, "assignee": {"type": "ONE", "entities": entities}});
    let world = json!({
        "groups": [{"code": "managers", "name": "管理職", "users": ["sato"]}],
        "organizations": [{"code": "hq", "name": "本社", "users": ["zoe"]}, {"code": "sales", "name": "営業部", "parentCode": "hq"}],
        "users": [{"code": "sato", "name": "佐藤", "password": "pw"}, {"code": "zoe", "name": "ゾエ", "password": "pw"}],
        "apps": [
            {"app": {"appId": 1}, "form": {"properties": {
                "コード": {"type": "SINGLE_LINE_TEXT", "unique": true},
                "単価": {"type": "NUMBER"},
                "添付": {"type": "FILE"},
                "明細": {"type": "SUBTABLE", "fields": {"品": {"type": "SINGLE_LINE_TEXT"}, "数": {"type": "NUMBER"}}}}},
             "status": {"enable": true,
                "states": {"申請": state("0", json!([user("sato")])), "審査": state("1", json!([user("zoe")])), "完了": state("2", json!([]))},
                "actions": [{"name": "申請する", "from": "申請", "to": "審査", "filterCond": "", "type": "PRIMARY"}]}},
            {"app": {"appId": 2}, "guestSpaceId": 5, "form": {"properties": {"a": {"type": "NUMBER"}}}}
        ]
    });
    // A deployment ends with the next request.
    let options = Options { deploy_time: Duration::ZERO, ..Options::default() };
    let emulator = Emulator::start(Arc::new(Fixture::from_json(&world).unwrap()), options).await.unwrap();
    let credentials = Credentials::Password { user: "sato".into(), password: Secret::new("pw") };
    let mut config = ClientConfig::new("crm", emulator.url().parse().unwrap(), credentials);
    config.read_only = false;
    config.guest_spaces = vec![5];
    (emulator, Client::new(config).unwrap())
}

fn order(code: &str, price: &str) -> Values {
    Values::from_iter([("コード".to_owned(), json!(code)), ("単価".to_owned(), json!(price))])
}

fn by_id(id: u64, price: &str, revision: Option<u64>) -> Update {
    let values = Values::from_iter([("単価".to_owned(), json!(price))]);
    Update { target: Target::Id(id), values, revision }
}

/// `A-1=12` for each record.
async fn orders(client: &Client) -> Vec<String> {
    let order_by = vec![OrderBy { field: "$id".into(), ascending: true }];
    let query = Query { order_by, ..Query::default() };
    let request = RecordsRequest { query, fields: vec![], total_count: false };
    let page = client.records(ORDERS, &request).await.unwrap();
    let page: Value = serde_json::from_slice(&page.body).unwrap();
    let text = |record: &Value, code: &str| record[code]["value"].as_str().unwrap().to_owned();
    page["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| format!("{}={}", text(r, "コード"), text(r, "単価")))
        .collect()
}

#[tokio::test]
async fn records_come_go_and_change() {
    let (_emulator, client) = start().await;
    let saved = client.insert(ORDERS, vec![order("A-1", "12"), order("A-2", "13")]).await.unwrap();
    assert_eq!(saved, [Saved { id: 1, revision: 1 }, Saved { id: 2, revision: 1 }]);
    let key = Target::Key { field: "コード".into(), value: "A-2".into() };
    let updates = vec![
        by_id(1, "20", Some(1)),
        Update {
            target: key, values: Values::from_iter([("単価".to_owned(), json!("21"))]), revision: None
        },
    ];
    let saved = client.update(ORDERS, updates).await.unwrap();
    assert_eq!(saved, [Saved { id: 1, revision: 2 }, Saved { id: 2, revision: 2 }]);
    let key = |value: &str| Target::Key { field: "コード".into(), value: value.into() };
    let price = |n: &str| Values::from_iter([("単価".to_owned(), json!(n))]);
    let updates =
        ["A-1", "A-9"].map(|code| Update { target: key(code), values: price("30"), revision: None });
    let expect = [
        Upserted { saved: Saved { id: 1, revision: 3 }, is_new: false },
        Upserted { saved: Saved { id: 3, revision: 1 }, is_new: true },
    ];
    assert_eq!(client.upsert(ORDERS, updates.to_vec()).await.unwrap(), expect);
    assert_eq!(orders(&client).await, ["A-1=30", "A-2=21", "A-9=30"]);
    let error = client.delete(ORDERS, vec![Deletion { id: 1, revision: Some(1) }]).await.unwrap_err();
    assert_eq!(error.code(), Some("GAIA_CO02"));
    let gone = vec![Deletion { id: 1, revision: Some(3) }, Deletion { id: 2, revision: None }];
    client.delete(ORDERS, gone).await.unwrap();
    assert_eq!(orders(&client).await, ["A-9=30"]);
    assert_eq!(client.record(ORDERS, 1).await.unwrap(), None);
    assert_eq!(client.record(ORDERS, 3).await.unwrap().unwrap()["単価"]["value"], "30");
}

#[tokio::test]
async fn a_hundred_records_are_deleted_in_one_call() {
    let (emulator, client) = start().await;
    let records: Vec<_> = (0..100).map(|n| order(&format!("A-{n}"), "1")).collect();
    let saved = client.insert(ORDERS, records).await.unwrap();
    emulator.clear_requests();
    let gone = saved.iter().map(|s| Deletion { id: s.id, revision: Some(s.revision) }).collect();
    client.delete(ORDERS, gone).await.unwrap();
    assert_eq!(emulator.requests().len(), 1);
    assert_eq!(orders(&client).await, Vec::<String>::new());
}

#[tokio::test]
async fn refusals_tell_the_record_the_field_and_the_row() {
    let (_emulator, client) = start().await;
    client.insert(ORDERS, vec![order("A-1", "1")]).await.unwrap();
    let error = client.insert(ORDERS, vec![order("A-2", "1"), order("A-1", "x")]).await.unwrap_err();
    assert_eq!(error.code(), Some("CB_VA01"));
    let mut places: Vec<_> = error.faults().into_iter().map(|f| (f.record, f.field)).collect();
    places.sort();
    places.dedup();
    assert!(places.contains(&(Some(1), Some("単価".into()))), "{error}");
    assert!(!places.iter().any(|(record, _)| *record == Some(0)), "{error}");
    let mut table = order("A-3", "1");
    table.insert(
        "明細".into(),
        json!([{"value": {"品": {"value": "a"}}}, {"value": {"品": {"value": ["list"]}}}]),
    );
    let error = client.insert(ORDERS, vec![table]).await.unwrap_err();
    let fault = error.faults().remove(0);
    assert_eq!(error.code(), Some("CB_VA01"));
    assert_eq!((fault.record, fault.field.as_deref()), (Some(0), Some("明細")), "{error}");
    assert_eq!(orders(&client).await, ["A-1=1"], "all or none");
}

#[tokio::test]
async fn a_bulk_request_is_done_or_not_done_and_names_what_failed() {
    let (_emulator, client) = start().await;
    let app = ORDERS;
    let changes = |revision| {
        vec![
            Change::Insert { app, records: vec![order("B-1", "1"), order("B-2", "2")] },
            Change::Update { app, updates: vec![by_id(1, "9", revision)] },
            Change::Status {
                app,
                changes: vec![StatusChange {
                    id: 1,
                    action: "申請する".into(),
                    assignee: Some("zoe".into()),
                    revision: None,
                }],
            },
            Change::Delete { app, deletions: vec![Deletion { id: 2, revision: None }] },
        ]
    };
    client.insert(ORDERS, vec![order("A-1", "1"), order("A-2", "2")]).await.unwrap();
    let error = client.bulk(&changes(Some(7))).await.unwrap_err();
    assert_eq!((error.code(), error.failed_request()), (Some("GAIA_CO02"), Some(1)));
    assert_eq!(orders(&client).await, ["A-1=1", "A-2=2"]);
    let done = client.bulk(&changes(Some(1))).await.unwrap();
    assert!(matches!(&done[0], Changed::Saved(saved) if saved.len() == 2), "{done:?}");
    assert_eq!(done[1], Changed::Saved(vec![Saved { id: 1, revision: 2 }]));
    assert_eq!(done[2], Changed::Saved(vec![Saved { id: 1, revision: 4 }]));
    assert_eq!(done[3], Changed::Deleted);
    assert_eq!(orders(&client).await, ["A-1=9", "B-1=1", "B-2=2"]);
    let record = client.record(ORDERS, 1).await.unwrap().unwrap();
    assert_eq!(record["ステータス"]["value"], "審査");
    // Another space is another request.
    let guest = Change::Insert { app: GUEST, records: vec![Values::new()] };
    assert_eq!(client.bulk(&[guest]).await.unwrap(), [Changed::Saved(vec![Saved { id: 1, revision: 1 }])]);
}

#[tokio::test]
async fn comments_and_process_management_go_through() {
    let (_emulator, client) = start().await;
    client.insert(ORDERS, vec![order("A-1", "1")]).await.unwrap();
    let mentions = vec![Mention { code: "zoe".into(), kind: kintone_sql::kintone::EntityKind::User }];
    let id = client.add_comment(ORDERS, 1, &NewComment { text: "了解".into(), mentions }).await.unwrap();
    let page = client.comments(ORDERS, 1, 0, true).await.unwrap();
    assert_eq!(page.comments[0].id, id);
    assert!(page.comments[0].text.contains("了解"));
    assert_eq!(page.comments[0].mentions, r#"[{"code":"zoe","type":"USER"}]"#);
    client.delete_comment(ORDERS, 1, id).await.unwrap();
    assert!(client.comments(ORDERS, 1, 0, true).await.unwrap().comments.is_empty());
    assert_eq!(client.delete_comment(ORDERS, 1, id).await.unwrap_err().code(), Some("GAIA_RE02"));
    let process = client.process(ORDERS).await.unwrap();
    assert!(process.enabled);
    assert_eq!(process.states.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["申請", "審査", "完了"]);
    assert_eq!(process.actions[0].to, "審査");
    assert!(!client.process(GUEST).await.unwrap().enabled);
    let rights = client.evaluate_rights(ORDERS, &[1]).await.unwrap();
    assert!(rights[0].id == 1 && rights[0].record.editable && rights[0].fields["単価"].editable);
}

#[tokio::test]
async fn cursors_read_everything_and_are_given_back() {
    let (emulator, client) = start().await;
    for _ in 0..3 {
        client.insert(ORDERS, vec![Values::new(); 100]).await.unwrap();
    }
    for _ in 0..12 {
        let mut cursor =
            client.cursor(ORDERS, &Query::default(), &["$id".into()], 120).await.unwrap().unwrap();
        assert_eq!(cursor.total, 300);
        let mut rows = 0;
        while let Some(page) = cursor.next().await.unwrap() {
            let page: Value = serde_json::from_slice(&page.body).unwrap();
            rows += page["records"].as_array().unwrap().len();
        }
        assert_eq!(rows, 300);
    }
    // Half read, then closed: twelve times more than a domain has.
    for _ in 0..12 {
        let mut cursor = client.cursor(ORDERS, &Query::default(), &[], 1).await.unwrap().unwrap();
        assert!(cursor.next().await.unwrap().is_some());
        cursor.close().await.unwrap();
    }
    assert!(emulator.requests().len() > 60);
}

#[tokio::test]
async fn files_go_up_into_a_record_and_come_down() {
    let (_emulator, client) = start().await;
    let body: Vec<u8> = (0..=255).cycle().take(200_000).collect();
    let halves = body.chunks(70_000).map(|half| Ok(bytes::Bytes::copy_from_slice(half))).collect::<Vec<_>>();
    let content = Content::Stream(200_000, stream::iter(halves).boxed());
    let first = client.upload(None, "見積 \"1\".bin", "application/x-test", content).await.unwrap();
    let second = client.upload(None, "b.txt", "text/plain", Content::Whole("二".into())).await.unwrap();
    let mut record = order("A-1", "1");
    record.insert("添付".into(), json!([{"fileKey": first}, {"fileKey": second}]));
    client.insert(ORDERS, vec![record]).await.unwrap();
    let record = client.record(ORDERS, 1).await.unwrap().unwrap();
    let files = record["添付"]["value"].as_array().unwrap().clone();
    assert_eq!(
        (&files[0]["size"], &files[0]["contentType"]),
        (&json!("200000"), &json!("application/x-test"))
    );
    assert_eq!((&files[1]["name"], &files[1]["size"]), (&json!("b.txt"), &json!("3")));
    let key = files[0]["fileKey"].as_str().unwrap();
    assert_ne!(key, first);
    let file = client.download(ORDERS, key).await.unwrap();
    let parts: Vec<_> = file.into_stream().collect().await;
    assert_eq!(parts.into_iter().flat_map(Result::unwrap).collect::<Vec<_>>(), body);
    assert_eq!(client.download(ORDERS, "nobody").await.unwrap_err().code(), Some("GAIA_BL01"));
}

#[tokio::test]
async fn users_groups_and_organizations_are_told() {
    let (_emulator, client) = start().await;
    let codes =
        |users: Vec<kintone_sql::kintone::User>| users.into_iter().map(|u| u.code).collect::<Vec<_>>();
    let users = client.users().await.unwrap();
    assert!(!users[0].timezone.is_empty() && users[0].valid);
    assert_eq!(codes(users), ["sato", "zoe"]);
    assert!(client.groups().await.unwrap().iter().any(|g| g.code == "managers" && g.name == "管理職"));
    let organizations = client.organizations().await.unwrap();
    let sales = organizations.iter().find(|o| o.code == "sales").unwrap();
    assert_eq!(sales.parent_code.as_deref(), Some("hq"));
    assert_eq!(codes(client.users_of_group("managers").await.unwrap()), ["sato"]);
    let members = client.users_of_organization("hq").await.unwrap();
    assert_eq!(codes(members.into_iter().map(|member| member.of).collect()), ["zoe"]);
    assert!(client.groups_of_user("sato").await.unwrap().iter().any(|g| g.code == "managers"));
    assert_eq!(client.organizations_of_user("zoe").await.unwrap()[0].of.code, "hq");
}

#[tokio::test]
async fn a_new_app_is_made_filled_and_changed() {
    let (_emulator, client) = start().await;
    let (app, revision) = client.create_app("試し", None, None).await.unwrap();
    let fields = json!({"a": {"type": "NUMBER", "code": "a", "label": "A"},
                        "b": {"type": "SINGLE_LINE_TEXT", "code": "b", "label": "B"}});
    let fields = fields.as_object().unwrap().clone();
    let next = client.add_fields(app, fields, Some(revision)).await.unwrap();
    assert!(next > revision);
    let error = client.delete_fields(app, &["b".into()], Some(revision)).await.unwrap_err();
    assert_eq!(error.code(), Some("GAIA_CO02"));
    client.deploy(&[app]).await.unwrap();
    assert_eq!(client.deployed(&[app]).await.unwrap(), [Deployment::Success]);
    let form = client.form(app).await.unwrap();
    assert!(["a", "b"].iter().all(|code| form.fields.iter().any(|f| f.code == *code)));
    client.insert(app, vec![Values::from_iter([("a".to_owned(), json!("5"))])]).await.unwrap();
    client.delete_fields(app, &["b".into()], None).await.unwrap();
    let precision = json!({"numberPrecision": {"digits": "20", "decimalPlaces": "3", "roundingMode": "UP"}});
    client.set_settings(app, Settings::General, precision.as_object().unwrap().clone()).await.unwrap();
    client.deploy(&[app]).await.unwrap();
    assert_eq!(client.deployed(&[app]).await.unwrap(), [Deployment::Success]);
    assert!(!client.form(app).await.unwrap().fields.iter().any(|f| f.code == "b"));
    assert_eq!(client.settings(app).await.unwrap().digits, 20);
    assert_eq!(client.count(app, None).await.unwrap(), 1);
    let statistics = client.statistics().await.unwrap();
    assert_eq!(statistics.iter().find(|s| s.id == app.id).unwrap().record_count, Some(1));
    assert!(client.app_rules(app).await.is_ok() && client.record_rules(app).await.is_ok());
    assert!(client.field_rules(app).await.is_ok());
}
