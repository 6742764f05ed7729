//! Random statements as SQL.

use super::form::Column;
use super::predicate::Dialect;
use super::statement::{Key, Meeting, Query, Statement};

fn name(column: &Column) -> String {
    format!("\"{}\"", column.code)
}

/// ` WHERE a AND b`, or nothing.
fn filtered(parts: &[Option<String>]) -> String {
    let parts: Vec<_> = parts.iter().flatten().map(String::as_str).collect();
    if parts.is_empty() { String::new() } else { format!(" WHERE {}", parts.join(" AND ")) }
}

impl Key {
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

impl Statement {
    pub(super) fn sql(&self, dialect: Dialect) -> String {
        let table = &self.table.name;
        let filter = filtered(&[self.filter.as_ref().map(|filter| filter.sql("", dialect))]);
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
            Query::Join { how, right, on: (a, b), right_filter } => {
                let of_right = right_filter.as_ref().map(|filter| filter.sql("b.", dialect));
                self.meeting(*how, &right.name, (&name(a), &name(b)), of_right, dialect)
            }
        }
    }

    fn meeting(
        &self,
        how: Meeting,
        right: &str,
        (a, b): (&str, &str),
        of_right: Option<String>,
        dialect: Dialect,
    ) -> String {
        let own = self.filter.as_ref().map(|filter| filter.sql("a.", dialect));
        let (left, right) = (format!("\"{}\" a", self.table.name), format!("\"{right}\" b"));
        let pairs = format!("SELECT a.\"$id\", a.{a}, b.\"$id\" FROM {left}");
        let test = match how {
            Meeting::Inner => {
                return format!("{pairs} JOIN {right} ON a.{a} = b.{b}{}", filtered(&[own, of_right]));
            }
            Meeting::Left => {
                let and = of_right.map_or_else(String::new, |filter| format!(" AND {filter}"));
                return format!("{pairs} LEFT JOIN {right} ON a.{a} = b.{b}{and}{}", filtered(&[own]));
            }
            Meeting::In => format!("a.{a} IN (SELECT b.{b} FROM {right}{})", filtered(&[of_right])),
            Meeting::NotIn => format!("a.{a} NOT IN (SELECT b.{b} FROM {right}{})", filtered(&[of_right])),
            Meeting::Exists => {
                let same = Some(format!("b.{b} = a.{a}"));
                format!("EXISTS (SELECT 1 FROM {right}{})", filtered(&[same, of_right]))
            }
        };
        format!("SELECT a.\"$id\", a.{a} FROM {left}{}", filtered(&[own, Some(test)]))
    }
}
