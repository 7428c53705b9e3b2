use std::fmt::Display;
use std::io::Write;

/// Says something on standard error. Where nobody can read it any more, it is lost: that is no reason
/// to fail, or to panic as the standard macros do.
pub fn note(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
