//! Runge–Kutta–Fehlberg 4(5) with an adaptive step, for cells whose equations have no closed solution.
//!
//! Method: E. Fehlberg 1969, NASA TR R-315; the fifth-order result is kept, the difference to the fourth-order one is
//! the error estimate. The step control is the GNU Scientific Library's "standard" one for an absolute tolerance:
//! with r = max |error| / tolerance, a step with r > 1.1 is done again with a step shorter by 0.9 · r^(−1/5) (at most
//! 5 times shorter), and r < 0.5 lets the next one be longer by 0.9 · r^(−1/6) (at most 5 times longer). NEST
//! integrates conductance-based cells by these rules; the order of operations here gives the same bits.

/// The derivative of a state of `N` variables.
pub(super) trait System<const N: usize> {
    /// Absolute tolerance of one step, in the units of the state.
    const TOLERANCE: f64;
    /// Tolerance in addition, relative to how far the state moves in the step at the speed of its end.
    const RELATIVE: f64 = 0.0;
    /// d`y`/dt.
    fn derivative(&self, y: [f64; N]) -> [f64; N];
}

/// The state one step of length `h` on from `y`, whose derivative there is `k1`, and the largest error over its
/// variables in units of the tolerance.
#[inline(always)]
pub(super) fn step<S: System<N>, const N: usize>(system: &S, y: [f64; N], k1: [f64; N], h: f64) -> ([f64; N], f64) {
    let at = |slope: &dyn Fn(usize) -> f64| -> [f64; N] { std::array::from_fn(|i| y[i] + h * slope(i)) };
    let k2 = system.derivative(std::array::from_fn(|i| y[i] + 0.25 * h * k1[i]));
    let k3 = system.derivative(at(&|i| 3.0 / 32.0 * k1[i] + 9.0 / 32.0 * k2[i]));
    let k4 = system.derivative(at(&|i| 1932.0 / 2197.0 * k1[i] + -7200.0 / 2197.0 * k2[i] + 7296.0 / 2197.0 * k3[i]));
    let k5 = system.derivative(at(&|i| {
        8341.0 / 4104.0 * k1[i] + -32832.0 / 4104.0 * k2[i] + 29440.0 / 4104.0 * k3[i] + -845.0 / 4104.0 * k4[i]
    }));
    let k6 = system.derivative(at(&|i| {
        -6080.0 / 20520.0 * k1[i]
            + 41040.0 / 20520.0 * k2[i]
            + -28352.0 / 20520.0 * k3[i]
            + 9295.0 / 20520.0 * k4[i]
            + -5643.0 / 20520.0 * k5[i]
    }));
    let end = at(&|i| {
        902880.0 / 7618050.0 * k1[i]
            + 3953664.0 / 7618050.0 * k3[i]
            + 3855735.0 / 7618050.0 * k4[i]
            + -1371249.0 / 7618050.0 * k5[i]
            + 277020.0 / 7618050.0 * k6[i]
    });
    // Without a relative tolerance this derivative is not needed, nor computed.
    let slope = if S::RELATIVE == 0.0 { [0.0; N] } else { system.derivative(end) };
    let mut worst = f64::MIN_POSITIVE;
    for i in 0..N {
        let error = h
            * (1.0 / 360.0 * k1[i]
                + -128.0 / 4275.0 * k3[i]
                + -2197.0 / 75240.0 * k4[i]
                + 1.0 / 50.0 * k5[i]
                + 2.0 / 55.0 * k6[i]);
        let ratio = error.abs() / (S::RELATIVE * (h * slope[i]).abs() + S::TOLERANCE);
        worst = if ratio > worst { ratio } else { worst };
    }
    (end, worst)
}

/// True when a step with error `worst` stands; otherwise it is done again with a shorter one.
#[inline(always)]
pub(super) fn stands(worst: f64) -> bool {
    // What is not a number stands too: a shorter step would not mend it.
    worst <= 1.1 || worst.is_nan()
}

/// Integrates `y` over `span`, in steps that begin with `next`; leaves in `next` what to begin with later.
pub(super) fn integrate<const N: usize>(system: &impl System<N>, y: &mut [f64; N], span: f64, next: &mut f64) {
    let mut t = 0.0;
    while t < span {
        one(system, y, &mut t, span, next);
    }
}

/// One step that stands, from `t` on and no further than `span`: of length `next`, or shorter if it must be.
pub(super) fn one<const N: usize>(system: &impl System<N>, y: &mut [f64; N], t: &mut f64, span: f64, next: &mut f64) {
    let k1 = system.derivative(*y);
    let left = span - *t;
    let mut h = *next;
    loop {
        let last = h > left;
        h = if last { left } else { h };
        let after = if last { span } else { *t + h };
        let (end, worst) = step(system, *y, k1, h);
        let taken = h;
        if !stands(worst) {
            h *= (0.9 / worst.powf(1.0 / 5.0)).max(0.2);
            // A step that cannot be made shorter stands all the same.
            if h.abs() < taken.abs() && after + h != after {
                continue;
            }
            h = taken;
        } else if worst < 0.5 {
            h *= (0.9 / worst.powf(1.0 / 6.0)).clamp(1.0, 5.0);
        }
        (*y, *t, *next) = (end, after, h);
        return;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Oscillator(f64);
    impl System<2> for Oscillator {
        const TOLERANCE: f64 = 1e-3;
        fn derivative(&self, y: [f64; 2]) -> [f64; 2] {
            [y[1], -self.0 * self.0 * y[0]]
        }
    }

    #[test]
    fn follows_an_oscillation_within_the_tolerance() {
        for omega in [0.1, 1.0, 10.0, 60.0] {
            let (mut y, mut next) = ([1.0, 0.0], 0.1);
            for k in 1..=50 {
                integrate(&Oscillator(omega), &mut y, 0.1, &mut next);
                let exact = (omega * 0.1 * f64::from(k)).cos();
                assert!((y[0] - exact).abs() < 0.02, "{omega} {k} {} {exact}", y[0]);
            }
        }
    }

    #[test]
    fn one_step_is_of_fifth_order() {
        let error = |h: f64| {
            let system = Oscillator(1.0);
            let (end, _) = step(&system, [1.0, 0.0], system.derivative([1.0, 0.0]), h);
            (end[0] - h.cos()).abs()
        };
        let order = (error(0.4) / error(0.2)).log2();
        assert!((5.5..7.5).contains(&order), "local error of order {order}");
    }
}
