//! Bearer tokens, which may be replaced while the service runs.

use std::{path::Path, sync::Arc};

use subtle::ConstantTimeEq;
use tokio::sync::watch;
use tonic::{Request, Status, service::Interceptor};

use super::{
    config::ConfigError,
    refusal::Refusal,
    watched_files::{NamedFile, ReadFile, WatchedFiles},
};

/// Those that callers may show as `authorization: Bearer TOKEN`.
pub(super) struct Tokens(Vec<String>);

impl Tokens {
    /// Reads one token a line; empty lines and those that begin with # are skipped.
    ///
    /// # Errors
    /// [`ConfigError`] naming the key when the file cannot be used.
    pub(super) fn open(path: &Path) -> Result<WatchedFiles<Self>, ConfigError> {
        let file = NamedFile {
            key: "auth.token_file",
            path: path.to_owned(),
        };
        WatchedFiles::open(vec![file], Self::make)
    }

    fn make(files: &[ReadFile]) -> Result<Self, ConfigError> {
        let ReadFile { file, text } = &files[0];
        let tokens: Vec<String> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(str::to_owned)
            .collect();
        if tokens.is_empty() {
            return Err(file.error(format!("{} has no token", file.path.display())));
        }
        Ok(Self(tokens))
    }

    /// Compares with every token in time that says nothing about them.
    fn admit(&self, shown: &[u8]) -> bool {
        self.0.iter().fold(false, |admitted, token| {
            admitted | bool::from(token.as_bytes().ct_eq(shown))
        })
    }
}

/// Lets calls through that show one of the tokens; all of them where there are none to show.
#[derive(Clone)]
pub(super) struct Gate(pub(super) Option<watch::Receiver<Arc<Tokens>>>);

impl Interceptor for Gate {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let Some(tokens) = &self.0 else {
            return Ok(request);
        };
        let Some(shown) = request.metadata().get("authorization") else {
            return Err(Refusal::Unauthenticated(
                "this server asks for a token; send the metadata `authorization: Bearer TOKEN`",
            )
            .into());
        };
        // The name of the scheme is not case-sensitive (RFC 9110).
        let token = shown
            .as_bytes()
            .split_at_checked(7)
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer "))
            .map(|(_, token)| token);
        match token {
            Some(token) if tokens.borrow().admit(token) => Ok(request),
            _ => Err(Refusal::Unauthenticated("the token is not one of this server's").into()),
        }
    }
}
