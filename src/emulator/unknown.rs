//! Every guess of the emulator in one place: facts that the Kintone fact sheet marks as unknown (U) or
//! recalled (R), each with its section, and each a switch. `strict` takes the reading that is hardest on a client.

use chrono_tz::Tz;

/// Kintone's open facts, as this emulator takes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unknowns {
    /// K§3.1: `AND`, `Order By` and the like are accepted in another case than lower.
    pub keywords_in_any_case: bool,
    /// K§3.1: how deep parentheses may nest.
    pub deepest_nesting: usize,
    /// K§3.1: `$revision` may stand in a condition or in `order by`.
    pub revision_in_queries: bool,
    /// K§3.5: `=` and `in` on text ignore the case of letters.
    pub text_equality_ignores_case: bool,
    /// K§3.5: an empty date or time, a calculated one too, is minus infinity, as an empty number is.
    /// An empty calculated number is taken as an empty number.
    pub empty_times_are_minus_infinity: bool,
    /// K§3.4: the zone in which the calls of an API token see `TODAY()`.
    pub token_zone: Tz,
    /// K§5.3: HTTP status of an API token that no app knows.
    pub invalid_token_status: u16,
    /// K§5.3: HTTP status where the token belongs to another app.
    pub wrong_app_token_status: u16,
    /// K§4.1: an unset DATETIME reads as `null` (else as an empty string).
    pub empty_datetime_is_null: bool,
    /// K§4.1: an unset RADIO_BUTTON reads as `null` (else as an empty string).
    pub empty_radio_is_null: bool,
    /// K§1.4: a GET that has no body may carry a `Content-Type`.
    pub content_type_on_bodyless_get: bool,
    /// K§6: an update that changes nothing still makes a new revision.
    pub no_op_update_bumps_revision: bool,
    /// K§4.2: a row that an update adds to a table takes the defaults of the fields that were not sent, as a row
    /// of a new record does.
    pub new_rows_of_updates_take_defaults: bool,
    /// K§2.2: `apps.json` on the plain path also lists the apps of guest spaces.
    pub plain_path_lists_guest_apps: bool,
}

impl Unknowns {
    /// The safe reading of each.
    #[must_use]
    pub const fn strict() -> Self {
        Self {
            keywords_in_any_case: false,
            deepest_nesting: 200,
            revision_in_queries: false,
            text_equality_ignores_case: false,
            empty_times_are_minus_infinity: true,
            token_zone: Tz::Asia__Tokyo,
            invalid_token_status: 520,
            wrong_app_token_status: 400,
            empty_datetime_is_null: false,
            empty_radio_is_null: false,
            content_type_on_bodyless_get: false,
            no_op_update_bumps_revision: true,
            new_rows_of_updates_take_defaults: true,
            plain_path_lists_guest_apps: false,
        }
    }
}

impl Default for Unknowns {
    fn default() -> Self {
        Self::strict()
    }
}

/// K§1.2: who a caller with an API token is: creator of records, `LOGINUSER()`, and whose turn it must be where
/// only an assignee may act.
pub(super) const TOKEN_USER: &str = "Administrator";

/// K§1.1: longest request target in bytes.
pub(super) const LONGEST_URL: usize = 8 * 1024;

/// K§5.1: longest request body in bytes.
pub(super) const LONGEST_BODY: usize = 50 * 1024 * 1024;

/// K§5.1: minutes that a cursor lives after its creation or its last read.
pub(super) const CURSOR_MINUTES: u64 = 10;

/// K§3.3: each dotted predicate looks for a related record of its own, also beside others by `and`.
/// A negative one then asks for a related record that differs.
pub(super) const RELATED_PREDICATES_ARE_INDEPENDENT: bool = true;

/// K§4.2: who wrote a record and when can be given with a new one; an update passes these over.
pub(super) const NEW_RECORDS_BRING_WRITERS_AND_TIMES: bool = true;

/// K§2.1: revisions that an action makes: one for the action, one for the state. Also where the state stays,
/// since others must still act.
pub(super) const REVISIONS_OF_ACTION: u64 = 2;

/// K§2.1: rights are also told of a record that is not there: none. Else the call fails.
pub(super) const MISSING_RECORDS_HAVE_NO_RIGHTS: bool = true;
