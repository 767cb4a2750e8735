//! The coordinator.
pub mod plan;
