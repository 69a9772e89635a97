//! Who may use the service: TLS, client certificates and bearer tokens.

use std::fmt;

use tokio_rustls::rustls::ServerConfig;

use super::{
    config::{Config, ConfigError},
    tls,
    tokens::Tokens,
    watched_files::WatchedFiles,
};

/// What the configuration says about security, with the files read, which may be replaced while the service runs.
#[derive(Default)]
pub struct Security {
    /// `None` for plain text.
    pub(super) tls: Option<WatchedFiles<ServerConfig>>,
    /// `None` where nobody is asked for one.
    pub(super) tokens: Option<WatchedFiles<Tokens>>,
}

impl Security {
    /// Reads the files that the configuration names.
    ///
    /// # Errors
    /// [`ConfigError`] naming the key whose file cannot be used.
    pub fn load(config: &Config) -> Result<Self, ConfigError> {
        Ok(Self {
            tls: tls::open(&config.tls)?,
            tokens: config.auth.token_file.as_deref().map(Tokens::open).transpose()?,
        })
    }
}

/// Without the secrets.
impl fmt::Debug for Security {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Security")
            .field("tls", &self.tls.is_some())
            .field("tokens", &self.tokens.is_some())
            .finish()
    }
}
