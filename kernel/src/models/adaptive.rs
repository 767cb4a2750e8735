//! What the cells share that are integrated with an adaptive step, neuron by neuron.

use super::rkf45::{self, System};
use super::signals::{Injected, NOTHING, Parameter, Variable};
use super::vector::take;
use super::{Definition, Input, ParameterError};

/// What one neuron is given in a step, beside its synaptic input.
#[derive(Clone, Copy)]
pub(super) struct Given {
    /// `i_offset` in pA.
    pub(super) offset: f64,
    /// The current that is injected beside it, in pA.
    pub(super) current: f64,
    /// The threshold in mV, for cells that have one.
    pub(super) v_thresh: f64,
}

impl Given {
    /// The same, written so that the compiler knows what is not `DRIVEN`: no current is injected, and the threshold is the
    /// one that all neurons have.
    #[inline(always)]
    fn known<const DRIVEN: bool, const N: usize>(self, membrane: &impl Membrane<N>) -> Self {
        if DRIVEN { self } else { Given { offset: self.offset, current: NOTHING, v_thresh: membrane.v_thresh() } }
    }
}

/// The equations and the rules of a cell with `N` state variables, the first of which is the membrane potential.
pub(super) trait Membrane<const N: usize> {
    /// Absolute tolerance of an integration step, in the units of the state.
    const TOLERANCE: f64;
    /// Tolerance in addition, relative to how far the state moves in the step.
    const RELATIVE: f64 = 0.0;

    /// The state variables that can be read, in the state's order.
    const STATE: [Option<Variable>; N];

    /// The threshold that all neurons have until others are set; for a cell without one, any number.
    fn v_thresh(&self) -> f64;

    /// Whether a neuron can have this threshold.
    fn check_threshold(&self, v_thresh: f64) -> Result<(), ParameterError>;

    /// The derivative of the state of a neuron that is held at its reset potential or not.
    fn derivative(&self, y: [f64; N], held: bool, given: Given) -> [f64; N];

    /// What is done after each step of the integration within a step of the grid; true when the neuron fires.
    #[inline(always)]
    fn within(&self, _y: &mut [f64; N], _wait: &mut i64, _given: Given) -> bool {
        false
    }

    /// What is done at the end of a step of the grid, at whose beginning the potential was `before`: input (nS) and
    /// threshold. True when the neuron fires.
    fn end(&self, before: f64, y: &mut [f64; N], wait: &mut i64, input: [f64; 2], given: Given) -> bool;
}

/// A population of neurons that are integrated with an adaptive step.
pub struct Adaptive<M, const N: usize> {
    membrane: M,
    h: f64,
    y: Vec<[f64; N]>,
    /// Steps for which a neuron is held yet.
    wait: Vec<i64>,
    injected: Injected,
    v_thresh: Vec<f64>,
    /// True once a current or a threshold has been set.
    driven: bool,
    /// With what length each neuron's next integration step begins.
    next: Vec<f64>,
}

/// The equations of one neuron.
struct Neuron<'a, M, const DRIVEN: bool> {
    membrane: &'a M,
    held: bool,
    given: Given,
}

impl<M: Membrane<N>, const N: usize, const DRIVEN: bool> System<N> for Neuron<'_, M, DRIVEN> {
    const TOLERANCE: f64 = M::TOLERANCE;
    const RELATIVE: f64 = M::RELATIVE;

    #[inline(always)]
    fn derivative(&self, y: [f64; N]) -> [f64; N] {
        self.membrane.derivative(y, self.held, self.given.known::<DRIVEN, N>(self.membrane))
    }
}

#[allow(private_bounds, reason = "what a membrane is concerns the models alone")]
impl<M: Membrane<N>, const N: usize> Adaptive<M, N> {
    /// Neurons whose state variables begin at `initial`, each with its `i_offset` (nA), on a grid of `h` ms.
    pub(super) fn new(membrane: M, h: f64, initial: [Vec<f64>; N], i_offset: Vec<f64>) -> Self {
        let n = i_offset.len();
        let v_thresh = vec![membrane.v_thresh(); n];
        let y = (0..n).map(|i| std::array::from_fn(|k| initial[k][i])).collect();
        Adaptive {
            membrane,
            h,
            y,
            wait: vec![0; n],
            injected: Injected::new(i_offset),
            v_thresh,
            driven: false,
            next: vec![h; n],
        }
    }

    pub(super) fn read(&self, variable: Variable, out: &mut Vec<f64>) -> bool {
        let Some(position) = M::STATE.iter().position(|known| *known == Some(variable)) else { return false };
        variable.append(self.y.iter().map(|y| &y[position]), out);
        true
    }

    pub(super) fn set(&mut self, parameter: Parameter, values: &[f64]) {
        self.driven = true;
        if !self.injected.set(parameter, values) {
            self.v_thresh.copy_from_slice(values);
        }
    }

    pub(super) fn check_threshold(&self, v_thresh: f64) -> Result<(), ParameterError> {
        self.membrane.check_threshold(v_thresh)
    }

    pub(super) fn advance(&mut self, inputs: [Input<'_>; 2], fired: &mut Vec<u32>) {
        if self.driven {
            self.step::<true>(inputs, fired);
        } else {
            self.step::<false>(inputs, fired);
        }
    }

    fn step<const DRIVEN: bool>(&mut self, inputs: [Input<'_>; 2], fired: &mut Vec<u32>) {
        let [exc_in, inh_in] = inputs;
        for i in 0..self.y.len() {
            let (y, wait, next) = (&mut self.y[i], &mut self.wait[i], &mut self.next[i]);
            let (current, v_thresh) =
                if DRIVEN { (self.injected.current[i], self.v_thresh[i]) } else { (NOTHING, self.membrane.v_thresh()) };
            let given = Given { offset: self.injected.offset[i], current, v_thresh };
            let before = y[0];
            let mut t = 0.0;
            while t < self.h {
                let neuron = Neuron::<M, DRIVEN> { membrane: &self.membrane, held: *wait > 0, given };
                rkf45::one(&neuron, y, &mut t, self.h, next);
                if self.membrane.within(y, wait, given) {
                    fired.push(i as u32);
                }
            }
            let input = [take(&mut exc_in.sums[i], exc_in.unit), take(&mut inh_in.sums[i], inh_in.unit)];
            if self.membrane.end(before, y, wait, input, given) {
                fired.push(i as u32);
            }
        }
    }
}

/// Initial conductances of both receptors, in nS.
pub(super) fn conductances(definition: &impl Definition) -> Result<[Vec<f64>; 2], ParameterError> {
    let start = |name| Ok(super::scaled(super::initial_or(definition, name, 0.0)?, 1000.0));
    Ok([start("gsyn_exc")?, start("gsyn_inh")?])
}

/// The rule of the integrate-and-fire cells: a neuron that is held stays at `v_reset` and counts down, another one fires at
/// the threshold and is held for `refractory` steps.
#[inline(always)]
pub(super) fn threshold(v: &mut f64, wait: &mut i64, v_thresh: f64, v_reset: f64, refractory: i64) -> bool {
    if *wait > 0 {
        *wait -= 1;
        *v = v_reset;
        return false;
    }
    let fires = *v >= v_thresh;
    if fires {
        *wait = refractory;
        *v = v_reset;
    }
    fires
}
