//! The variables of populations: which there are, in which unit, how wide, in which direction.
//!
//! * A cell gives its state variables, on every simulator, and takes `current` (nA, added to all else that drives it) and the parameters
//!   that can change while it runs: `i_offset` (nA) and `v_thresh` (mV), where it has them.
//! * A program, or a user's own model in a simulator, has the variables that it declares; the direction follows from use.
//! * A converter has those of its kind ([`crate::description::Converter`]).
//! * A spike source has none.

use std::ops::Range;

use couple_ports::index::IndexMap;

use crate::cells::Entry;
use crate::description::{Converter, Model, Population, Quantity, Value};

/// The input that every cell has: a current in nA.
pub const CURRENT: &str = "current";
/// Parameters of cells that can be inputs.
const CHANGING: [&str; 2] = ["i_offset", "v_thresh"];

/// Which way a variable's samples or messages go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Out of the population.
    Out,
    /// Into the population.
    In,
    /// One of the two, as it is used.
    Either,
}

/// What is known of a variable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VariableInfo {
    /// Its name.
    pub name: String,
    /// What it is, with its unit.
    pub quantity: Quantity,
    /// Which way it goes.
    pub direction: Direction,
    /// Number of columns: the population's size, but for the input of a linear map.
    pub width: u32,
}

impl VariableInfo {
    /// The unit, in canonical spelling; `None` for messages.
    pub fn unit(&self) -> Option<&str> {
        match &self.quantity {
            Quantity::Analog { unit } => Some(unit),
            Quantity::Message => None,
        }
    }
    /// True when it can be the source of a link or be recorded.
    pub fn gives(&self) -> bool {
        self.direction != Direction::In
    }
    /// True when it can be the target of a link.
    pub fn takes(&self) -> bool {
        self.direction != Direction::Out
    }
}

/// All variables of a population.
pub fn of(population: &Population) -> Vec<VariableInfo> {
    let width = population.size;
    match &population.model {
        Model::Cell { cell, .. } => of_cell(cell.entry(), width),
        Model::Converter(converter) => of_converter(converter, width),
        _ => {
            let declared = population.variables.iter().cloned();
            let info = |v: crate::description::Variable| VariableInfo {
                name: v.name,
                quantity: v.quantity,
                direction: Direction::Either,
                width,
            };
            declared.map(info).collect()
        }
    }
}

/// The variable of a population that is called `name`.
pub fn find(population: &Population, name: &str) -> Option<VariableInfo> {
    of(population).into_iter().find(|v| v.name == name)
}

/// The value of a variable at time 0, where the description tells it: the initial value of a cell's state variable.
pub fn start<'a>(population: &'a Population, name: &str) -> Option<&'a Value> {
    match &population.model {
        Model::Cell { initial, .. } => initial.get(name),
        _ => None,
    }
}

/// The columns of a variable that one of `ranks` ranks owns: those of its neurons, or all of them where each output
/// depends on all (the input of a linear map).
pub fn columns(population: &Population, name: &str, ranks: u32, rank: u32) -> Range<u32> {
    match &population.model {
        Model::Converter(Converter::Linear { matrix, .. }) if name == "x" => {
            0..matrix.first().map_or(0, Vec::len) as u32
        }
        _ => IndexMap::block(population.size, ranks).range(rank),
    }
}

fn analog(name: &str, unit: &str, direction: Direction, width: u32) -> VariableInfo {
    let unit = if unit.is_empty() { "1" } else { unit };
    VariableInfo { name: name.into(), quantity: Quantity::Analog { unit: unit.into() }, direction, width }
}

fn of_cell(entry: &Entry, width: u32) -> Vec<VariableInfo> {
    let state = entry.state.iter().map(|s| analog(s.name, s.unit, Direction::Out, width));
    let changing = CHANGING.iter().filter_map(|name| entry.parameter(name));
    let inputs = changing.map(|p| analog(p.name, p.unit, Direction::In, width));
    state.chain([analog(CURRENT, "nA", Direction::In, width)]).chain(inputs).collect()
}

fn of_converter(converter: &Converter, size: u32) -> Vec<VariableInfo> {
    use Direction::{In, Out};
    match converter {
        Converter::RateToPoisson => vec![analog("rate", "Hz", In, size)],
        Converter::SpikesToRate { .. } => vec![analog("rate", "Hz", Out, size)],
        Converter::Threshold { unit, .. } => vec![analog("x", unit, In, size)],
        Converter::Linear { matrix, unit_in, unit_out } => {
            let columns = matrix.first().map_or(0, Vec::len) as u32;
            vec![analog("x", unit_in, In, columns), analog("y", unit_out, Out, size)]
        }
        Converter::Gain { unit_in, unit_out, .. } => {
            vec![analog("x", unit_in, In, size), analog("y", unit_out, Out, size)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::description::Cell;

    fn population(model: Model) -> Population {
        Population { name: "p".into(), component: 0, size: 3, model, variables: vec![] }
    }

    fn cell(cell: Cell) -> Population {
        population(Model::Cell { cell, params: cell.default_params(), initial: Default::default() })
    }

    fn shown(population: &Population) -> Vec<String> {
        let show = |v: VariableInfo| {
            let way = if v.gives() { "out" } else { "in" };
            format!("{} {} {way} {}", v.name, v.unit().unwrap_or("message"), v.width)
        };
        of(population).into_iter().map(show).collect()
    }

    #[test]
    fn cells_have_their_state_and_inputs() {
        let expected = [
            "v mV out 3",
            "gsyn_exc uS out 3",
            "gsyn_inh uS out 3",
            "current nA in 3",
            "i_offset nA in 3",
            "v_thresh mV in 3",
        ];
        assert_eq!(shown(&cell(Cell::IfCondExp)), expected);
        assert_eq!(
            shown(&cell(Cell::Izhikevich)),
            ["v mV out 3", "u mV/ms out 3", "current nA in 3", "i_offset nA in 3"]
        );
        assert!(shown(&cell(Cell::HhCondExp)).contains(&"h 1 out 3".to_string()));
    }

    /// The table of docs/signals.md; `COUPLE_UPDATE=1 cargo test` writes it anew.
    #[test]
    fn the_page_tells_the_variables_of_each_cell() {
        let list = |all: &[&VariableInfo]| all.iter().map(|v| v.name.as_str()).collect::<Vec<_>>().join(", ");
        let row = |kind: Cell| {
            let all = of(&cell(kind));
            let (out, into): (Vec<_>, Vec<_>) = all.iter().partition(|v| v.gives());
            format!("| `{}` | {} | {} |\n", kind.name(), list(&out), list(&into))
        };
        let table: String = Cell::ALL.into_iter().map(row).collect();
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/signals.md");
        let page = std::fs::read_to_string(&path).expect("the page is there");
        let (before, rest) = page.split_once("| cell | out | in |").expect("the table is there");
        let (head, rest) = rest.split_once("|---|---|---|\n").expect("a head");
        let after = rest.split_once("\n\n").expect("the table ends").1;
        let new = format!("{before}| cell | out | in |{head}|---|---|---|\n{table}\n{after}");
        if std::env::var_os("COUPLE_UPDATE").is_some() {
            std::fs::write(&path, &new).expect("writable");
        }
        let written = std::fs::read_to_string(&path).expect("the page is there");
        assert!(written == new, "docs/signals.md is not current: run the tests with COUPLE_UPDATE=1");
    }

    #[test]
    fn a_linear_map_is_as_wide_as_its_matrix() {
        let map = Converter::Linear { matrix: vec![vec![0.0; 5]; 3], unit_in: "mV".into(), unit_out: "nA".into() };
        let map = population(Model::Converter(map));
        assert_eq!(shown(&map), ["x mV in 5", "y nA out 3"]);
        assert_eq!((columns(&map, "x", 2, 1), columns(&map, "y", 2, 0), columns(&map, "y", 2, 1)), (0..5, 0..2, 2..3));
        assert_eq!(shown(&population(Model::Converter(Converter::RateToPoisson))), ["rate Hz in 3"]);
    }

    #[test]
    fn programs_have_what_they_declare() {
        let mut port = population(Model::Port);
        let variable = |name: &str, quantity| crate::description::Variable { name: name.into(), quantity };
        port.variables.push(variable("dend", Quantity::Analog { unit: "mV".into() }));
        port.variables.push(variable("command", Quantity::Message));
        let found = of(&port);
        assert!(found.iter().all(|v| v.gives() && v.takes() && v.width == 3));
        assert_eq!(find(&port, "command").map(|v| v.quantity), Some(Quantity::Message));
        assert_eq!(find(&port, "v"), None);
        assert!(of(&population(Model::SpikeSourceArray { spike_times: vec![] })).is_empty());
    }
}
