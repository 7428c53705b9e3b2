//! What a backend says when it fails, as errors. burn hands on a driver's or an allocator's trouble as a
//! text, or panics with it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use secondpass_text::ScoreError;

/// What cubecl says when a card has no memory left, or never had so much.
const NO_MEMORY: [&str; 2] = ["out of device memory", "can't allocate buffer"];
/// Of a text that goes on.
const MOST: usize = 400;

/// Runs what may panic inside a backend: cubecl unwraps the driver's answers, on threads of its own
/// and on ours.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, ScoreError> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| panicked(&*panic))
}

/// What a panic means.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> ScoreError {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    failed(text.unwrap_or("a computation panicked"))
}

/// What a failure's text means: memory that a smaller batch may do without, or anything else.
pub(crate) fn failed(text: &str) -> ScoreError {
    let is_about_memory = |line: &&str| NO_MEMORY.iter().any(|phrase| line.contains(phrase));
    match text.lines().find(is_about_memory) {
        Some(line) => ScoreError::OutOfMemory(short(line)),
        None => ScoreError::Device(short(text)),
    }
}

/// One line, without the calls that led there.
fn short(text: &str) -> String {
    let is_call = |line: &&str| {
        let number = line.trim_start().split_once(':').map_or("", |(number, _)| number);
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    let lines = text.lines().take_while(|line| !is_call(line)).map(str::trim);
    let joined = lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    joined.chars().take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: &str = "An error happened during execution\nCaused by:\n  An IO error happened\nCaused by:\n  \
                        out of device memory allocating 4096 bytes\n   0: std::backtrace\n   1: main";

    #[test]
    fn a_full_card_is_told_apart_from_a_broken_one() {
        let ScoreError::OutOfMemory(what) = failed(READ) else { panic!("{:?}", failed(READ)) };
        assert_eq!(what, "out of device memory allocating 4096 bytes");
        let too_big = "can't allocate buffer of size: 99\n   0: somewhere";
        assert!(matches!(failed(too_big), ScoreError::OutOfMemory(_)));
        let ScoreError::Device(what) = failed("a kernel\n faulted \n  12: main\n at x") else {
            panic!()
        };
        assert_eq!(what, "a kernel faulted");
    }

    #[test]
    fn a_panic_is_an_error() {
        assert_eq!(caught(|| 1).unwrap(), 1);
        let full =
            caught(|| -> u32 { panic!("called `Result::unwrap()` on an `Err` value: {READ}") });
        assert!(matches!(full, Err(ScoreError::OutOfMemory(_))), "{full:?}");
        let broken = caught(|| -> u32 { panic!("no context") });
        assert!(matches!(&broken, Err(ScoreError::Device(what)) if what == "no context"));
        let odd = caught(|| -> u32 { std::panic::panic_any(7) });
        assert!(matches!(odd, Err(ScoreError::Device(_))));
    }
}
