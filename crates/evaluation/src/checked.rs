//! Lines that tell whether they are whole: the first 16 hex digits of the SHA-256 of what follows, a
//! space, and the content, which holds no line end.

use secondpass_core::ContentHash;

const DIGITS: usize = 16;

/// The content as a line, its end included.
pub fn line(content: &str) -> String {
    format!("{} {content}\n", sum(content.as_bytes()))
}

/// The contents of all whole lines, in order.
pub struct Lines<'a> {
    /// What [`line()`] was given, line by line.
    pub contents: Vec<&'a str>,
    /// Lines that are not what was written. A last line without an end was being written when its
    /// process died, and is no damage.
    pub damaged: usize,
}

/// Reads what [`line()`] wrote, whatever became of it since.
pub fn lines(bytes: &[u8]) -> Lines<'_> {
    let mut lines = Lines { contents: Vec::new(), damaged: 0 };
    for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
        let line = piece.strip_suffix(b"\n");
        match content(line.unwrap_or(piece)) {
            Some(content) => lines.contents.push(content),
            // An empty line is what an append puts after a torn one.
            None => lines.damaged += usize::from(line.is_some_and(|line| !line.is_empty())),
        }
    }
    lines
}

fn content(line: &[u8]) -> Option<&str> {
    let (expected, rest) = line.split_at_checked(DIGITS)?;
    let content = rest.strip_prefix(b" ")?;
    (sum(content).as_bytes() == expected).then(|| std::str::from_utf8(content).ok()).flatten()
}

fn sum(content: &[u8]) -> String {
    ContentHash::of(content).as_str().chars().take(DIGITS).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn torn_ends_are_dropped_and_damage_is_counted() {
        let text = format!("{}{}", line("one"), line("two"));
        let read = lines(text.as_bytes());
        assert_eq!((read.contents, read.damaged), (vec!["one", "two"], 0));
        let read = lines(&text.as_bytes()[..text.len() - 2]);
        assert_eq!((read.contents, read.damaged), (vec!["one"], 0));
        let changed = text.replacen("one", "0ne", 1);
        let read = lines(changed.as_bytes());
        assert_eq!((read.contents, read.damaged), (vec!["two"], 1));
    }

    proptest! {
        #[test]
        fn any_bytes_give_no_content_that_was_not_written(
            contents in prop::collection::vec("[^\n]{0,20}", 0..5),
            place in any::<prop::sample::Index>(),
            bytes in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut text: Vec<u8> = contents.iter().flat_map(|c| line(c).into_bytes()).collect();
            prop_assert_eq!(lines(&text).contents, contents.clone());
            let place = place.index(text.len() + 1);
            text.splice(place..place, bytes);
            for read in lines(&text).contents {
                prop_assert!(contents.iter().any(|content| content == read));
            }
        }
    }
}
