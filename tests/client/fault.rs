//! The table of reactions: each fault of Kintone and of the way to it, for a read, for the making of a cursor, and
//! for a write.

use kintone_sql::kintone::{Change, Changed, Saved, Values};

use super::*;

/// What becomes of a call that meets a fault once and a good answer after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reaction {
    /// Sent again: the good answer.
    Again,
    /// An error at once. A write was not done.
    Told,
    /// An error at once: the write may have been done.
    Unknown,
}
use Reaction::{Again, Told, Unknown};

const CURSOR: &str = r#"{"id":"c-1","totalCount":"1"}"#;
const SAVED: &str = r#"{"ids":["5","6"],"revisions":["1","1"]}"#;

fn insert() -> Change {
    let record = |n: u32| Values::from_iter([("Price".to_owned(), json!(n.to_string()))]);
    Change::Insert { app: APP, records: vec![record(1), record(2)] }
}

/// Faults with their reactions: read, cursor, write. The good answers are those of each call.
fn table(good: &str) -> Vec<(&'static str, Vec<Step>, [Reaction; 3])> {
    let whole = http(200, &[JSON], good.as_bytes());
    let half = whole[..whole.len() - 12].to_vec();
    let chunk = format!(
        "HTTP/1.1 200 OK\r\n{JSON}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{good}\r\n",
        good.len()
    );
    let packed = gzip(good.as_bytes());
    let bomb = gzip(format!("{good}{}", " ".repeat(3_000_000)).as_bytes());
    let zipped = [JSON, "Content-Encoding: gzip"];
    let warning = "X-Cybozu-Warning: Filter aborted because of too many search results";
    let same = |reaction| [reaction; 3];
    let lost = [Again, Told, Unknown];
    let odd = [Told, Told, Unknown];
    vec![
        ("429, too many at once", refused(429, "GAIA_TO04"), same(Again)),
        ("429 of a gate", reply(429, &[HTML], "<html>busy</html>"), same(Again)),
        ("429, no cursor is free", refused(429, "GAIA_TM12"), [Again, Told, Again]),
        ("503, maintenance page", reply(503, &[HTML], "<html>maintenance</html>"), lost),
        ("500, page", reply(500, &[HTML], "<html>"), lost),
        ("502, page", reply(502, &[HTML], "<html>"), lost),
        ("504, empty", reply(504, &[], ""), lost),
        ("520, JSON of another shape", reply(520, &[JSON], "[1]"), lost),
        ("500 with a code", refused(500, "GAIA_XX01"), lost),
        ("520, a token that is not the app's", refused(520, "GAIA_IA02"), same(Told)),
        ("408 of a gate", reply(408, &[HTML], ""), lost),
        ("lock, DA02", refused(400, "GAIA_DA02"), same(Again)),
        ("lock, RE18", refused(400, "GAIA_RE18"), same(Again)),
        ("lock, LT01", refused(400, "GAIA_LT01"), same(Again)),
        ("403, no right", refused(403, "CB_NO02"), same(Told)),
        ("403, a token without the right", refused(403, "GAIA_NO01"), same(Told)),
        ("403, tokens of other apps", refused(403, "GAIA_AP15"), same(Told)),
        ("404, no app", refused(404, "GAIA_AP01"), same(Told)),
        ("404, no record", refused(404, "GAIA_RE01"), same(Told)),
        ("404, page", reply(404, &[HTML], "<html>"), same(Told)),
        ("400, unknown field", refused(400, "GAIA_IQ11"), same(Told)),
        ("400, no such operator", refused(400, "GAIA_IQ03"), same(Told)),
        ("400, limit", refused(400, "GAIA_QU01"), same(Told)),
        ("400, offset", refused(400, "GAIA_QU02"), same(Told)),
        ("400, a value", refused(400, "CB_VA01"), same(Told)),
        ("409, another revision", refused(409, "GAIA_CO02"), same(Told)),
        ("200, login page", reply(200, &[HTML], "<html>login</html>"), odd),
        ("200 without a content type", reply(200, &[], good), odd),
        ("200, another content type", reply(200, &["Content-Type: text/json"], good), odd),
        ("200, JSON with an error in it", reply(200, &[JSON], "{]"), odd),
        ("301", reply(301, &["Location: /k/v1/x", JSON], "{}"), odd),
        ("307", reply(307, &["Location: /k/v1/x", JSON], "{}"), odd),
        ("302 to a login page", reply(302, &["Location: https://x.example/login", HTML], ""), odd),
        ("result cut short", reply(200, &[JSON, warning], good), odd),
        ("gzip bomb", vec![Send(http(200, &zipped, &bomb))], odd),
        ("gzip cut", vec![Send(http(200, &zipped, &packed[..packed.len() - 9]))], lost),
        ("reset before an answer", vec![Reset], lost),
        ("end before an answer", vec![Close], lost),
        ("head cut", vec![Send(b"HTTP/1.1 200 OK\r\nContent-Le".to_vec()), Close], lost),
        ("body cut, end", vec![Send(half.clone()), Wait(2), Close], lost),
        ("body cut, reset", vec![Send(half.clone()), Wait(2), Reset], lost),
        ("chunks cut", vec![Send(chunk.clone().into_bytes()), Wait(2), Close], lost),
        ("a chunk cut", vec![Send(chunk[..chunk.len() - 9].into()), Wait(2), Close], lost),
        ("JSON cut, right framing", reply(200, &[JSON], &good[..good.len() - 1]), lost),
        ("nothing, right framing", reply(200, &[JSON], ""), lost),
        ("no head in time", vec![Hang], lost),
        ("body stops", vec![Send(half), Hang], lost),
    ]
}

/// A client with short time-outs, and few bytes.
fn client(server: &Server) -> Client {
    let mut config = server.config();
    config.read_only = false;
    config.max_answer_bytes = 1_000_000;
    config.timeouts.first_byte = Duration::from_millis(400);
    config.timeouts.idle = Duration::from_millis(400);
    Client::new(config).unwrap()
}

/// One of the three calls; its good answer as text.
async fn act(client: &Client, which: usize) -> Result<String, Error> {
    match which {
        0 => read(client).await,
        1 => {
            let cursor = client.cursor(APP, &Query::default(), &[], 500).await?;
            // A cursor that is dropped would be deleted by one more call.
            Ok(cursor.map_or_else(|| "none".into(), |c| std::mem::ManuallyDrop::new(c).id().to_owned()))
        }
        _ => client.change(&insert()).await.map(|changed| format!("{changed:?}")),
    }
}

#[tokio::test]
async fn each_fault_has_its_reaction() {
    let saved = [5, 6].map(|id| Saved { id, revision: 1 }).to_vec();
    let expect = [RECORDS.to_owned(), "c-1".into(), format!("{:?}", Changed::Saved(saved))];
    for (which, good) in [RECORDS, CURSOR, SAVED].into_iter().enumerate() {
        for (name, fault, reactions) in table(good) {
            let name = format!("{name}, {}", ["read", "cursor", "write"][which]);
            let server = Server::answers(vec![fault, reply(200, &[JSON], good)]).await;
            let outcome = act(&client(&server), which).await;
            let sent = server.seen().len();
            match (reactions[which], outcome) {
                (Again, Ok(text)) => assert_eq!((text, sent), (expect[which].clone(), 2), "{name}"),
                (Told, Ok(text)) if which == 1 => assert_eq!((text.as_str(), sent), ("none", 1), "{name}"),
                (Told, Err(error)) => {
                    assert!(!error.is_outcome_unknown(), "{name}: {error}");
                    assert_eq!(sent, 1, "{name}");
                    assert_told(&error, &name);
                }
                (Unknown, Err(error)) => {
                    let Error::OutcomeUnknown { app, rows, call, cause, .. } = &error else {
                        panic!("{name}: {error:?}")
                    };
                    assert_eq!((*app, *rows, sent), (Some(7), 2, 1), "{name}");
                    assert_eq!(call, "POST /k/v1/records.json (app 7)", "{name}");
                    assert!(error.to_string().contains(&cause.to_string()), "{name}");
                    assert_eq!(error.code(), None, "{name}: nothing definite is known");
                    assert_told(&error, &name);
                }
                (reaction, outcome) => panic!("{name}: {outcome:?} is not {reaction:?}"),
            }
        }
    }
}

/// No error shows a page, a control character or a secret.
fn assert_told(error: &Error, name: &str) {
    let text = format!("{error} {error:?}");
    assert!(text.contains("crm") && !text.contains('\u{1b}'), "{name}: {text}");
    assert!(!text.contains("<html>") && !text.contains("canary"), "{name}: {text}");
}

#[tokio::test]
async fn what_stays_refused_is_told_with_its_code_and_was_not_done() {
    for (status, code) in [(429, "GAIA_TO04"), (400, "GAIA_DA02"), (400, "GAIA_RE18")] {
        let server = Server::answers(vec![refused(status, code)]).await;
        let error = server.writer().change(&insert()).await.unwrap_err();
        assert!(matches!(error, Error::Exhausted { attempts: 3, .. }), "{error}");
        assert_eq!((error.code(), server.seen().len()), (Some(code), 3));
        assert_eq!(error.faults()[0].key, "query");
    }
}

#[tokio::test]
async fn a_write_that_was_refused_and_then_lost_is_unknown() {
    let server = Server::answers(vec![refused(429, "GAIA_TO04"), vec![Reset]]).await;
    let error = server.writer().change(&insert()).await.unwrap_err();
    assert!(error.is_outcome_unknown(), "{error}");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn where_nothing_was_sent_all_calls_are_tried_again() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let server = Server::answers(vec![]).await;
    let mut config = server.config();
    config.url = format!("http://127.0.0.1:{closed}").parse().unwrap();
    config.read_only = false;
    for which in 0..3 {
        let error = act(&Client::new(config.clone()).unwrap(), which).await.unwrap_err();
        assert!(
            matches!(&error, Error::Exhausted { attempts: 3, last, .. } if matches!(**last, Error::Connect { .. }))
        );
        assert!(error.is_unreachable() && !error.is_outcome_unknown(), "{error}");
    }
}

#[tokio::test]
async fn a_write_whose_answer_is_not_about_it_is_unknown() {
    for body in
        ["{}", "[]", r#"{"ids":["5"],"revisions":["1"]}"#, r#"{"ids":["5","x"],"revisions":["1","1"]}"#]
    {
        let server = Server::answers(vec![reply(200, &[JSON], body)]).await;
        let error = server.writer().change(&insert()).await.unwrap_err();
        assert!(error.is_outcome_unknown(), "{body}: {error}");
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn refusals_name_the_record_the_field_and_the_row() {
    let body = json!({"code": "CB_VA01", "id": "x", "message": "入力内容が正しくありません。", "errors": {
        "records[1].Price.value": {"messages": ["値が不正です。"]},
        "records[0].Items.value[2].value.Count.value": {"messages": ["a", "b"]},
        "records[1][Price].value": {"messages": []},
        "app": {"messages": ["c"]}}});
    let server = Server::answers(vec![reply(400, &[JSON], &body.to_string())]).await;
    let error = server.writer().change(&insert()).await.unwrap_err();
    assert_eq!(error.code(), Some("CB_VA01"));
    let faults = error.faults();
    let seen: Vec<_> = faults
        .iter()
        .map(|f| (f.record, f.field.as_deref(), f.row, f.column.as_deref(), f.messages.len()))
        .collect();
    assert_eq!(
        seen,
        [
            (Some(1), Some("Price"), None, None, 1),
            (Some(0), Some("Items"), Some(2), Some("Count"), 2),
            (Some(1), Some("Price"), None, None, 0),
            (None, None, None, None, 1),
        ]
    );
    assert_eq!(faults[0].messages, ["値が不正です。"]);
}

#[tokio::test]
async fn a_bulk_refusal_names_its_request() {
    let failed = json!({"code": "GAIA_CO02", "id": "x", "message": "no", "errors": {"records[0].Price.value": {"messages": ["m"]}}});
    let body = json!({"results": [{}, failed, {}]});
    let server = Server::answers(vec![reply(409, &[JSON], &body.to_string())]).await;
    let error = server.writer().bulk(&[insert(), insert(), insert()]).await.unwrap_err();
    assert_eq!(
        (error.code(), error.failed_request(), error.is_outcome_unknown()),
        (Some("GAIA_CO02"), Some(1), false)
    );
    assert_eq!(error.faults()[0].field.as_deref(), Some("Price"));
    let text = "connection crm: Kintone refused POST /k/v1/bulkRequest.json (app 7), request 2: no (GAIA_CO02; records[0].Price.value: m)";
    assert_eq!(error.to_string(), text);

    let server = Server::answers(vec![vec![Reset]]).await;
    let error = server.writer().bulk(&[insert(), insert()]).await.unwrap_err();
    assert!(matches!(error, Error::OutcomeUnknown { rows: 4, app: Some(7), .. }), "{error}");
}

// Cursors.

fn page(next: bool) -> Vec<Step> {
    ok(&json!({"records": [{"$id": {"type": "__ID__", "value": "1"}}], "next": next}))
}

fn made() -> Vec<Step> {
    reply(200, &[JSON], CURSOR)
}

/// The requests without the values of their parameters.
fn calls(server: &Server) -> Vec<String> {
    let plain = |s: &Seen| format!("{} {}", s.method, s.target.split('?').next().unwrap());
    server.seen().iter().map(plain).collect()
}

#[tokio::test]
async fn a_lost_page_of_a_cursor_is_never_asked_for_again() {
    let good = json!({"records": [], "next": true}).to_string();
    for (name, fault, [reaction, ..]) in table(&good) {
        if name.contains("cursor is free") {
            continue;
        }
        let server = Server::answers(vec![made(), fault, page(false)]).await;
        let client = client(&server);
        let mut cursor = client.cursor(APP, &Query::default(), &[], 500).await.unwrap().unwrap();
        let definite = ["429", "lock", "403"].iter().any(|word| name.starts_with(word));
        match cursor.next().await {
            // Refused: the cursor did not move.
            Ok(Some(_)) => assert!(reaction == Again && definite, "{name}"),
            Ok(None) => panic!("{name}: an end"),
            Err(Error::CursorLost { .. }) => assert!(!definite, "{name}"),
            Err(error) => assert!(name.starts_with("403"), "{name}: {error}"),
        }
        let sent = calls(&server).iter().filter(|c| *c == "GET /k/v1/records/cursor.json").count();
        assert_eq!(sent, if reaction == Again && definite { 2 } else { 1 }, "{name}");
    }
}

#[tokio::test]
async fn a_cursor_that_is_gone_is_not_deleted_and_one_that_is_left_is() {
    // Read to its end.
    let server =
        Server::answers(vec![made(), page(true), ok(&json!({"records": [], "next": true})), page(false)])
            .await;
    let client = server.client();
    let mut cursor = client.cursor(APP, &Query::default(), &["a".into()], 500).await.unwrap().unwrap();
    assert_eq!((cursor.id(), cursor.total), ("c-1", 1));
    let mut pages = 0;
    while let Some(page) = cursor.next().await.unwrap() {
        assert!(page.body.starts_with(b"{\"records\":["));
        pages += 1;
    }
    assert_eq!(pages, 3);
    cursor.close().await.unwrap();
    assert_eq!(server.seen().len(), 4, "Kintone has deleted it by now");

    // Ended by time.
    let server = Server::answers(vec![made(), refused(404, "GAIA_CN01")]).await;
    let mut cursor = server.client().cursor(APP, &Query::default(), &[], 500).await.unwrap().unwrap();
    let error = cursor.next().await.unwrap_err();
    assert!(matches!(error, Error::CursorLost { .. }));
    assert_eq!(error.code(), Some("GAIA_CN01"));
    assert!(cursor.next().await.unwrap().is_none());
    cursor.close().await.unwrap();
    assert_eq!(server.seen().len(), 2);

    // Closed half way; deleted already.
    for answer in [ok(&json!({})), refused(404, "GAIA_CN01")] {
        let server = Server::answers(vec![made(), vec![Reset], answer]).await;
        let cursor = server.client().cursor(APP, &Query::default(), &[], 500).await.unwrap().unwrap();
        cursor.close().await.unwrap();
        let delete = "DELETE /k/v1/records/cursor.json";
        assert_eq!(calls(&server), ["POST /k/v1/records/cursor.json", delete, delete]);
    }

    // Dropped half way.
    let server = Server::answers(vec![made(), page(true), ok(&json!({}))]).await;
    let mut cursor = server.client().cursor(APP, &Query::default(), &[], 500).await.unwrap().unwrap();
    cursor.next().await.unwrap();
    drop(cursor);
    tokio::time::timeout(Duration::from_secs(5), server.has_seen(3)).await.unwrap();
    assert_eq!(server.seen()[2].method, "DELETE");
    assert_eq!(server.seen()[2].target, "/k/v1/records/cursor.json?id=c-1");
}

#[tokio::test]
async fn a_process_holds_two_cursors_and_none_where_all_are_taken() {
    let server = Server::answers(vec![made()]).await;
    let (one, two) = (server.client(), server.client());
    let open = async |client: &Client| client.cursor(APP, &Query::default(), &[], 500).await.unwrap();
    let held = (open(&one).await, open(&two).await);
    assert!(held.0.is_some() && held.1.is_some());
    assert!(open(&one).await.is_none());
    assert_eq!(server.seen().len(), 2, "the third is not asked for");
    held.0.unwrap().close().await.unwrap();
    assert!(open(&two).await.is_some());

    let server = Server::answers(vec![refused(429, "GAIA_TM12")]).await;
    let client = server.client();
    for _ in 0..3 {
        assert!(open(&client).await.is_none(), "the caller pages by $id");
    }
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn a_missing_record_is_none() {
    let server = Server::answers(vec![refused(404, "GAIA_RE01"), refused(404, "GAIA_AP01")]).await;
    assert_eq!(server.client().record(APP, 3).await.unwrap(), None);
    assert_eq!(server.client().record(APP, 3).await.unwrap_err().code(), Some("GAIA_AP01"));
}
