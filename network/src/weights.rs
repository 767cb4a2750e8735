//! Weights on grids, so that sums of them are exact and the order of addition does not matter.
//!
//! For each receptor of each population let `B` be the largest magnitude that a weight onto it can have. The receptor's
//! grid is `2^G` with `G = ceil(log2 B) - 36`, in the weight's own unit (nA, µS or mV). Constant weights are rounded to the nearest
//! multiple of it, an error below 2⁻³⁶ of `B`. Weights that are drawn or listed are rounded to a grid of their projection,
//! `2^g` with `g = max(ceil(log2 b) - 30, G)` for a bound `b`, so that they fit in 32 bits each.
//!
//! What follows from it:
//! * a kernel may add weights as integers and convert the sum once;
//! * a simulator that adds them as `f64`, also after a multiplication by 1000 (nA to pA), is exact in any order of
//!   arrival, as 1000 = 125·2³ and 125·2³⁶ is below 2⁴³: up to 1024 spikes of the largest weight at the same neuron,
//!   receptor and step have a sum of 53 bits.

use crate::description::{Network, PopulationId, Projection, ProjectionId, Receptor, Value};

/// Bits below the bound that a receptor's grid resolves.
const RECEPTOR_BITS: i32 = 36;
/// Bits below the bound that drawn and listed weights resolve.
const DRAWN_BITS: i32 = 30;

/// A grid of weights: the multiples of a power of two.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Grid {
    exponent: i32,
}

impl Grid {
    /// The grid of multiples of `2^exponent`.
    fn new(exponent: i32) -> Self {
        // Far beyond every weight there is; within, the power and its inverse are normal numbers.
        Grid { exponent: exponent.clamp(-1000, 1000) }
    }
    /// log2 of the distance between neighbours.
    pub fn exponent(self) -> i32 {
        self.exponent
    }
    /// The distance between neighbours.
    pub fn unit(self) -> f64 {
        power_of_two(self.exponent)
    }
    /// The weight of `raw` units; exact for `|raw| <= 2^53`.
    #[inline]
    pub fn weight(self, raw: i64) -> f64 {
        raw as f64 * self.unit()
    }
    /// The nearest multiple of the grid, in units; a tie goes to the even one.
    #[inline]
    pub fn nearest(self, weight: f64) -> i64 {
        // Adding 1.5·2⁵² rounds to a whole number, ties to even, in vectors and without a call. All weights have
        // magnitudes far below 2⁵¹ units.
        const ROUND: f64 = 1.5 * (1_u64 << 52) as f64;
        let rounded = weight * power_of_two(-self.exponent) + ROUND;
        // The whole number is in the low bits.
        rounded.to_bits() as i64 - ROUND.to_bits() as i64
    }
}

fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((1023 + exponent) as u64) << 52)
}

/// The smallest `e` with `2^e >= value`, for a positive, finite `value`; 0 for a value of zero.
fn ceil_log2(value: f64) -> i32 {
    if value == 0.0 {
        return 0;
    }
    let bits = value.to_bits();
    let (exponent, mantissa) = ((bits >> 52 & 0x7FF) as i32, bits & ((1 << 52) - 1));
    // Subnormal numbers are as good as the smallest normal one here.
    exponent.max(1) - 1023 + i32::from(mantissa != 0)
}

/// The largest magnitude that `value` can take.
pub fn bound(value: &Value) -> f64 {
    match value {
        Value::Constant(w) => w.abs(),
        Value::Random(distribution) => {
            let (low, high) = distribution.bounds();
            low.abs().max(high.abs())
        }
        Value::List(list) => list.iter().fold(0.0, |bound, w| w.abs().max(bound)),
    }
}

/// The grid of `receptor` of `population`; it depends on all projections onto that receptor.
pub fn receptor_grid(network: &Network, population: PopulationId, receptor: Receptor) -> Grid {
    let onto = network.projections.iter().filter(|p| p.to == population && p.receptor == receptor);
    let largest = onto.map(Projection::weight_bound).fold(0.0, f64::max);
    Grid::new(ceil_log2(largest) - RECEPTOR_BITS)
}

/// How the weights of one projection are rounded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProjectionGrid {
    /// The grid of the receptor: `raw` weights are counted in its units.
    pub receptor: Grid,
    /// The grid that this projection's weights lie on, as fine or coarser.
    pub own: Grid,
}

impl ProjectionGrid {
    /// The grid of a projection.
    pub fn new(network: &Network, projection: ProjectionId) -> Self {
        let p = &network.projections[projection];
        let receptor = receptor_grid(network, p.to, p.receptor);
        let own = match p.weight {
            Value::Constant(_) => receptor,
            _ => Grid::new(ceil_log2(bound(&p.weight)) - DRAWN_BITS).max(receptor),
        };
        ProjectionGrid { receptor, own }
    }
    /// log2 of own units per receptor unit: raw = own << shift, where own fits in 32 bits unless the weight is constant.
    pub fn shift(self) -> u32 {
        (self.own.exponent - self.receptor.exponent) as u32
    }
    /// `weight` on the projection's grid, in units of the receptor's.
    #[inline]
    pub fn raw(self, weight: f64) -> i64 {
        self.own.nearest(weight) << self.shift()
    }
    /// `weight` on the projection's grid.
    #[inline]
    pub fn snap(self, weight: f64) -> f64 {
        self.receptor.weight(self.raw(weight))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::description::{Connector, Distribution};
    use crate::testing::{network, projection};

    /// Two projections onto one receptor: one with a constant weight, one drawn up to `bound`.
    fn two(constant: f64, bound: f64) -> Network {
        let all = || Connector::AllToAll { allow_self_connections: true };
        let mut network = network([2, 2], false, all());
        network.projections.push(projection(0, 1, all()));
        network.projections[0].weight = Value::Constant(constant);
        network.projections[1].weight = Value::Random(Distribution::Uniform { low: 0.0, high: bound });
        network
    }

    #[test]
    fn logarithms_are_exact() {
        for e in -300..300 {
            let power = 2_f64.powi(e);
            assert_eq!(ceil_log2(power), e);
            assert_eq!(ceil_log2(power.next_up()), e + 1);
            assert_eq!(ceil_log2(power.next_down()), e);
            assert_eq!(Grid::new(e).unit(), power);
        }
        assert_eq!(ceil_log2(0.0), 0);
    }

    #[test]
    fn grids_follow_the_largest_weight() {
        let network = two(0.1, 0.75);
        let (constant, drawn) = (ProjectionGrid::new(&network, 0), ProjectionGrid::new(&network, 1));
        assert_eq!(constant.receptor.exponent(), -36);
        assert_eq!(drawn.receptor, constant.receptor);
        assert_eq!((constant.shift(), drawn.shift()), (0, 6));
        assert_eq!(receptor_grid(&network, 1, Receptor::Inhibitory).exponent(), -36);
        // A projection far weaker than the receptor's strongest uses the receptor's grid.
        let uneven = two(1000.0, 1e-6);
        assert_eq!(ProjectionGrid::new(&uneven, 1).shift(), 0);
    }

    #[test]
    fn powers_of_two_stay_what_they_are() {
        for weight in [1.0, 0.5, -0.25, 0.0] {
            let network = two(weight, 1.0);
            assert_eq!(ProjectionGrid::new(&network, 0).snap(weight), weight);
            assert_eq!(ProjectionGrid::new(&network, 1).snap(weight), weight);
        }
    }

    proptest! {
        #[test]
        fn snapping_is_near_idempotent_and_odd(bound in 1e-12..1e6_f64, share in 0.0..1.0_f64) {
            let network = two(bound, bound * 0.3);
            for projection in 0..2 {
                let grid = ProjectionGrid::new(&network, projection);
                let weight = share * super::bound(&network.projections[projection].weight);
                let snapped = grid.snap(weight);
                prop_assert!((snapped - weight).abs() <= grid.own.unit() / 2.0);
                prop_assert_eq!(grid.snap(snapped), snapped);
                prop_assert_eq!(grid.snap(-weight), -snapped);
                prop_assert!(projection == 0 || i32::try_from(grid.own.nearest(weight)).is_ok());
            }
        }

        #[test]
        fn sums_do_not_depend_on_the_order(
            bound in 1e-9..1e4_f64,
            shares in proptest::collection::vec((-1.0..1.0_f64, any::<bool>()), 1..1000),
            rotation in any::<proptest::sample::Index>(),
        ) {
            let network = two(bound, bound * 0.9);
            let grids = [ProjectionGrid::new(&network, 0), ProjectionGrid::new(&network, 1)];
            let raw: Vec<i64> = shares.iter().map(|(share, drawn)| {
                grids[usize::from(*drawn)].raw(share * bound * if *drawn { 0.9 } else { 1.0 })
            }).collect();
            let receptor = grids[0].receptor;
            let pico = |raw: &i64| 1000.0 * receptor.weight(*raw);
            let exact = 1000.0 * receptor.weight(raw.iter().sum());
            let split = rotation.index(raw.len());
            prop_assert_eq!(raw.iter().map(pico).sum::<f64>(), exact);
            prop_assert_eq!(raw.iter().rev().map(pico).sum::<f64>(), exact);
            prop_assert_eq!(raw[split..].iter().chain(&raw[..split]).map(pico).sum::<f64>(), exact);
        }
    }
}
