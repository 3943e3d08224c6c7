//! Work that keeps a thread busy for longer than others should wait. Comes in: the work. Goes out: its result, here and now, while
//! other tasks go on elsewhere if there is anywhere else.
//!
//! Stands in the contract because both programs do such work, and a runtime of one thread, as a simulation has, cannot give
//! its thread away.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Does the work on this thread; other tasks of it move to another one where there is one.
pub fn here<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        // One thread, or none at all: nobody is kept waiting who could go on elsewhere.
        Ok(_) | Err(_) => work(),
    }
}

#[cfg(test)]
mod tests {
    use super::here;

    #[test]
    fn work_is_done_in_whatever_runtime_there_is() {
        assert_eq!(here(|| 1), 1);
        let one = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert_eq!(one.block_on(async { here(|| 2) }), 2);
        let many = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        assert_eq!(many.block_on(async { tokio::spawn(async { here(|| 3) }).await.unwrap() }), 3);
    }
}
