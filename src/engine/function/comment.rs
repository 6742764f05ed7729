//! `obj_description` and its kin: comments.

use super::scalar::Function;
use crate::engine::pg_catalog::{Value, column_comment, table_comment};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::strict("obj_description", "text", |snapshot, args| {
        let class = args.get(1).map(Value::text);
        let table = args.first().and_then(Value::int).and_then(|oid| snapshot.table(oid));
        let comment = table.filter(|_| class.is_none_or(|class| class == "pg_class")).and_then(table_comment);
        Ok(comment.into())
    }),
    Function::strict("col_description", "text", |snapshot, args| {
        let table = args.first().and_then(Value::int).and_then(|oid| snapshot.table(oid));
        let number = args.get(1).and_then(Value::int).and_then(|number| usize::try_from(number - 1).ok());
        let comment = table.zip(number).and_then(|(table, number)| {
            let column = table.info.columns.get(number)?;
            column_comment(table, column)
        });
        Ok(comment.into())
    }),
    Function::strict("shobj_description", "text", |_, _| Ok(Value::Null)),
];
