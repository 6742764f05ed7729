//! What the schema costs: which forms are read for which statement, what is kept between runs, and how it is renewed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kintone_sql::emulator::app::{self, AppDefinition, Comment, Entity, Record};
use kintone_sql::emulator::{Emulator, Fixture, Options};
use kintone_sql::engine::{Engine, EngineConfig, Session, User, ViewSettings};
use kintone_sql::error::Kind;
use kintone_sql::kintone::{Client, ClientConfig, Credentials, Secret};
use serde_json::{Value, json};

use crate::support::door::{Door, run_prepared, run_simple};
use crate::support::world::{World, run};

/// So many apps, each with a number, a text and a table field; each tenth looks up the one before it.
struct Many(u64);

impl app::World for Many {
    fn directory(&self) -> Vec<Entity> {
        vec![Entity { password: Some("pw".into()), ..Entity::new("USER", "sato", "佐藤") }]
    }

    fn apps(&self) -> Vec<AppDefinition> {
        let app = |id: u64| {
            let mut fields = json!({
                "n": {"type": "NUMBER", "code": "n", "unique": true},
                "t": {"type": "SINGLE_LINE_TEXT", "code": "t"},
                "lines": {"type": "SUBTABLE", "code": "lines", "fields": {
                    "item": {"type": "SINGLE_LINE_TEXT", "code": "item"}
                }}
            });
            if id.is_multiple_of(10) {
                fields["of"] = json!({"type": "NUMBER", "code": "of", "lookup": {
                    "relatedApp": {"app": (id - 1).to_string(), "code": ""},
                    "relatedKeyField": "n", "fieldMappings": [], "lookupPickerFields": [], "filterCond": "", "sort": ""
                }});
            }
            AppDefinition {
                id,
                code: format!("App{id}"),
                name: format!("アプリ{id}"),
                properties: fields.as_object().unwrap().clone(),
                ..AppDefinition::default()
            }
        };
        (1..=self.0).map(app).collect()
    }

    fn records(&self, _: u64) -> Vec<Record> {
        vec![]
    }

    fn comments(&self, _: u64) -> Vec<(u64, Vec<Comment>)> {
        vec![]
    }
}

async fn many(apps: u64) -> World {
    World::serving(Arc::new(Many(apps)), Options::default(), ("sato", "pw"), vec![]).await
}

/// How often each path was asked for since the log was cleared; clears it.
fn asked(emulator: &Emulator) -> BTreeMap<String, usize> {
    let mut paths = BTreeMap::new();
    for request in emulator.requests() {
        let path = request.path.trim_start_matches("/k/v1/").trim_end_matches(".json").to_owned();
        *paths.entry(path).or_default() += 1;
    }
    emulator.clear_requests();
    paths
}

fn total(asked: &BTreeMap<String, usize>) -> usize {
    asked.values().sum()
}

const DT: &str = "SELECT n.nspname, c.relname, c.relkind, pg_catalog.pg_get_userbyid(c.relowner) \
    FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam \
    WHERE c.relkind IN ('r','p','') AND n.nspname <> 'pg_catalog' AND n.nspname !~ '^pg_toast' \
    AND n.nspname <> 'information_schema' AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1,2";

#[tokio::test]
async fn a_list_of_a_thousand_tables_costs_the_list_of_apps() {
    let world = many(1000).await;
    let session = world.session();
    // Nothing of it is about tables.
    for sql in [
        "SELECT version(), current_schema()",
        "SELECT proname FROM pg_proc",
        "SELECT nspname FROM pg_namespace",
    ] {
        run(&session, sql).await.unwrap();
        assert_eq!(total(&asked(&world.emulator)), 0, "{sql}");
    }
    let result = session.run(DT).await.unwrap();
    assert_eq!(result.notices.len(), 1);
    let notice = &result.notices[0];
    assert_eq!(
        (notice.severity, notice.message.contains("1000 apps")),
        ("NOTICE", true),
        "{}",
        notice.message
    );
    drop(result);
    assert_eq!(asked(&world.emulator), BTreeMap::from([("apps".to_owned(), 11)]));
    let listed = run(&session, DT).await.unwrap();
    assert_eq!(listed.rows.iter().filter(|row| row[1].as_deref().unwrap().starts_with("App")).count(), 1001);
    for sql in [
        "SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'",
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
        "SELECT c.relname, d.description FROM pg_class c LEFT JOIN pg_description d ON d.objoid = c.oid \
         AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass WHERE c.relkind IN ('r', 'v')",
    ] {
        assert!(run(&session, sql).await.unwrap().rows.len() > 1000, "{sql}");
    }
    assert_eq!(total(&asked(&world.emulator)), 0);
}

#[tokio::test]
async fn a_statement_about_a_table_reads_that_tables_form() {
    let world = many(200).await;
    let session = world.session();
    run(&session, DT).await.unwrap();
    asked(&world.emulator);
    let oid = run(&session, "SELECT 'app77'::regclass::oid").await.unwrap().rows[0][0].clone().unwrap();
    // The form, its layout and the settings.
    assert_eq!(total(&asked(&world.emulator)), 3);
    let columns =
        format!("SELECT attname FROM pg_attribute WHERE attrelid = '{oid}' AND attnum > 0 ORDER BY attnum");
    let answer = run(&session, &columns).await.unwrap();
    let names: Vec<_> = answer.rows.iter().map(|row| row[0].as_deref().unwrap()).collect();
    assert!(names.contains(&"n") && names.contains(&"lines"), "{names:?}");
    assert_eq!(total(&asked(&world.emulator)), 0);
    for (sql, forms, rows) in [
        // psql's \d: the table, and what its keys are.
        (
            "SELECT c.oid FROM pg_class c WHERE c.relname OPERATOR(pg_catalog.~) '^(app78)$' COLLATE pg_catalog.default \
          AND pg_catalog.pg_table_is_visible(c.oid)",
            1,
            1,
        ),
        (
            "SELECT a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relname = 'App79' \
          AND a.attname = 't'",
            1,
            1,
        ),
        (
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'App80' AND column_name = 'of'",
            1,
            1,
        ),
        // A table field is found by its app's name.
        (
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'App81_lines' \
          AND column_name = 'item'",
            1,
            1,
        ),
        // A lookup leads to another table, and its key there.
        ("SELECT conname FROM pg_constraint WHERE conrelid = '\"App90\"'::regclass AND contype = 'f'", 2, 1),
        // An oid of a table whose form nobody has asked for.
        (
            "SELECT conname FROM pg_constraint WHERE conrelid = (SELECT oid FROM pg_class WHERE relname = 'App91') \
          AND contype = 'u'",
            1,
            1,
        ),
        ("SELECT c.relname FROM pg_class c WHERE c.relname = 'nothing'", 0, 0),
    ] {
        let answer = run(&session, sql).await.unwrap();
        let sent = asked(&world.emulator);
        assert_eq!(sent.get("app/form/fields").copied().unwrap_or_default(), forms, "{sql}: {sent:?}");
        assert_eq!(answer.rows.len(), rows, "{sql}");
    }
}

#[tokio::test]
async fn a_prepared_statement_reads_what_its_parameter_names() {
    let world = many(200).await;
    let door = Door::open(world.engine.clone()).await;
    let client = door.connect().await;
    let oid = client.query_one("SELECT 'app7'::regclass::oid", &[]).await.unwrap().get::<_, u32>(0);
    let by_oid = client
        .prepare("SELECT attname FROM pg_attribute WHERE attrelid = $1 AND attname = 't'")
        .await
        .unwrap();
    let by_name =
        "SELECT column_name FROM information_schema.columns WHERE table_name = $1 AND column_name = 't'";
    let by_name = client.prepare(by_name).await.unwrap();
    asked(&world.emulator);
    assert_eq!(client.query(&by_oid, &[&oid]).await.unwrap().len(), 1);
    assert_eq!(total(&asked(&world.emulator)), 0);
    for name in ["App8", "App9"] {
        assert_eq!(client.query(&by_name, &[&name]).await.unwrap().len(), 1);
        assert_eq!(asked(&world.emulator)["app/form/fields"], 1);
    }
    // It may be a list view too.
    assert_eq!(client.query(&by_name, &[&"App9_lines"]).await.unwrap().len(), 1);
    assert_eq!(asked(&world.emulator), BTreeMap::from([("app/views".to_owned(), 1)]));
}

#[tokio::test]
async fn what_needs_every_form_reads_each_once() {
    let world = many(120).await;
    let session = world.session();
    let count = "SELECT count(*) FROM pg_attribute WHERE attname = 't'";
    // A table, its table field's rows and the unique index of `n`; `t` is a column of the first two.
    assert_eq!(run(&session, count).await.unwrap().rows[0][0].as_deref(), Some("240"));
    let sent = asked(&world.emulator);
    assert_eq!(
        (sent["app/form/fields"], sent["app/form/layout"], sent["app/settings"], sent["app/views"]),
        (120, 120, 120, 120)
    );
    for sql in
        [count, DT, "SELECT * FROM information_schema.columns", "SELECT relname, relnatts FROM pg_class"]
    {
        let result = session.run(sql).await.unwrap();
        assert!(result.notices.is_empty(), "{sql}");
    }
    // Another session has it too.
    run(&world.session(), count).await.unwrap();
    assert_eq!(total(&asked(&world.emulator)), 0);
    let most = world.emulator.totals().most_running;
    assert!(most <= 10, "{most} at once");
}

#[tokio::test]
async fn few_forms_are_read_for_a_list_so_that_it_is_whole() {
    let world = many(20).await;
    let result =
        world.session().run("SELECT relname FROM pg_class WHERE relkind IN ('r', 'v')").await.unwrap();
    assert!(result.notices.is_empty());
    drop(result);
    let listed =
        run(&world.session(), "SELECT relname FROM pg_class WHERE relname = 'App3_lines'").await.unwrap();
    assert_eq!(listed.rows.len(), 1);
}

#[tokio::test]
async fn a_first_statement_takes_six_requests_in_three_round_trips() {
    let world = many(3).await;
    run(&world.session(), "SELECT t FROM app2").await.unwrap();
    let mut sent = asked(&world.emulator);
    // The list; then the form, its layout and the settings at once; then the first and the last page at once, the
    // latter unless the first is there before it is sent.
    let records = sent.remove("records").unwrap();
    let once = ["app/form/fields", "app/form/layout", "app/settings", "apps"];
    assert_eq!(sent, BTreeMap::from(once.map(|path| (path.to_owned(), 1))));
    assert!(records <= 2, "{records}");
}

/// One app with a rank, to be changed while engines look at it.
fn changing() -> Value {
    json!({
        "users": [{"code": "demo", "password": "demo"}],
        "apps": [
            {
                "app": {"appId": 1, "code": "", "name": "顧客"},
                "form": {"properties": {
                    "name": {"type": "SINGLE_LINE_TEXT"},
                    "lines": {"type": "SUBTABLE", "fields": {"item": {"type": "SINGLE_LINE_TEXT"}}}
                }},
                "records": [{"name": {"value": "甲"}}]
            },
            {"app": {"appId": 2, "code": "Deals"}, "form": {"properties": {"n": {"type": "NUMBER"}}}, "records": []}
        ]
    })
}

async fn changing_emulator() -> Emulator {
    let world = Arc::new(Fixture::from_json(&changing()).unwrap());
    Emulator::start(world, Options { deploy_time: Duration::ZERO, ..Options::default() }).await.unwrap()
}

/// Changes the app of customers: a field is added, or the app renamed.
fn change(emulator: &Emulator, method: &str, path: &str, body: &Value) {
    let store = emulator.backdoor();
    store.call(method, path, None, body).unwrap();
    store.call("POST", "preview/app/deploy.json", None, &json!({"apps": [{"app": 1}]})).unwrap();
}

fn add_field(emulator: &Emulator, code: &str) {
    let fields =
        json!({"app": 1, "properties": {code: {"type": "SINGLE_LINE_TEXT", "code": code, "label": code}}});
    change(emulator, "POST", "preview/app/form/fields.json", &fields);
}

fn cached_engine(url: &str, folder: Option<&Path>, views: Vec<ViewSettings>) -> Engine {
    let credentials = Credentials::Password { user: "demo".into(), password: Secret::new("demo") };
    let client = ClientConfig::new("public", url.parse().unwrap(), credentials);
    let config = EngineConfig { cache_dir: folder.map(Path::to_path_buf), views, ..EngineConfig::default() };
    Engine::new(config, vec![Client::new(client).unwrap()]).unwrap()
}

fn session(engine: &Engine) -> Session {
    engine.session(User { name: "tester".into(), administrator: true })
}

#[tokio::test]
async fn a_schema_is_read_anew_when_it_is_called_for() {
    let emulator = changing_emulator().await;
    let door = Door::open(cached_engine(&emulator.url(), None, vec![])).await;
    let client = door.connect().await;
    let columns = "SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute \
                   WHERE attrelid = '顧客'::regclass AND attname IN ('name', 'rank', 'grade')";
    let shown = || async { run_simple(&client, columns).await.unwrap().rows[0][0].clone().unwrap() };
    assert_eq!(shown().await, "name");
    for (field, call, expected) in [
        ("rank", "CALL refresh_schema('顧客')", "name,rank"),
        ("grade", "CALL refresh_schema()", "name,rank,grade"),
    ] {
        add_field(&emulator, field);
        let before = shown().await;
        client.simple_query(call).await.unwrap();
        assert_ne!(before, expected);
        let mut now: Vec<String> = shown().await.split(',').map(str::to_owned).collect();
        now.sort();
        let mut expected: Vec<&str> = expected.split(',').collect();
        expected.sort_unstable();
        assert_eq!(now, expected);
    }
    for call in [
        "CALL refresh_schema(1)",
        "CALL refresh_schema('1')",
        "CALL refresh_schema('app_1')",
        "call REFRESH_SCHEMA('deals')",
    ] {
        client.simple_query(call).await.unwrap_or_else(|e| panic!("{call}: {e}"));
    }
    let prepared = client.prepare("CALL refresh_schema($1)").await.unwrap();
    client.execute(&prepared, &[&"deals"]).await.unwrap();
    for (call, code) in [
        ("CALL refresh_schema('nowhere')", "42P01"),
        ("CALL refresh_schema('a', 'b')", "42883"),
        ("CALL drop_everything()", "42883"),
    ] {
        let error = client.simple_query(call).await.unwrap_err();
        assert_eq!(error.code().unwrap().code(), code, "{call}: {error:?}");
    }
}

#[tokio::test]
async fn a_restart_reads_what_changed() {
    let emulator = changing_emulator().await;
    let folder = tempfile::tempdir().unwrap();
    let everything = "SELECT count(*) FROM information_schema.columns WHERE column_name = 'name' AND table_schema = 'public'";
    run(&session(&cached_engine(&emulator.url(), Some(folder.path()), vec![])), everything).await.unwrap();
    assert_eq!(asked(&emulator)["app/form/fields"], 2);
    let again = cached_engine(&emulator.url(), Some(folder.path()), vec![]);
    run(&session(&again), everything).await.unwrap();
    assert_eq!(asked(&emulator), BTreeMap::from([("apps".to_owned(), 1)]));
    add_field(&emulator, "rank");
    let third = session(&cached_engine(&emulator.url(), Some(folder.path()), vec![]));
    assert_eq!(run(&third, "SELECT rank FROM 顧客").await.unwrap().rows.len(), 1);
    run(&third, everything).await.unwrap();
    let sent = asked(&emulator);
    assert_eq!((sent["app/form/fields"], sent["apps"]), (1, 1), "{sent:?}");
    // Only its owner reads it, and it holds no secret.
    for entry in std::fs::read_dir(folder.path().join("schema/public")).unwrap() {
        use std::os::unix::fs::PermissionsExt;
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
        assert!(!std::fs::read_to_string(entry.path()).unwrap().contains("password"));
    }
}

#[tokio::test]
async fn a_renamed_table_is_found_by_its_old_name_after_a_restart() {
    let emulator = changing_emulator().await;
    let folder = tempfile::tempdir().unwrap();
    let engine = || cached_engine(&emulator.url(), Some(folder.path()), vec![]);
    run(&session(&engine()), "SELECT name FROM 顧客").await.unwrap();
    change(&emulator, "PUT", "preview/app/settings.json", &json!({"app": 1, "name": "取引先"}));
    for _ in 0..2 {
        let session = session(&engine());
        for sql in ["SELECT name FROM 取引先", "SELECT name FROM 顧客", "SELECT item FROM 顧客_lines"]
        {
            run(&session, sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
        }
        let listed =
            run(&session, "SELECT relname FROM pg_class WHERE relname IN ('顧客', '取引先')").await.unwrap();
        assert_eq!(listed.rows, [[Some("取引先".to_owned())]]);
    }
}

#[tokio::test]
async fn a_damaged_or_foreign_cache_is_not_believed() {
    let emulator = changing_emulator().await;
    let folder = tempfile::tempdir().unwrap();
    let engine = || cached_engine(&emulator.url(), Some(folder.path()), vec![]);
    let everything = "SELECT count(*) FROM information_schema.columns WHERE column_name = 'name' AND table_schema = 'public'";
    let own = folder.path().join("schema/public");
    let (list, form) = (own.join("apps.json"), own.join("1.json"));
    run(&session(&engine()), everything).await.unwrap();
    let good = std::fs::read_to_string(&form).unwrap();
    for (file, text) in [
        (&form, String::new()),
        (&form, "{\"of\": 1}".into()),
        (&form, good.replace("localhost", "elsewhere")),
        (&form, good.replace("user demo", "user other")),
        (&form, good.replace("\"version\":1", "\"version\":999")),
        (&form, good.replace("\"scale\"", "\"scales\"")),
        (&list, "[".into()),
    ] {
        assert_ne!(text, good);
        std::fs::write(file, &text).unwrap();
        asked(&emulator);
        let answer = run(&session(&engine()), everything).await.unwrap();
        assert_eq!(answer.rows[0][0].as_deref(), Some("2"), "{text}");
        assert!(asked(&emulator)["app/form/fields"] >= 1, "{text}");
    }
    // A folder that cannot be written is no reason not to answer.
    let file = tempfile::NamedTempFile::new().unwrap();
    run(&session(&cached_engine(&emulator.url(), Some(file.path()), vec![])), everything).await.unwrap();
}

#[tokio::test]
async fn a_bound_of_rows_holds_for_the_views_over_a_connection() {
    let records: Vec<Value> = (1..=5).map(|n| json!({"n": {"value": n.to_string()}})).collect();
    let world = World::start(&json!({
        "users": [{"code": "demo", "password": "demo"}],
        "apps": [{"app": {"appId": 1, "code": "T"}, "form": {"properties": {"n": {"type": "NUMBER"}}}, "records": records}]
    }))
    .await;
    let credentials = Credentials::Password { user: "demo".into(), password: Secret::new("demo") };
    let mut client = ClientConfig::new("sales", world.emulator.url().parse().unwrap(), credentials);
    client.max_rows = Some(2);
    let view = |name: &str, sql: &str| ViewSettings::new(name, sql).unwrap();
    let views = vec![view("all_of_it", "SELECT n FROM sales.t"), view("again", "SELECT n FROM all_of_it")];
    let config = EngineConfig { views, ..EngineConfig::default() };
    let session = session(&Engine::new(config, vec![Client::new(client).unwrap()]).unwrap());
    for (sql, rows) in [
        ("SELECT n FROM sales.t", 2),
        ("SELECT n FROM all_of_it", 2),
        ("SELECT n FROM public.again", 2),
        ("SELECT count(*) FROM again", 1),
    ] {
        assert_eq!(run(&session, sql).await.unwrap().rows.len(), rows, "{sql}");
    }
}

#[tokio::test]
async fn views_of_the_settings_are_in_the_catalog_and_may_read_it() {
    let emulator = changing_emulator().await;
    let view = |name: &str, sql: &str| ViewSettings::new(name, sql).unwrap();
    let views = vec![
        view("kanji", "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE '顧%'"),
        view("names", "SELECT name FROM 顧客"),
        view("broken", "SELECT nothing FROM 顧客"),
    ];
    let session = session(&cached_engine(&emulator.url(), None, views));
    let listed = "SELECT relname FROM pg_class WHERE relkind = 'v' AND relname IN ('kanji', 'names', 'broken') ORDER BY 1";
    let listed = run(&session, listed).await.unwrap();
    assert_eq!(listed.rows, [[Some("kanji".to_owned())], [Some("names".to_owned())]]);
    let shown = run(&session, "SELECT relname FROM kanji ORDER BY 1").await.unwrap();
    assert_eq!(shown.rows, [[Some("顧客".to_owned())], [Some("顧客_lines".to_owned())]]);
    run(&session, "SELECT relname FROM pg_class").await.unwrap();
    asked(&emulator);
    run(&session, "SELECT relname FROM pg_class").await.unwrap();
    assert_eq!(total(&asked(&emulator)), 0);
    let error = run(&session, "SELECT * FROM broken").await.unwrap_err();
    assert_eq!(error.kind, Kind::UndefinedColumn);
}

#[tokio::test]
async fn a_name_of_64_kanji_is_whole_everywhere() {
    let name = "顧客管理台帳".chars().cycle().take(64).collect::<String>();
    let world = World::start(&json!({
        "users": [{"code": "demo", "password": "demo"}],
        "apps": [{
            "app": {"appId": 1, "code": "", "name": name},
            "form": {"properties": {"n": {"type": "NUMBER"}}},
            "records": [{"n": {"value": "1"}}]
        }]
    }))
    .await;
    let door = Door::open(world.engine.clone()).await;
    let client = door.connect().await;
    assert_eq!(name.len(), 192);
    for sql in [
        "SELECT relname FROM pg_class WHERE relname LIKE '顧客%' AND relkind = 'r'".to_owned(),
        format!(
            "SELECT relname FROM pg_class WHERE relname OPERATOR(pg_catalog.~) '^({name})$' COLLATE pg_catalog.default"
        ),
        format!("SELECT '{name}'::regclass::text"),
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE '顧客%'".to_owned(),
        "SELECT table_name FROM information_schema.tables WHERE table_name LIKE '顧客%'".to_owned(),
        format!("SELECT DISTINCT table_name FROM information_schema.columns WHERE table_name = '{name}'"),
        format!(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'n' WHERE c.oid = '{name}'::regclass"
        ),
    ] {
        for answer in [run_simple(&client, &sql).await.unwrap(), run_prepared(&client, &sql).await.unwrap()] {
            let found: Vec<&str> =
                answer.rows.iter().map(|row| row[0].as_deref().unwrap().trim_matches('"')).collect();
            assert_eq!(found, [name.as_str()], "{sql}");
        }
    }
    let rows = run_simple(&client, &format!("SELECT n FROM {name}")).await.unwrap().rows;
    assert_eq!(rows, [[Some("1".to_owned())]]);
    let rows = run_simple(&client, &format!("SELECT {name}.n FROM public.\"{name}\"")).await.unwrap().rows;
    assert_eq!(rows, [[Some("1".to_owned())]]);
}
