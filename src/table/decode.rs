//! A page of records as a record batch: the page's bytes go through the fields' decoders, no tree in between.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::error::Error;
use super::field::{Decoder, Text};
use super::schema::{Columns, Shape, Source};
use crate::kintone::FieldProperties;

/// A decoded page.
pub(crate) struct DecodedPage {
    /// The projected columns.
    pub batch: RecordBatch,
    /// `$id` of each record; rows of the batch may be more or fewer where one row is a row of a table field.
    pub ids: Vec<u64>,
    /// For rows of a table field: the place among `ids` of each row's record.
    pub parents: Option<Vec<u32>>,
    /// How many records match in all, where that was asked for.
    pub total: Option<u64>,
    /// Fields that a record lacked: the login may not view them there, or the form has changed.
    pub missing: Vec<String>,
}

/// Reads pages of one scan.
pub(crate) struct PageDecoder {
    app: String,
    schema: SchemaRef,
    outputs: Vec<Output>,
    records: Cells,
    /// For rows of a table field: its code, and the row's cells.
    rows: Option<(String, Cells)>,
}

/// Where an output column's array is found after a page.
enum Output {
    Record(usize, usize),
    Row(usize, usize),
    RowId,
    RowIndex,
}

impl PageDecoder {
    /// A decoder of the columns at `projection`. `app` names the table in errors.
    pub(crate) fn new(app: String, columns: &Columns, projection: &[usize], schema: SchemaRef) -> Self {
        let mut records = Cells::default();
        let mut rows = match &columns.shape {
            Shape::Record => None,
            Shape::Row(table) => Some((table.clone(), Cells::default())),
        };
        let mut outputs = vec![];
        for column in projection.iter().filter_map(|i| columns.columns.get(*i)) {
            outputs.push(match (&column.source, &mut rows) {
                (Source::Record { field, field_type, part }, _) => {
                    let slot = records.slot(field, || field_type.decoder(field, &columns.context));
                    Output::Record(slot, *part)
                }
                (Source::Row { field, field_type, part }, Some((_, cells))) => {
                    let slot = cells.slot(field, || field_type.decoder(field, &columns.context));
                    Output::Row(slot, *part)
                }
                (Source::RowId, _) => Output::RowId,
                _ => Output::RowIndex,
            });
        }
        Self { app, schema, outputs, records, rows }
    }

    /// The fields to ask Kintone for: `$id` always, since paging goes by it.
    pub(crate) fn fields(&self) -> Vec<String> {
        let mut fields = vec!["$id".to_owned()];
        let own = self.records.slots.iter().map(|s| &s.code);
        for code in own.chain(self.rows.iter().map(|(table, _)| table)) {
            if !fields.contains(code) {
                fields.push(code.clone());
            }
        }
        fields
    }

    /// Decodes a page. The page is accepted whole or not at all.
    pub(crate) fn decode(&mut self, body: &[u8]) -> Result<DecodedPage, Error> {
        self.records.forget();
        if let Some((_, cells)) = &mut self.rows {
            cells.forget();
        }
        // Checked once as a whole: then no string in it is checked again.
        let Ok(text) = std::str::from_utf8(body) else {
            return Err(Error::Page { app: self.app.clone(), reason: "it is not UTF-8".into() });
        };
        let mut state = PageState {
            page: self,
            ids: vec![],
            total: None,
            had_table: false,
            lacks_table: false,
            rows: RowState::default(),
            fault: None,
        };
        let mut json = serde_json::Deserializer::from_str(text);
        let outcome = (&mut json).deserialize_map(PageVisitor(&mut state)).and_then(|()| json.end());
        let PageState { ids, total, lacks_table, rows, fault, .. } = state;
        if let Some(fault) = fault {
            return Err(fault);
        }
        if let Err(error) = outcome {
            return Err(Error::Page { app: self.app.clone(), reason: describe(&error) });
        }
        let mut missing: Vec<String> = self.records.missing().cloned().collect();
        if let Some((table, cells)) = &self.rows {
            missing.extend(cells.missing().map(|column| format!("{table}.{column}")));
            missing.extend(lacks_table.then(|| table.clone()));
        }
        let batch =
            self.batch(ids.len(), &rows).map_err(|e| Error::Page { app: self.app.clone(), reason: e })?;
        let parents = self.rows.is_some().then_some(rows.parents);
        Ok(DecodedPage { batch, ids, parents, total, missing })
    }

    fn batch(&mut self, records: usize, state: &RowState) -> Result<RecordBatch, String> {
        let record_arrays = self.records.finish();
        let row_arrays = self.rows.as_mut().map(|(_, cells)| cells.finish()).unwrap_or_default();
        let parents = UInt32Array::from(state.parents.clone());
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.outputs.len());
        for output in &self.outputs {
            let found = match output {
                Output::Record(slot, part) => part_of(&record_arrays, *slot, *part),
                Output::Row(slot, part) => part_of(&row_arrays, *slot, *part),
                Output::RowId => Some(Arc::new(Int64Array::from(state.ids.clone())) as ArrayRef),
                Output::RowIndex => Some(Arc::new(Int64Array::from(state.indexes.clone())) as ArrayRef),
            };
            let array = found.ok_or("a column without a decoder")?;
            // The record's values are repeated for each of its rows.
            arrays.push(match (output, &self.rows) {
                (Output::Record(..), Some(_)) => take(&array, &parents, None).map_err(|e| e.to_string())?,
                _ => array,
            });
        }
        let rows = if self.rows.is_some() { state.ids.len() } else { records };
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .map_err(|e| e.to_string())
    }
}

fn part_of(arrays: &[Vec<ArrayRef>], slot: usize, part: usize) -> Option<ArrayRef> {
    arrays.get(slot)?.get(part).map(Arc::clone)
}

/// The place of a JSON error, without the text around it.
fn describe(error: &serde_json::Error) -> String {
    format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column())
}

/// Reads pages of records outside a scan.
pub struct PageReader(PageDecoder);

impl PageReader {
    /// A reader of all of a table's columns.
    #[must_use]
    pub fn new(columns: &Columns) -> Self {
        let all: Vec<usize> = (0..columns.columns.len()).collect();
        Self(PageDecoder::new(String::new(), columns, &all, Arc::clone(&columns.schema)))
    }

    /// The rows of one answer of `records.json`.
    pub fn read(&mut self, body: &[u8]) -> Result<RecordBatch, Error> {
        self.0.decode(body).map(|page| page.batch)
    }
}

/// The decoders of one map of cells: a record's, or a row's.
#[derive(Default)]
struct Cells {
    index: HashMap<String, usize>,
    /// The slot of the n-th key of the map before: nearly always this one's too.
    order: Vec<Option<usize>>,
    /// Keys of this map so far.
    keys: usize,
    slots: Vec<Slot>,
    /// Counts maps, so that a slot knows whether this one had its field.
    generation: u64,
}

struct Slot {
    code: String,
    kintone_type: String,
    decoder: Box<dyn Decoder>,
    seen: u64,
    /// A map of the page lacked it.
    missing: bool,
}

impl Cells {
    fn slot(&mut self, field: &FieldProperties, decoder: impl FnOnce() -> Box<dyn Decoder>) -> usize {
        if let Some(slot) = self.index.get(&field.code) {
            return *slot;
        }
        let slot = self.slots.len();
        self.index.insert(field.code.clone(), slot);
        self.slots.push(Slot {
            code: field.code.clone(),
            kintone_type: field.kind.clone(),
            decoder: decoder(),
            seen: 0,
            missing: false,
        });
        slot
    }

    /// Begins a map.
    fn open(&mut self) {
        self.generation += 1;
        self.keys = 0;
    }

    fn find(&mut self, code: &str) -> Option<usize> {
        let key = self.keys;
        self.keys += 1;
        let guess = self.order.get(key).copied().flatten();
        if let Some(slot) = guess.filter(|slot| self.slots.get(*slot).is_some_and(|s| s.code == code)) {
            return Some(slot);
        }
        let slot = self.index.get(code).copied();
        if self.order.len() <= key {
            self.order.resize(key + 1, None);
        }
        self.order[key] = slot;
        slot
    }

    fn append(&mut self, code: &str, cell: &Cell<'_>) -> Result<(), Fault> {
        let Some(slot) = self.find(code).and_then(|i| self.slots.get_mut(i)) else { return Ok(()) };
        if slot.seen == self.generation {
            return Ok(());
        }
        if let Some(now) = cell.kintone_type
            && now != slot.kintone_type
        {
            return Err(Fault::Changed(slot.code.clone(), now.to_owned(), slot.kintone_type.clone()));
        }
        slot.seen = self.generation;
        let value = cell.value.map(RawValue::get);
        slot.decoder.append(value).map_err(|expected| Fault::Value(slot.code.clone(), expected))
    }

    /// Ends a map: fields that it lacked are NULL.
    fn close(&mut self) -> Result<(), Fault> {
        for slot in &mut self.slots {
            if slot.seen != self.generation {
                slot.missing = true;
                slot.decoder.append(None).map_err(|expected| Fault::Value(slot.code.clone(), expected))?;
            }
        }
        Ok(())
    }

    /// The fields that a map of the page lacked.
    fn missing(&self) -> impl Iterator<Item = &String> {
        self.slots.iter().filter(|s| s.missing).map(|s| &s.code)
    }

    /// Before another page.
    fn forget(&mut self) {
        self.slots.iter_mut().for_each(|s| s.missing = false);
    }

    fn finish(&mut self) -> Vec<Vec<ArrayRef>> {
        self.slots.iter_mut().map(|s| s.decoder.finish()).collect()
    }
}

/// What is wrong with a cell, before it is known in which record.
enum Fault {
    /// Field, what was expected.
    Value(String, String),
    /// Field, its type now, its type before.
    Changed(String, String, String),
}

#[derive(Deserialize)]
struct Cell<'a> {
    #[serde(rename = "type", default)]
    kintone_type: Option<&'a str>,
    #[serde(borrow, default)]
    value: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct TableRow<'a> {
    #[serde(borrow)]
    id: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    value: HashMap<std::borrow::Cow<'a, str>, Cell<'a>>,
}

#[derive(Default)]
struct RowState {
    ids: Vec<i64>,
    indexes: Vec<i64>,
    parents: Vec<u32>,
}

struct PageState<'p> {
    page: &'p mut PageDecoder,
    ids: Vec<u64>,
    total: Option<u64>,
    /// Whether the record being read has the table field whose rows are read.
    had_table: bool,
    /// A record lacked it.
    lacks_table: bool,
    rows: RowState,
    fault: Option<Error>,
}

impl PageState<'_> {
    fn cell(&mut self, code: &str, cell: &Cell<'_>, id: &mut Option<u64>) -> Result<(), Fault> {
        if code == "$id" {
            *id = cell.value.and_then(|v| v.get().trim_matches('"').parse().ok());
        }
        let rows = match &mut self.page.rows {
            Some((table, cells)) if table == code => {
                self.had_table = true;
                let read = append_rows(cells, &mut self.rows, self.ids.len(), cell);
                read.map_err(|f| match f {
                    Fault::Value(column, expected) => Fault::Value(format!("{code}.{column}"), expected),
                    changed => changed,
                })
            }
            _ => Ok(()),
        };
        rows.and_then(|()| self.page.records.append(code, cell))
    }

    fn fault(&mut self, fault: Fault, id: Option<u64>) {
        let app = self.page.app.clone();
        self.fault = Some(match fault {
            Fault::Changed(field, now, was) => {
                Error::FormChanged { app, change: format!("field {field} is {now}, it was {was}") }
            }
            Fault::Value(field, expected) => {
                let record = id.map_or_else(|| "?".into(), |id| id.to_string());
                Error::Decode { app, record, field, expected }
            }
        });
    }
}

/// Appends a table field's rows.
fn append_rows(cells: &mut Cells, state: &mut RowState, record: usize, cell: &Cell<'_>) -> Result<(), Fault> {
    let bad = |expected: &str| Fault::Value("rows".into(), expected.into());
    let json = cell.value.map_or("[]", RawValue::get);
    let rows: Vec<TableRow<'_>> =
        serde_json::from_str(json).map_err(|_| bad("rows with an id and values"))?;
    let parent = u32::try_from(record).map_err(|_| bad("fewer records in a page"))?;
    for (index, row) in (1_i64..).zip(&rows) {
        cells.open();
        for (code, cell) in &row.value {
            cells.append(code, cell)?;
        }
        cells.close()?;
        state.ids.push(row.id.parse().map_err(|_| bad("a row id"))?);
        state.indexes.push(index);
        state.parents.push(parent);
    }
    Ok(())
}

struct PageVisitor<'s, 'p>(&'s mut PageState<'p>);

impl<'de> Visitor<'de> for PageVisitor<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page of records")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut found = false;
        while let Some(key) = map.next_key::<&str>()? {
            match key {
                "records" => {
                    found = true;
                    map.next_value_seed(Records(self.0))?;
                }
                "totalCount" => {
                    let total: &RawValue = map.next_value()?;
                    self.0.total = total.get().trim_matches('"').parse().ok();
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if found { Ok(()) } else { Err(serde::de::Error::missing_field("records")) }
    }
}

struct Records<'s, 'p>(&'s mut PageState<'p>);

impl<'de> DeserializeSeed<'de> for Records<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Records<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(OneRecord(self.0))?.is_some() {}
        Ok(())
    }
}

struct OneRecord<'s, 'p>(&'s mut PageState<'p>);

impl<'de> DeserializeSeed<'de> for OneRecord<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OneRecord<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let state = self.0;
        state.page.records.open();
        let mut id = None;
        let mut fault = None;
        // A fault waits for the record's end, when its `$id` is known.
        while let Some(Text(code)) = map.next_key::<Text<'_>>()? {
            let cell: Cell<'_> = map.next_value()?;
            if fault.is_none() {
                fault = state.cell(&code, &cell, &mut id).err();
            }
        }
        if fault.is_none() {
            fault = state.page.records.close().err();
        }
        let had_table = std::mem::take(&mut state.had_table);
        state.lacks_table |= state.page.rows.is_some() && !had_table;
        match (fault, id) {
            (None, Some(id)) => {
                state.ids.push(id);
                Ok(())
            }
            (fault, id) => {
                let none = || Fault::Value("$id".into(), "a record id".into());
                state.fault(fault.unwrap_or_else(none), id);
                Err(serde::de::Error::custom("a value"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::field::FormContext;
    use super::*;
    use crate::kintone::Form;
    use arrow::util::pretty::pretty_format_batches;

    fn field(kind: &str, code: &str) -> FieldProperties {
        FieldProperties { kind: kind.into(), code: code.into(), enabled: true, ..Default::default() }
    }

    fn columns(shape: &str) -> Columns {
        let mut table = field("SUBTABLE", "T");
        table.fields = vec![field("NUMBER", "n")];
        let form = Form {
            revision: "1".into(),
            fields: vec![field("SINGLE_LINE_TEXT", "名前"), table, field("CREATOR", "作成者")],
        };
        let context = FormContext { scale: 2, time_zone: chrono_tz::UTC, by_label: false };
        match shape {
            "rows" => Columns::of_rows(&form, &form.fields[1], context),
            _ => Columns::of_records(&form, context),
        }
    }

    fn read(shape: &str, body: &str) -> Result<String, Error> {
        let columns = columns(shape);
        let all: Vec<_> = (0..columns.columns.len()).collect();
        let mut decoder = PageDecoder::new("顧客".into(), &columns, &all, Arc::clone(&columns.schema));
        let page = decoder.decode(body.as_bytes())?;
        Ok(pretty_format_batches(&[page.batch]).unwrap().to_string())
    }

    const PAGE: &str = r#"{"records":[
        {"$id":{"type":"__ID__","value":"7"},"$revision":{"type":"__REVISION__","value":"2"},
         "名前":{"type":"SINGLE_LINE_TEXT","value":"髙﨑"},
         "T":{"type":"SUBTABLE","value":[{"id":"1","value":{"n":{"type":"NUMBER","value":"1.5"}}},
                                        {"id":"9","value":{"n":{"type":"NUMBER","value":""}}}]},
         "作成者":{"type":"CREATOR","value":{"code":"sato","name":"佐藤"}}},
        {"$id":{"type":"__ID__","value":"8"},"$revision":{"type":"__REVISION__","value":"1"},
         "名前":{"type":"SINGLE_LINE_TEXT","value":""},"作成者":{"type":"CREATOR","value":{"code":"ito","name":"伊藤"}},
         "T":{"type":"SUBTABLE","value":[]}}],"totalCount":"2"}"#;

    #[test]
    fn a_page_becomes_rows() {
        let table = read("records", PAGE).unwrap();
        assert!(table.contains("| 7   | 2         | 髙﨑 | [{\"id\": \"1\""), "{table}");
        assert!(table.contains("| sato   | 佐藤"), "{table}");
    }

    #[test]
    fn table_rows_repeat_their_record() {
        let expect = [
            "+-----+-------+----------+------+-----------+------+--------+-------------+",
            "| $id | RowId | RowIndex | n    | $revision | 名前 | 作成者 | 作成者_name |",
            "+-----+-------+----------+------+-----------+------+--------+-------------+",
            "| 7   | 1     | 1        | 1.50 | 2         | 髙﨑 | sato   | 佐藤        |",
            "| 7   | 9     | 2        |      | 2         | 髙﨑 | sato   | 佐藤        |",
            "+-----+-------+----------+------+-----------+------+--------+-------------+",
        ];
        assert_eq!(read("rows", PAGE).unwrap(), expect.join("\n"));
    }

    #[test]
    fn a_fault_names_app_record_and_field() {
        let check = |from: &str, to: &str, expect: &str| {
            let error = read("rows", &PAGE.replacen(from, to, 1)).unwrap_err();
            assert_eq!(error.to_string(), expect);
        };
        check(
            r#""1.5""#,
            r#""x""#,
            "app 顧客, record 7, field T.n: expected a number of at most 38 digits, 2 after the point",
        );
        check(
            "SINGLE_LINE_TEXT",
            "NUMBER",
            "app 顧客: the form changed while it was read: field 名前 is NUMBER, it was SINGLE_LINE_TEXT",
        );
        check(
            "\"totalCount\":\"2\"}",
            "",
            "app 顧客: the answer is not a page of records (Eof error at line 9 column 46)",
        );
        check(
            "\"records\"",
            "\"rows\"",
            "app 顧客: the answer is not a page of records (Data error at line 9 column 65)",
        );
    }
}
