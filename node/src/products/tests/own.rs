//! Products of the node itself: whose step is whose, and what never leaves.

use super::*;

fn national(text: &str) -> Deed {
    Deed::Draft(draft("al-police", &MEMBERS[..1], text))
}

async fn take(
    home: &Home,
    by: &str,
    held: Option<&Dossier>,
    deed: Deed,
) -> Result<Dossier, Invalid> {
    let previous = held.map(Dossier::head);
    crate::products::own::take(&home.node, &person(by), (id(), previous), deed).await
}

/// As it is to be endorsed, from second 30 to 40; `ana` has written it.
async fn opened(home: &Home) -> Dossier {
    let named = take(home, "ana/analyst", None, national("Ask ana@police.example.")).await;
    assert_eq!(reason(named), Reason::PersonalData);
    let begun = take(home, "ana/analyst", None, national("At home.")).await.unwrap();
    let round = circulate(&begun, 1, 1, 20);
    let circulated = take(home, "ana/releaser", Some(&begun), round).await.unwrap();
    home.turn_to(20);
    let close = Deed::CloseRound(wire::product::CloseRound::default());
    let closed = take(home, "ana/releaser", Some(&circulated), close).await.unwrap();
    let last = Deed::Finalise(wire::product::Finalise {});
    let last = take(home, "ana/releaser", Some(&closed), last).await.unwrap();
    home.turn_to(30);
    let open = open(&last, 40);
    let refused = take(home, "ana/releaser", Some(&last), open.clone()).await;
    assert_eq!(reason(refused), Reason::FourEyes, "another certificate of the same person");
    take(home, "bea/releaser", Some(&last), open).await.unwrap()
}

#[tokio::test]
async fn a_product_of_ones_own_goes_its_way_at_home_and_nobody_outside_hears_of_it() {
    let home = Home::new();
    let opened = opened(&home).await;
    home.turn_to(31);
    home.say("bea/releaser", 1, endorse()).await.unwrap();
    assert!(waiting(&home.node, id()).unwrap().is_empty(), "the coordinator is told nothing");
    let close = Deed::Close(wire::product::Close::default());
    let closed = take(&home, "bea/releaser", Some(&opened), close).await.unwrap();
    assert_eq!(closed.course().state, State::Endorsed);
    let publish = publish(&closed, 32);
    let refused = take(&home, "ana/releaser", Some(&closed), publish.clone()).await;
    assert_eq!(reason(refused), Reason::FourEyes);
    let published = take(&home, "bea/releaser", Some(&closed), publish).await.unwrap();
    // One's own is seen whole, whatever its moment; and the chain opens like any other.
    assert_eq!(readable(&home.node, id()).unwrap().write(), published.write());
    let (listed, _) = list(&home.node, None, 9).unwrap();
    assert_eq!(listed, [line(&published)]);
    assert_eq!(home.journal(), 8, "every step and the word");
}

#[tokio::test]
async fn the_same_step_twice_is_one_and_another_one_meanwhile_is_said() {
    let home = Home::new();
    let begun = take(&home, "ana/analyst", None, national("At home.")).await.unwrap();
    let again = take(&home, "ana/analyst", None, national("At home.")).await.unwrap();
    assert_eq!(again.write(), begun.write());
    let other = take(&home, "ana/analyst", None, national("Otherwise.")).await;
    assert_eq!(reason(other), Reason::ProductChanged);
    let next = take(&home, "ana/analyst", Some(&begun), national("Second.")).await.unwrap();
    let stale = take(&home, "ana/analyst", Some(&begun), national("Third.")).await;
    assert_eq!(reason(stale), Reason::ProductChanged);
    let again = take(&home, "ana/analyst", Some(&begun), national("Second.")).await.unwrap();
    assert_eq!(again.write(), next.write());
    assert_eq!(home.journal(), 2);
}

#[tokio::test]
async fn a_step_is_a_releasers_and_of_a_product_of_this_node() {
    let home = Home::new();
    let begun = take(&home, "ana/analyst", None, national("At home.")).await.unwrap();
    let round = circulate(&begun, 1, 1, 20);
    let refused = take(&home, "ana/analyst", Some(&begun), round).await;
    assert_eq!(reason(refused), Reason::CertificateRole);

    let home = Home::new();
    let last = Deed::Finalise(wire::product::Finalise {});
    assert_eq!(reason(take(&home, "ana/releaser", None, last).await), Reason::NotFound);
    for (owner, members) in [("ba-police", &MEMBERS[1..2]), ("coordinator", &MEMBERS[..])] {
        let foreign = Deed::Draft(draft(owner, members, "Not ours."));
        let refused = take(&home, "ana/analyst", None, foreign).await;
        assert_eq!(reason(refused), Reason::FieldInvalid, "{owner}");
    }
    let dossier = home.circulated();
    home.deliver(&dossier).await.unwrap();
    let refused = take(&home, "ana/analyst", Some(&dossier), national("Ours now.")).await;
    assert_eq!(reason(refused), Reason::ProductState, "it is the region's");
    assert_eq!(home.journal(), 1);
}

#[tokio::test]
async fn what_is_delivered_under_the_name_of_ones_own_product_changes_nothing() {
    let home = Home::new();
    let begun = take(&home, "ana/analyst", None, national("At home.")).await.unwrap();
    assert_eq!(reason(home.deliver(&home.circulated()).await), Reason::ProductForked);
    assert_eq!(kept(&home.node, id()).unwrap().write(), begun.write());
}
