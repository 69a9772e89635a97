//! The `glocal-dmd` binary: reads the command line and hands over to the library.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use glocal_dmd::cli::{self, analyze::Analyze, check::Check, serve::Serve};
use tikv_jemallocator::Jemalloc;

/// Gives memory back, and to other threads, where that of the C library keeps some for each; set up in `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// Glocal hypergradients: where is a window of hypergradients heading?
///
/// Fits a Hankel dynamic mode decomposition to a window of local hypergradients and estimates where they would settle,
/// with the whole spectrum and a verdict on whether to trust the estimate.
#[derive(Debug, Parser)]
#[command(name = "glocal-dmd", version, max_term_width = 110)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Serve),
    Check(Check),
    Analyze(Analyze),
}

fn main() -> ExitCode {
    cli::run(|CommandLine { command }| match command {
        Command::Serve(serve) => serve.run(),
        Command::Check(check) => check.run(),
        Command::Analyze(analyze) => analyze.run(),
    })
}
