//! The demo company through the OData door, from the socket to the embedded Kintone and back.

use std::collections::HashSet;

use serde_json::Value;

use super::http::{Answer, Door};

/// Percent-encodes what a client's URL library would.
fn encoded(url: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~/?&=$@(),:'%".contains(&b);
    url.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

impl Door {
    async fn read(&self, url: &str) -> Value {
        let answer = self.get(&encoded(&format!("/api.rsc/{url}"))).await;
        assert_eq!(answer.status, 200, "{url} {answer:?}");
        answer.json()
    }

    async fn count(&self, set: &str, filter: &str) -> u64 {
        let answer = self.get(&encoded(&format!("/api.rsc/{set}/$count?$filter={filter}"))).await;
        assert_eq!(answer.status, 200, "{filter} {answer:?}");
        answer.body.parse().unwrap()
    }

    /// The path and query of a link of an answer.
    fn local(&self, link: &str) -> String {
        link.strip_prefix("http://localhost").unwrap_or_else(|| panic!("{link}")).to_owned()
    }

    /// Follows the links from a first path to the last page.
    async fn walk(&self, first: &str, headers: &[&str]) -> (Vec<Value>, usize) {
        let (mut rows, mut pages, mut next) = (vec![], 0, Some(encoded(first)));
        while let Some(path) = next {
            let answer = self.send("GET", &path, headers).await;
            assert_eq!(answer.status, 200, "{path} {answer:?}");
            let json = answer.json();
            rows.extend(json["value"].as_array().unwrap().iter().cloned());
            pages += 1;
            next = json["@odata.nextLink"].as_str().map(|link| self.local(link));
        }
        (rows, pages)
    }

    /// Requests for records that Kintone got since the last look.
    fn requests(&self) -> usize {
        let requests = self.kintone.requests();
        self.kintone.clear_requests();
        requests.iter().filter(|request| request.path.contains("record")).count()
    }
}

const TOKEN: &str = "x-cdata-authtoken: secret";

/// Power Automate's "HTTP + Swagger": the document, the operation by its summary, the call, every page.
#[tokio::test]
async fn the_swagger_document_leads_to_every_comment() {
    let door = Door::start(|config| config.allow_authtoken_in_url = true).await;
    let oas = door.send("GET", "/api.rsc/@secret/$oas", &[]).await.json();
    let (path, operation) = oas["paths"]
        .as_object()
        .unwrap()
        .iter()
        .find(|(_, item)| item["get"]["summary"] == "Return Comments")
        .unwrap();
    assert!(operation["get"]["parameters"].as_array().unwrap().iter().any(|p| p["name"] == "$filter"));
    let base = oas["basePath"].as_str().unwrap();
    let (rows, pages) = door.walk(&format!("{base}{path}?$filter=AppId eq '1354841'"), &[]).await;
    assert!(pages > 1, "{pages}");
    let all = door.count("Comments", "AppId eq 1354841").await;
    assert_eq!(u64::try_from(rows.len()).unwrap(), all);
    let keys: HashSet<String> = rows.iter().map(|row| format!("{} {}", row["RecordId"], row["Id"])).collect();
    assert_eq!(keys.len(), rows.len());
    assert!(rows.iter().all(|row| row["AppId"] == 1_354_841 && row["Text"].is_string()));
    let newest_first = |a: &Value, b: &Value| {
        let key = |row: &Value| (row["RecordId"].as_u64(), row["Id"].as_u64());
        key(a) > key(b)
    };
    assert!(rows.windows(2).all(|pair| newest_first(&pair[0], &pair[1])));
}

#[tokio::test]
async fn pages_give_every_row_once_in_order() {
    let door = Door::start(|_| {}).await;
    let prefer = [TOKEN, "Prefer: odata.maxpagesize=333"];
    let first = "/api.rsc/DEALS?$orderby=金額 desc&$select=Id,金額";
    let (rows, pages) = door.walk(first, &prefer).await;
    assert_eq!((rows.len(), pages), (3000, 10));
    let ids: HashSet<u64> = rows.iter().map(|row| row["Id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), 3000);
    let amounts: Vec<Option<i64>> = rows.iter().map(|row| row["金額"].as_i64()).collect();
    assert!(amounts.is_sorted_by(|a, b| a >= b), "null is the lowest");
    assert!(amounts.last().unwrap().is_none());
    let (rows, _) = door.walk("/api.rsc/DEALS?$top=700&$skip=100&$select=Id", &prefer).await;
    let ids: Vec<u64> = rows.iter().map(|row| row["Id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), 700);
    assert!(ids.is_sorted() && ids[0] > 100);
}

#[tokio::test]
async fn a_token_of_another_query_is_refused() {
    let door = Door::start(|_| {}).await;
    let page = door.send("GET", "/api.rsc/PRODUCTS?$select=Id", &[TOKEN, "Prefer: maxpagesize=5"]).await;
    assert_eq!(page.header("Preference-Applied"), Some("odata.maxpagesize=5"));
    let link = door.local(page.json()["@odata.nextLink"].as_str().unwrap());
    assert_eq!(door.get(&link).await.status, 200);
    let cut = &link[..link.len() - 1];
    for wrong in [cut.to_owned(), link.replace("PRODUCTS", "DEALS"), link.replace("select=Id", "select=*")] {
        let answer = door.get(&wrong).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["target"]),
            (400, &"$skiptoken".into()),
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn a_read_costs_as_few_requests_as_it_can() {
    let door = Door::start(|_| {}).await;
    door.read("CUSTOMERS?$top=1").await;
    door.requests();
    for (url, most) in [
        ("CUSTOMERS?$top=10", 1),
        ("CUSTOMERS", 1),
        ("CUSTOMERS(5)", 1),
        ("CUSTOMERS?$top=0", 0),
        ("CUSTOMERS/$count", 1),
    ] {
        let answer = door.get(&format!("/api.rsc/{url}")).await;
        assert_eq!(answer.status, 200, "{url} {answer:?}");
        let requests = door.requests();
        assert!(requests <= most, "{url}: {requests} requests");
    }
    let (rows, _) = door.walk("/api.rsc/CUSTOMERS?$select=Id", &[TOKEN]).await;
    let requests = door.requests();
    assert_eq!(rows.len(), 2000);
    assert!(requests <= 2000 / 500 + 1, "{requests} requests");
}

#[tokio::test]
async fn every_set_answers_with_its_declared_properties() {
    let door = Door::start(|_| {}).await;
    let metadata = door.get("/api.rsc/$metadata").await;
    assert_eq!(metadata.header("Content-Type"), Some("application/xml;charset=utf-8"));
    // The largest take their time to be made.
    let is_small =
        |name: &str| !name.contains("活動履歴") && !name.contains("受注") && !name.contains("日報");
    let sets = door.read("").await;
    for set in sets["value"].as_array().unwrap() {
        let (name, url) = (set["name"].as_str().unwrap(), set["url"].as_str().unwrap());
        if !is_small(name) || name == "Comments" {
            continue;
        }
        let declared = metadata.body.split(&format!("<EntityType Name=\"{name}\">")).nth(1).unwrap();
        let declared = declared.split("</EntityType>").next().unwrap();
        let page = door.read(&format!("{url}?$top=2&$count=true")).await;
        assert!(page["@odata.count"].is_u64(), "{name}");
        for row in page["value"].as_array().unwrap() {
            let names: Vec<&String> =
                row.as_object().unwrap().keys().filter(|k| !k.starts_with('@')).collect();
            assert_eq!(names.len(), declared.matches("<Property ").count(), "{name}");
            for property in names {
                assert!(declared.contains(&format!("<Property Name=\"{property}\" ")), "{name}.{property}");
            }
        }
    }
}

#[tokio::test]
async fn a_condition_and_its_opposite_are_all_rows() {
    let door = Door::start(|_| {}).await;
    for condition in [
        "金額 gt 1000000",
        "金額 le '1000000'",
        "確度 eq 50",
        "数値_0 eq 0",
        "数値_0 ne null",
        "contains(案件名,'オフィス')",
        "startswith(顧客名,'㈱') or endswith(案件番号,'1')",
        "ドロップダウン in ('価格','ない選択肢')",
        "ドロップダウン ne '価格'",
        "受注日 ge 2024-04-01 and 受注日 lt 2025-04-01",
        "year(受注日) eq 2024",
        "更新日時 ge 2024-04-01T09:00:00+09:00",
        "作成日時 gt now() sub duration'P1000D'",
        "date(作成日時) lt 2025-01-01 and time(作成日時) lt 03:00",
        "提案商品/any(x: x eq 'サービス')",
        "担当者/any()",
        "作成者 eq 'smith'",
        "Id in (1,2,3,99999)",
        "金額 mul 2 gt 加重金額 add 1",
    ] {
        let (yes, no) =
            (door.count("DEALS", condition).await, door.count("DEALS", &format!("not ({condition})")).await);
        assert_eq!(yes + no, 3000, "{condition}: {yes} and {no}");
        assert!(yes > 0, "{condition}");
    }
}

#[tokio::test]
async fn one_entity_has_its_tag() {
    let door = Door::start(|_| {}).await;
    let answer = door.get("/api.rsc/PRODUCTS(1)").await;
    let json = answer.json();
    assert_eq!(json["@odata.context"], "http://localhost/api.rsc/$metadata#PRODUCTS/$entity");
    assert_eq!(json.as_object().unwrap().keys().next().unwrap(), "@odata.context");
    let etag = answer.header("ETag").unwrap();
    assert_eq!(json["@odata.etag"], etag);
    assert_eq!(etag, format!("W/\"{}\"", json["Revision"]));
    let unchanged =
        door.send("GET", "/api.rsc/PRODUCTS(1)", &[TOKEN, &format!("If-None-Match: {etag}")]).await;
    assert_eq!((unchanged.status, unchanged.body.as_str()), (304, ""));
    let absent: Answer = door.get("/api.rsc/PRODUCTS(999999)").await;
    assert_eq!((absent.status, &absent.json()["error"]["code"]), (404, &"NotFound".into()));
    let chosen = door.read("PRODUCTS(Id=1)?$select=Id").await;
    assert_eq!(chosen["@odata.context"], "http://localhost/api.rsc/$metadata#PRODUCTS(Id)/$entity");
    let full = door
        .send("GET", "/api.rsc/PRODUCTS(1)", &[TOKEN, "Accept: application/json;odata.metadata=full"])
        .await;
    assert_eq!(full.json()["@odata.id"], "http://localhost/api.rsc/PRODUCTS(1)");
    let none = door
        .send("GET", "/api.rsc/PRODUCTS(1)", &[TOKEN, "Accept: application/json;odata.metadata=none"])
        .await;
    assert!(none.json().as_object().unwrap().keys().all(|key| !key.starts_with('@')));
}
