//! The options of a request, bound to one entity set.

use std::collections::HashMap;

use chrono_tz::Tz;

use super::bind::{Binder, Bound, property};
use super::error::Failure;
use super::name::EntitySet;
use super::parse::{Comparison, Expression, Limits, Node, parse_expression, parse_key, parse_order};
use super::plan::Order;
use super::request::Options;
use crate::engine::TableKind;
use crate::error::{Error, Kind, Result};

/// What is asked of a set.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Selection {
    /// Indexes of the properties to give.
    pub(super) properties: Vec<usize>,
    /// They were named by `$select`.
    pub(super) is_chosen: bool,
    pub(super) filter: Option<Bound>,
    /// Ends with the key, so that no two rows are equal in it.
    pub(super) order: Vec<Order>,
}

/// Reads `$filter`, `$select` and `$orderby`. All of them are charged to one budget.
///
/// # Errors
/// What is wrong with an option, with its name as target.
pub(super) fn selection(set: &EntitySet, options: &Options, zone: Tz) -> Result<Selection, Failure> {
    let mut limits = Limits::new();
    let aliases = aliases(options, &mut limits)?;
    let binder = Binder { set, zone, aliases: &aliases };
    let filter = match &options.filter {
        Some(text) => Some(
            parse_expression(text, &mut limits)
                .and_then(|expression| binder.condition(&expression))
                .map_err(|error| Failure::at(error, "$filter"))?,
        ),
        None => None,
    };
    let order = match &options.orderby {
        Some(text) => order(&binder, text, &mut limits).map_err(|error| Failure::at(error, "$orderby"))?,
        None => vec![],
    };
    let properties = match &options.select {
        Some(text) => chosen(set, text).map_err(|error| Failure::at(error, "$select"))?,
        None => None,
    };
    let order = with_key(set, filter.as_ref(), order);
    Ok(Selection {
        is_chosen: properties.is_some(),
        properties: properties.unwrap_or_else(|| (0..set.properties.len()).collect()),
        filter,
        order,
    })
}

/// The condition that `Set(...)` stands for.
///
/// # Errors
/// `InvalidValue` for a key of other parts than the set's, `Unsupported` for a set without a key.
pub(super) fn key_condition(
    set: &EntitySet,
    key: &str,
    options: &Options,
    zone: Tz,
) -> Result<Bound, Failure> {
    if !set.is_keyed {
        return Err(
            Error::unsupported(format!("reading one entity of {}, which has no key,", set.name)).into()
        );
    }
    let mut limits = Limits::new();
    let aliases = aliases(options, &mut limits)?;
    let binder = Binder { set, zone, aliases: &aliases };
    let parts = parse_key(key, &mut limits).map_err(|error| Failure::at(error, "key"))?;
    let mut values: HashMap<usize, Expression> = HashMap::new();
    let single = set.key.first().copied().filter(|_| set.key.len() == 1);
    for (name, value) in parts {
        let index = match name {
            Some(name) => Some(property(set, &name)?),
            None => single,
        };
        match index {
            Some(index) if set.key.contains(&index) && values.insert(index, value).is_none() => {}
            _ => return Err(wrong_key(set)),
        }
    }
    let mut terms = vec![];
    for index in &set.key {
        let (Some(value), Some(property)) = (values.remove(index), set.properties.get(*index)) else {
            return Err(wrong_key(set));
        };
        let position = value.position;
        let name = Expression { node: Node::Path(vec![property.name.clone()]), position };
        let equal = Node::Compare(Comparison::Eq, name.into(), value.into());
        terms.push(
            binder
                .condition(&Expression { node: equal, position })
                .map_err(|error| Failure::at(error, "key"))?,
        );
    }
    Ok(Bound::And(terms))
}

fn wrong_key(set: &EntitySet) -> Failure {
    let names: Vec<&str> = set.key_properties().map(|property| property.name.as_str()).collect();
    let error = Error::new(Kind::InvalidValue, format!("the key of {} is {}", set.name, names.join(", ")));
    let example: Vec<String> = names.iter().map(|name| format!("{name}=...")).collect();
    Failure::at(error.with_hint(format!("Write {}({})", set.name, example.join(","))), "key")
}

fn aliases(options: &Options, limits: &mut Limits) -> Result<HashMap<String, Expression>, Failure> {
    let parsed = options.aliases.iter().map(|(name, text)| {
        let expression = parse_expression(text, limits).map_err(|error| Failure::at(error, name))?;
        Ok((name.clone(), expression))
    });
    parsed.collect()
}

fn order(binder: &Binder<'_>, text: &str, limits: &mut Limits) -> Result<Vec<Order>> {
    let mut out: Vec<Order> = vec![];
    for item in parse_order(text, limits)? {
        let typed = binder.typed(&item.expression)?;
        if !typed.edm().is_sortable() {
            return Err(Error::unsupported(format!("an order by {}", typed.edm().name()))
                .with_position(item.expression.position));
        }
        if matches!(typed.bound, Bound::Value(_)) {
            return Err(Error::new(Kind::Syntax, "a value alone gives no order")
                .with_position(item.expression.position));
        }
        if !out.iter().any(|order| order.by == typed.bound) {
            out.push(Order { by: typed.bound, descending: item.descending });
        }
    }
    Ok(out)
}

/// The key after the asked order, without the parts that the filter fixes. Comments come newest first, as Kintone
/// lists them.
fn with_key(set: &EntitySet, filter: Option<&Bound>, mut order: Vec<Order>) -> Vec<Order> {
    let descending = order.is_empty() && set.table.kind == TableKind::System && set.table.name == "Comments";
    for index in &set.key {
        let by = Bound::Property(*index);
        let is_fixed = filter.is_some_and(|filter| fixes(filter, &by));
        if !is_fixed && !order.iter().any(|order| order.by == by) {
            order.push(Order { by, descending });
        }
    }
    order
}

/// Whether all rows of the condition have one value there.
fn fixes(condition: &Bound, of: &Bound) -> bool {
    match condition {
        Bound::And(terms) => terms.iter().any(|term| fixes(term, of)),
        Bound::Compare(Comparison::Eq, left, right) => **left == *of && matches!(**right, Bound::Value(_)),
        _ => false,
    }
}

/// The properties of `$select`, in its order; `None` for all.
fn chosen(set: &EntitySet, text: &str) -> Result<Option<Vec<usize>>> {
    let mut out = vec![];
    let mut is_all = false;
    for item in text.split(',').map(str::trim) {
        if item == "*" {
            is_all = true;
        } else if item.is_empty() {
            return Err(Error::new(Kind::Syntax, "a name is expected between the commas"));
        } else if item.contains(['/', '(', '$', '@']) {
            return Err(Error::unsupported(format!("the item {item} of $select")));
        } else {
            let index = property(set, item)?;
            if !out.contains(&index) {
                out.push(index);
            }
        }
    }
    Ok((!is_all).then_some(out))
}
