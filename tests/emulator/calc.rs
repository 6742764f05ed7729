//! CALC fields and automatic texts: what formulas make of a record, when, and in which format.

use super::*;

/// (format, or `TEXT` for an automatic text, formula, value).
const TABLE: &[(&str, &str, &str)] = &[
    // Arithmetic.
    ("NUMBER", "a + 3", "10"),
    ("NUMBER", "a - 10", "-3"),
    ("NUMBER", "a * 0.1", "0.7"),
    ("NUMBER", "100 * 0.1", "10"),
    ("NUMBER", "0.1 + 0.2", "0.3"),
    ("NUMBER", "1 / 3", "0.3333"),
    ("NUMBER", "10/3", "3.3333"),
    ("NUMBER", "1 / 7", "0.1429"),
    ("NUMBER", "2 / 6", "0.3333"),
    ("NUMBER", "-1 / 7", "-0.1429"),
    ("NUMBER", "1 / 3 * 3", "0.9999"),
    ("NUMBER", "0.00005 * 1", "0"),
    ("NUMBER", "0.00015 * 1", "0.0002"),
    ("NUMBER", "a / 0", ""),
    ("NUMBER", "0 / 0", ""),
    ("NUMBER", "a / e", ""),
    ("NUMBER", "4 ^ 1.5", "4"),
    ("NUMBER", "4 ^ -2", "0.0625"),
    ("NUMBER", "2 ^ 10", "1024"),
    ("NUMBER", "2 ^ 3 ^ 2", "64"),
    ("NUMBER", "2 ^ 101", ""),
    ("NUMBER", "-2 ^ 2", "4"),
    ("NUMBER", "0 ^ -1", ""),
    ("NUMBER", "1 + 2 * 3 - 4 / 2", "5"),
    ("NUMBER", "(1 + 2) * (3 - 4)", "-3"),
    ("NUMBER", "- - a", "7"),
    ("NUMBER", "+b", "-2.5"),
    ("NUMBER", "10 - 3 - 2", "5"),
    ("NUMBER", "999999999999 * 1", "999999999999"),
    ("NUMBER", "999999999999 + 1", ""),
    ("NUMBER", "123456.7891 * 1000", "123456789.1"),
    ("NUMBER_DIGIT", "1234567 * 2", "2469134"),
    // Unset fields count as 0, and equal "".
    ("NUMBER", "e", "0"),
    ("NUMBER", "a + e", "7"),
    ("NUMBER", "e + e", "0"),
    ("NUMBER", "IF(e = \"\", 1, 2)", "1"),
    ("NUMBER", "IF(a = \"\", 1, 2)", "2"),
    ("NUMBER", "IF(a != \"\", 1, 2)", "1"),
    ("NUMBER", "IF(e = 0, 1, 2)", "1"),
    ("DATE", "IF(ed = \"\", \"\", ed + 86400)", ""),
    ("DATE", "IF(d = \"\", \"\", d + 86400)", "2026-04-26"),
    // Comparison and logic: 1 and 0.
    ("NUMBER", "a > 3", "1"),
    ("NUMBER", "a <= b", "0"),
    ("NUMBER", "a <> 7", "0"),
    ("NUMBER", "a != 8", "1"),
    ("NUMBER", "s = \"abc\"", "1"),
    ("NUMBER", "s = \"ABC\"", "0"),
    ("NUMBER", "s <> es", "1"),
    ("NUMBER", "AND(a > 3, b < 0, s = \"abc\")", "1"),
    ("NUMBER", "AND(a > 3, b > 0)", "0"),
    ("NUMBER", "OR(a > 30, b < 0)", "1"),
    ("NUMBER", "OR(a > 30)", "0"),
    ("NUMBER", "NOT(a = 7)", "0"),
    ("NUMBER", "(a > 3) = (b < 0)", "1"),
    ("NUMBER", "IF(a > 10, a * 2, a / 2)", "3.5"),
    ("NUMBER", "IF(e = 0, 0, a / e)", "0"),
    ("NUMBER", "AND(e != 0, a / e > 1)", "0"),
    ("NUMBER", "IF(sel = \"x\", -a, a)", "-7"),
    ("NUMBER", "IF(a > 3, \"big\", \"small\")", ""),
    // Rounding.
    ("NUMBER", "ROUND(3.14159, 2)", "3.14"),
    ("NUMBER", "ROUNDUP(3.14159, 2)", "3.15"),
    ("NUMBER", "ROUNDDOWN(3.14159, 2)", "3.14"),
    ("NUMBER", "ROUND(b)", "-3"),
    ("NUMBER", "ROUNDDOWN(b, 0)", "-2"),
    ("NUMBER", "ROUNDUP(-2.1, 0)", "-3"),
    ("NUMBER", "ROUND(2.5) + ROUND(3.5)", "7"),
    ("NUMBER", "ROUND(1250, -2)", "1300"),
    ("NUMBER", "ROUNDDOWN(1299, -2)", "1200"),
    ("NUMBER", "ROUND(5, -30)", "0"),
    ("NUMBER", "ROUND(5, 31)", ""),
    // Tables.
    ("NUMBER", "SUM(qty)", "30"),
    ("NUMBER", "SUM(qty, price, 1)", "37.5"),
    ("NUMBER", "SUM(sub)", "55"),
    ("NUMBER", "SUM(1, 2, 3)", "6"),
    ("NUMBER", "SUM(sub) * 2", "110"),
    ("NUMBER", "qty + 1", ""),
    ("NUMBER", "SUM(memo)", ""),
    ("NUMBER", "CONTAINS(ch, \"q\")", "1"),
    ("NUMBER", "CONTAINS(ch, \"z\")", "0"),
    ("NUMBER", "CONTAINS(memo, \"m2\")", "1"),
    ("NUMBER", "IF(CONTAINS(ch, \"p\"), a, 0)", "7"),
    // Wrong types.
    ("NUMBER", "s + 1", ""),
    ("NUMBER", "s", ""),
    ("NUMBER", "s < \"b\"", ""),
    ("NUMBER", "AND(a, b)", ""),
    ("NUMBER", "IF(a, 1, 2)", ""),
    ("NUMBER", "(a > 1) + 1", ""),
    ("NUMBER", "YEN(a, 0)", ""),
    // Dates and times are seconds.
    ("NUMBER", "d", "1777075200"),
    ("NUMBER", "dt - d", "36000"),
    ("NUMBER", "t", "55860"),
    ("NUMBER", "(dt - d) / 3600", "10"),
    ("DATE", "d + 86400", "2026-04-26"),
    ("DATE", "dt + 14 * 3600", "2026-04-26"),
    ("DATE", "n * 3600", "1980-04-10"),
    ("DATETIME", "dt + 3600", "2026-04-25T11:00:00Z"),
    ("DATETIME", "n * 3600", "1980-04-10T13:00:00Z"),
    ("DATETIME", "n * 3600 + 59", "1980-04-10T13:00:00Z"),
    ("DATETIME", "-1", "1969-12-31T23:59:00Z"),
    ("DATETIME", "9 ^ 14", ""),
    ("TIME", "n", "01:01"),
    ("TIME", "t + 9 * 60 * 60", "00:31"),
    ("TIME", "-60", "23:59"),
    ("HOUR_MINUTE", "n", "25:01"),
    ("HOUR_MINUTE", "n * 100", "2501:41"),
    ("HOUR_MINUTE", "-n", "-25:01"),
    ("HOUR_MINUTE", "59", "0:00"),
    ("DAY_HOUR_MINUTE", "n", "25:01"),
    ("DAY_HOUR_MINUTE", "updated - created", "0:00"),
    // Automatic texts.
    ("TEXT", "DATE_FORMAT(1745574000, \"YYYY-MM-dd\", \"Asia/Tokyo\") & \" \" & a", "2025-04-25 7"),
    ("TEXT", "DATE_FORMAT(dt, \"YYYY年M月d日 HH:mm\", \"Asia/Tokyo\")", "2026年4月25日 19:00"),
    ("TEXT", "DATE_FORMAT(dt, \"YY/MM/dd h:mm a 'at' Z\", \"system\")", "26/04/25 7:00 PM at +0900"),
    ("TEXT", "DATE_FORMAT(t, \"H:mm:ss\", \"Etc/GMT\")", "15:31:00"),
    ("TEXT", "DATE_FORMAT(d + 24*60*60, \"E d\", \"UTC\")", "Sun 26"),
    ("TEXT", "DATE_FORMAT(d, \"YYYY\", \"Mars/Base\")", ""),
    ("TEXT", "DATE_FORMAT(253402300800, \"YYYY\", \"UTC\")", ""),
    ("TEXT", "DATE_FORMAT(d, \"Q\", \"UTC\")", ""),
    ("TEXT", "YEN(1234567.5, 0)", "¥1,234,568"),
    ("TEXT", "YEN(b, 2)", "-¥2.50"),
    ("TEXT", "YEN(999, 0) & \"-\"", "¥999-"),
    ("TEXT", "s & \"-\" & sel & es", "abc-x"),
    ("TEXT", "IF(a > 3, \"big\", \"small\")", "big"),
    ("TEXT", "a * 2", "14"),
    ("TEXT", "1 + 2 & 3", "33"),
    ("TEXT", "\"say \\\"hi\\\" \\\\\"", "say \"hi\" \\"),
    ("TEXT", "creator & \"/\" & modifier", "佐藤/佐藤"),
    ("TEXT", "es", ""),
    ("TEXT", "1 / 0", ""),
    ("TEXT", "a > 3", "1"),
];

fn form() -> Value {
    let mut properties = json!({
        "a": {"type": "NUMBER"}, "b": {"type": "NUMBER"}, "e": {"type": "NUMBER"}, "n": {"type": "NUMBER"},
        "s": {"type": "SINGLE_LINE_TEXT"}, "es": {"type": "SINGLE_LINE_TEXT"},
        "sel": {"type": "DROP_DOWN", "options": ["x", "y"]},
        "ch": {"type": "CHECK_BOX", "options": ["p", "q", "z"]},
        "d": {"type": "DATE"}, "ed": {"type": "DATE"}, "t": {"type": "TIME"}, "dt": {"type": "DATETIME"},
        "creator": {"type": "CREATOR"}, "modifier": {"type": "MODIFIER"},
        "created": {"type": "CREATED_TIME"}, "updated": {"type": "UPDATED_TIME"},
        "T": {"type": "SUBTABLE", "fields": {
            "sub": {"type": "CALC", "format": "NUMBER", "expression": "SUM(qty) * price"},
            "qty": {"type": "NUMBER"}, "price": {"type": "NUMBER"}, "memo": {"type": "SINGLE_LINE_TEXT"},
            "share": {"type": "CALC", "format": "NUMBER", "expression": "sub / total"},
        }},
        "next": {"type": "CALC", "format": "NUMBER", "expression": "total + 1"},
        "total": {"type": "CALC", "format": "NUMBER", "expression": "SUM(sub)"},
        "bad": {"type": "CALC", "format": "NUMBER", "expression": "a / e"},
        "worse": {"type": "CALC", "format": "NUMBER", "expression": "bad + 1"},
        "circle1": {"type": "CALC", "format": "NUMBER", "expression": "circle2 + 1"},
        "circle2": {"type": "CALC", "format": "NUMBER", "expression": "circle1 + 1"},
        "unread": {"type": "CALC", "format": "NUMBER", "expression": "a +"},
        "none": {"type": "CALC", "format": "NUMBER", "expression": ""},
    });
    for (index, (format, expression, _)) in TABLE.iter().enumerate() {
        properties[format!("c{index}")] = match *format {
            "TEXT" => json!({"type": "SINGLE_LINE_TEXT", "expression": expression}),
            format => json!({"type": "CALC", "format": format, "expression": expression}),
        };
    }
    properties
}

fn record() -> Value {
    let row = |qty: &str, price: &str, memo: &str| json!({"value": {"qty": {"value": qty}, "price": {"value": price}, "memo": {"value": memo}}});
    json!({
        "a": {"value": "7"}, "b": {"value": "-2.5"}, "n": {"value": "90061"},
        "s": {"value": "abc"}, "sel": {"value": "x"}, "ch": {"value": ["p", "q"]},
        "d": {"value": "2026-04-25"}, "t": {"value": "15:31"}, "dt": {"value": "2026-04-25T10:00:00Z"},
        "T": {"value": [row("10", "1.5", "m1"), row("20", "2", "m2"), row("", "3", "")]},
    })
}

async fn domain() -> Domain {
    let mut kept = record();
    for code in ["circle1", "circle2", "unread", "none", "total"] {
        kept[code] = json!({"value": "42"});
    }
    kept["next"] = json!({"value": ""});
    kept["T"]["value"][0]["value"]["sub"] = json!({"value": "1000"});
    Domain::start(&json!({
        "users": [{"code": "sato", "name": "佐藤", "password": "pw"}],
        "apps": [{"form": {"properties": form()}, "records": [record(), kept]}],
    }))
    .await
}

async fn values(domain: &Domain, id: u64) -> Value {
    let reply = domain.get(&format!("record.json?app=1&id={id}")).await;
    assert_eq!(reply.status, 200);
    reply.json()["record"].clone()
}

fn check_table(record: &Value) {
    for (index, (format, expression, expected)) in TABLE.iter().enumerate() {
        let value = &record[format!("c{index}")]["value"];
        assert_eq!(value, expected, "{format} {expression}");
    }
}

fn column(record: &Value, code: &str) -> Vec<String> {
    let rows = record["T"]["value"].as_array().unwrap();
    rows.iter().map(|row| row["value"][code]["value"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn formulas_are_computed_where_a_fixture_has_no_value() {
    let domain = domain().await;
    check_table(&values(&domain, 1).await);
    let given = values(&domain, 2).await;
    assert_eq!(given["total"]["value"], "42");
    assert_eq!(given["next"]["value"], "");
    assert_eq!(column(&given, "sub"), ["1000", "40", "0"]);
    assert_eq!(column(&given, "share"), ["23.8095", "0.9524", "0"]);
}

#[tokio::test]
async fn formulas_are_computed_at_each_write() {
    let domain = domain().await;
    // What is sent for a computed field is passed over.
    let mut sent = record();
    sent["total"] = json!({"value": "5"});
    sent["c0"] = json!({"value": "5"});
    sent["T"]["value"][0]["value"]["sub"] = json!({"value": "5"});
    let added = domain.call("POST", "record.json", json!({"app": 1, "record": sent})).await;
    assert_eq!(added.json()["id"], "3");
    let stored = values(&domain, 3).await;
    check_table(&stored);
    assert_eq!(column(&stored, "sub"), ["15", "40", "0"]);
    assert_eq!(column(&stored, "share"), ["0.2727", "0.7273", "0"]);
    assert_eq!((&stored["total"]["value"], &stored["next"]["value"]), (&json!("55"), &json!("56")));
    assert_eq!((&stored["bad"]["value"], &stored["worse"]["value"]), (&json!(""), &json!("")));

    let change = json!({"app": 1, "id": 3, "record": {"e": {"value": "2"}, "T": {"value": []}}});
    assert_eq!(domain.call("PUT", "record.json", change).await.outcome(), "200");
    let stored = values(&domain, 3).await;
    assert_eq!((&stored["total"]["value"], &stored["next"]["value"]), (&json!("0"), &json!("1")));
    assert_eq!((&stored["bad"]["value"], &stored["worse"]["value"]), (&json!("3.5"), &json!("4.5")));
}

#[tokio::test]
async fn fields_whose_formula_cannot_be_used_keep_what_they_have() {
    let domain = domain().await;
    let change = json!({"app": 1, "id": 2, "record": {"a": {"value": "8"}}});
    assert_eq!(domain.call("PUT", "record.json", change).await.outcome(), "200");
    let stored = values(&domain, 2).await;
    for code in ["circle1", "circle2", "unread", "none"] {
        assert_eq!(stored[code]["value"], "42", "{code}");
    }
    assert_eq!((&stored["total"]["value"], &stored["c0"]["value"]), (&json!("55"), &json!("11")));
}

#[tokio::test]
async fn results_keep_to_the_precision_of_the_app() {
    let precision = json!({"numberPrecision": {"digits": "8", "decimalPlaces": "2", "roundingMode": "UP"}});
    let form = json!({"properties": {
        "third": {"type": "CALC", "format": "NUMBER", "expression": "1 / 3"},
        "product": {"type": "CALC", "format": "NUMBER", "expression": "1.111 * 1"},
        "fits": {"type": "CALC", "format": "NUMBER", "expression": "999999 * 1"},
        "large": {"type": "CALC", "format": "NUMBER", "expression": "1000000 * 1"},
        "text": {"type": "SINGLE_LINE_TEXT", "expression": "1000000.123 * 1"},
    }});
    let world = json!({
        "users": [{"code": "sato", "password": "pw"}],
        "apps": [{"settings": precision, "form": form, "records": [{}]}],
    });
    let stored = values(&Domain::start(&world).await, 1).await;
    let shown = ["third", "product", "fits", "large", "text"].map(|code| stored[code]["value"].clone());
    assert_eq!(shown, ["0.34", "1.12", "999999", "", "1000000.123"]);
}

#[tokio::test]
async fn computed_values_can_be_searched() {
    let domain = domain().await;
    assert_eq!(domain.ids(1, "total = 55").await, "1");
    assert_eq!(domain.ids(1, "c0 >= 10 order by $id asc").await, "1 2");
    assert_eq!(domain.ids(1, "sub in (\"40\") order by $id asc").await, "1 2");
}
