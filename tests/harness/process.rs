//! Processes that cannot be left behind. Comes in: a program and its arguments. Goes out: a running
//! server that is killed when dropped, or a finished command with what it printed.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

/// A server may take this long to start on a loaded machine.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Every server that this process has started; none once no more may start.
static STARTED: Mutex<Option<Vec<Server>>> = Mutex::new(Some(Vec::new()));

/// Kills every server, also one that is just starting, and lets no other start.
pub fn end_all() {
    let servers = STARTED.lock().unwrap_or_else(PoisonError::into_inner).take();
    servers.into_iter().flatten().for_each(|server| server.kill());
}

/// A running server.
#[derive(Clone, Debug)]
pub struct Server(Arc<Mutex<Child>>);

impl Server {
    /// Starts a server and waits until it says that it is serving. Its log goes to `log`.
    pub fn start(mut command: Command, log: &Path) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let server = {
            let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
            let started = started.as_mut().context("everything is being ended")?;
            let server =
                Self(Arc::new(Mutex::new(command.spawn().context("cannot start a server")?)));
            started.push(server.clone());
            server
        };
        let stderr = server.0.lock().unwrap_or_else(PoisonError::into_inner).stderr.take();
        let stderr = stderr.context("no standard error")?;
        let mut copy = File::options().create(true).append(true).open(log)?;
        let (said, says) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = writeln!(copy, "{line}");
                if line.contains(" serving") || line.contains("\"serving\"") {
                    let _ = said.send(());
                }
            }
        });
        if says.recv_timeout(START_TIMEOUT).is_err() {
            server.kill();
            bail!("a server does not start: {}", std::fs::read_to_string(log).unwrap_or_default());
        }
        Ok(server)
    }

    /// SIGKILL, and waits for the end.
    pub fn kill(&self) {
        let mut child = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = child.kill();
        let _ = child.wait();
    }

    /// Sends a signal by name, like `TERM`, `STOP` or `CONT`.
    pub fn signal(&self, signal: rustix::process::Signal) -> Result<()> {
        let child = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id = i32::try_from(child.id())?;
        let id = rustix::process::Pid::from_raw(id).context("no process id")?;
        Ok(rustix::process::kill_process(id, signal)?)
    }

    /// Waits for the end.
    pub fn wait(&self) -> Result<ExitStatus> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).wait()?)
    }

    /// Process id.
    pub fn id(&self) -> u32 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).id()
    }
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub struct Finished {
    /// Exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Data.
    pub stdout: String,
    /// Remarks and errors.
    pub stderr: String,
}

impl Finished {
    /// Runs a command to its end.
    pub fn run(mut command: Command) -> Result<Self> {
        let output = command.stdin(Stdio::null()).output().context("cannot run a command")?;
        Ok(Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout)?,
            stderr: String::from_utf8(output.stderr)?,
        })
    }

    /// The data as JSON; fails unless the command ended with one of `codes`.
    pub fn json(&self, codes: &[i32]) -> Result<serde_json::Value> {
        if !self.code.is_some_and(|code| codes.contains(&code)) {
            bail!("ended with {:?}: {}", self.code, self.stderr.trim());
        }
        serde_json::from_str(&self.stdout).with_context(|| format!("not JSON: {}", self.stdout))
    }
}
