//! Which operators and which sort a type of field takes (K§3.2, K§3.3).

use super::super::field::Kind;
use super::super::unknown::Unknowns;
use super::parser::Operator;

/// A type's row of the table.
struct Row {
    kinds: &'static [Kind],
    equal: bool,
    range: bool,
    list: bool,
    like: bool,
    empty: bool,
    sortable: bool,
}

const fn row(kinds: &'static [Kind], operators: &[u8], sortable: bool) -> Row {
    Row {
        kinds,
        equal: has(operators, b'='),
        range: has(operators, b'<'),
        list: has(operators, b'i'),
        like: has(operators, b'l'),
        empty: has(operators, b'e'),
        sortable,
    }
}

const fn has(operators: &[u8], wanted: u8) -> bool {
    let mut rest = operators;
    while let [first, tail @ ..] = rest {
        if *first == wanted {
            return true;
        }
        rest = tail;
    }
    false
}

/// `=`: = and !=. `<`: the four ranges. `i`: in. `l`: like. `e`: is empty. Each with its negation.
const TABLE: &[Row] = &[
    row(&[Kind::Id, Kind::Revision, Kind::RecordNumber, Kind::Number, Kind::Calc], b"=<i", true),
    row(&[Kind::SingleLineText, Kind::Link], b"=il", true),
    row(&[Kind::MultiLineText], b"le", false),
    row(&[Kind::RichText], b"l", false),
    row(&[Kind::CheckBox, Kind::MultiSelect], b"i", false),
    row(&[Kind::RadioButton, Kind::DropDown], b"i", true),
    row(&[Kind::Date, Kind::Time, Kind::DateTime, Kind::CreatedTime, Kind::UpdatedTime], b"=<", true),
    row(&[Kind::UserSelect, Kind::OrganizationSelect, Kind::GroupSelect, Kind::Assignee], b"i", false),
    row(&[Kind::Creator, Kind::Modifier], b"i", true),
    row(&[Kind::Status], b"=i", true),
    row(&[Kind::File], b"le", false),
    row(&[Kind::Category], b"i", false),
    row(&[Kind::Subtable, Kind::ReferenceTable, Kind::Group], b"", false),
];

fn find(kind: Kind) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.kinds.contains(&kind))
}

/// Whether the type takes the operator. In a table, dates and times also take `in`; that `=` is refused
/// there is another rule, with another code.
pub(super) fn allowed(kind: Kind, operator: Operator, in_table: bool, unknowns: Unknowns) -> bool {
    let Some(row) = find(kind) else { return false };
    match operator {
        Operator::Equal | Operator::NotEqual => {
            row.equal && (kind != Kind::Status || unknowns.status_takes_equals)
        }
        Operator::Less | Operator::Greater | Operator::LessEqual | Operator::GreaterEqual => row.range,
        Operator::In | Operator::NotIn => match kind {
            Kind::Category => unknowns.category_takes_in,
            Kind::Date | Kind::Time | Kind::DateTime => in_table || unknowns.dates_take_in,
            Kind::CreatedTime | Kind::UpdatedTime => unknowns.dates_take_in,
            _ => row.list,
        },
        Operator::Like | Operator::NotLike => row.like,
        Operator::IsEmpty | Operator::IsNotEmpty => row.empty,
    }
}

/// Whether records can be ordered by the type.
pub(super) fn sortable(kind: Kind, unknowns: Unknowns) -> bool {
    (kind == Kind::RichText && unknowns.rich_text_sortable) || find(kind).is_some_and(|row| row.sortable)
}
