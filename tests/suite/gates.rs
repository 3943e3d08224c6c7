//! Both gates under load and under chance: whatever people do, in whatever order and at the same time, nothing leaves without a
//! live consent, two people (or broken glass, and then it shows) and an entry in the journal.

use std::{collections::BTreeSet, path::Path, sync::Barrier, thread};

use accord_node::{
    answer::Reply,
    desk::{self, inbox as people},
    inbox::{Decline, Extent, State, Step},
    seal::SealedAnswer,
};
use accord_proto::{
    answer::{Answer, SealedTable},
    clock::{Entropy as _, SystemEntropy},
    id::RequirementId,
    reason::{Invalid, Reason},
    seal::Digest,
    table::{Cell, Table},
    taxonomy::Lists,
    transport::Peer,
    wire,
};
use accord_tests::{
    attack::world::{World, WorldSpec},
    crash::Dice,
    resident::Resident,
};

const INDICATOR: &str = "MIG.NET.N";
const MAPPING: &str = "source = \"made up\"\nrows = \"events\"\n[columns]\nregion = \"region\"\n\
    period = \"period\"\nunit = \"unit\"\n[constants]\nindicator = \"MIG.NET.N\"\ncrime_area = \"MIG\"\n";
/// Networks last: all years of one share a budget.
const POLICY: &str = "[[indicator]]\ncode = \"MIG.NET.N\"\nmode = \"protected\"\n\
    granularity = [\"year\"]\nregion_levels = [0]\n[tier.A]\nbudget = 1.0\n";
const FIRST: usize = 2001;
const YEARS: usize = 16;

fn world(dir: &Path) -> World {
    let mut rows = String::from("region,period,unit\n");
    for year in FIRST..FIRST + YEARS {
        for unit in 0..80 {
            rows += &format!("AL,{year},N-{unit}\n");
        }
    }
    let spec = WorldSpec {
        jurisdiction: "AL".to_owned(),
        lists: Lists::builtin(),
        mapping: MAPPING.to_owned(),
        rows,
        policy: POLICY.to_owned(),
        secret: None,
        seed: 9,
    };
    let mut world = World::build(dir, spec).unwrap();
    world.freeze(&FIRST.to_string(), &(FIRST + YEARS - 1).to_string()).unwrap();
    world.by_hand().unwrap();
    world
}

/// Signs a question about one year, asks it once, and leaves it in the inbox.
fn asked(resident: &Resident, year: usize) -> (RequirementId, wire::Envelope) {
    let blocks = format!(
        "[[question]]\nindicator = \"{INDICATOR}\"\nregion_level = 0\n\
         crime_areas = [\"MIG\"]\nperiods = [\"{year}\"]\n"
    );
    let signed = resident.signed("POLICE", &blocks).unwrap();
    assert!(matches!(resident.ask(signed.clone()).unwrap(), Reply::Pending));
    let newest = resident.node.store.inbox(resident.node.lists).unwrap();
    (newest[0].asked().id, signed)
}

fn accepted_and_proposed(resident: &Resident, by: &Peer, id: RequirementId) -> Digest {
    let node = &resident.node;
    let accept = (Step::Accept(Extent::whole()), "");
    resident.on_a_worker(people::decide(node, by, id, accept)).unwrap();
    let previewed = resident.on_a_worker(people::preview(node, by, id)).unwrap();
    let (digest, _) = previewed.table.unwrap();
    resident.on_a_worker(people::propose(node, by, id, (digest, ""))).unwrap();
    digest
}

fn opened(resident: &Resident, answer: SealedAnswer) -> (SealedTable, bool) {
    let keys = [resident.node.seal_key().public()];
    match Answer::try_from(wire::AnswerResponse::from(answer)).unwrap() {
        Answer::Sealed(sealed) => {
            let opened = SealedTable::open(sealed, &keys, resident.node.lists).unwrap();
            let single_handed = opened.seal().single_handed;
            (opened, single_handed)
        }
        Answer::Pending | Answer::Declined(_) => panic!("holds no table"),
    }
}

fn shows(table: &Table) -> bool {
    let cells = table.blocks.iter().flat_map(|block| &block.cells);
    cells.into_iter().any(|cell| matches!(cell, Cell::Value(_)))
}

/// Sixty-four requirements, proposed when the budget was whole, are released at once, and the consent is withdrawn at that moment
/// or not at all. Gives back how many left.
#[expect(clippy::too_many_lines, reason = "what is released, and the account of it")]
fn released_at_once(withdrawn: bool) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let world = world(dir.path());
    world.grant(INDICATOR, "POLICE").unwrap();
    let resident = world.resident().unwrap();
    let node = &resident.node;
    let (ana, bo) =
        (resident.person("ana", "analyst").unwrap(), resident.person("bo", "releaser").unwrap());
    let proposals: Vec<_> = (0..64)
        .map(|at| {
            let year = FIRST + at % YEARS;
            let (id, signed) = asked(resident, year);
            (year, id, signed, accepted_and_proposed(resident, &ana, id))
        })
        .collect();
    let grant = resident.held().grants[0].id().to_string();
    let before = node.store.head().consent_epoch();
    let begin = Barrier::new(proposals.len() + 1);
    let outcomes: Vec<Result<(), Invalid>> = thread::scope(|scope| {
        let releasing: Vec<_> = proposals
            .iter()
            .map(|(_, id, _, digest)| {
                let (begin, bo) = (&begin, &bo);
                scope.spawn(move || {
                    begin.wait();
                    let word = (*digest, "a test");
                    resident.on_a_worker(people::release(node, bo, *id, word)).map(drop)
                })
            })
            .collect();
        begin.wait();
        if withdrawn {
            resident.on_a_worker(desk::grants::withdraw(node, &bo, &grant)).unwrap();
        }
        releasing.into_iter().map(|one| one.join().unwrap()).collect()
    });

    let lines = accord_node::desk::budget::lines(node, None);
    let of_police: Vec<_> = lines.iter().filter(|line| line.tier.at() == 0).collect();
    let paid: BTreeSet<_> = of_police
        .iter()
        .filter(|line| line.draws > 0)
        .map(|line| line.period.to_string())
        .collect();
    let (budget, spent) = (of_police[0].budget, of_police[0].spent);
    assert!(spent <= budget, "{spent} of {budget}");
    let mut left = 0;
    for ((year, id, signed, digest), outcome) in proposals.iter().zip(&outcomes) {
        let item = node.store.inbox_item(*id, node.lists).unwrap().unwrap();
        match outcome {
            Ok(()) => {
                left += 1;
                assert!(paid.contains(&year.to_string()), "{year} left unpaid");
                assert_eq!(item.state(world.now()), State::Released(*digest));
                let stored = node.store.released(*id).unwrap().unwrap();
                let keys = [node.seal_key().public()];
                let sealed = SealedAnswer::reopen(&stored.response, &keys, node.lists).unwrap();
                assert_eq!(sealed.seal().table_digest, *digest, "the very bytes that were seen");
                assert!(shows(sealed.table()));
                assert_eq!(sealed.seal().consent_epoch, before, "under the consent that was seen");
            }
            Err(error) => {
                assert_eq!(error.reason, Reason::ReleaseChanged, "{error}");
                assert_eq!(item.state(world.now()), State::Proposed(*digest), "nothing is lost");
                assert!(node.store.released(*id).unwrap().is_none());
                assert!(matches!(resident.ask(signed.clone()).unwrap(), Reply::Pending));
            }
        }
    }
    if !withdrawn {
        let cost = spent / paid.len() as u64;
        assert_eq!(paid.len() as u64, budget / cost, "all that the budget has room for");
        assert_eq!(left, paid.len() * 64 / YEARS, "every requirement about a year that is paid");
    }
    left
}

#[test]
fn of_sixty_four_releases_at_once_exactly_as_many_leave_as_the_budget_allows() {
    let most = released_at_once(false);
    assert!(most > 0 && most < 64, "{most}");
    let with_withdrawal = released_at_once(true);
    assert!(with_withdrawal <= most, "{with_withdrawal} of {most}");
}

#[test]
fn the_right_to_act_alone_is_gone_after_four_hours() {
    let dir = tempfile::tempdir().unwrap();
    let world = world(dir.path());
    world.grant(INDICATOR, "POLICE").unwrap();
    let resident = world.resident().unwrap();
    let node = &resident.node;
    let bo = resident.person("bo", "releaser").unwrap();
    let release =
        |id, digest| resident.on_a_worker(people::release(node, &bo, id, (digest, "alone")));
    let (id, signed) = asked(resident, FIRST);
    let digest = accepted_and_proposed(resident, &bo, id);
    assert_eq!(release(id, digest).unwrap_err().reason, Reason::FourEyes);
    resident.on_a_worker(people::break_glass(node, &bo, "nobody else is there")).unwrap();
    assert_eq!(people::open_glass(node).unwrap().len(), 1);
    world.pass(5 * 3_600);
    assert_eq!(release(id, digest).unwrap_err().reason, Reason::FourEyes, "five hours later");
    assert!(people::open_glass(node).unwrap().is_empty());

    resident.on_a_worker(people::break_glass(node, &bo, "still nobody")).unwrap();
    world.pass(3 * 3_600);
    assert!(release(id, digest).unwrap().single_handed());
    let Reply::Sealed(answer) = resident.ask(signed).unwrap() else { panic!("pending") };
    let (table, single_handed) = opened(resident, *answer);
    assert!(shows(table.table()) && single_handed, "whoever asked is told");
}

/// A sequence of them, by chance: how many figures left, and how many operations were refused.
#[expect(
    clippy::too_many_lines,
    reason = "one table of what may happen, and what must hold after it"
)]
fn operations(seed: u64) -> (usize, usize) {
    let dir = tempfile::tempdir().unwrap();
    let world = world(dir.path());
    let resident = world.resident().unwrap();
    let node = &resident.node;
    let mut dice = Dice(seed);
    let names = [("ana", "analyst"), ("ana", "releaser"), ("bo", "releaser"), ("cy", "analyst")];
    let people_here = names.map(|(name, role)| resident.person(name, role).unwrap());
    let mut requirements: Vec<(RequirementId, wire::Envelope, Vec<Digest>)> = Vec::new();
    let (mut left, mut refused) = (0, 0);
    for at in 0..400_usize {
        let by = &people_here[usize::try_from(dice.below(4)).unwrap()];
        let live = resident.held().grants.iter().any(|grant| grant.in_force(world.now()));
        let entries = node.store.head().journal().size();
        let over = requirements.last().is_none_or(|(id, ..)| {
            let item = node.store.inbox_item(*id, node.lists).unwrap().unwrap();
            item.state(world.now()).is_final()
        });
        if over || dice.below(60) == 0 {
            let (id, signed) = asked(resident, FIRST + at % YEARS);
            requirements.push((id, signed, Vec::new()));
            continue;
        }
        // Mostly about the newest; sometimes about one that was decided before.
        let back = if dice.below(8) == 0 { dice.below(requirements.len() as u64) } else { 0 };
        let which = requirements.len() - 1 - usize::try_from(back).unwrap();
        let (id, signed, digests) = &mut requirements[which];
        let id = *id;
        let digest = digests.last().copied().unwrap_or(Digest([3; 32]));
        let known = node.store.released(id).unwrap();
        let done: Result<(), Invalid> = match dice.below(12) {
            0 if live && dice.below(3) == 0 => {
                let grant = resident.held().grants.last().map(|grant| grant.id().to_string());
                let grant = grant.unwrap_or_default();
                resident.on_a_worker(desk::grants::withdraw(node, by, &grant)).map(drop)
            }
            0 if !live => {
                world.grant(INDICATOR, "POLICE").map_err(|error| error.downcast().unwrap())
            }
            1 | 2 => {
                let step = Step::Accept(Extent::whole());
                resident.on_a_worker(people::decide(node, by, id, (step, ""))).map(drop)
            }
            3 | 11 => {
                let looked = resident.on_a_worker(people::preview(node, by, id));
                looked.map(|seen| digests.extend(seen.table.map(|(digest, _)| digest)))
            }
            4 | 5 => resident.on_a_worker(people::propose(node, by, id, (digest, ""))).map(drop),
            6..=8 => {
                resident.on_a_worker(people::release(node, by, id, (digest, "a test"))).map(drop)
            }
            9 if dice.below(4) == 0 => {
                resident.on_a_worker(people::break_glass(node, by, "urgent")).map(drop)
            }
            9 => {
                world.pass(i64::try_from(dice.below(7_200)).unwrap());
                Ok(())
            }
            _ if dice.below(8) == 0 => {
                let step = Step::Decline(Decline { code: None, tell: false });
                resident.on_a_worker(people::decide(node, by, id, (step, ""))).map(drop)
            }
            _ => resident.ask(signed.clone()).map(drop),
        };
        refused += usize::from(done.is_err());
        let item = node.store.inbox_item(id, node.lists).unwrap().unwrap();
        let now_known = node.store.released(id).unwrap();
        let told = format!("seed {seed}, operation {at}: {:?}", item.events());
        if now_known == known {
            continue;
        }
        assert!(node.store.head().journal().size() > entries, "no entry; {told}");
        let stored = now_known.unwrap();
        let keys = [node.seal_key().public()];
        let sealed = SealedAnswer::reopen(&stored.response, &keys, node.lists).unwrap();
        if !shows(sealed.table()) {
            continue;
        }
        left += 1;
        assert!(live, "no consent; {told}");
        let released = item.events().iter().find(|event| matches!(event.step, Step::Release(_)));
        let released = released.unwrap_or_else(|| panic!("nobody released it; {told}"));
        let decided = |event: &&accord_node::inbox::Event| {
            matches!(event.step, Step::Accept(_) | Step::Propose(_))
        };
        let mut gate_one = item.events().iter().filter(decided);
        let same = gate_one.any(|event| event.by.name == released.by.name);
        assert_eq!(item.single_handed(), same, "{told}");
        let (_, single_handed) = opened(resident, sealed.again().unwrap());
        assert_eq!(single_handed, same, "{told}");
        let glass = node.store.glass().unwrap();
        let open = glass
            .iter()
            .any(|glass| glass.by.name == released.by.name && glass.is_open(released.at));
        assert!(!same || open, "one person alone; {told}");
    }
    (left, refused)
}

#[test]
fn no_sequence_of_operations_lets_a_figure_go_without_consent_two_people_and_an_entry() {
    let mut seed = [0; 8];
    SystemEntropy.fill(&mut seed).unwrap();
    let seed = u64::from_be_bytes(seed);
    // One sequence may well let nothing go: that all of them do is no chance.
    let (mut left, mut refused) = (0, 0);
    for round in 0..8 {
        let (more, no) = operations(seed.wrapping_add(round));
        (left, refused) = (left + more, refused + no);
        if left > 0 && refused > 20 {
            return;
        }
    }
    panic!("seed {seed}: {left} left, {refused} refused");
}
