//! What callers may do with records.

use serde_json::{Value, json};

use super::{Domain, world};

#[tokio::test]
async fn rights_are_told_by_record_and_field() {
    let domain = Domain::start(&world()).await;
    let reply = domain.get("records/acl/evaluate.json?app=4&ids%5B0%5D=2&ids%5B1%5D=99").await.json();
    let [first, second] = reply["rights"].as_array().unwrap().as_slice() else { panic!("{reply}") };
    let all = |may: bool| json!({"viewable": may, "editable": may, "deletable": may});
    assert_eq!((&first["id"], &first["record"]), (&json!("2"), &all(true)));
    assert_eq!((&second["id"], &second["record"]), (&json!("99"), &all(false)));
    for (code, editable) in
        [("鍵", true), ("表", true), ("品", true), ("作成者", false), ("レコード番号", false)]
    {
        assert_eq!(first["fields"][code], json!({"viewable": true, "editable": editable}), "{code}");
    }
    let calculated = domain.get("records/acl/evaluate.json?app=1&ids%5B0%5D=1").await.json();
    assert_eq!(calculated["rights"][0]["fields"]["計算"]["editable"], false);
    for (query, key) in [("", "ids"), ("&ids%5B0%5D=x", "ids")] {
        let reply = domain.get(&format!("records/acl/evaluate.json?app=4{query}")).await;
        assert!(reply.json()["errors"][key].is_object(), "{query}");
    }
    let many: Vec<Value> = (1..=101).map(|id| json!(id)).collect();
    let reply = domain.call("GET", "records/acl/evaluate.json", json!({"app": 4, "ids": many})).await;
    assert_eq!(reply.outcome(), "400 CB_VA01");
}
