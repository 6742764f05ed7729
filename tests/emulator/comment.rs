//! Comments.

use serde_json::json;

use super::{Domain, Reply, world};

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
    assert_eq!((&newest["text"], &newest["creator"]["name"]), (&json!("hi "), &json!("佐藤")));
    assert_eq!(newest["mentions"], json!([{"code": "zoe", "type": "USER"}]));
    let remove = json!({"app": 1, "record": 1, "comment": 13});
    assert_eq!(domain.call("DELETE", "record/comment.json", remove.clone()).await.outcome(), "200");
    assert_eq!(domain.call("DELETE", "record/comment.json", remove).await.outcome(), "400 GAIA_RE02");
}
