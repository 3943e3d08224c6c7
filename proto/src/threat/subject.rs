//! What is scored. Comes in: a kind and a code. Goes out: a subject. There is no kind for a jurisdiction, and no code of one
//! passes under another kind: who asks for an order of jurisdictions finds no words for it (DESIGN.md §10).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    reason::{Invalid, Reason, quoted},
    taxonomy::{AreaList, CrimeAreaCode, Lists, TermCode},
};

/// Kinds of subject that a method may be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SubjectKind {
    /// A crime area.
    CrimeArea,
    /// A class of organised crime groups, never a group with a name outside its node.
    OcgClass,
    /// A smuggling or trafficking route.
    Route,
    /// A stretch of a border.
    BorderSegment,
}

/// What is scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// See [`SubjectKind::CrimeArea`].
    CrimeArea(CrimeAreaCode),
    /// See [`SubjectKind::OcgClass`].
    OcgClass(TermCode),
    /// See [`SubjectKind::Route`].
    Route(TermCode),
    /// See [`SubjectKind::BorderSegment`].
    BorderSegment(TermCode),
}

impl Subject {
    /// Reads a subject. A crime area is of the list `crime_areas`; other codes are the node's own.
    pub fn read(
        field: &str,
        kind: SubjectKind,
        code: &str,
        lists: &Lists,
    ) -> Result<Self, Invalid> {
        no_jurisdiction(field, code, lists)?;
        if kind == SubjectKind::CrimeArea {
            let known = CrimeAreaCode::parse(code)
                .filter(|code| lists.crime_area_list(*code) == Some(AreaList::CRIME_AREAS));
            return known.map(Self::CrimeArea).ok_or_else(|| {
                let detail = format!("{} is not in the list crime_areas", quoted(code));
                Invalid::new(Reason::CodeUnknown, field, detail)
            });
        }
        let own = TermCode::parse(code).ok_or_else(|| {
            let detail = format!("{} is not a code of at most 24 letters and digits", quoted(code));
            Invalid::new(Reason::FieldInvalid, field, detail)
        })?;
        Ok(match kind {
            SubjectKind::Route => Self::Route(own),
            SubjectKind::BorderSegment => Self::BorderSegment(own),
            SubjectKind::OcgClass | SubjectKind::CrimeArea => Self::OcgClass(own),
        })
    }

    /// Its kind.
    pub fn kind(&self) -> SubjectKind {
        match self {
            Self::CrimeArea(_) => SubjectKind::CrimeArea,
            Self::OcgClass(_) => SubjectKind::OcgClass,
            Self::Route(_) => SubjectKind::Route,
            Self::BorderSegment(_) => SubjectKind::BorderSegment,
        }
    }
}

/// Refuses the code of a jurisdiction or of a region of one, in capitals or not, also where a federation has given it to an area
/// of its own.
pub(super) fn no_jurisdiction(field: &str, code: &str, lists: &Lists) -> Result<(), Invalid> {
    // Every jurisdiction is a region of level 0.
    if lists.region(field, &code.to_uppercase()).is_err() {
        return Ok(());
    }
    let detail = "is a jurisdiction or a region of one, and none is ever scored or ranked";
    Err(Invalid::new(Reason::MethodUnfit, field, detail))
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CrimeArea(code) => code.fmt(f),
            Self::OcgClass(code) | Self::Route(code) | Self::BorderSegment(code) => code.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_jurisdiction_and_no_region_of_one_is_ever_a_subject() {
        let lists = Lists::builtin();
        let kinds = [
            SubjectKind::CrimeArea,
            SubjectKind::OcgClass,
            SubjectKind::Route,
            SubjectKind::BorderSegment,
        ];
        for kind in kinds {
            for code in ["AL", "XK", "RS", "rs", "AL01"] {
                assert!(Subject::read("subject", kind, code, lists).is_err(), "{kind:?} {code}");
            }
        }
        let route = Subject::read("subject", SubjectKind::Route, "WEST-BALKAN", lists).unwrap();
        assert_eq!((route.kind(), route.to_string().as_str()), (kinds[2], "WEST-BALKAN"));
        let refused = Subject::read("subject", SubjectKind::Route, "BA", lists).unwrap_err();
        assert_eq!(refused.reason, Reason::MethodUnfit);
    }
}
