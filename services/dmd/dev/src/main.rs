//! The `glocal-dmd-dev` binary: what those who change the DMD service measure and compare. Users do not need it.

mod bench;
mod evaluate;
mod files;
mod fixtures;
mod load;
mod references;
mod rows;
mod windows;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use glocal_dmd::cli;
use tikv_jemallocator::Jemalloc;

use self::{bench::Bench, evaluate::Evaluate, fixtures::Fixtures};

/// As in the service, so that what is timed is what users get.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// Developer tools of the DMD service.
#[derive(Debug, Parser)]
#[command(name = "glocal-dmd-dev", version, max_term_width = 110)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Fixtures(Fixtures),
    Evaluate(Evaluate),
    Bench(Bench),
}

fn main() -> ExitCode {
    cli::run(|CommandLine { command }| match command {
        Command::Fixtures(fixtures) => fixtures.run(),
        Command::Evaluate(evaluate) => evaluate.run(),
        Command::Bench(bench) => bench.run(),
    })
}
