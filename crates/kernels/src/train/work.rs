//! Blocks of work, the threads that do them, and their memory.

use pulp::{Simd, WithSimd};

use super::attention::Scratch;
use crate::reserve::reserve;
use crate::{Instructions, Threads};

/// A task of one thread.
pub(super) trait Work: Send {
    fn run<S: Simd>(self, simd: S, space: &mut Space);
}

/// One thread's memory.
#[derive(Debug, Default)]
pub(super) struct Space {
    pub attention: Scratch,
    pub wide: Vec<f32>,
    pub copy: Vec<f32>,
}

/// Threads with their memory.
pub(super) struct Crew<'a> {
    pub instructions: Instructions,
    pub threads: &'a Threads,
    pub spaces: &'a mut Vec<Space>,
}

impl Crew<'_> {
    pub fn each<W: Work>(&mut self, tasks: Vec<W>) {
        self.spaces.resize_with(self.threads.count().max(self.spaces.len()), Space::default);
        self.threads.each(self.spaces, tasks, |space, task| {
            self.instructions.run(Dispatch(task, space));
        });
    }
}

struct Dispatch<'a, W>(W, &'a mut Space);

impl<W: Work> WithSimd for Dispatch<'_, W> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.0.run(simd, self.1);
    }
}

/// Rows a task: a function of their number alone, because what several tasks sum must not depend on
/// the threads. At most 96, whose activations fit a second-level cache; so many tasks that up to
/// eight threads get like shares; whole tiles of 6 or 8 rows.
pub(super) fn block(rows: usize) -> usize {
    const TILES: usize = 24;
    let tasks = rows.div_ceil(4 * TILES).next_multiple_of(8);
    rows.div_ceil(tasks).next_multiple_of(TILES)
}

/// A buffer of exactly this length, which holds what is left over from earlier use.
pub(super) fn sized(buffer: &mut Vec<f32>, length: usize) -> &mut [f32] {
    buffer.truncate(length);
    reserve(buffer, length)
}

/// Copies each sequence's first row.
pub(super) fn firsts(x: &[f32], offsets: &[usize], hidden: usize, to: &mut [f32]) {
    for (to, &at) in to.chunks_exact_mut(hidden).zip(offsets) {
        to.copy_from_slice(&x[at * hidden..][..hidden]);
    }
}
