//! How a command ends that fails: one line for the person at the terminal, and an exit code.

/// Exit codes as in sysexits.h.
pub mod exit {
    /// A flag, variable or setting is wrong.
    pub const USAGE: u8 = 64;
    /// A file does not hold what it should.
    pub const DATA: u8 = 65;
    /// A service or an address is not there.
    pub const UNAVAILABLE: u8 = 69;
    /// The program is at fault.
    pub const SOFTWARE: u8 = 70;
}

/// Why a command failed.
#[derive(Debug)]
pub struct Failure {
    pub(super) code: u8,
    pub(super) message: String,
}

impl Failure {
    /// A failure with one of the codes of [`exit`].
    #[must_use]
    pub fn new(code: u8, message: impl ToString) -> Self {
        Self {
            code,
            message: message.to_string(),
        }
    }
}
