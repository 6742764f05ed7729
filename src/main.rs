//! Arguments in, exit code out. Nothing else.

fn main() {}
