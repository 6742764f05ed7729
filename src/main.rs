//! Arguments in, exit code out. Nothing else.

use std::process::ExitCode;
use std::time::Duration;

/// Planning a deep statement goes deep: Kintone does not bound a query, a thread's stack does. More than the 64 MiB
/// that the engine wants for it, so that it takes none of its own; what is not used is only reserved.
const STACK: usize = 72 * 1024 * 1024;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().thread_stack_size(STACK).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start threads: {error}")),
    };
    // On a thread of the runtime, which has the big stack; the first thread's is the system's choice.
    let run = runtime.spawn(kintone_sql::cli::run(std::env::args_os().collect()));
    let code = runtime.block_on(run);
    runtime.shutdown_timeout(Duration::from_millis(100));
    match code {
        Ok(code) => ExitCode::from(code),
        Err(error) => fail(&format!("a bug in kintone-sql: {error}")),
    }
}

#[expect(clippy::print_stderr, reason = "there is nothing else to tell it with")]
fn fail(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::FAILURE
}
