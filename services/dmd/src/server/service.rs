//! The methods of DmdService.

use std::sync::Arc;

use tonic::{Request, Response, Status, Streaming};
use tracing::Span;

use super::{
    answer::answer,
    decode::{self, Spec},
    encode,
    memory::window_bytes,
    proto,
    refusal::Refusal,
    shared::Shared,
    spans::WindowSpan,
    stream::{self, Answers},
};

/// Implementation of the contract.
pub(super) struct DmdService(pub Arc<Shared>);

#[tonic::async_trait]
impl proto::dmd_service_server::DmdService for DmdService {
    type EstimateGlocalStream = Answers;

    async fn analyze_window(
        &self,
        request: Request<proto::AnalyzeWindowRequest>,
    ) -> Result<Response<proto::AnalyzeWindowResponse>, Status> {
        match analyze_window(&self.0, request.into_inner()).await {
            Ok(report) => Ok(Response::new(proto::AnalyzeWindowResponse {
                report: Some(report),
            })),
            Err(refusal) => {
                self.0.metrics.refused(&refusal);
                Err(refusal.into())
            }
        }
    }

    async fn estimate_glocal(
        &self,
        request: Request<Streaming<proto::EstimateGlocalRequest>>,
    ) -> Result<Response<Answers>, Status> {
        let answers = stream::start(request.into_inner(), Arc::clone(&self.0));
        Ok(Response::new(answers))
    }

    async fn get_dmd_info(
        &self,
        _: Request<proto::GetDmdInfoRequest>,
    ) -> Result<Response<proto::DmdInfo>, Status> {
        Ok(Response::new(proto::DmdInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            limits: Some(encode::limits(&self.0.limits)),
        }))
    }
}

async fn analyze_window(
    shared: &Shared,
    request: proto::AnalyzeWindowRequest,
) -> Result<proto::WindowReport, Refusal> {
    let spec = Spec::check(request.spec, "spec", &shared.limits, &shared.thresholds)?;
    let _held = shared.budget.hold("this window", window_bytes(&spec), 0)?;
    let values = decode::values(
        &request.hypergradients,
        "hypergradients",
        0,
        spec.rows,
        spec.components,
    )?;
    drop(request.hypergradients);
    let metrics = shared.metrics.clone();
    let span = WindowSpan::waiting(&Span::current(), &spec);
    shared
        .pool
        .run_or_refuse(move |cancellation| {
            let rows = values.chunks_exact(spec.components).collect();
            answer(rows, &spec, None, &metrics, &span, cancellation)
        })
        .await
}
