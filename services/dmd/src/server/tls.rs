//! TLS of the service, with certificates that may be replaced while it runs: new connections get the new ones.

use std::{future, io, sync::Arc, time::Duration};

use futures::{Stream, StreamExt};
use tokio::{net::TcpStream, sync::watch, time};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        server::WebPkiClientVerifier,
    },
    server::TlsStream,
};
use tonic::transport::server::TcpIncoming;

use super::{
    config::{self, ConfigError, value_error},
    watched_files::{NamedFile, ReadFile, WatchedFiles},
};

/// A peer that takes longer to say who it is is not waited for.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(20);

/// Peers that may be at it at a time; more wait.
const HANDSHAKES: usize = 1024;

/// The files of the configuration; `None` for plain text.
///
/// # Errors
/// [`ConfigError`] naming the key that is missing, or whose file cannot be used.
pub(super) fn open(tls: &config::Tls) -> Result<Option<WatchedFiles<ServerConfig>>, ConfigError> {
    let (certificate, key) = match (&tls.certificate, &tls.key) {
        (Some(certificate), Some(key)) => (certificate, key),
        (None, None) if tls.client_ca.is_none() => return Ok(None),
        (None, _) => return Err(value_error("tls.certificate", "is required for TLS")),
        (_, None) => return Err(value_error("tls.key", "is required for TLS")),
    };
    let named = |key, path: &std::path::PathBuf| NamedFile {
        key,
        path: path.clone(),
    };
    let mut files = vec![named("tls.certificate", certificate), named("tls.key", key)];
    files.extend(tls.client_ca.as_ref().map(|path| named("tls.client_ca", path)));
    WatchedFiles::open(files, server_config).map(Some)
}

/// Of certificate, key and, for mutual TLS, the roots of clients.
fn server_config(files: &[ReadFile]) -> Result<ServerConfig, ConfigError> {
    let (certificate, key, roots) = (&files[0], &files[1], files.get(2));
    let builder = match roots {
        None => ServerConfig::builder().with_no_client_auth(),
        Some(roots) => {
            let mut store = RootCertStore::empty();
            for root in certificates(roots)? {
                store
                    .add(root)
                    .map_err(|error| roots.file.error(error.to_string()))?;
            }
            let verifier = WebPkiClientVerifier::builder(store.into())
                .build()
                .map_err(|error| roots.file.error(error.to_string()))?;
            ServerConfig::builder().with_client_cert_verifier(verifier)
        }
    };
    let private =
        PrivateKeyDer::from_pem_slice(key.text.as_bytes()).map_err(|_| no_block(&key.file, "PRIVATE KEY"))?;
    let mut config = builder
        .with_single_cert(certificates(certificate)?, private)
        .map_err(|error| {
            key.file
                .error(format!("no TLS with {}: {error}", key.file.path.display()))
        })?;
    config.alpn_protocols.push(b"h2".to_vec());
    Ok(config)
}

/// Those of a PEM file, at least one.
fn certificates(read: &ReadFile) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(read.text.as_bytes()).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(no_block(&read.file, "CERTIFICATE")),
    }
}

fn no_block(file: &NamedFile, kind: &str) -> ConfigError {
    file.error(format!(
        "{} has no PEM block {kind} that can be read",
        file.path.display()
    ))
}

/// Connections whose peers have shown what they must, each with the files as they are when it comes.
pub(super) fn accept(
    incoming: TcpIncoming,
    current: watch::Receiver<Arc<ServerConfig>>,
) -> impl Stream<Item = io::Result<TlsStream<TcpStream>>> {
    incoming
        .map(move |connection| {
            let acceptor = TlsAcceptor::from(Arc::clone(&current.borrow()));
            async move {
                match connection {
                    Ok(connection) => handshake(&acceptor, connection).await.map(Ok),
                    Err(error) => Some(Err(error)),
                }
            }
        })
        .buffer_unordered(HANDSHAKES)
        .filter_map(future::ready)
}

async fn handshake(acceptor: &TlsAcceptor, connection: TcpStream) -> Option<TlsStream<TcpStream>> {
    let problem = match time::timeout(HANDSHAKE_WITHIN, acceptor.accept(connection)).await {
        Ok(Ok(connection)) => return Some(connection),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the peer did not finish in time".to_owned(),
    };
    tracing::debug!(problem, "no TLS with a peer");
    None
}
