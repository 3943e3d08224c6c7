//! soak.

fn main() {}
