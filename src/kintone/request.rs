//! A call, and how it goes on the wire (K§1.4, K§2).

use reqwest::header::{CONTENT_TYPE, HeaderName};
use reqwest::{Body, Client, Method, RequestBuilder};
use serde_json::{Map, Value};
use url::Url;

use super::client::AppKey;
use super::retry::Effect;

/// Longer URLs go as POST with the method in a header, as the official client does (K§1.4).
const MAX_URL: usize = 4096;

/// A list in a URL has so many places (K§2.1).
const MAX_LIST: usize = 100;

const OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");

/// A call to be sent.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub method: Method,
    /// Without the leading path of the space: `records.json`.
    pub resource: &'static str,
    /// The User API, which has a path of its own and no spaces.
    pub is_common: bool,
    pub guest_space: Option<u64>,
    pub app: Option<u64>,
    /// Parameters as the JSON body has them; arrays of texts for lists.
    pub parameters: Vec<(&'static str, Value)>,
    /// Kintone's query text, for the log.
    pub query: String,
    pub effect: Effect,
    /// Records that it writes.
    pub rows: usize,
    /// Apps that it writes to.
    pub writes: Vec<u64>,
}

impl Call {
    fn new(method: Method, resource: &'static str, effect: Effect) -> Self {
        Self {
            method,
            resource,
            is_common: false,
            guest_space: None,
            app: None,
            parameters: vec![],
            query: String::new(),
            effect,
            rows: 0,
            writes: vec![],
        }
    }

    /// A read.
    pub(super) fn get(resource: &'static str) -> Self {
        Self::new(Method::GET, resource, Effect::None)
    }

    /// A read of the User API.
    pub(super) fn common(resource: &'static str) -> Self {
        Self { is_common: true, ..Self::get(resource) }
    }

    /// A read of an app, which is the parameter `app`.
    pub(super) fn of_app(resource: &'static str, app: AppKey) -> Self {
        Self::get(resource).at(app).with("app", app.id)
    }

    /// A write to an app, which is the parameter `app`.
    pub(super) fn to_app(method: Method, resource: &'static str, app: AppKey, rows: usize) -> Self {
        let call = Self::new(method, resource, Effect::Change).at(app).with("app", app.id);
        Self { rows, writes: vec![app.id], ..call }
    }

    /// A write to no app, or to several.
    pub(super) fn change(method: Method, resource: &'static str) -> Self {
        Self::new(method, resource, Effect::Change)
    }

    /// The app that it is about, without saying so in a parameter.
    pub(super) fn at(self, app: AppKey) -> Self {
        Self { guest_space: app.guest_space, app: Some(app.id), ..self }
    }

    pub(super) fn effect(self, effect: Effect) -> Self {
        Self { effect, ..self }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.parameters.push((name, value.into()));
        self
    }

    /// A parameter that is left out where there is none.
    pub(super) fn with_some(self, name: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// `/k/v1/records.json`, or the guest space's, after a path that the URL itself may have.
    pub(super) fn path(&self, base: &Url) -> String {
        let base = base.path().trim_end_matches('/');
        let resource = self.resource;
        match self.guest_space {
            _ if self.is_common => format!("{base}/v1/{resource}"),
            Some(space) => format!("{base}/k/guest/{space}/v1/{resource}"),
            None => format!("{base}/k/v1/{resource}"),
        }
    }

    /// Its name in errors.
    pub(super) fn name(&self, path: &str) -> String {
        match self.app {
            Some(app) => format!("{} {path} (app {app})", self.method),
            None => format!("{} {path}", self.method),
        }
    }

    /// Reads and deletions have their parameters in the URL where it can hold them; all others in a JSON body.
    pub(super) fn request(&self, client: &Client, base: &Url, path: &str) -> RequestBuilder {
        let mut url = bare(base, path);
        let in_url = [Method::GET, Method::DELETE].contains(&self.method);
        if in_url {
            let long = self.parameters.iter().any(|(_, v)| v.as_array().is_some_and(|a| a.len() > MAX_LIST));
            let plain = url.clone();
            if !self.parameters.is_empty() {
                url.set_query(Some(&query_string(&self.parameters)));
            }
            if url.as_str().len() <= MAX_URL && !long {
                return client.request(self.method.clone(), url);
            }
            let post = client.post(plain).header(OVERRIDE, self.method.as_str());
            return post.header(CONTENT_TYPE, "application/json").body(self.body());
        }
        let request = client.request(self.method.clone(), url);
        request.header(CONTENT_TYPE, "application/json").body(self.body())
    }

    fn body(&self) -> Body {
        let each = self.parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        Value::Object(each.collect::<Map<_, _>>()).to_string().into()
    }
}

/// The URL of a path, without parameters.
pub(super) fn bare(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(path);
    url.set_fragment(None);
    url.set_query(None);
    url
}

/// Parameters as a URL has them, lists with an index for each item (K§1.4).
fn query_string(parameters: &[(&str, Value)]) -> String {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut pairs = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        match value {
            Value::Array(items) => {
                for (i, item) in items.iter().enumerate() {
                    pairs.append_pair(&format!("{name}[{i}]"), &plain(item));
                }
            }
            value => {
                pairs.append_pair(name, &plain(value));
            }
        }
    }
    // A plus sign means a space in forms only; a real one is already `%2B`.
    pairs.finish().replace('+', "%20")
}
