//! The coordinator.
pub mod cli;
pub mod config;
pub mod plan;
pub mod runtime;
pub mod setup;
