//! TLS, client certificates and bearer tokens.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::support::{TestServer, decode, eventually, reason, whole_window};
use glocal_dmd::{
    cli::{check, connection},
    server::{
        config::{Config, ConfigError},
        proto::dmd_service_client::DmdServiceClient,
        security::Security,
    },
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tonic::{
    Code, Request, Status,
    metadata::MetadataValue,
    transport::{Certificate, Channel, ClientTlsConfig, Identity},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

/// A folder with the files of one test, removed with it.
pub struct Files(PathBuf);

impl Files {
    pub fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("glocal-dmd-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// An authority and certificates from it.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Certificate and key.
    pub fn issue(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        (
            params.signed_by(&key, &self.0).unwrap().pem(),
            key.serialize_pem(),
        )
    }
}

/// Lets the server use TLS with a certificate for `localhost`.
fn use_tls(config: &mut Config, files: &Files, authority: &Authority) {
    let (certificate, key) = authority.issue("localhost");
    config.tls.certificate = Some(files.write("server.pem", certificate));
    config.tls.key = Some(files.write("server.key", key));
}

async fn connect(server: &TestServer, tls: ClientTlsConfig) -> Result<Channel, tonic::transport::Error> {
    Channel::from_shared(format!("https://{}", server.address))
        .unwrap()
        .tls_config(tls.domain_name("localhost"))?
        .connect()
        .await
}

/// Asks for an analysis, with a value of `authorization`.
async fn analyze(channel: Channel, authorization: Option<&str>) -> Result<(), Status> {
    let mut request = Request::new(whole_window());
    if let Some(value) = authorization {
        let value = MetadataValue::try_from(value).unwrap();
        request.metadata_mut().insert("authorization", value);
    }
    let response = DmdServiceClient::new(channel).analyze_window(request).await?;
    assert_eq!(decode(&response.into_inner().report.unwrap().last).len(), 3);
    Ok(())
}

#[tokio::test]
async fn with_mutual_tls_and_a_token_only_those_who_have_both_are_answered() {
    let (files, authority) = (Files::new("mtls"), Authority::new());
    let tokens = files.write(
        "tokens",
        "# those of the trainer\n\nfirst-token\n  second-token \n",
    );
    let server = TestServer::start_with(|config| {
        use_tls(config, &files, &authority);
        config.tls.client_ca = Some(files.write("ca.pem", authority.pem()));
        config.auth.token_file = Some(tokens.clone());
    })
    .await;
    let trusting = || ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authority.pem()));
    let identity = |authority: &Authority| {
        let (certificate, key) = authority.issue("client");
        Identity::from_pem(certificate, key)
    };

    let channel = connect(&server, trusting().identity(identity(&authority)))
        .await
        .unwrap();
    for token in ["Bearer first-token", "bearer second-token"] {
        analyze(channel.clone(), Some(token)).await.unwrap();
    }
    for wrong in [
        None,
        Some("Bearer third-token"),
        Some("Bearer first-toke"),
        Some("first-token"),
        Some("Bearer "),
    ] {
        let status = analyze(channel.clone(), wrong).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated, "{wrong:?}");
        assert_eq!(reason(&status), "TOKEN_REQUIRED");
    }

    // Without a certificate, or with one of somebody else, nothing is answered. With TLS 1.3 the client learns of it when
    // it calls, not when it connects.
    for tls in [trusting(), trusting().identity(identity(&Authority::new()))] {
        if let Ok(channel) = connect(&server, tls).await {
            let status = analyze(channel, Some("Bearer first-token")).await.unwrap_err();
            assert_ne!(status.code(), Code::Unauthenticated);
        }
    }
    // A client that does not know the server's authority does not talk to it, and plain text is not understood.
    let stranger = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(Authority::new().pem()));
    assert!(connect(&server, stranger).await.is_err());
    assert!(
        analyze(server.channel.clone(), Some("Bearer first-token"))
            .await
            .is_err()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_are_replaced_hold_for_new_connections_and_calls() {
    let (files, old, new) = (Files::new("rotation"), Authority::new(), Authority::new());
    let server = TestServer::start_with(|config| {
        use_tls(config, &files, &old);
        config.tls.client_ca = Some(files.write("ca.pem", old.pem()));
        config.auth.token_file = Some(files.write("tokens", "old-token"));
    })
    .await;
    let of = |authority: &Authority| {
        let (certificate, key) = authority.issue("client");
        ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(authority.pem()))
            .identity(Identity::from_pem(certificate, key))
    };
    let call = async |tls: ClientTlsConfig, token: &str| match connect(&server, tls).await {
        Ok(channel) => analyze(channel, Some(token)).await.is_ok(),
        Err(_) => false,
    };
    let open = connect(&server, of(&old)).await.unwrap();
    analyze(open.clone(), Some("Bearer old-token")).await.unwrap();

    // Until the new certificate has its key, and while a file has nothing, what was there before holds.
    let (certificate, key) = new.issue("localhost");
    files.write("server.pem", certificate);
    files.write("tokens", "# none\n");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(call(of(&old), "Bearer old-token").await);

    files.write("server.key", key);
    files.write("ca.pem", new.pem());
    files.write("tokens", "new-token");
    eventually(|| call(of(&new), "Bearer new-token")).await;
    assert!(!call(of(&old), "Bearer new-token").await);
    assert!(!call(of(&new), "Bearer old-token").await);
    // Connections that were open go on; their calls need one of the tokens that there are now.
    analyze(open.clone(), Some("Bearer new-token")).await.unwrap();
    let status = analyze(open, Some("Bearer old-token")).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn health_needs_no_token() {
    let files = Files::new("health");
    let tokens = files.write("tokens", "a-token");
    let server = TestServer::start_with(|config| config.auth.token_file = Some(tokens.clone())).await;
    assert!(analyze(server.channel.clone(), None).await.is_err());
    let request = HealthCheckRequest::default();
    HealthClient::new(server.channel.clone())
        .check(request)
        .await
        .unwrap();
}

fn check(address: &str, ca: Option<&Path>) -> Result<(), check::CheckError> {
    let tls = connection::Tls {
        ca: ca.map(Path::to_owned),
        certificate: None,
        key: None,
        domain: ca.map(|_| "localhost".to_owned()),
    };
    check::run(address, check::READINESS, &tls, Duration::from_secs(30))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_can_be_asked_whether_it_is_ready() {
    let (files, authority) = (Files::new("check"), Authority::new());
    let ca = files.write("ca.pem", authority.pem());
    let server = TestServer::start_with(|config| use_tls(config, &files, &authority)).await;
    let address = server.address.to_string();
    let ask = |address: String, ca: Option<PathBuf>| {
        tokio::task::spawn_blocking(move || check(&address, ca.as_deref()))
    };
    ask(address.clone(), Some(ca.clone())).await.unwrap().unwrap();
    // Plain text on a port with TLS, and nobody at the port.
    assert!(ask(address.clone(), None).await.unwrap().is_err());
    server.stop().await.unwrap();
    let error = ask(address.clone(), Some(ca)).await.unwrap().unwrap_err();
    assert!(
        error.to_string().starts_with(&format!("cannot reach {address}")),
        "{error}"
    );
}

#[test]
fn files_that_cannot_be_used_are_named_with_their_key() {
    let (files, authority) = (Files::new("wrong"), Authority::new());
    let nonsense = files.write("nonsense", "hello");
    let empty = files.write("empty", "# nothing\n");
    let problem = |change: &dyn Fn(&mut Config)| {
        let mut config = Config::default();
        use_tls(&mut config, &files, &authority);
        change(&mut config);
        match Security::load(&config) {
            Err(ConfigError::Value { key, problem }) => format!("{key}: {problem}"),
            other => panic!("expected a problem, got {other:?}"),
        }
    };
    let missing = PathBuf::from("/no/such/file");
    assert!(
        problem(&|c| c.tls.certificate = Some(missing.clone()))
            .starts_with("tls.certificate: cannot read /no/such")
    );
    assert!(problem(&|c| c.tls.key = Some(nonsense.clone())).starts_with("tls.key: "));
    assert!(problem(&|c| c.tls.client_ca = Some(nonsense.clone())).starts_with("tls.client_ca: "));
    let other = files.write("other.key", authority.issue("localhost").1);
    assert!(problem(&|c| c.tls.key = Some(other.clone())).starts_with("tls.key: no TLS with "));
    assert_eq!(problem(&|c| c.tls.key = None), "tls.key: is required for TLS");
    assert_eq!(
        problem(&|c| c.tls.certificate = None),
        "tls.certificate: is required for TLS"
    );
    assert!(problem(&|c| c.auth.token_file = Some(empty.clone())).ends_with("has no token"));
}
