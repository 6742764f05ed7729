//! How a scan asks for the keys of a join: all at once, in batches, by their range, or not at all.
//!
//! Pure. A batch names fewer keys than a page has places, so that those of a unique field are one request and no
//! other after it. Whatever Kintone takes for equal, a record is kept only in the batch that has its own key, and
//! so is read once. Batches are worth it where they are fewer than the pages of the table.

use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::{Expr, Operator, binary_expr, expr::InList, is_null, lit};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{self, BinaryExpr, InListExpr};
use datafusion::scalar::ScalarValue;

use super::ScanRequest;
use super::keys::{Key, KeyFilter, KeyList, name};
use crate::kintone::Condition;
use crate::table::field::Formula;
use crate::table::pushdown::{is_unique, pushdown};
use crate::table::schema::Shape;

/// Text of a condition with keys, in bytes: what Kintone takes in all is not known (K§3.1, K§10.7), a few tens of
/// thousands are common.
const MOST_TEXT: usize = 32_000;

/// Conditions joined by `or`, for fields that have no `in`: Kintone is slow at them.
const MOST_OR: usize = 50;

/// Keys of a second list that goes whole with every batch of the first.
const MOST_BESIDE: usize = 100;

/// One query's share of the keys.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    pub formula: Formula,
    /// No more records can have them.
    pub at_most: Option<u64>,
    /// The rows that belong to it; `None`: all that come.
    pub kept: Option<Arc<dyn PhysicalExpr>>,
}

/// What could be asked for, before it is known whether that is worth it.
#[derive(Debug)]
pub(super) struct Narrowing {
    list: Option<Batches>,
    /// Instead of a list.
    range: Formula,
}

#[derive(Debug)]
struct Batches {
    batches: Vec<Batch>,
    keys: usize,
    name: String,
    unique: bool,
}

/// What a scan is to ask for, and why, in words.
#[derive(Debug)]
pub(super) struct Choice {
    pub batches: Vec<Batch>,
    pub why: String,
}

/// Keys in one request, at most.
pub(super) fn batch_size(request: &ScanRequest) -> usize {
    usize::try_from(request.page_size.saturating_sub(1)).unwrap_or(usize::MAX).max(1)
}

impl Narrowing {
    pub(super) fn new(filters: &[KeyFilter], request: &ScanRequest, schema: &Schema) -> DfResult<Self> {
        let ranges: Vec<Formula> = filters.iter().map(|filter| range(filter, request)).collect();
        let mut list: Option<Batches> = None;
        // The list with the fewest keys is cut into batches, the others go beside it.
        let mut order: Vec<(usize, &KeyFilter, &KeyList)> = vec![];
        for (at, filter) in filters.iter().enumerate() {
            order.extend(filter.lists.iter().map(|list| (at, filter, list)));
        }
        order.sort_by_key(|(_, _, list)| list.keys.len());
        for (at, filter, candidate) in order {
            match &mut list {
                None => list = batches(filter, candidate, &ranges, at, request, schema)?,
                Some(list) if candidate.keys.len() <= MOST_BESIDE && filter.nulls.is_empty() => {
                    list.narrow(&beside(candidate, request));
                }
                Some(_) => {}
            }
        }
        Ok(Self { list, range: Formula::and(ranges) })
    }

    /// Whether the number of the table's records decides.
    pub(super) fn depends_on_total(&self) -> bool {
        self.list.as_ref().is_some_and(|list| list.batches.len() > 1)
    }

    /// What to ask for, of a table with so many records under the scan's own condition.
    pub(super) fn choose(self, request: &ScanRequest, total: Option<u64>) -> Choice {
        let page = u64::from(request.page_size);
        let pages = total.map(|total| total.div_ceil(page));
        let mut instead = String::new();
        if let Some(list) = self.list {
            let (keys, count) = (list.keys, u64::try_from(list.batches.len()).unwrap_or(u64::MAX));
            let what = format!("{keys} {} of {}", if keys == 1 { "key" } else { "keys" }, list.name);
            // The records of a key that is not unique are not known: twice as many as the batches may come.
            let cost = if list.unique { count } else { count.saturating_mul(2) };
            if count <= 1 || pages.is_some_and(|pages| cost < pages) {
                let why = match count {
                    0 => format!("nothing ({what} that a record can have)"),
                    1 => format!("{what} in one query"),
                    _ => format!("{what} in {count} queries"),
                };
                return Choice { batches: list.batches, why };
            }
            let table = pages.map_or("the whole".into(), |pages| format!("{pages} pages in all"));
            instead = format!(" ({what} are {count} queries, {table})");
        }
        match self.range {
            Formula::Nothing => {
                Choice { batches: vec![], why: format!("nothing (no key can match){instead}") }
            }
            Formula::All => {
                Choice { batches: vec![whole(Formula::All)], why: format!("every record{instead}") }
            }
            range => {
                let why = format!("a range of keys{instead}");
                Choice { batches: vec![whole(range)], why }
            }
        }
    }
}

fn whole(formula: Formula) -> Batch {
    Batch { formula, at_most: None, kept: None }
}

impl Batches {
    fn narrow(&mut self, by: &Formula) {
        for batch in &mut self.batches {
            batch.formula = Formula::and(vec![batch.formula.clone(), by.clone()]);
        }
        self.batches.retain(|batch| batch.formula != Formula::Nothing);
    }
}

/// Asks the table of capabilities for a filter that the join looks at again.
fn ask(filter: &Expr, request: &ScanRequest) -> Option<Formula> {
    pushdown(filter, &request.columns).into_parts().map(|(formula, _)| formula)
}

/// The filter without its lists.
fn range(filter: &KeyFilter, request: &ScanRequest) -> Formula {
    let parts = filter.ranges.iter().filter_map(|range| ask(range, request)).collect();
    or_nulls(Formula::and(parts), filter, request).unwrap_or(Formula::All)
}

/// `None` where Kintone cannot be asked for what is NULL.
fn or_nulls(formula: Formula, filter: &KeyFilter, request: &ScanRequest) -> Option<Formula> {
    let nulls = filter.nulls.iter().map(|(_, key)| ask(&is_null(key.clone()), request));
    let parts = std::iter::once(Some(formula)).chain(nulls).collect::<Option<Vec<_>>>()?;
    Some(Formula::or(parts))
}

/// A list as a whole, where it can be said.
fn beside(list: &KeyList, request: &ScanRequest) -> Formula {
    let mut out = vec![];
    match say(&list.key, &list.keys, request, &mut out) {
        Some(()) => Formula::or(out.into_iter().map(|(formula, _)| formula).collect()),
        None => Formula::All,
    }
}

/// A list in batches; `None` where one of its keys cannot be said in Kintone's words.
fn batches(
    filter: &KeyFilter,
    list: &KeyList,
    ranges: &[Formula],
    own: usize,
    request: &ScanRequest,
    schema: &Schema,
) -> DfResult<Option<Batches>> {
    let mut said: Vec<(Formula, &[Key])> = vec![];
    for chunk in list.keys.chunks(batch_size(request)) {
        if say(&list.key, chunk, request, &mut said).is_none() {
            return Ok(None);
        }
    }
    let by_id = name(&list.key) == "$id";
    // NULLs of several keys would belong to no batch alone; only batches of ids keep the order of ids.
    let wants_one = filter.nulls.len() > 1 || (request.ordered && !by_id);
    if said.len() > 1 && wants_one {
        return Ok(None);
    }
    let unique = is_unique(&list.key, &request.columns) && request.columns.shape == Shape::Record;
    if said.is_empty() && !filter.nulls.is_empty() {
        said.push((Formula::Nothing, &[]));
    }
    let others: Vec<Formula> =
        ranges.iter().enumerate().filter(|(at, _)| *at != own).map(|(_, range)| range.clone()).collect();
    let (count, mut batches) = (said.len(), vec![]);
    for (at, (mut formula, keys)) in said.into_iter().enumerate() {
        let mut at_most = u64::try_from(keys.len()).ok().filter(|_| unique);
        if at == 0 && !filter.nulls.is_empty() {
            let Some(with_nulls) = or_nulls(formula, filter, request) else { return Ok(None) };
            (formula, at_most) = (with_nulls, None);
        }
        let formula = Formula::and([vec![formula], others.clone()].concat());
        if formula == Formula::Nothing {
            continue;
        }
        let nulls = if at == 0 { filter.nulls.first() } else { None };
        let kept = if count > 1 { Some(kept(list, keys, nulls.map(|(row, _)| row), schema)?) } else { None };
        batches.push(Batch { formula, at_most, kept });
    }
    Ok(Some(Batches { batches, keys: list.keys.len(), name: name(&list.key), unique }))
}

/// A part of a list in Kintone's words, in several parts where its text would be long. `None` where it has none.
fn say<'a>(
    key: &Expr,
    keys: &'a [Key],
    request: &ScanRequest,
    out: &mut Vec<(Formula, &'a [Key])>,
) -> Option<()> {
    let [first, ..] = keys else { return Some(()) };
    let literal = |key: &Key| lit(key.of_column.clone());
    let listed = |keys: &[Key]| {
        let list = keys.iter().map(literal).collect();
        ask(&Expr::InList(InList::new(Box::new(key.clone()), list, false)), request)
    };
    let equal = |key_value: &Key| ask(&binary_expr(key.clone(), Operator::Eq, literal(key_value)), request);
    let formula = match listed(std::slice::from_ref(first)) {
        // Fields without `in` have `=`.
        None => Some(Formula::or(keys.iter().map(equal).collect::<Option<Vec<_>>>()?)),
        // A list that is too long for its field is said in parts.
        Some(_) => listed(keys),
    };
    let long = |formula: &Formula| match formula {
        Formula::Of(Condition::Or(parts)) if parts.len() > MOST_OR => true,
        Formula::Of(condition) => condition.to_string().len() > MOST_TEXT,
        _ => false,
    };
    match formula {
        Some(Formula::Nothing) => Some(()),
        Some(formula) if keys.len() == 1 || !long(&formula) => {
            out.push((formula, keys));
            Some(())
        }
        _ => {
            let (left, right) = keys.split_at(keys.len() / 2);
            say(key, left, request, out)?;
            say(key, right, request, out)
        }
    }
}

/// The rows with one of these keys, or with none.
fn kept(
    list: &KeyList,
    keys: &[Key],
    nulls: Option<&Arc<dyn PhysicalExpr>>,
    schema: &Schema,
) -> DfResult<Arc<dyn PhysicalExpr>> {
    let has: Arc<dyn PhysicalExpr> = if keys.is_empty() {
        expressions::lit(false)
    } else {
        let values = ScalarValue::iter_to_array(keys.iter().map(|key| key.of_join.clone()))?;
        Arc::new(InListExpr::try_new_from_array(Arc::clone(&list.row), values, false, schema)?)
    };
    Ok(match nulls {
        Some(key) => Arc::new(BinaryExpr::new(has, Operator::Or, expressions::is_null(Arc::clone(key))?)),
        None => has,
    })
}

#[cfg(test)]
mod tests {
    use datafusion::common::Column;
    use datafusion::physical_expr::expressions::col;

    use super::*;
    use crate::kintone::{AppKey, FieldProperties, Form};
    use crate::table::field::FormContext;
    use crate::table::rules::Rules;
    use crate::table::scan::TableRef;
    use crate::table::schema::Columns;

    fn request(ordered: bool) -> ScanRequest {
        let field = |kind: &str, code: &str| FieldProperties {
            kind: kind.into(),
            code: code.into(),
            enabled: true,
            ..FieldProperties::default()
        };
        let form = Form {
            revision: "1".into(),
            fields: vec![field("NUMBER", "n"), field("SINGLE_LINE_TEXT", "t"), field("DATE", "d")],
        };
        let context = FormContext { scale: 0, time_zone: chrono_tz::UTC, by_label: false };
        let columns = Columns::of_records(&form, context);
        ScanRequest {
            table: TableRef {
                connection: "c".into(),
                app: AppKey { id: 1, guest_space: None },
                name: "T".into(),
            },
            projection: (0..columns.columns.len()).collect(),
            columns: Arc::new(columns),
            condition: None,
            filters: vec![],
            limit: None,
            page_size: 500,
            rules: Rules::ON,
            concurrency: 10,
            ordered,
            limited: false,
            expected: None,
            at_most: None,
            joined: true,
            fault: None,
            origin: None,
        }
    }

    fn filter(request: &ScanRequest, name: &str, values: Vec<ScalarValue>) -> KeyFilter {
        let row = col(name, &request.columns.schema).unwrap();
        let keys = values.into_iter().map(|v| Key { of_join: v.clone(), of_column: v }).collect();
        let key = Expr::Column(Column::from_name(name));
        KeyFilter { lists: vec![KeyList { row, key, keys }], ..KeyFilter::default() }
    }

    fn numbers(name: &str, count: i64, request: &ScanRequest) -> KeyFilter {
        let value = |n: i64| match name {
            "$id" => ScalarValue::Int64(Some(n)),
            _ => ScalarValue::Decimal128(Some(n.into()), 38, 0),
        };
        filter(request, name, (1..=count).map(value).collect())
    }

    /// Batches for a table of so many records, and why.
    fn choice(filter: &KeyFilter, request: &ScanRequest, total: Option<u64>) -> (usize, String) {
        let filters = std::slice::from_ref(filter);
        let narrowing = Narrowing::new(filters, request, &request.columns.schema).unwrap();
        let choice = narrowing.choose(request, total);
        (choice.batches.len(), choice.why)
    }

    #[test]
    fn keys_are_asked_for_where_that_is_less_than_the_table() {
        let any = request(false);
        for (name, keys, total, batches, why) in [
            ("$id", 499, None, 1, "499 keys of $id in one query"),
            ("$id", 500, None, 1, "every record (500 keys of $id are 2 queries, the whole)"),
            ("$id", 1000, Some(2000), 3, "1000 keys of $id in 3 queries"),
            ("$id", 1000, Some(1500), 1, "every record (1000 keys of $id are 3 queries, 3 pages in all)"),
            // Each key of a number may be that of many records.
            ("n", 1000, Some(3000), 1, "every record (1000 keys of n are 3 queries, 6 pages in all)"),
            ("n", 1000, Some(3001), 3, "1000 keys of n in 3 queries"),
            ("n", 0, None, 0, "nothing (0 keys of n that a record can have)"),
        ] {
            let filter = numbers(name, keys, &any);
            assert_eq!(choice(&filter, &any, total), (batches, why.to_owned()));
        }
    }

    #[test]
    fn only_batches_of_ids_keep_the_order_of_ids() {
        let ordered = request(true);
        assert_eq!(choice(&numbers("$id", 1000, &ordered), &ordered, Some(100_000)).0, 3);
        let whole = (1, "every record".to_owned());
        assert_eq!(choice(&numbers("n", 1000, &ordered), &ordered, Some(100_000)), whole);
    }

    #[test]
    fn batches_part_the_keys_and_one_that_cannot_be_said_stops_them() {
        let any = request(false);
        let days = (0..120).map(|n| ScalarValue::Date32(Some(n))).collect();
        let dates = filter(&any, "d", days);
        let narrowing = Narrowing::new(&[dates], &any, &any.columns.schema).unwrap();
        let batches = narrowing.choose(&any, Some(1_000_000)).batches;
        assert!(batches.len() > 2 && batches.iter().all(|batch| batch.kept.is_some()));
        let text = |text: &str| ScalarValue::Utf8(Some(text.into()));
        let unsaid = filter(&any, "t", vec![text("a"), text("\u{1}")]);
        assert_eq!(choice(&unsaid, &any, Some(1_000_000)), (1, "every record".to_owned()));
    }
}
