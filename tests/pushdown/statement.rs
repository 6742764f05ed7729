//! Random statements over the tables of some apps.

use std::sync::Arc;

use super::dice::Dice;
use super::form::{App, Column, Sort};
use super::predicate::{Dialect, Predicate};

/// A table, as statements name it.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub name: String,
    /// The keys come first: `$id`, and `RowIndex` of a table of rows.
    pub columns: Vec<Arc<Column>>,
    /// How many columns are the key.
    key: usize,
}

impl Table {
    pub(super) fn of_records(app: &App) -> Self {
        Self { name: app.table(), columns: app.record_columns(), key: 1 }
    }

    pub(super) fn of_rows(app: &App) -> Self {
        Self { name: app.row_table(), columns: app.all_row_columns(), key: 2 }
    }

    fn random(dice: &mut Dice, apps: &[App]) -> Self {
        let app = &apps[dice.below(apps.len())];
        if !app.row_columns.is_empty() && dice.one_in(5) { Self::of_rows(app) } else { Self::of_records(app) }
    }

    fn of(&self, sorts: &[Sort]) -> Vec<Arc<Column>> {
        self.columns.iter().filter(|column| sorts.contains(&column.sort)).cloned().collect()
    }
}

/// A key of ORDER BY.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub column: Arc<Column>,
    descending: bool,
    /// As written; without it NULL counts as the greatest.
    nulls_first: Option<bool>,
}

impl Key {
    fn random(dice: &mut Dice, column: &Arc<Column>) -> Self {
        let nulls_first = if dice.coin() { None } else { Some(dice.coin()) };
        Self { column: Arc::clone(column), descending: dice.coin(), nulls_first }
    }

    fn sql(&self, dialect: Dialect) -> String {
        let first = match dialect {
            Dialect::Postgres => self.nulls_first,
            Dialect::Sqlite => Some(self.nulls_first.unwrap_or(self.descending)),
        };
        let direction = if self.descending { " DESC" } else { "" };
        let nulls = first.map_or("", |first| if first { " NULLS FIRST" } else { " NULLS LAST" });
        format!("\"{}\"{direction}{nulls}", self.column.code)
    }
}

/// How two tables meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meeting {
    Inner,
    Left,
    In,
    NotIn,
    Exists,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(super) enum Query {
    /// Columns (none: all), order, rows and how many of the first are skipped. The order names the key.
    Rows {
        columns: Vec<Arc<Column>>,
        order: Vec<Key>,
        limit: Option<(usize, usize)>,
    },
    Count,
    /// A group, functions, and whether rows are counted.
    Aggregates {
        group: Option<Arc<Column>>,
        items: Vec<(&'static str, Arc<Column>)>,
        counted: bool,
    },
    Distinct(Arc<Column>),
    Join {
        how: Meeting,
        right: Table,
        on: (Arc<Column>, Arc<Column>),
        right_filter: Option<Predicate>,
    },
}

/// What is promised of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Promise {
    Ordered,
    AnyOrder,
    /// So many of the rows that there are without the limit, less those skipped.
    SomeOf(usize, usize),
}

/// A statement.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub table: Table,
    pub filter: Option<Predicate>,
    pub query: Query,
}

impl Statement {
    /// One that `rule` alone can do something for, where it is known how; else any.
    pub(super) fn random(dice: &mut Dice, apps: &[App], rule: &str) -> Self {
        let records = |dice: &mut Dice| Table::of_records(&apps[dice.below(apps.len())]);
        let mut table = match rule {
            "top_k" | "count" | "min_max" | "group" => records(dice),
            _ => Table::random(dice, apps),
        };
        let query = match rule {
            "limit" => Self::rows(dice, &table, 3),
            "top_k" => Self::rows(dice, &table, 5),
            "count" => Query::Count,
            "min_max" => Self::extremes(dice, &table, false),
            "group" => loop {
                if let Some(group) = Self::groups(dice, &table) {
                    break group;
                }
                if apps.iter().all(|app| Table::of_records(app).of(&[Sort::Choice]).is_empty()) {
                    break Query::Count;
                }
                table = records(dice);
            },
            "join" => Self::join(dice, &table, apps),
            _ => Self::any(dice, &table, apps),
        };
        let alone = ["limit", "top_k", "count", "min_max", "group"].contains(&rule);
        let filtered = if alone { dice.one_in(10) } else { !dice.one_in(15) };
        let filter = filtered.then(|| Predicate::random(dice, &table.columns));
        Self { table, filter, query }
    }

    fn any(dice: &mut Dice, table: &Table, apps: &[App]) -> Query {
        let tail = dice.weighted(&[4, 3, 2, 2, 4]);
        match dice.weighted(&[10, 2, 2, 2, 2, 2, 2]) {
            0 => Self::rows(dice, table, tail),
            1 => Query::Count,
            2 => Self::sums(dice, table),
            3 => {
                let counted = dice.coin();
                Self::extremes(dice, table, counted)
            }
            4 => Self::groups(dice, table).unwrap_or(Query::Count),
            5 => Query::Distinct(dice.pick(&table.of(&[Sort::Id, Sort::Text, Sort::Choice, Sort::Date]))),
            _ => Self::join(dice, table, apps),
        }
    }

    /// `tail`: none, by the key, the first by the key, some or by the key ascending, the first of an order, or of one
    /// that is Kintone's too.
    fn rows(dice: &mut Dice, table: &Table, tail: usize) -> Query {
        let columns = match dice.below(3) {
            0 => vec![],
            1 => vec![Arc::clone(&table.columns[0])],
            _ => (0..1 + dice.below(3)).map(|_| dice.pick(&table.columns)).collect(),
        };
        let keys = |dice: &mut Dice| {
            let down = tail != 3 && dice.one_in(3);
            let key = |column: &Arc<Column>| Key {
                column: Arc::clone(column),
                descending: down,
                nulls_first: None,
            };
            table.columns[..table.key].iter().map(key).collect::<Vec<_>>()
        };
        let limit = Some((dice.below(6), if dice.coin() { 0 } else { dice.below(3) }));
        let (order, limit) = match tail {
            0 => (vec![], None),
            1 => (keys(dice), None),
            2 => (keys(dice), limit),
            3 => (if dice.coin() { keys(dice) } else { vec![] }, limit),
            _ => {
                let mut all =
                    table.of(&[Sort::Text, Sort::Number, Sort::Date, Sort::Time, Sort::Instant, Sort::Id]);
                if tail == 5 {
                    all.retain(|column| column.has_order());
                }
                let key = |dice: &mut Dice| {
                    let column = dice.pick(&all);
                    Key::random(dice, &column)
                };
                let mut order: Vec<Key> = (0..1 + dice.below(2)).map(|_| key(dice)).collect();
                order.extend(keys(dice));
                order.dedup_by(|b, a| a.column.code == b.column.code);
                (order, limit)
            }
        };
        Query::Rows { columns, order, limit }
    }

    fn sums(dice: &mut Dice, table: &Table) -> Query {
        let group = dice.pick(&table.of(&[Sort::Choice, Sort::Date, Sort::Id]));
        let mut items = vec![];
        for (function, sorts) in
            [("sum", &[Sort::Number][..]), ("min", &[Sort::Date]), ("max", &[Sort::Text])]
        {
            if let Some(column) = Some(table.of(sorts)).filter(|all| !all.is_empty()) {
                items.push((function, dice.pick(&column)));
            }
        }
        Query::Aggregates { group: Some(group), items, counted: true }
    }

    fn extremes(dice: &mut Dice, table: &Table, counted: bool) -> Query {
        let mut columns =
            table.of(&[Sort::Number, Sort::Date, Sort::Instant, Sort::Id, Sort::Text, Sort::Time]);
        if !dice.one_in(5) {
            columns.retain(|column| column.has_order());
        }
        let item = |dice: &mut Dice| {
            let function = if dice.coin() { "min" } else { "max" };
            (function, dice.pick(&columns))
        };
        let items = (0..1 + dice.below(2)).map(|_| item(dice)).collect();
        Query::Aggregates { group: None, items, counted }
    }

    fn groups(dice: &mut Dice, table: &Table) -> Option<Query> {
        let choices = table.of(&[Sort::Choice]);
        if choices.is_empty() {
            return None;
        }
        let choice = dice.pick(&choices);
        let distinct = dice.one_in(3);
        Some(if distinct {
            Query::Distinct(choice)
        } else {
            Query::Aggregates { group: Some(choice), items: vec![], counted: true }
        })
    }

    fn join(dice: &mut Dice, table: &Table, apps: &[App]) -> Query {
        let right = Table::random(dice, apps);
        let how = dice.pick(&[
            Meeting::Inner,
            Meeting::Inner,
            Meeting::Inner,
            Meeting::Left,
            Meeting::In,
            Meeting::NotIn,
            Meeting::Exists,
        ]);
        let kin = |a: Sort, b: Sort| {
            let one = |sort| match sort {
                Sort::Choice => Sort::Text,
                Sort::Number => Sort::Id,
                other => other,
            };
            a != Sort::Choices && one(a) == one(b)
        };
        let mut pairs = vec![];
        for a in &table.columns {
            for b in right.columns.iter().filter(|b| kin(a.sort, b.sort)) {
                pairs.push((Arc::clone(a), Arc::clone(b)));
            }
        }
        let on = dice.pick(&pairs);
        let right_filter = dice.coin().then(|| Predicate::random(dice, &right.columns));
        Query::Join { how, right, on, right_filter }
    }

    /// What is promised of its rows.
    pub(super) fn promise(&self) -> Promise {
        match &self.query {
            Query::Rows { order, limit: Some((rows, skipped)), .. } if order.is_empty() => {
                Promise::SomeOf(*rows, *skipped)
            }
            Query::Rows { order, .. } if order.is_empty() => Promise::AnyOrder,
            Query::Rows { .. } | Query::Count | Query::Aggregates { group: None, .. } => Promise::Ordered,
            Query::Aggregates { .. } | Query::Distinct(_) | Query::Join { .. } => Promise::AnyOrder,
        }
    }

    /// Without a limit that may choose: then all rows that there are.
    pub(super) fn without_open_limit(&self) -> Self {
        let mut all = self.clone();
        if let (Promise::SomeOf(..), Query::Rows { limit, .. }) = (self.promise(), &mut all.query) {
            *limit = None;
        }
        all
    }

    pub(super) fn sql(&self, dialect: Dialect) -> String {
        let name = |column: &Column| format!("\"{}\"", column.code);
        let table = &self.table.name;
        let condition = |alias: &str| self.filter.as_ref().map(|filter| filter.sql(alias, dialect));
        let filter = condition("").map_or_else(String::new, |filter| format!(" WHERE {filter}"));
        match &self.query {
            Query::Rows { columns, order, limit } => {
                let columns: Vec<_> = columns.iter().map(|column| name(column)).collect();
                let columns = if columns.is_empty() { "*".into() } else { columns.join(", ") };
                let order: Vec<_> = order.iter().map(|key| key.sql(dialect)).collect();
                let order =
                    if order.is_empty() { String::new() } else { format!(" ORDER BY {}", order.join(", ")) };
                let limit =
                    limit.map_or_else(String::new, |(rows, skip)| format!(" LIMIT {rows} OFFSET {skip}"));
                format!("SELECT {columns} FROM \"{table}\"{filter}{order}{limit}")
            }
            Query::Count => format!("SELECT count(*) FROM \"{table}\"{filter}"),
            Query::Aggregates { group, items, counted } => {
                let own = group.iter().map(|column| name(column));
                let items = items.iter().map(|(function, column)| format!("{function}({})", name(column)));
                let all: Vec<_> = own.chain(items).chain(counted.then(|| "count(*)".into())).collect();
                let group =
                    group.as_ref().map_or_else(String::new, |column| format!(" GROUP BY {}", name(column)));
                format!("SELECT {} FROM \"{table}\"{filter}{group}", all.join(", "))
            }
            Query::Distinct(column) => format!("SELECT DISTINCT {} FROM \"{table}\"{filter}", name(column)),
            Query::Join { how, right, on: (left_key, right_key), right_filter } => {
                let (a, b) = (name(left_key), name(right_key));
                let of_right = right_filter.as_ref().map(|filter| filter.sql("b.", dialect));
                let all = |parts: Vec<Option<String>>| {
                    let parts: Vec<_> = parts.into_iter().flatten().collect();
                    if parts.is_empty() { String::new() } else { format!(" WHERE {}", parts.join(" AND ")) }
                };
                let (left, right) = (format!("\"{table}\" a"), format!("\"{}\" b", right.name));
                let pairs = format!("SELECT a.\"$id\", a.{a}, b.\"$id\" FROM {left}");
                let own = format!("SELECT a.\"$id\", a.{a} FROM {left}");
                let keys = |of_right| format!("SELECT b.{b} FROM {right}{}", all(vec![of_right]));
                let with = |test: String| format!("{own}{}", all(vec![condition("a."), Some(test)]));
                match how {
                    Meeting::Inner => {
                        format!(
                            "{pairs} JOIN {right} ON a.{a} = b.{b}{}",
                            all(vec![condition("a."), of_right])
                        )
                    }
                    Meeting::Left => format!(
                        "{pairs} LEFT JOIN {right} ON a.{a} = b.{b}{}{}",
                        of_right.map_or_else(String::new, |filter| format!(" AND {filter}")),
                        all(vec![condition("a.")])
                    ),
                    Meeting::In => with(format!("a.{a} IN ({})", keys(of_right))),
                    Meeting::NotIn => with(format!("a.{a} NOT IN ({})", keys(of_right))),
                    Meeting::Exists => with(format!(
                        "EXISTS (SELECT 1 FROM {right}{})",
                        all(vec![Some(format!("b.{b} = a.{a}")), of_right])
                    )),
                }
            }
        }
    }

    /// Its predicates.
    pub(super) fn predicates(&self) -> Vec<&Predicate> {
        let right = match &self.query {
            Query::Join { right_filter, .. } => right_filter.as_ref(),
            _ => None,
        };
        self.filter.iter().chain(right).collect()
    }

    /// What to try in its place where something is wrong with it.
    pub(super) fn smaller(&self) -> Vec<Self> {
        let mut out = vec![];
        if let Some(filter) = &self.filter {
            out.push(Self { filter: None, ..self.clone() });
            out.extend(filter.smaller().into_iter().map(|part| Self { filter: Some(part), ..self.clone() }));
        }
        let mut with = |query| out.push(Self { query, ..self.clone() });
        match &self.query {
            Query::Rows { columns, order, limit } => {
                if columns.len() != 1 {
                    let columns = vec![Arc::clone(&self.table.columns[0])];
                    with(Query::Rows { columns, order: order.clone(), limit: *limit });
                }
                for at in 0..order.len().saturating_sub(self.table.key) {
                    let mut order = order.clone();
                    order.remove(at);
                    with(Query::Rows { columns: columns.clone(), order, limit: *limit });
                }
                if limit.is_some() {
                    with(Query::Rows { columns: columns.clone(), order: order.clone(), limit: None });
                }
            }
            Query::Aggregates { group, items, counted } => {
                for at in 0..items.len() {
                    if items.len() == 1 && !counted {
                        continue;
                    }
                    let mut items = items.clone();
                    items.remove(at);
                    with(Query::Aggregates { group: group.clone(), items, counted: *counted });
                }
            }
            Query::Join { how, right, on, right_filter: Some(filter) } => {
                let parts = filter.smaller().into_iter().map(Some).chain([None]);
                for right_filter in parts {
                    with(Query::Join { how: *how, right: right.clone(), on: on.clone(), right_filter });
                }
            }
            Query::Count | Query::Distinct(_) | Query::Join { .. } => {}
        }
        out
    }
}
