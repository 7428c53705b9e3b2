//! The `secondpass` program; all of it is in `secondpass-cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    secondpass_cli::main()
}
