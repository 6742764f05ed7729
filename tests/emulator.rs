//! The emulator over real HTTP: what Kintone answers, and what it refuses.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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
