//! A federation on this machine: nodes, a coordinator, people. Comes in: which jurisdictions. Goes out:
//! processes to talk to, and commands to run as somebody.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use accord_proto::{
    clock::{Entropy as _, SystemClock, SystemEntropy},
    identity::{Federation as Domain, Name},
    own_lists,
    pki::{self, Plan, PlannedNode},
    roster::DIALS_IN,
    taxonomy::Lists,
};
use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::{
    canaries,
    process::{Finished, Server},
    roles,
};

/// The six that begin.
pub const SIX: [&str; 6] = ["AL", "BA", "XK", "ME", "MK", "RS"];
/// A consent that covers the sample's question.
pub const STANDING: [&str; 10] = [
    "--indicator",
    "PUB.OFF.N",
    "--purpose",
    "THREAT-ASSESSMENT",
    "--audience",
    "POLICE",
    "--from",
    "2020-01-01",
    "--until",
    "2090-01-01",
];
/// Every code and year of the sample.
pub const QUESTION: &str = "indicator = \"PUB.OFF.N\"\n\
    crime_areas = [\"ICCS0101\", \"ICCS020221\", \"ICCS0401\", \"ICCS0501\", \"ICCS0601\", \"ICCS07041\"]\n\
    periods = \"2014..2018\"\n";

/// A node that dials is connected within this time, on a loaded machine.
const DIAL_TIMEOUT: Duration = Duration::from_secs(60);

/// Which nodes open the connection themselves, and have no port for the coordinator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialling {
    /// All of them listen.
    #[default]
    Nobody,
    /// Every second one.
    EverySecond,
    /// All of them.
    Everybody,
}

impl Dialling {
    fn covers(self, at: usize) -> bool {
        match self {
            Self::Nobody => false,
            Self::EverySecond => at % 2 == 1,
            Self::Everybody => true,
        }
    }
}

/// A node's place in the federation.
#[derive(Debug)]
pub struct Node {
    /// Whom it speaks for.
    pub jurisdiction: String,
    /// Its folder.
    pub home: PathBuf,
    /// host:port of its Exchange service; of one that dials, where that would be.
    pub exchange: String,
    /// host:port where its operators ask how it is doing.
    pub ops: String,
    /// It has no such port: it connects to the coordinator.
    pub dials: bool,
    /// host:port of its Desk service.
    pub desk: String,
    server: Option<Server>,
}

impl Node {
    /// What stands in its `node.toml`.
    fn config(&self, coordinator: &str) -> String {
        let shipped = include_str!("../../deploy/node.toml").replace("127.0.0.1:7201", &self.desk);
        let shipped = asked_at(&shipped, &self.ops);
        if self.dials {
            shipped
                .replace("listen = \"127.0.0.1:7101\"\n", "")
                .replace("# coordinator = \"\"", &format!("coordinator = {coordinator:?}"))
        } else {
            shipped.replace("127.0.0.1:7101", &self.exchange)
        }
    }
}

/// A configuration with a port for operators.
fn asked_at(config: &str, ops: &str) -> String {
    let (before, table) = config.split_once("\n[ops]\n").unwrap_or((config, ""));
    format!(
        "{before}\n[ops]\n{}",
        table.replacen("# listen = \"\"", &format!("listen = {ops:?}"), 1)
    )
}

/// A federation. Everything is killed when it is dropped.
#[derive(Debug)]
pub struct Federation {
    program: PathBuf,
    /// Folder of everything.
    pub dir: PathBuf,
    /// By node name, like `al-police`.
    pub nodes: BTreeMap<String, Node>,
    /// host:port of the Region service.
    pub region: String,
    /// host:port where nodes dial in.
    pub dial: String,
    /// host:port where the coordinator's operators ask how it is doing.
    pub ops: String,
    coordinator: Option<Server>,
    servers: Vec<Server>,
}

impl Federation {
    /// Keys, roster, folders and configs; nothing runs yet. `program` is a binary that begins with
    /// [`roles::run_if_asked`]; `dir` must not exist.
    pub fn prepare(program: PathBuf, dir: &Path, jurisdictions: &[&str]) -> Result<Self> {
        Self::prepare_with(program, dir, jurisdictions, (None, Dialling::Nobody))
    }

    /// The same with code lists of its own, in a folder, and with nodes that dial.
    pub fn prepare_with(
        program: PathBuf,
        dir: &Path,
        jurisdictions: &[&str],
        (own, dialling): (Option<&Path>, Dialling),
    ) -> Result<Self> {
        let host = own_loopback()?;
        let lists = own_lists::load(own)?;
        let folder = own.map_or(String::new(), |own| own.display().to_string());
        let configured =
            |text: String| text.replace("# folder = \"\"", &format!("folder = {folder:?}"));
        let planned = planned(jurisdictions, lists, (&host, dialling))?;
        let region = format!("{host}:7100");
        let plan = Plan {
            federation: Domain::parse("federation", "wb6.example")?,
            nodes: planned,
            region_address: region.clone(),
        };
        pki::development(&plan, dir, lists, (&SystemClock, &SystemEntropy))?;

        let dial = format!("{host}:7099");
        let mut nodes = BTreeMap::new();
        for (at, planned) in plan.nodes.into_iter().enumerate() {
            let home = dir.join(planned.node.as_str());
            let node = Node {
                jurisdiction: planned.jurisdiction.to_string(),
                home,
                exchange: format!("{host}:{}", 7101 + at),
                ops: format!("{host}:{}", 7701 + at),
                dials: dialling.covers(at),
                desk: planned.desk_address,
                server: None,
            };
            std::fs::write(node.home.join("node.toml"), configured(node.config(&dial)))?;
            std::fs::write(
                node.home.join("policy.toml"),
                include_str!("../../deploy/policy.toml"),
            )?;
            nodes.insert(planned.node.to_string(), node);
        }
        // Nobody is asked again behind a test's back; a test of that says so.
        let config = include_str!("../../deploy/coordinator.toml")
            .replace("127.0.0.1:7100", &region)
            .replace("# retry_s = 30", "retry_s = 600");
        let config = asked_at(&config, &format!("{host}:7098"));
        let port = match dialling {
            Dialling::Nobody => String::new(),
            Dialling::EverySecond | Dialling::Everybody => dial.clone(),
        };
        let config = config.replacen("# listen = \"\"", &format!("listen = {port:?}"), 1);
        std::fs::write(dir.join("coordinator/coordinator.toml"), configured(config))?;
        if let Some(own) = own {
            for person in std::fs::read_dir(dir.join("coordinator/staff"))? {
                let client = person?.path().join("client.toml");
                let text = std::fs::read_to_string(&client)?;
                std::fs::write(
                    &client,
                    format!("{text}lists = {:?}\n", own.display().to_string()),
                )?;
            }
        }
        Ok(Self {
            program,
            dir: dir.to_owned(),
            nodes,
            region,
            dial,
            ops: format!("{host}:7098"),
            coordinator: None,
            servers: Vec::new(),
        })
    }

    /// What both programs store is sealed from here on, each with a key of its own; those that hold something are rekeyed first.
    pub fn seal_stores(&self) -> Result<()> {
        let nodes = self.nodes.values().map(|node| node.home.join("node.toml"));
        for config in nodes.chain([self.dir.join("coordinator/coordinator.toml")]) {
            const NONE: &str = "# key = \"\"";
            let text = std::fs::read_to_string(&config)?;
            ensure!(text.contains(NONE), "is sealed already");
            std::fs::write(&config, text.replace(NONE, "key = \"keys/store.key\""))?;
        }
        Ok(())
    }

    /// Starts everything; whoever dials is connected then.
    pub fn start(&mut self) -> Result<()> {
        let dials = self.nodes.values().any(|node| node.dials);
        // Otherwise whoever dials first waits ever longer for it.
        if dials {
            self.start_coordinator()?;
        }
        let names: Vec<_> = self.nodes.keys().cloned().collect();
        names.iter().try_for_each(|name| self.start_node(name))?;
        if dials { self.wait_for_dialled() } else { self.start_coordinator() }
    }

    /// Waits until every node that dials is connected.
    pub fn wait_for_dialled(&self) -> Result<()> {
        let deadline = Instant::now() + DIAL_TIMEOUT;
        loop {
            let listed = self.region("analyst", "json", &["member", "list", "--describe"])?;
            let listed = listed.json(&[0, 3])?;
            let dials = |name: &Value| self.nodes.get(name.as_str()?).map(|node| node.dials);
            let mut members = listed.as_array().context("no members")?.iter();
            let away = members
                .find(|member| dials(&member["node"]) == Some(true) && member["unreachable"] != "");
            match away {
                None => return Ok(()),
                Some(away) if Instant::now() > deadline => bail!("has not dialled in: {away}"),
                Some(_) => {}
            }
        }
    }

    /// Starts one node.
    pub fn start_node(&mut self, name: &str) -> Result<()> {
        let mut command = Command::new(&self.program);
        let node = self.nodes.get_mut(name).with_context(|| format!("no node {name}"))?;
        command.arg(roles::NODE).args(["serve", "--config"]).arg(node.home.join("node.toml"));
        let server = Server::start(command, &node.home.join("log"))?;
        self.servers.push(server.clone());
        node.server = Some(server);
        Ok(())
    }

    /// Starts the coordinator.
    pub fn start_coordinator(&mut self) -> Result<()> {
        self.run_coordinator(Command::new(&self.program))
    }

    /// Starts it with so many threads at work.
    pub fn start_coordinator_on(&mut self, threads: usize) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.env("TOKIO_WORKER_THREADS", threads.to_string());
        self.run_coordinator(command)
    }

    fn run_coordinator(&mut self, mut command: Command) -> Result<()> {
        let home = self.dir.join("coordinator");
        command
            .arg(roles::COORDINATOR)
            .args(["serve", "--config"])
            .arg(home.join("coordinator.toml"));
        let server = Server::start(command, &home.join("log"))?;
        self.servers.push(server.clone());
        self.coordinator = Some(server);
        Ok(())
    }

    /// The running process of a node.
    pub fn node_server(&self, name: &str) -> Result<&Server> {
        let node = self.nodes.get(name).with_context(|| format!("no node {name}"))?;
        node.server.as_ref().with_context(|| format!("{name} does not run"))
    }

    /// The running process of the coordinator.
    pub fn coordinator_server(&self) -> Result<&Server> {
        self.coordinator.as_ref().context("the coordinator does not run")
    }

    /// A command of `accord-node` as somebody of a node's staff; prints JSON.
    pub fn desk(&self, node: &str, role: &str, arguments: &[&str]) -> Result<Finished> {
        let home = &self.nodes.get(node).with_context(|| format!("no node {node}"))?.home;
        let client = home.join("staff").join(role).join("client.toml");
        let mut command = Command::new(&self.program);
        command
            .arg(roles::NODE)
            .args(arguments)
            .arg("--client")
            .arg(client)
            .args(["--format", "json"]);
        Finished::run(command)
    }

    /// A command of `accord-coordinator` as somebody of the regional staff.
    pub fn region(&self, role: &str, format: &str, arguments: &[&str]) -> Result<Finished> {
        let client = self.dir.join("coordinator/staff").join(role).join("client.toml");
        let mut command = Command::new(&self.program);
        command
            .arg(roles::COORDINATOR)
            .args(arguments)
            .arg("--client")
            .arg(client)
            .args(["--format", format]);
        let finished = Finished::run(command)?;
        // Remarks and errors of the region say nothing that a member holds.
        ensure!(!canaries::tells_figure(&finished.stderr), "a figure: {}", finished.stderr);
        Ok(finished)
    }

    /// Imports a file with a mapping.
    pub fn import(&self, node: &str, file: &Path, mapping: &Path) -> Result<Finished> {
        let (file, mapping) = (file.display().to_string(), mapping.display().to_string());
        self.desk(node, "analyst", &["import", &file, "--mapping", &mapping])
    }

    /// Imports the project's sample into every node, freezes it and consents to the standing question.
    pub fn with_sample(&self) -> Result<()> {
        let sample = sample_dir();
        for (name, node) in &self.nodes {
            let file = sample.join(format!("{}.csv", node.jurisdiction));
            self.import(name, &file, &sample.join("mapping.toml"))?.json(&[0])?;
            self.desk(name, "releaser", &["freeze", "2014", "2018"])?.json(&[0])?;
            self.grant(name, &STANDING)?;
        }
        Ok(())
    }

    /// Gives consent; returns the grant's id.
    pub fn grant(&self, node: &str, terms: &[&str]) -> Result<String> {
        let given =
            self.desk(node, "releaser", &[&["grant", "add"], terms].concat())?.json(&[0])?;
        Ok(given["grant"].as_str().context("no grant id")?.to_owned())
    }

    /// Issues a requirement with these question blocks, for all members; returns its id.
    pub fn issue(&self, blocks: &[&str]) -> Result<String> {
        let head = "authority = \"analysis-unit\"\nwhy = \"Test of the federation\"\n\
            purpose = \"THREAT-ASSESSMENT\"\nlegal_basis = \"Test, no legal effect\"\naudience = \"POLICE\"\n\
            closes = \"";
        let closes = accord_proto::clock::Clock::now(&SystemClock).plus_s(30 * 86_400);
        let blocks: String =
            blocks.iter().map(|block| format!("[[question]]\n{block}\n")).collect();
        self.issue_text(&format!("{head}{closes}\"\n{blocks}"))
    }

    /// Issues a requirement as written.
    pub fn issue_text(&self, text: &str) -> Result<String> {
        let file = self.dir.join("requirement.toml");
        std::fs::write(&file, text)?;
        let key = self.dir.join("federation/authority.key").display().to_string();
        let file = file.display().to_string();
        let arguments = ["requirement", "issue", &file, "--authority-key", &key];
        let issued = self.region("analyst", "json", &arguments)?.json(&[0])?;
        Ok(issued[0]["requirement"].as_str().context("no requirement id")?.to_owned())
    }

    /// The same, for a thread of its own while this one starts and stops servers.
    pub fn gathering(
        &self,
        requirement: &str,
    ) -> impl Fn() -> Result<Value> + Send + Sync + 'static {
        let client = self.dir.join("coordinator/staff/analyst/client.toml");
        let (program, requirement) = (self.program.clone(), requirement.to_owned());
        move || {
            let mut command = Command::new(&program);
            command.arg(roles::COORDINATOR).args(["gather", &requirement, "--client"]);
            command.arg(&client).args(["--format", "json"]);
            Finished::run(command)?.json(&[0, 3])
        }
    }

    /// Gathers; complete or not.
    pub fn gather(&self, requirement: &str) -> Result<Value> {
        self.region("analyst", "json", &["gather", requirement])?.json(&[0, 3])
    }
}

impl Federation {
    /// SIGKILL for everything.
    pub fn kill_all(&self) {
        self.servers.iter().for_each(Server::kill);
    }
}

impl Drop for Federation {
    fn drop(&mut self) {
        let of_nodes = self.nodes.values().filter(|node| node.server.is_some());
        let mut asked: Vec<_> = of_nodes.map(|node| node.ops.as_str()).collect();
        asked.extend(self.coordinator.as_ref().map(|_| self.ops.as_str()));
        let told = canaries::found(&self.dir, &asked);
        self.kill_all();
        // Whoever has failed already says why.
        if !std::thread::panicking() {
            assert!(told.is_empty(), "content in a log, a measure or a check: {told:#?}");
        }
    }
}

/// Names and addresses of the nodes.
fn planned(
    jurisdictions: &[&str],
    lists: &Lists,
    (host, dialling): (&str, Dialling),
) -> Result<Vec<PlannedNode>> {
    let planned = jurisdictions.iter().enumerate().map(|(at, code)| {
        // A jurisdiction that stands twice gets a second node.
        let twin = jurisdictions.iter().take(at).filter(|other| *other == code).count();
        let service = if twin == 0 { "police".to_owned() } else { format!("police-{}", twin + 1) };
        let listens = || format!("{host}:{}", 7101 + at);
        Ok(PlannedNode {
            node: Name::parse("node", &format!("{}-{service}", code.to_lowercase()))?,
            jurisdiction: lists.jurisdiction("jurisdiction", code)?.code,
            exchange_address: if dialling.covers(at) { DIALS_IN.to_owned() } else { listens() },
            desk_address: format!("{host}:{}", 7501 + at),
        })
    });
    planned.collect()
}

/// The cell of a picture.
pub fn cell<'a>(shown: &'a Value, crime_area: &str, period: &str) -> Option<&'a Value> {
    let cells = shown["picture"]["cells"].as_array()?;
    cells.iter().find(|cell| cell["crime_area"] == crime_area && cell["period"] == period)
}

/// The state of a member, by jurisdiction.
pub fn member<'a>(shown: &'a Value, jurisdiction: &str) -> Option<&'a Value> {
    shown["members"].as_array()?.iter().find(|member| member["jurisdiction"] == jurisdiction)
}

/// The project's own sample.
pub fn sample_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sample")
}

/// A loopback address that nobody else uses: federations run side by side on the same ports.
fn own_loopback() -> Result<String> {
    let mut random = [0_u8; 3];
    SystemEntropy.fill(&mut random)?;
    Ok(format!("127.{}.{}.{}", random[0] | 1, random[1], (random[2] % 253) + 1))
}
