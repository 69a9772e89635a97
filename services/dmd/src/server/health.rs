//! Health for `grpc.health.v1`: the overall service `""` says that the process runs (liveness), the service
//! `glocal.v1.DmdService` that it also analyzes windows in time (readiness).

use std::{convert::Infallible, future::Future, pin::pin, time::Duration};

use tokio::time::{sleep, timeout};
use tonic_health::{ServingStatus, server::HealthReporter};

use super::{compute::ComputePool, proto::dmd_service_server::SERVICE_NAME, refusal::Refusal};
use crate::{Cancellation, Options, Window, analyze};

/// The service that stands for the process.
const OVERALL: &str = "";

/// Time from one check to the next.
const INTERVAL: Duration = Duration::from_secs(5);

/// A check that has not come back by then says that windows do not either.
const LIMIT: Duration = Duration::from_secs(10);

/// What is wrong with the answer to a known window, if anything is.
type SelfCheck = fn(&Cancellation) -> Result<(), String>;

/// Reports the health of the server while it runs.
pub(super) struct Health {
    reporter: HealthReporter,
    pool: ComputePool,
    self_check: SelfCheck,
    interval: Duration,
    limit: Duration,
}

impl Health {
    /// Both services are serving from now on; [`report_until`](Self::report_until) follows whether that stays true.
    pub(super) async fn new(reporter: HealthReporter, pool: ComputePool) -> Self {
        let health = Self {
            reporter,
            pool,
            self_check,
            interval: INTERVAL,
            limit: LIMIT,
        };
        health.set_both(ServingStatus::Serving).await;
        health
    }

    /// Follows whether windows are analyzed until `shutdown`, then reports that nothing is served any more.
    pub(super) async fn report_until(self, shutdown: impl Future<Output = ()>) {
        tokio::select! {
            () = shutdown => self.set_both(ServingStatus::NotServing).await,
            never = self.follow() => match never {},
        }
    }

    async fn follow(&self) -> Infallible {
        let mut ready = true;
        loop {
            sleep(self.interval).await;
            let mut check = pin!(self.check());
            let result = match timeout(self.limit, &mut check).await {
                Ok(result) => result,
                Err(_) => {
                    let problem = format!("no thread was free for {} s", self.limit.as_secs_f64());
                    self.report(&mut ready, Err(problem)).await;
                    // It keeps its place in the queue, so that the service is ready again once the queue has moved.
                    check.await
                }
            };
            self.report(&mut ready, result).await;
        }
    }

    /// Analyzes the window of the self-check where those of requests are analyzed. Not with `run_or_refuse`: a full
    /// queue that moves is not a failure.
    async fn check(&self) -> Result<(), String> {
        let self_check = self.self_check;
        let check = move |cancellation: &Cancellation| self_check(cancellation).map_err(Refusal::Failed);
        self.pool.run(check).await.map_err(|refusal| match refusal {
            Refusal::Failed(problem) => problem,
            other => other.reason().to_owned(),
        })
    }

    async fn report(&self, ready: &mut bool, check: Result<(), String>) {
        let status = match (&check, *ready) {
            (Err(problem), true) => {
                tracing::warn!(problem, "not ready");
                ServingStatus::NotServing
            }
            (Ok(()), false) => {
                tracing::info!("ready again");
                ServingStatus::Serving
            }
            (Ok(()), true) | (Err(_), false) => return,
        };
        self.reporter.set_service_status(SERVICE_NAME, status).await;
        *ready = check.is_ok();
    }

    async fn set_both(&self, status: ServingStatus) {
        self.reporter.set_service_status(OVERALL, status).await;
        self.reporter.set_service_status(SERVICE_NAME, status).await;
    }
}

/// Analyzes a window whose limit is known.
///
/// # Errors
/// What is wrong with the answer.
pub(super) fn self_check(cancellation: &Cancellation) -> Result<(), String> {
    let values: Vec<f64> = (0..20).map(|t| 2.0 + 0.5_f64.powi(t)).collect();
    let window = Window::from_flat(&values, 1).map_err(|error| error.to_string())?;
    let report =
        analyze(&window, &Options::default(), &[], cancellation).map_err(|error| error.to_string())?;
    match report.glocal.as_deref() {
        Some(&[limit]) if (limit - 2.0).abs() < 1e-4 => Ok(()),
        other => Err(format!("2 + 0.5^t has the limit 2, found {other:?}")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    };

    use tokio::sync::oneshot;
    use tonic::Streaming;
    use tonic_health::pb::{
        HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus,
        health_client::HealthClient, health_server::Health as Server, health_server::HealthServer,
    };

    use super::*;

    /// Statuses of a service, from now on.
    async fn watch(health: HealthServer<impl Server>, service: &str) -> Streaming<HealthCheckResponse> {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        HealthClient::new(health)
            .watch(request)
            .await
            .unwrap()
            .into_inner()
    }

    async fn next(statuses: &mut Streaming<HealthCheckResponse>) -> ServingStatus {
        let status = timeout(Duration::from_secs(60), statuses.message())
            .await
            .unwrap();
        status.unwrap().unwrap().status()
    }

    /// Health of a server with one thread and no queue.
    async fn health(limit: Duration) -> (Health, ComputePool, HealthServer<impl Server>) {
        let pool = ComputePool::new(1, 0);
        let (reporter, server) = tonic_health::server::health_reporter();
        let health = Health {
            interval: Duration::from_millis(5),
            limit,
            ..Health::new(reporter, pool.clone()).await
        };
        (health, pool, server)
    }

    /// Takes the thread until something is sent.
    fn hold(pool: ComputePool) -> mpsc::Sender<()> {
        let (release, released) = mpsc::channel();
        tokio::spawn(async move {
            pool.run(move |_| {
                // Released also when the test fails.
                let _ = released.recv();
                Ok(())
            })
            .await
        });
        release
    }

    #[tokio::test]
    async fn readiness_is_lost_while_every_thread_is_held_and_comes_back_with_the_first_that_is_free() {
        let (health, pool, server) = health(Duration::from_millis(50)).await;
        let (stop, stopped) = oneshot::channel::<()>();
        let reporting = tokio::spawn(health.report_until(async { stopped.await.unwrap() }));
        let mut readiness = watch(server.clone(), SERVICE_NAME).await;
        let mut liveness = watch(server, OVERALL).await;
        assert_eq!(next(&mut readiness).await, ServingStatus::Serving);
        assert_eq!(next(&mut liveness).await, ServingStatus::Serving);

        let release = hold(pool);
        assert_eq!(next(&mut readiness).await, ServingStatus::NotServing);
        release.send(()).unwrap();
        assert_eq!(next(&mut readiness).await, ServingStatus::Serving);

        stop.send(()).unwrap();
        reporting.await.unwrap();
        assert_eq!(next(&mut readiness).await, ServingStatus::NotServing);
        // The process was alive all the time: this is the first change.
        assert_eq!(next(&mut liveness).await, ServingStatus::NotServing);
    }

    #[tokio::test]
    async fn readiness_is_lost_with_a_wrong_answer_and_comes_back_with_a_right_one() {
        static WRONG: AtomicBool = AtomicBool::new(false);
        let (health, _, server) = health(Duration::from_secs(60)).await;
        let health = Health {
            self_check: |_| match WRONG.load(Ordering::Relaxed) {
                true => Err("3 is not 2".to_owned()),
                false => Ok(()),
            },
            ..health
        };
        let mut readiness = watch(server, SERVICE_NAME).await;
        let reporting = tokio::spawn(health.report_until(std::future::pending()));
        assert_eq!(next(&mut readiness).await, ServingStatus::Serving);
        WRONG.store(true, Ordering::Relaxed);
        assert_eq!(next(&mut readiness).await, ServingStatus::NotServing);
        WRONG.store(false, Ordering::Relaxed);
        assert_eq!(next(&mut readiness).await, ServingStatus::Serving);
        reporting.abort();
    }

    #[tokio::test]
    async fn a_full_queue_that_may_still_move_in_time_is_no_failure() {
        let (health, pool, server) = health(Duration::from_secs(60)).await;
        let _release = hold(pool);
        let reporting = tokio::spawn(health.report_until(std::future::pending()));
        let mut readiness = watch(server, SERVICE_NAME).await;
        assert_eq!(next(&mut readiness).await, ServingStatus::Serving);
        let change = timeout(Duration::from_millis(200), readiness.message()).await;
        assert!(change.is_err(), "{change:?}");
        reporting.abort();
    }
}
