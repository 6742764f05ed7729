//! Each call: the exact request, and what is made of its reply.

use futures::{StreamExt, stream};
use kintone_sql::kintone::{
    Change, Changed, Content, Deletion, Deployment, EntityKind, Mention, NewComment, Saved, Settings,
    StatusChange, Target, Update, Upserted, Values,
};

use super::*;

const GUEST: AppKey = AppKey { id: 7, guest_space: Some(5) };

fn values(json: Value) -> Values {
    match json {
        Value::Object(values) => values,
        other => panic!("{other}"),
    }
}

fn saved(id: u64, revision: u64) -> Saved {
    Saved { id, revision }
}

/// The last request: method, target and, where it has one, its body.
fn sent(server: &Server) -> String {
    let seen = server.seen().pop().unwrap();
    if !seen.body.is_empty() && !seen.target.contains("file.json") {
        assert_eq!(seen.header("Content-Type"), Some("application/json"));
    }
    format!("{} {} {}", seen.method, seen.target, seen.body).trim_end().to_owned()
}

/// A server with these replies in turn, and a client that may write.
async fn with(replies: &[Value]) -> (Server, Client) {
    let server = Server::answers(replies.iter().map(ok).collect()).await;
    let client = server.writer();
    (server, client)
}

#[tokio::test]
async fn one_record_is_read() {
    let record = json!({"$id": {"type": "__ID__", "value": "12"}, "単価": {"type": "NUMBER", "value": "3"}});
    let (server, client) = with(&[json!({ "record": record })]).await;
    let got = client.record(GUEST, 12).await.unwrap().unwrap();
    assert_eq!(Value::Object(got), record);
    assert_eq!(sent(&server), "GET /k/guest/5/v1/record.json?app=7&id=12");
}

#[tokio::test]
async fn records_are_added() {
    let (server, client) = with(&[json!({"ids": ["101", 102], "revisions": ["1", 1]})]).await;
    let rows = json!([{"value": {"Item": {"value": "x"}}}]);
    let records = vec![
        values(json!({"単価": "12.50", "Tags": ["a", "b"], "Owner": [{"code": "sato"}], "Due": null})),
        values(json!({ "Items": rows })),
    ];
    assert_eq!(client.insert(APP, records).await.unwrap(), [saved(101, 1), saved(102, 1)]);
    assert_eq!(
        sent(&server),
        r#"POST /k/v1/records.json {"app":7,"records":[{"単価":{"value":"12.50"},"Tags":{"value":["a","b"]},"Owner":{"value":[{"code":"sato"}]},"Due":{"value":null}},{"Items":{"value":[{"value":{"Item":{"value":"x"}}}]}}]}"#
    );
    assert_eq!(client.requests().last().unwrap().method, "POST");
}

fn updates() -> Vec<Update> {
    let key = Target::Key { field: "Code".into(), value: "A-1".into() };
    vec![
        Update { target: Target::Id(3), values: values(json!({"a": "x"})), revision: Some(4) },
        Update { target: key, values: Values::new(), revision: None },
    ]
}

const UPDATES: &str = r#"[{"id":3,"record":{"a":{"value":"x"}},"revision":4},{"updateKey":{"field":"Code","value":"A-1"},"record":{}}]"#;

#[tokio::test]
async fn records_are_changed() {
    let reply = json!({"records": [{"id": "3", "revision": "5"}, {"id": "9", "revision": "2"}]});
    let (server, client) = with(&[reply]).await;
    assert_eq!(client.update(APP, updates()).await.unwrap(), [saved(3, 5), saved(9, 2)]);
    assert_eq!(sent(&server), format!(r#"PUT /k/v1/records.json {{"app":7,"records":{UPDATES}}}"#));
}

#[tokio::test]
async fn records_are_changed_or_added() {
    let reply = json!({"records": [{"id": "3", "revision": "5", "operation": "UPDATE"},
                                   {"id": "9", "revision": "1", "operation": "INSERT"}]});
    let (server, client) = with(&[reply]).await;
    let expect =
        [Upserted { saved: saved(3, 5), is_new: false }, Upserted { saved: saved(9, 1), is_new: true }];
    assert_eq!(client.upsert(GUEST, updates()).await.unwrap(), expect);
    assert_eq!(
        sent(&server),
        format!(r#"PUT /k/guest/5/v1/records.json {{"app":7,"upsert":true,"records":{UPDATES}}}"#)
    );
}

#[tokio::test]
async fn records_are_deleted() {
    let (server, client) = with(&[json!({})]).await;
    let plain = |ids: std::ops::Range<u64>| ids.map(|id| Deletion { id, revision: None }).collect::<Vec<_>>();
    client.delete(APP, plain(1..3)).await.unwrap();
    assert_eq!(sent(&server), "DELETE /k/v1/records.json?app=7&ids%5B0%5D=1&ids%5B1%5D=2");
    let mut checked = plain(1..3);
    checked[1].revision = Some(6);
    client.delete(APP, checked).await.unwrap();
    assert_eq!(
        sent(&server),
        "DELETE /k/v1/records.json?app=7&ids%5B0%5D=1&ids%5B1%5D=2&revisions%5B0%5D=-1&revisions%5B1%5D=6"
    );
    // Too long for a URL.
    let many: Vec<_> =
        (1..=100).map(|id| Deletion { id: id + 10_000_000_000_000, revision: Some(3) }).collect();
    client.delete(APP, many).await.unwrap();
    let seen = server.seen().pop().unwrap();
    assert_eq!((seen.method.as_str(), seen.header("X-HTTP-Method-Override")), ("POST", Some("DELETE")));
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!(
        (&body["app"], &body["ids"][99], &body["revisions"][99]),
        (&json!(7), &json!(10_000_000_000_100_u64), &json!(3))
    );
}

#[tokio::test]
async fn processes_go_on() {
    let reply = json!({"records": [{"id": "1", "revision": "3"}, {"id": "2", "revision": "5"}]});
    let (server, client) = with(&[reply, json!({"revision": "8"}), json!({"revision": "9"})]).await;
    let change = |id, assignee: Option<&str>, revision| StatusChange {
        id,
        action: "申請する".into(),
        assignee: assignee.map(str::to_owned),
        revision,
    };
    let changes = vec![change(1, Some("sato"), Some(1)), change(2, None, None)];
    let changed = client.change(&Change::Status { app: APP, changes }).await.unwrap();
    assert_eq!(changed, Changed::Saved(vec![saved(1, 3), saved(2, 5)]));
    assert_eq!(
        sent(&server),
        r#"PUT /k/v1/records/status.json {"app":7,"records":[{"id":1,"action":"申請する","assignee":"sato","revision":1},{"id":2,"action":"申請する"}]}"#
    );
    let assignees =
        |revision| Change::Assignees { app: APP, id: 4, assignees: vec!["a".into(), "b".into()], revision };
    assert_eq!(client.change(&assignees(None)).await.unwrap(), Changed::Revision(8));
    assert_eq!(sent(&server), r#"PUT /k/v1/record/assignees.json {"app":7,"id":4,"assignees":["a","b"]}"#);
    assert_eq!(client.change(&assignees(Some(8))).await.unwrap(), Changed::Revision(9));
    assert_eq!(
        sent(&server),
        r#"PUT /k/v1/record/assignees.json {"app":7,"id":4,"assignees":["a","b"],"revision":8}"#
    );
}

#[tokio::test]
async fn a_bulk_request_holds_every_change_in_order() {
    let app = GUEST;
    let changes = [
        Change::Insert { app, records: vec![values(json!({"a": "1"}))] },
        Change::Update { app, updates: updates() },
        Change::Upsert { app, updates: updates() },
        Change::Delete {
            app: AppKey { id: 8, ..GUEST },
            deletions: vec![Deletion { id: 5, revision: None }],
        },
        Change::Status {
            app,
            changes: vec![StatusChange { id: 1, action: "x".into(), assignee: None, revision: None }],
        },
        Change::Assignees { app, id: 1, assignees: vec![], revision: None },
    ];
    let results = json!({"results": [
        {"ids": ["1"], "revisions": ["1"]},
        {"records": [{"id": "3", "revision": "5"}, {"id": "9", "revision": "2"}]},
        {"records": [{"id": "3", "revision": "6", "operation": "UPDATE"}, {"id": "10", "revision": "1", "operation": "INSERT"}]},
        {},
        {"records": [{"id": "1", "revision": "3"}]},
        {"revision": "4"}]});
    let (server, client) = with(&[results]).await;
    let expect = vec![
        Changed::Saved(vec![saved(1, 1)]),
        Changed::Saved(vec![saved(3, 5), saved(9, 2)]),
        Changed::Upserted(vec![
            Upserted { saved: saved(3, 6), is_new: false },
            Upserted { saved: saved(10, 1), is_new: true },
        ]),
        Changed::Deleted,
        Changed::Saved(vec![saved(1, 3)]),
        Changed::Revision(4),
    ];
    assert_eq!(client.bulk(&changes).await.unwrap(), expect);
    let base = r#""api":"/k/guest/5/v1/"#;
    let expect = [
        "POST /k/guest/5/v1/bulkRequest.json {\"requests\":[".to_owned(),
        format!(
            r#"{{"method":"POST",{base}records.json","payload":{{"app":7,"records":[{{"a":{{"value":"1"}}}}]}}}},"#
        ),
        format!(r#"{{"method":"PUT",{base}records.json","payload":{{"app":7,"records":{UPDATES}}}}},"#),
        format!(
            r#"{{"method":"PUT",{base}records.json","payload":{{"app":7,"upsert":true,"records":{UPDATES}}}}},"#
        ),
        format!(r#"{{"method":"DELETE",{base}records.json","payload":{{"app":8,"ids":[5]}}}},"#),
        format!(
            r#"{{"method":"PUT",{base}records/status.json","payload":{{"app":7,"records":[{{"id":1,"action":"x"}}]}}}},"#
        ),
        format!(
            r#"{{"method":"PUT",{base}record/assignees.json","payload":{{"app":7,"id":1,"assignees":[]}}}}"#
        ),
        "]}".to_owned(),
    ];
    assert_eq!(sent(&server), expect.concat());
    // Several apps: the log names none.
    assert_eq!(client.requests().last().unwrap().app, None);
}

#[tokio::test]
async fn results_that_are_not_of_the_bulk_request_leave_its_outcome_unknown() {
    let insert = Change::Insert { app: APP, records: vec![Values::new()] };
    for results in [json!([]), json!([{}]), json!([{"ids": ["1"], "revisions": ["1"]}]), json!([{}, {}])] {
        let (server, client) = with(&[json!({ "results": results })]).await;
        let error = client.bulk(&[insert.clone(), insert.clone()]).await.unwrap_err();
        assert!(matches!(error, Error::OutcomeUnknown { rows: 2, .. }), "{results}: {error}");
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn what_no_call_can_hold_is_not_sent() {
    let (server, client) = with(&[json!({})]).await;
    let call = "POST /k/v1/records.json (app 7)";
    let many = |n| Change::Insert { app: APP, records: vec![Values::new(); n] };
    let error = client.change(&many(101)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("connection crm: {call} was not sent: a call takes at most 100 records")
    );
    let guest = Change::Insert { app: GUEST, records: vec![Values::new()] };
    for (changes, reason) in [
        (vec![many(1), many(101)], "a call takes at most 100 records"),
        (vec![many(1); 21], "a bulk request takes at most 20 changes"),
        (vec![many(1), guest], "a bulk request stays in one space"),
    ] {
        let error = client.bulk(&changes).await.unwrap_err();
        assert!(matches!(&error, Error::NotSent { reason: r, .. } if r == reason), "{error}");
    }
    // Nothing to do is done.
    assert_eq!(client.change(&many(0)).await.unwrap(), Changed::Saved(vec![]));
    client.delete(APP, vec![]).await.unwrap();
    assert_eq!(client.bulk(&[]).await.unwrap(), []);
    // A connection that only reads writes nothing, whoever asks.
    let error = server.client().change(&many(1)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("connection crm: {call} was not sent: the connection is read-only (Readonly)")
    );
    assert!(server.client().upload(None, "a", "b", Content::Whole("c".into())).await.is_err());
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn comments_are_added_and_deleted() {
    let (server, client) = with(&[json!({"id": "4"}), json!({"id": 5}), json!({})]).await;
    let mention = |code: &str, kind| Mention { code: code.into(), kind };
    let comment = NewComment {
        text: "了解 \"A\"".into(),
        mentions: vec![
            mention("sato", EntityKind::User),
            mention("g", EntityKind::Group),
            mention("o", EntityKind::Organization),
        ],
    };
    assert_eq!(client.add_comment(APP, 12, &comment).await.unwrap(), 4);
    assert_eq!(
        sent(&server),
        r#"POST /k/v1/record/comment.json {"app":7,"record":12,"comment":{"text":"了解 \"A\"","mentions":[{"code":"sato","type":"USER"},{"code":"g","type":"GROUP"},{"code":"o","type":"ORGANIZATION"}]}}"#
    );
    let plain = NewComment { text: "x".into(), mentions: vec![] };
    assert_eq!(client.add_comment(GUEST, 12, &plain).await.unwrap(), 5);
    assert_eq!(
        sent(&server),
        r#"POST /k/guest/5/v1/record/comment.json {"app":7,"record":12,"comment":{"text":"x"}}"#
    );
    client.delete_comment(APP, 12, 4).await.unwrap();
    assert_eq!(sent(&server), "DELETE /k/v1/record/comment.json?app=7&record=12&comment=4");
}

#[tokio::test]
async fn cursors_are_made_read_and_deleted() {
    let page = json!({"records": [], "next": true});
    let (server, client) = with(&[json!({"id": "ab-c", "totalCount": "618525"}), page, json!({})]).await;
    let query = Query {
        condition: Some(Condition::Native("a > 1".into())),
        order_by: vec![OrderBy { field: "a".into(), ascending: false }],
        ..Query::default()
    };
    let mut cursor = client.cursor(APP, &query, &["$id".into(), "単価".into()], 250).await.unwrap().unwrap();
    assert_eq!(cursor.total, 618_525);
    assert_eq!(
        sent(&server),
        r#"POST /k/v1/records/cursor.json {"app":7,"fields":["$id","単価"],"query":"(a > 1) order by a desc","size":250}"#
    );
    assert!(cursor.next().await.unwrap().is_some());
    assert_eq!(sent(&server), "GET /k/v1/records/cursor.json?id=ab-c");
    cursor.close().await.unwrap();
    assert_eq!(sent(&server), "DELETE /k/v1/records/cursor.json?id=ab-c");
}

#[tokio::test]
async fn files_go_up_as_streams() {
    let (server, client) = with(&[json!({"fileKey": "k-1"})]).await;
    let parts = stream::iter([Ok("一二".into()), Ok("三".into())]).boxed();
    for (content, text) in [(Content::Whole("abc".into()), "abc"), (Content::Stream(9, parts), "一二三")] {
        let key = client.upload(Some(5), "見積\"1\".txt", "text/plain", content).await.unwrap();
        assert_eq!(key, "k-1");
        let seen = server.seen().pop().unwrap();
        assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/k/guest/5/v1/file.json"));
        let boundary =
            seen.header("Content-Type").unwrap().strip_prefix("multipart/form-data; boundary=").unwrap();
        let expect = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"見積%221%22.txt\"\r\nContent-Type: text/plain\r\n\r\n{text}\r\n--{boundary}--\r\n"
        );
        assert_eq!(seen.body, expect);
        assert_eq!(seen.header("Content-Length"), Some(expect.len().to_string().as_str()));
        assert_eq!(seen.header("Transfer-Encoding"), None);
    }
}

#[tokio::test]
async fn a_file_is_sent_again_only_where_it_was_refused_and_is_still_there() {
    let stream = || Content::Stream(1, stream::iter([Ok("x".into())]).boxed());
    for (fault, content, expect) in [
        (refused(429, "GAIA_TO04"), Content::Whole("x".into()), 2),
        (refused(429, "GAIA_TO04"), stream(), 1),
        (vec![Reset], Content::Whole("x".into()), 1),
        (reply(503, &[HTML], "<html>"), Content::Whole("x".into()), 1),
    ] {
        let server = Server::answers(vec![fault, ok(&json!({"fileKey": "k"}))]).await;
        let outcome = server.writer().upload(None, "a", "b/c", content).await;
        assert_eq!((server.seen().len(), outcome.is_ok()), (expect, expect == 2), "{outcome:?}");
    }
    // A stream that ends before its length, or with an error, is no file.
    for parts in [vec![Ok("x".into())], vec![Ok("x".into()), Err(std::io::Error::other("disk"))]] {
        let server = Server::answers(vec![ok(&json!({"fileKey": "k"}))]).await;
        let content = Content::Stream(5, stream::iter(parts).boxed());
        assert!(server.writer().upload(None, "a", "b/c", content).await.is_err());
    }
}

#[tokio::test]
async fn files_come_down_as_streams() {
    let body: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let whole = http(200, &["Content-Type: image/png"], &body);
    let server = Server::answers(vec![
        reply(503, &[HTML], "<html>"),
        vec![Send(whole.clone())],
        vec![Send(whole[..200_000].to_vec()), Close],
        refused(404, "GAIA_BL01"),
    ])
    .await;
    // Larger than an answer of JSON may be.
    let client = Client::new(ClientConfig { max_answer_bytes: 1000, ..server.config() }).unwrap();
    let file = client.download(GUEST, "20260424-ÄB").await.unwrap();
    assert_eq!(sent(&server), "GET /k/guest/5/v1/file.json?fileKey=20260424-%C3%84B");
    assert_eq!(server.seen().len(), 2, "what has not begun is tried again");
    assert_eq!((file.content_type.as_str(), file.length), ("image/png", Some(300_000)));
    let parts: Vec<_> = file.into_stream().collect().await;
    assert!(parts.len() > 1);
    assert_eq!(parts.into_iter().flat_map(Result::unwrap).collect::<Vec<_>>(), body);

    let parts: Vec<_> = client.download(APP, "k").await.unwrap().into_stream().collect().await;
    assert!(matches!(parts.last(), Some(Err(Error::Transport { .. }))), "a cut file ends in an error");
    assert_eq!(parts.iter().filter(|p| p.is_err()).count(), 1);
    assert_eq!(client.download(APP, "k").await.unwrap_err().code(), Some("GAIA_BL01"));
    // Every place was given back.
    assert_eq!(join_all((0..12).map(|_| client.download(APP, "k"))).await.len(), 12);
}

#[tokio::test]
async fn processes_and_statistics_are_read() {
    let state = |name: &str, index: &str| json!({"name": name, "index": index, "assignee": {"type": "ONE", "entities": []}});
    let process = json!({"enable": true, "revision": "6",
        "states": {"完了": state("完了", "1"), "未処理": state("未処理", "0")},
        "actions": [{"name": "終える", "from": "未処理", "to": "完了", "filterCond": "a > 1", "type": "PRIMARY"}]});
    let never = json!({"enable": false, "states": null, "actions": null, "revision": "1"});
    let (server, client) = with(&[process, never]).await;
    let got = client.process(APP).await.unwrap();
    assert_eq!(sent(&server), "GET /k/v1/app/status.json?app=7");
    assert!(got.enabled);
    assert_eq!(got.states.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["未処理", "完了"]);
    assert_eq!((got.states[0].assignee.as_str(), got.revision), ("ONE", 6));
    let action = &got.actions[0];
    assert_eq!(
        (action.from.as_str(), action.to.as_str(), action.kind.as_str()),
        ("未処理", "完了", "PRIMARY")
    );
    assert!(!client.process(APP).await.unwrap().enabled);

    let server = Server::start(|_, seen| {
        let offset: u64 = seen.parameter("offset").unwrap().parse().unwrap();
        let apps: Vec<_> = (offset..150.min(offset + 100))
            .map(|n| json!({"id": n.to_string(), "name": "x", "recordCount": "618525", "fieldCount": 12,
                "dailyRequestCount": "7", "storageUsage": "1024", "recordUpdatedAt": null, "status": "ACTIVATED"}))
            .collect();
        ok(&json!({ "apps": apps }))
    })
    .await;
    let all = server.client().statistics().await.unwrap();
    assert_eq!((all.len(), server.seen().len()), (150, 2));
    assert_eq!((all[149].id, all[149].record_count, all[149].field_count), (149, Some(618_525), Some(12)));
    assert_eq!(server.seen()[1].target, "/k/v1/apps/statistics.json?limit=100&offset=100");
}

#[tokio::test]
async fn rights_are_read() {
    let rights = json!({"rights": [{"id": "1", "record": {"viewable": true, "editable": false, "deletable": false},
        "fields": {"単価": {"viewable": true, "editable": false}}}]});
    let app = json!({"revision": "2", "rights": [{"entity": {"type": "GROUP", "code": "everyone"}, "includeSubs": false,
        "appEditable": false, "recordViewable": true, "recordAddable": true, "recordEditable": true,
        "recordDeletable": false, "recordImportable": false, "recordExportable": false},
        {"entity": {"type": "CREATOR", "code": null}, "appEditable": true}]});
    let record = json!({"rights": [{"filterCond": "a > 1", "entities": [{"entity": {"type": "USER", "code": "sato"},
        "viewable": true, "editable": true, "deletable": false, "includeSubs": false}]}]});
    let field = json!({"rights": [{"code": "単価", "entities": [{"accessibility": "READ",
        "entity": {"type": "USER", "code": "sato"}, "includeSubs": false}]}]});
    let (server, client) = with(&[rights, app, record, field]).await;
    let got = client.evaluate_rights(APP, &[1, 2]).await.unwrap();
    assert_eq!(sent(&server), "GET /k/v1/records/acl/evaluate.json?app=7&ids%5B0%5D=1&ids%5B1%5D=2");
    assert!(
        got[0].id == 1
            && got[0].record.viewable
            && !got[0].record.editable
            && !got[0].fields["単価"].editable
    );
    let got = client.app_rules(APP).await.unwrap();
    assert_eq!(sent(&server), "GET /k/v1/app/acl.json?app=7");
    assert!(got[0].record_addable && !got[0].record_deletable && got[1].app_editable);
    assert_eq!(got[1].entity.as_ref().unwrap().code, None);
    let got = client.record_rules(APP).await.unwrap();
    assert_eq!(sent(&server), "GET /k/v1/record/acl.json?app=7");
    assert_eq!((got[0].filter_cond.as_str(), got[0].entities[0].editable), ("a > 1", true));
    let got = client.field_rules(APP).await.unwrap();
    assert_eq!(sent(&server), "GET /k/v1/field/acl.json?app=7");
    assert_eq!((got[0].code.as_str(), got[0].entities[0].accessibility.as_str()), ("単価", "READ"));
}

#[tokio::test]
async fn users_groups_and_organizations_are_read_to_their_end() {
    let server = Server::start(|_, seen| {
        let of = |name: &str| seen.parameter(name);
        let from: u64 = of("offset").map_or(0, |o| o.parse().unwrap());
        let user = |n: u64| {
            json!({"id": n.to_string(), "code": format!("u{n}"), "name": null, "valid": true,
            "timezone": "Asia/Tokyo", "locale": "ja", "primaryOrganization": null, "customItemValues": []})
        };
        let group = json!({"id": "1", "code": "g", "name": "G"});
        let organization = json!({"id": 2, "code": "o", "name": "O", "parentCode": "p"});
        ok(&match seen.target.split('?').next().unwrap() {
            "/v1/users.json" => json!({"users": (from..230.min(from + 100)).map(user).collect::<Vec<_>>()}),
            "/v1/groups.json" => json!({"groups": [group]}),
            "/v1/organizations.json" => json!({"organizations": [organization]}),
            "/v1/group/users.json" => json!({"users": [user(4)]}),
            "/v1/organization/users.json" => json!({"userTitles": [{"user": user(5), "title": null}]}),
            "/v1/user/groups.json" => json!({"groups": [group]}),
            "/v1/user/organizations.json" => {
                json!({"organizationTitles": [{"organization": organization, "title": {"id": "1"}}]})
            }
            other => panic!("{other}"),
        })
    })
    .await;
    let client = server.client();
    let users = client.users().await.unwrap();
    assert_eq!((users.len(), server.seen().len()), (230, 3));
    assert_eq!(sent(&server), "GET /v1/users.json?size=100&offset=200");
    assert_eq!((users[229].code.as_str(), users[0].timezone.as_str()), ("u229", "Asia/Tokyo"));
    assert_eq!(client.groups().await.unwrap()[0].code, "g");
    let organizations = client.organizations().await.unwrap();
    assert_eq!((organizations[0].id, organizations[0].parent_code.as_deref()), (2, Some("p")));
    assert_eq!(client.users_of_group("g").await.unwrap()[0].id, 4);
    assert_eq!(sent(&server), "GET /v1/group/users.json?code=g&size=100&offset=0");
    assert_eq!(client.users_of_organization("o").await.unwrap()[0].of.id, 5);
    assert_eq!(client.groups_of_user("佐").await.unwrap()[0].code, "g");
    assert_eq!(sent(&server), "GET /v1/user/groups.json?code=%E4%BD%90");
    let own = client.organizations_of_user("a").await.unwrap();
    assert_eq!((own[0].of.code.as_str(), own[0].title.as_ref().map(|title| title.id)), ("o", Some(1)));
}

#[tokio::test]
async fn an_app_is_made_changed_and_deployed() {
    let status = |status: &str| json!({"apps": [{"app": "12", "status": status}]});
    let (server, client) = with(&[
        json!({"app": "12", "revision": "1"}),
        json!({"revision": "2"}),
        json!({"revision": "3"}),
        json!({"revision": "4"}),
        json!({"revision": "5"}),
        json!({}),
        status("PROCESSING"),
        status("PROCESSING"),
        status("SUCCESS"),
    ])
    .await;
    let (app, revision) = client.create_app("試し", None, Some(5)).await.unwrap();
    assert_eq!((app, revision), (AppKey { id: 12, guest_space: Some(5) }, 1));
    assert_eq!(sent(&server), r#"POST /k/guest/5/v1/preview/app.json {"name":"試し"}"#);
    let properties = || values(json!({"a": {"type": "NUMBER", "code": "a", "label": "A"}}));
    let path = "/k/guest/5/v1/preview/app";
    let wire = r#""properties":{"a":{"type":"NUMBER","code":"a","label":"A"}}"#;
    assert_eq!(client.add_fields(app, properties(), None).await.unwrap(), 2);
    assert_eq!(sent(&server), format!(r#"POST {path}/form/fields.json {{"app":12,{wire}}}"#));
    assert_eq!(client.update_fields(app, properties(), Some(2)).await.unwrap(), 3);
    assert_eq!(sent(&server), format!(r#"PUT {path}/form/fields.json {{"app":12,{wire},"revision":2}}"#));
    assert_eq!(client.delete_fields(app, &["a".into()], None).await.unwrap(), 4);
    assert_eq!(sent(&server), format!("DELETE {path}/form/fields.json?app=12&fields%5B0%5D=a"));
    let process = values(json!({"enable": true, "states": null}));
    assert_eq!(client.set_settings(app, Settings::Process, process).await.unwrap(), 5);
    assert_eq!(sent(&server), format!(r#"PUT {path}/status.json {{"app":12,"enable":true,"states":null}}"#));
    let wrong = values(json!({"enabled": true}));
    assert!(matches!(client.set_settings(app, Settings::Process, wrong).await, Err(Error::NotSent { .. })));
    client.deploy(&[app]).await.unwrap();
    assert_eq!(sent(&server), format!(r#"POST {path}/deploy.json {{"apps":[{{"app":12}}]}}"#));
    assert_eq!(client.deployment(&[app]).await.unwrap(), [Deployment::Processing]);
    assert_eq!(sent(&server), format!("GET {path}/deploy.json?apps%5B0%5D=12"));
    let domains = Domains::new(governor::Leaping::new());
    let client = Client::in_domains(server.config(), &domains).unwrap();
    assert_eq!(client.deployed(&[app]).await.unwrap(), [Deployment::Success]);
    assert_eq!(server.seen().len(), 9);

    let (server, client) = with(&[json!({"app": 13, "revision": 1})]).await;
    client.create_app("x", Some((3, 4)), None).await.unwrap();
    assert_eq!(sent(&server), r#"POST /k/v1/preview/app.json {"name":"x","space":3,"thread":4}"#);
    // Made twice is worse than not at all.
    let server = Server::answers(vec![vec![Reset]]).await;
    let error = server.writer().create_app("x", None, None).await.unwrap_err();
    assert!(matches!(error, Error::OutcomeUnknown { app: None, rows: 0, .. }), "{error}");
    assert_eq!(server.seen().len(), 1);
}
