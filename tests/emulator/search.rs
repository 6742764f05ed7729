//! Word searches (K§3.6): what matches, an index that lags behind, and one that is cut off.

use serde_json::{Value, json};

use super::{Domain, encode};

fn world() -> Value {
    let texts = [
        "gamma keyword",
        "KEYWORD",
        "ｋｅｙｗｏｒｄ２",
        "日本語の文書",
        "日 本",
        "赤いバナナ",
        "ﾊﾞﾅﾅ",
        "a-b c",
        "100%",
        "KS002",
        "",
    ];
    let mut records: Vec<Value> = texts
        .iter()
        .map(|text| json!({"text": text, "table": [{"value": {"note": text}}, {"value": {"note": "other"}}]}))
        .collect();
    records[1]["files"] = json!([{"name": "見積 quote.txt", "text": "twelve 鉛筆 and paper"}]);
    records[2]["files"] =
        json!([{"name": "a.txt", "text": "nothing"}, {"name": "b.bin", "base64": "/wB0d2VsdmU="}]);
    json!({
        "users": [{"code": "sato", "password": "pw"}],
        "apps": [{
            "form": {"properties": {
                "text": {"type": "SINGLE_LINE_TEXT"}, "n": {"type": "NUMBER"}, "files": {"type": "FILE"},
                "table": {"type": "SUBTABLE", "fields": {"note": {"type": "MULTI_LINE_TEXT"}}},
                "related": {"type": "REFERENCE_TABLE", "referenceTable": {
                    "relatedApp": {"app": "1", "code": ""}, "condition": {"field": "text", "relatedField": "text"},
                    "filterCond": "", "displayFields": ["text"]}},
            }},
            "records": records,
        }]
    })
}

#[tokio::test]
async fn whole_words_and_parts_of_japanese_ones_match() {
    let domain = Domain::start(&world()).await;
    for (keyword, ids) in [
        ("key", ""),
        ("keyword", "2 1"),
        ("ＫｅｙＷｏｒｄ", "2 1"),
        ("keyword gamma", "1"),
        ("keyword2", "3"),
        ("日本", "4"),
        ("本語", "4"),
        ("日本語", "4"),
        ("日", "5"),
        ("日語", ""),
        ("ばなな", ""),
        ("バナナ", "7 6"),
        ("ﾊﾞﾅ", "7 6"),
        ("b", "8"),
        ("b/a", "8"),
        ("(a) & [c]", "8"),
        ("100", "9"),
        ("100_", "9"),
        ("%", ""),
        ("", ""),
        ("ks00", ""),
        ("KS002%", "10"),
    ] {
        let literal = keyword.replace('\\', "\\\\");
        assert_eq!(domain.ids(1, &format!("text like \"{literal}\"")).await, ids, "{keyword}");
        assert_eq!(domain.ids(1, &format!("note like \"{literal}\"")).await, ids, "{keyword} in a table");
    }
    for (query, ids) in [
        ("text not like \"keyword\" and $id < 5", "4 3"),
        ("text not like \"keyword\" and text != \"\" and $id > 9", "10"),
        ("note not like \"keyword\" and $id < 5", "4 3"),
        ("note not like \"other\"", ""),
        ("text like 10", "400 CB_VA01"),
        ("text like (\"a\")", "400 CB_VA01"),
        ("n like \"1\"", "400 GAIA_IQ03"),
        // Names and contents of files; not what is no text.
        ("files like \"quote\"", "2"),
        ("files like \"見積\"", "2"),
        ("files like \"twelve\"", "2"),
        ("files like \"鉛筆\"", "2"),
        ("files like \"twel\"", ""),
        ("files like \"nothing\"", "3"),
        ("files not like \"twelve\" and $id < 4", "3 1"),
    ] {
        assert_eq!(domain.ids(1, query).await, ids, "{query}");
    }
}

#[tokio::test]
async fn the_index_may_lag_behind() {
    let domain = Domain::start(&world()).await;
    let write = async |method: &str, body: Value| {
        let mut body = body;
        body["app"] = json!(1);
        assert_eq!(domain.call(method, "record.json", body).await.outcome(), "200");
    };
    domain.emulator.hold_search_index(true);
    write("POST", json!({"record": {"text": {"value": "fresh keyword"}}})).await;
    write("PUT", json!({"id": 1, "record": {"text": {"value": "nothing"}}})).await;
    for (query, ids) in [
        ("text like \"keyword\"", "2 1"),
        ("text = \"fresh keyword\"", "12"),
        ("text = \"nothing\"", "1"),
        ("text not like \"keyword\" and $id in (1, 12)", "12"),
        ("text like \"keyword\" and text = \"nothing\"", "1"),
    ] {
        assert_eq!(domain.ids(1, query).await, ids, "{query}");
    }
    domain.emulator.hold_search_index(false);
    assert_eq!(domain.ids(1, "text like \"keyword\"").await, "12 2");
    assert_eq!(domain.ids(1, "text not like \"keyword\" and $id in (1, 12)").await, "1");
}

#[tokio::test]
async fn many_hits_cut_the_search_off() {
    let domain = Domain::start(&world()).await;
    let ask = async |query: &str| {
        let reply = domain.get(&format!("records.json?app=1&totalCount=true&query={}", encode(query))).await;
        let body = reply.json();
        let ids = body["records"].as_array().unwrap().iter().map(|r| r["$id"]["value"].as_str().unwrap());
        let ids = ids.collect::<Vec<_>>().join(" ");
        (ids, body["totalCount"].clone(), reply.header("x-cybozu-warning").map(str::to_owned))
    };
    let whole = |ids: &str, total: &str| (ids.to_owned(), json!(total), None);
    let cut = |ids: &str, total: &str| {
        let warning = "Filter aborted because of too many search results".to_owned();
        (ids.to_owned(), json!(total), Some(warning))
    };
    assert_eq!(ask("note like \"other\" limit 1").await, whole("11", "11"));
    domain.emulator.set_search_limit(4);
    // As many as the limit, and what is found is part of it; narrowing does not help, since the words come first.
    assert_eq!(ask("note like \"other\"").await, cut("4 3 2 1", "4"));
    assert_eq!(ask("note like \"other\" and $id in (3, 9)").await, cut("3", "1"));
    assert_eq!(ask("note like \"other\" or $id = 9").await, cut("9 4 3 2 1", "5"));
    assert_eq!(ask("text not like \"keyword\"").await, cut("6 5 4 3", "4"));
    assert_eq!(ask("related.note like \"other\" and $id > 2").await, cut("4 3", "2"));
    // Fewer than the limit, and no search.
    assert_eq!(ask("text like \"keyword\"").await, whole("2 1", "2"));
    assert_eq!(ask("$id > 9").await, whole("11 10", "2"));
    let made =
        domain.call("POST", "records/cursor.json", json!({"app": 1, "query": "note like \"other\""})).await;
    assert_eq!(made.json()["totalCount"], "4");
    assert!(made.header("x-cybozu-warning").is_some());
    domain.emulator.set_search_limit(100_000);
    assert_eq!(ask("note like \"other\" limit 1").await, whole("11", "11"));
}
