//! measure.

fn main() {}
