//! Which pages of other sites may read answers (Fetch standard, CORS protocol). Power Automate's designer is one.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};

/// `[http.cors]` of the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    /// Off: no header is sent and a preflight is refused.
    pub enabled: bool,
    /// `*`, or origins such as `https://make.powerautomate.com`, compared exactly.
    pub allow_origins: Vec<String>,
    /// Instead of `*` send back the origin that asked.
    pub allow_all_without_star: bool,
    /// Sent as it is, for example `GET,PUT,POST,OPTIONS`.
    pub allow_methods: String,
    /// Sent as it is, for example `authorization, content-type`.
    pub allow_headers: String,
}

impl Default for Cors {
    fn default() -> Self {
        Self {
            enabled: false,
            allow_origins: vec!["*".into()],
            allow_all_without_star: false,
            allow_methods: "GET,PUT,POST,OPTIONS".into(),
            allow_headers: "x-ms-client-request-id, authorization, content-type".into(),
        }
    }
}

/// Whether a request asks beforehand what it may send: it carries no token by design.
pub(super) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

impl Cors {
    /// Whether `*` is among the origins.
    fn allows_all(&self) -> bool {
        self.allow_origins.iter().any(|origin| origin == "*")
    }

    /// The value of `Access-Control-Allow-Origin`, where this origin is allowed.
    fn allowed_origin(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        if !self.enabled {
            return None;
        }
        if self.allow_all_without_star {
            return Some(origin.clone());
        }
        if self.allows_all() {
            return Some(HeaderValue::from_static("*"));
        }
        self.allow_origins
            .iter()
            .any(|allowed| allowed.as_bytes() == origin.as_bytes())
            .then(|| origin.clone())
    }

    /// The headers of an answer; with `preflight` those that say what may be sent too.
    pub(super) fn headers(&self, request: &HeaderMap, preflight: bool) -> Vec<(HeaderName, HeaderValue)> {
        if !self.enabled {
            return vec![];
        }
        // Caches must not serve one origin's answer to another.
        let mut out = vec![(header::VARY, HeaderValue::from_static("Origin"))];
        let Some(allowed) = request.get(header::ORIGIN).and_then(|origin| self.allowed_origin(origin)) else {
            return out;
        };
        out.push((header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed));
        if preflight {
            let texts = [
                (header::ACCESS_CONTROL_ALLOW_METHODS, &self.allow_methods),
                (header::ACCESS_CONTROL_ALLOW_HEADERS, &self.allow_headers),
            ];
            out.extend(
                texts.into_iter().filter_map(|(name, text)| Some((name, HeaderValue::from_str(text).ok()?))),
            );
            out.push((header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600")));
        } else {
            out.push((
                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static("OData-Version, ETag, Preference-Applied"),
            ));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin_for(cors: &Cors, origin: &str) -> Option<String> {
        let mut request = HeaderMap::new();
        request.insert(header::ORIGIN, origin.parse().unwrap());
        let headers = cors.headers(&request, true);
        let found = headers.iter().find(|(name, _)| *name == header::ACCESS_CONTROL_ALLOW_ORIGIN);
        found.map(|(_, value)| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn origins_are_exact() {
        let on = Cors { enabled: true, ..Cors::default() };
        assert_eq!(origin_for(&Cors::default(), "https://a.example"), None);
        assert_eq!(origin_for(&on, "https://a.example").as_deref(), Some("*"));
        let echo = Cors { allow_all_without_star: true, ..on.clone() };
        assert_eq!(origin_for(&echo, "https://a.example").as_deref(), Some("https://a.example"));
        let list = Cors { allow_origins: vec!["https://a.example".into()], ..on };
        assert_eq!(origin_for(&list, "https://a.example").as_deref(), Some("https://a.example"));
        for other in ["null", "https://a.example.evil", "https://xa.example", "http://a.example"] {
            assert_eq!(origin_for(&list, other), None, "{other}");
        }
    }

    #[test]
    fn a_preflight_names_methods_and_headers() {
        let cors = Cors { enabled: true, ..Cors::default() };
        let mut request = HeaderMap::new();
        request.insert(header::ORIGIN, "https://a.example".parse().unwrap());
        assert!(!is_preflight(&Method::OPTIONS, &request));
        request.insert(header::ACCESS_CONTROL_REQUEST_METHOD, "GET".parse().unwrap());
        assert!(is_preflight(&Method::OPTIONS, &request));
        let headers = cors.headers(&request, true);
        assert!(headers.contains(&(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET,PUT,POST,OPTIONS")
        )));
        assert!(headers.contains(&(header::VARY, HeaderValue::from_static("Origin"))));
    }
}
