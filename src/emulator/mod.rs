//! An embedded Kintone.
pub mod app;
pub mod demo;
