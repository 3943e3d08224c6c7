//! What a process takes. Comes in: its id. Goes out: memory and processor time, as the kernel counts them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Context as _, Result};

/// Between two looks at a process.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Of `/proc`, on every Linux that we know.
const TICKS_PER_SECOND: f64 = 100.0;

/// Memory that is resident now.
pub fn resident_mib(process: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1_024.0)
}

/// Processor time that it has had.
pub fn processor_s(process: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name, in brackets, may hold anything; user and system time are the 12th and 13th after it.
    let (_, fields) = stat.rsplit_once(')').context("no name")?;
    let times = fields.split_whitespace().skip(11).take(2);
    let ticks: Vec<f64> = times.map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / TICKS_PER_SECOND)
}

/// Keeps a process, with all of its threads, to one processor; says whether that worked.
pub fn keep_to(process: u32, processor: usize) -> bool {
    let mut taskset = std::process::Command::new("taskset");
    taskset.args(["-a", "-c", "-p", &processor.to_string(), &process.to_string()]);
    taskset.output().is_ok_and(|ended| ended.status.success())
}

/// Looks at a process until it is asked what it saw.
#[derive(Debug)]
pub struct Watch {
    process: u32,
    ended: Arc<AtomicBool>,
    most_mib: JoinHandle<f64>,
}

impl Watch {
    /// Begins to look.
    pub fn begin(process: u32) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&ended);
        let most_mib = std::thread::spawn(move || {
            let mut most = 0.0_f64;
            while !over.load(Ordering::Relaxed) {
                most = most.max(resident_mib(process).unwrap_or(0.0));
                std::thread::sleep(LOOK_EVERY);
            }
            most
        });
        Self { process, ended, most_mib }
    }

    /// The most memory that was resident since.
    pub fn most_mib(self) -> Result<f64> {
        self.ended.store(true, Ordering::Relaxed);
        let most = self.most_mib.join().ok().context("the look at a process failed")?;
        Ok(most.max(resident_mib(self.process)?))
    }
}
