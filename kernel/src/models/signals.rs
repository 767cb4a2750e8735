//! What can be read of a cell and changed in it from step to step.
//!
//! Values are in PyNN's units outside of the models and in NEST's inside: nA and µS are pA and nS times 1000 on the way in, and
//! divided by 1000 on the way out.

/// A state variable, by PyNN's name for recording it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Variable {
    /// `v`: membrane potential in mV.
    V,
    /// `isyn_exc`: excitatory synaptic current in nA.
    IsynExc,
    /// `isyn_inh`: inhibitory synaptic current in nA.
    IsynInh,
    /// `gsyn_exc`: excitatory synaptic conductance in µS.
    GsynExc,
    /// `gsyn_inh`: inhibitory synaptic conductance in µS.
    GsynInh,
    /// `w`: adaptation current in nA.
    W,
    /// `u`: recovery in mV/ms.
    U,
    /// `g_s`: conductance of the spike-frequency adaptation in nS.
    GS,
    /// `g_r`: conductance of the relative refractory period in nS.
    GR,
    /// `m`: activation of the sodium channel.
    M,
    /// `h`: inactivation of the sodium channel.
    H,
    /// `n`: activation of the potassium channel.
    N,
}

impl Variable {
    const NAMES: [(&str, Variable); 12] = [
        ("v", Variable::V),
        ("isyn_exc", Variable::IsynExc),
        ("isyn_inh", Variable::IsynInh),
        ("gsyn_exc", Variable::GsynExc),
        ("gsyn_inh", Variable::GsynInh),
        ("w", Variable::W),
        ("u", Variable::U),
        ("g_s", Variable::GS),
        ("g_r", Variable::GR),
        ("m", Variable::M),
        ("h", Variable::H),
        ("n", Variable::N),
    ];

    /// The variable called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, variable)| *variable)
    }

    /// What the models' unit is in PyNN's.
    fn divisor(self) -> f64 {
        use Variable::*;
        if matches!(self, IsynExc | IsynInh | GsynExc | GsynInh | W) { 1000.0 } else { 1.0 }
    }

    /// Appends values of a model to `out`, in PyNN's unit.
    pub(super) fn append<'a>(self, values: impl IntoIterator<Item = &'a f64>, out: &mut Vec<f64>) {
        let divisor = self.divisor();
        out.extend(values.into_iter().map(|value| value / divisor));
    }
}

/// What of a cell can be set from step to step, a value for each neuron.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Parameter {
    /// `current`: injected current in nA, added to whatever else drives the cell; zero until it is set.
    Current,
    /// `i_offset`: the cell's own constant current in nA.
    IOffset,
    /// `v_thresh`: the threshold in mV.
    VThresh,
}

impl Parameter {
    /// The parameter called `name`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "current" => Some(Parameter::Current),
            "i_offset" => Some(Parameter::IOffset),
            "v_thresh" => Some(Parameter::VThresh),
            _ => None,
        }
    }
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Parameter::Current => "current",
            Parameter::IOffset => "i_offset",
            Parameter::VThresh => "v_thresh",
        }
    }
}

/// What changes no sum, not even the sign of a zero: the compiler leaves the addition out.
pub(super) const NOTHING: f64 = -0.0;

/// The currents that a population's neurons are given, in pA.
pub(super) struct Injected {
    /// `i_offset`.
    pub(super) offset: Vec<f64>,
    /// `current`.
    pub(super) current: Vec<f64>,
}

impl Injected {
    /// No current but `i_offset` (nA).
    pub(super) fn new(i_offset: Vec<f64>) -> Self {
        let current = vec![0.0; i_offset.len()];
        Injected { offset: super::scaled(i_offset, 1000.0), current }
    }

    /// Sets `parameter` to `values` (nA); false for what is no current.
    pub(super) fn set(&mut self, parameter: Parameter, values: &[f64]) -> bool {
        let own = match parameter {
            Parameter::Current => &mut self.current,
            Parameter::IOffset => &mut self.offset,
            Parameter::VThresh => return false,
        };
        own.iter_mut().zip(values).for_each(|(own, value)| *own = 1000.0 * value);
        true
    }
}

/// What the injected currents of a linear cell do to its potential.
pub(super) struct Drive {
    injected: Injected,
    /// What 1 pA adds in a step, in mV.
    p_0: f64,
    /// What is added in the coming step to each neuron, in mV.
    pub(super) added: Vec<f64>,
}

impl Drive {
    /// No current but `i_offset` (nA).
    pub(super) fn new(i_offset: Vec<f64>, p_0: f64) -> Self {
        let mut drive = Drive { added: vec![0.0; i_offset.len()], injected: Injected::new(i_offset), p_0 };
        drive.renew();
        drive
    }

    /// Sets `parameter` to `values` (nA); false for what is no current.
    pub(super) fn set(&mut self, parameter: Parameter, values: &[f64]) -> bool {
        let is_current = self.injected.set(parameter, values);
        if is_current {
            self.renew();
        }
        is_current
    }

    fn renew(&mut self) {
        let Injected { offset, current } = &self.injected;
        for ((added, offset), current) in self.added.iter_mut().zip(offset).zip(current) {
            *added = (offset + current) * self.p_0;
        }
    }
}

/// The thresholds of the linear cells' neurons: one for all, until they are set.
pub(super) struct Thresholds {
    /// The lowest: who is below it need not be looked at.
    pub(super) lowest: f64,
    each: Vec<f64>,
}

impl Thresholds {
    pub(super) fn new(shared: f64) -> Self {
        Thresholds { lowest: shared, each: Vec::new() }
    }

    /// From now on the neurons have the thresholds `each`.
    pub(super) fn set(&mut self, each: impl Iterator<Item = f64>) {
        self.each.clear();
        self.each.extend(each);
        self.lowest = self.each.iter().copied().fold(f64::INFINITY, f64::min);
    }

    /// Resets the neurons of a chunk that have reached their threshold and notes their positions (counted from `start` on).
    pub(super) fn fire(
        &self,
        (v, wait): (&mut [f64], &mut [i64]),
        (v_reset, refractory): (f64, i64),
        start: usize,
        fired: &mut Vec<u32>,
    ) {
        if self.each.is_empty() {
            let shared = self.lowest;
            fire(v, wait, |_| shared, (v_reset, refractory), start, fired);
        } else {
            fire(v, wait, |i| self.each[start + i], (v_reset, refractory), start, fired);
        }
    }
}

#[inline(always)]
fn fire(
    v: &mut [f64],
    wait: &mut [i64],
    threshold: impl Fn(usize) -> f64,
    (v_reset, refractory): (f64, i64),
    start: usize,
    fired: &mut Vec<u32>,
) {
    for (i, (v, wait)) in v.iter_mut().zip(wait).enumerate() {
        if *v >= threshold(i) {
            *v = v_reset;
            *wait = refractory;
            fired.push((start + i) as u32);
        }
    }
}
