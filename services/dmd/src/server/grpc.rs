//! The methods behind HTTP/2: what [`run`](super::run) serves, without listener, TLS and tokens.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use futures::{FutureExt, TryFutureExt, future::BoxFuture};
use http::{Request, Response};
use tonic::{body::Body, server::NamedService};
use tower::Service;

use super::{
    config::{Limits, Verdict},
    oversize,
    proto::dmd_service_server::{DmdServiceServer, SERVICE_NAME},
    service::{DmdService, Shared},
};

/// The gRPC service as a [`tower::Service`], to be added to a tonic server or called within the process.
///
/// Clones share one memory budget and one pool of threads. Calls are made in a Tokio runtime that has time enabled.
#[derive(Clone)]
pub struct GrpcService {
    pub(super) shared: Arc<Shared>,
    methods: DmdServiceServer<DmdService>,
}

impl GrpcService {
    /// A service that holds nothing yet.
    #[must_use]
    pub fn new(limits: Limits, verdict: Verdict) -> Self {
        let max_message = limits.max_message_bytes;
        let shared = Arc::new(Shared::new(limits, verdict));
        let methods = DmdServiceServer::new(DmdService(Arc::clone(&shared)))
            .max_decoding_message_size(max_message)
            .max_encoding_message_size(usize::MAX);
        Self { shared, methods }
    }

    /// Bytes that windows count for now, until their answers are handed to the transport; 0 when no call is under way.
    #[must_use]
    pub fn held_bytes(&self) -> u64 {
        self.shared.budget.held()
    }
}

impl NamedService for GrpcService {
    const NAME: &'static str = SERVICE_NAME;
}

impl Service<Request<Body>> for GrpcService {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request<Body>>::poll_ready(&mut self.methods, context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.methods
            .call(request)
            .map_ok(oversize::as_resource_exhausted)
            .boxed()
    }
}
