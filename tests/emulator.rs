//! The emulator over real HTTP: what Kintone answers, and what it refuses.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kintone_sql::emulator::app::{AppDefinition, Cell, Comment, Entity, Record, World};
use kintone_sql::emulator::{Emulator, Fixture, Options};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A response.
struct Reply {
    status: u16,
    head: String,
    bytes: Vec<u8>,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.bytes)))
    }

    /// `200`, or `400 CB_VA01`.
    fn outcome(&self) -> String {
        match self.status {
            200 => "200".to_owned(),
            status => format!("{status} {}", self.json()["code"].as_str().unwrap_or("?")),
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

async fn send(
    port: u16,
    method: &str,
    target: &str,
    headers: &[(&str, String)],
    body: Option<&str>,
) -> Reply {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut text = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if let Some(body) = body {
        text += &format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    }
    text += "\r\n";
    text += body.unwrap_or_default();
    socket.write_all(text.as_bytes()).await.unwrap();
    let mut raw = vec![];
    socket.read_to_end(&mut raw).await.unwrap();
    let split = raw.windows(4).position(|w| w == b"\r\n\r\n").expect("a whole response");
    let head = String::from_utf8(raw[..split].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Reply { status, head, bytes: raw[split + 4..].to_vec() }
}

fn password(user: &str, password: &str) -> (&'static str, String) {
    ("X-Cybozu-Authorization", STANDARD.encode(format!("{user}:{password}")))
}

fn token(tokens: &str) -> (&'static str, String) {
    ("X-Cybozu-API-Token", tokens.to_owned())
}

fn encode(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02X}")).collect()
}

/// A running emulator with a client that logs in as `sato`.
struct Domain {
    emulator: Emulator,
}

impl Domain {
    async fn start(world: &Value) -> Self {
        Self::with(world, Options::default()).await
    }

    async fn with(world: &Value, options: Options) -> Self {
        let world = Arc::new(Fixture::from_json(world).unwrap());
        Self { emulator: Emulator::start(world, options).await.unwrap() }
    }

    async fn get(&self, path: &str) -> Reply {
        let target = format!("/k/v1/{path}");
        send(self.emulator.port(), "GET", &target, &[password("sato", "pw")], None).await
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> Reply {
        let target = format!("/k/v1/{path}");
        send(self.emulator.port(), method, &target, &[password("sato", "pw")], Some(&body.to_string())).await
    }

    /// `3 1` for the ids of a query, or its refusal.
    async fn ids(&self, app: u64, query: &str) -> String {
        let reply = self.get(&format!("records.json?app={app}&query={}", encode(query))).await;
        if reply.status != 200 {
            return reply.outcome();
        }
        let ids: Vec<String> = reply.json()["records"]
            .as_array()
            .unwrap()
            .iter()
            .map(|record| record["$id"]["value"].as_str().unwrap().to_owned())
            .collect();
        ids.join(" ")
    }
}

/// One app with every field type, four records: 1 and 2 are full, 3 is empty, 4 has edges.
fn world() -> Value {
    let mut world: Value = serde_json::from_str(include_str!("fixtures/emulator.json")).unwrap();
    let comments: Vec<Value> =
        (1..=12).map(|n| json!({"text": format!("コメント{n}"), "creator": "sato"})).collect();
    world["apps"][0]["comments"] = json!({"1": comments});
    world
}

/// A query on app 1 and its ids, or its refusal.
const QUERIES: &[(&str, &str)] = &[
    // The grammar.
    ("", "4 3 2 1"),
    ("limit 2", "4 3"),
    ("offset 3", "1"),
    ("order by $id asc limit 2 offset 1", "2 3"),
    ("$id > 1 and $id < 4 order by $id asc", "2 3"),
    ("$id = 1 or $id = 2 and 数値 = 10", "1"),
    ("($id = 1 or $id = 2) and 数値 = 10", "1"),
    ("$id\u{3000}in\t(\"1\",\n2)", "2 1"),
    ("limit 0", ""),
    ("limit 500", "4 3 2 1"),
    ("limit 501", "400 GAIA_QU01"),
    ("limit -1", "400 CB_VA01"),
    ("limit \"1\"", "400 CB_VA01"),
    ("offset 10000", ""),
    ("offset 10001", "400 GAIA_QU02"),
    ("limit 1 order by $id asc", "400 CB_VA01"),
    ("offset 1 limit 1", "400 CB_VA01"),
    ("not ($id = 1)", "400 CB_VA01"),
    ("$id = 1 AND $id = 2", "400 CB_VA01"),
    ("文字 = 'apple'", "400 CB_VA01"),
    ("文字 = \"apple", "400 CB_VA01"),
    ("文字 = \"a\tb\"", "400 CB_VA01"),
    ("文字 = apple", "400 CB_VA01"),
    ("文字 = ", "400 CB_VA01"),
    ("文字", "400 CB_VA01"),
    ("($id = 1", "400 CB_VA01"),
    ("$id = 1)", "400 CB_VA01"),
    ("$id in ()", "400 CB_VA01"),
    ("数値 between 1 and 2", "400 CB_VA01"),
    ("数値 = 1e1", "400 CB_VA01"),
    ("無い = 1", "400 GAIA_IQ11"),
    ("$revision = 1", "400 GAIA_IQ11"),
    ("order by 無い asc", "400 GAIA_IQ11"),
    // $id and the record number.
    ("$id = \"2\"", "2"),
    ("$id != 2", "4 3 1"),
    ("$id >= 3", "4 3"),
    ("$id <= 1", "1"),
    ("$id not in (1, 2)", "4 3"),
    ("$id like \"1\"", "400 GAIA_IQ03"),
    ("$id is empty", "400 GAIA_IQ03"),
    ("$id = \"x\"", "400 CB_VA01"),
    ("$id > 99999", ""),
    ("レコード番号 = \"ALL-2\"", "2"),
    ("レコード番号 > 2", "4 3"),
    ("レコード番号 in (1, \"ALL-3\")", "3 1"),
    ("レコード番号 like \"1\"", "400 GAIA_IQ03"),
    // Single-line text.
    ("文字 = \"apple\"", "1"),
    ("文字 = \"say \\\"hi\\\" \\\\ 日本語\"", "4"),
    ("文字 != \"apple\"", "4 3 2"),
    ("文字 = \"\"", "3"),
    ("文字 != \"\"", "4 2 1"),
    ("文字 > \"a\"", "400 GAIA_IQ03"),
    ("文字 <= \"a\"", "400 GAIA_IQ03"),
    ("文字 in (\"apple\", \"Banana\")", "2 1"),
    ("文字 not in (\"apple\", \"\")", "4 2"),
    ("文字 like \"APPLE\"", "1"),
    ("文字 like \"appl\"", ""),
    ("文字 like \"日本\"", "4"),
    ("文字 like \"日\"", ""),
    ("文字 not like \"apple\"", "4 3 2"),
    ("文字 is empty", "400 GAIA_IQ03"),
    ("文字 in (LOGINUSER())", "400 GAIA_IQ03"),
    // Links.
    ("リンク = \"https://b.example\"", "2"),
    ("リンク < \"x\"", "400 GAIA_IQ03"),
    ("リンク in (\"https://b.example\")", "2"),
    ("リンク like \"example\"", "2 1"),
    ("リンク is not empty", "400 GAIA_IQ03"),
    // Multi-line and rich text.
    ("複数行 = \"a\"", "400 GAIA_IQ03"),
    ("複数行 > \"a\"", "400 GAIA_IQ03"),
    ("複数行 in (\"a\")", "400 GAIA_IQ03"),
    ("複数行 like \"keyword\"", "1"),
    ("複数行 like \"key\"", ""),
    ("複数行 is empty", "4 3 2"),
    ("複数行 is not empty", "1"),
    ("リッチ = \"a\"", "400 GAIA_IQ03"),
    ("リッチ < \"a\"", "400 GAIA_IQ03"),
    ("リッチ in (\"a\")", "400 GAIA_IQ03"),
    ("リッチ like \"rich\"", "1"),
    ("リッチ is empty", "400 GAIA_IQ03"),
    // Numbers: an empty one is minus infinity.
    ("数値 = 10", "1"),
    ("数値 = \"10.0\"", "1"),
    ("数値 = 12345678901234567890.0000000001", "4"),
    ("数値 = 12345678901234567890", ""),
    ("数値 != 10", "4 3 2"),
    ("数値 < 0", "3 2"),
    ("数値 <= -1000000", "3"),
    ("数値 > -1000000", "4 2 1"),
    ("数値 >= 10", "4 1"),
    ("数値 = 0", ""),
    ("数値 = \"\"", "3"),
    ("数値 != \"\"", "4 2 1"),
    ("数値 in (10, \"\")", "3 1"),
    ("数値 not in (10)", "4 3 2"),
    ("数値 like \"10\"", "400 GAIA_IQ03"),
    ("数値 is empty", "400 GAIA_IQ03"),
    ("数値 = \"abc\"", "400 CB_VA01"),
    ("数値 = TODAY()", "400 GAIA_IQ03"),
    ("計算 = 20", "1"),
    ("計算 < 0", "4 3 2"),
    ("計算 in (20, -7)", "2 1"),
    ("計算 like \"2\"", "400 GAIA_IQ03"),
    ("計算 is empty", "400 GAIA_IQ03"),
    ("時間計算 > \"1:00\"", "1"),
    // Choices.
    ("チェック = \"a\"", "400 GAIA_IQ03"),
    ("チェック > \"a\"", "400 GAIA_IQ03"),
    ("チェック in (\"a\", \"c\")", "1"),
    ("チェック in (\"b\")", "2 1"),
    ("チェック not in (\"a\")", "4 3 2"),
    ("チェック in (\"\")", "4 3"),
    ("チェック not in (\"\", \"a\")", "2"),
    ("チェック like \"a\"", "400 GAIA_IQ03"),
    ("チェック is empty", "400 GAIA_IQ03"),
    ("チェック in (\"nope\")", "400 GAIA_IQ10"),
    ("チェック = \"nope\"", "400 GAIA_IQ10"),
    ("複数選択 in (\"m2\")", "2"),
    ("複数選択 = \"m2\"", "400 GAIA_IQ03"),
    ("複数選択 < \"m2\"", "400 GAIA_IQ03"),
    ("複数選択 like \"m2\"", "400 GAIA_IQ03"),
    ("複数選択 is empty", "400 GAIA_IQ03"),
    ("ラジオ in (\"r1\", \"\")", "4 3 1"),
    ("ラジオ = \"r1\"", "400 GAIA_IQ03"),
    ("ラジオ < \"r1\"", "400 GAIA_IQ03"),
    ("ラジオ like \"r1\"", "400 GAIA_IQ03"),
    ("ラジオ is empty", "400 GAIA_IQ03"),
    ("ドロップ in (\"x\")", "1"),
    ("ドロップ not in (\"x\")", "4 3 2"),
    ("ドロップ = \"x\"", "400 GAIA_IQ03"),
    ("ドロップ >= \"x\"", "400 GAIA_IQ03"),
    ("ドロップ like \"x\"", "400 GAIA_IQ03"),
    ("ドロップ is empty", "400 GAIA_IQ03"),
    // Dates and times.
    ("日付 = \"2026-01-10\"", "1"),
    ("日付 != \"2026-01-10\"", "4 3 2"),
    ("日付 > \"2026-01-10\"", "2"),
    ("日付 < \"2026-01-10\"", "4 3"),
    ("日付 <= \"2026-01-10\"", "4 3 1"),
    ("日付 = \"\"", "4 3"),
    ("日付 != \"\"", "2 1"),
    ("日付 in (\"2026-01-10\")", "400 GAIA_IQ03"),
    ("日付 like \"2026\"", "400 GAIA_IQ03"),
    ("日付 is empty", "400 GAIA_IQ03"),
    ("日付 = \"2026-13-01\"", "400 CB_VA01"),
    ("日付 < TODAY() and 日付 != \"\"", "2 1"),
    ("日付 = NOW()", "400 GAIA_IQ03"),
    ("日付 >= FROM_TODAY(-50, YEARS)", "2 1"),
    ("日付 = THIS_MONTH(32)", "400 GAIA_IQ23"),
    ("日付 = FROM_TODAY(1, HOURS)", "400 GAIA_IQ25"),
    ("日付 = TODAY(1)", "400 GAIA_IL08"),
    ("日付 = SOMEDAY()", "400 CB_VA01"),
    ("時刻 = \"09:30\"", "1"),
    ("時刻 > \"10:00\"", "2"),
    ("時刻 in (\"09:30\")", "400 GAIA_IQ03"),
    ("時刻 like \"09\"", "400 GAIA_IQ03"),
    ("時刻 is empty", "400 GAIA_IQ03"),
    ("時刻 = NOW()", "400 GAIA_IQ03"),
    ("日時 = \"2026-01-10T09:00:00+0900\"", "1"),
    ("日時 = \"2026-03-01T12:34:59Z\"", "2"),
    ("日時 > \"2026-01-10T00:00:00Z\"", "2"),
    ("日時 = \"\"", "4 3"),
    ("日時 < NOW() and 日時 != \"\"", "2 1"),
    ("日時 in (\"2026-01-10T00:00:00Z\")", "400 GAIA_IQ03"),
    ("日時 like \"2026\"", "400 GAIA_IQ03"),
    ("日時 is empty", "400 GAIA_IQ03"),
    ("作成日時 <= \"2026-01-03T01:00:00Z\"", "2 1"),
    ("作成日時 in (\"2026-01-03T01:00:00Z\")", "400 GAIA_IQ03"),
    ("作成日時 like \"a\"", "400 GAIA_IQ03"),
    ("更新日時 = \"2026-01-04T01:00:00Z\"", "2"),
    ("更新日時 is empty", "400 GAIA_IQ03"),
    // People, organizations, groups.
    ("担当 in (\"sato\")", "1"),
    ("担当 in (LOGINUSER())", "1"),
    ("担当 in (\"old\")", "2"),
    ("担当 in (\"\")", "4 3"),
    ("担当 not in (\"sato\")", "4 3 2"),
    ("担当 in (\"nobody\")", "400 GAIA_IL26"),
    ("担当 = \"sato\"", "400 GAIA_IQ03"),
    ("担当 > \"sato\"", "400 GAIA_IQ03"),
    ("担当 like \"sato\"", "400 GAIA_IQ03"),
    ("担当 is empty", "400 GAIA_IQ03"),
    ("担当 in (LOGINUSER(1))", "400 GAIA_IL08"),
    ("組織 in (\"sales\")", "1"),
    ("組織 in (\"nowhere\")", "400 GAIA_IL28"),
    ("組織 in (PRIMARY_ORGANIZATION())", "4 3 2 1"),
    ("組織 in (PRIMARY_ORGANIZATION()) and $id = 2", "2"),
    ("組織 = \"sales\"", "400 GAIA_IQ03"),
    ("グループ in (\"everyone\")", "1"),
    ("グループ in (\"nobody\")", "400 GAIA_IL27"),
    ("グループ like \"everyone\"", "400 GAIA_IQ03"),
    ("作成者 in (\"zoe\", LOGINUSER())", "4 3 1"),
    ("作成者 not in (\"sato\")", "2 1"),
    ("作成者 = \"sato\"", "400 GAIA_IQ03"),
    ("作成者 like \"sato\"", "400 GAIA_IQ03"),
    ("更新者 in (\"zoe\")", "4 3 2 1"),
    ("更新者 < \"zoe\"", "400 GAIA_IQ03"),
    // The process, categories, files, frames.
    ("ステータス = \"完了\"", "2"),
    ("ステータス != \"完了\"", "4 3 1"),
    ("ステータス in (\"未処理\")", "4 3 1"),
    ("ステータス in (\"無い\")", "400 GAIA_IQ10"),
    ("ステータス > \"完了\"", "400 GAIA_IQ03"),
    ("ステータス like \"完了\"", "400 GAIA_IQ03"),
    ("作業者 in (\"sato\")", "1"),
    ("作業者 = \"sato\"", "400 GAIA_IQ03"),
    ("カテゴリー in (\"a\")", ""),
    ("カテゴリー = \"a\"", "400 GAIA_IQ03"),
    ("添付 like \"quote\"", "1"),
    ("添付 is empty", "4 3 2"),
    ("添付 is not empty", "1"),
    ("添付 = \"a\"", "400 GAIA_IQ03"),
    ("添付 in (\"a\")", "400 GAIA_IQ03"),
    ("添付 > \"a\"", "400 GAIA_IQ03"),
    ("明細 in (\"a\")", "400 GAIA_IQ03"),
    ("枠 is empty", "400 GAIA_IQ03"),
    ("関連 in (\"a\")", "400 GAIA_IQ03"),
    // Columns of a table: any row, the same row, every row, no row.
    ("品名 in (\"pen\")", "2 1"),
    ("品名 = \"pen\"", "400 GAIA_IQ07"),
    ("数量 != 1", "400 GAIA_IQ07"),
    ("品名 in (\"pen\") and 数量 in (5)", "2"),
    ("(品名 in (\"pen\")) and ((数量 > 1))", "2"),
    ("品名 in (\"pen\") or 数量 in (5)", "2 1"),
    ("品名 not in (\"book\")", "2"),
    ("品名 not in (\"\")", "2 1"),
    ("品名 in (\"\")", ""),
    ("品名 like \"book\"", "1"),
    ("品名 not like \"book\"", "2"),
    ("数量 >= 5", "2 1"),
    ("納期 in (\"2026-02-01\")", "1"),
    ("納期 > \"2026-01-01\"", "1"),
    ("区分 in (\"k1\")", "1"),
    ("区分 in (\"k9\")", "400 GAIA_IQ10"),
    ("備考 is empty", "2 1"),
    ("備考 is not empty", ""),
    ("明細.品名 in (\"pen\")", "400 GAIA_IR02"),
    // Related records.
    ("関連.額 > 50", "1"),
    ("関連.$id = 2", "2"),
    ("関連.額 > 50 or 関連.額 < 10", "2 1"),
    ("関連.無い = 1", "400 GAIA_IQ11"),
    ("関連.額 like \"1\"", "400 GAIA_IQ03"),
    // Order.
    ("order by 文字 asc", "3 2 1 4"),
    ("order by 文字 desc", "4 1 2 3"),
    ("order by 数値 asc", "3 2 1 4"),
    ("order by 数値", "4 1 2 3"),
    ("order by 計算 desc limit 2", "1 2"),
    ("order by ドロップ asc", "4 3 2 1"),
    ("order by ラジオ desc, $id asc", "2 1 3 4"),
    ("order by 日付 asc, $id asc", "3 4 1 2"),
    ("order by 時刻 desc limit 1", "2"),
    ("order by 日時 desc limit 1 offset 1", "1"),
    ("order by 作成者 asc, $id asc", "1 3 4 2"),
    ("order by ステータス desc limit 1", "2"),
    ("order by レコード番号 asc limit 1", "1"),
    ("order by リンク desc limit 1", "2"),
    ("order by 更新日時 asc limit 1", "1"),
    ("order by 複数行 asc", "400 GAIA_IS02"),
    ("order by リッチ asc", "400 GAIA_IS02"),
    ("order by チェック asc", "400 GAIA_IS02"),
    ("order by 複数選択 asc", "400 GAIA_IS02"),
    ("order by 担当 asc", "400 GAIA_IS02"),
    ("order by 組織 asc", "400 GAIA_IS02"),
    ("order by グループ asc", "400 GAIA_IS02"),
    ("order by 作業者 asc", "400 GAIA_IS02"),
    ("order by カテゴリー asc", "400 GAIA_IS02"),
    ("order by 添付 asc", "400 GAIA_IS02"),
    ("order by 明細 asc", "400 GAIA_IS02"),
    ("order by 品名 asc", "400 GAIA_IS02"),
    ("order by 枠 asc", "400 GAIA_IS02"),
    ("order by 関連.額 asc", "400 GAIA_IS02"),
];

#[tokio::test]
async fn queries_match_as_in_kintone() {
    let domain = Domain::start(&world()).await;
    let mut faults = vec![];
    for (query, expected) in QUERIES {
        let found = domain.ids(1, query).await;
        if found != *expected {
            faults.push(format!("{query}\n  expected {expected}\n  found    {found}"));
        }
    }
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), QUERIES.len(), faults.join("\n"));
}

#[tokio::test]
async fn values_read_as_in_kintone() {
    let domain = Domain::start(&world()).await;
    let record = domain.get("record.json?app=1&id=1").await.json()["record"].clone();
    let expected = json!({
        "レコード番号": "ALL-1", "$id": "1", "$revision": "1", "文字": "apple", "数値": "10", "計算": "20",
        "時間計算": "25:01", "チェック": ["a", "b"], "ドロップ": "x", "日付": "2026-01-10", "時刻": "09:30",
        "日時": "2026-01-10T00:00:00Z", "担当": [{"code": "sato", "name": "佐藤"}], "ステータス": "未処理",
        "組織": [{"code": "sales", "name": "営業"}], "グループ": [{"code": "everyone", "name": "全員"}],
        "作成者": {"code": "zoe", "name": "ゾエ"}, "作業者": [{"code": "sato", "name": "佐藤"}],
        "作成日時": "2026-01-01T01:00:00Z", "複数行": "gamma keyword\n二行目",
        "添付": [{"contentType": "application/pdf", "fileKey": "f1", "name": "見積 quote.pdf", "size": "12"}],
    });
    for (code, value) in expected.as_object().unwrap() {
        assert_eq!(record[code]["value"], *value, "{code}");
    }
    assert_eq!(record["$id"]["type"], "__ID__");
    assert_eq!(record["明細"]["value"][1]["id"], "2");
    assert_eq!(record["明細"]["value"][1]["value"]["納期"], json!({"type": "DATE", "value": null}));
    for absent in ["カテゴリー", "枠", "関連"] {
        assert!(record.get(absent).is_none(), "{absent}");
    }

    let empty = domain.get("record.json?app=1&id=3").await.json()["record"].clone();
    let expected = json!({
        "文字": "", "複数行": "", "リッチ": "", "リンク": "", "数値": "", "計算": "", "チェック": [], "複数選択": [],
        "ラジオ": "", "ドロップ": null, "日付": null, "時刻": null, "日時": "", "担当": [], "組織": [],
        "グループ": [], "添付": [], "明細": [], "作業者": [],
    });
    for (code, value) in expected.as_object().unwrap() {
        assert_eq!(empty[code]["value"], *value, "{code}");
    }
    let large = domain.get("record.json?app=1&id=4").await.json();
    assert_eq!(large["record"]["数値"]["value"], "12345678901234567890.0000000001");
    let other = domain.get("record.json?app=2&id=1").await.json();
    assert!(other["record"].get("ステータス").is_none() && other["record"].get("作業者").is_none());
}

#[tokio::test]
async fn fields_and_counts() {
    let domain = Domain::start(&world()).await;
    let codes = |reply: &Reply| {
        let mut codes: Vec<String> =
            reply.json()["records"][0].as_object().unwrap().keys().cloned().collect();
        codes.sort();
        codes.join(" ")
    };
    let path = |fields: &[&str], more: &str| {
        let fields = fields.iter().enumerate();
        let fields: Vec<String> = fields.map(|(i, f)| format!("fields%5B{i}%5D={}", encode(f))).collect();
        format!("records.json?app=1&{}{more}", fields.join("&"))
    };
    // A column and an unknown code bring nothing; a table brings its columns.
    let reply = domain.get(&path(&["$id", "数値", "品名", "無い", "明細"], "&totalCount=true")).await;
    assert_eq!(codes(&reply), "$id 数値 明細");
    assert_eq!(reply.json()["totalCount"], "4");
    let reply = domain.get(&path(&["数値"], "&query=limit%201")).await;
    assert_eq!((codes(&reply), reply.json()["totalCount"].clone()), ("数値".into(), Value::Null));
    for (query, total) in [
        ("limit 1", "4"),
        ("$id > 1 limit 0", "3"),
        ("数値 < 0 limit 1", "2"),
        ("数値 > 0 order by 数値 asc limit 1", "2"),
    ] {
        let reply = domain.get(&format!("records.json?app=1&totalCount=true&query={}", encode(query))).await;
        assert_eq!(reply.json()["totalCount"], total, "{query}");
    }
    let many: Vec<String> = (0..1001).map(|n| format!("f{n}")).collect();
    let override_get = |body: Value| {
        let headers = [password("sato", "pw"), ("X-HTTP-Method-Override", "GET".to_owned())];
        let port = domain.emulator.port();
        async move { send(port, "POST", "/k/v1/records.json", &headers, Some(&body.to_string())).await }
    };
    assert_eq!(override_get(json!({"app": 1, "fields": many})).await.outcome(), "400 CB_VA01");
    let reply =
        override_get(json!({"app": "1", "query": "$id = 2", "fields": ["$id"], "totalCount": true})).await;
    assert_eq!(
        reply.json(),
        json!({"records": [{"$id": {"type": "__ID__", "value": "2"}}], "totalCount": "1"})
    );
    assert_eq!(domain.get("records.json?app=1&fields%5B100%5D=a").await.outcome(), "400 CB_VA01");
}

#[tokio::test]
async fn functions_follow_the_callers_zone() {
    // A minute that is today in Tokyo and not in New York, or the other way round, at any time of day.
    let tokyo = chrono::Utc::now().with_timezone(&chrono_tz::Asia::Tokyo).date_naive();
    let midnight = tokyo.and_hms_opt(0, 0, 0).unwrap() - chrono::TimeDelta::hours(9);
    let world = json!({
        "users": [{"code": "sato", "name": "佐藤", "password": "pw", "timezone": "Asia/Tokyo"}],
        "apps": [{"form": {"properties": {"日時": {"type": "DATETIME"}, "日付": {"type": "DATE"}}}, "records": [
            {"日時": {"value": midnight.format("%Y-%m-%dT%H:%M:00Z").to_string()}, "日付": {"value": tokyo.to_string()}},
            {"日時": {"value": (midnight - chrono::TimeDelta::minutes(1)).format("%Y-%m-%dT%H:%M:00Z").to_string()}}]}],
    });
    let domain = Domain::start(&world).await;
    for (query, ids) in [
        ("日時 = TODAY()", "1"),
        ("日時 >= TODAY()", "1"),
        ("日時 < TODAY()", "2"),
        ("日時 = YESTERDAY()", "2"),
        ("日時 <= TODAY()", "2 1"),
        ("日時 > YESTERDAY()", "1"),
        ("日時 != TODAY()", "2"),
        ("日付 = TODAY()", "1"),
        ("日付 = FROM_TODAY(0, DAYS)", "1"),
        ("日付 = THIS_YEAR()", "1"),
        ("日付 < TOMORROW() and 日付 != \"\"", "1"),
    ] {
        assert_eq!(domain.ids(1, query).await, ids, "{query}");
    }
}

#[tokio::test]
async fn credentials() {
    let options = Options { basic: Some(("gate".into(), "open".into())), ..Options::default() };
    let gated = Domain::with(&world(), options).await;
    let domain = Domain::start(&world()).await;
    let basic = |user: &str| ("Authorization", format!("Basic {}", STANDARD.encode(format!("{user}:open"))));
    let ask = async |target: &str, headers: &[(&str, String)]| {
        send(domain.emulator.port(), "GET", target, headers, None).await.outcome()
    };
    let app1 = "/k/v1/app/form/fields.json?app=1";
    for (target, headers, expected) in [
        (app1, vec![], "401 CB_AU01"),
        (app1, vec![password("sato", "pw")], "200"),
        (app1, vec![password("sato", "no")], "401 CB_WA01"),
        (app1, vec![password("nobody", "pw")], "401 CB_WA01"),
        (app1, vec![password("old", "pw")], "401 CB_WA01"),
        (app1, vec![("X-Cybozu-Authorization", "%%%".to_owned())], "401 CB_WA01"),
        (app1, vec![token("token1")], "200"),
        (app1, vec![token("token2, token1")], "200"),
        (app1, vec![token("token2"), token("token1")], "200"),
        (app1, vec![token("token2")], "400 GAIA_AP15"),
        (app1, vec![token(&["token1"; 9].join(","))], "200"),
        (app1, vec![token(&["token1"; 10].join(","))], "400 CB_VA01"),
        // A password wins, also a wrong one.
        (app1, vec![password("sato", "no"), token("token1")], "401 CB_WA01"),
        ("/k/v1/apps.json", vec![token("token1")], "403 GAIA_NO01"),
        ("/k/v1/apps.json", vec![password("sato", "pw")], "200"),
        ("/k/v1/records.json?app=99", vec![password("sato", "pw")], "404 GAIA_AP01"),
        // Related records need the other app's token.
        (
            "/k/v1/records.json?app=1&query=%E9%96%A2%E9%80%A3.%E9%A1%8D%3E1",
            vec![token("token1")],
            "400 GAIA_AP15",
        ),
        (
            "/k/v1/records.json?app=1&query=%E9%96%A2%E9%80%A3.%E9%A1%8D%3E1",
            vec![token("token1,token2")],
            "200",
        ),
        // Guest spaces.
        ("/k/v1/records.json?app=3", vec![password("sato", "pw")], "400 GAIA_IL23"),
        ("/k/guest/7/v1/records.json?app=3", vec![password("sato", "pw")], "200"),
        ("/k/guest/8/v1/records.json?app=3", vec![password("sato", "pw")], "403 CB_NO02"),
        ("/k/guest/7/v1/records.json?app=1", vec![password("sato", "pw")], "403 CB_NO02"),
    ] {
        assert_eq!(ask(target, &headers).await, expected, "{target} {headers:?}");
    }
    let unknown = send(domain.emulator.port(), "GET", app1, &[token("nothing")], None).await;
    assert_eq!(unknown.json()["code"], "GAIA_IA02");

    let port = gated.emulator.port();
    let shut = send(port, "GET", app1, &[password("sato", "pw")], None).await;
    assert_eq!((shut.status, shut.header("www-authenticate").is_some()), (401, true));
    assert_eq!(send(port, "GET", app1, &[password("sato", "pw"), basic("who")], None).await.status, 401);
    assert_eq!(send(port, "GET", app1, &[password("sato", "pw"), basic("gate")], None).await.status, 200);
}

#[tokio::test]
async fn settings_and_app_lists() {
    let domain = Domain::start(&world()).await;
    let names = async |path: &str| -> String {
        let reply = domain.get(path).await;
        if reply.status != 200 {
            return reply.outcome();
        }
        let body = reply.json();
        let names =
            body["apps"].as_array().unwrap().iter().map(|app| app["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>().join(" ")
    };
    for (path, expected) in [
        ("apps.json", "全部 注文 書込"),
        ("apps.json?limit=1&offset=1", "注文"),
        ("apps.json?ids%5B0%5D=4&ids%5B1%5D=1", "全部 書込"),
        ("apps.json?codes%5B0%5D=ALL", "全部"),
        ("apps.json?name=%E6%B3%A8", "注文"),
        ("apps.json?offset=5", ""),
        ("apps.json?limit=101", "400 CB_VA01"),
        ("apps.json?limit=0", "400 CB_VA01"),
    ] {
        assert_eq!(names(path).await, expected, "{path}");
    }
    let app = domain.get("app.json?id=1").await.json();
    assert_eq!((&app["appId"], &app["code"], &app["spaceId"]), (&json!("1"), &json!("ALL"), &Value::Null));
    let fields = domain.get("app/form/fields.json?app=2&lang=ja").await.json();
    let codes: Vec<&String> = fields["properties"].as_object().unwrap().keys().collect();
    assert_eq!(
        codes,
        [
            "顧客",
            "額",
            "レコード番号",
            "作成者",
            "作成日時",
            "更新者",
            "更新日時",
            "ステータス",
            "作業者",
            "カテゴリー"
        ]
    );
    assert_eq!(domain.get("app/form/fields.json?app=2&lang=xx").await.outcome(), "400 CB_VA01");
    let layout = domain.get("app/form/layout.json?app=4").await.json();
    assert_eq!(layout["layout"][10]["type"], "SUBTABLE");
    assert_eq!(domain.get("app/status.json?app=2").await.json()["states"], Value::Null);
    assert_eq!(domain.get("app/status.json?app=1").await.json()["enable"], true);
    let settings = domain.get("app/settings.json?app=2").await.json();
    assert_eq!(
        settings["numberPrecision"],
        json!({"digits": "16", "decimalPlaces": "4", "roundingMode": "HALF_EVEN"})
    );
    assert_eq!(domain.get("app/views.json?app=2").await.json()["views"], json!({}));
    // A status query where the process is off.
    assert_eq!(domain.ids(2, "ステータス in (\"a\")").await, "400 GAIA_ST02");
}

#[tokio::test]
async fn refusals_have_kintones_body_and_headers() {
    let domain = Domain::start(&world()).await;
    let reply = domain.get("records.json?app=1&query=a%20b").await;
    let body = reply.json();
    assert_eq!(body["code"], "CB_VA01");
    assert_eq!(body["id"].as_str().unwrap().len(), 20);
    assert!(body["errors"]["query"]["messages"][0].is_string());
    assert_eq!(reply.header("content-type"), Some("application/json;charset=utf-8"));
    for name in ["x-concurrencylimit-limit", "x-concurrencylimit-running"] {
        assert!(reply.header(name).is_some(), "{name}");
    }
    let port = domain.emulator.port();
    let login = [password("sato", "pw")];
    for (method, path, body, expected) in [
        ("GET", "records.json", None, "400 CB_VA01"),
        ("GET", "records.json?app=x", None, "400 CB_VA01"),
        ("GET", "record.json?app=1&id=99", None, "404 GAIA_RE01"),
        ("POST", "records.json", Some("{"), "400 CB_IJ01"),
        ("POST", "records.json", Some("[]"), "400 CB_IJ01"),
    ] {
        let reply = send(port, method, &format!("/k/v1/{path}"), &login, body).await;
        assert_eq!(reply.outcome(), expected, "{method} {path}");
    }
    assert_eq!(send(port, "GET", "/k/v1/none.json", &login, None).await.status, 404);
    assert_eq!(send(port, "PUT", "/k/v1/apps.json", &login, None).await.status, 405);
    let long = format!("/k/v1/records.json?app=1&query={}", "a".repeat(9000));
    assert_eq!(send(port, "GET", &long, &login, None).await.status, 414);
    let typed = [password("sato", "pw"), ("Content-Type", "application/json".to_owned())];
    let reply = send(port, "GET", "/k/v1/apps.json", &typed, None).await;
    assert_eq!(reply.outcome(), "400 CB_IL02");

    let zipped = [password("sato", "pw"), ("Accept-Encoding", "gzip, br".to_owned())];
    let reply = send(port, "GET", "/k/v1/records.json?app=1", &zipped, None).await;
    assert_eq!((reply.header("content-encoding"), &reply.bytes[..2]), (Some("gzip"), &[0x1f, 0x8b][..]));
    let reply = send(port, "GET", "/k/v1/records.json?app=1&query=limit%200", &zipped, None).await;
    assert_eq!(reply.header("content-encoding"), None);
}

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

/// A write on app 4 and its outcome, in order; then what record it left.
#[tokio::test]
async fn writes_are_checked_and_merged() {
    let domain = Domain::start(&world()).await;
    let record =
        async |id: u64| domain.get(&format!("record.json?app=4&id={id}")).await.json()["record"].clone();
    let post =
        async |record: Value| domain.call("POST", "record.json", json!({"app": 4, "record": record})).await;

    let added = post(json!({"鍵": {"value": "k3"}, "数": {"value": " 1.5e1 "}, "無い": {"value": 1}})).await;
    assert_eq!(added.json(), json!({"id": "3", "revision": "1"}));
    let new = record(3).await;
    for (code, value) in [
        ("数", json!("15")),
        ("日", json!("2026-05-05")),
        ("選", json!("a")),
        ("複", json!(["y"])),
        ("人", json!([{"code": "sato", "name": "佐藤"}])),
        ("作成者", json!({"code": "sato", "name": "佐藤"})),
        ("表", json!([])),
    ] {
        assert_eq!(new[code]["value"], value, "{code}");
    }

    // Each fault with the parameter that its message is under.
    for (fault, key) in [
        (json!({"数": {"value": "1"}}), "record.鍵.value"),
        (json!({"鍵": {"value": "k1"}}), "record.鍵.value"),
        (json!({"鍵": {"value": "toolong"}}), "record.鍵.value"),
        (json!({"鍵": {"value": "n"}, "数": {"value": "abc"}}), "record[数].value"),
        (json!({"鍵": {"value": "n"}, "数": {"value": "1234567890123"}}), "record.数.value"),
        (json!({"鍵": {"value": "n"}, "数": {"value": "1000001"}}), "record.数.value"),
        (json!({"鍵": {"value": "n"}, "選": {"value": "z"}}), "record.選.value"),
        (json!({"鍵": {"value": "n"}, "複": {"value": ["x", "z"]}}), "record.複.values[1].value"),
        (json!({"鍵": {"value": "n"}, "日": {"value": "yesterday"}}), "record.日.value"),
        (json!({"鍵": {"value": "n"}, "人": {"value": [{"code": "who"}]}}), "record.人.values.value"),
        (json!({"鍵": {"value": "n"}, "URL": {"value": "ftp://x"}}), "record.URL.value"),
    ] {
        let reply = post(fault.clone()).await;
        assert_eq!(reply.outcome(), "400 CB_VA01", "{fault}");
        assert!(reply.json()["errors"][key]["messages"][0].is_string(), "{fault}: {}", reply.json());
    }
    assert_eq!(
        post(json!({"鍵": {"value": "n"}, "商品": {"value": "nothing"}})).await.outcome(),
        "400 GAIA_LO04"
    );

    // Rounding, lenient dates, minutes, lookups, tables.
    let put = async |body: Value| {
        let mut body = body;
        body["app"] = json!(4);
        domain.call("PUT", "record.json", body).await
    };
    let change = json!({"数": {"value": "0.00005"}, "日": {"value": "2015-7"}, "時": {"value": "2026-01-01T09:00:59+09:00"},
        "商品": {"value": "apple"}, "単価": {"value": "1"},
        "表": {"value": [{"id": "2", "value": {"品": {"value": "changed"}}}, {"value": {"個": {"value": "junk"}}}, {"id": 99, "value": {}}]}});
    assert_eq!(put(json!({"id": 1, "revision": 1, "record": change})).await.json(), json!({"revision": "2"}));
    let changed = record(1).await;
    for (code, value) in [
        ("数", json!("0")),
        ("日", json!("2015-07-01")),
        ("時", json!("2026-01-01T00:00:00Z")),
        ("単価", json!("100")),
        ("$revision", json!("2")),
    ] {
        assert_eq!(changed[code]["value"], value, "{code}");
    }
    let rows = changed["表"]["value"].as_array().unwrap();
    let row = |n: usize| {
        (
            rows[n]["id"].clone(),
            rows[n]["value"]["品"]["value"].clone(),
            rows[n]["value"]["個"]["value"].clone(),
        )
    };
    assert_eq!(row(0), (json!("2"), json!("changed"), json!("")));
    assert_eq!(row(1), (json!("3"), json!(""), json!("")));
    assert_eq!(row(2), (json!("4"), json!(""), json!("1")));

    assert_eq!(put(json!({"id": 1, "revision": 1, "record": {}})).await.outcome(), "409 GAIA_CO02");
    assert_eq!(
        put(json!({"id": 1, "revision": -1, "record": {"商品": {"value": ""}}})).await.json(),
        json!({"revision": "3"})
    );
    assert_eq!(record(1).await["単価"]["value"], "");
    assert_eq!(put(json!({"id": 99, "record": {}})).await.outcome(), "404 GAIA_RE01");
    assert_eq!(
        put(json!({"updateKey": {"field": "鍵", "value": "k2"}, "record": {"数": {"value": 7}}}))
            .await
            .json(),
        json!({"revision": "6"})
    );
    assert_eq!(
        put(json!({"updateKey": {"field": "鍵", "value": "none"}, "record": {}})).await.outcome(),
        "404 GAIA_RE20"
    );
    assert_eq!(
        put(json!({"updateKey": {"field": "数", "value": "7"}, "record": {}})).await.outcome(),
        "400 CB_VA01"
    );
}

#[tokio::test]
async fn batches_are_all_or_nothing() {
    let domain = Domain::start(&world()).await;
    let write = async |method: &str, body: Value| {
        let mut body = body;
        body["app"] = json!("4");
        domain.call(method, "records.json", body).await
    };
    let key = |key: &str| json!({"鍵": {"value": key}});
    let many: Vec<Value> = (0..101).map(|n| key(&n.to_string())).collect();
    assert_eq!(write("POST", json!({"records": many})).await.outcome(), "400 CB_VA01");
    assert_eq!(write("POST", json!({"records": []})).await.json(), json!({"ids": [], "revisions": []}));
    // The second collides with the first of the same call.
    let reply = write("POST", json!({"records": [key("a"), key("a")]})).await;
    assert!(reply.json()["errors"]["records[1].鍵.value"].is_object(), "{}", reply.json());
    assert_eq!(domain.ids(4, "").await, "2 1");
    let reply = write("POST", json!({"records": [key("a"), key("b")]})).await;
    assert_eq!(reply.json(), json!({"ids": ["3", "4"], "revisions": ["1", "1"]}));

    let reply = write(
        "PUT",
        json!({"records": [{"id": 1, "record": {"数": {"value": "9"}}}, {"id": 99, "record": {}}]}),
    )
    .await;
    assert_eq!(reply.outcome(), "404 GAIA_RE01");
    assert_eq!(domain.ids(4, "数 = 9").await, "");
    let reply = write(
        "PUT",
        json!({"upsert": true, "records": [
            {"updateKey": {"field": "鍵", "value": "a"}, "record": {"数": {"value": "9"}}},
            {"updateKey": {"field": "鍵", "value": "new"}, "record": {"数": {"value": "9"}}}]}),
    )
    .await;
    assert_eq!(
        reply.json(),
        json!({"records": [{"id": "3", "revision": "2", "operation": "UPDATE"}, {"id": "5", "revision": "1", "operation": "INSERT"}]})
    );
    assert_eq!(domain.ids(4, "鍵 = \"new\" and 数 = 9").await, "5");

    assert_eq!(write("DELETE", json!({"ids": [1, 99]})).await.outcome(), "404 GAIA_RE01");
    assert_eq!(write("DELETE", json!({"ids": []})).await.outcome(), "400 CB_VA01");
    assert_eq!(write("DELETE", json!({"ids": [2], "revisions": [1]})).await.outcome(), "409 GAIA_CO02");
    assert_eq!(write("DELETE", json!({"ids": ["1", 2], "revisions": [null, 5]})).await.json(), json!({}));
    let target = "/k/v1/records.json?app=4&ids%5B0%5D=5&revisions%5B0%5D=-1";
    let reply = send(domain.emulator.port(), "DELETE", target, &[password("sato", "pw")], None).await;
    assert_eq!(reply.outcome(), "200");
    assert_eq!(domain.ids(4, "").await, "4 3");
    // An id is never given twice.
    assert_eq!(write("POST", json!({"records": [key("z")]})).await.json()["ids"], json!(["6"]));
}

#[tokio::test]
async fn requests_are_logged_delayed_and_limited() {
    let domain =
        Domain::with(&world(), Options { log_capacity: 3, concurrency_limit: 2, ..Options::default() }).await;
    domain.get("records.json?app=1&query=%24id%3D1&fields%5B0%5D=%24id").await;
    let logged = domain.emulator.requests().pop().unwrap();
    assert_eq!(
        (
            logged.method.as_str(),
            logged.path.as_str(),
            logged.app,
            logged.query.as_deref(),
            logged.status,
            logged.rows
        ),
        ("GET", "/k/v1/records.json", Some(1), Some("$id=1"), 200, 1)
    );
    assert_eq!((logged.fields, logged.running), (vec!["$id".to_owned()], 1));
    for _ in 0..5 {
        domain.get("apps.json").await;
    }
    assert_eq!(domain.emulator.requests().len(), 3);
    domain.emulator.clear_requests();
    assert_eq!(domain.emulator.requests(), []);

    domain.emulator.set_latency(Duration::from_millis(200));
    let start = Instant::now();
    let replies = futures::future::join_all((0..3).map(|_| domain.get("apps.json"))).await;
    assert!(start.elapsed() >= Duration::from_millis(200));
    let mut outcomes: Vec<String> = replies.iter().map(Reply::outcome).collect();
    outcomes.sort();
    assert_eq!(outcomes, ["200", "200", "429 GAIA_TO04"]);

    // Both loopback addresses answer, and stopping does not wait for a slow request.
    domain.emulator.set_latency(Duration::from_secs(60));
    let port = domain.emulator.port();
    let mut hanging = TcpStream::connect(("::1", port)).await.unwrap();
    hanging.write_all(b"GET /k/v1/apps.json HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let start = Instant::now();
    domain.emulator.stop().await;
    assert!(start.elapsed() < Duration::from_secs(1));
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
}

#[test]
fn a_fixture_says_where_it_is_wrong() {
    for (fixture, at) in [
        (json!([]), "invalid type: sequence, expected an object"),
        (json!({"apps": {}}), "apps: invalid type: map, expected an array of apps"),
        (json!({"users": [{"name": "x"}]}), "users[0]"),
        (json!({"apps": [{"form": {"properties": {"a": {"type": "NOPE"}}}}]}), "apps[0].form.properties.a"),
        (json!({"apps": [{"records": [{"b": {"value": "1"}}]}]}), "apps[0].records[0].b"),
        (json!({"apps": [{"app": {"appId": 1}}, {"app": {"appId": 1}}]}), "apps[1].app"),
    ] {
        let error = Fixture::from_json(&fixture).unwrap_err();
        assert!(error.starts_with(at), "{error}");
    }
}

/// An app of many records, made without JSON.
struct Large(u64);

impl World for Large {
    fn directory(&self) -> Vec<Entity> {
        vec![Entity {
            kind: "USER",
            code: "sato".into(),
            name: "佐藤".into(),
            valid: true,
            timezone: "Asia/Tokyo".into(),
            password: Some("pw".into()),
        }]
    }

    fn apps(&self) -> Vec<AppDefinition> {
        let properties =
            json!({"n": {"type": "NUMBER", "code": "n"}, "t": {"type": "SINGLE_LINE_TEXT", "code": "t"}});
        let properties = properties.as_object().unwrap().clone();
        vec![AppDefinition { id: 1, properties, ..AppDefinition::default() }]
    }

    fn records(&self, _: u64) -> Vec<Record> {
        (1..=self.0)
            .map(|id| Record {
                id,
                revision: 1,
                creator: "sato".into(),
                modifier: "sato".into(),
                created_at: 0,
                updated_at: 0,
                status: None,
                assignees: vec![],
                categories: vec![],
                cells: vec![Cell::Text(id.to_string()), Cell::Text(format!("text {id}"))],
            })
            .collect()
    }

    fn comments(&self, _: u64) -> Vec<(u64, Vec<Comment>)> {
        vec![]
    }
}

#[tokio::test]
async fn a_page_by_id_does_not_read_the_app() {
    let records: u64 = std::env::var("EMULATOR_RECORDS").map_or(100_000, |n| n.parse().unwrap());
    let emulator = Emulator::start(Arc::new(Large(records)), Options::default()).await.unwrap();
    let domain = Domain { emulator };
    let timed = async |query: String, count: bool| {
        let start = Instant::now();
        let path = format!("records.json?app=1&totalCount={count}&query={}", encode(&query));
        let body = domain.get(&path).await.json();
        (start.elapsed(), body["records"].as_array().unwrap().len(), body["totalCount"].clone())
    };
    let (load, ..) = timed("limit 1".into(), false).await;
    let (scan, _, total) = timed("n >= 0 limit 1".into(), true).await;
    assert_eq!(total, json!(records.to_string()));
    let mut pages = vec![];
    for start in (0..10).map(|n| records / 10 * n) {
        let (time, rows, _) =
            timed(format!("($id > {start} and $id < 999999999) order by $id asc limit 1"), false).await;
        assert_eq!(rows, 1);
        pages.push(time);
    }
    pages.sort();
    let (page, rows, total) = timed(format!("$id > {} order by $id asc limit 500", records / 2), true).await;
    assert_eq!((rows, total), (500, json!((records - records / 2).to_string())));
    println!("load {load:?}, scan {scan:?}, median seek {:?}, page of 500 {page:?}", pages[5]);
    assert!(pages[5] < scan, "seek {:?}, scan {scan:?}", pages[5]);
}
