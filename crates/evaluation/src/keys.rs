//! What decides a score, as hashes: under these, results are kept and found again.

use secondpass_core::{Candidate, ContentHash, Hasher, Identity, Job, Query, Scoring};

/// To be raised when the same model gives other scores than before.
const ARITHMETIC: u64 = 1;

/// Everything about a reranker that can change a score: provider, model, revision, weights, number
/// format, kind of device (`cuda:0` and `cuda:1` are one kind), maximum length, truncation, scoring,
/// the server's address, and the version of this program. Its name does not count.
pub(crate) fn quality(identity: &Identity) -> ContentHash {
    let mut hasher = Hasher::new();
    hasher.field(ARITHMETIC.to_le_bytes()).field(env!("CARGO_PKG_VERSION"));
    hasher.field(&identity.provider).field(&identity.model);
    let kind = identity.device.as_deref().map(|device| device.split(':').next().unwrap_or(device));
    let weights = identity.weights.as_ref().map(ContentHash::as_str);
    let (revision, dtype) = (identity.revision.as_deref(), identity.dtype.as_deref());
    for part in [revision, weights, kind, dtype, identity.truncation.as_deref()] {
        hasher.field([u8::from(part.is_some())]).field(part.unwrap_or_default());
    }
    let max_length = identity.max_length.map_or(0, |length| length as u64 + 1);
    hasher.field(max_length.to_le_bytes());
    hasher.field(match identity.scoring {
        Scoring::Pointwise => "pointwise",
        Scoring::Listwise => "listwise",
    });
    // Last, so that those that have none keep the hashes they had before there were any.
    if let Some(endpoint) = &identity.endpoint {
        hasher.field("endpoint").field(endpoint);
    }
    hasher.finish()
}

/// One pair's texts.
pub(crate) fn pair(query: &Query, candidate: &Candidate) -> ContentHash {
    let mut hasher = Hasher::new();
    hasher.field(&query.text);
    passage(&mut hasher, candidate);
    hasher.finish()
}

/// The texts of a query and of its candidates, in their order.
pub(crate) fn texts(job: &Job) -> ContentHash {
    let mut hasher = Hasher::new();
    hasher.field(&job.query.text);
    job.candidates.iter().for_each(|candidate| passage(&mut hasher, candidate));
    hasher.finish()
}

/// All that a reranker is given: texts, attributes, ids, first-stage scores and ranks.
pub(crate) fn job(job: &Job) -> ContentHash {
    let mut hasher = Hasher::new();
    hasher.field(job.query.id.as_str()).field(&job.query.text);
    hasher.field((job.query.attributes.len() as u64).to_le_bytes());
    for (name, value) in &job.query.attributes {
        hasher.field(name).field(value);
    }
    for candidate in &job.candidates {
        hasher.field(candidate.document.id.as_str());
        hasher.field(candidate.score.to_bits().to_le_bytes());
        hasher.field((candidate.rank as u64).to_le_bytes());
        passage(&mut hasher, candidate);
    }
    hasher.finish()
}

fn passage(hasher: &mut Hasher, candidate: &Candidate) {
    hasher.field(&candidate.document.title).field(&candidate.document.text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::identity;

    #[test]
    fn all_but_name_and_device_number_count() {
        let base = quality(&identity("a"));
        let with = |change: &dyn Fn(&mut Identity)| {
            let mut identity = identity("a");
            change(&mut identity);
            quality(&identity)
        };
        assert_eq!(with(&|identity| identity.name = "b".to_owned()), base);
        let cuda = |number: &str| {
            let device = Some(format!("cuda:{number}"));
            with(&|identity| identity.device = device.clone())
        };
        assert_eq!(cuda("0"), cuda("1"));
        let text = || Some("x".to_owned());
        let others = [
            base,
            cuda("0"),
            with(&|identity| identity.provider = "b".to_owned()),
            with(&|identity| identity.model = "b".to_owned()),
            with(&|identity| identity.revision = text()),
            with(&|identity| identity.weights = Some(ContentHash::of(b"x"))),
            with(&|identity| identity.dtype = text()),
            with(&|identity| identity.truncation = text()),
            with(&|identity| identity.max_length = Some(0)),
            with(&|identity| identity.max_length = Some(1)),
            with(&|identity| identity.scoring = Scoring::Listwise),
            with(&|identity| identity.endpoint = text()),
        ];
        let different: std::collections::BTreeSet<_> = others.iter().collect();
        assert_eq!(different.len(), others.len());
    }
}
