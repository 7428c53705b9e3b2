/// A text as it is compared with others: lower-cased words with one blank between them, so that case,
/// punctuation and blanks do not count. A text without any letter or digit stays as it is, so that
/// "?" and "!" are two texts.
pub fn normalized(text: &str) -> String {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    match words.is_empty() {
        true => lower.trim().to_owned(),
        false => words.join(" "),
    }
}
