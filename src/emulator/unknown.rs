//! Every guess of the emulator in one place: facts that the Kintone fact sheet marks as unknown (U), recalled (R)
//! or inferred (I) and that change an answer, each with its section, and each a switch.
//!
//! `strict` takes the reading that is hardest on a client. [`SWITCHES`] lists all switches by name, so that a test
//! or a command line can try every position of each. One switch is one entry of `switches!`.

use chrono_tz::Tz;

/// The positions of a switch, in a fixed order.
trait Position: Copy + Sized {
    const NAMES: &'static [&'static str];

    fn index(self) -> usize;

    fn at(index: usize) -> Option<Self>;
}

impl Position for bool {
    const NAMES: &'static [&'static str] = &["no", "yes"];

    fn index(self) -> usize {
        usize::from(self)
    }

    fn at(index: usize) -> Option<Self> {
        [false, true].get(index).copied()
    }
}

macro_rules! positions {
    ($(#[doc = $doc:literal] $name:ident { $($variant:ident = $text:literal),+ })+) => {$(
        #[doc = $doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $(#[doc = $text] $variant,)+
        }

        impl Position for $name {
            const NAMES: &'static [&'static str] = &[$($text),+];

            fn index(self) -> usize {
                [$(Self::$variant),+].iter().position(|known| *known == self).unwrap_or_default()
            }

            fn at(index: usize) -> Option<Self> {
                [$(Self::$variant),+].get(index).copied()
            }
        }
    )+};
}

positions! {
    /// What `order by f` without `asc` or `desc` does.
    Undirected { Descending = "descending", Ascending = "ascending", Refused = "refused" }
    /// How the options of a choice order.
    ChoiceOrder { Position = "position", Text = "text" }
    /// How records order whose keys are equal.
    Ties { NewestFirst = "newest first", OldestFirst = "oldest first", Scrambled = "scrambled" }
    /// What `<`, `<=`, `>` and `>=` compare with, where a function stands for several days or minutes.
    SpanBounds { Span = "span", Start = "start" }
    /// Which day `THIS_MONTH(31)` is in a month of 30 days.
    MissingDay { NextMonth = "first of the next month", Last = "last of the month" }
    /// The zone of calls with an API token.
    TokenZone { Tokyo = "Asia/Tokyo", Utc = "UTC", Honolulu = "Pacific/Honolulu" }
    /// HTTP status of an API token that no app knows.
    UnknownTokenStatus { Gateway = "520", Bad = "400", Unauthorized = "401" }
    /// HTTP status of an API token of another app.
    OtherAppTokenStatus { Bad = "400", Forbidden = "403", Gateway = "520" }
    /// HTTP status of a call that an API token may not make.
    PersonOnlyStatus { Forbidden = "403", Bad = "400" }
    /// Which contents a cursor gives.
    CursorContents { AtRead = "at read", AtCreation = "at creation" }
}

impl TokenZone {
    pub(super) fn zone(self) -> Tz {
        match self {
            Self::Tokyo => Tz::Asia__Tokyo,
            Self::Utc => Tz::UTC,
            Self::Honolulu => Tz::Pacific__Honolulu,
        }
    }
}

impl UnknownTokenStatus {
    pub(super) fn status(self) -> u16 {
        match self {
            Self::Gateway => 520,
            Self::Bad => 400,
            Self::Unauthorized => 401,
        }
    }
}

impl OtherAppTokenStatus {
    pub(super) fn status(self) -> u16 {
        match self {
            Self::Bad => 400,
            Self::Forbidden => 403,
            Self::Gateway => 520,
        }
    }
}

impl PersonOnlyStatus {
    pub(super) fn status(self) -> u16 {
        match self {
            Self::Forbidden => 403,
            Self::Bad => 400,
        }
    }
}

/// One open fact of Kintone, by name.
#[derive(Debug, Clone, Copy)]
pub struct Switch {
    /// As `Unknowns` calls it.
    pub name: &'static str,
    /// Of the fact sheet, such as `3.5`.
    pub section: &'static str,
    /// What it decides.
    pub about: &'static str,
    /// Its positions' names.
    pub positions: &'static [&'static str],
    get: fn(&Unknowns) -> usize,
    set: fn(&mut Unknowns, usize),
}

impl Switch {
    /// The position in which it is.
    #[must_use]
    pub fn position(&self, unknowns: &Unknowns) -> &'static str {
        self.positions.get((self.get)(unknowns)).copied().unwrap_or_default()
    }
}

macro_rules! switches {
    ($($(#[doc = $doc:literal])+ $section:literal $name:ident: $kind:ty = $strict:expr;)+) => {
        /// Kintone's open facts, as this emulator takes them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct Unknowns {
            $($(#[doc = $doc])+ pub $name: $kind,)+
        }

        impl Unknowns {
            /// The reading of each that is hardest on a client.
            #[must_use]
            pub const fn strict() -> Self {
                Self { $($name: $strict,)+ }
            }
        }

        /// All switches.
        pub const SWITCHES: &[Switch] = &[$(Switch {
            name: stringify!($name),
            section: $section,
            about: concat!($($doc),+).trim_ascii_start(),
            positions: <$kind as Position>::NAMES,
            get: |unknowns| unknowns.$name.index(),
            set: |unknowns, index| unknowns.$name = Position::at(index).unwrap_or(unknowns.$name),
        },)+];
    };
}

switches! {
    /// `AND`, `Order By` and the like are accepted in another case than lower.
    "3.1" keywords_in_any_case: bool = false;
    /// A field whose code is a keyword, such as `limit`, can be named.
    "3.1" keywords_as_field_codes: bool = false;
    /// `$revision` may stand in a condition.
    "3.1" revision_in_conditions: bool = false;
    /// A bare number may stand where text is compared.
    "3.1" bare_numbers_as_text: bool = false;
    /// STATUS takes `=` and `!=`.
    "3.2" status_takes_equals: bool = false;
    /// CATEGORY takes `in` and `not in`.
    "3.2" category_takes_in: bool = false;
    /// Dates and times outside tables take `in` and `not in`.
    "3.2" dates_take_in: bool = false;
    /// RICH_TEXT may stand in `order by`.
    "3.2" rich_text_sortable: bool = false;
    /// `$revision` may stand in `order by`.
    "3.2" revision_sortable: bool = false;
    /// Predicates on one list of related records that are joined by `and` look for one record together.
    "3.3" related_predicates_share_a_record: bool = false;
    /// `LOGINUSER()` may stand for an assignee.
    "3.4" login_user_on_assignee: bool = false;
    /// What a range operator compares with, where a function stands for a span of time.
    "3.4" span_bounds: SpanBounds = SpanBounds::Span;
    /// Which day it is, where a month lacks the one asked for.
    "3.4" missing_day: MissingDay = MissingDay::NextMonth;
    /// The zone in which the calls of an API token see `TODAY()`.
    "3.4" token_zone: TokenZone = TokenZone::Tokyo;
    /// `LOGINUSER()` in the call of an API token is Administrator, else nobody.
    "1.2" token_user_is_administrator: bool = true;
    /// `=`, `in` and their negations on text ignore the case of letters.
    "3.5" text_equality_ignores_case: bool = true;
    /// `=`, `in` and their negations on text ignore full and half width.
    "3.5" text_equality_ignores_width: bool = true;
    /// `=`, `in` and their negations on text ignore spaces at the end.
    "3.5" text_equality_ignores_trailing_spaces: bool = true;
    /// An empty DATE is before every date.
    "3.5" empty_dates_are_least: bool = true;
    /// An empty TIME is before every time.
    "3.5" empty_times_are_least: bool = true;
    /// An empty DATETIME is before every time.
    "3.5" empty_datetimes_are_least: bool = true;
    /// An empty CALC is before every value.
    "3.5" empty_calcs_are_least: bool = true;
    /// Empty values in rows of a table compare as those outside, else with nothing.
    "3.5" empties_in_tables_are_least: bool = true;
    /// NUMBER and CALC take `= ""`, and `""` within `in`.
    "3.5" numbers_equal_empty: bool = false;
    /// NUMBER and CALC take `!= ""`, and `""` within `not in`.
    "3.5" numbers_differ_from_empty: bool = false;
    /// TIME takes `= ""` and `!= ""`.
    "3.5" times_take_empty: bool = false;
    /// `!=` and `not in` on text find empty ones.
    "3.5" text_negation_finds_empties: bool = true;
    /// `!=` and `not in` on NUMBER and CALC find empty ones.
    "3.5" number_negation_finds_empties: bool = true;
    /// `!=` and `not in` on dates and times find empty ones.
    "3.5" date_negation_finds_empties: bool = true;
    /// `not in` on RADIO_BUTTON and DROP_DOWN finds empty ones.
    "3.5" choice_negation_finds_empties: bool = true;
    /// `not in` on users, organizations and groups finds empty ones.
    "3.5" people_negation_finds_empties: bool = true;
    /// `not like` finds empty ones.
    "3.6" not_like_finds_empties: bool = true;
    /// A record number may be written with the app's code, as in `"DEALS-12"`.
    "3.5" record_number_takes_app_code: bool = false;
    /// The seconds of a DATETIME literal count, else its minute alone.
    "3.5" seconds_in_literals_count: bool = true;
    /// What `order by f` without a direction does.
    "3.7" undirected_order: Undirected = Undirected::Descending;
    /// How RADIO_BUTTON, DROP_DOWN and STATUS order.
    "3.7" choice_order: ChoiceOrder = ChoiceOrder::Position;
    /// Empty numbers, dates and times come first in `asc`, else last.
    "3.7" empties_sort_first: bool = true;
    /// How records order whose keys are equal.
    "3.7" ties: Ties = Ties::Scrambled;
    /// `limit 0` is accepted.
    "3.7" limit_zero: bool = false;
    /// An offset above 10,000 is accepted, as on domains from before July 2020.
    "3.7" large_offsets: bool = false;
    /// HTTP status of an API token that no app knows.
    "5.3" unknown_token_status: UnknownTokenStatus = UnknownTokenStatus::Gateway;
    /// HTTP status where the token belongs to another app.
    "5.3" other_app_token_status: OtherAppTokenStatus = OtherAppTokenStatus::Bad;
    /// HTTP status of a call that an API token may not make.
    "5.3" person_only_status: PersonOnlyStatus = PersonOnlyStatus::Forbidden;
    /// An API token may list the apps that it opens.
    "1.3" tokens_list_apps: bool = false;
    /// An unset NUMBER reads as `null`, else as an empty string.
    "4.1" empty_number_is_null: bool = false;
    /// An unset DATETIME reads as `null`, else as an empty string.
    "4.1" empty_datetime_is_null: bool = false;
    /// An unset RADIO_BUTTON reads as `null`, else as an empty string.
    "4.1" empty_radio_is_null: bool = false;
    /// A GET that has no body may carry a `Content-Type`.
    "1.4" content_type_on_bodyless_get: bool = false;
    /// An update that changes nothing still makes a new revision.
    "6" no_op_update_bumps_revision: bool = true;
    /// A row that an update adds to a table takes the defaults of the fields that were not sent.
    "4.2" new_rows_of_updates_take_defaults: bool = true;
    /// Who wrote a record and when can be given with a new one; an update passes these over.
    "4.2" new_records_bring_writers_and_times: bool = true;
    /// Rights are also told of a record that is not there: none. Else the call fails.
    "2.1" missing_records_have_no_rights: bool = true;
    /// A cursor gives each record as it is when it is read, or as it was when the cursor was made.
    "6" cursor_contents: CursorContents = CursorContents::AtRead;
    /// API tokens may read and change the preview of their app and bring it live.
    "1.3" tokens_change_settings: bool = false;
    /// A table's columns that an update of its fields does not name are deleted.
    "2.2" unnamed_columns_are_deleted: bool = true;
    /// `apps.json` on the plain path also lists the apps of guest spaces.
    "2.2" plain_path_lists_guest_apps: bool = false;
}

impl Unknowns {
    /// With one switch in another position.
    ///
    /// # Errors
    /// Where there is no such switch or position, with what there is.
    pub fn with(mut self, name: &str, position: &str) -> Result<Self, String> {
        let switch = SWITCHES.iter().find(|switch| switch.name == name);
        let switch = switch.ok_or_else(|| format!("there is no switch {name}"))?;
        let index = switch.positions.iter().position(|known| *known == position);
        let index = index.ok_or_else(|| format!("{name}: must be one of {}", switch.positions.join(", ")))?;
        (switch.set)(&mut self, index);
        Ok(self)
    }
}

impl Default for Unknowns {
    fn default() -> Self {
        Self::strict()
    }
}

/// K§1.2: who a caller with an API token is: creator of records, and whose turn it must be where only an assignee
/// may act.
pub(super) const TOKEN_USER: &str = "Administrator";

/// K§1.1: longest request target in bytes.
pub(super) const LONGEST_URL: usize = 8 * 1024;

/// K§5.1: longest request body in bytes.
pub(super) const LONGEST_BODY: usize = 50 * 1024 * 1024;

/// K§2.1: days that an uploaded file waits for a record that takes it. One record at one place only can take it.
pub(super) const UPLOAD_DAYS: i64 = 3;

/// K§5.1: minutes that a cursor lives after its creation or its last read.
pub(super) const CURSOR_MINUTES: u64 = 10;

/// K§3.1: how deep parentheses may nest.
pub(super) const DEEPEST_NESTING: usize = 200;

/// K§5.3: the code for changes of an app that is being deployed.
pub(super) const WHILE_DEPLOYING: &str = "GAIA_DA02";

/// K§2.2: how the deploy of an app stands that was made and never deployed.
pub(super) const NEVER_DEPLOYED: &str = "CANCEL";

/// K§3.6: a keyword with so many hits aborts the search.
pub(super) const MOST_HITS: usize = 100_000;

/// K§2.1: revisions that an action makes: one for the action, one for the state. Also where the state stays,
/// since others must still act.
pub(super) const REVISIONS_OF_ACTION: u64 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_position_of_every_switch_can_be_set_and_read() {
        for switch in SWITCHES {
            assert!(switch.positions.len() > 1 && !switch.about.is_empty(), "{}", switch.name);
            for position in switch.positions {
                let set = Unknowns::strict().with(switch.name, position).unwrap();
                assert_eq!(switch.position(&set), *position, "{}", switch.name);
                let others = SWITCHES.iter().filter(|other| other.name != switch.name);
                for other in others {
                    assert_eq!(other.position(&set), other.position(&Unknowns::strict()), "{}", switch.name);
                }
            }
        }
        let error = Unknowns::strict().with("ties", "random").unwrap_err();
        assert_eq!(error, "ties: must be one of newest first, oldest first, scrambled");
        assert!(Unknowns::strict().with("nothing", "yes").is_err());
    }
}
