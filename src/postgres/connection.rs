//! One client's dialogue after the start: simple queries, the extended protocol, errors up to the next Sync.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

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

use super::encode::RowLayout;
use super::failure::{self, Failure, c_string};
use super::frame::Frame;
use super::output::Output;
use super::portal::{ClientStatement, Portal, PortalState, Rows, Sent, guarded, tag, told};
use super::running::Cancels;
use super::startup::Stop;
use super::types::ParameterType;
use crate::engine::{QueryResult, Session, Statement, TextOptions, Transaction};

/// Prepared statements of one connection, and portals.
const MAX_NAMED: usize = 1000;

/// What a connection remembers.
pub(super) struct Connection<W> {
    session: Session,
    pub(super) output: Output<W>,
    statements: HashMap<String, Arc<ClientStatement>>,
    portals: HashMap<String, Portal>,
    /// After an error in the extended protocol, until Sync.
    skipping: bool,
    cancels: Cancels,
}

impl<W: AsyncWrite + Unpin + Send> Connection<W> {
    pub(super) fn new(session: Session, output: Output<W>, cancels: Cancels) -> Self {
        let (statements, portals) = (HashMap::new(), HashMap::new());
        Self { session, output, statements, portals, skipping: false, cancels }
    }

    /// Answers messages until the client says goodbye or an error ends the connection.
    pub(super) async fn run(&mut self, frames: &mut mpsc::Receiver<Frame>) -> io::Result<()> {
        self.ready().await?;
        while let Some(frame) = frames.recv().await {
            let (extended, result) = match frame {
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
                Frame::Message(PgWireFrontendMessage::Query(query)) => {
                    (false, self.simple(&query.query).boxed().await)
                }
                Frame::Message(message) => (true, self.extended(message).boxed().await),
            };
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
        Ok(())
    }

    async fn fail(&mut self, failure: &Failure) -> io::Result<()> {
        self.session.fail();
        if failure.code() == "XX000" {
            tracing::error!(?failure, "a statement failed by a defect");
        }
        self.output.put(&failure.response())?;
        self.output.flush().await
    }

    async fn ready(&mut self) -> io::Result<()> {
        let status = match self.session.transaction() {
            Transaction::Idle => {
                // A portal lives as long as its transaction, and without a block that ends here.
                self.portals.clear();
                TransactionStatus::Idle
            }
            Transaction::Open => TransactionStatus::Transaction,
            Transaction::Failed => TransactionStatus::Error,
        };
        self.output.put(&ReadyForQuery::new(status))?;
        self.output.flush().await
    }

    async fn simple(&mut self, sql: &str) -> Result<(), Stop> {
        self.statements.remove("");
        self.portals.remove("");
        let statements = guarded(async { self.session.parse(sql) }).await?;
        if statements.is_empty() {
            self.output.put(&EmptyQueryResponse::new())?;
        }
        for statement in statements {
            self.simple_statement(statement).await?;
        }
        Ok(())
    }

    async fn simple_statement(&mut self, statement: Statement) -> Result<(), Stop> {
        let prepared = guarded(self.session.prepare(statement, &[])).await?;
        if !prepared.parameters().is_empty() {
            let failure = Failure::error("42P02", "there is no parameter $1")
                .with_hint("A statement with parameters needs the extended protocol (Parse, Bind, Execute).");
            return Err(failure.into());
        }
        let result = guarded(self.session.execute(&prepared, vec![])).await?;
        self.announce(&result)?;
        let Some(schema) = &result.schema else { return self.complete(&tag(&result.command, 0)) };
        let layout = RowLayout::new(schema, &[])?;
        self.output.put(&layout.description())?;
        let options = self.text_options();
        let sent = Rows::new(result.rows, self.cancels.clone(), layout, options)
            .send(&mut self.output, None)
            .await?;
        let count = if let Sent::All(count) = sent { count } else { 0 };
        self.complete(&tag(&result.command, count))
    }

    fn text_options(&self) -> TextOptions {
        TextOptions { time_zone: self.session.time_zone() }
    }

    fn complete(&mut self, tag: &str) -> Result<(), Stop> {
        Ok(self.output.put(&CommandComplete::new(tag.to_owned()))?)
    }

    /// What is told before the rows.
    fn announce(&mut self, result: &QueryResult) -> Result<(), Stop> {
        for notice in &result.notices {
            self.output.put(&failure::notice(notice))?;
        }
        for (name, value) in &result.changed_settings {
            self.output.put(&ParameterStatus::new(c_string(name), c_string(value)))?;
        }
        Ok(())
    }

    async fn extended(&mut self, message: PgWireFrontendMessage) -> Result<(), Stop> {
        match message {
            PgWireFrontendMessage::Parse(parse) => self.parse(parse).await,
            PgWireFrontendMessage::Bind(bind) => self.bind(&bind),
            PgWireFrontendMessage::Describe(describe) => self.describe(&describe),
            PgWireFrontendMessage::Execute(execute) => self.execute(&execute).await,
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
        if name.is_empty() {
            self.statements.remove("");
        } else if self.statements.contains_key(&name) {
            let message = format!("prepared statement \"{name}\" already exists");
            return Err(Failure::error("42P05", message).into());
        }
        room(self.statements.len(), "prepared statements")?;
        let mut statements = guarded(async { self.session.parse(&parse.query) }).await?;
        if statements.len() > 1 {
            let message = "cannot insert multiple commands into a prepared statement";
            return Err(Failure::error("42601", message).into());
        }
        let declared: Vec<_> = parse.type_oids.iter().map(|oid| ParameterType::declared(*oid)).collect();
        let prepared = match statements.pop() {
            None => None,
            Some(statement) => {
                let types: Vec<_> = declared
                    .iter()
                    .map(|declared| declared.as_ref().map(|declared| declared.sql_type.data_type()))
                    .collect();
                Some(guarded(self.session.prepare(statement, &types)).await?)
            }
        };
        self.statements.insert(name, Arc::new(ClientStatement::new(prepared, &declared)));
        Ok(self.output.put(&ParseComplete::new())?)
    }

    fn bind(&mut self, bind: &Bind) -> Result<(), Stop> {
        let statement = Arc::clone(self.statement(bind.statement_name.as_deref())?);
        let name = bind.portal_name.clone().unwrap_or_default();
        if name.is_empty() {
            self.portals.remove("");
        } else if self.portals.contains_key(&name) {
            return Err(Failure::error("42P03", format!("cursor \"{name}\" already exists")).into());
        }
        room(self.portals.len(), "portals")?;
        let portal = Portal::bind(statement, bind, self.session.time_zone())?;
        self.portals.insert(name, portal);
        Ok(self.output.put(&BindComplete::new())?)
    }

    fn statement(&self, name: Option<&str>) -> Result<&Arc<ClientStatement>, Failure> {
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
                statement.layout(&[])?
            }
            TARGET_TYPE_BYTE_PORTAL => {
                let name = name.unwrap_or_default();
                let portal = self.portals.get(name).ok_or_else(|| no_portal(name))?;
                portal.statement.layout(&portal.formats)?
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
        // Taken out: one that fails is gone.
        let mut portal = self.portals.remove(name).ok_or_else(|| no_portal(name))?;
        let limit = usize::try_from(execute.max_rows).ok().filter(|limit| *limit > 0);
        let Some(prepared) = &portal.statement.prepared else {
            self.output.put(&EmptyQueryResponse::new())?;
            self.portals.insert(name.to_owned(), portal);
            return Ok(());
        };
        portal.state = match portal.state {
            PortalState::Bound => {
                let values = std::mem::take(&mut portal.values);
                let result = guarded(self.session.execute(prepared, values)).await?;
                self.announce(&result)?;
                match &result.schema {
                    None => {
                        self.complete(&tag(&result.command, 0))?;
                        PortalState::Finished
                    }
                    Some(schema) => {
                        let layout = RowLayout::new(schema, &portal.formats)?;
                        let rows = Rows::new(result.rows, self.cancels.clone(), layout, self.text_options());
                        self.send(Box::new(rows), result.command, limit).await?
                    }
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
            TARGET_TYPE_BYTE_PORTAL => drop(self.portals.remove(name)),
            _ => return Err(Failure::protocol("Close names neither a statement nor a portal").into()),
        }
        Ok(self.output.put(&CloseComplete::new())?)
    }
}

fn no_portal(name: &str) -> Failure {
    Failure::error("34000", format!("portal \"{name}\" does not exist"))
}

fn room(count: usize, what: &str) -> Result<(), Failure> {
    if count < MAX_NAMED {
        return Ok(());
    }
    let message = format!("too many {what} on this connection: {MAX_NAMED} at most");
    Err(Failure::error("53400", message).with_hint("Close those that are not needed any more."))
}
