//! Numbers to bytes and back, little-endian, for checkpoints.

/// Bytes that grow.
#[derive(Default)]
pub(crate) struct Out(pub(crate) Vec<u8>);

impl Out {
    pub(crate) fn number(&mut self, value: u64) {
        self.0.extend(value.to_le_bytes());
    }

    pub(crate) fn float(&mut self, value: f64) {
        self.number(value.to_bits());
    }

    pub(crate) fn pair(&mut self, value: [u8; 2]) {
        self.0.extend(value);
    }

    pub(crate) fn bytes(&mut self, values: &[u8]) {
        self.number(values.len() as u64);
        self.0.extend_from_slice(values);
    }

    pub(crate) fn floats(&mut self, values: &[f32]) {
        self.number(values.len() as u64);
        values.iter().for_each(|value| self.0.extend(value.to_le_bytes()));
    }
}

/// Bytes that are read; `None` once they end too early.
pub(crate) struct In<'a>(pub(crate) &'a [u8]);

impl<'a> In<'a> {
    pub(crate) fn number(&mut self) -> Option<u64> {
        let (head, tail) = self.0.split_first_chunk::<8>()?;
        self.0 = tail;
        Some(u64::from_le_bytes(*head))
    }

    pub(crate) fn float(&mut self) -> Option<f64> {
        self.number().map(f64::from_bits)
    }

    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(bytes)?;
        self.0 = tail;
        Some(head)
    }

    pub(crate) fn pair(&mut self) -> Option<[u8; 2]> {
        let (head, tail) = self.0.split_first_chunk::<2>()?;
        self.0 = tail;
        Some(*head)
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let count = usize::try_from(self.number()?).ok()?;
        self.take(count)
    }

    /// Fills `out`; `None` when another number of bytes is there.
    pub(crate) fn fill_bytes(&mut self, out: &mut [u8]) -> Option<()> {
        let found = self.bytes()?;
        (found.len() == out.len()).then(|| out.copy_from_slice(found))
    }

    /// Fills `out`; `None` when another number of floats is there.
    pub(crate) fn fill_floats(&mut self, out: &mut [f32]) -> Option<()> {
        let count = usize::try_from(self.number()?).ok()?;
        let found = self.take(count.checked_mul(4)?)?;
        if count != out.len() {
            return None;
        }
        for (out, bytes) in out.iter_mut().zip(found.as_chunks::<4>().0) {
            *out = f32::from_le_bytes(*bytes);
        }
        Some(())
    }
}
