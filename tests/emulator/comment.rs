//! Comments.

use serde_json::json;

use super::{Domain, Reply, password, send, token, world};

#[tokio::test]
async fn comments_page_and_change() {
    let domain = Domain::start(&world()).await;
    let list = async |more: &str| domain.get(&format!("record/comments.json?app=1&record=1{more}")).await;
    let ids = |reply: &Reply| {
        let body = reply.json();
        let ids = body["comments"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap().to_owned());
        (ids.collect::<Vec<_>>().join(" "), body["older"].clone(), body["newer"].clone())
    };
    for (more, expected) in [
        ("", ("12 11 10 9 8 7 6 5 4 3", true, false)),
        ("&offset=10", ("2 1", false, true)),
        ("&order=asc&limit=2", ("1 2", false, true)),
        ("&order=asc&limit=2&offset=5", ("6 7", true, true)),
    ] {
        let expected = (expected.0.to_owned(), json!(expected.1), json!(expected.2));
        assert_eq!(ids(&list(more).await), expected, "{more}");
    }
    assert_eq!(list("&limit=11").await.outcome(), "400 CB_VA01");
    assert_eq!(list("&order=up").await.outcome(), "400 CB_VA01");
    assert_eq!(domain.get("record/comments.json?app=1&record=99").await.outcome(), "404 GAIA_RE01");
    let body = json!({"app": 1, "record": 1, "comment": {"text": "hi", "mentions": [{"code": "zoe", "type": "USER"}]}});
    assert_eq!(domain.call("POST", "record/comment.json", body).await.json(), json!({"id": "13"}));
    let newest = list("&limit=1").await.json()["comments"][0].clone();
    assert_eq!((&newest["text"], &newest["creator"]["name"]), (&json!("ゾエ \nhi "), &json!("佐藤")));
    assert_eq!(newest["mentions"], json!([{"code": "zoe", "type": "USER"}]));
    let remove = json!({"app": 1, "record": 1, "comment": 13});
    assert_eq!(domain.call("DELETE", "record/comment.json", remove.clone()).await.outcome(), "200");
    assert_eq!(domain.call("DELETE", "record/comment.json", remove).await.outcome(), "400 GAIA_RE02");
}

#[tokio::test]
async fn comments_keep_to_their_limits() {
    let domain = Domain::start(&world()).await;
    let post = async |comment: serde_json::Value| {
        let body = json!({"app": 1, "record": 2, "comment": comment});
        domain.call("POST", "record/comment.json", body).await.outcome()
    };
    let mention = |code: &str, kind: &str| json!({"code": code, "type": kind});
    let many = |count: usize| vec![mention("zoe", "USER"); count];
    for (comment, outcome) in [
        (json!({"text": "x"}), "200"),
        (json!({"text": "\n"}), "200"),
        (json!({"text": "𠮷".repeat(32_767)}), "200"),
        (json!({"text": "𠮷".repeat(32_768)}), "400 CB_VA01"),
        (json!({"text": "x".repeat(65_535)}), "200"),
        (json!({"text": "x".repeat(65_536)}), "400 CB_VA01"),
        (json!({"text": ""}), "400 CB_VA01"),
        (json!({"text": null}), "400 CB_VA01"),
        (json!({"text": 1}), "400 CB_VA01"),
        (json!({}), "400 CB_VA01"),
        (json!("x"), "400 CB_VA01"),
        (json!({"text": "", "mentions": many(1)}), "400 CB_VA01"),
        (json!({"text": "x", "mentions": many(10)}), "200"),
        (json!({"text": "x", "mentions": many(11)}), "400 CB_VA01"),
        (json!({"text": "x", "mentions": {}}), "400 CB_VA01"),
        (json!({"text": "x", "mentions": [{"code": "zoe"}]}), "400 CB_VA01"),
        (json!({"text": "x", "mentions": [{"type": "USER"}]}), "400 CB_VA01"),
        (json!({"text": "x", "mentions": [mention("zoe", "ROBOT")]}), "400 CB_VA01"),
        (json!({"text": "x", "mentions": [mention("nobody", "USER")]}), "400 GAIA_IL26"),
        (json!({"text": "x", "mentions": [mention("sales", "GROUP")]}), "400 GAIA_IL27"),
        (json!({"text": "x", "mentions": [mention("everyone", "ORGANIZATION")]}), "400 GAIA_IL28"),
    ] {
        assert_eq!(
            post(comment.clone()).await,
            outcome,
            "{}",
            comment.to_string().chars().take(80).collect::<String>()
        );
    }
    let all = [mention("sales", "ORGANIZATION"), mention("everyone", "GROUP"), mention("zoe", "USER")];
    assert_eq!(post(json!({"text": "ok", "mentions": all})).await, "200");
    let newest =
        domain.get("record/comments.json?app=1&record=2&limit=1").await.json()["comments"][0].clone();
    assert_eq!((&newest["text"], &newest["mentions"]), (&json!("営業 全員 ゾエ \nok "), &json!(all)));
}

#[tokio::test]
async fn pages_of_comments_are_asked_for_in_any_case() {
    let domain = Domain::start(&world()).await;
    let page = async |more: &str| {
        let reply = domain.get(&format!("record/comments.json?app=1&record=1{more}")).await;
        if reply.status != 200 {
            return reply.outcome();
        }
        let body = reply.json();
        let ids = body["comments"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap().to_owned());
        format!("{} {} {}", ids.collect::<Vec<_>>().join(","), body["older"], body["newer"])
    };
    for (more, expected) in [
        ("&order=ASC&limit=1", "1 false true"),
        ("&order=Desc&limit=1", "12 true false"),
        ("&limit=0", " true false"),
        ("&offset=100", " false true"),
        ("&order=asc&offset=100", " true false"),
        ("&order=asc&offset=11", "12 true false"),
        ("&limit=-1", "400 CB_VA01"),
        ("&offset=-1", "400 CB_VA01"),
        ("&limit=x", "400 CB_VA01"),
    ] {
        assert_eq!(page(more).await, expected, "{more}");
    }
    assert_eq!(domain.get("record/comments.json?app=1").await.outcome(), "400 CB_VA01");
    assert_eq!(domain.get("record/comments.json?record=1").await.outcome(), "400 CB_VA01");
    let empty = domain.get("record/comments.json?app=1&record=3").await.json();
    assert_eq!(empty, json!({"comments": [], "older": false, "newer": false}));
}

#[tokio::test]
async fn comments_of_others_are_deleted_by_administrators_only() {
    let mut world = world();
    world["users"][2] = json!({"code": "root", "password": "pw", "groups": ["Administrators"]});
    world["groups"] = json!([{"code": "Administrators"}, {"code": "everyone"}]);
    world["apps"][0]["records"] = json!([{}]);
    let domain = Domain::start(&world).await;
    let port = domain.emulator.port();
    let delete = async |id: u64, auth| {
        let body = json!({"app": 1, "record": 1, "comment": id}).to_string();
        send(port, "DELETE", "/k/v1/record/comment.json", &[auth], Some(&body)).await.outcome()
    };
    let post = async |auth| {
        let body = json!({"app": 1, "record": 1, "comment": {"text": "x"}}).to_string();
        let reply = send(port, "POST", "/k/v1/record/comment.json", &[auth], Some(&body)).await;
        reply.json()["id"].as_str().unwrap().parse::<u64>().unwrap()
    };
    assert_eq!(delete(1, password("zoe", "pw")).await, "403 CB_NO02");
    assert_eq!(delete(1, token("token1")).await, "403 CB_NO02");
    assert_eq!(delete(1, password("root", "pw")).await, "200");
    let own = post(password("zoe", "pw")).await;
    assert_eq!(delete(own, password("zoe", "pw")).await, "200");
    // Who made the app administers it.
    let other = post(password("zoe", "pw")).await;
    assert_eq!(delete(other, password("sato", "pw")).await, "200");
    let own = post(token("token1")).await;
    assert_eq!(delete(own, token("token1")).await, "200");
    assert_eq!(delete(99, password("sato", "pw")).await, "400 GAIA_RE02");
}

#[tokio::test]
async fn guest_spaces_have_comments() {
    let mut world = world();
    world["apps"][2]["records"] = json!([{"a": {"value": "1"}}]);
    let domain = Domain::start(&world).await;
    let port = domain.emulator.port();
    let body = json!({"app": 3, "record": 1, "comment": {"text": "x"}});
    assert_eq!(domain.call("POST", "record/comment.json", body.clone()).await.outcome(), "400 GAIA_IL23");
    let path = "/k/guest/7/v1/record/comment.json";
    let added = send(port, "POST", path, &[password("sato", "pw")], Some(&body.to_string())).await;
    assert_eq!(added.json(), json!({"id": "1"}));
    let list = "/k/guest/7/v1/record/comments.json?app=3&record=1";
    let listed = send(port, "GET", list, &[password("sato", "pw")], None).await.json();
    assert_eq!(listed["comments"][0]["text"], "x ");
    let query = "/k/guest/7/v1/record/comment.json?app=3&record=1&comment=1";
    assert_eq!(send(port, "DELETE", query, &[password("sato", "pw")], None).await.json(), json!({}));
}
