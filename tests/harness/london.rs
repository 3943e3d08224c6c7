//! Police records of London in codes of the federation's own. Comes in: the project's data folder (or
//! `ACCORD_DATA`), or, where there is none, generated records of the same shape. Goes out: gzipped CSV files,
//! a folder of own code lists, and the mapping that brings the two together.
//!
//! London stands for a member as it would be: level 0 the jurisdiction, 1 London, 2 boroughs, 3 wards.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use accord_proto::taxonomy::Lists;
use anyhow::{Context as _, Result};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};

use crate::{crash::Dice, ring};

/// Whom the node speaks for; its region at level 0.
pub const JURISDICTION: &str = "LON";
/// Its one region at level 1.
pub const CITY: &str = "LONDON";
/// What is counted.
pub const INDICATOR: &str = "LON.CRIME.N";
/// The area that holds all categories.
pub const ALL_CRIME: &str = "CRIME";
/// Months that the records cover, both included.
pub const MONTHS: [&str; 2] = ["2016-05", "2017-12"];
/// Categories as the files name them, ascending. Their codes are the same in capitals.
pub const CATEGORIES: [&str; 14] = [
    "anti-social-behaviour",
    "bicycle-theft",
    "burglary",
    "criminal-damage-arson",
    "drugs",
    "other-crime",
    "other-theft",
    "possession-of-weapons",
    "public-order",
    "robbery",
    "shoplifting",
    "theft-from-the-person",
    "vehicle-crime",
    "violent-crime",
];

/// What is published of each thousand records, by category: for generated ones.
const PER_THOUSAND: [u64; 14] = [228, 19, 69, 60, 30, 10, 107, 6, 49, 26, 48, 44, 97, 207];
const WARDS: usize = 483;
const BOROUGHS: usize = 26;
/// Records of a ward and month, on average.
const OF_WARD: u64 = 132;
/// Borough of a ward that the publisher's list does not name.
const NO_BOROUGH: &str = "No borough named";

/// A ward: a region of level 3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ward {
    /// Code of the region.
    pub code: String,
    /// Display name.
    pub name: String,
    /// Display name of the borough.
    pub borough: String,
}

impl Ward {
    /// Code of the borough's region, at level 2.
    pub fn borough_code(&self) -> String {
        code_of(&self.borough)
    }
}

/// A record as the files have it.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Number of the record; unique.
    pub record: &'a str,
    /// Like `2016-05`.
    pub month: &'a str,
    /// Code of the ward.
    pub ward: &'a str,
    /// One of [`CATEGORIES`].
    pub category: &'a str,
}

/// The records, and all that a node needs to read them.
#[derive(Debug)]
pub struct London {
    /// Gzipped CSV, oldest months first.
    pub files: Vec<PathBuf>,
    /// Ascending by code.
    pub wards: Vec<Ward>,
    /// Folder of the own code lists.
    pub lists: PathBuf,
    /// The mapping, TOML.
    pub mapping: PathBuf,
    /// Why the records are generated ones, if they are.
    pub generated: Option<String>,
    /// Why they are not all of them, if they are not.
    pub shortened: Option<&'static str>,
}

impl London {
    /// Writes lists and mapping below `dir`, and the records too where there are no real ones.
    pub fn prepare(dir: &Path) -> Result<Self> {
        let (folder, generated) = match real() {
            Ok(folder) => (folder, None),
            Err(why) => {
                let folder = dir.join("generated");
                generate(&folder)?;
                (folder, Some(why))
            }
        };
        let entries = fs::read_dir(&folder)?.map(|entry| entry.map(|entry| entry.path()));
        let mut files = entries.collect::<std::io::Result<Vec<_>>>()?;
        files.retain(|path| path.extension().is_some_and(|extension| extension == "gz"));
        files.sort_unstable();
        let wards = read_wards(&folder.join("wards.csv"))?;
        let (lists, mapping) = (dir.join("lists"), dir.join("mapping.toml"));
        write_lists(&lists, &wards)?;
        fs::write(&mapping, mapping_text())?;
        Ok(Self { files, wards, lists, mapping, generated, shortened: None })
    }

    /// Only the first quarter of a year and that in which the published answers lie, unless everything is wanted.
    #[must_use]
    pub fn shortened(mut self) -> Self {
        const QUARTER: usize = 4;
        if !ring::is_whole() && QUARTER < self.files.len() {
            self.files = vec![self.files.swap_remove(0), self.files.swap_remove(QUARTER)];
            self.shortened =
                Some("most of the records: ACCORD_WHOLE=1 takes them all, as .ci/run does");
        }
        self
    }

    /// For a report: what of it is not real, or not there.
    pub fn left_out(&self) -> Vec<String> {
        let what = |why: &String| {
            format!("the real records: {why}; generated ones of the same shape instead")
        };
        self.generated.iter().map(what).chain(self.shortened.map(str::to_owned)).collect()
    }

    /// Every record, in the order of the files.
    pub fn each(&self, mut take: impl FnMut(Row<'_>)) -> Result<()> {
        for path in &self.files {
            let mut reader = csv::Reader::from_reader(GzDecoder::new(BufReader::new(open(path)?)));
            let mut line = csv::StringRecord::new();
            while reader.read_record(&mut line)? {
                let field = |at: usize| line.get(at).context("a column is missing");
                take(Row {
                    record: field(0)?,
                    month: field(1)?,
                    ward: field(2)?,
                    category: field(3)?,
                });
            }
        }
        Ok(())
    }

    /// The lines of a file without its header, as they are written.
    pub fn lines(path: &Path) -> Result<Vec<String>> {
        let text = std::io::read_to_string(GzDecoder::new(BufReader::new(open(path)?)))?;
        Ok(text.lines().skip(1).map(str::to_owned).collect())
    }
}

/// The header of every file.
pub const HEADER: &str = "record_id,month,region,category,outcome,place_id";

/// The contract's lists with those of a folder, for the rest of the process.
pub fn load(folder: &Path) -> Result<&'static Lists> {
    let mut own = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).context("a list has a name")?;
        own.push((name.to_owned(), fs::read_to_string(&path)?));
    }
    Ok(Box::leak(Box::new(Lists::with_own(&own)?)))
}

/// A code in the spelling of lists.
pub fn code_of(name: &str) -> String {
    name.to_uppercase().replace(' ', "-")
}

/// The folder of the real records, or why there is none.
fn real() -> Result<PathBuf, String> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data"));
    let folder = std::env::var_os("ACCORD_DATA").map_or_else(beside, PathBuf::from);
    let folder = folder.join("police_uk_london");
    if folder.join("wards.csv").is_file() {
        return Ok(folder);
    }
    Err(format!("there are none at {}; set ACCORD_DATA to the data folder", folder.display()))
}

fn open(path: &Path) -> Result<File> {
    File::open(path).with_context(|| path.display().to_string())
}

fn read_wards(path: &Path) -> Result<Vec<Ward>> {
    let mut wards = Vec::new();
    for line in csv::Reader::from_reader(open(path)?).records() {
        let line = line?;
        let field = |at: usize| line.get(at).unwrap_or_default();
        let named = |at: usize, other: &str| match field(at) {
            "" => other.to_owned(),
            name => name.to_owned(),
        };
        wards.push(Ward {
            code: field(0).to_owned(),
            name: named(1, field(0)),
            borough: named(2, NO_BOROUGH),
        });
    }
    wards.sort_unstable_by(|a, b| a.code.cmp(&b.code));
    Ok(wards)
}

/// Own lists: files with the columns of the contract's, and a new list of areas.
fn write_lists(folder: &Path, wards: &[Ward]) -> Result<()> {
    fs::create_dir_all(folder)?;
    let list = |name: &str| csv::Writer::from_path(folder.join(format!("{name}.csv")));

    let mut jurisdictions = list("jurisdictions")?;
    jurisdictions.write_record(["code", "iso3", "label", "footnote"])?;
    jurisdictions.write_record([JURISDICTION, "XLN", "London", ""])?;
    jurisdictions.flush()?;

    let mut regions = list("regions")?;
    regions.write_record(["code", "parent", "level", "jurisdiction", "label"])?;
    regions.write_record([JURISDICTION, "", "0", JURISDICTION, "London"])?;
    regions.write_record([CITY, JURISDICTION, "1", JURISDICTION, "London"])?;
    let boroughs: BTreeSet<_> = wards.iter().map(|ward| ward.borough.as_str()).collect();
    for borough in boroughs {
        regions.write_record([&code_of(borough), CITY, "2", JURISDICTION, borough])?;
    }
    for ward in wards {
        let borough = ward.borough_code();
        regions.write_record([&ward.code, &borough, "3", JURISDICTION, &ward.name])?;
    }
    regions.flush()?;

    let mut areas = list("london")?;
    areas.write_record(["code", "parent", "label"])?;
    areas.write_record([ALL_CRIME, "", "All crime"])?;
    for category in CATEGORIES {
        areas.write_record([code_of(category).as_str(), ALL_CRIME, category])?;
    }
    areas.flush()?;

    let mut indicators = list("indicators")?;
    let columns: Vec<_> = INDICATOR_COLUMNS.iter().map(|(column, _)| *column).collect();
    let values: Vec<_> = INDICATOR_COLUMNS.iter().map(|(_, value)| *value).collect();
    indicators.write_record(columns)?;
    indicators.write_record(values)?;
    Ok(indicators.flush()?)
}

/// The indicator, column by column.
const INDICATOR_COLUMNS: [(&str, &str); 25] = [
    ("code", INDICATOR),
    ("label", "Street-level crime"),
    ("definition", "Crimes and incidents of anti-social behaviour recorded by the police."),
    ("unit", "records"),
    ("decimals", "0"),
    ("semantics", "flow"),
    ("area_list", "london"),
    ("areas", ""),
    ("iccs", ""),
    ("dimensions", ""),
    ("levels", "0;1;2;3"),
    ("granularity", "month;quarter;half;year"),
    ("public", "yes"),
    ("unit_at_risk", "crime"),
    ("counting_unit", ""),
    ("moment", "detection"),
    ("unit_life", "event"),
    ("human_sources", "no"),
    ("counted_twice", "no"),
    ("parts", ""),
    ("value_min", "0"),
    ("value_max", "100000000"),
    ("valid_from", ""),
    ("valid_to", ""),
    ("source", "data.police.uk"),
];

fn mapping_text() -> String {
    let codes: String =
        CATEGORIES.iter().map(|name| format!("{name} = \"{}\"\n", code_of(name))).collect();
    format!(
        "source = \"data.police.uk, street-level crime, London, Open Government Licence v3.0\"\n\
         rows = \"events\"\nignore = [\"outcome\", \"place_id\"]\n\
         [columns]\nunit = \"record_id\"\nevent = \"record_id\"\nperiod = \"month\"\n\
         region = \"region\"\ncrime_area = \"category\"\n\
         [constants]\nindicator = \"{INDICATOR}\"\n[codes.crime_area]\n{codes}"
    )
}

/// Seven files of about the size, order and mixture of the real ones, from one seed.
fn generate(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let code = |ward: usize| format!("E05{:06}", 26 + ward);
    let mut wards = String::from("region,ward_name,borough\n");
    for ward in 0..WARDS {
        wards += &format!("{},Ward {ward},Borough {}\n", code(ward), ward % BOROUGHS);
    }
    fs::write(folder.join("wards.csv"), wards)?;
    let mut months = BTreeMap::<usize, Vec<String>>::new();
    for at in 0..20 {
        let (year, month) = (2016 + (at + 4) / 12, (at + 4) % 12 + 1);
        months.entry(at / 3).or_default().push(format!("{year}-{month:02}"));
    }
    let (mut dice, mut record) = (Dice(2016), 48_840_833_u64);
    for (file, months) in months {
        let path = folder.join(format!("records_{file}.csv.gz"));
        let mut out = GzEncoder::new(BufWriter::new(File::create(path)?), Compression::default());
        writeln!(out, "{HEADER}")?;
        for month in months {
            for ward in 0..WARDS {
                for (category, share) in CATEGORIES.iter().zip(PER_THOUSAND) {
                    // Twice the average at most, so that the average is met.
                    for _ in 0..dice.below(2 * OF_WARD * share / 1000 + 1) {
                        record += 1 + dice.below(6);
                        let place = 940_000 + dice.below(80_000);
                        writeln!(out, "{record},{month},{},{category},,{place}", code(ward))?;
                    }
                }
            }
        }
        out.finish()?.flush()?;
    }
    Ok(())
}
