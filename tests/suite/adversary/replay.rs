//! Replays: what was truly sealed, shown again where it does not belong. Outside there is one code; at home each has a
//! reason of its own.

use std::collections::BTreeSet;

use accord_coordinator::{
    gather::Reply,
    verify::{Seen, SeenSeal, SeenTable, Silence, VerifiedAnswer, verify},
};
use accord_proto::{
    answer::{Answer, Seal},
    clock::{Clock as _, SystemClock, Timestamp},
    question::SignedRequirement,
    reason::{Invalid, Reason},
    seal::{Digest, SecretKey},
    table::Cell,
    taxonomy::Lists,
    wire,
};
use accord_tests::peers;

use super::{
    HOMICIDE,
    lies::{resealed, retabled},
    true_answer,
};
use crate::{Running, with_sample};

/// A true answer, and whoever looks at it.
struct Scene {
    running: Running,
    asked: SignedRequirement,
    truth: wire::SealedTable,
    key: SecretKey,
}

impl Scene {
    fn set() -> Self {
        let running = with_sample(&["AL"]);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let asked = peers::requirement(&running, &[HOMICIDE]).unwrap();
        let truth = runtime.block_on(true_answer(&running, "al-police", &asked));
        let key = peers::secret_key(&running, "al-police/keys/seal.key").unwrap();
        Self { running, asked, truth, key }
    }

    fn verified(
        &self,
        sealed: &wire::SealedTable,
        seen: Seen,
        now: Timestamp,
    ) -> Result<VerifiedAnswer, Silence> {
        let member = peers::roster(&self.running).unwrap().members[0].clone();
        let reply = Reply { member, said: Ok(Answer::Sealed(sealed.clone())) };
        verify(reply, &self.asked, seen, Lists::builtin(), now)
    }

    fn refused(&self, sealed: &wire::SealedTable, seen: Seen) -> Invalid {
        let outcome = self.verified(sealed, seen, SystemClock.now());
        let Err(Silence::Rejected(why)) = outcome else { panic!("believed: {outcome:?}") };
        why
    }

    /// The same table, sealed anew by the node's own key with something changed.
    fn resealed(&self, change: impl FnOnce(&mut Seal)) -> wire::SealedTable {
        resealed(&self.truth, &self.key, &self.key, change)
    }
}

#[test]
fn every_kind_of_replay_is_refused_with_a_reason_of_its_own() {
    let scene = Scene::set();
    let now = SystemClock.now();
    let accepted = scene.verified(&scene.truth, Seen::default(), now).unwrap();
    let (first, seal) = (accepted.seen(), accepted.seal().clone());
    let same = |seen: SeenTable| Seen { same: Some(seen), newest: None };
    let newest = |sequence| Seen {
        same: None,
        newest: Some(SeenSeal { sequence, digest: Digest([9; 32]) }),
    };
    assert!(scene.verified(&scene.truth, same(first), now).is_ok(), "the very same again");

    let lists = Lists::builtin();
    let other = lists.audiences().find(|audience| *audience != seal.audience).unwrap();
    let fresh = Seen::default;
    let cases = [
        (
            "the old seal after a new one",
            scene.truth.clone(),
            same(SeenTable { sequence: first.sequence + 1, ..first }),
        ),
        (
            "an older state of consent under a new number",
            scene.resealed(|seal| seal.sequence += 1),
            same(SeenTable { consent_epoch: first.consent_epoch + 1, ..first }),
        ),
        ("for another audience", scene.resealed(|seal| seal.audience = other), fresh()),
        (
            "for another requirement",
            scene.resealed(|seal| {
                let minted = accord_proto::id::RequirementId::mint(
                    &SystemClock,
                    &accord_proto::clock::SystemEntropy,
                );
                seal.requirement = minted.unwrap();
            }),
            fresh(),
        ),
        (
            "for another document with the same id",
            scene.resealed(|seal| seal.requirement_digest = Digest([9; 32])),
            fresh(),
        ),
        (
            "for another question",
            scene.resealed(|seal| seal.question_digest = Digest([9; 32])),
            fresh(),
        ),
        (
            "to another authority",
            scene.resealed(|seal| seal.authority = seal.node.clone()),
            fresh(),
        ),
        ("after its time", scene.resealed(|seal| seal.expires_at = now.plus_s(-1)), fresh()),
        (
            "two seals with one number",
            scene.resealed(|seal| seal.issued_at = seal.issued_at.plus_s(-60)),
            same(first),
        ),
        (
            "not the follower of the seal before",
            scene.resealed(|seal| seal.previous = Some(Digest([8; 32]))),
            newest(seal.sequence - 1),
        ),
    ];
    let mut reasons = BTreeSet::new();
    for (name, sealed, seen) in cases {
        let why = scene.refused(&sealed, seen);
        assert_eq!(why.reason, Reason::AnswerStale, "{name}: {why}");
        assert!(reasons.insert((why.field.clone(), why.detail.clone())), "{name}: {why}");
    }
}

#[test]
fn a_seal_follows_the_one_before_whatever_that_was_for() {
    let scene = Scene::set();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let first = scene.verified(&scene.truth, Seen::default(), SystemClock.now()).unwrap();
    let other = peers::requirement(&scene.running, &[HOMICIDE]).unwrap();
    let second = runtime.block_on(true_answer(&scene.running, "al-police", &other));
    let second =
        Seal::open(second.seal.as_ref().unwrap(), &[scene.key.public()], Lists::builtin()).unwrap();
    assert_eq!(second.sequence, first.seal().sequence + 1);
    assert_eq!(second.previous, first.seen().seal);
    assert_eq!((second.snapshot, second.question_digest), {
        let seal = first.seal();
        (seal.snapshot, seal.question_digest)
    });
    assert_eq!(second.table_digest, first.seal().table_digest, "the same block, the same bytes");
    assert_eq!((second.supersedes, first.seal().supersedes), (None, None));
}

#[test]
fn a_table_sealed_differently_for_the_same_requirement_is_refused() {
    let scene = Scene::set();
    let now = SystemClock.now();
    let first = scene.verified(&scene.truth, Seen::default(), now).unwrap().seen();
    let seen = Seen { same: Some(first), newest: None };
    let changed = retabled(&scene.truth, &scene.key, |table| {
        table.blocks[0].cells[0] = Cell::Value(72);
    });
    assert_eq!(scene.refused(&changed, seen).reason, Reason::AnswerChanged);
    // Also under a new state of consent, if it does not say that it takes the place of another.
    let later = |supersedes: Option<Digest>| {
        resealed(&changed, &scene.key, &scene.key, |seal| {
            seal.sequence += 1;
            seal.consent_epoch += 1;
            seal.supersedes = supersedes;
        })
    };
    assert_eq!(scene.refused(&later(None), seen).reason, Reason::AnswerChanged);
    assert!(scene.verified(&later(Some(first.table)), seen, now).is_ok());
}
