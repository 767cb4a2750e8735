//! What the models' inner loops share: chunks, the vector unit, and the way from integer sums to floats.

/// Neurons handled at a time: a chunk in which nobody fires needs no second look.
pub(super) const CHUNK: usize = 128;

/// The float nearest to `sum`. Written so that the compiler can use vector instructions without AVX-512: both halves
/// convert exactly, and the one addition rounds once, as the direct conversion does.
#[inline(always)]
pub(super) fn to_float(sum: i64) -> f64 {
    ((sum >> 32) as i32) as f64 * 4_294_967_296.0 + (sum as u32) as f64
}

/// Reads a sum in units of `unit` and sets it to zero.
#[inline(always)]
pub(super) fn take(sum: &mut i64, unit: f64) -> f64 {
    to_float(std::mem::take(sum)) * unit
}

/// Defines a function twice, for the baseline and for AVX2, and chooses at run time. The operations and their order
/// are the same (no fused multiply-add), hence the results are.
macro_rules! vectorised {
    ($(#[$doc:meta])* fn $name:ident$(<const $c:ident: bool>)?($($arg:ident: $type:ty),* $(,)?) -> $out:ty $body:block) => {
        $(#[$doc])*
        #[inline]
        #[allow(clippy::too_many_arguments)]
        fn $name$(<const $c: bool>)?($($arg: $type),*) -> $out {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn plain$(<const $c: bool>)?($($arg: $type),*) -> $out $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                #[allow(clippy::too_many_arguments)]
                fn avx2$(<const $c: bool>)?($($arg: $type),*) -> $out {
                    plain$(::<$c>)?($($arg),*)
                }
                if std::arch::is_x86_feature_detected!("avx2") {
                    // SAFETY: the processor has AVX2, as was just asked.
                    return unsafe { avx2$(::<$c>)?($($arg),*) };
                }
            }
            plain$(::<$c>)?($($arg),*)
        }
    };
}
pub(super) use vectorised;

#[cfg(test)]
mod tests {
    use super::to_float;

    #[test]
    fn converts_as_the_processor_does() {
        let mut x = 1u64;
        for _ in 0..100_000 {
            x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            for shift in [0, 3, 11, 20, 40, 63] {
                let sum = (x as i64) >> shift;
                assert_eq!(to_float(sum).to_bits(), (sum as f64).to_bits(), "{sum}");
            }
        }
        for sum in [0, 1, -1, i64::MAX, i64::MIN, u32::MAX as i64, -(u32::MAX as i64)] {
            assert_eq!(to_float(sum), sum as f64);
        }
    }
}
