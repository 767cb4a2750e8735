//! What makes a projection impossible, before anything is drawn.

use couple_ports::time::Span;

use super::Pairs;
use crate::description::{Connector, Delay, Model, Network, Projection, ProjectionId, Receptor, Value};
use crate::random::DistributionError;
use crate::values::ValueError;

/// Why a projection cannot be made.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum SynapseError {
    /// The target is a spike source.
    #[error("`{0}` is a spike source: it receives nothing")]
    TargetIsSource(String),
    /// Sizes differ.
    #[error("OneToOne needs populations of equal size, but `{from}` has {from_size} and `{to}` has {to_size} neurons")]
    SizesDiffer {
        /// Presynaptic population.
        from: String,
        /// Its size.
        from_size: u32,
        /// Postsynaptic population.
        to: String,
        /// Its size.
        to_size: u32,
    },
    /// Not a probability.
    #[error("p is {0}, but a probability lies between 0 and 1")]
    NotAProbability(f64),
    /// More distinct partners than there are.
    #[error(
        "n is {n}, but each {neuron} neuron has only {available} possible {partner}s{self_connections}; \
         choose a smaller n or with_replacement = true"
    )]
    TooFewPartners {
        /// Partners wanted.
        n: u32,
        /// Partners there are.
        available: u32,
        /// `"postsynaptic"` or `"presynaptic"`: who chooses.
        neuron: &'static str,
        /// `"source"` or `"target"`: who is chosen.
        partner: &'static str,
        /// A remark, when self-connections are excluded.
        self_connections: &'static str,
    },
    /// More distinct pairs than there are.
    #[error(
        "n is {n}, but there are only {available} pairs{self_connections}; \
         choose a smaller n or with_replacement = true"
    )]
    TooFewPairs {
        /// Synapses wanted.
        n: u64,
        /// Pairs there are.
        available: u64,
        /// A remark, when self-connections are excluded.
        self_connections: &'static str,
    },
    /// Nobody to choose from at all.
    #[error("n is {n}, but there is no pair to choose{self_connections}")]
    NoPairs {
        /// Synapses wanted.
        n: u64,
        /// A remark, when self-connections are excluded.
        self_connections: &'static str,
    },
    /// A row of a list names a neuron that does not exist.
    #[error("row {row} of the list names {role} neuron {index}, but `{population}` has {size} neurons (0 to {})", size.saturating_sub(1))]
    IndexOutOfRange {
        /// Row of the list, from 0.
        row: usize,
        /// `"presynaptic"` or `"postsynaptic"`.
        role: &'static str,
        /// The index.
        index: u32,
        /// The population it should be in.
        population: String,
        /// Its size.
        size: u32,
    },
    /// A list of weights or delays goes with another connector than a list of pairs.
    #[error("a list of {0}s goes with the connector FromList only; give one {0} or a distribution")]
    ListWithoutPairs(&'static str),
    /// A list of weights or delays of another length than the pairs.
    #[error("the list of {what}s has {found} rows, but the list of pairs has {expected}")]
    ListLength {
        /// `"weight"` or `"delay"`.
        what: &'static str,
        /// Number of pairs.
        expected: usize,
        /// Rows given.
        found: usize,
    },
    /// The weight is no number or no distribution.
    #[error("weight: {0}")]
    Weight(ValueError),
    /// A weight has, or can have, the wrong sign for its receptor.
    #[error("weight {can} {weight} {unit}, but {rule}{remedy}")]
    WeightSign {
        /// `"is"`, or `"can become"` for a distribution.
        can: &'static str,
        /// The weight.
        weight: f64,
        /// Its unit.
        unit: &'static str,
        /// What PyNN demands of it.
        rule: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// The delay is no distribution.
    #[error("delay: {0}")]
    Delay(#[from] DistributionError),
    /// A delay is too short.
    #[error("delay is {delay}, but a synapse needs at least one step of its target, {step}")]
    DelayTooShort {
        /// The delay.
        delay: Span,
        /// The step.
        step: Span,
    },
    /// A delay is no multiple of the step.
    #[error("delay {delay} is no multiple of the target's step, {step}; the nearest one is {nearest}")]
    DelayOffGrid {
        /// The delay.
        delay: Span,
        /// The step.
        step: Span,
        /// The nearest delay there is.
        nearest: Span,
    },
    /// A delay is beyond what can be stored.
    #[error("delay can become {delay_ms} ms; delays of more than {most} are not supported")]
    DelayTooLong {
        /// The delay in ms.
        delay_ms: f64,
        /// The longest delay there can be.
        most: Span,
    },
}

/// Most steps that a delay can have.
const MOST_DELAY_STEPS: i64 = 1 << 24;

/// Whether the synapses of `projection` can be made. Populations, components and steps must exist.
pub fn validate(network: &Network, projection: ProjectionId) -> Result<(), SynapseError> {
    let p = &network.projections[projection];
    let target = &network.populations[p.to];
    if target.model.is_stimulus() {
        return Err(SynapseError::TargetIsSource(target.name.clone()));
    }
    validate_connector(network, p)?;
    validate_weight(p, &target.model)?;
    validate_delay(p, network.target_step(p))
}

fn validate_connector(network: &Network, p: &Projection) -> Result<(), SynapseError> {
    let pairs = Pairs::new(network, p);
    let (from, to) = (&network.populations[p.from], &network.populations[p.to]);
    let self_connections = if pairs.no_self { " (a neuron is not connected to itself)" } else { "" };
    let all_pairs = u64::from(pairs.sources()) * u64::from(pairs.to);
    match &p.connector {
        Connector::AllToAll { .. } => Ok(()),
        Connector::OneToOne if from.size == to.size => Ok(()),
        Connector::OneToOne => Err(SynapseError::SizesDiffer {
            from: from.name.clone(),
            from_size: from.size,
            to: to.name.clone(),
            to_size: to.size,
        }),
        Connector::FixedProbability { p, .. } if (0.0..=1.0).contains(p) => Ok(()),
        Connector::FixedProbability { p, .. } => Err(SynapseError::NotAProbability(*p)),
        Connector::FixedTotalNumber { n, .. } if *n > 0 && all_pairs == 0 => {
            Err(SynapseError::NoPairs { n: *n, self_connections })
        }
        Connector::FixedTotalNumber { n, with_replacement: false, .. } if *n > all_pairs => {
            Err(SynapseError::TooFewPairs { n: *n, available: all_pairs, self_connections })
        }
        Connector::FixedTotalNumber { .. } => Ok(()),
        Connector::FixedNumberPre { n, with_replacement, .. } => {
            let fewer = TooFew { n: *n, with_replacement: *with_replacement, self_connections };
            fewer.check(to.size, pairs.sources(), "postsynaptic", "source")
        }
        Connector::FixedNumberPost { n, with_replacement, .. } => {
            let fewer = TooFew { n: *n, with_replacement: *with_replacement, self_connections };
            fewer.check(from.size, pairs.targets(), "presynaptic", "target")
        }
        Connector::FromList { pairs } => {
            for (row, (pre, post)) in pairs.iter().enumerate() {
                for (index, population, role) in [(*pre, from, "presynaptic"), (*post, to, "postsynaptic")] {
                    if index >= population.size {
                        let (population, size) = (population.name.clone(), population.size);
                        return Err(SynapseError::IndexOutOfRange { row, role, index, population, size });
                    }
                }
            }
            Ok(())
        }
    }
}

/// The check of `FixedNumberPre` and `FixedNumberPost`.
struct TooFew {
    n: u32,
    with_replacement: bool,
    self_connections: &'static str,
}

impl TooFew {
    fn check(
        self,
        choosers: u32,
        available: u32,
        neuron: &'static str,
        partner: &'static str,
    ) -> Result<(), SynapseError> {
        let TooFew { n, with_replacement, self_connections } = self;
        if choosers == 0 || n == 0 {
            Ok(())
        } else if available == 0 {
            Err(SynapseError::NoPairs { n: u64::from(n), self_connections })
        } else if !with_replacement && n > available {
            Err(SynapseError::TooFewPartners { n, available, neuron, partner, self_connections })
        } else {
            Ok(())
        }
    }
}

/// The length that a list of weights or delays must have.
fn listed(p: &Projection, what: &'static str, found: usize) -> Result<(), SynapseError> {
    let Connector::FromList { pairs } = &p.connector else { return Err(SynapseError::ListWithoutPairs(what)) };
    let expected = pairs.len();
    if found == expected { Ok(()) } else { Err(SynapseError::ListLength { what, expected, found }) }
}

fn validate_weight(p: &Projection, target: &Model) -> Result<(), SynapseError> {
    if let Value::List(list) = &p.weight {
        listed(p, "weight", list.len())?;
    }
    let length = if let Value::List(list) = &p.weight { list.len() } else { 0 };
    p.weight.validate(length).map_err(SynapseError::Weight)?;
    // The receptors of a user's own model mean what the user says.
    let Model::Cell { cell, .. } = target else { return Ok(()) };
    let ((low, high), entry) = (p.weight.bounds(), cell.entry());
    let (wrong, weight, rule) = match (entry.conductance_based, p.receptor) {
        (true, _) => (low < 0.0, low, "conductances are zero or more, also inhibitory ones"),
        (false, Receptor::Excitatory) => (low < 0.0, low, "weights of the excitatory receptor are zero or more"),
        (false, Receptor::Inhibitory) => {
            (high > 0.0, high, "weights of the inhibitory receptor of a current-based cell are zero or less")
        }
    };
    if !wrong {
        return Ok(());
    }
    let (can, remedy) = match &p.weight {
        Value::Random(_) => ("can become", "; clip the distribution (normal_clipped with low and high)"),
        _ if entry.conductance_based => ("is", "; give the same number without its sign"),
        _ => ("is", "; change its sign or the receptor"),
    };
    Err(SynapseError::WeightSign { can, weight, unit: entry.weight_unit, rule, remedy })
}

fn validate_delay(p: &Projection, step: Span) -> Result<(), SynapseError> {
    let exact = |delay: &Span| {
        let (delay, most) = (*delay, step * MOST_DELAY_STEPS);
        if delay < step {
            Err(SynapseError::DelayTooShort { delay, step })
        } else if !delay.is_multiple_of(step) {
            let nearest = step * Span::from_ns(delay.ns() + step.ns() / 2).steps(step);
            Err(SynapseError::DelayOffGrid { delay, step, nearest })
        } else if delay > most {
            Err(SynapseError::DelayTooLong { delay_ms: delay.ms(), most })
        } else {
            Ok(())
        }
    };
    match &p.delay {
        Delay::Constant(delay) => exact(delay),
        Delay::Random(distribution) => {
            distribution.validate()?;
            let (most, delay_ms) = (step * MOST_DELAY_STEPS, distribution.bounds().1);
            if delay_ms > most.ms() { Err(SynapseError::DelayTooLong { delay_ms, most }) } else { Ok(()) }
        }
        Delay::List(list) => {
            listed(p, "delay", list.len())?;
            list.iter().try_for_each(exact)
        }
    }
}
