//! Random numbers that are functions of where they are used, not of when.
//!
//! Every draw comes from Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw ("Parallel random
//! numbers: as easy as 1, 2, 3", SC11). A [`Key`] is made of the network's seed and a purpose (for example *weights of
//! projection X*); a [`Stream`] is the sequence that belongs to one index (a neuron) under that key. Any rank can
//! start any stream at no cost, so no rank has to draw what another one needs, or to agree with it on an order.
//!
//! Draws are the same on every machine: transcendental functions come from the `libm` crate at a pinned version and
//! not from the platform's C library, and Rust never contracts a product and a sum. Golden tests hold all draws still,
//! because a changed draw is a changed network for every user.

mod discrete;
mod distribution;
mod normal;

pub use discrete::{binomial, hypergeometric};
pub use distribution::DistributionError;
pub use normal::{normal_cdf, normal_quantile};

const MULTIPLIER: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// How many blocks are made at once, side by side, so that the compiler can use vector instructions.
const LANES: usize = 8;
/// The words of [`LANES`] blocks: word `w` of block `i` is the lower half of `[w][i]`.
type Lanes = [[u64; LANES]; 4];
/// Words of [`LANES`] blocks.
pub(crate) const WORDS: usize = 4 * LANES;

/// One block: four random words for a counter and a key.
pub fn philox4x32(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let (mut c, mut k) = (counter, key);
    for round in 0..10 {
        if round > 0 {
            k = [k[0].wrapping_add(WEYL[0]), k[1].wrapping_add(WEYL[1])];
        }
        let a = u64::from(MULTIPLIER[0]) * u64::from(c[0]);
        let b = u64::from(MULTIPLIER[1]) * u64::from(c[2]);
        c = [(b >> 32) as u32 ^ c[1] ^ k[0], b as u32, (a >> 32) as u32 ^ c[3] ^ k[1], a as u32];
    }
    c
}

/// [`LANES`] blocks side by side: from counters to random words. The same numbers as [`philox4x32`].
///
/// Each word is the lower half of 64 bits, with whatever comes in the upper half: that is how vector units want the
/// operands of a widening multiplication, and saves them all shuffling. (No closures here: they are not inlined into
/// functions that ask for more of the processor than they do.)
#[inline(always)]
fn philox_lanes(c: Lanes, key: [u32; 2]) -> Lanes {
    let keys = |round: u32| {
        [key[0].wrapping_add(WEYL[0].wrapping_mul(round)), key[1].wrapping_add(WEYL[1].wrapping_mul(round))]
    };
    // Written out, so that the words stay in registers.
    let c = round_lanes(round_lanes(c, keys(0)), keys(1));
    let c = round_lanes(round_lanes(c, keys(2)), keys(3));
    let c = round_lanes(round_lanes(c, keys(4)), keys(5));
    let c = round_lanes(round_lanes(c, keys(6)), keys(7));
    round_lanes(round_lanes(c, keys(8)), keys(9))
}

#[inline(always)]
fn round_lanes(c: Lanes, key: [u32; 2]) -> Lanes {
    const LOW: u64 = 0xFFFF_FFFF;
    let mut next = [[0; LANES]; 4];
    for i in 0..LANES {
        let a = u64::from(MULTIPLIER[0]) * (c[0][i] & LOW);
        let b = u64::from(MULTIPLIER[1]) * (c[2][i] & LOW);
        next[0][i] = b >> 32 ^ c[1][i] ^ u64::from(key[0]);
        next[1][i] = b;
        next[2][i] = a >> 32 ^ c[3][i] ^ u64::from(key[1]);
        next[3][i] = a;
    }
    next
}

/// The key of all streams of one purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key([u32; 2]);

impl Key {
    /// The key for a `purpose`, given as a path of names: `["weight", "E→I"]`. The path is hashed with FNV-1a (64 bits),
    /// then mixed with the seed by the finaliser of SplitMix64.
    pub fn new(seed: u64, purpose: &[&str]) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        // 0xFF occurs in no UTF-8 text, so that ["a", "b"] and ["ab"] differ.
        for byte in purpose.iter().flat_map(|part| part.bytes().chain([0xFF])) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        let key = mix(mix(seed).wrapping_add(hash));
        Key([key as u32, (key >> 32) as u32])
    }
    /// The two words that Philox takes.
    pub fn words(self) -> [u32; 2] {
        self.0
    }
}

/// The finaliser of SplitMix64: a bijection in which every bit depends on every bit.
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// The random sequence of one index under a key: the words of the blocks with counters
/// `(block, block >> 32, index, index >> 32)` for `block` = 0, 1, 2, …
#[derive(Clone, Debug)]
pub struct Stream {
    key: Key,
    index: u64,
    /// The block that the next refill begins with.
    block: u64,
    /// Position in `words`; [`WORDS`] when they are used up.
    used: usize,
    words: [u32; WORDS],
}

impl Stream {
    /// The stream of `index` under `key`, from its beginning.
    pub fn new(key: Key, index: u64) -> Self {
        Stream { key, index, block: 0, used: WORDS, words: [0; WORDS] }
    }

    fn refill(&mut self) {
        let counter = [self.block, self.block >> 32, self.index, self.index >> 32];
        // No stream ever comes near the 2³² blocks (64 GiB) where the second word would have to count as well.
        fill_words(self.key, counter, 0, &mut self.words);
        self.block += LANES as u64;
        self.used = 0;
    }

    /// 32 random bits.
    #[inline]
    pub fn next_u32(&mut self) -> u32 {
        if self.used == WORDS {
            self.refill();
        }
        self.used += 1;
        self.words[self.used - 1]
    }

    /// 64 random bits: the next two words, the first one low.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        let low = self.next_u32();
        u64::from(low) | u64::from(self.next_u32()) << 32
    }

    /// Uniform in `[0, 1)`, a multiple of 2⁻⁵³.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        const UNIT: f64 = 1.0 / (1_u64 << 53) as f64;
        (self.next_u64() >> 11) as f64 * UNIT
    }

    /// Uniform in `(0, 1)`: an odd multiple of 2⁻⁵³, so that `1 - u` is as likely as `u` and exact.
    #[inline]
    pub fn open(&mut self) -> f64 {
        open_unit(self.next_u64())
    }

    /// Fills `values` with what [`Stream::open`] would give for each of them in turn.
    pub(crate) fn fill_open(&mut self, values: &mut [f64]) {
        let buffered = ((WORDS - self.used) / 2).min(values.len());
        let (first, rest) = values.split_at_mut(buffered);
        first.iter_mut().for_each(|v| *v = self.open());
        let mut blocks = rest.chunks_exact_mut(WORDS / 2);
        // With an odd number of words used, a value spans two refills, and the values come one by one.
        if self.used == WORDS {
            for values in &mut blocks {
                self.refill();
                self.used = WORDS;
                for (value, word) in values.iter_mut().zip(self.words.chunks_exact(2)) {
                    *value = open_unit(u64::from(word[0]) | u64::from(word[1]) << 32);
                }
            }
            blocks.into_remainder().iter_mut().for_each(|v| *v = self.open());
        } else {
            rest.iter_mut().for_each(|v| *v = self.open());
        }
    }

    /// Uniform among `0..n`, without bias (Lemire 2019); `n` must be positive.
    #[inline]
    pub fn below(&mut self, n: u32) -> u32 {
        let mut product = u64::from(self.next_u32()) * u64::from(n);
        if (product as u32) < n {
            let reject = n.wrapping_neg() % n;
            while (product as u32) < reject {
                product = u64::from(self.next_u32()) * u64::from(n);
            }
        }
        (product >> 32) as u32
    }

    /// Standard normal, by the inverse of the distribution function: one draw takes two words.
    #[inline]
    pub fn normal(&mut self) -> f64 {
        normal_quantile(self.open())
    }

    /// Exponential with mean 1.
    #[inline]
    pub fn exponential(&mut self) -> f64 {
        -libm::log(self.open())
    }

    /// Gamma with shape `k` > 0 and scale 1 (Marsaglia and Tsang 2000; shapes below 1 by their boost).
    pub fn gamma(&mut self, k: f64) -> f64 {
        if k < 1.0 {
            let boost = libm::pow(self.open(), 1.0 / k);
            return self.gamma(k + 1.0) * boost;
        }
        let d = k - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let t = 1.0 + c * x;
            if t <= 0.0 {
                continue;
            }
            let v = t * t * t;
            if libm::log(self.open()) < 0.5 * x * x + d - d * v + d * libm::log(v) {
                return d * v;
            }
        }
    }
}

/// The upper 52 bits of `word`, plus a half, over 2⁵².
#[inline]
fn open_unit(word: u64) -> f64 {
    // The bits of a number in [1, 2): faster than a conversion of 64-bit integers, and as exact.
    (f64::from_bits(word >> 12 | 0x3FF0_0000_0000_0000) - 1.0) + f64::EPSILON / 2.0
}

/// Fills `words`, a multiple of [`WORDS`], with blocks one after the other: the first one for `counter` (each in the lower
/// half of 64 bits), every next one for a counter with the word `counting` increased by one.
#[inline]
pub(crate) fn fill_words(key: Key, counter: [u64; 4], counting: usize, words: &mut [u32]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, the only feature that the function asks for.
        return unsafe { fill_words_avx2(key.0, counter, counting, words) };
    }
    fill_words_any(key.0, counter, counting, words);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn fill_words_avx2(key: [u32; 2], counter: [u64; 4], counting: usize, words: &mut [u32]) {
    fill_words_any(key, counter, counting, words);
}

#[inline(always)]
fn fill_words_any(key: [u32; 2], counter: [u64; 4], counting: usize, words: &mut [u32]) {
    let mut lanes = [[0; LANES]; 4];
    for (lane, word) in lanes.iter_mut().zip(counter) {
        *lane = [word; LANES];
    }
    for (i, word) in lanes[counting].iter_mut().enumerate() {
        *word += i as u64;
    }
    for group in words.chunks_exact_mut(WORDS) {
        interleave(&philox_lanes(lanes, key), group);
        for word in &mut lanes[counting] {
            *word += LANES as u64;
        }
    }
}

/// Blocks side by side to blocks one after the other.
#[inline(always)]
fn interleave(lanes: &Lanes, words: &mut [u32]) {
    for i in 0..LANES {
        for w in 0..4 {
            words[4 * i + w] = lanes[w][i] as u32;
        }
    }
}

#[cfg(test)]
mod tests;
