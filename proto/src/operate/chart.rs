//! Command lines of charts, the same in both programs. Comes in: what somebody typed, and pictures that the program has fetched.
//! Goes out: SVG on standard output, or a new file. Must never draw over a file that is there, nor without handling marks.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::{cli::Outcome, files, threat};
use crate::{
    audience::{self, ASKERS_ALONE},
    chart::{
        Chart, Frame, Heat, Map, Members, Panel, Point, Selection, Text, Trend, View, area_label,
        notes_of,
    },
    client::ClientFile,
    clock::Timestamp,
    compare,
    limits::ROUNDS_MAX,
    reason::{Invalid, Reason},
    seal::Digest,
    strict,
    taxonomy::{Lists, TOTAL},
    wire::region,
};

pub mod figure;
mod ranked;
#[cfg(test)]
pub(in crate::operate) mod tests;

pub use ranked::{matrix, ranks};

/// Where a chart goes.
#[derive(Clone, Debug, Args)]
pub struct Drawing {
    /// The file, as .svg or .png; must not exist. Left out: SVG on standard output.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Dots of a PNG for each pixel, from 1 to 4.
    #[arg(long, default_value_t = 2)]
    pub scale: u8,
}

/// As whom.
#[derive(Clone, Debug, Args)]
pub struct Whose {
    /// Your client file: whom to talk to, and your certificate.
    #[arg(long, env = "ACCORD_CLIENT")]
    pub client: PathBuf,
}

/// Charts of pictures.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// How figures went over rounds, with every gap and every break (exit code 3 if not all answered).
    Trend {
        /// Ids of the requirements, the earliest round first; ID:VERSION for another than the newest picture.
        #[arg(required = true, num_args = 1..=ROUNDS_MAX, value_name = "REQUIREMENT[:VERSION]")]
        pictures: Vec<String>,
        /// What is counted or measured.
        #[arg(long)]
        indicator: String,
        /// Of which categories; of all together if left out.
        #[arg(long, default_value = TOTAL, hide_default_value = true)]
        categories: String,
        /// Only this crime area, once for each panel.
        #[arg(long = "area", value_name = "CODE")]
        areas: Vec<String>,
        /// Where it goes.
        #[command(flatten)]
        drawing: Drawing,
        /// As whom.
        #[command(flatten)]
        whose: Whose,
    },
    /// Crime areas by jurisdiction, as far as jurisdictions let their figures stand under their name.
    Heat {
        /// Which cells.
        #[command(flatten)]
        cells: Cells,
        /// Only this crime area, once for each.
        #[arg(long = "area", value_name = "CODE")]
        areas: Vec<String>,
        /// Where it goes.
        #[command(flatten)]
        drawing: Drawing,
        /// As whom.
        #[command(flatten)]
        whose: Whose,
    },
    /// One crime area on a map, as far as jurisdictions let their figures stand under their name.
    Map {
        /// Which cells.
        #[command(flatten)]
        cells: Cells,
        /// Which crime area.
        #[arg(long, value_name = "CODE")]
        area: String,
        /// Where it goes.
        #[command(flatten)]
        drawing: Drawing,
        /// As whom.
        #[command(flatten)]
        whose: Whose,
    },
    /// Who answered, and in how many cells each jurisdiction's figure is.
    Coverage {
        /// Id of the requirement, or ID:VERSION.
        #[arg(value_name = "REQUIREMENT[:VERSION]")]
        picture: String,
        /// Where it goes.
        #[command(flatten)]
        drawing: Drawing,
        /// As whom.
        #[command(flatten)]
        whose: Whose,
    },
    /// Own assessments by RISK-5X5-C in a matrix of likelihood and impact; asks nobody, and nothing leaves.
    Matrix {
        /// Assessments, as `accord-node threat score` reads them.
        #[arg(required = true, num_args = 1..=ROUNDS_MAX)]
        files: Vec<PathBuf>,
        /// Folder of the federation's own code lists.
        #[arg(long)]
        lists: Option<PathBuf>,
        /// Where it goes.
        #[command(flatten)]
        drawing: Drawing,
    },
}

/// Which cells of which picture.
#[derive(Clone, Debug, Args)]
pub struct Cells {
    /// Id of the requirement, or ID:VERSION.
    #[arg(value_name = "REQUIREMENT[:VERSION]")]
    pub picture: String,
    /// What is counted or measured.
    #[arg(long)]
    pub indicator: String,
    /// Of which period.
    #[arg(long)]
    pub period: String,
    /// Of which categories; of all together if left out.
    #[arg(long, default_value = TOTAL, hide_default_value = true)]
    pub categories: String,
}

/// A picture that is drawn.
#[derive(Clone, Debug)]
pub struct Source {
    picture: region::Picture,
    payload: Vec<u8>,
    digest: Digest,
    version: u32,
    drawn_at: Timestamp,
}

impl Source {
    /// Reads one that whoever calls has had from a service that it believes.
    pub fn of(payload: &[u8], (version, drawn_at_s): (u32, i64)) -> Result<Self, Invalid> {
        Ok(Self {
            picture: strict::decode_signed("picture", payload)?,
            payload: payload.to_vec(),
            digest: Digest::of(payload),
            version,
            drawn_at: Timestamp::from_s("drawn_at_s", drawn_at_s)?,
        })
    }

    fn is_partial(&self) -> bool {
        let coverage = self.picture.coverage.unwrap_or_default();
        coverage.answered < coverage.members
    }

    /// Its frame, with what is to be said of an indicator.
    fn frame(&self, names: [&str; 3], indicator: &str, lists: &Lists) -> Result<Frame, Invalid> {
        let of = (self.version, self.drawn_at, self.digest);
        let mut frame = Frame::of_picture(&self.picture, of, names, handling(&self.picture)?)?;
        frame.notes = notes_of(&self.picture, indicator, lists)?;
        Ok(frame)
    }
}

/// For whom a picture is: as the seals say that it rests on.
fn handling(picture: &region::Picture) -> Result<Vec<Text>, Invalid> {
    let audience = audience::of_all([picture])?;
    let mark = format!("Audience: {}", audience.as_deref().unwrap_or(ASKERS_ALONE));
    Ok(vec![Text::new("chart.handling", &mark)?])
}

/// Who answered, of how many that were asked, where fewest of them did: the smallest share, not the smallest number. Of
/// pictures that nobody was asked for it is nobody.
pub fn least_covered(pictures: impl IntoIterator<Item = (u32, u32)>) -> (u32, u32) {
    let asked = pictures.into_iter().filter(|(_, members)| *members > 0);
    let across = |one: u32, other: u32| u64::from(one) * u64::from(other);
    let least = asked.min_by(|(answered, members), (of, all)| {
        across(*answered, *all).cmp(&across(*of, *members))
    });
    least.unwrap_or_default()
}

impl Drawing {
    /// Draws a chart to where it goes.
    ///
    /// # Errors
    /// `FILE_EXISTS`; `FIELD_INVALID` of a name that is neither .svg nor .png.
    pub fn finish(&self, chart: &Chart, partial: bool) -> Result<Outcome, Invalid> {
        let svg = chart.draw();
        let Some(out) = &self.out else {
            let data = svg.as_str().to_owned();
            return Ok(Outcome { data, partial, ..Outcome::default() });
        };
        let bytes = match out.extension().and_then(|ending| ending.to_str()) {
            Some("svg") => svg.as_str().as_bytes().to_vec(),
            Some("png") => svg.png(self.scale)?,
            Some(_) | None => {
                let detail = "is neither .svg nor .png: the ending says what is drawn";
                return Err(Invalid::new(Reason::FieldInvalid, out.display().to_string(), detail));
            }
        };
        files::write_new(out, &bytes)?;
        let data = format!("{} bytes written to {}", bytes.len(), out.display());
        Ok(Outcome { data, remarks: vec![chart.description()], partial, ..Outcome::default() })
    }
}

/// Draws one of them; `fetch` has a picture of this requirement and version from whom the client file names.
pub async fn run(
    command: Command,
    fetch: impl AsyncFn(&Path, String, u32) -> Result<Source, Invalid>,
) -> Result<Outcome, Invalid> {
    let find = async |whose: &Whose, typed: &str| {
        let (requirement, version) = threat::picture(typed)?;
        fetch(&whose.client, requirement, version).await
    };
    match command {
        Command::Trend { pictures, indicator, categories, areas, drawing, whose } => {
            let mut rounds = Vec::new();
            for typed in &pictures {
                rounds.push(find(&whose, typed).await?);
            }
            let lists = ClientFile::lists(&whose.client)?;
            let series = (indicator.as_str(), categories.as_str());
            let chart = trend(&rounds, series, &areas, lists)?;
            drawing.finish(&chart, rounds.iter().any(Source::is_partial))
        }
        Command::Heat { cells, areas, drawing, whose } => {
            let source = find(&whose, &cells.picture).await?;
            let lists = ClientFile::lists(&whose.client)?;
            let view = Heat::of_picture(&source.picture, cells.selection(), &areas, lists)?;
            let names = cells.names("heat", None, lists);
            drawing
                .finish(&cells.chart(&source, names, View::Heat(view), lists)?, source.is_partial())
        }
        Command::Map { cells, area, drawing, whose } => {
            let source = find(&whose, &cells.picture).await?;
            let lists = ClientFile::lists(&whose.client)?;
            let view = Map::of_picture(&source.picture, cells.selection(), &area, lists)?;
            let names = cells.names("map", Some(&area), lists);
            drawing
                .finish(&cells.chart(&source, names, View::Map(view), lists)?, source.is_partial())
        }
        Command::Coverage { picture, drawing, whose } => {
            let source = find(&whose, &picture).await?;
            let lists = ClientFile::lists(&whose.client)?;
            let view = View::Members(Members::of_picture(&source.picture, lists)?);
            let names = ["coverage", "Who answered", "Cells with a figure of each, by indicator"];
            let chart = Chart::new(source.frame(names, "", lists)?, view, lists)?;
            drawing.finish(&chart, source.is_partial())
        }
        Command::Matrix { files, lists, drawing } => {
            drawing.finish(&matrix(&files, lists.as_deref())?, false)
        }
    }
}

impl Cells {
    fn selection(&self) -> Selection<'_> {
        let Self { indicator, period, categories, .. } = self;
        Selection { indicator, period, categories }
    }

    fn names(&self, id: &'static str, area: Option<&str>, lists: &Lists) -> [String; 3] {
        let Self { indicator, period, categories, .. } = self;
        let (label, unit) = indicator_of(indicator, lists);
        let title = match area {
            None => label,
            Some(area) => format!("{label}: {}", area_label(area, lists)),
        };
        [id.to_owned(), title, format!("{indicator}, {unit}, {period}, {categories}")]
    }

    fn chart(
        &self,
        source: &Source,
        names: [String; 3],
        view: View,
        lists: &Lists,
    ) -> Result<Chart, Invalid> {
        let frame = source.frame(names.each_ref().map(String::as_str), &self.indicator, lists)?;
        Chart::new(frame, view, lists)
    }
}

/// Its name and its unit; of one that the lists at hand do not know, its code.
fn indicator_of(code: &str, lists: &Lists) -> (String, String) {
    let known = lists.indicator("indicator", code);
    known.map_or((code.to_owned(), code.to_owned()), |of| (of.label.clone(), of.unit.clone()))
}

/// A panel for each crime area; of the frame the newest round is the source.
fn trend(
    rounds: &[Source],
    (indicator, categories): (&str, &str),
    areas: &[String],
    lists: &Lists,
) -> Result<Chart, Invalid> {
    let pictures: Vec<_> = rounds.iter().map(|round| round.picture.clone()).collect();
    // Its frame carries one mark.
    audience::of_all(&pictures)?;
    let wanted = |point: &&compare::Point| {
        (point.indicator.as_str(), point.categories.as_str()) == (indicator, categories)
            && (areas.is_empty() || areas.contains(&point.crime_area))
    };
    let points = compare::trend(&pictures);
    let mut panels = Vec::<(String, Vec<Point>)>::new();
    for point in points.iter().filter(wanted) {
        let drawn = Point::of(point)?;
        match panels.last_mut().filter(|(area, _)| *area == point.crime_area) {
            Some((_, panel)) => panel.push(drawn),
            None => panels.push((point.crime_area.clone(), vec![drawn])),
        }
    }
    let panel = |(area, points): (String, Vec<Point>)| {
        Ok(Panel { label: Text::new("chart.crime_area", &area_label(&area, lists))?, points })
    };
    let panels = panels.into_iter().map(panel).collect::<Result<Vec<_>, Invalid>>()?;
    let view = View::Trend(Trend::new(panels)?);
    let newest = rounds.last().ok_or_else(|| {
        Invalid::new(Reason::FieldMissing, "pictures", "a trend has at least one round")
    })?;
    let (label, unit) = indicator_of(indicator, lists);
    let subtitle = format!("{indicator}, {unit}, {categories}; rounds: {}", rounds.len());
    let mut frame = newest.frame(["trend", &label, &subtitle], indicator, lists)?;
    if let [_, .., _] = rounds {
        let names = rounds.iter().map(|round| round.picture.requirement.as_str());
        let note = format!("Rounds: {}.", names.collect::<Vec<_>>().join(", "));
        // More rounds than fit a line are counted in the subtitle.
        frame.notes.extend(Text::new("chart.notes", &note).ok());
    }
    Chart::new(frame, view, lists)
}
