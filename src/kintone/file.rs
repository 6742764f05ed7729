//! Files in and out of records, as streams: a file can be larger than memory (K§2.1).

use std::fmt;
use std::io;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt};
use futures::{Stream, stream};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Body, Method, RequestBuilder, Response};
use serde::Deserialize;

use super::client::{AppKey, Client};
use super::domain::{Attempt, Pass};
use super::error::Error;
use super::http::{Answer, Http};
use super::request::{Call, bare};
use super::retry::Effect;

/// A download of 1 GB on a slow line. Each pause is bounded all the same.
const DOWNLOAD: Duration = Duration::from_secs(3600);

/// Bytes of an upload that a slow line takes in a second.
const SLOW: u64 = 128 * 1024;

/// What a file holds.
pub enum Content {
    /// All of it, which can be sent again.
    Whole(Bytes),
    /// So many bytes, part by part; sent once.
    Stream(u64, BoxStream<'static, io::Result<Bytes>>),
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "Whole({} bytes)", bytes.len()),
            Self::Stream(length, _) => write!(f, "Stream({length} bytes)"),
        }
    }
}

/// A file that comes in. Its place among the running requests is given back when it is dropped.
pub struct Download {
    /// Such as `image/png`.
    pub content_type: String,
    /// Bytes, where the answer tells.
    pub length: Option<u64>,
    stream: BoxStream<'static, Result<Bytes, Error>>,
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download").field("content_type", &self.content_type).finish_non_exhaustive()
    }
}

impl Download {
    /// The file's parts; an error ends it. What came before an error is not the file.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, Error>> + Send + Unpin + 'static {
        self.stream
    }
}

impl Client {
    /// Uploads a file; gives the key by which a record can have it. A key that no record takes ends by itself.
    ///
    /// `space` is the guest space of the app that it is for.
    ///
    /// # Errors
    /// Kintone refuses or does not answer. A stream is never sent again.
    pub async fn upload(
        &self,
        space: Option<u64>,
        name: &str,
        content_type: &str,
        content: Content,
    ) -> Result<String, Error> {
        let mut call = Call::get("file.json").effect(Effect::Lease);
        call.method = Method::POST;
        call.guest_space = space;
        if self.config().read_only {
            return Err(self.http.not_sent(&call, "the connection is read-only (Readonly)"));
        }
        let boundary = format!("kintone-sql-{:032x}", fastrand::u128(..));
        let quoted = name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
        let content_type = content_type.replace(['\r', '\n'], " ");
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{quoted}\"\r\nContent-Type: {content_type}\r\n\r\n"
        );
        let tail = format!("\r\n--{boundary}--\r\n");
        let upload =
            Upload { http: &self.http, call, boundary, head, tail, content: Mutex::new(Some(content)) };
        let answer = self.http.lane.run(Effect::Lease, &upload).await?;
        let reply: UploadReply = self.decode(&answer.body, &answer.call)?;
        Ok(reply.file_key)
    }

    /// A file by the key that a record gives; the key of an upload is another one.
    ///
    /// # Errors
    /// Kintone refuses or does not answer; an unknown key is `GAIA_BL01`.
    pub async fn download(&self, app: AppKey, key: &str) -> Result<Download, Error> {
        let call = Call::get("file.json").at(app).with("fileKey", key);
        self.http.lane.run(Effect::None, &Fetch { client: self, call }).await
    }
}

/// An upload under way.
struct Upload<'a> {
    http: &'a Http,
    call: Call,
    boundary: String,
    head: String,
    tail: String,
    /// Taken by the first try where it is a stream.
    content: Mutex<Option<Content>>,
}

impl Upload<'_> {
    fn request(&self, path: &str) -> Option<RequestBuilder> {
        let mut content = self.content.lock().ok()?;
        let (length, content_stream) = match content.take()? {
            Content::Whole(bytes) => {
                *content = Some(Content::Whole(bytes.clone()));
                (u64::try_from(bytes.len()).ok()?, stream::iter([Ok(bytes)]).boxed())
            }
            Content::Stream(length, parts) => (length, parts),
        };
        let around = |text: &str| stream::iter([Ok(Bytes::from(text.to_owned()))]);
        let body = around(&self.head).chain(content_stream).chain(around(&self.tail));
        let length = length + u64::try_from(self.head.len() + self.tail.len()).ok()?;
        let config = self.http.config();
        let time = config.timeouts.total + Duration::from_secs(length / SLOW);
        let request = self.http.client.post(bare(&config.url, path)).timeout(time);
        // Kintone is told the length: nobody has seen it take a body in chunks.
        Some(
            request
                .header(CONTENT_TYPE, format!("multipart/form-data; boundary={}", self.boundary))
                .header(CONTENT_LENGTH, length)
                .body(Body::wrap_stream(body)),
        )
    }
}

impl Attempt for Upload<'_> {
    type Output = Answer;

    async fn send(&self, pass: Pass) -> Result<Answer, Error> {
        let path = self.call.path(&self.http.config().url);
        let name = self.call.name(&path);
        let incoming = self.http.incoming(&name);
        let Some(request) = self.request(&path) else {
            return Err(incoming.broke_off("nothing left to send"));
        };
        let entry = self.http.begin(&self.call, path);
        let mut status = 0;
        // The answer comes after the whole file, which may take its time.
        let body = match request.send().await.map_err(|e| self.http.not_answered(&incoming, &e)) {
            Ok(response) => {
                status = response.status().as_u16();
                incoming.json(response, &pass).await
            }
            Err(error) => Err(error),
        };
        self.http.end(&entry, status, body.as_ref().map_or(0, Bytes::len));
        Ok(Answer { body: body?, number: entry.number, call: name })
    }

    async fn probe(&self, pass: Pass) -> Result<(), Error> {
        self.http.probe(pass).await
    }

    fn is_repeatable(&self) -> bool {
        self.content.lock().is_ok_and(|content| content.is_some())
    }
}

/// A download up to its head: until then it can be tried again.
struct Fetch<'a> {
    client: &'a Client,
    call: Call,
}

impl Attempt for Fetch<'_> {
    type Output = Download;

    async fn send(&self, pass: Pass) -> Result<Download, Error> {
        let http = &self.client.http;
        let path = self.call.path(&http.config().url);
        let name = self.call.name(&path);
        let request = self.call.request(&http.client, &http.config().url, &path).timeout(DOWNLOAD);
        let incoming = http.incoming(&name);
        let entry = http.begin(&self.call, path);
        let mut status = 0;
        let response = match http.head(request, &incoming).await {
            Ok(response) => {
                status = response.status().as_u16();
                incoming.file(response, &pass).await
            }
            Err(error) => Err(error),
        };
        http.end(&entry, status, 0);
        let response = response?;
        let header = response.headers().get(CONTENT_TYPE);
        let content_type =
            header.map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned()).unwrap_or_default();
        let length = response.content_length();
        let stream = parts(self.client.clone(), name, response, pass).boxed();
        Ok(Download { content_type, length, stream })
    }

    async fn probe(&self, pass: Pass) -> Result<(), Error> {
        self.client.http.probe(pass).await
    }
}

/// The parts of a body; the pass is held to their end.
fn parts(
    client: Client,
    name: String,
    response: Response,
    pass: Pass,
) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
    let body = response.bytes_stream().boxed();
    stream::unfold(Some((client, name, body, pass)), async |state| {
        let (client, name, mut body, pass) = state?;
        let incoming = client.http.incoming(&name);
        let error = match tokio::time::timeout(incoming.idle, body.next()).await {
            Ok(None) => return None,
            Ok(Some(Ok(part))) => return Some((Ok(part), Some((client, name, body, pass)))),
            Ok(Some(Err(error))) => incoming.cut(&error),
            Err(_) => incoming.broke_off("the answer stopped half way"),
        };
        Some((Err(error), None))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UploadReply {
    file_key: String,
}
