//! `$skiptoken`: where the next page begins. Opaque to clients: base64url of JSON and a signature that binds it to
//! the query and the user, so that a changed or a borrowed token is refused rather than answered with other rows.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use datafusion::scalar::ScalarValue;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::error::{Error, Kind, Result};

/// Raised whenever the meaning of a token changes.
const VERSION: u32 = 1;

/// Signs tokens with a key that lives as long as the process.
pub(super) struct Signer {
    key: [u8; 32],
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Position {
    pub(super) after: After,
    /// Rows that `$top` still allows.
    pub(super) left: Option<u64>,
}

/// What the pages before have given.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum After {
    /// The values of the order in their last row.
    Values(Vec<ScalarValue>),
    /// So many rows: for tables without a key.
    Rows(u64),
}

#[derive(Serialize, Deserialize)]
struct Wire {
    v: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    a: Option<Vec<Cell>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    s: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    l: Option<u64>,
}

/// A value with its type. Numbers are text: JSON's would lose digits.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Cell {
    Null,
    Bool(bool),
    I16(i16),
    I32(i32),
    I64(String),
    F64(String),
    Dec(String, u8, i8),
    Text(String),
    Date(i32),
    Time(i64),
    At(i64, Option<String>),
}

impl Cell {
    fn of(value: &ScalarValue) -> Option<Self> {
        Some(match value {
            value if value.is_null() => Self::Null,
            ScalarValue::Boolean(Some(v)) => Self::Bool(*v),
            ScalarValue::Int16(Some(v)) => Self::I16(*v),
            ScalarValue::Int32(Some(v)) => Self::I32(*v),
            ScalarValue::Int64(Some(v)) => Self::I64(v.to_string()),
            ScalarValue::Float64(Some(v)) => Self::F64(format!("{v:?}")),
            ScalarValue::Decimal128(Some(v), precision, scale) => {
                Self::Dec(v.to_string(), *precision, *scale)
            }
            ScalarValue::Utf8(Some(v)) | ScalarValue::Utf8View(Some(v)) | ScalarValue::LargeUtf8(Some(v)) => {
                Self::Text(v.clone())
            }
            ScalarValue::Date32(Some(v)) => Self::Date(*v),
            ScalarValue::Time64Microsecond(Some(v)) => Self::Time(*v),
            ScalarValue::TimestampMicrosecond(Some(v), zone) => {
                Self::At(*v, zone.as_ref().map(ToString::to_string))
            }
            _ => return None,
        })
    }

    fn value(self) -> Option<ScalarValue> {
        Some(match self {
            Self::Null => ScalarValue::Null,
            Self::Bool(v) => ScalarValue::Boolean(Some(v)),
            Self::I16(v) => ScalarValue::Int16(Some(v)),
            Self::I32(v) => ScalarValue::Int32(Some(v)),
            Self::I64(v) => ScalarValue::Int64(Some(v.parse().ok()?)),
            Self::F64(v) => ScalarValue::Float64(Some(v.parse().ok()?)),
            Self::Dec(v, precision, scale) => {
                ScalarValue::Decimal128(Some(v.parse().ok()?), precision, scale)
            }
            Self::Text(v) => ScalarValue::Utf8(Some(v)),
            Self::Date(v) => ScalarValue::Date32(Some(v)),
            Self::Time(v) => ScalarValue::Time64Microsecond(Some(v)),
            Self::At(v, zone) => ScalarValue::TimestampMicrosecond(Some(v), zone.map(Into::into)),
        })
    }
}

impl Signer {
    /// With a fresh key of the system's random source.
    ///
    /// # Errors
    /// `Internal` when the system has none.
    pub(super) fn new() -> Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|_| Error::internal("the system gives no random numbers"))?;
        Ok(Self { key })
    }

    fn mac(&self, query: &str, payload: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        mac.update(query.as_bytes());
        mac.update(&[0]);
        mac.update(payload);
        Some(mac)
    }

    /// The token of a position in the pages of a query. `query` names user, set and options.
    ///
    /// # Errors
    /// `Unsupported` for an order over a type that has no place in a token.
    pub(super) fn sign(&self, query: &str, position: &Position) -> Result<String> {
        let (a, s) = match &position.after {
            After::Values(values) => (Some(values.iter().map(Cell::of).collect::<Option<Vec<_>>>()), None),
            After::Rows(rows) => (None, Some(*rows)),
        };
        let unsupported = || Error::unsupported("paging in this order");
        let a = a.map(|cells| cells.ok_or_else(unsupported)).transpose()?;
        let payload =
            serde_json::to_vec(&Wire { v: VERSION, a, s, l: position.left }).map_err(|_| unsupported())?;
        let mac = self.mac(query, &payload).ok_or_else(unsupported)?.finalize().into_bytes();
        Ok(format!("{}.{}", URL_SAFE_NO_PAD.encode(&payload), URL_SAFE_NO_PAD.encode(mac)))
    }

    /// The position that a token of this query names.
    ///
    /// # Errors
    /// `InvalidValue` for a token that this server has not made for this query and user.
    pub(super) fn verify(&self, query: &str, token: &str) -> Result<Position> {
        self.read(query, token).ok_or_else(|| {
            Error::new(Kind::InvalidValue, "the $skiptoken was not made by this server for this query")
                .with_hint("Follow @odata.nextLink as it is, or begin again with the first page")
        })
    }

    fn read(&self, query: &str, token: &str) -> Option<Position> {
        let (payload, mac) = token.split_once('.')?;
        let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
        self.mac(query, &payload)?.verify_slice(&URL_SAFE_NO_PAD.decode(mac).ok()?).ok()?;
        let wire: Wire = serde_json::from_slice(&payload).ok().filter(|wire: &Wire| wire.v == VERSION)?;
        let after = match (wire.a, wire.s) {
            (Some(cells), None) => After::Values(cells.into_iter().map(Cell::value).collect::<Option<_>>()?),
            (None, Some(rows)) => After::Rows(rows),
            _ => return None,
        };
        Some(Position { after, left: wire.l })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_comes_back() {
        let signer = Signer::new().unwrap();
        let values = vec![
            ScalarValue::Null,
            ScalarValue::Boolean(Some(true)),
            ScalarValue::Int64(Some(i64::MIN)),
            ScalarValue::Decimal128(Some(i128::MAX / 10), 38, 10),
            ScalarValue::Float64(Some(0.1)),
            ScalarValue::Utf8(Some("髙﨑 'x' +".into())),
            ScalarValue::Date32(Some(-1)),
            ScalarValue::TimestampMicrosecond(Some(1), Some("UTC".into())),
        ];
        for after in [After::Values(values), After::Rows(500)] {
            let position = Position { after, left: Some(7) };
            let token = signer.sign("q", &position).unwrap();
            assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)), "{token}");
            assert_eq!(signer.verify("q", &token).unwrap(), position);
        }
    }

    #[test]
    fn a_foreign_token_is_refused() {
        let signer = Signer::new().unwrap();
        let position = Position { after: After::Rows(1), left: None };
        let token = signer.sign("q", &position).unwrap();
        let other = Signer::new().unwrap().sign("q", &position).unwrap();
        for (query, token) in
            [("p", token.as_str()), ("q", &other), ("q", ""), ("q", "a.b"), ("q", &token[1..])]
        {
            assert_eq!(signer.verify(query, token).unwrap_err().kind, Kind::InvalidValue, "{query} {token}");
        }
    }
}
