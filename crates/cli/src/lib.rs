//! Flags and wiring; the only crate that prints.

mod args;
mod batching;
mod bench;
mod commands;
mod datasets;
mod doctor;
mod dry_run;
mod exit;
mod first_stage;
mod folders;
mod gibibytes;
mod hosted;
mod jobs;
mod load;
mod money;
mod note;
mod onnx;
mod own;
mod prices;
mod progress;
mod publish;
mod rerankers;
mod summary;
mod table;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

use crate::args::{Args, Command};

/// Runs the program: exit code 0 when all went well, 1 when something failed, 2 when what was asked
/// makes no sense, 3 when records cannot be compared.
pub fn main() -> ExitCode {
    let started = Instant::now();
    let args = Args::parse();
    // Before a card is opened. Where there is no folder for caches, kernels are compiled each time, and who
    // needs the folder for more says so.
    if let Ok(folder) = folders::part("kernels") {
        secondpass_model::keep_kernels_in(&folder);
    }
    let done = match args.command {
        Command::Rerank(args) => commands::rerank::run(&args, started),
        Command::Eval(args) => commands::eval::run(&args),
        Command::Bench(args) => commands::bench::run(&args),
        Command::Calibrate(args) => commands::calibrate::run(&args),
        Command::Measure(args) => commands::measure::run(&args),
        Command::Retrieve(args) => commands::retrieve::run(&args),
        Command::Dataset(args) => commands::dataset::run(&args),
        Command::Logs(args) => commands::logs::run(&args),
        Command::Doctor(args) => commands::doctor::run(&args),
        Command::Warmup(args) => commands::warmup::run(&args, started),
        Command::Purge(args) => commands::purge::run(&args),
        Command::Finetune(args) => commands::finetune::run(&args),
        Command::Split(args) => commands::split::run(&args),
        Command::Mine(args) => commands::mine::run(&args),
        Command::Triples(args) => commands::triples::run(&args),
        Command::Compare(args) => commands::compare::run(&args),
        Command::Gate(args) => commands::gate::run(&args),
        Command::Canary(args) => commands::canary::run(&args),
        Command::Decide(args) => commands::decide::run(&args),
        Command::Providers(args) => commands::providers::run(&args),
        Command::MockProvider(args) => commands::mock_provider::run(&args),
        Command::Quickstart(args) => commands::eval::quickstart(&args),
    };
    exit::code(done)
}
