//! The rows: flat, of the types that every server of the comparison has.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use parquet::arrow::ArrowWriter;

/// The columns as CREATE TABLE has them.
pub(crate) const COLUMNS: &str = "id bigint primary key, quantity integer, price double precision, company text, \
                                  city text, active boolean, due date, created timestamp";

/// 2024-01-01 in days.
const DAY: i32 = 19_723;

/// Rows of a batch and of a row group.
const ROWS: usize = 65_536;

/// The rows in a folder, as Parquet and as CSV.
pub(crate) struct Files {
    pub(crate) parquet: PathBuf,
    pub(crate) csv: PathBuf,
}

/// Writes both files.
pub(crate) fn write(folder: &Path, rows: usize) -> Files {
    let files = Files { parquet: folder.join("big.parquet"), csv: folder.join("big.csv") };
    let mut csv = BufWriter::new(File::create(&files.csv).unwrap());
    let mut parquet: Option<ArrowWriter<File>> = None;
    for start in (0..rows).step_by(ROWS) {
        let ids: Vec<i64> =
            (start..rows.min(start + ROWS)).map(|id| i64::try_from(id + 1).unwrap()).collect();
        let batch = batch(&ids);
        let writer = parquet.get_or_insert_with(|| {
            ArrowWriter::try_new(File::create(&files.parquet).unwrap(), batch.schema(), None).unwrap()
        });
        writer.write(&batch).unwrap();
        ids.iter().for_each(|id| line(&mut csv, *id));
    }
    parquet.unwrap().close().unwrap();
    csv.flush().unwrap();
    files
}

fn small(id: i64, of: i64) -> i32 {
    i32::try_from(id.rem_euclid(of)).unwrap()
}

fn price(id: i64) -> f64 {
    (id % 1_000_003) as f64 * 1.25
}

fn company(id: i64) -> String {
    format!("株式会社 No. {id}")
}

fn city(id: i64) -> &'static str {
    ["Tokyo", "Osaka", "Nagoya", "Sapporo", "Fukuoka"][usize::try_from(id % 5).unwrap()]
}

fn microseconds(id: i64) -> i64 {
    i64::from(DAY) * 86_400_000_000 + id * 60_000_000
}

fn batch(ids: &[i64]) -> RecordBatch {
    let of = |column: &str, array: ArrayRef| (column.to_owned(), array);
    let columns = [
        of("id", Arc::new(Int64Array::from(ids.to_vec()))),
        of("quantity", Arc::new(ids.iter().map(|id| Some(small(*id, 1000))).collect::<Int32Array>())),
        of("price", Arc::new(ids.iter().map(|id| Some(price(*id))).collect::<Float64Array>())),
        of("company", Arc::new(ids.iter().map(|id| Some(company(*id))).collect::<StringArray>())),
        of("city", Arc::new(ids.iter().map(|id| Some(city(*id))).collect::<StringArray>())),
        of("active", Arc::new(ids.iter().map(|id| Some(id % 3 != 0)).collect::<BooleanArray>())),
        of("due", Arc::new(ids.iter().map(|id| Some(DAY + small(*id, 730))).collect::<Date32Array>())),
        of(
            "created",
            Arc::new(ids.iter().map(|id| Some(microseconds(*id))).collect::<TimestampMicrosecondArray>()),
        ),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn line(csv: &mut impl std::io::Write, id: i64) {
    let due = chrono::NaiveDate::from_epoch_days(DAY + small(id, 730)).unwrap();
    let created = chrono::DateTime::from_timestamp_micros(microseconds(id)).unwrap().naive_utc();
    let (quantity, price, company, city, active) =
        (small(id, 1000), price(id), company(id), city(id), id % 3 != 0);
    writeln!(csv, "{id},{quantity},{price},{company},{city},{active},{due},{created}").unwrap();
}
