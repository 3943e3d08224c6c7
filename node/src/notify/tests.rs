//! Notices, with real programs and a relay on this host.

use std::os::unix::fs::PermissionsExt as _;

use accord_proto::{
    clock::{FixedClock, SystemEntropy},
    expiry::Ending,
    id::RequirementId,
    identity::{Identity, Name},
    seal::Digest,
    taxonomy::Lists,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
};

use super::*;
use crate::{
    consent::{Deed, Grant, RawGrant},
    inbox::{Event, Item, Step},
};

fn begin() -> Timestamp {
    Timestamp::parse("", "2026-11-24").unwrap()
}

fn asked(days: i64) -> Asked {
    let lists = Lists::builtin();
    Asked {
        id: RequirementId::mint(&FixedClock(begin()), &SystemEntropy).unwrap(),
        digest: Digest([7; 32]),
        authority: Name::parse("", "analysis-unit").unwrap(),
        purpose: lists.purpose("", "THREAT-ASSESSMENT").unwrap(),
        audience: lists.audience("", "POLICE").unwrap(),
        closes_at: begin().plus_s(days * 86_400),
    }
}

fn notice() -> Notice {
    Notice::of(Kind::Received, &asked(10))
}

#[test]
fn a_notice_holds_ids_purpose_and_time_and_nothing_else() {
    let notice = notice();
    let json: serde_json::Value = serde_json::from_str(&notice.to_json()).unwrap();
    let keys: Vec<_> = json.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["kind", "subject", "authority", "purpose", "deadline"]);
    assert_eq!(json["deadline"], "2026-12-04T00:00:00Z");
    assert!(notice.to_text().contains("Authority: analysis-unit"), "{}", notice.to_text());
}

fn script(dir: &std::path::Path, text: &str) -> Hook {
    let program = dir.join("hook");
    std::fs::write(&program, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    let out = dir.join("out").display().to_string();
    Hook {
        program,
        arguments: vec![out, "$(false); a".to_owned()],
        within: Duration::from_secs(30),
    }
}

#[tokio::test]
async fn a_program_is_told_on_its_standard_input_and_no_shell_reads_its_arguments() {
    let dir = tempfile::tempdir().unwrap();
    let hook = script(dir.path(), "{ cat; echo; echo \"$2\"; } > \"$1\"");
    hook.run(&notice().to_json()).await.unwrap();
    let told = std::fs::read_to_string(dir.path().join("out")).unwrap();
    let (json, argument) = told.trim().split_once('\n').unwrap();
    assert_eq!(argument, "$(false); a");
    assert!(json.contains("requirement_received"), "{json}");
}

#[tokio::test]
async fn a_program_that_fails_hangs_or_is_not_there_is_named_and_ended() {
    let dir = tempfile::tempdir().unwrap();
    let failing = script(dir.path(), "exit 3");
    assert!(failing.run("{}").await.unwrap_err().contains('3'));
    let hanging =
        Hook { within: Duration::from_millis(50), ..script(dir.path(), "exec sleep 600") };
    assert!(hanging.run("{}").await.unwrap_err().contains("killed"));
    let absent = Hook { program: dir.path().join("absent"), ..failing };
    assert!(!absent.run("{}").await.unwrap_err().is_empty());
}

/// A relay that takes one letter and gives back what it was told.
async fn relay(listener: TcpListener) -> String {
    let (stream, _) = listener.accept().await.unwrap();
    let (reading, mut writing) = stream.into_split();
    let mut lines = BufReader::new(reading).lines();
    writing.write_all(b"220 relay\r\n").await.unwrap();
    let (mut told, mut in_letter) = (String::new(), false);
    while let Some(line) = lines.next_line().await.unwrap() {
        told += &format!("{line}\n");
        let reply: &[u8] = match (in_letter, line.as_str()) {
            (true, ".") => {
                in_letter = false;
                b"250 taken\r\n"
            }
            (true, _) => continue,
            (false, "DATA") => {
                in_letter = true;
                b"354 go on\r\n"
            }
            (false, "QUIT") => break,
            (false, _) => b"250 relay\r\n",
        };
        writing.write_all(reply).await.unwrap();
        if told.contains("\n.\n") {
            break;
        }
    }
    told
}

fn mail(port: u16) -> Mail {
    Mail {
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::Loopback,
        ca: None,
        login: None,
        from: "accord@police.example".to_owned(),
        to: vec!["duty@police.example".to_owned()],
    }
}

#[tokio::test]
async fn a_relay_on_this_host_gets_a_letter_without_content() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let relay = tokio::spawn(relay(listener));
    let letters = mail(port).open().unwrap();
    letters.send(&notice()).await.unwrap();
    let told = relay.await.unwrap();
    for word in
        ["RCPT TO:<duty@police.example>", "Subject: Accord: requirement received", "analysis-unit"]
    {
        assert!(told.contains(word), "{word}: {told}");
    }
}

#[test]
fn nothing_is_sent_in_the_clear_to_another_host() {
    let away = Mail { host: "192.0.2.1".to_owned(), ..mail(25) };
    assert!(away.open().is_err());
    for security in [Security::Tls, Security::StartTls] {
        let refused = Mail { security, ..away.clone() }.open().err().unwrap();
        assert_eq!(refused.field, "notify.mail.ca", "{refused}");
    }
    assert!(Mail { from: "nobody".to_owned(), ..mail(25) }.open().is_err());
}

fn grant(days: i64) -> Grant {
    let raw = RawGrant {
        grant: accord_proto::id::GrantId::mint(&FixedClock(begin()), &SystemEntropy)
            .unwrap()
            .to_string(),
        indicator: "PUB.OFF.N".to_owned(),
        purpose: "THREAT-ASSESSMENT".to_owned(),
        audience: "POLICE".to_owned(),
        effect: "permit".to_owned(),
        crime_areas: vec!["ALL".to_owned()],
        region_levels: vec![0],
        precision: "tier-a".to_owned(),
        contribution: "pooled".to_owned(),
        release: "automatic".to_owned(),
        from_s: begin().as_s(),
        until_s: begin().plus_s(days * 86_400).as_s(),
        ..RawGrant::default()
    };
    let deed = Deed { epoch: 1, at: begin(), by: None };
    Grant::give(&raw, deed, Lists::builtin()).unwrap()
}

fn waiting(days: i64) -> Item {
    let mut item = Item::receive(asked(days), begin());
    let by = Identity::parse("spiffe://wb6.example/REGION/node/centre/coordinator").unwrap();
    let why = String::new();
    let event = Event { at: begin(), by, step: Step::Await, why, single_handed: false };
    item.step(event, &[]).unwrap();
    item
}

#[test]
fn what_comes_near_its_end_is_told_once_whenever_somebody_looks() {
    let items = [waiting(10), waiting(30)];
    let grants = [grant(20), grant(400)];
    let hour = |hour: i64| begin().plus_s(hour * 3_600);
    let mut told = Vec::new();
    // Looking at odd times, for forty days; once nobody looks for a week.
    let mut looks: Vec<_> = (0..40 * 24).step_by(7).filter(|at| !(200..368).contains(at)).collect();
    looks.push(40 * 24);
    let mut since = Timestamp::EARLIEST;
    for at in looks {
        told.extend(watch::due(&items, &grants, Warnings::default(), (since, hour(at))));
        since = hour(at);
    }
    let kinds: Vec<_> = told.iter().map(|notice| (notice.kind, notice.subject.clone())).collect();
    let of = |kind, item: &Item| (kind, item.asked().id.to_string());
    // The first window ended while nobody looked: it is over, and that stands in the inbox.
    assert_eq!(
        kinds,
        [(Kind::GrantEnding, grants[0].id().to_string()), of(Kind::DeadlineNear, &items[1]),]
    );
    // What came when its end was near is told at once, and only once.
    let short = [waiting(1)];
    let first = watch::due(&short, &[], Warnings::default(), (begin().plus_s(-60), begin()));
    assert_eq!(first.len(), 1);
    assert!(watch::due(&short, &[], Warnings::default(), (begin(), hour(1))).is_empty());
}

#[test]
fn what_ends_is_told_once_at_each_stage_also_after_a_long_silence() {
    let ends = begin().plus_s(100 * 86_400);
    let all = [Ending { what: "certificate".to_owned(), since: None, ends }];
    let day = |left: i64| ends.plus_s(-left * 86_400);
    for (since, now, told) in [
        (40, 31, 0),
        (31, 30, 1),
        (30, 15, 0),
        (15, 14, 1),
        (14, 4, 0),
        (4, 3, 1),
        (3, 1, 0),
        (40, 1, 1),
        (40, 0, 0),
    ] {
        let notices = watch::ending(&all, (day(since), day(now)));
        assert_eq!(notices.len(), told, "{since} to {now} days before");
        for notice in notices {
            assert_eq!((notice.subject.as_str(), notice.deadline), ("certificate", ends));
        }
    }
    assert_eq!(watch::ending(&all, (Timestamp::EARLIEST, day(5))).len(), 1);
}
