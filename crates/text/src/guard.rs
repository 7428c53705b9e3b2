use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

/// Runs code of the tokenizers library, which panics on some malformed files, and gives a panic back
/// as an error. Nothing is printed then; panics anywhere else are reported as before.
pub(crate) fn guard<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    INSTALL.call_once(|| {
        let report = take_hook();
        set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                report(panic);
            }
        }));
    });
    let before = GUARDED.replace(true);
    // What was half built inside is dropped with the panic, and nothing outside was touched.
    let result = catch_unwind(AssertUnwindSafe(run));
    GUARDED.set(before);
    result.map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        text.unwrap_or("the tokenizers library gave up").to_owned()
    })
}

static INSTALL: Once = Once::new();

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        assert_eq!(guard(|| 7), Ok(7));
        let number = 3;
        assert_eq!(guard(|| panic!("case {number}")), Err::<(), _>("case 3".to_owned()));
        assert_eq!(guard(|| guard(|| panic!("inner"))), Ok(Err::<(), _>("inner".to_owned())));
    }
}
