//! The whole exchange once more, with nodes that have no port: they dial in, and nothing above the connection knows the
//! difference. Every test here is the one of the same name in `exchange`.

use accord_tests::federation::Dialling::Everybody;

use crate::{exchange, house::tests_of, with_dialling};

#[test]
fn every_test_of_the_exchange_is_also_run_with_nodes_that_dial() {
    let listening = tests_of(include_str!("exchange.rs"));
    let dialling = tests_of(include_str!("dialled.rs"));
    assert_eq!(dialling[1..], listening);
}

#[test]
fn six_members_give_the_regional_total_with_its_coverage() {
    with_dialling(Everybody, exchange::six_members_give_the_regional_total_with_its_coverage);
}

#[test]
fn every_cell_that_was_asked_has_a_status_and_a_figure_that_was_not_reported_is_never_zero() {
    with_dialling(Everybody, exchange::every_cell_that_was_asked_has_a_status_and_a_figure_that_was_not_reported_is_never_zero);
}

#[test]
fn the_same_question_gives_the_same_bytes_also_after_everything_was_killed_and_restarted() {
    with_dialling(Everybody, exchange::the_same_question_gives_the_same_bytes_also_after_everything_was_killed_and_restarted);
}

#[test]
fn a_requirement_issued_again_is_the_same_one_also_a_second_later() {
    with_dialling(
        Everybody,
        exchange::a_requirement_issued_again_is_the_same_one_also_a_second_later,
    );
}

#[test]
fn another_text_under_the_id_of_a_requirement_is_refused() {
    with_dialling(Everybody, exchange::another_text_under_the_id_of_a_requirement_is_refused);
}

#[test]
fn no_form_of_a_picture_loses_its_coverage_or_the_footnote() {
    with_dialling(Everybody, exchange::no_form_of_a_picture_loses_its_coverage_or_the_footnote);
}

#[test]
fn the_footnote_stands_only_where_its_member_does() {
    with_dialling(Everybody, exchange::the_footnote_stands_only_where_its_member_does);
}

#[test]
fn the_same_file_twice_changes_nothing() {
    with_dialling(Everybody, exchange::the_same_file_twice_changes_nothing);
}

#[test]
fn bad_rows_are_named_and_left_out_and_the_rest_is_kept() {
    with_dialling(Everybody, exchange::bad_rows_are_named_and_left_out_and_the_rest_is_kept);
}

#[test]
fn a_file_without_a_column_of_the_mapping_gives_no_record_and_says_which() {
    with_dialling(
        Everybody,
        exchange::a_file_without_a_column_of_the_mapping_gives_no_record_and_says_which,
    );
}

#[test]
fn a_correction_is_a_second_edition_for_new_requirements_only() {
    with_dialling(Everybody, exchange::a_correction_is_a_second_edition_for_new_requirements_only);
}

#[test]
fn the_published_figures_give_the_published_regional_totals() {
    with_dialling(Everybody, exchange::the_published_figures_give_the_published_regional_totals);
}

#[test]
fn a_member_that_is_away_is_named_and_not_in_the_total() {
    with_dialling(Everybody, exchange::a_member_that_is_away_is_named_and_not_in_the_total);
}

#[test]
fn a_figure_that_two_nodes_of_a_jurisdiction_hold_counts_once() {
    with_dialling(Everybody, exchange::a_figure_that_two_nodes_of_a_jurisdiction_hold_counts_once);
}

#[test]
fn ctrl_c_leaves_nothing_behind() {
    with_dialling(Everybody, exchange::ctrl_c_leaves_nothing_behind);
}
