use proptest::prelude::*;
use secondpass_core::BillingUnit;

use super::{PriceError, PriceTable};
use crate::HOSTED_KINDS;

const FILE: &str = "prices.toml";

const TWO: &str = r#"
[[price]]
provider = "cohere"
model = "rerank-v3.5"
unit = "search-unit"
usd = 2.50
per = 1000
read = "2026-02-28"
source = "https://example.org/prices"
note = "Others say 3.00."

[[machine]]
name = "one GPU"
usd = 0.75
read = "2026-02-28"
source = "https://example.org/machines"
"#;

fn entry(provider: &str, model: &str, usd: f64) -> String {
    format!(
        "[[price]]\nprovider = {provider:?}\nmodel = {model:?}\nunit = \"token\"\nusd = {usd:?}\n\
         per = 1\nread = \"2026-01-01\"\nsource = \"here\"\n"
    )
}

fn table(models: &[(&str, f64)]) -> PriceTable {
    let text: String = models.iter().map(|(model, usd)| entry("p", model, *usd)).collect();
    PriceTable::parse(&text, FILE).unwrap()
}

fn usd(table: &PriceTable, model: &str) -> Option<f64> {
    table.find("p", model).map(|listed| listed.usd)
}

#[test]
fn a_price_is_told_for_one_unit_with_its_date_and_source() {
    let table = PriceTable::parse(TWO, FILE).unwrap();
    let tariff = table.tariff("cohere", "rerank-v3.5", BillingUnit::SearchUnit).unwrap();
    assert_eq!(tariff.cost(3_000), Some(7.5));
    let price = tariff.price.unwrap();
    assert_eq!((price.usd, &*price.read), (0.0025, "2026-02-28"));
    assert_eq!(price.source, "https://example.org/prices");
    assert_eq!(table.machine("one GPU").unwrap().price().usd, 0.75);
    assert_eq!(table.machine("two GPUs"), None);
}

#[test]
fn what_nobody_lists_has_no_price() {
    let table = PriceTable::parse(TWO, FILE).unwrap();
    for (provider, model) in [("cohere", "rerank-v3"), ("cohere", ""), ("azure", "rerank-v3.5")] {
        assert_eq!(table.tariff(provider, model, BillingUnit::Token).unwrap().price, None);
    }
}

#[test]
fn a_price_for_another_unit_is_refused() {
    let table = PriceTable::parse(TWO, FILE).unwrap();
    assert_eq!(
        table.tariff("cohere", "rerank-v3.5", BillingUnit::Token).unwrap_err().to_string(),
        "prices.toml: the price of cohere \"rerank-v3.5\" is for search units, and its bill counts \
         tokens; list the price of those for it in a file of your own (--prices)"
    );
}

#[test]
fn a_price_a_request_holds_for_every_provider() {
    let text = TWO.replacen("unit = \"search-unit\"", "unit = \"request\"", 1);
    let table = PriceTable::parse(&text, FILE).unwrap();
    for unit in [BillingUnit::Token, BillingUnit::SearchUnit, BillingUnit::Request] {
        let tariff = table.tariff("cohere", "rerank-v3.5", unit).unwrap();
        assert_eq!((tariff.unit, tariff.cost(2)), (BillingUnit::Request, Some(0.005)));
    }
}

#[test]
fn the_narrowest_entry_is_found() {
    let table = table(&[("*", 1.0), ("r-4*", 4.0), ("r-*", 2.0), ("r-4-pro", 5.0)]);
    assert_eq!(usd(&table, "r-4-pro"), Some(5.0));
    assert_eq!(usd(&table, "r-4-pro-2"), Some(4.0));
    assert_eq!(usd(&table, "r-3"), Some(2.0));
    assert_eq!((usd(&table, "q"), usd(&table, "")), (Some(1.0), Some(1.0)));
    assert_eq!(table.find("q", "r-3"), None);
}

#[test]
fn the_users_entries_win() {
    let own = table(&[("r-4-pro", 5.0), ("s", 3.0)]);
    let both = own.clone().over(table(&[("r-*", 1.0)]));
    assert_eq!((usd(&both, "r-4-pro"), usd(&both, "s")), (Some(1.0), Some(3.0)));
    assert_eq!(both.prices().map(|listed| listed.usd).collect::<Vec<_>>(), [1.0, 5.0, 3.0]);
    let machine = TWO.replacen("0.75", "0.5", 1);
    let both = PriceTable::parse(TWO, FILE).unwrap();
    let both = both.over(PriceTable::parse(&machine, "mine.toml").unwrap());
    assert_eq!(both.machine("one GPU").unwrap().usd, 0.5);
    assert_eq!(both.find("cohere", "rerank-v3.5").unwrap().file, "mine.toml");
    assert_eq!(own.clone().over(PriceTable::default()), own);
}

#[test]
fn errors_name_file_entry_and_key() {
    for (from, to, message) in [
        ("usd = 2.50", "usd = -1", "prices.toml: key 'price 1.usd' is -1; allowed: a number of US"),
        ("usd = 2.50", "usd = inf", "'price 1.usd' is inf"),
        ("usd = 2.50", "usd = nan", "'price 1.usd' is NaN"),
        ("per = 1000", "per = 0", "'price 1.per' is 0; allowed: a number of units above 0"),
        ("per = 1000", "per = inf", "'price 1.per' is inf"),
        ("2026-02-28\"\nsource = \"https://example.org/p", "2026-02-30\"\nsource = \"p", "1.read'"),
        ("read = \"2026-02-28\"", "read = \"28.02.2026\"", "'price 1.read' is \"28.02.2026\""),
        ("read = \"2026-02-28\"", "read = \"2026-02-28T10:00:00Z\"", "a day of the calendar"),
        ("provider = \"cohere\"", "provider = \" \"", "'price 1.provider' is \" \""),
        ("rerank-v3.5", "rerank-*-pro", "'price 1.model' is \"rerank-*-pro\""),
        ("rerank-v3.5", "**", "'price 1.model'"),
        ("https://example.org/prices", "", "'price 1.source'"),
        ("0.75", "-0.1", "'machine 1.usd' is -0.1"),
        ("one GPU", "", "'machine 1.name'"),
        (
            "unit = \"search-unit\"",
            "unit = \"page\"",
            "prices.toml, line 5: unknown variant `page`",
        ),
        ("note =", "notice =", "prices.toml, line 10: unknown field `notice`"),
        ("usd = 2.50\n", "", "missing field `usd`"),
        ("[[price]]", "[[prices]]", "unknown field `prices`"),
    ] {
        assert!(TWO.contains(from), "{from}");
        let error = PriceTable::parse(&TWO.replacen(from, to, 1), FILE).unwrap_err().to_string();
        assert!(error.starts_with(FILE) && error.contains(message), "{to}: {error}");
    }
}

#[test]
fn two_entries_for_the_same_are_refused() {
    let text = [entry("p", "a", 1.0), entry("p", "a*", 1.0), entry("p", "a", 2.0)].concat();
    let error = PriceTable::parse(&text, FILE).unwrap_err();
    assert!(matches!(error, PriceError::Twice { .. }));
    assert_eq!(
        error.to_string(),
        "prices.toml: price 3 is for p \"a\", which price 1 is for already; remove one of them"
    );
    let (_, machine) = TWO.split_once("[[machine]]").unwrap();
    let error = PriceTable::parse(&format!("{TWO}[[machine]]{machine}"), FILE).unwrap_err();
    assert!(error.to_string().contains("machine 2 is for \"one GPU\", which machine 1"), "{error}");
}

#[test]
fn the_programs_own_table_is_in_order() {
    let table = PriceTable::own().unwrap();
    assert!(table.prices().count() > 0 && table.machines().count() > 0);
    for listed in table.prices() {
        assert!(listed.source.starts_with("https://"), "{listed:?}");
        let provider = listed.provider.as_str();
        assert!(HOSTED_KINDS.contains(&provider) || provider == "zeroentropy", "{listed:?}");
        // A slip in `per` would be off by a factor of thousands.
        let dear = match listed.unit {
            BillingUnit::Token => 1e-5,
            BillingUnit::SearchUnit | BillingUnit::Request => 0.1,
            BillingUnit::Hour => 100.0,
        };
        assert!((0.0..dear).contains(&listed.price().usd), "{listed:?}");
    }
    for machine in table.machines() {
        assert!(machine.source.starts_with("https://"), "{machine:?}");
    }
}

proptest! {
    #[test]
    fn lookups_agree_with_the_rule_said_plainly(
        entries in prop::collection::btree_map("[ab]{0,3}\\*|[ab]{1,3}", 0.0..9.0_f64, 0..8),
        model in "[ab]{0,4}",
    ) {
        let pairs: Vec<(&str, f64)> = entries.iter().map(|(name, usd)| (&**name, *usd)).collect();
        let mut expected = entries.get(&model).copied();
        for length in (0..=model.len()).rev() {
            expected = expected.or_else(|| entries.get(&format!("{}*", &model[..length])).copied());
        }
        prop_assert_eq!(usd(&table(&pairs), &model), expected);
    }

    #[test]
    fn a_user_never_loses(
        own in prop::collection::btree_map("[ab]{0,2}\\*|[ab]{1,2}", 0.0..9.0_f64, 0..5),
        user in prop::collection::btree_map("[ab]{0,2}\\*|[ab]{1,2}", 0.0..9.0_f64, 0..5),
        model in "[ab]{0,3}",
    ) {
        let table = |entries: &std::collections::BTreeMap<String, f64>| {
            table(&entries.iter().map(|(name, usd)| (&**name, *usd)).collect::<Vec<_>>())
        };
        let (own, user) = (table(&own), table(&user));
        let expected = usd(&user, &model).or_else(|| usd(&own, &model));
        prop_assert_eq!(usd(&own.over(user), &model), expected);
    }

    #[test]
    fn mutated_tables_never_panic(
        place in any::<prop::sample::Index>(),
        end in any::<prop::sample::Index>(),
        inserted in ".{0,3}",
    ) {
        let (place, end) = (place.index(TWO.len()), end.index(TWO.len() + 1));
        let text = format!("{}{inserted}{}", &TWO[..place], &TWO[end.max(place)..]);
        match PriceTable::parse(&text, FILE) {
            Ok(table) => for listed in table.prices() {
                prop_assert!(listed.price().usd.is_finite() && listed.price().usd >= 0.0);
            },
            Err(error) => prop_assert!(error.to_string().starts_with(FILE)),
        }
    }
}
