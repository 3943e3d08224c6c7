//! What a page always says, and what it never says.

use super::*;

#[test]
fn html_and_docx_say_the_same_words() {
    let recalled = Sample { recalled: Some("Wrong."), ..Sample::whole() };
    for sample in [Sample::whole(), recalled] {
        for extent in [Extent::Public, Extent::Restricted] {
            let html = read_html(&sample.html(extent));
            assert_eq!(html, read_docx(&sample.docx(extent)));
            assert!(html[1].len() > 2_000, "{}", html[1]);
        }
    }
}

#[test]
fn no_extent_leaves_out_a_reservation_a_dissent_a_position_or_the_rule() {
    let sample = Sample::whole();
    for extent in [Extent::Public, Extent::Restricted] {
        let [_, main, _] = read_html(&sample.html(extent));
        let order = [
            "Threats to the region in 2024",
            "Outcome: endorsed, with dissent",
            "all jurisdictions but 1 endorse; silence counts for whoever has agreed to that",
            "Albania al-police endorses with a reservation",
            "Montenegro endorses by silence, as it has agreed to",
            "Serbia rs-police dissents",
            "Kosovo* xk-police endorses",
            "Reservation of Albania, al-police",
            "We read the figures of ports as incomplete. They hold no seizures at sea.",
            "Dissent of Serbia, rs-police",
            DISSENT,
            "Cocaine through ports",
        ];
        let found: Vec<_> = order.iter().map(|words| main.find(words)).collect();
        assert!(found.iter().all(Option::is_some) && found.is_sorted(), "{found:?} in {main}");
    }
}

#[test]
fn words_of_members_are_printed_letter_for_letter() {
    let text = "  Two  spaces, *no* <b>mark-up</b> & \"quotes\"\n\n1. and no list;\tKosovo";
    let mut sample = Sample::whole();
    sample.positions = vec![stand("RS", "rs-police", Some(Position::Dissent), text)];
    let html = sample.html(Extent::Public);
    let document =
        html.split_once("<blockquote>").unwrap().1.split_once("</blockquote>").unwrap().0;
    let sign = "<span class=\"sign\">*</span>";
    let words = document.trim().strip_prefix("<p>").unwrap().strip_suffix("</p>").unwrap();
    let words = words.replace(sign, "").replace("<br/>", "\n").replace("&lt;", "<");
    let words = words.replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    assert_eq!(words, text);
}

#[test]
fn the_public_extent_says_nothing_of_what_it_withholds_but_that_it_does() {
    let whole = Sample::whole();
    let mut without = Sample::whole();
    without.sections[1] = None;
    // Also one that was handed in by mistake.
    for sample in [&whole, &without] {
        let html = sample.html(Extent::Public);
        let bytes = docx(&sample.page(Extent::Public)).unwrap();
        let text = format!("{html}{}", String::from_utf8_lossy(&bytes)).to_lowercase();
        for word in ["quicksilver", "sensitive", "silver"] {
            assert!(!text.contains(word), "{word}");
        }
        let [_, main, _] = read_html(&html);
        assert_eq!(main.matches("Section 2 is withheld here.").count(), 1);
        assert!(main.contains("It corrects a section that this rendition withholds."));
        assert!(main.contains("Durrës: 41, not 40."));
    }
    assert_eq!(whole.html(Extent::Public), without.html(Extent::Public));
    let [_, main, _] = read_html(&whole.html(Extent::Restricted));
    assert!(main.contains("Watch quicksilver.") && !main.contains("withheld here"));
}

#[test]
fn every_page_bears_the_mark_the_digest_and_the_recall() {
    let mut sample = Sample::whole();
    let digest = sample.content.digest().to_string();
    for (extent, mark) in [
        (Extent::Public, "TLP:CLEAR"),
        (Extent::Restricted, "TLP:AMBER+STRICT — police authorities of the members"),
    ] {
        sample.recalled = None;
        let [head, _, foot] = read_html(&sample.html(extent));
        assert_eq!(head, mark);
        assert!(foot.ends_with(mark) && foot.contains(&digest), "{foot}");
        assert!(foot.contains("Published on 2024-07-01"), "{foot}");
        sample.recalled = Some("The figures of one member were wrong.");
        let [head, main, _] = read_docx(&sample.docx(extent));
        assert_eq!(head, format!("{mark} RECALLED: do not rely on it"));
        let first = "Recalled: do not rely on it. The figures of one member were wrong. Erratum of";
        assert!(main.starts_with(first), "{main}");
    }
}

#[test]
fn an_erratum_stands_before_the_text_with_its_day() {
    let [_, main, _] = read_html(&Sample::whole().html(Extent::Restricted));
    for erratum in [
        "Erratum of 2024-09-02. The period is the first half of 2024, not of 2023.",
        "Erratum of 2024-09-02, section ports. Durrës: 41, not 40.",
        "Erratum of 2024-09-02, section sensitive. Not quicksilver, but silver.",
    ] {
        assert!(main.find(erratum).unwrap() < main.find("Threats to the region").unwrap());
    }
}

#[test]
fn likelihood_and_confidence_never_share_a_sentence() {
    let html = Sample::whole().html(Extent::Public);
    let likely = "<p class=\"judged\">Likelihood: Likely or probable (55 to 75 %).</p>";
    assert!(html.contains(likely));
    assert!(html.contains("<p class=\"judged\">Likelihood: not stated.</p>"));
    assert_eq!(html.matches("<p class=\"judged\">Confidence: moderate (").count(), 2);
    assert_eq!(html.matches("<p class=\"judged\">Horizon: end of 2025</p>").count(), 2);
    let mixed = |line: &str| line.contains("Likelihood") && line.contains("Confidence");
    assert!(!html.split("</p>").any(mixed));
}

#[test]
fn what_a_comment_can_stand_at_has_the_same_number_in_every_rendition() {
    let sample = Sample::whole();
    let public = read_html(&sample.html(Extent::Public));
    let restricted = read_html(&sample.html(Extent::Restricted));
    for [_, main, _] in [&public, &restricted] {
        for words in [
            "Section ports",
            "Judgement 1.2. Prices will fall.",
            "Recommendation 1.1. Share what is found in containers.",
            "Recommendation 3.1. Meet again in autumn.",
        ] {
            assert!(main.contains(words), "{words}");
        }
    }
    assert!(restricted[1].contains("Recommendation 2.1. Watch quicksilver."));
}

#[test]
fn a_figure_has_words_and_a_table_and_a_source() {
    let html = Sample::whole().html(Extent::Public);
    let alternative = "Seizures, number, first quarter of 2024. 4 of 6 cells show a figure. Coverage 4 of 6 members.";
    assert!(html.contains(&format!("alt=\"{alternative}\"")));
    let [_, main, _] = read_html(&html);
    for words in [
        "Figure 1.1. Cocaine seizures by jurisdiction",
        alternative,
        "Jurisdiction Seizures Albania 41 [37–45] Kosovo* [c]",
        "018f2c1e-7a44-7c1d-9b5e-2f6d3a1c0b9e 3 9f9f9f9f9f9f… PUBLIC",
    ] {
        assert!(main.contains(words), "{words} in {main}");
    }
}

#[test]
fn an_extent_without_rendition_and_sections_of_another_text_are_refused() {
    let only_restricted = |content: &mut Written| {
        content.renditions.remove(0);
    };
    let mut sample = Sample::new(&sections(), only_restricted);
    let refused = |sample: &Sample, extent| html(&sample.page(extent)).unwrap_err();
    assert_eq!(refused(&sample, Extent::Public).field, "extent");
    assert!(docx(&sample.page(Extent::Public)).is_err());
    sample.sections.pop();
    assert_eq!(refused(&sample, Extent::Restricted).field, "sections");
}

#[test]
fn a_plan_is_printed_with_every_action_whole() {
    let lists = Lists::builtin();
    let plan = crate::cycle::Plan::from_toml("plan", crate::cycle::TEMPLATE, lists).unwrap();
    let held =
        wire::Section { plan: plan.encode(lists), ..section("plan", "Plan", Extent::Public) };
    let sample = Sample::new(&[held], |content| content.kind = wire::Kind::Plan.into());
    look("plan", &sample, Extent::Public);
    let html = read_html(&sample.html(Extent::Public));
    assert_eq!(html, read_docx(&sample.docx(Extent::Public)));
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut wanted = vec![plan.title.clone(), plan.cycle.name.clone()];
    for of in &plan.priorities {
        wanted.push(of.name.clone());
        wanted.extend(of.sub_items.iter().map(|part| part.name.clone()));
    }
    wanted.extend(plan.goals.iter().flat_map(|of| [of.id.to_string(), of.text.clone()]));
    for (of, action) in plan.actions() {
        wanted.push(format!("Driver: {}", of.driver.label(lists)));
        wanted.push(format!("{}. {}", action.code, action.title));
        wanted.extend([action.description.clone(), action.expected_result.clone()]);
        wanted.push(format!("Leader {}", action.leader.label(lists)));
        wanted.extend(action.participants.iter().map(|of| of.label(lists).to_owned()));
        wanted.extend(action.indicators.iter().map(|of| of.name(lists)));
    }
    assert!(wanted.len() > 20, "{wanted:?}");
    for words in wanted {
        assert!(html[1].contains(&plain(&words)), "{words} in {}", html[1]);
    }
}
