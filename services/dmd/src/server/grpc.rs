//! The methods behind HTTP/2: what [`run`](super::run) serves, without listener, TLS and tokens.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::{
    FutureExt,
    future::{self, BoxFuture},
};
use http::{Request, Response};
use tonic::{Status, body::Body, server::NamedService};
use tower::Service;

use super::{
    config::Limits,
    memory::arriving::{self, Bounds},
    proto::dmd_service_server::{DmdServiceServer, SERVICE_NAME},
    service::DmdService,
    shared::Shared,
};
use crate::Thresholds;

/// The gRPC service as a [`tower::Service`], to be added to a tonic server or called within the process.
///
/// Clones share one memory budget and one pool of threads. Calls are made in a Tokio runtime that has time enabled.
#[derive(Clone)]
pub struct GrpcService {
    pub(super) shared: Arc<Shared>,
    bounds: Bounds,
    methods: DmdServiceServer<DmdService>,
}

impl GrpcService {
    /// A service that holds nothing yet.
    #[must_use]
    pub fn new(limits: Limits, thresholds: Thresholds) -> Self {
        let shared = Arc::new(Shared::new(limits, thresholds));
        let methods = DmdServiceServer::new(DmdService(Arc::clone(&shared)))
            // The length of messages is checked as they arrive.
            .max_decoding_message_size(usize::MAX)
            .max_encoding_message_size(usize::MAX);
        let bounds = Bounds {
            budget: shared.budget.clone(),
            metrics: shared.metrics.clone(),
            max_message: shared.limits.max_message_bytes,
            idle: Duration::from_secs(shared.limits.idle_seconds),
        };
        Self {
            shared,
            bounds,
            methods,
        }
    }

    /// Bytes that calls count for now, with their windows until the answers are handed to the transport; 0 when no call is
    /// under way.
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
        let (head, body) = request.into_parts();
        match arriving::counted(body, &self.bounds) {
            Ok(body) => self.methods.call(Request::from_parts(head, body)),
            Err(refusal) => {
                self.shared.metrics.refused(&refusal);
                future::ready(Ok(Status::from(refusal).into_http())).boxed()
            }
        }
    }
}
