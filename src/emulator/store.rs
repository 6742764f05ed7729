//! The apps and, from first touch on, their records in memory, ascending by id.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::app::{AppDefinition, Cell, Comment, Record, Row, World};
use super::directory::Directory;
use super::field::{Domain, Field, Place, Schema};
use super::unknown::Unknowns;
use super::value::{self, Decimal, TableRow, Value};

pub(super) use super::stored::{Key, Records, Stored};

/// An app's comments by record, oldest first.
pub(super) type Comments = HashMap<u64, Vec<Comment>>;

/// An app.
pub(super) struct App {
    pub(super) definition: AppDefinition,
    pub(super) schema: Schema,
    records: OnceLock<RwLock<Records>>,
    comments: OnceLock<Mutex<Comments>>,
    world: Arc<dyn World>,
}

impl App {
    fn new(definition: AppDefinition, world: Arc<dyn World>) -> Self {
        let schema = Schema::new(&definition);
        Self { definition, schema, records: OnceLock::new(), comments: OnceLock::new(), world }
    }

    fn records(&self) -> &RwLock<Records> {
        self.records.get_or_init(|| RwLock::new(load(&self.schema, self.world.records(self.definition.id))))
    }

    /// The records, to read. Makes them at first touch; others wait for that.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Records> {
        self.records().read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The records, to change.
    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Records> {
        self.records().write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The comments.
    pub(super) fn comments(&self) -> MutexGuard<'_, Comments> {
        let make = || Mutex::new(self.world.comments(self.definition.id).into_iter().collect());
        self.comments.get_or_init(make).lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes records with their comments.
    pub(super) fn remove(&self, records: &mut Records, ids: &[u64]) {
        records.remove(ids);
        let mut comments = self.comments();
        let gone = ids.iter().filter_map(|id| Some((*id, comments.remove(id)?))).collect();
        records.note_comments(gone);
    }

    /// Takes back what was written since `Records::begin`.
    pub(super) fn undo(&self) {
        let comments = self.write().undo();
        self.comments().extend(comments);
    }
}

/// Everything that is served.
pub(super) struct Store {
    pub(super) apps: BTreeMap<u64, App>,
    pub(super) directory: Directory,
    /// Apps that an API token opens.
    pub(super) tokens: HashMap<String, Vec<u64>>,
    pub(super) unknowns: Unknowns,
}

impl Store {
    pub(super) fn new(world: &Arc<dyn World>, unknowns: Unknowns) -> Self {
        let mut tokens: HashMap<String, Vec<u64>> = HashMap::new();
        let mut apps = BTreeMap::new();
        for definition in world.apps() {
            for token in &definition.api_tokens {
                tokens.entry(token.clone()).or_default().push(definition.id);
            }
            apps.insert(definition.id, App::new(definition, Arc::clone(world)));
        }
        Self { apps, directory: Directory::new(world.directory()), tokens, unknowns }
    }
}

/// One copy of each text that repeats, such as user codes and options.
#[derive(Default)]
struct Texts(HashSet<Arc<str>>);

impl Texts {
    fn share(&mut self, text: String) -> Arc<str> {
        if let Some(known) = self.0.get(text.as_str()) {
            return Arc::clone(known);
        }
        let shared: Arc<str> = text.into();
        self.0.insert(Arc::clone(&shared));
        shared
    }

    fn share_all(&mut self, texts: Vec<String>) -> Arc<[Arc<str>]> {
        texts.into_iter().map(|text| self.share(text)).collect()
    }
}

fn load(schema: &Schema, records: Vec<Record>) -> Records {
    let fields: Vec<&Field> = schema.fields.iter().filter(|f| matches!(f.place, Place::Cell(_))).collect();
    let mut texts = Texts::default();
    let mut last_row = 0;
    let all: Vec<Arc<Stored>> = records
        .into_iter()
        .map(|record| {
            let mut cells = record.cells.into_iter();
            let cells = fields
                .iter()
                .map(|field| typed(field, cells.next().unwrap_or(Cell::Empty), &mut texts, &mut last_row))
                .collect();
            Arc::new(Stored {
                id: record.id,
                revision: record.revision,
                creator: texts.share(record.creator),
                modifier: texts.share(record.modifier),
                created: record.created_at,
                updated: record.updated_at,
                status: record.status.map(|status| texts.share(status)),
                assignees: texts.share_all(record.assignees),
                categories: texts.share_all(record.categories),
                cells,
            })
        })
        .collect();
    Records::new(all, last_row)
}

/// A cell in its field's typed form.
fn typed(field: &Field, cell: Cell, texts: &mut Texts, last_row: &mut u64) -> Value {
    match cell {
        Cell::Text(text) if text.is_empty() => Value::Empty,
        Cell::Text(text) if field.kind.is_choice() => Value::Text(texts.share(text)),
        Cell::Text(text) => typed_text(field.domain, &text),
        Cell::Texts(list) if list.is_empty() => Value::Empty,
        Cell::Texts(list) => Value::Texts(texts.share_all(list)),
        Cell::Codes(list) if list.is_empty() => Value::Empty,
        Cell::Codes(list) => Value::Codes(texts.share_all(list)),
        Cell::Files(files) if files.is_empty() => Value::Empty,
        Cell::Files(files) => Value::Files(files.into()),
        Cell::Rows(rows) if rows.is_empty() => Value::Empty,
        Cell::Rows(rows) => {
            Value::Rows(rows.into_iter().map(|row| typed_row(field, row, texts, last_row)).collect())
        }
        Cell::Empty => Value::Empty,
    }
}

fn typed_row(table: &Field, row: Row, texts: &mut Texts, last_row: &mut u64) -> TableRow {
    *last_row = row.id.max(*last_row);
    let mut cells = row.cells.into_iter();
    let cells = table
        .columns
        .iter()
        .map(|column| typed(column, cells.next().unwrap_or(Cell::Empty), texts, last_row))
        .collect();
    TableRow { id: row.id, cells }
}

/// A text in its domain; one that does not read in it stays as it is.
pub(super) fn typed_text(domain: Domain, text: &str) -> Value {
    let value = match domain {
        Domain::Number => Decimal::parse(text).map(Value::Number),
        Domain::Date => value::parse_date(text).map(Value::Date),
        Domain::Time => value::parse_time(text).map(Value::Time),
        Domain::DateTime => value::parse_datetime(text).map(Value::DateTime),
        Domain::Duration => value::parse_duration(text).map(Value::Duration),
        _ => None,
    };
    value.unwrap_or_else(|| Value::Text(text.into()))
}
