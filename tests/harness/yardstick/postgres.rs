//! PostgreSQL: `COPY` of the same rows, as text with one index, into a cluster that lives as long as the
//! measurement: its own folder, a socket in it, no network. Durable as it comes: one commit per file.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::london::HEADER;

/// How often, a tenth of a second apart, it is asked whether it has started.
const STARTING: usize = 300;

/// A throw-away cluster. Stopped and removed when dropped; Ctrl-C in a terminal reaches its server, too.
#[derive(Debug)]
pub struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    server: Option<Child>,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // On the way out nothing can be done about it, and nothing in it is wanted.
        if let Some(mut server) = self.server.take() {
            let stop = ["stop", "-s", "-m", "immediate", "-D"];
            let _ = run(self.command("pg_ctl").args(stop).arg(self.data()));
            let _ = server.wait();
        }
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
        let made = run(as_server(Path::new("mktemp")).arg("-d"))?;
        let folder = PathBuf::from(made.trim());
        let mut cluster = Self { programs, folder, server: None };
        let initdb = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "-D"];
        run(cluster.command("initdb").args(initdb).arg(cluster.data()))?;
        let log = fs::File::create(cluster.folder.join("log"))?;
        let mut server = cluster.command("postgres");
        server.args(["-c", "listen_addresses=", "-k"]).arg(&cluster.folder);
        server.arg("-D").arg(cluster.data());
        server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        cluster.server = Some(server.spawn()?);
        for _ in 0..STARTING {
            if run(cluster.command("pg_isready").arg("-q").arg("-h").arg(&cluster.folder)).is_ok() {
                return Ok(Ok(cluster));
            }
            thread::sleep(Duration::from_millis(100));
        }
        bail!("PostgreSQL does not start")
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
