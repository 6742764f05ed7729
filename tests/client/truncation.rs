//! Answers that break off at each of their bytes: never rows of a cut page.

use kintone_sql::kintone::{Change, Values};

use super::*;

const PAGE: &str = r#"{"records":[{"$id":{"value":"1"}},{"$id":{"value":"2"}}],"totalCount":null}"#;

/// Ways of framing the page.
fn framings() -> Vec<(&'static str, Vec<u8>)> {
    let body = PAGE.as_bytes();
    let (first, second) = PAGE.split_at(33);
    let chunks = format!(
        "HTTP/1.1 200 OK\r\n{JSON}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
        first.len(),
        second.len()
    );
    let open = format!("HTTP/1.1 200 OK\r\n{JSON}\r\nConnection: close\r\n\r\n{PAGE}");
    vec![
        ("length", http(200, &[JSON], body)),
        ("chunks", chunks.into_bytes()),
        ("until the end", open.into_bytes()),
        ("gzip", http(200, &[JSON, "Content-Encoding: gzip"], &gzip(body))),
    ]
}

/// A server that answers well but for the faults that are asked for.
struct Faulty {
    server: Server,
    /// What the next requests get instead, and how many of them.
    fault: Arc<Mutex<(Vec<Step>, usize)>>,
}

impl Faulty {
    async fn start(good: Vec<Step>) -> Self {
        let fault = Arc::new(Mutex::new((vec![], 0)));
        let next = Arc::clone(&fault);
        let server = Server::start(move |_, _| {
            let mut next = next.lock().unwrap();
            if next.1 == 0 {
                return good.clone();
            }
            next.1 -= 1;
            next.0.clone()
        })
        .await;
        Self { server, fault }
    }

    fn next(&self, fault: Vec<Step>, times: usize) {
        *self.fault.lock().unwrap() = (fault, times);
    }

    fn sent(&self) -> usize {
        self.server.record.seen.lock().unwrap().len()
    }
}

/// Reads that fill the domain's retry tokens again.
async fn refill(client: &Client, tokens: usize) {
    for _ in 0..tokens {
        assert_eq!(read(client).await.unwrap(), PAGE);
    }
}

#[tokio::test]
async fn a_page_that_breaks_off_anywhere_is_read_again() {
    for (name, whole) in framings() {
        let faulty = Faulty::start(vec![Send(whole.clone())]).await;
        let good = reply(200, &[JSON], PAGE);
        let faulty = if name == "until the end" { Faulty::start(good).await } else { faulty };
        let client = faulty.server.client();
        for cut in 0..whole.len() {
            // A reset says no more than an end; where the length is told, each is tried.
            let ends = if name == "length" { &[Close, Reset][..] } else { &[Close] };
            for end in ends {
                faulty.next(vec![Send(whole[..cut].to_vec()), end.clone()], 1);
                let before = faulty.sent();
                assert_eq!(read(&client).await.unwrap(), PAGE, "{name}, {cut} bytes, {end:?}");
                assert_eq!(faulty.sent() - before, 2, "{name}, {cut} bytes, {end:?}");
                refill(&client, 10).await;
            }
        }
    }
}

#[tokio::test]
async fn a_page_that_always_breaks_off_is_an_error() {
    let faulty = Faulty::start(reply(200, &[JSON], PAGE)).await;
    let client = faulty.server.client();
    for (name, whole) in framings() {
        for cut in (0..whole.len()).step_by(7) {
            faulty.next(vec![Send(whole[..cut].to_vec()), Close], 3);
            let before = faulty.sent();
            let error = read(&client).await.unwrap_err();
            assert!(error.is_unreachable(), "{name}, {cut} bytes: {error}");
            assert_eq!(faulty.sent() - before, 3, "{name}, {cut} bytes");
            refill(&client, 20).await;
        }
    }
}

#[tokio::test]
async fn json_that_is_cut_under_right_framing_is_read_again() {
    let faulty = Faulty::start(reply(200, &[JSON], PAGE)).await;
    let client = faulty.server.client();
    for cut in 0..PAGE.len() {
        faulty.next(reply(200, &[JSON], &PAGE[..cut]), 1);
        let before = faulty.sent();
        assert_eq!(read(&client).await.unwrap(), PAGE, "{cut} bytes");
        assert_eq!(faulty.sent() - before, 2, "{cut} bytes");
        refill(&client, 10).await;
    }
}

#[tokio::test]
async fn a_write_whose_answer_breaks_off_anywhere_is_unknown_and_sent_once() {
    let whole = http(200, &[JSON], br#"{"ids":["5"],"revisions":["1"]}"#);
    let faulty = Faulty::start(vec![Send(whole.clone())]).await;
    let client = faulty.server.writer();
    let change = Change::Insert { app: APP, records: vec![Values::new()] };
    for cut in 0..whole.len() {
        faulty.next(vec![Send(whole[..cut].to_vec()), if cut % 2 == 0 { Close } else { Reset }], 1);
        let before = faulty.sent();
        let error = client.change(&change).await.unwrap_err();
        assert!(error.is_outcome_unknown(), "{cut} bytes: {error}");
        assert_eq!(faulty.sent() - before, 1, "{cut} bytes");
        client.change(&change).await.unwrap();
    }
}
