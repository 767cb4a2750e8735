//! Gamma processes whose shape and scale change from one stretch of time to the next.
//!
//! In each stretch a neuron's hazard is that of the gamma distribution valid there, at the time since its last spike. The
//! next spike comes when the hazard has added up to an exponential draw; with the survival function Q, the regularised upper
//! incomplete gamma function, the sum over a stretch is the difference of −ln Q. (E. Muller et al., Neural Comput. 19:2958,
//! 2007, have the same process by thinning.)

/// Shape and scale in stretches of time; in ns since the process begins.
#[derive(Clone, Debug)]
pub(super) struct Stretches {
    /// (end, shape, scale); the last one has no end.
    list: Vec<(f64, f64, f64)>,
}

impl Stretches {
    /// `edges` are the beginnings of the stretches, `shapes` and `scales` are valid from there on. The first ones hold
    /// before the first edge, too.
    pub(super) fn new(edges: &[f64], shapes: &[f64], scales: &[f64]) -> Self {
        let ends = edges[1..].iter().copied().chain([f64::INFINITY]);
        let all = ends.zip(shapes.iter().zip(scales)).map(|(end, (shape, scale))| (end, *shape, *scale));
        // What has ended when the process begins does not matter.
        Stretches { list: all.filter(|stretch| stretch.0 > 0.0).collect() }
    }

    /// Shape and scale at the beginning.
    pub(super) fn first(&self) -> (f64, f64) {
        self.list.first().map_or((1.0, 1.0), |(_, shape, scale)| (*shape, *scale))
    }

    /// When the next spike comes after `now`, the last one having been at `last`, for the exponential draw `hazard`.
    pub(super) fn next(&self, last: f64, mut now: f64, mut hazard: f64) -> f64 {
        let passed = self.list.partition_point(|stretch| stretch.0 <= now);
        for (end, shape, scale) in &self.list[passed..] {
            let (age, oldest) = ((now - last) / scale, (end - last) / scale);
            let before = cumulative_hazard(*shape, age);
            let whole = if oldest.is_finite() { cumulative_hazard(*shape, oldest) - before } else { f64::INFINITY };
            if whole >= hazard {
                return last + scale * inverse(*shape, before + hazard, age, oldest);
            }
            hazard -= whole;
            now = *end;
        }
        f64::INFINITY
    }
}

/// −ln Q(a, x): the hazard of a gamma distribution of scale 1, summed up to `x`.
fn cumulative_hazard(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let log_front = a * libm::log(x) - x - libm::lgamma(a);
    if x < a + 1.0 {
        // Series of the lower function.
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while term > sum * f64::EPSILON {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        -libm::log1p(-(libm::exp(log_front) * sum).min(1.0 - f64::EPSILON))
    } else {
        -(log_front + libm::log(continued_fraction(a, x)))
    }
}

/// Γ(a, x) / (xᵃ e⁻ˣ), by the method of Lentz.
fn continued_fraction(a: f64, x: f64) -> f64 {
    let not_zero = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (1e300, 1.0 / not_zero(b));
    let mut result = d;
    for i in 1..10_000 {
        let i = f64::from(i);
        let numerator = -i * (i - a);
        b += 2.0;
        d = 1.0 / not_zero(numerator * d + b);
        c = not_zero(b + numerator / c);
        result *= d * c;
        if (d * c - 1.0).abs() < 4.0 * f64::EPSILON {
            break;
        }
    }
    result
}

/// The `x` in `(low, high]` at which the hazard has added up to `target`: Newton's method, within a bracket.
fn inverse(a: f64, target: f64, low: f64, high: f64) -> f64 {
    let (mut low, mut high) = (low, high);
    if high.is_infinite() {
        high = low.max(a).max(1.0);
        while cumulative_hazard(a, high) < target {
            high *= 2.0;
        }
    }
    let mut x = 0.5 * (low + high);
    for _ in 0..200 {
        let sum = cumulative_hazard(a, x);
        *if sum < target { &mut low } else { &mut high } = x;
        // The hazard itself: density over survival.
        let hazard = libm::exp((a - 1.0) * libm::log(x) - x - libm::lgamma(a) + sum);
        let newton = x - (sum - target) / hazard;
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        if (next - x).abs() <= 1e-13 * x {
            return next;
        }
        x = next;
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hazards_of_whole_shapes_are_known() {
        // Q(1, x) = e⁻ˣ; Q(2, x) = (1 + x) e⁻ˣ; Q(3, x) = (1 + x + x²/2) e⁻ˣ.
        for x in [1e-6, 0.01, 0.5, 1.0, 1.9, 2.1, 5.0, 50.0, 800.0] {
            let expected = [x, x - libm::log1p(x), x - libm::log1p(x + x * x / 2.0)];
            for (a, expected) in (1..).zip(expected) {
                let found = cumulative_hazard(f64::from(a), x);
                assert!((found - expected).abs() < 1e-12 + 1e-11 * expected, "{a} {x}: {found} {expected}");
            }
        }
    }

    #[test]
    fn the_inverse_goes_back() {
        for a in [0.3, 1.0, 2.5, 20.0] {
            for (age, x) in [(0.0, 0.1), (0.5, 3.0), (10.0, 40.0)] {
                let found = inverse(a, cumulative_hazard(a, x), age, f64::INFINITY);
                assert!((found - x).abs() < 1e-9 * x, "{a}: {found} {x}");
            }
        }
    }

    #[test]
    fn stretches_that_do_not_differ_make_no_difference() {
        let one = Stretches::new(&[0.0], &[2.5], &[10.0]);
        let many = Stretches::new(&[-5.0, 3.0, 7.0, 20.0], &[2.5; 4], &[10.0; 4]);
        for hazard in [0.01, 0.3, 1.0, 4.0] {
            let (a, b) = (one.next(-2.0, 0.0, hazard), many.next(-2.0, 0.0, hazard));
            assert!((a - b).abs() < 1e-8, "{a} {b}");
        }
    }
}
