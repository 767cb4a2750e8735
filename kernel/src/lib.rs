//! The native kernel of `couple`: a simulator of point neurons on a grid, without input or output.
//!
//! * [`models`] are the cells.
//! * [`engine`] is one rank: it draws its synapses, holds them, and simulates.
//!
//! ```
//! use couple_kernel::engine::{Engine, Part};
//! # use couple_network::description::*;
//! # use couple_ports::time::{Span, Time};
//! # let cell = Cell::IfCurrExp;
//! # let mut params = cell.default_params();
//! # params.insert("i_offset".into(), Value::Constant(1.0));
//! # let network = Network {
//! #     name: "one cell".into(), seed: 1, duration: Span::from_ns(100_000_000),
//! #     components: vec![Component { name: "native".into(), simulator: Simulator::Native, step: Span::from_ns(100_000),
//! #         ranks: 1, threads: 1, script: None, command: vec![], python: None, cvode: None }],
//! #     populations: vec![Population { name: "cell".into(), component: 0, size: 1,
//! #         model: Model::Cell { cell, params, initial: Default::default() }, variables: vec![] }],
//! #     projections: vec![], connections: vec![], signals: vec![], messages: vec![], recordings: vec![],
//! # };
//! let mut engine = Engine::build(&network, Part { component: 0, rank: 0, ranks: 1, threads: 1 })?;
//! let mut spikes = Vec::new();
//! engine.run(Time::ZERO + network.duration, &mut |population, index, time| spikes.push((population, index, time)))?;
//! assert!(!spikes.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod engine;
pub mod models;

pub use engine::{BuildError, Engine, Part, RunError};
