//! Certificates, revocation lists, rosters and keys are replaced while everything runs. Real processes, real files, SIGHUP.

use std::{fs, time::Duration};

use accord_proto::{
    clock::{Clock as _, FixedClock, SystemClock},
    identity::Identity,
    pki::{Authority, Issued},
    transport::{Credentials, Expected, channel::Channel, connection::connect},
    wire::desk::{GetStatusRequest, desk_client::DeskClient},
};
use accord_tests::{
    federation::QUESTION,
    peers,
    rotation::{self, hand_out, next_roster, put, tell_everybody, until_said},
};
use tokio::runtime::Runtime;

use crate::{Running, adversary::holder, prepared, with_sample};

#[test]
fn certificates_and_keys_are_replaced_under_load_and_no_call_fails() {
    let running = with_sample(&["AL", "BA"]);
    let rotated = rotation::rotate(&running, 4, (Duration::ZERO, 50)).unwrap();
    assert!(rotated.failed.is_empty(), "{:#?}", rotated.failed);
    assert!(rotated.calls > 20, "{} calls say nothing", rotated.calls);
}

/// A staff authority of the test's own, whose revocation list a node keeps.
struct Staff {
    running: Running,
    authority: Authority,
    runtime: Runtime,
}

impl Staff {
    fn begin() -> Self {
        let mut running = prepared(&["AL"]);
        let authority = Authority::new("test staff", &SystemClock).unwrap();
        let home = running.nodes["al-police"].home.clone();
        fs::write(home.join("keys/staff-ca.crt"), authority.certificate_pem()).unwrap();
        fs::write(home.join("keys/staff.crl"), authority.revoke(&[], 7).unwrap()).unwrap();
        let config = home.join("node.toml");
        let text = fs::read_to_string(&config).unwrap();
        let with_list = "ca = \"keys/staff-ca.crt\"\ncrl = \"keys/staff.crl\"";
        fs::write(&config, text.replace("ca = \"keys/staff-ca.crt\"", with_list)).unwrap();
        running.federation.start().unwrap();
        Self { running, authority, runtime: Runtime::new().unwrap() }
    }

    fn person(&self, name: &str) -> (Issued, Credentials) {
        let person = format!("spiffe://wb6.example/AL/staff/{name}/auditor");
        let issued = self.authority.issue(&Identity::parse(&person).unwrap()).unwrap();
        let ca = fs::read_to_string(self.running.dir.join("federation/ca.crt")).unwrap();
        let credentials = holder(&self.running.dir, name, &issued, &ca);
        (issued, credentials)
    }

    fn connect(&self, as_whom: &Credentials) -> Result<Channel, String> {
        let identity = peers::identity(&self.running, "al-police").unwrap();
        let address = &self.running.nodes["al-police"].desk;
        let connecting = connect(address, as_whom, Expected { identity, spki: None });
        self.runtime.block_on(connecting).map_err(|error| error.to_string())
    }

    /// A call over a connection.
    fn call(&self, channel: &Channel) -> Result<(), String> {
        let call = async { DeskClient::new(channel.clone()).get_status(GetStatusRequest {}).await };
        self.runtime.block_on(call).map(drop).map_err(|status| status.to_string())
    }

    /// Waits until somebody is not served any more, over an open connection and over a new one.
    fn until_refused(&self, open: &Channel, as_whom: &Credentials) {
        let begun = std::time::Instant::now();
        let is_served = || {
            let anew = self.connect(as_whom).and_then(|channel| self.call(&channel));
            anew.is_ok() || self.call(open).is_ok()
        };
        while is_served() {
            assert!(begun.elapsed() < Duration::from_secs(60), "is still served");
        }
    }

    fn list(&self, pem: &str) {
        put(&self.running.dir.join("al-police/keys/staff.crl"), pem.as_bytes()).unwrap();
        tell_everybody(&self.running).unwrap();
    }
}

#[test]
fn whoever_is_revoked_loses_open_connections_and_new_ones_within_a_minute_and_nobody_else_does() {
    let staff = Staff::begin();
    let ((one, one_holds), (_, other_holds)) = (staff.person("one"), staff.person("other"));
    let (open, others) = (staff.connect(&one_holds).unwrap(), staff.connect(&other_holds).unwrap());
    staff.call(&open).unwrap();
    staff.list(&staff.authority.revoke(&[&one.certificate_pem], 7).unwrap());
    staff.until_refused(&open, &one_holds);
    staff.call(&others).unwrap();
    staff.call(&staff.connect(&other_holds).unwrap()).unwrap();
}

#[test]
fn a_revocation_list_that_is_overdue_is_warned_of_for_a_day_and_then_admits_nobody_until_the_next_one()
 {
    let staff = Staff::begin();
    let log = staff.running.dir.join("al-police/log");
    let (_, holds) = staff.person("one");
    let open = staff.connect(&holds).unwrap();
    // Due at midnight: less than a day ago.
    staff.list(&staff.authority.revoke(&[], 0).unwrap());
    until_said(&log, "was to be replaced", 1).unwrap();
    staff.call(&open).unwrap();
    staff.call(&staff.connect(&holds).unwrap()).unwrap();
    // What is no list leaves everything as it is.
    staff.list("no list");
    until_said(&log, "what was there goes on counting", 1).unwrap();
    staff.call(&open).unwrap();

    staff.list(&staff.authority.revoke(&[], -2).unwrap());
    staff.until_refused(&open, &holds);
    staff.list(&staff.authority.revoke(&[], 7).unwrap());
    until_said(&log, "renewed what=\"staff certificates\"", 3).unwrap();
    staff.call(&staff.connect(&holds).unwrap()).unwrap();
}

#[test]
fn a_coordinator_whose_certificate_is_revoked_is_answered_no_more() {
    let running = with_sample(&["AL"]);
    let home = running.dir.join("al-police");
    let ca = Authority::load(&running.dir.join("federation"), &SystemClock).unwrap();
    let certificate = fs::read_to_string(running.dir.join("coordinator/keys/tls.crt")).unwrap();
    let config = home.join("node.toml");
    let text = fs::read_to_string(&config).unwrap();
    let with_list = "ca = \"keys/ca.crt\"\ncrl = \"keys/ca.crl\"";
    fs::write(&config, text.replace("ca = \"keys/ca.crt\"", with_list)).unwrap();
    fs::write(home.join("keys/ca.crl"), ca.revoke(&[], 7).unwrap()).unwrap();
    let mut running = running;
    running.node_server("al-police").unwrap().kill();
    running.federation.start_node("al-police").unwrap();
    let requirement = running.issue(&[QUESTION]).unwrap();
    assert_eq!(running.gather(&requirement).unwrap()["picture"]["coverage"]["answered"], 1);

    put(&home.join("keys/ca.crl"), ca.revoke(&[&certificate], 7).unwrap().as_bytes()).unwrap();
    tell_everybody(&running).unwrap();
    until_said(&home.join("log"), "renewed what=\"certificates\"", 1).unwrap();
    let answered =
        || running.gather(&requirement).unwrap()["picture"]["coverage"]["answered"].clone();
    assert_eq!(answered(), 0);

    // An older list, or a stranger's, takes nothing back and locks nobody out.
    let earlier = FixedClock(SystemClock.now().plus_s(-2 * 86_400));
    let earlier = Authority::load(&running.dir.join("federation"), &earlier).unwrap();
    let stranger = Authority::new("a stranger", &SystemClock).unwrap();
    for (list, why) in [
        (earlier.revoke(&[], 7).unwrap(), "is older than the list that counts"),
        (stranger.revoke(&[], 7).unwrap(), "no authority here has signed"),
    ] {
        put(&home.join("keys/ca.crl"), list.as_bytes()).unwrap();
        tell_everybody(&running).unwrap();
        until_said(&home.join("log"), why, 1).unwrap();
        assert_eq!(answered(), 0, "{why}");
    }
    put(&home.join("keys/ca.crl"), ca.revoke(&[], 7).unwrap().as_bytes()).unwrap();
    tell_everybody(&running).unwrap();
    until_said(&home.join("log"), "renewed what=\"certificates\"", 2).unwrap();
    assert_eq!(answered(), 1);
}

#[test]
fn a_member_that_a_new_roster_adds_is_asked_without_a_restart_and_an_older_roster_never_counts_again()
 {
    let mut running = prepared(&["AL", "BA"]);
    let all = rotation::roster(&running).unwrap();
    let mut one = all.clone();
    one.members.retain(|member| member.node == "al-police");
    // Everybody begins without the second member.
    let root = fs::read_to_string(running.dir.join("federation/root.key")).unwrap();
    let root = accord_proto::seal::SecretKey::from_pem("root", &root).unwrap();
    let signed = |roster| rotation::signed(roster, &root).unwrap();
    for who in ["al-police", "coordinator"] {
        fs::write(running.dir.join(who).join("roster.signed"), signed(&one)).unwrap();
    }
    running.federation.start().unwrap();
    running.with_sample().unwrap();
    let members = |running: &Running| {
        let listed =
            running.region("auditor", "json", &["member", "list"]).unwrap().json(&[0]).unwrap();
        listed.to_string().matches("\"node\":").count()
    };
    assert_eq!(members(&running), 1);

    next_roster(&running, all).unwrap();
    until_said(&running.dir.join("coordinator/log"), "renewed what=\"roster\"", 1).unwrap();
    assert_eq!(members(&running), 2);
    let requirement = running.issue(&[QUESTION]).unwrap();
    assert_eq!(running.gather(&requirement).unwrap()["picture"]["coverage"]["answered"], 2);

    put(&running.dir.join("coordinator/roster.signed"), &signed(&one)).unwrap();
    tell_everybody(&running).unwrap();
    until_said(&running.dir.join("coordinator/log"), "ROSTER_ROLLBACK", 1).unwrap();
    assert_eq!(members(&running), 2);
}

#[test]
fn what_ends_soon_is_warned_of_once_at_its_stage_and_shown_to_people() {
    let mut running = prepared(&["AL"]);
    let ca = Authority::load(&running.dir.join("federation"), &SystemClock).unwrap();
    let home = running.dir.join("al-police");
    let identity = peers::identity(&running, "al-police").unwrap();
    let issued = ca.issue_uris(&[identity.to_string()], 10).unwrap();
    put(&home.join("keys/tls.crt"), issued.certificate_pem.as_bytes()).unwrap();
    put(&home.join("keys/tls.key"), issued.key_pem.as_bytes()).unwrap();
    fs::write(home.join("keys/ca.crl"), ca.revoke(&[], 20).unwrap()).unwrap();
    let config = home.join("node.toml");
    let text = fs::read_to_string(&config).unwrap();
    let with_list = "ca = \"keys/ca.crt\"\ncrl = \"keys/ca.crl\"";
    fs::write(&config, text.replace("ca = \"keys/ca.crt\"", with_list)).unwrap();
    let mut roster = rotation::roster(&running).unwrap();
    roster.expires_at_s = SystemClock.now().plus_s(2 * 86_400).as_s();
    for member in &mut roster.members {
        member.tls_spki_sha256 = vec![issued.spki.0.to_vec()];
    }
    hand_out(&running, &roster).unwrap();
    running.federation.start().unwrap();

    let (log, centre) = (home.join("log"), running.dir.join("coordinator/log"));
    let warned = |what: &str| format!("comes to its end; replace it in time what=\"{what}");
    let all = ["certificate\"", "revocation list", "roster\""].map(warned);
    let noticed = ["certificate\"", "revocation list", "roster\""]
        .map(|what| format!("notice kind=\"ending\" subject=\"{what}"));
    for said in all.iter().chain(&noticed) {
        until_said(&log, said, 1).unwrap();
    }
    // When a roster is taken in for the second time, the first look after another one is over.
    for times in [1, 2] {
        next_roster(&running, rotation::roster(&running).unwrap()).unwrap();
        for log in [&log, &centre] {
            until_said(log, "renewed what=\"roster\"", times).unwrap();
        }
    }
    let said = fs::read_to_string(&log).unwrap();
    for what in all.iter().chain(&noticed) {
        assert_eq!(said.matches(what.as_str()).count(), 1, "{what}:\n{said}");
    }
    let said = fs::read_to_string(&centre).unwrap();
    assert_eq!(said.matches("comes to its end").count(), 1, "the roster alone:\n{said}");

    let status = running.desk("al-police", "operator", &["status"]).unwrap().json(&[0]).unwrap();
    let ends: Vec<_> = status["endings"].as_array().unwrap().iter().collect();
    let first = SystemClock.now().plus_s(2 * 86_400).to_string();
    assert_eq!(ends[0]["what"], "roster");
    assert_eq!(ends[0]["ends"].as_str().unwrap()[..10], first[..10], "{status}");
    assert_eq!(ends[1]["what"], "certificate");
    assert_eq!(ends[2]["what"], "revocation list \"ca.crl\"");
    assert!(ends[3..].iter().all(|end| end["what"].as_str().unwrap().starts_with("authority")));
    assert_eq!(ends.len(), 5, "the federation's and the staff's: {status}");
    let list = ["member", "list", "--describe"];
    let listed = running.region("auditor", "json", &list).unwrap().stderr;
    assert!(listed.contains("the coordinator's roster comes to its end"), "{listed}");
    assert!(!listed.contains("certificate"), "{listed}");
}
