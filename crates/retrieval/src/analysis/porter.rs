use tantivy_stemmers::algorithms::english_porter;

/// The Porter stem of a lower-case word, as Lucene's `PorterStemFilter` gives it: Porter's algorithm
/// of 1980 with the departures of his own C version, which the library, true to the paper, leaves
/// out. Both agree on every word of Porter's sample vocabulary and of SciFact.
pub(super) fn porter(word: String) -> String {
    // Departure: words of one or two letters stay ("us" is no plural).
    if word.chars().nth(2).is_none() {
        return word;
    }
    let stem = english_porter(&word);
    if let Some(head) = stem.strip_suffix("bli").filter(|head| has_measure(head)) {
        // Departure: step 2 maps any -bli to -ble, not only -abli ("possibly", "possible"). What
        // ends in -ble passes steps 1 and 2 untouched, so stemming again takes the remaining ones.
        return english_porter(&format!("{head}ble")).into_owned();
    }
    if let Some(head) = stem.strip_suffix("logi").filter(|head| has_measure(head)) {
        // Departure: step 2 maps -logi to -log ("pathology", "pathological").
        return format!("{head}log");
    }
    if let Some(single) = left_double(&word, &stem) {
        return english_porter(single).into_owned();
    }
    stem.into_owned()
}

/// Where -ed or -ing was removed and left a double consonant, the stem without the second one. The
/// paper's step 1b undoubles every consonant but l, s and z; the library only those that English
/// commonly doubles, so that "trekking" would keep both k.
fn left_double<'a>(word: &str, stem: &'a str) -> Option<&'a str> {
    let singular = word.strip_suffix('s').unwrap_or(word);
    let cut = singular.strip_suffix("ed").or_else(|| singular.strip_suffix("ing"))?;
    let mut backwards = stem.char_indices().rev();
    let ((at, last), (_, before)) = (backwards.next()?, backwards.next()?);
    let undoubled = cut == stem && last == before && !"aeiouylsz".contains(last);
    undoubled.then_some(stem.get(..at)?)
}

/// Whether Porter's measure m is above zero: a vowel with a consonant somewhere after it.
fn has_measure(head: &str) -> bool {
    let mut vowel_before = false;
    for (at, c) in head.char_indices() {
        // A y is a vowel after a consonant, and a consonant at the start.
        let is_vowel = "aeiou".contains(c) || (c == 'y' && at > 0 && !vowel_before);
        if vowel_before && !is_vowel {
            return true;
        }
        vowel_before = is_vowel;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pairs: &[(&str, &str)]) {
        for (word, stem) in pairs {
            assert_eq!(porter((*word).into()), *stem, "stem of {word}");
        }
    }

    #[test]
    fn examples_of_the_paper() {
        check(&[
            ("caresses", "caress"),
            ("ponies", "poni"),
            ("feed", "feed"),
            ("agreed", "agre"),
            ("plastered", "plaster"),
            ("motoring", "motor"),
            ("conflated", "conflat"),
            ("hopping", "hop"),
            ("falling", "fall"),
            ("filing", "file"),
            ("happy", "happi"),
            ("sky", "sky"),
            ("relational", "relat"),
            ("digitizer", "digit"),
            ("triplicate", "triplic"),
            ("hopefulness", "hope"),
            ("adjustment", "adjust"),
            ("adoption", "adopt"),
            ("controll", "control"),
            ("generalizations", "gener"),
            ("oscillators", "oscil"),
        ]);
    }

    #[test]
    fn it_is_porter_one_and_not_two() {
        // Porter 2 gives "generous", "fair", "inning", "ti", "cri".
        check(&[
            ("generously", "gener"),
            ("fairly", "fairli"),
            ("innings", "in"),
            ("ties", "ti"),
            ("skies", "ski"),
        ]);
    }

    #[test]
    fn departures_of_the_c_version() {
        check(&[
            ("us", "us"),
            ("ms", "ms"),
            ("possibly", "possibl"),
            ("possible", "possibl"),
            ("pathology", "patholog"),
            ("pathological", "patholog"),
            ("archaeologies", "archaeolog"),
            // No vowel and consonant before -logi.
            ("biology", "biologi"),
            ("trekking", "trek"),
            ("trekked", "trek"),
        ]);
    }

    #[test]
    fn the_measure_knows_both_kinds_of_y() {
        assert!(
            has_measure("patho") && has_measure("cyto") && has_measure("oy") && has_measure("ysys")
        );
        assert!(
            !has_measure("bio") && !has_measure("yo") && !has_measure("yy") && !has_measure("tr")
        );
    }
}
