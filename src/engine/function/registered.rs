//! `regclass`, `regtype`, `regproc`, `regnamespace`, `regrole`: names that stand for oids.
//!
//! A cast to one of them is a function here that takes a name or a number and gives the number; another function
//! gives the name back for display.

use super::scalar::Function;
use super::text::quote_ident;
use super::type_name::{oid_of, sql_name, type_text};
use crate::engine::pg_catalog::{
    Namespace, PROCEDURES, Procedure, Snapshot, TYPES, Value, procedure_named, roles,
};
use crate::error::{Error, Kind};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::strict("pg_oid", "oid", |_, args| number("oid", args)),
    Function::strict("pg_regclass", "regclass", |snapshot, args| {
        resolve(args, relation_oid, snapshot, Kind::UndefinedTable, "relation")
    }),
    Function::strict("pg_regclass_name", "text", |snapshot, args| name(args, relation_name, snapshot)),
    Function::strict("to_regclass", "regclass", |snapshot, args| Ok(lookup(args, relation_oid, snapshot))),
    Function::strict("pg_regtype", "regtype", |snapshot, args| {
        resolve(args, oid_of, snapshot, Kind::UndefinedObject, "type")
    }),
    Function::strict("pg_regtype_name", "text", |snapshot, args| name(args, type_text_of, snapshot)),
    Function::strict("to_regtype", "regtype", |snapshot, args| Ok(lookup(args, oid_of, snapshot))),
    Function::strict("pg_regproc", "regproc", |snapshot, args| {
        resolve(args, procedure_oid, snapshot, Kind::UndefinedFunction, "function")
    }),
    Function::strict("pg_regprocedure", "regprocedure", |snapshot, args| {
        resolve(args, procedure_oid, snapshot, Kind::UndefinedFunction, "function")
    }),
    Function::strict("pg_regprocedure_name", "text", |snapshot, args| {
        name(args, |_, oid| PROCEDURES.get(&oid).map(signature), snapshot)
    }),
    Function::strict("to_regprocedure", "regprocedure", |snapshot, args| {
        Ok(lookup(args, procedure_oid, snapshot))
    }),
    Function::strict("pg_regproc_name", "text", |snapshot, args| {
        name(args, |_, oid| procedure_name(oid), snapshot)
    }),
    Function::strict("to_regproc", "regproc", |snapshot, args| Ok(lookup(args, procedure_oid, snapshot))),
    Function::strict("pg_regnamespace", "regnamespace", |snapshot, args| {
        resolve(args, namespace_oid, snapshot, Kind::UndefinedObject, "schema")
    }),
    Function::strict("pg_regnamespace_name", "text", |snapshot, args| {
        name(args, |snapshot, oid| snapshot.namespace(oid).map(quote_ident), snapshot)
    }),
    Function::strict("to_regnamespace", "regnamespace", |snapshot, args| {
        Ok(lookup(args, namespace_oid, snapshot))
    }),
    Function::strict("pg_regrole", "regrole", |snapshot, args| {
        resolve(args, role_oid, snapshot, Kind::UndefinedObject, "role")
    }),
    Function::strict("pg_regrole_name", "text", |snapshot, args| name(args, role_name, snapshot)),
    Function::strict("to_regrole", "regrole", |snapshot, args| Ok(lookup(args, role_oid, snapshot))),
    Function::strict("pg_regcollation", "regcollation", |snapshot, args| {
        resolve(args, |_, name| collation_oid(name), snapshot, Kind::UndefinedObject, "collation")
    }),
    Function::strict("pg_regcollation_name", "text", |snapshot, args| {
        name(args, |_, oid| collation_name(oid), snapshot)
    }),
    Function::strict("pg_regoper", "regoper", |snapshot, args| {
        resolve(args, |_, name| operator_oid(name), snapshot, Kind::UndefinedFunction, "operator")
    }),
    Function::strict("pg_regoper_name", "text", |snapshot, args| {
        name(args, |_, oid| operator_name(oid), snapshot)
    }),
    Function::strict("parse_ident", "text[]", |_, args| {
        let text = args.first().map(Value::text).unwrap_or_default();
        let part = |(name, quoted): (String, bool)| if quoted { name } else { name.to_lowercase() };
        Ok(parts(&text).into_iter().map(part).collect::<Vec<_>>().into())
    }),
    Function::strict("pg_get_userbyid", "name", |snapshot, args| {
        let oid = args.first().and_then(Value::int).unwrap_or_default();
        Ok(role_name(snapshot, oid).unwrap_or_else(|| format!("unknown (OID={oid})")).into())
    }),
];

/// The function that shows an oid of this type as its name; `None` for types that are shown as they are.
pub(crate) fn display_function(sql_type: &str) -> Option<&'static str> {
    match sql_type {
        "regclass" => Some("pg_regclass_name"),
        "regtype" => Some("pg_regtype_name"),
        "regproc" => Some("pg_regproc_name"),
        "regprocedure" => Some("pg_regprocedure_name"),
        "regcollation" => Some("pg_regcollation_name"),
        "regoper" => Some("pg_regoper_name"),
        "regnamespace" => Some("pg_regnamespace_name"),
        "regrole" => Some("pg_regrole_name"),
        _ => None,
    }
}

fn number(what: &str, args: &[Value]) -> Result<Value, Error> {
    let value = args.first().unwrap_or(&Value::Null);
    let invalid = || {
        Error::new(Kind::InvalidText, format!("invalid input syntax for type {what}: \"{}\"", value.text()))
    };
    value.int().map(Value::Int).ok_or_else(invalid)
}

/// The oid for a number, for a number in text, or for a name; an error that names the name.
fn resolve(
    args: &[Value],
    find: fn(&Snapshot, &str) -> Option<i64>,
    snapshot: &Snapshot,
    kind: Kind,
    what: &str,
) -> Result<Value, Error> {
    let value = args.first().unwrap_or(&Value::Null);
    if let Some(oid) = value.int() {
        return Ok(oid.into());
    }
    let name = value.text();
    if name == "-" {
        return Ok(Value::Int(0));
    }
    let missing = || match parts(&name).as_slice() {
        [.., (schema, _), _] if namespace_oid(snapshot, schema).is_none() => {
            Error::new(Kind::UndefinedSchema, format!("schema \"{schema}\" does not exist"))
        }
        _ => Error::new(kind, format!("{what} \"{name}\" does not exist")),
    };
    find(snapshot, &name).map(Value::Int).ok_or_else(missing)
}

/// As [`resolve`], with NULL for a name that is not there.
fn lookup(args: &[Value], find: fn(&Snapshot, &str) -> Option<i64>, snapshot: &Snapshot) -> Value {
    let name = args.first().map(Value::text).unwrap_or_default();
    find(snapshot, &name).into()
}

/// The name for an oid; its number where nothing has it, `-` for 0.
fn name(
    args: &[Value],
    find: fn(&Snapshot, i64) -> Option<String>,
    snapshot: &Snapshot,
) -> Result<Value, Error> {
    let Value::Int(oid) = number("oid", args)? else { return Ok(Value::Null) };
    if oid == 0 {
        return Ok("-".into());
    }
    Ok(find(snapshot, oid).unwrap_or_else(|| oid.to_string()).into())
}

fn relation_name(snapshot: &Snapshot, oid: i64) -> Option<String> {
    let (namespace, name) = snapshot.relation(oid)?;
    if snapshot.shows_relation(namespace, name) {
        return Some(quote_ident(name));
    }
    Some(format!("{}.{}", quote_ident(snapshot.namespace(namespace)?), quote_ident(name)))
}

/// Finds a relation by `name` or `schema.name`, each part quoted or not. A part without quotes that matches
/// nothing exactly matches without regard to case, where one relation does.
pub(super) fn relation_oid(snapshot: &Snapshot, text: &str) -> Option<i64> {
    let parts = parts(text);
    let (schema, (name, quoted)) = match parts.as_slice() {
        [name] => (None, name.clone()),
        [.., schema, name] => (Some(schema.0.clone()), name.clone()),
        [] => return None,
    };
    let find = |namespace: &Namespace| {
        let alike = snapshot.relations_named(&name);
        let alike: Vec<_> = alike.filter(|(_, place, _)| *place == namespace.oid).collect();
        let exact = alike.iter().find(|(_, _, known)| *known == name);
        match (exact, alike.as_slice()) {
            (Some((oid, _, _)), _) => Some(*oid),
            (None, [(oid, _, _)]) if !quoted => Some(*oid),
            _ => None,
        }
    };
    match schema {
        None => snapshot.search_path().into_iter().find_map(find),
        Some(schema) => {
            let named = |known: &&Namespace| known.name.eq_ignore_ascii_case(&schema);
            snapshot.namespaces.iter().filter(named).find_map(find)
        }
    }
}

/// The parts of a name with dots: each with its quotes taken off, and whether it had some.
pub(super) fn parts(text: &str) -> Vec<(String, bool)> {
    let mut parts = vec![];
    let mut part = String::new();
    let mut quoted = false;
    let mut inside = false;
    let mut letters = text.trim().chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if inside && letters.peek() == Some(&'"') => {
                letters.next();
                part.push('"');
            }
            '"' => {
                inside = !inside;
                quoted = true;
            }
            '.' if !inside => parts.push((std::mem::take(&mut part), std::mem::take(&mut quoted))),
            other => part.push(other),
        }
    }
    parts.push((part, quoted));
    parts
}

pub(super) fn namespace_oid(snapshot: &Snapshot, name: &str) -> Option<i64> {
    let name = name.trim_matches('"');
    snapshot.namespaces.iter().find(|namespace| namespace.name == name).map(|namespace| namespace.oid)
}

pub(super) fn role_oid(snapshot: &Snapshot, name: &str) -> Option<i64> {
    let name = name.trim_matches('"');
    roles(snapshot).into_iter().find(|(_, known)| *known == name).map(|(oid, _)| oid)
}

pub(super) fn role_name(snapshot: &Snapshot, oid: i64) -> Option<String> {
    roles(snapshot).into_iter().find(|(known, _)| *known == oid).map(|(_, name)| name.to_owned())
}

/// The oid of a function by its name, with the types that it takes or without: `abs(integer)`.
fn procedure_oid(snapshot: &Snapshot, text: &str) -> Option<i64> {
    let text = text.strip_prefix("pg_catalog.").unwrap_or(text);
    let Some((name, types)) = text.trim().strip_suffix(')').and_then(|text| text.split_once('(')) else {
        return procedure_named(text);
    };
    let types = types.split(',').map(str::trim).filter(|name| !name.is_empty());
    let types: Vec<i64> = types.map(|name| oid_of(snapshot, name)).collect::<Option<_>>()?;
    let fits = |procedure: &Procedure| procedure.name == name.trim() && procedure.takes == types;
    PROCEDURES.iter().find(|(_, procedure)| fits(procedure)).map(|(oid, _)| *oid)
}

/// A function's name; with its schema where another has the same, as PostgreSQL shows it.
fn procedure_name(oid: i64) -> Option<String> {
    let procedure = PROCEDURES.get(&oid)?;
    let name = quote_ident(procedure.name);
    Some(if procedure.is_overloaded { format!("pg_catalog.{name}") } else { name })
}

/// `abs(integer)`
fn signature(procedure: &Procedure) -> String {
    let types: Vec<_> = procedure.takes.iter().map(|oid| type_text(*oid)).collect();
    format!("{}({})", quote_ident(procedure.name), types.join(","))
}

fn type_text_of(snapshot: &Snapshot, oid: i64) -> Option<String> {
    let is_known = TYPES.contains_key(&oid)
        || snapshot.tables.iter().any(|table| table.row_type == oid || table.row_array == oid);
    is_known.then(|| sql_name(snapshot, oid, None))
}

/// `pg_operator`'s oids and names.
fn operators() -> impl Iterator<Item = (i64, &'static str)> {
    let lines = include_str!("../../../sql/pg_catalog/pg_operator.tsv").lines();
    lines.filter_map(|line| {
        let mut cells = line.split('\t');
        Some((cells.next()?.parse().ok()?, cells.next()?))
    })
}

fn operator_oid(name: &str) -> Option<i64> {
    let name = name.strip_prefix("pg_catalog.").unwrap_or(name);
    operators().find(|(_, known)| *known == name).map(|(oid, _)| oid)
}

fn operator_name(oid: i64) -> Option<String> {
    operators().find(|(known, _)| *known == oid).map(|(_, name)| name.to_owned())
}

/// The collations, which all sort by code point.
const COLLATIONS: [(i64, &str); 4] = [(100, "default"), (950, "C"), (951, "POSIX"), (962, "ucs_basic")];

fn collation_oid(name: &str) -> Option<i64> {
    let name = name.strip_prefix("pg_catalog.").unwrap_or(name).trim_matches('"');
    COLLATIONS.iter().find(|(_, known)| *known == name).map(|(oid, _)| *oid)
}

fn collation_name(oid: i64) -> Option<String> {
    COLLATIONS.iter().find(|(known, _)| *known == oid).map(|(_, name)| quote_ident(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_at_its_dots() {
        let check = |text: &str, expect: &[(&str, bool)]| {
            let expect: Vec<_> = expect.iter().map(|(name, quoted)| ((*name).to_owned(), *quoted)).collect();
            assert_eq!(parts(text), expect, "{text}");
        };
        check("customers", &[("customers", false)]);
        check("public.\"a.b\"", &[("public", false), ("a.b", true)]);
        check("\"a\"\"b\"", &[("a\"b", true)]);
    }

    #[test]
    fn procedures_have_names() {
        let none = Snapshot::default();
        assert_eq!(procedure_oid(&none, "array_in"), Some(750));
        assert_eq!(procedure_oid(&none, "pg_catalog.format_type(oid, integer)"), Some(1081));
        assert_eq!(procedure_name(1242).as_deref(), Some("boolin"));
        assert_eq!(signature(&PROCEDURES[&1081]), "format_type(oid,integer)");
    }
}
