//! The probe against the embedded Kintone in every position of every switch: it must tell them apart, on a scratch
//! app and from outside.

use kintone_sql::emulator::{Emulator, Fixture, Options as Serve, SWITCHES, Unknowns};
use kintone_sql::kintone::doctor::probe::{self, App, Fault, Finding, MARKER, Options, Outcome, Report};

use super::*;

/// Switches that no call can tell apart from outside, each with its reason.
const HIDDEN: &[(&str, &str)] = &[];

/// A scratch app with what only people can give one: an app code, categories, an API token. Besides it an app with a
/// token, one in a guest space, and one whose records are somebody's.
fn world() -> Value {
    json!({
        "users": [{"code": "sato", "name": "佐藤", "password": PASSWORD, "timezone": "Asia/Tokyo"}],
        "apps": [
            {"app": {"appId": 1, "code": "PROBE", "name": MARKER}, "apiTokens": ["canary-token"],
             "form": {"properties": {"カテゴリー": {"type": "CATEGORY", "enabled": true}}}},
            {"app": {"appId": 2, "name": "deals"}, "apiTokens": ["canary-other"],
             "form": {"properties": {"a": {"type": "NUMBER"}}}, "records": [{"a": {"value": "1"}}]},
            {"app": {"appId": 3, "name": "guests"}, "guestSpaceId": 7, "form": {"properties": {}}},
            {"app": {"appId": 4, "name": MARKER}, "form": {"properties": {"a": {"type": "NUMBER"}}},
             "records": [{"a": {"value": "1"}}]},
        ]
    })
}

async fn serve(unknowns: Unknowns) -> Emulator {
    let options = Serve { unknowns, deploy_time: Duration::ZERO, ..Serve::default() };
    Emulator::start(Arc::new(Fixture::from_json(&world()).unwrap()), options).await.unwrap()
}

fn config(emulator: &Emulator) -> ClientConfig {
    let credentials = Credentials::Password { user: "sato".into(), password: Secret::new(PASSWORD) };
    let mut config = ClientConfig::new("crm", emulator.url().parse().unwrap(), credentials);
    config.read_only = false;
    config.guest_spaces = vec![7];
    config
}

fn options(app: App) -> Options {
    let tokens = ["canary-other", "canary-token"].map(Secret::new).to_vec();
    Options { tokens, pause: Duration::from_millis(2), ..Options::new(app) }
}

async fn probed(unknowns: Unknowns) -> (Emulator, Report) {
    let emulator = serve(unknowns).await;
    let report = Box::pin(probe::run(&config(&emulator), &options(App::Id(1)))).await.unwrap();
    let told = format!("{} {} {report:?}", report.text(), report.json());
    assert!(!told.contains("canary"), "{told}");
    assert_eq!(report.left, 0);
    (emulator, report)
}

fn finding<'r>(report: &'r Report, name: &str) -> &'r Finding {
    let found: Vec<_> = report.findings.iter().filter(|finding| finding.name == name).collect();
    assert_eq!(found.len(), 1, "{name}");
    found[0]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_position_of_every_switch_is_told_apart() {
    let strict = Unknowns::strict();
    let (_emulator, plain) = probed(strict).await;
    let mut faults = vec![];
    for switch in SWITCHES {
        for position in switch.positions {
            let is_strict = *position == switch.position(&strict);
            let other;
            let report = if is_strict {
                &plain
            } else {
                other = probed(strict.with(switch.name, position).unwrap()).await.1;
                &other
            };
            let found = finding(report, switch.name);
            let hidden = HIDDEN.iter().any(|(name, _)| *name == switch.name);
            if found.section != switch.section {
                faults.push(format!("{}: section {} is {}", switch.name, found.section, switch.section));
            }
            if (found.outcome == Outcome::Settled(position)) == hidden {
                faults.push(format!("{} = {position}: {found:?}", switch.name));
            }
            for (other, before) in report.findings.iter().zip(&plain.findings) {
                assert_eq!(other.name, before.name);
                let is_fact = matches!(before.outcome, Outcome::Told(_));
                if other.name != switch.name && !is_fact && other.outcome != before.outcome {
                    faults.push(format!("{} = {position} changes {other:?}", switch.name));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}:\n{}", faults.len(), faults.join("\n"));
    // No question stands for a switch that is not there.
    for finding in &plain.findings {
        let is_switch = SWITCHES.iter().any(|switch| switch.name == finding.name);
        assert_eq!(is_switch, !matches!(finding.outcome, Outcome::Told(_)), "{}", finding.name);
    }
}

#[tokio::test]
async fn the_report_of_the_strictest_kintone() {
    let (emulator, report) = probed(Unknowns::strict()).await;
    let text = report.text().replace(&emulator.url(), "http://localhost");
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/probe.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(text, include_str!("../fixtures/probe.txt"));
    let json = report.json();
    assert_eq!(json["app"], 1);
    assert_eq!(json["recordsLeft"], 0);
    let first = &json["findings"][0];
    assert_eq!((first["section"].as_str(), first["position"].as_str()), (Some("1.2"), Some("yes")));
    assert!(json["rows"].as_array().unwrap().iter().any(|row| {
        row["types"] == "NUMBER" && row["predicate"] == "IS NULL" && row["verdict"] == "stay"
    }));
    // Few enough for a real domain.
    assert!(report.requests < 150, "{}", report.requests);
}

#[tokio::test]
async fn a_kintone_that_can_more_promotes_rows() {
    let mut unknowns = Unknowns::strict();
    for (switch, position) in [
        ("numbers_equal_empty", "yes"),
        ("text_equality_ignores_case", "no"),
        ("text_equality_ignores_width", "no"),
        ("text_equality_ignores_trailing_spaces", "no"),
        ("empties_sort_first", "no"),
    ] {
        unknowns = unknowns.with(switch, position).unwrap();
    }
    let (_emulator, report) = probed(unknowns).await;
    let verdict = |types: &str, predicate: &str| {
        let row = report.rows.iter().find(|row| row.types == types && row.predicate == predicate).unwrap();
        format!("{:?}: {}", row.verdict, row.why)
    };
    assert_eq!(verdict("NUMBER", "IS NULL"), "Promote: `= \"\"` is taken: exact by `= \"\"`");
    assert_eq!(verdict("SINGLE_LINE_TEXT, LINK", "=, IN"), "Promote: compared letter by letter: exact");
    assert!(verdict("NUMBER, DATE, DATETIME, TIME", "ORDER BY").starts_with("Demote: "));
    assert!(verdict("NUMBER", "<, <=").starts_with("Stay: "));
}

#[tokio::test]
async fn a_new_app_is_made_where_none_is_given() {
    let emulator = serve(Unknowns::strict()).await;
    let config = ClientConfig { guest_spaces: vec![], ..config(&emulator) };
    let report =
        Box::pin(probe::run(&config, &Options { tokens: vec![], ..options(App::New) })).await.unwrap();
    assert_eq!((report.app, report.left), (5, 0));
    let open: Vec<_> = report.findings.iter().filter(|f| matches!(f.outcome, Outcome::Open(_))).collect();
    let names: Vec<_> = open.iter().map(|finding| finding.name).collect();
    // What an app cannot be given by calls.
    let expected = [
        "token_user_is_administrator",
        "tokens_list_apps",
        "tokens_change_settings",
        "plain_path_lists_guest_apps",
        "token_zone",
        "record_number_takes_app_code",
        "other_app_token_status",
        "person_only_status",
    ];
    assert_eq!(names.len(), expected.len(), "{names:?}");
    assert!(expected.iter().all(|name| names.contains(name)), "{names:?}");
    assert_eq!(report.settled(), (SWITCHES.len() - expected.len(), SWITCHES.len()));
    assert!(report.text().contains("record_number_takes_app_code is open: needs an app code"));
    // It can be probed again: nothing is made anew.
    emulator.clear_requests();
    Box::pin(probe::run(&config, &options(App::Id(5)))).await.unwrap();
    let paths: Vec<_> =
        emulator.requests().into_iter().filter(|r| r.method == "POST").map(|r| r.path).collect();
    assert!(!paths.contains(&"/k/v1/preview/app.json".to_owned()), "{paths:?}");
}

#[tokio::test]
async fn nobodys_data_is_touched() {
    let emulator = serve(Unknowns::strict()).await;
    let refused = async |config: &ClientConfig, app| {
        emulator.clear_requests();
        let fault = Box::pin(probe::run(config, &options(app))).await.unwrap_err();
        let changes = emulator.requests().into_iter().filter(|request| request.method != "GET").count();
        assert_eq!(changes, 0, "{fault}");
        fault
    };
    let config = config(&emulator);
    let named = "app 2 is not named \"kintone-sql probe\", so nothing is written to it; let the probe make an app: --probe new";
    assert_eq!(refused(&config, App::Id(2)).await, Fault::Refused(named.into()));
    let full = "app 4 has records, so nothing is written to it; delete them first";
    assert_eq!(refused(&config, App::Id(4)).await, Fault::Refused(full.into()));
    let absent = refused(&config, App::Id(99)).await;
    assert!(absent.to_string().starts_with("Kintone refused GET /k/v1/app.json (404 GAIA_AP01)"), "{absent}");
    let read_only = ClientConfig { read_only: true, ..config.clone() };
    assert!(refused(&read_only, App::New).await.to_string().contains("Readonly=false"));
    let tokens = Credentials::ApiTokens(vec![Secret::new("canary-token")]);
    let tokens = ClientConfig { credentials: tokens, ..config };
    assert!(refused(&tokens, App::New).await.to_string().contains("needs User and Password"));
}
