//! Types of PostgreSQL's catalog that no column of a user has: `regclass`, `xid`, `aclitem` ...

use arrow::datatypes::DataType;

/// A type that is shown to clients as itself, and is a number or a text to everything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CatalogType {
    /// Its name in `pg_type`, which is its mark.
    pub name: &'static str,
    /// Its oid.
    pub oid: u32,
    /// The oid of its array; 0 where there is none.
    pub array: u32,
    /// What a value is.
    pub form: CatalogForm,
}

/// What a value of a catalog type is in a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CatalogForm {
    /// A text.
    Text,
    /// A number of four bytes.
    Number,
    /// An oid and the name that it is shown as: a struct of both, in this order.
    Named,
}

const fn of(name: &'static str, oid: u32, array: u32, form: CatalogForm) -> CatalogType {
    CatalogType { name, oid, array, form }
}

/// The types, from `pg_type.dat` of PostgreSQL.
const TYPES: &[CatalogType] = &[
    of("aclitem", 1033, 1034, CatalogForm::Text),
    of("anyarray", 2277, 0, CatalogForm::Text),
    of("inet", 869, 1041, CatalogForm::Text),
    of("pg_dependencies", 3402, 0, CatalogForm::Text),
    of("pg_lsn", 3220, 3221, CatalogForm::Text),
    of("pg_mcv_list", 5017, 0, CatalogForm::Text),
    of("pg_ndistinct", 3361, 0, CatalogForm::Text),
    of("pg_node_tree", 194, 0, CatalogForm::Text),
    of("regclass", 2205, 2210, CatalogForm::Named),
    of("regcollation", 4191, 4192, CatalogForm::Named),
    of("regnamespace", 4089, 4090, CatalogForm::Named),
    of("regoper", 2203, 2208, CatalogForm::Named),
    of("regproc", 24, 1008, CatalogForm::Named),
    of("regprocedure", 2202, 2207, CatalogForm::Named),
    of("regrole", 4096, 4097, CatalogForm::Named),
    of("regtype", 2206, 2211, CatalogForm::Named),
    of("void", 2278, 0, CatalogForm::Text),
    of("xid", 28, 1011, CatalogForm::Number),
];

impl CatalogType {
    /// The type of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        TYPES.iter().find(|known| known.name == name).copied()
    }

    /// Whether values in this Arrow type can be such.
    pub(super) fn fits(self, data_type: &DataType) -> bool {
        match self.form {
            CatalogForm::Text => *data_type == DataType::Utf8,
            CatalogForm::Number => *data_type == DataType::Int64,
            CatalogForm::Named => matches!(data_type, DataType::Struct(fields) if fields.len() == 2),
        }
    }
}
