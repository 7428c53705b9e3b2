//! The `secondpass` program; all of it is in `secondpass-cli`.

use std::process::ExitCode;

// Every tensor operation allocates its result. The system's allocator gives large blocks back to the
// kernel each time, and taking them anew cost a third of the processor time of a training step.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    secondpass_cli::main()
}
