//! The native component.
