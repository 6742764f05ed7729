//! `has_..._privilege`: what the user sees in the catalog, the user may read; nobody may change it.
//!
//! Each is called as `(object, privilege)` or `(user, object, privilege)`, the object and the user by name or by oid.

use super::registered::{namespace_oid, relation_oid, role_name, role_oid};
use super::scalar::Function;
use super::text::quote_ident;
use crate::engine::pg_catalog::{Snapshot, Value};
use crate::error::{Error, Kind};

pub(super) const FUNCTIONS: &[Function] =
    &[
        Function::strict("has_table_privilege", "bool", |snapshot, args| {
            Ok(relation(snapshot, args, 1)?.map(|()| granted(args, TABLE)).transpose()?.into())
        }),
        Function::strict("has_any_column_privilege", "bool", |snapshot, args| {
            Ok(relation(snapshot, args, 1)?.map(|()| granted(args, COLUMN)).transpose()?.into())
        }),
        Function::strict("has_column_privilege", "bool", column),
        Function::strict("has_schema_privilege", "bool", |snapshot, args| {
            known_user(snapshot, args, 3)?;
            let object = args.get(args.len().saturating_sub(2)).unwrap_or(&Value::Null);
            if object.int().is_none() && namespace_oid(snapshot, &object.text()).is_none() {
                let message = format!("schema {} does not exist", in_quotes(&object.text()));
                return Err(Error::new(Kind::UndefinedObject, message));
            }
            Ok(granted(args, SCHEMA)?.into())
        }),
        Function::strict("has_database_privilege", "bool", |snapshot, args| {
            known_user(snapshot, args, 3)?;
            Ok(granted(args, DATABASE)?.into())
        }),
        Function::strict("has_function_privilege", "bool", |_, args| Ok(granted(args, FUNCTION)?.into())),
        Function::strict("has_type_privilege", "bool", |_, args| Ok(granted(args, USAGE)?.into())),
        Function::strict("has_sequence_privilege", "bool", |_, args| Ok(granted(args, SEQUENCE)?.into())),
        Function::strict("has_tablespace_privilege", "bool", |_, args| Ok(granted(args, TABLESPACE)?.into())),
        Function::strict("has_language_privilege", "bool", |_, args| Ok(granted(args, USAGE)?.into())),
        Function::strict("has_server_privilege", "bool", |_, args| Ok(granted(args, USAGE)?.into())),
        Function::strict("has_foreign_data_wrapper_privilege", "bool", |_, args| {
            Ok(granted(args, USAGE)?.into())
        }),
        Function::strict("has_parameter_privilege", "bool", |_, args| Ok(granted(args, PARAMETER)?.into())),
        Function::strict("pg_has_role", "bool", |snapshot, args| {
            known_user(snapshot, args, 3)?;
            let role = args.get(args.len().saturating_sub(2)).unwrap_or(&Value::Null);
            let name = role_of(snapshot, role)?;
            Ok(name.is_none_or(|name| name == snapshot.current_user).into())
        }),
        Function::lenient("acldefault", "aclitem[]", |_, _| Ok(Value::Null)),
        Function::strict("row_security_active", "bool", |_, _| Ok(false.into())),
    ];

/// The privileges of a kind of object; whether a user has them.
type Privileges = &'static [(&'static str, bool)];

const TABLE: Privileges = &[
    ("SELECT", true),
    ("INSERT", false),
    ("UPDATE", false),
    ("DELETE", false),
    ("TRUNCATE", false),
    ("REFERENCES", false),
    ("TRIGGER", false),
    ("RULE", false),
];
const COLUMN: Privileges = &[("SELECT", true), ("INSERT", false), ("UPDATE", false), ("REFERENCES", false)];
const SCHEMA: Privileges = &[("CREATE", false), ("USAGE", true)];
const DATABASE: Privileges = &[("CREATE", false), ("CONNECT", true), ("TEMPORARY", false), ("TEMP", false)];
const FUNCTION: Privileges = &[("EXECUTE", true)];
const USAGE: Privileges = &[("USAGE", true)];
const SEQUENCE: Privileges = &[("USAGE", true), ("SELECT", true), ("UPDATE", false)];
const TABLESPACE: Privileges = &[("CREATE", false)];
const PARAMETER: Privileges = &[("SET", true), ("ALTER SYSTEM", false)];

/// Whether the user has one of the privileges of the last argument: `SELECT`, `SELECT, INSERT WITH GRANT OPTION`.
fn granted(args: &[Value], known: Privileges) -> Result<bool, Error> {
    let asked = args.last().map(Value::text).unwrap_or_default().to_ascii_uppercase();
    let mut any = false;
    for part in asked.split(',').map(str::trim) {
        let (name, with_grant) = match part.strip_suffix(" WITH GRANT OPTION") {
            Some(name) => (name.trim(), true),
            None => (part, false),
        };
        let found = known.iter().find(|(known, _)| *known == name);
        let (_, has) = found.ok_or_else(|| {
            Error::new(Kind::InvalidValue, format!("unrecognized privilege type: {}", in_quotes(part)))
        })?;
        any |= *has && !with_grant;
    }
    Ok(any)
}

/// The relation before the last `after` arguments, by name or oid. `None` for an oid that nothing has.
fn relation(snapshot: &Snapshot, args: &[Value], after: usize) -> Result<Option<()>, Error> {
    known_user(snapshot, args, after + 2)?;
    let object = args.get(args.len().saturating_sub(after + 1)).unwrap_or(&Value::Null);
    if let Value::Int(oid) = object {
        return Ok(snapshot.relation(*oid).map(|_| ()));
    }
    let name = object.text();
    if relation_oid(snapshot, &name).is_some() {
        return Ok(Some(()));
    }
    Err(Error::new(Kind::UndefinedTable, format!("relation {} does not exist", in_quotes(&name))))
}

/// The first of so many arguments is a user.
fn known_user(snapshot: &Snapshot, args: &[Value], with_user: usize) -> Result<(), Error> {
    if args.len() == with_user
        && let Some(user) = args.first()
    {
        role_of(snapshot, user)?;
    }
    Ok(())
}

/// The name of a role, by name or oid; `None` for an oid that nobody has.
fn role_of(snapshot: &Snapshot, role: &Value) -> Result<Option<String>, Error> {
    if let Value::Int(oid) = role {
        return Ok(role_name(snapshot, *oid));
    }
    let name = role.text();
    // To be granted to everybody is to be granted.
    if name != "public" && role_oid(snapshot, &name).is_none() {
        return Err(Error::new(Kind::UndefinedObject, format!("role {} does not exist", in_quotes(&name))));
    }
    Ok(Some(name))
}

/// `([user,] table, column, privilege)`
fn column(snapshot: &Snapshot, args: &[Value]) -> Result<Value, Error> {
    if relation(snapshot, args, 2)?.is_none() {
        return Ok(Value::Null);
    }
    let table = args.get(args.len().saturating_sub(3)).unwrap_or(&Value::Null);
    let oid = match table {
        Value::Int(oid) => Some(*oid),
        other => relation_oid(snapshot, &other.text()),
    };
    if let Some(table) = oid.and_then(|oid| snapshot.table(oid)) {
        let column = args.get(args.len().saturating_sub(2)).unwrap_or(&Value::Null);
        match column {
            Value::Int(number) if table.column(*number).is_none() => return Ok(Value::Null),
            Value::Text(name) if !table.info.columns.iter().any(|column| column.name == *name) => {
                let message = format!(
                    "column {} of relation {} does not exist",
                    in_quotes(name),
                    in_quotes(&table.info.name)
                );
                return Err(Error::new(Kind::UndefinedColumn, message));
            }
            _ => {}
        }
    }
    Ok(granted(args, COLUMN)?.into())
}

fn in_quotes(name: &str) -> String {
    let quoted = quote_ident(name);
    if quoted.starts_with('"') { quoted } else { format!("\"{quoted}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sees_may_read() {
        let check = |asked: &str, expect: bool| {
            assert_eq!(granted(&["t".into(), asked.into()], TABLE).unwrap(), expect, "{asked}");
        };
        check("select", true);
        check("INSERT", false);
        check("SELECT, INSERT", true);
        check("SELECT WITH GRANT OPTION", false);
        let error = granted(&["t".into(), "EAT".into()], TABLE).unwrap_err();
        assert_eq!(error.message, "unrecognized privilege type: \"EAT\"");
    }
}
