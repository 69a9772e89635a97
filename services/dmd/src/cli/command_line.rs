//! From the command line to an exit code, for every binary of the project.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{Parser, error::ErrorKind};

use super::failure::{Failure, exit};

/// Parses the command line and runs the command. What fails is said in one line on standard error.
#[must_use]
pub fn run<C: Parser>(command: impl FnOnce(C) -> Result<(), Failure>) -> ExitCode {
    let command_line = match C::try_parse() {
        Ok(command_line) => command_line,
        Err(error) => {
            let wanted = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // Nothing can be done about a terminal that is gone.
            let _ = error.print();
            return if wanted {
                ExitCode::SUCCESS
            } else {
                exit::USAGE.into()
            };
        }
    };
    match command(command_line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let name = C::command().get_name().to_owned();
            let _ = writeln!(io::stderr(), "{name}: {}", failure.message);
            failure.code.into()
        }
    }
}
