//! Every bound of the exchange, named and justified, in one place.
//!
//! Past a bound comes a refusal with [`crate::reason::Reason::LimitExceeded`] that names it, never a crash.
//! Names end in their unit.

use std::time::Duration;

mod product;

pub use product::*;

/// Federations of up to this many nodes are what the design is tested for.
pub const MEMBERS_MAX: usize = 200;
/// Authorities in a roster.
pub const AUTHORITIES_MAX: usize = 200;
/// Keys or certificates of one member: the current one, the next one, and two in reserve.
pub const KEYS_PER_PARTY_MAX: usize = 4;
/// Signatures on one document; k of n members may sign a roster.
pub const SIGNATURES_MAX: usize = MEMBERS_MAX;

/// A code of any list; they are kept inline.
pub const CODE_BYTES_MAX: usize = 24;
/// Files of code lists that a federation brings of its own.
pub const OWN_LISTS_MAX: usize = 32;
/// One file of a code list.
pub const LIST_BYTES_MAX: usize = 1024 * 1024;
/// A node, authority or staff name in a certificate.
pub const NAME_BYTES_MAX: usize = 63;
/// Free text in a requirement (why, legal basis).
pub const TEXT_BYTES_MAX: usize = 2_000;

/// Blocks of one question.
pub const BLOCKS_MAX: usize = 64;
/// Codes on one axis of a block.
pub const AXIS_MAX: usize = 1_024;
/// Cells of one answer: with nine bytes a cell it stays far inside [`ANSWER_BYTES_MAX`].
pub const CELLS_MAX: usize = 10_000;
/// Length of a requirement's collection window.
pub const WINDOW_DAYS_MAX: i64 = 366;
/// Longest pause between two rounds of asking members whether their answers still stand.
pub const STANDING_EVERY_MAX: Duration = Duration::from_secs(86_400);
/// Answers that one call asks the standing of.
pub const STANDING_MAX: usize = 32;
/// Pictures of one requirement that a statement of holdings names: the newest.
pub const HELD_PICTURES_MAX: usize = 64;
/// Answers that a departing node's certificate names.
pub const GIVEN_MAX: usize = 10_000;
/// Days after its window that the answers to a requirement may be relied on.
pub const VALIDITY_DAYS_MAX: i64 = 3 * 366;
/// A seal is valid this long and is then made anew over the same table.
pub const SEAL_VALID_S: i64 = 90 * 86_400;
/// A coordinator that is to be answered has proved within this time that its journal continues: it does so before every
/// question.
pub const JOURNAL_SHOWN_S: i64 = 600;
/// So many days before a certificate, a revocation list or the roster ends it is warned of.
pub const EXPIRY_DAYS: [i64; 3] = [30, 14, 3];
/// Validity of a certificate authority that `pki authority` makes.
pub const AUTHORITY_DAYS_MAX: i64 = 3_660;
/// Validity of a certificate that `pki sign` makes: a key is renewed within a year and a month.
pub const CERTIFICATE_DAYS_MAX: i64 = 398;
/// Until the next revocation list of `pki revoke` is due.
pub const CRL_DAYS_MAX: i64 = 366;
/// Validity of a roster that `roster sign` signs: whoever has left is forgotten after that, also where no new one arrives.
pub const ROSTER_DAYS_MAX: i64 = 366;
/// A roster as its root writes it: every member with all of its keys in hexadecimal, and comments.
pub const ROSTER_TEXT_BYTES_MAX: usize = 1024 * 1024;
/// Mistakes in one text that are named at once: more are not read, and each is looked up in the text.
pub const MISTAKES_MAX: usize = 64;
/// Clocks of two parties may differ by this much.
pub const CLOCK_SKEW_S: i64 = 120;

/// A request to any listener (reliability.md §3.3).
pub const REQUEST_BYTES_MAX: usize = 64 * 1024;
/// A node's answer: 200 of them are 50 MiB in the coordinator's memory at worst.
pub const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// A reply of the desk or region service to its own staff.
pub const REPLY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// A file of evidence: that many answers, a picture and a roster.
pub const EVIDENCE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// One message of a picture that is delivered, without its frame.
pub const DELIVERY_PIECE_BYTES_MAX: usize = 32 * 1024;
/// Between two messages of a delivery; the whole has [`CALL_TIMEOUT`].
pub const DELIVERY_SILENCE_MAX: Duration = Duration::from_secs(10);
/// Deliveries that a node takes in at the same time: each is held whole in memory while it is verified.
pub const DELIVERIES_MAX: usize = 2;
/// Pictures that a node keeps, every version counted; past it, older versions of the same requirement make room.
pub const PICTURES_MAX: usize = 1_000;
/// Their files together; past it, older versions of the same requirement make room.
pub const PICTURES_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// One value of a picture's file in a node's store.
pub const PICTURE_BLOCK_BYTES: usize = 64 * 1024;
/// Files of evidence that a node gives to its staff at the same time: each is held whole in memory.
pub const EVIDENCE_READS_MAX: usize = 2;
/// Messages of such a file that wait for a slow reader.
pub const EVIDENCE_PIECES_WAITING_MAX: usize = 16;
/// Entries of one page of a list.
pub const PAGE_SIZE_MAX: u32 = 100;

/// Cells of all tables of a bulletin and of the ones before it that speak of the same population.
pub const BULLETIN_CELLS_MAX: usize = 10_000;
/// Terms of all their equations: a cell stands in a few.
pub const BULLETIN_TERMS_MAX: usize = 100_000;
/// Rounds of hiding more and auditing again; then nothing is published.
pub const BULLETIN_ROUNDS_MAX: usize = 20;
/// Cells of all linear programs of the audit that decides. Work is counted, not timed: the same bulletin comes out the
/// same everywhere.
pub const BULLETIN_SOLVED_MAX: usize = 1_000_000;
/// Cells of all linear programs of one round of choosing; past it, more is hidden than might be needed.
pub const BULLETIN_CHOOSING_SOLVED_MAX: usize = 5_000;
/// Iterations of one linear program; past it, what it was for counts as exposed.
pub const BULLETIN_ITERATIONS_MAX: u32 = 100;
/// Hidden cells of which a look at a bulletin works out what readers can tell: two linear programs each.
pub const BULLETIN_INTERVALS_MAX: usize = 200;
/// Steps of one search for a circuit; then a linear program is asked.
pub const BULLETIN_CIRCUIT_STEPS_MAX: usize = 400;

/// Hashes of one proof about a journal: one for each level of the tree, and one more.
pub const PROOF_HASHES_MAX: usize = 65;
/// A checkpoint as a signed note.
pub const NOTE_BYTES_MAX: usize = 4 * 1024;
/// Signatures on a note: its journal's own, and witnesses'.
pub const NOTE_SIGNATURES_MAX: usize = 16;

/// Entries of one message of a journal that is read.
pub const JOURNAL_ENTRIES_AT_ONCE: usize = 64;
/// Messages of a journal that wait for a slow reader.
pub const JOURNAL_WAITING_MAX: usize = 4;
/// Journals that are being read at the same time.
pub const JOURNAL_READS_MAX: usize = 4;
/// One line of an exported journal: an entry with its words, twice, and its proof.
pub const JOURNAL_LINE_BYTES_MAX: usize = 256 * 1024;

/// An import file as it travels, compressed or not.
pub const IMPORT_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Rows of an import file: at 40 bytes a record they stay within the memory of a small machine.
pub const IMPORT_ROWS_MAX: u64 = 5_000_000;
/// Columns of an import file.
pub const IMPORT_COLUMNS_MAX: usize = 64;
/// Name of a file or of a column: it stands in every refusal of a row.
pub const IMPORT_NAME_BYTES_MAX: usize = 256;
/// A date format of a mapping: it stands in every refusal of a date.
pub const DATE_FORMAT_BYTES_MAX: usize = 64;
/// One field of an import file.
pub const IMPORT_FIELD_BYTES_MAX: usize = 4 * 1024;
/// One row of an import file, as it stands in the file: past it somebody forgot to close a quotation mark.
pub const IMPORT_ROW_BYTES_MAX: usize = 1024 * 1024;
/// An import file, unpacked. It streams, so this bounds time and not memory.
pub const IMPORT_DECODED_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// A workbook: it is a ZIP, whose list of contents stands at its end, so it is read whole.
pub const IMPORT_WORKBOOK_BYTES_MAX: usize = 64 * 1024 * 1024;
/// All parts of a workbook, unpacked.
pub const IMPORT_WORKBOOK_DECODED_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// Each part of a workbook that is no sheet and no list of texts, unpacked.
pub const IMPORT_WORKBOOK_PART_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Texts of all cells of the sheet that is imported.
pub const IMPORT_WORKBOOK_TEXT_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Rows of an import that is handed back as a workbook; as CSV it has no bound.
pub const ANNOTATED_WORKBOOK_ROWS_MAX: usize = 100_000;
/// A mapping file.
pub const MAPPING_BYTES_MAX: usize = 48 * 1024;
/// Mappings that a node keeps by name.
pub const MAPPINGS_MAX: usize = 1_000;
/// One message of an import stream.
pub const IMPORT_CHUNK_BYTES: usize = 32 * 1024;
/// Messages of an import stream that wait to be parsed.
pub const IMPORT_CHUNKS_WAITING_MAX: usize = 16;
/// Between two messages of an import stream; then its place is given to somebody else.
pub const IMPORT_SILENCE_MAX: Duration = Duration::from_secs(30);
/// Imports under way at the same time: each holds its records in memory.
pub const IMPORTS_MAX: usize = 2;
/// Reporting services × handling codes in one file or store.
pub const CONTEXTS_MAX: usize = 4_096;
/// Different dates of a file that are remembered with their periods.
pub const DATES_REMEMBERED_MAX: usize = 10_000;
/// Quarantined rows of an import that are kept; all are counted.
pub const QUARANTINE_KEPT_MAX: usize = 100_000;
/// Quarantined rows of an import that are kept, in bytes; all are counted.
pub const QUARANTINE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// What a quarantined row is refused for, in words; past it they are cut.
pub const QUARANTINE_DETAIL_BYTES_MAX: usize = 1024;
/// Quarantined rows that are named in a reply; fewer if they would not fit [`REPLY_BYTES_MAX`].
pub const QUARANTINE_REPORTED_MAX: usize = 10_000;
/// Observations that a node holds; places of records are 32 bits wide.
pub const OBSERVATIONS_MAX: usize = 100_000_000;
/// Own totals that are being read at the same time: each holds the cells of one period.
pub const TOTALS_MAX: usize = 4;
/// Cells of a stream that wait for a slow reader.
pub const TOTALS_WAITING_MAX: usize = 1_024;
/// A reader of a stream of totals or of a backup takes nothing; then the stream is given up.
pub const STREAM_SILENCE_MAX: Duration = Duration::from_secs(60);
/// Periods whose own totals one call may list.
pub const TOTALS_PERIODS_MAX: usize = 1_000;
/// Reporting periods that one call may freeze.
pub const FREEZE_PERIODS_MAX: usize = 64;
/// Grants that a node keeps.
pub const GRANTS_MAX: usize = 10_000;
/// Versions of one grant, all of which are kept; past it a grant can only be withdrawn.
pub const GRANT_VERSIONS_MAX: usize = 100;
/// Authorities that one grant names.
pub const GRANT_AUTHORITIES_MAX: usize = 64;
/// Days before the end of a grant from which on it may be said that it ends.
pub const GRANT_WARN_DAYS_MAX: u32 = 366;

/// Requirements that a node keeps in its inbox; past it, those whose window is over make room.
pub const INBOX_MAX: usize = 10_000;
/// Steps that people take with one requirement: a decision may be changed, but not for ever.
pub const INBOX_EVENTS_MAX: usize = 64;
/// Earlier releases that a preview compares with, newest first.
pub const RELEASES_COMPARED_MAX: usize = 100;
/// Notices that wait to be delivered; past it they stand in the log only.
pub const NOTICES_WAITING_MAX: usize = 64;
/// Notices that are being delivered at the same time, each to a program and a mailbox.
pub const NOTICES_AT_ONCE_MAX: usize = 4;
/// How often it is looked for what comes near its end.
pub const NOTICES_EVERY: Duration = Duration::from_secs(60);
/// Longest maintenance that may be announced: whoever is away for longer is away, and others should hear of it.
pub const MAINTENANCE_S_MAX: i64 = 7 * 86_400;
/// Why there is maintenance, in characters: it lies among the counters, which every change writes.
pub const MAINTENANCE_WHY_CHARS_MAX: usize = 200;
/// Break-glass: for so long one person may do the work of two.
pub const BREAK_GLASS_S: i64 = 4 * 3_600;

/// A summary as its analyst wrote it; it travels in one request.
pub const SUMMARY_BYTES_MAX: usize = 32 * 1024;
/// Title of a summary, in characters (domain.md §7.3).
pub const SUMMARY_TITLE_CHARS_MAX: usize = 200;
/// Any other text of a summary, in characters: a Cyrillic one is not the shorter for its script.
pub const SUMMARY_TEXT_CHARS_MAX: usize = 2_000;
/// Entries of one list of a summary: judgements, gaps, scores, codes.
pub const SUMMARY_LIST_MAX: usize = 64;
/// Observations that one summary refers to.
pub const SUMMARY_OBSERVATIONS_MAX: usize = 256;
/// Versions of one summary; all are kept.
pub const SUMMARY_VERSIONS_MAX: u32 = 100;
/// All versions of all summaries of a node together: they are kept ready in memory for search.
pub const SUMMARIES_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Words of one search.
pub const SEARCH_WORDS_MAX: usize = 16;
/// Fields that a comparison of two versions names.
pub const DIFF_ENTRIES_MAX: usize = 1_000;

/// A file of a scoring method or of rules of a ranking.
pub const METHOD_BYTES_MAX: usize = 64 * 1024;
/// Rankings that a coordinator keeps: each stays for good, with all dissent from it. Ten every working day for 40 years.
pub const RANKINGS_MAX: usize = 100_000;
/// Inputs of a scoring method: the largest published one has 32.
pub const METHOD_INPUTS_MAX: usize = 64;
/// Values of one scale that are listed one by one; longer ones go in steps.
pub const METHOD_VALUES_MAX: usize = 32;
/// Bands of a score, and steps of a matrix of verdicts: more than people tell apart.
pub const METHOD_BANDS_MAX: usize = 16;
/// A number of a scoring method, either way: products of several stay within 128 bits.
pub const SCORE_UNITS_MAX: i64 = 1_000_000_000;

/// A plan of a policy cycle, as a file or in bytes.
pub const PLAN_BYTES_MAX: usize = 1024 * 1024;
/// Priorities of one plan: EMPACT has had ten at most.
pub const PLAN_PRIORITIES_MAX: usize = 32;
/// Codes that one priority or goal names, of one kind.
pub const PLAN_CODES_MAX: usize = 64;
/// Goals of one plan.
pub const PLAN_GOALS_MAX: usize = 64;
/// Operational action plans of one plan: EMPACT has had fifteen at most.
pub const OPERATIONAL_PLANS_MAX: usize = 64;
/// Operational actions of one plan, of all its operational plans together.
pub const PLAN_ACTIONS_MAX: usize = 512;
/// Parties in one list of an action: more than there are jurisdictions and agencies.
pub const ACTION_PARTIES_MAX: usize = 64;
/// Indicators of one action.
pub const ACTION_INDICATORS_MAX: usize = 8;
/// Requirements that one indicator of an action names.
pub const ACTION_REQUIREMENTS_MAX: usize = 32;
/// Length of a policy cycle, in months: EMPACT's is four years.
pub const CYCLE_MONTHS_MAX: u32 = 120;
/// Days after a period until the reports of it are due.
pub const REPORT_WITHIN_DAYS_MAX: u32 = 366;
/// A report of an action, in bytes.
pub const REPORT_BYTES_MAX: usize = 32 * 1024;
/// Results of one report: every counter, and every drug.
pub const REPORT_RESULTS_MAX: usize = 32;
/// One result: more euros than were ever seized.
pub const REPORT_RESULT_MAX: u64 = 1_000_000_000_000;
/// Reports that a plan is measured with: every action, every quarter of a cycle, by several parties.
pub const PLAN_REPORTS_MAX: usize = 20_000;
/// Pictures that a plan is measured with.
pub const PLAN_PICTURES_MAX: usize = 256;

/// Connections of one listener.
pub const CONNECTIONS_MAX: usize = 256;
/// Connections of one identity.
pub const CONNECTIONS_PER_IDENTITY_MAX: usize = 8;
/// Handshakes under way on one listener.
pub const HANDSHAKES_MAX: usize = 256;
/// Handshakes under way from one address. A client is done before a busy server is: somebody who opens all connections that one
/// identity may have, and a neighbour who does the same, are no attack.
pub const HANDSHAKES_PER_ADDRESS_MAX: usize = 16;
/// Handshakes a second from one address; an office may be one.
pub const HANDSHAKES_PER_ADDRESS_SECOND: u32 = 50;
/// So many of them may come at once after a rest: all members of a large federation that are tried on one machine.
pub const HANDSHAKES_PER_ADDRESS_AT_ONCE: u32 = 256;
/// A TLS handshake; and after it, the preface of HTTP/2.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// After a handshake that was refused for its certificate: the peer hears why, and ends the connection.
pub const PARTING_MAX: Duration = Duration::from_secs(1);
/// What is taken of it meanwhile.
pub const PARTING_BYTES_MAX: u64 = 64 * 1024;
/// HTTP/2 streams of one connection.
pub const STREAMS_PER_CONNECTION_MAX: u32 = 100;
/// Calls under way on one listener; more are shed at once.
pub const CALLS_MAX: usize = 128;
/// Of these, places that only operators get once all others are taken.
pub const CALLS_KEPT_FOR_OPERATORS: usize = 8;
/// Of these, calls of one identity, over all of its connections; each counts until its reply has been taken.
pub const CALLS_PER_IDENTITY_MAX: usize = 32;
/// A reply of more bytes is a large one.
pub const LARGE_REPLY_BYTES: usize = ANSWER_BYTES_MAX;
/// Large replies that wait for one identity to take them: of [`REPLY_BYTES_MAX`] each they stay well below 64 MiB, with all others.
pub const LARGE_REPLIES_PER_IDENTITY_MAX: usize = 4;
/// Calls a second of one identity that is no coordinator; more are refused at once, and say when to try again.
pub const CALLS_PER_IDENTITY_SECOND: u32 = 100;
/// So many of them may come at once after a rest.
pub const CALLS_PER_IDENTITY_AT_ONCE: u32 = 200;
/// A refusal waits this long for the end of its request, which mostly is there already.
pub const REFUSED_REQUEST_WAIT: Duration = Duration::from_millis(20);
/// Large replies that wait for anybody to take them; then no further one is given.
pub const LARGE_REPLIES_MAX: usize = 32;
/// Questions after health of one identity at the same time; those that go on for ever among them.
pub const HEALTH_CALLS_PER_IDENTITY_MAX: usize = 8;
/// Such questions a second of one identity.
pub const HEALTH_CALLS_PER_IDENTITY_SECOND: u32 = 50;
/// So many of them may come at once after a rest.
pub const HEALTH_CALLS_PER_IDENTITY_AT_ONCE: u32 = 100;
/// One call, on the server.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// One call that streams a file or a whole gather, on the server and at the caller.
pub const LONG_CALL_TIMEOUT: Duration = Duration::from_secs(600);
/// Header list of one request.
pub const HEADER_LIST_BYTES_MAX: u32 = 16 * 1024;
/// HTTP/2 flow-control windows, a stream and a connection.
pub const STREAM_WINDOW_BYTES: u32 = 64 * 1024;
/// See [`STREAM_WINDOW_BYTES`].
pub const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;
/// Streams that a peer has reset and nobody has accepted yet (rapid reset).
pub const PENDING_RESETS_MAX: usize = 20;
/// Streams of one connection that we had to reset for the peer's mistakes; then it is closed. A client that has not heard yet how
/// many may be open makes some of them honestly.
pub const OWN_RESETS_MAX: usize = 1_024;
/// Pings on an idle connection.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
/// No reply to a ping.
pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// Between two lines of the log about strangers who are turned away: they must not fill a disk.
pub const REFUSALS_LOGGED_EVERY: Duration = Duration::from_secs(1);
/// A connection lives this long; then certificates are checked again.
pub const CONNECTION_AGE_MAX: Duration = Duration::from_secs(3_600);
/// What is under way when a connection or a server ends.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// Connecting to a peer, with the TLS handshake.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// After a node that dials out could not connect: at first.
pub const DIAL_PAUSE_MIN: Duration = Duration::from_secs(1);
/// After a node that dials out could not connect: at most.
pub const DIAL_PAUSE_MAX: Duration = Duration::from_secs(60);
/// A dialled connection that lived this long was a good one: the pauses begin anew.
pub const DIAL_LASTING: Duration = Duration::from_secs(30);
/// So long before a dialled connection is too old the next one is made; calls end on the old one meanwhile.
pub const DIAL_OVERLAP: Duration = Duration::from_secs(300);
/// Head of an HTTP proxy's reply.
pub const PROXY_REPLY_BYTES_MAX: usize = 8 * 1024;
/// Default of one call to a node; `coordinator.toml` may set another.
pub const NODE_CALL_DEADLINE: Duration = Duration::from_secs(10);
/// Nodes that pictures go to, or that are asked what stands, at the same time; a gather asks all at once.
pub const GATHER_CONCURRENCY_MAX: usize = 32;

/// Gathers under way at the same time, each of another requirement.
pub const GATHERS_MAX: usize = 8;
/// Cells times coalitions that the gate audits together; past it nothing new of them is shown.
pub const GATE_KNOWN_MAX: usize = 1_000_000;
/// Regional cells whose contributors a coordinator remembers for ever, one that was pooled each.
pub const POOLED_CELLS_MAX: u64 = 1_000_000;
/// Changes of them that are kept, so that every verdict can be found again.
pub const POOLED_CHANGES_MAX: u64 = 4_000_000;
/// Collections that go on at the same time.
pub const COLLECTIONS_MAX: usize = 1_000;
/// Rest after a start before collections go on: members may be starting too.
pub const COLLECT_START: Duration = Duration::from_secs(5);
/// Rounds of collections at the same time; the rest of [`GATHERS_MAX`] is for people.
pub const COLLECTED_AT_ONCE: usize = 6;
/// Shortest deadline that somebody may gather with.
pub const CALL_DEADLINE_MIN: Duration = Duration::from_millis(100);
/// Longest pause before a member that is away, has declined or is not believed is asked again.
pub const COLLECT_PAUSE_MAX: Duration = Duration::from_secs(600);
/// Pause before a member whose people are deciding is asked again.
pub const COLLECT_PENDING_PAUSE: Duration = Duration::from_secs(300);
/// So long before a window closes everybody is asked for the last time; of a short window, in its last quarter.
pub const COLLECT_LAST: Duration = Duration::from_secs(300);
/// States of a collection that wait for a slow reader.
pub const COLLECTION_STATES_WAITING_MAX: usize = 16;
/// Rounds of one trend.
pub const ROUNDS_MAX: usize = 64;
/// One text in a chart, in characters: a title, a name, a note. Three lines of a page.
pub const CHART_TEXT_CHARS_MAX: usize = 400;
/// Rows of a chart: every member of a large federation.
pub const CHART_ROWS_MAX: usize = MEMBERS_MAX;
/// Columns of a chart side by side: with more, their headings cannot be read on a page. Jurisdictions then stand down, and
/// further columns in blocks below.
pub const CHART_COLUMNS_MAX: usize = 12;
/// Lines of cells of a chart, over all of its blocks: every member of a large federation once, and a PNG of two dots a pixel.
pub const CHART_LINES_MAX: usize = MEMBERS_MAX;
/// Panels of a trend: small multiples that still fit a page.
pub const CHART_PANELS_MAX: usize = 12;
/// Points of a trend: with more, the sign of a gap has no room.
pub const CHART_POINTS_MAX: usize = 40;
/// Threats in a risk matrix: with more, their marks cover each other.
pub const CHART_THREATS_MAX: usize = 20;
/// Handling marks of a chart.
pub const CHART_HANDLING_MAX: usize = 4;
/// Notes of a chart.
pub const CHART_NOTES_MAX: usize = 16;
/// Dots of a PNG: four bytes each in memory while it is drawn.
pub const CHART_DOTS_MAX: u64 = 32 * 1024 * 1024;
/// Elements within each other in a chart that a peer drew: ours have four.
pub const CHART_DEPTH_MAX: usize = 8;
/// A file of what the gate remembered.
pub const GATE_MEMORY_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Default of the free space below which a store takes no more writes: a full disk poisons it.
pub const STORE_FREE_BYTES_MIN: u64 = 64 * 1024 * 1024;

/// Between two looks of whoever watches.
pub const WATCH_EVERY: Duration = Duration::from_secs(5);
/// Connections to the port for operators.
pub const OPS_CONNECTIONS_MAX: usize = 16;
/// The head of a question there: whoever says nothing gives the place back.
pub const OPS_HEAD_TIMEOUT: Duration = Duration::from_secs(1);
/// What was seen there counts so long: many who ask make no more work than one.
pub const OPS_LOOK_EVERY: Duration = Duration::from_secs(1);
/// A write that takes longer to become durable makes a service unready.
pub const SETTLES_WITHIN: Duration = Duration::from_secs(2);
/// Members that a doctor looks at at once.
pub const EXAMINED_AT_ONCE: usize = 16;
/// One question there, and its answer.
pub const OPS_REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// What is read of an answer there.
pub const OPS_REPLY_BYTES_MAX: usize = 1024 * 1024;
/// Whoever was heard within so long is up.
pub const PEER_UP: Duration = Duration::from_secs(900);

/// Pause between two looks whether certificates, revocation lists, roster or keys have been replaced; SIGHUP looks at once.
pub const RENEW_EVERY: Duration = Duration::from_secs(2);
/// So long after the next one was due a revocation list still counts; then nobody is admitted.
pub const CRL_GRACE: Duration = Duration::from_secs(86_400);
/// One file that may be replaced while a service runs: a roster, a certificate, revocation lists.
pub const RENEWED_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// How long a start waits for a store whose last owner is still letting go of its files.
pub const STORE_FREE_WAIT: Duration = Duration::from_secs(2);
/// Pause between two tries.
pub const STORE_FREE_PAUSE: Duration = Duration::from_millis(20);

/// One message of a backup stream.
pub const BACKUP_CHUNK_BYTES: usize = 64 * 1024;
/// Messages of a backup stream that wait for a slow reader.
pub const BACKUP_CHUNKS_WAITING_MAX: usize = 16;
/// One value of a backup: an answer and a block of records or cells are the largest.
pub const BACKUP_RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// What a running backup remembers of what others change meanwhile; past it the backup fails, not they.
pub const BACKUP_HELD_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Who may read one encrypted backup.
pub const BACKUP_RECIPIENTS_MAX: usize = 64;
/// Keys in the file of a store: the one that is written with, and those before it until the store is written anew.
pub const STORE_KEYS_MAX: usize = 8;
/// Backups of one service at the same time: each makes the store remember what is changed meanwhile.
pub const BACKUPS_MAX: usize = 1;
/// Imports and versions of summaries that one call erases; the next call goes on.
pub const ERASED_AT_ONCE_MAX: usize = 100;

/// Cells of one protected or bulletin indicator and period.
pub const LATTICE_CELLS_MAX: usize = 100_000;
/// Finest cells of an edition that one protected unit may count in: what it loses grows with them.
pub const LEAVES_PER_UNIT_MAX: u32 = 4;
/// Variance of the noise that a policy may set: beyond it nothing would be left of a figure.
pub const TIER_VARIANCE_MAX: u64 = 10_000;
/// Threshold that a policy may set.
pub const TIER_THRESHOLD_MAX: i64 = 100_000;
/// Base of rounding that a policy may set.
pub const TIER_ROUNDING_MAX: i64 = 10_000;
/// Charges of a node's privacy ledger; past it nothing protected is shown for the first time.
pub const LEDGER_CHARGES_MAX: u64 = 1_000_000;
