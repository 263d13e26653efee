//! The program `awl`.
fn main() {}
