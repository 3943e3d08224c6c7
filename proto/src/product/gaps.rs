//! What is not known (domain.md §3.3, intelligence-gap register). Comes in: products and rankings. Goes out: gaps, each with where it
//! was said: what becomes the next requirement. Pure. Must never take a gap for a zero, nor name who did not answer.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{course::Course, state::State, word::Said};
use crate::{
    threat::Confidence,
    wire::threat::{Order, WhiteSpotReason},
};

/// Where a gap was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum From {
    /// A judgement of low confidence.
    LowConfidence,
    /// A crime area without a figure in a ranking.
    WhiteSpot,
    /// A reader's feedback.
    Feedback,
}

/// Something that is not known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Gap {
    /// Where it was said.
    pub from: From,
    /// Id of the product, or name of the ranking.
    pub said_in: String,
    /// Crime areas that it is about; may be empty.
    pub crime_areas: Vec<String>,
    /// The indicator that is missing; empty where none is named.
    pub indicator: String,
    /// Of which period; the same.
    pub period: String,
    /// In words.
    pub text: String,
}

/// Gaps of a product that is not put away: judgements of low confidence, and what readers missed.
pub fn of_product(course: &Course) -> Vec<Gap> {
    if course.state == State::Archived {
        return Vec::new();
    }
    let product = course.content.product.to_string();
    let gap = |from, crime_areas, text: &str| Gap {
        from,
        said_in: product.clone(),
        crime_areas,
        indicator: String::new(),
        period: String::new(),
        text: text.to_owned(),
    };
    let judgements = course.sections.iter().flat_map(|section| &section.judgements);
    let low = judgements.filter(|judgement| judgement.confidence == Confidence::Low);
    let low = low.map(|judgement| {
        let areas = judgement.crime_areas.iter().map(ToString::to_string).collect();
        gap(From::LowConfidence, areas, &judgement.text)
    });
    let missed = course.heard.values().filter_map(|word| match &word.said {
        Said::Feedback(_, _, missed) if !missed.is_empty() => {
            Some(gap(From::Feedback, Vec::new(), missed))
        }
        Said::Feedback(..)
        | Said::Comment(_)
        | Said::Endorsement(..)
        | Said::AgreeToSilence
        | Said::Contribution(..)
        | Said::Report(_) => None,
    });
    low.chain(missed).collect()
}

/// Gaps of a ranking: its white spots.
pub fn of_ranking(name: &str, order: &Order) -> Vec<Gap> {
    let gap = |spot: &crate::wire::threat::WhiteSpot| {
        let text = match spot.reason() {
            WhiteSpotReason::NotAsked => "no picture asks for it",
            WhiteSpotReason::Missing => "whoever answered does not have it",
            WhiteSpotReason::NotShown => "it cannot be shown",
            // It is not combined: nobody can be asked for it.
            WhiteSpotReason::NotApplicable | WhiteSpotReason::Unspecified => return None,
        };
        Some(Gap {
            from: From::WhiteSpot,
            said_in: name.to_owned(),
            crime_areas: vec![spot.crime_area.clone()],
            indicator: order.indicator.clone(),
            period: order.period.clone(),
            text: text.to_owned(),
        })
    };
    order.white_spots.iter().filter_map(gap).collect()
}

/// A draft of the requirement that would ask for what is missing, for a person to go on with: blocks where an indicator is named,
/// remarks where none is.
pub fn requirement(gaps: &[Gap]) -> String {
    let mut blocks = BTreeMap::<(&str, &str), BTreeSet<&str>>::new();
    let mut remarks = Vec::new();
    for gap in gaps {
        let areas = gap.crime_areas.iter().map(String::as_str);
        if gap.indicator.is_empty() {
            let areas = areas.collect::<Vec<_>>().join(" ");
            let text = gap.text.replace('\n', " ");
            remarks.push(format!("# {areas}: {text} (said in {})", gap.said_in));
        } else {
            blocks.entry((&gap.indicator, &gap.period)).or_default().extend(areas);
        }
    }
    let mut text = "# What is not known. Say who asks, why, by what right and until when; then `requirement issue`.\n\
        authority = \"\"\nwhy = \"Gaps of the last round\"\npurpose = \"\"\nlegal_basis = \"\"\naudience = \"\"\ncloses = \"\"\n"
        .to_owned();
    for ((indicator, period), areas) in blocks {
        let areas: Vec<_> = areas.into_iter().map(|area| format!("\"{area}\"")).collect();
        let areas = areas.join(", ");
        text += &format!(
            "\n[[question]]\nindicator = \"{indicator}\"\ncrime_areas = [{areas}]\nperiods = \"{period}\"\n"
        );
    }
    if !remarks.is_empty() {
        text += "\n# Which indicator would tell these, somebody has to say:\n";
        text += &remarks.join("\n");
        text += "\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::threat::WhiteSpot;

    #[test]
    fn white_spots_become_a_question_and_what_names_no_indicator_a_remark() {
        let spot = |area: &str, reason: WhiteSpotReason| WhiteSpot {
            crime_area: area.to_owned(),
            reason: reason.into(),
        };
        let order = Order {
            indicator: "PUB.OFF.N".to_owned(),
            period: "2016".to_owned(),
            white_spots: vec![
                spot("ICCS07041", WhiteSpotReason::Missing),
                spot("ICCS0601", WhiteSpotReason::NotAsked),
                spot("ICCS0501", WhiteSpotReason::NotApplicable),
            ],
            ..Order::default()
        };
        let mut gaps = of_ranking("5f3a", &order);
        assert_eq!(gaps.len(), 2, "{gaps:?}");
        gaps.push(Gap {
            from: From::LowConfidence,
            said_in: "0190".to_owned(),
            crime_areas: vec!["DRG".to_owned()],
            indicator: String::new(),
            period: String::new(),
            text: "It is not known.".to_owned(),
        });
        let text = requirement(&gaps);
        assert!(text.contains("crime_areas = [\"ICCS0601\", \"ICCS07041\"]\nperiods = \"2016\""));
        assert!(text.contains("# DRG: It is not known. (said in 0190)"), "{text}");
    }
}
