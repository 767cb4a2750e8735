//! The native kernel of `couple`: a simulator of point neurons on a grid, without input or output.
//!
//! * [`models`]: the cells.

pub mod models;
