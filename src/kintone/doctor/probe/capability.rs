//! What the answers mean for the predicates that are pushed down: which could be pushed further, which must stay,
//! which are wrong. The rows name types of fields and predicates as the capability table does; one row is one line.

use super::finding::{Finding, Row, Verdict};
use Verdict::{Demote, Promote, Stay};

/// Switches with the positions under which a verdict holds; all of them, else the other verdict.
type When = &'static [(&'static str, &'static str)];

/// Types, predicate, when, then, else: each with its reason.
type Line = (&'static str, &'static str, When, (Verdict, &'static str), (Verdict, &'static str));

const EXACT_TEXT: When = &[
    ("text_equality_ignores_case", "no"),
    ("text_equality_ignores_width", "no"),
    ("text_equality_ignores_trailing_spaces", "no"),
];

const LINES: &[Line] = &[
    (
        "SINGLE_LINE_TEXT, LINK",
        "=, IN",
        EXACT_TEXT,
        (Promote, "compared letter by letter: exact"),
        (Stay, "finds other writings of the text: a superset, filtered again"),
    ),
    (
        "SINGLE_LINE_TEXT, LINK",
        "<>, NOT IN",
        EXACT_TEXT,
        (Promote, "`!=` loses no row: exact with `and f != \"\"`"),
        (Stay, "`!=` loses other writings of the text: never sent"),
    ),
    (
        "SINGLE_LINE_TEXT, LINK",
        "IS NULL",
        &[("text_equality_ignores_trailing_spaces", "no")],
        (Promote, "`= \"\"` finds the empty ones alone: exact"),
        (Stay, "`= \"\"` may find blank text: a superset"),
    ),
    (
        "NUMBER",
        "IS NULL",
        &[("numbers_equal_empty", "yes")],
        (Promote, "`= \"\"` is taken: exact by `= \"\"`"),
        (Stay, "`= \"\"` is refused: not pushed"),
    ),
    (
        "NUMBER",
        "IS NOT NULL",
        &[("numbers_differ_from_empty", "yes")],
        (Promote, "`!= \"\"` is taken: exact by `!= \"\"`"),
        (Stay, "`!= \"\"` is refused: not pushed"),
    ),
    (
        "NUMBER",
        "<, <=",
        &[("numbers_differ_from_empty", "yes")],
        (Promote, "exact with `and f != \"\"`"),
        (Stay, "finds empty numbers too: a superset"),
    ),
    (
        "NUMBER",
        "<>, NOT IN",
        &[("number_negation_finds_empties", "no")],
        (Promote, "finds no empty number: exact"),
        (Stay, "finds empty numbers too: a superset"),
    ),
    (
        "CALC",
        "<, <=",
        &[("empty_calcs_are_least", "no")],
        (Promote, "an empty result is not below the others: as exact as `>`"),
        (Stay, "finds empty results too: a superset"),
    ),
    (
        "DATE",
        "<, <=",
        &[("empty_dates_are_least", "no")],
        (Promote, "finds no empty date: exact without `and f != \"\"`"),
        (Stay, "finds empty dates too: exact with `and f != \"\"`, as it is sent"),
    ),
    (
        "DATETIME",
        "<, <=",
        &[("empty_datetimes_are_least", "no")],
        (Promote, "finds no empty time: exact without `and f != \"\"`"),
        (Stay, "finds empty times too: exact with `and f != \"\"`, as it is sent"),
    ),
    (
        "TIME",
        "<, <=",
        &[("empty_times_are_least", "no")],
        (Promote, "finds no empty time: exact"),
        (Stay, "finds empty times too: a superset"),
    ),
    (
        "TIME",
        "IS NULL, IS NOT NULL",
        &[("times_take_empty", "yes")],
        (Promote, "`= \"\"` is taken: exact by `= \"\"` and `!= \"\"`"),
        (Stay, "`= \"\"` is refused: not pushed"),
    ),
    (
        "DATE, DATETIME",
        "<>",
        &[("date_negation_finds_empties", "no")],
        (Promote, "finds no empty one: exact without `and f != \"\"`"),
        (Stay, "finds empty ones too: exact with `and f != \"\"`, as it is sent"),
    ),
    (
        "DATE",
        "IN",
        &[("dates_take_in", "yes")],
        (Promote, "`in` is taken: one condition instead of many joined by `or`"),
        (Stay, "`in` is refused: `=` joined by `or`"),
    ),
    (
        "DATETIME",
        "=",
        &[("seconds_in_literals_count", "yes")],
        (Stay, "seconds of a literal count: a literal with seconds finds nothing"),
        (Stay, "seconds of a literal are passed over: such literals must never be sent"),
    ),
    (
        "RADIO_BUTTON, DROP_DOWN",
        "<>, NOT IN",
        &[("choice_negation_finds_empties", "no")],
        (Promote, "`not in` finds no empty one: exact without `\"\"` in the list"),
        (Stay, "`not in` finds empty ones: exact with `\"\"` in the list, as it is sent"),
    ),
    (
        "USER_SELECT",
        "NOT = ANY",
        &[("people_negation_finds_empties", "no")],
        (Promote, "`not in` finds no empty one"),
        (Stay, "`not in` finds empty ones, whose lists are empty and not NULL"),
    ),
    (
        "STATUS",
        "=",
        &[("status_takes_equals", "yes")],
        (Stay, "`=` is taken, and `in` as well: `in` is sent"),
        (Stay, "`=` is refused: `in` is sent"),
    ),
    (
        "table columns",
        "<, <=",
        &[("empties_in_tables_are_least", "no")],
        (Promote, "rows without a value are not found"),
        (Stay, "rows without a value are found: a superset"),
    ),
    (
        "related records",
        "AND",
        &[("related_predicates_share_a_record", "yes")],
        (Promote, "several conditions look for one related record, as EXISTS does"),
        (Stay, "several conditions may hold on several related records: a superset"),
    ),
    (
        "NUMBER, DATE, DATETIME, TIME",
        "ORDER BY",
        &[("empties_sort_first", "yes")],
        (Stay, "empty ones come first in asc: NULLS FIRST in asc, NULLS LAST in desc"),
        (Demote, "empty ones come last in asc: the order of NULLs is the other way round"),
    ),
    (
        "RADIO_BUTTON, DROP_DOWN, STATUS",
        "ORDER BY",
        &[("choice_order", "position")],
        (Stay, "by the options' position, which no text order is: not pushed"),
        (Promote, "by the options' text: as SQL orders"),
    ),
    (
        "RICH_TEXT",
        "ORDER BY",
        &[("rich_text_sortable", "yes")],
        (Promote, "taken"),
        (Stay, "refused: not pushed"),
    ),
];

/// What follows.
pub(super) fn rows(findings: &[Finding]) -> Vec<Row> {
    let find = |name: &str| findings.iter().find(|finding| finding.name == name);
    let row = |(types, predicate, when, then, otherwise): &Line| {
        let open = when.iter().find(|(switch, _)| {
            find(switch).is_none_or(|f| !matches!(f.outcome, super::Outcome::Settled(_)))
        });
        let holds = when.iter().all(|(switch, position)| find(switch).is_some_and(|f| f.is(position)));
        let (verdict, why) = match open {
            Some((switch, _)) => (Verdict::Unsettled, format!("{switch} is open")),
            None => {
                let (verdict, why) = if holds { then } else { otherwise };
                (*verdict, (*why).to_owned())
            }
        };
        Row { types, predicate, verdict, why }
    };
    LINES.iter().map(row).collect()
}
