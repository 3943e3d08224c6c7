//! Programs that must not compile: each leaves out a stage. They lie in `tests/compile_fail/`, one lie each,
//! and are run as documentation tests; `stages.rs` is their honest twin, which must compile.
//!
//! A stable rustdoc only sees that a program fails; that it fails with this code and no other,
//! `suite/house.rs` makes sure of.

macro_rules! must_not_compile {
    ($($name:ident, $code:literal;)*) => {
        /// Each program with the one error that it must fail with.
        pub const LIES: &[(&str, &str)] = &[$((stringify!($name), $code),)*];

        $(
            #[doc = concat!("```compile_fail,", $code, "\n", include_str!(concat!("../compile_fail/", stringify!($name), ".rs")), "\n```")]
            pub mod $name {}
        )*
    };
}

must_not_compile! {
    a_record_is_never_made_unchecked, "E0451";
    a_cube_is_never_read_unasked, "E0308";
    true_counts_are_never_sealed, "E0308";
    a_safe_table_is_never_made_by_hand, "E0423";
    a_table_never_becomes_a_wire_answer_unsealed, "E0277";
    an_unchecked_reply_is_never_combined, "E0308";
    a_regional_cell_never_passes_without_the_gate, "E0451";
    a_picture_is_never_made_by_hand, "E0451";
    the_coordinator_cannot_name_a_cube, "E0432";
}

#[doc = concat!("```no_run\n", include_str!("../compile_fail/stages.rs"), "\n```")]
pub mod stages {}
