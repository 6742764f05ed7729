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

/// What to do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Try again; the price in retry tokens.
    Retry(u32),
    /// It will not get better.
    Final,
}

/// The table of reactions. `write`: the call changes records, so that only a definite refusal is tried again.
pub(super) fn verdict(error: &Error, write: bool) -> Verdict {
    match error {
        // Nothing was sent.
        Error::Connect { .. } => Verdict::Retry(5),
        Error::Transport { .. } if !write => Verdict::Retry(10),
        // Refused before anything happened (K§5.3, K§5.4).
        Error::Rejected { status: 429, .. } => Verdict::Retry(5),
        Error::Rejected { code, .. } if ["GAIA_DA02", "GAIA_RE18", "GAIA_LT01"].contains(&code.as_str()) => {
            Verdict::Retry(5)
        }
        Error::Status { status: 429, .. } => Verdict::Retry(5),
        // A token that is not the app's: Kintone says so with a 520.
        Error::Rejected { code, .. } if code == "GAIA_IA02" => Verdict::Final,
        Error::Status { status: 500.., .. } | Error::Rejected { status: 500.., .. } if !write => {
            Verdict::Retry(5)
        }
        _ => Verdict::Final,
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

    fn rejected(status: u16, code: &str) -> Error {
        Error::Rejected {
            connection: "c".into(),
            call: "GET /".into(),
            status,
            code: code.into(),
            message: String::new(),
            errors: vec![],
        }
    }

    #[test]
    fn reactions() {
        let transport = Error::Transport { connection: "c".into(), call: "x".into(), reason: "reset".into() };
        let gateway = Error::Status { connection: "c".into(), call: "x".into(), status: 503 };
        let warning = Error::Partial { connection: "c".into(), call: "x".into(), warning: "cut".into() };
        for (error, read, write) in [
            (rejected(429, "GAIA_TO04"), Verdict::Retry(5), Verdict::Retry(5)),
            (rejected(400, "GAIA_DA02"), Verdict::Retry(5), Verdict::Retry(5)),
            (rejected(400, "GAIA_IQ11"), Verdict::Final, Verdict::Final),
            (rejected(401, "CB_WA01"), Verdict::Final, Verdict::Final),
            (rejected(520, "GAIA_IA02"), Verdict::Final, Verdict::Final),
            (rejected(520, "GAIA_XX00"), Verdict::Retry(5), Verdict::Final),
            (transport, Verdict::Retry(10), Verdict::Final),
            (gateway, Verdict::Retry(5), Verdict::Final),
            (warning, Verdict::Final, Verdict::Final),
        ] {
            assert_eq!((verdict(&error, false), verdict(&error, true)), (read, write), "{error}");
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
