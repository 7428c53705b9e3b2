//! Another model behind the same name: what a provider's silent change looks like from outside.

use secondpass_core::Hasher;
use serde_json::Value;

use crate::{Answer, Shape};

/// The share of a score that the other model decides.
const SHARE: f64 = 0.5;
/// By how much it moves a logit at most, to either side.
const LOGIT: f64 = 2.0;

/// Gives a good answer the scores that the model of this seed would have given: always the same ones
/// for the same request.
pub(crate) fn model(answer: &mut Answer, shape: &Shape, seed: u64, request: &[u8]) {
    let results = answer.body.pointer_mut(shape.results).and_then(Value::as_array_mut);
    let Some(results) = results.filter(|_| answer.status == 200) else { return };
    for result in results.iter_mut() {
        let index = result[shape.index].as_u64().unwrap_or_default();
        let Some(score) = result[shape.score].as_f64() else { continue };
        let drawn = draw(seed, request, index);
        let other = match shape.range {
            Some((low, high)) => (1.0 - SHARE) * score + SHARE * (low + drawn * (high - low)),
            None => score + LOGIT * (2.0 * drawn - 1.0),
        };
        // As a provider that computes in 32 bits.
        result[shape.score] = f64::from(other as f32).into();
    }
    let score = |result: &Value| result[shape.score].as_f64().unwrap_or(f64::NEG_INFINITY);
    results.sort_by(|a, b| score(b).total_cmp(&score(a)));
}

/// A number from 0 to below 1.
fn draw(seed: u64, request: &[u8], index: u64) -> f64 {
    let mut hasher = Hasher::new();
    hasher.field(seed.to_le_bytes()).field(request).field(index.to_le_bytes());
    let hash = hasher.finish();
    let digits = hash.as_str().get(..12).unwrap_or("0");
    u64::from_str_radix(digits, 16).unwrap_or_default() as f64 / (1_u64 << 48) as f64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scored(seed: u64) -> Vec<(u64, f64)> {
        let results = [0.9, 0.8, 0.3].iter().enumerate();
        let results =
            results.map(|(index, score)| json!({"index": index, "relevance_score": score}));
        let body = json!({ "results": results.collect::<Vec<_>>() });
        let mut answer = Answer::good(body, 1);
        model(&mut answer, &Shape::default(), seed, b"request");
        let results = answer.body["results"].as_array().unwrap().iter();
        let of = |r: &Value| (r["index"].as_u64().unwrap(), r["relevance_score"].as_f64().unwrap());
        results.map(of).collect()
    }

    #[test]
    fn the_same_seed_is_the_same_model_and_another_is_not() {
        assert_eq!(scored(1), scored(1));
        assert_ne!(scored(1), scored(2));
        for (_, score) in scored(1) {
            assert!((0.0..=1.0).contains(&score), "{score}");
        }
        assert!(scored(1).windows(2).all(|pair| pair[0].1 >= pair[1].1));
    }
}
