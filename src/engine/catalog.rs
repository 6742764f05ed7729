//! What there is: tables, columns, keys, as every door shows them.

use super::SqlType;

/// What a table is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableKind {
    /// An app.
    App,
    /// A table field of an app, as a table of its own.
    Subtable,
    /// A table about the connection: `Apps`, `Comments`, `Requests` ...
    System,
    /// A saved list view of an app, or a query that the administrator named.
    View,
    /// A file that the administrator added.
    Local,
}

/// A table as a client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableInfo {
    /// The connection's schema.
    pub schema: String,
    /// The name in SQL, exactly.
    pub name: String,
    /// What it is.
    pub kind: TableKind,
    /// The app it comes from.
    pub app_id: Option<u64>,
    /// Kintone's own name of it.
    pub label: String,
    /// What Kintone's users wrote about it, plain text.
    pub description: String,
    /// In the order of `SELECT *`.
    pub columns: Vec<ColumnInfo>,
    /// Names of the columns of the primary key; empty where there is none.
    pub primary_key: Vec<String>,
    /// To other tables.
    pub foreign_keys: Vec<ForeignKey>,
}

/// A column as a client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnInfo {
    /// The name in SQL: the field code, exactly.
    pub name: String,
    /// The field's label in Kintone.
    pub label: String,
    /// Its type in SQL.
    pub sql_type: SqlType,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// No two records share a value.
    pub unique: bool,
    /// The field's type in Kintone, such as `DROP_DOWN`; empty in system tables.
    pub kintone_type: String,
    /// The options of a choice field, in the form's order.
    pub options: Vec<String>,
}

/// A reference to another table: a lookup, or a row of a table field to its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// The columns here.
    pub columns: Vec<String>,
    /// The table there, of the same schema.
    pub table: String,
    /// The columns there.
    pub referenced: Vec<String>,
}
