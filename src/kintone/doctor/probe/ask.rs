//! Calls of the probe: what is no answer of Kintone is asked again, and never taken for one.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::super::line::{Ask, Line, Reply, Who, plain};
use super::Fault;

/// Tries of a read.
const TRIES: u32 = 3;

/// Asks and tells.
#[derive(Debug)]
pub(super) struct Asker<'a> {
    line: &'a Line,
    pub(super) pause: Duration,
}

impl<'a> Asker<'a> {
    pub(super) fn new(line: &'a Line, pause: Duration) -> Self {
        Self { line, pause }
    }

    /// A read, again where nobody or a gateway answers. The text says why there is no answer.
    pub(super) async fn read(&self, who: Who<'_>, ask: &Ask<'_>) -> Result<Reply, String> {
        let mut last = String::new();
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(self.pause).await;
            }
            match self.line.send(who, ask).await {
                Ok(reply) if is_answer(&reply) => return Ok(reply),
                Ok(reply) => last = format!("no answer but {}", reply.outcome()),
                Err(broken) => last = broken.words(),
            }
        }
        Err(last)
    }

    /// A read as the connection's user.
    pub(super) async fn get(&self, ask: &Ask<'_>) -> Result<Reply, String> {
        self.read(Who::Login, ask).await
    }

    /// A read that must succeed.
    pub(super) async fn must(&self, ask: &Ask<'_>) -> Result<Value, Fault> {
        let reply = self.get(ask).await.map_err(|why| Fault::Failed(format!("{}: {why}", ask.path)))?;
        body(ask, reply)
    }

    /// A change, sent once.
    pub(super) async fn change(
        &self,
        who: Who<'_>,
        method: Method,
        path: &str,
        body: Value,
    ) -> Result<Reply, String> {
        let ask = Ask::of(method, format!("/k/v1/{path}")).body(body);
        self.line.send(who, &ask).await.map_err(|broken| broken.words())
    }

    /// A change that must succeed.
    pub(super) async fn make(&self, method: Method, path: &str, body: Value) -> Result<Value, Fault> {
        let ask = Ask::of(method, format!("/k/v1/{path}")).body(body);
        let sent = self.line.send(Who::Login, &ask).await;
        let reply = sent.map_err(|broken| Fault::Failed(format!("{path}: {}", broken.words())))?;
        self::body(&ask, reply)
    }

    /// Brings the previews of an app live, or back, and waits for it.
    pub(super) async fn deploy(&self, app: u64, revert: bool) -> Result<(), Fault> {
        /// Looks at a deployment.
        const LOOKS: u32 = 300;
        let asked = json!({"apps": [{"app": app}], "revert": revert});
        self.make(Method::POST, "preview/app/deploy.json", asked).await?;
        for _ in 0..LOOKS {
            let ask = Ask::get("/k/v1/preview/app/deploy.json").with("apps[0]", app);
            let status = self.must(&ask).await?;
            match status.pointer("/apps/0/status").and_then(Value::as_str) {
                Some("PROCESSING") => tokio::time::sleep(self.pause).await,
                Some("SUCCESS") => return Ok(()),
                other => {
                    let other = plain(other.unwrap_or("nothing"), 20);
                    return Err(Fault::Failed(format!("app {app} was not deployed: {other}")));
                }
            }
        }
        Err(Fault::Failed(format!("app {app} is still being deployed")))
    }
}

/// Whether it is Kintone that answers, and not a gateway, nor a limit of the domain. An unknown token may be
/// answered with a status above 500.
fn is_answer(reply: &Reply) -> bool {
    reply.status != 429 && reply.json.is_some() && (reply.status < 500 || reply.code().is_some())
}

fn body(ask: &Ask<'_>, reply: Reply) -> Result<Value, Fault> {
    let outcome = reply.outcome();
    match reply.json {
        Some(body) if reply.status == 200 => Ok(body),
        body => {
            let message = body.as_ref().and_then(|body| body.get("message")).and_then(Value::as_str);
            let message = message.map(|text| format!(": {}", plain(text, 160))).unwrap_or_default();
            Err(Fault::Failed(format!("Kintone refused {} {} ({outcome}){message}", ask.method, ask.path)))
        }
    }
}
