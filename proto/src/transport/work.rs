//! Where calls are done: on threads of their own. Comes in: a call. Goes out: what it comes to. So connections are read, calls too
//! many are refused and health answers, however much work there is: where processors are short, connections come first.
//!
//! A call that nobody waits for any more is given up.

use tokio::{
    runtime::{Builder, Handle, Runtime, RuntimeFlavor},
    task::{JoinError, JoinSet},
};

/// By so much nicer are calls than connections. With the same share each, a full processor makes refusals wait for hundreds of
/// milliseconds; with this one, calls still get a quarter of it while somebody floods connections.
const NICER: i32 = 5;

/// Threads for the calls of one listener.
pub(super) struct Workers(Option<Runtime>);

impl Workers {
    /// As many as there are processors; none where whoever serves has one thread only, as in a simulation: it does everything.
    pub(super) fn new() -> std::io::Result<Self> {
        let many = Handle::try_current()
            .is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread);
        let mut threads = Builder::new_multi_thread();
        // By how nice whoever serves is now: a thread begins as nice as the one that makes it, which may be one of these.
        let nice = rustix::process::getpriority_process(None).ok().map(|nice| nice + NICER);
        threads.enable_all().thread_name("calls").on_thread_start(move || be(nice));
        Ok(Self(many.then(|| threads.build()).transpose()?))
    }

    /// Does a call.
    pub(super) async fn done<T: Send + 'static>(
        &self,
        call: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, JoinError> {
        let Some(runtime) = &self.0 else { return Ok(call.await) };
        // A set, so that the call ends with this future however that ends.
        let mut calls = JoinSet::new();
        calls.spawn_on(call, runtime.handle());
        match calls.join_next().await {
            Some(done) => done,
            // There is one.
            None => std::future::pending().await,
        }
    }
}

/// On Linux each thread has a nice value of its own; elsewhere it is the whole program's.
fn be(nice: Option<i32>) {
    if let Some(nice) = nice.filter(|_| cfg!(target_os = "linux")) {
        // Where that is not allowed, both have the same share.
        let _ = rustix::process::setpriority_process(None, nice);
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        // To wait for them is not allowed here, and whoever waited for a call is gone.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use super::*;

    #[test]
    fn a_call_that_keeps_its_thread_keeps_nobody_else_waiting() {
        let serving = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        serving.block_on(async {
            let (go_on, waits) = mpsc::channel();
            let call = tokio::spawn(async move {
                let workers = Workers::new().unwrap();
                workers.done(async move { waits.recv_timeout(Duration::from_secs(20)) }).await
            });
            // On the one thread that serves.
            tokio::spawn(async move { go_on.send("heard").unwrap() }).await.unwrap();
            assert_eq!(call.await.unwrap().unwrap(), Ok("heard"));
        });
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn where_a_processor_is_short_connections_come_before_calls() {
        let priority = || rustix::process::getpriority_process(None).unwrap();
        let serving = Builder::new_multi_thread().enable_all().build().unwrap();
        serving.block_on(async {
            let (workers, nice) = (Workers::new().unwrap(), (priority() + NICER).min(19));
            assert_eq!(workers.done(async move { priority() }).await.unwrap(), nice);
            // Whoever keeps a thread busy makes another one take its place, and that one another.
            let later = workers.done(async move {
                for _ in 0..8 {
                    tokio::spawn(async { crate::busy::here(|| ()) }).await.unwrap();
                }
                tokio::spawn(async move { priority() }).await.unwrap()
            });
            assert_eq!(later.await.unwrap(), nice);
        });
    }

    #[test]
    fn a_call_that_nobody_waits_for_is_given_up() {
        let serving = Builder::new_multi_thread().enable_all().build().unwrap();
        serving.block_on(async {
            let workers = Workers::new().unwrap();
            let (held, gone) = tokio::sync::oneshot::channel::<()>();
            let (begun, begins) = tokio::sync::oneshot::channel();
            let call = workers.done(async move {
                let _held = held;
                begun.send(()).unwrap();
                std::future::pending::<()>().await;
            });
            tokio::select! {
                _ = call => panic!("it never ends"),
                begun = begins => begun.unwrap(),
            }
            gone.await.unwrap_err();
        });
    }

    #[test]
    fn where_there_is_one_thread_it_does_everything() {
        let serving = Builder::new_current_thread().build().unwrap();
        let done = serving.block_on(async { Workers::new().unwrap().done(async { 7 }).await });
        assert_eq!(done.unwrap(), 7);
    }
}
