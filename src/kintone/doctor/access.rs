//! The login, what it may read, and how much of the quota is used.

use serde_json::Value;

use super::super::config::Credentials;
use super::super::secret::Secret;
use super::line::{Ask, Broken, Line, Reply, Who};
use super::refusal;
use super::report::Step;
use super::{Stop, Visit};

/// So many apps are looked at one by one.
const APPS: usize = 5;
/// Requests that an app may get in a day, in the Standard course (K§5.1).
const DAILY: u64 = 10_000;
/// A domain with so few requests left is too busy.
const FEW: u32 = 20;

/// An app to look at.
struct Target {
    id: u64,
    name: String,
    space: Option<u64>,
}

fn path(space: Option<u64>, resource: &str) -> String {
    match space {
        Some(space) => format!("/k/guest/{space}/v1/{resource}"),
        None => format!("/k/v1/{resource}"),
    }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, name: &str) -> Option<u64> {
    let value = value.get(name)?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

impl Visit<'_> {
    /// From the login to the quota.
    pub(super) async fn log_in(&mut self, line: &Line) -> Result<(), Stop> {
        let config = self.config;
        let apps = match &config.credentials {
            Credentials::ApiTokens(tokens) => {
                self.tokens(line, tokens).await?;
                self.named(vec![])
            }
            Credentials::Password { user, .. } => {
                let listed = self.person(line, &format!("{user} is logged in")).await?;
                self.named(listed)
            }
            Credentials::OAuth(_) => {
                let listed = self.person(line, "the access token is accepted").await?;
                self.named(listed)
            }
        };
        self.rights(line, apps).await?;
        if !matches!(config.credentials, Credentials::ApiTokens(_)) {
            self.spaces(line).await?;
            self.quota(line).await;
        }
        self.concurrency(line);
        Ok(())
    }

    /// An answer, or the end.
    async fn ask(
        &mut self,
        line: &Line,
        name: &'static str,
        who: Who<'_>,
        ask: Ask<'_>,
    ) -> Result<Reply, Stop> {
        line.send(who, &ask).await.map_err(|broken| {
            let advice = match broken {
                Broken::Late => "Kintone or the network is slow; try again",
                _ => "try again; if it stays so, look at the network and the proxy",
            };
            self.say(Step::failed(name, broken.words(), advice));
            Stop("the server stopped answering")
        })
    }

    /// A person's login, by the list of apps.
    async fn person(&mut self, line: &Line, accepted: &str) -> Result<Vec<Target>, Stop> {
        const NAME: &str = "login";
        let reply = self.ask(line, NAME, Who::Login, Ask::get("/k/v1/apps.json")).await?;
        if reply.status != 200 {
            let (told, advice) = refusal::words(&reply);
            self.say(Step::failed(NAME, told, advice));
            return Err(Stop("without a login nothing else can be asked"));
        }
        let apps = reply.list("apps").iter().filter_map(|app| {
            Some(Target { id: number(app, "appId")?, name: text(app, "name").to_owned(), space: None })
        });
        let apps: Vec<_> = apps.collect();
        let sees = match apps.len() {
            0 => "and sees no app".to_owned(),
            1 => "and sees 1 app".to_owned(),
            100 => "and sees 100 apps or more".to_owned(),
            n => format!("and sees {n} apps"),
        };
        let told = format!("{accepted} {sees}");
        self.say(match apps.len() {
            0 => Step::warning(NAME, told, "ask an administrator for rights to apps"),
            _ => Step::ok(NAME, told),
        });
        Ok(apps)
    }

    /// Each token alone: which app it opens. A token that no app has is sent once.
    async fn tokens(&mut self, line: &Line, tokens: &[Secret]) -> Result<(), Stop> {
        const NAME: &str = "token";
        let mut open = self.config.apps.clone();
        if open.is_empty() {
            let advice = "give AppId: tokens cannot list the apps that they open";
            self.say(Step::warning("login", "API tokens, and no app to use them on", advice));
            return Err(Stop("no app is named"));
        }
        let mut useful = 0;
        for (index, token) in tokens.iter().enumerate() {
            let which = if tokens.len() == 1 { "it".to_owned() } else { format!("token {}", index + 1) };
            let mut last = None;
            for app in open.clone() {
                let (reply, _) = self.form(line, Who::Token(token), app).await?;
                if reply.status == 200 {
                    open.retain(|known| *known != app);
                    last = None;
                    useful += 1;
                    self.say(Step::ok(NAME, format!("{which} opens app {app}")));
                    break;
                }
                let ends = refusal::is_login(&reply) || reply.status >= 500;
                last = Some((app, reply));
                if ends {
                    break;
                }
            }
            if let Some((app, reply)) = last {
                let (told, advice) = refusal::words(&reply);
                let of = if reply.code() == Some("GAIA_AP15") {
                    "of an app that AppId does not name".into()
                } else {
                    told
                };
                let told = match reply.code() {
                    Some("GAIA_AP15") => format!("{which} is {of} ({})", reply.outcome()),
                    _ => format!("{which} on app {app}: {of}"),
                };
                self.say(Step::failed(NAME, told, advice));
            }
        }
        if useful == 0 { Err(Stop("no token opens an app")) } else { Ok(()) }
    }

    /// An app's form, through its guest space where the plain path says that it is in one.
    async fn form(&mut self, line: &Line, who: Who<'_>, app: u64) -> Result<(Reply, Option<u64>), Stop> {
        let of = |space| Ask::get(path(space, "app/form/fields.json")).with("app", app);
        let reply = self.ask(line, "apps", who, of(None)).await?;
        if reply.code() != Some("GAIA_IL23") {
            return Ok((reply, None));
        }
        for space in self.config.guest_spaces.clone() {
            let there = self.ask(line, "apps", who, of(Some(space))).await?;
            if there.status == 200 {
                return Ok((there, Some(space)));
            }
        }
        Ok((reply, None))
    }

    /// The apps that the settings name, else the first ones.
    fn named(&self, listed: Vec<Target>) -> Vec<Target> {
        let config = self.config;
        let named = |id: u64| {
            let name = listed.iter().find(|app| app.id == id).map(|app| app.name.clone());
            Target { id, name: name.unwrap_or_default(), space: None }
        };
        if !config.apps.is_empty() {
            return config.apps.iter().map(|id| named(*id)).collect();
        }
        let is_wanted = |app: &Target| {
            config.tables.is_empty()
                || config.tables.iter().any(|t| t.eq_ignore_ascii_case(&app.name) || *t == app.id.to_string())
        };
        listed.into_iter().filter(is_wanted).collect()
    }

    /// What may be read of each app.
    async fn rights(&mut self, line: &Line, apps: Vec<Target>) -> Result<(), Stop> {
        let rest = apps.len().saturating_sub(APPS);
        for mut app in apps.into_iter().take(APPS) {
            let (form, space) = self.form(line, Who::Login, app.id).await?;
            app.space = space;
            let of = |resource: &str| Ask::get(path(space, resource)).with("app", app.id);
            let shown = if app.name.is_empty() { String::new() } else { format!(" ({})", app.name) };
            let shown = format!("app {}{shown}", app.id);
            if form.status != 200 {
                let (told, advice) = refusal::words(&form);
                self.say(Step::failed("rights", format!("{shown}: its form is closed: {told}"), advice));
                continue;
            }
            let records = of("records.json").with("query", "limit 1").with("fields[0]", "$id");
            let records = self.ask(line, "rights", Who::Login, records).await?;
            if records.status != 200 {
                let (told, advice) = refusal::words(&records);
                self.say(Step::failed("rights", format!("{shown}: its records are closed: {told}"), advice));
                continue;
            }
            let settings = self.ask(line, "rights", Who::Login, of("app/settings.json")).await?;
            self.say(if settings.status == 200 {
                Step::ok("rights", format!("{shown}: records, form and settings can be read"))
            } else {
                let told =
                    format!("{shown}: records and form, but not the settings ({})", settings.outcome());
                Step::warning(
                    "rights",
                    told,
                    "numbers are read with 4 decimal places, as Kintone has them unless set",
                )
            });
        }
        if rest > 0 {
            self.say(Step::skipped("rights", format!("{rest} more not looked at")));
        }
        Ok(())
    }

    /// The guest spaces of the settings.
    async fn spaces(&mut self, line: &Line) -> Result<(), Stop> {
        for space in self.config.guest_spaces.clone() {
            let ask = Ask::get(path(Some(space), "apps.json"));
            let reply = self.ask(line, "guest space", Who::Login, ask).await?;
            self.say(if reply.status == 200 {
                let apps = match reply.list("apps").len() {
                    1 => "1 app".to_owned(),
                    n => format!("{n} apps"),
                };
                Step::ok("guest space", format!("{space} has {apps} for this login"))
            } else {
                let told = format!("{space} is closed to this login, or is not there ({})", reply.outcome());
                Step::failed("guest space", told, "check GuestSpaceId, and join the space with this user")
            });
        }
        Ok(())
    }

    /// Requests of today. Not to be told of them is no fault.
    async fn quota(&mut self, line: &Line) {
        const NAME: &str = "quota";
        let ask = Ask::get("/k/v1/apps/statistics.json").with("limit", 100);
        let reply = line.send(Who::Login, &ask).await;
        let own = format!("{} requests by this diagnosis", line.traffic().requests);
        let reply = match reply {
            Ok(reply) if reply.status == 200 => reply,
            Ok(reply) => {
                let told = format!("{own}; others' are not told ({})", reply.outcome());
                return self.say(Step::skipped(NAME, told));
            }
            Err(broken) => {
                let told = format!("{own}; others' are not told ({})", broken.words());
                return self.say(Step::skipped(NAME, told));
            }
        };
        let counts = reply.list("apps").iter();
        let most =
            counts.filter_map(|app| Some((number(app, "dailyRequestCount")?, number(app, "id")?))).max();
        let Some((count, app)) = most.filter(|(count, _)| *count > 0) else {
            return self.say(Step::ok(NAME, own));
        };
        let told =
            format!("{own}; the busiest app, {app}, got {count} today, of {DAILY} in the Standard course");
        self.say(if count > DAILY * 8 / 10 {
            let advice = "fewer, larger queries; find out which other programs ask; the count starts anew at 09:00 in Japan";
            Step::warning(NAME, told, advice)
        } else {
            Step::ok(NAME, told)
        });
    }

    /// Requests at once, of the whole domain.
    fn concurrency(&mut self, line: &Line) {
        const NAME: &str = "concurrency";
        let Some((limit, running)) = line.traffic().concurrency else {
            return self.say(Step::skipped(NAME, "Kintone does not tell how many requests run"));
        };
        let told = format!("{running} of {limit} requests run on the domain");
        self.say(if limit.saturating_sub(running) < FEW {
            Step::warning(NAME, told, "other programs use the domain heavily; large reads will wait for them")
        } else {
            Step::ok(NAME, told)
        });
    }
}
