// The lie: whatever was signed is a picture, coverage or not.
use accord_coordinator::picture::Picture;
use accord_proto::wire::{self, region};

fn by_hand(envelope: wire::Envelope, coverage: region::Coverage) -> Picture {
    Picture { envelope, coverage }
}
