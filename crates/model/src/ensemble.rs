// @hot
//! Several models that answer together: the mean of their answers, under a name of its own. A test of an ensemble and the line that runs it
//! share this code.
use crate::model::head;
use sha2::{Digest, Sha256};

/// Adds a member's answer to the sum of those before it, which begins with the first member's.
#[inline]
pub fn join(sum: &mut [f32], answer: &[f32]) {
    sum.iter_mut().zip(answer).for_each(|(sum, value)| *sum += value);
}

/// Makes the mean of the sum of `members` answers; NaN where one of them is.
#[inline]
pub fn mean(sum: &mut [f32], members: usize) {
    sum.iter_mut().for_each(|sum| *sum /= members as f32);
}

/// The hash that stands for an ensemble: a single model's own; of several the first 8 bytes of the SHA-256 of their hashes, 8 bytes each,
/// big-endian, in order.
pub fn hash(members: &[u64]) -> u64 {
    if let [one] = members {
        return *one;
    }
    let mut sha = Sha256::new();
    members.iter().for_each(|hash| sha.update(hash.to_be_bytes()));
    head(&sha.finalize())
}

#[cfg(test)]
mod tests {
    use super::{hash, join, mean};
    use sha2::{Digest, Sha256};

    #[test]
    fn the_mean_is_the_mean_and_not_a_number_stays_none() {
        let mut sum = [0.2f32, 0.5, 0.3];
        join(&mut sum, &[0.4, 0.1, 0.5]);
        mean(&mut sum, 2);
        assert_eq!(sum.map(|value| (value * 1e6).round() / 1e6), [0.3, 0.3, 0.4]);
        join(&mut sum, &[f32::NAN, 0.0, 0.0]);
        mean(&mut sum, 2);
        assert!(sum[0].is_nan() && !sum[1].is_nan());
    }

    #[test]
    fn a_name_knows_members_and_order() {
        assert_eq!(hash(&[7]), 7, "one model is itself");
        let mut sha = Sha256::new();
        [1u64, 2].iter().for_each(|hash| sha.update(hash.to_be_bytes()));
        let wanted: [u8; 8] = sha.finalize()[..8].try_into().expect("32 bytes");
        assert_eq!(hash(&[1, 2]), u64::from_be_bytes(wanted));
        assert!(
            hash(&[1, 2]) != hash(&[2, 1])
                && hash(&[1, 2]) != hash(&[1, 2, 2])
                && hash(&[1, 2]) != hash(&[1, 3])
        );
    }
}
