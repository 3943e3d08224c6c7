//! The ranking, and how anybody works it out again. Comes in: pictures, the rules, what is asked. Goes out: a [`Ranking`] as
//! bytes that hold the digests of all that it rests on. Whoever has the same gets the same bytes; whoever has not is told which
//! of them is another. Must never hold a figure, nor a rank, of one jurisdiction.

use prost::Message as _;

use super::{
    agreement::{borda_halves, kendall, median_quarters},
    dissent::Dissent,
    parameters::Method,
    ranks::{Bounds, half_ranks, places},
    regional::{Ask, Evidence, Sources, evidence},
    rules::{Order, Rules},
    sensitivity::{Band, bound, exact, moves_without_one},
};
use crate::{
    audience::ASKERS_ALONE,
    clock::Timestamp,
    limits::{CLOCK_SKEW_S, MEMBERS_MAX},
    reason::{Invalid, Reason},
    roster::{Member, bounded},
    seal::{self, Digest, Kind, PublicKey, SecretKey},
    strict,
    taxonomy::{CrimeAreaCode, Lists},
    wire::{self, threat},
};

/// Crime areas in their order, with the dissent from it. Made by [`rank`] and [`Ranking::open`] only.
#[derive(Clone, Debug)]
pub struct Ranking {
    order: threat::Order,
    dissents: Vec<wire::Envelope>,
}

/// Orders crime areas by what pictures tell. `method` is the one whose scores are ordered, if they are scores.
pub fn rank(
    ask: &Ask<'_>,
    sources: &Sources,
    (rules, method): (&Rules, Option<&Method>),
    lists: &Lists,
) -> Result<Ranking, Invalid> {
    let (federation, names) = sources.heading();
    if names != lists.name() {
        let detail = format!("rest on the code lists {names}, and these are {}", lists.name());
        return Err(Invalid::new(Reason::MethodUnfit, "pictures.lists", detail));
    }
    alike(ask, rules.order(), method)?;
    let evidence = evidence(ask, sources, lists)?;
    let (areas, sensitivity) = order(&evidence, ask, rules)?;
    let enough = evidence.raters.len() >= rules.raters_min();
    let agreement = enough.then(|| kendall(&half_rank_lists(&evidence))).flatten();
    let order = threat::Order {
        federation: federation.to_owned(),
        lists: names.to_owned(),
        indicator: ask.indicator.code.to_string(),
        period: ask.period.to_string(),
        categories: lists.write_categories(ask.indicator.code, &ask.categories),
        pictures_sha256: sources.digests().map(|digest| digest.0.to_vec()).collect(),
        rules_sha256: rules.digest().0.to_vec(),
        method_sha256: method.map(|method| method.digest().0.to_vec()).unwrap_or_default(),
        ordered_by: rules.order().to_wire().into(),
        asked: number(evidence.asked),
        raters: number(evidence.raters.len()),
        agreement_millionths: agreement.and_then(|of| u32::try_from(of.millionths()).ok()),
        sensitivity: sensitivity.into(),
        areas,
        white_spots: evidence.white.iter().map(white_spot).collect(),
        audience: sources.audience().to_owned(),
    };
    Ok(Ranking { order, dissents: Vec::new() })
}

/// Scores of unlike methods are never put into one figure; orders may be.
fn alike(ask: &Ask<'_>, order: Order, method: Option<&Method>) -> Result<(), Invalid> {
    let refuse = |detail: String| Err(Invalid::new(Reason::MethodUnfit, "method", detail));
    match (ask.has_methods(), ask.method(), method) {
        (false, _, None) => Ok(()),
        (false, _, Some(_)) => refuse(format!("{} is no score of a method", ask.indicator.code)),
        (true, Some(asked), Some(method)) if asked == method.id() => Ok(()),
        (true, _, None) if order == Order::Borda => Ok(()),
        (true, Some(asked), Some(method)) => {
            refuse(format!("the scores are of {asked}, not of {}", method.id()))
        }
        (true, _, _) => refuse(
            "scores of unlike methods or parameters have no common figure: name the method with \
             its parameters, or order by Borda points"
                .to_owned(),
        ),
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn white_spot((area, reason): &(CrimeAreaCode, threat::WhiteSpotReason)) -> threat::WhiteSpot {
    threat::WhiteSpot { crime_area: area.to_string(), reason: (*reason).into() }
}

fn half_rank_lists(evidence: &Evidence) -> Vec<Vec<usize>> {
    evidence.raters.iter().map(|figures| half_ranks(figures)).collect()
}

/// What is ordered, and what each of those who are known adds to it.
struct Ordered {
    within: Vec<Bounds>,
    whole: Vec<Bounds>,
    adds: Option<Vec<Vec<i128>>>,
}

fn by_figure(evidence: &Evidence) -> Ordered {
    Ordered {
        within: evidence.placed.iter().map(|placed| placed.within).collect(),
        whole: evidence.placed.iter().map(|placed| placed.whole).collect(),
        adds: evidence.all_known.then(|| evidence.raters.clone()),
    }
}

fn by_borda(evidence: &Evidence, rules: &Rules) -> Result<Ordered, Invalid> {
    let fewest = rules.raters_min();
    if evidence.raters.len() < fewest {
        let detail = format!(
            "{} jurisdictions let their own figures stand under their name in every area, and {fewest} \
             are needed: order by the figure of the region",
            evidence.raters.len()
        );
        return Err(Invalid::new(Reason::MethodUnfit, "rules.order", detail));
    }
    let areas = evidence.placed.len();
    let whole_number = |count: usize| i128::try_from(count).unwrap_or(i128::MAX);
    let points = |ranks: Vec<usize>| {
        ranks.into_iter().map(|rank| whole_number(borda_halves(areas, rank))).collect::<Vec<_>>()
    };
    let adds: Vec<_> = half_rank_lists(evidence).into_iter().map(points).collect();
    // Whoever is not known may put any area first, and any last.
    let unknown = whole_number(evidence.asked.saturating_sub(evidence.raters.len()));
    let reach = unknown * 2 * whole_number(areas.saturating_sub(1));
    let exact = (0..areas).map(|at| {
        let point = adds.iter().filter_map(|of| of.get(at)).sum();
        Bounds { point, lo: point, hi: point }
    });
    let within: Vec<_> = exact.collect();
    let whole = within.iter().map(|of| Bounds { hi: of.point + reach, ..*of }).collect();
    Ok(Ordered { within, whole, adds: Some(adds) })
}

type Areas = (Vec<threat::RankedArea>, threat::Sensitivity);

fn order(evidence: &Evidence, ask: &Ask<'_>, rules: &Rules) -> Result<Areas, Invalid> {
    let ordered = match rules.order() {
        Order::Figure => by_figure(evidence),
        Order::Borda => by_borda(evidence, rules)?,
    };
    let (within, whole) = (places(&ordered.within), places(&ordered.whole));
    let (stable, sensitivity) = stable(&ordered, evidence, ask, rules);
    let stated = |at: usize| -> Option<Band> {
        let (place, band) = (whole.get(at)?, stable.as_ref()?.get(at)?);
        Some((place.best.min(band.0), place.worst.max(band.1)))
    };
    let stated: Option<Vec<_>> = (0..within.len()).map(stated).collect();
    let left = ordered.adds.filter(|adds| adds.len() > rules.left_min());
    let moves = left.zip(stated).and_then(|(adds, stated)| moves_without_one(&adds, &stated));
    let ranks = half_rank_lists(evidence);
    let mut areas: Vec<_> = Vec::with_capacity(within.len());
    for (at, (placed, (of, whole))) in
        evidence.placed.iter().zip(within.iter().zip(&whole)).enumerate()
    {
        let band = stable.as_ref().and_then(|bands| bands.get(at).copied()).unwrap_or_default();
        let halves: Vec<_> = ranks.iter().filter_map(|of| of.get(at).copied()).collect();
        let points = halves.iter().map(|rank| borda_halves(ranks_of(evidence), *rank)).sum();
        let enough = halves.len() >= rules.raters_min();
        let median = median_quarters(halves).filter(|_| ranks.len() >= rules.median_of_min());
        areas.push(threat::RankedArea {
            crime_area: placed.area.to_string(),
            rank: number(of.rank),
            tied: number(of.tied),
            best: number(of.best),
            worst: number(of.worst),
            whole_best: number(whole.best),
            whole_worst: number(whole.worst),
            stable_best: number(band.0),
            stable_worst: number(band.1),
            left_out: left_out(moves.as_ref().and_then(|moves| moves.get(at))).into(),
            placed_by_middle: rules.order() == Order::Figure && placed.by_middle,
            other_contributors: placed.other_contributors,
            borda_half_points: enough.then(|| number(points)),
            median_quarter_rank: median.map(number),
        });
    }
    areas.sort_by(|a, b| (a.rank, &a.crime_area).cmp(&(b.rank, &b.crime_area)));
    Ok((areas, sensitivity))
}

fn ranks_of(evidence: &Evidence) -> usize {
    evidence.placed.len()
}

fn left_out(moves: Option<&bool>) -> threat::LeftOut {
    match moves {
        None => threat::LeftOut::Unspecified,
        Some(true) => threat::LeftOut::Moves,
        Some(false) => threat::LeftOut::Holds,
    }
}

/// Ranks that no weights within the tolerance leave.
fn stable(
    ordered: &Ordered,
    evidence: &Evidence,
    ask: &Ask<'_>,
    rules: &Rules,
) -> (Option<Vec<Band>>, threat::Sensitivity) {
    let percent = rules.weights_percent();
    if let Some(adds) = &ordered.adds {
        return match exact(adds, percent) {
            Some(bands) => (Some(bands), threat::Sensitivity::Exact),
            None => (None, threat::Sensitivity::Unspecified),
        };
    }
    let floor = 2 * i128::from(ask.indicator.value_min);
    let bands = evidence.weighed.and_then(|own| bound(&ordered.within, floor, percent, own));
    match bands {
        Some(bands) => (Some(bands), threat::Sensitivity::Bound),
        None => (None, threat::Sensitivity::Unspecified),
    }
}

impl Ranking {
    /// The areas in their order, and what is to be known of it.
    pub fn order(&self) -> &threat::Order {
        &self.order
    }

    /// For whom it is, in words: the audience of its pictures.
    pub fn audience(&self) -> &str {
        match self.order.audience.as_str() {
            "" => ASKERS_ALONE,
            audience => audience,
        }
    }

    /// SHA-256 of the order: what dissent names.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.order.encode_to_vec())
    }

    /// Order and dissent as they are signed and kept.
    pub fn to_bytes(&self) -> Vec<u8> {
        let order = self.order.encode_to_vec();
        threat::Ranking { order, dissents: self.dissents.clone() }.encode_to_vec()
    }

    /// Attaches a member's dissent. Of one node there is one: only a newer one takes its place, and the same one again is no
    /// change.
    ///
    /// # Errors
    /// As [`Dissent::open`]; `ANSWER_STALE` of one that is not newer than the node's own that stands; `CLOCK_SKEW` of one from
    /// the time to come, which would stand against every later word of its node; `LIMIT_EXCEEDED`.
    pub fn with_dissent(
        mut self,
        envelope: wire::Envelope,
        member: &Member,
        now: Timestamp,
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        let dissent = Dissent::open(&envelope, member, self.digest(), lists)?;
        if self.dissents.iter().any(|other| other.payload == envelope.payload) {
            return Ok(self);
        }
        if dissent.at > now.plus_s(CLOCK_SKEW_S) {
            let (at, node) = (dissent.at, dissent.node);
            let detail = format!(
                "{at} lies ahead of {now}: set the clock of {node} right, and sign it anew"
            );
            return Err(Invalid::new(Reason::ClockSkew, "dissent.at_s", detail));
        }
        let mut dissents = Vec::with_capacity(self.dissents.len() + 1);
        for other in self.dissents {
            let known = Dissent::read(&other.payload, lists)?;
            if known.node != dissent.node {
                dissents.push((known.node, other));
            } else if dissent.at <= known.at {
                let (at, node, stands) = (dissent.at, known.node, known.at);
                let detail = format!(
                    "was signed at {at}, and the one of {node} that stands at {stands}: sign it anew to replace that"
                );
                return Err(Invalid::new(Reason::AnswerStale, "dissent.at_s", detail));
            }
        }
        dissents.push((dissent.node, envelope));
        bounded("dissents", dissents.len(), MEMBERS_MAX)?;
        dissents.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.dissents = dissents.into_iter().map(|(_, envelope)| envelope).collect();
        Ok(self)
    }

    /// Every dissent from it, ascending by node. Who signed them was checked when they were attached; a reader checks again
    /// with [`Dissent::open`] and the roster.
    pub fn dissents(&self) -> &[wire::Envelope] {
        &self.dissents
    }

    /// What they say. Who signed them is not checked.
    pub fn dissent_in_words(&self, lists: &Lists) -> Result<Vec<Dissent>, Invalid> {
        self.dissents.iter().map(|envelope| Dissent::read(&envelope.payload, lists)).collect()
    }

    /// The pictures that it rests on, out of these: all of them, no other one, and for the audience that it names.
    ///
    /// # Errors
    /// `RANKING_FALSE` names what is another; as [`Sources::read`].
    pub fn sources(&self, pictures: &[&[u8]]) -> Result<Sources, Invalid> {
        let order = &self.order;
        let wrong =
            |field: String, detail: &str| Err(Invalid::new(Reason::RankingFalse, field, detail));
        for (at, picture) in pictures.iter().enumerate() {
            if !order.pictures_sha256.contains(&Digest::of(picture).0.to_vec()) {
                let detail = "is none of those that the ranking rests on";
                return wrong(format!("pictures[{at}]"), detail);
            }
        }
        let sources = Sources::read(pictures)?;
        for (at, digest) in order.pictures_sha256.iter().enumerate() {
            if !sources.digests().any(|of| of.0.as_slice() == digest) {
                let detail = "this picture is not at hand";
                return wrong(format!("order.pictures_sha256[{at}]"), detail);
            }
        }
        if order.audience != sources.audience() {
            return wrong("order.audience".to_owned(), "is not the audience of the pictures");
        }
        Ok(sources)
    }

    /// Signs order and dissent as one.
    pub fn sign(&self, key: &SecretKey) -> wire::Envelope {
        key.sign(Kind::Ranking, self.to_bytes())
    }

    /// Checks who signed it and that it is in its one spelling. Whether it is true, [`replay`] says.
    pub fn open(
        envelope: &wire::Envelope,
        keys: &[PublicKey],
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        Self::read(seal::open(envelope, Kind::Ranking, keys, "ranking")?, lists)
    }

    /// Reads it where nobody's signature counts: out of one's own archive, or before it is worked out again.
    pub fn read(bytes: &[u8], lists: &Lists) -> Result<Self, Invalid> {
        let threat::Ranking { order: bytes, dissents } = strict::decode_signed("ranking", bytes)?;
        bounded("ranking.dissents", dissents.len(), MEMBERS_MAX)?;
        let order: threat::Order = strict::decode_signed("ranking.order", &bytes)?;
        let mut nodes = Vec::new();
        for envelope in &dissents {
            let dissent = Dissent::read(&envelope.payload, lists)?;
            if dissent.order != Digest::of(&bytes) {
                let detail = format!("of {} is from another order", dissent.node);
                return Err(Invalid::new(Reason::RankingFalse, "ranking.dissents", detail));
            }
            nodes.push(dissent.node);
        }
        crate::roster::ascending("ranking.dissents", &nodes)?;
        Ok(Self { order, dissents })
    }
}

/// Works a ranking out again, from its bytes and all that it says it rests on. What is another is named: a picture, the rules, the
/// method, or the first thing in the order that does not follow from them.
pub fn replay(
    bytes: &[u8],
    pictures: &[&[u8]],
    (rules, method): (&Rules, Option<&Method>),
    lists: &Lists,
) -> Result<Ranking, Invalid> {
    let told = Ranking::read(bytes, lists)?;
    let order = &told.order;
    let wrong =
        |field: String, detail: &str| Err(Invalid::new(Reason::RankingFalse, field, detail));
    let sources = told.sources(pictures)?;
    if order.rules_sha256 != rules.digest().0 {
        return wrong("order.rules_sha256".to_owned(), "rests on other rules");
    }
    if order.method_sha256 != method.map(|method| method.digest().0.to_vec()).unwrap_or_default() {
        return wrong("order.method_sha256".to_owned(), "rests on other parameters of its method");
    }
    let mut areas: Vec<_> = order.areas.iter().map(|area| area.crime_area.clone()).collect();
    areas.extend(order.white_spots.iter().map(|spot| spot.crime_area.clone()));
    areas.sort_unstable();
    let series = (order.indicator.as_str(), order.period.as_str(), order.categories.as_str());
    let again = rank(&Ask::read(series, &areas, lists)?, &sources, (rules, method), lists)?;
    match difference(order, &again.order) {
        None => Ok(told),
        Some(field) => wrong(field, "does not follow from the pictures and the rules"),
    }
}

/// The first thing that two orders tell differently.
fn difference(told: &threat::Order, again: &threat::Order) -> Option<String> {
    if told == again {
        return None;
    }
    let other = told.areas.iter().zip(&again.areas).find(|(told, again)| told != again);
    if let Some((told, _)) = other {
        return Some(format!("order.areas[{}]", told.crime_area));
    }
    if told.areas.len() != again.areas.len() {
        return Some("order.areas".to_owned());
    }
    let parts: [(&str, bool); 6] = [
        ("white_spots", told.white_spots != again.white_spots),
        ("agreement_millionths", told.agreement_millionths != again.agreement_millionths),
        ("sensitivity", told.sensitivity != again.sensitivity),
        ("asked", told.asked != again.asked),
        ("raters", told.raters != again.raters),
        ("ordered_by", told.ordered_by != again.ordered_by),
    ];
    let part = parts.into_iter().find(|(_, differs)| *differs).map_or("heading", |(name, _)| name);
    Some(format!("order.{part}"))
}

#[cfg(test)]
impl Ranking {
    /// For whoever tests a lie.
    pub(super) fn read_for_tests(bytes: &[u8]) -> threat::Order {
        Self::read(bytes, Lists::builtin()).unwrap_or_else(|error| panic!("{error}")).order
    }
}
