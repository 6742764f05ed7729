//! A real PostgreSQL 15 as the other engine, started and removed by the test; skipped where there is none.

use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;
use tokio_postgres::NoTls;

use super::oracle::{Oracle, Rows};
use super::predicate::Dialect;
use super::run::Tally;
use super::{number, run_worlds};
use crate::support::door::run_simple;

/// In the gate.
const STATEMENTS: usize = 3500;
const OF_A_WORLD: usize = 70;

/// A running server; dropping it stops it and removes its files.
struct Server {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
    /// What stops it.
    watch: Option<Child>,
}

/// Where Debian and others put the programs that are on nobody's path.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    folders.into_iter().find(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file())
}

/// PostgreSQL refuses to run as root.
fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

impl Server {
    /// `None` where the machine has no PostgreSQL.
    fn start() -> Option<Self> {
        let programs = programs()?;
        let folder = tempfile::Builder::new().prefix("kintone-sql-postgres").tempdir_in("/tmp").unwrap();
        if is_root() {
            let id = Command::new("id").args(["-u", "postgres"]).output().ok()?;
            let user: u32 = String::from_utf8(id.stdout).ok()?.trim().parse().ok()?;
            chown(folder.path(), Some(user), None).unwrap();
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { programs, folder, port, watch: None };
        let data = server.data();
        let made = ["-D", &data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
        server.run("initdb", &made);
        let folder = server.folder.path().display();
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off -c timezone=UTC"
        );
        let log = server.folder.path().join("log").display().to_string();
        server.run("pg_ctl", &["-D", &data, "-l", &log, "-o", &options, "-w", "start"]);
        server.watch();
        Some(server)
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    /// A program of the server, as a user as whom it runs.
    fn command(&self, program: &str) -> Command {
        let program: &Path = &self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        // What it starts must not hold on to this test's own output.
        command.current_dir("/tmp").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        assert!(self.command(program).args(arguments).status().unwrap().success(), "{program} {arguments:?}");
    }

    /// Stops the server and removes its files once this process lets go of its end, however it ends.
    fn watch(&mut self) {
        let mut stop = self.command("pg_ctl");
        stop.args(["-D", &self.data(), "-m", "immediate", "-w", "stop"]);
        let mut watch = Command::new("sh");
        watch.args(["-c", "cat; folder=$1; shift; \"$@\"; rm -rf \"$folder\"", "sh"]);
        watch.arg(self.folder.path()).arg(stop.get_program()).args(stop.get_args());
        watch.current_dir("/tmp").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        self.watch = Some(watch.process_group(0).spawn().unwrap());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut watch) = self.watch.take() {
            drop(watch.stdin.take());
            let _ = watch.wait();
        }
    }
}

/// The port of the server, for the worlds.
static PORT: OnceLock<u16> = OnceLock::new();

async fn answers(oracle: &Oracle, schema: &str) -> Vec<Option<Rows>> {
    let port = PORT.get().copied().unwrap();
    let mut config = tokio_postgres::Config::new();
    config.host("127.0.0.1").port(port).user("postgres").dbname("postgres");
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    let own = format!("CREATE SCHEMA {schema}; SET search_path = {schema};\n{}", oracle.schema());
    client.batch_execute(&own).await.unwrap_or_else(|error| panic!("{error:?}\n{own}"));
    let mut answers = vec![];
    for statement in &oracle.statements {
        let sql = statement.without_open_limit().sql(Dialect::Postgres);
        let answer = run_simple(&client, &sql).await;
        answers.push(Some(answer.unwrap_or_else(|error| panic!("{error:?}: {sql}")).rows));
    }
    client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await.unwrap();
    answers
}

async fn world(at: u64) -> Result<Tally, String> {
    let oracle = Oracle::random(Dialect::Postgres, 4 << 32 | at, OF_A_WORLD);
    let right = answers(&oracle, &format!("world_{at}")).await;
    oracle.compare(at, &right).await
}

#[test]
fn answers_are_those_of_postgresql() {
    let Some(server) = Server::start() else {
        // Past what holds back the output of tests that pass.
        let _ =
            writeln!(std::io::stderr(), "skipped: no PostgreSQL here to compare with (Debian: postgresql)");
        return;
    };
    PORT.set(server.port).unwrap();
    let tally = run_worlds(number("PUSHDOWN_CASES", STATEMENTS).div_ceil(OF_A_WORLD), world);
    let (run, pushed) = tally.total();
    assert!(pushed * 10 >= run * 5, "{tally:?}");
}
