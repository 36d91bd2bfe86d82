//! The allocator that looks at what is freed. The only `unsafe` code of the repository.
//!
//! Each block is zeroed when it is allocated, so that what stands in it was written by the code that had it, and so that
//! no byte is read that nobody wrote.

use std::alloc::{GlobalAlloc, Layout, System};
use std::backtrace::Backtrace;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::secrets::Needles;

/// Allocates as the system does and searches each block that is freed. A block that grows is always moved, as
/// any allocator may do.
pub struct Watching;

static ARMED: AtomicBool = AtomicBool::new(false);
static NEEDLES: OnceLock<Needles> = OnceLock::new();
static HITS: Mutex<Vec<Hit>> = Mutex::new(Vec::new());

thread_local! {
    /// Whether this thread is noting a hit: what that frees is not searched.
    static NOTING: Cell<bool> = const { Cell::new(false) };
}

/// A freed block with a piece of a secret in it.
pub struct Hit {
    pub secret: &'static str,
    pub size: usize,
    pub at: Backtrace,
}

/// Runs a piece of work and returns what it freed with a secret in it.
pub fn watch(needles: impl FnOnce() -> Needles, work: impl FnOnce()) -> Vec<Hit> {
    NEEDLES.get_or_init(needles);
    ARMED.store(true, Ordering::SeqCst);
    work();
    ARMED.store(false, Ordering::SeqCst);
    std::mem::take(&mut HITS.lock().unwrap_or_else(PoisonError::into_inner))
}

// SAFETY: every call is passed on to the system's allocator with the layout that the block has.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract is the same.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        look(block, layout.size());
        // SAFETY: the block came from `System` with this layout.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller guarantees that `size` is not zero and does not overflow with this alignment; both
        // blocks have the smaller size at least.
        unsafe {
            let moved = System.alloc_zeroed(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                std::ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}

fn look(block: *const u8, size: usize) {
    if size < 8 || !ARMED.load(Ordering::Relaxed) || NOTING.try_with(Cell::get).unwrap_or(true) {
        return;
    }
    let Some(needles) = NEEDLES.get() else { return };
    let mut window = 0_u64;
    let mut last = None;
    for at in 0..size {
        // SAFETY: `at` is inside the block, which is freed only afterwards.
        let byte = unsafe { block.add(at).read_volatile() };
        window = window >> 8 | u64::from(byte) << 56;
        if at < 7 {
            continue;
        }
        if let Some(secret) = needles.find(window)
            && last != Some(secret)
        {
            last = Some(secret);
            note(secret, size);
        }
    }
}

fn note(secret: &'static str, size: usize) {
    NOTING.set(true);
    let hit = Hit {
        secret,
        size,
        at: Backtrace::force_capture(),
    };
    HITS.lock().unwrap_or_else(PoisonError::into_inner).push(hit);
    NOTING.set(false);
}
