//! Random apps: which fields there are, how they are set, and what is in their records.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::dice::Dice;
use super::pool;

/// What a column's literals and predicates look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Id,
    Text,
    Number,
    Date,
    Time,
    Instant,
    Choice,
    Choices,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub code: String,
    kind: &'static str,
    pub sort: Sort,
    /// What its cells hold.
    values: Vec<String>,
    /// What it is compared with.
    pub literals: Vec<String>,
    required: bool,
    unique: bool,
}

impl Column {
    /// Whether Kintone can be asked little or nothing about it: drawn less often.
    pub(super) fn is_seldom_pushed(&self) -> bool {
        let local = ["MULTI_LINE_TEXT", "RICH_TEXT", "CREATOR", "STATUS", "USER_SELECT", "GROUP_SELECT"];
        local.contains(&self.kind) || self.kind == "ORGANIZATION_SELECT"
    }

    /// Whether the order of its values is Kintone's.
    pub(super) fn has_order(&self) -> bool {
        matches!(self.sort, Sort::Id | Sort::Date | Sort::Instant) || self.kind == "NUMBER"
    }

    /// `$id`, `RowIndex`.
    fn integer(code: &str) -> Arc<Self> {
        Arc::new(Self {
            code: code.into(),
            kind: "",
            sort: Sort::Id,
            values: vec![],
            literals: vec![],
            required: false,
            unique: false,
        })
    }
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Empty,
    One(String),
    Many(Vec<String>),
}

/// A record, its cells in the order of the form's columns.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub cells: Vec<Cell>,
    pub rows: Vec<Vec<Cell>>,
}

/// An app with its records.
#[derive(Debug, Clone)]
pub(super) struct App {
    pub id: u64,
    pub columns: Vec<Arc<Column>>,
    /// Of the table field.
    pub row_columns: Vec<Arc<Column>>,
    digits: (u8, u8),
    pub records: Vec<Record>,
}

/// The code of the table field.
const TABLE: &str = "rows";

/// Type in Kintone, sort.
const KINDS: &[(&str, Sort)] = &[
    ("SINGLE_LINE_TEXT", Sort::Text),
    ("LINK", Sort::Text),
    ("MULTI_LINE_TEXT", Sort::Text),
    ("NUMBER", Sort::Number),
    ("NUMBER", Sort::Number),
    ("DATE", Sort::Date),
    ("TIME", Sort::Time),
    ("DATETIME", Sort::Instant),
    ("RADIO_BUTTON", Sort::Choice),
    ("DROP_DOWN", Sort::Choice),
    ("CHECK_BOX", Sort::Choices),
    ("MULTI_SELECT", Sort::Choices),
    ("USER_SELECT", Sort::Choices),
    ("GROUP_SELECT", Sort::Choices),
    ("ORGANIZATION_SELECT", Sort::Choices),
    // From here on not within a table field.
    ("RICH_TEXT", Sort::Text),
    ("CALC", Sort::Number),
    ("CREATED_TIME", Sort::Instant),
    ("UPDATED_TIME", Sort::Instant),
    ("CREATOR", Sort::Text),
    ("STATUS", Sort::Text),
];
const IN_TABLES: usize = 15;

/// Digits, and how many of them after the point.
const PRECISIONS: &[(u8, u8)] = &[(30, 10), (30, 4), (16, 4), (30, 0)];

/// What the numbers of an app may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    Decimals,
    /// Only what a double is too.
    Doubles,
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Whether an app of this precision can hold the number.
fn fits(number: &str, (digits, places): (u8, u8)) -> bool {
    let (whole, part) = number.trim_start_matches('-').split_once('.').unwrap_or((number, ""));
    let whole = whole.trim_start_matches(['-', '0']).len();
    whole <= usize::from(digits - places) && part.len() <= usize::from(places)
}

fn column(
    dice: &mut Dice,
    (kind, sort): (&'static str, Sort),
    code: String,
    (digits, numbers): ((u8, u8), Numbers),
) -> Column {
    let plain: &[&str] = match (sort, kind) {
        (_, "STATUS") => pool::STATES,
        (_, "CREATOR" | "USER_SELECT") => pool::USERS,
        (_, "GROUP_SELECT") => pool::GROUPS,
        (_, "ORGANIZATION_SELECT") => pool::ORGANIZATIONS,
        (Sort::Id, _) => &[],
        (Sort::Text, _) => pool::TEXTS,
        (Sort::Number, _) if numbers == Numbers::Doubles => pool::DOUBLES,
        (Sort::Number, _) => pool::NUMBERS,
        (Sort::Date, _) => pool::DATES,
        (Sort::Time, _) => pool::TIMES,
        (Sort::Instant, _) => pool::INSTANTS,
        (Sort::Choice | Sort::Choices, _) => pool::OPTIONS,
    };
    let mut values = owned(plain);
    let mut literals = values.clone();
    if sort == Sort::Number {
        values.retain(|number| fits(number, digits));
    }
    if matches!(sort, Sort::Choice | Sort::Choices) {
        literals.extend(owned(pool::NO_OPTIONS));
        if plain == pool::OPTIONS {
            dice.shuffle(&mut values);
            values.truncate(2 + dice.below(4));
        }
    }
    let unique =
        matches!(kind, "SINGLE_LINE_TEXT" | "LINK" | "NUMBER" | "DATE" | "DATETIME") && dice.one_in(6);
    Column { code, kind, sort, values, literals, required: dice.one_in(5), unique }
}

impl App {
    pub(super) fn random(dice: &mut Dice, id: u64, numbers: Numbers) -> Self {
        let digits = dice.pick(PRECISIONS);
        let mut codes = owned(pool::CODES);
        dice.shuffle(&mut codes);
        let mut columns = |kinds: &[(&'static str, Sort)], prefix: &str, dice: &mut Dice| {
            let mut columns: Vec<Arc<Column>> = vec![];
            for (place, kind) in kinds.iter().enumerate() {
                if dice.one_in(4) {
                    continue;
                }
                let plain = || format!("{prefix}{}{place}", kind.0.to_lowercase());
                let odd = if dice.one_in(8) { codes.pop() } else { None };
                columns.push(Arc::new(column(dice, *kind, odd.unwrap_or_else(plain), (digits, numbers))));
            }
            columns
        };
        let (own, row_columns) = (columns(KINDS, "", dice), columns(&KINDS[..IN_TABLES], "r_", dice));
        let mut app = Self { id, columns: own, row_columns, digits, records: vec![] };
        let records = if dice.one_in(8) { dice.below(2) } else { 4 + dice.below(9) };
        let mut used: Vec<(usize, String)> = vec![];
        for _ in 0..records {
            let cells = app.columns.iter().enumerate().map(|(place, column)| {
                let cell = cell(dice, column);
                match &cell {
                    Cell::One(value) if column.unique => {
                        let key = (place, distinct(column, value));
                        if used.contains(&key) {
                            return Cell::Empty;
                        }
                        used.push(key);
                        cell
                    }
                    _ => cell,
                }
            });
            let cells = cells.collect();
            let rows = if app.row_columns.is_empty() { 0 } else { dice.weighted(&[2, 3, 2, 1]) };
            let rows = (0..rows).map(|_| app.row_columns.iter().map(|c| cell(dice, c)).collect()).collect();
            app.records.push(Record { cells, rows });
        }
        app
    }

    /// Without the fields that hold lists.
    pub(super) fn drop_lists(&mut self) {
        let kept = |columns: &[Arc<Column>], cells: &mut Vec<Cell>| {
            let mut columns = columns.iter();
            cells.retain(|_| columns.next().is_some_and(|column| column.sort != Sort::Choices));
        };
        for record in &mut self.records {
            kept(&self.columns, &mut record.cells);
            record.rows.iter_mut().for_each(|row| kept(&self.row_columns, row));
        }
        for columns in [&mut self.columns, &mut self.row_columns] {
            columns.retain(|column| column.sort != Sort::Choices);
        }
    }

    /// The name of the table of its records.
    pub(super) fn table(&self) -> String {
        format!("T{}", self.id)
    }

    /// The name of the table of its rows.
    pub(super) fn row_table(&self) -> String {
        format!("T{}_{TABLE}", self.id)
    }

    /// The columns of the table of its records.
    pub(super) fn record_columns(&self) -> Vec<Arc<Column>> {
        [Column::integer("$id")].into_iter().chain(self.columns.iter().cloned()).collect()
    }

    /// The columns of the table of its rows.
    pub(super) fn all_row_columns(&self) -> Vec<Arc<Column>> {
        let added = [Column::integer("$id"), Column::integer("RowIndex")];
        added.into_iter().chain(self.row_columns.iter().chain(&self.columns).cloned()).collect()
    }

    /// As the emulator takes it.
    fn json(&self) -> Value {
        let mut properties = properties(&self.columns);
        if !self.row_columns.is_empty() {
            let fields = self::properties(&self.row_columns);
            properties.insert(TABLE.into(), json!({"type": "SUBTABLE", "fields": fields}));
        }
        let records: Vec<Value> = self.records.iter().map(|record| self.record(record)).collect();
        let nobody = json!({"type": "ONE", "entities": []});
        let states = pool::STATES.iter().enumerate().map(|(index, name)| {
            ((*name).to_owned(), json!({"name": name, "index": index.to_string(), "assignee": nobody}))
        });
        let (digits, places) = self.digits;
        json!({
            "app": {"appId": self.id, "code": self.table()},
            "settings": {"numberPrecision": {
                "digits": digits.to_string(), "decimalPlaces": places.to_string(), "roundingMode": "HALF_EVEN"
            }},
            "form": {"properties": properties},
            "status": {"enable": true, "states": states.collect::<Map<_, _>>(), "actions": []},
            "records": records
        })
    }

    /// A record as the emulator takes it.
    pub(super) fn record(&self, record: &Record) -> Value {
        let mut all = cells(&self.columns, &record.cells);
        if !self.row_columns.is_empty() {
            let rows = record.rows.iter().map(|row| json!({"value": cells(&self.row_columns, row)}));
            all.insert(TABLE.into(), json!({"value": rows.collect::<Vec<_>>()}));
        }
        Value::Object(all)
    }
}

/// Values that are one to Kintone have one text.
fn distinct(column: &Column, value: &str) -> String {
    match column.sort {
        Sort::Number => {
            let value =
                if value.contains('.') { value.trim_end_matches('0').trim_end_matches('.') } else { value };
            let sign = if value.starts_with('-') { "-" } else { "" };
            let digits = value.trim_start_matches(['-', '0']);
            if digits.is_empty() { String::new() } else { format!("{sign}{digits}") }
        }
        _ => value.to_owned(),
    }
}

/// Empty one time in four, where that can be.
fn cell(dice: &mut Dice, column: &Column) -> Cell {
    if column.sort == Sort::Choices {
        let mut chosen: Vec<String> = column.values.iter().filter(|_| dice.one_in(3)).cloned().collect();
        chosen.truncate(3);
        return Cell::Many(chosen);
    }
    let always = matches!(column.kind, "CREATED_TIME" | "UPDATED_TIME" | "CREATOR" | "STATUS");
    if !always && dice.one_in(4) {
        return Cell::Empty;
    }
    Cell::One(dice.pick(&column.values))
}

fn properties(columns: &[Arc<Column>]) -> Map<String, Value> {
    let property = |column: &Arc<Column>| {
        let mut property = json!({"type": column.kind});
        if ["RADIO_BUTTON", "DROP_DOWN", "CHECK_BOX", "MULTI_SELECT"].contains(&column.kind) {
            property["options"] = json!(column.values);
        }
        if column.kind == "CALC" {
            property["format"] = json!("NUMBER");
        }
        if column.kind == "STATUS" {
            property["enabled"] = json!(true);
        }
        if column.required {
            property["required"] = json!(true);
        }
        if column.unique {
            property["unique"] = json!(true);
        }
        (column.code.clone(), property)
    };
    columns.iter().map(property).collect()
}

fn cells(columns: &[Arc<Column>], cells: &[Cell]) -> Map<String, Value> {
    let value = |(column, cell): (&Arc<Column>, &Cell)| {
        let value = match (cell, column.kind) {
            (Cell::Empty, _) => json!(""),
            (Cell::One(code), "CREATOR") => json!({"code": code}),
            (Cell::One(instant), "CREATED_TIME" | "UPDATED_TIME" | "DATETIME") => {
                json!(format!("{}:00Z", instant.replace(' ', "T")))
            }
            (Cell::One(value), _) => json!(value),
            (Cell::Many(codes), "USER_SELECT" | "GROUP_SELECT" | "ORGANIZATION_SELECT") => {
                json!(codes.iter().map(|code| json!({"code": code})).collect::<Vec<_>>())
            }
            (Cell::Many(values), _) => json!(values),
        };
        (column.code.clone(), json!({"value": value}))
    };
    columns.iter().zip(cells).map(value).collect()
}

/// A Kintone of these apps.
pub(super) fn fixture(apps: &[App]) -> Value {
    let people = |codes: &[&str]| codes.iter().map(|code| json!({"code": code})).collect::<Vec<_>>();
    let mut users = people(pool::USERS);
    users[0]["password"] = json!("demo");
    json!({
        "users": users,
        "groups": people(pool::GROUPS),
        "organizations": people(pool::ORGANIZATIONS),
        "apps": apps.iter().map(App::json).collect::<Vec<_>>()
    })
}
