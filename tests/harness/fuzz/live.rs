//! Calls of running services with messages that were changed at random, as somebody who may call. Comes in: a federation that runs, a
//! seed, a number of calls. Goes out: how the calls ended; an error says which one was an error of the program, or ended a service.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use accord_proto::{
    reason::Reason,
    status::from_status,
    transport::{Expected, channel::Channel, connection::connect},
};
use anyhow::{Context as _, Result, bail, ensure};
use http::uri::PathAndQuery;
use prost::bytes::{Buf as _, BufMut as _};
use tonic::{
    Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

use super::{
    mutate::{self, Form},
    schema::{Call, Schema},
};
use crate::{crash::Dice, federation::Federation, peers};

/// The node that is called.
const NODE: &str = "al-police";
/// A call may take so long; streams that wait for something are left then.
const CALL_MAX: Duration = Duration::from_secs(2);
/// Pieces of a reply that are read.
const PIECES_MAX: usize = 50;

/// How many calls ended with which code.
pub type Ended = BTreeMap<String, usize>;

/// Calls everything, at a node and at the coordinator, in every role.
pub fn calls(federation: &Federation, seed: u64, rounds: usize) -> Result<Ended> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(call_all(federation, seed, rounds))
}

async fn call_all(federation: &Federation, seed: u64, rounds: usize) -> Result<Ended> {
    let (schema, mut dice) = (Schema::read()?, Dice(seed));
    let doors = doors(federation).await?;
    let mut ended = Ended::new();
    for round in 0..rounds {
        let call =
            schema.calls.get(mutate::at(schema.calls.len(), &mut dice)).context("no call")?;
        let fit: Vec<_> = doors.iter().filter(|door| door.serves(call)).collect();
        let door = fit.get(mutate::at(fit.len(), &mut dice)).context("nobody serves it")?;
        let mut parts = Vec::new();
        for _ in 0..=dice.below(2) {
            let mut message = schema.filled(&call.input, &mut dice)?;
            let other = schema.filled(&call.input, &mut dice)?;
            // Some are as they should be: they get the furthest.
            for _ in 0..dice.below(3) {
                mutate::change(Form::Wire, &mut message, &other, &mut dice);
            }
            parts.push(message);
        }
        let shown = || parts.iter().map(|part| super::shown(part)).collect::<Vec<_>>().join(" ");
        let code = door.call(call, parts.clone()).await;
        let code = code.with_context(|| {
            format!(
                "{}/{} as {} (seed {seed}, round {round}): {}",
                call.service,
                call.name,
                door.role,
                shown()
            )
        })?;
        *ended.entry(code).or_default() += 1;
    }
    Ok(ended)
}

/// A service as somebody reaches it.
struct Door {
    role: String,
    packages: &'static [&'static str],
    channel: Channel,
}

/// Every port, in every role.
async fn doors(federation: &Federation) -> Result<Vec<Door>> {
    let node = federation.nodes.get(NODE).context("no node")?;
    let identity = peers::identity(federation, NODE)?;
    let centre = accord_proto::identity::Identity::parse(
        "spiffe://wb6.example/REGION/node/coordinator/coordinator",
    )?;
    let mut doors = Vec::new();
    let exchange = federation.dir.join("coordinator/keys");
    let mut ports = vec![("coordinator".to_owned(), exchange, &node.exchange, &identity)];
    let staff = |home: &std::path::Path| -> Result<Vec<_>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(home.join("staff"))? {
            found.push(entry?.path());
        }
        found.sort_unstable();
        Ok(found)
    };
    let role = |path: &std::path::Path| {
        path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned())
    };
    for keys in staff(&node.home)? {
        ports.push((role(&keys), keys, &node.desk, &identity));
    }
    for keys in staff(&federation.dir.join("coordinator"))? {
        ports.push((role(&keys), keys, &federation.region, &centre));
    }
    for (role, keys, address, identity) in ports {
        let credentials = peers::credentials(&keys)?;
        let expected = Expected { identity: identity.clone(), spki: None };
        let packages: &[&str] = if *address == node.exchange {
            &["accord.exchange.", "accord.product.v1.Circulation"]
        } else if *address == node.desk {
            &[
                "accord.desk.",
                "accord.product.v1.Products",
                "accord.journal.",
                "accord.maintenance.",
            ]
        } else {
            &[
                "accord.region.",
                "accord.product.v1.Products",
                "accord.journal.",
                "accord.maintenance.",
            ]
        };
        doors.push(Door {
            role,
            packages,
            channel: connect(address, &credentials, expected).await?,
        });
    }
    Ok(doors)
}

impl Door {
    fn serves(&self, call: &Call) -> bool {
        self.packages.iter().any(|package| call.service.starts_with(package))
    }

    /// Sends the messages; the code that the call ended with.
    async fn call(&self, call: &Call, parts: Vec<Vec<u8>>) -> Result<String> {
        let path: PathAndQuery = format!("/{}/{}", call.service, call.name).parse()?;
        let mut client = tonic::client::Grpc::new(self.channel.clone());
        client.ready().await?;
        let request = accord_proto::client::within(CALL_MAX, tokio_stream::iter(parts));
        let began = Instant::now();
        let reply = async {
            let mut stream = client.streaming(request, path, Raw).await?.into_inner();
            for _ in 0..PIECES_MAX {
                if stream.message().await?.is_none() {
                    break;
                }
            }
            Ok::<_, Status>(())
        };
        let ended = match tokio::time::timeout(CALL_MAX * 2, reply).await {
            Err(_) => bail!("neither ends nor gives up after {:?}", began.elapsed()),
            Ok(Ok(())) => return Ok("OK".to_owned()),
            Ok(Err(status)) => status,
        };
        let refused = from_status(&ended);
        ensure!(refused.reason != Reason::Internal, "an error of the program: {refused}");
        ensure!(
            ended.code() != tonic::Code::Unavailable
                || refused.reason == Reason::Overloaded
                || refused.reason == Reason::StoreFailed,
            "the service is gone: {ended}"
        );
        Ok(format!("{:?} {}", ended.code(), refused.reason.code()))
    }
}

/// Bytes as they are.
#[derive(Clone, Copy, Debug)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut bytes = vec![0; buffer.remaining()];
        buffer.copy_to_slice(&mut bytes);
        Ok(Some(bytes))
    }
}
