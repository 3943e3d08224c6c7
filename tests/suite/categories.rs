//! What a figure is broken down by: categories travel from the question over the wire into the picture, in one
//! spelling. Every other spelling is refused by name, by the author's own client and by the node.

use accord_proto::{seal::Kind, status::from_status, wire};
use accord_tests::peers;
use prost::Message as _;
use serde_json::{Value, json};

use crate::{Running, started};

const MAPPING: &str = r#"
source = "Written for this test"
[columns]
period = "year"
value = "victims"
"dimension.SEX" = "sex"
"dimension.AGE" = "age"
[constants]
indicator = "PUB.THB.VIC.N"
crime_area = "THB"
"#;
const GRANT: [&str; 12] = [
    "--dimension",
    "SEX,AGE",
    "--indicator",
    "PUB.THB.VIC.N",
    "--purpose",
    "THREAT-ASSESSMENT",
    "--audience",
    "POLICE",
    "--from",
    "2020-01-01",
    "--until",
    "2090-01-01",
];
const BY_SEX: &str = "indicator = \"PUB.THB.VIC.N\"\ncrime_areas = \"THB\"\nperiods = \"2016\"\n\
    categories = [\"_T\", \"SEX=M\", \"SEX=F\", \"SEX=F;AGE=CHILD\"]\n";

/// Victims of 2016: in all, women, girls; nobody has counted the men.
fn victims(running: &Running, node: &str, [all, women, girls]: [i64; 3]) {
    let home = &running.nodes[node].home;
    let (file, mapping) = (home.join("victims.csv"), home.join("victims.toml"));
    let rows =
        format!("year,sex,age,victims\n2016,,,{all}\n2016,F,,{women}\n2016,F,CHILD,{girls}\n");
    std::fs::write(&file, rows).unwrap();
    std::fs::write(&mapping, MAPPING).unwrap();
    running.import(node, &file, &mapping).unwrap().json(&[0]).unwrap();
    running.desk(node, "releaser", &["freeze", "2016"]).unwrap().json(&[0]).unwrap();
    running.grant(node, &GRANT).unwrap();
}

fn of<'a>(shown: &'a Value, categories: &str) -> &'a Value {
    let cells = shown["picture"]["cells"].as_array().unwrap();
    cells.iter().find(|cell| cell["categories"] == categories).unwrap()
}

#[test]
fn figures_by_category_are_asked_for_and_combined() {
    let running = started(&["AL", "ME", "RS"]);
    victims(&running, "al-police", [20, 12, 5]);
    victims(&running, "me-police", [7, 7, 1]);
    victims(&running, "rs-police", [40, 21, 0]);
    let requirement = running.issue(&[BY_SEX]).unwrap();
    let shown = running.gather(&requirement).unwrap();
    assert_eq!(shown["picture"]["cells"].as_array().unwrap().len(), 4);
    for (categories, value) in [("_T", 67), ("SEX=F", 40), ("SEX=F;AGE=CHILD", 6)] {
        let cell = of(&shown, categories);
        let found = (&cell["value"], &cell["status"], &cell["standard_error"]);
        assert_eq!(found, (&json!(value), &json!("value"), &json!(0)), "{cell}");
    }
    let men = of(&shown, "SEX=M");
    assert_eq!((&men["value"], &men["status"]), (&Value::Null, &json!("not_shown")), "{men}");
    assert_eq!(men["standard_error"], Value::Null, "{men}");

    let show = |format| {
        running.region("editor", format, &["picture", "show", &requirement]).unwrap().stdout
    };
    let csv = show("csv");
    let header = csv.lines().next().unwrap();
    assert!(header.ends_with(",answered,members,categories,standard_error"), "{header}");
    let girls = csv.lines().find(|line| line.contains("SEX=F;AGE=CHILD")).unwrap();
    assert!(girls.contains(",6,persons,value,AL ME RS,") && girls.ends_with(",0"), "{girls}");
    let table = show("table");
    let girls = table.lines().find(|line| line.contains("SEX=F;AGE=CHILD")).unwrap();
    assert_eq!(girls.split_whitespace().next_back(), Some("6"), "{girls}");
    assert!(!table.contains('±'), "these figures are exact: {table}");

    // The total alone is the same question, whether it is named or not.
    for total in ["", "categories = \"_T\"\n", "categories = []\n"] {
        let block = "indicator = \"PUB.THB.VIC.N\"\ncrime_areas = \"THB\"\nperiods = \"2016\"\n";
        let shown = running.gather(&running.issue(&[&format!("{block}{total}")]).unwrap()).unwrap();
        assert_eq!(of(&shown, "_T")["value"], 67);
    }
}

#[test]
fn another_spelling_of_a_category_is_refused_by_name_at_both_ends() {
    let running = started(&["AL"]);
    let cases = [
        (json!(["SEX=f"]), "CODE_UNKNOWN", "\"f\""),
        (json!(["sex=F"]), "CODE_UNKNOWN", "\"sex\""),
        (json!([" SEX=F"]), "CODE_UNKNOWN", "\" SEX\""),
        (json!(["HAIR=RED"]), "CODE_UNKNOWN", "HAIR"),
        (json!(["DRUG=X"]), "CODE_UNKNOWN", "DRUG"),
        (json!(["AGE=CHILD;SEX=F"]), "FIELD_INVALID", "is written SEX=F;AGE=CHILD"),
        (json!(["SEX=F;SEX=F"]), "FIELD_INVALID", "names SEX twice"),
        (json!(["SEX=F;_T"]), "FIELD_INVALID", "_T"),
        (json!([""]), "FIELD_INVALID", "_T"),
    ];
    let block = "indicator = \"PUB.THB.VIC.N\"\ncrime_areas = \"THB\"\nperiods = \"2016\"\n";
    let key = running.dir.join("federation/authority.key").display().to_string();
    let file = running.dir.join("requirement.toml");
    for (categories, reason, named) in &cases {
        let head = "authority = \"analysis-unit\"\nwhy = \"Test\"\npurpose = \"THREAT-ASSESSMENT\"\n\
            legal_basis = \"Test\"\naudience = \"POLICE\"\ncloses = \"2090-01-01\"\n[[question]]\n";
        std::fs::write(&file, format!("{head}{block}categories = {categories}\n")).unwrap();
        let file = file.display().to_string();
        let arguments = ["requirement", "issue", &file, "--authority-key", &key];
        let refused = running.region("analyst", "json", &arguments).unwrap();
        assert_eq!(refused.code, Some(1), "{categories}: {}", refused.stderr);
        assert!(refused.stderr.contains(reason), "{categories}: {}", refused.stderr);
        assert!(refused.stderr.contains("question.categories"), "{categories}: {}", refused.stderr);
        assert!(refused.stderr.contains(named), "{categories}: {}", refused.stderr);
    }

    // A client that does not look is told so by the node.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let authority = peers::secret_key(&running, "federation/authority.key").unwrap();
    let honest = peers::requirement(&running, &[block]).unwrap();
    let asked_with = |categories: Vec<String>| {
        let mut requirement =
            wire::Requirement::decode(honest.envelope().payload.as_slice()).unwrap();
        requirement.question.as_mut().unwrap().blocks[0].categories = categories;
        let signed = authority.sign(Kind::Requirement, requirement.encode_to_vec());
        runtime.block_on(async {
            let mut client = peers::coordinator(&running, "al-police").await.unwrap();
            client.answer(wire::AnswerRequest { requirement: Some(signed) }).await
        })
    };
    for (categories, reason, named) in cases {
        let categories: Vec<String> = serde_json::from_value(categories).unwrap();
        let refused = from_status(&asked_with(categories).unwrap_err());
        assert_eq!(refused.reason.code(), reason, "{refused}");
        assert!(refused.field.contains("blocks[0].categories[0]"), "{refused}");
        assert!(refused.detail.contains(named), "{refused}");
    }
    for wrong in [["SEX=M", "SEX=F"], ["SEX=F", "SEX=F"], ["_T", "SEX=F"]] {
        let refused = from_status(&asked_with(wrong.map(str::to_owned).to_vec()).unwrap_err());
        assert!(refused.field.ends_with("blocks[0].categories"), "{refused}");
    }
    asked_with(vec!["SEX=F".to_owned(), "_T".to_owned()]).unwrap();
}
