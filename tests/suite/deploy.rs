//! Tests of the deploy.
