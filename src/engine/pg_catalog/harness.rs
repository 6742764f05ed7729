//! Runs SQL over the catalog of three made-up tables, as a session of the engine does. For tests only.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::DataType;
use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider, SchemaProvider};
use datafusion::common::{ParamValues, ScalarValue};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::FunctionRegistry;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast;
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;

use super::{Catalog, CatalogSource, Value, schemas};
use crate::engine::{ColumnInfo, ForeignKey, SqlType, TableInfo, TableKind, dialect, function, names};

/// `customers`, `orders` with a reference to it, a view of it.
#[derive(Debug)]
struct Fake;

#[async_trait]
impl CatalogSource for Fake {
    fn schemas(&self) -> Vec<String> {
        vec!["public".into(), "guest".into()]
    }

    async fn tables(&self, schema: &str) -> crate::error::Result<Vec<Arc<TableInfo>>> {
        if schema != "public" {
            return Ok(vec![]);
        }
        let customers = [
            ("$id", SqlType::Int8),
            ("$revision", SqlType::Int8),
            ("company", SqlType::Text),
            ("Amount", SqlType::Numeric),
            ("tags", SqlType::Array(Box::new(SqlType::Text))),
            ("updated", SqlType::TimestampTz),
        ];
        let orders = [("$id", SqlType::Int8), ("company", SqlType::Text), ("quantity", SqlType::Numeric)];
        let reference = ForeignKey {
            columns: vec!["company".into()],
            table: "customers".into(),
            referenced: vec!["company".into()],
        };
        Ok(vec![
            table("active_customers", TableKind::View, &customers, vec![]),
            table("customers", TableKind::App, &customers, vec![]),
            table("Orders", TableKind::App, &orders, vec![reference]),
        ])
    }

    fn users(&self) -> Vec<String> {
        vec!["admin".into(), "sato".into()]
    }

    fn database(&self) -> String {
        "kintone".into()
    }

    fn current_user(&self) -> String {
        "sato".into()
    }

    fn settings(&self) -> Vec<(String, String)> {
        vec![("TimeZone".into(), "UTC".into()), ("search_path".into(), "\"$user\", public".into())]
    }
}

fn table(
    name: &str,
    kind: TableKind,
    columns: &[(&str, SqlType)],
    foreign_keys: Vec<ForeignKey>,
) -> Arc<TableInfo> {
    let is_view = kind == TableKind::View;
    let column = |(code, sql_type): &(&str, SqlType)| ColumnInfo {
        name: (*code).into(),
        label: format!("{code} of {name}"),
        sql_type: sql_type.clone(),
        nullable: *code != "$id",
        unique: !is_view && name == "customers" && *code == "company",
        kintone_type: String::new(),
        options: vec![],
    };
    Arc::new(TableInfo {
        schema: "public".into(),
        name: name.into(),
        kind,
        app_id: Some(1),
        label: format!("{name} app"),
        description: String::new(),
        columns: columns.iter().map(column).collect(),
        primary_key: if is_view { vec![] } else { vec!["$id".into()] },
        foreign_keys,
    })
}

/// A session with the catalog, and nothing else.
pub(crate) struct Harness {
    context: SessionContext,
    catalog: Arc<Catalog>,
}

/// What a statement gave.
#[derive(Debug)]
pub(crate) struct Rows {
    /// The names of the columns, as a client sees them.
    pub(crate) columns: Vec<String>,
    /// The cells as text.
    pub(crate) rows: Vec<Vec<String>>,
}

impl Harness {
    pub(crate) fn new() -> Self {
        let mut config = SessionConfig::new()
            .with_default_catalog_and_schema("kintone", "public")
            .with_target_partitions(1)
            .with_create_default_catalog_and_schema(false)
            .with_information_schema(false);
        let options = config.options_mut();
        options.sql_parser.dialect = datafusion::config::Dialect::PostgreSQL;
        options.sql_parser.enable_ident_normalization = false;
        options.sql_parser.parse_float_as_decimal = true;
        options.sql_parser.map_string_types_to_utf8view = false;
        let catalog = Catalog::new(Arc::new(Fake));
        let mut planners = dialect::expr_planners();
        planners.extend(datafusion::execution::SessionStateDefaults::default_expr_planners());
        let state = SessionStateBuilder::new()
            .with_config(config)
            .with_default_features()
            .with_expr_planners(planners)
            .build();
        let context = SessionContext::new_with_state(state);
        for function in function::scalar_functions(&catalog) {
            context.register_udf(function.as_ref().clone());
        }
        for function in function::aggregate_functions() {
            context.register_udaf(function.as_ref().clone());
        }
        let database = MemoryCatalogProvider::new();
        let public: Arc<dyn SchemaProvider> = Arc::new(MemorySchemaProvider::new());
        let named = schemas(&catalog).into_iter().chain([("public".to_owned(), public)]);
        for (name, schema) in named {
            database.register_schema(&name, schema).unwrap();
        }
        context.register_catalog("kintone", Arc::new(database));
        Self { context, catalog }
    }

    /// Runs one statement as a client sends it.
    pub(crate) async fn run(&self, sql: &str) -> Result<Rows> {
        self.run_with(sql, vec![]).await
    }

    /// Runs one statement with values for `$1`, `$2` ...
    pub(crate) async fn run_with(&self, sql: &str, parameters: Vec<ScalarValue>) -> Result<Rows> {
        let parsed = Parser::parse_sql(&PostgreSqlDialect {}, sql);
        let mut statement = parsed.map_err(|e| DataFusionError::SQL(Box::new(e), None))?.remove(0);
        if dialect::mentions_catalog(&statement) {
            self.catalog.refresh().await.map_err(|e| DataFusionError::External(Box::new(e)))?;
        }
        dialect::rewrite(&mut statement);
        if let ast::Statement::Query(query) = &mut statement {
            names::resolve(query, &known(query));
        }
        let state = self.context.state();
        let plan = state.statement_to_plan(Statement::Statement(Box::new(statement))).await?;
        let plan = dialect::complete(plan, &state as &dyn FunctionRegistry)?;
        let plan = if parameters.is_empty() {
            plan
        } else {
            plan.clone().with_param_values(ParamValues::from(typed_values(&plan, parameters)?))?
        };
        let frame = self.context.execute_logical_plan(plan).await?;
        let columns: Vec<_> = frame
            .schema()
            .fields()
            .iter()
            .map(|field| dialect::shown_name(field.name()).to_owned())
            .collect();
        let mut rows = vec![];
        for batch in frame.collect().await? {
            for i in 0..batch.num_rows() {
                let cell = |column: &arrow::array::ArrayRef| {
                    Ok(Value::of(&ScalarValue::try_from_array(column, i)?).text())
                };
                rows.push(batch.columns().iter().map(cell).collect::<Result<_>>()?);
            }
        }
        Ok(Rows { columns, rows })
    }
}

/// The columns of the catalog relations that a query names.
fn known(query: &ast::Query) -> names::KnownTables {
    let mut known = names::KnownTables::new();
    let _ = ast::visit_relations(query, |name| {
        let parts: Vec<_> =
            name.0.iter().filter_map(|part| part.as_ident()).map(|i| i.value.to_lowercase()).collect();
        let [schema, table] = parts.as_slice() else { return ControlFlow::<()>::Continue(()) };
        if let Some(found) = super::RELATIONS.iter().find(|r| r.schema == schema && r.name == table) {
            let columns = found.columns.iter().map(|column| column.name.to_owned()).collect();
            let table = names::KnownTable { schema: schema.clone(), name: table.clone(), columns };
            known.insert(names::key(name), table);
        }
        ControlFlow::Continue(())
    });
    known
}

/// Every query that real clients ask the catalog is answered, with the columns that PostgreSQL gave.
/// The file of queries is named by an environment variable; it is no part of the repository.
#[tokio::test]
async fn queries_of_real_clients_are_answered() {
    let Ok(path) = std::env::var("INTROSPECTION_CORPUS") else { return };
    let harness = Harness::new();
    let (mut asked, mut failures) = (0, vec![]);
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let query: serde_json::Value = serde_json::from_str(line).unwrap();
        let sql = query["sql"].as_str().unwrap();
        if query["catalog"] != true {
            continue;
        }
        asked += 1;
        let parameters = query["params"].as_array().into_iter().flatten().map(parameter).collect();
        let expect: Vec<_> = query["reference_columns"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|name| name.as_str())
            .collect();
        match harness.run_with(sql, parameters).await {
            Ok(rows) if rows.columns == expect => {}
            Ok(rows) => failures.push(format!("{sql}\n{expect:?}\n{:?}", rows.columns)),
            Err(error) => failures.push(format!("{sql}\n{error}")),
        }
    }
    assert!(failures.is_empty(), "{} of {asked}\n{}", failures.len(), failures.join("\n\n"));
}

/// A client's text has the type that the statement gives its parameter.
fn typed_values(plan: &LogicalPlan, parameters: Vec<ScalarValue>) -> Result<Vec<ScalarValue>> {
    let types = plan.get_parameter_types()?;
    let typed = |(i, value): (usize, ScalarValue)| match types.get(&format!("${}", i + 1)).cloned().flatten()
    {
        Some(wanted @ DataType::List(_)) => {
            let text = Value::of(&value).text();
            Value::from(dialect::array_items(&text).unwrap_or_default()).to_scalar(&wanted)
        }
        Some(wanted) => value.cast_to(&wanted),
        None => Ok(value),
    };
    parameters.into_iter().enumerate().map(typed).collect()
}

/// A parameter of the corpus: text, a number in binary, or nothing.
fn parameter(value: &serde_json::Value) -> ScalarValue {
    match (value.as_str(), value["binary"].as_str()) {
        (Some(text), _) => ScalarValue::Utf8(Some(text.to_owned())),
        (_, Some(hex)) => ScalarValue::Int64(i64::from_str_radix(hex, 16).ok()),
        _ => ScalarValue::Null,
    }
}
