//! Tests of the crash.
