//! Drawings of peers that try to be more than a chart.

use super::*;

fn refused(inside: &str) -> Reason {
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\">{inside}</svg>"
    );
    Foreign::read("svg", svg.as_bytes()).expect_err(inside).reason
}

#[test]
fn a_drawing_of_a_peer_holds_what_ours_hold_and_nothing_else() {
    for inside in [
        "<script>alert(1)</script>",
        "<image href=\"file:///etc/passwd\"/>",
        "<image href=\"https://x.example/x.png\"/>",
        "<use href=\"#a\"/>",
        "<foreignObject/>",
        "<style>@import url(https://x.example)</style>",
        "<a href=\"https://x.example\"><text>x</text></a>",
        "<rect width=\"1\" height=\"1\" onclick=\"alert(1)\"/>",
        "<rect width=\"1\" height=\"1\" style=\"fill:red\"/>",
        "<rect width=\"1\" height=\"1\" fill=\"url(https://x.example#a)\"/>",
        "<rect width=\"1\" height=\"1\" fill=\" URL(https://x.example#a)\"/>",
        "<rect width=\"1\" height=\"1\" filter=\"url(#a)\"/>",
        "<pattern id=\"a\"><rect fill=\"url(#a)\"/></pattern>",
        "<?xml-stylesheet href=\"https://x.example/x.css\"?>",
        "<animate/>",
    ] {
        assert_eq!(refused(inside), Reason::FieldInvalid, "{inside}");
    }
    let deep = format!("{}{}", "<g>".repeat(70_000), "</g>".repeat(70_000));
    assert_eq!(refused(&deep), Reason::FieldInvalid);
    let bomb = "<!DOCTYPE svg [<!ENTITY a \"aaaa\">]><svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"><text>&a;</text></svg>";
    assert_eq!(Foreign::read("svg", bomb.as_bytes()).unwrap_err().reason, Reason::FieldInvalid);
    let large = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"90000\" height=\"90000\"/>";
    assert_eq!(Foreign::read("svg", large.as_bytes()).unwrap_err().reason, Reason::LimitExceeded);
    for bytes in [&b""[..], b"\xff", b"<svg/>", b"<html/>", b"\x1f\x8b"] {
        assert_eq!(Foreign::read("svg", bytes).unwrap_err().reason, Reason::FieldInvalid);
    }
}

#[test]
fn every_chart_of_ours_is_read_and_drawn_as_a_peers() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/chart/goldens");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "svg") {
            let chart = Foreign::read("svg", &fs::read(&path).unwrap()).unwrap();
            assert!(chart.size().0 == 960 && chart.words().contains("Coverage"), "{path:?}");
            assert!(chart.png(1).unwrap().starts_with(b"\x89PNG"));
            count += 1;
        }
    }
    assert!(count > 5, "{count}");
}
