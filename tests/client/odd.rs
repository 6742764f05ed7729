//! Replies that no Kintone gives: every call against bodies that are nearly right, and against noise.

use kintone_sql::kintone::{
    Change, Content, Deletion, NewComment, Settings, StatusChange, Target, Update, Values,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::*;

/// Bodies of each kind.
const BODIES: usize = 24;

/// A reply that every call takes.
fn good() -> Value {
    let person = json!({"code": "sato", "name": "佐藤"});
    let entity = json!({"type": "USER", "code": "sato"});
    json!({
        "id": "1", "app": "7", "appId": "7", "code": "a", "name": "a", "revision": "2", "fileKey": "k", "next": false,
        "totalCount": "1", "creator": person, "modifier": person, "createdAt": "2026-01-01T00:00:00Z",
        "apps": [{"appId": "7", "app": "7", "id": "7", "name": "a", "creator": person, "modifier": person,
            "status": "SUCCESS", "recordCount": "1", "fieldCount": "1", "dailyRequestCount": "1", "storageUsage": "1"}],
        "properties": {"n": {"type": "NUMBER", "code": "n", "options": {"a": {"index": "0"}}, "fields": {},
            "lookup": {"relatedApp": {"app": "3"}, "relatedKeyField": "k"},
            "referenceTable": {"relatedApp": {"app": "3"}, "condition": {"field": "a", "relatedField": "b"}}}},
        "layout": [{"type": "ROW", "fields": [{"type": "NUMBER", "code": "n"}]}, {"type": "GROUP", "layout": []}],
        "views": {"v": {"id": "1", "index": "0", "name": "v", "type": "LIST", "fields": ["n"]}},
        "numberPrecision": {"digits": "16", "decimalPlaces": "4", "roundingMode": "UP"},
        "enable": true, "states": {"s": {"name": "s", "index": "0", "assignee": {"type": "ONE"}}},
        "actions": [{"name": "go", "from": "s", "to": "s", "type": "PRIMARY"}],
        "comments": [{"id": "1", "text": "x", "createdAt": "2026-01-01T00:00:00Z", "creator": person}],
        "older": false, "newer": false,
        "rights": [{"id": "1", "record": {"viewable": true, "editable": true, "deletable": true}, "fields": {},
            "entity": entity, "code": "n", "entities": [{"entity": entity, "accessibility": "READ"}]}],
        "record": {"n": {"type": "NUMBER", "value": "1"}},
        "records": [{"id": "1", "revision": "2", "operation": "INSERT"}], "ids": ["1"], "revisions": ["1"],
        "results": [{"ids": ["1"], "revisions": ["1"]}],
        "users": [{"id": "1", "code": "sato", "name": "佐藤", "valid": true, "timezone": "UTC"}],
        "groups": [{"id": "1", "code": "g", "name": "g"}], "organizations": [{"id": "1", "code": "o", "name": "o"}],
        "userTitles": [{"user": {"id": "1", "code": "sato", "name": "佐藤", "valid": true, "timezone": "UTC"}}],
        "organizationTitles": [{"organization": {"id": "1", "code": "o", "name": "o"}}],
    })
}

/// How many calls there are, of which the first ones change something.
const CALLS: usize = 37;
const WRITES: usize = 16;

/// One of the calls.
async fn call(client: &Client, which: usize) -> Result<String, Error> {
    fn told<T: std::fmt::Debug>(outcome: Result<T, Error>) -> Result<String, Error> {
        outcome.map(|reply| format!("{reply:?}"))
    }
    let values = || Values::from_iter([("n".to_owned(), json!("1"))]);
    let update = || Update { target: Target::Id(1), values: values(), revision: None };
    let insert = Change::Insert { app: APP, records: vec![values()] };
    let comment = NewComment { text: "x".into(), mentions: vec![] };
    let status = StatusChange { id: 1, action: "go".into(), assignee: None, revision: None };
    let assign = Change::Assignees { app: APP, id: 1, assignees: vec![], revision: None };
    let codes = ["n".to_owned()];
    match which {
        0 => told(client.insert(APP, vec![values()]).await),
        1 => told(client.update(APP, vec![update()]).await),
        2 => told(client.upsert(APP, vec![update()]).await),
        3 => told(client.delete(APP, vec![Deletion { id: 1, revision: Some(2) }]).await),
        4 => told(client.change(&Change::Status { app: APP, changes: vec![status] }).await),
        5 => told(client.change(&assign).await),
        6 => told(client.bulk(&[insert]).await),
        7 => told(client.add_comment(APP, 1, &comment).await),
        8 => told(client.delete_comment(APP, 1, 1).await),
        9 => told(client.create_app("a", None, None).await),
        10 => told(client.add_fields(APP, values(), None).await),
        11 => told(client.update_fields(APP, values(), Some(1)).await),
        12 => told(client.delete_fields(APP, &codes, None).await),
        13 => told(client.set_settings(APP, Settings::Views, Values::new()).await),
        14 => told(client.deploy(&[APP]).await),
        15 => told(client.change(&Change::Update { app: APP, updates: vec![update()] }).await),
        16 => told(client.upload(None, "a", "text/plain", Content::Whole("x".into())).await),
        17 => told(client.apps().await),
        18 => told(client.views(APP).await),
        19 => told(client.settings(APP).await),
        20 => told(client.statistics().await),
        21 => told(client.form(APP).await),
        22 => told(client.process(APP).await),
        23 => told(client.comments(APP, 1, 0, true).await),
        24 => told(client.evaluate_rights(APP, &[1]).await),
        25 => told(client.app_rules(APP).await),
        26 => told(client.record_rules(APP).await),
        27 => told(client.field_rules(APP).await),
        28 => told(client.record(APP, 1).await),
        29 => told(client.count(APP, None).await),
        30 => told(client.deployment(&[APP]).await),
        31 => told(client.users().await),
        32 => told(client.groups().await),
        33 => told(client.organizations_of_user("sato").await),
        34 => told(client.users_of_organization("o").await),
        35 => told(client.groups_of_user("sato").await),
        _ => {
            let cursor = client.cursor(APP, &Query::default(), &[], 1).await?;
            let Some(cursor) = cursor else { return Ok("none".into()) };
            // Nothing is to be deleted in the background.
            told(std::mem::ManuallyDrop::new(cursor).next().await)
        }
    }
}

/// Every place of a document.
fn places(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| places(value, &format!("{at}/{key}"), out)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(n, value)| places(value, &format!("{at}/{n}"), out));
        }
        _ => {}
    }
}

/// Something else in the place of a value.
fn other() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[]])),
        Just(json!(true)),
        Just(json!(-1)),
        Just(json!(1.5)),
        Just(json!("")),
        Just(json!("+1")),
        Just(json!("canary-body")),
        any::<u64>().prop_map(|n| json!(n)),
        any::<u64>().prop_map(|n| json!(n.to_string())),
    ]
}

/// The good reply with some of its values replaced, or taken out.
fn nearly_good() -> impl Strategy<Value = Vec<u8>> {
    let mut all = vec![];
    places(&good(), "", &mut all);
    let change = (proptest::sample::select(all), proptest::option::weighted(0.7, other()));
    proptest::collection::vec(change, 1..12).prop_map(|changes| {
        let mut body = good();
        for (place, with) in changes {
            match (body.pointer_mut(&place), with) {
                (Some(slot), Some(value)) => *slot = value,
                (Some(_), None) => {
                    let (parent, key) = place.rsplit_once('/').unwrap_or_default();
                    if let Some(Value::Object(map)) = body.pointer_mut(parent) {
                        map.shift_remove(key);
                    }
                }
                (None, _) => {}
            }
        }
        body.to_string().into_bytes()
    })
}

fn noise() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        "[\\[\\]{}:,\"a-z0-9 ]{0,80}".prop_map(String::into_bytes),
        Just(good().to_string().into_bytes())
            .prop_flat_map(|body| { (0..body.len()).prop_map(move |length| body[..length].to_vec()) }),
    ]
}

/// A server that answers each request with what stands in the slot.
async fn slot() -> (Server, Arc<Mutex<Vec<u8>>>) {
    let body = Arc::new(Mutex::new(vec![]));
    let next = Arc::clone(&body);
    let server = Server::start(move |_, _| vec![Send(next.lock().unwrap().clone())]).await;
    (server, body)
}

fn client_of(server: &Server) -> Client {
    let mut config = ClientConfig { read_only: false, ..server.config() };
    config.retry.attempts = 1;
    // Of its own: a domain that gives nothing but noise would be left alone.
    Client::in_domains(config, &Domains::new(Arc::new(kintone_sql::kintone::SystemClock))).unwrap()
}

#[tokio::test]
async fn every_call_takes_its_reply_with_keys_that_it_does_not_know() {
    let (server, body) = slot().await;
    *body.lock().unwrap() = http(200, &[JSON], good().to_string().as_bytes());
    let client = client_of(&server);
    for which in 0..CALLS {
        let outcome = call(&client, which).await;
        assert!(outcome.is_ok(), "{which}: {outcome:?}");
    }
    // Ids, revisions and counts as numbers.
    let numbers = good().to_string();
    let numbers =
        ["0", "1", "2", "3", "7"].iter().fold(numbers, |text, n| text.replace(&format!("\"{n}\""), n));
    *body.lock().unwrap() = http(200, &[JSON], numbers.as_bytes());
    // But for a cursor's id, which is none.
    for which in 0..CALLS - 1 {
        let outcome = call(&client, which).await;
        assert!(outcome.is_ok(), "{which}: {outcome:?}");
    }
}

#[tokio::test]
async fn no_reply_stops_the_client_and_none_is_told_to_others() {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let (server, slot) = slot().await;
    let bodies = (0..BODIES).flat_map(|_| {
        let nearly = nearly_good().new_tree(&mut runner).unwrap().current();
        [nearly, noise().new_tree(&mut runner).unwrap().current()]
    });
    for body in bodies.collect::<Vec<_>>() {
        let shown = String::from_utf8_lossy(&body).into_owned();
        let client = client_of(&server);
        for which in 0..CALLS {
            *slot.lock().unwrap() = http(200, &[JSON], &body);
            let Err(error) = call(&client, which).await else { continue };
            // Kintone says that it was done: no word of a write that failed.
            assert!(which >= WRITES || error.is_outcome_unknown(), "{which}: {error} {shown}");
            assert!(!format!("{error} {error:?}").contains("canary"), "{which}: {error:?}");
        }
    }
}

#[tokio::test]
async fn a_refusal_keeps_its_code_whatever_else_it_says() {
    for (body, code, faults) in [
        (json!({"code": "GAIA_RE01"}), Some("GAIA_RE01"), 0),
        (json!({"code": "GAIA_RE01", "message": null, "errors": null}), Some("GAIA_RE01"), 0),
        (json!({"code": "CB_VA01", "message": 1, "errors": []}), Some("CB_VA01"), 0),
        (
            json!({"code": "CB_VA01", "message": "x", "errors": {"a": null, "b": {"messages": [1, "y"]}}}),
            Some("CB_VA01"),
            2,
        ),
        (json!({"results": [{}, {"code": "GAIA_CO02", "errors": "?"}]}), Some("GAIA_CO02"), 0),
        (json!({"code": 5, "message": "x"}), None, 0),
        (json!({"results": []}), None, 0),
        (json!([]), None, 0),
        (json!(null), None, 0),
    ] {
        let (server, slot) = slot().await;
        *slot.lock().unwrap() = http(400, &[JSON], body.to_string().as_bytes());
        let error = call(&client_of(&server), 0).await.unwrap_err();
        assert_eq!((error.code(), error.faults().len()), (code, faults), "{body}");
        assert!(!error.is_outcome_unknown(), "{body}");
    }
}
