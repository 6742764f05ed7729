//! Questions of API tokens: what they may do, who they are, in which zone they live.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::super::secret::Secret;
use super::super::line::{Ask, Reply, Who};
use super::ask::Asker;
use super::finding::{Findings, Outcome};
use super::query::{ids, records};
use super::scratch::Scratch;

/// A token that nobody has: 40 characters, as real ones.
const NOBODYS: &str = "kintoneSqlProbeTokenThatNoAppHas00000000";
const NEEDS: &str =
    "needs an API token of the app with every right: make one in its settings, and give it with --tokens";
const NEEDS_OTHER: &str = "needs an API token of another app too, given with --tokens";

/// Zones that a switch stands for, by their hours from UTC.
const ZONES: [(i64, &str); 3] = [(9, "Asia/Tokyo"), (0, "UTC"), (-10, "Pacific/Honolulu")];

/// Schema calls that a token may or may not make (K§10.6).
const CALLS: [&str; 7] = [
    "app.json",
    "app/form/layout.json",
    "app/settings.json",
    "app/status.json",
    "app/acl.json",
    "app/plugins.json",
    "apps/statistics.json",
];

type Asked = Vec<(String, String)>;

fn form(scratch: &Scratch) -> Ask<'static> {
    Ask::get("/k/v1/app/form/fields.json").with("app", scratch.id)
}

/// Asks every question. Tokens of other domains are found out by one call each.
pub(super) async fn ask_all(
    asker: &Asker<'_>,
    scratch: &mut Scratch,
    tokens: &[Secret],
    findings: &mut Findings,
) {
    let (mut own, mut other) = (None, None);
    for token in tokens {
        match asker.read(Who::Token(token), &form(scratch)).await {
            Ok(reply) if reply.status == 200 => own = own.or(Some(token)),
            Ok(reply) if reply.code() == Some("GAIA_AP15") => other = other.or(Some((token, reply))),
            _ => {}
        }
    }
    let nobody = Secret::new(NOBODYS);
    let unknown = asker.read(Who::Token(&nobody), &form(scratch)).await;
    status("unknown_token_status", "a token that no app has", unknown, findings, &["520", "400", "401"]);
    match other {
        Some((_, reply)) => {
            let allowed = &["400", "403", "520"];
            status("other_app_token_status", "a token of another app", Ok(reply), findings, allowed);
        }
        None => findings.add("other_app_token_status", "5.3", vec![], Outcome::Open(NEEDS_OTHER.into())),
    }
    let Some(own) = own else {
        let open = [
            ("token_zone", "3.4"),
            ("token_user_is_administrator", "1.2"),
            ("person_only_status", "5.3"),
            ("tokens_list_apps", "1.3"),
            ("tokens_change_settings", "1.3"),
        ];
        for (switch, section) in open {
            findings.add(switch, section, vec![], Outcome::Open(NEEDS.into()));
        }
        return;
    };
    let who = Who::Token(own);
    rights(asker, scratch, who, findings).await;
    let (asked, outcome) = zone(asker, scratch, who).await.unwrap_or_else(open);
    findings.add("token_zone", "3.4", asked, outcome);
    let (asked, outcome) = identity(asker, scratch, who).await.unwrap_or_else(open);
    findings.add("token_user_is_administrator", "1.2", asked, outcome);
}

fn open(why: String) -> (Asked, Outcome) {
    (vec![], Outcome::Open(why))
}

/// The HTTP status of a refusal.
fn status(
    switch: &'static str,
    what: &str,
    reply: Result<Reply, String>,
    findings: &mut Findings,
    positions: &[&'static str],
) {
    let (asked, outcome) = match reply {
        Err(why) => open(why),
        Ok(reply) => {
            let found = positions.iter().find(|position| **position == reply.status.to_string());
            let outcome = match found {
                Some(position) if reply.status != 200 => Outcome::Settled(position),
                _ => Outcome::Open(format!("a status that nobody expected: {}", reply.outcome())),
            };
            (vec![(format!("the form with {what}"), reply.outcome())], outcome)
        }
    };
    findings.add(switch, "5.3", asked, outcome);
}

/// Which calls the token may make, and how the others are refused.
async fn rights(asker: &Asker<'_>, scratch: &Scratch, who: Who<'_>, findings: &mut Findings) {
    let mut refused: Option<Reply> = None;
    let mut keep = |reply: &Reply| {
        if reply.code() == Some("GAIA_NO01") && refused.is_none() {
            refused = Some(reply.clone());
        }
    };
    let yes_or_no = |reply: &Reply| match reply.status {
        200 => Outcome::Settled("yes"),
        _ if reply.code() == Some("GAIA_NO01") => Outcome::Settled("no"),
        _ => Outcome::Open(format!("an unexpected answer: {}", reply.outcome())),
    };
    let preview = Ask::get("/k/v1/preview/app/settings.json").with("app", scratch.id);
    for (switch, shown, ask) in [
        ("tokens_list_apps", "apps.json with a token", Ask::get("/k/v1/apps.json")),
        ("tokens_change_settings", "preview/app/settings.json with a token", preview),
    ] {
        let (asked, outcome) = match asker.read(who, &ask).await {
            Err(why) => open(why),
            Ok(reply) => {
                keep(&reply);
                (vec![(shown.to_owned(), reply.outcome())], yes_or_no(&reply))
            }
        };
        findings.add(switch, "1.3", asked, outcome);
    }
    let mut asked = vec![];
    for call in CALLS {
        let name = if call == "app.json" { "id" } else { "app" };
        let ask = Ask::get(format!("/k/v1/{call}"));
        let ask = if call == "apps/statistics.json" { ask } else { ask.with(name, scratch.id) };
        let answer = match asker.read(who, &ask).await {
            Err(why) => why,
            Ok(reply) => {
                keep(&reply);
                reply.outcome()
            }
        };
        asked.push((format!("{call} with a token"), answer));
    }
    let taken = asked.iter().filter(|(_, answer)| answer == "200").count();
    let told = format!("{taken} of {} calls are taken", asked.len());
    findings.add("calls_of_a_token", "1.3", asked, Outcome::Told(told));
    match refused {
        Some(reply) => {
            status("person_only_status", "a token that may not", Ok(reply), findings, &["403", "400"]);
        }
        None => {
            let why = "no call was refused with GAIA_NO01".into();
            findings.add("person_only_status", "5.3", vec![], Outcome::Open(why));
        }
    }
}

/// The hour at which the token's day began.
async fn zone(asker: &Asker<'_>, scratch: &Scratch, who: Who<'_>) -> Result<(Asked, Outcome), String> {
    let reply = records(asker, scratch, who, "hour >= TODAY() order by $id asc limit 500").await?;
    if reply.status != 200 {
        return Err(format!("an unexpected answer: {}", reply.outcome()));
    }
    let found = ids(&reply);
    let first = scratch.hours.iter().filter(|(id, _)| found.contains(id)).map(|(_, hour)| *hour).min();
    let Some(first) = first else { return Err("no hour of today was found".into()) };
    let began = first.timestamp().rem_euclid(86_400) / 3_600;
    // A day that begins at 15:00 UTC is that of UTC+9; one that begins at 10:00 that of UTC-10.
    let offset = if began > 11 { 24 - began } else { -began };
    let asked =
        vec![("hour >= TODAY() with a token".to_owned(), format!("the day is that of UTC{offset:+}"))];
    let position = ZONES.iter().find(|(hours, _)| *hours == offset);
    let outcome = position.map_or_else(
        || Outcome::Open(format!("a zone that no switch stands for: UTC{offset:+}")),
        |(_, zone)| Outcome::Settled(zone),
    );
    Ok((asked, outcome))
}

/// Whether `LOGINUSER()` is who a token's records are by.
async fn identity(
    asker: &Asker<'_>,
    scratch: &mut Scratch,
    who: Who<'_>,
) -> Result<(Asked, Outcome), String> {
    let sent = json!({"app": scratch.id, "record": {}});
    let made = asker.change(who, Method::POST, "record.json", sent).await?;
    let id = made.json.as_ref().and_then(|body| body.get("id")?.as_str()?.parse::<u64>().ok());
    let Some(id) = id.filter(|_| made.status == 200) else {
        return Err(format!("the token cannot add a record ({})", made.outcome()));
    };
    scratch.written.push(id);
    let creator = scratch.system("CREATOR").to_owned();
    let record = scratch.record(asker, id).await.map_err(|fault| fault.to_string())?;
    let code = record.get(&creator).and_then(|field| field.pointer("/value/code")).and_then(Value::as_str);
    let reply = records(asker, scratch, who, &format!("{creator} in (LOGINUSER()) and $id = {id}")).await?;
    if reply.status != 200 {
        return Err(format!("an unexpected answer: {}", reply.outcome()));
    }
    let is_found = ids(&reply) == [id];
    let code = super::super::line::plain(code.unwrap_or("nobody"), 40);
    let asked = vec![
        ("the creator of a token's record".to_owned(), code),
        (
            format!("{creator} in (LOGINUSER()) with a token"),
            if is_found { "its record" } else { "nothing" }.to_owned(),
        ),
    ];
    Ok((asked, Outcome::Settled(if is_found { "yes" } else { "no" })))
}
