//! The files of local tables: CSV, NDJSON, Parquet, told apart by the ending of their names.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::value::RawValue;

use super::columns::{ColumnDefinition, Definition};
use super::values::{Cell, Values, typed};
use crate::engine::SqlType;

/// Rows of a batch: as many as DataFusion's own operators take at once.
const ROWS: usize = 8192;

/// What is wrong with a file, and where: written behind its name.
#[derive(Debug)]
pub(super) struct Problem(String);

impl Problem {
    fn whole(why: impl fmt::Display) -> Self {
        Self(format!(": {why}"))
    }

    fn at(unit: &str, number: u64, why: impl fmt::Display) -> Self {
        Self(format!(", {unit} {number}: {why}"))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads a whole file.
pub(super) fn read(path: &Path, definition: &Definition) -> Result<Vec<RecordBatch>, Problem> {
    let open = || File::open(path).map_err(Problem::whole);
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
    match ending.as_str() {
        "csv" => read_csv(open()?, definition),
        "ndjson" | "jsonl" => read_ndjson(open()?, definition),
        "parquet" => read_parquet(open()?, definition),
        _ => Err(Problem::whole("the name of the file ends neither in .csv nor .ndjson nor .parquet")),
    }
}

/// Rows on their way into batches, with the place in the file that each came from.
struct Rows<'d> {
    definition: &'d Definition,
    values: Vec<Values<'d>>,
    /// What places count: `line`.
    unit: &'static str,
    places: Vec<u64>,
    batches: Vec<RecordBatch>,
}

impl<'d> Rows<'d> {
    fn new(definition: &'d Definition, unit: &'static str) -> Self {
        let values = definition.columns.iter().map(Values::new).collect();
        Self { definition, values, unit, places: vec![], batches: vec![] }
    }

    /// Adds a row: a cell for each column.
    fn push(&mut self, place: u64, cell: impl Fn(&ColumnDefinition) -> Cell) -> Result<(), Problem> {
        for (values, column) in self.values.iter_mut().zip(&self.definition.columns) {
            values.push(cell(column));
        }
        self.places.push(place);
        if self.places.len() == ROWS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Problem> {
        let places = std::mem::take(&mut self.places);
        let mut arrays: Vec<ArrayRef> = vec![];
        for (values, column) in self.values.iter_mut().zip(&self.definition.columns) {
            let array = values.finish().map_err(|bad| {
                let place = places.get(bad.row).copied().unwrap_or_default();
                Problem::at(self.unit, place, format!("the column \"{}\" {}", column.name, bad.why))
            });
            arrays.push(array?);
        }
        let batch = RecordBatch::try_new(self.definition.schema(), arrays).map_err(Problem::whole)?;
        self.batches.push(batch);
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<RecordBatch>, Problem> {
        if !self.places.is_empty() {
            self.flush()?;
        }
        if self.batches.is_empty() {
            let arrays = self.values.iter().map(Values::nothing).collect();
            self.batches
                .push(RecordBatch::try_new(self.definition.schema(), arrays).map_err(Problem::whole)?);
        }
        Ok(self.batches)
    }
}

/// A first line with the columns' names, in any order; an empty value is NULL.
fn read_csv(file: File, definition: &Definition) -> Result<Vec<RecordBatch>, Problem> {
    let mut reader = csv::ReaderBuilder::new().from_reader(BufReader::new(file));
    let names = reader.headers().map_err(Problem::whole)?.clone();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for column in &definition.columns {
        let is_own = |name: &str| name.trim_start_matches('\u{feff}') == column.name;
        let place = names
            .iter()
            .position(is_own)
            .ok_or_else(|| Problem::at("line", 1, format!("there is no column \"{}\"", column.name)))?;
        places.insert(&column.name, place);
    }
    let mut rows = Rows::new(definition, "line");
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(Problem::whole)? {
        let line = record.position().map_or(0, csv::Position::line);
        rows.push(line, |column| {
            let text = places.get(column.name.as_str()).and_then(|place| record.get(*place));
            match text {
                None | Some("") => Cell::Null,
                Some(text) => Cell::Text(text.to_owned()),
            }
        })?;
    }
    rows.finish()
}

/// An object in each line; a key that is missing is NULL.
fn read_ndjson(file: File, definition: &Definition) -> Result<Vec<RecordBatch>, Problem> {
    let mut rows = Rows::new(definition, "line");
    for (line, text) in (1..).zip(BufReader::new(file).lines()) {
        let text = text.map_err(|error| Problem::at("line", line, error))?;
        if text.trim().is_empty() {
            continue;
        }
        let object: HashMap<String, &RawValue> =
            serde_json::from_str(&text).map_err(|error| Problem::at("line", line, error))?;
        rows.push(line, |column| {
            object.get(&column.name).map_or(Cell::Null, |value| cell(value.get(), column))
        })?;
    }
    rows.finish()
}

/// A JSON value as what the column's type takes.
fn cell(json: &str, column: &ColumnDefinition) -> Cell {
    if json == "null" {
        return Cell::Null;
    }
    match &column.sql_type {
        SqlType::Jsonb => Cell::Json(json.to_owned()),
        SqlType::Array(_) => serde_json::from_str::<Vec<&RawValue>>(json).map_or_else(
            |_| Cell::Json(json.to_owned()),
            |items| Cell::List(items.iter().map(|item| scalar(item.get())).collect()),
        ),
        _ => scalar(json).map_or(Cell::Null, Cell::Text),
    }
}

/// A string's own text; anything else as it stands in the file. `None` for null.
fn scalar(json: &str) -> Option<String> {
    if json == "null" {
        return None;
    }
    Some(serde_json::from_str::<String>(json).unwrap_or_else(|_| json.to_owned()))
}

/// Columns by name, of any type that has the wanted one's values.
fn read_parquet(file: File, definition: &Definition) -> Result<Vec<RecordBatch>, Problem> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(Problem::whole)?;
    let reader = builder.with_batch_size(ROWS).build().map_err(Problem::whole)?;
    let (mut batches, mut row) = (vec![], 1_u64);
    for batch in reader {
        let batch = batch.map_err(Problem::whole)?;
        let arrays = definition.columns.iter().map(|column| {
            let array = batch
                .column_by_name(&column.name)
                .ok_or_else(|| Problem::whole(format!("there is no column \"{}\"", column.name)))?;
            let wrong =
                |why: String| Problem::at("from row", row, format!("the column \"{}\" {why}", column.name));
            if !column.nullable && array.null_count() > 0 {
                return Err(wrong("has no value, and may not be NULL".into()));
            }
            parquet_column(array, column).map_err(|error| wrong(error.to_string()))
        });
        let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
        batches.push(RecordBatch::try_new(definition.schema(), arrays).map_err(Problem::whole)?);
        row += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
    }
    if batches.is_empty() {
        return Rows::new(definition, "row").finish();
    }
    Ok(batches)
}

fn parquet_column(array: &ArrayRef, column: &ColumnDefinition) -> Result<ArrayRef, arrow::error::ArrowError> {
    if column.sql_type != SqlType::Jsonb {
        return typed(array, &column.data_type);
    }
    let texts = cast(array, &DataType::Utf8)?;
    let texts: StringArray = crate::table::downcast(&texts)?;
    let mut values = Values::new(column);
    texts.iter().for_each(|text| values.push(text.map_or(Cell::Null, |text| Cell::Json(text.to_owned()))));
    values.finish().map_err(|bad| arrow::error::ArrowError::CastError(bad.why))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::Arc;

    use arrow::array::{Array, Float64Array, Int32Array};
    use arrow::datatypes::{Field, Schema};
    use arrow::util::pretty::pretty_format_batches;

    use super::super::columns::parse;
    use super::*;

    fn file(name: &str, content: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        File::create(&path).unwrap().write_all(content).unwrap();
        (folder, path)
    }

    fn shown(name: &str, content: &[u8], columns: &str) -> Result<Vec<String>, String> {
        let (_folder, path) = file(name, content);
        let batches = read(&path, &parse(columns).unwrap()).map_err(|problem| problem.to_string())?;
        let table = pretty_format_batches(&batches).unwrap().to_string();
        let lines = table.lines().filter(|line| line.starts_with('|')).skip(1);
        Ok(lines.map(|line| line.replace(' ', "")).collect())
    }

    #[test]
    fn csv_goes_by_the_names_of_its_first_line() {
        let csv = "\u{feff}b,a,c\n\"x,y\",1,t\n,2,\n";
        assert_eq!(
            shown("t.csv", csv.as_bytes(), "a bigint, b text, c boolean").unwrap(),
            ["|1|x,y|true|", "|2|||"]
        );
        assert_eq!(shown("t.csv", b"a\n1\n", "b text").unwrap_err(), ", line 1: there is no column \"b\"");
        assert_eq!(
            shown("t.csv", b"a\n1\n\"2\n3\"\n", "a bigint").unwrap_err(),
            ", line 3: the column \"a\" is no bigint: 2\n3"
        );
    }

    #[test]
    fn ndjson_is_an_object_a_line() {
        let ndjson =
            "{\"a\":12345678901234567890.5,\"b\":[\"x\",null],\"c\":{\"k\":[1]}}\n\n{\"a\":null,\"d\":1}\n";
        assert_eq!(
            shown("t.ndjson", ndjson.as_bytes(), "a numeric(30,1), b text[], c jsonb").unwrap(),
            ["|12345678901234567890.5|[x,]|{\"k\":[1]}|", "||||"]
        );
        let wrong = shown("t.jsonl", b"{\"a\":1}\n{\"a\":\"x\"}\n", "a integer").unwrap_err();
        assert_eq!(wrong, ", line 2: the column \"a\" is no integer: x");
        assert!(shown("t.ndjson", b"[1]\n", "a integer").unwrap_err().starts_with(", line 1: "));
        assert!(shown("t.ndjson", b"", "a integer").unwrap().is_empty());
    }

    #[test]
    fn parquet_columns_are_cast() {
        let schema = Arc::new(Schema::new(vec![
            Field::new("n", DataType::Int32, true),
            Field::new("x", DataType::Float64, true),
        ]));
        let columns: Vec<Arc<dyn Array>> = vec![
            Arc::new(Int32Array::from(vec![Some(1), None])),
            Arc::new(Float64Array::from(vec![0.5, 2.0])),
        ];
        let mut bytes = vec![];
        let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, Arc::clone(&schema), None).unwrap();
        writer.write(&RecordBatch::try_new(schema, columns).unwrap()).unwrap();
        writer.close().unwrap();
        assert_eq!(
            shown("t.parquet", &bytes, "x double precision, n bigint").unwrap(),
            ["|0.5|1|", "|2.0||"]
        );
        assert!(shown("t.parquet", &bytes, "n bigint not null").is_err());
        assert!(shown("t.xlsx", &bytes, "n bigint").is_err());
    }
}
