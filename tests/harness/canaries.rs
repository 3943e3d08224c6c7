//! What must stand in no log, measure or answer about health. Comes in: a federation that ends, with all that its services have said.
//! Goes out: where something of the sample's figures, or of a person, was said after all.

use std::{
    collections::BTreeSet,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    sync::OnceLock,
    time::Duration,
};

use crate::federation::sample_dir;

/// Figures shorter than this stand in times and ports, too.
const DIGITS_MIN: usize = 5;
/// A service that ends is asked so long.
const PATIENCE: Duration = Duration::from_secs(2);

/// What was said that must not be said: each with the place, and the line.
pub fn found(dir: &Path, asked: &[&str]) -> Vec<String> {
    let mut said = Vec::new();
    for place in asked {
        for path in ["/metrics", "/ready"] {
            said.push((format!("{place}{path}"), ask(place, path).unwrap_or_default()));
        }
    }
    let homes = std::fs::read_dir(dir).into_iter().flatten().flatten();
    for log in homes.map(|home| home.path().join("log")) {
        if let Ok(text) = std::fs::read_to_string(&log) {
            said.push((log.display().to_string(), text));
        }
    }
    let lines = said.iter().flat_map(|(place, text)| text.lines().map(move |line| (place, line)));
    lines.filter(|(_, line)| tells(line)).map(|(place, line)| format!("{place}: {line}")).collect()
}

/// Does a line tell a figure of the sample, or who somebody is?
fn tells(line: &str) -> bool {
    line.contains("/staff/") || tells_figure(line)
}

/// Does a text tell a figure of the sample?
pub fn tells_figure(text: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.');
    words.any(|word| figures().contains(word.trim_end_matches(".0")))
}

/// Long figures of the sample: nothing else looks like them.
fn figures() -> &'static BTreeSet<String> {
    static FIGURES: OnceLock<BTreeSet<String>> = OnceLock::new();
    FIGURES.get_or_init(|| {
        let files = std::fs::read_dir(sample_dir()).into_iter().flatten().flatten();
        let files = files.map(|file| file.path());
        let tables = files.filter(|file| file.extension().is_some_and(|kind| kind == "csv"));
        let texts: Vec<_> = tables.filter_map(|file| std::fs::read_to_string(file).ok()).collect();
        let cells = texts.iter().flat_map(|text| text.split([',', '\n', '\r']));
        let long = |cell: &&str| {
            cell.len() >= DIGITS_MIN && cell.bytes().all(|byte| byte.is_ascii_digit())
        };
        cells.filter(long).map(str::to_owned).collect()
    })
}

/// What a service says of itself, if it still does.
fn ask(place: &str, path: &str) -> Option<String> {
    let place: SocketAddr = place.parse().ok()?;
    let mut stream = TcpStream::connect_timeout(&place, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {place}\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_or_a_person_in_a_line_is_noticed_and_an_id_or_a_time_is_not() {
        let figure = figures().first().unwrap();
        for line in [
            format!("value={figure}"),
            format!("{{\"value\":{figure}}}"),
            format!("accord_x {figure}.0"),
            "peer=spiffe://wb6.example/AL/staff/ana/analyst".to_owned(),
        ] {
            assert!(tells(&line), "{line}");
        }
        for line in [
            format!("requirement=01{figure}-7abc"),
            "2026-11-24T02:48:48.123456Z INFO serving".to_owned(),
            "spiffe://wb6.example/AL/node/al-police/node".to_owned(),
        ] {
            assert!(!tells(&line), "{line}");
        }
    }
}
