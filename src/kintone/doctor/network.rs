//! The way to the server: name, TCP, proxy, TLS, the site's gate, the clock.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::net::{TcpStream, lookup_host};

use super::super::http;
use super::super::tls::{ClientCertificate, Facts};
use super::line::{Ask, Broken, Line, Reply, Traffic, Who, plain};
use super::report::Step;
use super::{Stop, Visit};

/// A certificate that ends within so many days is worth a word.
const SOON: i64 = 21;
/// A clock may be off by so much: a `Date` header has whole seconds, and its answer takes a while.
const SKEW: i64 = 60;
/// Slower answers are worth a word.
const SLOW: Duration = Duration::from_secs(2);

const CLIENT_CERTIFICATE: &str = "certificate";

/// The certificate that we show.
pub(super) fn own_certificate(certificate: &ClientCertificate, now: DateTime<Utc>) -> Step {
    let told = format!("{}, {}", certificate.subject(), validity(certificate.not_after(), now));
    let renew = "get a new certificate and give it as SSLClientCert";
    match days(certificate.not_after(), now) {
        days if days < 0 => Step::failed(CLIENT_CERTIFICATE, told, renew),
        days if days < SOON => Step::warning(CLIENT_CERTIFICATE, told, renew),
        _ => Step::ok(CLIENT_CERTIFICATE, told),
    }
}

/// How fast answers came. The first one made the connection and does not count.
pub(super) fn latency(traffic: &Traffic) -> Option<Step> {
    let mut times = traffic.times.clone();
    times.sort();
    let (least, most) = (times.first()?, times.last()?);
    let median = times.get(times.len() / 2)?;
    let told = format!("{} for an answer ({} to {})", ms(*median), ms(*least), ms(*most));
    Some(if *median > SLOW {
        Step::warning(
            "latency",
            told,
            "look at the network and at the apps' settings; large reads will be slow",
        )
    } else {
        Step::ok("latency", told)
    })
}

fn ms(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}

fn days(end: DateTime<Utc>, now: DateTime<Utc>) -> i64 {
    (end - now).num_seconds().div_euclid(86_400)
}

fn validity(end: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let day = end.format("%Y-%m-%d");
    match days(end, now) {
        days if days < 0 => format!("expired on {day}"),
        days => format!("valid until {day} ({days} days)"),
    }
}

impl Visit<'_> {
    /// From the name to the gate.
    pub(super) async fn reach(&mut self, line: &Line) -> Result<(), Stop> {
        let proxy = http::proxy(self.config).cloned();
        let target = proxy.as_ref().unwrap_or(&self.config.url);
        let host = target.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = target.port_or_known_default().unwrap_or(443);
        let (name, property) = if proxy.is_some() { ("proxy", "ProxyServer") } else { ("TCP", "Url") };
        let addresses = self.addresses(line, &host, port, property).await?;
        self.connect(line, name, property, &addresses).await?;
        let reply = line.send(Who::Nobody, &Ask::get("/k/v1/apis.json")).await;
        self.secure(line, reply.as_ref())?;
        match reply {
            Ok(reply) => self.gate(&reply),
            Err(broken) => Err(self.silent(&broken)),
        }
    }

    /// DNS.
    async fn addresses(
        &mut self,
        line: &Line,
        host: &str,
        port: u16,
        property: &str,
    ) -> Result<Vec<SocketAddr>, Stop> {
        let began = Instant::now();
        let time = line.left(self.bounds.connect);
        let fault = match tokio::time::timeout(time, lookup_host((host, port))).await {
            Err(_) => "the name server does not answer".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Ok(Ok(found)) => {
                let found: Vec<SocketAddr> = found.collect();
                if let Some(first) = found.first() {
                    let more = match found.len() {
                        1 => String::new(),
                        n => format!(" and {} more", n - 1),
                    };
                    let told = format!("{host} is {}{more} ({})", first.ip(), ms(began.elapsed()));
                    self.say(Step::ok("DNS", told));
                    return Ok(found);
                }
                "it has no address".to_owned()
            }
        };
        let advice = format!("check the host in {property}, and that this machine resolves names");
        self.say(Step::failed("DNS", format!("{host} is not found: {}", plain(&fault, 120)), advice));
        Err(Stop("the host has no address"))
    }

    /// TCP, to the proxy where one is on the way.
    async fn connect(
        &mut self,
        line: &Line,
        name: &'static str,
        property: &str,
        addresses: &[SocketAddr],
    ) -> Result<(), Stop> {
        let mut fault = String::new();
        for address in addresses {
            let began = Instant::now();
            let time = line.left(self.bounds.connect);
            match tokio::time::timeout(time, TcpStream::connect(address)).await {
                Ok(Ok(_)) => {
                    self.say(Step::ok(name, format!("{address} answers ({})", ms(began.elapsed()))));
                    return Ok(());
                }
                Ok(Err(error)) => fault = format!("{address}: {error}"),
                Err(_) => fault = format!("{address} does not answer"),
            }
        }
        let advice =
            format!("check the port in {property}, firewalls, and whether a proxy is needed (ProxyServer)");
        self.say(Step::failed(name, plain(&fault, 160), advice));
        Err(Stop("nobody listens there"))
    }

    /// TLS: the certificate that came, also where it was refused.
    fn secure(&mut self, line: &Line, reply: Result<&Reply, &Broken>) -> Result<(), Stop> {
        const NAME: &str = "TLS";
        if self.config.url.scheme() != "https" {
            self.say(Step::ok(NAME, "not used: the server is on this machine"));
            return Ok(());
        }
        let shown = line.certificate();
        let told = |facts: &Facts| {
            let valid = validity(facts.not_after, self.bounds.now);
            format!("{}, issued by {}, {valid}", plain(&facts.subject, 120), plain(&facts.issuer, 120))
        };
        if let Err(Broken::Handshake(reason)) = reply {
            let facts =
                shown.as_ref().map(|facts| format!(" (it shows {})", told(facts))).unwrap_or_default();
            let advice = "never pass this over: somebody else may be answering";
            self.say(Step::failed(NAME, format!("{reason}{facts}"), advice));
            return Err(Stop("there is no secure connection"));
        }
        // Without a certificate nothing came so far; the next step says why.
        let Some(facts) = shown else { return Ok(()) };
        let told = told(&facts);
        self.say(match days(facts.not_after, self.bounds.now) {
            days if days < SOON => {
                Step::warning(NAME, told, "whoever runs the server should renew its certificate")
            }
            _ => Step::ok(NAME, told),
        });
        Ok(())
    }

    fn silent(&mut self, broken: &Broken) -> Stop {
        let advice = "try again; if it stays so, look at the proxy, firewalls and https://status.cybozu.com";
        self.say(Step::failed("HTTP", broken.words(), advice));
        Stop("the server does not answer")
    }

    /// Kintone's answer to what everybody may ask, which only a gate can refuse.
    fn gate(&mut self, reply: &Reply) -> Result<(), Stop> {
        const NAME: &str = "gate";
        let is_kintone = reply.json.as_ref().is_some_and(|body| body.get("apis").is_some());
        match reply.status {
            200 if is_kintone => {
                let told = if self.config.basic.is_some() { "the Basic login opens it" } else { "open" };
                self.say(Step::ok(NAME, told));
            }
            401 | 403 => {
                let (told, advice) = match (&self.config.basic, reply.status) {
                    (Some(_), 401) => {
                        ("the Basic login is wrong", "check BasicAuthUser and BasicAuthPassword")
                    }
                    (None, 401) => {
                        ("the site demands a Basic login", "give BasicAuthUser and BasicAuthPassword")
                    }
                    _ => (
                        "the site lets nobody in from here",
                        "ask the administrator for the allowed IP addresses, or give SSLClientCert",
                    ),
                };
                self.say(Step::failed(NAME, format!("{told} ({})", reply.outcome()), advice));
                return Err(Stop("the gate is closed"));
            }
            429 => {
                let told = format!("too many requests run on the domain ({})", reply.outcome());
                self.say(Step::failed(NAME, told, "wait, and find out which other program asks so much"));
                return Err(Stop("the domain is too busy"));
            }
            status @ 500.. => {
                let told = format!("Kintone is not in service (HTTP {status})");
                let advice = "wait: it is often maintenance; see https://status.cybozu.com";
                self.say(Step::failed(NAME, told, advice));
                return Err(Stop("Kintone is not in service"));
            }
            status => {
                let kind =
                    if reply.content_type.is_empty() { "no content type" } else { &reply.content_type };
                let told = format!("not Kintone's answer (HTTP {status}, {kind})");
                self.say(Step::failed(
                    NAME,
                    told,
                    "check Url: https://YOUR-DOMAIN.cybozu.com, without a path",
                ));
                return Err(Stop("it is not Kintone"));
            }
        }
        self.clock(reply);
        Ok(())
    }

    fn clock(&mut self, reply: &Reply) {
        const NAME: &str = "clock";
        let Some(date) = reply.date else {
            return self.say(Step::skipped(NAME, "the server does not say what time it is"));
        };
        // Tests may say what time it is; the time that steps took does not matter here.
        let skew = (self.bounds.now - date).num_seconds();
        let (size, side) = (skew.unsigned_abs(), if skew > 0 { "ahead of" } else { "behind" });
        self.say(if skew.abs() <= SKEW {
            Step::ok(NAME, "as the server's")
        } else {
            let told = format!("{size} s {side} the server's");
            let advice = "set this machine's clock: TLS and date filters such as today depend on it";
            Step::warning(NAME, told, advice)
        });
    }
}
