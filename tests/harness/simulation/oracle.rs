//! What must be true, whatever went wrong. Comes in: what happened, and what disks hold after everybody's power has failed once more.
//! Goes out: nothing, or the promise that was broken.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use accord_coordinator::{archive::Archive, collection::End};
use accord_node::{answer::Node, seal::SealedAnswer};
use accord_proto::{
    clock::Clock as _,
    journal::{origin, verify_consistency},
    strict,
    wire::region,
};
use anyhow::{Context as _, Result, ensure};

use super::{
    INDICATORS, MINUTE, Weakness,
    centre::Centre,
    events::{Event, Happened},
    faults::HEALED,
    member::{People, Site},
    product,
    template::{INDICATORS as CODES, UNITS},
};

/// After [`HEALED`], people have decided everywhere: a gather from here on is complete.
pub(super) const LAST_GATHER_MS: u64 = 10_000;

/// A step of a product is everywhere within so much when everything works.
const SETTLES_S: i64 = 25;

/// What is judged.
pub(super) struct Found<'a> {
    pub(super) centre: &'a Centre,
    pub(super) sites: &'a [Arc<Site>],
    pub(super) nodes: &'a [Node],
    pub(super) archive: &'a Archive,
    pub(super) events: &'a [Happened],
    /// What is broken in pictures before they are looked at.
    pub(super) weakness: Option<Weakness>,
}

impl Found<'_> {
    /// Every promise about what goes wrong and is mended.
    pub(super) fn judge(&self) -> Result<()> {
        self.judge_always()?;
        (0..INDICATORS).try_for_each(|which| self.is_complete_at_last(which))
    }

    /// Every promise about a window of days in which everybody has answered in the end.
    pub(super) fn judge_a_week(&self) -> Result<()> {
        for which in 0..INDICATORS {
            let end = self.end(which)?;
            ensure!(end == Some(End::Complete), "requirement {which} has ended as {end:?}");
            let picture = self.picture(which, self.newest(which)?)?;
            let answered =
                |member: &&region::MemberState| member.state() == region::State::Answered;
            let answered = picture.members.iter().filter(answered).count();
            ensure!(answered == self.sites.len(), "{answered} have answered in the last picture");
            self.all_stand_behind(which, &picture)?;
            self.undecided_are_reminded(which)?;
        }
        self.judge_always()
    }

    /// Every promise that holds however it goes on.
    fn judge_always(&self) -> Result<()> {
        for which in 0..INDICATORS {
            self.each_is_counted_once(which)?;
            self.withdrawn_is_withdrawn(which)?;
            self.is_kept(which)?;
            self.is_one_answer_each(which)?;
            let end = self.end(which)?;
            ensure!(end.is_some(), "requirement {which} is collected past its window");
            self.has_arrived(which)?;
        }
        self.is_charged_once()?;
        self.product_is_one()?;
        self.journals_continue()
    }

    /// One chain, whoever holds it.
    fn product_is_one(&self) -> Result<()> {
        let pinned_root = &self.centre.template.root;
        let lists = self.centre.template.lists;
        let trust = accord_proto::product::Trust { root: pinned_root, lists };
        // What was said, and settled, when everything worked again is everywhere.
        let end = self.centre.clock.now();
        let since_s = i64::try_from((MINUTE.over - HEALED).as_secs()).unwrap_or(i64::MAX);
        let times = (end.plus_s(1 - since_s), end.plus_s(-SETTLES_S));
        product::judge(self.archive.product(product::id()?, trust), self.nodes, times)
    }

    /// Who has not decided when the window is almost over is told so once; whoever has answered is left in peace.
    fn undecided_are_reminded(&self, which: usize) -> Result<()> {
        for (at, site) in self.sites.iter().enumerate() {
            let reminded = Event::Reminded { member: at, which };
            let times = self.events.iter().filter(|happened| happened.event == reminded).count();
            let waits = site.people == People::WhenReminded;
            ensure!(times == usize::from(waits), "{} was reminded {times} times", site.name());
        }
        Ok(())
    }

    /// What was acknowledged is there.
    fn is_kept(&self, which: usize) -> Result<()> {
        let issued = self.events.iter().any(|happened| happened.event == Event::Issued(which));
        ensure!(issued, "requirement {which} was never taken in");
        let kept = self.archive.requirement(self.centre.id(which)?);
        kept.with_context(|| format!("requirement {which} was acknowledged and is lost"))?;
        for (_, drawn) in self.drawn(which) {
            let (version, picture) = drawn;
            let kept = self.picture(which, version)?;
            ensure!(
                kept == *picture,
                "picture {version} of requirement {which} is another one now"
            );
        }
        Ok(())
    }

    /// The total has a 1 in the place of each member behind it, and a 0 in that of every other.
    fn each_is_counted_once(&self, which: usize) -> Result<()> {
        for version in 1..=self.newest(which)? {
            let picture = self.picture(which, version)?;
            let answered: BTreeSet<_> = picture
                .members
                .iter()
                .filter(|member| member.state() == region::State::Answered)
                .map(|member| &member.jurisdiction)
                .collect();
            for cell in &picture.cells {
                let behind: BTreeSet<_> = cell.contributors.iter().collect();
                ensure!(
                    behind.is_subset(&answered),
                    "{behind:?} of those who answered: {answered:?}"
                );
                if CODES[which] != CODES[0] || behind.is_empty() {
                    continue;
                }
                let twice = self.weakness == Some(Weakness::CountsTwice);
                let value = cell.value + i64::from(twice);
                let once: i64 = self
                    .sites
                    .iter()
                    .enumerate()
                    .map(|(at, site)| {
                        let counts = behind.contains(&site.member().jurisdiction.to_string());
                        i64::from(counts) * 10_i64.pow(u32::try_from(at).unwrap_or(0))
                    })
                    .sum();
                ensure!(
                    value == once,
                    "picture {version}: {value} where those behind it make {once}"
                );
            }
        }
        Ok(())
    }

    /// Who has taken back consent stands behind no picture that was begun afterwards.
    fn withdrawn_is_withdrawn(&self, which: usize) -> Result<()> {
        for (at, member) in self.withdrawn(which) {
            let code = self.sites[member].member().jurisdiction.to_string();
            for (begun, (version, picture)) in self.drawn(which) {
                let forgets = self.weakness == Some(Weakness::ForgetsConsent);
                let behind = |cell: &region::PictureCell| cell.contributors.contains(&code);
                let behind = forgets || picture.cells.iter().any(behind);
                ensure!(
                    begun <= at || !behind,
                    "{code} is in picture {version}, begun after it had taken back its consent"
                );
            }
        }
        Ok(())
    }

    /// When everything works again and people have decided, everybody's answer is there who still consents; and again the same.
    fn is_complete_at_last(&self, which: usize) -> Result<()> {
        let from = HEALED + Duration::from_millis(LAST_GATHER_MS);
        let last: Vec<_> = self.drawn(which).filter(|(begun, _)| *begun >= from).collect();
        let [(_, (version, picture)), (_, (again, _))] = last[..] else {
            anyhow::bail!(
                "{} gathers of requirement {which} at last, where there should be 2",
                last.len()
            );
        };
        ensure!(version == again, "asked again, the same answers gave another picture");
        for member in &picture.members {
            let state = member.state();
            ensure!(state == region::State::Answered, "at last: {} {state:?}", member.node);
        }
        self.all_stand_behind(which, picture)
    }

    /// Whoever has not taken back consent stands behind the figure. That of units with noise lies where theirs lie, or it would
    /// hold somebody twice.
    fn all_stand_behind(&self, which: usize, picture: &region::Picture) -> Result<()> {
        let gone: BTreeSet<_> = self.withdrawn(which).map(|(_, member)| member).collect();
        let there = self.sites.len() - gone.len();
        let cell = picture.cells.first().context("a picture without cells")?;
        let behind = cell.contributors.len();
        // What is not public is not shown if the difference to an earlier picture would tell somebody's figure.
        let withheld = which == 1 && behind == 0;
        ensure!(
            behind == there || withheld,
            "at last {behind} stand behind the figure, of {there}"
        );
        if which == 1 && !withheld {
            let error = i64::try_from(cell.standard_error_milli / 1_000)? + 1;
            let off = cell.value - i64::try_from(UNITS * there)?;
            ensure!(off.abs() <= 6 * error, "the figure is off by {off}, {error} is its error");
        }
        Ok(())
    }

    /// The same requirement gets the same bytes, for ever; only consent that was taken back makes another table.
    fn is_one_answer_each(&self, which: usize) -> Result<()> {
        let id = self.centre.id(which)?;
        let accepted = self.archive.accepted(id)?;
        for (at, (site, node)) in self.sites.iter().zip(self.nodes).enumerate() {
            let own: BTreeSet<_> = accepted
                .iter()
                .filter(|(of, _)| *of == site.member().node)
                .map(|(_, table)| *table)
                .collect();
            let withdrawn = self.withdrawn(which).filter(|(_, member)| *member == at).count();
            let (name, many) = (site.name(), own.len());
            ensure!(many <= 1 + withdrawn, "{name} gave {many} tables for requirement {which}");
            let released =
                node.store.released(id)?.with_context(|| format!("{name} forgot its answer"))?;
            let sealed = SealedAnswer::reopen(&released.response, &node.seal_keys(), node.lists)?;
            let digest = sealed.seal().table_digest;
            ensure!(own.contains(&digest), "{name} holds another answer than the centre has");
        }
        Ok(())
    }

    /// How its collection has ended.
    fn end(&self, which: usize) -> Result<Option<End>> {
        let collection = self.archive.collection(self.centre.id(which)?)?;
        Ok(collection.with_context(|| format!("requirement {which} was never collected"))?.end)
    }

    /// Every member has the newest picture, says its own receipt.
    fn has_arrived(&self, which: usize) -> Result<()> {
        let (id, newest) = (self.centre.id(which)?, self.newest(which)?);
        for site in self.sites {
            let arrived = self.archive.arrived(id, newest, &site.member().node)?;
            ensure!(
                arrived.is_some(),
                "picture {newest} of requirement {which} is not at {}",
                site.name()
            );
        }
        Ok(())
    }

    /// The privacy ledger paid once for each figure that left, and for nothing else.
    fn is_charged_once(&self) -> Result<()> {
        let id = self.centre.id(1)?;
        for (at, (site, node)) in self.sites.iter().zip(self.nodes).enumerate() {
            let ledger = node.store.ledger(node.lists)?;
            let (name, charges) = (site.name(), ledger.size());
            ensure!(charges <= 1, "{name} has paid {charges} times");
            ensure!(
                ledger.losses() == 0 && !node.store.head().in_doubt(),
                "{name} doubts its ledger"
            );
            let withdrawn = self.withdrawn(1).any(|(_, member)| member == at);
            let answered = node.store.released(id)?.is_some();
            ensure!(
                withdrawn || !answered || charges == 1,
                "{name} has shown a figure and not paid"
            );
        }
        Ok(())
    }

    /// What each side has seen of the other's journal is the beginning of what is there now. Opening a store has read every entry.
    fn journals_continue(&self) -> Result<()> {
        let own = origin(&self.centre.template.credentials.own().identity);
        for (site, node) in self.sites.iter().zip(self.nodes) {
            let name = site.name();
            let seen = self.archive.known_journal(&site.member().node)?;
            let head = seen.with_context(|| format!("the journal of {name} was never seen"))?.head;
            ensure!(
                node.store.root_at(head.size)? == head.root,
                "the journal of {name} was rewritten"
            );
            let seen = node.store.peer_journal(&own)?;
            let seen = seen.with_context(|| format!("{name} never saw the centre's journal"))?;
            ensure!(seen.second.is_empty(), "{name} saw two versions of the centre's journal");
            let now = self.archive.checkpoint(own.clone());
            ensure!(seen.head.size <= now.size, "{name} saw a longer journal of the centre");
            let proof = self.archive.consistency(seen.head.size, now.size)?;
            verify_consistency(&seen.head, &now, &proof)
                .with_context(|| format!("{name} saw another journal of the centre"))?;
        }
        Ok(())
    }

    /// Gathers of a requirement: when each began, and the picture that came of it.
    fn drawn(&self, which: usize) -> impl Iterator<Item = (Duration, (u32, &region::Picture))> {
        self.events.iter().filter_map(move |happened| {
            let Event::Drawn { which: of, begun, version, picture } = &happened.event else {
                return None;
            };
            (*of == which).then_some((*begun, (*version, &**picture)))
        })
    }

    /// Who has taken back consent to an indicator, and when that was acknowledged.
    fn withdrawn(&self, which: usize) -> impl Iterator<Item = (Duration, usize)> {
        self.events.iter().filter_map(move |happened| {
            let Event::Withdrawn { member, which: of } = &happened.event else { return None };
            (*of == which).then_some((happened.at, *member))
        })
    }

    fn newest(&self, which: usize) -> Result<u32> {
        let newest = self.archive.newest_version(self.centre.id(which)?)?;
        newest.with_context(|| format!("no picture of requirement {which}"))
    }

    fn picture(&self, which: usize, version: u32) -> Result<region::Picture> {
        let drawn = self.archive.picture(self.centre.id(which)?, Some(version))?;
        let payload = drawn.envelope.unwrap_or_default().payload;
        Ok(strict::decode_signed("picture", &payload)?)
    }
}
