//! What a call answers: bytes, or a failure with Kintone's code, status and body (K§5.2, K§5.3).

use serde_json::{Map, Value as Json, json};

use super::bulk;
use super::unknown;

/// A published code with its HTTP status and message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Code {
    name: &'static str,
    status: u16,
    message: &'static str,
}

const fn code(name: &'static str, status: u16, message: &'static str) -> Code {
    Code { name, status, message }
}

pub(super) const INVALID: Code = code("CB_VA01", 400, "Missing or invalid input.");
pub(super) const BAD_JSON: Code = code("CB_IJ01", 400, "Invalid JSON string.");
pub(super) const BAD_REQUEST: Code = code("CB_IL02", 400, "Illegal request.");
pub(super) const NOT_LOGGED_IN: Code = code("CB_AU01", 401, "Please login.");
pub(super) const WRONG_PASSWORD: Code = code("CB_WA01", 401, "Password authentication failed.");
pub(super) const NO_PRIVILEGE: Code = code("CB_NO02", 403, "No privilege to proceed.");
pub(super) const TOKEN_NOT_ALLOWED: Code =
    code("GAIA_NO01", 403, "Using this API token, you cannot run the specified API.");
pub(super) const UNKNOWN_TOKEN: Code =
    code("GAIA_IA02", 520, "The specified API token does not match any API token of an app.");
pub(super) const WRONG_APP_TOKEN: Code =
    code("GAIA_AP15", 400, "The app ID and the API token do not belong together.");
pub(super) const NO_APP: Code = code("GAIA_AP01", 404, "The app was not found. It may have been deleted.");
pub(super) const GUEST_APP: Code =
    code("GAIA_IL23", 400, "The app is in a guest space. Use the path of the guest space.");
pub(super) const NO_RECORD: Code = code("GAIA_RE01", 404, "The specified record was not found.");
pub(super) const NO_COMMENT: Code = code("GAIA_RE02", 400, "The specified comment was not found.");
pub(super) const NO_FILE: Code = code("GAIA_BL01", 404, "The specified file was not found.");
pub(super) const NO_KEY_MATCH: Code = code("GAIA_RE20", 404, "No record has the specified key.");
pub(super) const REVISION_CONFLICT: Code =
    code("GAIA_CO02", 409, "The revision is not the latest. Someone may have updated the record.");
pub(super) const TOO_MANY_REQUESTS: Code = code("GAIA_TO04", 429, "Too many requests run at the same time.");
pub(super) const TOO_MANY_CURSORS: Code = code("GAIA_TM12", 429, "No more than 10 cursors can be made.");
pub(super) const NO_CURSOR: Code = code("GAIA_CN01", 404, "The cursor was not found or is no longer valid.");
pub(super) const LIMIT_TOO_LARGE: Code = code("GAIA_QU01", 400, "limit must be 500 or less.");
pub(super) const OFFSET_TOO_LARGE: Code = code("GAIA_QU02", 400, "offset must be 10,000 or less.");
pub(super) const WRONG_OPERATOR: Code =
    code("GAIA_IQ03", 400, "The operator cannot be used with this field.");
pub(super) const EQUALS_IN_TABLE: Code =
    code("GAIA_IQ07", 400, "= and != cannot be used with a field in a table. Use in or not in.");
pub(super) const NO_OPTION: Code = code("GAIA_IQ10", 400, "The field has no such option.");
pub(super) const NO_FIELD: Code = code("GAIA_IQ11", 400, "The query names a field that does not exist.");
pub(super) const BAD_DAY: Code = code("GAIA_IQ23", 400, "The function's day is out of range.");
pub(super) const BAD_UNIT: Code = code("GAIA_IQ25", 400, "The function's unit is not known.");
pub(super) const WRONG_ARITY: Code = code("GAIA_IL08", 400, "The function has a wrong number of arguments.");
pub(super) const NOT_RELATED: Code =
    code("GAIA_IR02", 400, "Only a field of related records can be named with a dot.");
pub(super) const NOT_SORTABLE: Code = code("GAIA_IS02", 400, "The field cannot be used in order by.");
pub(super) const NO_USER: Code = code("GAIA_IL26", 400, "The user was not found.");
pub(super) const NO_GROUP: Code = code("GAIA_IL27", 400, "The group was not found.");
pub(super) const NO_ORGANIZATION: Code = code("GAIA_IL28", 400, "The organization was not found.");
pub(super) const SAVED_NAME: Code =
    code("GAIA_IL42", 400, "A saved condition names a user, group or organization that was not found.");
pub(super) const PROCESS_OFF: Code = code("GAIA_ST02", 400, "Process management is not enabled.");
pub(super) const ACTION_NOT_POSSIBLE: Code =
    code("GAIA_IL03", 400, "The action is not possible in the record's status.");
pub(super) const NOT_ASSIGNEE: Code = code("GAIA_NT01", 400, "Only the assignee can run the action.");
pub(super) const NO_ASSIGNEE: Code = code("GAIA_SA01", 400, "Specify the next assignee.");
pub(super) const LOOKUP_NOT_UNIQUE: Code =
    code("GAIA_LO03", 400, "The lookup's key is not unique in the source app.");
pub(super) const LOOKUP_NOT_FOUND: Code =
    code("GAIA_LO04", 400, "The lookup's source app has no record with this key.");
pub(super) const FIELD_IN_LOOKUP: Code =
    code("GAIA_LO02", 400, "The field is the key of a lookup of another app.");
pub(super) const NO_FIELD_CODE: Code = code("GAIA_FC01", 400, "The field was not found.");
pub(super) const FIELD_NOT_PLACED: Code = code("GAIA_FN11", 400, "The layout lacks a field of the form.");
pub(super) const BAD_FORMULA: Code = code("GAIA_IL01", 400, "The formula is not correct.");
pub(super) const SETTINGS_LOCKED: Code =
    code(unknown::WHILE_DEPLOYING, 400, "The app is being updated. Try again after a while.");

/// A refused call.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    code: Code,
    message: String,
    /// Messages by parameter, such as `query` or `record.F.value`.
    errors: Vec<(String, Vec<String>)>,
    /// Which call of how many of a bulk request it is.
    slot: Option<(usize, usize)>,
}

impl From<Code> for Failure {
    fn from(code: Code) -> Self {
        Self { code, message: code.message.to_owned(), errors: vec![], slot: None }
    }
}

impl Failure {
    /// A code whose message goes on with `detail`, such as the name of the field.
    pub(super) fn about(code: Code, detail: &str) -> Self {
        Self { message: format!("{} ({detail})", code.message), ..Self::from(code) }
    }

    /// `CB_VA01` on one parameter.
    pub(super) fn invalid(parameter: &str, message: impl Into<String>) -> Self {
        Self::invalid_many(vec![(parameter.to_owned(), vec![message.into()])])
    }

    /// `CB_VA01` on several.
    pub(super) fn invalid_many(errors: Vec<(String, Vec<String>)>) -> Self {
        Self { errors, ..Self::from(INVALID) }
    }

    /// With another HTTP status, where it is an open fact.
    pub(super) fn with_status(mut self, status: u16) -> Self {
        self.code.status = status;
        self
    }

    /// As the failure of one call of a bulk request.
    pub(super) fn in_slot(mut self, index: usize, count: usize) -> Self {
        self.slot = Some((index, count));
        self
    }

    pub(super) fn status(&self) -> u16 {
        self.code.status
    }

    pub(super) fn name(&self) -> &'static str {
        self.code.name
    }

    /// The JSON body.
    pub(super) fn body(&self) -> Vec<u8> {
        let id: String = std::iter::repeat_with(fastrand::alphanumeric).take(20).collect();
        let mut body = json!({"code": self.code.name, "id": id, "message": self.message});
        if !self.errors.is_empty() {
            let errors: Map<String, Json> = self
                .errors
                .iter()
                .map(|(key, messages)| (key.clone(), json!({"messages": messages})))
                .collect();
            body["errors"] = Json::Object(errors);
        }
        let body = match self.slot {
            Some((index, count)) => bulk::failed(body, index, count),
            None => body,
        };
        body.to_string().into_bytes()
    }
}

/// The answer to a call that went well.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) body: Vec<u8>,
    /// Records, comments or apps in it.
    pub(super) rows: u64,
    /// `X-Cybozu-Warning`.
    pub(super) warning: Option<&'static str>,
    /// Where it is a file and not JSON.
    pub(super) content_type: Option<String>,
}

impl Answer {
    /// JSON that is written already.
    pub(super) fn bytes(body: Vec<u8>) -> Self {
        Self { body, rows: 0, warning: None, content_type: None }
    }

    /// With the warning of a search that was cut off (K§3.6).
    pub(super) fn warned(self, aborted: bool) -> Self {
        let warning = "Filter aborted because of too many search results";
        Self { warning: aborted.then_some(warning), ..self }
    }

    pub(super) fn json(body: &Json) -> Self {
        Self::bytes(body.to_string().into_bytes())
    }

    pub(super) fn with_rows(self, rows: usize) -> Self {
        Self { rows: u64::try_from(rows).unwrap_or(u64::MAX), ..self }
    }
}
