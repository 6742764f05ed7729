//! Whether the form is still the one that the scan was planned with, by what its pages have.
//!
//! A field that the login may not view is missing from every record (K§6) and is NULL; one that was deleted or
//! renamed is missing too, and must not be. So: a field that some pages have and others lack is an error. One that
//! the first page lacks costs one look at the form: where its revision is the one planned with, the field is
//! hidden, and that is remembered; otherwise the form has changed.

use super::ScanRequest;
use crate::table::context::ScanContext;
use crate::table::error::Error;

/// Which fields the pages so far have.
#[derive(Debug)]
pub(super) struct Presence {
    /// The fields, as the decoder names them.
    codes: Vec<String>,
    known: Vec<Option<bool>>,
    /// Missing, and looked up.
    hidden: Vec<String>,
}

impl Presence {
    pub(super) fn new(codes: Vec<String>) -> Self {
        Self { known: vec![None; codes.len()], codes, hidden: vec![] }
    }

    /// Compares a page with those before it.
    pub(super) async fn check(
        &mut self,
        context: &ScanContext,
        request: &ScanRequest,
        present: &[Option<bool>],
    ) -> Result<(), Error> {
        for ((known, now), field) in self.known.iter_mut().zip(present).zip(&self.codes) {
            match (*known, *now) {
                (Some(before), Some(now)) if before != now => {
                    return Err(Error::missing(request.table.name.clone(), field));
                }
                (None, now) => *known = now,
                _ => {}
            }
        }
        if !present.contains(&Some(false)) {
            return Ok(());
        }
        let missing = self.codes.iter().zip(&self.known).filter(|(_, known)| **known == Some(false));
        let missing: Vec<String> = missing.map(|(code, _)| code.clone()).collect();
        if self.hidden != missing {
            is_hidden(context, request, &missing).await?;
            self.hidden = missing;
        }
        Ok(())
    }
}

/// Whether fields are missing because the login may not view them.
async fn is_hidden(context: &ScanContext, request: &ScanRequest, fields: &[String]) -> Result<(), Error> {
    let (table, revision) = (&request.table, request.columns.revision.as_str());
    if context.remembered.are_hidden(&table.connection, table.app, revision, fields) {
        return Ok(());
    }
    // Two calls, of the fields and of their layout.
    context.budget.take()?;
    context.budget.take()?;
    let form = context.client(&table.connection)?.form(table.app).await?;
    if form.revision != revision {
        let change = format!("no record has {} any more", fields.join(", "));
        return Err(Error::FormChanged { app: table.name.clone(), change });
    }
    context.remembered.hide(&table.connection, table.app, revision, fields);
    Ok(())
}
