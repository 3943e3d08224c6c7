//! What is wrong with a party's own certificate, before others say so. Comes in: what the files hold, and now. Goes out: of validity, of
//! the authority, and of revocation lists whether all is well, in words. Must never judge the one by the other: an expired
//! certificate of the right authority is expired, and nothing else.

use rustls::pki_types::UnixTime;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{Credentials, revocation::Freshness, verifier::ExpectedPeer};
use crate::clock::Timestamp;

/// What was found of one aspect.
pub type Found = Result<String, String>;

/// Own certificate, its authority, revocation lists.
#[derive(Clone, Debug)]
pub struct Examination {
    /// Does it count now?
    pub validity: Found,
    /// Has one of the authorities that are named signed it?
    pub authority: Found,
    /// Are the lists fresh?
    pub revocation: Found,
}

impl Credentials {
    /// Looks at the own certificate as others will.
    pub fn examine(&self, now: Timestamp) -> Examination {
        let parts = self.parts();
        let unreadable = || Err("cannot be read".to_owned());
        let Some((own, above)) = parts.chain.split_first() else {
            return Examination {
                validity: unreadable(),
                authority: unreadable(),
                revocation: unreadable(),
            };
        };
        let (mut validity, mut within) = (unreadable(), now);
        if let Ok((_, read)) = X509Certificate::from_der(own) {
            let begins = Timestamp::near(read.validity().not_before.timestamp());
            let ends = Timestamp::near(read.validity().not_after.timestamp());
            validity = match now {
                now if now < begins => {
                    Err(format!("does not count before {begins}, and it is {now}"))
                }
                now if now > ends => Err(format!("has ended on {ends}, and it is {now}")),
                _ => Ok(format!("ends on {ends}")),
            };
            within = now.clamp(begins, ends.max(begins));
        }
        let verifier = ExpectedPeer {
            expected: Vec::new(),
            trusted: std::sync::Arc::clone(&parts.trusted),
            provider: parts.provider,
        };
        let chain = verifier.check_signed(own, above, unix(within));
        let authority = match chain {
            Ok(()) => Ok("signed by an authority that is named".to_owned()),
            Err(error) => Err(format!("is not signed by an authority that is named: {error}")),
        };
        let fresh = |freshness: Option<Freshness>| match freshness {
            None => Ok("no list is named".to_owned()),
            Some(Freshness::Fresh) => Ok("fresh".to_owned()),
            Some(Freshness::Stale(left)) => {
                Err(format!("a list was to be replaced; in {left} s nobody is admitted any more"))
            }
            Some(Freshness::Over) => Err("a list is out of date: nobody is admitted".to_owned()),
        };
        let lists = [&parts.trusted, &parts.admission.trusted];
        let mut revocation = lists.map(|trusted| {
            fresh(trusted.revocation.as_ref().map(|list| list.freshness(unix(now))))
        });
        let [peers, staff] = &mut revocation;
        let revocation = if peers.is_err() { peers.clone() } else { staff.clone() };
        Examination { validity, authority, revocation }
    }
}

fn unix(at: Timestamp) -> UnixTime {
    let seconds = u64::try_from(at.as_s()).unwrap_or(0);
    UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds))
}
