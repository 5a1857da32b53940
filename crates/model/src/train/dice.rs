//! Seeded randomness: SplitMix64 (Steele, Lea and Flood 2014).

/// A stream of random numbers that its seed determines.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// A stream.
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// What a stream made anew goes on from.
    pub fn state(&self) -> u64 {
        self.0
    }

    /// 64 random bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// Uniform in [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with a chance of `share`: whether [`Dice::unit`] is below it, without a conversion that keeps a loop from being vectorised.
    #[inline(always)]
    pub(crate) fn below_share(&mut self, share: f64) -> bool {
        ((self.bits() >> 11) as i64) < (share * (1u64 << 53) as f64).ceil() as i64
    }

    /// Uniform in 0..end, for ends far below 2^32; the bias is below end / 2^64.
    pub fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.bits()) * end as u128) >> 64) as usize
    }

    /// A random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.below(at + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn a_shuffle_is_a_permutation_that_the_seed_determines() {
        let shuffled = |seed| {
            let mut list: Vec<u32> = (0..1000).collect();
            Dice::new(seed).shuffle(&mut list);
            list
        };
        assert_eq!(shuffled(1), shuffled(1));
        assert_ne!(shuffled(1), shuffled(2));
        let mut sorted = shuffled(3);
        sorted.sort_unstable();
        assert!(sorted.iter().enumerate().all(|(at, value)| at as u32 == *value));
    }

    #[test]
    fn a_chance_is_a_unit_below_it() {
        let (mut a, mut b) = (Dice::new(2), Dice::new(2));
        for share in [0.0, 1e-17, 0.1, 0.5, 0.999, 1.0].iter().cycle().take(60_000) {
            assert_eq!(a.below_share(*share), b.unit() < *share);
        }
    }

    #[test]
    fn units_fill_the_interval_evenly() {
        let mut dice = Dice::new(9);
        let mut bins = [0u32; 10];
        for _ in 0..100_000 {
            bins[(dice.unit() * 10.0) as usize] += 1;
        }
        assert!(bins.iter().all(|count| (9_500..10_500).contains(count)), "{bins:?}");
    }
}
