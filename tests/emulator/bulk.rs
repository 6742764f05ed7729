//! Bulk requests: in order, all or nothing, across apps.

use serde_json::{Value, json};

use super::{Domain, Reply, password, send, token, world};

fn inner(method: &str, endpoint: &str, payload: Value) -> Value {
    let mut inner = json!({"method": method, "api": format!("/k/v1/{endpoint}")});
    inner["payload"] = payload;
    inner
}

fn add(key: &str) -> Value {
    inner("POST", "record.json", json!({"app": 4, "record": {"鍵": {"value": key}}}))
}

async fn bulk(domain: &Domain, requests: &[Value]) -> Reply {
    domain.call("POST", "bulkRequest.json", json!({"requests": requests})).await
}

/// Everything of both apps that a bulk request here may change.
async fn snapshot(domain: &Domain) -> Vec<Value> {
    let mut out = vec![];
    for path in ["records.json?app=4", "records.json?app=2", "record/comments.json?app=1&record=1"] {
        out.push(domain.get(path).await.json());
    }
    out
}

#[tokio::test]
async fn each_call_sees_those_before_it() {
    let domain = Domain::start(&world()).await;
    let reply = bulk(
        &domain,
        &[
            add("a"),
            inner("PUT", "record.json", json!({"app": "4", "updateKey": {"field": "鍵", "value": "a"}, "record": {"数": {"value": 7}}, "revision": 1})),
            inner("POST", "records.json", json!({"app": 2, "records": [{"顧客": {"value": "new"}, "額": {"value": 9}}]})),
            // Looks up what the call before it wrote in another app.
            inner("PUT", "records.json", json!({"app": 4, "records": [{"id": 3, "record": {"商品": {"value": "new"}}}]})),
            inner("PUT", "records.json", json!({"app": 4, "upsert": true, "records": [{"updateKey": {"field": "鍵", "value": "b"}}]})),
            inner("DELETE", "records.json", json!({"app": 4, "ids": ["1", 2], "revisions": [null, -1]})),
        ],
    )
    .await;
    assert_eq!(
        reply.json(),
        json!({"results": [
            {"id": "3", "revision": "1"},
            {"revision": "2"},
            {"ids": ["3"], "revisions": ["1"]},
            {"records": [{"id": "3", "revision": "3"}]},
            {"records": [{"id": "4", "revision": "1", "operation": "INSERT"}]},
            {},
        ]})
    );
    assert_eq!(domain.ids(4, "").await, "4 3");
    let record = domain.get("record.json?app=4&id=3").await.json();
    assert_eq!(
        (&record["record"]["数"]["value"], &record["record"]["単価"]["value"]),
        (&json!("7"), &json!("9"))
    );
    // What was kept is not undone by a later failure.
    assert_eq!(bulk(&domain, &[add("c"), add("c")]).await.outcome_of(1), "400 CB_VA01");
    assert_eq!(domain.ids(4, "").await, "4 3");
}

#[tokio::test]
async fn a_failure_takes_everything_back() {
    let domain = Domain::start(&world()).await;
    let before = snapshot(&domain).await;
    let writes = [
        add("a"),
        inner("PUT", "record.json", json!({"app": 4, "id": 1, "record": {"表": {"value": [{}]}}})),
        inner("POST", "records.json", json!({"app": 2, "records": [{}, {}]})),
        inner("DELETE", "records.json", json!({"app": 1, "ids": [1]})),
        inner("DELETE", "records.json", json!({"app": 2, "ids": [1, 3]})),
        inner("PUT", "record/assignees.json", json!({"app": 1, "id": 2, "assignees": ["zoe"]})),
    ];
    for (failing, outcome) in [
        (inner("PUT", "record.json", json!({"app": 4, "id": 99, "record": {}})), "404 GAIA_RE01"),
        (
            inner("PUT", "record.json", json!({"app": 4, "id": 1, "revision": 1, "record": {}})),
            "409 GAIA_CO02",
        ),
        (add("a"), "400 CB_VA01"),
        (inner("POST", "record.json", json!({"app": 99})), "404 GAIA_AP01"),
        (inner("POST", "record.json", json!({"app": 3})), "400 GAIA_IL23"),
        (inner("POST", "record.json", json!({})), "400 CB_VA01"),
        (inner("PUT", "record/status.json", json!({"app": 2, "id": 2, "action": "x"})), "400 GAIA_ST02"),
    ] {
        let mut requests = writes.to_vec();
        requests.push(failing.clone());
        requests.push(add("never"));
        let reply = bulk(&domain, &requests).await;
        assert_eq!(reply.outcome_of(6), outcome, "{failing}");
        let results = reply.json()["results"].as_array().unwrap().clone();
        assert_eq!(results.len(), 8);
        for (index, result) in results.iter().enumerate().filter(|(index, _)| *index != 6) {
            assert_eq!(*result, json!({}), "{index}");
        }
        let failed = results[6].as_object().unwrap();
        assert!(failed["id"].as_str().unwrap().len() == 20 && failed["message"].is_string());
        assert_eq!(reply.header("x-cybozu-error"), failed["code"].as_str());
        assert_eq!(snapshot(&domain).await, before, "{failing}");
    }
    let reply = bulk(&domain, &[add("x"), add("toolong")]).await;
    assert_eq!(
        reply.json()["results"][1]["errors"]["record.鍵.value"]["messages"][0],
        "Enter less than 6 characters."
    );
    // Ids go on as if nothing had been.
    assert_eq!(bulk(&domain, &[add("x")]).await.json()["results"][0]["id"], "3");
    assert_eq!(domain.ids(1, "$id = 1").await, "1");
}

#[tokio::test]
async fn only_writes_of_records_can_stand_in_it() {
    let domain = Domain::start(&world()).await;
    let before = snapshot(&domain).await;
    for (request, key) in [
        (inner("GET", "records.json", json!({"app": 4})), "requests[1].api"),
        (inner("POST", "record/comment.json", json!({"app": 1, "record": 1})), "requests[1].api"),
        (inner("POST", "records/cursor.json", json!({"app": 4})), "requests[1].api"),
        (inner("POST", "bulkRequest.json", json!({"requests": []})), "requests[1].api"),
        (inner("PATCH", "record.json", json!({})), "requests[1].api"),
        (inner("post", "record.json", json!({})), "requests[1].api"),
        (inner("POST", "nothing.json", json!({})), "requests[1].api"),
        (json!({"method": "POST", "api": "record.json"}), "requests[1].api"),
        (
            json!({"method": "POST", "api": "/k/guest/7/v1/record.json", "payload": {"app": 3}}),
            "requests[1].api",
        ),
        (json!({"api": "/k/v1/record.json"}), "requests[1].method"),
        (json!({"method": "POST"}), "requests[1].api"),
        (json!(1), "requests[1].method"),
        (json!({"method": "POST", "api": "/k/v1/record.json", "payload": []}), "requests[1].payload"),
    ] {
        let reply = bulk(&domain, &[add("a"), request.clone()]).await;
        assert_eq!(reply.outcome(), "400 CB_VA01", "{request}");
        assert!(reply.json()["errors"][key]["messages"][0].is_string(), "{request}: {}", reply.json());
    }
    for requests in [json!([]), json!(vec![add("a"); 21]), json!({}), Value::Null] {
        let reply = domain.call("POST", "bulkRequest.json", json!({"requests": requests})).await;
        assert!(reply.json()["errors"]["requests"].is_object(), "{}", reply.json());
    }
    assert_eq!(snapshot(&domain).await, before);
    let twenty: Vec<Value> = (0..20).map(|n| add(&format!("k{n}x"))).collect();
    assert_eq!(bulk(&domain, &twenty).await.json()["results"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn guest_spaces_and_tokens() {
    let domain = Domain::start(&world()).await;
    let port = domain.emulator.port();
    let login = [password("sato", "pw")];
    let guest = |app: u64, path: &str| {
        json!({"requests": [{"method": "POST", "api": path, "payload": {"app": app}}]}).to_string()
    };
    let target = "/k/guest/7/v1/bulkRequest.json";
    let body = guest(3, "/k/guest/7/v1/record.json");
    let reply = send(port, "POST", target, &login, Some(&body)).await;
    assert_eq!(reply.json(), json!({"results": [{"id": "1", "revision": "1"}]}));
    let body = guest(4, "/k/guest/7/v1/record.json");
    assert_eq!(send(port, "POST", target, &login, Some(&body)).await.outcome_of(0), "403 CB_NO02");
    let body = guest(4, "/k/v1/record.json");
    assert_eq!(send(port, "POST", target, &login, Some(&body)).await.outcome(), "400 CB_VA01");

    let two = json!({"requests": [add("a"), inner("POST", "record.json", json!({"app": 2}))]}).to_string();
    let target = "/k/v1/bulkRequest.json";
    assert_eq!(
        send(port, "POST", target, &[token("token4")], Some(&two)).await.outcome_of(1),
        "400 GAIA_AP15"
    );
    assert_eq!(domain.ids(4, "").await, "2 1");
    let reply = send(port, "POST", target, &[token("token4,token2")], Some(&two)).await;
    assert_eq!(reply.json()["results"].as_array().unwrap().len(), 2);
    assert_eq!(domain.ids(4, "").await, "3 2 1");
    assert_eq!(send(port, "POST", target, &[], Some(&two)).await.outcome(), "401 CB_AU01");
}
