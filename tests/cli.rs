//! The built program, as scripts and CI use it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The demo company is the same for the same day.
const DEMO: [&str; 3] = ["--demo", "--today", "2026-11-24"];

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kintone-sql"));
    command.args(args).current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("KINTONE_")) {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG").env_remove("GITHUB_ACTIONS");
    command
}

fn output(args: &[&str]) -> Output {
    command(args).output().unwrap()
}

/// Standard output of a run that must succeed.
fn succeeds(args: &[&str]) -> String {
    let output = output(args);
    assert_eq!((code(&output), err(&output).as_str()), (0, ""), "{args:?}: {}", out(&output));
    out(&output)
}

fn query(args: &[&str]) -> String {
    succeeds(&[&["query"], &DEMO[..], args].concat())
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Exit code and standard error of a run that must fail.
fn fails(args: &[&str]) -> (i32, String) {
    let output = output(args);
    assert!(!output.status.success(), "{args:?}: {}", out(&output));
    (code(&output), err(&output))
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// A server that is ended when the test ends.
struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    ready: String,
}

impl Server {
    fn start(args: &[&str]) -> Self {
        let mut child = command(args).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut ready = String::new();
        stdout.read_line(&mut ready).unwrap();
        Self { child, stdout, ready }
    }

    fn demo() -> Self {
        Self::start(&[
            "demo",
            "--today",
            "2026-11-24",
            "--pg",
            "127.0.0.1:0",
            "--http",
            "127.0.0.1:0",
            "--kintone",
            "127.0.0.1:0",
        ])
    }

    /// A value of the ready line.
    fn value(&self, name: &str) -> &str {
        let found = self.ready.split_whitespace().find_map(|word| word.strip_prefix(&format!("{name}=")));
        found.unwrap_or_else(|| panic!("{name} is not in {:?}", self.ready))
    }

    fn signal(&self, name: &str) {
        let done = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn help_and_version_succeed() {
    assert!(succeeds(&["--help"]).contains("kintone-sql demo\n"));
    assert!(succeeds(&["query", "--help"]).contains("Exit codes: 0 done, 1 wrong arguments"));
    assert!(succeeds(&["--version"]).starts_with("kintone-sql "));
}

#[test]
fn the_capability_table_is_a_page_and_a_list() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/pushdown.md");
    let page = succeeds(&["pushdown", "--format", "markdown"]);
    let hint = "kintone-sql pushdown --format markdown > tests/cli/pushdown.md";
    assert_eq!(page, fs::read_to_string(kept).unwrap(), "{hint}");
    let number = succeeds(&["pushdown", "number"]);
    assert!(number.contains("\nNUMBER: numeric\n  =            exact      compared as decimals (K§3.5)\n"));
    assert!(number.contains("\nNUMBER, in a table: numeric\n"), "{number}");
    assert!(!number.contains("DROP_DOWN"), "{number}");
}

#[test]
fn wrong_arguments_exit_with_1() {
    for (args, message) in [
        (&["quer"][..], "unrecognized subcommand 'quer'"),
        (&["query", "--format", "xml"], "invalid value 'xml'"),
        (&["query", "--demo", "-c", "SELECT 1", "--set", "timezone"], "expected NAME=VALUE"),
        (&["query", "--demo", "-f", "absent.sql"], "cannot read absent.sql"),
        (&["query", "--demo", "-c", "SELECT 1", "-o", "/nowhere/x"], "cannot write /nowhere/x"),
        (&["query", "--demo", "-c", "SELECT 1", "--encoding", "cp932"], "--encoding goes with --format csv"),
        (&["query", "-c", "SELECT 1", "--seed", "2"], "--seed, --today and --latency-ms go with --demo"),
        (&["query", "--demo", "--config", "a", "-c", "SELECT 1"], "cannot be used with"),
        (&["query", "-c", "SELECT 1"], "which Kintone? Give one of\n  --demo"),
        (&["query", "--connection", "Url=u;Uesr=a", "-c", "SELECT 1"], "User"),
        (
            &["query", "--connection", "Url=http://localhost;Password=env:NOT_SET", "-c", "SELECT 1"],
            "NOT_SET is not set",
        ),
        (&["check"], "<FILES>..."),
        (&["pushdown", "NUMBERS"], "there is no field type NUMBERS: there are CALC"),
        (&["serve", "--config", "absent.toml"], "cannot read the settings file absent.toml"),
    ] {
        let (code, text) = fails(args);
        assert_eq!(code, 1, "{args:?}: {text}");
        assert!(text.contains(message), "{args:?}: {text}");
    }
}

#[test]
fn settings_files_are_printed_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kintone-sql.toml");
    let path = file.to_str().unwrap();
    fs::write(&file, succeeds(&["config", "example"])).unwrap();
    let (code, text) = fails(&["config", "check", path]);
    assert_eq!(code, 1);
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(
        text.contains("connections[0].password: the environment variable KINTONE_PASSWORD is not set"),
        "{text}"
    );
    let variables = [("KINTONE_PASSWORD", "s3cret"), ("READER_PASSWORD", "s3cret")];
    let checked = command(&["config", "check", path]).envs(variables).output().unwrap();
    assert!(out(&checked).contains("kintone-sql.toml: correct. "), "{}{}", out(&checked), err(&checked));

    fs::write(
        &file,
        "[http]\nlissten = \"a:1\"\n[[connections]]\nname = \"public\"\nurl = \"https://a\"\nUesr = \"b\"\n",
    )
    .unwrap();
    for args in [
        &["config", "check", path][..],
        &["serve", "--config", path],
        &["query", "--config", path, "-c", "SELECT 1"],
    ] {
        let (code, text) = fails(args);
        assert_eq!(code, 1, "{text}");
        assert!(
            text.contains(&format!("{path}:2: http.lissten: unknown key; did you mean listen?\n")),
            "{text}"
        );
        assert!(text.contains(&format!("{path}:6: connections[0].Uesr: ")), "{text}");
    }
}

#[test]
fn a_token_is_random_and_comes_with_its_line() {
    let (first, second) = (succeeds(&["token", "create"]), succeeds(&["token", "create", "--user", "bi"]));
    assert_ne!(first.lines().next(), second.lines().next());
    assert_eq!(first.lines().next().unwrap().len(), 43);
    assert!(second.contains("name = \"bi\"\ntokens = [\"sha256:"), "{second}");
}

#[test]
fn rows_are_shown_in_every_format() {
    let sql = "SELECT \"$id\", 案件名, 金額, 提案商品 FROM DEALS WHERE \"$id\" IN (1, 2) ORDER BY \"$id\"";
    let shown: Vec<_> = ["table", "csv", "json", "ndjson", "markdown"]
        .iter()
        .map(|format| format!("-- {format}\n{}", query(&["--format", format, "-c", sql])))
        .collect();
    check_golden("cli/formats.txt", &shown.concat());
}

/// Compares with a file beside this one; `UPDATE=1` writes it.
fn check_golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    assert_eq!(text, fs::read_to_string(&path).unwrap_or_default(), "{name}; UPDATE=1 writes it");
}

#[test]
fn several_statements_share_a_session() {
    let text = query(&["-c", "SET timezone = 'Asia/Tokyo'; SHOW timezone", "-c", "SHOW timezone"]);
    let shown = "  TimeZone  \n------------\n Asia/Tokyo\n(1 row)\n\n";
    assert_eq!(text, format!("SET\n{shown}{shown}"));
    assert_eq!(query(&["--set", "timezone=Asia/Tokyo", "-c", "SHOW timezone"]), shown);
}

#[test]
fn standard_input_and_files_are_scripts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("two.sql");
    fs::write(&file, "\u{FEFF}-- two\nSELECT 1 AS a;\nSELECT 2 AS b;\n").unwrap();
    let target = folder.path().join("out.csv");
    let args = ["--format", "csv", "-f", file.to_str().unwrap(), "-o", target.to_str().unwrap()];
    assert_eq!(query(&args), "");
    assert_eq!(fs::read_to_string(&target).unwrap(), "a\n1\nb\n2\n");

    let mut child = command(&[&["query"], &DEMO[..], &["--format", "csv"]].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"SELECT 3 AS c").unwrap();
    assert_eq!(out(&child.wait_with_output().unwrap()), "c\n3\n");
}

#[test]
fn excel_gets_its_encodings() {
    let args =
        |encoding| [&["query"], &DEMO[..], &["--format", "csv", "--encoding", encoding, "-c"]].concat();
    let sql = "SELECT '㈱髙﨑' AS \"会社名\"";
    let with = |encoding| output(&[&args(encoding)[..], &[sql]].concat()).stdout;
    assert_eq!(with("utf8-bom"), "\u{FEFF}会社名\r\n㈱髙﨑\r\n".as_bytes());
    assert_eq!(with("cp932"), b"\x89\xEF\x8E\xD0\x96\xBC\r\n\x87\x8A\xFB\xFC\xFA\xB1\r\n");
    let (code, text) = fails(&[&args("cp932")[..], &["SELECT '𠮷野家' AS a"]].concat());
    assert_eq!(code, 1);
    assert!(
        text.starts_with("row 1, column \"a\": the character 𠮷 (U+20BB7) does not exist in cp932"),
        "{text}"
    );
}

#[test]
fn sql_errors_are_as_psql_shows_them() {
    let run = |args: &[&str]| fails(&[&["query"], &DEMO[..], args].concat());
    let (code, text) = run(&["-c", "SELECT 会社名, 電話 FROM CUSTOMERS"]);
    assert_eq!(code, 3, "{text}");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "ERROR:  column \"電話\" does not exist",
            "LINE 1: SELECT 会社名, 電話 FROM CUSTOMERS",
            "                       ^"
        ],
        "{text}"
    );
    assert!(text.contains("HINT:  ") && text.contains("電話番号"), "{text}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong.sql");
    let path = file.to_str().unwrap();
    fs::write(&file, "SELECT 1 AS one;\n\nSELECT *\nFROM 顧客カンリ;\n").unwrap();
    let output = output(&[&["query"], &DEMO[..], &["--format", "csv", "-f", path]].concat());
    assert_eq!((self::code(&output), out(&output).as_str()), (3, "one\n1\n"));
    let text = err(&output);
    assert!(text.starts_with(&format!("{path}:4: ERROR:  relation \"顧客カンリ\" does not exist\nLINE 4: FROM 顧客カンリ;\n             ^")), "{text}");

    fs::write(&file, "SELECT 1;\n\\d customers\n").unwrap();
    let (code, text) = run(&["-f", path]);
    assert_eq!(code, 3);
    assert!(text.starts_with(&format!("{path}:2: ERROR:  \\d is a command of psql, not SQL\n")), "{text}");
}

#[test]
fn the_doctor_finds_out_what_is_wrong() {
    let text = succeeds(&[&["doctor"], &DEMO[..]].concat());
    for line in [
        "public  http://localhost:",
        "  ✓ login        demo is logged in and sees ",
        " ok; ",
        " requests in ",
    ] {
        assert!(text.contains(line), "{text}");
    }
    assert!(!text.contains('✗') && !text.contains('!'), "{text}");
    let json: serde_json::Value =
        serde_json::from_str(&succeeds(&[&["doctor", "--json"], &DEMO[..]].concat())).unwrap();
    assert_eq!((&json[0]["connection"], &json[0]["exitCode"]), (&"public".into(), &0.into()));
    // Nobody listens there.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let connection = format!("Url=http://{free};User=me;Password=env:PW");
    let run = command(&["doctor", "--connection", &connection]).env("PW", "canary").output().unwrap();
    assert_eq!((code(&run), err(&run).as_str()), (2, ""));
    assert!(
        out(&run).contains(&format!("  ✗ TCP          failed: {free}: Connection refused")),
        "{}",
        out(&run)
    );
    assert!(!out(&run).contains("canary"));
    // Settings.
    let (code, text) = fails(&["doctor", "--connection", "Url=https://example.cybozu.com;User=me"]);
    assert_eq!((code, text.as_str()), (1, "connection public: Password is missing\n"));
}

#[test]
fn the_probe_asks_before_it_writes() {
    let (code, text) = fails(&["doctor", "--demo", "--probe", "new"]);
    assert_eq!(code, 1);
    assert!(text.contains("--probe makes an app on localhost") && text.contains("add --yes"), "{text}");
    let connection = "Url=http://localhost:1;User=me;Password=env:PW";
    let run =
        command(&["doctor", "--connection", connection, "--probe", "7", "--yes"]).env("PW", "p").output();
    let run = run.unwrap();
    assert_eq!(self::code(&run), 1);
    assert!(err(&run).contains("give Readonly=false"), "{}", err(&run));
    assert!(fails(&["doctor", "--demo", "--probe", "deals"]).1.contains("takes the id of an app, or new"));
    let text = succeeds(&[&["doctor", "--probe", "new", "--yes"], &DEMO[..]].concat());
    for line in [
        " switches are settled\n",
        "  ✓ K§3.5  numbers_equal_empty = no\n             n = \"\" → 400 CB_VA01\n",
        "  ? K§3.4  token_zone is open: needs an API token of the app",
        "\nThe capability table\n  stay      SINGLE_LINE_TEXT, LINK =, IN",
        "itself stays, since Kintone has no call that deletes an app",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[test]
fn an_unreachable_kintone_exits_with_2() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let connection = format!("Url=http://127.0.0.1:{free};User=me;Password=env:PW");
    for args in [&["query", "-c", "SELECT * FROM Apps"][..], &["check", "sql/checks/deals.sql"]] {
        let run =
            command(&[args, &["--connection", &connection]].concat()).env("PW", "s3cret").output().unwrap();
        let text = format!("{}{}", out(&run), err(&run));
        assert_eq!(code(&run), 2, "{text}");
        assert!(text.contains("public"), "{text}");
        assert!(!text.contains("s3cret") && !text.contains("panicked"), "{text}");
    }
}

#[test]
fn the_connection_comes_from_the_environment_too() {
    let server = Server::demo();
    let url = format!("http://{}", server.value("kintone"));
    let run = |password: &str| {
        command(&["query", "--format", "csv", "-c", "SELECT Code FROM Apps WHERE AppId = 1354841"])
            .envs([("KINTONE_URL", url.as_str()), ("KINTONE_USER", "demo"), ("KINTONE_PASSWORD", password)])
            .output()
            .unwrap()
    };
    assert_eq!(out(&run("demo")), "code\nDEALS\n".replace("code", "Code"));
    let refused = run("s3cret");
    assert_eq!(code(&refused), 2);
    let text = err(&refused);
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("public") && !text.contains("s3cret"), "{text}");
}

#[test]
fn the_examples_run() {
    for file in files("sql/examples") {
        let text = query(&["-f", file.to_str().unwrap()]);
        assert!(text.contains(" row"), "{}: {text}", file.display());
        assert!(!text.contains("(0 rows)"), "{}: {text}", file.display());
    }
}

#[test]
fn the_checks_pass_on_the_demo() {
    let files = files("sql/checks");
    let files: Vec<_> = files.iter().map(|file| file.to_str().unwrap()).collect();
    let text = succeeds(&[&["check"], &DEMO[..], &files[..]].concat());
    assert_eq!(text.matches("  ✓ ").count(), 8, "{text}");
    assert!(text.contains("\n8 passed in "), "{text}");
    assert!(text.contains("  ✓ A won deal has the date of the order ("), "{text}");
}

#[test]
fn failed_checks_show_their_rows() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checks.sql");
    let report = folder.path().join("report.xml");
    let (path, report_path) = (file.to_str().unwrap(), report.to_str().unwrap());
    fs::write(&file, "SET timezone = 'Asia/Tokyo';\n-- No deal has an id\nSELECT \"$id\" FROM DEALS;\n-- Fine\nSELECT 1 WHERE false;\n")
        .unwrap();
    let arguments = [&["check"], &DEMO[..], &[path, "--junit", report_path]].concat();
    let run = command(&arguments).env("GITHUB_ACTIONS", "true").output().unwrap();
    let text = out(&run);
    assert_eq!((code(&run), err(&run).as_str()), (1, ""), "{text}");
    assert!(text.contains("  ✗ No deal has an id (line 3, "), "{text}");
    assert!(text.contains("more than 1,000 rows\n       $id \n      -----\n         1\n"), "{text}");
    assert!(text.contains("  ✓ Fine ("), "{text}");
    assert!(text.contains("\n1 passed, 1 failed in "), "{text}");
    assert!(
        text.contains(&format!(
            "::error file={path},line=3,title=No deal has an id::more than 1,000 rows%0A"
        )),
        "{text}"
    );
    let xml = fs::read_to_string(&report).unwrap();
    assert!(xml.contains("tests=\"2\" failures=\"1\" errors=\"0\""), "{xml}");

    fs::write(
        &file,
        "-- Wrong\nSELECT nothing FROM DEALS;\n-- Costs too much\nSELECT * FROM 受注 WHERE 備考 = 'x';\n",
    )
    .unwrap();
    let (code, _) = fails(&[&["check"], &DEMO[..], &[path, "--max-requests", "5"]].concat());
    assert_eq!(code, 3);
}

#[test]
fn a_check_has_a_time_limit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("slow.sql");
    fs::write(&file, "-- Slow\nSELECT count(*) FROM \"【営業】活動履歴（旧）\" WHERE 内容 = 'x';\n").unwrap();
    let path = file.to_str().unwrap();
    let run = output(&[&["check"], &DEMO[..], &[path, "--timeout", "1", "--latency-ms", "1500"]].concat());
    assert_eq!(code(&run), 3, "{}", out(&run));
    assert!(out(&run).contains("the check took longer than 1 s"), "{}", out(&run));
}

#[test]
fn the_demo_says_when_it_is_ready_and_ends_when_asked() {
    for signal in ["-TERM", "-INT"] {
        let mut server = Server::demo();
        assert!(server.ready.starts_with("ready pg=127.0.0.1:"), "{}", server.ready);
        assert!(
            server.ready.ends_with(" user=demo password=demo token=demo-token database=kintone\n"),
            "{}",
            server.ready
        );
        // Clients that stay are no reason to wait.
        let stay = ["pg", "http", "kintone"].map(|door| TcpStream::connect(server.value(door)).unwrap());
        let started = Instant::now();
        server.signal(signal);
        let status = server.child.wait().unwrap();
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
        assert_eq!(status.code(), Some(0));
        drop(stay);
        let mut help = String::new();
        server.stdout.read_to_string(&mut help).unwrap();
        for line in ["psql ", "curl ", "$oas"] {
            assert!(help.contains(line), "{help}");
        }
    }
}

#[test]
fn an_occupied_port_is_named_with_its_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for flag in ["--pg", "--http", "--kintone"] {
        let mut args = vec!["demo"];
        for other in ["--pg", "--http", "--kintone"] {
            args.extend([other, if other == flag { &address } else { "127.0.0.1:0" }]);
        }
        let (code, text) = fails(&args);
        assert_eq!(code, 1);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains(&address) && text.contains(flag), "{text}");
    }
}

#[test]
fn serve_opens_both_doors_from_the_settings_file() {
    let demo = Server::demo();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kintone-sql.toml");
    let settings = format!(
        "[postgres]\nlisten = \"127.0.0.1:0\"\n[http]\nlisten = \"127.0.0.1:0\"\n\
         [[connections]]\nname = \"public\"\nurl = \"http://{}\"\nuser = \"demo\"\npassword = \"demo\"\n\
         [[users]]\nname = \"reader\"\npassword = \"pw\"\ntokens = [\"t\"]\nprivileges = [\"GET\"]\n",
        demo.value("kintone")
    );
    fs::write(&file, settings).unwrap();
    let server = Server::start(&["serve", "--config", file.to_str().unwrap()]);
    assert!(
        server.ready.starts_with("ready pg=127.0.0.1:") && !server.ready.contains("kintone=127"),
        "{}",
        server.ready
    );
    let (host, port) = server.value("pg").split_once(':').unwrap();
    let psql = Command::new("psql")
        .args(["-X", "-A", "-t", "-h", host, "-p", port, "-U", "reader", "-d", "kintone", "-c"])
        .arg("SELECT Code FROM Apps WHERE AppId = 1354841")
        .env("PGPASSWORD", "pw")
        .output();
    if let Ok(psql) = psql {
        assert_eq!(out(&psql), "DEALS\n", "{}", err(&psql));
    }
    server.signal("-TERM");
}

/// A call of the embedded Kintone's API.
fn kintone(address: &str, method: &str, target: &str, body: &str) -> String {
    let mut socket = TcpStream::connect(address).unwrap();
    let head = format!(
        "{method} /k/v1/{target} HTTP/1.1\r\nHost: k\r\nConnection: close\r\nX-Cybozu-API-Token: secret\r\n"
    );
    let body = match body {
        "" => "\r\n".to_owned(),
        body => format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len()),
    };
    socket.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut reply = String::new();
    socket.read_to_string(&mut reply).unwrap();
    reply
}

const DATA: &str = r#"{"users": [{"code": "sato", "password": "pw"}],
"apps": [{"app": {"code": "DEALS"}, "apiTokens": ["secret"],
  "form": {"properties": {"Amount": {"type": "NUMBER"}}},
  "records": [{"Amount": {"value": "100"}}, {"Amount": {"value": "250"}}]}]}
"#;

#[test]
fn emulate_serves_a_data_file_and_saves_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (data, saved) = (path("data.json"), path("saved.json"));
    fs::write(&data, DATA).unwrap();
    let mut server = Server::start(&["emulate", "--port", "0", "--data", &data, "--save", &saved]);
    let address = server.value("kintone").to_owned();
    assert_eq!(server.ready, format!("ready kintone={address}\n"));
    let reply =
        kintone(&address, "POST", "record.json", r#"{"app": 1, "record": {"Amount": {"value": "7"}}}"#);
    assert!(reply.contains(r#"{"id":"3","revision":"1"}"#), "{reply}");
    // A connection that stays open does not keep it from ending.
    let open = TcpStream::connect(&address).unwrap();
    let start = Instant::now();
    server.signal("-TERM");
    assert!(server.child.wait().unwrap().success());
    assert!(start.elapsed() < Duration::from_secs(2));
    drop(open);

    // What it saved is served again, by the demo too.
    let server = Server::start(&["emulate", "--port", "0", "--data", &saved]);
    let reply = kintone(server.value("kintone"), "GET", "records.json?app=1&totalCount=true", "");
    assert!(reply.contains(r#""totalCount":"3""#), "{reply}");
    let doors = ["--pg", "127.0.0.1:0", "--http", "127.0.0.1:0", "--kintone", "127.0.0.1:0"];
    let server = Server::start(&[&["demo", "--data", &saved][..], &doors].concat());
    fs::write(path("password"), "pw").unwrap();
    let url = format!("Url=http://{};User=sato;Password=file:{}", server.value("kintone"), path("password"));
    let sum = ["-c", "SELECT sum(\"Amount\") AS sum FROM \"DEALS\"", "--format", "csv"];
    let rows = succeeds(&[&["query", "--connection", &url][..], &sum].concat());
    assert_eq!(rows.replace('\r', ""), "sum\n357\n");
    // Nothing beside the three files is left.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);

    fs::write(&data, DATA.replace("\"250\"", "\"much\"")).unwrap();
    let (code, text) = fails(&["emulate", "--port", "0", "--data", &data]);
    let expected =
        format!("{data}: line 4, column 66: apps[0].records[1].Amount.value: \"much\" is not a number\n");
    assert_eq!((code, text), (1, expected));
    let (code, text) = fails(&["emulate", "--save", "/nowhere/x.json"]);
    assert_eq!((code, text.as_str()), (1, "--save /nowhere/x.json: cannot be written there\n"));
    let (code, text) = fails(&["emulate", "--unknown", "nothing=x"]);
    assert!(code == 1 && text.starts_with("--unknown nothing=x: "), "{text}");
    assert!(fails(&["emulate", "--data", &data, "--seed", "2"]).1.contains("cannot be used with"));
    assert!(succeeds(&["emulate", "--help"]).contains("  ready kintone=HOST:PORT\n"));
}
