//! Who somebody is: read from a certificate's one URI SAN, never from a message.
//!
//! `spiffe://<federation>/<jurisdiction or REGION>/<node|staff>/<name>/<role>`. A person's name stays
//! in the journal of the service that the person called; it never travels between services.

use std::fmt;

use crate::{
    limits::NAME_BYTES_MAX,
    reason::{Invalid, Reason, quoted},
    taxonomy::{JurisdictionCode, WHOLE_REGION},
};

/// Name of a node, authority or person in lower case: letters, digits and hyphens, no dots, no spaces.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// Checks the form.
    pub fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let form = !text.is_empty() && text.len() <= NAME_BYTES_MAX && text.bytes().all(allowed);
        if form && !text.starts_with('-') && !text.ends_with('-') {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(
            Reason::FieldInvalid,
            field,
            format!(
                "{} is not a name: a-z, 0-9 and inner hyphens, at most {NAME_BYTES_MAX} characters",
                quoted(text)
            ),
        ))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Trust domain of a federation, e.g. `wb6.example`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Federation(String);

impl Federation {
    /// Checks the form: dot-separated names.
    pub fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
        let parts = text.split('.').all(|part| Name::parse(field, part).is_ok());
        if parts && text.len() <= NAME_BYTES_MAX {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(
            Reason::FieldInvalid,
            field,
            format!("{} is not a trust domain; write it like wb6.example", quoted(text)),
        ))
    }

    /// The domain as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Federation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Where somebody belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A jurisdiction.
    Jurisdiction(JurisdictionCode),
    /// The federation as a whole: the coordinator and regional staff.
    Region,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jurisdiction(code) => f.pad(code.as_str()),
            Self::Region => f.pad(WHOLE_REGION),
        }
    }
}

/// What a certificate allows its holder to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// A national node: serves Exchange and Desk.
    Node,
    /// The coordinator: calls Exchange, serves Region.
    Coordinator,
    /// Enters and imports (national); asks and gathers (regional).
    Analyst,
    /// Freezes, consents, releases (national).
    Releaser,
    /// Reads the journal.
    Auditor,
    /// Keeps the service running.
    Operator,
    /// Writes the product (regional).
    Editor,
    /// Reads what is released to it (regional).
    Observer,
    /// Knows the secret parameters of the gate (regional).
    Custodian,
}

impl Role {
    /// Every role with the segment of the URI that it stands in.
    const NAMES: [(Self, &'static str, &'static str); 9] = [
        (Self::Node, "node", "node"),
        (Self::Coordinator, "node", "coordinator"),
        (Self::Analyst, "staff", "analyst"),
        (Self::Releaser, "staff", "releaser"),
        (Self::Auditor, "staff", "auditor"),
        (Self::Operator, "staff", "operator"),
        (Self::Editor, "staff", "editor"),
        (Self::Observer, "staff", "observer"),
        (Self::Custodian, "staff", "custodian"),
    ];

    fn names(self) -> (&'static str, &'static str) {
        let entry = Self::NAMES.into_iter().find(|(role, _, _)| *role == self);
        entry.map_or(("", ""), |(_, kind, name)| (kind, name))
    }

    /// For people: "an analyst".
    pub fn one(self) -> String {
        let (_, name) = self.names();
        let article = if name.starts_with(['a', 'e', 'o']) { "an" } else { "a" };
        format!("{article} {name}")
    }

    /// Is this a person rather than a service?
    pub fn is_staff(self) -> bool {
        self.names().0 == "staff"
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.names().1)
    }
}

/// What a certificate says about its holder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// The federation.
    pub federation: Federation,
    /// Jurisdiction or region.
    pub place: Place,
    /// Node, coordinator or person.
    pub name: Name,
    /// What it may be.
    pub role: Role,
}

impl Identity {
    /// As it may stand in a log: a service by its URI, a person by place and role only. Who it was stands in the journal.
    pub fn in_log(&self) -> String {
        match self.role.names().0 {
            "staff" => format!("{} {}", self.place, self.role),
            _ => self.to_string(),
        }
    }

    /// Reads a SPIFFE URI; the one spelling only (no other case, port, query, escape or empty segment).
    pub fn parse(uri: &str) -> Result<Self, Invalid> {
        Self::read(uri).ok_or_else(|| {
            Invalid::new(
                Reason::CertificateIdentity,
                "certificate.san",
                format!(
                    "{} is not spiffe://<federation>/<jurisdiction>/<node|staff>/<name>/<role>",
                    quoted(uri)
                ),
            )
        })
    }

    fn read(uri: &str) -> Option<Self> {
        let mut parts = uri.strip_prefix("spiffe://")?.split('/');
        let federation = Federation::parse("", parts.next()?).ok()?;
        let place = match parts.next()? {
            WHOLE_REGION => Place::Region,
            code => Place::Jurisdiction(JurisdictionCode::parse(code)?),
        };
        let kind = parts.next()?;
        let name = Name::parse("", parts.next()?).ok()?;
        let role = parts.next()?;
        let (role, _, _) =
            Role::NAMES.into_iter().find(|(_, of, named)| *of == kind && *named == role)?;
        let belongs = match role {
            Role::Coordinator | Role::Editor | Role::Observer | Role::Custodian => {
                place == Place::Region
            }
            Role::Node | Role::Releaser => place != Place::Region,
            Role::Analyst | Role::Auditor | Role::Operator => true,
        };
        (parts.next().is_none() && belongs).then_some(Self { federation, place, name, role })
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { federation, place, name, role } = self;
        write!(f, "spiffe://{federation}/{place}/{}/{name}/{role}", role.names().0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_has_one_spelling() {
        for uri in [
            "spiffe://wb6.example/AL/node/al-police/node",
            "spiffe://wb6.example/REGION/node/centre/coordinator",
            "spiffe://wb6.example/RS/staff/analyst-1/analyst",
        ] {
            assert_eq!(Identity::parse(uri).unwrap().to_string(), uri);
        }
    }

    #[test]
    fn a_log_names_services_and_no_person() {
        let in_log = |uri| Identity::parse(uri).unwrap().in_log();
        assert_eq!(in_log("spiffe://wb6.example/RS/staff/analyst-1/auditor"), "RS auditor");
        let node = "spiffe://wb6.example/AL/node/al-police/node";
        assert_eq!(in_log(node), node);
    }

    #[test]
    fn tricks_with_names_are_refused() {
        for uri in [
            "spiffe://wb6.example/AL/node/al-police/analyst",
            "spiffe://wb6.example/AL/node/al-police/coordinator",
            "spiffe://wb6.example/REGION/node/x/node",
            "spiffe://wb6.example/al/node/al-police/node",
            "spiffe://WB6.example/AL/node/al-police/node",
            "spiffe://wb6.example:443/AL/node/al-police/node",
            "spiffe://wb6.example/AL/node/al-police/node/",
            "spiffe://wb6.example/AL/node/al-police/node?x",
            "spiffe://wb6.example//AL/node/al-police/node",
            "spiffe://wb6.example/AL/node/%61l-police/node",
            "SPIFFE://wb6.example/AL/node/al-police/node",
            "https://wb6.example/AL/node/al-police/node",
            "",
        ] {
            assert!(Identity::parse(uri).is_err(), "{uri}");
        }
    }
}
