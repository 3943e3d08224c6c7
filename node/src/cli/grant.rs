//! The commands about consent. Arguments in, a command out.

use clap::{Args, Subcommand};

use super::Client;

/// What can be done with grants.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Give consent, or a rule that forbids (releaser).
    #[command(
        alias = "add",
        after_help = "What is not named is not granted: without --region-level only figures of the jurisdiction as a whole, without --dimension only totals.\n\nExamples:\n  accord-node grant give --indicator PUB.OFF.N --purpose THREAT-ASSESSMENT --audience POLICE --from 2026-01-01 --until 2027-01-01\n  accord-node grant give --indicator MIG.IBC.N --region-level 0,1 --dimension ALL --purpose THREAT-ASSESSMENT --audience POLICE --from 2026-01-01 --until 2027-01-01 --release by-hand --warn-days 30\n  accord-node grant give --effect forbid --indicator PUB.OFF.N --crime-area ICCS0101 --purpose ALL --audience ALL --from 2026-01-01 --until 2027-01-01"
    )]
    Give {
        #[command(flatten)]
        terms: Box<Terms>,
        #[command(flatten)]
        client: Client,
    },
    /// List consents: state, end, days left.
    List {
        #[command(flatten)]
        client: Client,
    },
    /// A consent with all its versions.
    Show {
        /// Id of the grant.
        grant: String,
        #[command(flatten)]
        client: Client,
    },
    /// Leave a consent with less, effective at once; more is refused (releaser).
    #[command(
        after_help = "What is not named stays as it is.\n\nExample:\n  accord-node grant narrow GRANT --crime-area ICCS0401,ICCS0501 --precision tier-b --until 2026-12-31"
    )]
    Narrow {
        /// Id of the grant.
        grant: String,
        #[command(flatten)]
        less: Box<Less>,
        #[command(flatten)]
        client: Client,
    },
    /// Put a consent out of use until it is resumed, effective at once (releaser).
    Suspend {
        /// Id of the grant.
        grant: String,
        #[command(flatten)]
        client: Client,
    },
    /// Take a suspended consent into use again (releaser).
    Resume {
        /// Id of the grant.
        grant: String,
        #[command(flatten)]
        client: Client,
    },
    /// Take consent back, effective at once and for ever (releaser).
    Withdraw {
        /// Id of the grant.
        grant: String,
        #[command(flatten)]
        client: Client,
    },
}

/// What is consented to.
#[derive(Clone, Debug, Args)]
pub(crate) struct Terms {
    /// permit, or forbid: a rule that forbids beats every consent.
    #[arg(long, default_value = "permit")]
    pub(crate) effect: String,
    /// Code of the list `indicators`.
    #[arg(long)]
    pub(crate) indicator: String,
    /// Crime areas, comma-separated; ALL: all that the indicator allows.
    #[arg(long, value_delimiter = ',', default_value = "ALL")]
    pub(crate) crime_area: Vec<String>,
    /// Region levels, comma-separated: 0 the jurisdiction as a whole, 1 to 3 its statistical regions. 0 if left out; for a rule
    /// that forbids every level.
    #[arg(long, value_delimiter = ',')]
    pub(crate) region_level: Vec<u32>,
    /// What figures may be broken down by, comma-separated; ALL: whatever the indicator has. Totals only if left out; a rule
    /// that forbids then forbids them, too.
    #[arg(long, value_delimiter = ',')]
    pub(crate) dimension: Vec<String>,
    /// First reporting period.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) first_period: String,
    /// Last reporting period.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) last_period: String,
    /// Code of the list `purposes`; a rule that forbids may say ALL.
    #[arg(long)]
    pub(crate) purpose: String,
    /// Code of the list `audiences`; a rule that forbids may say ALL.
    #[arg(long)]
    pub(crate) audience: String,
    /// Authorities that may ask, comma-separated; every one of the roster if left out.
    #[arg(long, value_delimiter = ',')]
    pub(crate) authority: Vec<String>,
    /// exact-open, tier-a, tier-b, tier-c or totals-only; tier-a if left out, which is whatever tier the audience has.
    #[arg(long)]
    pub(crate) precision: Option<String>,
    /// pooled or named; pooled if left out.
    #[arg(long)]
    pub(crate) contribution: Option<String>,
    /// So many jurisdictions behind a regional figure that rests on this; what the requirement and the region demand if
    /// left out. The coordinator is told, and pictures print it.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub(crate) minimum_contributors: u32,
    /// automatic or by-hand; automatic if left out.
    #[arg(long)]
    pub(crate) release: Option<String>,
    /// Embargo: nothing leaves before this day.
    #[arg(long)]
    pub(crate) not_before: Option<String>,
    /// Consent holds from this day, like 2026-01-01.
    #[arg(long)]
    pub(crate) from: String,
    /// … until this day, exclusive.
    #[arg(long)]
    pub(crate) until: String,
    /// Warn so many days before the end.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub(crate) warn_days: u32,
    /// Conditions, in words, for whoever releases.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) conditions: String,
    /// Handling conditions, comma-separated, like H1 or TLP:AMBER.
    #[arg(long, value_delimiter = ',')]
    pub(crate) handling: Vec<String>,
    /// Id (UUIDv7) of the grant; give the same one to repeat safely.
    #[arg(long)]
    pub(crate) id: Option<String>,
}

/// What a consent is left with.
#[derive(Clone, Debug, Args)]
pub(crate) struct Less {
    /// Crime areas that stay, comma-separated.
    #[arg(long, value_delimiter = ',')]
    pub(crate) crime_area: Option<Vec<String>>,
    /// Region levels that stay, comma-separated.
    #[arg(long, value_delimiter = ',')]
    pub(crate) region_level: Option<Vec<u32>>,
    /// Breakdowns that stay, comma-separated.
    #[arg(long, value_delimiter = ',', conflicts_with = "no_dimension")]
    pub(crate) dimension: Option<Vec<String>>,
    /// Totals only.
    #[arg(long)]
    pub(crate) no_dimension: bool,
    /// First reporting period.
    #[arg(long)]
    pub(crate) first_period: Option<String>,
    /// Last reporting period.
    #[arg(long)]
    pub(crate) last_period: Option<String>,
    /// Authorities that may still ask, comma-separated.
    #[arg(long, value_delimiter = ',')]
    pub(crate) authority: Option<Vec<String>>,
    /// exact-open, tier-b, tier-c or totals-only.
    #[arg(long)]
    pub(crate) precision: Option<String>,
    /// pooled.
    #[arg(long)]
    pub(crate) contribution: Option<String>,
    /// So many jurisdictions behind a regional figure that rests on it: more than before.
    #[arg(long)]
    pub(crate) minimum_contributors: Option<u32>,
    /// by-hand.
    #[arg(long)]
    pub(crate) release: Option<String>,
    /// Embargo: nothing leaves before this day.
    #[arg(long)]
    pub(crate) not_before: Option<String>,
    /// Until this day, exclusive.
    #[arg(long)]
    pub(crate) until: Option<String>,
    /// Warn so many days before the end.
    #[arg(long)]
    pub(crate) warn_days: Option<u32>,
    /// Conditions, in words, where there were none.
    #[arg(long)]
    pub(crate) conditions: Option<String>,
    /// Handling conditions, comma-separated, with those that there are.
    #[arg(long, value_delimiter = ',')]
    pub(crate) handling: Option<Vec<String>>,
}
