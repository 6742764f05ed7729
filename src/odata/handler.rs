//! One request to one answer.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header, request,
};

use super::auth::{ApiUser, Credentials, authenticate, authorize};
use super::bind::nearest;
use super::error::Failure;
use super::host::Base;
use super::name::{EntitySet, Model};
use super::openapi::{self, Place};
use super::page::Signer;
use super::read::{Reader, from_engine};
use super::request::{self as url, Address, Options, Resource};
use super::{OdataConfig, cors, format, metadata};
use crate::engine::{Engine, TableInfo, User};
use crate::error::{Error, Kind, Result};
use crate::trust;

/// Bytes of path and query together.
const URL_BYTES: usize = 16 * 1024;

type Tables = Vec<(String, Vec<Arc<TableInfo>>)>;

/// What all requests share.
pub(super) struct Door {
    pub(super) config: OdataConfig,
    engine: Engine,
    users: Vec<ApiUser>,
    signer: Arc<Signer>,
    /// Names are given anew only when the catalog has changed.
    model: Mutex<Option<(Tables, Arc<Model>)>>,
}

impl Door {
    pub(super) fn new(engine: Engine, users: Vec<ApiUser>, config: OdataConfig) -> Result<Self> {
        Ok(Self { config, engine, users, signer: Arc::new(Signer::new()?), model: Mutex::new(None) })
    }

    /// Answers a request of a peer. Nothing of a body is read.
    pub(super) async fn answer(
        &self,
        request: Request<Body>,
        peer: IpAddr,
        local: Option<IpAddr>,
        is_trusted: bool,
    ) -> Response<Body> {
        let (parts, _body) = request.into_parts();
        let is_preflight = cors::is_preflight(&parts.method, &parts.headers);
        let answered = match self.admit(&parts, peer, is_trusted) {
            Ok(()) => Box::pin(self.respond(&parts, local, is_preflight)).await,
            Err(failure) => Err(failure),
        };
        let mut response = answered.unwrap_or_else(|failure| failure.response());
        let headers = response.headers_mut();
        for (name, value) in self.config.cors.headers(&parts.headers, is_preflight) {
            headers.append(name, value);
        }
        for (name, value) in [
            (HeaderName::from_static("odata-version"), "4.0"),
            (header::CACHE_CONTROL, "no-store"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }

    /// Whether the peer may ask at all.
    fn admit(&self, parts: &request::Parts, peer: IpAddr, is_trusted: bool) -> Result<(), Failure> {
        if !is_trusted {
            return Err(forbidden("this address is not trusted; trusted_ips of [http] lists those that are"));
        }
        let forwarded = ["x-forwarded-for", "forwarded"].iter().any(|name| parts.headers.contains_key(*name));
        if forwarded && trust::is_loopback(peer) {
            // Else a proxy on this machine would make everyone an address of this machine.
            return Err(forbidden(
                "a request that a proxy forwarded is refused, because no proxy is trusted",
            ));
        }
        Ok(())
    }

    async fn respond(
        &self,
        parts: &request::Parts,
        local: Option<IpAddr>,
        is_preflight: bool,
    ) -> Result<Response<Body>, Failure> {
        let base = Base::of(&self.config, &parts.uri, &parts.headers, local)?;
        if is_preflight {
            return Ok(status(StatusCode::NO_CONTENT));
        }
        let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or(""));
        if path.len() + query.len() > URL_BYTES {
            return Err(Failure::of_status(
                StatusCode::URI_TOO_LONG,
                format!("the URL is longer than {URL_BYTES} bytes"),
            ));
        }
        let version = max_version(&parts.headers)?;
        // Who asks is settled before anything is said about what is asked.
        let token = url::token(path, query)?;
        let credentials = Credentials::of(&parts.headers, token.as_ref().map(|token| token.text.as_str()));
        let user = authenticate(&self.users, &credentials, self.config.allow_authtoken_in_url)?;
        let address = url::parse(path, query, version == "4.0")?;
        allow_method(&address.resource, &parts.method)?;
        if parts.method == Method::OPTIONS {
            return Ok(status(StatusCode::NO_CONTENT));
        }
        authorize(user, &parts.method)?;
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            return Err(Error::unsupported(format!("{} on an entity set", parts.method)).into());
        }
        let base = base.with_token(token.as_ref());
        Box::pin(self.read(&address, &base, user, &parts.headers)).await
    }

    async fn read(
        &self,
        address: &Address,
        base: &Base,
        user: &ApiUser,
        headers: &HeaderMap,
    ) -> Result<Response<Body>, Failure> {
        let options = &address.options;
        let model = self.model().await?;
        let wanted = options.format.as_deref();
        match &address.resource {
            Resource::Service => {
                let json = format::json(headers, wanted)?;
                let with_context = json.metadata != format::Metadata::None;
                let document = metadata::service_document(&model, &base.url(), with_context);
                Ok(answer(&json.content_type(), document.to_string()))
            }
            Resource::Metadata => {
                format::exactly(headers, wanted, "application/xml", "xml")?;
                Ok(answer("application/xml;charset=utf-8", metadata::csdl(&model)))
            }
            Resource::OpenApi => {
                format::exactly(headers, wanted, "application/json", "json")?;
                let sets = self.chosen_sets(&model, options)?;
                let place = Place {
                    scheme: &base.scheme,
                    host: &base.host,
                    path: &base.path,
                    has_token: base.has_token,
                };
                Ok(answer("application/json;charset=utf-8", openapi::document(&sets, &place).to_string()))
            }
            Resource::Set { name } => self.reader(&model, name, base, user)?.page(options, headers).await,
            Resource::Count { name } => self.reader(&model, name, base, user)?.count(options, headers).await,
            Resource::Entity { name, key } => {
                self.reader(&model, name, base, user)?.entity(key, options, headers).await
            }
        }
    }

    fn reader<'a>(
        &'a self,
        model: &'a Model,
        name: &str,
        base: &Base,
        user: &ApiUser,
    ) -> Result<Reader<'a>, Failure> {
        let engine_user = User { name: user.name.clone(), administrator: user.administrator };
        Ok(Reader {
            session: self.engine.session(engine_user),
            set: entity_set(model, name)?,
            base: base.url(),
            page_size: self.config.page_size.max(1),
            signer: Arc::clone(&self.signer),
        })
    }

    fn chosen_sets<'m>(&self, model: &'m Model, options: &Options) -> Result<Vec<&'m EntitySet>> {
        match &options.tables {
            Some(names) => names.split(',').map(|name| entity_set(model, name.trim())).collect(),
            None => Ok(model.sets().iter().collect()),
        }
    }

    /// The names of everything, as the catalog stands now.
    async fn model(&self) -> Result<Arc<Model>> {
        let mut tables: Tables = vec![];
        for (position, schema) in self.engine.schemas().into_iter().enumerate() {
            match Box::pin(self.engine.tables(&schema)).await {
                Ok(found) => tables.push((schema, found)),
                // One connection that is down must not hide the others.
                Err(error) if position > 0 => tracing::warn!(%error, schema, "a connection is left out"),
                Err(error) => return Err(from_engine(error)),
            }
        }
        let mut cached = self.model.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, model)) = &*cached
            && is_same(known, &tables)
        {
            return Ok(Arc::clone(model));
        }
        let model = Arc::new(Model::new(&tables, self.config.ascii_names));
        *cached = Some((tables, Arc::clone(&model)));
        Ok(model)
    }
}

/// Whether two catalogs hold the same tables.
fn is_same(left: &Tables, right: &Tables) -> bool {
    let all = |tables: &Tables| tables.iter().map(|(_, tables)| tables.len()).collect::<Vec<_>>();
    all(left) == all(right)
        && left.iter().zip(right).all(|((l, left), (r, right))| {
            l == r && left.iter().zip(right).all(|(left, right)| Arc::ptr_eq(left, right) || left == right)
        })
}

/// The set of this name.
///
/// # Errors
/// `UndefinedTable`, with the nearest name.
pub(super) fn entity_set<'m>(model: &'m Model, name: &str) -> Result<&'m EntitySet> {
    model.set(name).ok_or_else(|| {
        let error = url::not_found(&format!("no entity set {name}"));
        match nearest(name, model.sets().iter().map(|set| set.name.as_str())) {
            Some(near) => error.with_hint(format!("Is {near} meant?")),
            None => error.with_hint(format!("/{}/ lists the entity sets", url::ROOT)),
        }
    })
}

fn forbidden(message: &str) -> Failure {
    Error::new(Kind::Forbidden, message).into()
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// A whole answer.
pub(super) fn answer(content_type: &str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    if let Ok(value) = HeaderValue::from_str(content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    response
}

/// The newest version that the client takes: answers are always 4.0.
fn max_version(headers: &HeaderMap) -> Result<&str, Failure> {
    let version = headers.get("odata-maxversion").and_then(|value| value.to_str().ok()).map_or("", str::trim);
    if matches!(version, "" | "4.0" | "4.01") {
        return Ok(version);
    }
    Err(Failure::of_status(
        StatusCode::BAD_REQUEST,
        "OData-MaxVersion is 4.0 or 4.01; this server answers in 4.0",
    ))
}

/// Refuses a verb that never fits the resource.
fn allow_method(resource: &Resource, method: &Method) -> Result<(), Failure> {
    let allowed = match resource {
        Resource::Set { .. } => "GET, HEAD, OPTIONS, POST",
        Resource::Entity { .. } => "GET, HEAD, OPTIONS, PUT, PATCH, DELETE",
        _ => "GET, HEAD, OPTIONS",
    };
    if allowed.split(", ").any(|verb| verb == method.as_str()) {
        return Ok(());
    }
    Err(Failure::of_status(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("{method} does not fit here; {allowed} do"),
    )
    .with_header(header::ALLOW, HeaderValue::from_static(allowed)))
}
