//! A product whole: every text, step and word, under signatures that anybody checks without a network. Comes in: a file, or the
//! next step. Goes out: what has become of it, and the file with the step. Must never hold a step that does not continue the
//! chain, nor one that its owner has not signed.

use std::collections::BTreeMap;

use prost::Message as _;

use super::{
    course::{Against, Course},
    step::{Deed, Step},
};
use crate::{
    clock::Timestamp,
    id::ProductId,
    identity::Name,
    limits::{CLOSING_BYTES_MAX, DOSSIER_BYTES_MAX, PRODUCT_STEPS_MAX},
    reason::{Invalid, Reason},
    roster::{Roster, bounded},
    seal::{self, Digest, Envelope, Kind, PublicKey, SecretKey},
    strict,
    taxonomy::Lists,
    wire::product as wire,
};

const SCHEMA: &str = "accord.dossier.v1";

/// Whom to believe.
#[derive(Clone, Copy, Debug)]
pub struct Trust<'a> {
    /// The federation root's key.
    pub root: &'a PublicKey,
    /// The code lists.
    pub lists: &'a Lists,
}

/// A roster, and as it was signed.
pub type Signed = (Envelope, Roster);

/// A step, and as it was signed.
#[derive(Clone, Debug)]
pub struct Taken {
    /// As it was signed.
    pub envelope: Envelope,
    /// What it says.
    pub step: Step,
}

impl Taken {
    /// Is it this deed, asked for again? What members have said is filled in by whoever takes the step: there it counts as the
    /// same, whatever was in it.
    pub fn is_again(&self, deed: &Deed) -> bool {
        match (&self.step.deed, deed) {
            (Deed::CloseRound(_), Deed::CloseRound(_))
            | (Deed::Close(_), Deed::Close(_))
            | (Deed::Hear(_), Deed::Hear(_)) => true,
            (Deed::Publish(taken), Deed::Publish(deed)) => {
                (&taken.content_sha256, taken.readable_from_s)
                    == (&deed.content_sha256, deed.readable_from_s)
            }
            (taken, deed) => taken == deed,
        }
    }

    /// Has this owner signed it, under a key of this roster?
    pub fn is_signed_by(&self, owner: &Name, roster: &Roster) -> bool {
        check_signed(&self.envelope, owner, roster).is_ok()
    }

    /// SHA-256 of what was signed.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.envelope.payload)
    }
}

/// A product whole. Made by [`Dossier::open`], [`Dossier::begin`] and [`Dossier::take`] only.
#[derive(Clone, Debug)]
pub struct Dossier {
    rosters: BTreeMap<u64, Signed>,
    steps: Vec<Taken>,
    course: Course,
}

/// Who takes a step, and when.
#[derive(Clone, Copy, Debug)]
pub struct Hand<'a> {
    /// When.
    pub at: Timestamp,
    /// The roster that is relied on now.
    pub roster: (&'a Envelope, &'a Roster),
    /// The owner's key.
    pub key: &'a SecretKey,
    /// The code lists.
    pub lists: &'a Lists,
}

impl Dossier {
    /// Reads a file and checks all of it.
    pub fn open(file: &[u8], trust: Trust<'_>) -> Result<Self, Invalid> {
        Self::read(file, Some(trust.root), trust.lists)
    }

    /// The same of a file that a service gave which the reader believes: who signed the rosters in it is not checked.
    pub fn believed(file: &[u8], lists: &Lists) -> Result<Self, Invalid> {
        Self::read(file, None, lists)
    }

    fn read(file: &[u8], root: Option<&PublicKey>, lists: &Lists) -> Result<Self, Invalid> {
        bounded("dossier", file.len(), DOSSIER_BYTES_MAX)?;
        let wire::Dossier { schema, rosters, steps } = strict::decode_signed("dossier", file)?;
        if schema != SCHEMA {
            let detail = format!("{} is not {SCHEMA}", crate::reason::quoted(&schema));
            return Err(Invalid::new(Reason::FieldInvalid, "dossier.schema", detail));
        }
        Self::chained(open_rosters(rosters, root, lists)?, steps, lists)
    }

    /// The same of its parts: rosters ascending by version, steps in their order.
    pub fn of(
        rosters: Vec<Envelope>,
        steps: Vec<Envelope>,
        trust: Trust<'_>,
    ) -> Result<Self, Invalid> {
        Self::chained(open_rosters(rosters, Some(trust.root), trust.lists)?, steps, trust.lists)
    }

    fn chained(
        rosters: BTreeMap<u64, Signed>,
        steps: Vec<Envelope>,
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        let mut steps = steps.into_iter().enumerate();
        let (_, first) = steps.next().ok_or_else(|| {
            Invalid::new(Reason::FieldMissing, "dossier.steps", "it has not begun")
        })?;
        let named = |at: usize| move |error: Invalid| error.within(format!("steps[{at}]"));
        let mut dossier = Self::first(rosters, first, lists).map_err(named(0))?;
        for (at, envelope) in steps {
            dossier.follow(envelope, lists).map_err(named(at))?;
        }
        Ok(dossier)
    }

    /// The first step of a new product.
    pub fn begin(product: ProductId, draft: wire::Draft, hand: Hand<'_>) -> Result<Self, Invalid> {
        let step = Step {
            product,
            number: 1,
            previous: None,
            at: hand.at,
            roster_version: hand.roster.1.version,
            deed: Deed::Draft(draft),
        };
        let (envelope, roster) = hand.roster;
        let rosters = BTreeMap::from([(roster.version, (envelope.clone(), roster.clone()))]);
        Self::first(rosters, step.sign(hand.key), hand.lists)
    }

    /// The next step of it. The dossier stays as it was if it may not be taken.
    pub fn take(&self, deed: Deed, hand: Hand<'_>) -> Result<Self, Invalid> {
        let mut next = self.clone();
        let (envelope, roster) = hand.roster;
        next.rosters.entry(roster.version).or_insert_with(|| (envelope.clone(), roster.clone()));
        let step = Step {
            product: self.product(),
            number: number(self.steps.len() + 1),
            previous: Some(self.head()),
            // A clock that was put back makes no step earlier than the one before.
            at: self.steps.last().map_or(hand.at, |last| last.step.at.max(hand.at)),
            roster_version: roster.version,
            deed,
        };
        // Texts leave room for what members may still say, and everything for what has to be closed.
        let open = DOSSIER_BYTES_MAX - CLOSING_BYTES_MAX;
        let most = match &step.deed {
            Deed::Draft(_) => open - self.course.unsaid(),
            Deed::Circulate(_)
            | Deed::CloseRound(_)
            | Deed::Resolve(_)
            | Deed::Finalise(_)
            | Deed::Open(_)
            | Deed::Hear(_) => open,
            Deed::Close(_)
            | Deed::Publish(_)
            | Deed::Correct(_)
            | Deed::Recall(_)
            | Deed::Archive(_) => DOSSIER_BYTES_MAX,
        };
        next.follow(step.sign(hand.key), hand.lists)?;
        bounded("dossier", next.write().len(), most)?;
        Ok(next)
    }

    fn first(
        rosters: BTreeMap<u64, Signed>,
        envelope: Envelope,
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        let step = Step::read(&envelope.payload)?;
        if (step.number, step.previous) != (1, None) {
            let detail = "is not the first, and nothing stands before it";
            return Err(Invalid::new(Reason::ProductForked, "step.number", detail));
        }
        let roster = roster_of(&rosters, &step)?;
        let course = Course::begin(&step, Against { roster, lists })?;
        check_signed(&envelope, &course.content.owner, roster)?;
        Ok(Self { rosters, steps: vec![Taken { envelope, step }], course })
    }

    /// Checks the next step, and takes it in.
    fn follow(&mut self, envelope: Envelope, lists: &Lists) -> Result<(), Invalid> {
        bounded("dossier.steps", self.steps.len() + 1, PRODUCT_STEPS_MAX)?;
        let step = Step::read(&envelope.payload)?;
        let roster = roster_of(&self.rosters, &step)?;
        check_signed(&envelope, &self.course.content.owner, roster)?;
        let last = self.steps.last().map(|last| &last.step);
        let continues = step.product == self.product()
            && step.number == number(self.steps.len() + 1)
            && step.previous == Some(self.head())
            && last.is_none_or(|last| {
                last.at <= step.at && last.roster_version <= step.roster_version
            });
        if !continues {
            let detail = format!("does not continue the step {} before it", self.steps.len());
            return Err(Invalid::new(Reason::ProductForked, "step.previous_sha256", detail));
        }
        self.course.add(&step, Against { roster, lists })?;
        self.steps.push(Taken { envelope, step });
        Ok(())
    }

    /// The file: what [`Self::open`] reads.
    pub fn write(&self) -> Vec<u8> {
        self.write_first(self.steps.len())
    }

    /// The file of so many first steps: a beginning of the chain, with the rosters that it needs.
    pub fn write_first(&self, count: usize) -> Vec<u8> {
        let steps: Vec<_> = self.steps.iter().take(count).collect();
        let newest = steps.last().map_or(0, |last| last.step.roster_version);
        let needed = |version: &u64| {
            *version <= newest && steps.iter().any(|taken| taken.step.roster_version == *version)
        };
        let rosters = self.rosters.iter().filter(|(version, _)| needed(version));
        wire::Dossier {
            schema: SCHEMA.to_owned(),
            rosters: rosters.map(|(_, (envelope, _))| envelope.clone()).collect(),
            steps: steps.into_iter().map(|taken| taken.envelope.clone()).collect(),
        }
        .encode_to_vec()
    }

    /// Another step under the number of one of these, which the owner has signed as well: the file of the chain up to it. Both
    /// files verify, and neither continues the other.
    pub fn write_second(&self, second: &Envelope, roster: &Envelope) -> Result<Vec<u8>, Invalid> {
        let number = Step::read(&second.payload)?.number;
        let before = usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
        let beginning = self.write_first(before.min(self.steps.len()));
        let wire::Dossier { schema, mut rosters, mut steps } =
            strict::decode_signed("dossier", &beginning)?;
        if !rosters.contains(roster) {
            rosters.push(roster.clone());
        }
        steps.push(second.clone());
        Ok(wire::Dossier { schema, rosters, steps }.encode_to_vec())
    }

    /// How many first steps may be read by now: not a text that nobody has circulated, and nothing before its moment.
    pub fn readable(&self, now: Timestamp) -> usize {
        let waits =
            |taken: &Taken| taken.step.readable_from().is_some_and(|from| now.as_s() < from);
        let until = self.steps.iter().position(waits).unwrap_or(self.steps.len());
        let private = |taken: &&Taken| matches!(taken.step.deed, Deed::Draft(_));
        until - self.steps.iter().take(until).rev().take_while(private).count()
    }

    /// How many first steps go to the members: as much as can be read one day.
    pub fn told(&self) -> usize {
        self.readable(Timestamp::near(i64::MAX))
    }

    /// Four eyes: nobody who has written any of its texts has it endorsed or published. `hand_of` knows who took a step.
    pub fn check_hands(
        &self,
        (by, deed): (&Name, &Deed),
        hand_of: impl Fn(u32) -> Result<Option<Name>, Invalid>,
    ) -> Result<(), Invalid> {
        if !matches!(deed, Deed::Open(_) | Deed::Publish(_)) {
            return Ok(());
        }
        for written in self.steps.iter().filter(|of| matches!(of.step.deed, Deed::Draft(_))) {
            // A person may hold several certificates: what counts is the name, whatever the role.
            if hand_of(written.step.number)?.is_some_and(|author| author == *by) {
                let detail = "whoever has written a text of it does not have it endorsed or \
                              published: somebody else does";
                return Err(Invalid::new(Reason::FourEyes, "certificate", detail));
            }
        }
        Ok(())
    }

    /// Does it continue what is held already? Then it is the same chain, as long or longer.
    pub fn check_continues(&self, held: &Self) -> Result<(), Invalid> {
        let same = |(ours, held): (&Taken, &Taken)| ours.envelope.payload == held.envelope.payload;
        let agree = self.steps.iter().zip(&held.steps).all(same);
        if agree && self.steps.len() >= held.steps.len() {
            return Ok(());
        }
        let detail = match agree {
            true => format!("has {} steps, and {} are held", self.steps.len(), held.steps.len()),
            false => {
                "another step is held under the same number: the owner has signed both".to_owned()
            }
        };
        Err(Invalid::new(Reason::ProductForked, "dossier", detail))
    }

    /// Which product.
    pub fn product(&self) -> ProductId {
        self.course.content.product
    }

    /// What has become of it.
    pub fn course(&self) -> &Course {
        &self.course
    }

    /// Its steps.
    pub fn steps(&self) -> &[Taken] {
        &self.steps
    }

    /// Rosters that its steps name, ascending.
    pub fn rosters(&self) -> impl Iterator<Item = &Signed> {
        self.rosters.values()
    }

    /// SHA-256 of what was signed last.
    pub fn head(&self) -> Digest {
        self.steps.last().map_or(Digest::of(b""), Taken::digest)
    }

    /// When its last step was taken.
    pub fn at(&self) -> Timestamp {
        self.steps.last().map_or(Timestamp::EARLIEST, |last| last.step.at)
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Opens rosters that a file brings, ascending by version. Without a root whoever gave the file is believed.
pub(super) fn open_rosters(
    rosters: Vec<Envelope>,
    root: Option<&PublicKey>,
    lists: &Lists,
) -> Result<BTreeMap<u64, Signed>, Invalid> {
    bounded("rosters", rosters.len(), PRODUCT_STEPS_MAX)?;
    let mut opened: BTreeMap<u64, Signed> = BTreeMap::new();
    for envelope in rosters {
        let roster = match root {
            Some(root) => Roster::open_of_any_time(&envelope, root, lists)?,
            None => Roster::believed(&envelope, lists)?,
        };
        if opened.last_key_value().is_some_and(|(last, _)| *last >= roster.version) {
            let detail = "are not ascending by version, each once";
            return Err(Invalid::new(Reason::FieldInvalid, "rosters", detail));
        }
        opened.insert(roster.version, (envelope, roster));
    }
    Ok(opened)
}

/// The roster that a step names, which counted when it was taken.
pub(super) fn roster_of<'a>(
    rosters: &'a BTreeMap<u64, Signed>,
    step: &Step,
) -> Result<&'a Roster, Invalid> {
    let (_, roster) = rosters.get(&step.roster_version).ok_or_else(|| {
        let detail = format!("the roster {} is not in the file", step.roster_version);
        Invalid::new(Reason::RosterInvalid, "step.roster_version", detail)
    })?;
    let skew = crate::limits::CLOCK_SKEW_S;
    if step.at < roster.issued_at.plus_s(-skew) || step.at >= roster.expires_at {
        let detail = format!(
            "counts from {} until {}, and the step was taken at {}",
            roster.issued_at, roster.expires_at, step.at
        );
        return Err(Invalid::new(Reason::RosterInvalid, "step.at_s", detail));
    }
    Ok(roster)
}

/// The owner has signed it: a centre, or a node of its own product.
pub(super) fn check_signed(
    envelope: &Envelope,
    owner: &Name,
    roster: &Roster,
) -> Result<(), Invalid> {
    let centre = roster.centres.iter().find(|centre| centre.name == *owner);
    let keys = centre.map(|centre| centre.keys.as_slice());
    let keys = keys.or_else(|| roster.member(owner).map(|member| member.seal_keys.as_slice()));
    let keys = keys.ok_or_else(|| {
        let detail = format!("{owner} is neither a centre nor a member of the roster");
        Invalid::new(Reason::NotFound, "content.owner", detail)
    })?;
    seal::open(envelope, Kind::ProductStep, keys, "step").map(|_| ())
}
