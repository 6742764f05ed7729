//! Questions that take more than one query: values as they are read, writes, cursors, the preview, other apps.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::super::config::ClientConfig;
use super::super::line::{Ask, Who, plain};
use super::ask::Asker;
use super::finding::{Findings, Outcome};
use super::query::{filled, ids, letters, records};
use super::scratch::Scratch;

type Asked = Vec<(String, String)>;
type Answer = Result<(Asked, Outcome), String>;

fn one(question: impl Into<String>, answer: impl Into<String>) -> Asked {
    vec![(question.into(), answer.into())]
}

fn odd(answer: &str) -> Outcome {
    Outcome::Open(format!("an unexpected answer: {answer}"))
}

fn yes(is: bool) -> Outcome {
    Outcome::Settled(if is { "yes" } else { "no" })
}

/// Asks every question. Those that change A to D come last.
pub(super) async fn ask_all(
    asker: &Asker<'_>,
    scratch: &mut Scratch,
    config: &ClientConfig,
    findings: &mut Findings,
) {
    let mut add = |name, section, answer: Answer| {
        let (asked, outcome) = answer.unwrap_or_else(|why| (vec![], Outcome::Open(why)));
        findings.add(name, section, asked, outcome);
    };
    add("missing_day", "3.4", missing_day(asker, scratch).await);
    add("ties", "3.7", ties(asker, scratch).await);
    add("record_number_takes_app_code", "3.5", app_code(asker, scratch).await);
    for (switch, field) in [
        ("empty_number_is_null", "n"),
        ("empty_datetime_is_null", "moment"),
        ("empty_radio_is_null", "radio"),
    ] {
        add(switch, "4.1", empty(asker, scratch, field).await);
    }
    add("content_type_on_bodyless_get", "1.4", typed_get(asker, scratch).await);
    add("missing_records_have_no_rights", "2.1", missing_rights(asker, scratch).await);
    add("new_records_bring_writers_and_times", "4.2", given_time(asker, scratch).await);
    add("plain_path_lists_guest_apps", "2.2", guest_apps(asker, config).await);
    add("unnamed_columns_are_deleted", "2.2", columns(asker, scratch).await);
    let unprovoked = "needs two writers at the same moment, which nobody can bring about at will";
    add(
        "status_of_a_lost_lock",
        "5.3",
        Ok((one("GAIA_RE18", "not provoked"), Outcome::Told(unprovoked.into()))),
    );
    add("longest_query", "3.1", long_queries(asker, scratch).await);
    add("cursor_contents", "6", cursor(asker, scratch).await);
    add("no_op_update_bumps_revision", "6", same_update(asker, scratch).await);
    add("new_rows_of_updates_take_defaults", "4.2", new_row(asker, scratch).await);
}

/// Day 31 of a shorter month.
async fn missing_day(asker: &Asker<'_>, scratch: &Scratch) -> Answer {
    let function = scratch.short_month.function;
    let reply = records(asker, scratch, Who::Login, &format!("date = {function}(31)")).await?;
    let found = letters(scratch, &reply, true);
    let outcome = match (reply.status, found.as_str()) {
        (200, "C") => Outcome::Settled("first of the next month"),
        (200, "B") => Outcome::Settled("last of the month"),
        _ => odd(&format!("{} {found}", reply.outcome())),
    };
    let answer = match found.as_str() {
        "C" => "the first of the next month".into(),
        "B" => "the last of the month".into(),
        _ => reply.outcome(),
    };
    Ok((one("day 31 of a month that has none", answer), outcome))
}

/// The order of records with nothing to order them by.
async fn ties(asker: &Asker<'_>, scratch: &Scratch) -> Answer {
    let query = format!("$id > {} order by n asc limit 500", scratch.of('D'));
    let reply = records(asker, scratch, Who::Login, &query).await?;
    let found: Vec<u64> =
        ids(&reply).into_iter().filter(|id| scratch.hours.iter().any(|(h, _)| h == id)).collect();
    if reply.status != 200 || found.len() != scratch.hours.len() {
        return Err(format!("an unexpected answer: {}", reply.outcome()));
    }
    let position = if found.is_sorted() {
        "oldest first"
    } else if found.iter().rev().is_sorted() {
        "newest first"
    } else {
        "scrambled"
    };
    Ok((one("order by n asc, of 24 records without n", position), Outcome::Settled(position)))
}

async fn app_code(asker: &Asker<'_>, scratch: &Scratch) -> Answer {
    if scratch.code.is_empty() {
        return Err("needs an app code: give the app one in its settings, and probe it again".into());
    }
    let query = filled(scratch, "{RECORD_NUMBER} = ", |id| id.to_string());
    let literal = format!("\"{}-{}\"", scratch.code, scratch.of('A'));
    let reply = records(asker, scratch, Who::Login, &format!("{query}{literal}")).await?;
    let found = letters(scratch, &reply, true);
    let outcome = match (reply.status, found.as_str()) {
        (200, "A") => yes(true),
        (200, "") | (400, _) => yes(false),
        _ => odd(&reply.outcome()),
    };
    Ok((one(format!("{query}\"CODE-A\""), format!("{} {found}", reply.outcome()).trim_end()), outcome))
}

/// A field of the empty record.
async fn empty(asker: &Asker<'_>, scratch: &Scratch, field: &str) -> Answer {
    let record = scratch.record(asker, scratch.of('D')).await.map_err(|fault| fault.to_string())?;
    let value = record.get(field).and_then(|field| field.get("value")).cloned();
    let shown = value.as_ref().map_or_else(|| "no value".to_owned(), |value| plain(&value.to_string(), 60));
    let outcome = match value {
        Some(Value::Null) => yes(true),
        Some(Value::String(text)) if text.is_empty() => yes(false),
        _ => Outcome::Open(format!("it is never empty: it reads {shown}")),
    };
    Ok((one(format!("{field} where nothing is set"), shown), outcome))
}

async fn typed_get(asker: &Asker<'_>, scratch: &Scratch) -> Answer {
    let mut ask = Ask::get("/k/v1/records.json").with("app", scratch.id).with("query", "limit 1");
    ask.typed = true;
    let reply = asker.get(&ask).await?;
    let outcome = match reply.status {
        200 => yes(true),
        400 => yes(false),
        _ => odd(&reply.outcome()),
    };
    Ok((one("a GET with a Content-Type and no body", reply.outcome()), outcome))
}

/// The rights of a record that is not there.
async fn missing_rights(asker: &Asker<'_>, scratch: &Scratch) -> Answer {
    let absent = scratch.written.iter().max().copied().unwrap_or_default() + 1_000_000;
    let ask = Ask::get("/k/v1/records/acl/evaluate.json").with("app", scratch.id).with("ids[0]", absent);
    let reply = asker.get(&ask).await?;
    let outcome = match reply.status {
        200 => yes(true),
        404 => yes(false),
        _ => odd(&reply.outcome()),
    };
    Ok((one("the rights of a record that is not there", reply.outcome()), outcome))
}

/// A new record that says when it was made.
async fn given_time(asker: &Asker<'_>, scratch: &mut Scratch) -> Answer {
    const TIME: &str = "2001-02-03T04:05:00Z";
    let field = scratch.system("CREATED_TIME").to_owned();
    let record = serde_json::Map::from_iter([(field.clone(), json!({"value": TIME}))]);
    let sent = json!({"app": scratch.id, "record": record});
    let reply = asker.change(Who::Login, Method::POST, "record.json", sent).await?;
    let id = reply.json.as_ref().and_then(|body| body.get("id")?.as_str()?.parse::<u64>().ok());
    let Some(id) = id else {
        return Ok((one(format!("a new record with {field}"), reply.outcome()), odd(&reply.outcome())));
    };
    scratch.written.push(id);
    let record = scratch.record(asker, id).await.map_err(|fault| fault.to_string())?;
    let is_kept = record.get(&field).and_then(|field| field.get("value")) == Some(&json!(TIME));
    let answer = if is_kept { "kept" } else { "passed over" };
    Ok((one(format!("a new record with {field}"), answer), yes(is_kept)))
}

/// An app of a guest space, looked for on the plain path.
async fn guest_apps(asker: &Asker<'_>, config: &ClientConfig) -> Answer {
    let Some(space) = config.guest_spaces.first() else {
        return Err("needs a guest space with an app in it, given as GuestSpaceId".into());
    };
    let there = asker.get(&Ask::get(format!("/k/guest/{space}/v1/apps.json")).with("limit", 1)).await?;
    let id = there.list("apps").first().and_then(|app| app.get("appId")).and_then(Value::as_str);
    let Some(id) = id else { return Err(format!("guest space {space} shows no app ({})", there.outcome())) };
    let reply = asker.get(&Ask::get("/k/v1/apps.json").with("ids[0]", id)).await?;
    if reply.status != 200 {
        return Err(format!("an unexpected answer: {}", reply.outcome()));
    }
    let is_listed = !reply.list("apps").is_empty();
    let answer = if is_listed { "listed" } else { "not listed" };
    Ok((one("a guest space's app on the plain path", answer), yes(is_listed)))
}

/// A table's update that names one of its two columns; in the preview only, and taken back.
async fn columns(asker: &Asker<'_>, scratch: &Scratch) -> Answer {
    let app = scratch.id;
    let quantity = json!({"type": "NUMBER", "code": "quantity", "label": "quantity"});
    let rows = json!({"type": "SUBTABLE", "code": "rows", "fields": {"quantity": quantity}});
    let sent = json!({"app": app, "properties": {"rows": rows}});
    let reply = asker.change(Who::Login, Method::PUT, "preview/app/form/fields.json", sent).await?;
    let question = "an update of a table that names one of two columns";
    if reply.status != 200 {
        return Ok((one(question, reply.outcome()), odd(&reply.outcome())));
    }
    let ask = Ask::get("/k/v1/preview/app/form/fields.json").with("app", app);
    let form = asker.must(&ask).await.map_err(|fault| fault.to_string());
    let taken_back = asker.deploy(app, true).await.map_err(|fault| fault.to_string());
    let is_gone = form?.pointer("/properties/rows/fields/note").is_none();
    taken_back?;
    Ok((one(question, if is_gone { "the other is gone" } else { "the other stays" }), yes(is_gone)))
}

/// How long a query may be: lists, alternatives, parentheses (K§10.7).
async fn long_queries(asker: &Asker<'_>, scratch: &Scratch) -> Answer {
    let list = |n: u32| format!("$id in ({})", (1..=n).map(|i| i.to_string()).collect::<Vec<_>>().join(", "));
    let either = |n: u32| (1..=n).map(|i| format!("$id = {i}")).collect::<Vec<_>>().join(" or ");
    let nested = |n: usize| format!("{}$id > 0{}", "(".repeat(n), ")".repeat(n));
    let mut asked = vec![];
    for (what, query) in [
        ("$id in (...) with 1,000 values", list(1_000)),
        ("$id in (...) with 10,000 values", list(10_000)),
        ("500 conditions joined by or", either(500)),
        ("50 parentheses within each other", nested(50)),
    ] {
        let mut ask = Ask::get("/k/v1/records.json");
        ask.overridden = true;
        let ask = ask.body(json!({"app": scratch.id, "query": query, "fields": ["$id"]}));
        let answer = asker.get(&ask).await.map_or_else(|why| why, |reply| reply.outcome());
        asked.push((what.to_owned(), answer));
    }
    let taken = asked.iter().filter(|(_, answer)| answer == "200").count();
    let told = format!("{taken} of {} long queries are taken", asked.len());
    Ok((asked, Outcome::Told(told)))
}

/// A record that changes between a cursor's making and its reading.
async fn cursor(asker: &Asker<'_>, scratch: &Scratch) -> Answer {
    let id = scratch.of('C');
    let sent = json!({"app": scratch.id, "query": format!("$id = {id}"), "fields": ["text"]});
    let made = asker.change(Who::Login, Method::POST, "records/cursor.json", sent).await?;
    let cursor = made.json.as_ref().and_then(|body| body.get("id")?.as_str()).map(str::to_owned);
    let Some(cursor) = cursor.filter(|_| made.status == 200) else {
        return Err(format!("no cursor: {}", made.outcome()));
    };
    let sent = json!({"app": scratch.id, "id": id, "record": {"text": {"value": "changed"}}});
    let changed = asker.change(Who::Login, Method::PUT, "record.json", sent).await?;
    let page = asker.get(&Ask::get("/k/v1/records/cursor.json").with("id", cursor.as_str())).await?;
    let text = page.list("records").first().and_then(|record| record.pointer("/text/value")?.as_str());
    let outcome = match text {
        _ if changed.status != 200 => odd(&changed.outcome()),
        Some("changed") => Outcome::Settled("at read"),
        Some("x") => Outcome::Settled("at creation"),
        _ => odd(&page.outcome()),
    };
    let answer = if outcome == Outcome::Settled("at read") { "the new text" } else { "the old text" };
    Ok((one("a cursor's record that changes before it is read", answer), outcome))
}

fn revision(body: Option<&Value>) -> Option<u64> {
    body?.get("revision")?.as_str()?.parse().ok()
}

async fn same_update(asker: &Asker<'_>, scratch: &Scratch) -> Answer {
    let id = scratch.of('A');
    let before = scratch.record(asker, id).await.map_err(|fault| fault.to_string())?;
    let before =
        before.pointer("/$revision/value").and_then(Value::as_str).and_then(|text| text.parse::<u64>().ok());
    let sent = json!({"app": scratch.id, "id": id, "record": {"text": {"value": "apple"}}});
    let reply = asker.change(Who::Login, Method::PUT, "record.json", sent).await?;
    let (Some(before), Some(after)) = (before, revision(reply.json.as_ref())) else {
        return Err(format!("an unexpected answer: {}", reply.outcome()));
    };
    let answer = if after > before { "a new revision" } else { "the same revision" };
    Ok((one("an update that changes nothing", answer), yes(after > before)))
}

async fn new_row(asker: &Asker<'_>, scratch: &Scratch) -> Answer {
    let id = scratch.of('C');
    let sent = json!({"app": scratch.id, "id": id, "record": {"rows": {"value": [{"value": {}}]}}});
    let reply = asker.change(Who::Login, Method::PUT, "record.json", sent).await?;
    if reply.status != 200 {
        return Err(format!("an unexpected answer: {}", reply.outcome()));
    }
    let record = scratch.record(asker, id).await.map_err(|fault| fault.to_string())?;
    let note = record.pointer("/rows/value/0/value/note/value").and_then(Value::as_str).unwrap_or_default();
    let answer = if note == "default" { "the default" } else { "nothing" };
    Ok((one("an unsent column of a row that an update adds", answer), yes(note == "default")))
}
