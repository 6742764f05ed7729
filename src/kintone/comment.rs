//! Comments on records (K§2.1).

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{AppKey, Client, Done, Entity, EntityKind};
use super::error::Error;
use super::request::Call;
use super::wire::{id, number, or_default};

/// A comment on a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// From 1 in each record.
    pub id: u64,
    /// Its text as Kintone gives it.
    pub text: String,
    /// `2026-04-24T12:00:00Z`
    pub created_at: String,
    /// Who wrote it.
    pub creator: Entity,
    /// A JSON array of code and type.
    pub mentions: String,
}

/// At most ten comments of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentPage {
    /// In the order asked for.
    pub comments: Vec<Comment>,
    /// There are older ones.
    pub older: bool,
    /// There are newer ones.
    pub newer: bool,
}

/// A comment to be added.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewComment {
    /// 1 to 65,535 characters.
    pub text: String,
    /// Who is told.
    pub mentions: Vec<Mention>,
}

/// Who is told of a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The code of a user, group or organization.
    pub code: String,
    /// Which of them.
    pub kind: EntityKind,
}

impl Client {
    /// At most ten comments of a record.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn comments(
        &self,
        app: AppKey,
        record: u64,
        offset: u64,
        ascending: bool,
    ) -> Result<CommentPage, Error> {
        let call = Call::of_app("record/comments.json", app)
            .with("record", record)
            .with("order", if ascending { "asc" } else { "desc" })
            .with("offset", offset)
            .with("limit", 10);
        let (reply, name): (CommentsReply, _) = self.named_reply(&call).await?;
        let comments = reply.comments.into_iter().map(WireComment::comment).collect::<Option<Vec<_>>>();
        let comments = comments.ok_or_else(|| self.unexpected(&name, "a comment without an id"))?;
        Ok(CommentPage { comments, older: reply.older, newer: reply.newer })
    }

    /// Adds a comment; gives its id.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn add_comment(&self, app: AppKey, record: u64, comment: &NewComment) -> Result<u64, Error> {
        let mention = |m: &Mention| json!({"code": m.code, "type": m.kind.as_str()});
        let mut wire = json!({"text": comment.text});
        if !comment.mentions.is_empty() {
            wire["mentions"] = comment.mentions.iter().map(mention).collect();
        }
        let call = Call::to_app(Method::POST, "record/comment.json", app, 1);
        let reply: IdReply = self.reply(&call.with("record", record).with("comment", wire)).await?;
        Ok(reply.id)
    }

    /// Deletes a comment.
    ///
    /// # Errors
    /// Kintone refuses or does not answer; a comment that is gone is `GAIA_RE02`.
    pub async fn delete_comment(&self, app: AppKey, record: u64, comment: u64) -> Result<(), Error> {
        let call = Call::to_app(Method::DELETE, "record/comment.json", app, 1);
        let _: Done = self.reply(&call.with("record", record).with("comment", comment)).await?;
        Ok(())
    }
}

#[derive(Deserialize)]
struct IdReply {
    #[serde(deserialize_with = "id")]
    id: u64,
}

#[derive(Deserialize)]
struct CommentsReply {
    comments: Vec<WireComment>,
    older: bool,
    newer: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireComment {
    id: Value,
    #[serde(default, deserialize_with = "or_default")]
    text: String,
    created_at: String,
    creator: Entity,
    #[serde(default)]
    mentions: Value,
}

impl WireComment {
    fn comment(self) -> Option<Comment> {
        Some(Comment {
            id: number(&self.id)?,
            text: self.text,
            created_at: self.created_at,
            creator: self.creator,
            mentions: if self.mentions.is_null() { "[]".into() } else { self.mentions.to_string() },
        })
    }
}
