//! Propagators of exact integration (Rotter & Diesmann 1999, Biol Cybern 81:381): what a synaptic current at the
//! start of a step adds to the membrane potential at its end.
//!
//! For membrane time constant τm, synaptic time constant τs, capacitance C and step h, with
//! β = τs·τm / (τm − τs) and γ = β / C:
//!
//! * exponential current I: `P_I = γ · exp(−h/τs) · expm1(h/β)`
//! * alpha current (dI, I): `P_dI = γ · exp(−h/τs) · (β · expm1(h/β) − h)`, and `P_I` as above
//!
//! Where τs is so close to τm that these lose their meaning, the limits `h/C · exp(−h/τm)` and
//! `h²/2C · exp(−h/τm)` hold. Where the switch falls is NEST's choice: `P_I` when the regular value is no
//! positive normal number, `P_dI` when `h <= 1e-7 · τm² / |τm − τs|`.

/// What the propagators depend on.
#[derive(Clone, Copy, Debug)]
pub struct Propagator {
    tau_syn: f64,
    tau_m: f64,
    c_m: f64,
}

impl Propagator {
    /// For `tau_syn` and `tau_m` in ms and `c_m` in pF.
    pub fn new(tau_syn: f64, tau_m: f64, c_m: f64) -> Self {
        Propagator { tau_syn, tau_m, c_m }
    }

    /// From an exponential current (pA) to the potential (mV), over `h` ms.
    pub fn exponential(&self, h: f64) -> f64 {
        let regular = self.gamma() * self.decay(h) * self.growth(h);
        if regular.is_normal() && regular > 0.0 { regular } else { h * (1.0 / self.c_m) * self.membrane_decay(h) }
    }

    /// From an alpha current to the potential, over `h` ms: (from its derivative, from itself).
    pub fn alpha(&self, h: f64) -> (f64, f64) {
        let from_current = self.exponential(h);
        let shortest_regular = 1e-7 * self.tau_m * self.tau_m / (self.tau_m - self.tau_syn).abs();
        let from_derivative = if h > shortest_regular {
            self.gamma() * self.decay(h) * (self.growth(h) * self.beta() - h)
        } else {
            0.5 * h * h * (1.0 / self.c_m) * self.membrane_decay(h)
        };
        (from_derivative, from_current)
    }

    fn beta(&self) -> f64 {
        (self.tau_syn * self.tau_m) / (self.tau_m - self.tau_syn)
    }
    fn gamma(&self) -> f64 {
        self.beta() / self.c_m
    }
    fn decay(&self, h: f64) -> f64 {
        (-h * (1.0 / self.tau_syn)).exp()
    }
    fn membrane_decay(&self, h: f64) -> f64 {
        (-h * (1.0 / self.tau_m)).exp()
    }
    fn growth(&self, h: f64) -> f64 {
        expm1(h * ((self.tau_m - self.tau_syn) / (self.tau_syn * self.tau_m)))
    }
}

/// exp(x) − 1, without cancellation for small `x`. The C library's is closer to the truth by an ulp now and then; this
/// one, the power series up to ln 2 and the difference beyond, is what the NEST of PyPI computes.
pub fn expm1(x: f64) -> f64 {
    if x == 0.0 {
        return 0.0;
    }
    if x.abs() > std::f64::consts::LN_2 {
        return x.exp() - 1.0;
    }
    let (mut sum, mut term, mut n) = (x, x * x * 0.5, 2.0);
    while term.abs() > sum.abs() * f64::EPSILON {
        sum += term;
        n += 1.0;
        term *= x / n;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expm1_is_close_to_the_c_library() {
        for i in -2000..2000 {
            let x = f64::from(i) * 0.001;
            assert!((expm1(x) - x.exp_m1()).abs() <= 4.0 * f64::EPSILON * x.exp_m1().abs(), "{x}");
        }
    }

    #[test]
    fn limits_join_smoothly() {
        // P_I and P_dI as functions of tau_syn have no jump at tau_syn = tau_m.
        let (h, tau_m, c_m) = (0.1, 10.0, 250.0);
        let (d0, i0) = Propagator::new(tau_m, tau_m, c_m).alpha(h);
        for offset in [1e-12, 1e-9, 1e-7, 1e-5] {
            let (d, i) = Propagator::new(tau_m + offset, tau_m, c_m).alpha(h);
            assert!((i / i0 - 1.0).abs() < 1e-6 + offset, "{offset} {i} {i0}");
            assert!((d / d0 - 1.0).abs() < 1e-4, "{offset} {d} {d0}");
        }
    }

    #[test]
    fn propagators_solve_the_equation() {
        // dV/dt = -V/tau_m + I/C, dI/dt = -I/tau_s: compared with 200,000 Euler steps' Richardson limit.
        let (h, tau_m, tau_s, c_m) = (0.5, 10.0, 2.0, 250.0);
        let exact = Propagator::new(tau_s, tau_m, c_m).exponential(h);
        let euler = |n: u32| {
            let dt = h / f64::from(n);
            let (mut v, mut i) = (0.0, 1.0);
            for _ in 0..n {
                (v, i) = (v + dt * (-v / tau_m + i / c_m), i - dt * i / tau_s);
            }
            v
        };
        let limit = 2.0 * euler(200_000) - euler(100_000);
        assert!((exact / limit - 1.0).abs() < 1e-9, "{exact} {limit}");
    }
}
