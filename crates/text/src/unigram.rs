use std::collections::{BTreeMap, BTreeSet};

use tokenizers::decoders::metaspace::Metaspace;
use tokenizers::models::unigram::{Unigram, UnigramTrainer};
use tokenizers::normalizers::{Lowercase, NFKC, Sequence as Normalizers};
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::metaspace::PrependScheme;
use tokenizers::pre_tokenizers::sequence::Sequence as PreTokenizers;
use tokenizers::pre_tokenizers::whitespace::WhitespaceSplit;
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{
    AddedToken, NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString,
    PreTokenizer, Tokenizer,
};

/// Why no tokenizer came out of the texts.
#[derive(Debug, thiserror::Error)]
pub enum UnigramError {
    /// Nothing but blanks.
    #[error("the texts hold no word to train a tokenizer on; give it the corpus and its queries")]
    NoWords,
    /// Fewer tokens than there are special ones and characters, or more than ids can number.
    #[error(
        "a vocabulary of {vocabulary} tokens does not fit these texts; choose from {least} (the \
         special tokens and one for each character) to {MOST}"
    )]
    Vocabulary {
        /// The size that was asked for.
        vocabulary: usize,
        /// The smallest that works.
        least: usize,
    },
    /// The tokenizers library gave up.
    #[error("the tokenizer could not be trained: {0}")]
    Train(String),
}

/// Trains a Unigram tokenizer laid out as XLM-R's: `<s>`, `<pad>`, `</s>`, `<unk>` are the ids 0 to
/// 3, `<mask>` is the last one, and a pair reads `<s> A </s> </s> B </s>` in one token type. Texts
/// are folded by NFKC and lower-cased, words start with `▁`, every digit is a token of its own, so
/// that codes like `LG-4102` differ by what differs in them. Gives the bytes of a
/// `tokenizer.json`; `vocabulary` counts all tokens, and texts with few different words give fewer.
///
/// The same texts, in any order, give the same bytes on any number of cores.
///
/// # Errors
/// Texts without words, a vocabulary that cannot hold their characters, a failing library.
pub fn train_unigram(
    texts: impl Iterator<Item = String>,
    vocabulary: usize,
) -> Result<Vec<u8>, UnigramError> {
    let words = count_words(texts)?;
    let characters: BTreeSet<char> = words.iter().flat_map(|(word, _)| word.chars()).collect();
    if characters.is_empty() {
        return Err(UnigramError::NoWords);
    }
    let least = SPECIAL.len() + characters.len() + 1;
    let size = match u32::try_from(vocabulary) {
        Ok(size) if (least..=MOST).contains(&vocabulary) => size,
        _ => return Err(UnigramError::Vocabulary { vocabulary, least }),
    };
    let mut pieces = pieces(words, size - 1)?;
    settle(&mut pieces);
    pieces.push((MASK.to_owned(), 0.0));
    assemble(pieces)
}

/// What stands at the ids 0 to 3, as in XLM-R.
const SPECIAL: [&str; 4] = ["<s>", "<pad>", "</s>", "<unk>"];
const UNKNOWN: usize = 3;
const MASK: &str = "<mask>";

/// XLM-R has 250,002; four times that is beyond any use, and within what the trainer can hold.
const MOST: usize = 1_000_000;

/// Longer runs without a blank are keys, hashes and encoded files: they teach no pieces, and the
/// trainer's likelihoods leave the range of floats on very long ones.
const LONGEST_WORD: usize = 256;

/// Added to each successive character that the trainer puts back after its pruning.
const PENALTY: f64 = 0.0001;

fn library(error: impl std::fmt::Display) -> UnigramError {
    UnigramError::Train(error.to_string())
}

fn normalizer() -> Normalizers {
    Normalizers::new(vec![NFKC.into(), Lowercase.into()])
}

fn pre_tokenizer() -> PreTokenizers {
    PreTokenizers::new(vec![WhitespaceSplit.into(), metaspace().into(), Digits::new(true).into()])
}

fn metaspace() -> Metaspace {
    Metaspace::new('▁', PrependScheme::Always, true)
}

/// Every word with its count, sorted: the library's own counting leaves the words in the order of
/// a randomly seeded hash table.
fn count_words(texts: impl Iterator<Item = String>) -> Result<Vec<(String, u32)>, UnigramError> {
    let (normalizer, pre_tokenizer) = (normalizer(), pre_tokenizer());
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for text in texts {
        let mut text = NormalizedString::from(text);
        normalizer.normalize(&mut text).map_err(library)?;
        let mut text = PreTokenizedString::from(text);
        pre_tokenizer.pre_tokenize(&mut text).map_err(library)?;
        for (word, _, _) in text.get_splits(OffsetReferential::Original, OffsetType::Byte) {
            // The trainer separates words by NUL.
            if word.chars().count() > LONGEST_WORD || word.contains('\0') {
                continue;
            }
            let count = counts.entry(word.to_owned()).or_default();
            *count = count.saturating_add(1);
        }
    }
    Ok(counts.into_iter().collect())
}

/// The special tokens, then the trained pieces, best first.
fn pieces(words: Vec<(String, u32)>, size: u32) -> Result<Vec<(String, f64)>, UnigramError> {
    let special = SPECIAL.map(|token| AddedToken::from(token, true)).to_vec();
    let trainer = UnigramTrainer::builder()
        .show_progress(false)
        .vocab_size(size)
        .special_tokens(special)
        .unk_token(Some(SPECIAL[UNKNOWN].to_owned()))
        .build()
        .map_err(library)?;
    // One thread: the trainer cuts its sums by the number of threads, and floats added in another
    // order end in other pieces.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().map_err(library)?;
    let mut model = Unigram::default();
    pool.install(|| trainer.do_train(words, &mut model)).map_err(library)?;
    Ok(model.iter().cloned().collect())
}

/// Undoes what is left of hash order: characters that pruning had dropped are put back with rising
/// scores from the lowest, in the order of a hash table, and equal scores stand in that order too.
/// The same scores go to the same characters by code point, and ties are ordered by text.
fn settle(pieces: &mut [(String, f64)]) {
    let Some(pieces) = pieces.get_mut(SPECIAL.len()..) else { return };
    let lowest = pieces.iter().map(|(_, score)| *score).fold(f64::INFINITY, f64::min);
    let mut put_back = Vec::new();
    let mut penalty = 0.0;
    loop {
        let is_put_back = |piece: &(String, f64)| {
            piece.1.to_bits() == (lowest + penalty).to_bits() && piece.0.chars().nth(1).is_none()
        };
        let before = put_back.len();
        put_back.extend((0..pieces.len()).filter(|&place| is_put_back(&pieces[place])));
        if put_back.len() == before {
            break;
        }
        penalty += PENALTY;
    }
    let mut scores: Vec<f64> = put_back.iter().map(|&place| pieces[place].1).collect();
    scores.sort_by(f64::total_cmp);
    put_back.sort_by(|&a, &b| pieces[a].0.cmp(&pieces[b].0));
    for (place, score) in put_back.into_iter().zip(scores) {
        pieces[place].1 = score;
    }
    pieces.sort_by(|(a, a_score), (b, b_score)| b_score.total_cmp(a_score).then_with(|| a.cmp(b)));
}

fn assemble(pieces: Vec<(String, f64)>) -> Result<Vec<u8>, UnigramError> {
    let model = Unigram::from(pieces, Some(UNKNOWN), false).map_err(library)?;
    let mut tokenizer = Tokenizer::new(model);
    tokenizer.with_normalizer(Some(normalizer())).map_err(library)?;
    tokenizer.with_pre_tokenizer(Some(pre_tokenizer()));
    tokenizer.with_decoder(Some(metaspace()));
    let template = TemplateProcessing::builder()
        .try_single("<s> $A </s>")
        .and_then(|builder| builder.try_pair("<s> $A:0 </s> </s> $B:0 </s>"))
        .map_err(library)?
        .special_tokens(vec![(SPECIAL[0], 0), (SPECIAL[2], 2)])
        .build()
        .map_err(library)?;
    tokenizer.with_post_processor(Some(template));
    let special = SPECIAL.into_iter().map(|token| AddedToken::from(token, true));
    // As XLM-R's: the mask takes the blank before it.
    let mask = AddedToken::from(MASK, true).lstrip(true);
    tokenizer.add_special_tokens(special.chain([mask])).map_err(library)?;
    tokenizer.to_string(true).map(String::into_bytes).map_err(library)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{PairTokenizer, Truncation};

    const TEXTS: [&str; 6] = [
        "Export invoices to CSV from the billing page",
        "Export orders to Excel from the orders page",
        "Error LG-4102: your sign-in has expired, sign in again",
        "Error LG-4120: too many attempts, try again in an hour",
        "Reports can be printed to PDF, invoices cannot",
        "Zürich naïve façade ﬁne 東京 🦀 q ж",
    ];

    fn train(texts: &[&str], vocabulary: usize) -> Result<Vec<u8>, UnigramError> {
        train_unigram(texts.iter().map(|&text| text.to_owned()), vocabulary)
    }

    #[test]
    fn the_same_bytes_every_time_and_in_any_order() {
        let first = train(&TEXTS, 120).unwrap();
        let mut reversed = TEXTS;
        reversed.reverse();
        for _ in 0..8 {
            assert_eq!(first, train(&TEXTS, 120).unwrap());
            assert_eq!(first, train(&reversed, 120).unwrap());
        }
    }

    #[test]
    fn special_tokens_stand_where_xlm_r_has_them() {
        let bytes = train(&TEXTS, 120).unwrap();
        let tokenizer = Tokenizer::from_bytes(&bytes).unwrap();
        for (id, token) in (0..).zip(SPECIAL) {
            assert_eq!(tokenizer.token_to_id(token), Some(id));
        }
        let size = tokenizer.get_vocab_size(true);
        assert!(size <= 120, "{size}");
        assert_eq!(tokenizer.token_to_id(MASK), Some(size as u32 - 1));
        let pairs = PairTokenizer::from_bytes(&bytes, "test", 64, Truncation::Error).unwrap();
        let pair = &pairs.encode("q", &["q"]).unwrap()[0];
        assert!(matches!(pair.ids[..], [0, .., 2, 2, _, _, 2] | [0, .., 2, 2, _, 2]), "{pair:?}");
        assert!(pair.type_ids.iter().all(|&id| id == 0));
    }

    #[test]
    fn codes_split_into_digits_and_case_is_folded() {
        let tokenizer = Tokenizer::from_bytes(train(&TEXTS, 120).unwrap()).unwrap();
        let tokens = |text: &str| tokenizer.encode(text, false).unwrap().get_tokens().to_vec();
        assert!(tokens("LG-4102").ends_with(&["4", "1", "0", "2"].map(str::to_owned)));
        assert_eq!(tokens("EXPORT\n Invoices"), tokens("export invoices"));
        let decoded = tokenizer
            .decode(tokenizer.encode("too  many attempts", false).unwrap().get_ids(), true);
        assert_eq!(decoded.unwrap(), "too many attempts");
    }

    #[test]
    fn every_character_of_the_texts_is_known() {
        let tokenizer = Tokenizer::from_bytes(train(&TEXTS, 90).unwrap()).unwrap();
        for text in TEXTS {
            let encoding = tokenizer.encode(text, false).unwrap();
            assert!(!encoding.get_ids().contains(&(UNKNOWN as u32)), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_trained_is_refused() {
        assert!(matches!(train(&[], 100), Err(UnigramError::NoWords)));
        assert!(matches!(train(&["  \n"], 100), Err(UnigramError::NoWords)));
        let Err(UnigramError::Vocabulary { vocabulary: 7, least }) = train(&["ab cd"], 7) else {
            panic!("7 tokens cannot hold 5 characters and 5 special tokens");
        };
        train(&["ab cd"], least).unwrap();
        assert!(train(&["ab cd"], usize::MAX).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn any_text_trains_or_is_refused(texts in prop::collection::vec(any::<String>(), 0..6)) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            if let Ok(bytes) = train(&texts, 400) {
                PairTokenizer::from_bytes(&bytes, "test", 64, Truncation::Error).unwrap();
                prop_assert_eq!(bytes, train(&texts, 400).unwrap());
            }
        }
    }
}
