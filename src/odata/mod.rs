//! The OData door.
