//! What some languages need between lower case and the stemmer.

/// German: ß as ss, umlauts as their vowels, and the spellings ae, oe, ue of those who type without
/// umlauts the same way; not where ue belongs to two sounds (Quelle, Feuer). As Lucene's
/// `GermanNormalizationFilter`, after Snowball's German2.
pub(super) fn german(word: &str) -> String {
    /// What the last letter allows the next one to be.
    enum Before {
        /// An e here is half of an umlaut.
        Umlautable,
        Vowel,
        Other,
    }
    let mut normal = String::with_capacity(word.len());
    let mut before = Before::Other;
    for c in word.chars() {
        let (written, state) = match c {
            'a' | 'o' => (Some(c), Before::Umlautable),
            'u' if matches!(before, Before::Other) => (Some('u'), Before::Umlautable),
            'e' if matches!(before, Before::Umlautable) => (None, Before::Vowel),
            'u' | 'e' | 'i' | 'q' | 'y' => (Some(c), Before::Vowel),
            'ä' => (Some('a'), Before::Vowel),
            'ö' => (Some('o'), Before::Vowel),
            'ü' => (Some('u'), Before::Vowel),
            'ß' => {
                normal.push('s');
                (Some('s'), Before::Other)
            }
            _ => (Some(c), Before::Other),
        };
        normal.extend(written);
        before = state;
    }
    normal
}

/// Arabic: no vowel marks, no tatweel; alef with madda or hamza as bare alef, alef maksura as yeh,
/// teh marbuta as heh. As Lucene's `ArabicNormalizer`; Arabic-Indic digits become ASCII ones, as in
/// its `DecimalDigitFilter`.
pub(super) fn arabic(word: &str) -> String {
    let letter = |c| match c {
        '\u{640}' | '\u{64b}'..='\u{652}' | '\u{670}' => None,
        'آ' | 'أ' | 'إ' => Some('ا'),
        'ى' => Some('ي'),
        'ة' => Some('ه'),
        '٠'..='٩' => char::from_digit(c as u32 - '٠' as u32, 10),
        _ => Some(c),
    };
    word.chars().filter_map(letter).collect()
}

/// French: the word after an elided article or pronoun (l'avion, qu'il), in any apostrophe.
pub(super) fn french(word: &str) -> &str {
    const ELIDED: [&str; 14] = [
        "l", "m", "t", "qu", "n", "s", "j", "d", "c", "jusqu", "quoiqu", "lorsqu", "puisqu",
        "quelqu",
    ];
    without_elided(word, &ELIDED)
}

/// Italian: the word after an elided article or preposition (l'arte, dell'acqua).
pub(super) fn italian(word: &str) -> &str {
    const ELIDED: [&str; 23] = [
        "c", "l", "all", "dall", "dell", "nell", "sull", "coll", "pell", "gl", "agl", "dagl",
        "degl", "negl", "sugl", "un", "m", "t", "s", "v", "d", "quest", "quell",
    ];
    without_elided(word, &ELIDED)
}

fn without_elided<'a>(word: &'a str, elided: &[&str]) -> &'a str {
    match word.split_once(APOSTROPHES) {
        Some((before, after)) if !after.is_empty() && elided.contains(&before) => after,
        _ => word,
    }
}

/// Romanian: ş and ţ with a cedilla, as old keyboards gave them, as ș and ț with a comma; the stemmer
/// at hand knows the ones with a cedilla only, see [`romanian_for_stemmer`].
pub(super) fn romanian(word: &str) -> String {
    word.chars()
        .map(|c| match c {
            'ş' => 'ș',
            'ţ' => 'ț',
            _ => c,
        })
        .collect()
}

/// Back to the cedilla for Snowball's rules, which were written with it.
pub(super) fn romanian_for_stemmer(word: &str) -> String {
    word.chars()
        .map(|c| match c {
            'ș' => 'ş',
            'ț' => 'ţ',
            _ => c,
        })
        .collect()
}

/// Turkish: what an apostrophe cuts off a name is a suffix (Ankara'da), as in Lucene's
/// `ApostropheFilter`.
pub(super) fn turkish_name(word: &str) -> &str {
    match word.split_once(APOSTROPHES) {
        Some((name, _)) if !name.is_empty() => name,
        _ => word,
    }
}

/// Turkish lower case: I without a dot becomes ı, İ becomes i; a combining dot above after I is
/// taken with it.
pub(super) fn turkish_lower_case(word: &str) -> String {
    let mut lower = String::with_capacity(word.len());
    let mut letters = word.chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            'I' if letters.next_if_eq(&'\u{307}').is_some() => lower.push('i'),
            'I' => lower.push('ı'),
            'İ' => lower.push('i'),
            _ => lower.extend(c.to_lowercase().next()),
        }
    }
    lower
}

const APOSTROPHES: [char; 3] = ['\'', '\u{2019}', '\u{ff07}'];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn german_spellings_meet() {
        for (word, normal) in [
            ("straße", "strasse"),
            ("über", "uber"),
            ("ueber", "uber"),
            ("schön", "schon"),
            ("schoen", "schon"),
            ("quelle", "quelle"),
            ("feuer", "feuer"),
            ("bauer", "bauer"),
            ("äöü", "aou"),
        ] {
            assert_eq!(german(word), normal);
        }
    }

    #[test]
    fn arabic_spellings_meet() {
        assert_eq!(arabic("كِتَابٌ"), "كتاب");
        assert_eq!(arabic("أحمد"), arabic("احمد"));
        assert_eq!(arabic("مدرسة"), "مدرسه");
        assert_eq!(arabic("علـــى"), "علي");
        assert_eq!(arabic("٢٠٢٦"), "2026");
    }

    #[test]
    fn elided_words_go_and_names_stay() {
        assert_eq!(french("l'avion"), "avion");
        assert_eq!(french("qu\u{2019}il"), "il");
        assert_eq!(french("aujourd'hui"), "aujourd'hui");
        assert_eq!(french("l'"), "l'");
        assert_eq!(italian("dell'acqua"), "acqua");
    }

    #[test]
    fn romanian_letters_meet() {
        assert_eq!(romanian("ştiinţă"), romanian("știință"));
        assert_eq!(romanian_for_stemmer("știință"), "ştiinţă");
    }

    #[test]
    fn turkish_has_two_letters_i() {
        assert_eq!(turkish_lower_case("ISPARTA İZMİR I\u{307}Z"), "ısparta izmir iz");
        assert_eq!(turkish_name("ankara'da"), "ankara");
        assert_eq!(turkish_name("'da"), "'da");
    }
}
