//! A certificate's subject, to choose it by: `CN=sql, O=Example, C=JP`.

use x509_parser::objects::{oid_registry, oid2abbrev};
use x509_parser::x509::X509Name;

/// The fields of a name, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subject(Vec<(String, String)>);

impl Subject {
    /// A certificate's.
    pub(super) fn of(name: &X509Name<'_>) -> Self {
        let field = |attribute: &x509_parser::x509::AttributeTypeAndValue<'_>| {
            let oid = attribute.attr_type();
            let key = oid2abbrev(oid, oid_registry()).map_or_else(|_| oid.to_id_string(), str::to_owned);
            let value = attribute
                .as_str()
                .map_or_else(|_| String::from_utf8_lossy(attribute.as_slice()).into_owned(), str::to_owned);
            (usual(&key), value)
        };
        Self(name.iter_attributes().map(field).collect())
    }

    /// What somebody wrote. A value with a comma stands in double quotes, or its commas behind backslashes.
    pub(super) fn parse(text: &str) -> Option<Self> {
        parts(text)?
            .into_iter()
            .map(|part| {
                let (key, value) = part.split_once('=')?;
                Some((usual(key.trim()), value.trim().to_owned()))
            })
            .collect::<Option<_>>()
            .map(Self)
    }

    /// The same fields with the same values, from either end: tools show names in both orders.
    pub(super) fn is(&self, other: &Self) -> bool {
        self == other || self.0.iter().eq(other.0.iter().rev())
    }

    /// As it can be written.
    pub(super) fn text(&self) -> String {
        let field = |(key, value): &(String, String)| {
            let special = value.contains([',', '+', '"', '\\']) || value.trim() != value;
            let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
            if special { format!("{key}=\"{quoted}\"") } else { format!("{key}={value}") }
        };
        self.0.iter().map(field).collect::<Vec<_>>().join(", ")
    }
}

/// One name for each field: tools differ in case and in a few names.
fn usual(key: &str) -> String {
    let key = key.to_uppercase();
    match key.as_str() {
        "E" | "EMAIL" => "EMAILADDRESS".into(),
        "S" => "ST".into(),
        _ => key.strip_prefix("OID.").map_or(key.clone(), str::to_owned),
    }
}

/// The parts between commas, quotes and backslashes taken away.
fn parts(text: &str) -> Option<Vec<String>> {
    let mut out = vec![String::new()];
    let mut quoted = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => quoted = !quoted,
            '\\' => out.last_mut()?.push(chars.next()?),
            ',' | '+' if !quoted => out.push(String::new()),
            c => out.last_mut()?.push(c),
        }
    }
    (!quoted).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_the_same_in_either_order_and_no_other() {
        let subject = Subject::parse("CN=sql reader, O=\"Example, Inc.\", C=JP").unwrap();
        assert_eq!(subject.text(), "CN=sql reader, O=\"Example, Inc.\", C=JP");
        for same in [
            "cn=sql reader,o=Example\\, Inc.,c=JP",
            "C=JP, O=\"Example, Inc.\", CN=sql reader",
            " CN = sql reader , O = \"Example, Inc.\", C = JP ",
        ] {
            assert!(Subject::parse(same).unwrap().is(&subject), "{same}");
        }
        for other in [
            "CN=sql reader",
            "CN=SQL reader, O=\"Example, Inc.\", C=JP",
            "O=\"Example, Inc.\", CN=sql reader, C=JP",
        ] {
            assert!(!Subject::parse(other).unwrap().is(&subject), "{other}");
        }
        assert!(
            Subject::parse("E=a@example.com")
                .unwrap()
                .is(&Subject::parse("emailAddress=a@example.com").unwrap())
        );
        assert_eq!(Subject::parse("sql reader"), None);
        assert_eq!(Subject::parse("CN=\"sql"), None);
    }
}
