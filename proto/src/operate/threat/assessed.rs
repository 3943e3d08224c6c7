//! Assessments that an analyst wrote. Comes in: TOML, or JSON in a file that ends with .json. Goes out: scores. Nothing is sent
//! anywhere. Must never take a field that nobody knows.

use std::path::{Path, PathBuf};

use crate::{
    offline,
    reason::{Invalid, Reason},
    taxonomy::Lists,
    threat::{Assessment, AssessmentWritten, Methods, Outcome, score},
};

/// Scores each file by itself, by the method of this version that it names.
///
/// # Errors
/// Of the file that is wrong, by its name.
pub fn assessed(files: &[PathBuf], lists: &Lists) -> Result<Vec<Outcome>, Invalid> {
    files.iter().map(|path| one(path, lists)).collect()
}

fn one(path: &Path, lists: &Lists) -> Result<Outcome, Invalid> {
    let name = path.display().to_string();
    let bytes = offline::read(path)?;
    let written = if path.extension().is_some_and(|ending| ending == "json") {
        AssessmentWritten::parse(&name, &bytes)?
    } else {
        let wrong = |problem: String| Invalid::new(Reason::FieldInvalid, &name, problem);
        let text = String::from_utf8(bytes).map_err(|_| wrong("is not text".to_owned()))?;
        toml::from_str(&text).map_err(|error| wrong(error.to_string()))?
    };
    let within = |error: Invalid| error.within(&name);
    let version = Some(written.version.as_str());
    let method = Methods::builtin().find("method", &written.method, version).map_err(within)?;
    score(&Assessment::read(method, &written, lists).map_err(within)?).map_err(within)
}
