//! What the service counts, for Prometheus at `GET /metrics` of an address of its own.

use std::{future::Future, io, time::Duration};

use axum::{Router, http::header::CONTENT_TYPE, routing::get};
use prometheus_client::{
    encoding::text::encode,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};
use std::sync::Arc;
use tokio::net::TcpListener;

use super::refusal::Refusal;
use crate::{Variant, Verdict};

type Labels<const N: usize> = [(&'static str, &'static str); N];

/// Counters of the service.
#[derive(Debug, Clone)]
pub(super) struct Metrics {
    windows: Family<Labels<2>, Counter>,
    refusals: Family<Labels<1>, Counter>,
    compute: Histogram,
    held: Gauge,
    registry: Arc<Registry>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let windows = Family::default();
        let refusals = Family::default();
        // 10 us to 2.6 s.
        let compute = Histogram::new(exponential_buckets(1e-5, 4.0, 10));
        let held = Gauge::default();
        let mut registry = Registry::with_prefix("glocal_dmd");
        registry.register(
            "windows",
            "Windows answered, by variant and verdict",
            windows.clone(),
        );
        registry.register(
            "refusals",
            "Requests and streams refused, by reason",
            refusals.clone(),
        );
        registry.register_with_unit(
            "compute",
            "Time to analyze a window, without waiting",
            Unit::Seconds,
            compute.clone(),
        );
        registry.register_with_unit(
            "held",
            "Bytes that calls, open windows and reports hold now",
            Unit::Bytes,
            held.clone(),
        );
        Self {
            windows,
            refusals,
            compute,
            held,
            registry: Arc::new(registry),
        }
    }

    pub(super) fn answered(&self, variant: Variant, verdict: Verdict, time: Duration) {
        let labels = [("variant", variant.name()), ("verdict", verdict.name())];
        self.windows.get_or_create(&labels).inc();
        self.compute.observe(time.as_secs_f64());
    }

    pub(super) fn refused(&self, refusal: &Refusal) {
        self.refusals.get_or_create(&[("reason", refusal.reason())]).inc();
    }

    /// Serves them until `shutdown`; `held` is asked for the bytes that are held then.
    pub(super) async fn serve(
        self,
        listener: TcpListener,
        held: impl Fn() -> u64 + Clone + Send + Sync + 'static,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let text = move || {
            self.held.set(i64::try_from(held()).unwrap_or(i64::MAX));
            let mut text = String::new();
            // Writing to a string does not fail.
            let _ = encode(&mut text, &self.registry);
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            std::future::ready(([(CONTENT_TYPE, kind)], text))
        };
        axum::serve(listener, Router::new().route("/metrics", get(text)))
            .with_graceful_shutdown(shutdown)
            .await
    }
}
