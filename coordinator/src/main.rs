//! The `couple` program.
fn main() {}
