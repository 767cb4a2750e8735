use super::*;

#[test]
fn probe() {
    for seed in 0..20 {
        let mut s = Stream::new(Key::new(seed, &["binomial"]), 1);
        let n = (0..100_000).filter(|_| s.uniform() < 0.5).count();
        let mut s = Stream::new(Key::new(seed, &["binomial"]), 1);
        let m: u64 = (0..100_000).map(|_| binomial(&mut s, 1, 1, 2)).sum();
        println!("{} {}", (n as f64 - 5e4) / 158.1, (m as f64 - 5e4) / 158.1);
    }
}
