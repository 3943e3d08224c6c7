//! Command lines of charts.

use accord_proto::operate::chart::{self, Drawing, Whose};
use clap::Subcommand;

pub(super) const EXAMPLES: &str = "Examples:\n  \
    accord-coordinator chart heat 0190… --indicator PUB.OFF.N --period 2016 --out heat.svg\n  \
    accord-coordinator chart trend 0190… --indicator PUB.OFF.N --area ICCS0101 --out trend.png --scale 3\n  \
    accord-coordinator chart ranks 5f3a… > ranks.svg";

/// Charts.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    OfPictures(chart::Command),
    /// Crime areas of a ranking, each with the ranks that are possible for everybody who was asked.
    Ranks {
        /// The ranking's name.
        ranking: String,
        #[command(flatten)]
        drawing: Drawing,
        #[command(flatten)]
        whose: Whose,
    },
}
