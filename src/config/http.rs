//! `[http]`, `[http.cors]` and `[Application]`: the OData door.

use url::Url;

use super::reader::{Faults, Item, Section, parsed_list};
use super::{HTTP_LISTEN, address};
use crate::odata::Cors;
use crate::trust::AddressRange;

/// The OData door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// `HOST:PORT`
    pub listen: String,
    /// Clients that may ask; empty: this machine only.
    pub trusted_ips: Vec<AddressRange>,
    /// The address from outside, for links; `None`: the request's Host header, checked.
    pub base_url: Option<Url>,
    /// `[http.cors]`
    pub cors: Cors,
    /// A token may stand in the URL's path.
    pub allow_authtoken_in_url: bool,
}

/// Reads the sections.
pub(super) fn read(root: &mut Section<'_>, faults: &mut Faults<'_>) -> HttpSettings {
    let mut http = HttpSettings {
        listen: HTTP_LISTEN.into(),
        trusted_ips: vec![],
        base_url: None,
        cors: Cors::default(),
        allow_authtoken_in_url: false,
    };
    if let Some(mut section) = root.section("http", faults) {
        http.listen = address(&mut section, HTTP_LISTEN, faults);
        http.trusted_ips = parsed_list(&mut section, "trusted_ips", "addresses", faults);
        http.base_url = section.take("base_url").and_then(|item| base_url(&item, faults));
        if let Some(section) = section.section("cors", faults) {
            http.cors = cors(section, faults);
        }
        section.finish(faults);
    }
    if let Some(mut section) = root.section("Application", faults) {
        http.allow_authtoken_in_url = section.flag("AllowAuthtokenInURL", faults).unwrap_or(false);
        section.finish(faults);
    }
    http
}

fn base_url(item: &Item<'_>, faults: &mut Faults<'_>) -> Option<Url> {
    let text = item.text(faults)?;
    if text.is_empty() {
        return None;
    }
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    if url.is_none() {
        faults.add(item.at, &item.path, "expected an address that begins with https:// or http://");
    }
    url
}

fn cors(mut section: Section<'_>, faults: &mut Faults<'_>) -> Cors {
    let mut cors = Cors::default();
    set(&mut cors.enabled, section.flag("enabled", faults));
    set(&mut cors.allow_origins, texts(&mut section, "allow_origins", faults));
    set(&mut cors.allow_all_without_star, section.flag("allow_all_without_star", faults));
    set(&mut cors.allow_methods, section.text("allow_methods", faults).map(str::to_owned));
    set(&mut cors.allow_headers, section.text("allow_headers", faults).map(str::to_owned));
    section.finish(faults);
    cors
}

fn set<T>(target: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *target = given;
    }
}

/// A list of strings, where it is given.
fn texts(section: &mut Section<'_>, key: &'static str, faults: &mut Faults<'_>) -> Option<Vec<String>> {
    let items = section.take(key)?.elements("strings", faults);
    Some(items.iter().filter_map(|item| item.text(faults)).map(str::to_owned).collect())
}
