//! The apps and, from first touch on, their records in memory, ascending by id.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use chrono_tz::Tz;

use super::app::{AppDefinition, Cell, Comment, Record, Row, World};
use super::calc::Calculator;
use super::directory::Directory;
use super::field::{Domain, Field, Place, Schema};
use super::file::Uploads;
use super::query::Search;
use super::settings::{self, Deploys, Preview};
use super::unknown::Unknowns;
use super::value::{self, Decimal, TableRow, Value};

pub(super) use super::stored::{Key, Records, Stored};

/// Of the settings that a world comes with.
const FIRST_REVISION: u64 = 1;

/// An app's comments by record, oldest first.
pub(super) type Comments = HashMap<u64, Vec<Comment>>;

/// An app.
pub(super) struct App {
    pub(super) definition: AppDefinition,
    /// Of the settings, as they are live.
    pub(super) revision: u64,
    pub(super) schema: Schema,
    records: OnceLock<RwLock<Records>>,
    comments: OnceLock<Mutex<Comments>>,
    world: Arc<dyn World>,
    directory: Arc<Directory>,
    /// Of the domain.
    zone: Tz,
}

impl App {
    /// An app whose records come from the world at first touch.
    fn new(
        definition: AppDefinition,
        revision: u64,
        (world, directory): (Arc<dyn World>, Arc<Directory>),
        zone: Tz,
    ) -> Self {
        let schema = Schema::new(&definition);
        let (records, comments) = (OnceLock::new(), OnceLock::new());
        Self { definition, revision, schema, records, comments, world, directory, zone }
    }

    /// The same app with other settings: `convert` makes its records fit them.
    pub(super) fn redefined(
        mut self,
        definition: AppDefinition,
        revision: u64,
        convert: impl FnOnce(&Schema, Calculator<'_>, Records) -> Records,
    ) -> Self {
        drop(self.read());
        let records = self.records.take().map(|r| r.into_inner().unwrap_or_else(PoisonError::into_inner));
        let old = std::mem::replace(&mut self.schema, Schema::new(&definition));
        let records = convert(&old, self.calculator(), records.unwrap_or_default());
        Self { definition, revision, records: OnceLock::from(RwLock::new(records)), ..self }
    }

    /// What computes its CALC fields and automatic texts.
    pub(super) fn calculator(&self) -> Calculator<'_> {
        Calculator { schema: &self.schema, directory: &self.directory, zone: self.zone }
    }

    fn records(&self) -> &RwLock<Records> {
        let load = || RwLock::new(load(self.calculator(), self.world.records(self.definition.id)));
        self.records.get_or_init(load)
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
    pub(super) directory: Arc<Directory>,
    /// Apps that an API token opens.
    pub(super) tokens: HashMap<String, Vec<u64>>,
    pub(super) unknowns: Unknowns,
    pub(super) search: Search,
    /// Settings that differ from the live ones, by app; also of apps that never went live.
    pub(super) previews: BTreeMap<u64, Preview>,
    pub(super) deploys: Deploys,
    /// The highest id ever given.
    pub(super) last_app: u64,
    world: Arc<dyn World>,
    pub(super) uploads: Uploads,
}

impl Store {
    pub(super) fn new(world: &Arc<dyn World>, unknowns: Unknowns, deploy_time: Duration) -> Self {
        let mut tokens: HashMap<String, Vec<u64>> = HashMap::new();
        let mut apps = BTreeMap::new();
        let directory = Arc::new(Directory::new(world.directory()));
        for mut definition in world.apps() {
            settings::complete(&mut definition);
            for token in &definition.api_tokens {
                tokens.entry(token.clone()).or_default().push(definition.id);
            }
            let shared = (Arc::clone(world), Arc::clone(&directory));
            apps.insert(
                definition.id,
                App::new(definition, FIRST_REVISION, shared, unknowns.token_zone.zone()),
            );
        }
        let last_app = apps.keys().next_back().copied().unwrap_or(0);
        Self {
            apps,
            directory,
            tokens,
            unknowns,
            search: Search::default(),
            uploads: Uploads::default(),
            previews: BTreeMap::new(),
            deploys: Deploys::new(deploy_time),
            last_app,
            world: Arc::clone(world),
        }
    }

    /// An app as a preview has it.
    pub(super) fn make(&self, definition: AppDefinition, revision: u64) -> App {
        let shared = (Arc::clone(&self.world), Arc::clone(&self.directory));
        App::new(definition, revision, shared, self.unknowns.token_zone.zone())
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

fn load(calculator: Calculator<'_>, records: Vec<Record>) -> Records {
    let fields = calculator.schema.fields.iter();
    let fields: Vec<&Field> = fields.filter(|field| matches!(field.place, Place::Cell(_))).collect();
    let mut texts = Texts::default();
    let mut last_row = 0;
    let all: Vec<Arc<Stored>> = records
        .into_iter()
        .map(|record| {
            let computed = computed(&record.cells);
            let mut cells = record.cells.into_iter();
            let cells = fields
                .iter()
                .map(|field| typed(field, cells.next().unwrap_or(Cell::Empty), &mut texts, &mut last_row))
                .collect();
            let mut stored = Stored {
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
            };
            if !computed.is_empty() {
                calculator.compute(&mut stored, |place, row| computed.contains(&(place, row)));
            }
            Arc::new(stored)
        })
        .collect();
    Records::new(all, last_row)
}

/// Where a record's values are to be worked out: cells, and columns with the number of their row.
fn computed(cells: &[Cell]) -> HashSet<(Place, Option<usize>)> {
    let mut out = HashSet::new();
    for (index, cell) in cells.iter().enumerate() {
        match cell {
            Cell::Computed => drop(out.insert((Place::Cell(index), None))),
            Cell::Rows(rows) => {
                for (number, row) in rows.iter().enumerate() {
                    let columns = row.cells.iter().enumerate().filter(|(_, cell)| **cell == Cell::Computed);
                    out.extend(columns.map(|(column, _)| (Place::Column(index, column), Some(number))));
                }
            }
            _ => {}
        }
    }
    out
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
        Cell::Empty | Cell::Computed => Value::Empty,
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
