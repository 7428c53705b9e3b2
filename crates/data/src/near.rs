//! Texts that say nearly the same.

use std::collections::HashMap;

use crate::normal::normalized;

/// The share of common shingles from which on two texts count as near-duplicates, unless another is
/// asked for.
pub const NEAR: f64 = 0.8;

/// Letters in a shingle: queries are too short for shingles of words.
const SHINGLE: usize = 4;

/// Two texts are compared when one of these many bands of their signatures is the same.
const BANDS: usize = 32;

/// Hashes in a band. Texts whose shingles have a share `s` in common meet in some band with
/// probability `1 - (1 - s^4)^32`: 0.88 at 0.5, 0.99 at 0.6, and all but one in twenty million at 0.8.
const ROWS: usize = 4;

/// Pairs of places of texts that are equal once normalized, or of whose shingles (4 letters of the
/// normalized text) at least this share is common to both (the Jaccard index). Candidates are found
/// by MinHash and compared exactly, so a pair that is given is one; each text of a cluster is in at
/// least one pair with another of it. The pairs depend on the texts alone.
pub fn near_duplicates<T: AsRef<str>>(texts: &[T], threshold: f64) -> Vec<(usize, usize)> {
    let texts: Vec<String> = texts.iter().map(|text| normalized(text.as_ref())).collect();
    let (mut pairs, mut firsts) = (Vec::new(), HashMap::new());
    let mut different = Vec::new();
    for (place, text) in texts.iter().enumerate() {
        match firsts.entry(text) {
            std::collections::hash_map::Entry::Occupied(first) => pairs.push((*first.get(), place)),
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(place);
                different.push((place, shingles(text)));
            }
        }
    }
    if threshold >= 1.0 {
        return pairs;
    }
    let mut clusters = Clusters::new(texts.len());
    // What meets in a band, by the cluster it was in: of templated texts nearly all meet, and to look at
    // each again for each would take a time that grows with the square of their number.
    let mut bands: HashMap<(usize, [u64; ROWS]), Vec<Vec<usize>>> = HashMap::new();
    // The last text that each was compared with: two may meet in many bands.
    let mut compared = vec![usize::MAX; different.len()];
    for (place, (text, found)) in different.iter().enumerate() {
        for (band, key) in signature(found).into_iter().enumerate() {
            let bucket = bands.entry((band, key)).or_default();
            let mut own = vec![place];
            bucket.retain_mut(|others| {
                let mut is_one = clusters.root(different[others[0]].0) == clusters.root(*text);
                if !is_one {
                    let is_fresh =
                        |&&other: &&usize| std::mem::replace(&mut compared[other], place) != place;
                    let is_near = |&&other: &&usize| is_near(found, &different[other].1, threshold);
                    if let Some(&other) = others.iter().filter(is_fresh).find(is_near) {
                        let other = different[other].0;
                        is_one = clusters.join(*text, other);
                        pairs.push((other, *text));
                    }
                }
                if is_one {
                    // The larger one stays where it is.
                    if own.len() < others.len() {
                        std::mem::swap(&mut own, others);
                    }
                    own.append(others);
                }
                !is_one
            });
            bucket.push(own);
        }
    }
    pairs
}

/// Sets of places that belong together.
#[derive(Clone, Debug)]
pub(crate) struct Clusters {
    parents: Vec<usize>,
}

impl Clusters {
    /// Each alone.
    pub fn new(places: usize) -> Self {
        Self { parents: (0..places).collect() }
    }

    /// The place that stands for all that belong together with this one: the first of them.
    pub fn root(&mut self, mut place: usize) -> usize {
        while self.parents[place] != place {
            self.parents[place] = self.parents[self.parents[place]];
            place = self.parents[place];
        }
        place
    }

    /// Joins two sets; whether they were two.
    pub fn join(&mut self, one: usize, other: usize) -> bool {
        let (one, other) = (self.root(one), self.root(other));
        self.parents[one.max(other)] = one.min(other);
        one != other
    }
}

/// The hashes of a text's shingles, sorted, each once; of a shorter text the text itself.
fn shingles(text: &str) -> Vec<u64> {
    let chars: Vec<char> = text.chars().collect();
    let hash = |window: &[char]| {
        window.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &c| mixed(hash ^ u64::from(c)))
    };
    let mut hashes: Vec<u64> = match chars.len() {
        0..=SHINGLE => vec![hash(&chars)],
        _ => chars.windows(SHINGLE).map(hash).collect(),
    };
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// The bands of a MinHash signature.
fn signature(shingles: &[u64]) -> [[u64; ROWS]; BANDS] {
    let mut signature = [[u64::MAX; ROWS]; BANDS];
    for (number, least) in signature.iter_mut().flatten().enumerate() {
        let salt = mixed(number as u64 + 1);
        for &shingle in shingles {
            *least = (*least).min(mixed(shingle ^ salt));
        }
    }
    signature
}

/// The finalizer of SplitMix64: every bit of the input touches every bit of the output.
fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Whether of two sorted sets at least this share is in both.
fn is_near(one: &[u64], other: &[u64], threshold: f64) -> bool {
    let all = one.len() + other.len();
    let reaches = |both: usize| both as f64 / (all - both) as f64 >= threshold;
    let (mut left, mut right, mut both) = (0, 0, 0);
    while left < one.len() && right < other.len() {
        if one[left] == other[right] {
            (left, right, both) = (left + 1, right + 1, both + 1);
            continue;
        }
        match one[left] < other[right] {
            true => left += 1,
            false => right += 1,
        }
        if !reaches(both + (one.len() - left).min(other.len() - right)) {
            return false;
        }
    }
    reaches(both)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share of two sorted sets that is in both.
    fn jaccard(one: &[u64], other: &[u64]) -> f64 {
        let both = one.iter().filter(|shingle| other.binary_search(shingle).is_ok()).count();
        both as f64 / (one.len() + other.len() - both) as f64
    }

    #[test]
    fn templated_texts_take_a_time_that_their_number_allows() {
        let templated = |n: u64| format!("I cannot log in since yesterday, my number is {n}");
        let texts: Vec<String> = (0..40_000).map(|n| templated(mixed(n) % 1_000_000)).collect();
        let started = std::time::Instant::now();
        let pairs = near_duplicates(&texts, NEAR);
        let mut clusters = Clusters::new(texts.len());
        let joined = pairs.iter().filter(|(one, other)| clusters.join(*one, *other)).count();
        assert_eq!(joined, pairs.len(), "no pair is given that another makes superfluous");
        assert!(joined > 38_000, "{joined}");
        // With the square of their number it was a minute.
        assert!(started.elapsed().as_secs() < 15, "{:?}", started.elapsed());
    }

    #[test]
    fn what_differs_in_case_signs_or_a_letter_is_found() {
        let texts = [
            "How do I reset my password after a failed login attempt?",
            "how do I reset my password, after a failed login attempt",
            "How do I reset my passwords after a failed login attempt?",
            "Where are invoices exported to?",
            "",
            "?",
        ];
        assert_eq!(near_duplicates(&texts, NEAR), [(0, 1), (0, 2)]);
        assert_eq!(near_duplicates(&texts, 1.0), [(0, 1)]);
    }

    #[test]
    fn all_pairs_above_the_threshold_end_in_one_cluster() {
        // Sentences that share most of their words, in many degrees.
        let words: Vec<String> = (0..40_u64).map(|n| format!("w{}", mixed(n) % 9973)).collect();
        let texts: Vec<String> = (0..120_u64)
            .map(|n| {
                let pick = |place: u64| match mixed(n * 64 + place) % 12 {
                    0 => &words[20 + (mixed(n + place * 999) % 20) as usize],
                    _ => &words[place as usize],
                };
                (0..20).map(pick).cloned().collect::<Vec<_>>().join(" ")
            })
            .collect();
        let mut clusters = Clusters::new(texts.len());
        let pairs = near_duplicates(&texts, NEAR);
        for &(one, other) in &pairs {
            clusters.join(one, other);
        }
        let all: Vec<Vec<u64>> = texts.iter().map(|text| shingles(&normalized(text))).collect();
        let mut above = 0;
        for one in 0..texts.len() {
            for other in 0..one {
                if jaccard(&all[one], &all[other]) >= NEAR {
                    above += 1;
                    assert_eq!(clusters.root(one), clusters.root(other), "{one} {other}");
                }
            }
        }
        assert!(above > pairs.len() && pairs.len() > 10, "{above} {}", pairs.len());
        assert!(pairs.iter().all(|&(one, other)| jaccard(&all[one], &all[other]) >= NEAR));
    }
}
