//! One EstimateGlocal stream: windows that arrive row by row, interleaved, and their answers.

use std::{collections::HashMap, pin::Pin, sync::Arc, time::Duration};

use futures::{
    FutureExt, Stream, StreamExt,
    future::BoxFuture,
    stream::{self, FuturesUnordered},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use super::{
    budget::Held,
    decode::{self, Spec},
    oversize,
    proto::{self, EstimateGlocalRequest, EstimateGlocalResponse, estimate_glocal_request::Payload},
    refusal::Refusal,
    service::{Shared, answer},
};

/// The answers of a stream.
pub(super) type Answers = Pin<Box<dyn Stream<Item = Result<EstimateGlocalResponse, Status>> + Send>>;

/// Answers that wait for a slow reader before the stream stops reading requests.
const WAITING_ANSWERS: usize = 4;

/// Windows of one stream that are analyzed, or wait for a thread, at a time; more make the stream wait.
const RUNNING: usize = 8;

const MAX_ID_CHARACTERS: usize = 128;

/// Begins to read a stream. Its windows are dropped when the client goes away.
pub(super) fn start(requests: Streaming<EstimateGlocalRequest>, shared: Arc<Shared>) -> Answers {
    let (answers, waiting) = mpsc::channel::<Answer>(WAITING_ANSWERS);
    let (end, ended) = oneshot::channel::<Refusal>();
    tokio::spawn(async move {
        let session = Session {
            idle: Duration::from_secs(shared.limits.idle_seconds),
            shared,
            open: HashMap::new(),
            running: FuturesUnordered::new(),
            answers,
        };
        if let Err(refusal) = session.run(requests).await {
            tracing::debug!(?refusal, "stream ended");
            // Nobody to tell when the client is gone.
            let _ = end.send(refusal);
        }
    });
    // A refusal comes after all answers, whether or not anyone reads them in time.
    let refused = stream::once(ended).filter_map(|end| async { end.ok() });
    Box::pin(
        ReceiverStream::new(waiting)
            .map(|answer| Ok(answer.response))
            .chain(refused.map(|refusal| Err(refusal.into()))),
    )
}

/// An answer with the memory it counts for, until it is handed to the transport.
struct Answer {
    response: EstimateGlocalResponse,
    _held: Held,
}

/// A window of which rows are missing.
struct OpenWindow {
    spec: Spec,
    rows: Vec<Vec<f64>>,
    held: Held,
}

struct Session {
    shared: Arc<Shared>,
    idle: Duration,
    open: HashMap<String, OpenWindow>,
    running: FuturesUnordered<BoxFuture<'static, Result<Answer, Refusal>>>,
    answers: mpsc::Sender<Answer>,
}

impl Session {
    /// Reads until the client has sent everything, an error, or the client is gone; answers every window that was
    /// complete by then.
    async fn run(mut self, mut requests: Streaming<EstimateGlocalRequest>) -> Result<(), Refusal> {
        let read = loop {
            tokio::select! {
                biased;
                () = self.answers.closed() => return Ok(()),
                Some(answer) = self.running.next() => deliver(&self.answers, answer?, self.idle).await?,
                () = self.shared.stopping.cancelled(), if self.open.is_empty() && self.running.is_empty() => {
                    break Err(Refusal::ShuttingDown);
                }
                request = timeout(self.idle, requests.next()), if self.running.len() < RUNNING => {
                    match self.receive(request) {
                        Ok(true) => {}
                        Ok(false) => break self.all_complete(),
                        Err(refusal) => break Err(refusal),
                    }
                }
            }
        };
        // No more rows will come: give the memory back before the answers under way are computed.
        self.open.clear();
        loop {
            tokio::select! {
                biased;
                () = self.answers.closed() => return Ok(()),
                answer = self.running.next() => match answer {
                    Some(answer) => deliver(&self.answers, answer?, self.idle).await?,
                    None => return read,
                }
            }
        }
    }

    /// Takes what came from the client; false at the end of the stream.
    fn receive(
        &mut self,
        request: Result<Option<Result<EstimateGlocalRequest, Status>>, tokio::time::error::Elapsed>,
    ) -> Result<bool, Refusal> {
        match request {
            Ok(Some(Ok(request))) => self.accept(request).map(|()| true),
            Ok(Some(Err(status))) => Err(oversize::refusal(&status)),
            Ok(None) => Ok(false),
            Err(_) if self.open.is_empty() => Ok(true),
            Err(_) => Err(Refusal::Idle(format!(
                "no row came for {} s while windows were open: {}",
                self.idle.as_secs(),
                self.open_windows()
            ))),
        }
    }

    fn accept(&mut self, request: EstimateGlocalRequest) -> Result<(), Refusal> {
        let EstimateGlocalRequest { window_id, payload } = request;
        match payload {
            Some(Payload::Open(spec)) => self.open(window_id, spec),
            Some(Payload::Hypergradient(hypergradient)) => self.push(window_id, &hypergradient),
            None => Err(Refusal::invalid(
                "PAYLOAD_MISSING",
                "payload",
                "one of open and hypergradient is required",
            )),
        }
    }

    fn open(&mut self, id: String, spec: proto::WindowSpec) -> Result<(), Refusal> {
        if id.is_empty() || id.chars().count() > MAX_ID_CHARACTERS {
            return Err(Refusal::invalid(
                "INVALID_WINDOW_ID",
                "window_id",
                format!("has {} characters; 1 to {MAX_ID_CHARACTERS}", id.chars().count()),
            ));
        }
        if self.shared.stopping.is_cancelled() {
            return Err(Refusal::ShuttingDown);
        }
        if self.open.contains_key(&id) {
            return Err(Refusal::invalid(
                "WINDOW_ALREADY_OPEN",
                "window_id",
                format!("window {id:?} is open already"),
            ));
        }
        if self.open.len() >= self.shared.limits.max_open_windows {
            return Err(Refusal::Limit {
                limit: "limits.max_open_windows",
                message: format!("{} windows are open on this stream already", self.open.len()),
                retry_after: None,
            });
        }
        let spec = Spec::check(Some(spec), "open", &self.shared.limits, &self.shared.thresholds)?;
        let held = self.shared.budget.hold(spec.held_bytes())?;
        let rows = Vec::with_capacity(spec.rows);
        self.open.insert(id, OpenWindow { spec, rows, held });
        Ok(())
    }

    fn push(&mut self, id: String, hypergradient: &proto::Hypergradient) -> Result<(), Refusal> {
        let Some(window) = self.open.get_mut(&id) else {
            return Err(Refusal::invalid(
                "WINDOW_NOT_OPEN",
                "window_id",
                format!("window {id:?} is not open on this stream"),
            ));
        };
        let expected = window.rows.len();
        if hypergradient.row as usize != expected {
            return Err(Refusal::invalid(
                "ROW_OUT_OF_ORDER",
                "hypergradient.row",
                format!(
                    "is {} in window {id:?}; row {expected} comes next",
                    hypergradient.row
                ),
            ));
        }
        let values = &hypergradient.values;
        let row = decode::values(
            values,
            "hypergradient.values",
            expected,
            1,
            window.spec.components,
        )?;
        window.rows.push(row);
        if window.rows.len() == window.spec.rows
            && let Some(window) = self.open.remove(&id)
        {
            self.analyze(id, window);
        }
        Ok(())
    }

    fn analyze(&self, window_id: String, window: OpenWindow) {
        let pool = self.shared.pool.clone();
        let analysis = async move {
            let OpenWindow { spec, rows, held } = window;
            let report = pool
                .run(move |cancellation| {
                    answer(rows.iter().map(Vec::as_slice).collect(), &spec, cancellation)
                })
                .await?;
            Ok(Answer {
                response: EstimateGlocalResponse {
                    window_id,
                    report: Some(report),
                },
                _held: held,
            })
        };
        self.running.push(analysis.boxed());
    }

    /// At the end of the stream every window must have had all its rows.
    fn all_complete(&self) -> Result<(), Refusal> {
        if self.open.is_empty() {
            return Ok(());
        }
        Err(Refusal::invalid(
            "WINDOW_INCOMPLETE",
            "hypergradient",
            format!(
                "the stream ended before all rows had come: {}",
                self.open_windows()
            ),
        ))
    }

    /// The first few open windows with their progress.
    fn open_windows(&self) -> String {
        const SHOWN: usize = 5;
        let mut shown: Vec<String> = self
            .open
            .iter()
            .take(SHOWN)
            .map(|(id, window)| format!("{id:?} has {} of {} rows", window.rows.len(), window.spec.rows))
            .collect();
        if self.open.len() > SHOWN {
            shown.push(format!("and {} more", self.open.len() - SHOWN));
        }
        shown.join(", ")
    }
}

/// Hands an answer over. A closed channel means that the client is gone, which the session sees for itself.
async fn deliver(answers: &mpsc::Sender<Answer>, answer: Answer, idle: Duration) -> Result<(), Refusal> {
    match timeout(idle, answers.send(answer)).await {
        Ok(_) => Ok(()),
        Err(_) => Err(Refusal::Idle(format!(
            "no answer was read for {} s",
            idle.as_secs()
        ))),
    }
}
