//! What form the client wants: `Accept`, `$format` and `Prefer`.

use axum::http::{HeaderMap, StatusCode, header};

use super::error::Failure;

/// How much about the data stands beside it (OData JSON 4.01, section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Metadata {
    None,
    #[default]
    Minimal,
    Full,
}

/// The form of a JSON answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct JsonFormat {
    pub(super) metadata: Metadata,
    /// 64-bit and decimal numbers as text, for clients whose numbers are floats.
    pub(super) ieee754_compatible: bool,
}

impl JsonFormat {
    /// The `Content-Type` that says it.
    pub(super) fn content_type(self) -> String {
        let metadata = match self.metadata {
            Metadata::None => "none",
            Metadata::Minimal => "minimal",
            Metadata::Full => "full",
        };
        let ieee = self.ieee754_compatible;
        format!(
            "application/json;odata.metadata={metadata};odata.streaming=true;IEEE754Compatible={ieee};charset=utf-8"
        )
    }
}

/// The form of a JSON answer, by `$format`, else by `Accept`.
///
/// # Errors
/// 406 when the client takes no JSON.
pub(super) fn json(headers: &HeaderMap, format: Option<&str>) -> Result<JsonFormat, Failure> {
    if let Some(format) = format {
        let media = if format.eq_ignore_ascii_case("json") { "application/json" } else { format };
        return json_of(media).ok_or_else(|| not_acceptable("application/json"));
    }
    let accept = accept(headers);
    if accept.is_empty() {
        return Ok(JsonFormat::default());
    }
    accept.iter().find_map(|media| json_of(media)).ok_or_else(|| not_acceptable("application/json"))
}

/// Checks that the client takes another form, such as `application/xml`.
///
/// # Errors
/// 406 when it does not.
pub(super) fn exactly(
    headers: &HeaderMap,
    format: Option<&str>,
    media_type: &str,
    short: &str,
) -> Result<(), Failure> {
    let (group, _) = media_type.split_once('/').unwrap_or((media_type, ""));
    let fits = |media: &str| {
        let name = media.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        name == media_type || name == "*/*" || name == format!("{group}/*")
    };
    let accepted = match format {
        Some(format) => format.eq_ignore_ascii_case(short) || fits(format),
        None => {
            let accept = accept(headers);
            accept.is_empty() || accept.iter().any(|media| fits(media))
        }
    };
    if accepted { Ok(()) } else { Err(not_acceptable(media_type)) }
}

fn not_acceptable(media_type: &str) -> Failure {
    Failure::of_status(StatusCode::NOT_ACCEPTABLE, format!("this address answers {media_type} only"))
}

/// The media types of `Accept`, the most wanted first, refused ones left out.
fn accept(headers: &HeaderMap) -> Vec<String> {
    let texts = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut all: Vec<(u32, String)> = texts
        .flat_map(|text| text.split(','))
        .map(str::trim)
        .filter(|media| !media.is_empty())
        .map(|media| (quality(media), media.to_owned()))
        .filter(|(quality, _)| *quality > 0)
        .collect();
    all.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
    all.into_iter().map(|(_, media)| media).collect()
}

/// `q=0.5` in thousandths; 1000 where nothing is said.
fn quality(media: &str) -> u32 {
    let q = media.split(';').find_map(|parameter| parameter.trim().strip_prefix("q="));
    let Some((whole, fraction)) = q.map(|q| q.split_once('.').unwrap_or((q, ""))) else { return 1000 };
    let thousandths = format!("{fraction:0<3}").get(..3).and_then(|digits| digits.parse().ok()).unwrap_or(0);
    whole.parse::<u32>().unwrap_or(0).saturating_mul(1000).saturating_add(thousandths).min(1000)
}

/// The form that one media type asks for; `None` for one that is not JSON or has a value that we do not know.
fn json_of(media: &str) -> Option<JsonFormat> {
    let mut parts = media.split(';').map(str::trim);
    let name = parts.next()?.to_ascii_lowercase();
    if !matches!(name.as_str(), "application/json" | "*/*" | "application/*") {
        return None;
    }
    let mut format = JsonFormat::default();
    for parameter in parts {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = value.trim().trim_matches('"').to_ascii_lowercase();
        match name.trim().to_ascii_lowercase().as_str() {
            "odata.metadata" | "metadata" => {
                format.metadata = match value.as_str() {
                    "none" => Metadata::None,
                    "minimal" => Metadata::Minimal,
                    "full" => Metadata::Full,
                    _ => return None,
                };
            }
            "ieee754compatible" => format.ieee754_compatible = value == "true",
            _ => {}
        }
    }
    Some(format)
}

/// `Prefer: odata.maxpagesize=50`
pub(super) fn max_page_size(headers: &HeaderMap) -> Option<usize> {
    let texts = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split([',', ';'])).find_map(|preference| {
        let (name, value) = preference.trim().split_once('=')?;
        let name = name.trim().to_ascii_lowercase();
        let size = value.trim().trim_matches('"').parse().ok().filter(|size| *size > 0);
        if name.strip_prefix("odata.").unwrap_or(&name) == "maxpagesize" { size } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    #[test]
    fn accept_is_obeyed() {
        let of = |accept: &str| json(&headers("accept", accept), None).ok();
        let full = JsonFormat { metadata: Metadata::Full, ieee754_compatible: true };
        for (accept, expected) in [
            ("*/*", Some(JsonFormat::default())),
            ("text/html, application/json;q=0.5", Some(JsonFormat::default())),
            ("application/json;odata.metadata=full;IEEE754Compatible=true", Some(full)),
            (
                "application/json;q=0.2, application/json;metadata=none",
                Some(JsonFormat { metadata: Metadata::None, ..full.clone_plain() }),
            ),
            ("application/atom+xml", None),
            ("application/json;q=0", Some(JsonFormat::default())),
            ("application/json;odata.metadata=verbose", None),
        ] {
            assert_eq!(of(accept), expected, "{accept}");
        }
        assert!(json(&headers("accept", "text/html"), Some("json")).is_ok());
        assert!(json(&HeaderMap::new(), Some("atom")).is_err());
        assert!(exactly(&headers("accept", "application/xml"), None, "application/xml", "xml").is_ok());
        assert!(exactly(&headers("accept", "application/json"), None, "application/xml", "xml").is_err());
    }

    impl JsonFormat {
        fn clone_plain(self) -> Self {
            Self { ieee754_compatible: false, ..self }
        }
    }

    #[test]
    fn the_preferred_page_size_is_read() {
        for (prefer, expected) in [
            ("odata.maxpagesize=50", Some(50)),
            ("return=minimal, maxpagesize=7", Some(7)),
            ("odata.maxpagesize=0", None),
            ("wait=5", None),
        ] {
            assert_eq!(max_page_size(&headers("prefer", prefer)), expected, "{prefer}");
        }
    }
}
