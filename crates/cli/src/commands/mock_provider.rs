use std::io::Write;
use std::time::Duration;

use anyhow::Result;
use secondpass_mock::{Mock, Plan, Settings};

use crate::args::MockProviderArgs;
use crate::exit::usage;
use crate::note::note;
use crate::progress;

/// How often it looks whether Ctrl-C was pressed.
const LOOK: Duration = Duration::from_millis(50);

/// Serves an imitated provider until Ctrl-C.
pub fn run(args: &MockProviderArgs) -> Result<()> {
    let context = progress::cancellable_saying("ending");
    let settings = Settings {
        port: args.port,
        key: args.key.clone(),
        latency: args.latency,
        score_seed: args.score_seed,
        faults: Plan::new(args.fault.clone(), args.seed),
        ..Settings::new(args.kind)
    };
    let mock = Mock::start(settings).map_err(usage)?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", mock.base_url())?;
    out.flush()?;
    note(format_args!(
        "imitating {}: scores are made up; set base_url = \"{}\"; Ctrl-C ends it",
        args.kind,
        mock.base_url()
    ));
    while !context.is_over() {
        std::thread::sleep(LOOK);
    }
    let books = mock.books();
    note(format_args!(
        "{} calls, {} answered well, {} units billed, at most {} at once",
        books.calls().len(),
        books.acknowledged(),
        books.billed(),
        books.most_in_flight()
    ));
    Ok(())
}
