//! `roster.toml`: a roster as people write it. Comes in: the text, and the files that it names. Goes out: the roster to
//! sign, or every mistake with its line. Must never take a certificate for another party's than the one it stands at.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    clock::Timestamp,
    identity::{Federation, Identity, Name, Place, Role},
    limits::{KEYS_PER_PARTY_MAX, ROSTER_DAYS_MAX},
    operate::{
        pem,
        written::{Entries, Word, Written},
    },
    reason::{Invalid, Reason, quoted},
    roster::{Paper, PaperCentre, PaperMember, Roster, check_address},
    seal::{Digest, PublicKey},
    taxonomy::Lists,
    transport::Peer,
    wire,
};

/// What a text is read with.
pub struct Sources<'a> {
    /// Reads a file that the text names.
    pub file: &'a dyn Fn(&str) -> Result<Vec<u8>, Invalid>,
    /// The roster before.
    pub previous: Option<&'a Roster>,
    /// When it is signed.
    pub now: Timestamp,
    /// Code lists, for jurisdictions.
    pub lists: &'a Lists,
}

impl std::fmt::Debug for Sources<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sources")
    }
}

/// A text that is being read.
struct Reading<'a> {
    of: &'a Written<'a>,
    sources: &'a Sources<'a>,
    /// Every key, and at whom it stands.
    keys: BTreeMap<[u8; 32], String>,
    /// Every name; an authority may be called like a member or a centre.
    names: BTreeSet<(bool, Name)>,
}

/// Reads a text: the roster that it means, with everybody in the order that a roster has.
pub fn read(text: &str, sources: &Sources<'_>) -> Result<Paper, Invalid> {
    let written = Written::new("roster.toml", text);
    let mut entries = written.entries()?;
    let mut reading =
        Reading { of: &written, sources, keys: BTreeMap::new(), names: BTreeSet::new() };
    let federation = reading.federation(&mut entries);
    let version = reading.version(&mut entries);
    let days = entries.number("days", 1..ROSTER_DAYS_MAX.unsigned_abs() + 1);
    let mut members = Vec::new();
    for entry in entries.tables("member") {
        members.extend(reading.member(entry, federation.as_ref()));
    }
    let mut authorities = Vec::new();
    for entry in entries.tables("authority") {
        authorities.extend(reading.authority(entry));
    }
    let mut centres = Vec::new();
    for entry in entries.tables("centre") {
        centres.extend(reading.centre(entry, federation.as_ref()));
    }
    entries.end();
    written.check()?;
    // Each of them is there, or a mistake was noted.
    let missing = |what: &str| Invalid::new(Reason::FieldMissing, "roster.toml", what);
    let federation = federation.ok_or_else(|| missing("federation"))?;
    let days = days.and_then(|days| i64::try_from(days).ok()).ok_or_else(|| missing("days"))?;
    members.sort_by(|a: &PaperMember, b| a.node.cmp(&b.node));
    authorities.sort_by(|a: &wire::Authority, b| a.authority.cmp(&b.authority));
    centres.sort_by(|a: &PaperCentre, b| a.name.cmp(&b.name));
    Ok(Paper {
        federation: federation.to_string(),
        version: version.ok_or_else(|| missing("version"))?,
        issued_at_s: sources.now.as_s(),
        expires_at_s: sources.now.plus_s(days * 86_400).as_s(),
        members,
        authorities,
        centres,
    })
}

impl Reading<'_> {
    fn federation(&self, entries: &mut Entries<'_>) -> Option<Federation> {
        let word = entries.text("federation")?;
        let federation = self.of.take(&word.at, Federation::parse("federation", &word.text))?;
        if let Some(previous) = self.sources.previous
            && previous.federation != federation
        {
            let what = format!("federation: the roster before is of {}", previous.federation);
            self.of.mistake(&word.at, what);
        }
        Some(federation)
    }

    fn version(&self, entries: &mut Entries<'_>) -> Option<u64> {
        let version = entries.number("version", 1..i64::MAX.unsigned_abs())?;
        if let Some(previous) = self.sources.previous
            && version <= previous.version
        {
            let what =
                format!("version: {version} is not above {}, which is signed", previous.version);
            self.of.mistake(&entries.at(), what);
        }
        Some(version)
    }

    fn member(
        &mut self,
        mut entry: Entries<'_>,
        federation: Option<&Federation>,
    ) -> Option<PaperMember> {
        let name = self.name(&mut entry, "member");
        let code = entry.text("jurisdiction").and_then(|word| {
            let known = self.sources.lists.jurisdiction("jurisdiction", &word.text);
            self.of.take(&word.at, known.map(|known| known.code))
        });
        let address = entry
            .text("address")
            .and_then(|word| self.of.take(&word.at, check_address(&word.text)).map(|()| word.text));
        let who =
            federation.zip(name.as_ref()).zip(code).map(|((federation, name), code)| Identity {
                federation: federation.clone(),
                place: Place::Jurisdiction(code),
                name: name.clone(),
                role: Role::Node,
            });
        let tls_spki_sha256 = self.tls_keys(&mut entry, name.as_ref(), who.as_ref());
        let seal_keys = self.signing_keys(&mut entry, "seal_keys", name.as_ref());
        let known = |name: &Name| Some(self.sources.previous?.member(name)?.since);
        let since = self.since(&mut entry, name.as_ref().and_then(known));
        entry.end();
        Some(PaperMember {
            node: name?.to_string(),
            jurisdiction: code?.to_string(),
            address: address?,
            tls_spki_sha256,
            seal_keys,
            since_s: since?.as_s(),
        })
    }

    fn authority(&mut self, mut entry: Entries<'_>) -> Option<wire::Authority> {
        let name = self.name(&mut entry, "authority");
        let title = entry.text("title");
        let keys = self.signing_keys(&mut entry, "keys", name.as_ref());
        let known = |name: &Name| Some(self.sources.previous?.authority(name)?.since);
        let since = self.since(&mut entry, name.as_ref().and_then(known));
        entry.end();
        Some(wire::Authority {
            authority: name?.to_string(),
            title: title?.text,
            keys,
            since_s: since?.as_s(),
        })
    }

    fn centre(
        &mut self,
        mut entry: Entries<'_>,
        federation: Option<&Federation>,
    ) -> Option<PaperCentre> {
        let name = self.name(&mut entry, "centre");
        let who = federation.zip(name.as_ref()).map(|(federation, name)| Identity {
            federation: federation.clone(),
            place: Place::Region,
            name: name.clone(),
            role: Role::Coordinator,
        });
        let tls_spki_sha256 = self.tls_keys(&mut entry, name.as_ref(), who.as_ref());
        let keys = self.signing_keys(&mut entry, "keys", name.as_ref());
        entry.end();
        Some(PaperCentre { name: name?.to_string(), tls_spki_sha256, keys })
    }

    /// A name that nobody else has: of members and centres because each has one contact.
    fn name(&mut self, entry: &mut Entries<'_>, kind: &'static str) -> Option<Name> {
        let key = if kind == "member" { "node" } else { "name" };
        let word = entry.text(key)?;
        let name = self.of.take(&word.at, Name::parse(key, &word.text))?;
        if !self.names.insert((kind == "authority", name.clone())) {
            self.of.mistake(&word.at, format!("{key}: {name} stands twice"));
        }
        Some(name)
    }

    fn since(&self, entry: &mut Entries<'_>, known: Option<Timestamp>) -> Option<Timestamp> {
        match entry.maybe_text("since") {
            Some(word) => self.of.take(&word.at, Timestamp::parse("since", &word.text)),
            None => Some(known.unwrap_or(self.sources.now)),
        }
    }

    /// Of a certificate's file, and as they are written.
    fn tls_keys(
        &mut self,
        entry: &mut Entries<'_>,
        name: Option<&Name>,
        who: Option<&Identity>,
    ) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        if let Some(word) = entry.maybe_text("certificate") {
            let key = self.of.take(&word.at, self.certified(&word, who));
            found.extend(key.flatten().map(|key| (word, key)));
        }
        for word in entry.texts("tls_keys") {
            let digest = hex::decode(&word.text).ok().filter(|bytes| bytes.len() == 32);
            let wrong =
                || Invalid::new(Reason::FieldInvalid, "tls_keys", "is not 64 hexadecimal digits");
            let key = digest.ok_or_else(wrong).and_then(|of| Digest::from_wire("tls_keys", &of));
            found.extend(self.of.take(&word.at, key).map(|key| (word, key)));
        }
        self.bounded(entry, "certificate or tls_keys", found.len());
        found.into_iter().map(|(word, key)| self.once(&word, key.0, name)).collect()
    }

    /// The key of a certificate that is this party's; none if it is not known who that is.
    fn certified(&self, word: &Word, who: Option<&Identity>) -> Result<Option<Digest>, Invalid> {
        let wrong = |what: &str| {
            let detail = format!("{}: {what}", quoted(&word.text));
            Invalid::new(Reason::FieldInvalid, "certificate", detail)
        };
        let text = (self.sources.file)(&word.text)?;
        let chain = pem::certificates(&text).map_err(wrong)?;
        let own = chain.first().ok_or_else(|| wrong("is empty"))?;
        let peer = Peer::from_certificate(own).map_err(|error| wrong(&error.detail))?;
        let Some(who) = who else {
            return Ok(None);
        };
        if peer.identity != *who {
            return Err(wrong(&format!("is of {}, and {who} stands here", peer.identity)));
        }
        Ok(Some(peer.spki))
    }

    /// As they are written, or of the files that are named.
    fn signing_keys(
        &mut self,
        entry: &mut Entries<'_>,
        field: &str,
        name: Option<&Name>,
    ) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        for word in entry.texts(field) {
            let written = word.text.len() == 64 && word.text.bytes().all(|b| b.is_ascii_hexdigit());
            let key = if written {
                PublicKey::from_hex(field, &word.text)
            } else {
                let text = (self.sources.file)(&word.text);
                text.and_then(|text| {
                    PublicKey::from_hex(&word.text, &String::from_utf8_lossy(&text))
                })
            };
            found.extend(self.of.take(&word.at, key).map(|key| (word, key)));
        }
        self.bounded(entry, field, found.len());
        found.into_iter().map(|(word, key)| self.once(&word, key.to_bytes(), name)).collect()
    }

    fn bounded(&self, entry: &Entries<'_>, field: &str, found: usize) {
        if !(1..=KEYS_PER_PARTY_MAX).contains(&found) {
            let what = format!("{field}: {found} where 1 to {KEYS_PER_PARTY_MAX} must be");
            self.of.mistake(&entry.at(), what);
        }
    }

    /// One key, one party, one place.
    fn once(&mut self, word: &Word, key: [u8; 32], name: Option<&Name>) -> Vec<u8> {
        let name = name.map_or_else(String::new, ToString::to_string);
        if let Some(other) = self.keys.insert(key, name) {
            let key = hex::encode(key);
            let what =
                format!("key {key} stands at {other} already; every party has keys of its own");
            self.of.mistake(&word.at, what);
        }
        key.to_vec()
    }
}

/// Writes a roster as a text, one version higher.
pub fn write(roster: &Roster) -> String {
    let text = |text: &str| toml::Value::from(text).to_string();
    let list = |words: Vec<String>| {
        let words: Vec<_> = words.iter().map(|word| format!("\n    {},", text(word))).collect();
        format!("[{}\n]", words.concat())
    };
    let keys =
        |keys: &[PublicKey]| list(keys.iter().map(|key| hex::encode(key.to_bytes())).collect());
    let tls = |keys: &[Digest]| list(keys.iter().map(ToString::to_string).collect());
    let Roster {
        federation, version, issued_at, expires_at, members, authorities, centres, ..
    } = roster;
    let days = ((expires_at.as_s() - issued_at.as_s()) / 86_400).clamp(1, ROSTER_DAYS_MAX);
    let mut out = format!(
        "# Made of version {version}, which is signed. deploy/roster.toml explains every key.\n\
         federation = \"{federation}\"\nversion = {}\ndays = {days}\n",
        version.saturating_add(1)
    );
    for member in members {
        out += &format!(
            "\n[[member]]\nnode = \"{}\"\njurisdiction = \"{}\"\naddress = {}\ntls_keys = {}\nseal_keys = {}\nsince = \"{}\"\n",
            member.node,
            member.jurisdiction,
            text(&member.contact.address),
            tls(&member.contact.tls_spki_sha256),
            keys(&member.seal_keys),
            member.since,
        );
    }
    for authority in authorities {
        out += &format!(
            "\n[[authority]]\nname = \"{}\"\ntitle = {}\nkeys = {}\nsince = \"{}\"\n",
            authority.authority,
            text(&authority.title),
            keys(&authority.keys),
            authority.since,
        );
    }
    for centre in centres {
        out += &format!(
            "\n[[centre]]\nname = \"{}\"\ntls_keys = {}\nkeys = {}\n",
            centre.name,
            tls(&centre.contact.tls_spki_sha256),
            keys(&centre.keys),
        );
    }
    out
}
