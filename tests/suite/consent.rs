//! Tests of the consent.
