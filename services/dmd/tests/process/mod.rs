//! The binary as a process.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// The binary, without settings from the environment of the tests.
pub fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_glocal-dmd"));
    let settings = |name: &str| name.starts_with("GLOCAL_DMD_") || name.starts_with("OTEL_");
    for (name, _) in std::env::vars().filter(|(name, _)| settings(name)) {
        command.env_remove(name);
    }
    command
}

/// A server on a free port.
pub fn serve() -> Command {
    let mut command = binary();
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    command
}

/// A server that is killed when the test ends.
pub struct Server(pub Child);

impl Server {
    /// Starts a server that is expected to come up, and returns it with the address that it announced.
    pub fn start(command: &mut Command) -> (Self, String) {
        Self::start_with_log(command, Stdio::null())
    }

    /// Starts a server whose log goes to `log`.
    pub fn start_with_log(command: &mut Command, log: impl Into<Stdio>) -> (Self, String) {
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut server = Self(child);
        let mut line = String::new();
        BufReader::new(server.0.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line
            .strip_prefix("glocal-dmd listening on ")
            .unwrap()
            .trim_end()
            .to_owned();
        (server, address)
    }

    /// Tells the server to stop.
    pub fn terminate(&self) {
        let killed = Command::new("kill")
            .arg(self.0.id().to_string())
            .status()
            .unwrap();
        assert!(killed.success());
    }

    /// Waits for the end of the server.
    pub fn exit_code(&mut self) -> Option<i32> {
        let deadline = Instant::now() + Duration::from_secs(60);
        while Instant::now() < deadline {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the server did not exit");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
