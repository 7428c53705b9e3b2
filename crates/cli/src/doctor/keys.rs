use secondpass_rerankers::hosted::{KeyKind, PROVIDERS, Provider};

use super::{Finding, State};

const SECTION: &str = "keys";

/// Which variables of hosted rerankers and of the hub are set. Values are not looked at beyond
/// whether they are empty.
pub fn look() -> Vec<Finding> {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let mut findings: Vec<Finding> =
        PROVIDERS.iter().filter_map(|provider| of(provider, &is_set)).collect();
    findings.push(hub(is_set("HF_TOKEN")));
    findings
}

/// The key of a provider; `None` where it has no variable of its own.
fn of(provider: &Provider, is_set: &dyn Fn(&str) -> bool) -> Option<Finding> {
    let variables = provider.key_variables;
    let set: Vec<&str> = variables.iter().copied().filter(|name| is_set(name)).collect();
    let (all, joined) = match provider.key_kind {
        KeyKind::SigV4 => (set.len() == variables.len(), variables.join(" and ")),
        KeyKind::Bearer | KeyKind::Header(_) => (!set.is_empty(), variables.join(" or ")),
    };
    let kind = provider.kind;
    let (state, found, advice) = match (all, set.is_empty()) {
        _ if variables.is_empty() => return None,
        (true, _) => (
            State::Ok,
            format!("{} is set", set.join(" and ")),
            format!("nothing to do; `secondpass providers check {kind}` tries it"),
        ),
        (false, true) => (
            State::Absent,
            "not set".to_owned(),
            format!("to ask {}, set {joined}, or give --key-file", provider.title),
        ),
        (false, false) => (
            State::Warning,
            format!("only {} is set", set.join(" and ")),
            format!("set {joined}: all are needed"),
        ),
    };
    let finding = Finding::new(SECTION, kind, state, found).advise(advice);
    Some(finding.with("variables", variables).with("set", set))
}

fn hub(is_set: bool) -> Finding {
    let (state, found, advice) = match is_set {
        true => (State::Ok, "HF_TOKEN is set", "nothing to do; it is sent to the hub alone"),
        false => (
            State::Absent,
            "HF_TOKEN is not set",
            "only private and gated models need it: set HF_TOKEN, or use `hf auth login`",
        ),
    };
    Finding::new(SECTION, "hugging face hub", state, found.to_owned())
        .advise(advice)
        .with("variables", vec!["HF_TOKEN"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(kind: &str) -> &'static Provider {
        PROVIDERS.iter().find(|provider| provider.kind == kind).unwrap()
    }

    #[test]
    fn one_of_several_names_is_enough_where_they_are_the_same_key() {
        let finding = of(provider("cohere"), &|name| name == "CO_API_KEY").unwrap();
        assert_eq!((finding.state, finding.found.as_str()), (State::Ok, "CO_API_KEY is set"));
        let finding = of(provider("cohere"), &|_| false).unwrap();
        assert!(finding.advice.unwrap().contains("COHERE_API_KEY or CO_API_KEY"));
        assert!(of(provider("tei"), &|_| true).is_none());
    }

    #[test]
    fn half_a_pair_of_keys_is_told() {
        let finding = of(provider("bedrock"), &|name| name == "AWS_ACCESS_KEY_ID").unwrap();
        assert_eq!(finding.state, State::Warning);
        assert!(finding.found.contains("only AWS_ACCESS_KEY_ID"));
    }
}
