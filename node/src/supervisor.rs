//! Starts services, restarts or stops them, and shuts down in order.
//!
//! A service ends in one of three ways: in order (it was canceled, or has nothing left to do), with an
//! error that another try may cure (it is started again, with growing waits), or with a fault (the whole
//! node stops, so that an operator sees it).

use std::{future::Future, pin::Pin, time::Duration};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How long services may take to end in order.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(20);

/// How a service failed.
#[derive(Debug)]
pub struct Failure {
    /// Why.
    pub report: eyre::Report,
    /// Whether another try may cure it.
    pub is_retryable: bool,
}

/// A failure is retryable if its error says so.
pub trait Retryable: std::error::Error + Send + Sync + 'static {
    /// Whether the same may succeed later, unchanged.
    fn is_retryable(&self) -> bool;
}

impl<E: Retryable> From<E> for Failure {
    fn from(err: E) -> Self {
        Self {
            is_retryable: err.is_retryable(),
            report: eyre::Report::new(err),
        }
    }
}

type Outcome = Result<(), Failure>;
type Start = Box<dyn Fn(CancellationToken) -> Pin<Box<dyn Future<Output = Outcome> + Send>> + Send>;

/// The services of one node.
#[derive(Default)]
pub struct Supervisor {
    services: Vec<(&'static str, Start)>,
    cancel: CancellationToken,
}

impl std::fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.services.iter().map(|(name, _)| name).collect();
        f.debug_struct("Supervisor")
            .field("services", &names)
            .finish_non_exhaustive()
    }
}

impl Supervisor {
    /// Adds a service. `start` is called again whenever it is to be started again.
    pub fn add<F>(
        &mut self,
        name: &'static str,
        start: impl Fn(CancellationToken) -> F + Send + 'static,
    ) where
        F: Future<Output = Outcome> + Send + 'static,
    {
        self.services
            .push((name, Box::new(move |cancel| Box::pin(start(cancel)))));
    }

    /// Runs all services until one faults, all have ended, or the process is asked to stop.
    ///
    /// # Errors
    ///
    /// The report of the service that faulted.
    pub async fn run(self) -> eyre::Result<()> {
        let mut running = JoinSet::new();
        for (name, start) in self.services {
            running.spawn(keep_running(name, start, self.cancel.clone()));
        }
        let mut first_fault = None;
        loop {
            tokio::select! {
                ended = running.join_next() => match ended {
                    None => break,
                    Some(Ok(Ok(()))) => {}
                    Some(Ok(Err(report))) => {
                        first_fault.get_or_insert(report);
                        break;
                    }
                    Some(Err(err)) => {
                        first_fault.get_or_insert(eyre::eyre!("a service broke off: {err}"));
                        break;
                    }
                },
                () = stop_signal() => {
                    info!("stopping");
                    break;
                }
            }
        }
        self.cancel.cancel();
        let all = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(SHUTDOWN_GRACE, all).await.is_err() {
            warn!("services did not stop in time");
        }
        first_fault.map_or(Ok(()), Err)
    }
}

async fn keep_running(
    name: &'static str,
    start: Start,
    cancel: CancellationToken,
) -> eyre::Result<()> {
    let mut wait = FIRST_WAIT;
    loop {
        let began = tokio::time::Instant::now();
        let failure = match start(cancel.clone()).await {
            Ok(()) => return Ok(()),
            Err(_) if cancel.is_cancelled() => return Ok(()),
            Err(failure) => failure,
        };
        if !failure.is_retryable {
            error!(
                service = name,
                err = format!("{:#}", failure.report),
                "service faulted"
            );
            return Err(failure.report.wrap_err(format!("service {name}")));
        }
        if began.elapsed() > LONGEST_WAIT {
            wait = FIRST_WAIT;
        }
        warn!(
            service = name,
            err = format!("{:#}", failure.report),
            ?wait,
            "service starts again"
        );
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            () = tokio::time::sleep(wait) => {}
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Waits for Ctrl-C or, on Unix, SIGTERM.
pub async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("failed")]
    struct Failed(bool);

    impl Retryable for Failed {
        fn is_retryable(&self) -> bool {
            self.0
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_retryable_failure_is_started_again_and_a_fault_stops_all() {
        let starts = Arc::new(AtomicU32::new(0));
        let mut supervisor = Supervisor::default();
        let counted = Arc::clone(&starts);
        supervisor.add("flaky", move |_| {
            let count = counted.fetch_add(1, Ordering::SeqCst);
            async move { Err(Failed(count < 2).into()) }
        });
        supervisor.add("steady", |cancel| async move {
            cancel.cancelled().await;
            Ok(())
        });
        let err = supervisor.run().await.unwrap_err();
        assert_eq!(err.to_string(), "service flaky");
        assert_eq!(starts.load(Ordering::SeqCst), 3);
    }
}
