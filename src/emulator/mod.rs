//! An embedded Kintone.
pub mod app;
