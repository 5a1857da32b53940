//! A learner's checkpoint: parameters, what the optimiser remembers, recurrent state and dice, with a checksum.

use super::Learner;
use crate::error::{Fault, ModelError};
use crate::train::Dice;

const CHECKPOINT: [u8; 8] = *b"TLLEARN1";

fn number(rest: &mut &[u8]) -> Option<u64> {
    let (head, tail) = rest.split_first_chunk::<8>()?;
    *rest = tail;
    Some(u64::from_le_bytes(*head))
}

fn numbers(rest: &mut &[u8]) -> Option<Vec<f32>> {
    let bytes = usize::try_from(number(rest)?).ok()?.checked_mul(4)?;
    let (own, tail) = rest.split_at_checked(bytes)?;
    *rest = tail;
    Some(own.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

impl Learner {
    /// Everything a later [`Learner::restore`] needs to go on as if nothing had happened, to the bit.
    pub fn checkpoint(&self) -> Vec<u8> {
        let (steps, [first, second]) = self.optimiser.parts();
        let vectors = [&self.parameters[..], first, second, self.net.state()];
        let mut bytes = CHECKPOINT.to_vec();
        bytes.extend(self.dice.state().to_le_bytes());
        bytes.extend(steps.to_le_bytes());
        for vector in vectors {
            bytes.extend((vector.len() as u64).to_le_bytes());
            vector.iter().for_each(|value| bytes.extend(value.to_le_bytes()));
        }
        let sum = crate::file::digest(bytes.iter().copied());
        bytes.extend(sum.to_le_bytes());
        bytes
    }

    /// Goes back to a checkpoint of a learner of the same plan, recipe and batch.
    ///
    /// # Errors
    /// [`Fault::Checksum`] for damaged bytes, [`Fault::Architecture`] for those of another learner; nothing has changed then.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), ModelError> {
        let damaged =
            || ModelError::new(Fault::Checksum, "the checkpoint is damaged; go back to an older one");
        let (body, sum) = bytes.split_last_chunk::<8>().ok_or_else(damaged)?;
        if crate::file::digest(body.iter().copied()) != u64::from_le_bytes(*sum) {
            return Err(damaged());
        }
        let mut rest = body.strip_prefix(&CHECKPOINT).ok_or_else(damaged)?;
        let (dice, steps) = (number(&mut rest).ok_or_else(damaged)?, number(&mut rest).ok_or_else(damaged)?);
        let mut vectors = Vec::new();
        for _ in 0..4 {
            vectors.push(numbers(&mut rest).ok_or_else(damaged)?);
        }
        let foreign =
            || ModelError::new(Fault::Architecture, "the checkpoint is of another network or recipe");
        let fits = vectors[0].len() == self.parameters.len() && vectors[3].len() == self.net.state().len();
        if !fits || !rest.is_empty() || !self.optimiser.restore(steps, &vectors[1], &vectors[2]) {
            return Err(foreign());
        }
        self.parameters.copy_from_slice(&vectors[0]);
        self.net.set_state(&vectors[3]);
        self.dice = Dice::new(dice);
        Ok(())
    }
}
