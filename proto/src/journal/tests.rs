//! The right edge against the vectors of RFC 6962; proofs against another implementation.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use sha2::Sha256;

use super::*;
use crate::{
    clock::{SystemEntropy, Timestamp},
    identity::Identity,
    seal::{PublicKey, SecretKey},
};

const ORIGIN: &str = "wb6.example/AL/al-police";

#[test]
fn roots_are_those_of_rfc_6962() {
    let entries = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    let roots = [
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut frontier = Frontier::default();
    assert!(frontier.root().to_string().starts_with("e3b0c442"));
    for (at, entry) in entries.iter().enumerate() {
        frontier.append(&hex::decode(entry).unwrap());
        if at > 0 {
            assert_eq!(frontier.root().to_string(), roots[at - 1], "size {}", at + 1);
        }
        assert_eq!(Frontier::from_bytes(&frontier.to_bytes()).unwrap(), frontier);
    }
}

#[test]
fn a_damaged_head_is_noticed() {
    let mut frontier = Frontier::default();
    frontier.append(b"x");
    let bytes = frontier.to_bytes();
    assert!(Frontier::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    assert!(Frontier::from_bytes(&[]).is_err());
}

/// A tree of so many leaves, ours and another's.
struct Twins {
    leaves: Vec<Digest>,
    ours: Tree,
    heads: Vec<Checkpoint>,
    theirs: MemoryBackedTree<Sha256, Vec<u8>>,
}

impl Twins {
    fn grow(size: u64) -> Self {
        let (mut ours, mut theirs) = (Tree::default(), MemoryBackedTree::new());
        let (mut leaves, mut heads) = (Vec::new(), vec![head(&ours)]);
        for at in 0..size {
            let entry = at.to_be_bytes().to_vec();
            leaves.push(leaf(&entry));
            ours.append(leaf(&entry));
            heads.push(head(&ours));
            theirs.push(entry);
        }
        Self { leaves, ours, heads, theirs }
    }

    fn head(&self, size: u64) -> &Checkpoint {
        &self.heads[usize::try_from(size).unwrap()]
    }

    fn leaves(&self) -> impl Leaves + '_ {
        |range| {
            let range = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
            Ok(self.leaves[range].to_vec())
        }
    }
}

fn head(tree: &Tree) -> Checkpoint {
    Checkpoint::of(ORIGIN, tree.frontier())
}

fn bytes(proof: &Proof) -> Vec<u8> {
    proof.hashes().iter().flat_map(|hash| hash.0).collect()
}

/// Every proof with one hash changed, one gone, one more.
fn spoiled(proof: &Proof) -> Vec<Proof> {
    let mut all = Vec::new();
    for at in 0..proof.0.len() {
        let mut other = proof.clone();
        other.0[at].0[7] ^= 1;
        all.push(other);
        let mut other = proof.clone();
        other.0.remove(at);
        all.push(other);
    }
    let mut other = proof.clone();
    other.0.push(Digest([7; 32]));
    all.push(other);
    all
}

#[test]
fn every_proof_is_the_one_that_another_implementation_gives() {
    // Small trees whole; and one with whole chunks, which are not read again.
    for size in (1..=33).chain([700]) {
        let twins = Twins::grow(size);
        let new = twins.head(size);
        assert_eq!(new.root.0[..], twins.theirs.root().as_bytes()[..]);
        let step = if size > 33 { 37 } else { 1 };
        for at in (0..size).step_by(step) {
            let proof = twins.ours.inclusion(at, size, twins.leaves()).unwrap();
            let theirs = twins.theirs.prove_inclusion(usize::try_from(at).unwrap());
            assert_eq!(bytes(&proof), theirs.as_bytes(), "entry {at} of {size}");
            let leaf = twins.leaves[usize::try_from(at).unwrap()];
            verify_inclusion(leaf, at, new, &proof).unwrap();
            verify_inclusion(Digest([1; 32]), at, new, &proof).unwrap_err();
            verify_inclusion(leaf, size, new, &proof).unwrap_err();
            for wrong in spoiled(&proof) {
                verify_inclusion(leaf, at, new, &wrong).unwrap_err();
            }

            let (old, added) = (at + 1, size - at - 1);
            let proof = twins.ours.consistency(old, size, twins.leaves()).unwrap();
            if added > 0 {
                let theirs = twins.theirs.prove_consistency(usize::try_from(added).unwrap());
                assert_eq!(bytes(&proof), theirs.as_bytes(), "{old} of {size}");
            }
            verify_consistency(twins.head(old), new, &proof).unwrap();
            let rewritten = Checkpoint { root: Digest([1; 32]), ..twins.head(old).clone() };
            verify_consistency(&rewritten, new, &proof).unwrap_err();
            let rewritten = Checkpoint { root: Digest([1; 32]), ..new.clone() };
            verify_consistency(twins.head(old), &rewritten, &proof).unwrap_err();
            for wrong in spoiled(&proof) {
                verify_consistency(twins.head(old), new, &wrong).unwrap_err();
            }
        }
    }
}

#[test]
fn a_proof_between_any_two_sizes_holds_and_reads_two_chunks_at_most() {
    let twins = Twins::grow(2_100);
    let read = std::cell::Cell::new(0);
    let leaves = |range: std::ops::Range<u64>| {
        read.set(read.get() + range.end - range.start);
        twins.leaves()(range)
    };
    for old in (0..=2_100).step_by(53) {
        for new in (old..=2_100).step_by(71) {
            read.set(0);
            let proof = twins.ours.consistency(old, new, leaves).unwrap();
            verify_consistency(twins.head(old), twins.head(new), &proof).unwrap();
            assert!(read.get() <= 512, "{} leaves read for {old} of {new}", read.get());
            assert_eq!(twins.ours.root_at(old, twins.leaves()).unwrap(), twins.head(old).root);
        }
    }
    assert!(twins.ours.consistency(3, 2_101, twins.leaves()).is_err());
    assert!(twins.ours.consistency(3, 2, twins.leaves()).is_err());
    assert!(twins.ours.inclusion(3, 3, twins.leaves()).is_err());
}

#[test]
fn a_journal_that_was_rewritten_rolled_back_or_told_twice_does_not_continue() {
    let (old, new) = (Twins::grow(20), Twins::grow(30));
    let refused = |old: &Checkpoint, new: &Checkpoint, proof: &Proof| {
        verify_consistency(old, new, proof).unwrap_err()
    };
    let none = Proof::default();
    let error = refused(new.head(30), old.head(20), &none);
    assert_eq!(error.reason, Reason::JournalInconsistent);
    assert!(error.detail.contains("20 entries where it had 30 before"), "{error}");
    let second = Checkpoint { root: Digest([9; 32]), ..old.head(20).clone() };
    assert!(refused(old.head(20), &second, &none).detail.contains("two versions"));
    let proof = new.ours.consistency(20, 30, new.leaves()).unwrap();
    assert!(refused(&second, new.head(30), &proof).detail.contains("do not begin"));
    let other = Checkpoint { origin: "wb6.example/BA/ba-police".into(), ..new.head(30).clone() };
    assert!(refused(old.head(20), &other, &proof).detail.contains("is that of"));
    let nothing = Checkpoint { size: 0, ..second };
    refused(&nothing, new.head(30), &none);
    verify_consistency(new.head(0), new.head(30), &none).unwrap();
}

#[test]
fn a_signed_note_is_the_one_of_the_specification() {
    // The example of C2SP signed-note.
    let vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    let key = VerifierKey::parse("key", vkey).unwrap();
    assert_eq!(key.to_string(), vkey);
    let signature = "\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1E\
        RYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    let signed = format!("This is an example message.\n\n{signature}");
    let text = note::open("note", &signed, std::slice::from_ref(&key)).unwrap();
    assert_eq!(text, "This is an example message.\n");
    for wrong in [
        signed.replace("example m", "another m"),
        signed.replace("/foo ", "/bar "),
        signed.trim_end().to_owned(),
        signed.replace("\n\n", "\n"),
        signed.replace("Uw2Q", "Uw2R"),
        format!("{signed}\n"),
    ] {
        let error = note::open("note", &wrong, std::slice::from_ref(&key)).unwrap_err();
        assert_eq!(error.reason, Reason::SignatureInvalid, "{wrong}");
    }
    // Beside a witness that nobody here knows.
    let witnessed = signed.replace('\u{2014}', "\u{2014} example.com/eye AAAAAAAA\n\u{2014}");
    note::open("note", &witnessed, &[key]).unwrap();
    // A key whose hash is written down elsewhere.
    let known = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    assert_eq!(VerifierKey::parse("key", known).unwrap().to_string(), known);
    for wrong in [known.replace("c7", "c8"), known.replace('+', " "), String::new()] {
        VerifierKey::parse("key", &wrong).unwrap_err();
    }
}

#[test]
fn a_checkpoint_comes_back_and_one_of_another_journal_or_key_does_not() {
    let [key, other] = [(); 2].map(|()| SecretKey::generate(&SystemEntropy).unwrap());
    let keys: [PublicKey; 2] = [other.public(), key.public()];
    let head = Twins::grow(5).head(5).clone();
    let note = head.sign(&key);
    assert!(note.starts_with("wb6.example/AL/al-police\n5\n"), "{note}");
    assert_eq!(Checkpoint::open("note", &note, ORIGIN, &keys).unwrap(), head);
    Checkpoint::open("note", &note, ORIGIN, &keys[..1]).unwrap_err();
    Checkpoint::open("note", &note, "wb6.example/BA/ba-police", &keys).unwrap_err();
    Checkpoint::open("note", &note.replace("\n5\n", "\n6\n"), ORIGIN, &keys).unwrap_err();
    let of = |text: &str| note::sign(text, ORIGIN, &key);
    for text in ["a\n", "x\n5\nAAAA\n", "wb6.example/AL/al-police\n05\nAAAA\n"] {
        Checkpoint::open("note", &of(text), ORIGIN, &keys).unwrap_err();
    }
    let more = note::sign(
        &format!("{}more\n", note.split("\n\n").next().unwrap().to_owned() + "\n"),
        ORIGIN,
        &key,
    );
    assert!(Checkpoint::open("note", &more, ORIGIN, &keys).unwrap_err().detail.contains("more"));
    let long = format!("{}{}", "x".repeat(crate::limits::NOTE_BYTES_MAX), note);
    let error = Checkpoint::open("note", &long, ORIGIN, &keys).unwrap_err();
    assert_eq!(error.reason, Reason::LimitExceeded);
}

/// So many entries, as they are stored, and the head over them.
fn journal(size: u64) -> (Vec<Vec<u8>>, Checkpoint) {
    let (mut frontier, mut entries) = (Frontier::default(), Vec::new());
    for at in 0..size {
        let entry = Entry {
            at: Timestamp::EARLIEST.plus_s(i64::try_from(at).unwrap() * 1_000),
            act: Act::ALL[usize::try_from(at).unwrap() % Act::ALL.len()],
            by: Identity::parse("spiffe://wb6.example/AL/staff/besa/releaser").unwrap(),
            to: if at % 2 == 0 { String::new() } else { "POLICE for analysis-unit".to_owned() },
            why: "THREAT-ASSESSMENT; Law 1".to_owned(),
            subject: format!("edition {at}"),
            digest: Digest::of(&at.to_be_bytes()),
        };
        let entry = match at % 3 {
            0 => entry.into(),
            1 => entry.ended(Outcome::Nothing),
            _ => entry.class(Class::BreakGlass).ended(Outcome::Refused),
        };
        let entry = entry.encode(&frontier);
        frontier.append(&entry);
        entries.push(entry);
    }
    (entries, Checkpoint::of(ORIGIN, &frontier))
}

fn walked<'a>(
    from: &Walk,
    entries: impl IntoIterator<Item = &'a Vec<u8>>,
    head: &Checkpoint,
) -> Result<(), Flaw> {
    let mut walk = from.clone();
    for entry in entries {
        walk.step(entry)?;
    }
    walk.finish(head)
}

#[test]
fn an_entry_comes_back_as_it_was_and_an_old_one_was_done_in_the_ordinary_way() {
    let (entries, _) = journal(3);
    let read: Vec<_> = entries.iter().map(|entry| Logged::decode(entry).unwrap()).collect();
    let marks: Vec<_> = read.iter().map(|entry| (entry.outcome, entry.class)).collect();
    let expected = [
        (Outcome::Done, Class::Ordinary),
        (Outcome::Nothing, Class::Ordinary),
        (Outcome::Refused, Class::BreakGlass),
    ];
    assert_eq!(marks, expected);
    assert!(read.iter().zip(0..).all(|(entry, at)| entry.sequence == at));
    // Neither field is written for an ordinary act: so were the entries before these fields were there.
    assert!(!entries[0].windows(4).any(|bytes| bytes == b"done"));
    let mut more = entries[0].clone();
    more.extend([0x98, 0x06, 0x01]); // field 99
    assert!(Logged::decode(&more).unwrap_err().detail.contains("more than is understood"));
}

#[test]
fn a_changed_removed_reordered_or_added_byte_is_found_and_placed() {
    let (entries, head) = journal(36);
    walked(&Walk::default(), &entries, &head).unwrap();
    let mut before = Walk::default();
    for (at, entry) in entries.iter().enumerate() {
        let index = u64::try_from(at).unwrap();
        let rest = &entries[at + 1..];
        // Whatever becomes of this entry, it is this one that is named.
        let placed = |what: &str, changed: Vec<&Vec<u8>>| {
            let flaw = walked(&before, changed, &head).unwrap_err();
            assert_eq!(flaw.index, index, "{what}: {flaw}");
        };
        for position in 0..entry.len() {
            for bit in [0, 3, 7] {
                let mut changed = entry.clone();
                changed[position] ^= 1 << bit;
                placed(&format!("byte {position}"), [&changed].into_iter().chain(rest).collect());
            }
            let mut added = entry.clone();
            added.insert(position, 0x20);
            placed(&format!("added at {position}"), [&added].into_iter().chain(rest).collect());
            let mut removed = entry.clone();
            removed.remove(position);
            placed(&format!("removed {position}"), [&removed].into_iter().chain(rest).collect());
        }
        placed("removed", rest.iter().collect());
        if let Some(next) = rest.first() {
            placed("swapped", [next, entry].into_iter().chain(&rest[1..]).collect());
        }
        let twice = walked(&before, [entry, entry].into_iter().chain(rest), &head).unwrap_err();
        assert_eq!(twice.index, index + 1, "{twice}");
        before.step(entry).unwrap();
    }
    let (longer, _) = journal(37);
    assert_eq!(walked(&Walk::default(), &longer, &head).unwrap_err().index, 36);
    let error = walked(&Walk::default(), &longer, &head).unwrap_err().refusal();
    assert_eq!((error.reason, &*error.field), (Reason::JournalInconsistent, "journal[36]"));
}

#[test]
fn an_export_says_what_its_entries_say_and_nothing_else() {
    let (entries, head) = journal(12);
    let lines: Vec<_> =
        entries.iter().map(|entry| write_line(ORIGIN, entry, None).unwrap()).collect();
    let read = |lines: &[String]| read_export(lines.join("\n").as_bytes(), &head);
    let whole = Exported { entries: 12, whole: true };
    assert_eq!(read(&lines).unwrap(), whole);
    // Whatever is changed in any field of a line, the line is named.
    let line: serde_json::Value = serde_json::from_str(&lines[4]).unwrap();
    for field in line.as_object().unwrap().keys() {
        for value in [serde_json::Value::Null, "other".into(), serde_json::json!({"a": 1})] {
            let mut changed = line.clone();
            changed[field] = value;
            let mut lines = lines.clone();
            lines[4] = changed.to_string();
            let error = read(&lines).unwrap_err();
            assert!(error.field.starts_with("line 5"), "{field}: {error}");
        }
    }
    let mut longer = lines.clone();
    longer[4] = "x".repeat(crate::limits::JOURNAL_LINE_BYTES_MAX + 1);
    assert_eq!(read(&longer).unwrap_err().reason, Reason::LimitExceeded);

    let (mut tree, mut leaves) = (Tree::default(), Vec::new());
    for entry in &entries {
        leaves.push(leaf(entry));
        tree.append(leaf(entry));
    }
    let hashes = |range: std::ops::Range<u64>| {
        let range = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
        Ok(leaves[range].to_vec())
    };
    let proven = |at: u64| {
        let proof = tree.inclusion(at, 12, hashes).unwrap();
        write_line(ORIGIN, &entries[usize::try_from(at).unwrap()], Some(&proof)).unwrap()
    };
    let part = Exported { entries: 3, whole: false };
    assert_eq!(read(&[proven(2), proven(5), proven(11)]).unwrap(), part);
    assert_eq!(read(&[proven(5), proven(5)]).unwrap_err().field, "line 2");
    assert_eq!(read(&[lines[0].clone(), proven(5)]).unwrap_err().field, "export");
    let other = Checkpoint { root: Digest([1; 32]), ..head.clone() };
    let error = read_export(proven(3).as_bytes(), &other).unwrap_err();
    assert_eq!(error.reason, Reason::JournalInconsistent);
}

/// Found by fuzzing: of a name that stood twice, the check saw the last one and other programs may see the first.
#[test]
fn a_line_of_an_export_has_one_spelling() {
    let (entries, head) = journal(3);
    let lines: Vec<_> =
        entries.iter().map(|entry| write_line(ORIGIN, entry, None).unwrap()).collect();
    let read = |lines: &[String]| read_export(lines.join("\n").as_bytes(), &head);
    read(&lines).unwrap();
    let lie = |from: &str, to: &str| {
        let mut lines = lines.clone();
        let changed = lines[1].replacen(from, to, 1);
        assert_ne!(changed, lines[1]);
        lines[1] = changed;
        read(&lines).unwrap_err().field
    };
    assert_eq!(lie("{", "{\"message\":\"nothing happened\","), "line 2", "a name twice");
    assert_eq!(lie(":", ": "), "line 2", "a blank");
    assert_eq!(lie("metadata", "met\\u0061data"), "line 2", "a letter as its number");
}

#[test]
fn a_filter_takes_what_fits_in_every_respect() {
    let (entries, _) = journal(12);
    let entries: Vec<_> = entries.iter().map(|entry| Logged::decode(entry).unwrap()).collect();
    let taken = |filter: &Filter| {
        let filter = Filter::from_wire(&filter.to_wire()).unwrap();
        entries.iter().filter(|entry| filter.takes(entry)).count()
    };
    let all = Filter::default();
    assert!(all.takes_all() && taken(&all) == 12);
    assert_eq!(taken(&Filter { act: Some(Act::Erasure), ..all.clone() }), 2);
    assert_eq!(taken(&Filter { by: "besa".into(), ..all.clone() }), 12);
    let whole = "spiffe://wb6.example/AL/staff/besa/releaser";
    assert_eq!(taken(&Filter { by: whole.into(), ..all.clone() }), 12);
    assert_eq!(taken(&Filter { by: "bes".into(), ..all.clone() }), 0);
    assert_eq!(taken(&Filter { to: "analysis-unit".into(), ..all.clone() }), 6);
    let from = Some(Timestamp::EARLIEST.plus_s(3_000));
    let until = Some(Timestamp::EARLIEST.plus_s(5_000));
    assert_eq!(taken(&Filter { from, until, ..all.clone() }), 2);
    assert_eq!(taken(&Filter { from, to: "POLICE".into(), ..all }), 5);
}
