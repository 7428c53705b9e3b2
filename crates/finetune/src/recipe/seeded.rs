/// A recipe's text with another seed in place of its own, the rest as it is. `None` where no line of the
/// form `seed = 7` stands before the first table.
pub fn with_seed(text: &str, seed: u64) -> Option<String> {
    let mut place = 0;
    for line in text.split_inclusive('\n') {
        let key = line.split('=').next().unwrap_or_default().trim();
        if line.trim_start().starts_with('[') {
            return None;
        }
        if key.trim_matches('"') == "seed" && line.contains('=') {
            let end = if line.ends_with('\n') { "\n" } else { "" };
            return Some(format!(
                "{}seed = {seed}{end}{}",
                &text[..place],
                &text[place + line.len()..]
            ));
        }
        place += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_seed_changes() {
        let text = "# seed = 1\nname = \"x\"\nseed = 7 # lucky\n[model]\nseed = 3\n";
        let expected = "# seed = 1\nname = \"x\"\nseed = 42\n[model]\nseed = 3\n";
        assert_eq!(with_seed(text, 42).as_deref(), Some(expected));
        assert_eq!(with_seed("\"seed\"=7", 8).as_deref(), Some("seed = 8"));
        for none in ["", "name = \"x\"\n", "[model]\nseed = 3\n", "seeds = 3\n", "seed"] {
            assert_eq!(with_seed(none, 1), None, "{none}");
        }
    }
}
