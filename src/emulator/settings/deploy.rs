//! POST and GET `preview/app/deploy.json` (K§2.2): settings go live a while after they were asked to.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::json;

use super::super::app::AppDefinition;
use super::super::call::{Call, Change};
use super::super::params::integer;
use super::super::reply::{Answer, Failure, SETTINGS_LOCKED};
use super::super::store::Store;
use super::super::unknown;
use super::preview::{self, Preview, check_revision};
use super::{convert, fields, reference};

/// Apps of one call.
const MOST: usize = 300;

/// The deploys of the domain.
#[derive(Debug)]
pub(crate) struct Deploys {
    time: Duration,
    running: Vec<Running>,
    /// How the latest deploy of an app ended.
    ended: HashMap<u64, &'static str>,
}

#[derive(Debug, Clone)]
struct Running {
    apps: Vec<u64>,
    revert: bool,
    by: String,
    /// Minutes since 1970.
    at: i64,
    due: Instant,
}

impl Deploys {
    pub(crate) fn new(time: Duration) -> Self {
        Self { time, running: vec![], ended: HashMap::new() }
    }

    /// Whether something is to go live.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.running.iter().any(|running| running.due <= now)
    }

    /// Whether an app is being deployed.
    pub(crate) fn is_running(&self, app: u64) -> bool {
        self.running.iter().any(|running| running.apps.contains(&app))
    }
}

/// POST.
pub(crate) fn start(change: &mut Change<'_>) -> Result<Answer, Failure> {
    let call = change.call();
    let sent = call.params.array("apps")?.ok_or_else(|| Failure::invalid("apps", "Required field."))?;
    if sent.is_empty() || sent.len() > MOST {
        return Err(Failure::invalid("apps", format!("1 to {MOST} can be given.")));
    }
    let revert = call.params.flag("revert")?;
    let mut apps = vec![];
    for (index, sent) in sent.iter().enumerate() {
        let at = format!("apps[{index}].app");
        let id = sent.get("app").and_then(integer).and_then(|id| u64::try_from(id).ok());
        let id = id.ok_or_else(|| Failure::invalid(&at, "Required field."))?;
        if apps.contains(&id) {
            return Err(Failure::invalid(&at, "The app is there twice."));
        }
        let settings = preview::open(&call, id)?;
        check_revision(sent.get("revision"), settings.revision)?;
        if call.store.deploys.is_running(id) {
            return Err(SETTINGS_LOCKED.into());
        }
        apps.push(id);
    }
    if !revert {
        apps.iter().try_for_each(|id| check(call.store, *id, &apps))?;
    }
    let due = Instant::now() + call.store.deploys.time;
    let running = Running { apps, revert, by: call.caller.code.clone(), at: call.minute(), due };
    change.store.deploys.running.push(running);
    Ok(Answer::json(&json!({})))
}

/// Whether an app's preview can go live together with those of `apps`.
fn check(store: &Store, id: u64, apps: &[u64]) -> Result<(), Failure> {
    let Some(preview) = store.previews.get(&id) else { return Ok(()) };
    let source = |id: u64| -> Option<&AppDefinition> {
        let live = store.apps.get(&id).map(|app| &app.definition);
        let coming = store.previews.get(&id).filter(|_| apps.contains(&id)).map(|p| &p.definition);
        coming.or(live)
    };
    fields::check_formulas(&preview.definition)?;
    reference::keys_are_unique(&preview.definition, source)
}

/// GET.
pub(crate) fn status(call: &Call<'_>) -> Result<Answer, Failure> {
    let ids = call.params.array("apps")?.unwrap_or_default();
    if ids.is_empty() || ids.len() > MOST {
        return Err(Failure::invalid("apps", format!("1 to {MOST} can be given.")));
    }
    let mut apps = vec![];
    for (index, id) in ids.iter().enumerate() {
        let id = integer(id).and_then(|id| u64::try_from(id).ok());
        let id = id.ok_or_else(|| Failure::invalid(&format!("apps[{index}]"), "Enter an integer."))?;
        preview::open(call, id)?;
        let deploys = &call.store.deploys;
        let ended = deploys.ended.get(&id).copied();
        let status = match ended {
            _ if deploys.is_running(id) => "PROCESSING",
            Some(ended) => ended,
            None if call.store.apps.contains_key(&id) => "SUCCESS",
            None => unknown::NEVER_DEPLOYED,
        };
        apps.push(json!({"app": id.to_string(), "status": status}));
    }
    Ok(Answer::json(&json!({"apps": apps})))
}

/// Ends the deploys whose time has come: all apps of a call, or none (K§2.2).
pub(crate) fn settle(store: &mut Store, now: Instant) {
    let (due, running) = std::mem::take(&mut store.deploys.running).into_iter().partition(|r| r.due <= now);
    store.deploys.running = running;
    let due: Vec<Running> = due;
    for deploy in due {
        let fits =
            |id: &u64| check(store, *id, &deploy.apps).is_ok() && convert::keeps_uniqueness(store, *id);
        let ended = match () {
            () if deploy.revert => {
                deploy.apps.iter().for_each(|id| revert(store, *id));
                "SUCCESS"
            }
            () if deploy.apps.iter().all(fits) => {
                deploy.apps.iter().for_each(|id| bring_live(store, *id, &deploy));
                "SUCCESS"
            }
            () => "FAIL",
        };
        store.deploys.ended.extend(deploy.apps.iter().map(|id| (*id, ended)));
    }
}

/// The preview is as the live app again. An app that never was live stays as it is.
fn revert(store: &mut Store, id: u64) {
    if store.apps.contains_key(&id) {
        store.previews.remove(&id);
    }
}

fn bring_live(store: &mut Store, id: u64, deploy: &Running) {
    let live = store.apps.remove(&id);
    let preview = store.previews.remove(&id);
    let app = match (live, preview) {
        (live, Some(Preview { mut definition, revision, origins })) => {
            definition.modifier.clone_from(&deploy.by);
            definition.modified_at = deploy.at;
            match live {
                Some(app) => app.redefined(definition, revision, |old, calculator, records| {
                    convert::records(old, calculator, &origins, records)
                }),
                None => store.make(definition, revision),
            }
        }
        // Nothing has changed.
        (Some(app), None) => app,
        (None, None) => return,
    };
    store.apps.insert(id, app);
}
