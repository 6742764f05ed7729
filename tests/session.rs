//! What a PostgreSQL session keeps, and what it does not: plans, settings, transactions, over the wire.

use std::sync::Arc;

use kintone_sql::emulator::{Emulator, Fixture, Options};
use kintone_sql::engine::{Engine, EngineConfig};
use kintone_sql::kintone::{Client as KintoneClient, ClientConfig, Credentials, Secret};
use serde_json::{Value as Json, json};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::support::door::{Door, run_simple};
use crate::support::world::World;

const CUSTOMERS: u64 = 10;
const ORDERS: u64 = 20;

fn fixture() -> Json {
    json!({
        "users": [{"code": "demo", "name": "demo", "password": "demo"}],
        "apps": [
            {
                "app": {"appId": CUSTOMERS, "code": "CUSTOMERS", "name": "顧客管理"},
                "form": {"properties": {
                    "Company": {"type": "SINGLE_LINE_TEXT"},
                    "Rank": {"type": "DROP_DOWN", "options": ["A", "B"]},
                    "Memo": {"type": "MULTI_LINE_TEXT"}
                }},
                "records": [{"Company": "a", "Rank": "A"}, {"Company": "b", "Rank": "B"}]
            },
            {
                "app": {"appId": ORDERS, "code": "ORDERS", "name": "受注"},
                "form": {"properties": {
                    "Customer": {"type": "SINGLE_LINE_TEXT"},
                    "Amount": {"type": "NUMBER"}
                }},
                "records": [{"Customer": "a", "Amount": "1"}, {"Customer": "b", "Amount": "2"}]
            }
        ]
    })
}

async fn world() -> (World, Door) {
    let served = Arc::new(Fixture::from_json(&fixture()).unwrap());
    let options = Options { deploy_time: std::time::Duration::ZERO, ..Options::default() };
    let world = World::serving(served, options, ("demo", "demo"), vec![]).await;
    let door = Door::open(world.engine.clone()).await;
    (world, door)
}

fn code(error: &tokio_postgres::Error) -> String {
    error.code().map_or_else(|| format!("{error:?}"), |code| code.code().to_owned())
}

/// The first value of the first row; what failed, as its code.
async fn one(client: &Client, sql: &str) -> String {
    match run_simple(client, sql).await {
        Ok(answer) => match answer.rows.first().and_then(|row| row.first()) {
            Some(value) => value.clone().unwrap_or_else(|| "NULL".into()),
            None => "(none)".into(),
        },
        Err(error) => code(&error),
    }
}

/// Prepared once and run before and after a change of the data: nothing of the first run is in the second.
#[tokio::test(flavor = "multi_thread")]
async fn a_prepared_statement_sees_the_data_as_it_is() {
    let (world, door) = world().await;
    let client = door.connect().await;
    let statements = [
        (
            "SELECT c.Company FROM customers c JOIN orders o ON o.Customer = c.Company WHERE o.Amount > 0",
            2,
            3,
        ),
        ("SELECT Company FROM customers WHERE Company IN (SELECT Customer FROM orders)", 2, 3),
        ("SELECT Company FROM customers ORDER BY Company DESC LIMIT 3", 2, 3),
        ("SELECT Rank, count(*) FROM customers GROUP BY Rank", 2, 2),
        ("SELECT count(*) FROM customers c, orders o WHERE c.\"$id\" > o.Amount", 1, 1),
        ("SELECT EXISTS (SELECT 1 FROM orders WHERE Customer = 'c')", 1, 1),
    ];
    let mut prepared = vec![];
    for (sql, rows, _) in statements {
        let statement = client.prepare(sql).await.unwrap();
        assert_eq!(client.query(&statement, &[]).await.unwrap().len(), rows, "{sql}");
        prepared.push(statement);
    }
    let with_parameter = client
        .prepare("SELECT o.Amount::text FROM customers c JOIN orders o ON o.Customer = c.Company WHERE c.Rank = $1")
        .await
        .unwrap();
    assert_eq!(client.query(&with_parameter, &[&"A"]).await.unwrap().len(), 1);
    let record = json!({"Company": {"value": "c"}, "Rank": {"value": "A"}});
    world.emulator.backdoor().insert(CUSTOMERS, &record).unwrap();
    let record = json!({"Customer": {"value": "c"}, "Amount": {"value": "3"}});
    world.emulator.backdoor().insert(ORDERS, &record).unwrap();
    for ((sql, _, rows), statement) in statements.iter().zip(&prepared) {
        for _ in 0..2 {
            assert_eq!(client.query(statement, &[]).await.unwrap().len(), *rows, "{sql}");
        }
    }
    assert_eq!(client.query(&with_parameter, &[&"A"]).await.unwrap().len(), 2);
    assert_eq!(client.query(&with_parameter, &[&"B"]).await.unwrap().len(), 1);
    let exists = client.query_one(&prepared[5], &[]).await.unwrap();
    assert!(exists.get::<_, bool>(0));
    let counted = client.query_one(&prepared[4], &[]).await.unwrap();
    assert_eq!(counted.get::<_, i64>(0), 3);
}

/// Sessions share plans, but no answer depends on who planned it.
#[tokio::test(flavor = "multi_thread")]
async fn a_shared_plan_is_nobodys() {
    let (_world, door) = world().await;
    let (one_client, other) = (door.connect().await, door.connect().await);
    one_client.batch_execute("SET TimeZone = 'Asia/Tokyo'; SET application_name = 'one'").await.unwrap();
    let sql = "SELECT '2026-01-01T00:00:00Z'::timestamptz";
    assert_eq!(one(&one_client, sql).await, "2026-01-01 09:00:00+09");
    assert_eq!(one(&other, sql).await, "2026-01-01 00:00:00+00");
    assert_eq!(one(&one_client, sql).await, "2026-01-01 09:00:00+09");
    let names = "SELECT current_setting('application_name')";
    assert_eq!(one(&one_client, names).await, "one");
    assert_eq!(one(&other, names).await, "");
    // A prepared statement follows its session's settings.
    let prepared =
        one_client.prepare("SELECT ('2026-01-01T20:00:00Z'::timestamptz)::date::text").await.unwrap();
    assert_eq!(one_client.query_one(&prepared, &[]).await.unwrap().get::<_, &str>(0), "2026-01-02");
    one_client.batch_execute("SET TimeZone = 'UTC'").await.unwrap();
    assert_eq!(one_client.query_one(&prepared, &[]).await.unwrap().get::<_, &str>(0), "2026-01-01");
}

/// Two schemas of the same tables: which of them a bare name means, and which need their schema's name to be told.
#[tokio::test(flavor = "multi_thread")]
async fn bare_names_are_looked_up_along_the_search_path() {
    let served = Arc::new(Fixture::from_json(&fixture()).unwrap());
    let emulator = Emulator::start(served, Options::default()).await.unwrap();
    let connection = |name: &str| {
        let credentials = Credentials::Password { user: "demo".into(), password: Secret::new("demo") };
        KintoneClient::new(ClientConfig::new(name, emulator.url().parse().unwrap(), credentials)).unwrap()
    };
    let connections = vec![connection("public"), connection("other")];
    let door = Door::open(Engine::new(EngineConfig::default(), connections).unwrap()).await;
    let client = door.connect().await;
    let sql =
        "SELECT current_schema(), current_schemas(true), current_schemas(false), to_regclass('customers'),
        'public.customers'::regclass, 'other.customers'::regclass,
        pg_table_is_visible('public.customers'::regclass), pg_table_is_visible('other.customers'::regclass),
        pg_table_is_visible('pg_class'::regclass), 'public.customers'::regtype, pg_function_is_visible(0)";
    let here = r#""CUSTOMERS""#;
    let (public, other) = (r#"public."CUSTOMERS""#, r#"other."CUSTOMERS""#);
    for (path, expected) in [
        ("public", ["public", "{pg_catalog,public}", "{public}", here, here, other, "t", "f", "t", here]),
        (
            "other, public",
            [
                "other",
                "{pg_catalog,other,public}",
                "{other,public}",
                here,
                public,
                here,
                "f",
                "t",
                "t",
                public,
            ],
        ),
        ("nowhere, \"$user\"", ["NULL", "{pg_catalog}", "{}", "NULL", public, other, "f", "f", "t", public]),
        ("''", ["NULL", "{pg_catalog}", "{}", "NULL", public, other, "f", "f", "t", public]),
        (
            "public, pg_catalog",
            ["public", "{public,pg_catalog}", "{public,pg_catalog}", here, here, other, "t", "f", "t", here],
        ),
    ] {
        client.batch_execute(&format!("SET search_path TO {path}")).await.unwrap();
        let answer = run_simple(&client, sql).await.unwrap();
        let row: Vec<_> = answer.rows[0].iter().map(|value| value.as_deref().unwrap_or("NULL")).collect();
        assert_eq!(row[..10], expected, "{path}");
        assert_eq!(row[10], "NULL", "{path}");
        let found = if expected[3] == "NULL" { "42P01" } else { "2" };
        assert_eq!(one(&client, "SELECT count(*) FROM customers").await, found, "{path}");
        assert_eq!(one(&client, "SELECT 'nowhere.customers'::regclass").await, "3F000", "{path}");
    }
    // One that was prepared before goes by the path as it is when it runs.
    let prepared = client.prepare("SELECT 'public.customers'::regclass::text").await.unwrap();
    client.batch_execute("SET search_path TO other").await.unwrap();
    assert_eq!(client.query_one(&prepared, &[]).await.unwrap().get::<_, &str>(0), public);
    client.batch_execute("SET search_path TO public").await.unwrap();
    assert_eq!(client.query_one(&prepared, &[]).await.unwrap().get::<_, &str>(0), here);
}

/// Each table of a plan is a turn, of which a task has some before it gives way.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_many_tables_is_made() {
    let (_world, door) = world().await;
    let client = door.connect().await;
    let many = vec!["SELECT 1"; 200].join(" UNION ALL ");
    assert_eq!(one(&client, &format!("SELECT count(*) FROM ({many}) many")).await, "200");
}

/// A field that is gone: a statement that has it fails, one whose columns are others is refused, the rest go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_changed_form_changes_plans() {
    let (world, door) = world().await;
    let client = door.connect().await;
    let all = client.prepare("SELECT * FROM customers").await.unwrap();
    let some = client.prepare("SELECT Company FROM customers WHERE Company = $1").await.unwrap();
    let rank = client.prepare("SELECT Rank FROM customers").await.unwrap();
    assert_eq!(client.query(&all, &[]).await.unwrap().len(), 2);
    let backdoor = world.emulator.backdoor();
    let app = json!({"app": CUSTOMERS, "fields": ["Rank"]});
    backdoor.call("DELETE", "preview/app/form/fields.json", None, &app).unwrap();
    backdoor.call("POST", "preview/app/deploy.json", None, &json!({"apps": [{"app": CUSTOMERS}]})).unwrap();
    backdoor.call("GET", "preview/app/deploy.json", None, &json!({"apps": [CUSTOMERS]})).unwrap();
    // The first that meets the change hears of it from Kintone.
    let by_rank = "SELECT Company FROM customers WHERE Rank = 'A'";
    client.query(by_rank, &[]).await.unwrap_err();
    assert_eq!(code(&client.query(by_rank, &[]).await.unwrap_err()), "42703");
    assert_eq!(code(&client.query(&all, &[]).await.unwrap_err()), "0A000");
    assert_eq!(code(&client.query(&rank, &[]).await.unwrap_err()), "42703");
    assert_eq!(client.query(&some, &[&"a"]).await.unwrap().len(), 1);
    assert_eq!(client.query("SELECT * FROM customers", &[]).await.unwrap().len(), 2);
}

/// Statements without tables: the same text gives what is bound, and what changes with time changes.
#[tokio::test(flavor = "multi_thread")]
async fn statements_without_tables_are_not_frozen() {
    let (_world, door) = world().await;
    let client = door.connect().await;
    for _ in 0..3 {
        assert_eq!(one(&client, "SELECT 1").await, "1");
        assert_eq!(one(&client, "SELECT upper('a') || 'b'").await, "Ab");
        assert_eq!(one(&client, "SELECT 1 / 0").await, "22012");
        assert_eq!(one(&client, "SELECT 1 WHERE false").await, "(none)");
    }
    let echo = client.prepare_typed("SELECT $1 AS a", &[Type::INT4]).await.unwrap();
    for value in [1_i32, 2, 3] {
        assert_eq!(client.query_one(&echo, &[&value]).await.unwrap().get::<_, i32>(0), value);
    }
    let (first, second) = (one(&client, "SELECT now()").await, one(&client, "SELECT now()").await);
    assert_ne!(first, second);
    assert_ne!(one(&client, "SELECT random()").await, one(&client, "SELECT random()").await);
    client.batch_execute("BEGIN").await.unwrap();
    let (first, second) =
        (one(&client, "SELECT now()").await, one(&client, "SELECT current_timestamp").await);
    assert_eq!(first, second);
    client.batch_execute("COMMIT").await.unwrap();
    assert_ne!(one(&client, "SELECT now()").await, first);
    let both = client.simple_query("SELECT now(); SELECT now()").await.unwrap();
    let times: Vec<_> = both
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        })
        .collect();
    assert_eq!(times[0], times[1]);
}

/// A client of a raw connection, for what drivers do not tell: tags, notices, settings as they change.
struct Wire {
    stream: tokio::net::TcpStream,
}

impl Wire {
    async fn connect(door: &Door) -> Self {
        let mut stream = tokio::net::TcpStream::connect(door.address()).await.unwrap();
        scram::log_in(&mut stream).await;
        Self { stream }
    }

    /// Runs a text by the simple protocol. What came: tags, `!` and a code, `?` and a notice's code, `name=value`,
    /// and the state at the end.
    async fn run(&mut self, sql: &str) -> Vec<String> {
        use tokio::io::AsyncWriteExt;
        let mut message = vec![b'Q'];
        message.extend(u32::try_from(sql.len() + 5).unwrap().to_be_bytes());
        message.extend(sql.as_bytes());
        message.push(0);
        self.stream.write_all(&message).await.unwrap();
        self.told().await
    }

    async fn told(&mut self) -> Vec<String> {
        let mut told = vec![];
        loop {
            let (kind, body) = scram::read(&mut self.stream).await;
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            match kind {
                b'C' => told.push(text(&body[..body.len() - 1])),
                b'E' | b'N' => {
                    let code = body.split(|byte| *byte == 0).find(|field| field.first() == Some(&b'C'));
                    let mark = if kind == b'E' { "!" } else { "?" };
                    told.push(format!("{mark}{}", text(&code.unwrap()[1..])));
                }
                b'S' => {
                    let mut parts = body.split(|byte| *byte == 0).map(text);
                    told.push(format!("{}={}", parts.next().unwrap(), parts.next().unwrap()));
                }
                b'Z' => {
                    told.push(text(&body));
                    return told;
                }
                _ => {}
            }
        }
    }
}

/// As PostgreSQL 15 answers: each line was tried there.
#[tokio::test(flavor = "multi_thread")]
async fn tags_notices_and_states_are_postgresqls() {
    let (_world, door) = world().await;
    let mut wire = Wire::connect(&door).await;
    for (sql, expected) in [
        ("SELECT 1; SELECT 2 WHERE false", "SELECT 1|SELECT 0|I"),
        ("VALUES (1), (2)", "SELECT 2|I"),
        ("BEGIN", "BEGIN|T"),
        ("BEGIN", "?25001|BEGIN|T"),
        ("SAVEPOINT a; RELEASE a", "SAVEPOINT|RELEASE|T"),
        ("SELECT 1 / 0", "!22012|E"),
        ("SELECT 1", "!25P02|E"),
        ("COMMIT", "ROLLBACK|I"),
        ("COMMIT", "?25P01|COMMIT|I"),
        ("ROLLBACK", "?25P01|ROLLBACK|I"),
        ("START TRANSACTION READ ONLY", "START TRANSACTION|T"),
        (
            "DECLARE c CURSOR FOR SELECT 1; FETCH c; MOVE c; CLOSE c",
            "DECLARE CURSOR|FETCH 1|MOVE 0|CLOSE CURSOR|T",
        ),
        ("CLOSE ALL", "CLOSE CURSOR ALL|T"),
        ("INSERT INTO customers VALUES (1)", "!25006|E"),
        ("END", "ROLLBACK|I"),
        ("SET work_mem = '1MB'", "SET|I"),
        ("SET LOCAL work_mem = '1MB'", "?25P01|SET|I"),
        ("SET TRANSACTION READ ONLY", "?25P01|SET|I"),
        ("SET CONSTRAINTS ALL DEFERRED", "?25P01|SET CONSTRAINTS|I"),
        ("RESET work_mem", "RESET|I"),
        ("SHOW work_mem", "SHOW|I"),
        ("PREPARE p AS SELECT 1; EXECUTE p; DEALLOCATE p", "PREPARE|SELECT 1|DEALLOCATE|I"),
        ("DEALLOCATE ALL", "DEALLOCATE ALL|I"),
        ("DEALLOCATE p", "!26000|I"),
        ("DISCARD ALL", "DISCARD ALL|I"),
        ("DISCARD PLANS; DISCARD SEQUENCES; DISCARD TEMP", "DISCARD PLANS|DISCARD SEQUENCES|DISCARD TEMP|I"),
        ("LISTEN a; UNLISTEN *", "LISTEN|UNLISTEN|I"),
        ("EXPLAIN SELECT 1", "EXPLAIN|I"),
        ("COPY (SELECT 1) TO STDOUT", "COPY 1|I"),
        ("BEGIN; INSERT INTO customers VALUES (1)", "BEGIN|!0A000|E"),
        ("ROLLBACK", "ROLLBACK|I"),
        ("SELECT 1; SELEC 2", "!42601|I"),
        ("BEGIN; LOCK TABLE customers IN ACCESS SHARE MODE; COMMIT", "BEGIN|LOCK TABLE|COMMIT|I"),
        ("BEGIN; LOCK TABLE customers", "BEGIN|!0A000|E"),
        ("ABORT", "ROLLBACK|I"),
    ] {
        assert_eq!(wire.run(sql).await.join("|"), expected, "{sql}");
    }
}

/// A client hears of each change of the settings that PostgreSQL reports, however it came.
#[tokio::test(flavor = "multi_thread")]
async fn changes_of_settings_are_reported() {
    let (_world, door) = world().await;
    let mut wire = Wire::connect(&door).await;
    for (sql, expected) in [
        ("SET application_name = 'a'", "SET|application_name=a|I"),
        ("SELECT set_config('TimeZone', 'Asia/Tokyo', false)", "SELECT 1|TimeZone=Asia/Tokyo|I"),
        ("SET DateStyle = 'DMY'", "SET|DateStyle=ISO, DMY|I"),
        ("SET default_transaction_read_only = on", "SET|default_transaction_read_only=on|I"),
        ("RESET default_transaction_read_only", "RESET|default_transaction_read_only=off|I"),
        ("BEGIN; SET TimeZone = 'UTC'", "BEGIN|SET|TimeZone=UTC|T"),
        ("ROLLBACK", "ROLLBACK|TimeZone=Asia/Tokyo|I"),
        ("BEGIN; SET LOCAL TimeZone = 'UTC'", "BEGIN|SET|TimeZone=UTC|T"),
        ("COMMIT", "COMMIT|TimeZone=Asia/Tokyo|I"),
        // Several statements of a message are one transaction: what it set is gone with it.
        ("SET TimeZone = 'UTC'; SELECT 1 / 0", "SET|!22012|I"),
        ("SHOW TimeZone", "SHOW|I"),
        ("SET search_path = public", "SET|I"),
        ("SET work_mem = '1MB'; SET work_mem = '2MB'", "SET|SET|I"),
        ("DISCARD ALL", "DISCARD ALL|application_name=|DateStyle=ISO, MDY|TimeZone=UTC|I"),
    ] {
        assert_eq!(wire.run(sql).await.join("|"), expected, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_is_one_transaction_up_to_sync() {
    let (_world, door) = world().await;
    let client = door.connect().await;
    assert_eq!(one(&client, "SELECT set_config('work_mem', '1MB', true)").await, "1MB");
    assert_eq!(one(&client, "SHOW work_mem").await, "4MB");
    let pid = client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get::<_, i32>(0);
    let other = door.connect().await;
    let next = other.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get::<_, i32>(0);
    assert_ne!(pid, next);
    // Settings that the connection began with are what RESET goes back to.
    let begun = door.connect_with(|config| {
        config.application_name("kit").options("-c TimeZone=Asia/Tokyo -c work_mem=1MB");
    });
    let begun = begun.await;
    begun
        .batch_execute("SET application_name = 'x'; SET TimeZone = 'UTC'; SET work_mem = '2MB'")
        .await
        .unwrap();
    begun.batch_execute("RESET ALL").await.unwrap();
    assert_eq!(one(&begun, "SHOW application_name").await, "kit");
    assert_eq!(one(&begun, "SHOW TimeZone").await, "Asia/Tokyo");
    assert_eq!(one(&begun, "SHOW work_mem").await, "1MB");
}

/// Just enough of a login to look at the bytes after it.
mod scram {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::{Digest, Sha256};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use crate::support::door::{PASSWORD, USER};

    pub(super) async fn read(stream: &mut TcpStream) -> (u8, Vec<u8>) {
        let kind = stream.read_u8().await.unwrap();
        let length = stream.read_u32().await.unwrap();
        let mut body = vec![0; length as usize - 4];
        stream.read_exact(&mut body).await.unwrap();
        (kind, body)
    }

    async fn answer(stream: &mut TcpStream, body: &[u8]) -> Vec<u8> {
        let mut message = vec![b'p'];
        message.extend(u32::try_from(body.len() + 4).unwrap().to_be_bytes());
        message.extend(body);
        stream.write_all(&message).await.unwrap();
        read(stream).await.1
    }

    fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(text);
        mac.finalize().into_bytes().to_vec()
    }

    pub(super) async fn log_in(stream: &mut TcpStream) {
        let mut startup = 196_608_u32.to_be_bytes().to_vec();
        startup.extend(format!("user\0{USER}\0database\0kintone\0\0").as_bytes());
        let mut message = u32::try_from(startup.len() + 4).unwrap().to_be_bytes().to_vec();
        message.extend(startup);
        stream.write_all(&message).await.unwrap();
        assert_eq!(read(stream).await.0, b'R');
        let first = "n=,r=abcdefghijklmnop";
        let mut body = b"SCRAM-SHA-256\0".to_vec();
        body.extend(u32::try_from(first.len() + 3).unwrap().to_be_bytes());
        body.extend(format!("n,,{first}").as_bytes());
        let challenge = String::from_utf8(answer(stream, &body).await[4..].to_vec()).unwrap();
        let field =
            |name: &str| challenge.split(',').find_map(|part| part.strip_prefix(name)).unwrap().to_owned();
        let (nonce, salt, rounds) = (field("r="), STANDARD.decode(field("s=")).unwrap(), field("i="));
        let mut block = mac(PASSWORD.as_bytes(), &[salt.as_slice(), &1_u32.to_be_bytes()].concat());
        let mut salted = block.clone();
        for _ in 1..rounds.parse::<u32>().unwrap() {
            block = mac(PASSWORD.as_bytes(), &block);
            salted.iter_mut().zip(&block).for_each(|(sum, byte)| *sum ^= byte);
        }
        let client_key = mac(&salted, b"Client Key");
        let last = format!("c=biws,r={nonce}");
        let signature = mac(&Sha256::digest(&client_key), format!("{first},{challenge},{last}").as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(&signature).map(|(key, byte)| key ^ byte).collect();
        answer(stream, format!("{last},p={}", STANDARD.encode(proof)).as_bytes()).await;
        while read(stream).await.0 != b'Z' {}
    }
}
