//! Tests of the golden.
