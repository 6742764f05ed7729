//! One client's dialogue after the start: simple queries, the extended protocol, errors up to the next Sync.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures::FutureExt;
use pgwire::messages::PgWireFrontendMessage;
use pgwire::messages::data::{NoData, ParameterDescription};
use pgwire::messages::extendedquery::{
    Bind, BindComplete, Close, CloseComplete, Describe, Execute, Parse, ParseComplete, PortalSuspended,
    TARGET_TYPE_BYTE_PORTAL, TARGET_TYPE_BYTE_STATEMENT,
};
use pgwire::messages::response::{CommandComplete, EmptyQueryResponse, ReadyForQuery, TransactionStatus};
use pgwire::messages::startup::ParameterStatus;
use tokio::io::AsyncWrite;
use tokio::sync::mpsc;

use super::cancel::CancelKey;
use super::cursor::Cursor;
use super::failure::{self, Failure, c_string};
use super::frame::Frame;
use super::output::Output;
use super::portal::{ClientStatement, Portal, PortalState, Rows, Sent, guarded, tag, told};
use super::running::Cancels;
use super::startup::Stop;
use super::statement::Started;
use super::types::ParameterType;
use crate::engine::{
    Direction, Fetch, KnownSettings, Notice, QueryResult, Session, Statement, TextOptions, Transaction,
};

/// Prepared statements of one connection, and portals.
const MAX_NAMED: usize = 1000;

/// What a connection remembers.
pub(super) struct Connection<W> {
    pub(super) session: Session,
    pub(super) output: Output<W>,
    pub(super) statements: HashMap<String, Arc<ClientStatement>>,
    pub(super) portals: HashMap<String, Portal>,
    /// Cursors of SQL.
    pub(super) cursors: HashMap<String, Cursor>,
    /// After an error in the extended protocol, until Sync.
    skipping: bool,
    /// The settings that the client was told of.
    told: KnownSettings,
    pub(super) cancels: Cancels,
}

impl<W: AsyncWrite + Unpin + Send> Connection<W> {
    pub(super) fn new(session: Session, output: Output<W>, cancels: Cancels) -> Self {
        Self {
            session,
            output,
            statements: HashMap::new(),
            portals: HashMap::new(),
            cursors: HashMap::new(),
            skipping: false,
            told: KnownSettings::default(),
            cancels,
        }
    }

    /// Answers messages until the client says goodbye or an error ends the connection.
    pub(super) async fn run(
        &mut self,
        frames: &mut mpsc::Receiver<Box<Frame>>,
        key: &CancelKey,
    ) -> io::Result<()> {
        self.ready().await?;
        loop {
            key.busy().store(false, Ordering::Release);
            let Some(frame) = frames.recv().await else { return Ok(()) };
            key.busy().store(true, Ordering::Release);
            let (extended, result) = match *frame {
                Frame::Message(PgWireFrontendMessage::Terminate(_)) => return Ok(()),
                Frame::Message(PgWireFrontendMessage::Sync(_)) => {
                    self.skipping = false;
                    self.ready().await?;
                    continue;
                }
                Frame::Broken(failure) => (true, Err(failure.into())),
                _ if self.skipping => continue,
                Frame::NotUtf8 { extended } => {
                    (extended, Err(Failure::error("22021", "the message is not valid UTF-8 text").into()))
                }
                Frame::FunctionCall => {
                    let failure = Failure::error("0A000", "function calls by fastpath are not supported");
                    (false, Err(failure.with_hint("Call the function in a SELECT.").into()))
                }
                Frame::Message(PgWireFrontendMessage::Query(query)) => {
                    (false, self.simple(&query.query).boxed().await)
                }
                Frame::Message(message) => (true, self.extended(message).boxed().await),
            };
            if key.ended().is_cancelled() {
                // It says no more than why it ends.
                return std::future::pending().await;
            }
            if let Err(stop) = result {
                let failure = told(stop)?;
                self.fail(&failure).await?;
                if failure.is_fatal() {
                    return Ok(());
                }
                self.skipping = extended;
            }
            if !extended {
                self.ready().await?;
            }
        }
    }

    async fn fail(&mut self, failure: &Failure) -> io::Result<()> {
        self.session.fail();
        self.session.pause();
        self.tell(&self.session.take_notices())?;
        if failure.code() == "XX000" {
            tracing::error!(?failure, "a statement failed by a defect");
        }
        self.output.put(&failure.response())?;
        self.output.flush().await
    }

    /// The message is done. As in PostgreSQL, the client hears of changed settings now.
    async fn ready(&mut self) -> io::Result<()> {
        self.session.pause();
        self.session.end_message();
        self.session.end_activity();
        let (changed, told) = self.session.changed_settings(&self.told);
        self.told = told;
        for (name, value) in changed {
            self.output.put(&ParameterStatus::new(c_string(&name), c_string(&value)))?;
        }
        let status = match self.session.transaction() {
            Transaction::Idle => {
                self.end_of_block(true);
                TransactionStatus::Idle
            }
            Transaction::Open => TransactionStatus::Transaction,
            Transaction::Failed => TransactionStatus::Error,
        };
        self.output.put(&ReadyForQuery::new(status))?;
        self.output.flush().await?;
        self.output.rest();
        Ok(())
    }

    /// A portal lives as long as its transaction, and without a block up to Sync.
    pub(super) fn end_of_block(&mut self, ends_well: bool) {
        self.portals.clear();
        self.cursors.retain(|_, cursor| {
            cursor.is_kept |= ends_well && cursor.declared.hold;
            cursor.is_kept
        });
    }

    async fn simple(&mut self, sql: &str) -> Result<(), Stop> {
        self.statements.remove("");
        self.portals.remove("");
        self.session.begin_activity(sql);
        self.session.resume();
        let statements = guarded(async { self.session.parse(sql) }).await?;
        if statements.is_empty() {
            self.output.put(&EmptyQueryResponse::new())?;
        }
        let several = statements.len() > 1;
        for statement in statements {
            self.session.resume();
            self.session.begin_message(several);
            self.simple_statement(statement).await?;
            // Each has its own time.
            self.session.pause();
        }
        Ok(())
    }

    async fn simple_statement(&mut self, statement: Statement) -> Result<(), Stop> {
        let statement = self.prepare(statement, &[]).await?;
        if !statement.parameters.is_empty() {
            let failure = Failure::error("42P02", "there is no parameter $1")
                .with_hint("A statement with parameters needs the extended protocol (Parse, Bind, Execute).");
            return Err(failure.into());
        }
        match self.start(&statement, vec![], &[], true).await? {
            Started::Done => Ok(()),
            Started::Rows(mut rows, command) => {
                let sent = rows.send(&mut self.output, None).await?;
                let count = if let Sent::All(count) = sent { count } else { 0 };
                self.complete(&tag(&command, count))
            }
        }
    }

    pub(super) fn text_options(&self) -> TextOptions {
        TextOptions { time_zone: self.session.time_zone() }
    }

    pub(super) fn complete(&mut self, tag: &str) -> Result<(), Stop> {
        self.tell(&self.session.take_notices())?;
        Ok(self.output.put(&CommandComplete::new(tag.to_owned()))?)
    }

    /// What is told before the rows.
    pub(super) fn announce(&mut self, result: &QueryResult) -> Result<(), Stop> {
        Ok(self.tell(&result.notices)?)
    }

    fn tell(&mut self, notices: &[Notice]) -> io::Result<()> {
        notices.iter().try_for_each(|notice| self.output.put(&failure::notice(notice)))
    }

    async fn extended(&mut self, message: PgWireFrontendMessage) -> Result<(), Stop> {
        self.session.begin_message(false);
        self.session.resume();
        match message {
            PgWireFrontendMessage::Parse(parse) => self.parse(parse).await,
            PgWireFrontendMessage::Bind(bind) => self.bind(&bind),
            PgWireFrontendMessage::Describe(describe) => self.describe(&describe),
            PgWireFrontendMessage::Execute(execute) => {
                let executed = self.execute(&execute).await;
                // Rows that are left to be fetched have no time limit.
                self.session.pause();
                executed
            }
            PgWireFrontendMessage::Close(close) => self.close(&close),
            PgWireFrontendMessage::Flush(_) => Ok(self.output.flush().await?),
            // What is left of a COPY that was refused is thrown away, as in PostgreSQL.
            PgWireFrontendMessage::CopyData(_)
            | PgWireFrontendMessage::CopyDone(_)
            | PgWireFrontendMessage::CopyFail(_) => Ok(()),
            _ => Err(Failure::protocol("a message that has no place here").into()),
        }
    }

    async fn parse(&mut self, parse: Parse) -> Result<(), Stop> {
        let name = parse.name.unwrap_or_default();
        self.check_new(&name)?;
        self.session.begin_activity(&parse.query);
        let mut statements = guarded(async { self.session.parse(&parse.query) }).await?;
        if statements.len() > 1 {
            let message = "cannot insert multiple commands into a prepared statement";
            return Err(Failure::error("42601", message).into());
        }
        let declared: Vec<_> = parse.type_oids.iter().map(|oid| ParameterType::declared(*oid)).collect();
        let statement = match statements.pop() {
            None => ClientStatement::empty(),
            Some(statement) => self.prepare(statement, &declared).await?,
        };
        self.statements.insert(name, Arc::new(statement));
        Ok(self.output.put(&ParseComplete::new())?)
    }

    fn bind(&mut self, bind: &Bind) -> Result<(), Stop> {
        let statement = Arc::clone(self.statement(bind.statement_name.as_deref())?);
        let name = bind.portal_name.clone().unwrap_or_default();
        if name.is_empty() {
            self.portals.remove("");
        } else if self.portals.contains_key(&name) || self.cursors.contains_key(&name) {
            return Err(Failure::error("42P03", format!("cursor \"{name}\" already exists")).into());
        }
        room(self.portals.len(), "portals")?;
        let portal = Portal::bind(statement, bind, self.session.clock())?;
        self.portals.insert(name, portal);
        Ok(self.output.put(&BindComplete::new())?)
    }

    pub(super) fn statement(&self, name: Option<&str>) -> Result<&Arc<ClientStatement>, Failure> {
        let name = name.unwrap_or_default();
        self.statements.get(name).ok_or_else(|| match name {
            "" => Failure::error("26000", "unnamed prepared statement does not exist"),
            name => Failure::error("26000", format!("prepared statement \"{name}\" does not exist")),
        })
    }

    fn describe(&mut self, describe: &Describe) -> Result<(), Stop> {
        let name = describe.name.as_deref();
        let layout = match describe.target_type {
            TARGET_TYPE_BYTE_STATEMENT => {
                let statement = Arc::clone(self.statement(name)?);
                let oids = statement.parameters.iter().map(|parameter| parameter.oid).collect();
                self.output.put(&ParameterDescription::new(oids))?;
                self.layout(&statement, &[])?
            }
            TARGET_TYPE_BYTE_PORTAL => {
                let name = name.unwrap_or_default();
                match (self.portals.get(name), self.cursors.get(name)) {
                    (Some(portal), _) => self.layout(&portal.statement, &portal.formats)?,
                    (None, Some(cursor)) => Some(cursor.layout(&[])?),
                    (None, None) => return Err(no_portal(name).into()),
                }
            }
            _ => return Err(Failure::protocol("Describe names neither a statement nor a portal").into()),
        };
        match layout {
            Some(layout) => self.output.put(&layout.description())?,
            None => self.output.put(&NoData::new())?,
        }
        Ok(())
    }

    async fn execute(&mut self, execute: &Execute) -> Result<(), Stop> {
        let name = execute.name.as_deref().unwrap_or_default();
        if self.cursors.contains_key(name) && !self.portals.contains_key(name) {
            let direction = match execute.max_rows {
                rows if rows > 0 => Direction::By(i64::from(rows)),
                _ => Direction::ForwardAll,
            };
            let fetch = Fetch { cursor: name.to_owned(), direction, moves: false };
            return self.fetch(&fetch, &[], false).await.map(|_| ());
        }
        // Taken out: one that fails is gone.
        let mut portal = self.portals.remove(name).ok_or_else(|| no_portal(name))?;
        self.session.begin_activity(portal.statement.text());
        let limit = usize::try_from(execute.max_rows).ok().filter(|limit| *limit > 0);
        if portal.statement.empty {
            self.output.put(&EmptyQueryResponse::new())?;
            self.portals.insert(name.to_owned(), portal);
            return Ok(());
        }
        portal.state = match portal.state {
            PortalState::Bound => {
                let values = std::mem::take(&mut portal.values);
                match self.start(&portal.statement, values, &portal.formats, false).await? {
                    Started::Rows(rows, command) => self.send(rows, command, limit).await?,
                    Started::Done => PortalState::Finished,
                }
            }
            PortalState::Running(rows, command) => self.send(rows, command, limit).await?,
            PortalState::Done(command) => {
                self.complete(&tag(&command, 0))?;
                PortalState::Done(command)
            }
            PortalState::Finished => {
                return Err(Failure::error("55000", format!("portal \"{name}\" cannot be run")).into());
            }
        };
        self.portals.insert(name.to_owned(), portal);
        Ok(())
    }

    async fn send(
        &mut self,
        mut rows: Box<Rows>,
        command: String,
        limit: Option<usize>,
    ) -> Result<PortalState, Stop> {
        Ok(match rows.send(&mut self.output, limit).await? {
            Sent::Suspended => {
                self.output.put(&PortalSuspended::new())?;
                PortalState::Running(rows, command)
            }
            Sent::All(count) => {
                self.complete(&tag(&command, count))?;
                PortalState::Done(command)
            }
        })
    }

    fn close(&mut self, close: &Close) -> Result<(), Stop> {
        let name = close.name.as_deref().unwrap_or_default();
        match close.target_type {
            TARGET_TYPE_BYTE_STATEMENT => drop(self.statements.remove(name)),
            TARGET_TYPE_BYTE_PORTAL => {
                self.portals.remove(name);
                self.cursors.remove(name);
            }
            _ => return Err(Failure::protocol("Close names neither a statement nor a portal").into()),
        }
        Ok(self.output.put(&CloseComplete::new())?)
    }
}

fn no_portal(name: &str) -> Failure {
    Failure::error("34000", format!("portal \"{name}\" does not exist"))
}

pub(super) fn room(count: usize, what: &str) -> Result<(), Failure> {
    if count < MAX_NAMED {
        return Ok(());
    }
    let message = format!("too many {what} on this connection: {MAX_NAMED} at most");
    Err(Failure::error("53400", message).with_hint("Close those that are not needed any more."))
}
