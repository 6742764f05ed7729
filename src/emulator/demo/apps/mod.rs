//! The company's apps, one a file, and what they share.
//!
//! Takes the company's seed and calendar. Gives, for each app, its definition, its records and its comments.
//! An app may read another app's facts (a customer, a product's price on a day), never its cells.

mod activities;
mod applications;
mod comments;
mod customer;
mod customers;
mod deal;
mod deals;
mod issues;
mod measurements;
mod movements;
mod office_equipment;
mod order_lines;
mod orders;
mod pc_equipment;
mod products;
mod reports;

use crate::emulator::app::{AppDefinition, Cell, Comment, Record};

use super::Company;
use super::calendar::{day_of, jst};
use super::dice::{Dice, mix};
use super::form::Form;
use super::people;

/// An app of the company.
pub(super) struct DemoApp {
    /// Its id.
    pub(super) id: u64,
    /// All but its records.
    pub(super) definition: fn(&Company) -> AppDefinition,
    /// Its records, ids ascending.
    pub(super) records: fn(&Company) -> Vec<Record>,
    /// Its comments.
    pub(super) comments: fn(&Company) -> Talks,
}

/// The comments of an app's records, by record id.
type Talks = Vec<(u64, Vec<Comment>)>;

/// Every app, ids ascending.
pub(super) const APPS: &[DemoApp] = &[
    app(activities::ID, activities::definition, activities::records),
    app(customers::ID, customers::definition, customers::records),
    app(products::ID, products::definition, products::records),
    DemoApp {
        id: deals::ID,
        definition: deals::definition,
        records: deals::records,
        comments: comments::comments,
    },
    app(orders::ID, orders::definition, orders::records),
    app(reports::ID, reports::definition, reports::records),
    app(movements::ID, movements::definition, movements::records),
    app(office_equipment::ID, office_equipment::definition, office_equipment::records),
    app(pc_equipment::ID, pc_equipment::definition, pc_equipment::records),
    app(measurements::ID, measurements::definition, measurements::records),
    app(applications::ID, applications::definition, |_| vec![]),
    app(issues::ID, issues::definition, issues::records),
];

const fn app(
    id: u64,
    definition: fn(&Company) -> AppDefinition,
    records: fn(&Company) -> Vec<Record>,
) -> DemoApp {
    DemoApp { id, definition, records, comments: |_| vec![] }
}

/// The definition that all apps begin with.
fn base(company: &Company, id: u64, name: &str, description: &str, form: Form) -> AppDefinition {
    let start = company.calendar.first();
    AppDefinition {
        id,
        name: name.into(),
        description: description.into(),
        creator: people::ADMIN.into(),
        modifier: people::ADMIN.into(),
        created_at: jst(start, 0),
        modified_at: jst(start + i64::try_from(id % 700).unwrap_or(0), 18 * 60 + 30),
        properties: form.properties,
        layout: form.layout,
        api_tokens: vec![format!("demo-token-{id}")],
        ..AppDefinition::default()
    }
}

/// The beginning of a record: its number, its time, its dice.
struct Entry {
    id: u64,
    /// From 0, without gaps.
    index: usize,
    created_at: i64,
    dice: Dice,
}

impl Entry {
    /// The day in Japan on which it was written.
    fn day(&self) -> i64 {
        day_of(self.created_at)
    }

    /// The record, written by `creator` and perhaps changed later.
    fn record(mut self, company: &Company, creator: &str, cells: Vec<Cell>) -> Record {
        let changes = if self.dice.chance(60) { 0 } else { self.dice.between(1, 7) };
        let later = self.created_at + changes * self.dice.between(3, 9_000);
        let modifier =
            if changes == 0 { creator.to_owned() } else { people::modifier(&mut self.dice, creator) };
        Record {
            id: self.id,
            revision: u64::try_from(changes + 1).unwrap_or(1),
            creator: creator.to_owned(),
            modifier,
            created_at: self.created_at,
            updated_at: later.clamp(self.created_at, company.calendar.now().max(self.created_at)),
            status: None,
            assignees: vec![],
            categories: vec![],
            cells,
        }
    }
}

/// Three of a hundred records were deleted.
const DELETED_PER_MILLE: u64 = 30;

/// `count` entries, ids ascending, with gaps where records were deleted.
fn entries(company: &Company, app: u64, count: usize) -> impl Iterator<Item = Entry> + '_ {
    let seed = company.seed;
    let kept = move |id: &u64| mix(mix(app ^ mix(seed)) ^ !*id) % 1_000 >= DELETED_PER_MILLE;
    (1_u64..).filter(kept).take(count).enumerate().map(move |(index, id)| Entry {
        id,
        index,
        created_at: company.calendar.written(index, count),
        dice: Dice::new(seed, app, id),
    })
}
