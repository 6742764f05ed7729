//! The PostgreSQL door.
