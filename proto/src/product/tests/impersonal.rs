//! What an owner signs names nobody: every field that holds words is looked at.

use super::*;

/// Looks like an e-mail address, and is made up.
const PERSONAL: &str = "Ask ana@police.example.";

fn found(dossier: &Dossier) -> Result<(), Invalid> {
    let last = dossier.steps().last().unwrap();
    dossier.course().check_impersonal(&last.step.deed)
}

#[test]
fn no_text_of_a_product_that_looks_as_if_it_named_a_person_is_signed() {
    let region = Region::new();
    assert_eq!(found(&region.begin(region.draft("First."))), Ok(()));
    let text = found(&region.begin(region.draft(PERSONAL))).unwrap_err();
    assert_eq!((text.reason, text.field.as_str()), (Reason::PersonalData, "section inner.text"));
    let titled = |content: &mut product::Content| content.title = PERSONAL.to_owned();
    let titled = region.rewritten(region.draft("First."), titled);
    assert_eq!(found(&region.begin(titled)).unwrap_err().field, "title");
    let why = product::Draft { why: PERSONAL.to_owned(), ..region.draft("First.") };
    assert_eq!(found(&region.begin(why)).unwrap_err().field, "draft.why");
    let published = region.published();
    let (section, text) = (String::new(), PERSONAL.to_owned());
    for (deed, field) in [
        (Deed::Correct(product::Correct { section, text }), "correct.text"),
        (Deed::Recall(product::Recall { why: PERSONAL.to_owned() }), "recall.why"),
        (Deed::Archive(product::Archive { why: PERSONAL.to_owned() }), "archive.why"),
    ] {
        let taken = published.take(deed, region.hand(60)).unwrap();
        assert_eq!(found(&taken).unwrap_err().field, field);
    }
    // A word of a member was looked at by its node; it is not kept out by another net.
    let dissent = region.published();
    assert_eq!(found(&dissent), Ok(()));
}
