//! The normal distribution function and its inverse.

/// Wichura's rational functions, highest power last.
type Ratio = ([f64; 8], [f64; 8]);

/// For |u - 1/2| <= 0.425.
const CENTRE: Ratio = (
    [
        3.387_132_872_796_366_5,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_3e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_659_7e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_854e3,
    ],
);

/// For tails down to e⁻²⁵.
const TAIL: Ratio = (
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
);

/// For tails below e⁻²⁵.
const FAR: Ratio = (
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_048_7e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_7e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
);

#[inline]
fn ratio(r: f64, (num, den): &Ratio) -> f64 {
    let horner = |c: &[f64; 8]| c.iter().rev().fold(0.0, |sum, c| sum * r + c);
    horner(num) / horner(den)
}

/// The inverse of the standard normal distribution function for `u` in `(0, 1)`, to about 1e-16 relative
/// (M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37, 1988).
#[inline]
pub fn normal_quantile(u: f64) -> f64 {
    let q = u - 0.5;
    if q.abs() <= 0.425 { q * ratio(0.180625 - q * q, &CENTRE) } else { tail_quantile(u) }
}

/// Replaces each `u` by [`normal_quantile`] of it.
pub(super) fn normal_quantiles(values: &mut [f64]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, the only feature that the function asks for.
        return unsafe { normal_quantiles_avx2(values) };
    }
    normal_quantiles_any(values);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn normal_quantiles_avx2(values: &mut [f64]) {
    normal_quantiles_any(values);
}

/// All values as if they were central, in vectors; then the tails one by one.
#[inline(always)]
fn normal_quantiles_any(values: &mut [f64]) {
    const CHUNK: usize = 64;
    let mut tails = [(0, 0.0); CHUNK];
    for chunk in values.chunks_mut(CHUNK) {
        let mut n = 0;
        for (i, u) in chunk.iter().enumerate() {
            tails[n] = (i, *u);
            n += usize::from((u - 0.5).abs() > 0.425);
        }
        for u in chunk.iter_mut() {
            let q = *u - 0.5;
            *u = q * ratio(0.180625 - q * q, &CENTRE);
        }
        for &(i, u) in &tails[..n] {
            chunk[i] = tail_quantile(u);
        }
    }
}

/// The part of [`normal_quantile`] that 15 % of draws need.
fn tail_quantile(u: f64) -> f64 {
    let (tail, sign) = if u < 0.5 { (u, -1.0) } else { (1.0 - u, 1.0) };
    let r = (-libm::log(tail)).sqrt();
    sign * if r <= 5.0 { ratio(r - 1.6, &TAIL) } else { ratio(r - 5.0, &FAR) }
}

/// The standard normal distribution function.
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}
