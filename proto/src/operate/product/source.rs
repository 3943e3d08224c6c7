//! The text of a product as an editor writes it: TOML with CommonMark in it. Comes in: the file, and the pictures that it cites.
//! Goes out: a draft, ready to be sent. Must never take a field that it does not know, nor draw a figure of anything but a picture
//! that was fetched.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;

use crate::{
    clock::{Entropy, Timestamp},
    cycle,
    id::ProductId,
    identity::Name,
    operate::{
        chart::{Source, figure::Drawn},
        files, threat,
    },
    product::{Content, Extent, Kind, content, rule::Rule},
    reason::{Invalid, Reason, quoted},
    taxonomy::Lists,
    wire::product as wire,
};

/// A product as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    kind: String,
    title: String,
    language: String,
    covers: String,
    members: Vec<String>,
    rule: RuleWritten,
    valid_until: Option<String>,
    restricted: RenditionWritten,
    public: Option<RenditionWritten>,
    section: Vec<SectionWritten>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleWritten {
    endorsed_by: String,
    #[serde(default)]
    number: u32,
    #[serde(default)]
    silence: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RenditionWritten {
    audience: String,
    mark: String,
    #[serde(default)]
    readers: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SectionWritten {
    id: String,
    heading: String,
    extent: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    cites: Vec<String>,
    #[serde(default)]
    judgement: Vec<JudgementWritten>,
    #[serde(default)]
    recommendations: Vec<String>,
    #[serde(default)]
    figure: Vec<Drawn>,
    /// File of a plan, beside this one.
    plan: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct JudgementWritten {
    text: String,
    /// `PHIA:LIKELY`; left out: no likelihood is stated.
    #[serde(default)]
    likelihood: String,
    confidence: String,
    horizon: String,
    #[serde(default)]
    areas: Vec<String>,
}

impl Written {
    /// Reads a file; what is wrong is said with its line.
    pub(super) fn read(path: &Path) -> Result<Self, Invalid> {
        let text = files::read_text(path)?;
        toml::from_str(&text).map_err(|error| {
            let detail = error.to_string().trim_end().to_owned();
            Invalid::new(Reason::FieldInvalid, path.display().to_string(), detail)
        })
    }

    /// Every picture that it names, once each.
    pub(super) fn pictures(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for section in &self.section {
            let drawn = section.figure.iter().flat_map(|of| &of.pictures);
            names.extend(section.cites.iter().chain(drawn).map(String::as_str));
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Makes the draft. `pictures` are by the names that the file has for them.
    pub(super) fn draft(
        &self,
        (path, why): (&Path, &str),
        (product, owner): (ProductId, &Name),
        pictures: &BTreeMap<String, Source>,
        (entropy, lists): (&dyn Entropy, &Lists),
    ) -> Result<wire::Draft, Invalid> {
        let home = path.parent().unwrap_or(Path::new("."));
        let mut sections = Vec::new();
        for section in &self.section {
            let named = |error: Invalid| error.within(format!("section {}", quoted(&section.id)));
            let made = section.make((home, entropy), pictures, lists).map_err(named)?;
            sections.push(made);
        }
        let renditions = self.renditions(entropy)?;
        let text = content::bind(self.content((product, owner))?, &renditions, &sections);
        // Refused here already, before anything is sent.
        Content::whole(&text, lists)?;
        Ok(wire::Draft { text: Some(text), why: threat::reason(why)? })
    }

    /// The public one, if there is one, and the restricted one.
    fn renditions(&self, entropy: &dyn Entropy) -> Result<Vec<wire::Rendition>, Invalid> {
        let public = self.public.as_ref().map(|of| of.make(Extent::Public, entropy));
        let restricted = self.restricted.make(Extent::Restricted, entropy);
        public.into_iter().chain([restricted]).collect()
    }

    fn content(&self, (product, owner): (ProductId, &Name)) -> Result<wire::Content, Invalid> {
        let mut members = self.members.clone();
        members.sort_unstable();
        let kind = match self.rule.endorsed_by.as_str() {
            "ALL" => wire::RuleKind::All,
            "ALL_BUT" => wire::RuleKind::AllBut,
            "QUORUM" => wire::RuleKind::Quorum,
            other => {
                let detail = format!("{} is none of ALL, ALL_BUT and QUORUM", quoted(other));
                return Err(Invalid::new(Reason::CodeUnknown, "rule.endorsed_by", detail));
            }
        };
        let rule =
            wire::Rule { kind: kind.into(), number: self.rule.number, silence: self.rule.silence };
        Rule::from_wire("rule", &rule, members.len())?;
        let valid_until = self.valid_until.as_deref();
        let valid_until =
            valid_until.map(|text| Timestamp::parse("valid_until", text)).transpose()?;
        Ok(wire::Content {
            product: product.to_string(),
            kind: Kind::parse("kind", &self.kind)?.to_wire().into(),
            title: self.title.clone(),
            language: self.language.clone(),
            covers: self.covers.clone(),
            owner: owner.to_string(),
            members,
            rule: Some(rule),
            valid_until_s: valid_until.map_or(0, Timestamp::as_s),
            ..wire::Content::default()
        })
    }
}

impl RenditionWritten {
    fn make(&self, extent: Extent, entropy: &dyn Entropy) -> Result<wire::Rendition, Invalid> {
        let mut readers = self.readers.clone();
        readers.sort_unstable();
        Ok(wire::Rendition {
            salt: salt(entropy)?,
            extent: extent.to_wire().into(),
            audience: self.audience.clone(),
            mark: self.mark.clone(),
            readers,
        })
    }
}

fn salt(entropy: &dyn Entropy) -> Result<Vec<u8>, Invalid> {
    let mut salt = vec![0; 16];
    entropy.fill(&mut salt)?;
    Ok(salt)
}

impl SectionWritten {
    fn make(
        &self,
        (home, entropy): (&Path, &dyn Entropy),
        pictures: &BTreeMap<String, Source>,
        lists: &Lists,
    ) -> Result<wire::Section, Invalid> {
        let find = |name: &String| {
            pictures.get(name).ok_or_else(|| {
                Invalid::new(
                    Reason::NotFound,
                    "picture",
                    format!("{} is not at hand", quoted(name)),
                )
            })
        };
        let drawn = self.figure.iter().flat_map(|figure| &figure.pictures);
        let mut citations = BTreeMap::new();
        for name in self.cites.iter().chain(drawn) {
            let source = find(name)?;
            let (requirement, version, digest) = source.name()?;
            let citation = wire::Citation {
                requirement: requirement.to_string(),
                version,
                picture_sha256: digest.0.to_vec(),
                audience: source.audience(lists)?.to_string(),
            };
            citations.insert((requirement, version), citation);
        }
        let mut figures = Vec::new();
        for figure in &self.figure {
            let sources: Vec<_> =
                figure.pictures.iter().map(|name| find(name).cloned()).collect::<Result<_, _>>()?;
            let named = figure.pictures.iter().map(|name| {
                let (requirement, version, _) = find(name)?.name()?;
                let cited = citations.keys().position(|key| *key == (requirement, version));
                Ok(cited.and_then(|at| u32::try_from(at).ok()).unwrap_or(u32::MAX))
            });
            let named = named.collect::<Result<_, Invalid>>()?;
            figures.push(drawn_figure(figure, named, &sources, lists)?);
        }
        let plan = self.plan.as_ref().map(|name| self::plan(&home.join(name), lists));
        Ok(wire::Section {
            salt: salt(entropy)?,
            section: self.id.clone(),
            heading: self.heading.clone(),
            extent: Extent::parse("extent", &self.extent)?.to_wire().into(),
            text: self.text.trim_end().to_owned(),
            citations: citations.into_values().collect(),
            judgements: self
                .judgement
                .iter()
                .map(JudgementWritten::make)
                .collect::<Result<_, _>>()?,
            recommendations: self.recommendations.clone(),
            figures,
            plan: plan.transpose()?.unwrap_or_default(),
        })
    }
}

fn drawn_figure(
    figure: &Drawn,
    citations: Vec<u32>,
    sources: &[Source],
    lists: &Lists,
) -> Result<wire::Figure, Invalid> {
    let chart = figure.draw(sources, lists)?;
    let twin = chart.table();
    let header = wire::Row { cells: twin.header };
    let rows = twin.rows.into_iter().map(|cells| wire::Row { cells });
    Ok(wire::Figure {
        caption: figure.caption.clone(),
        alternative: chart.description(),
        svg: chart.draw().as_str().as_bytes().to_vec(),
        rows: std::iter::once(header).chain(rows).collect(),
        recipe: Some(wire::Recipe {
            chart: figure.chart.clone(),
            citations,
            indicator: figure.indicator.clone(),
            period: figure.period.clone(),
            categories: figure.categories.clone(),
            areas: figure.areas.clone(),
        }),
    })
}

impl JudgementWritten {
    fn make(&self) -> Result<wire::Judgement, Invalid> {
        let (yardstick, likelihood) = match self.likelihood.split_once(':') {
            Some((yardstick, term)) => (yardstick.to_owned(), term.to_owned()),
            None if self.likelihood.is_empty() => Default::default(),
            None => {
                let detail = format!(
                    "{} names no yardstick: write PHIA:LIKELY or ICD203:LIKELY",
                    quoted(&self.likelihood)
                );
                return Err(Invalid::new(Reason::FieldInvalid, "judgement.likelihood", detail));
            }
        };
        let mut areas = self.areas.clone();
        areas.sort_unstable();
        Ok(wire::Judgement {
            text: self.text.trim_end().to_owned(),
            yardstick,
            likelihood,
            confidence: self.confidence.clone(),
            horizon: self.horizon.clone(),
            crime_areas: areas,
        })
    }
}

/// A commented text to begin with. Everything in it is made up.
pub(super) const TEMPLATE: &str = include_str!("template.toml");

/// A plan or a report, beside the text.
pub(super) fn plan(path: &Path, lists: &Lists) -> Result<Vec<u8>, Invalid> {
    let text = files::read_text(path)?;
    Ok(cycle::Plan::from_toml(&path.display().to_string(), &text, lists)?.encode(lists))
}

/// A report of an action.
pub(super) fn report(path: &Path, lists: &Lists) -> Result<Vec<u8>, Invalid> {
    let text = files::read_text(path)?;
    Ok(cycle::Report::from_toml(&path.display().to_string(), &text, lists)?.encode())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemEntropy;

    #[test]
    fn the_template_is_a_draft_as_it_stands() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("text.toml");
        std::fs::write(&path, TEMPLATE).unwrap();
        let written = Written::read(&path).unwrap();
        assert!(written.pictures().is_empty(), "what it cites is commented out");
        let id = ProductId::parse("", "01a20b74-b718-7a08-a333-9c5c982785a0").unwrap();
        let owner = Name::parse("", "coordinator").unwrap();
        let at_hand = (&SystemEntropy as &dyn Entropy, Lists::builtin());
        let draft = |written: &Written| {
            written.draft((&path, "first"), (id, &owner), &BTreeMap::new(), at_hand)
        };
        let made = draft(&written).unwrap();
        assert_ne!(made.text, draft(&written).unwrap().text, "salted anew");
        // What it does not know is refused by name.
        std::fs::write(&path, TEMPLATE.replace("title =", "tilte =")).unwrap();
        let error = Written::read(&path).unwrap_err().to_string();
        assert!(error.contains("tilte"), "{error}");
        std::fs::write(&path, TEMPLATE.replace("PHIA:LIKELY", "PHIA:SURE")).unwrap();
        let error = draft(&Written::read(&path).unwrap()).unwrap_err();
        assert_eq!(error.reason, Reason::CodeUnknown);
    }
}
