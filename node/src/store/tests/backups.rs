//! Backups: the store at one moment, or nothing at all.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_the_store_at_one_moment_whatever_is_written_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("data")).unwrap();
    // More than is read at once, so that some of it changes before it is read.
    for number in 1..=600 {
        import(&store, u8::try_from(number % 251).unwrap(), "71", true);
    }
    let (before, head) = (all_values(&store), store.head());
    let mut file = Vec::new();
    let mut round = 0_u64;
    let piece = |piece: Vec<u8>| {
        // Between any two pieces somebody writes: something new, something changed, something removed.
        round += 1;
        if round <= 20 {
            import(&store, u8::try_from(100 + round).unwrap(), "5", true);
            let mut change = store.begin().unwrap();
            change.undo(&store.import(round).unwrap()).unwrap();
            change.erase_import(&store.import(601 - round).unwrap()).unwrap();
            change.mapping(&format!("mapping {round}"), "text");
            change.commit(entry()).unwrap();
        }
        file.extend(piece);
        Ok(())
    };
    let snapshot = store.snapshot().unwrap();
    assert_eq!(store.snapshot().unwrap_err().reason, Reason::Overloaded);
    snapshot.write_in_pieces(OWNER, now(), 512, piece).unwrap();
    drop(snapshot);
    assert!(round > 20, "{round} pieces");

    let path = dir.path().join("file");
    fs::write(&path, file).unwrap();
    let (header, _) = check(&path).unwrap();
    assert_eq!((header.journal_size, header.imports), (head.journal().size(), 600));
    let restored =
        restore(&path, &dir.path().join("new"), now(), (&NONE, &SystemEntropy)).await.unwrap();
    assert_eq!(restored.journal_size, head.journal().size() + 1);
    let store = open(&dir.path().join("new")).unwrap();
    assert_eq!(store.found(), Found::Whole);
    let own = [schema::JOURNAL_KEY, schema::COUNTERS_KEY].map(str::as_bytes);
    let mut after = all_values(&store);
    // The entry that says that it was restored.
    let last = head.journal().size().to_be_bytes();
    after.retain(|(room, key, _)| *room != Room::Journal || *key != last);
    for (before, after) in before.iter().zip(&after) {
        if before.0 != Room::Meta || !own.contains(&before.1.as_slice()) {
            assert!(before == after, "{:?}", before.0);
        }
    }
    assert_eq!(before.len(), after.len());
}

#[tokio::test]
async fn a_damaged_backup_is_refused_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("data")).unwrap();
    import(&store, 1, "71", true);
    let (whole, path, new) = (backup(&store), dir.path().join("file"), dir.path().join("new"));
    let mut damages: Vec<Vec<u8>> = vec![[&whole[..], b"x"].concat()];
    for at in (0..whole.len()).step_by(7) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        damages.push(flipped);
        damages.push(whole[..at].to_vec());
    }
    for damaged in damages {
        fs::write(&path, &damaged).unwrap();
        let error = restore(&path, &new, now(), (&NONE, &SystemEntropy)).await.unwrap_err();
        assert_eq!(
            (error.reason, error.field.as_str()),
            (Reason::StoreFailed, path.to_str().unwrap())
        );
        assert!(!new.exists());
    }
    fs::write(&path, &whole).unwrap();
    fs::create_dir(&new).unwrap();
    fs::write(new.join("something"), "").unwrap();
    let error = restore(&path, &new, now(), (&NONE, &SystemEntropy)).await.unwrap_err();
    assert_eq!(error.reason, Reason::FileExists);
    assert!(error.detail.contains("is not empty; nothing was touched"), "{error}");
    fs::remove_file(new.join("something")).unwrap();
    restore(&path, &new, now(), (&NONE, &SystemEntropy)).await.unwrap();
}
