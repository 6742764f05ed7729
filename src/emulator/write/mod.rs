//! Writing records. Stub.
use super::call::Call;
use super::reply::{Answer, BAD_REQUEST, Failure};
pub(super) fn insert_one(_: &Call<'_>) -> Result<Answer, Failure> {
    Err(BAD_REQUEST.into())
}
pub(super) fn update_one(_: &Call<'_>) -> Result<Answer, Failure> {
    Err(BAD_REQUEST.into())
}
pub(super) fn insert(_: &Call<'_>) -> Result<Answer, Failure> {
    Err(BAD_REQUEST.into())
}
pub(super) fn update(_: &Call<'_>) -> Result<Answer, Failure> {
    Err(BAD_REQUEST.into())
}
pub(super) fn delete(_: &Call<'_>) -> Result<Answer, Failure> {
    Err(BAD_REQUEST.into())
}
