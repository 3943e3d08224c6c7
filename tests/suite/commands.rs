//! Every command line that a document, a unit, a container or a package shows is one that the programs take: their own definitions read it. A
//! block is read whole; what a sentence mentions may leave out what is needed beside it, and names nothing that there is not.

use std::{collections::BTreeSet, fs, path::PathBuf};

use accord_proto::operate::cli::Program as _;
use clap::{Command, error::ErrorKind};

/// Where command lines stand.
const FILES: [&str; 28] = [
    "README.md",
    "node/README.md",
    "node/DISCLOSURE.md",
    "coordinator/README.md",
    "proto/README.md",
    "tests/README.md",
    "deploy/README.md",
    "deploy/SECURITY.md",
    "deploy/monitoring/RUNBOOK.md",
    "deploy/airgap/INSTALL.txt",
    "deploy/check/inside.sh",
    "deploy/compose/compose.yaml",
    "deploy/compose/keys.sh",
    "deploy/container/Containerfile",
    "deploy/coordinator.toml",
    "deploy/node.toml",
    "deploy/mapping.toml",
    "deploy/requirement.toml",
    "deploy/roster.toml",
    "deploy/summary.toml",
    "deploy/examples/minimal-node.toml",
    "deploy/packages/build.sh",
    "deploy/packages/postrm",
    "deploy/systemd/accord-backup@.service",
    "deploy/systemd/accord-coordinator.service",
    "deploy/systemd/accord-node.service",
    "tests/golden/accord-coordinator.txt",
    "tests/golden/accord-node.txt",
];

/// What stands for something else; every other word stands for itself.
const FILLED: [(&str, &str); 6] = [
    ("N", "1"),
    ("COMMAND", "show"),
    ("LENGTH", "2h"),
    ("$program", "accord-coordinator"),
    // A template of systemd: here of the node.
    ("/usr/bin/accord-%i", "accord-node"),
    ("ExecStart=/usr/bin/accord-%i", "accord-node"),
];

/// Spans that begin like a command and are none.
const NONE: [&str; 2] = ["verify gate combine picture", "[gate] policy"];

/// Words before a program that leave it one.
const BEFORE: [&str; 9] = ["sudo", "if", "until", "while", "do", "then", "!", "exec", "{"];
/// Programs that run another one, named somewhere behind.
const RUNNERS: [&str; 2] = ["setpriv", "systemd-run"];

/// A command line as it was found.
struct Found {
    file: &'static str,
    /// Names of the programs that it may be of.
    programs: Vec<&'static str>,
    words: Vec<String>,
    /// Somebody types it as it stands.
    whole: bool,
}

fn definition(program: &str) -> Command {
    match program {
        "accord-node" => accord_node::examine::Examined::command(),
        _ => accord_coordinator::examine::Examined::command(),
    }
}

#[test]
fn every_command_line_that_is_shown_is_one_that_the_programs_take() {
    let found = found();
    let of = |whole| found.iter().filter(|of| of.whole == whole).count();
    assert!(of(true) > 100 && of(false) > 60, "{} and {} were found", of(true), of(false));
    let wrong: Vec<_> = found
        .iter()
        .filter_map(|of| Some(format!("{}: {}: {}", of.file, of.words.join(" "), refused(of)?)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_flag_that_has_another_name_by_now_is_found_out() {
    let mut renamed = 0;
    for mut of in found() {
        let Some(flag) = of.words.iter_mut().find(|word| word.starts_with("--")) else { continue };
        flag.insert_str(2, "renamed-");
        assert!(refused(&of).is_some(), "{}: {} was taken", of.file, of.words.join(" "));
        renamed += 1;
    }
    assert!(renamed > 100, "{renamed}");
}

/// Why none of its programs takes it.
fn refused(of: &Found) -> Option<String> {
    let mut why = None;
    for program in &of.programs {
        why = Some(refused_by(program, of)?);
    }
    why
}

fn refused_by(program: &str, of: &Found) -> Option<String> {
    let words = |more: &[&str]| {
        let all = of.words.iter().map(String::as_str).chain(more.iter().copied());
        std::iter::once(program).chain(all).map(str::to_owned).collect::<Vec<_>>()
    };
    let Err(mut error) = definition(program).try_get_matches_from(words(&[])) else { return None };
    if error.kind() == ErrorKind::MissingRequiredArgument && error.to_string().contains("--client")
    {
        // `export ACCORD_CLIENT` stands before it.
        let again = definition(program).try_get_matches_from(words(&["--client", "client.toml"]));
        error = again.err()?;
    }
    let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let is_part = matches!(
        error.kind(),
        ErrorKind::MissingRequiredArgument
            | ErrorKind::MissingSubcommand
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    // A flag that is named without what it takes.
    let is_bare = of.words.last().is_some_and(|last| last.starts_with("--"))
        && error.kind() == ErrorKind::InvalidValue;
    (!is_help && (of.whole || !(is_part || is_bare))).then(|| error.to_string())
}

fn found() -> Vec<Found> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut found = Vec::new();
    for file in FILES {
        let text =
            fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        if file.ends_with(".md") {
            for (at, part) in text.split("\n```").enumerate() {
                match (at % 2, part.strip_prefix("sh\n")) {
                    (1, Some(block)) => found.extend(typed(file, block)),
                    (1, None) => {}
                    _ => found.extend(mentioned(file, part)),
                }
            }
        } else {
            let is_help = file.starts_with("tests/golden/");
            // Of a help text its examples, which stand further out than how it is used.
            let lines = text.lines().filter(|line| !is_help || line.starts_with("  accord-"));
            found.extend(typed(file, &lines.collect::<Vec<_>>().join("\n")));
            found.extend(text.lines().flat_map(|line| mentioned(file, line)));
        }
    }
    found
}

/// Command lines that stand for themselves.
fn typed(file: &'static str, text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    for line in text.replace("\\\n", " ").lines() {
        let line = line.trim_start_matches(['#', ' ', '/']);
        let mut commands = Vec::new();
        match line.split_once('[').filter(|(_, list)| list.contains("/usr/bin/accord-")) {
            // A list of YAML or JSON.
            Some((_, list)) => {
                let list = list.split(']').next().unwrap_or_default();
                let words = list.split(',').map(|word| word.trim().trim_matches('"').to_owned());
                commands.push(words.filter(|word| word != "CMD").collect());
            }
            None => lex(line, &mut commands),
        }
        for words in commands {
            let words: Vec<_> = words.iter().map(|word| fill(word)).collect();
            let Some((program, at)) = program_of(&words) else { continue };
            let words: Vec<_> = words[at + 1..].to_vec();
            if !words.is_empty() {
                found.push(Found { file, programs: vec![program], words, whole: true });
            }
        }
    }
    found
}

/// The program of a simple command, and where its name stands.
fn program_of(words: &[String]) -> Option<(&'static str, usize)> {
    let name = |word: &String| match word.strip_prefix("ExecStart=").unwrap_or(word) {
        "accord-node" | "/usr/bin/accord-node" => Some("accord-node"),
        "accord-coordinator" | "/usr/bin/accord-coordinator" => Some("accord-coordinator"),
        _ => None,
    };
    let at = words.iter().position(|word| name(word).is_some())?;
    let runs = words.first().is_some_and(|first| RUNNERS.contains(&first.as_str()));
    let leaves = |word: &String| BEFORE.contains(&word.as_str()) || word.contains('=');
    (runs || words[..at].iter().all(leaves)).then(|| (name(&words[at]).unwrap_or_default(), at))
}

/// What a sentence names between backticks: of a program, or of both if it begins with a command that they have.
fn mentioned(file: &'static str, text: &str) -> Vec<Found> {
    let tops: Vec<(&'static str, BTreeSet<String>)> = ["accord-node", "accord-coordinator"]
        .map(|program| {
            let names = definition(program);
            let names = names.get_subcommands().map(|command| command.get_name().to_owned());
            (program, names.collect())
        })
        .into();
    let mut found = Vec::new();
    for span in text.split('`').skip(1).step_by(2).filter(|span| !NONE.contains(span)) {
        for span in alternatives(&span.replace('\n', " ").replace(['[', ']'], "")) {
            let mut commands = Vec::new();
            lex(&span, &mut commands);
            let [words] = commands.as_slice() else { continue };
            let words: Vec<_> = words.iter().map(|word| fill(word)).collect();
            if let Some((program, at)) = program_of(&words) {
                let words = words[at + 1..].to_vec();
                found.push(Found { file, programs: vec![program], words, whole: false });
                continue;
            }
            let Some(first) = words.first().filter(|_| words.len() > 1) else { continue };
            let programs: Vec<_> = tops
                .iter()
                .filter(|(_, names)| names.contains(first))
                .map(|(program, _)| *program)
                .collect();
            if !programs.is_empty() {
                found.push(Found { file, programs, words, whole: false });
            }
        }
    }
    found
}

/// `grant show|narrow GRANT` is two.
fn alternatives(span: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    for word in span.split(' ') {
        let several: Vec<_> = word.split('|').filter(|one| !one.is_empty()).collect();
        let several = if several.len() > 1 { several } else { vec![word] };
        all = all
            .iter()
            .flat_map(|begun| several.iter().map(move |one| format!("{begun}{one} ")))
            .collect();
    }
    all
}

fn fill(word: &str) -> String {
    let filled = FILLED.iter().find(|(name, _)| *name == word);
    filled.map_or_else(|| word.to_owned(), |(_, value)| (*value).to_owned())
}

/// The simple commands of a line of shell, those within `$(…)` among them; what they come to is one word.
fn lex(line: &str, commands: &mut Vec<Vec<String>>) {
    let (mut words, mut word, mut begun) = (Vec::new(), String::new(), false);
    let mut skip = false;
    let mut quote = None;
    let mut rest = line.char_indices().peekable();
    let end_word =
        |word: &mut String, begun: &mut bool, words: &mut Vec<String>, skip: &mut bool| {
            if std::mem::take(begun) {
                let word = std::mem::take(word);
                if !std::mem::take(skip) {
                    words.push(word);
                }
            }
        };
    while let Some((at, c)) = rest.next() {
        match (c, quote) {
            ('$', None | Some('"')) if line[at + 1..].starts_with('(') => {
                let inner = &line[at + 2..];
                let length = closing(inner);
                lex(&inner[..length], commands);
                word.push_str("VALUE");
                begun = true;
                while rest.peek().is_some_and(|(next, _)| *next <= at + 2 + length) {
                    rest.next();
                }
            }
            (c, Some(open)) if c == open => quote = None,
            (c, Some(_)) => word.push(c),
            ('\'' | '"', None) => {
                quote = Some(c);
                begun = true;
            }
            (' ' | '\t', None) => end_word(&mut word, &mut begun, &mut words, &mut skip),
            ('#', None) if !begun => break,
            ('>' | '<', None) => {
                // 2> and the like are no word.
                if word.chars().all(|c| c.is_ascii_digit()) {
                    (word, begun) = (String::new(), false);
                }
                end_word(&mut word, &mut begun, &mut words, &mut skip);
                skip = true;
            }
            (';' | '|' | '&' | '(' | ')', None) => {
                end_word(&mut word, &mut begun, &mut words, &mut skip);
                commands.push(std::mem::take(&mut words));
                skip = false;
            }
            (c, None) => {
                word.push(c);
                begun = true;
            }
        }
    }
    end_word(&mut word, &mut begun, &mut words, &mut skip);
    commands.push(words);
    commands.retain(|words| !words.is_empty());
}

/// Where the bracket closes that is open at the begin.
fn closing(text: &str) -> usize {
    let mut open = 1;
    for (at, c) in text.char_indices() {
        open += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        if open == 0 {
            return at;
        }
    }
    text.len()
}
