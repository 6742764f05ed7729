//! `order by`: what may be sorted and how values order (K§3.7).

use std::cmp::Ordering;

use super::super::field::{Domain, Field, Kind, Place};
use super::super::reply::{Failure, NOT_SORTABLE};
use super::super::store::Stored;
use super::super::unknown::{ChoiceOrder, Ties};
use super::check::{self, Scope};
use super::operators;
use super::parser;
use super::plan::View;

/// A sort key.
#[derive(Clone, Copy)]
pub(super) struct Key<'a> {
    field: &'a Field,
    ascending: bool,
}

/// The keys of a query, or the refusal of one.
pub(super) fn keys<'a>(scope: &Scope<'a>, written: &[parser::Key]) -> Result<Vec<Key<'a>>, Failure> {
    written
        .iter()
        .map(|key| {
            if key.related.is_some() {
                return Err(Failure::about(NOT_SORTABLE, &key.field));
            }
            let unknowns = scope.store.unknowns;
            let field = check::field(scope, &key.field, unknowns.revision_sortable)?;
            if matches!(field.place, Place::Column(..)) || !operators::sortable(field.kind, unknowns) {
                return Err(Failure::about(NOT_SORTABLE, &key.field));
            }
            Ok(Key { field, ascending: key.ascending })
        })
        .collect()
}

/// Whether the keys are the id alone, and then whether it ascends. No key is descending by id.
pub(super) fn by_id(keys: &[Key<'_>]) -> Option<bool> {
    match keys.first() {
        None => Some(false),
        Some(key) => (key.field.place == Place::Id).then_some(key.ascending),
    }
}

/// How two records order. Kintone promises nothing of those whose keys are equal.
pub(super) fn compare(scope: &Scope<'_>, keys: &[Key<'_>], a: &Stored, b: &Stored) -> Ordering {
    for key in keys {
        let ordering = compare_values(scope, key.field, a, b);
        let ordering = if key.ascending { ordering } else { ordering.reverse() };
        if ordering.is_ne() {
            return ordering;
        }
    }
    match scope.store.unknowns.ties {
        // Without a key it is the newest first (K§3.7).
        _ if keys.is_empty() => b.id.cmp(&a.id),
        Ties::NewestFirst => b.id.cmp(&a.id),
        Ties::OldestFirst => a.id.cmp(&b.id),
        Ties::Scrambled => scrambled(a.id).cmp(&scrambled(b.id)),
    }
}

/// A number of its own for each id, in no visible order.
fn scrambled(id: u64) -> u64 {
    id.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn compare_values(scope: &Scope<'_>, field: &Field, a: &Stored, b: &Stored) -> Ordering {
    let (a, b) = (View::at(a, field.place), View::at(b, field.place));
    let texts = matches!(field.domain, Domain::Text);
    let empty =
        if texts || scope.store.unknowns.empties_sort_first { Ordering::Less } else { Ordering::Greater };
    match (a, b) {
        (View::Empty, View::Empty) => Ordering::Equal,
        (View::Empty, _) => empty,
        (_, View::Empty) => empty.reverse(),
        (View::Number(a), View::Number(b)) => a.cmp(&b),
        (View::Integer(a), View::Integer(b)) => a.cmp(&b),
        (View::Text(a), View::Text(b)) => match field.kind {
            Kind::Creator | Kind::Modifier => {
                let directory = &scope.store.directory;
                directory.user_number(a).cmp(&directory.user_number(b))
            }
            Kind::RadioButton | Kind::DropDown | Kind::Status
                if scope.store.unknowns.choice_order == ChoiceOrder::Position =>
            {
                field.options.get(a).cmp(&field.options.get(b))
            }
            // Bytes of UTF-8 order as code points do.
            _ => a.cmp(b),
        },
        _ => Ordering::Equal,
    }
}
