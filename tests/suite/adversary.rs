//! Tests of the adversary.
