//! Files (K§2.1): uploads that wait for a record, and downloads of what records have.
//!
//! An upload's key is not the key that the record shows later: a record gets a new one with each file it takes.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::http::HeaderValue;
use chrono::{DateTime, TimeDelta, Utc};
use futures::{FutureExt as _, stream};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::app::{Content, File};
use super::call::Call;
use super::field::Kind;
use super::reply::{Answer, BAD_REQUEST, Failure, NO_FILE};
use super::store::{App, Stored};
use super::unknown::UPLOAD_DAYS;
use super::value::Value;

/// Bytes of one file. Longer bodies than the emulator takes are refused before.
const LARGEST: u64 = 1 << 30;
/// No more than this is made up for a file without content.
const LARGEST_MADE_UP: u64 = 64 << 20;
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// Files that no record has taken yet.
#[derive(Default)]
pub(super) struct Uploads(Mutex<Waiting>);

/// A file, and the time until which it can be taken.
type Upload = (File, DateTime<Utc>);

#[derive(Default)]
struct Waiting {
    /// By upload key.
    files: HashMap<String, Upload>,
    /// Every content once, by its hash.
    contents: HashMap<[u8; 32], Arc<[u8]>>,
    /// While several calls are one transaction, what they took.
    taken: Option<Vec<(String, Upload)>>,
}

impl Uploads {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a file and gives its upload key.
    fn add(&self, file: &File, now: DateTime<Utc>) -> String {
        let mut waiting = self.lock();
        waiting.files.retain(|_, (_, until)| *until > now);
        // Contents that nothing else holds are gone with their last file.
        waiting.contents.retain(|_, bytes| Arc::strong_count(bytes) > 1);
        let bytes = file.content.as_ref().map(|content| Arc::clone(&content.0)).unwrap_or_default();
        let shared = waiting.contents.entry(Sha256::digest(&bytes).into()).or_insert(bytes);
        let content = Some(Content(Arc::clone(shared)));
        let key = upload_key();
        let until = now + TimeDelta::days(UPLOAD_DAYS);
        waiting.files.insert(key.clone(), (File { content, ..file.clone() }, until));
        key
    }

    fn get(&self, key: &str, now: DateTime<Utc>) -> Option<File> {
        self.lock().files.get(key).filter(|(_, until)| *until > now).map(|(file, _)| file.clone())
    }
}

/// Several calls as one transaction, while nobody else is served.
impl Uploads {
    /// Remembers from now on what is taken.
    pub(super) fn begin(&self) {
        self.lock().taken = Some(vec![]);
    }

    /// What was taken since `begin` stays so.
    pub(super) fn keep(&self) {
        self.lock().taken = None;
    }

    /// What was taken since `begin` can be taken again.
    pub(super) fn undo(&self) {
        let mut waiting = self.lock();
        let taken = waiting.taken.take().unwrap_or_default();
        waiting.files.extend(taken);
    }
}

/// The uploads that a call's records take.
#[derive(Debug, Default)]
pub(super) struct Attached(HashSet<String>);

impl Attached {
    /// Puts files in the place of the keys that were sent: those that the record had stay as they were, uploads get
    /// a new key. An upload can be taken once.
    pub(super) fn attach(
        &mut self,
        uploads: &Uploads,
        old: Option<&Stored>,
        record: &mut Stored,
        now: DateTime<Utc>,
    ) -> Result<(), Failure> {
        let known: HashMap<&str, &File> =
            old.map(files).unwrap_or_default().into_iter().map(|file| (&*file.file_key, file)).collect();
        for value in &mut record.cells {
            match value {
                Value::Files(files) => *files = self.resolve(uploads, &known, files, now)?,
                Value::Rows(rows) if rows.iter().any(|row| row.cells.iter().any(is_files)) => {
                    let mut changed = rows.to_vec();
                    for value in changed.iter_mut().flat_map(|row| &mut row.cells) {
                        if let Value::Files(files) = value {
                            *files = self.resolve(uploads, &known, files, now)?;
                        }
                    }
                    *rows = changed.into();
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn resolve(
        &mut self,
        uploads: &Uploads,
        known: &HashMap<&str, &File>,
        sent: &[File],
        now: DateTime<Utc>,
    ) -> Result<Arc<[File]>, Failure> {
        let mut out = vec![];
        for file in sent {
            let key = &file.file_key;
            if let Some(kept) = known.get(&**key) {
                out.push((*kept).clone());
                continue;
            }
            let upload = uploads.get(key, now).filter(|_| self.0.insert(key.clone())).ok_or(NO_FILE)?;
            out.push(File { file_key: new_key(), ..upload });
        }
        Ok(out.into())
    }

    /// The records are written: what they took waits no longer.
    pub(super) fn commit(self, uploads: &Uploads) {
        let mut waiting = uploads.lock();
        for key in self.0 {
            let file = waiting.files.remove(&key);
            if let (Some(taken), Some(file)) = (&mut waiting.taken, file) {
                taken.push((key, file));
            }
        }
    }
}

fn is_files(value: &Value) -> bool {
    matches!(value, Value::Files(_))
}

/// A record's files, those of its tables too.
fn files(record: &Stored) -> Vec<&File> {
    let mut out = vec![];
    for value in &record.cells {
        match value {
            Value::Files(files) => out.extend(files.iter()),
            Value::Rows(rows) => {
                for value in rows.iter().flat_map(|row| &row.cells) {
                    if let Value::Files(files) = value {
                        out.extend(files.iter());
                    }
                }
            }
            _ => {}
        }
    }
    out
}

/// A key as records show it.
pub(super) fn new_key() -> String {
    let hex = std::iter::repeat_with(|| fastrand::digit(16).to_ascii_uppercase());
    let time = Utc::now().format("%Y%m%d%H%M%S");
    format!("{time}{}", hex.take(35).collect::<String>())
}

/// A key as uploads get it.
fn upload_key() -> String {
    let group = |length| std::iter::repeat_with(|| fastrand::digit(16)).take(length).collect::<String>();
    [8, 4, 4, 4, 12].map(group).join("-")
}

/// The file of a multipart body: one part named `file`.
pub(super) fn read_upload(content_type: &str, body: &Bytes) -> Result<File, Failure> {
    let boundary = multer::parse_boundary(content_type).map_err(|_| BAD_REQUEST)?;
    let whole = stream::iter([Ok::<_, std::convert::Infallible>(body.clone())]);
    // All of the body is there, so that nothing is waited for.
    parts(multer::Multipart::new(whole, boundary)).now_or_never().unwrap_or_else(|| Err(BAD_REQUEST.into()))
}

async fn parts(mut multipart: multer::Multipart<'_>) -> Result<File, Failure> {
    let mut found: Option<File> = None;
    while let Some(part) = multipart.next_field().await.map_err(|_| BAD_REQUEST)? {
        let is_file = part.name() == Some("file");
        let name = part.file_name().map(str::to_owned);
        let content_type = part.content_type().map(ToString::to_string);
        let bytes = part.bytes().await.map_err(|_| BAD_REQUEST)?;
        if !is_file {
            continue;
        }
        let name = name.filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Failure::invalid("file", "The file needs a name."))?;
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if size > LARGEST {
            return Err(Failure::invalid("file", "The file must be 1 GB or smaller."));
        }
        let file = File {
            file_key: String::new(),
            name,
            content_type: content_type.unwrap_or_else(|| UNKNOWN_TYPE.to_owned()),
            size,
            content: Some(Content(bytes.to_vec().into())),
        };
        if found.replace(file).is_some() {
            return Err(Failure::invalid("file", "One file can be uploaded at a time."));
        }
    }
    found.ok_or_else(|| Failure::invalid("file", "Required field."))
}

/// POST `file.json`.
pub(super) fn upload(call: &Call<'_>) -> Result<Answer, Failure> {
    let file = call.params.file().ok_or(BAD_REQUEST)?;
    let key = call.store.uploads.add(file, call.now);
    Ok(Answer::json(&json!({"fileKey": key})))
}

/// GET `file.json`: by the key of a record that the caller can reach; an upload's own key finds nothing.
pub(super) fn download(call: &Call<'_>) -> Result<Answer, Failure> {
    let key = call.params.text("fileKey")?.filter(|key| !key.is_empty());
    let key = key.ok_or_else(|| Failure::invalid("fileKey", "Required field."))?;
    let apps = call.store.apps.values().filter(|app| has_files(app));
    let reachable = apps.filter(|app| call.app_by_id(app.definition.id).is_ok());
    let file = reachable.into_iter().find_map(|app| find(app, key)).ok_or(NO_FILE)?;
    let body = file.content.as_ref().map_or_else(|| made_up(&file), |content| content.0.to_vec());
    let content_type = if HeaderValue::from_str(&file.content_type).is_ok() && !file.content_type.is_empty() {
        file.content_type
    } else {
        UNKNOWN_TYPE.to_owned()
    };
    Ok(Answer { content_type: Some(content_type), ..Answer::bytes(body) }.with_rows(1))
}

fn has_files(app: &App) -> bool {
    let fields = app.schema.fields.iter();
    fields.flat_map(|field| field.columns.iter().chain([field])).any(|field| field.kind == Kind::File)
}

fn find(app: &App, key: &str) -> Option<File> {
    let records = app.read();
    records.all.iter().find_map(|record| files(record).into_iter().find(|file| file.file_key == key).cloned())
}

/// Something for a file of which only the size is known: its name, line by line.
fn made_up(file: &File) -> Vec<u8> {
    let line = format!("{}\n", file.name);
    let size = usize::try_from(file.size.min(LARGEST_MADE_UP)).unwrap_or(0);
    line.bytes().cycle().take(size).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, text: &'static str) -> File {
        let content = Some(Content(text.as_bytes().into()));
        File {
            name: name.into(),
            content_type: "text/plain; charset=utf-8".into(),
            content,
            ..File::default()
        }
    }

    #[test]
    fn uploads_wait_three_days() {
        let uploads = Uploads::default();
        let now = DateTime::UNIX_EPOCH;
        let key = uploads.add(&named("a", "text"), now);
        let last = now + TimeDelta::days(3) - TimeDelta::seconds(1);
        assert_eq!(uploads.get(&key, last).unwrap().name, "a");
        assert!(uploads.get(&key, now + TimeDelta::days(3)).is_none());
        uploads.add(&named("b", "other"), now + TimeDelta::days(4));
        assert_eq!(uploads.lock().files.len(), 1);
        uploads.add(&named("c", "other"), now + TimeDelta::days(4));
        assert_eq!(uploads.lock().contents.len(), 1);
    }

    #[test]
    fn only_texts_are_searched() {
        assert_eq!(named("a", "text").text(), Some("text"));
        assert_eq!(File { content_type: "image/png".into(), ..named("a", "text") }.text(), None);
        let bytes = Some(Content([0xFF, 0xFE][..].into()));
        assert_eq!(File { content: bytes, ..named("a", "") }.text(), None);
        assert_eq!(File { content: None, ..named("a", "") }.text(), None);
    }
}
