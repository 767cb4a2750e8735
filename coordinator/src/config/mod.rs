//! The configuration: TOML in, network description and run options out, or everything that is wrong with it.
//!
//! ```text
//! file ─► text ─► tree of values with places ─► each table read against its keys ─► checks across tables ─► Network
//!         (load)  (tree.rs, set.rs)             (reader.rs, run.rs, component.rs, …)  (checks.rs)
//! ```
//!
//! Nothing stops at the first mistake: a function that finds one notes a [`Diagnostic`] and returns `None`, and what
//! depends on the missing value keeps silent, so that each cause is reported once.
//!
//! `configs/default.toml` ([`DEFAULT`]) documents every key, [`schema`] tells editors.

mod checks;
mod component;
mod connector;
mod converter;
mod diagnostic;
mod expression;
mod keys;
mod limits;
mod links;
mod load;
mod names;
mod nearest;
mod pairs;
mod places;
mod population;
mod projection;
mod reader;
mod records;
mod run;
mod schema;
mod set;
mod signals;
mod synapse;
mod synonyms;
mod tree;
mod units;
mod uses;
mod values;

pub(crate) use limits::{certain_delay, expected_synapses};

pub use diagnostic::{Diagnostic, Place, Severity, Source, render_all};
pub use load::{Loaded, load, load_without, parse};
pub use places::Places;
pub use run::RunOptions;
pub use schema::schema;

/// A configuration with every key, commented: `configs/default.toml`.
pub const DEFAULT: &str = include_str!("../../../configs/default.toml");
