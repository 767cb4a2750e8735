//! The native kernel.
