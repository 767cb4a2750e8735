//! Small networks for the tests of this crate.

use std::collections::BTreeMap;

use couple_ports::time::Span;

use crate::description::{
    Cell, Component, Connector, Delay, Distribution, Model, Network, Population, Projection, Receptor, Simulator, Value,
};

pub(crate) const STEP: Span = Span::from_ns(100_000);

pub(crate) fn component(name: &str, step: Span) -> Component {
    Component {
        name: name.into(),
        simulator: Simulator::Native,
        step,
        ranks: 1,
        threads: 1,
        script: None,
        command: vec![],
        python: None,
        cvode: None,
    }
}

pub(crate) fn cells(cell: Cell) -> Model {
    let params = cell.default_params();
    let initial = cell.complete_initial(&params, BTreeMap::new());
    Model::Cell { cell, params, initial }
}

pub(crate) fn population(name: &str, size: u32, model: Model) -> Population {
    Population { name: name.into(), component: 0, size, model, variables: vec![] }
}

pub(crate) fn projection(from: usize, to: usize, connector: Connector) -> Projection {
    Projection {
        name: format!("{from}→{to}"),
        from,
        to,
        connector,
        weight: Value::Random(Distribution::NormalClipped { mu: 0.1, sigma: 0.05, low: 0.0, high: 1.0 }),
        delay: Delay::Random(Distribution::Uniform { low: 0.1, high: 2.0 }),
        receptor: Receptor::Excitatory,
        plasticity: crate::description::Plasticity::Static,
    }
}

/// Populations 0 and 1 of `sizes` with one projection: from 0 to 1, or within 0 when `recurrent`.
pub(crate) fn network(sizes: [u32; 2], recurrent: bool, connector: Connector) -> Network {
    Network {
        name: "test".into(),
        seed: 4711,
        duration: Span::from_ns(1_000_000),
        components: vec![component("c", STEP)],
        populations: vec![
            population("A", sizes[0], cells(Cell::IfCurrExp)),
            population("B", sizes[1], cells(Cell::IfCurrExp)),
        ],
        projections: vec![projection(0, usize::from(!recurrent), connector)],
        connections: vec![],
        signals: vec![],
        messages: vec![],
        recordings: vec![],
    }
}
