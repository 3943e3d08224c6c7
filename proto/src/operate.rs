//! What both programs need to be run by somebody. Comes in: a configuration, and how a service is doing. Goes out: a log, measures, an
//! answer to "is it well?", findings with cause and fix. Must never show content: no figure, no crime area, no name of a person.

pub mod backup;
pub mod cli;
pub mod document;
pub mod doctor;
pub mod harden;
pub mod health;
pub mod log;
pub mod measures;
pub mod settings;
pub mod supervise;
pub mod trace;
