use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tantivy_stemmers::algorithms;

mod cjk;
mod english;
mod normal;
mod porter;
mod stop_words;
mod words;

pub use english::english_terms;

use stop_words::StopWords;
use words::{lower_case, words};

/// How a text becomes index terms, chosen by its language. The same chain serves documents and
/// queries.
///
/// All but two follow Lucene's analyser of that language step by step: words by UAX #29, what the
/// language elides, lower case, stop words, spelling variants, stems. Stems are Snowball's; Lucene
/// prefers its own light stemmers for German, French, Spanish, Portuguese, Italian and Arabic. Stop
/// words are this project's own, shorter lists, except in English, where they are Lucene's. Texts are
/// not brought into a Unicode normal form: letters and their accents must be one character, as they
/// are in nearly all texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Analyzer {
    /// See [`english_terms`].
    #[default]
    English,
    /// ß, umlauts and ae, oe, ue as plain letters.
    German,
    /// Elided articles and pronouns removed.
    French,
    /// Nothing beyond the common steps.
    Spanish,
    /// Nothing beyond the common steps.
    Portuguese,
    /// Elided articles and prepositions removed.
    Italian,
    /// Nothing beyond the common steps.
    Dutch,
    /// ё as е.
    Russian,
    /// No vowel marks, one form of alef, yeh and heh, ASCII digits.
    Arabic,
    /// Nothing beyond the common steps.
    Swedish,
    /// Nothing beyond the common steps.
    Danish,
    /// Bokmål's stems, stop words of both standards.
    Norwegian,
    /// Nothing beyond the common steps.
    Finnish,
    /// Nothing beyond the common steps.
    Hungarian,
    /// ş and ţ as ș and ț.
    Romanian,
    /// Dotted and dotless i told apart, suffixes after an apostrophe removed.
    Turkish,
    /// Bigrams for Chinese, Japanese, Korean and other scripts without spaces, as Lucene's
    /// `CJKAnalyzer`.
    Cjk,
    /// Words by UAX #29 in lower case and nothing else: for mixed or other languages, and to see what
    /// an analyser is worth. Ideographs are words of one character.
    None,
}

impl Analyzer {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::English,
        Self::German,
        Self::French,
        Self::Spanish,
        Self::Portuguese,
        Self::Italian,
        Self::Dutch,
        Self::Russian,
        Self::Arabic,
        Self::Swedish,
        Self::Danish,
        Self::Norwegian,
        Self::Finnish,
        Self::Hungarian,
        Self::Romanian,
        Self::Turkish,
        Self::Cjk,
        Self::None,
    ];

    /// The name in configs and flags.
    pub fn name(self) -> &'static str {
        match self {
            Self::English => "english",
            Self::German => "german",
            Self::French => "french",
            Self::Spanish => "spanish",
            Self::Portuguese => "portuguese",
            Self::Italian => "italian",
            Self::Dutch => "dutch",
            Self::Russian => "russian",
            Self::Arabic => "arabic",
            Self::Swedish => "swedish",
            Self::Danish => "danish",
            Self::Norwegian => "norwegian",
            Self::Finnish => "finnish",
            Self::Hungarian => "hungarian",
            Self::Romanian => "romanian",
            Self::Turkish => "turkish",
            Self::Cjk => "cjk",
            Self::None => "none",
        }
    }

    /// What it does, in a word, as it stands in a first stage's description.
    pub fn describe(self) -> String {
        match self {
            Self::English => "english-porter".into(),
            Self::Cjk => "cjk-bigrams".into(),
            Self::None => "words".into(),
            other => format!("{other}-snowball"),
        }
    }

    /// The index terms of a text, in order; none is empty.
    pub fn terms<'a>(self, text: &'a str) -> Box<dyn Iterator<Item = String> + 'a> {
        match self.by_word() {
            Some(term) => Box::new(words(text).filter_map(term)),
            None => Box::new(cjk::cjk_terms(text).into_iter()),
        }
    }

    /// What becomes of each word by itself, if words stand by themselves.
    fn by_word(self) -> Option<fn(&str) -> Option<String>> {
        Some(match self {
            Self::English => english::term,
            Self::German => |word| GERMAN.term(word),
            Self::French => |word| FRENCH.term(word),
            Self::Spanish => |word| SPANISH.term(word),
            Self::Portuguese => |word| PORTUGUESE.term(word),
            Self::Italian => |word| ITALIAN.term(word),
            Self::Dutch => |word| DUTCH.term(word),
            Self::Russian => |word| RUSSIAN.term(word),
            Self::Arabic => |word| ARABIC.term(word),
            Self::Swedish => |word| SWEDISH.term(word),
            Self::Danish => |word| DANISH.term(word),
            Self::Norwegian => |word| NORWEGIAN.term(word),
            Self::Finnish => |word| FINNISH.term(word),
            Self::Hungarian => |word| HUNGARIAN.term(word),
            Self::Romanian => |word| ROMANIAN.term(word),
            Self::Turkish => |word| TURKISH.term(word),
            Self::None => |word| Some(lower_case(word)),
            Self::Cjk => return None,
        })
    }
}

/// An analyser that remembers what became of each word: of many texts, most words are old ones.
pub(crate) struct Remembering {
    analyzer: Analyzer,
    known: HashMap<Box<str>, Option<String>>,
}

impl Remembering {
    pub(crate) fn new(analyzer: Analyzer) -> Self {
        Self { analyzer, known: HashMap::new() }
    }

    /// Gives the terms of a text, those of [`Analyzer::terms`].
    pub(crate) fn each_term(&mut self, text: &str, mut give: impl FnMut(&str)) {
        let Some(term) = self.analyzer.by_word() else {
            return cjk::cjk_terms(text).iter().for_each(|term| give(term));
        };
        for word in words(text) {
            match self.known.get(word) {
                Some(known) => known.as_deref().into_iter().for_each(&mut give),
                None => {
                    let new = term(word);
                    new.as_deref().into_iter().for_each(&mut give);
                    self.known.insert(word.into(), new);
                }
            }
        }
    }
}

impl fmt::Display for Analyzer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// An analyser that is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown analyser '{0}'; use the texts' language ({known}), cjk for scripts without spaces, or \
     none for words in lower case",
    known = languages()
)]
pub struct UnknownAnalyzer(String);

fn languages() -> String {
    let names = Analyzer::ALL.map(Analyzer::name);
    names[..names.len() - 2].join(", ")
}

impl FromStr for Analyzer {
    type Err = UnknownAnalyzer;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|analyzer| analyzer.name() == name);
        found.ok_or_else(|| UnknownAnalyzer(name.to_owned()))
    }
}

impl TryFrom<String> for Analyzer {
    type Error = UnknownAnalyzer;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse()
    }
}

impl From<Analyzer> for String {
    fn from(analyzer: Analyzer) -> Self {
        analyzer.name().into()
    }
}

/// What is done with a word of a language that writes spaces.
struct Chain {
    lower_case: fn(&str) -> String,
    /// Before stop words are looked up.
    prepare: fn(String) -> String,
    stop_words: &'static StopWords,
    stem: fn(&str) -> String,
}

impl Chain {
    fn term(&self, word: &str) -> Option<String> {
        let word = (self.prepare)((self.lower_case)(word));
        if word.is_empty() || self.stop_words.has(&word) {
            return None;
        }
        let stem = (self.stem)(&word);
        // A stemmer that leaves nothing of a word had no word for its rules.
        Some(if stem.is_empty() { word } else { stem })
    }
}

const fn plain(stop_words: &'static StopWords, stem: fn(&str) -> String) -> Chain {
    Chain { lower_case, prepare: |word| word, stop_words, stem }
}

const GERMAN: Chain =
    plain(&stop_words::GERMAN, |word| algorithms::german(&normal::german(word)).into());
const FRENCH: Chain = Chain {
    prepare: |word| normal::french(&word).to_owned(),
    ..plain(&stop_words::FRENCH, |word| algorithms::french(word).into())
};
const SPANISH: Chain = plain(&stop_words::SPANISH, |word| algorithms::spanish(word).into());
const PORTUGUESE: Chain =
    plain(&stop_words::PORTUGUESE, |word| algorithms::portuguese(word).into());
const ITALIAN: Chain = Chain {
    prepare: |word| normal::italian(&word).to_owned(),
    ..plain(&stop_words::ITALIAN, |word| algorithms::italian(word).into())
};
const DUTCH: Chain = plain(&stop_words::DUTCH, |word| algorithms::dutch(word).into());
const RUSSIAN: Chain =
    plain(&stop_words::RUSSIAN, |word| algorithms::russian(&word.replace('ё', "е")).into());
const ARABIC: Chain = Chain {
    prepare: |word| normal::arabic(&word),
    ..plain(&stop_words::ARABIC, |word| algorithms::arabic(word).into())
};
const SWEDISH: Chain = plain(&stop_words::SWEDISH, |word| algorithms::swedish(word).into());
const DANISH: Chain = plain(&stop_words::DANISH, |word| algorithms::danish(word).into());
const NORWEGIAN: Chain =
    plain(&stop_words::NORWEGIAN, |word| algorithms::norwegian_bokmal(word).into());
const FINNISH: Chain = plain(&stop_words::FINNISH, |word| algorithms::finnish(word).into());
const HUNGARIAN: Chain = plain(&stop_words::HUNGARIAN, |word| algorithms::hungarian(word).into());
const ROMANIAN: Chain = Chain {
    prepare: |word| normal::romanian(&word),
    ..plain(&stop_words::ROMANIAN, |word| {
        algorithms::romanian(&normal::romanian_for_stemmer(word)).into()
    })
};
const TURKISH: Chain = Chain {
    lower_case: normal::turkish_lower_case,
    prepare: |word| normal::turkish_name(&word).to_owned(),
    ..plain(&stop_words::TURKISH, |word| algorithms::turkish_cilden(word).into())
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn terms(analyzer: Analyzer, text: &str) -> Vec<String> {
        analyzer.terms(text).collect()
    }

    #[test]
    fn names_round_trip() {
        for analyzer in Analyzer::ALL {
            assert_eq!(analyzer.to_string().parse(), Ok(analyzer));
            let json = serde_json::to_string(&analyzer).unwrap();
            assert_eq!(serde_json::from_str::<Analyzer>(&json).unwrap(), analyzer);
        }
        let error = "klingon".parse::<Analyzer>().unwrap_err().to_string();
        assert!(error.contains("turkish), cjk"), "{error}");
    }

    /// Forms of one word must meet in every language: a document has one and the query another.
    #[test]
    fn forms_of_a_word_meet() {
        for (analyzer, one, other) in [
            (Analyzer::English, "invoices", "invoice"),
            (Analyzer::German, "Häuser", "Haus"),
            (Analyzer::German, "Strassen", "Straße"),
            (Analyzer::French, "l'élection", "élections"),
            (Analyzer::Spanish, "canciones", "canción"),
            (Analyzer::Portuguese, "quilométricas", "quilométricos"),
            (Analyzer::Italian, "dell'elezione", "elezioni"),
            (Analyzer::Dutch, "boeken", "boek"),
            (Analyzer::Russian, "книгами", "книга"),
            (Analyzer::Russian, "зелёный", "зеленые"),
            (Analyzer::Arabic, "الكتاب", "كِتاب"),
            (Analyzer::Swedish, "flickorna", "flickor"),
            (Analyzer::Danish, "bøgerne", "bøger"),
            (Analyzer::Norwegian, "bilene", "biler"),
            (Analyzer::Finnish, "taloissa", "talo"),
            (Analyzer::Hungarian, "házak", "házakat"),
            (Analyzer::Romanian, "universităţii", "universității"),
            (Analyzer::Turkish, "kitaplar", "kitap"),
            (Analyzer::Turkish, "IRAK'TA", "ırak"),
            (Analyzer::Cjk, "ＡＢＣ", "abc"),
            (Analyzer::None, "Über", "über"),
        ] {
            assert_eq!(terms(analyzer, one), terms(analyzer, other), "{analyzer}: {one}, {other}");
            assert_eq!(terms(analyzer, one).len(), 1, "{analyzer}: {one}");
        }
    }

    #[test]
    fn stop_words_are_no_terms() {
        for (analyzer, text) in [
            (Analyzer::German, "Was ist das und wie viele"),
            (Analyzer::French, "Qu'est-ce que c'est"),
            (Analyzer::Spanish, "¿Cuál es la capital de los"),
            (Analyzer::Italian, "nell'arte della"),
            (Analyzer::Russian, "Что это и почему книга"),
            (Analyzer::Arabic, "ما هي العاصمة في"),
        ] {
            assert!(terms(analyzer, text).len() <= 1, "{:?}", terms(analyzer, text));
        }
        assert_eq!(terms(Analyzer::None, "Das ist"), ["das", "ist"]);
    }

    proptest! {
        #[test]
        fn any_text_gives_terms_that_are_not_empty(
            analyzer in prop::sample::select(&Analyzer::ALL[..]),
            text in any::<String>(),
        ) {
            let terms: Vec<String> = analyzer.terms(&text).collect();
            prop_assert!(terms.iter().all(|term| !term.is_empty()));
            let mut remembering = Remembering::new(analyzer);
            for _ in 0..2 {
                let mut given = Vec::new();
                remembering.each_term(&text, |term| given.push(term.to_owned()));
                prop_assert_eq!(&given, &terms);
            }
        }

        #[test]
        fn any_word_gives_terms_that_are_not_empty(
            analyzer in prop::sample::select(&Analyzer::ALL[..]),
            word in "[a-zß-ÿşţіёа-яءאا-ًي가-각'’İI]{0,30}",
        ) {
            prop_assert!(analyzer.terms(&word).all(|term| !term.is_empty()));
        }
    }
}
