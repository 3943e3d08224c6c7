//! When a product counts as endorsed (domain.md §10, trap 15). Comes in: positions of jurisdictions. Goes out: an outcome. Pure. Must
//! never count silence as consent of anybody who has not agreed to that.

use std::collections::BTreeMap;

use super::content::unknown;
use crate::{
    reason::{Invalid, Reason},
    taxonomy::JurisdictionCode,
    wire::product as wire,
};

/// What a member says of a text that is to be endorsed; the later, the stronger: of several nodes of one jurisdiction the
/// strongest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Position {
    /// As it is.
    Endorse,
    /// As it is, with words beside it.
    EndorseWithReservation,
    /// Neither.
    Abstain,
    /// Not, and why.
    Dissent,
}

impl Position {
    /// All, with their names.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Endorse, "ENDORSE"),
        (Self::EndorseWithReservation, "ENDORSE_WITH_RESERVATION"),
        (Self::Abstain, "ABSTAIN"),
        (Self::Dissent, "DISSENT"),
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(position, _)| *position == self).map_or("", |(_, name)| name)
    }

    /// For a page.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Endorse => "endorses",
            Self::EndorseWithReservation => "endorses with a reservation",
            Self::Abstain => "abstains",
            Self::Dissent => "dissents",
        }
    }

    /// Must it be said why?
    pub fn needs_words(self) -> bool {
        matches!(self, Self::EndorseWithReservation | Self::Dissent)
    }

    /// As the wire has it.
    pub fn to_wire(self) -> wire::Position {
        match self {
            Self::Endorse => wire::Position::Endorse,
            Self::EndorseWithReservation => wire::Position::EndorseWithReservation,
            Self::Abstain => wire::Position::Abstain,
            Self::Dissent => wire::Position::Dissent,
        }
    }

    /// Reads what [`Self::to_wire`] writes.
    pub fn from_wire(field: &str, position: i32) -> Result<Self, Invalid> {
        match wire::Position::try_from(position) {
            Ok(wire::Position::Endorse) => Ok(Self::Endorse),
            Ok(wire::Position::EndorseWithReservation) => Ok(Self::EndorseWithReservation),
            Ok(wire::Position::Abstain) => Ok(Self::Abstain),
            Ok(wire::Position::Dissent) => Ok(Self::Dissent),
            Ok(wire::Position::Unspecified) | Err(_) => Err(unknown(field, position)),
        }
    }
}

/// What has come of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// By the rule, and nobody dissents.
    Endorsed,
    /// By the rule, and somebody dissents.
    EndorsedWithDissent,
    /// Not by the rule.
    NotEndorsed,
}

impl Outcome {
    /// As the wire has it.
    pub fn to_wire(self) -> wire::Outcome {
        match self {
            Self::Endorsed => wire::Outcome::Endorsed,
            Self::EndorsedWithDissent => wire::Outcome::EndorsedWithDissent,
            Self::NotEndorsed => wire::Outcome::NotEndorsed,
        }
    }

    /// Reads what [`Self::to_wire`] writes.
    pub fn from_wire(field: &str, outcome: i32) -> Result<Self, Invalid> {
        match wire::Outcome::try_from(outcome) {
            Ok(wire::Outcome::Endorsed) => Ok(Self::Endorsed),
            Ok(wire::Outcome::EndorsedWithDissent) => Ok(Self::EndorsedWithDissent),
            Ok(wire::Outcome::NotEndorsed) => Ok(Self::NotEndorsed),
            Ok(wire::Outcome::Unspecified) | Err(_) => Err(unknown(field, outcome)),
        }
    }
}

/// How many must endorse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Every jurisdiction.
    All,
    /// All but so many.
    AllBut(usize),
    /// At least so many.
    Quorum(usize),
}

/// When a product counts as endorsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// How many.
    pub wanted: Wanted,
    /// Whoever has agreed to it beforehand endorses by silence.
    pub silence: bool,
}

impl Rule {
    /// Checks that a rule of so many members can be kept, and asks for somebody.
    pub fn from_wire(field: &str, rule: &wire::Rule, members: usize) -> Result<Self, Invalid> {
        let wire::Rule { kind, number, silence } = *rule;
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        let wanted = match wire::RuleKind::try_from(kind) {
            Ok(wire::RuleKind::All) if number == 0 => Wanted::All,
            Ok(wire::RuleKind::AllBut) if (1..members).contains(&number) => Wanted::AllBut(number),
            Ok(wire::RuleKind::Quorum) if (1..=members).contains(&number) => Wanted::Quorum(number),
            Ok(wire::RuleKind::All | wire::RuleKind::AllBut | wire::RuleKind::Quorum) => {
                let detail = format!("{number} is not possible with {members} members");
                return Err(Invalid::new(Reason::FieldInvalid, field, detail));
            }
            Ok(wire::RuleKind::Unspecified) | Err(_) => return Err(unknown(field, kind)),
        };
        Ok(Self { wanted, silence })
    }

    /// As the wire has it.
    pub fn to_wire(self) -> wire::Rule {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let (kind, number) = match self.wanted {
            Wanted::All => (wire::RuleKind::All, 0),
            Wanted::AllBut(count) => (wire::RuleKind::AllBut, number(count)),
            Wanted::Quorum(count) => (wire::RuleKind::Quorum, number(count)),
        };
        wire::Rule { kind: kind.into(), number, silence: self.silence }
    }

    /// For a page.
    pub fn in_words(self) -> String {
        let wanted = match self.wanted {
            Wanted::All => "every jurisdiction endorses".to_owned(),
            Wanted::AllBut(count) => format!("all jurisdictions but {count} endorse"),
            Wanted::Quorum(count) => format!("at least {count} jurisdictions endorse"),
        };
        match self.silence {
            true => wanted + "; silence counts for whoever has agreed to that",
            false => wanted,
        }
    }

    /// What comes of these positions: one for each jurisdiction that reviews, none where nothing is said. `agreed` says who has
    /// agreed to silence.
    pub fn outcome(
        self,
        positions: &BTreeMap<JurisdictionCode, Option<Position>>,
        agreed: impl Fn(JurisdictionCode) -> bool,
    ) -> Outcome {
        let endorses =
            |(jurisdiction, position): &(&JurisdictionCode, &Option<Position>)| match position {
                Some(Position::Endorse | Position::EndorseWithReservation) => true,
                Some(Position::Abstain | Position::Dissent) => false,
                None => self.silence && agreed(**jurisdiction),
            };
        let count = positions.iter().filter(endorses).count();
        let enough = match self.wanted {
            Wanted::All => count == positions.len(),
            Wanted::AllBut(others) => count + others >= positions.len(),
            Wanted::Quorum(wanted) => count >= wanted,
        };
        let dissent = positions.values().any(|position| *position == Some(Position::Dissent));
        // A rule that several nodes of one jurisdiction seem to make possible must not be met by nobody.
        match (enough && count > 0, dissent) {
            (true, false) => Outcome::Endorsed,
            (true, true) => Outcome::EndorsedWithDissent,
            (false, _) => Outcome::NotEndorsed,
        }
    }
}
