//! No text of a product names a person. Comes in: a step that is about to be signed. Goes out: nothing, or where something stands that
//! looks like personal data. Asked by an owner before it signs, and never of what was signed: a net that is woven closer
//! tomorrow must not make a text unreadable that was endorsed today.

use super::{course::Course, section::Section, step::Deed};
use crate::{
    guard,
    reason::{Invalid, Reason},
};

impl Course {
    /// Checks what a deed adds; of a text, all of it.
    pub fn check_impersonal(&self, deed: &Deed) -> Result<(), Invalid> {
        match deed {
            Deed::Draft(draft) => {
                check("draft.why", &draft.why)?;
                check("title", &self.content.title)?;
                check("covers", &self.content.covers)?;
                self.sections.iter().try_for_each(|section| {
                    let named = |error: Invalid| error.within(format!("section {}", section.name));
                    check_section(section).map_err(named)
                })
            }
            Deed::Resolve(resolve) => {
                resolve.resolutions.iter().try_for_each(|of| check("resolve.text", &of.text))
            }
            Deed::Correct(correct) => check("correct.text", &correct.text),
            Deed::Recall(recall) => check("recall.why", &recall.why),
            Deed::Archive(archive) => check("archive.why", &archive.why),
            // What members say was looked at by their nodes.
            Deed::Circulate(_)
            | Deed::CloseRound(_)
            | Deed::Finalise(_)
            | Deed::Open(_)
            | Deed::Close(_)
            | Deed::Publish(_)
            | Deed::Hear(_) => Ok(()),
        }
    }
}

fn check_section(section: &Section) -> Result<(), Invalid> {
    let Section { heading, text, judgements, recommendations, figures, plan, .. } = section;
    check("heading", heading)?;
    check("text", text)?;
    for judgement in judgements {
        check("judgement", &judgement.text)?;
        check("judgement.horizon", &judgement.horizon)?;
    }
    recommendations.iter().try_for_each(|text| check("recommendation", text))?;
    figures.iter().try_for_each(|figure| check("figure.caption", &figure.caption))?;
    let plan = plan.iter().flat_map(|plan| super::difference::plan_in_lines(plan));
    // Words of a plan stand in quotes; numbers beside them are dates.
    plan.filter(|line| line.contains('"')).try_for_each(|line| check("plan", &line))
}

fn check(field: &str, text: &str) -> Result<(), Invalid> {
    match guard::in_text(text) {
        None => Ok(()),
        Some(found) => {
            let detail = format!("looks as if it held {}: leave it out", found.name());
            Err(Invalid::new(Reason::PersonalData, field, detail))
        }
    }
}
