//! How a query is written (K§3.1), and what a dot stands for (K§3.3).

use kintone_sql::emulator::{Options, Unknowns};
use serde_json::{Value, json};

use super::{Domain, password, send};

/// Codes from all that a field code may be made of.
const CODES: &[&str] =
    &["金額・税込", "ﾀﾝｶ", "_x1", "Ｆ＿１", "￥単価", "a$b", "漢字かなカナ", "がぎぐ", "々ー", "é"];

fn world() -> Value {
    let codes = CODES.iter().map(|code| ((*code).to_owned(), json!({"type": "NUMBER"})));
    let mut properties: serde_json::Map<String, Value> = codes.collect();
    properties.insert("text".to_owned(), json!({"type": "SINGLE_LINE_TEXT"}));
    let related = |app: u64, filter: &str| {
        json!({"type": "REFERENCE_TABLE", "referenceTable": {
            "relatedApp": {"app": app.to_string(), "code": ""}, "condition": {"field": "text", "relatedField": "key"},
            "filterCond": filter, "displayFields": ["key"]}})
    };
    properties.insert("all".to_owned(), related(2, ""));
    properties.insert("large".to_owned(), related(2, "amount > 10"));
    properties.insert("gone".to_owned(), related(2, "person in (\"left\")"));
    properties.insert("lost".to_owned(), related(9, ""));
    let record = |text: &str, n: &str| {
        let mut record = json!({"text": text});
        CODES.iter().for_each(|code| record[*code] = json!(n));
        record
    };
    json!({
        "users": [{"code": "sato", "password": "pw"}],
        "apps": [
            {"form": {"properties": properties},
             "records": [record("a", "1"), record("b\tb", "2"), record("c\n\r\"\\", "3"), record("and", "4")]},
            {"form": {"properties": {"key": {"type": "SINGLE_LINE_TEXT"}, "amount": {"type": "NUMBER"},
                                     "person": {"type": "USER_SELECT"},
                                     "rows": {"type": "SUBTABLE", "fields": {"item": {"type": "SINGLE_LINE_TEXT"}}}}},
             "records": [
                {"key": "a", "amount": "5", "rows": [{"value": {"item": "pen"}}]},
                {"key": "a", "amount": "50", "rows": [{"value": {"item": "book"}}]},
                {"key": "and", "amount": "7"}, {"key": "nobody", "amount": "99"},
             ]},
        ]
    })
}

const QUERIES: &[(&str, &str)] = &[
    // White space.
    (" \t\r\n\u{3000}text\u{3000}=\u{3000}\"a\"\u{3000}", "1"),
    ("$id=1or$id=2", "400 CB_VA01"),
    ("$id=1 or($id=2)", "2 1"),
    ("($id=1)or($id=2)", "2 1"),
    ("$id in(1,2)order by $id asc", "1 2"),
    ("order\u{3000}by\n$id\tasc", "1 2 3 4"),
    ("\u{a0}$id = 1", "400 CB_VA01"),
    // Escapes and raw control characters.
    ("text = \"b\\tb\"", "2"),
    ("text = \"c\\n\\r\\\"\\\\\"", "3"),
    ("text = \"b\tb\"", "400 CB_VA01"),
    ("text = \"c\n\"", "400 CB_VA01"),
    ("text = \"c\r\"", "400 CB_VA01"),
    ("text = \"\u{0}\"", "400 CB_VA01"),
    ("text = \"\\/\"", "400 CB_VA01"),
    ("text = \"\\u0041\"", "400 CB_VA01"),
    ("text = \"a\\\"", "400 CB_VA01"),
    ("text = \"and\"", "4"),
    ("text = `a`", "400 CB_VA01"),
    ("`text` = \"a\"", "400 CB_VA01"),
    ("\"text\" = \"a\"", "400 CB_VA01"),
    // Precedence and brackets.
    ("$id = 1 or $id = 2 and $id = 3", "1"),
    ("$id = 3 and $id = 2 or $id = 1", "1"),
    ("$id = 1 and ($id = 3 or $id = 1)", "1"),
    ("$id = 1 or $id = 2 or $id = 3 and $id = 4", "2 1"),
    ("((($id = 1)))", "1"),
    ("()", "400 CB_VA01"),
    ("($id = 1", "400 CB_VA01"),
    ("$id = 1 and", "400 CB_VA01"),
    ("and $id = 1", "400 CB_VA01"),
    ("$id = 1 $id = 2", "400 CB_VA01"),
    ("$id = 1 and and $id = 2", "400 CB_VA01"),
    ("not $id = 1", "400 CB_VA01"),
    ("text is not not empty", "400 CB_VA01"),
    ("text not = \"a\"", "400 CB_VA01"),
    ("text is null", "400 CB_VA01"),
    ("$id <> 1", "400 CB_VA01"),
    ("$id == 1", "400 CB_VA01"),
    ("$id = $id", "400 CB_VA01"),
    ("_x1 = 1 + 1", "400 CB_VA01"),
    // Lists.
    ("$id in (1)", "1"),
    ("$id in (1, 1, 1)", "1"),
    ("$id in (1,)", "400 CB_VA01"),
    ("$id in 1", "400 CB_VA01"),
    ("$id = (1)", "400 CB_VA01"),
    // Numbers.
    ("_x1 = -0", ""),
    ("_x1 = 1.", "400 CB_VA01"),
    ("_x1 = .5", "400 CB_VA01"),
    ("_x1 = +1", "400 CB_VA01"),
    ("_x1 = 1,000", "400 CB_VA01"),
    ("_x1 = - 1", "400 CB_VA01"),
    ("_x1 = １", "400 CB_VA01"),
    ("_x1 = 0x10", "400 CB_VA01"),
    // Clauses.
    ("order by $id asc limit 1 offset 1", "2"),
    ("limit 1 offset 1 order by $id asc", "400 CB_VA01"),
    ("order by $id asc offset 1 limit 1", "400 CB_VA01"),
    ("$id > 0 limit 1 limit 1", "400 CB_VA01"),
    ("order by $id asc desc", "400 CB_VA01"),
    ("order by $id asc $id desc", "400 CB_VA01"),
    ("order by", "400 CB_VA01"),
    ("order $id asc", "400 CB_VA01"),
    ("order by _x1 desc, $id asc, text desc limit 2", "4 3"),
    ("order by 1", "400 CB_VA01"),
    ("limit", "400 CB_VA01"),
    ("limit 1.5", "400 CB_VA01"),
    ("limit 99999999999999999999999", "400 GAIA_QU01"),
    ("offset -1", "400 CB_VA01"),
    ("offset 99999999999999999999999", "400 GAIA_QU02"),
    ("limit 501 offset 10001", "400 GAIA_QU01"),
    // Codes cannot be quoted, so that some cannot be written.
    ("1a = 1", "400 CB_VA01"),
    ("a-b = 1", "400 CB_VA01"),
    ("金額（税込） = 1", "400 CB_VA01"),
    ("a b = 1", "400 CB_VA01"),
    ("by = 1", "400 CB_VA01"),
    ("TEXT = \"a\"", "400 GAIA_IQ11"),
    ("$ID = 1", "400 GAIA_IQ11"),
    // A dot.
    ("all.amount = 5", "1"),
    ("all.amount > 6", "4 1"),
    ("all.amount != 5", "4 1"),
    ("all.$id in (2, 4)", "1"),
    ("all.key = \"and\"", "4"),
    ("all.item in (\"book\")", "1"),
    ("all.item = \"book\"", "400 GAIA_IQ07"),
    ("all.amount = 5 and all.amount = 50", "1"),
    ("large.amount > 0", "1"),
    ("large.amount < 10", ""),
    ("all.nothing = 1", "400 GAIA_IQ11"),
    ("all.amount like \"5\"", "400 GAIA_IQ03"),
    ("all.person in (\"left\")", "400 GAIA_IL26"),
    ("gone.amount > 0", "400 GAIA_IL42"),
    ("lost.amount > 0", "404 GAIA_AP01"),
    ("text.amount > 0", "400 GAIA_IR02"),
    ("nothing.amount > 0", "400 GAIA_IQ11"),
    ("all.rows.item in (\"book\")", "400 CB_VA01"),
    ("all . amount = 5", "1"),
    ("order by all.amount asc", "400 GAIA_IS02"),
];

#[tokio::test]
async fn queries_are_read_as_kintone_reads_them() {
    let domain = Domain::start(&world()).await;
    let mut faults = vec![];
    for (query, expected) in QUERIES {
        let found = domain.ids(1, query).await;
        if found != *expected {
            faults.push(format!("{query:?}\n  expected {expected}\n  found    {found}"));
        }
    }
    for code in CODES {
        let found = domain.ids(1, &format!("{code} >= 3 and {code} < 4 order by {code} asc")).await;
        if found != "3" {
            faults.push(format!("{code}: {found}"));
        }
    }
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), QUERIES.len(), faults.join("\n"));
}

#[tokio::test]
async fn keywords_name_fields_where_that_is_switched_on() {
    let words =
        ["and", "or", "not", "in", "like", "is", "empty", "order", "by", "asc", "desc", "limit", "offset"];
    let properties: serde_json::Map<String, Value> =
        words.iter().map(|word| ((*word).to_owned(), json!({"type": "NUMBER"}))).collect();
    let record: serde_json::Map<String, Value> =
        words.iter().map(|word| ((*word).to_owned(), json!("1"))).collect();
    let world = json!({
        "users": [{"code": "sato", "password": "pw"}],
        "apps": [{"form": {"properties": properties}, "records": [record]}],
    });
    let strict = Domain::start(&world).await;
    let unknowns = Unknowns::strict().with("keywords_as_field_codes", "yes").unwrap();
    let lenient = Domain::with(&world, Options { unknowns, ..Options::default() }).await;
    for word in words {
        for query in [format!("{word} = 1 and $id = 1"), format!("$id = 1 order by {word} desc")] {
            assert_eq!(strict.ids(1, &query).await, "400 CB_VA01", "{query}");
            assert_eq!(lenient.ids(1, &query).await, "1", "{query}");
        }
    }
}

#[tokio::test]
async fn long_and_deep_queries_are_answered() {
    let domain = Domain::start(&world()).await;
    let headers = [password("sato", "pw"), ("X-HTTP-Method-Override", "GET".to_owned())];
    let ids: Vec<String> = (1..=20_000).map(|id| id.to_string()).collect();
    let any: Vec<String> = (3..=2_000).map(|id| format!("$id = {id}")).collect();
    for (query, expected) in [
        (format!("$id in ({})", ids.join(", ")), 4),
        (any.join(" or "), 2),
        (format!("{}$id = 1{}", "(".repeat(200), ")".repeat(200)), 1),
    ] {
        let body = json!({"app": 1, "query": query}).to_string();
        let reply = send(domain.emulator.port(), "POST", "/k/v1/records.json", &headers, Some(&body)).await;
        assert_eq!(reply.json()["records"].as_array().map(Vec::len), Some(expected), "{}", &query[..20]);
    }
    let deep = json!({"app": 1, "query": format!("{}$id = 1{}", "(".repeat(100_000), ")".repeat(100_000))});
    let reply =
        send(domain.emulator.port(), "POST", "/k/v1/records.json", &headers, Some(&deep.to_string())).await;
    assert_eq!(reply.outcome(), "400 CB_VA01");
}
