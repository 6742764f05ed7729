//! Whether the form is still the one that the scan was planned with, where a page lacks something of it.
//!
//! A field that the login may not view is missing from a record, of one record perhaps and not of the next (K§6,
//! K§2.1 `acl/evaluate`), and is NULL. One that was deleted or renamed is missing too, and must not be. The form's
//! revision tells: where it is the planned one, the form has not changed up to now, and what is missing is hidden.
//! So the form is looked at when a page lacks a field for the first time, before its rows are given on, and once
//! more at the end where later pages lacked one too. A scan that lacks nothing pays nothing.

use super::ScanRequest;
use crate::kintone::Client;
use crate::table::context::ScanContext;
use crate::table::error::Error;

/// What the pages so far lacked.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    looked: bool,
    /// Lacked since the last look.
    missing: Vec<String>,
}

impl Presence {
    /// Takes note of what a page lacks.
    pub(crate) async fn check(
        &mut self,
        context: &ScanContext,
        client: &Client,
        request: &ScanRequest,
        missing: Vec<String>,
    ) -> Result<(), Error> {
        if !missing.is_empty() {
            self.missing = missing;
        }
        if self.looked { Ok(()) } else { self.look(context, client, request).await }
    }

    /// Looks at the form if something was missing since the last look.
    pub(super) async fn look(
        &mut self,
        context: &ScanContext,
        client: &Client,
        request: &ScanRequest,
    ) -> Result<(), Error> {
        if self.missing.is_empty() {
            return Ok(());
        }
        self.looked = true;
        // Two calls, of the fields and of their layout.
        context.budget.take()?;
        context.budget.take()?;
        let form = client.form(request.table.app).await?;
        let missing = std::mem::take(&mut self.missing).join(", ");
        if form.revision == request.columns.revision {
            return Ok(());
        }
        let change = format!("records lack {missing}");
        Err(Error::FormChanged { app: request.table.name.clone(), change })
    }
}
