use std::fmt;
use std::process::ExitCode;

use crate::note::note;

/// Marks an error as the fault of what was asked, not of what was tried: exit code 2.
#[derive(Debug)]
pub struct Usage(anyhow::Error);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Usage {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

/// Marks an error as [`Usage`].
pub fn usage(error: impl Into<anyhow::Error>) -> anyhow::Error {
    Usage(error.into()).into()
}

/// Marks an error as two records that do not answer the same question: exit code 3.
#[derive(Debug)]
pub struct NotComparable(pub String);

impl fmt::Display for NotComparable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotComparable {}

/// Prints an error, with its causes, and gives the exit code.
pub fn code(done: anyhow::Result<()>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let mut shown = error.to_string();
            for cause in error.chain().skip(1).map(ToString::to_string) {
                // Transparent errors repeat what they wrap.
                if !shown.contains(&cause) {
                    shown = format!("{shown}: {cause}");
                }
            }
            note(format_args!("error: {shown}"));
            ExitCode::from(match () {
                () if error.is::<Usage>() => 2,
                () if error.is::<NotComparable>() => 3,
                () => 1,
            })
        }
    }
}

/// `secondpass … | head` ends early on purpose.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>());
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
