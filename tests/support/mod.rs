//! What the tests of SQL share: an engine over an embedded Kintone, the PostgreSQL door before it, and one way to
//! write a value down whichever way it came.

pub(crate) mod door;
pub(crate) mod proxy;
pub(crate) mod text;
pub(crate) mod world;
