//! The scratch app: made or checked, filled, emptied again.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::super::line::{Ask, Who};
use super::ask::Asker;
use super::{App, Fault, MARKER, Options};

const FIELDS: &str = "preview/app/form/fields.json";
/// Records of one call.
const BATCH: usize = 100;
/// Records that have nothing but an hour: as many as a day has.
pub(super) const HOURS: u32 = 24;

/// The scratch app and what is in it.
#[derive(Debug)]
pub(super) struct Scratch {
    pub(super) id: u64,
    /// The app's own code, where somebody gave it one.
    pub(super) code: String,
    /// A field's code by its type, of what every app has.
    system: BTreeMap<String, String>,
    /// Fields that Kintone did not take, with its reason.
    pub(super) missing: Vec<(&'static str, String)>,
    /// Why process management could not be enabled.
    pub(super) no_process: Option<String>,
    /// The ids of A, B, C and D. D is empty, and the last of them.
    pub(super) letters: Vec<u64>,
    /// The hours of the other records: (id, hour).
    pub(super) hours: Vec<(u64, DateTime<Utc>)>,
    pub(super) short_month: ShortMonth,
    /// Everything that was written.
    pub(super) written: Vec<u64>,
}

/// A month near today that has no 31st day.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShortMonth {
    pub(super) function: &'static str,
    pub(super) last_day: NaiveDate,
}

impl ShortMonth {
    fn near(now: DateTime<Utc>) -> Option<Self> {
        let first = now.date_naive().with_day(1)?;
        let months = [
            ("LAST_MONTH", first.checked_sub_months(Months::new(1))?),
            ("THIS_MONTH", first),
            ("NEXT_MONTH", first.checked_add_months(Months::new(1))?),
        ];
        let last = |(function, first): (&'static str, NaiveDate)| {
            let last_day = first.checked_add_months(Months::new(1))?.pred_opt()?;
            Some(Self { function, last_day })
        };
        months.into_iter().filter_map(last).find(|month| month.last_day.day() < 31)
    }
}

/// The form: codes, and what each is.
fn form() -> Vec<(&'static str, Value)> {
    let field = |code: &'static str, kind: &str, more: Value| {
        let mut field = json!({"type": kind, "code": code, "label": code});
        if let (Some(field), Value::Object(more)) = (field.as_object_mut(), more) {
            field.extend(more);
        }
        (code, field)
    };
    let options = json!({"options": {"z": {"label": "z", "index": "0"}, "a": {"label": "a", "index": "1"}}});
    let quantity = json!({"type": "NUMBER", "code": "quantity", "label": "quantity"});
    let note =
        json!({"type": "SINGLE_LINE_TEXT", "code": "note", "label": "note", "defaultValue": "default"});
    vec![
        field("text", "SINGLE_LINE_TEXT", json!({})),
        field("rich", "RICH_TEXT", json!({})),
        field("n", "NUMBER", json!({})),
        field("divisor", "NUMBER", json!({})),
        field("k", "NUMBER", json!({})),
        field("date", "DATE", json!({})),
        field("time", "TIME", json!({})),
        field("moment", "DATETIME", json!({})),
        field("hour", "DATETIME", json!({})),
        field("radio", "RADIO_BUTTON", options.clone()),
        field("choice", "DROP_DOWN", options),
        field("people", "USER_SELECT", json!({})),
        field("rows", "SUBTABLE", json!({"fields": {"quantity": quantity, "note": note}})),
    ]
}

/// Fields that Kintone may not take, or that need others.
fn late_form() -> Vec<(&'static str, Value)> {
    // An empty divisor divides by nothing: the only empty value that a formula has (K§4.1).
    let calc = json!({
        "type": "CALC", "code": "calc", "label": "calc", "expression": "n / divisor", "format": "NUMBER",
    });
    vec![("calc", calc), ("limit", json!({"type": "NUMBER", "code": "limit", "label": "limit"}))]
}

/// A record as it is sent.
fn values(pairs: &[(&str, Value)]) -> Value {
    pairs
        .iter()
        .map(|(code, value)| ((*code).to_owned(), json!({"value": value})))
        .collect::<Map<_, _>>()
        .into()
}

/// The records A, B and C.
fn lettered(now: DateTime<Utc>, month: ShortMonth) -> [Value; 3] {
    let year = now.year();
    let first_of_next = month.last_day.checked_add_days(Days::new(1));
    let next = first_of_next.map(|day| day.to_string()).unwrap_or_default();
    let row = |quantity: &str| json!([{"value": {"quantity": {"value": quantity}}}]);
    [
        values(&[
            ("text", json!("apple")),
            ("rich", json!("b")),
            ("n", json!("10")),
            ("divisor", json!("5")),
            ("k", json!("7")),
            ("date", json!("2026-01-10")),
            ("time", json!("09:00")),
            ("moment", json!("2020-01-10T00:00:00Z")),
            ("radio", json!("z")),
            ("choice", json!("z")),
            ("rows", row("1")),
        ]),
        values(&[
            ("text", json!("5")),
            ("rich", json!("a")),
            ("n", json!("20")),
            ("divisor", json!("4")),
            ("k", json!("7")),
            ("date", json!(month.last_day.to_string())),
            ("time", json!("10:00")),
            ("moment", json!(format!("{year}-07-01T03:00:00Z"))),
            ("radio", json!("a")),
            ("choice", json!("a")),
            ("rows", row("")),
        ]),
        values(&[
            ("text", json!("x")),
            ("rich", json!("c")),
            ("n", json!("30")),
            ("divisor", json!("3")),
            ("date", json!(next)),
            ("time", json!("11:00")),
            ("moment", json!("2020-01-11T00:00:00Z")),
            ("radio", json!("a")),
            ("choice", json!("a")),
        ]),
    ]
}

/// The app's own records by `k`: these need the live app.
fn related_form(app: u64) -> Vec<(&'static str, Value)> {
    let reference = json!({
        "relatedApp": {"app": app.to_string(), "code": ""},
        "condition": {"field": "k", "relatedField": "k"},
        "filterCond": "", "displayFields": ["text"], "sort": "", "size": "5",
    });
    let field =
        json!({"type": "REFERENCE_TABLE", "code": "others", "label": "others", "referenceTable": reference});
    vec![("others", field)]
}

fn number(value: Option<&Value>) -> Option<u64> {
    let value = value?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

impl Scratch {
    /// Makes the app, or looks whether it may be written to, and gives it every field that is needed.
    pub(super) async fn open(asker: &Asker<'_>, options: &Options) -> Result<Self, Fault> {
        let short_month =
            ShortMonth::near(options.now).ok_or_else(|| Fault::Refused("the clock is wrong".into()))?;
        let (id, live) = match options.app {
            App::New => {
                let made = asker.make(Method::POST, "preview/app.json", json!({"name": MARKER})).await?;
                let id = number(made.get("app"));
                (id.ok_or_else(|| Fault::Failed("Kintone did not say which app it made".into()))?, Map::new())
            }
            App::Id(id) => (id, check(asker, id).await?),
        };
        let mut scratch = Self {
            id,
            code: String::new(),
            system: BTreeMap::new(),
            missing: vec![],
            no_process: None,
            letters: vec![],
            hours: vec![],
            short_month,
            written: vec![],
        };
        scratch.prepare(asker, &live).await.map_err(|fault| match options.app {
            App::New => Fault::Failed(format!("{fault}; app {id} was made for the probe, and stays")),
            App::Id(_) => fault,
        })?;
        Ok(scratch)
    }

    /// Everything but the records.
    async fn prepare(&mut self, asker: &Asker<'_>, live: &Map<String, Value>) -> Result<(), Fault> {
        self.complete(asker, live).await?;
        let id = self.id;
        let app = asker.must(&Ask::get("/k/v1/app.json").with("id", id)).await?;
        text(&app, "code").clone_into(&mut self.code);
        let form = asker.must(&Ask::get("/k/v1/app/form/fields.json").with("app", id)).await?;
        for (code, field) in form.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let kind = text(field, "type");
            self.system.entry(kind.to_owned()).or_insert_with(|| code.clone());
        }
        Ok(())
    }

    /// Adds what the form lacks, turns process management on, and brings both live.
    async fn complete(&mut self, asker: &Asker<'_>, live: &Map<String, Value>) -> Result<(), Fault> {
        let form: Map<_, _> = form()
            .into_iter()
            .filter(|(code, _)| !live.contains_key(*code))
            .map(|(code, field)| (code.to_owned(), field))
            .collect();
        let mut changed = !form.is_empty();
        if changed {
            asker.make(Method::POST, FIELDS, json!({"app": self.id, "properties": form})).await?;
        }
        changed |= self.add(asker, late_form(), live).await?;
        changed |= self.enable_process(asker).await?;
        if changed {
            asker.deploy(self.id, false).await?;
        }
        if self.add(asker, related_form(self.id), live).await? {
            asker.deploy(self.id, false).await?;
        }
        Ok(())
    }

    /// Adds fields one by one, since Kintone may refuse one; whether any was taken.
    async fn add(
        &mut self,
        asker: &Asker<'_>,
        fields: Vec<(&'static str, Value)>,
        live: &Map<String, Value>,
    ) -> Result<bool, Fault> {
        let mut changed = false;
        for (code, field) in fields.into_iter().filter(|(code, _)| !live.contains_key(*code)) {
            let sent = json!({"app": self.id, "properties": {code: field}});
            match asker.change(Who::Login, Method::POST, FIELDS, sent).await {
                Ok(reply) if reply.status == 200 => changed = true,
                Ok(reply) => self.missing.push((code, reply.outcome())),
                Err(why) => return Err(Fault::Failed(why)),
            }
        }
        Ok(changed)
    }

    /// Whether it was off, and is on now.
    async fn enable_process(&mut self, asker: &Asker<'_>) -> Result<bool, Fault> {
        let process = asker.must(&Ask::get("/k/v1/preview/app/status.json").with("app", self.id)).await?;
        if process.get("enable").and_then(Value::as_bool) == Some(true) {
            return Ok(false);
        }
        let state = |name: &str, index: &str| json!({"name": name, "index": index});
        let sent = json!({
            "app": self.id, "enable": true,
            "states": {"open": state("open", "0"), "done": state("done", "1")},
            "actions": [{"name": "finish", "from": "open", "to": "done", "filterCond": ""}],
        });
        match asker.change(Who::Login, Method::PUT, "preview/app/status.json", sent).await {
            Ok(reply) if reply.status == 200 => Ok(true),
            Ok(reply) => {
                self.no_process = Some(reply.outcome());
                Ok(false)
            }
            Err(why) => Err(Fault::Failed(why)),
        }
    }

    /// The code of a field that every app has; such as `Created_by`, in the language of who made the app.
    pub(super) fn system(&self, kind: &str) -> &str {
        self.system.get(kind).map(String::as_str).unwrap_or_default()
    }

    /// The letter of a record, or its id.
    pub(super) fn letter(&self, id: u64) -> String {
        let at = self.letters.iter().position(|known| *known == id);
        at.and_then(|at| ["A", "B", "C", "D"].get(at)).map_or_else(|| id.to_string(), |l| (*l).to_owned())
    }

    /// The id of a letter.
    pub(super) fn of(&self, letter: char) -> u64 {
        let at = "ABCD".find(letter).and_then(|at| self.letters.get(at));
        at.copied().unwrap_or_default()
    }

    /// Writes the records: A to C with values, D without, and one for each hour of the last day.
    pub(super) async fn fill(&mut self, asker: &Asker<'_>, now: DateTime<Utc>) -> Result<(), Fault> {
        let records = lettered(now, self.short_month);
        self.letters = self.insert(asker, &records).await?;
        // Kintone may not take an empty radio button; then it has one of its options.
        let empty = match self.insert(asker, &[values(&[("radio", json!(""))])]).await {
            Ok(ids) => ids,
            Err(_) => self.insert(asker, &[values(&[])]).await?,
        };
        self.letters.extend(empty);
        self.add_person(asker).await?;
        let hour = DateTime::from_timestamp(now.timestamp().div_euclid(3_600) * 3_600, 0).unwrap_or(now);
        let hours: Vec<_> = (0..HOURS).map(|back| hour - TimeDelta::hours(i64::from(back))).collect();
        let moment = |hour: &DateTime<Utc>| json!(hour.format("%Y-%m-%dT%H:%M:00Z").to_string());
        let records: Vec<_> = hours.iter().map(|hour| values(&[("hour", moment(hour))])).collect();
        let ids = self.insert(asker, &records).await?;
        self.hours = ids.into_iter().zip(hours).collect();
        Ok(())
    }

    /// Writes records, and remembers them.
    async fn insert(&mut self, asker: &Asker<'_>, records: &[Value]) -> Result<Vec<u64>, Fault> {
        let reply =
            asker.make(Method::POST, "records.json", json!({"app": self.id, "records": records})).await?;
        let ids = reply.get("ids").and_then(Value::as_array).into_iter().flatten();
        let ids: Vec<u64> = ids.filter_map(|id| number(Some(id))).collect();
        self.written.extend(&ids);
        if ids.len() == records.len() { Ok(ids) } else { Err(Fault::Failed("records were lost".into())) }
    }

    /// Puts the connection's user, as Kintone calls them, into A.
    async fn add_person(&mut self, asker: &Asker<'_>) -> Result<(), Fault> {
        let record = self.record(asker, self.of('A')).await?;
        let creator = record.get(self.system("CREATOR")).and_then(|field| field.pointer("/value/code"));
        let people = json!({"people": {"value": [{"code": creator}]}});
        let sent = json!({"app": self.id, "id": self.of('A'), "record": people});
        asker.make(Method::PUT, "record.json", sent).await.map(drop)
    }

    /// A record as it is read.
    pub(super) async fn record(&self, asker: &Asker<'_>, id: u64) -> Result<Value, Fault> {
        let ask = Ask::get("/k/v1/record.json").with("app", self.id).with("id", id);
        Ok(asker.must(&ask).await?.get("record").cloned().unwrap_or_default())
    }

    /// Deletes what was written; gives how many records the app still has.
    pub(super) async fn clean(&mut self, asker: &Asker<'_>) -> usize {
        let written = std::mem::take(&mut self.written);
        for ids in written.chunks(BATCH) {
            let sent = json!({"app": self.id, "ids": ids});
            // Whether it was done is seen below.
            let _ = asker.change(Who::Login, Method::DELETE, "records.json", sent).await;
        }
        match count(asker, self.id).await {
            Ok(left) => usize::try_from(left).unwrap_or(usize::MAX),
            Err(_) => written.len(),
        }
    }
}

async fn count(asker: &Asker<'_>, id: u64) -> Result<u64, Fault> {
    let ask =
        Ask::get("/k/v1/records.json").with("app", id).with("query", "limit 1").with("totalCount", true);
    let reply = asker.must(&ask).await?;
    number(reply.get("totalCount")).ok_or_else(|| Fault::Failed("Kintone did not count the records".into()))
}

/// The live form of an app that may be written to: of this probe, and empty.
async fn check(asker: &Asker<'_>, id: u64) -> Result<Map<String, Value>, Fault> {
    let app = asker.must(&Ask::get("/k/v1/app.json").with("id", id)).await?;
    if text(&app, "name") != MARKER {
        return Err(Fault::Refused(format!(
            "app {id} is not named \"{MARKER}\", so nothing is written to it; let the probe make an app: --probe new"
        )));
    }
    if count(asker, id).await? != 0 {
        return Err(Fault::Refused(format!(
            "app {id} has records, so nothing is written to it; delete them first"
        )));
    }
    let form = asker.must(&Ask::get("/k/v1/app/form/fields.json").with("app", id)).await?;
    Ok(form.get("properties").and_then(Value::as_object).cloned().unwrap_or_default())
}
