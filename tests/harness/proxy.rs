//! An HTTP proxy that opens tunnels (CONNECT) and nothing else. Comes in: connections. Goes out: what it was asked for,
//! how much has passed; on demand it passes nothing more and says nothing, like a firewall that has forgotten.

use std::{
    io::{self, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};

/// Longest head of a request.
const HEAD_BYTES_MAX: usize = 4 * 1024;

/// A running proxy; it takes no more connections once dropped.
#[derive(Debug)]
pub struct Proxy {
    /// host:port.
    pub address: String,
    seen: Arc<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// host:port of each tunnel, in order.
    asked: Mutex<Vec<String>>,
    more: Condvar,
    bytes: AtomicU64,
    /// Tunnels before this one pass nothing.
    forgotten: AtomicUsize,
    /// Instead of opening a way it says no.
    refuses: AtomicBool,
    ended: AtomicBool,
}

impl Proxy {
    /// Starts.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (address, seen) = (listener.local_addr()?.to_string(), Arc::new(Seen::default()));
        let of_loop = Arc::clone(&seen);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if of_loop.ended.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(client), seen) = (client, Arc::clone(&of_loop)) else { continue };
                std::thread::spawn(move || seen.serve(client));
            }
        });
        Ok(Self { address, seen })
    }

    /// How many bytes have passed, both ways.
    pub fn bytes(&self) -> u64 {
        self.seen.bytes.load(Ordering::Relaxed)
    }

    /// Waits until so many tunnels were asked for; whereto.
    pub fn wait_for(&self, tunnels: usize, timeout: Duration) -> Result<Vec<String>> {
        let asked = self.seen.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let fewer = |asked: &mut Vec<String>| asked.len() < tunnels;
        let waited = self.seen.more.wait_timeout_while(asked, timeout, fewer);
        let (asked, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        (!waited.timed_out()).then(|| asked.clone()).context("not as many tunnels in time")
    }

    /// Nothing passes any more through the tunnels that there are, and nobody is told.
    pub fn forget(&self) {
        let asked = self.seen.asked.lock().unwrap_or_else(PoisonError::into_inner);
        self.seen.forgotten.store(asked.len(), Ordering::Relaxed);
    }

    /// Says no from now on, or no more.
    pub fn refuse(&self, refuses: bool) {
        self.seen.refuses.store(refuses, Ordering::Relaxed);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.seen.ended.store(true, Ordering::Relaxed);
        // The loop looks up.
        let _ = TcpStream::connect(&self.address);
    }
}

impl Seen {
    fn serve(self: Arc<Self>, mut client: TcpStream) {
        let Ok(to) = asked(&mut client) else { return };
        let number = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.push(to.clone());
            asked.len() - 1
        };
        self.more.notify_all();
        if self.refuses.load(Ordering::Relaxed) {
            let _ = client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
            return;
        }
        let Ok(server) = TcpStream::connect(&to) else {
            let _ = client.write_all(b"HTTP/1.1 502 Bad Gateway\r\n\r\n");
            return;
        };
        let opened = client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n");
        let (Ok(()), Ok(from), Ok(back)) = (opened, client.try_clone(), server.try_clone()) else {
            return;
        };
        let seen = Arc::clone(&self);
        std::thread::spawn(move || seen.pass(number, from, server));
        self.pass(number, back, client);
    }

    fn pass(&self, number: usize, mut from: TcpStream, mut to: TcpStream) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(read) = from.read(&mut buffer) {
            if number < self.forgotten.load(Ordering::Relaxed) {
                if read == 0 {
                    return;
                }
                continue;
            }
            let piece = buffer.get(..read).unwrap_or_default();
            if read == 0 || to.write_all(piece).is_err() {
                break;
            }
            self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        }
        let _ = to.shutdown(Shutdown::Write);
    }
}

/// Where a client wants to go.
fn asked(client: &mut TcpStream) -> io::Result<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_BYTES_MAX {
        client.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let head = String::from_utf8_lossy(&head);
    let to = head.strip_prefix("CONNECT ").and_then(|rest| rest.split_once(" HTTP/1.1\r\n"));
    to.map(|(to, _)| to.to_owned()).ok_or_else(|| io::ErrorKind::InvalidData.into())
}
