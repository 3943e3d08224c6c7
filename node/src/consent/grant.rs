//! A grant and its life. Comes in: checked terms, and what a person does with them. Goes out: the versions of a grant, the
//! newest of which counts. Must never widen what was consented to under an id, nor drop a version.
//!
//! ```text
//! give ─► in force ⇄ suspended          narrow: stays as it is, with less
//!             └─────────┴─► withdrawn   for ever
//! ```

use accord_proto::{
    clock::Timestamp,
    id::GrantId,
    identity::Identity,
    limits::GRANT_VERSIONS_MAX,
    reason::{Invalid, Reason},
    taxonomy::{Lists, Period},
};

use super::terms::{Effect, Permit, RawGrant, Scope, Terms};

/// What is done with a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is given.
    Give,
    /// It is left with less.
    Narrow,
    /// It does not hold until it is resumed.
    Suspend,
    /// It holds again.
    Resume,
    /// It is taken back.
    Withdraw,
}

impl Step {
    const NAMES: [(Self, &'static str); 5] = [
        (Self::Give, "give"),
        (Self::Narrow, "narrow"),
        (Self::Suspend, "suspend"),
        (Self::Resume, "resume"),
        (Self::Withdraw, "withdraw"),
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(step, _)| *step == self).map_or("", |(_, name)| name)
    }

    /// Reads its name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(_, name)| *name == text).map(|(step, _)| step)
    }
}

/// Who did it, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// The consent epoch that it raised: it orders what is done to all grants.
    pub epoch: u64,
    /// When.
    pub at: Timestamp,
    /// Who; none: an older version of this program did not note it here.
    pub by: Option<Identity>,
}

/// A grant as it stood after a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// What it says.
    pub terms: Terms,
    /// What was done.
    pub step: Step,
    /// Not to be used until it is resumed.
    pub suspended: bool,
    /// By whom and when.
    pub deed: Deed,
}

/// Where a grant stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its time has not come.
    NotYet,
    /// It holds.
    InForce,
    /// It does not hold until it is resumed.
    Suspended,
    /// Its time is over.
    Expired,
    /// It was taken back.
    Withdrawn,
}

impl State {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotYet => "not-yet",
            Self::InForce => "in-force",
            Self::Suspended => "suspended",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// A standing consent, or a standing refusal, with its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    id: GrantId,
    /// All but the newest, oldest first.
    before: Vec<Version>,
    newest: Version,
}

impl Grant {
    /// A new grant.
    pub fn give(raw: &RawGrant, deed: Deed, lists: &Lists) -> Result<Self, Invalid> {
        let (id, terms) = Terms::parse(raw, lists)?;
        let newest = Version { terms, step: Step::Give, suspended: false, deed };
        Ok(Self { id, before: Vec::new(), newest })
    }

    /// Puts a history together again, version by version.
    pub fn replay(id: GrantId, known: Option<Self>, next: Version) -> Result<Self, Invalid> {
        let Some(mut known) = known else {
            return Ok(Self { id, before: Vec::new(), newest: next });
        };
        let in_order = known.newest.deed.epoch <= next.deed.epoch && known.id == id;
        if !in_order || known.newest.step == Step::Withdraw || next.step == Step::Give {
            let detail = format!("damaged: the versions of grant {id} do not follow each other");
            return Err(Invalid::new(Reason::StoreFailed, "store.grant", detail));
        }
        known.before.push(std::mem::replace(&mut known.newest, next));
        Ok(known)
    }

    /// Its id.
    pub fn id(&self) -> GrantId {
        self.id
    }

    /// Every version, oldest first.
    pub fn versions(&self) -> impl DoubleEndedIterator<Item = &Version> {
        self.before.iter().chain([&self.newest])
    }

    /// How it stands.
    pub fn newest(&self) -> &Version {
        &self.newest
    }

    /// The number of the newest version, from 1.
    pub fn number(&self) -> u32 {
        u32::try_from(self.before.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// What it says, as text.
    pub fn to_raw(&self) -> RawGrant {
        self.newest.terms.to_raw(self.id)
    }

    /// What it said when it was given, as text.
    pub fn given_as(&self) -> RawGrant {
        self.before.first().unwrap_or(&self.newest).terms.to_raw(self.id)
    }

    /// Taken back?
    pub fn withdrawn(&self) -> bool {
        self.newest.step == Step::Withdraw
    }

    /// Consent, and no rule that forbids?
    pub fn permits(&self) -> bool {
        self.newest.terms.effect != Effect::Forbid
    }

    /// Where it stands at a moment.
    pub fn state(&self, now: Timestamp) -> State {
        match &self.newest {
            _ if self.withdrawn() => State::Withdrawn,
            Version { terms, .. } if now >= terms.until => State::Expired,
            Version { suspended: true, .. } => State::Suspended,
            Version { terms, .. } if now < terms.from => State::NotYet,
            Version { .. } => State::InForce,
        }
    }

    /// Does it hold at a moment?
    pub fn in_force(&self, now: Timestamp) -> bool {
        self.state(now) == State::InForce
    }

    /// Whole days until its end, rounded up; 0: it is over.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        let seconds = self.newest.terms.until.as_s().saturating_sub(now.as_s());
        seconds.max(0).saturating_add(86_399) / 86_400
    }

    /// Does it hold, and is its end so near that it has to be said?
    pub fn ends_soon(&self, now: Timestamp) -> bool {
        let warn = i64::from(self.newest.terms.warn_days);
        self.in_force(now) && warn > 0 && self.days_left(now) <= warn
    }

    /// Leaves it with less; none: it says so already. What would be more is refused by name.
    pub fn narrow(
        &self,
        raw: &RawGrant,
        deed: Deed,
        lists: &Lists,
    ) -> Result<Option<Self>, Invalid> {
        self.check_stands("narrowed")?;
        let (_, terms) = Terms::parse(raw, lists)?;
        if terms == self.newest.terms {
            return Ok(None);
        }
        check_narrower(&self.newest.terms, &terms)?;
        self.check_room()?;
        let suspended = self.newest.suspended;
        Ok(Some(self.with(Version { terms, step: Step::Narrow, suspended, deed })))
    }

    /// Out of use until it is resumed; none: it is already.
    pub fn suspend(&self, deed: Deed) -> Result<Option<Self>, Invalid> {
        self.check_stands("suspended")?;
        if self.newest.terms.effect == Effect::Forbid {
            return state("a rule that forbids is not suspended; withdraw it");
        }
        if self.newest.suspended {
            return Ok(None);
        }
        self.check_room()?;
        Ok(Some(self.step(Step::Suspend, true, deed)))
    }

    /// In use again; none: it is already.
    pub fn resume(&self, deed: Deed) -> Result<Option<Self>, Invalid> {
        self.check_stands("resumed")?;
        if !self.newest.suspended {
            return Ok(None);
        }
        Ok(Some(self.step(Step::Resume, false, deed)))
    }

    /// Taken back for ever; none: it is already.
    pub fn withdraw(&self, deed: Deed) -> Option<Self> {
        (!self.withdrawn()).then(|| self.step(Step::Withdraw, self.newest.suspended, deed))
    }

    fn step(&self, step: Step, suspended: bool, deed: Deed) -> Self {
        let terms = self.newest.terms.clone();
        self.with(Version { terms, step, suspended, deed })
    }

    fn with(&self, next: Version) -> Self {
        let mut before = self.before.clone();
        before.push(self.newest.clone());
        Self { id: self.id, before, newest: next }
    }

    fn check_stands(&self, what: &str) -> Result<(), Invalid> {
        if self.withdrawn() {
            return state(&format!("it was withdrawn and cannot be {what}"));
        }
        Ok(())
    }

    /// Taking back is always possible; what can be done again and again is not.
    fn check_room(&self) -> Result<(), Invalid> {
        if (self.number() as usize) < GRANT_VERSIONS_MAX {
            return Ok(());
        }
        let detail = format!("{GRANT_VERSIONS_MAX} versions are the most; withdraw it");
        Err(Invalid::new(Reason::LimitExceeded, "grant", detail))
    }
}

fn state<T>(detail: &str) -> Result<T, Invalid> {
    Err(Invalid::new(Reason::GrantState, "grant", detail))
}

/// Refuses whatever is wider than before, by the name of its field.
fn check_narrower(before: &Terms, after: &Terms) -> Result<(), Invalid> {
    let (Effect::Permit(was), Effect::Permit(is)) = (before.effect, after.effect) else {
        return wider("effect", "only a grant that permits is narrowed");
    };
    let (old, new) = (&before.scope, &after.scope);
    let same = [
        ("indicator", old.indicator == new.indicator),
        ("purpose", old.purpose == new.purpose),
        ("audience", old.audience == new.audience),
    ];
    if let Some((field, _)) = same.iter().find(|(_, same)| !same) {
        return wider(field, "is another");
    }
    check_smaller(old, new)?;
    check_stricter(was, is)?;
    let conditions = before.conditions.is_empty() || before.conditions == after.conditions;
    let kept = [
        ("from_s", before.from <= after.from),
        ("until_s", after.until <= before.until),
        ("conditions", conditions),
        ("handling", before.handling.iter().all(|code| after.handling.contains(code))),
    ];
    match kept.iter().find(|(_, kept)| !kept) {
        Some((field, _)) => wider(field, "takes a bound or a condition away"),
        None => Ok(()),
    }
}

fn check_smaller(old: &Scope, new: &Scope) -> Result<(), Invalid> {
    let areas = match (&old.crime_areas, &new.crime_areas) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(old), Some(new)) => new.iter().all(|area| old.contains(area)),
    };
    let inside = |bound: fn(&Scope) -> Option<Period>, keeps: fn(Period, Period) -> bool| match (
        bound(old),
        bound(new),
    ) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(old), Some(new)) => old.granularity() == new.granularity() && keeps(old, new),
    };
    let authorities = old.authorities.is_empty()
        || !new.authorities.is_empty()
            && new.authorities.iter().all(|name| old.authorities.contains(name));
    let smaller = [
        ("crime_areas", areas),
        ("region_levels", new.levels.iter().all(|level| old.levels.contains(level))),
        ("dimensions", new.dimensions.iter().all(|code| old.dimensions.contains(code))),
        ("first_period", inside(|scope| scope.first, |old, new| old <= new)),
        ("last_period", inside(|scope| scope.last, |old, new| new <= old)),
        ("authorities", authorities),
    ];
    match smaller.iter().find(|(_, smaller)| !smaller) {
        Some((field, _)) => wider(field, "names more than before"),
        None => Ok(()),
    }
}

fn check_stricter(was: Permit, is: Permit) -> Result<(), Invalid> {
    let ((tier, open, totals), (new_tier, new_open, new_totals)) =
        (was.precision.takes(), is.precision.takes());
    let stricter = [
        ("precision", tier <= new_tier && open <= new_open && totals <= new_totals),
        ("contribution", was.contribution <= is.contribution),
        ("minimum_contributors", was.minimum_contributors <= is.minimum_contributors),
        ("release", was.release <= is.release),
        ("not_before_s", was.not_before <= is.not_before),
    ];
    match stricter.iter().find(|(_, stricter)| !stricter) {
        Some((field, _)) => wider(field, "is less strict than before"),
        None => Ok(()),
    }
}

fn wider<T>(field: &str, detail: &str) -> Result<T, Invalid> {
    let detail = format!("{detail}: a grant is only ever narrowed; give another one for more");
    Err(Invalid::new(Reason::GrantWider, field, detail))
}
