//! Command lines of charts.

use accord_proto::{
    limits::ROUNDS_MAX,
    operate::{
        chart::{self, Drawing, Whose},
        threat::Series,
    },
};
use clap::Subcommand;

pub(super) const EXAMPLES: &str = "Examples:\n  \
    accord-node chart heat 0190… --indicator PUB.OFF.N --period 2016 --out heat.svg\n  \
    accord-node chart ranks 0190… --indicator PUB.OCI.SCORE --period 2021 --by figure --out ranks.png\n  \
    accord-node chart matrix thb.toml arms.toml > matrix.svg";

/// Charts.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    OfPictures(chart::Command),
    /// Crime areas in the region's order, worked out here from delivered pictures; without the own position.
    Ranks {
        /// Pictures to rank by, as the id of a requirement (the newest picture) or ID:VERSION.
        #[arg(required = true, num_args = 1..=ROUNDS_MAX, value_name = "REQUIREMENT[:VERSION]")]
        pictures: Vec<String>,
        /// Of which period, like 2016 or 2016-Q3.
        #[arg(long)]
        period: String,
        #[command(flatten)]
        series: Series,
        #[command(flatten)]
        drawing: Drawing,
        #[command(flatten)]
        whose: Whose,
    },
}
