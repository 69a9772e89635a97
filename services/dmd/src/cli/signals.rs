//! When the service is told to stop.

use std::{
    io::{self, Read},
    thread,
};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};

/// Completes at the first SIGTERM or SIGINT, or when standard input closes if that is asked for. A second signal does
/// not wait for streams to end.
pub(super) fn shutdown(exit_with_stdin: bool) -> io::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let closed = stdin_closed(exit_with_stdin);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = closed => {}
        }
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            std::process::exit(130);
        });
    })
}

/// Completes when standard input closes; never when that does not matter.
async fn stdin_closed(matters: bool) {
    if !matters {
        return std::future::pending().await;
    }
    let (closed, wait) = oneshot::channel::<()>();
    // A thread of its own: a read from standard input cannot be cancelled, and the runtime would wait for its own.
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin().lock().by_ref(), &mut io::sink());
        let _ = closed.send(());
    });
    let _ = wait.await;
}
