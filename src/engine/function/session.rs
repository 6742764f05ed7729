//! Functions about the session and the server.

use std::sync::LazyLock;

use super::scalar::Function;
use crate::engine::pg_catalog::Value;

/// What clients parse to learn which dialect and catalog to expect.
const VERSION: &str = concat!("PostgreSQL 15.0 (kintone-sql ", env!("CARGO_PKG_VERSION"), ")");

/// When the catalog was first looked at, in microseconds since 1970: the server's start, as good as.
static STARTED: LazyLock<i64> = LazyLock::new(|| chrono::Utc::now().timestamp_micros());

pub(super) const FUNCTIONS: &[Function] = &[
    Function::lenient("version", "text", |_, _| Ok(VERSION.into())),
    Function::lenient("current_database", "name", |snapshot, _| Ok(snapshot.database.as_str().into())),
    Function::lenient("current_catalog", "name", |snapshot, _| Ok(snapshot.database.as_str().into())),
    Function::lenient("current_schema", "name", |snapshot, _| {
        Ok(snapshot.named_path().first().map(|namespace| namespace.name.as_str()).into())
    }),
    Function::strict("current_schemas", "name[]", |snapshot, args| {
        let implicit = matches!(args, [Value::Bool(true)]);
        let path = if implicit { snapshot.search_path() } else { snapshot.named_path() };
        Ok(path.into_iter().map(|namespace| namespace.name.as_str()).collect::<Vec<_>>().into())
    }),
    Function::lenient("current_user", "name", |snapshot, _| Ok(snapshot.current_user.as_str().into())),
    Function::lenient("session_user", "name", |snapshot, _| Ok(snapshot.current_user.as_str().into())),
    Function::lenient("current_role", "name", |snapshot, _| Ok(snapshot.current_user.as_str().into())),
    Function::lenient("user", "name", |snapshot, _| Ok(snapshot.current_user.as_str().into())),
    Function::lenient("pg_is_in_recovery", "bool", |_, _| Ok(false.into())),
    Function::lenient("pg_is_wal_replay_paused", "bool", |_, _| Ok(false.into())),
    Function::lenient("pg_last_wal_receive_lsn", "pg_lsn", |_, _| Ok(Value::Null)),
    Function::lenient("pg_last_wal_replay_lsn", "pg_lsn", |_, _| Ok(Value::Null)),
    Function::lenient("pg_last_xact_replay_timestamp", "timestamptz", |_, _| Ok(Value::Null)),
    Function::strict("host", "text", |_, args| {
        let address = args.first().map(Value::text).unwrap_or_default();
        Ok(address.split('/').next().unwrap_or_default().into())
    }),
    Function::lenient("pg_postmaster_start_time", "timestamptz", |_, _| Ok(Value::Int(*STARTED))),
    Function::lenient("pg_conf_load_time", "timestamptz", |_, _| Ok(Value::Int(*STARTED))),
    Function::lenient("pg_row_transaction", "xid", |_, _| Ok(Value::Int(1))),
    Function::strict("pg_blocking_pids", "int4[]", |_, _| Ok(Value::List(vec![]))),
    Function::lenient("inet_server_addr", "text", |_, _| Ok(Value::Null)),
    Function::lenient("inet_server_port", "int4", |_, _| Ok(Value::Null)),
    Function::lenient("inet_client_addr", "text", |_, _| Ok(Value::Null)),
    Function::lenient("inet_client_port", "int4", |_, _| Ok(Value::Null)),
    Function::lenient("txid_current", "int8", |_, _| Ok(Value::Int(1))),
    Function::lenient("pg_advisory_unlock_all", "text", |_, _| Ok(Value::from(""))),
    Function::lenient("pg_my_temp_schema", "oid", |_, _| Ok(Value::Int(0))),
    Function::strict("pg_is_other_temp_schema", "bool", |_, _| Ok(false.into())),
    Function::lenient("getdatabaseencoding", "name", |_, _| Ok("UTF8".into())),
];
