//! Who may use the service: TLS, client certificates and bearer tokens.

use std::{fs, path::Path, sync::Arc};

use subtle::ConstantTimeEq;
use tonic::{
    Request, Status,
    service::Interceptor,
    transport::{Certificate, Identity, ServerTlsConfig},
};

use super::{
    config::{Config, ConfigError, value_error},
    refusal::Refusal,
};

/// What the configuration says about security, with the files read.
#[derive(Debug, Clone, Default)]
pub struct Security {
    /// `None` for plain text.
    pub(super) tls: Option<ServerTlsConfig>,
    pub(super) tokens: Tokens,
}

impl Security {
    /// Reads the files that the configuration names.
    ///
    /// # Errors
    /// [`ConfigError`] naming the key whose file cannot be used.
    pub fn load(config: &Config) -> Result<Self, ConfigError> {
        Ok(Self {
            tls: tls(config)?,
            tokens: match &config.auth.token_file {
                Some(path) => Tokens::read(path)?,
                None => Tokens::default(),
            },
        })
    }
}

fn tls(config: &Config) -> Result<Option<ServerTlsConfig>, ConfigError> {
    let tls = &config.tls;
    let (certificate, key) = match (&tls.certificate, &tls.key) {
        (Some(certificate), Some(key)) => (certificate, key),
        (None, None) if tls.client_ca.is_none() => return Ok(None),
        (None, _) => return Err(value_error("tls.certificate", "is required for TLS")),
        (_, None) => return Err(value_error("tls.key", "is required for TLS")),
    };
    let identity = Identity::from_pem(
        pem("tls.certificate", certificate, "CERTIFICATE")?,
        pem("tls.key", key, "PRIVATE KEY")?,
    );
    let server = ServerTlsConfig::new().identity(identity);
    Ok(Some(match &tls.client_ca {
        Some(path) => {
            server.client_ca_root(Certificate::from_pem(pem("tls.client_ca", path, "CERTIFICATE")?))
        }
        None => server,
    }))
}

/// A PEM file with at least one block of this kind.
fn pem(key: &'static str, path: &Path, kind: &str) -> Result<String, ConfigError> {
    let text = read(key, path)?;
    if text.contains("-----BEGIN ") && text.contains(&format!("{kind}-----")) {
        Ok(text)
    } else {
        Err(value_error(
            key,
            format!("{} has no PEM block {kind}", path.display()),
        ))
    }
}

fn read(key: &'static str, path: &Path) -> Result<String, ConfigError> {
    fs::read_to_string(path)
        .map_err(|error| value_error(key, format!("cannot read {}: {error}", path.display())))
}

/// Tokens that callers may show as `authorization: Bearer TOKEN`; without any, none is asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Tokens(Arc<[String]>);

impl Tokens {
    /// Reads one token a line; empty lines and those that begin with # are skipped.
    fn read(path: &Path) -> Result<Self, ConfigError> {
        const KEY: &str = "auth.token_file";
        let tokens: Vec<String> = read(KEY, path)?
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(str::to_owned)
            .collect();
        if tokens.is_empty() {
            return Err(value_error(KEY, format!("{} has no token", path.display())));
        }
        Ok(Self(tokens.into()))
    }

    /// Compares with every token in time that says nothing about them.
    fn admit(&self, shown: &[u8]) -> bool {
        self.0.iter().fold(false, |admitted, token| {
            admitted | bool::from(token.as_bytes().ct_eq(shown))
        })
    }
}

impl Interceptor for Tokens {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        if self.0.is_empty() {
            return Ok(request);
        }
        let Some(shown) = request.metadata().get("authorization") else {
            return Err(Refusal::Unauthenticated(
                "this server asks for a token; send the metadata `authorization: Bearer TOKEN`",
            )
            .into());
        };
        // The name of the scheme is not case-sensitive (RFC 9110).
        let bytes = shown.as_bytes();
        let token = bytes
            .split_at_checked(7)
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer "))
            .map(|(_, token)| token);
        match token {
            Some(token) if self.admit(token) => Ok(request),
            _ => Err(Refusal::Unauthenticated("the token is not one of this server's").into()),
        }
    }
}
