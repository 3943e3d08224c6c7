//! Where a product stands (domain.md §3.4). Comes in: a state and what is to be done. Goes out: the next state, or nothing: then
//! it may not be done. Total: a test tries every state with everything that can be done.

use super::{content::Kind, rule::Outcome};

/// Where a product stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Being written; nobody else has seen it.
    Draft,
    /// A round is open.
    Circulated,
    /// A round is over.
    Commented,
    /// Written anew since.
    Revised,
    /// As it will be endorsed.
    FinalDraft,
    /// Members endorse it, or do not.
    EndorsementOpen,
    /// By its rule.
    Endorsed,
    /// By its rule, and somebody dissents.
    EndorsedWithDissent,
    /// Not by its rule.
    NotEndorsed,
    /// Released to its readers.
    Published,
    /// With an erratum.
    Corrected,
    /// Not to be relied on any more.
    Recalled,
    /// Over.
    Archived,
}

impl State {
    /// All, with their names.
    pub const ALL: [(Self, &'static str); 13] = [
        (Self::Draft, "DRAFT"),
        (Self::Circulated, "CIRCULATED"),
        (Self::Commented, "COMMENTED"),
        (Self::Revised, "REVISED"),
        (Self::FinalDraft, "FINAL_DRAFT"),
        (Self::EndorsementOpen, "ENDORSEMENT_OPEN"),
        (Self::Endorsed, "ENDORSED"),
        (Self::EndorsedWithDissent, "ENDORSED_WITH_DISSENT"),
        (Self::NotEndorsed, "NOT_ENDORSED"),
        (Self::Published, "PUBLISHED"),
        (Self::Corrected, "CORRECTED"),
        (Self::Recalled, "RECALLED"),
        (Self::Archived, "ARCHIVED"),
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("", |(_, name)| name)
    }
}

/// What is done with a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A new text.
    Draft,
    /// To all members, for comments.
    Circulate,
    /// No more comments.
    CloseRound,
    /// What becomes of a comment.
    Resolve,
    /// No more changes.
    Finalise,
    /// To all members, to be endorsed.
    Open,
    /// No more endorsements, and what has come of them.
    Close(Outcome),
    /// To its readers.
    Publish,
    /// An erratum.
    Correct,
    /// Not to be relied on.
    Recall,
    /// Over.
    Archive,
    /// What members say that moves nothing.
    Hear,
}

impl Deed {
    /// All, with their names.
    pub const ALL: [(Self, &'static str); 14] = [
        (Self::Draft, "draft"),
        (Self::Circulate, "circulate"),
        (Self::CloseRound, "close-round"),
        (Self::Resolve, "resolve"),
        (Self::Finalise, "finalise"),
        (Self::Open, "open"),
        (Self::Close(Outcome::Endorsed), "close"),
        (Self::Close(Outcome::EndorsedWithDissent), "close"),
        (Self::Close(Outcome::NotEndorsed), "close"),
        (Self::Publish, "publish"),
        (Self::Correct, "correct"),
        (Self::Recall, "recall"),
        (Self::Archive, "archive"),
        (Self::Hear, "hear"),
    ];

    /// Its name, as the command has it.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(deed, _)| *deed == self).map_or("", |(_, name)| name)
    }
}

/// The state after a deed; none where it may not be done. Before the first text there is no state.
pub fn next(state: Option<State>, deed: Deed, kind: Kind) -> Option<State> {
    use State as S;
    let Some(state) = state else {
        return (deed == Deed::Draft).then_some(S::Draft);
    };
    match (deed, state) {
        (Deed::Draft, S::Draft) => Some(S::Draft),
        (Deed::Draft, S::Commented | S::Revised | S::FinalDraft | S::NotEndorsed) => {
            Some(S::Revised)
        }
        (Deed::Circulate, S::Draft | S::Revised) => Some(S::Circulated),
        (Deed::CloseRound, S::Circulated) => Some(S::Commented),
        (Deed::Resolve, S::Commented | S::Revised) => Some(state),
        (Deed::Finalise, S::Commented | S::Revised) => Some(S::FinalDraft),
        (Deed::Finalise, S::Draft) => kind.needs_no_round().then_some(S::FinalDraft),
        (Deed::Open, S::FinalDraft) => Some(S::EndorsementOpen),
        (Deed::Close(outcome), S::EndorsementOpen) => Some(match outcome {
            Outcome::Endorsed => S::Endorsed,
            Outcome::EndorsedWithDissent => S::EndorsedWithDissent,
            Outcome::NotEndorsed => S::NotEndorsed,
        }),
        (Deed::Publish, S::Endorsed | S::EndorsedWithDissent) => Some(S::Published),
        (Deed::Correct, S::Published | S::Corrected) => Some(S::Corrected),
        (Deed::Recall, S::Published | S::Corrected) => Some(S::Recalled),
        (
            Deed::Archive,
            S::Draft
            | S::Circulated
            | S::Commented
            | S::Revised
            | S::FinalDraft
            | S::EndorsementOpen
            | S::Endorsed
            | S::EndorsedWithDissent
            | S::NotEndorsed
            | S::Published
            | S::Corrected
            | S::Recalled,
        ) => Some(S::Archived),
        // Before it is circulated nobody has anything to say of it; and publication follows the end of the endorsement directly.
        (Deed::Hear, S::Draft | S::Endorsed | S::EndorsedWithDissent) => None,
        (Deed::Hear, _) => Some(state),
        (
            Deed::Draft
            | Deed::Circulate
            | Deed::CloseRound
            | Deed::Resolve
            | Deed::Finalise
            | Deed::Open
            | Deed::Close(_)
            | Deed::Publish
            | Deed::Correct
            | Deed::Recall
            | Deed::Archive,
            _,
        ) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What may be done in each state, and where it leads: `*` where only some kinds may.
    const TABLE: [(&str, &[(&str, &str)]); 14] = [
        ("", &[("draft", "DRAFT")]),
        (
            "DRAFT",
            &[
                ("draft", "DRAFT"),
                ("circulate", "CIRCULATED"),
                ("finalise", "FINAL_DRAFT*"),
                ("archive", "ARCHIVED"),
            ],
        ),
        (
            "CIRCULATED",
            &[("close-round", "COMMENTED"), ("archive", "ARCHIVED"), ("hear", "CIRCULATED")],
        ),
        (
            "COMMENTED",
            &[
                ("draft", "REVISED"),
                ("resolve", "COMMENTED"),
                ("finalise", "FINAL_DRAFT"),
                ("archive", "ARCHIVED"),
                ("hear", "COMMENTED"),
            ],
        ),
        (
            "REVISED",
            &[
                ("draft", "REVISED"),
                ("circulate", "CIRCULATED"),
                ("resolve", "REVISED"),
                ("finalise", "FINAL_DRAFT"),
                ("archive", "ARCHIVED"),
                ("hear", "REVISED"),
            ],
        ),
        (
            "FINAL_DRAFT",
            &[
                ("draft", "REVISED"),
                ("open", "ENDORSEMENT_OPEN"),
                ("archive", "ARCHIVED"),
                ("hear", "FINAL_DRAFT"),
            ],
        ),
        (
            "ENDORSEMENT_OPEN",
            &[
                ("close", "ENDORSED"),
                ("close", "ENDORSED_WITH_DISSENT"),
                ("close", "NOT_ENDORSED"),
                ("archive", "ARCHIVED"),
                ("hear", "ENDORSEMENT_OPEN"),
            ],
        ),
        ("ENDORSED", &[("publish", "PUBLISHED"), ("archive", "ARCHIVED")]),
        ("ENDORSED_WITH_DISSENT", &[("publish", "PUBLISHED"), ("archive", "ARCHIVED")]),
        (
            "NOT_ENDORSED",
            &[("draft", "REVISED"), ("archive", "ARCHIVED"), ("hear", "NOT_ENDORSED")],
        ),
        (
            "PUBLISHED",
            &[
                ("correct", "CORRECTED"),
                ("recall", "RECALLED"),
                ("archive", "ARCHIVED"),
                ("hear", "PUBLISHED"),
            ],
        ),
        (
            "CORRECTED",
            &[
                ("correct", "CORRECTED"),
                ("recall", "RECALLED"),
                ("archive", "ARCHIVED"),
                ("hear", "CORRECTED"),
            ],
        ),
        ("RECALLED", &[("archive", "ARCHIVED"), ("hear", "RECALLED")]),
        ("ARCHIVED", &[("hear", "ARCHIVED")]),
    ];

    #[test]
    fn every_state_allows_these_deeds_and_no_others() {
        let states = std::iter::once((None, ""))
            .chain(State::ALL.into_iter().map(|(state, name)| (Some(state), name)));
        for ((state, name), (row, allowed)) in states.zip(TABLE) {
            assert_eq!(name, row);
            for (kind, _) in Kind::ALL {
                let mut found = Vec::new();
                for (deed, called) in Deed::ALL {
                    let to = next(state, deed, kind);
                    found.extend(to.map(|to| (called, to.as_str())));
                }
                let wanted = allowed.iter().filter_map(|(deed, to)| match to.strip_suffix('*') {
                    None => Some((*deed, *to)),
                    Some(to) => kind.needs_no_round().then_some((*deed, to)),
                });
                assert_eq!(found, wanted.collect::<Vec<_>>(), "{name} of {}", kind.as_str());
            }
        }
    }

    #[test]
    fn nothing_is_published_that_was_not_endorsed() {
        let before: Vec<_> = State::ALL
            .into_iter()
            .filter(|(state, _)| {
                next(Some(*state), Deed::Publish, Kind::Bulletin) == Some(State::Published)
            })
            .map(|(state, _)| state)
            .collect();
        assert_eq!(before, [State::Endorsed, State::EndorsedWithDissent]);
    }
}
