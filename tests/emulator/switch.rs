//! Every switch of Kintone's open facts in every position: it changes what it says, and nothing else.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use kintone_sql::emulator::{Options, SWITCHES, Unknowns};
use serde_json::{Value, json};

use super::{Domain, password, send, token};

/// Something to ask, whose answer is a short text.
enum Probe {
    /// Ids of a query by a person.
    Query(String),
    /// Ids of a query with the app's API token.
    TokenQuery(String),
    /// The outcome of a GET with an API token: path, token.
    Outcome(&'static str, &'static str),
    /// The names of all apps for an API token, or the code of the refusal.
    TokenApps,
    /// The code that a token gets for reading the preview of its app's form.
    TokenPreview,
    /// The columns of a table after an update of it that names the first alone.
    Columns,
    /// The names of all apps for a person.
    Apps,
    /// A field of the empty record, as JSON.
    Empty(&'static str),
    /// The outcome of a GET with a `Content-Type` and no body.
    TypedGet,
    /// The revision after an update that changes nothing.
    SameUpdate,
    /// The value of a column of a row that an update added.
    NewRow,
    /// The creator of a record that was added with one.
    GivenCreator,
    /// The outcome of asking for the rights of a record that is not there.
    MissingRights,
    /// What a cursor gives of a record that was changed after the cursor was made.
    Cursor,
}

async fn ids(domain: &Domain, query: &str, header: (&str, String)) -> String {
    let target = format!("/k/v1/records.json?app=1&query={}", super::encode(query));
    let reply = send(domain.emulator.port(), "GET", &target, &[header], None).await;
    if reply.status != 200 {
        return reply.outcome();
    }
    let body = reply.json();
    let ids = body["records"].as_array().unwrap().iter().map(|r| r["$id"]["value"].as_str().unwrap());
    ids.collect::<Vec<_>>().join(" ")
}

fn names(reply: &super::Reply) -> String {
    let body = reply.json();
    if reply.status != 200 {
        return body["code"].as_str().unwrap().to_owned();
    }
    let names = body["apps"].as_array().unwrap().iter().map(|app| app["name"].as_str().unwrap());
    names.collect::<Vec<_>>().join(" ")
}

async fn ask(domain: &Domain, probe: &Probe) -> String {
    let port = domain.emulator.port();
    match probe {
        Probe::Query(query) => ids(domain, query, password("sato", "pw")).await,
        Probe::TokenQuery(query) => ids(domain, query, token("token1")).await,
        Probe::Outcome(path, sent) => send(port, "GET", path, &[token(sent)], None).await.outcome(),
        Probe::TokenApps => names(&send(port, "GET", "/k/v1/apps.json", &[token("token1")], None).await),
        Probe::TokenPreview => {
            let target = "/k/v1/preview/app/form/fields.json?app=1";
            let outcome = send(port, "GET", target, &[token("token1")], None).await.outcome();
            outcome.split(' ').next_back().unwrap().to_owned()
        }
        Probe::Columns => {
            let fields = json!({"d": {"type": "SINGLE_LINE_TEXT", "code": "d", "label": "d"}});
            let rows = json!({"rows": {"type": "SUBTABLE", "code": "rows", "fields": fields}});
            let path = "preview/app/form/fields.json";
            let reply = domain.call("PUT", path, json!({"app": 2, "properties": rows})).await;
            assert_eq!(reply.outcome(), "200", "{}", reply.json());
            let form = domain.get(&format!("{path}?app=2")).await.json();
            let columns = form["properties"]["rows"]["fields"].as_object().unwrap().keys();
            columns.cloned().collect::<Vec<_>>().join(" ")
        }
        Probe::Apps => names(&domain.get("apps.json").await),
        Probe::Empty(code) => domain.get("record.json?app=1&id=4").await.json()["record"][code].to_string(),
        Probe::TypedGet => {
            let headers = [password("sato", "pw"), ("Content-Type", "application/json".to_owned())];
            send(port, "GET", "/k/v1/records.json?app=1", &headers, None).await.outcome()
        }
        Probe::SameUpdate => {
            let body = json!({"app": 2, "id": 1, "record": {"a": {"value": "same"}}});
            let reply = domain.call("PUT", "record.json", body).await.json();
            reply["revision"].as_str().unwrap_or_default().to_owned()
        }
        Probe::NewRow => {
            let body = json!({"app": 2, "id": 2, "record": {"rows": {"value": [{"value": {}}]}}});
            assert_eq!(domain.call("PUT", "record.json", body).await.outcome(), "200");
            let record = domain.get("record.json?app=2&id=2").await.json()["record"].clone();
            record["rows"]["value"][0]["value"]["d"]["value"].as_str().unwrap().to_owned()
        }
        Probe::GivenCreator => {
            let body = json!({"app": 2, "record": {"作成者": {"value": {"code": "zoe"}}}});
            let id = domain.call("POST", "record.json", body).await.json()["id"].as_str().unwrap().to_owned();
            let record = domain.get(&format!("record.json?app=2&id={id}")).await.json()["record"].clone();
            record["作成者"]["value"]["code"].as_str().unwrap().to_owned()
        }
        Probe::MissingRights => {
            domain.call("GET", "records/acl/evaluate.json", json!({"app": 2, "ids": [99]})).await.outcome()
        }
        Probe::Cursor => {
            let made =
                domain.call("POST", "records/cursor.json", json!({"app": 2, "query": "$id = 2"})).await;
            let change = json!({"app": 2, "id": 2, "record": {"a": {"value": "new"}}});
            assert_eq!(domain.call("PUT", "record.json", change).await.outcome(), "200");
            let id = made.json()["id"].as_str().unwrap().to_owned();
            let page = domain.get(&format!("records/cursor.json?id={id}")).await.json();
            page["records"][0]["a"]["value"].as_str().unwrap().to_owned()
        }
    }
}

/// What depends on the day on which the test runs.
struct Today {
    now: DateTime<Utc>,
    /// A function's name, and the month that it stands for has fewer than 31 days.
    short_month: &'static str,
    /// Of the month before.
    last_day: NaiveDate,
}

impl Today {
    fn new() -> Self {
        let now = Utc::now();
        let first = now.with_timezone(&Tz::Asia__Tokyo).date_naive().with_day(1).unwrap();
        let months = [
            ("LAST_MONTH", first - Months::new(1)),
            ("THIS_MONTH", first),
            ("NEXT_MONTH", first + Months::new(1)),
        ];
        let last = |first: NaiveDate| first + Months::new(1) - Days::new(1);
        let (short_month, first) =
            months.into_iter().find(|(_, first)| last(*first).day() < 31).expect("no three months are long");
        Self { now, short_month, last_day: last(first) }
    }

    /// The last minute of today in a zone.
    fn last_minute(&self, zone: Tz) -> DateTime<Utc> {
        let tomorrow = self.now.with_timezone(&zone).date_naive() + Days::new(1);
        tomorrow.and_hms_opt(0, 0, 0).unwrap().and_local_timezone(zone).unwrap().to_utc()
            - TimeDelta::minutes(1)
    }

    const ZONES: [Tz; 3] = [Tz::Asia__Tokyo, Tz::UTC, Tz::Pacific__Honolulu];

    /// The ids (newest first) of records 1 to 3, at the last minutes of the zones' days, that are today in a zone.
    fn today_in(&self, zone: Tz) -> String {
        let today = |instant: DateTime<Utc>| instant.with_timezone(&zone).date_naive();
        let found =
            (1..=3).rev().filter(|id| today(self.last_minute(Self::ZONES[id - 1])) == today(self.now));
        found.map(|id| id.to_string()).collect::<Vec<_>>().join(" ")
    }
}

fn world(today: &Today) -> Value {
    let minute = |instant: DateTime<Utc>| instant.format("%Y-%m-%dT%H:%M:00Z").to_string();
    let at = |zone: usize| minute(today.last_minute(Today::ZONES[zone]));
    json!({
        "users": [{"code": "sato", "password": "pw"}, {"code": "zoe"}],
        "apps": [
            {
                "app": {"appId": 1, "code": "APP", "name": "one"},
                "apiTokens": ["token1"],
                "views": {"views": {"own": {"type": "CUSTOM", "name": "own", "id": "1", "index": "0"}}},
                "status": {"enable": true, "actions": [], "states": {
                    "open": {"name": "open", "index": "0"}, "done": {"name": "done", "index": "1"}}},
                "form": {"properties": {
                    "text": {"type": "SINGLE_LINE_TEXT"}, "rich": {"type": "RICH_TEXT"}, "n": {"type": "NUMBER"},
                    "limit": {"type": "NUMBER"}, "calc": {"type": "CALC", "format": "NUMBER"},
                    "date": {"type": "DATE"}, "time": {"type": "TIME"}, "moment": {"type": "DATETIME"},
                    "day": {"type": "DATETIME"},
                    "radio": {"type": "RADIO_BUTTON", "options": ["z", "a"]}, "people": {"type": "USER_SELECT"},
                    "no": {"type": "RECORD_NUMBER"}, "creator": {"type": "CREATOR"},
                    "state": {"type": "STATUS"}, "assignee": {"type": "STATUS_ASSIGNEE"},
                    "category": {"type": "CATEGORY", "enabled": true},
                    "others": {"type": "REFERENCE_TABLE", "referenceTable": {
                        "relatedApp": {"app": "2", "code": ""}, "condition": {"field": "limit", "relatedField": "k"},
                        "filterCond": "", "displayFields": ["a"]}},
                    "table": {"type": "SUBTABLE", "fields": {"quantity": {"type": "NUMBER"}}},
                }},
                "records": [
                    {"text": "apple", "rich": "b", "n": "10", "limit": "5", "calc": "1", "date": "2026-01-10",
                     "time": "09:00", "moment": "2020-01-10T00:00:00Z", "day": at(0), "radio": "z",
                     "people": [{"code": "sato"}], "creator": {"code": "Administrator"}, "state": "done",
                     "assignee": [{"code": "sato"}], "category": ["red"], "$revision": "3",
                     "table": [{"value": {"quantity": "1"}}]},
                    {"text": "5", "rich": "a", "n": "20", "calc": "2", "date": today.last_day.to_string(), "time": "10:00",
                     "moment": format!("{}-12-31T03:00:00Z", today.now.with_timezone(&Tz::Asia__Tokyo).year()),
                     "day": at(1), "radio": "a", "people": [{"code": "zoe"}], "$revision": "1",
                     "table": [{"value": {}}]},
                    {"text": "x", "rich": "c", "n": "30", "calc": "3",
                     "date": (today.last_day + Days::new(1)).to_string(), "time": "11:00",
                     "moment": "2020-01-11T00:00:00Z", "day": at(2), "radio": "a", "people": [{"code": "zoe"}],
                     "$revision": "2"},
                    {"$revision": "4"},
                ],
            },
            {"app": {"appId": 2, "name": "two"}, "apiTokens": ["token2"],
             "form": {"properties": {
                "a": {"type": "SINGLE_LINE_TEXT"}, "k": {"type": "NUMBER"},
                "rows": {"type": "SUBTABLE", "fields": {
                    "d": {"type": "SINGLE_LINE_TEXT", "defaultValue": "default"}, "e": {"type": "NUMBER"}}},
             }},
             "records": [{"a": "same", "k": "5"}, {"a": "old", "k": "5"}]},
            {"app": {"appId": 3, "name": "three"}, "guestSpaceId": 7, "form": {"properties": {}}},
        ]
    })
}

const SYNTAX: &str = "400 CB_VA01";
const FORM: &str = "/k/v1/app/form/fields.json?app=1";

/// Each switch: what to ask, and the answer in each position, in the order of the switch's positions.
fn cases(today: &Today) -> Vec<(&'static str, Probe, Vec<String>)> {
    let mut out = vec![];
    let mut case = |switch: &'static str, probe: Probe, answers: &[&str]| {
        out.push((switch, probe, answers.iter().map(|a| (*a).to_owned()).collect()));
    };
    let ask = |query: &str| Probe::Query(query.to_owned());
    let (all, operator) = ("4 3 2 1", "400 GAIA_IQ03");
    case("keywords_in_any_case", ask("$id = 1 OR $id = 2"), &[SYNTAX, "2 1"]);
    case("keywords_in_any_case", ask("$id Not In (1, 2) Order By $id Asc Limit 1"), &[SYNTAX, "3"]);
    case("keywords_as_field_codes", ask("limit = 5"), &[SYNTAX, "1"]);
    case("keywords_as_field_codes", ask("order by limit desc, $id desc limit 2"), &[SYNTAX, "1 4"]);
    case("revision_in_conditions", ask("$revision = 3"), &["400 GAIA_IQ11", "1"]);
    case("bare_numbers_as_text", ask("text = 5"), &[SYNTAX, "2"]);
    case("status_takes_equals", ask("state = \"done\""), &[operator, "1"]);
    case("status_takes_equals", ask("state != \"done\""), &[operator, "4 3 2"]);
    case("category_takes_in", ask("category in (\"red\")"), &[operator, "1"]);
    case("dates_take_in", ask("date in (\"2026-01-10\", \"2026-01-11\")"), &[operator, "1"]);
    case("dates_take_in", ask("time not in (\"09:00\")"), &[operator, "4 3 2"]);
    case("rich_text_sortable", ask("order by rich asc"), &["400 GAIA_IS02", "4 2 1 3"]);
    case("revision_sortable", ask("order by $revision asc"), &["400 GAIA_IQ11", "2 3 1 4"]);
    case("related_predicates_share_a_record", ask("others.a = \"same\" and others.$id = 2"), &["1", ""]);
    case("related_predicates_share_a_record", ask("others.a = \"same\" and others.$id = 1"), &["1", "1"]);
    case("login_user_on_assignee", ask("assignee in (LOGINUSER())"), &[operator, "1"]);
    case("span_bounds", ask("moment > THIS_YEAR()"), &["", "2"]);
    case("span_bounds", ask("moment <= THIS_YEAR() and moment > \"2021-02-01T00:00:00Z\""), &["2", ""]);
    case("missing_day", ask(&format!("date = {}(31)", today.short_month)), &["3", "2"]);
    let zones = Today::ZONES.map(|zone| today.today_in(zone));
    let zones: Vec<&str> = zones.iter().map(String::as_str).collect();
    case("token_zone", Probe::TokenQuery("day = TODAY()".to_owned()), &zones);
    case("token_user_is_administrator", Probe::TokenQuery("creator in (LOGINUSER())".to_owned()), &["", "1"]);
    case(
        "token_user_is_administrator",
        Probe::TokenQuery("creator not in (LOGINUSER())".to_owned()),
        &[all, "4 3 2"],
    );
    case("text_equality_ignores_case", ask("text = \"APPLE\""), &["", "1"]);
    case("text_equality_ignores_case", ask("text not in (\"APPLE\", \"\")"), &["3 2 1", "3 2"]);
    case("text_equality_ignores_width", ask("text = \"ａｐｐｌｅ\""), &["", "1"]);
    case("text_equality_ignores_trailing_spaces", ask("text in (\"apple  \")"), &["", "1"]);
    case("empty_dates_are_least", ask("date < \"1000-01-01\""), &["", "4"]);
    case("empty_times_are_least", ask("time < \"00:01\""), &["", "4"]);
    case("empty_datetimes_are_least", ask("moment <= \"1000-01-01T00:00:00Z\""), &["", "4"]);
    case("empty_calcs_are_least", ask("calc < -1000"), &["", "4"]);
    case("empties_in_tables_are_least", ask("quantity < -1000"), &["", "2"]);
    case("numbers_equal_empty", ask("n = \"\""), &[SYNTAX, "4"]);
    case("numbers_equal_empty", ask("n in (\"\", 10)"), &[SYNTAX, "4 1"]);
    case("numbers_equal_empty", ask("quantity in (\"\")"), &[SYNTAX, "2"]);
    case("numbers_differ_from_empty", ask("n != \"\""), &[SYNTAX, "3 2 1"]);
    case("numbers_differ_from_empty", ask("calc not in (\"\", 1)"), &[SYNTAX, "3 2"]);
    case("times_take_empty", ask("time = \"\""), &[SYNTAX, "4"]);
    case("times_take_empty", ask("time != \"\""), &[SYNTAX, "3 2 1"]);
    case("text_negation_finds_empties", ask("text != \"apple\""), &["3 2", "4 3 2"]);
    case("number_negation_finds_empties", ask("n not in (10)"), &["3 2", "4 3 2"]);
    case("number_negation_finds_empties", ask("calc != 1"), &["3 2", "4 3 2"]);
    case("date_negation_finds_empties", ask("date != \"2026-01-10\""), &["3 2", "4 3 2"]);
    case("date_negation_finds_empties", ask("moment != \"2020-01-11T00:00:00Z\""), &["2 1", "4 2 1"]);
    case("choice_negation_finds_empties", ask("radio not in (\"a\")"), &["1", "4 1"]);
    case("people_negation_finds_empties", ask("people not in (\"zoe\")"), &["1", "4 1"]);
    case("not_like_finds_empties", ask("text not like \"apple\""), &["3 2", "4 3 2"]);
    case("record_number_takes_app_code", ask("no = \"APP-2\""), &[SYNTAX, "2"]);
    case("seconds_in_literals_count", ask("moment = \"2020-01-10T00:00:59Z\""), &["1", ""]);
    case("seconds_in_literals_count", ask("time < \"09:00:01\" and time >= \"00:01\""), &["", "1"]);
    case("undirected_order", ask("$id < 4 order by n limit 2"), &["3 2", "1 2", SYNTAX]);
    case("choice_order", ask("order by radio asc, $id asc"), &["4 1 2 3", "4 2 3 1"]);
    case("choice_order", ask("order by state asc, $id asc"), &["2 3 4 1", "1 2 3 4"]);
    case("empties_sort_first", ask("order by n asc"), &["1 2 3 4", "4 1 2 3"]);
    case("empties_sort_first", ask("order by date desc limit 1"), &["4", "3"]);
    case("ties", ask("$id > 1 order by state asc"), &["4 3 2", "2 3 4", "2 4 3"]);
    case("limit_zero", ask("limit 0"), &[SYNTAX, ""]);
    case("large_offsets", ask("offset 10001"), &["400 GAIA_QU02", ""]);
    case(
        "unknown_token_status",
        Probe::Outcome(FORM, "none"),
        &["520 GAIA_IA02", "400 GAIA_IA02", "401 GAIA_IA02"],
    );
    case(
        "other_app_token_status",
        Probe::Outcome(FORM, "token2"),
        &["400 GAIA_AP15", "403 GAIA_AP15", "520 GAIA_AP15"],
    );
    let views = Probe::Outcome("/k/v1/app/views.json?app=1", "token1");
    case("person_only_status", views, &["403 GAIA_NO01", "400 GAIA_NO01"]);
    case("tokens_list_apps", Probe::TokenApps, &["GAIA_NO01", "one"]);
    case("tokens_change_settings", Probe::TokenPreview, &["GAIA_NO01", "200"]);
    case("unnamed_columns_are_deleted", Probe::Columns, &["d e", "d"]);
    case(
        "empty_number_is_null",
        Probe::Empty("n"),
        &[r#"{"type":"NUMBER","value":""}"#, r#"{"type":"NUMBER","value":null}"#],
    );
    case(
        "empty_datetime_is_null",
        Probe::Empty("moment"),
        &[r#"{"type":"DATETIME","value":""}"#, r#"{"type":"DATETIME","value":null}"#],
    );
    case(
        "empty_radio_is_null",
        Probe::Empty("radio"),
        &[r#"{"type":"RADIO_BUTTON","value":""}"#, r#"{"type":"RADIO_BUTTON","value":null}"#],
    );
    case("content_type_on_bodyless_get", Probe::TypedGet, &["400 CB_IL02", "200"]);
    case("no_op_update_bumps_revision", Probe::SameUpdate, &["1", "2"]);
    case("new_rows_of_updates_take_defaults", Probe::NewRow, &["", "default"]);
    case("new_records_bring_writers_and_times", Probe::GivenCreator, &["sato", "zoe"]);
    case("missing_records_have_no_rights", Probe::MissingRights, &["404 GAIA_RE01", "200"]);
    case("cursor_contents", Probe::Cursor, &["new", "old"]);
    case("plain_path_lists_guest_apps", Probe::Apps, &["one two", "one two three"]);
    out
}

#[tokio::test]
async fn every_switch_changes_what_it_says_and_nothing_else() {
    let today = Today::new();
    let cases = cases(&today);
    let mut faults = vec![];
    for switch in SWITCHES {
        if !cases.iter().any(|(name, ..)| *name == switch.name) {
            faults.push(format!("{} has no case", switch.name));
        }
        let strict = switch.position(&Unknowns::strict());
        for position in switch.positions {
            // Strict itself is tried once.
            if *position == strict && switch.name != SWITCHES[0].name {
                continue;
            }
            let unknowns = Unknowns::strict().with(switch.name, position).unwrap();
            let domain = Domain::with(&world(&today), Options { unknowns, ..Options::default() }).await;
            for (name, probe, answers) in &cases {
                let own = SWITCHES.iter().find(|s| s.name == *name).expect("a switch of that name");
                assert_eq!(answers.len(), own.positions.len(), "{name}");
                let index = own.positions.iter().position(|p| *p == own.position(&unknowns)).unwrap();
                let found = ask(&domain, probe).await;
                if found != answers[index] {
                    let shown =
                        if let Probe::Query(query) | Probe::TokenQuery(query) = probe { query } else { "" };
                    let expected = &answers[index];
                    faults.push(format!(
                        "{} = {position}: {name}: {shown}\n  expected {expected}\n  found    {found}",
                        switch.name
                    ));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}:\n{}", faults.len(), faults.join("\n"));
}
