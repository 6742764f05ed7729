//! Who calls: the site's Basic gate, then a password or API tokens, in Kintone's order (K§1.2).

use std::fmt;

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono_tz::Tz;
use subtle::ConstantTimeEq as _;

use super::reply::{
    Failure, NOT_LOGGED_IN, TOKEN_NOT_ALLOWED, UNKNOWN_TOKEN, WRONG_APP_TOKEN, WRONG_PASSWORD,
};
use super::store::Store;
use super::unknown::{self, Unknowns};

/// API tokens in one request (K§1.2).
const MOST_TOKENS: usize = 9;

/// Somebody who may call.
pub(super) struct Caller {
    /// Login code, for creators and modifiers.
    pub(super) code: String,
    /// For `TODAY()` and its family.
    pub(super) zone: Tz,
    /// With API tokens: the apps that they open.
    token_apps: Option<Vec<u64>>,
    unknowns: Unknowns,
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Caller({})", self.code)
    }
}

impl Caller {
    /// Refuses an API token for calls that only people may make.
    pub(super) fn must_be_user(&self) -> Result<(), Failure> {
        if self.is_token() { Err(self.token_not_allowed()) } else { Ok(()) }
    }

    /// Refuses a call that an API token may not make.
    pub(super) fn token_not_allowed(&self) -> Failure {
        Failure::from(TOKEN_NOT_ALLOWED).with_status(self.unknowns.person_only_status.status())
    }

    /// Refuses an app that none of the tokens opens.
    pub(super) fn may_open(&self, app: u64) -> Result<(), Failure> {
        match &self.token_apps {
            Some(apps) if !apps.contains(&app) => {
                Err(Failure::from(WRONG_APP_TOKEN).with_status(self.unknowns.other_app_token_status.status()))
            }
            _ => Ok(()),
        }
    }

    /// The code that `LOGINUSER()` stands for; nobody's, where a token stands for nobody.
    pub(super) fn login_user(&self) -> Option<&str> {
        let somebody = !self.is_token() || self.unknowns.token_user_is_administrator;
        somebody.then_some(self.code.as_str())
    }

    /// Refuses an API token where Kintone does not look at it: outside of `/k`.
    pub(super) fn must_log_in(&self) -> Result<(), Failure> {
        if self.is_token() { Err(NOT_LOGGED_IN.into()) } else { Ok(()) }
    }

    /// Whether the call comes with API tokens.
    pub(super) fn is_token(&self) -> bool {
        self.token_apps.is_some()
    }
}

/// Whether the site's Basic gate opens.
pub(super) fn passes_basic(headers: &HeaderMap, expected: Option<&(String, String)>) -> bool {
    let Some((user, password)) = expected else { return true };
    let sent =
        headers.get("authorization").and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("Basic "));
    let Some((sent_user, sent_password)) = sent.and_then(pair) else { return false };
    same(&sent_user, user) & same(&sent_password, password)
}

/// The caller of a request; a password wins over tokens.
pub(super) fn caller(headers: &HeaderMap, store: &Store) -> Result<Caller, Failure> {
    if let Some(value) = headers.get("x-cybozu-authorization") {
        return user(value.to_str().unwrap_or_default(), store);
    }
    let tokens: Vec<&str> = headers
        .get_all("x-cybozu-api-token")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|token| !token.is_empty())
        .collect();
    if tokens.is_empty() {
        return Err(NOT_LOGGED_IN.into());
    }
    if tokens.len() > MOST_TOKENS {
        return Err(Failure::invalid(
            "X-Cybozu-API-Token",
            format!("No more than {MOST_TOKENS} tokens can be sent."),
        ));
    }
    let apps: Vec<u64> =
        tokens.iter().filter_map(|token| store.tokens.get(*token)).flatten().copied().collect();
    if apps.is_empty() {
        return Err(Failure::from(UNKNOWN_TOKEN).with_status(store.unknowns.unknown_token_status.status()));
    }
    Ok(Caller {
        code: unknown::TOKEN_USER.to_owned(),
        zone: store.unknowns.token_zone.zone(),
        token_apps: Some(apps),
        unknowns: store.unknowns,
    })
}

fn user(header: &str, store: &Store) -> Result<Caller, Failure> {
    let (code, password) = pair(header).ok_or(WRONG_PASSWORD)?;
    let user = store.directory.user(&code).filter(|user| user.valid).ok_or(WRONG_PASSWORD)?;
    let expected = user.password.as_ref().ok_or(WRONG_PASSWORD)?;
    if !same(&password, expected) {
        return Err(WRONG_PASSWORD.into());
    }
    let zone = user.timezone.parse().unwrap_or_else(|_| store.unknowns.token_zone.zone());
    Ok(Caller { code, zone, token_apps: None, unknowns: store.unknowns })
}

/// `user:password` in base64.
fn pair(encoded: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}

fn same(sent: &str, expected: &str) -> bool {
    sent.as_bytes().ct_eq(expected.as_bytes()).into()
}
