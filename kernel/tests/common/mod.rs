//! What the comparisons with NEST share: cells on random input, advanced here and there.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use couple_kernel::models::{Definition, Input, Neurons, Parameter, ParameterError, Variable, weight_unit};
use couple_network::description::Cell;
use couple_ports::time::Span;

/// One neuron and its input.
pub struct Case {
    /// Shown in messages.
    pub name: String,
    /// The cell.
    pub cell: Cell,
    /// Its PyNN parameters.
    pub params: BTreeMap<&'static str, f64>,
    /// Initial values, in PyNN's units; of others the cell's defaults.
    pub initial: BTreeMap<&'static str, f64>,
    /// Step.
    pub step: Span,
    /// Number of steps.
    pub steps: u32,
    /// Injected current: (step after which it flows, nA), sorted.
    pub current: Vec<(u32, f64)>,
    /// Changes of parameters: (step after which they are so, parameter, value), sorted.
    pub changes: Vec<(u32, Parameter, f64)>,
    /// Arrivals at the excitatory and at the inhibitory receptor: (step, weight in units of 2^-40), sorted.
    pub arrivals: [Vec<(u32, i64)>; 2],
}

/// What a neuron did.
#[derive(Default)]
pub struct Trace {
    /// The cell's state variables after each step, in the catalogue's order and PyNN's units.
    pub states: Vec<Vec<f64>>,
    /// Steps at which it fired.
    pub spikes: Vec<u32>,
}

/// The weight of one unit.
const UNIT: f64 = 1.0 / (1u64 << 40) as f64;

/// A small generator of numbers in [0, 1): the comparison needs variety, not quality.
pub struct Numbers(pub u64);
impl Numbers {
    /// The next number.
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Parameters other than PyNN's defaults, for more spikes and less symmetry.
const USUAL: [(&str, f64); 11] = [
    ("tau_syn_E", 2.0),
    ("tau_syn_I", 5.0),
    ("i_offset", 0.1),
    ("tau_refrac", 2.0),
    ("v_rest", -65.0),
    ("v_reset", -66.5),
    ("v_thresh", -50.0),
    ("cm", 0.25),
    ("tau_m", 20.0),
    ("e_rev_E", 0.0),
    ("e_rev_I", -70.0),
];

impl Case {
    /// `cell` with usual parameters, on 600 excitatory and 150 inhibitory spikes a second at random steps, with random
    /// weights up to `strength` in PyNN units.
    pub fn random(name: &str, cell: Cell, step: Span, steps: u32, strength: [f64; 2], seed: u64) -> Self {
        let mut numbers = Numbers(seed);
        let seconds = step.ms() * f64::from(steps) / 1000.0;
        let mut arrive = |rate: f64, strength: f64| {
            let mut all: Vec<(u32, i64)> = (0..(rate * seconds) as usize)
                .map(|_| {
                    let at = 2 + (numbers.next() * f64::from(steps - 2)) as u32;
                    (at, (strength * (0.5 + 0.5 * numbers.next()) / UNIT) as i64)
                })
                .collect();
            all.sort_unstable();
            all
        };
        let arrivals = [arrive(600.0, strength[0]), arrive(150.0, strength[1])];
        // The usual ones, of those that the cell has, and its defaults.
        let defaults = cell.entry().parameters.iter().filter_map(|p| Some((p.name, p.default?)));
        let mut params: BTreeMap<_, _> = defaults.collect();
        let usual = if params.contains_key("v_spike") || !params.contains_key("tau_m") { &USUAL[..3] } else { &USUAL };
        for (name, value) in usual {
            params.entry(name).and_modify(|default| *default = *value);
        }
        let v = match cell {
            Cell::IfFacetsHardware1 | Cell::HhCondExp | Cell::Izhikevich => -65.0,
            _ => -63.0,
        };
        let initial = BTreeMap::from([("v", v)]);
        Case { name: name.into(), cell, params, initial, step, steps, current: vec![], changes: vec![], arrivals }
    }

    /// The same with another initial value.
    pub fn starting(mut self, name: &'static str, value: f64) -> Self {
        self.initial.insert(name, value);
        self
    }

    /// The same with another parameter.
    pub fn with(mut self, name: &'static str, value: f64) -> Self {
        self.params.insert(name, value);
        self
    }

    /// The same with a current that jumps every 5 ms to a random value within `range` (nA).
    pub fn injected(mut self, range: [f64; 2], seed: u64) -> Self {
        self.name += ", injected current";
        self.current = self.jumps(range, seed);
        self
    }

    /// The same with a parameter that jumps every 5 ms to a random value within `range`.
    pub fn changing(mut self, parameter: Parameter, range: [f64; 2], seed: u64) -> Self {
        self.name += &format!(", {} changes", parameter.name());
        let jumps = self.jumps(range, seed);
        self.changes.extend(jumps.into_iter().map(|(after, value)| (after, parameter, value)));
        self.changes.sort_by_key(|change| change.0);
        self
    }

    fn jumps(&self, [low, high]: [f64; 2], seed: u64) -> Vec<(u32, f64)> {
        let (mut numbers, every) = (Numbers(seed), Span::from_ns(5_000_000).steps(self.step) as u32);
        (1..self.steps / every).map(|k| (k * every, low + (high - low) * numbers.next())).collect()
    }

    /// The state variables of the cell.
    pub fn states(&self) -> Vec<&'static str> {
        self.cell.entry().state.iter().map(|state| state.name).collect()
    }

    /// The neuron's behaviour in the kernel.
    pub fn run(&self) -> Trace {
        let mut neurons = Neurons::new(self.cell, self, self.step).expect("the parameters are in range");
        let unit = UNIT * weight_unit(self.cell);
        let states: Vec<Variable> =
            self.states().into_iter().map(|name| Variable::named(name).expect("known")).collect();
        let mut trace = Trace { states: vec![vec![]; states.len()], spikes: vec![] };
        let mut next = [0, 0];
        for k in 1..=self.steps {
            let mut sums = [[0i64], [0i64]];
            for receptor in 0..2 {
                let arrivals = &self.arrivals[receptor];
                while next[receptor] < arrivals.len() && arrivals[next[receptor]].0 == k {
                    sums[receptor][0] += arrivals[next[receptor]].1;
                    next[receptor] += 1;
                }
            }
            let currents = self.current.iter().map(|&(after, current)| (after, Parameter::Current, current));
            for (_, parameter, value) in currents.chain(self.changes.iter().copied()).filter(|change| change.0 + 1 == k)
            {
                neurons.set(parameter, &[value]);
            }
            let [exc, inh] = &mut sums;
            let mut fired = Vec::new();
            neurons.advance([Input { sums: exc, unit }, Input { sums: inh, unit }], &mut fired);
            trace.spikes.extend(fired.iter().map(|_| k));
            for (variable, values) in states.iter().zip(&mut trace.states) {
                assert!(neurons.read(*variable, values), "{:?} has no {variable:?}", self.cell);
            }
        }
        trace
    }

    fn json(&self) -> String {
        let mut text = format!(
            "{{\"name\":\"{}\",\"cell\":\"{}\",\"step\":{:?},\"steps\":{}",
            self.name,
            self.cell.name(),
            self.step.ms(),
            self.steps
        );
        for (key, values) in [("params", &self.params), ("initial", &self.initial)] {
            let list: Vec<String> = values.iter().map(|(name, value)| format!("\"{name}\":{value:?}")).collect();
            let _ = write!(text, ",\"{key}\":{{{}}}", list.join(","));
        }
        for (receptor, arrivals) in ["excitatory", "inhibitory"].iter().zip(&self.arrivals) {
            let list: Vec<String> = arrivals.iter().map(|(at, w)| format!("[{at},{:?}]", *w as f64 * UNIT)).collect();
            let _ = write!(text, ",\"{receptor}\":[{}]", list.join(","));
        }
        let list: Vec<String> = self.current.iter().map(|(after, i)| format!("[{after},{i:?}]")).collect();
        let _ = write!(text, ",\"current\":[{}]", list.join(","));
        let change = |(after, p, v): &(u32, Parameter, f64)| format!("[{after},\"{}\",{v:?}]", p.name());
        let list: Vec<String> = self.changes.iter().map(change).collect();
        let _ = write!(text, ",\"changes\":[{}],\"read\":{:?}", list.join(","), self.states());
        text + "}"
    }
}

impl Definition for Case {
    fn constant(&self, name: &str) -> Result<f64, ParameterError> {
        self.params.get(name).copied().ok_or_else(|| ParameterError::Missing(name.into()))
    }
    fn each(&self, name: &str) -> Result<Vec<f64>, ParameterError> {
        Ok(vec![self.constant(name)?])
    }
    fn initial(&self, name: &str) -> Result<Option<Vec<f64>>, ParameterError> {
        Ok(self.initial.get(name).map(|value| vec![*value]))
    }
    fn size(&self) -> usize {
        1
    }
}

/// The cases that are compared, by cell.
pub fn cases() -> Vec<Case> {
    let step = Span::from_ns(100_000);
    let random = |name: &str, cell, strength, seed| Case::random(name, cell, step, 10_000, strength, seed);
    let exp = |name: &str, seed| random(name, Cell::IfCurrExp, [0.4, -0.4], seed);
    let alpha = |name: &str, seed| random(name, Cell::IfCurrAlpha, [0.25, -0.25], seed);
    let delta = |name: &str, seed| random(name, Cell::IfCurrDelta, [2.0, -2.0], seed);
    let cond = |name: &str, seed| random(name, Cell::IfCondExp, [0.008, 0.02], seed);
    let quarter = |mut case: Case| {
        case.step = Span::from_ns(25_000);
        case.steps = 20_000;
        case
    };
    vec![
        exp("IF_curr_exp", 1),
        exp("IF_curr_exp, tau_syn_E = tau_m", 2).with("tau_syn_E", 20.0),
        exp("IF_curr_exp, tau_syn_E almost tau_m", 3).with("tau_syn_E", 20.000_000_001),
        exp("IF_curr_exp, tau_refrac off the grid", 4).with("tau_refrac", 0.72),
        quarter(exp("IF_curr_exp, step 0.025 ms", 5)),
        alpha("IF_curr_alpha", 6),
        alpha("IF_curr_alpha, tau_syn_I = tau_m", 7).with("tau_syn_I", 20.0),
        alpha("IF_curr_alpha, tau_syn_E almost tau_m", 8).with("tau_syn_E", 20.000_01),
        quarter(alpha("IF_curr_alpha, step 0.025 ms", 9)),
        delta("IF_curr_delta", 10),
        delta("IF_curr_delta, no refractory period", 11).with("tau_refrac", 0.0),
        quarter(delta("IF_curr_delta, step 0.025 ms", 12)),
        cond("IF_cond_exp", 13),
        random("IF_cond_exp, short tau_syn_E", Cell::IfCondExp, [0.08, 0.02], 14).with("tau_syn_E", 0.2),
        random("IF_cond_exp, strong input", Cell::IfCondExp, [0.5, 2.0], 15).with("tau_syn_E", 0.1),
        quarter(cond("IF_cond_exp, step 0.025 ms", 16)),
    ]
    .into_iter()
    .chain(adaptive_cases())
    .chain(driven_cases())
    .collect()
}

/// Of each cell with an injected current, and with parameters that change while it runs.
fn driven_cases() -> Vec<Case> {
    let strengths = [
        (Cell::IfCurrExp, [0.4, -0.4], [-0.3, 0.6]),
        (Cell::IfCurrAlpha, [0.25, -0.25], [-0.3, 0.6]),
        (Cell::IfCurrDelta, [2.0, -2.0], [-0.3, 0.6]),
        (Cell::IfCondExp, [0.008, 0.02], [-0.3, 0.6]),
        (Cell::IfCondAlpha, [0.008, 0.02], [-0.3, 0.6]),
        (Cell::IfCondExpGsfaGrr, [0.012, 0.02], [-0.3, 1.5]),
        (Cell::IfFacetsHardware1, [0.02, 0.03], [-0.3, 0.6]),
        (Cell::EifCondExpIsfaIsta, [0.012, 0.02], [-0.3, 1.0]),
        (Cell::EifCondAlphaIsfaIsta, [0.01, 0.02], [-0.3, 1.0]),
        (Cell::HhCondExp, [0.01, 0.02], [-0.5, 1.5]),
        (Cell::Izhikevich, [2.0, -2.0], [-0.005, 0.012]),
    ];
    let mut cases = Vec::new();
    for (seed, (cell, strength, current)) in (100..).zip(strengths) {
        let case = || Case::random(cell.name(), cell, Span::from_ns(100_000), 10_000, strength, seed);
        let has = |name: &str| cell.entry().parameter(name).is_some();
        cases.push(case().injected(current, seed));
        if has("i_offset") {
            cases.push(case().changing(Parameter::IOffset, current, seed + 50).injected(current, seed));
        }
        if has("v_thresh") {
            cases.push(case().changing(Parameter::VThresh, [-56.0, -48.0], seed + 70));
        }
    }
    // Where the threshold does more than shape the upswing.
    let sharp =
        Case::random("AdEx, delta_T = 0", Cell::EifCondExpIsfaIsta, Span::from_ns(100_000), 10_000, [0.012, 0.02], 22);
    cases.push(sharp.with("delta_T", 0.0).with("v_spike", -45.0).changing(Parameter::VThresh, [-56.0, -48.0], 91));
    cases
}

/// Of the cells that only an adaptive step, or none at all, integrates.
fn adaptive_cases() -> Vec<Case> {
    let step = Span::from_ns(100_000);
    let random = |name: &str, cell, strength, seed| Case::random(name, cell, step, 10_000, strength, seed);
    let alpha = |name: &str, seed| random(name, Cell::IfCondAlpha, [0.008, 0.02], seed);
    let eif = |name: &str, seed| random(name, Cell::EifCondExpIsfaIsta, [0.012, 0.02], seed);
    let eif_alpha = |name: &str, seed| random(name, Cell::EifCondAlphaIsfaIsta, [0.01, 0.02], seed);
    let izhikevich = |name: &str, seed| random(name, Cell::Izhikevich, [2.0, -2.0], seed).with("i_offset", 0.004);
    let hh = |name: &str, seed| random(name, Cell::HhCondExp, [0.01, 0.02], seed).starting("n", 0.1);
    let gsfa = |name: &str, seed| random(name, Cell::IfCondExpGsfaGrr, [0.012, 0.02], seed);
    let facets = |name: &str, seed| random(name, Cell::IfFacetsHardware1, [0.02, 0.03], seed);
    let quarter = |mut case: Case| {
        case.step = Span::from_ns(25_000);
        case.steps = 20_000;
        case
    };
    vec![
        alpha("IF_cond_alpha", 17),
        random("IF_cond_alpha, strong input", Cell::IfCondAlpha, [0.5, 2.0], 18).with("tau_syn_E", 0.1),
        quarter(alpha("IF_cond_alpha, step 0.025 ms", 19)),
        eif("EIF_cond_exp_isfa_ista", 20),
        eif("EIF_cond_exp_isfa_ista, no refractory period", 21).with("tau_refrac", 0.0).with("i_offset", 0.5),
        eif("EIF_cond_exp_isfa_ista, delta_T = 0", 22).with("delta_T", 0.0).with("v_spike", -45.0),
        eif("EIF_cond_exp_isfa_ista, bursting", 23).with("v_reset", -48.5).with("i_offset", 0.6).starting("w", 0.05),
        quarter(eif("EIF_cond_exp_isfa_ista, step 0.025 ms", 24)),
        eif_alpha("EIF_cond_alpha_isfa_ista", 25),
        quarter(eif_alpha("EIF_cond_alpha_isfa_ista, step 0.025 ms", 26)),
        izhikevich("Izhikevich", 27),
        izhikevich("Izhikevich, chattering", 28).with("c", -50.0).with("i_offset", 0.01).starting("u", -10.0),
        quarter(izhikevich("Izhikevich, step 0.025 ms", 29)),
        hh("HH_cond_exp", 30),
        hh("HH_cond_exp, constant current", 31).with("i_offset", 1.0),
        quarter(hh("HH_cond_exp, step 0.025 ms", 32)),
        gsfa("IF_cond_exp_gsfa_grr", 33),
        gsfa("IF_cond_exp_gsfa_grr, strong drive", 34).with("i_offset", 1.0).starting("g_s", 5.0),
        quarter(gsfa("IF_cond_exp_gsfa_grr, step 0.025 ms", 35)),
        facets("IF_facets_hardware1", 36),
        quarter(facets("IF_facets_hardware1, step 0.025 ms", 37)),
    ]
}

/// The interpreter that has NEST, if the environment names one.
pub fn nest_python() -> Option<PathBuf> {
    std::env::var_os("COUPLE_NEST_PYTHON").map(PathBuf::from)
}

/// The cases' behaviour in NEST.
pub fn run_in_nest(python: &PathBuf, cases: &[Case]) -> Vec<Trace> {
    let folder = std::env::temp_dir().join(format!("couple-kernel-nest-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the folder for temporary files can be written");
    let (input, output) = (folder.join("input.json"), folder.join("output.txt"));
    let all: Vec<String> = cases.iter().map(Case::json).collect();
    std::fs::write(&input, format!("[{}]", all.join(",\n"))).expect("the input can be written");
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/nest_reference.py");
    let done = Command::new(python).arg(script).arg(&input).arg(&output).output().expect("the interpreter starts");
    assert!(done.status.success(), "NEST failed:\n{}", String::from_utf8_lossy(&done.stderr));
    let text = std::fs::read_to_string(&output).expect("NEST wrote its output");
    let _ = std::fs::remove_dir_all(&folder);
    let mut traces: Vec<Trace> = Vec::new();
    for line in text.lines() {
        let (kind, value) = line.split_once(' ').expect("a line has a kind and a value");
        match (kind, traces.last_mut()) {
            ("case", _) => traces.push(Trace::default()),
            ("x", Some(trace)) => {
                let (position, bits) = value.split_once(' ').expect("a position and bits");
                let position: usize = position.parse().expect("a position");
                trace.states.resize(trace.states.len().max(position + 1), vec![]);
                let bits = u64::from_str_radix(bits, 16).expect("64 bits in hexadecimal");
                trace.states[position].push(f64::from_bits(bits));
            }
            ("s", Some(trace)) => trace.spikes.push(value.parse().expect("a step")),
            _ => panic!("unexpected line `{line}`"),
        }
    }
    assert_eq!(traces.len(), cases.len());
    traces
}

/// How far two traces are apart: (largest difference of the potential in mV, values of state variables with other bits,
/// spikes equal).
pub fn compare(ours: &Trace, theirs: &Trace) -> (f64, usize, bool) {
    let (ours_v, theirs_v) = (&ours.states[0], &theirs.states[0]);
    assert_eq!(ours_v.len(), theirs_v.len());
    assert_eq!(ours.states.len(), theirs.states.len());
    let pairs = || ours.states.iter().flatten().zip(theirs.states.iter().flatten());
    let potentials = || ours_v.iter().zip(theirs_v);
    let largest = potentials().map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    (largest, pairs().filter(|(a, b)| a.to_bits() != b.to_bits()).count(), ours.spikes == theirs.spikes)
}
