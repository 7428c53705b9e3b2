/// The line, counted from 1, in which the byte at `offset` stands; of an offset beyond the text, the last.
pub fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_count_from_one() {
        let text = "a\nbü\n\nc";
        let lines = [0, 1, 2, 4, 5, 6, 7, 99].map(|offset| line_of(text, offset));
        assert_eq!(lines, [1, 1, 2, 2, 2, 3, 4, 4]);
    }
}
