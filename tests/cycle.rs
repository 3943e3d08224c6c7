//! `cargo demo --cycle`: the whole loop with the demo's federation. Comes in: six nodes and a coordinator with a first picture. Goes
//! out: an assessment that all have reviewed, a plan that a second picture measures, and documents of both. Everything is done by
//! the commands that staff would type.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use accord_tests::{
    federation::{Federation, cell},
    process::Finished,
    review::{Comment, Review},
    roles,
};
use anyhow::{Context as _, Result, bail};

use crate::demo::say;

/// A federation, and where its documents go.
struct Stage<'a> {
    federation: &'a Federation,
    review: Review<'a>,
    documents: PathBuf,
}

/// Plays the loop.
pub(crate) fn play(
    federation: &mut Federation,
    dir: &Path,
    first: &str,
    second: impl Fn(&Federation) -> Result<String>,
) -> Result<()> {
    let documents = dir.join("documents");
    std::fs::create_dir_all(&documents)?;
    let stage = Stage { federation, review: Review { federation }, documents: documents.clone() };
    let assessment = stage.assessment(first)?;
    stage.feedback(&assessment)?;
    let plan = stage.plan(first)?;
    let second = second(stage.federation)?;
    stage.implementation(&plan, first, &second)?;
    stage.loop_closed(&assessment, &plan)?;
    without_centre(federation, &assessment)?;
    say(&format!("\nthe documents lie in {}", documents.display()));
    for entry in std::fs::read_dir(&documents)? {
        let entry = entry?;
        say(&format!("  {} ({} bytes)", entry.file_name().display(), entry.metadata()?.len()));
    }
    Ok(())
}

impl Stage<'_> {
    fn path(&self, name: &str) -> String {
        self.documents.join(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) -> Result<String> {
        std::fs::write(self.documents.join(name), text)?;
        Ok(self.path(name))
    }

    /// Picture, draft, two rounds, a reservation and a dissent, endorsed, published.
    fn assessment(&self, picture: &str) -> Result<String> {
        let text = include_str!("cycle/assessment.toml").replace("@PICTURE@", picture);
        let first = text.replace("@SECOND@", "");
        let file = self.write("assessment.toml", &first)?;
        let product = self.review.drafted(Path::new(&file), "first draft", None)?;
        say(&format!("\nassessment {product}: drafted on the picture"));
        let said: &[Comment<'_>] = &[
            ("al-police", "Të thuhet se shifrat janë të publikuara.", &["--language", "sq"]),
            ("rs-police", "Say how homicide is counted.", &["--section", "violence"]),
            (
                "me-police",
                "Small numbers move by chance.",
                &["--section", "violence", "--not-attributed"],
            ),
        ];
        let comments = self.review.round(&product, said)?;
        say(&format!("round 1: {comments} comments, one of them not attributed; each decided"));
        let second =
            text.replace("@SECOND@", "Attempts are left out; small numbers move by chance.");
        std::fs::write(&file, second)?;
        self.review.drafted(Path::new(&file), "after the comments of round 1", Some(&product))?;
        let said: &[Comment<'_>] =
            &[("mk-police", "Agreed.", &["--section", "violence", "--place", "paragraph 1"])];
        self.review.round(&product, said)?;
        let changes =
            self.federation.region("editor", "table", &["product", "changes", &product])?;
        say(&format!("round 2; what had changed:\n{}", changes.stdout.trim_end()));
        // Nobody takes the centre's word for a figure: a member draws it again from the picture that it holds.
        let drawn = self.review.desk("ba-police", "analyst", &["product", "check", &product])?;
        let drawn = drawn.as_array().context("no rows")?;
        if let Some(other) = drawn.iter().find(|row| row["found"] != "the same") {
            bail!("not what the picture shows: {other}");
        }
        say(&format!(
            "ba-police has drawn every figure again: {} citations and figures, all the same",
            drawn.len()
        ));
        self.endorsed(&product, |node| match node {
            "ba-police" => ("reservation", "Our figures of burglary are not complete."),
            "xk-police" => ("dissent", "Likelihood should not be stated on so few years."),
            _ => ("endorse", ""),
        })?;
        for (name, more) in [
            ("assessment.docx", &["page", "--extent", "restricted"][..]),
            ("assessment.html", &["page", "--extent", "restricted"]),
            ("assessment-public.html", &["page", "--extent", "public"]),
            ("assessment-public.release", &["release", "--extent", "public"]),
            ("assessment.dossier", &["export"]),
        ] {
            let (verb, rest) = more.split_first().context("no verb")?;
            let out = self.path(name);
            let written = [&["product", verb, &product][..], rest, &["--out", &out]].concat();
            let done = self.federation.region("editor", "table", &written)?;
            if done.code != Some(0) {
                bail!("{name}: {}", done.stderr.trim_end());
            }
        }
        Ok(product)
    }

    /// Endorsed and published, and what is said of it then.
    fn endorsed(
        &self,
        product: &str,
        position: impl Fn(&str) -> (&'static str, &'static str),
    ) -> Result<()> {
        let state = self.review.endorsed(product, position)?;
        let shown = self.federation.region("editor", "table", &["product", "show", product])?;
        say(&format!("{state}, and published:\n{}", shown.stdout.trim_end()));
        Ok(())
    }

    fn feedback(&self, product: &str) -> Result<()> {
        let gap = ["--gap", "How vehicle theft is counted in each jurisdiction."];
        let fed =
            ["product", "feedback", product, "--used-for", "planning of the year", "--value", "4"];
        self.review.desk("mk-police", "analyst", &[&fed[..], &gap].concat())?;
        self.review.closed(product, "hear")?;
        Ok(())
    }

    /// Priorities and three actions, endorsed as any other text.
    fn plan(&self, picture: &str) -> Result<String> {
        let shown = self.review.region("analyst", &["picture", "show", picture])?;
        let figure = |area: &str| {
            let of = cell(&shown, area, "2014").map(|cell| cell["value"].clone());
            let of = of.and_then(|of| of.as_i64().or_else(|| of.as_str()?.parse().ok()));
            of.with_context(|| format!("no figure of {area} in 2014"))
        };
        let base = figure("ICCS0101")?;
        let plan = include_str!("cycle/plan.toml")
            .replace("@BASE@", &base.to_string())
            .replace("@ROBBERY@", &figure("ICCS0401")?.to_string())
            .replace("@TARGET@", &(base * 9 / 10).to_string());
        self.write("plan.toml", &plan)?;
        let file = self.write("plan-text.toml", include_str!("cycle/plan-text.toml"))?;
        let product = self.review.drafted(
            Path::new(&file),
            "from the recommendations of the assessment",
            None,
        )?;
        say(&format!("\nplan {product}: two priorities, three actions"));
        self.review.round(&product, &[("ba-police", "We drive the second plan.", &[])])?;
        self.endorsed(&product, |_| ("endorse", ""))?;
        let out = self.path("plan.docx");
        let page = ["product", "page", &product, "--out", &out];
        let done = self.federation.region("editor", "table", &page)?;
        if done.code != Some(0) {
            bail!("plan.docx: {}", done.stderr.trim_end());
        }
        Ok(product)
    }

    /// Reports, and lights before and after the second picture.
    fn implementation(&self, plan: &str, first: &str, second: &str) -> Result<()> {
        let lights = |picture: &str, on: &str, then: &str| {
            let lights = ["cycle", "lights", plan, "--picture", picture, "--on", on];
            let printed = self.federation.region("editor", "table", &lights)?;
            if printed.code != Some(0) {
                bail!("{}", printed.stderr.trim_end());
            }
            say(&format!("\nlights {then}:\n{}", printed.stdout.trim_end()));
            Ok(())
        };
        lights(first, "2017-01-31", "on 2017-01-31, by the first picture")?;
        for (node, action, party, period, state, obstacles) in [
            ("rs-police", "OA 1.1", "RS", "2016", "ON_TRACK", ""),
            ("me-police", "OA 2.1", "ME", "2016", "DELAYED", "The days were moved twice."),
            ("al-police", "OA 2.2", "AL", "2016", "ON_TRACK", ""),
            ("rs-police", "OA 1.1", "RS", "2017", "ON_TRACK", ""),
            ("al-police", "OA 2.2", "AL", "2017", "DONE", ""),
        ] {
            let report = format!(
                "plan = \"region-2016-2018\"\naction = \"{action}\"\nparty = \"{party}\"\n\
                 period = \"{period}\"\nstate = \"{state}\"\nprogress = \"As planned for {period}.\"\n\
                 obstacles = \"{obstacles}\"\n"
            );
            let name = format!("report-{party}-{period}.toml");
            let file = self.write(&name, &report)?;
            self.review.desk(node, "analyst", &["product", "report", plan, &file])?;
            std::fs::remove_file(&file)?;
        }
        self.review.closed(plan, "hear")?;
        lights(second, "2018-03-31", "on 2018-03-31, by the second picture and the reports")?;
        let measured = ["cycle", "indicators", plan, "--picture", second, "--on", "2018-03-31"];
        let measured = self.federation.region("editor", "table", &measured)?;
        say(&format!("\nindicators:\n{}", measured.stdout.trim_end()));
        let sheet = ["cycle", "evaluate", plan, "--picture", second, "--on", "2018-12-31"];
        let sheet = self.federation.region("editor", "table", &sheet)?;
        self.write("evaluation.txt", &sheet.stdout)?;
        let national = ["cycle", "national", plan, "--jurisdiction", "RS", "--picture", second];
        let national = self.federation.desk(
            "rs-police",
            "analyst",
            &[&national[..], &["--on", "2018-03-31"]].concat(),
        )?;
        national.json(&[0]).context("the national view")?;
        Ok(())
    }

    /// What is not known becomes a question; and what the region has in common with the EU.
    fn loop_closed(&self, assessment: &str, plan: &str) -> Result<()> {
        let gaps = self.federation.region("editor", "table", &["gap", "list"])?;
        say(&format!("\nwhat is not known, to be asked next:\n{}", gaps.stdout.trim_end()));
        let common = ["cycle", "common", "--eu", "2018-2021", "--plan", plan];
        let annex = self.federation.region("editor", "csv", &common)?;
        self.write("annex.csv", &annex.stdout)?;
        let verify = |name: &str| {
            let mut verify = Command::new(std::env::current_exe()?);
            let root = self.federation.dir.join("federation/root.pub");
            verify.arg(roles::NODE).args(["product", "verify", &self.path(name), "--root"]);
            Finished::run({
                verify.arg(root);
                verify
            })
        };
        for name in ["assessment-public.release", "assessment.dossier"] {
            let verified = verify(name)?;
            if verified.code != Some(0) {
                bail!("{name}: {}", verified.stderr.trim_end());
            }
        }
        // One byte of it, anywhere.
        let release = std::fs::read(self.documents.join("assessment-public.release"))?;
        let mut changed = release.clone();
        if let Some(byte) = changed.get_mut(release.len() / 2) {
            *byte ^= 1;
        }
        let forged = self.write("forged.release", "")?;
        std::fs::write(&forged, changed)?;
        let refused = verify("forged.release")?;
        std::fs::remove_file(&forged)?;
        if refused.code == Some(0) {
            bail!("a changed release of {assessment} verifies");
        }
        say(&format!(
            "\nverified from files alone; with one byte changed: {}",
            refused.stderr.lines().last().unwrap_or_default()
        ));
        Ok(())
    }
}

/// The centre is gone: every member still reads the assessment, and who has endorsed it.
fn without_centre(federation: &mut Federation, product: &str) -> Result<()> {
    federation.coordinator_server()?.kill();
    let nodes: Vec<_> = federation.nodes.keys().cloned().collect();
    for node in &nodes {
        let shown = federation.desk(node, "analyst", &["product", "show", product])?.json(&[0])?;
        if shown["state"] != "PUBLISHED" || shown["positions"].as_array().map(Vec::len) != Some(6) {
            bail!("{node}: {shown}");
        }
    }
    federation.start_coordinator()?;
    say(&format!(
        "\nwith the centre gone, {} of {} members read it, with all positions",
        nodes.len(),
        nodes.len()
    ));
    Ok(())
}
