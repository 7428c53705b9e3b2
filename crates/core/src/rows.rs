//! Rows of runs and judgements that borrow from the bytes they were read from: the plain seam
//! between whoever reads a large file and whoever measures it, without an allocation a row.

use crate::Grade;

/// All rows of one query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QueryRows<'a, R> {
    /// The query's id.
    pub query: &'a str,
    /// Its rows, in the order of the file.
    pub rows: &'a [R],
}

/// One row of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunRow<'a> {
    /// Which document.
    pub document: &'a str,
    /// Its score, never NaN.
    pub score: f64,
    /// Its place as the run's writer saw it; `None` where that column holds no whole number that
    /// fits 32 bits.
    pub rank: Option<u32>,
}

/// One judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QrelsRow<'a> {
    /// Which document.
    pub document: &'a str,
    /// Its grade.
    pub grade: Grade,
}

/// Finds rows by document id, one query after another in the same memory. Places are whatever the
/// caller numbers rows by, below `u32::MAX`.
///
/// A table of open addresses with linear probing, each slot holding 32 bits of the id's hash beside
/// its place. The hash (the mixing step of wyhash) is the same everywhere, so that ids chosen to
/// collide could make one query slow.
#[derive(Clone, Debug, Default)]
pub struct IdIndex {
    slots: Vec<u64>,
}

const FREE: u64 = u64::MAX;

impl IdIndex {
    /// Forgets everything and makes room for so many ids.
    pub fn clear(&mut self, ids: usize) {
        self.slots.clear();
        self.slots.resize((2 * ids + 1).next_power_of_two(), FREE);
    }

    /// Puts an id at a place unless it is there already: then its place is given back. No more ids
    /// may come than [`IdIndex::clear`] made room for.
    pub fn insert<'a>(
        &mut self,
        id: &str,
        place: u32,
        id_of: impl Fn(u32) -> &'a str,
    ) -> Option<u32> {
        let hash = hash(id);
        let tag = hash >> 32 << 32;
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            let found = self.slots[slot];
            if found == FREE {
                self.slots[slot] = tag | u64::from(place);
                return None;
            }
            if found >> 32 << 32 == tag && id_of(found as u32) == id {
                return Some(found as u32);
            }
            slot = (slot + 1) & mask;
        }
    }
}

fn hash(id: &str) -> u64 {
    let (words, rest) = id.as_bytes().as_chunks::<8>();
    let hash = words.iter().fold(0, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    // The length tells ids apart that differ in zeros only.
    mix(hash, rest.iter().fold(id.len() as u64, |last, &byte| last << 8 | u64::from(byte)))
}

fn mix(hash: u64, word: u64) -> u64 {
    const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
    const FACTOR: u64 = 0xd6e8_feb8_6659_fd93;
    let product = u128::from(hash ^ word ^ SEED) * u128::from(FACTOR);
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_as_they_are_named_spread_out() {
        for prefix in ["", "d", "FR940202-2-", "clueweb09-en0000-00-"] {
            let hashes = (0..20_000).map(|number| hash(&format!("{prefix}{number}")));
            let places: HashSet<u64> = hashes.map(|hash| hash & 0xffff).collect();
            // 20,000 throws at 65,536 places hit about 17,200 of them.
            assert!(places.len() > 16_900, "{prefix}: {}", places.len());
        }
        assert_ne!(hash("a"), hash("a\0"));
    }

    #[test]
    fn every_id_is_found_where_it_was_put() {
        let mut index = IdIndex::default();
        for count in [0, 1, 2, 7, 100, 5_000] {
            let ids: Vec<String> = (0..count).map(|number| format!("d{number}")).collect();
            let id_of = |place: u32| ids[place as usize].as_str();
            index.clear(ids.len());
            for (place, id) in (0..).zip(&ids) {
                assert_eq!(index.insert(id, place, id_of), None);
            }
            for (place, id) in (0..).zip(&ids) {
                assert_eq!(index.insert(id, u32::MAX - 1, id_of), Some(place));
            }
        }
    }
}
