//! The coordinator.
pub mod plan;
pub mod runtime;
