//! The servers: this program, PostgreSQL and roapi, each with the same table, in processes of their own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::client::{Client, Server};
use super::data::{COLUMNS, Files};

/// A process that ends with this value.
pub(crate) struct Process {
    child: Child,
    pub(crate) server: Server,
}

impl Process {
    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // PostgreSQL's children end with a polite request alone.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// This program over the file, and over an embedded Kintone of so many apps.
pub(crate) fn ours(folder: &Path, files: &Files, apps: usize) -> (Process, Process) {
    let program = env!("CARGO_BIN_EXE_kintone-sql");
    let world = folder.join("world.json");
    fs::write(&world, world_of(apps)).unwrap();
    let mut emulate = Command::new(program);
    emulate.args(["emulate", "--port", "0", "--data"]).arg(&world);
    let (child, line) = ready(emulate);
    let port: u16 = part(&line, "kintone=").rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap();
    let kintone = format!("http://127.0.0.1:{port}");
    let emulator = Process { child, server: Server { port, ..Server::default() } };
    let settings = folder.join("kintone-sql.toml");
    let parquet = files.parquet.display();
    let text = format!(
        "[postgres]\nlisten = \"127.0.0.1:0\"\nmax_connections = 2000\n[http]\nlisten = \"127.0.0.1:0\"\n\
         [[connections]]\nname = \"public\"\nurl = \"{kintone}\"\nuser = \"demo\"\npassword = \"demo\"\n\
         [[users]]\nname = \"bench\"\npassword = \"bench\"\nprivileges = [\"GET\"]\n\
         [[local_tables]]\nname = \"big\"\nfile = \"{parquet}\"\ncolumns = \"{COLUMNS}\"\n"
    );
    fs::write(&settings, text).unwrap();
    let mut serve = Command::new(program);
    serve.arg("serve").arg("--config").arg(&settings);
    let (child, line) = ready(serve);
    let port = part(&line, "pg=").rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap();
    let server = Server { port, user: "bench", password: Some("bench"), database: "kintone" };
    (emulator, Process { child, server })
}

/// Apps of three fields each.
fn world_of(apps: usize) -> String {
    let app = |id: usize| {
        format!(
            r#"{{"app": {{"appId": {id}, "code": "APP_{id}", "name": "アプリ {id}"}}, "form": {{"properties": {{
            "会社名": {{"type": "SINGLE_LINE_TEXT"}}, "金額": {{"type": "NUMBER"}}, "受注日": {{"type": "DATE"}}}}}}, "records": []}}"#
        )
    };
    let apps: Vec<String> = (1..=apps).map(app).collect();
    format!(r#"{{"users": [{{"code": "demo", "password": "demo"}}], "apps": [{}]}}"#, apps.join(","))
}

/// Starts a program of ours and waits for its line.
fn ready(mut command: Command) -> (Child, String) {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.map_while(Result::ok).find(|line| line.starts_with("ready "));
    (child, line.expect("the program is ready"))
}

fn part(line: &str, name: &str) -> String {
    line.split(' ').find_map(|part| part.strip_prefix(name)).expect("a part of the line").to_owned()
}

/// Where Debian and others put the programs that are on nobody's path.
fn postgres_programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    folders.into_iter().find(|folder| folder.join("initdb").is_file()).expect("PostgreSQL's initdb")
}

/// A real PostgreSQL with the rows, as it is after its installation but for its folder and port.
pub(crate) async fn postgres(folder: &Path, files: &Files) -> Process {
    let programs = postgres_programs();
    let data = folder.join("postgres");
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    fs::create_dir(&data).unwrap();
    if is_root {
        let id = Command::new("id").args(["-u", "postgres"]).output().unwrap();
        chown(&data, String::from_utf8(id.stdout).unwrap().trim().parse().ok(), None).unwrap();
    }
    let command = |program: &str| {
        let program = programs.join(program);
        let mut command = if is_root { Command::new("setpriv") } else { Command::new(&program) };
        if is_root {
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]).arg(&program);
        }
        command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let mut initdb = command("initdb");
    initdb.arg("-D").arg(&data).args(["-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
    assert!(initdb.status().unwrap().success(), "initdb");
    let port = free_port();
    let mut server = command("postgres");
    server.arg("-D").arg(&data).args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
    server.arg("-c").arg(format!("unix_socket_directories={}", data.display()));
    let child = server.spawn().unwrap();
    let server = Server { port, user: "bench", password: None, database: "postgres" };
    let process = Process { child, server };
    let client = patiently(&process.server).await;
    client.batch(&format!("CREATE TABLE big ({COLUMNS})")).await;
    client.copy_in("COPY big FROM STDIN (FORMAT csv)", &files.csv).await;
    client.batch("VACUUM ANALYZE big").await;
    process
}

/// roapi over the Parquet file; `None` where it is not installed. `ROAPI` names its program.
pub(crate) async fn roapi(files: &Files) -> Option<Process> {
    let program = std::env::var_os("ROAPI")?;
    let (postgres, http) = (free_port(), free_port());
    let mut command = Command::new(program);
    command.args([
        "--addr-postgres",
        &format!("127.0.0.1:{postgres}"),
        "--addr-http",
        &format!("127.0.0.1:{http}"),
    ]);
    command.arg("--table").arg(format!("big={}", files.parquet.display()));
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let server = Server { port: postgres, user: "bench", password: None, database: "postgres" };
    let process = Process { child, server };
    patiently(&process.server).await;
    Some(process)
}

/// The first connection to a server that is just starting.
async fn patiently(server: &Server) -> Client {
    for _ in 0..600 {
        if TcpStream::connect(("127.0.0.1", server.port)).is_ok()
            && let Some(client) = server.try_connect().await
        {
            return client;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("no server at {}", server.port)
}
