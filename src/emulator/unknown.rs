//! Every guess of the emulator in one place: facts that the Kintone fact sheet marks as unknown (U) or
//! recalled (R), each with its section. The reading taken is the one that is hardest on a client.

/// K§3.1: whether `AND`, `Order By` and the like are accepted in another case than lower.
pub(super) const KEYWORDS_IN_ANY_CASE: bool = false;

/// K§3.1: how deep parentheses may nest. Kintone's own limit is not known.
pub(super) const DEEPEST_NESTING: usize = 200;

/// K§3.1: whether `$revision` may stand in a condition or in `order by`.
pub(super) const REVISION_IN_QUERIES: bool = false;

/// K§3.5: whether `=` and `in` on text ignore the case of ASCII letters.
pub(super) const TEXT_EQUALITY_IGNORES_CASE: bool = false;

/// K§3.5: whether an empty date or time, a calculated one too, is minus infinity, as an empty number is.
/// An empty calculated number is taken as an empty number.
pub(super) const EMPTY_TIMES_ARE_MINUS_INFINITY: bool = true;

/// K§3.4: the zone in which the calls of an API token see `TODAY()`.
pub(super) const TOKEN_ZONE: chrono_tz::Tz = chrono_tz::Asia::Tokyo;

/// K§1.2: who a caller with an API token is: creator of records, `LOGINUSER()`.
pub(super) const TOKEN_USER: &str = "Administrator";

/// K§5.3: HTTP status of an API token that no app knows.
pub(super) const INVALID_TOKEN_STATUS: u16 = 520;

/// K§5.3: HTTP status where the token belongs to another app.
pub(super) const WRONG_APP_TOKEN_STATUS: u16 = 400;

/// K§4.1: whether an unset DATETIME reads as `null` (else as an empty string).
pub(super) const EMPTY_DATETIME_IS_NULL: bool = false;

/// K§4.1: whether an unset RADIO_BUTTON reads as `null` (else as an empty string).
pub(super) const EMPTY_RADIO_IS_NULL: bool = false;

/// K§1.4: whether a GET that has no body may carry a `Content-Type`.
pub(super) const CONTENT_TYPE_ON_BODYLESS_GET: bool = false;

/// K§1.1: longest request target in bytes.
pub(super) const LONGEST_URL: usize = 8 * 1024;

/// K§5.1: longest request body in bytes.
pub(super) const LONGEST_BODY: usize = 50 * 1024 * 1024;

/// K§6: whether an update that changes nothing still makes a new revision.
pub(super) const NO_OP_UPDATE_BUMPS_REVISION: bool = true;

/// K§5.1: minutes that a cursor lives after its creation or its last read.
pub(super) const CURSOR_MINUTES: u64 = 10;

/// K§3.3: whether each dotted predicate looks for a related record of its own, also beside others by `and`.
/// A negative one then asks for a related record that differs.
pub(super) const RELATED_PREDICATES_ARE_INDEPENDENT: bool = true;

/// K§2.2: whether `apps.json` on the plain path also lists the apps of guest spaces.
pub(super) const PLAIN_PATH_LISTS_GUEST_APPS: bool = false;
