//! Cursors.

use serde_json::{Value, json};

use super::{Domain, password, send, world};

#[tokio::test]
async fn cursors_are_few_and_end() {
    let domain = Domain::start(&world()).await;
    let create = async |query: &str, size: u32| {
        domain
            .call(
                "POST",
                "records/cursor.json",
                json!({"app": 1, "query": query, "size": size, "fields": ["$id"]}),
            )
            .await
    };
    let made = create("数値 > -100 order by 数値 asc", 2).await.json();
    assert_eq!(made["totalCount"], "3");
    let path = format!("records/cursor.json?id={}", made["id"].as_str().unwrap());
    let ids = |page: &Value| -> Vec<String> {
        let records = page["records"].as_array().unwrap().iter();
        records.map(|r| r["$id"]["value"].as_str().unwrap().to_owned()).collect()
    };
    let page = domain.get(&path).await.json();
    assert_eq!((ids(&page), &page["next"]), (vec!["2".into(), "1".into()], &json!(true)));
    let page = domain.get(&path).await.json();
    assert_eq!((ids(&page), &page["next"]), (vec!["4".into()], &json!(false)));
    assert_eq!(domain.get(&path).await.outcome(), "404 GAIA_CN01");

    for (query, size, expected) in [
        ("limit 1", 1, "400 CB_VA01"),
        ("", 501, "400 CB_VA01"),
        ("", 0, "400 CB_VA01"),
        ("無い = 1", 1, "400 GAIA_IQ11"),
    ] {
        assert_eq!(create(query, size).await.outcome(), expected, "{query} {size}");
    }
    let mut last = Value::Null;
    for _ in 0..10 {
        last = create("", 500).await.json();
    }
    assert_eq!(create("", 500).await.outcome(), "429 GAIA_TM12");
    let id = last["id"].as_str().unwrap();
    let delete = format!("/k/v1/records/cursor.json?id={id}");
    let login = [password("sato", "pw")];
    assert_eq!(send(domain.emulator.port(), "DELETE", &delete, &login, None).await.json(), json!({}));
    assert_eq!(
        domain.call("DELETE", "records/cursor.json", json!({"id": id})).await.outcome(),
        "404 GAIA_CN01"
    );
    assert_eq!(create("", 500).await.status, 200);
}
