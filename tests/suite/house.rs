//! Tests of the house.
