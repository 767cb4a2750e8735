//! What the cells share that are integrated with an adaptive step, neuron by neuron.

use super::rkf45::{self, System};
use super::vector::take;
use super::{Definition, Input, ParameterError};

/// The equations and the rules of a cell with `N` state variables, the first of which is the membrane potential.
pub(super) trait Membrane<const N: usize> {
    /// Absolute tolerance of an integration step, in the units of the state.
    const TOLERANCE: f64;
    /// Tolerance in addition, relative to how far the state moves in the step.
    const RELATIVE: f64 = 0.0;

    /// The derivative of the state of a neuron that is held at its reset potential or not, with a constant current (pA).
    fn derivative(&self, y: [f64; N], held: bool, current: f64) -> [f64; N];

    /// What is done after each step of the integration within a step of the grid; true when the neuron fires.
    #[inline(always)]
    fn within(&self, _y: &mut [f64; N], _wait: &mut i64) -> bool {
        false
    }

    /// What is done at the end of a step of the grid, at whose beginning the potential was `before`: input (nS) and
    /// threshold. True when the neuron fires.
    fn end(&self, before: f64, y: &mut [f64; N], wait: &mut i64, input: [f64; 2]) -> bool;
}

/// A population of neurons that are integrated with an adaptive step.
pub struct Adaptive<M, const N: usize> {
    membrane: M,
    h: f64,
    y: Vec<[f64; N]>,
    /// Steps for which a neuron is held yet.
    wait: Vec<i64>,
    /// `i_offset` in pA.
    current: Vec<f64>,
    /// With what length each neuron's next integration step begins.
    next: Vec<f64>,
}

/// The equations of one neuron.
struct Neuron<'a, M> {
    membrane: &'a M,
    held: bool,
    current: f64,
}

impl<M: Membrane<N>, const N: usize> System<N> for Neuron<'_, M> {
    const TOLERANCE: f64 = M::TOLERANCE;
    const RELATIVE: f64 = M::RELATIVE;

    #[inline(always)]
    fn derivative(&self, y: [f64; N]) -> [f64; N] {
        self.membrane.derivative(y, self.held, self.current)
    }
}

impl<M, const N: usize> Adaptive<M, N> {
    /// Neurons whose state variables begin at `initial`, each with `current` (nA), on a grid of `h` ms.
    pub(super) fn new(membrane: M, h: f64, initial: [Vec<f64>; N], current: Vec<f64>) -> Self {
        let n = current.len();
        let y = (0..n).map(|i| std::array::from_fn(|k| initial[k][i])).collect();
        Adaptive { membrane, h, y, wait: vec![0; n], current: super::scaled(current, 1000.0), next: vec![h; n] }
    }

    pub(super) fn membrane_potential(&self, out: &mut Vec<f64>) {
        out.extend(self.y.iter().map(|y| y[0]));
    }
}

#[allow(private_bounds, reason = "what a membrane is concerns the models alone")]
impl<M: Membrane<N>, const N: usize> Adaptive<M, N> {
    pub(super) fn advance(&mut self, inputs: [Input<'_>; 2], fired: &mut Vec<u32>) {
        let [exc_in, inh_in] = inputs;
        for i in 0..self.y.len() {
            let (y, wait, next) = (&mut self.y[i], &mut self.wait[i], &mut self.next[i]);
            let before = y[0];
            let mut t = 0.0;
            while t < self.h {
                let neuron = Neuron { membrane: &self.membrane, held: *wait > 0, current: self.current[i] };
                rkf45::one(&neuron, y, &mut t, self.h, next);
                if self.membrane.within(y, wait) {
                    fired.push(i as u32);
                }
            }
            let input = [take(&mut exc_in.sums[i], exc_in.unit), take(&mut inh_in.sums[i], inh_in.unit)];
            if self.membrane.end(before, y, wait, input) {
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
