use proptest::prelude::*;

use super::*;
use crate::embedded;

fn scrubbed(text: &str) -> String {
    scrubbed_of(text, &["José García", "O'Brien", "李雷", "Anna", " "])
}

fn scrubbed_of(text: &str, names: &[&str]) -> String {
    Scrubber::new(names.iter().copied()).scrub(text, &mut Counts::new()).into_owned()
}

#[test]
fn each_rule_takes_what_it_says() {
    for (text, expected) in [
        ("write to j.doe+x@mail.example.co.uk.", "write to [email]."),
        ("'josé@exämple.com', jane%40example.org!", "'[email]', [email]!"),
        (
            "john (at) example (dot) org or \"j d\"@a.bc or x@[10.0.0.1]",
            "[email] or [email] or [email]",
        ),
        ("call +49 (0) 30 1234-567 or 555-1234", "call [phone] or [phone]"),
        ("Tel:0301234567, (212) 555-0199, 01.23.45.67.89", "Tel:[phone], [phone], [phone]"),
        ("912 345 678 and 00441632960961 and ٠١٢٣٤٥٦٧٨٩", "[phone] and [phone] and [phone]"),
        ("4915112345678.0,5551234.0 or 030123456.0", "[phone],5551234.0 or [phone]"),
        ("4111111111111111.0", "[card]"),
        (
            "jo\u{ad}hn@exa\u{200b}mple.com or \u{202a}+49 30\u{2060} 1234567\u{202c}",
            "[email] or \u{202a}[phone]",
        ),
        ("An\u{200d}na and Anna\u{200c}s", "[name] and [name]\u{200c}s"),
        ("card 4111 1111 1111 1111 ok, 378282246310005", "card [card] ok, [card]"),
        ("1234567890123456, 5500-0000-0000-0005", "[card], [card]"),
        ("DE89 3704 0044 0532 0130 00 please", "[iban] please"),
        ("gb29nwbk60161331926819, GB29 NWBK 6016 1331 9268 19 now", "[iban], [iban] now"),
        ("key sk-abcDEF0123456789xyz, AKIAIOSFODNN7EXAMPLE", "key [key], [key]"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl.", "[key]."),
        ("(d41d8cd98f00b204e9800998ecf8427e)", "([key])"),
        ("id 550e8400-e29b-41d4-a716-446655440000", "id [key]"),
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY1", "[key]"),
        ("I am JOSE  GARCIA; José-García's; Jose\u{301} García", "I am [name]; [name]'s; [name]"),
        ("o’brien, Annabel, ANNA.", "[name], Annabel, [name]."),
        ("我是李雷。", "我是[name]。"),
    ] {
        assert_eq!(scrubbed(text), expected);
    }
}

#[test]
fn what_is_no_personal_data_stays() {
    for text in [
        "",
        "On 2024-05-01 10:30 or 01.05.2024 or 5/1/2024, 2019-2020, 1998/1999",
        "2024-05-01 2024-05-02 2024-05-03",
        "version 10.0.19045.3803 at 192.168.100.200, 3.14159265358979, 12.5789123",
        "10.000.000 or 10 000 000 or 1,234,567,890 rows; order 12345678; INV-2024-0012345",
        "error 0x80070005 in https://example.com/articles/How-To-Reset-2FA-In-2024?id=7",
        "@anna2 pinged foo@bar, a@b; 5 @ 3.50",
        "getElementsByClassNameFromDocument, CONSTANT_NAME_OF_MANY_WORDS, base64",
        "Joseph Garcia-like; the Garcias; Marianna",
        "ACME2024 AB12 word word word",
    ] {
        assert_eq!(scrubbed(text), text);
    }
}

#[test]
fn articles_of_a_help_desk_stay_as_they_are_but_for_addresses_and_test_cards() {
    let set = embedded::helpdesk("train").unwrap();
    let scrubber = Scrubber::new([]);
    let mut counts = Counts::new();
    for text in set.corpus().documents().iter().map(|document| &document.text) {
        let scrubbed = scrubber.scrub(text, &mut counts);
        // Names of packages and mentions have an @ too, and stay.
        if !text.contains("@ledgerly.example") && !text.contains("4000 0000 0000 0010") {
            assert_eq!(scrubbed, text.as_str());
        }
    }
    assert_eq!(counts, Counts::from([(Rule::Email, 1), (Rule::Card, 1)]));
}

#[test]
fn overlaps_are_one_and_counts_tell_kinds_alone() {
    let scrubber = Scrubber::new(["anna"]);
    let mut counts = Counts::new();
    let text = scrubber.scrub("anna@example.com 0301234567@example.com Anna [email]", &mut counts);
    assert_eq!(text, "[email] [email] [name] [email]");
    assert_eq!(counts, Counts::from([(Rule::Email, 2), (Rule::Name, 1)]));
    let names: Vec<&str> = Rule::ALL.iter().map(|rule| rule.name()).collect();
    assert_eq!(names, ["email", "iban", "card", "key", "phone", "name"]);
    let placeholders = Scrubber::new(["email", "key"]);
    assert_eq!(placeholders.scrub("[email] key", &mut Counts::new()), "[email] [name]");
}

const NAMES: [&str; 3] = ["Zoë Müller", "O'Neil", "Xuân-Thảo"];

/// A piece of personal data of some kind.
fn secret() -> impl Strategy<Value = String> {
    let random = |alphabet: &'static str, length| {
        prop::collection::vec(prop::sample::select(alphabet.chars().collect::<Vec<_>>()), length)
            .prop_map(|chars| chars.into_iter().collect::<String>())
    };
    let case = |text: &str, upper: bool| match upper {
        true => text.to_uppercase(),
        false => text.to_lowercase(),
    };
    prop_oneof![
        "[a-z0-9][a-z0-9._+-]{0,8}@[a-z0-9]{1,9}\\.[a-z]{2,5}",
        "\\+[1-9][0-9]{1,2}[ -]?[0-9]{3}[ .-]?[0-9]{3,6}",
        "0[1-9][0-9]{1,2}[ /-][0-9]{5,8}",
        "\\([2-9][0-9]{2}\\) [2-9][0-9]{2}-[0-9]{4}",
        "[4-6][0-9]{3} [0-9]{4} [0-9]{4} [0-9]{4}",
        "4[0-9]{15}",
        "[A-Z]{2}[0-9]{2}( [0-9]{4}){4} [0-9]{2}",
        "(sk-|ghp_|hf_|xoxb-)[A-Za-z0-9]{20,40}",
        "AKIA[A-Z0-9]{16}",
        "eyJ[A-Za-z0-9_-]{20}\\.eyJ[A-Za-z0-9_-]{20}\\.[A-Za-z0-9_-]{20}",
        "[0-9a-f]{32,64}",
        (random("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 40..60))
            .prop_map(|run| format!("aZ0{run}B7q")),
        (prop::sample::select(&NAMES[..]), any::<bool>())
            .prop_map(move |(name, up)| case(name, up)),
    ]
}

/// Words, numbers and signs that are nobody's.
fn prose() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        8 => "[a-z]{2,9}",
        1 => "[0-9]{1,5}",
        1 => prop::sample::select(&["—", "(see", "below)", "é", "2024-05-01", "v1.2.3", "做什么"][..])
            .prop_map(String::from),
    ];
    prop::collection::vec(word, 0..8).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nothing_planted_survives_in_any_order_of_rules(
        before in prose(), secrets in prop::collection::vec((secret(), prose()), 1..4),
        signs in prop::sample::select(&[(" ", " "), (" (", ") "), (": ", ", "), ("\n", ".\n")][..]),
        order in Just(Rule::ALL.to_vec()).prop_shuffle(),
    ) {
        let mut text = before;
        for (secret, after) in &secrets {
            text = format!("{text}{}{secret}{}{after}", signs.0, signs.1);
        }
        let scrubber = Scrubber::with_rules(&order, NAMES);
        let mut counts = Counts::new();
        let scrubbed = scrubber.scrub(&text, &mut counts).into_owned();
        for (secret, _) in &secrets {
            prop_assert!(!scrubbed.contains(secret.as_str()), "{secret:?} in {scrubbed:?}");
            // Nor does a part of it that would give it away: six characters in a row.
            let chars: Vec<char> = secret.chars().collect();
            for window in chars.windows(6) {
                let part: String = window.iter().collect();
                prop_assert!(!scrubbed.contains(&part), "{part:?} of {secret:?} in {scrubbed:?}");
            }
        }
        prop_assert!(counts.values().sum::<u64>() >= 1);
        prop_assert_eq!(&scrubbed, &*Scrubber::new(NAMES).scrub(&text, &mut Counts::new()));
        prop_assert_eq!(&scrubbed, &*scrubber.scrub(&scrubbed, &mut Counts::new()), "twice");
    }

    #[test]
    fn prose_is_unchanged(text in prose()) {
        let mut counts = Counts::new();
        let numbers = text.split(' ').filter(|word| word.ends_with(|c: char| c.is_ascii_digit()));
        // Two numbers side by side may well be a phone number.
        prop_assume!(numbers.count() < 2);
        prop_assert_eq!(Scrubber::new(NAMES).scrub(&text, &mut counts), text.as_str());
        prop_assert!(counts.is_empty());
    }

    #[test]
    fn whatever_the_text_it_is_scrubbed_at_once(text in "(?s)(.|[0-9@.+A-Za-z() -]){0,60}") {
        let once = scrubbed(&text);
        prop_assert_eq!(scrubbed(&once), once);
    }
}
