//! A program that is told. Comes in: its command line, and a notice as JSON. Goes out: whether it took it. No shell reads any of it: the
//! notice is on the program's standard input, and what it prints is thrown away.

use std::{path::PathBuf, process::Stdio, time::Duration};

use tokio::{io::AsyncWriteExt as _, process::Command, time::timeout};

/// A program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// The program: a path, never looked up.
    pub program: PathBuf,
    /// Its arguments, as they are.
    pub arguments: Vec<String>,
    /// Then it is killed.
    pub within: Duration,
}

impl Hook {
    /// Runs it to its end, with the JSON document on its standard input.
    pub(super) async fn run(&self, json: &str) -> Result<(), String> {
        let mut program = Command::new(&self.program);
        program
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut child = program.spawn().map_err(|error| error.to_string())?;
        let run = async {
            if let Some(mut stdin) = child.stdin.take() {
                // A program that reads nothing of it has heard of it all the same.
                let _ = stdin.write_all(json.as_bytes()).await;
            }
            child.wait().await.map_err(|error| error.to_string())
        };
        match timeout(self.within, run).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(format!("ended with {status}")),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(format!("killed after {} s", self.within.as_secs())),
        }
    }
}
