//! Binomial and hypergeometric counts, exact in distribution whatever their size.
//!
//! Narrow distributions are inverted from the mode outwards; wide ones use the ratio of uniforms with Stadlober's hat
//! for unimodal discrete distributions (E. Stadlober, "The ratio of uniforms approach for generating discrete random
//! variates", J. Comput. Appl. Math. 31, 1990). Probabilities are evaluated by Loader's saddle-point form (C. Loader, "Fast and
//! accurate computation of binomial probabilities", 2000), in which nothing cancels for large counts.

use super::Stream;

/// Variance from which rejection is cheaper than inversion.
const WIDE: f64 = 50.0;

/// A unimodal distribution on `low..=high`.
struct Unimodal<P, R> {
    low: u64,
    high: u64,
    mode: u64,
    mean: f64,
    variance: f64,
    /// ln P(x).
    ln_p: P,
    /// P(x + 1) / P(x).
    up: R,
}

impl<P: Fn(u64) -> f64, R: Fn(u64) -> f64> Unimodal<P, R> {
    fn draw(&self, stream: &mut Stream) -> u64 {
        match (self.low == self.high, self.variance < WIDE) {
            (true, _) => self.low,
            (false, true) => self.invert(stream),
            (false, false) => self.reject(stream),
        }
    }

    fn invert(&self, stream: &mut Stream) -> u64 {
        let peak = libm::exp((self.ln_p)(self.mode));
        let mut u = stream.uniform() - peak;
        let (mut above, mut p_above) = (self.mode, peak);
        let (mut below, mut p_below) = (self.mode, peak);
        while u >= 0.0 {
            if above < self.high {
                p_above *= (self.up)(above);
                above += 1;
                u -= p_above;
                if u < 0.0 {
                    return above;
                }
            }
            if below > self.low {
                below -= 1;
                p_below /= (self.up)(below);
                u -= p_below;
                if u < 0.0 {
                    return below;
                }
            }
            // What is left over is the rounding of the sum of all probabilities.
            let exhausted = (above == self.high || p_above == 0.0) && (below == self.low || p_below == 0.0);
            if exhausted {
                break;
            }
        }
        self.mode
    }

    fn reject(&self, stream: &mut Stream) -> u64 {
        // 2 sqrt(2 / e) and 3 - 2 sqrt(3 / e)
        let width = 1.715_527_769_921_413_5 * (self.variance + 0.5).sqrt() + 0.898_916_162_058_898_8;
        let peak = (self.ln_p)(self.mode);
        loop {
            let u = stream.open();
            let x = self.mean + 0.5 + width * (stream.open() - 0.5) / u;
            if x < self.low as f64 || x >= self.high as f64 + 1.0 {
                continue;
            }
            let x = x as u64;
            if 2.0 * libm::log(u) <= (self.ln_p)(x) - peak {
                return x;
            }
        }
    }
}

/// The number of successes in `n` trials, each with probability `numerator / denominator`.
pub fn binomial(stream: &mut Stream, n: u64, numerator: u64, denominator: u64) -> u64 {
    if n == 0 || numerator == 0 {
        return 0;
    }
    if numerator >= denominator {
        return n;
    }
    let p = numerator as f64 / denominator as f64;
    let q = (denominator - numerator) as f64 / denominator as f64;
    let trials = n as f64;
    let odds = p / q;
    Unimodal {
        low: 0,
        high: n,
        mode: (((trials + 1.0) * p) as u64).min(n),
        mean: trials * p,
        variance: trials * p * q,
        ln_p: |x| ln_binomial(x, n, p, q),
        up: |x| (n - x) as f64 / (x + 1) as f64 * odds,
    }
    .draw(stream)
}

/// How many of `draws` items, taken without replacement from `total` of which `marked` are marked, are marked.
pub fn hypergeometric(stream: &mut Stream, total: u64, marked: u64, draws: u64) -> u64 {
    let (marked, draws) = (marked.min(total), draws.min(total));
    let unmarked = total - marked;
    let (n, k, m) = (total as f64, marked as f64, draws as f64);
    let (p, q) = (m / n, (total - draws) as f64 / n);
    let (low, high) = (draws.saturating_sub(unmarked), draws.min(marked));
    if low == high {
        return low;
    }
    let normaliser = ln_binomial(draws, total, p, q);
    Unimodal {
        low,
        high,
        mode: (((m + 1.0) * ((k + 1.0) / (n + 2.0))) as u64).clamp(low, high),
        mean: m * (k / n),
        variance: m * (k / n) * (unmarked as f64 / n) * ((total - draws) as f64 / (n - 1.0).max(1.0)),
        ln_p: |x| ln_binomial(x, marked, p, q) + ln_binomial(draws - x, unmarked, p, q) - normaliser,
        up: |x| {
            let others = (unmarked + x + 1 - draws) as f64;
            (marked - x) as f64 / (x + 1) as f64 * ((draws - x) as f64 / others)
        },
    }
    .draw(stream)
}

/// ln of the binomial probability of `x` out of `n`, `q` = 1 - `p` given apart.
fn ln_binomial(x: u64, n: u64, p: f64, q: f64) -> f64 {
    let (xf, nf, rest) = (x as f64, n as f64, (n - x) as f64);
    // The limits x = 0 and x = n, and certain outcomes, where the general form would divide by zero.
    if x == 0 {
        return if n == 0 { 0.0 } else { nf * ln_fraction(q, p) };
    }
    if x == n {
        return nf * ln_fraction(p, q);
    }
    stirling_error(n) - stirling_error(x) - stirling_error(n - x) - deviance(xf, nf * p) - deviance(rest, nf * q)
        + 0.5 * libm::log(nf / (std::f64::consts::TAU * xf * rest))
}

/// ln p, where `q` = 1 - p is known.
fn ln_fraction(p: f64, q: f64) -> f64 {
    if q < 0.5 { libm::log1p(-q) } else { libm::log(p) }
}

/// ln n! minus Stirling's formula.
fn stirling_error(n: u64) -> f64 {
    let x = n as f64;
    if n == 0 {
        return 0.0;
    }
    if n < 16 {
        let half_ln_tau = 0.918_938_533_204_672_8;
        return libm::lgamma(x + 1.0) - (x + 0.5) * libm::log(x) + x - half_ln_tau;
    }
    let y = 1.0 / (x * x);
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - y / 1188.0) * y) * y) * y) / x
}

/// x ln(x / m) + m - x, by its series where the terms cancel.
fn deviance(x: f64, m: f64) -> f64 {
    let difference = x - m;
    if difference.abs() >= 0.1 * (x + m) {
        return x * libm::log(x / m) - difference;
    }
    let v = difference / (x + m);
    let (mut sum, mut term) = (difference * v, 2.0 * x * v);
    for j in 1..1000 {
        term *= v * v;
        let next = sum + term / f64::from(2 * j + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::super::Key;
    use super::*;

    /// Chi-square of draws against probabilities, pooled so that each class expects at least ten draws.
    fn chi_square(mut draw: impl FnMut() -> u64, p: impl Fn(u64) -> f64, low: u64, high: u64) -> (f64, f64) {
        let draws = 100_000;
        let mut counts = vec![0.0; (high - low + 1) as usize];
        for _ in 0..draws {
            counts[(draw() - low) as usize] += 1.0;
        }
        let (mut chi, mut classes, mut expected, mut seen) = (0.0, 0.0, 0.0, 0.0);
        for x in low..=high {
            expected += p(x) * f64::from(draws);
            seen += counts[(x - low) as usize];
            if expected >= 10.0 {
                chi += (seen - expected) * (seen - expected) / expected;
                (expected, seen) = (0.0, 0.0);
                classes += 1.0;
            }
        }
        (chi, classes - 1.0)
    }

    fn assert_plausible((chi, freedom): (f64, f64), what: &str) {
        // Five standard deviations of a chi-square distribution.
        assert!((chi - freedom).abs() < 5.0 * (2.0 * freedom).sqrt() + 5.0, "{what}: chi² {chi} for {freedom}");
    }

    #[test]
    fn binomial_has_its_distribution() {
        for (n, a, b) in [(1, 1, 2), (10, 1, 3), (50, 1, 100), (100, 1, 2), (400, 1, 2), (1000, 9, 10), (5000, 1, 50)] {
            let mut stream = Stream::new(Key::new(11, &["binomial"]), n);
            let p = a as f64 / b as f64;
            let pmf = |x| libm::exp(ln_binomial(x, n, p, 1.0 - p));
            let sum: f64 = (0..=n).map(pmf).sum();
            assert!((sum - 1.0).abs() < 1e-12, "probabilities of {n}, {p} add up to {sum}");
            assert_plausible(chi_square(|| binomial(&mut stream, n, a, b), pmf, 0, n), &format!("{n} {a}/{b}"));
        }
    }

    #[test]
    fn hypergeometric_has_its_distribution() {
        for (total, marked, draws) in
            [(10_u64, 5_u64, 3_u64), (10, 9, 9), (100, 50, 99), (2000, 1000, 700), (5000, 2500, 4000)]
        {
            let mut stream = Stream::new(Key::new(2, &["hypergeometric"]), total);
            // Factorials by sums of logarithms, apart from the code under test.
            let ln_factorial = |n: u64| (1..=n).map(|i| (i as f64).ln()).sum::<f64>();
            let choose = |n: u64, k: u64| ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k);
            let unmarked = total - marked;
            let (low, high) = (draws.saturating_sub(unmarked), draws.min(marked));
            let table: Vec<f64> = (low..=high)
                .map(|x| (choose(marked, x) + choose(unmarked, draws - x) - choose(total, draws)).exp())
                .collect();
            let statistic = chi_square(
                || hypergeometric(&mut stream, total, marked, draws),
                |x| table[(x - low) as usize],
                low,
                high,
            );
            assert_plausible(statistic, &format!("{total} {marked} {draws}"));
        }
    }

    #[test]
    fn huge_counts_have_their_moments() {
        let mut stream = Stream::new(Key::new(3, &["huge"]), 0);
        let n = 3_000_000_000_000_u64;
        let sd = (n as f64 / 4.0).sqrt();
        let z: Vec<f64> = (0..20_000).map(|_| (binomial(&mut stream, n, 1, 2) as f64 - n as f64 / 2.0) / sd).collect();
        let mean = z.iter().sum::<f64>() / z.len() as f64;
        let variance = z.iter().map(|z| z * z).sum::<f64>() / z.len() as f64;
        assert!(mean.abs() < 0.04 && (variance - 1.0).abs() < 0.06, "{mean} {variance}");
        let total = 1_000_000_000_000_000_u64;
        let sd = (n as f64 * 0.25 * (1.0 - n as f64 / total as f64)).sqrt();
        let z: Vec<f64> = (0..20_000)
            .map(|_| (hypergeometric(&mut stream, total, total / 2, n) as f64 - n as f64 / 2.0) / sd)
            .collect();
        let variance = z.iter().map(|z| z * z).sum::<f64>() / z.len() as f64;
        assert!((variance - 1.0).abs() < 0.06, "{variance}");
    }

    #[test]
    fn certain_outcomes() {
        let mut stream = Stream::new(Key::new(4, &[]), 0);
        assert_eq!(binomial(&mut stream, 7, 3, 3), 7);
        assert_eq!(binomial(&mut stream, 7, 0, 3), 0);
        assert_eq!(hypergeometric(&mut stream, 10, 4, 10), 4);
        assert_eq!(hypergeometric(&mut stream, 10, 10, 3), 3);
        assert_eq!(hypergeometric(&mut stream, 0, 0, 0), 0);
    }
}
