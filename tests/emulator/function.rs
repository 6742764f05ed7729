//! The functions of queries (K§3.4): what each stands for in the caller's zone, where it may stand, and how it
//! is refused.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::{Domain, cell, encode, password, send};

/// Users at both ends of the day: half of the time it is another date for them.
const ZONES: &[(&str, Tz)] =
    &[("samoa", Tz::Pacific__Apia), ("hawaii", Tz::Pacific__Honolulu), ("sato", Tz::Asia__Tokyo)];

fn first_minute(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    day.and_hms_opt(0, 0, 0).unwrap().and_local_timezone(zone).earliest().unwrap().to_utc()
}

fn sunday(day: NaiveDate) -> NaiveDate {
    day - Days::new(u64::from(day.weekday().num_days_from_sunday()))
}

fn month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap()
}

fn year(day: NaiveDate, more: i32) -> NaiveDate {
    NaiveDate::from_ymd_opt(day.year() + more, 1, 1).unwrap()
}

/// Each function, and its first day and the day after its last, by a way of its own.
fn spans(today: NaiveDate) -> Vec<(&'static str, NaiveDate, NaiveDate)> {
    let day = |day: NaiveDate| (day, day + Days::new(1));
    let (week, one) = (sunday(today), Days::new(7));
    let (this, next) = (month(today), month(today) + Months::new(1));
    let last = this - Months::new(1);
    let entry = |name, (from, to)| (name, from, to);
    vec![
        entry("TODAY()", day(today)),
        entry("YESTERDAY()", day(today - Days::new(1))),
        entry("TOMORROW()", day(today + Days::new(1))),
        entry("FROM_TODAY(0, DAYS)", day(today)),
        entry("FROM_TODAY(-10, DAYS)", day(today - Days::new(10))),
        entry("FROM_TODAY(2, WEEKS)", day(today + Days::new(14))),
        entry("FROM_TODAY(-3, MONTHS)", day(today - Months::new(3))),
        entry("FROM_TODAY(1, YEARS)", day(today + Months::new(12))),
        entry("THIS_WEEK()", (week, week + one)),
        entry("LAST_WEEK()", (week - one, week)),
        entry("NEXT_WEEK()", (week + one, week + one + one)),
        entry("THIS_WEEK(SUNDAY)", day(week)),
        entry("LAST_WEEK(SATURDAY)", day(week - Days::new(1))),
        entry("NEXT_WEEK(WEDNESDAY)", day(week + Days::new(10))),
        entry("THIS_MONTH()", (this, next)),
        entry("LAST_MONTH()", (last, this)),
        entry("NEXT_MONTH()", (next, next + Months::new(1))),
        entry("THIS_MONTH(1)", day(this)),
        entry("LAST_MONTH(LAST)", day(this - Days::new(1))),
        entry("NEXT_MONTH(28)", day(next + Days::new(27))),
        entry("THIS_YEAR()", (year(today, 0), year(today, 1))),
        entry("LAST_YEAR()", (year(today, -1), year(today, 0))),
        entry("NEXT_YEAR()", (year(today, 1), year(today, 2))),
    ]
}

/// Records at the last minute before a span, its first, its last, and the first after it; dates the same way.
fn records(from: NaiveDate, to: NaiveDate, zone: Tz) -> Value {
    let minute = TimeDelta::minutes(1);
    let edges = [
        first_minute(from, zone) - minute,
        first_minute(from, zone),
        first_minute(to, zone) - minute,
        first_minute(to, zone),
    ];
    let days = [from - Days::new(1), from, to - Days::new(1), to];
    let record = |(edge, day): (&DateTime<Utc>, &NaiveDate)| json!({"moment": edge.format("%Y-%m-%dT%H:%M:00Z").to_string(), "date": day.to_string()});
    edges.iter().zip(&days).map(record).collect::<Vec<_>>().into()
}

#[tokio::test]
async fn spans_are_those_of_the_callers_zone() {
    let now = Utc::now();
    let mut apps = vec![];
    let mut asked = vec![];
    for (user, zone) in ZONES {
        for (function, from, to) in spans(now.with_timezone(zone).date_naive()) {
            apps.push(json!({
                "form": {"properties": {"moment": {"type": "DATETIME"}, "date": {"type": "DATE"}}},
                "records": records(from, to, *zone),
            }));
            asked.push((*user, function));
        }
    }
    let users: Vec<Value> = ZONES
        .iter()
        .map(|(user, zone)| json!({"code": user, "password": "pw", "timezone": zone.name()}))
        .collect();
    let domain = Domain::start(&json!({"users": users, "apps": apps})).await;
    for (app, (user, function)) in (1_u64..).zip(asked) {
        for (operator, ids) in
            [("=", "3 2"), ("!=", "4 1"), ("<", "1"), ("<=", "3 2 1"), (">", "4"), (">=", "4 3 2")]
        {
            for field in ["moment", "date"] {
                let query = format!("{field} {operator} {function}");
                let target = format!("/k/v1/records.json?app={app}&query={}", encode(&query));
                let reply = send(domain.emulator.port(), "GET", &target, &[password(user, "pw")], None).await;
                let body = reply.json();
                let found = body["records"].as_array().unwrap_or_else(|| panic!("{query}: {body}")).iter();
                let found: Vec<&str> = found.map(|r| r["$id"]["value"].as_str().unwrap()).collect();
                assert_eq!(found.join(" "), ids, "{query} for {user}");
            }
        }
    }
}

/// On the records of the cells.
const REFUSED: &[(&str, &str)] = &[
    // A day that is none.
    ("DATE = THIS_MONTH(0)", "400 GAIA_IQ23"),
    ("DATE = THIS_MONTH(32)", "400 GAIA_IQ23"),
    ("DATE = LAST_MONTH(-1)", "400 GAIA_IQ23"),
    ("DATE = NEXT_MONTH(FIRST)", "400 GAIA_IQ23"),
    ("DATETIME > THIS_WEEK(SOMEDAY)", "400 GAIA_IQ23"),
    // A unit that is none.
    ("DATE = FROM_TODAY(1, HOURS)", "400 GAIA_IQ25"),
    ("DATE = FROM_TODAY(1, days)", "400 GAIA_IQ25"),
    // Too many arguments, or too few.
    ("DATE = TODAY(1)", "400 GAIA_IL08"),
    ("DATE = YESTERDAY(1)", "400 GAIA_IL08"),
    ("DATETIME < NOW(1)", "400 GAIA_IL08"),
    ("DATE = THIS_YEAR(1)", "400 GAIA_IL08"),
    ("DATE = FROM_TODAY(1)", "400 GAIA_IL08"),
    ("DATE = FROM_TODAY()", "400 GAIA_IL08"),
    ("DATE = FROM_TODAY(1, DAYS, DAYS)", "400 GAIA_IL08"),
    ("DATE = THIS_WEEK(SUNDAY, MONDAY)", "400 GAIA_IL08"),
    ("DATE = THIS_MONTH(1, 2)", "400 GAIA_IL08"),
    ("USER_SELECT in (LOGINUSER(1))", "400 GAIA_IL08"),
    ("ORGANIZATION_SELECT in (PRIMARY_ORGANIZATION(1))", "400 GAIA_IL08"),
    // Where a function may not stand.
    ("DATE = NOW()", "400 GAIA_IQ03"),
    ("TIME = NOW()", "400 GAIA_IQ03"),
    ("TIME < TODAY()", "400 GAIA_IQ03"),
    ("NUMBER = TODAY()", "400 GAIA_IQ03"),
    ("SINGLE_LINE_TEXT = TODAY()", "400 GAIA_IQ03"),
    ("SINGLE_LINE_TEXT in (LOGINUSER())", "400 GAIA_IQ03"),
    ("GROUP_SELECT in (LOGINUSER())", "400 GAIA_IQ03"),
    ("ORGANIZATION_SELECT in (LOGINUSER())", "400 GAIA_IQ03"),
    ("USER_SELECT in (PRIMARY_ORGANIZATION())", "400 GAIA_IQ03"),
    ("STATUS_ASSIGNEE in (LOGINUSER())", "400 GAIA_IQ03"),
    ("CREATOR = LOGINUSER()", "400 GAIA_IQ03"),
    // No function, or not written as one.
    ("DATE = SOMEDAY()", "400 CB_VA01"),
    ("DATE = today()", "400 CB_VA01"),
    ("DATE = TODAY", "400 CB_VA01"),
    ("DATE = \"TODAY()\"", "400 CB_VA01"),
    ("DATE = FROM_TODAY(\"1\", DAYS)", "400 CB_VA01"),
    ("DATE = FROM_TODAY(1, \"DAYS\")", "400 CB_VA01"),
    ("DATE = FROM_TODAY(1 DAYS)", "400 CB_VA01"),
    ("TODAY() = DATE", "400 CB_VA01"),
];

#[tokio::test]
async fn functions_are_refused_by_their_codes() {
    let domain = Domain::start(&cell::world()).await;
    for (query, expected) in REFUSED {
        assert_eq!(domain.ids(1, query).await, *expected, "{query}");
    }
    for (query, expected) in [
        ("USER_SELECT in (LOGINUSER())", "1"),
        ("USER_SELECT not in (LOGINUSER(), \"\")", "2"),
        ("CREATOR in (LOGINUSER(), \"zoe\")", "4 3 2 1"),
        ("MODIFIER not in (LOGINUSER())", "4 2"),
        ("T_USER_SELECT in (LOGINUSER())", "1"),
        ("CREATED_TIME < NOW()", "4 3 2 1"),
        ("T_DATE in (TODAY(), \"2026-03-01\")", "2 1"),
        ("T_DATETIME in (LAST_YEAR(), NEXT_YEAR())", ""),
    ] {
        assert_eq!(domain.ids(1, query).await, expected, "{query}");
    }
}
