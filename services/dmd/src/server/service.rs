//! The methods of DmdService.

use std::{sync::Arc, time::Instant};

use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};
use tracing::Span;

use super::{
    budget::Budget,
    compute::ComputePool,
    config::{self, Limits},
    decode::{self, Spec},
    encode,
    metrics::Metrics,
    proto,
    refusal::Refusal,
    spans::WindowSpan,
    stream::{self, Answers},
};
use crate::{AnalysisError, Cancellation, InnerProducts, Thresholds, Window, analyze};

/// What the methods share.
pub(super) struct Shared {
    pub limits: Limits,
    pub thresholds: Thresholds,
    pub budget: Budget,
    pub pool: ComputePool,
    pub metrics: Metrics,
    /// Cancelled when the server begins to stop.
    pub stopping: CancellationToken,
}

impl Shared {
    pub(super) fn new(limits: Limits, verdict: config::Verdict) -> Self {
        Self {
            budget: Budget::new(limits.max_held_bytes),
            pool: ComputePool::new(limits.compute_threads(), limits.compute_queue),
            thresholds: verdict.into(),
            limits,
            metrics: Metrics::new(),
            stopping: CancellationToken::new(),
        }
    }
}

/// Implementation of the contract.
pub(super) struct DmdService(pub Arc<Shared>);

#[tonic::async_trait]
impl proto::dmd_service_server::DmdService for DmdService {
    type EstimateGlocalStream = Answers;

    async fn analyze_window(
        &self,
        request: Request<proto::AnalyzeWindowRequest>,
    ) -> Result<Response<proto::AnalyzeWindowResponse>, Status> {
        match self.0.analyze_window(request.into_inner()).await {
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

impl Shared {
    async fn analyze_window(
        &self,
        request: proto::AnalyzeWindowRequest,
    ) -> Result<proto::WindowReport, Refusal> {
        let spec = Spec::check(request.spec, "spec", &self.limits, &self.thresholds)?;
        let _held = self.budget.hold("this window", spec.held_bytes(), 0)?;
        let values = decode::values(
            &request.hypergradients,
            "hypergradients",
            0,
            spec.rows,
            spec.components,
        )?;
        drop(request.hypergradients);
        let metrics = self.metrics.clone();
        let span = WindowSpan::waiting(&Span::current(), &spec);
        self.pool
            .run_or_refuse(move |cancellation| {
                let rows = values.chunks_exact(spec.components).collect();
                answer(rows, &spec, None, &metrics, &span, cancellation)
            })
            .await
    }
}

/// A window of these rows.
pub(super) fn window<'a>(rows: Vec<&'a [f64]>, spec: &'a Spec) -> Result<Window<'a>, Refusal> {
    let window = Window::new(rows).map_err(AnalysisError::from)?;
    Ok(match &spec.scales {
        Some(scales) => window.with_scales(scales).map_err(AnalysisError::from)?,
        None => window,
    })
}

/// Analyzes a window, with the inner products of all or the first of its rows when they are known. Runs on a thread of the
/// pool.
pub(super) fn answer(
    rows: Vec<&[f64]>,
    spec: &Spec,
    mut products: Option<InnerProducts>,
    metrics: &Metrics,
    span: &WindowSpan,
    cancellation: &Cancellation,
) -> Result<proto::WindowReport, Refusal> {
    span.computing();
    let started = Instant::now();
    let mut window = window(rows, spec)?;
    let failed = |error: &AnalysisError| span.failed(error);
    if let Some(products) = &mut products {
        products.update(&window, cancellation).inspect_err(failed)?;
        window = window.with_products(products);
    }
    let report = analyze(&window, &spec.options, &spec.prior_norms, cancellation).inspect_err(failed)?;
    let time = started.elapsed();
    span.answered(report.verdict, time);
    metrics.answered(spec.options.variant, report.verdict, time);
    tracing::debug!(
        rows = spec.rows,
        components = spec.components,
        variant = spec.options.variant.name(),
        verdict = ?report.verdict,
        microseconds = time.as_micros(),
        "analyzed"
    );
    Ok(encode::report(report, &spec.options.thresholds, time))
}
