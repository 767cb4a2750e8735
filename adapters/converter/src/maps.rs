//! `threshold`, `linear` and `gain`: what is calculated of each sample by itself.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, s};

/// Calls `each` with (column, row) for each sample that is at or above `threshold` while the one before was below. The first
/// row of `x` is the sample before the first that can be a crossing.
pub fn crossings(x: ArrayView2<'_, f64>, threshold: f64, mut each: impl FnMut(usize, usize)) {
    for row in 1..x.nrows() {
        for (column, (before, now)) in x.row(row - 1).iter().zip(x.row(row)).enumerate() {
            if *before < threshold && *now >= threshold {
                each(column, row);
            }
        }
    }
}

/// `y = matrix · x` for each row of `x` but the first, for the `rows` of the matrix. Products are added from the first column on.
pub fn linear(matrix: &[Vec<f64>], rows: Range<usize>, x: ArrayView2<'_, f64>) -> Array2<f64> {
    let samples = x.slice(s![1.., ..]);
    Array2::from_shape_fn((samples.nrows(), rows.len()), |(k, row)| {
        matrix[rows.start + row].iter().zip(samples.row(k)).fold(0.0, |sum, (factor, x)| sum + factor * x)
    })
}

/// `y = gain · x + offset` for each row of `x` but the first.
pub fn gain(gain: f64, offset: f64, x: ArrayView2<'_, f64>) -> Array2<f64> {
    x.slice(s![1.., ..]).mapv(|x| gain * x + offset)
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn a_crossing_is_upward_and_from_below() {
        let x = array![[0.0, 1.0, 5.0], [1.0, 1.0, 0.9], [2.0, 0.5, 1.5], [0.0, 1.0, 0.99], [1.0, 2.0, 1.0]];
        let mut found = Vec::new();
        crossings(x.view(), 1.0, |column, row| found.push((column, row)));
        // At the threshold counts as above; a signal that begins above has not crossed.
        assert_eq!(found, [(0, 1), (2, 2), (1, 3), (0, 4), (2, 4)]);
    }

    #[test]
    fn maps_are_those_of_the_definition() {
        let x = array![[9.0, 9.0, 9.0], [1.0, 2.0, 3.0], [-1.0, 0.5, 0.25]];
        let matrix = [vec![1.0, 0.0, 2.0], vec![0.5, -1.0, 4.0]];
        assert_eq!(linear(&matrix, 0..2, x.view()), array![[7.0, 10.5], [-0.5, 0.0]]);
        assert_eq!(linear(&matrix, 1..2, x.view()), array![[10.5], [0.0]]);
        assert_eq!(gain(2.0, -65.0, x.view()), array![[-63.0, -61.0, -59.0], [-67.0, -64.0, -64.5]]);
    }
}
