//! PostgreSQL: `COPY` of the same rows, as text with one index, into a cluster that lives as long as the
//! measurement: its own folder, a socket in it, no network. Durable as it comes: one commit per file.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};

use crate::london::HEADER;

/// A throw-away cluster. Stopped and removed when dropped.
#[derive(Debug)]
pub struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // On the way out nothing can be done about it, and nothing in it is wanted.
        let _ =
            run(self.command("pg_ctl").args(["stop", "-m", "immediate", "-D"]).arg(self.data()));
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Cluster {
    /// Starts one; why not, if it cannot be.
    pub fn start() -> Result<Result<Self, String>> {
        let Some(programs) = programs() else {
            return Ok(Err("there is no initdb below /usr/lib/postgresql or in PATH".to_owned()));
        };
        let root = rustix::process::geteuid().is_root();
        if root && run(Command::new("runuser").args(["-u", "postgres", "--", "true"])).is_err() {
            return Ok(Err("it does not run as root, and there is no user postgres".to_owned()));
        }
        // Made by whoever the server is to run as.
        let within = std::env::temp_dir();
        let made = run(as_server(Path::new("mktemp")).args(["-d", "-p"]).arg(within))?;
        let cluster = Self { programs, folder: PathBuf::from(made.trim()) };
        let initdb = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "-D"];
        run(cluster.command("initdb").args(initdb).arg(cluster.data()))?;
        let options = format!("-c listen_addresses= -k {}", cluster.folder.display());
        let log = cluster.folder.join("log");
        let mut start = cluster.command("pg_ctl");
        start.args(["start", "-w", "-o", &options, "-l"]).arg(log).arg("-D").arg(cluster.data());
        ensure!(start.status()?.success(), "PostgreSQL does not start");
        Ok(Ok(cluster))
    }

    /// Which one it is.
    pub fn version(&self) -> Result<String> {
        let version = self.sql("SHOW server_version")?;
        Ok(version.split_whitespace().next().unwrap_or_default().to_owned())
    }

    /// Copies unpacked files into an empty table; the time that it took.
    pub fn copy(&self, files: &[PathBuf]) -> Result<Duration> {
        let columns = HEADER.replace(',', " text, ").replacen("text", "text PRIMARY KEY", 1);
        self.sql(&format!("DROP TABLE IF EXISTS records; CREATE TABLE records ({columns} text)"))?;
        self.sql("CHECKPOINT")?;
        let copies = files.iter().map(|file| {
            format!("COPY records FROM '{}' WITH (FORMAT csv, HEADER);\n", file.display())
        });
        let script = self.folder.join("copy.sql");
        fs::write(&script, copies.collect::<String>())?;
        let started = Instant::now();
        run(self.psql().arg("-f").arg(&script))?;
        Ok(started.elapsed())
    }

    /// How many rows it holds.
    pub fn rows(&self) -> Result<u64> {
        Ok(self.sql("SELECT count(*) FROM records")?.trim().parse()?)
    }

    /// A folder that the server can read.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn sql(&self, statement: &str) -> Result<String> {
        run(self.psql().args(["-At", "-c", statement]))
    }

    fn psql(&self) -> Command {
        let mut command = self.command("psql");
        command.args(["-q", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "postgres", "-h"]);
        command.arg(&self.folder);
        command
    }

    fn command(&self, program: &str) -> Command {
        as_server(&self.programs.join(program))
    }
}

/// The newest installed version, or what PATH has.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .max()
        .map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin")));
    let path = std::env::var_os("PATH").unwrap_or_default();
    newest.into_iter().chain(std::env::split_paths(&path)).find(|dir| dir.join("initdb").is_file())
}

/// PostgreSQL refuses to run as root.
fn as_server(program: &Path) -> Command {
    let mut command = if rustix::process::geteuid().is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir(std::env::temp_dir());
    command
}

fn run(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}
