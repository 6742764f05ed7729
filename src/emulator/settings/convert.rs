//! Records made to fit new settings: values follow their fields, columns and options, wherever these are now.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::super::calc::Calculator;
use super::super::field::{Field, Kind, Place, Schema};
use super::super::query::View;
use super::super::store::{Records, Store, Stored};
use super::super::value::{TableRow, Value};
use super::preview::Origins;

/// Where a field's values come from.
struct Source<'a> {
    /// In the old record or row; a new field has none.
    from: Option<usize>,
    options: Option<&'a HashMap<String, String>>,
    columns: Vec<Source<'a>>,
}

impl<'a> Source<'a> {
    fn of(field: &Field, old: &[Field], origins: &'a Origins) -> Self {
        let origin = origins.codes.get(&*field.code);
        let same = |o: &&Field| origin.is_some_and(|code| *o.code == **code);
        // A formula whose result is of another kind has no values until it is computed.
        let before = old.iter().find(same).filter(|o| o.kind == field.kind && o.domain == field.domain);
        let from = before.and_then(|before| match before.place {
            Place::Cell(index) | Place::Column(_, index) => Some(index),
            _ => None,
        });
        let columns = before.map_or(&[] as &[Field], |before| &before.columns);
        Self {
            from,
            options: origins.options.get(&*field.code).filter(|options| !options.is_empty()),
            columns: field.columns.iter().map(|column| Source::of(column, columns, origins)).collect(),
        }
    }

    fn value(&self, cells: &[Value]) -> Value {
        let value = self.from.and_then(|from| cells.get(from)).unwrap_or(&Value::Empty);
        let renamed = |text: &Arc<str>| match self.options.and_then(|options| options.get(&**text)) {
            Some(new) => Arc::from(new.as_str()),
            None => Arc::clone(text),
        };
        match value {
            Value::Text(text) if self.options.is_some() => Value::Text(renamed(text)),
            Value::Texts(texts) if self.options.is_some() => {
                Value::Texts(texts.iter().map(renamed).collect())
            }
            Value::Rows(rows) => Value::Rows(rows.iter().map(|row| self.row(row)).collect()),
            value => value.clone(),
        }
    }

    fn row(&self, row: &TableRow) -> TableRow {
        TableRow { id: row.id, cells: self.columns.iter().map(|column| column.value(&row.cells)).collect() }
    }
}

/// The records under new settings. Their revisions and times stay: nobody wrote them.
pub(super) fn records(
    old: &Schema,
    calculator: Calculator<'_>,
    origins: &Origins,
    records: Records,
) -> Records {
    let new = calculator.schema;
    let cells = new.fields.iter().filter(|field| matches!(field.place, Place::Cell(_)));
    let sources: Vec<Source<'_>> = cells.map(|field| Source::of(field, &old.fields, origins)).collect();
    let states = new.fields.iter().find(|field| field.kind == Kind::Status).map(|field| &field.options);
    let first = states.and_then(|states| states.iter().min_by_key(|(_, index)| **index));
    let status = |record: &Stored| -> Option<Arc<str>> {
        let before = record.status.as_ref();
        let now = before.map(|state| match origins.states.get(&**state) {
            Some(new) => Arc::from(new.as_str()),
            None => Arc::clone(state),
        });
        // Where process management begins, or a state is gone, a record is in the first one.
        let known = now.filter(|state| !new.process || states.is_some_and(|s| s.contains_key(state)));
        known.or_else(|| first.filter(|_| new.process).map(|(state, _)| Arc::clone(state)))
    };
    let convert = |record: Arc<Stored>| {
        let cells = sources.iter().map(|source| source.value(&record.cells)).collect();
        let mut record = Stored { status: status(&record), cells, ..(*record).clone() };
        calculator.recompute(&mut record);
        Arc::new(record)
    };
    let (last_id, last_row) = (records.last_id, records.last_row);
    let mut out = Records::new(records.all.into_iter().map(convert).collect(), last_row);
    // Ids are not given twice, also where the latest records are gone.
    out.last_id = last_id;
    out
}

/// Whether fields that are to prohibit duplicates have none in the records that there are.
pub(super) fn keeps_uniqueness(store: &Store, id: u64) -> bool {
    let (Some(app), Some(preview)) = (store.apps.get(&id), store.previews.get(&id)) else { return true };
    let mut newly: BTreeMap<&str, Place> = BTreeMap::new();
    for (code, property) in &preview.definition.properties {
        let unique = property.get("unique").and_then(serde_json::Value::as_bool).unwrap_or_default();
        let before = preview.origins.codes.get(code).and_then(|origin| app.schema.find(origin));
        if let Some(field) = before.filter(|field| unique && !field.flag("unique")) {
            newly.insert(code, field.place);
        }
    }
    if newly.is_empty() {
        return true;
    }
    let records = app.read();
    newly.values().all(|place| {
        let mut seen = HashSet::new();
        records.all.iter().filter_map(|record| View::at(record, *place).key()).all(|key| seen.insert(key))
    })
}
