//! Who asks: a token as Basic password, as `x-cdata-authtoken` header, or in the URL where that is allowed.

use std::fmt;
use std::str::FromStr;

use axum::http::{HeaderMap, Method, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::error::{Error, Kind, Result};

/// CData's header for a token.
pub(super) const TOKEN_HEADER: &str = "x-cdata-authtoken";

/// A token as the server keeps it: its SHA-256, whichever way it was written.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

impl Token {
    /// From the token itself.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    fn matches(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

/// From a settings file: `sha256:<64 hex digits>`, or the token itself.
impl FromStr for Token {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let Some(hex) = text.strip_prefix("sha256:") else {
            return if text.is_empty() {
                Err(Error::new(Kind::Config, "a token is empty"))
            } else {
                Ok(Self::of_text(text))
            };
        };
        decode_hex(hex).map(Self).ok_or_else(|| {
            Error::new(Kind::Config, "a token's hash is not sha256: and 64 hex digits")
                .with_hint("Make one with: kintone-sql token create")
        })
    }
}

fn decode_hex(hex: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> =
        hex.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
    let bytes: Vec<u8> =
        digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |all, d| all * 16 + d)).collect();
    if digits.len() == 64 { bytes.try_into().ok() } else { None }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(...)")
    }
}

/// The verbs that a user may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Privileges {
    /// Read.
    pub get: bool,
    /// Add records.
    pub post: bool,
    /// Change records.
    pub put: bool,
    /// Remove records.
    pub delete: bool,
}

impl Privileges {
    fn allow(self, method: &Method) -> bool {
        match *method {
            Method::POST => self.post,
            Method::PUT | Method::PATCH => self.put,
            Method::DELETE => self.delete,
            _ => self.get,
        }
    }
}

/// A user of the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiUser {
    /// The login name.
    pub name: String,
    /// Any of them opens the door.
    pub tokens: Vec<Token>,
    /// The verbs that this user may send.
    pub privileges: Privileges,
    /// Sees everyone's rows of `Requests`.
    pub administrator: bool,
}

/// What a request brought to prove who asks.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    user: Option<String>,
    token: Option<Token>,
    in_url: bool,
}

impl Credentials {
    /// From the URL (`@TOKEN` as a path segment, or `@authtoken=TOKEN`) and the headers, in this order.
    pub(super) fn of(headers: &HeaderMap, url_token: Option<&str>) -> Self {
        if let Some(token) = url_token {
            return Self { user: None, token: Some(Token::of_text(token)), in_url: true };
        }
        if let Some(token) = headers.get(TOKEN_HEADER).and_then(|value| value.to_str().ok()) {
            return Self { user: None, token: Some(Token::of_text(token)), in_url: false };
        }
        basic(headers).unwrap_or_default()
    }
}

fn basic(headers: &HeaderMap) -> Option<Credentials> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, token) = decoded.split_once(':')?;
    let user = (!user.is_empty()).then(|| user.to_owned());
    Some(Credentials { user, token: Some(Token::of_text(token)), in_url: false })
}

/// Finds the user of these credentials.
///
/// # Errors
/// `Unauthenticated`, with the same words for an unknown token and a wrong user name.
pub(super) fn authenticate<'a>(
    users: &'a [ApiUser],
    credentials: &Credentials,
    allow_token_in_url: bool,
) -> Result<&'a ApiUser> {
    if credentials.in_url && !allow_token_in_url {
        return Err(Error::new(Kind::Unauthenticated, "a token in the URL is not allowed on this server")
            .with_hint(
                "Send it as Basic password or as x-cdata-authtoken header, or set AllowAuthtokenInURL = true",
            ));
    }
    let Some(token) = &credentials.token else {
        return Err(Error::new(Kind::Unauthenticated, "a token is needed")
            .with_hint("Send it as Basic password or as x-cdata-authtoken header"));
    };
    // Every token of every user is compared, so that the time tells nothing.
    let mut found = None;
    for user in users {
        let any = user.tokens.iter().fold(Choice::from(0), |any, own| any | own.matches(token));
        if bool::from(any) && found.is_none() {
            found = Some(user);
        }
    }
    found
        .filter(|user| credentials.user.as_ref().is_none_or(|name| *name == user.name))
        .ok_or_else(|| Error::new(Kind::Unauthenticated, "the user name or the token is wrong"))
}

/// Refuses a verb that the user has no privilege for.
///
/// # Errors
/// `Forbidden`.
pub(super) fn authorize(user: &ApiUser, method: &Method) -> Result<()> {
    if user.privileges.allow(method) {
        return Ok(());
    }
    Err(Error::new(Kind::Forbidden, format!("user {} has no privilege for {method}", user.name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users() -> Vec<ApiUser> {
        let hash = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        vec![
            ApiUser {
                name: "reader".into(),
                tokens: vec!["plain".parse().unwrap()],
                privileges: Privileges { get: true, ..Privileges::default() },
                administrator: false,
            },
            ApiUser {
                name: "hashed".into(),
                tokens: vec![hash.parse().unwrap()],
                privileges: Privileges::default(),
                administrator: false,
            },
        ]
    }

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    fn name(headers: &HeaderMap, url: Option<&str>, allow: bool) -> Result<String> {
        authenticate(&users(), &Credentials::of(headers, url), allow).map(|user| user.name.clone())
    }

    #[test]
    fn a_token_comes_in_three_ways() {
        let basic = |pair: &str| headers("authorization", &format!("Basic {}", STANDARD.encode(pair)));
        assert_eq!(name(&headers(TOKEN_HEADER, "plain"), None, false).unwrap(), "reader");
        assert_eq!(name(&headers(TOKEN_HEADER, "test"), None, false).unwrap(), "hashed");
        assert_eq!(name(&basic("reader:plain"), None, false).unwrap(), "reader");
        assert_eq!(name(&basic(":plain"), None, false).unwrap(), "reader");
        assert!(name(&basic("other:plain"), None, false).is_err());
        assert_eq!(name(&HeaderMap::new(), Some("plain"), true).unwrap(), "reader");
        let refused = name(&HeaderMap::new(), Some("plain"), false).unwrap_err();
        assert!(refused.message.contains("in the URL"), "{refused}");
        assert!(name(&HeaderMap::new(), None, true).is_err());
        assert!(name(&headers(TOKEN_HEADER, "9f86d081"), None, true).is_err());
    }

    #[test]
    fn verbs_need_their_privilege() {
        let users = users();
        assert!(authorize(&users[0], &Method::GET).is_ok());
        assert_eq!(authorize(&users[0], &Method::PATCH).unwrap_err().kind, Kind::Forbidden);
        assert_eq!(authorize(&users[1], &Method::GET).unwrap_err().kind, Kind::Forbidden);
    }

    #[test]
    fn a_token_is_never_shown() {
        assert_eq!(format!("{:?}", Token::of_text("secret")), "Token(...)");
        assert!("sha256:12".parse::<Token>().is_err());
        assert!("".parse::<Token>().is_err());
    }
}
