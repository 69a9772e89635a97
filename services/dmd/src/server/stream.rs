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
use tonic::{Status, Streaming};
use tracing::Span;

use super::{
    answer::{self, answer},
    decode::Spec,
    memory::{Held, held_beside, window_bytes},
    open_window::{OpenWindow, Products},
    proto::{self, EstimateGlocalRequest, EstimateGlocalResponse, estimate_glocal_request::Payload},
    refusal::{Refusal, quoted},
    shared::Shared,
    spans::WindowSpan,
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
    let (answers, mut waiting) = mpsc::channel::<Answer>(WAITING_ANSWERS);
    let (end, ended) = oneshot::channel::<Refusal>();
    let call = Span::current();
    tokio::spawn(async move {
        let metrics = shared.metrics.clone();
        let session = Session {
            call,
            idle: Duration::from_secs(shared.limits.idle_seconds),
            shared,
            open: HashMap::new(),
            running: FuturesUnordered::new(),
            answers,
        };
        if let Err(refusal) = session.run(requests).await {
            tracing::debug!(?refusal, "stream ended");
            // What was refused before the stream saw it has been counted there.
            if !matches!(refusal, Refusal::Transport(_)) {
                metrics.refused(&refusal);
            }
            // Nobody to tell when the client is gone.
            let _ = end.send(refusal);
        }
    });
    // What an answer holds is given back when the transport asks for the next one, not when it has taken this one.
    let mut sending: Option<Held> = None;
    let responses = stream::poll_fn(move |context| {
        drop(sending.take());
        waiting.poll_recv(context).map(|answer| {
            answer.map(|Answer { response, held }| {
                sending = Some(held);
                Ok(response)
            })
        })
    });
    // A refusal comes after all answers, whether or not anyone reads them in time.
    let refused = stream::once(ended).filter_map(|end| async { end.ok() });
    Box::pin(responses.chain(refused.map(|refusal| Err(refusal.into()))))
}

/// An answer with the memory it counts for, until it has been sent.
struct Answer {
    response: EstimateGlocalResponse,
    held: Held,
}

struct Session {
    /// The span of the call. First, so that it is closed before the client learns that the stream has ended.
    call: Span,
    shared: Arc<Shared>,
    idle: Duration,
    open: HashMap<String, OpenWindow>,
    /// Analyses, which end with an answer, and compressions, which do not.
    running: FuturesUnordered<BoxFuture<'static, Result<Option<Answer>, Refusal>>>,
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
        drop(requests);
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
            Ok(Some(Err(status))) => Err(Refusal::Transport(status)),
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
        if window_id.is_empty() || window_id.chars().count() > MAX_ID_CHARACTERS {
            return Err(Refusal::invalid(
                "INVALID_WINDOW_ID",
                "window_id",
                format!(
                    "has {} characters; 1 to {MAX_ID_CHARACTERS}",
                    window_id.chars().count()
                ),
            ));
        }
        match payload {
            Some(Payload::Open(spec)) => self.open(window_id, spec),
            Some(Payload::Hypergradient(hypergradient)) => self.push(window_id, &hypergradient),
            Some(Payload::Estimate(proto::EstimateNow {})) => self.estimate_now(window_id),
            None => Err(Refusal::invalid(
                "PAYLOAD_MISSING",
                "payload",
                "one of open, hypergradient and estimate is required",
            )),
        }
    }

    fn open(&mut self, id: String, spec: proto::WindowSpec) -> Result<(), Refusal> {
        if self.shared.stopping.is_cancelled() {
            return Err(Refusal::ShuttingDown);
        }
        if self.open.contains_key(&id) {
            return Err(Refusal::invalid(
                "WINDOW_ALREADY_OPEN",
                "window_id",
                format!("window {} is open already", quoted(&id)),
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
        let held = self.hold(&spec)?;
        self.open.insert(id, OpenWindow::new(spec, held));
        Ok(())
    }

    /// Room for a window beside those that are open, and what the call itself holds.
    fn hold(&self, spec: &Spec) -> Result<Held, Refusal> {
        let open: u64 = self.open.values().map(|window| window.held.bytes()).sum();
        let beside = held_beside(spec, open, self.shared.limits.max_message_bytes);
        self.shared.budget.hold("this window", window_bytes(spec), beside)
    }

    fn push(&mut self, id: String, hypergradient: &proto::Hypergradient) -> Result<(), Refusal> {
        let window = self.open_window(&id)?;
        window.take(&id, hypergradient)?;
        if !window.is_complete() {
            if !window.is_within_a_row() {
                self.compress(&id);
            }
        } else if let Some(window) = self.open.remove(&id) {
            let OpenWindow {
                spec,
                rows,
                products,
                held,
                ..
            } = window;
            self.analyze(id, spec, rows, products, None, held);
        }
        Ok(())
    }

    /// Brings the inner products of a window up to date, unless that is under way or not worth while.
    fn compress(&mut self, id: &str) {
        let Some(window) = self.open.get_mut(id) else {
            return;
        };
        let Some(mut products) = window
            .products
            .take_outdated(window.rows.len(), window.spec.components)
        else {
            return;
        };
        let (rows, spec) = (window.rows.clone(), window.spec.clone());
        let (back, returning) = oneshot::channel();
        window.products = Products::Away(returning);
        let pool = self.shared.pool.clone();
        let compression = async move {
            let products = pool
                .run(move |cancellation| {
                    products.update(&answer::window(slices(&rows), &spec)?, cancellation)?;
                    Ok(products)
                })
                .await?;
            // Nobody waits when the window was given up.
            let _ = back.send(products);
            Ok(None)
        };
        self.running.push(compression.boxed());
    }

    fn open_window(&mut self, id: &str) -> Result<&mut OpenWindow, Refusal> {
        self.open.get_mut(id).ok_or_else(|| {
            Refusal::invalid(
                "WINDOW_NOT_OPEN",
                "window_id",
                format!("window {} is not open on this stream", quoted(id)),
            )
        })
    }

    /// Analyzes the rows that have come.
    fn estimate_now(&mut self, id: String) -> Result<(), Refusal> {
        let window = self.open_window(&id)?;
        let (rows, delays) = (window.rows.len(), window.spec.options.delays);
        if rows <= delays {
            return Err(Refusal::invalid(
                "TOO_FEW_ROWS",
                "estimate",
                format!(
                    "window {} has {rows} rows so far; at least {} are needed for delays = {delays}",
                    quoted(&id),
                    delays + 1
                ),
            ));
        }
        let (mut spec, rows) = (window.spec.clone(), window.rows.clone());
        spec.rows = rows.len();
        // The rows may be given up by their window before this is answered, so they count here too.
        let held = self.hold(&spec)?;
        let rows_so_far = u32::try_from(rows.len()).ok();
        self.analyze(id, spec, rows, Products::Unknown, rows_so_far, held);
        Ok(())
    }

    fn analyze(
        &self,
        window_id: String,
        spec: Spec,
        rows: Vec<Arc<Vec<f64>>>,
        products: Products,
        rows_so_far: Option<u32>,
        held: Held,
    ) {
        let (pool, metrics) = (self.shared.pool.clone(), self.shared.metrics.clone());
        let span = WindowSpan::waiting(&self.call, &spec);
        let analysis = async move {
            let products = products.arrived().await?;
            let report = pool
                .run(move |cancellation| {
                    answer(slices(&rows), &spec, products, &metrics, &span, cancellation)
                })
                .await?;
            Ok(Some(Answer {
                response: EstimateGlocalResponse {
                    window_id,
                    report: Some(report),
                    rows_so_far,
                },
                held,
            }))
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
        const SHOWN: usize = 3;
        let mut shown: Vec<String> = self
            .open
            .iter()
            .take(SHOWN)
            .map(|(id, window)| {
                format!(
                    "{} has {} of {} rows",
                    quoted(id),
                    window.rows.len(),
                    window.spec.rows
                )
            })
            .collect();
        if self.open.len() > SHOWN {
            shown.push(format!("and {} more", self.open.len() - SHOWN));
        }
        shown.join(", ")
    }
}

fn slices(rows: &[Arc<Vec<f64>>]) -> Vec<&[f64]> {
    rows.iter().map(|row| row.as_slice()).collect()
}

/// Hands an answer over. A closed channel means that the client is gone, which the session sees for itself.
async fn deliver(
    answers: &mpsc::Sender<Answer>,
    answer: Option<Answer>,
    idle: Duration,
) -> Result<(), Refusal> {
    let Some(answer) = answer else {
        return Ok(());
    };
    match timeout(idle, answers.send(answer)).await {
        Ok(_) => Ok(()),
        Err(_) => Err(Refusal::Idle(format!(
            "no answer was read for {} s",
            idle.as_secs()
        ))),
    }
}
