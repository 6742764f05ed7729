//! Files: uploads, the records that take them, downloads.

use super::*;

/// Sends a multipart body of parts: (head of the part, bytes).
pub(super) async fn upload(port: u16, target: &str, auth: (&str, String), parts: &[(&str, &[u8])]) -> Reply {
    let mut body = vec![];
    for (head, bytes) in parts {
        body.extend_from_slice(
            format!("--edge\r\nContent-Disposition: form-data; {head}\r\n\r\n").as_bytes(),
        );
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    raw(port, target, auth, "multipart/form-data; boundary=edge", &body).await
}

async fn raw(port: u16, target: &str, auth: (&str, String), content_type: &str, body: &[u8]) -> Reply {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{}: {}\r\nContent-Type: {content_type}\r\n\
         Content-Length: {}\r\n\r\n",
        auth.0,
        auth.1,
        body.len()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(body).await.unwrap();
    let mut raw = vec![];
    socket.read_to_end(&mut raw).await.unwrap();
    let split = raw.windows(4).position(|w| w == b"\r\n\r\n").expect("a whole response");
    let head = String::from_utf8(raw[..split].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Reply { status, head, bytes: raw[split + 4..].to_vec() }
}

const BINARY: &[u8] = &[0, 159, 146, 150, 13, 10, 45, 45, 255];

impl Domain {
    async fn upload(&self, head: &str, bytes: &[u8]) -> String {
        let reply =
            upload(self.emulator.port(), "/k/v1/file.json", password("sato", "pw"), &[(head, bytes)]).await;
        assert_eq!(reply.status, 200);
        reply.json()["fileKey"].as_str().unwrap().to_owned()
    }

    async fn files(&self, id: u64) -> Vec<Value> {
        let record = self.get(&format!("record.json?app=1&id={id}")).await.json();
        record["record"]["files"]["value"].as_array().unwrap().clone()
    }

    async fn download(&self, key: &Value) -> Reply {
        self.get(&format!("file.json?fileKey={}", encode(key.as_str().unwrap()))).await
    }
}

async fn domain() -> Domain {
    let form = |code: &str| {
        json!({"properties": {
            code: {"type": "FILE"}, "need": {"type": "NUMBER", "maxValue": "5"},
            "T": {"type": "SUBTABLE", "fields": {"column": {"type": "FILE"}}},
        }})
    };
    let stored = json!([
        {"name": "memo.txt", "text": "はい keyword", "fileKey": "k1"},
        {"name": "raw.bin", "base64": "AAEC/w==", "contentType": "application/x-raw", "fileKey": "k2"},
        {"name": "見積.pdf", "contentType": "application/pdf", "size": "25", "fileKey": "k3"},
    ]);
    let guest = json!([{"name": "g.txt", "text": "guest", "fileKey": "g1"}]);
    Domain::start(&json!({
        "users": [{"code": "sato", "name": "佐藤", "password": "pw"}],
        "apps": [
            {"apiTokens": ["one"], "form": form("files"), "records": [{"files": {"value": stored}}, {}]},
            {"apiTokens": ["two"], "form": form("other")},
            {"guestSpaceId": 7, "form": form("files"), "records": [{"files": {"value": guest}}]},
        ],
    }))
    .await
}

fn attach(keys: &[&str]) -> Value {
    let files: Vec<Value> = keys.iter().map(|key| json!({"fileKey": key})).collect();
    json!({"files": {"value": files}})
}

#[tokio::test]
async fn uploads_become_files_of_a_record_under_another_key() {
    let domain = domain().await;
    let key =
        domain.upload("name=\"file\"; filename=\"見積 書.bin\"\r\nContent-Type: image/png", BINARY).await;
    assert_eq!(domain.download(&json!(key)).await.outcome(), "404 GAIA_BL01");
    let added = domain.call("POST", "record.json", json!({"app": 1, "record": attach(&[&key])})).await;
    assert_eq!(added.json()["id"], "3");
    let files = domain.files(3).await;
    assert_eq!(files.len(), 1);
    let shown = [&files[0]["name"], &files[0]["contentType"], &files[0]["size"]];
    assert_eq!(shown, [&json!("見積 書.bin"), &json!("image/png"), &json!("9")]);
    assert_ne!(files[0]["fileKey"], json!(key));
    let reply = domain.download(&files[0]["fileKey"]).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("image/png")));
    assert_eq!(reply.bytes, BINARY);
    assert_eq!(domain.download(&json!(key)).await.outcome(), "404 GAIA_BL01");
    assert_eq!(domain.download(&json!("nothing")).await.outcome(), "404 GAIA_BL01");
}

#[tokio::test]
async fn an_upload_is_taken_once_and_only_by_a_write_that_succeeds() {
    let domain = domain().await;
    let key = domain.upload("name=\"file\"; filename=\"a.txt\"", b"a").await;
    let mut refused = attach(&[&key]);
    refused["need"] = json!({"value": "6"});
    let post = async |record: Value| {
        domain.call("POST", "record.json", json!({"app": 1, "record": record})).await.outcome()
    };
    assert_eq!(post(refused).await, "400 CB_VA01");
    assert_eq!(post(attach(&[&key, &key])).await, "404 GAIA_BL01");
    assert_eq!(post(attach(&[&key])).await, "200");
    assert_eq!(post(attach(&[&key])).await, "404 GAIA_BL01");
    // The key that the record shows is good for that record alone.
    let shown = domain.files(3).await[0]["fileKey"].as_str().unwrap().to_owned();
    assert_eq!(post(attach(&[&shown])).await, "404 GAIA_BL01");
    assert_eq!(
        domain.get("records.json?app=1&query=limit%201&totalCount=true").await.json()["totalCount"],
        "3"
    );
}

#[tokio::test]
async fn a_record_keeps_adds_and_loses_files() {
    let domain = domain().await;
    let put = async |keys: &[&str]| {
        let body = json!({"app": 1, "id": 1, "record": attach(keys)});
        domain.call("PUT", "record.json", body).await.outcome()
    };
    let names = async || {
        let files = domain.files(1).await;
        files.iter().map(|file| file["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    let key = domain.upload("name=\"file\"; filename=\"new.txt\"", b"new").await;
    assert_eq!(put(&["k3", &key, "k1"]).await, "200");
    assert_eq!(names().await, "見積.pdf new.txt memo.txt");
    assert_eq!(domain.files(1).await[0]["fileKey"], "k3");
    assert_eq!(domain.download(&json!("k2")).await.outcome(), "404 GAIA_BL01");
    assert_eq!(put(&["k2"]).await, "404 GAIA_BL01");
    let other = json!({"app": 1, "id": 1, "record": {"need": {"value": "1"}}});
    assert_eq!(domain.call("PUT", "record.json", other).await.outcome(), "200");
    assert_eq!(names().await, "見積.pdf new.txt memo.txt");
    assert_eq!(put(&[]).await, "200");
    assert_eq!(names().await, "");
}

#[tokio::test]
async fn rows_of_a_table_take_files() {
    let domain = domain().await;
    let key = domain.upload("name=\"file\"; filename=\"row.txt\"", b"row").await;
    let row = |key: &str| json!({"value": {"column": {"value": [{"fileKey": key}]}}});
    let body = json!({"app": 1, "id": 2, "record": {"T": {"value": [row(&key)]}}});
    assert_eq!(domain.call("PUT", "record.json", body).await.outcome(), "200");
    let record = domain.get("record.json?app=1&id=2").await.json()["record"].clone();
    let stored = &record["T"]["value"][0];
    let file = &stored["value"]["column"]["value"][0];
    assert_eq!((&file["name"], &file["size"]), (&json!("row.txt"), &json!("3")));
    assert_eq!(domain.download(&file["fileKey"]).await.bytes, b"row");
    // A row that is sent by its id alone keeps its files.
    let body = json!({"app": 1, "id": 2, "record": {"T": {"value": [{"id": stored["id"], "value": {}}]}}});
    assert_eq!(domain.call("PUT", "record.json", body).await.outcome(), "200");
    let kept = domain.get("record.json?app=1&id=2").await.json()["record"]["T"]["value"][0].clone();
    assert_eq!(&kept["value"]["column"]["value"][0], file);
    let body = json!({"app": 1, "id": 2, "record": {"T": {"value": [row("unknown")]}}});
    assert_eq!(domain.call("PUT", "record.json", body).await.outcome(), "404 GAIA_BL01");
}

#[tokio::test]
async fn a_bulk_request_that_fails_gives_its_uploads_back() {
    let domain = domain().await;
    let key = domain.upload("name=\"file\"; filename=\"a.txt\"", b"a").await;
    let request = |payload: Value| json!({"method": "POST", "api": "/k/v1/record.json", "payload": payload});
    let take = request(json!({"app": 1, "record": attach(&[&key])}));
    let bulk = async |requests: Value| {
        domain.call("POST", "bulkRequest.json", json!({"requests": requests})).await.status
    };
    assert_eq!(bulk(json!([take, request(json!({"app": 99}))])).await, 404);
    assert_eq!(bulk(json!([take, take])).await, 404);
    assert_eq!(bulk(json!([take])).await, 200);
    assert_eq!(bulk(json!([take])).await, 404);
    assert_eq!(domain.files(3).await[0]["name"], "a.txt");
}

#[tokio::test]
async fn files_of_a_fixture_have_content() {
    let domain = domain().await;
    let sizes: Vec<Value> = domain.files(1).await.iter().map(|file| file["size"].clone()).collect();
    assert_eq!(sizes, ["14", "4", "25"]);
    let text = domain.download(&json!("k1")).await;
    assert_eq!((text.header("content-type"), &*text.bytes), (Some("text/plain"), "はい keyword".as_bytes()));
    let binary = domain.download(&json!("k2")).await;
    assert_eq!(
        (binary.header("content-type"), &*binary.bytes),
        (Some("application/x-raw"), &[0, 1, 2, 255][..])
    );
    let made_up = domain.download(&json!("k3")).await;
    assert_eq!((made_up.header("content-type"), made_up.bytes.len()), (Some("application/pdf"), 25));
}

#[tokio::test]
async fn files_are_found_by_name_and_by_text() {
    let domain = domain().await;
    for (word, found) in [("memo", "1"), ("keyword", "1"), ("はい", "1"), ("見積", "1"), ("nothing", "")]
    {
        assert_eq!(domain.ids(1, &format!("files like \"{word}\"")).await, found, "{word}");
    }
    let keys = [
        domain.upload("name=\"file\"; filename=\"a.csv\"\r\nContent-Type: text/csv", b"alpha,beta").await,
        domain.upload("name=\"file\"; filename=\"b.png\"\r\nContent-Type: image/png", b"gamma delta").await,
    ];
    let body = json!({"app": 1, "id": 2, "record": attach(&[&keys[0], &keys[1]])});
    assert_eq!(domain.call("PUT", "record.json", body).await.outcome(), "200");
    assert_eq!(domain.ids(1, "files like \"beta\"").await, "2");
    assert_eq!(domain.ids(1, "files like \"gamma\"").await, "");
}

#[tokio::test]
async fn files_are_reached_through_their_app() {
    let domain = domain().await;
    let port = domain.emulator.port();
    let get = async |target: &str, auth| send(port, "GET", target, &[auth], None).await.outcome();
    assert_eq!(get("/k/v1/file.json?fileKey=k1", token("one")).await, "200");
    assert_eq!(get("/k/v1/file.json?fileKey=k1", token("two")).await, "404 GAIA_BL01");
    assert_eq!(get("/k/v1/file.json?fileKey=k1", token("two,one")).await, "200");
    assert_eq!(get("/k/v1/file.json?fileKey=g1", password("sato", "pw")).await, "404 GAIA_BL01");
    assert_eq!(get("/k/guest/7/v1/file.json?fileKey=g1", password("sato", "pw")).await, "200");
    assert_eq!(get("/k/guest/7/v1/file.json?fileKey=k1", password("sato", "pw")).await, "404 GAIA_BL01");
    assert_eq!(get("/k/v1/file.json", password("sato", "pw")).await, "400 CB_VA01");
    let part: (&str, &[u8]) = ("name=\"file\"; filename=\"g.txt\"", b"g");
    assert_eq!(
        upload(port, "/k/guest/7/v1/file.json", password("sato", "pw"), &[part]).await.outcome(),
        "200"
    );
    assert_eq!(upload(port, "/k/v1/file.json", token("one"), &[part]).await.outcome(), "200");
    assert_eq!(
        upload(port, "/k/v1/file.json", password("sato", "no"), &[part]).await.outcome(),
        "401 CB_WA01"
    );
}

#[tokio::test]
async fn bad_uploads_are_refused() {
    let domain = domain().await;
    let port = domain.emulator.port();
    let outcome = async |parts: &[(&str, &[u8])]| {
        upload(port, "/k/v1/file.json", password("sato", "pw"), parts).await.outcome()
    };
    assert_eq!(outcome(&[]).await, "400 CB_VA01");
    assert_eq!(outcome(&[("name=\"other\"; filename=\"a\"", b"a")]).await, "400 CB_VA01");
    assert_eq!(outcome(&[("name=\"file\"", b"a")]).await, "400 CB_VA01");
    let file: (&str, &[u8]) = ("name=\"file\"; filename=\"a\"", b"a");
    assert_eq!(outcome(&[file, file]).await, "400 CB_VA01");
    assert_eq!(outcome(&[("name=\"__REQUEST_TOKEN__\"", b"x"), file]).await, "200");
    assert_eq!(domain.call("POST", "file.json", json!({"file": "a"})).await.outcome(), "400 CB_IL02");
    let cut = b"--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nabc";
    let sent =
        raw(port, "/k/v1/file.json", password("sato", "pw"), "multipart/form-data; boundary=edge", cut);
    assert_eq!(sent.await.outcome(), "400 CB_IL02");
    let sent = raw(port, "/k/v1/file.json", password("sato", "pw"), "multipart/form-data", cut);
    assert_eq!(sent.await.outcome(), "400 CB_IL02");
    let sent =
        raw(port, "/k/v1/record.json", password("sato", "pw"), "multipart/form-data; boundary=edge", cut);
    assert_eq!(sent.await.outcome(), "400 CB_IL02");
}
