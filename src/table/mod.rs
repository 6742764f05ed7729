//! A Kintone app as a table: where Arrow and DataFusion meet Kintone.
//!
//! Takes: a form, filters, a projection, a limit. Gives: a `TableProvider` whose scan sends as few requests as the
//! exact answer needs, and record batches. Absent on purpose: SQL text, sessions, names of tables, settings files.
//! Planning sends no request; only a running scan does.

mod aggregate;
mod capability;
mod catalog_type;
mod choice_group;
mod context;
mod decode;
mod error;
mod fault;
mod field;
mod grouped;
mod leaf;
mod meter;
mod native;
mod numeric_form;
mod ordered;
mod outer_side;
mod provider;
mod pushdown;
mod remembered;
mod rules;
mod scan;
mod schema;
mod system;
mod text;
mod top_k;
mod totals;
mod types;

pub use aggregate::Aggregates;
pub use capability::{Capabilities, Capability, OTHER_PREDICATES, Verdict, capabilities};
pub use catalog_type::{CatalogForm, CatalogType};
pub use choice_group::ChoiceGroups;
pub use context::{Budget, ScanContext};
pub use decode::PageReader;
pub use error::{Error, Origin};
#[doc(hidden)]
pub use fault::Fault;
pub(crate) use field::append_json as append_jsonb;
pub use field::{FormContext, field_type_names, number_scale};
pub use grouped::grouped;
pub use meter::{Cost, Stretch};
pub use native::{Marker, native_functions, refused};
pub use numeric_form::NumericForm;
pub use ordered::tables_of;
pub(crate) use outer_side::OuterSides;
pub use provider::{AppTable, ScanSettings};
pub(crate) use pushdown::FLOAT;
pub use remembered::{DAILY_REQUESTS, Remembered};
pub use rules::{Rule, Rules};
pub use scan::{AnyOrder, JoinKeys, LocalFilters, PART, TableRef};
pub use schema::{Column, Columns, Shape};
pub use system::{Directory, SystemColumn, SystemInfo, SystemTable, system_tables};
pub use text::{TextColumn, TextOptions, canonical, downcast, item_range};
pub use top_k::TopK;
pub use totals::{Counted, Totals, count_joined};
pub use types::{SQL_TYPE, SqlType};
