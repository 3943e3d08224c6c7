//! Files of products: pages for readers, and what `verify` checks without a network. Comes in: a product, or a file of one. Goes out:
//! a new file, or what is proven. Must never write over a file, nor say of a text that it is endorsed before its signatures are
//! checked.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::{Of, call::Products, print::stands};
use crate::{
    client::ClientFile,
    offline,
    operate::{cli::Outcome, files},
    own_lists,
    print::{self, Format},
    product::{
        Content, Course, Dossier, Extent, Outcome as Came, Section, State, Trust,
        course::{Confirmed, Endorsed, Erratum},
        release::Release,
        render::{self, Page},
    },
    reason::{Invalid, Reason},
    seal::PublicKey,
    taxonomy::Lists,
};

/// What to verify, and whom to believe. Exit code 3: every signature is good, and a confirmation is missing, a member misses a word of
/// its own, or there are two chains.
#[derive(Clone, Debug, Args)]
pub struct Verify {
    /// A product or a release of one, as `export` and `release` write it.
    file: PathBuf,
    /// The federation root's public key.
    #[arg(long)]
    root: PathBuf,
    /// Folder of the federation's own code lists.
    #[arg(long)]
    lists: Option<PathBuf>,
    /// Another file of the same product: have both been signed, and does neither go on from the other?
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Also write it to this page, as .html or .docx; must not exist.
    #[arg(long)]
    page: Option<PathBuf>,
    /// How to print.
    #[arg(long, short = 'o', value_enum, default_value = "table")]
    format: Format,
}

/// What a page and a proof are made of, of a product whole and of a release alike.
struct Shown {
    content: Content,
    sections: Vec<Option<Section>>,
    extent: Extent,
    state: State,
    round: u32,
    endorsed: Option<Endorsed>,
    confirmed: Option<Confirmed>,
    errata: Vec<Erratum>,
    recalled: Option<String>,
    as_of: String,
}

impl Shown {
    fn of_course(course: &Course, extent: Extent, as_of: String) -> Self {
        Self {
            content: course.content.clone(),
            sections: course.sections.iter().cloned().map(Some).collect(),
            extent,
            state: course.state,
            round: course.round,
            endorsed: course.endorsed.clone(),
            confirmed: by_others(&course.content, &course.confirmed),
            errata: course.errata.clone(),
            recalled: course.recalled.clone(),
            as_of,
        }
    }

    fn of_release(release: Release) -> Self {
        Self {
            confirmed: by_others(&release.content, &release.confirmed),
            content: release.content,
            sections: release.sections,
            extent: release.extent,
            state: release.state,
            round: 0,
            endorsed: release.endorsed,
            errata: release.errata,
            recalled: release.recalled,
            as_of: release.as_of.to_string(),
        }
    }

    fn state(&self) -> String {
        match self.state {
            State::Circulated if self.round > 0 => format!("Draft, round {}", self.round),
            State::Draft | State::Circulated | State::Commented | State::Revised => {
                "Draft".to_owned()
            }
            State::FinalDraft => "Final draft".to_owned(),
            State::EndorsementOpen => "To be endorsed".to_owned(),
            State::Endorsed | State::EndorsedWithDissent => "Endorsed, not published".to_owned(),
            State::NotEndorsed => "Not endorsed".to_owned(),
            State::Published => format!("Published; as of {}", self.as_of),
            State::Corrected => format!("Published, with errata; as of {}", self.as_of),
            State::Recalled => format!("Recalled; as of {}", self.as_of),
            State::Archived => format!("Archived; as of {}", self.as_of),
        }
    }

    fn outcome(&self) -> &'static str {
        match self.endorsed.as_ref().map(|of| of.outcome) {
            None => "",
            Some(Came::Endorsed) => "Endorsed",
            Some(Came::EndorsedWithDissent) => "Endorsed, with dissent",
            Some(Came::NotEndorsed) => "Not endorsed",
        }
    }

    /// Writes the page: what kind, the ending says.
    fn write(&self, out: &Path, lists: &Lists) -> Result<usize, Invalid> {
        let mut positions = Vec::new();
        for stand in self.endorsed.iter().flat_map(|of| &of.stands) {
            let of = |node, position, text| render::Stand {
                jurisdiction: stand.jurisdiction,
                node,
                position,
                text,
                by_silence: stand.by_silence,
                not_reached: !stand.not_reached.is_empty(),
            };
            match stand.said.is_empty() {
                true => positions.push(of("", None, "")),
                false => positions.extend(
                    stand
                        .said
                        .iter()
                        .map(|(node, position, text)| of(node.as_str(), Some(*position), text)),
                ),
            }
        }
        let erratum =
            |of: &'_ Erratum| (of.section.clone().unwrap_or_default(), of.text.clone(), of.at);
        let said: Vec<_> = self.errata.iter().map(erratum).collect();
        let errata =
            said.iter().map(|(section, text, at)| render::Erratum { section, text, at: *at });
        let errata: Vec<_> = errata.collect();
        let page = Page {
            content: &self.content,
            sections: &self.sections,
            extent: self.extent,
            state: &self.state(),
            outcome: self.outcome(),
            positions: &positions,
            confirmed: self.confirmed.as_ref(),
            errata: &errata,
            recalled: self.recalled.as_deref(),
            lists,
        };
        let bytes = match out.extension().and_then(|ending| ending.to_str()) {
            Some("html") => render::html(&page)?.into_bytes(),
            Some("docx") => render::docx(&page)?,
            Some(_) | None => {
                let detail = "is neither .html nor .docx: the ending says what is written";
                return Err(Invalid::new(Reason::FieldInvalid, out.display().to_string(), detail));
            }
        };
        files::write_new(out, &bytes)?;
        Ok(bytes.len())
    }

    /// Members whose word is missing that they were shown this end of the endorsement.
    fn not_confirmed_by(&self) -> Vec<String> {
        let Some(confirmed) = &self.confirmed else { return Vec::new() };
        let silent = self.content.members.iter().filter(|node| !confirmed.contains_key(*node));
        silent.map(ToString::to_string).collect()
    }

    /// What a reader should know before it relies on it.
    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let silent = self.not_confirmed_by();
        if !silent.is_empty() {
            let silent = silent.join(", ");
            warnings.push(format!("WARNING: published without the confirmation of {silent}"));
        }
        let objections = self.confirmed.iter().flatten().filter(|(_, missing)| !missing.is_empty());
        warnings.extend(objections.map(|(node, missing)| {
            let missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
            let missing = missing.join(", ");
            format!("WARNING: {node} says that words of its own were left out: {missing}")
        }));
        warnings
    }

    fn row(&self) -> Value {
        let endorsed = self.endorsed.as_ref();
        let withheld = self.sections.iter().filter(|section| section.is_none()).count();
        json!({
            "product": self.content.product.to_string(),
            "title": self.content.title,
            "owner": self.content.owner.to_string(),
            "extent": self.extent.as_str(),
            "sections": self.sections.len(),
            "withheld": withheld,
            "state": self.state(),
            "rule": self.content.rule.in_words(),
            "outcome": self.outcome(),
            "recalled": self.recalled,
            "text": self.content.digest().to_string(),
            "positions": endorsed.map(|of| of.stands.iter().map(stands).collect::<Vec<_>>()),
            "not_confirmed_by": self.not_confirmed_by(),
        })
    }
}

impl Verify {
    pub(super) fn run(&self) -> Result<Outcome, Invalid> {
        let lists = own_lists::load(self.lists.as_deref())?;
        let root = files::read_text(&self.root)?;
        let root = PublicKey::from_hex("--root", &root)?;
        let file = offline::read(&self.file)?;
        let trust = Trust { root: &root, lists };
        let shown = match Release::open(&file, trust) {
            Ok(release) => Shown::of_release(release),
            Err(of_release) => match Dossier::open(&file, trust) {
                Ok(dossier) => {
                    let at = dossier.at().to_string();
                    Shown::of_course(dossier.course(), Extent::Restricted, at)
                }
                // Of the two reasons the one of the kind of file that it is.
                Err(of_dossier) if of_dossier.field == "dossier.schema" => return Err(of_release),
                Err(of_dossier) if of_release.field == "release.schema" => return Err(of_dossier),
                Err(of_dossier) => return Err(of_dossier),
            },
        };
        let mut remarks = shown.warnings();
        let mut doubtful = !remarks.is_empty();
        if let Some(other) = &self.against {
            let (two, said) = compared((&file, &offline::read(other)?), trust)?;
            doubtful |= two;
            remarks.push(said);
        }
        // Every signature is good, and something else is not: a program must not take the one for the other.
        let mut outcome = Outcome { remarks, partial: doubtful, ..Outcome::default() };
        let mut row = shown.row();
        let positions = row.as_object_mut().and_then(|row| row.remove("positions"));
        if let Some(page) = &self.page {
            let bytes = shown.write(page, lists)?;
            outcome.remarks.push(format!("{bytes} bytes written to {}", page.display()));
        }
        row["signatures"] = json!("all verified");
        outcome.data = match (self.format, positions) {
            (Format::Table, Some(Value::Array(positions))) => {
                let positions = print::rows(Format::Table, &Value::Array(positions));
                format!("{}\n\n{positions}", print::rows(Format::Table, &row))
            }
            (format, positions) => {
                row["positions"] = positions.unwrap_or_default();
                print::rows(format, &row)
            }
        };
        Ok(outcome)
    }
}

/// Two files of one product, each verified: where they part, its owner has signed two steps under one number.
fn compared((one, other): (&[u8], &[u8]), trust: Trust<'_>) -> Result<(bool, String), Invalid> {
    let [one, other] = [one, other].map(|file| Dossier::open(file, trust));
    let (one, other) = (one?, other.map_err(|error| error.within("--against"))?);
    if one.product() != other.product() {
        let detail = format!("is of {}, not of {}", other.product(), one.product());
        return Err(Invalid::new(Reason::FieldInvalid, "--against", detail));
    }
    // Whoever likes may write a product of his own under the same id: that says nothing of this owner.
    let [owner, of_other] = [&one, &other].map(|dossier| &dossier.course().content.owner);
    if owner != of_other {
        let detail =
            format!("is of {of_other}, and the other one is of {owner}: it proves nothing");
        return Err(Invalid::new(Reason::FieldInvalid, "--against", detail));
    }
    let mut both = one.steps().iter().zip(other.steps());
    Ok(match both.find(|(one, other)| one.digest() != other.digest()) {
        None => (false, "The one goes on from the other: it is one chain.".to_owned()),
        Some((one, other)) => {
            let (number, one, other) = (one.step.number, one.digest(), other.digest());
            let said = format!("{owner} has signed two steps {number}: {one} and {other}");
            (true, format!("WARNING: two chains of one product. {said}"))
        }
    })
}

/// Who confirms it; of what a node has written for itself there is nobody to do that.
fn by_others(content: &Content, confirmed: &Option<Confirmed>) -> Option<Confirmed> {
    confirmed.clone().filter(|_| !content.members.contains(&content.owner))
}

/// Whole, to whoever reads all; otherwise its release.
async fn fetched(of: &Of, extent: Extent, lists: &Lists) -> Result<Shown, Invalid> {
    let mut products = Products::connect(&of.client.client).await?;
    match products.get(&of.product).await {
        Ok(file) => {
            let dossier = Dossier::believed(&file, lists)?;
            let at = dossier.at().to_string();
            let mut shown = Shown::of_course(dossier.course(), extent, at);
            for section in &mut shown.sections {
                *section = section.take().filter(|section| section.extent <= extent);
            }
            Ok(shown)
        }
        Err(error) if error.reason == Reason::CertificateRole => {
            let file = products.release(&of.product, extent).await?;
            Ok(Shown::of_release(Release::believed(&file, lists)?))
        }
        Err(error) => Err(error),
    }
}

pub(super) async fn page(of: &Of, extent: Extent, out: &Path) -> Result<Outcome, Invalid> {
    let lists = ClientFile::lists(&of.client.client)?;
    files::check_new(out)?;
    let shown = fetched(of, extent, lists).await?;
    let bytes = shown.write(out, lists)?;
    let data = format!("{bytes} bytes written to {}", out.display());
    Ok(Outcome { data, ..Outcome::default() })
}

pub(super) async fn export(of: &Of, second: bool, out: &Path) -> Result<Outcome, Invalid> {
    let mut products = Products::connect(&of.client.client).await?;
    let file = match second {
        true => products.second(&of.product).await?,
        false => products.get(&of.product).await?,
    };
    written(out, &file)
}

pub(super) async fn release(of: &Of, extent: Extent, out: &Path) -> Result<Outcome, Invalid> {
    let file = Products::connect(&of.client.client).await?.release(&of.product, extent).await?;
    written(out, &file)
}

fn written(out: &Path, bytes: &[u8]) -> Result<Outcome, Invalid> {
    files::write_new(out, bytes)?;
    let data = format!("{} bytes written to {}", bytes.len(), out.display());
    Ok(Outcome { data, ..Outcome::default() })
}
