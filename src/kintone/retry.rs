//! Which failures are tried again, and how long to wait. A write is never resent on an unknown outcome.

use std::time::Duration;

use super::error::Error;

/// When and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryConfig {
    /// Tries in all.
    pub attempts: u32,
    /// The longest first wait; each next may be twice as long.
    pub base: Duration,
    /// The longest wait.
    pub cap: Duration,
    /// No new try after so long.
    pub total: Duration,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            attempts: 5,
            base: Duration::from_millis(500),
            cap: Duration::from_secs(15),
            total: Duration::from_secs(60),
        }
    }
}

/// What a call may leave behind when its answer is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing, or what a second call would do all the same.
    None,
    /// Something that ends by itself or moves on: a cursor, its next page, a file that no record has yet. A lost
    /// answer is an error, never a second call: it would take one more of ten cursors, or skip a page.
    Lease,
    /// Records, comments or settings.
    Change,
}

/// What to do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Try again; the price in retry tokens.
    Retry(u32),
    /// It will not get better. A write was not done.
    Final,
    /// A write that may have been done.
    Unknown,
}

/// Refused before anything happened, and worth another try: locks that others held (K§5.3, K§5.4).
const LOCKED: [&str; 3] = ["GAIA_DA02", "GAIA_RE18", "GAIA_LT01"];

/// All ten cursors are in use: no matter of tries, the caller reads without one (K§5.1).
pub(super) const NO_CURSOR: &str = "GAIA_TM12";

/// Codes that Kintone gives with a status of 500 and more although it did nothing: a token that is not the app's.
const REFUSED: [&str; 1] = ["GAIA_IA02"];

/// The table of reactions.
pub(super) fn verdict(error: &Error, effect: Effect) -> Verdict {
    // What may pass, where nobody knows whether Kintone did anything.
    let unclear = |price| match effect {
        Effect::None => Verdict::Retry(price),
        Effect::Lease => Verdict::Final,
        Effect::Change => Verdict::Unknown,
    };
    // What stays, where nobody knows either.
    let odd = if effect == Effect::Change { Verdict::Unknown } else { Verdict::Final };
    match error {
        // Nothing was sent.
        Error::Connect { .. } => Verdict::Retry(10),
        Error::Transport { .. } => unclear(10),
        Error::Rejected { code, .. } if code == NO_CURSOR && effect == Effect::Lease => Verdict::Final,
        Error::Rejected { status: 429, .. } | Error::Status { status: 429, .. } => Verdict::Retry(5),
        Error::Rejected { code, .. } if LOCKED.contains(&code.as_str()) => Verdict::Retry(5),
        Error::Rejected { code, .. } if REFUSED.contains(&code.as_str()) => Verdict::Final,
        Error::Rejected { status: 500.., .. } | Error::Status { status: 500.., .. } => unclear(5),
        // A gateway's, which may have passed the request on.
        Error::Status { status: 408, .. } => unclear(10),
        // What a certificate is refused for stays; a server could say so of a request that it did read.
        Error::Handshake { sent: true, .. }
        | Error::NotKintone { .. }
        | Error::Redirected { .. }
        | Error::Partial { .. }
        | Error::TooLarge { .. }
        | Error::Decode { .. } => odd,
        Error::Config { .. }
        | Error::Handshake { sent: false, .. }
        | Error::Rejected { .. }
        | Error::Status { .. }
        | Error::CredentialsRejected { .. }
        | Error::Unavailable { .. }
        | Error::NotSent { .. }
        | Error::CursorLost { .. }
        | Error::OutcomeUnknown { .. }
        // Only what was refused each time was tried again.
        | Error::Exhausted { .. } => Verdict::Final,
    }
}

impl RetryConfig {
    /// The wait before try `attempt` + 1: anything up to twice the one before, so that many clients spread.
    pub(super) fn wait(&self, attempt: u32, random: f64) -> Duration {
        let longest = self.base.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1))).min(self.cap);
        longest.mul_f64(random.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handshake(sent: bool) -> Error {
        Error::Handshake { connection: "c".into(), host: "h".into(), reason: "a certificate".into(), sent }
    }

    fn rejected(status: u16, code: &str) -> Error {
        Error::Rejected {
            connection: "c".into(),
            call: "GET /".into(),
            status,
            code: code.into(),
            message: String::new(),
            errors: vec![],
            request: None,
        }
    }

    #[test]
    fn reactions() {
        use Verdict::{Final, Retry, Unknown};
        let (connection, call) = (String::from("c"), String::from("x"));
        let reason = String::from("r");
        let status = |status| Error::Status { connection: "c".into(), call: "x".into(), status };
        let connect =
            Error::Connect { connection: connection.clone(), host: "h:443".into(), reason: reason.clone() };
        let transport =
            Error::Transport { connection: connection.clone(), call: call.clone(), reason: reason.clone() };
        let warning =
            Error::Partial { connection: connection.clone(), call: call.clone(), warning: reason.clone() };
        let large = Error::TooLarge { connection: connection.clone(), call: call.clone(), limit: 1 };
        let redirect = Error::Redirected { connection: connection.clone(), call: call.clone() };
        let html = Error::NotKintone {
            connection: connection.clone(),
            call: call.clone(),
            status: 200,
            content_type: "text/html".into(),
        };
        let decode = Error::Decode { connection: connection.clone(), call: call.clone(), reason };
        let login = Error::CredentialsRejected { connection: connection.clone() };
        let wait = Duration::from_secs(5);
        let silent = Error::Unavailable { connection, host: "h".into(), wait };
        for (error, read, lease, change) in [
            (connect, Retry(10), Retry(10), Retry(10)),
            (handshake(false), Final, Final, Final),
            (handshake(true), Final, Final, Unknown),
            (transport, Retry(10), Final, Unknown),
            (rejected(429, "GAIA_TO04"), Retry(5), Retry(5), Retry(5)),
            (rejected(429, "GAIA_TM12"), Retry(5), Final, Retry(5)),
            (status(429), Retry(5), Retry(5), Retry(5)),
            (rejected(400, "GAIA_DA02"), Retry(5), Retry(5), Retry(5)),
            (rejected(400, "GAIA_RE18"), Retry(5), Retry(5), Retry(5)),
            (rejected(400, "GAIA_LT01"), Retry(5), Retry(5), Retry(5)),
            (rejected(400, "GAIA_IQ11"), Final, Final, Final),
            (rejected(400, "CB_VA01"), Final, Final, Final),
            (rejected(401, "CB_WA01"), Final, Final, Final),
            (rejected(403, "CB_NO02"), Final, Final, Final),
            (rejected(404, "GAIA_RE01"), Final, Final, Final),
            (rejected(409, "GAIA_CO02"), Final, Final, Final),
            (rejected(520, "GAIA_IA02"), Final, Final, Final),
            (rejected(520, "GAIA_XX00"), Retry(5), Final, Unknown),
            (status(503), Retry(5), Final, Unknown),
            (status(408), Retry(10), Final, Unknown),
            (status(404), Final, Final, Final),
            (status(413), Final, Final, Final),
            (warning, Final, Final, Unknown),
            (large, Final, Final, Unknown),
            (redirect, Final, Final, Unknown),
            (html, Final, Final, Unknown),
            (decode, Final, Final, Unknown),
            (login, Final, Final, Final),
            (silent, Final, Final, Final),
        ] {
            let seen = [Effect::None, Effect::Lease, Effect::Change].map(|effect| verdict(&error, effect));
            assert_eq!(seen, [read, lease, change], "{error}");
        }
    }

    #[test]
    fn waits_grow_to_the_cap() {
        let config = RetryConfig::default();
        let waits: Vec<_> = (1..=7).map(|n| config.wait(n, 1.0).as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 15000, 15000]);
        assert_eq!(config.wait(3, 0.0), Duration::ZERO);
    }
}
