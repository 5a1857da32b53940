//! A stretch of memory that several processes (or threads) share, seen as atomic words.
//!
//! Invariants:
//! - I1: `base` points to `bytes` bytes, 64-byte aligned, valid until the mapping is dropped.
//! - I2: every offset passed in is a multiple of the word's size and lies, with the word, inside `bytes`: offsets come from
//!   constants of `layout` and from slot numbers masked by a header that `segment` checked against `bytes`.
//! - I3: shared words are only touched as atomics. Plain bytes are only touched by whoever owns them by the protocol of the
//!   channel: the writer from seeing a slot free to the commit, the reader from seeing the commit to freeing the slot.
//! - I4: a mapping made read-only is never stored to: writers attach only to writable segments.

use crate::sync::{AtomicU32, AtomicU64, Ordering};
use core::ptr::NonNull;
use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::{fs::File, io, os::fd::AsRawFd};

enum Origin {
    File,
    Heap(Layout),
}

/// Shared memory; unmapped or freed when dropped.
pub(crate) struct Mapping {
    base: NonNull<u8>,
    bytes: usize,
    origin: Origin,
}

// SAFETY: I3; the memory itself belongs to no thread.
unsafe impl Send for Mapping {}
// SAFETY: I3.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the first `bytes` of `file`, pre-faulted so that the first pass over it takes no page fault.
    pub(crate) fn file(file: &File, bytes: usize, writable: bool) -> io::Result<Mapping> {
        let protection = if writable { libc::PROT_READ | libc::PROT_WRITE } else { libc::PROT_READ };
        let flags = libc::MAP_SHARED | libc::MAP_POPULATE;
        // SAFETY: a fresh mapping chosen by the kernel overlaps nothing; the descriptor is open for the length of the call.
        let base =
            unsafe { libc::mmap(core::ptr::null_mut(), bytes, protection, flags, file.as_raw_fd(), 0) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let base = NonNull::new(base.cast()).expect("mmap without MAP_FIXED never returns address 0");
        Ok(Mapping { base, bytes, origin: Origin::File })
    }

    /// Zeroed memory of this process, for channels between threads.
    pub(crate) fn heap(bytes: usize) -> Mapping {
        let layout = Layout::from_size_align(bytes, 64).expect("segment sizes are far below isize::MAX");
        // SAFETY: `bytes` is not zero: every segment holds at least its header.
        let base = unsafe { alloc_zeroed(layout) };
        let Some(base) = NonNull::new(base) else { handle_alloc_error(layout) };
        Mapping { base, bytes, origin: Origin::Heap(layout) }
    }

    /// Size in bytes.
    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Address of byte 0.
    #[inline]
    pub(crate) fn base(&self) -> *mut u8 {
        self.base.as_ptr()
    }

    /// The 32-bit word at byte `at`.
    #[inline(always)]
    pub(crate) fn word(&self, at: usize) -> &AtomicU32 {
        debug_assert!(at.is_multiple_of(4) && at + 4 <= self.bytes);
        // SAFETY: I1, I2, I3; an atomic has the size and alignment of its integer.
        unsafe { &*self.base.as_ptr().add(at).cast::<AtomicU32>() }
    }

    /// The 64-bit word at byte `at`.
    #[inline(always)]
    pub(crate) fn word64(&self, at: usize) -> &AtomicU64 {
        debug_assert!(at.is_multiple_of(8) && at + 8 <= self.bytes);
        // SAFETY: I1, I2, I3.
        unsafe { &*self.base.as_ptr().add(at).cast::<AtomicU64>() }
    }

    /// Plain bytes; the caller owns them by the channel's protocol (I3) for as long as it uses the pointer.
    #[inline(always)]
    pub(crate) fn plain(&self, at: usize, length: usize) -> *mut u8 {
        debug_assert!(at + length <= self.bytes);
        // SAFETY: I1, I2.
        unsafe { self.base.as_ptr().add(at) }
    }

    /// Asks for the cache lines of `length` bytes from `at` on, which are about to be written. A hint: it changes nothing.
    #[inline]
    pub(crate) fn prefetch(&self, at: usize, length: usize) {
        debug_assert!(at + length <= self.bytes);
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        for line in (at..at + length).step_by(64) {
            use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            // SAFETY: a prefetch reads nothing as far as the program can tell; the address lies inside the mapping (I1).
            unsafe { _mm_prefetch::<_MM_HINT_T0>(self.base.as_ptr().add(line).cast()) };
        }
    }

    /// Stores `words` from byte `at` on, each one atomically; readers may look on and must validate.
    #[inline]
    pub(crate) fn put(&self, at: usize, words: &[u64]) {
        for (place, word) in words.iter().enumerate() {
            self.word64(at + place * 8).store(*word, Ordering::Relaxed);
        }
    }

    /// Loads `words` from byte `at` on, each one atomically; valid only once the caller has validated the slot.
    #[inline]
    pub(crate) fn get(&self, at: usize, words: &mut [u64]) {
        for (place, word) in words.iter_mut().enumerate() {
            *word = self.word64(at + place * 8).load(Ordering::Relaxed);
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        match self.origin {
            // SAFETY: I1; the mapping is ours and nothing borrows it any more.
            Origin::File => unsafe {
                libc::munmap(self.base.as_ptr().cast(), self.bytes);
            },
            // SAFETY: allocated with this layout in `heap`.
            Origin::Heap(layout) => unsafe { dealloc(self.base.as_ptr(), layout) },
        }
    }
}
