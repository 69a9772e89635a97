//! The commands of the binary, each with its arguments.

pub mod analyze;
pub mod check;
mod command_line;
pub mod connection;
pub mod failure;
pub mod output;
pub mod serve;
mod signals;
pub mod window_file;

pub use self::command_line::run;
