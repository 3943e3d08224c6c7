//! What a service lets its operator measure. Comes in: readings at the moment somebody asks, and counts of calls. Goes out: the text that
//! Prometheus reads. Must never hold a label whose values are not a closed set of codes, names of members, or kinds: no crime
//! area, region, period, indicator or person.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Registry,
};

use super::health;
use crate::{
    expiry,
    reason::Reason,
    transport::{counting, handshake::Refusal, renewal},
};

/// What can be measured: its name, whether it only ever grows, and what it is.
pub struct Measure {
    /// As Prometheus knows it.
    pub name: &'static str,
    /// It only ever grows, until the service is started again.
    pub grows: bool,
    /// One line for people.
    pub help: &'static str,
}

const fn gauge(name: &'static str, help: &'static str) -> Measure {
    Measure { name, grows: false, help }
}

const fn counter(name: &'static str, help: &'static str) -> Measure {
    Measure { name, grows: true, help }
}

/// All that there is. What is not listed here cannot be told.
pub const MEASURES: &[Measure] = &[
    gauge("accord_build_info", "1; which program and version runs"),
    gauge("accord_ready", "1 where the check finds nothing, 0 where it does"),
    gauge("accord_ends_timestamp_seconds", "When something ends that has to be replaced in time"),
    gauge("accord_store_free_bytes", "Room on the disk of the store"),
    gauge("accord_store_bytes", "What the store takes on its disk"),
    gauge("accord_journal_entries", "Entries of the journal"),
    counter("accord_calls_total", "Calls that were answered, by port and gRPC code"),
    counter("accord_calls_refused_total", "Calls that were refused, by port and reason code"),
    counter(
        "accord_handshakes_refused_total",
        "TLS handshakes that were refused, by port and reason",
    ),
    gauge(
        "accord_not_taken_in",
        "1 while a file was replaced and cannot be used; what was there counts",
    ),
    gauge("accord_clock_offset_seconds", "How far a peer's clock is ahead of the one here"),
    gauge("accord_peer_up", "1 where a peer was heard lately"),
    gauge("accord_peer_maintenance", "1 while a peer is in maintenance that it has announced"),
    gauge("accord_peer_contact_timestamp_seconds", "When a peer was heard last"),
    gauge("accord_backup_last_success_timestamp_seconds", "When the last backup was written"),
    gauge("accord_grants", "Node: grants, in force or not"),
    gauge("accord_inbox_open", "Node: requirements that wait for people"),
    gauge("accord_maintenance", "1 while others are refused for maintenance that is announced"),
    gauge("accord_in_doubt", "1 while somebody has to confirm a restored store"),
    gauge("accord_answers_released", "Node: answers that the store holds"),
    gauge("accord_collections", "Coordinator: collections that are open"),
    gauge("accord_deliveries_waiting", "Coordinator: members that wait for a picture"),
    counter("accord_gathers_total", "Coordinator: gathers that have ended, by result"),
    counter("accord_gather_seconds_total", "Coordinator: how long gathers took together"),
];

/// Values that a label of a measure may have, where they are a closed list; whoever is a peer, and what is installed, is none.
pub fn values(measure: &str, label: &str) -> Option<Vec<&'static str>> {
    Some(match (measure, label) {
        (_, "port") => PORTS.to_vec(),
        (_, "code") => counting::CODES.to_vec(),
        (_, "check") => health::CHECKS.to_vec(),
        ("accord_handshakes_refused_total", "reason") => Refusal::ALL.map(Refusal::as_str).to_vec(),
        (_, "reason") => Reason::ALL.iter().map(|reason| reason.code()).collect(),
        ("accord_not_taken_in", "what") => renewal::FILES.to_vec(),
        (_, "what") => expiry::KINDS.to_vec(),
        ("accord_grants", "state") => vec!["in_force", "other"],
        (_, "state") => vec!["open"],
        (_, "result") => vec!["drawn", "waiting", "failed"],
        (_, "program") => vec!["accord-node", "accord-coordinator"],
        _ => return None,
    })
}

/// Under which names ports are counted.
pub const PORTS: [&str; 4] = ["exchange", "desk", "region", "dial"];

/// Names and values of labels.
pub type Labels = Vec<(&'static str, String)>;

/// One value at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// One of [`MEASURES`].
    pub name: &'static str,
    /// What tells it from others of this name.
    pub labels: Labels,
    /// In the unit that the name ends with.
    pub value: f64,
}

impl Reading {
    /// The only one of its name.
    pub fn of(name: &'static str, value: f64) -> Self {
        Self { name, labels: Vec::new(), value }
    }

    /// One of several.
    pub fn with(
        name: &'static str,
        label: &'static str,
        of: impl Into<String>,
        value: f64,
    ) -> Self {
        Self { name, labels: vec![(label, of.into())], value }
    }
}

/// A count as it is measured; beyond 2^53 nobody counts.
#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
pub fn count(of: u64) -> f64 {
    of as f64
}

/// A moment as it is measured.
#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
pub fn moment(seconds: i64) -> f64 {
    seconds as f64
}

/// Counts of what has been answered on the ports of a service. Copies are one.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    /// By port, then by gRPC code and, of what was refused, the reason.
    calls: BTreeMap<(&'static str, &'static str, Option<&'static str>), u64>,
    /// Refused, by port and reason.
    handshakes: BTreeMap<(&'static str, &'static str), u64>,
}

impl Tally {
    /// One more call.
    pub fn count(&self, port: &'static str, code: &'static str, reason: Option<&'static str>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.calls.entry((port, code, reason)).or_default() += 1;
    }

    /// So many more handshakes that were refused.
    pub fn handshakes(&self, port: &'static str, reason: &'static str, more: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.handshakes.entry((port, reason)).or_default() += more;
    }

    /// All of them.
    pub fn readings(&self) -> Vec<Reading> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut calls = BTreeMap::<_, u64>::new();
        let mut readings = Vec::new();
        readings.extend(counts.handshakes.iter().map(|((port, reason), number)| Reading {
            name: "accord_handshakes_refused_total",
            labels: vec![("port", (*port).to_owned()), ("reason", (*reason).to_owned())],
            value: count(*number),
        }));
        for ((port, code, reason), number) in &counts.calls {
            *calls.entry((*port, *code)).or_default() += number;
            if let Some(reason) = reason {
                readings.push(Reading {
                    name: "accord_calls_refused_total",
                    labels: vec![("port", (*port).to_owned()), ("reason", (*reason).to_owned())],
                    value: count(*number),
                });
            }
        }
        let calls = calls.into_iter().map(|((port, code), number)| Reading {
            name: "accord_calls_total",
            labels: vec![("port", port.to_owned()), ("code", code.to_owned())],
            value: count(number),
        });
        readings.extend(calls);
        readings
    }
}

#[derive(Debug)]
struct Readings(Vec<Reading>);

impl Collector for Readings {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for Measure { name, grows, help } in MEASURES {
            let of_name: Vec<_> = self.0.iter().filter(|reading| reading.name == *name).collect();
            if of_name.is_empty() {
                continue;
            }
            // The library adds the ending by itself.
            let stem = name.strip_suffix("_total").unwrap_or(name);
            let kind = if *grows { MetricType::Counter } else { MetricType::Gauge };
            let mut family = encoder.encode_descriptor(stem, help, None, kind)?;
            for Reading { labels, value, .. } in of_name {
                let one = family.encode_family(labels)?;
                if *grows {
                    ConstCounter::new(*value).encode(one)?;
                } else {
                    ConstGauge::new(*value).encode(one)?;
                }
            }
        }
        Ok(())
    }
}

/// The text that Prometheus reads (OpenMetrics 1.0).
pub fn text(readings: Vec<Reading>) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Readings(readings)));
    let mut text = String::new();
    // Writing to memory does not fail.
    let _ = prometheus_client::encoding::text::encode(&mut text, &registry);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_is_written_as_prometheus_reads_it_and_nothing_else() {
        let tally = Tally::default();
        tally.count("exchange", "OK", None);
        tally.count("exchange", "OK", None);
        tally.count("exchange", "RESOURCE_EXHAUSTED", Some("OVERLOADED"));
        let mut readings = tally.readings();
        readings.push(Reading::of("accord_store_bytes", 4_096.0));
        readings.push(Reading::of("accord_seizures_of_cocaine", 43.0));
        readings.push(Reading::with("accord_ready", "check", "disk", 0.0));
        let text = text(readings);
        for line in [
            "# TYPE accord_calls counter",
            "accord_calls_total{port=\"exchange\",code=\"OK\"} 2.0",
            "accord_calls_refused_total{port=\"exchange\",reason=\"OVERLOADED\"} 1.0",
            "accord_store_bytes 4096.0",
            "accord_ready{check=\"disk\"} 0.0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("cocaine"), "{text}");
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn no_name_stands_twice_and_what_grows_says_so() {
        let names: std::collections::BTreeSet<_> = MEASURES.iter().map(|of| of.name).collect();
        assert_eq!(names.len(), MEASURES.len());
        assert!(MEASURES.iter().all(|of| of.grows == of.name.ends_with("_total")));
    }
}
