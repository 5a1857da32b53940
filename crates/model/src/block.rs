//! Memory in lines of 16 numbers, 64-byte aligned: one AVX-512 register, one cache line.

/// One cache line of numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(64))]
pub struct Line(pub [f32; 16]);

/// Numbers in a line.
pub const LANES: usize = 16;

impl Line {
    /// All zero.
    pub const ZERO: Line = Line([0.0; LANES]);
}

/// Lines that hold `values` numbers.
pub const fn lines(values: usize) -> usize {
    values.div_ceil(LANES)
}

/// The numbers of lines, one after another.
#[inline(always)]
pub fn flat(lines: &[Line]) -> &[f32] {
    // SAFETY: `Line` is exactly 16 `f32` without padding (repr C, size 64), and `f32` needs less alignment.
    unsafe { std::slice::from_raw_parts(lines.as_ptr().cast::<f32>(), lines.len() * LANES) }
}

/// The numbers of lines, to be changed.
#[inline(always)]
pub fn flat_mut(lines: &mut [Line]) -> &mut [f32] {
    // SAFETY: as in `flat`; the borrow is exclusive.
    unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast::<f32>(), lines.len() * LANES) }
}

/// The bits of lines, sixteen words each.
#[inline(always)]
pub(crate) fn words(lines: &[Line]) -> &[u32] {
    // SAFETY: as in `flat`; every bit pattern is a `u32`.
    unsafe { std::slice::from_raw_parts(lines.as_ptr().cast::<u32>(), lines.len() * LANES) }
}

/// The bits of a line, to be changed.
#[inline(always)]
pub(crate) fn words_of(line: &mut Line) -> &mut [u32; LANES] {
    // SAFETY: as in `words`; the borrow is exclusive and every bit pattern is an `f32`.
    unsafe { &mut *line.0.as_mut_ptr().cast::<[u32; LANES]>() }
}

/// Lines as 32 halves each, to be changed.
#[inline(always)]
pub(crate) fn halves_mut(lines: &mut [Line]) -> &mut [u16] {
    // SAFETY: as in `flat`; the borrow is exclusive and every bit pattern is an `f32`.
    unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast::<u16>(), lines.len() * 2 * LANES) }
}

/// Lines as 64 bytes each, to be changed.
#[inline(always)]
pub(crate) fn bytes_mut(lines: &mut [Line]) -> &mut [u8] {
    // SAFETY: as in `halves_mut`.
    unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast::<u8>(), lines.len() * 4 * LANES) }
}

const _: () = assert!(size_of::<Line>() == 64 && align_of::<Line>() == 64);
