//! Every message that travels. Unknown fields are refused, and what is understood is written and read again as the same; a message
//! that may be signed has one encoding.

use accord_proto::{
    answer::Answer,
    delivery::Head,
    journal::Filter,
    strict,
    wire::{
        self, answer_response::Outcome, cycle, desk, journal, maintenance, product, proof, region,
    },
};
use anyhow::Result;
use prost::{Message, Name};

use super::{accepted, refused, target};
use crate::{
    crash::Dice,
    fuzz::{Form, Judged, Target, Verdict, scene::REQUIREMENT, schema::Schema},
};

type Judge = fn(&[u8]) -> Verdict;

macro_rules! messages {
    ($($module:ident { $($name:ident)* })*) => {
        vec![$($((<$module::$name as Name>::full_name(), judge::<$module::$name> as Judge)),*),*]
    };
}

/// Every message that a service or a command reads, by full name.
pub fn messages() -> Vec<(String, Judge)> {
    messages! {
        wire {
            AnswerRequest AnswerResponse DescribeRequest DescribeResponse CheckStandingRequest
            CheckStandingResponse GetCheckpointRequest GetCheckpointResponse DeliverPictureRequest
            DeliverPictureResponse Envelope Roster RosterFile Contacts Requirement Cancellation SealedTable Table Cells Seal
            Decline Notice Holdings Departure PictureReceipt
        }
        proof { Evidence Answer }
        journal {
            GetHeadRequest GetHeadResponse ReadRequest ReadResponse AcceptPeerRequest
            AcceptPeerResponse
        }
        maintenance {
            BeginRequest BeginResponse EndRequest EndResponse ShowRequest ShowResponse
        }
        product {
            DeliverRequest DeliverResponse CollectRequest CollectResponse GiveBackRequest GiveBackResponse TakeRequest TakeResponse
            ListRequest ListResponse GetRequest GetResponse GetReleaseRequest GetReleaseResponse
            SayRequest SayResponse ShowRequest ShowResponse Content Section Step Word Receipt Dossier
            Release GuestComment
        }
        cycle { Plan Report }
        desk {
            ImportRequest ImportResponse ListImportsRequest ListImportsResponse GetImportRequest
            GetImportResponse UndoImportRequest UndoImportResponse SaveMappingRequest
            SaveMappingResponse ListMappingsRequest ListMappingsResponse GetMappingRequest
            GetMappingResponse GetTemplateRequest GetTemplateResponse ListTotalsRequest Total
            ListContradictionsRequest Contradiction DiffEditionsRequest CellChange FreezeRequest
            FreezeResponse ListBulletinsRequest BulletinEntry ShowBulletinRequest BulletinCell
            SignBulletinRequest SignBulletinResponse GrantRequest GrantResponse NarrowGrantRequest
            NarrowGrantResponse SuspendGrantRequest SuspendGrantResponse ResumeGrantRequest
            ResumeGrantResponse WithdrawGrantRequest WithdrawGrantResponse GetGrantRequest
            GetGrantResponse ListGrantsRequest ListGrantsResponse GetStatusRequest GetStatusResponse
            BackupRequest BackupChunk EraseDueRequest EraseDueResponse ConfirmRestoreRequest
            ConfirmRestoreResponse LeaveRequest LeaveResponse GetBudgetRequest GetBudgetResponse
            TryPolicyRequest TryPolicyResponse ListInboxRequest ListInboxResponse
            GetInboxItemRequest GetInboxItemResponse DecideItemRequest DecideItemResponse
            PreviewItemRequest PreviewItemResponse ProposeItemRequest ProposeItemResponse
            ReleaseItemRequest ReleaseItemResponse BreakGlassRequest BreakGlassResponse
            ListPicturesRequest ListPicturesResponse GetPictureRequest GetPictureResponse
            GetEvidenceRequest GetEvidenceResponse SignDissentRequest SignDissentResponse ListReceiptsRequest ListReceiptsResponse
            GetReceiptRequest GetReceiptResponse ExportAnswerRequest ExportAnswerResponse
            CreateSummaryRequest SummaryResponse ReviseSummaryRequest AdvanceSummaryRequest
            WithdrawSummaryRequest ListSummariesRequest ListSummariesResponse GetSummaryRequest
            GetSummaryResponse DiffSummaryRequest DiffSummaryResponse
        }
        region {
            ListMembersRequest ListMembersResponse IssueRequirementRequest IssueRequirementResponse
            AssessFeasibilityRequest AssessFeasibilityResponse CancelRequirementRequest
            CancelRequirementResponse ListRequirementsRequest ListRequirementsResponse GatherRequest
            GatherResponse WatchCollectionRequest WatchCollectionResponse GetPictureRequest
            GetPictureResponse ListPicturesRequest ListPicturesResponse AskStandingRequest
            AskStandingResponse GetEvidenceRequest GetEvidenceResponse GetGateMemoryRequest
            GetGateMemoryResponse ListDeliveriesRequest ListDeliveriesResponse DeliverPictureRequest
            DeliverPictureResponse BackupRequest BackupChunk ConfirmRestoreRequest
            ConfirmRestoreResponse RankThreatsRequest RankThreatsResponse ListRankingsRequest
            ListRankingsResponse GetRankingRequest GetRankingResponse AttachDissentRequest
            AttachDissentResponse Picture GateMemory
        }
    }
}

fn judge<M: Message + Name + Default + PartialEq>(bytes: &[u8]) -> Verdict {
    let message = match strict::decode::<M>("message", bytes) {
        Ok(message) => message,
        Err(error) => return refused(error),
    };
    let again = message.encode_to_vec();
    if strict::decode::<M>("message", &again).as_ref() != Ok(&message) {
        return Err(format!("{} is not read again as it was written", M::full_name()));
    }
    let signed = strict::decode_signed::<M>("message", bytes).is_ok();
    accepted(signed == (again == bytes), "a signed message has two encodings")
}

/// The messages that the whole of a reader's first step takes in.
pub(super) fn targets() -> Result<Vec<Target>> {
    let (schema, messages, mut dice) = (Schema::read()?, messages(), Dice(1));
    let mut specimens = Vec::new();
    for (at, (name, _)) in messages.iter().enumerate() {
        let tag = u8::try_from(at)?;
        specimens.push([&[tag][..], &schema.filled(name, &mut dice)?].concat());
    }
    let any = target("messages", Form::Tagged, specimens, move |input| {
        let Some((tag, message)) = input.split_first() else { return refused("nothing") };
        match messages.get(usize::from(*tag)) {
            Some((_, judge)) => judge(message),
            None => refused("no such message"),
        }
    });
    let mut answers = Vec::new();
    for outcome in [
        Outcome::Pending(wire::Pending {}),
        Outcome::Declined(wire::Declined { decline: Some(wire::Envelope::default()) }),
        Outcome::Sealed(wire::SealedTable { cells: vec![vec![1; 9]; 2], ..Default::default() }),
    ] {
        answers.push(wire::AnswerResponse { outcome: Some(outcome) }.encode_to_vec());
    }
    let read = journal::ReadRequest {
        act: "disclosure".to_owned(),
        by: "test-auditor".to_owned(),
        from_s: 1_700_000_000,
        until_s: 1_800_000_000,
        ..Default::default()
    };
    let head = wire::DeliveryHead {
        requirement: REQUIREMENT.to_owned(),
        version: 1,
        drawn_at_s: 1_700_000_000,
        bytes: 4_711,
        evidence_sha256: vec![1; 32],
    };
    Ok(vec![
        Target { rounds: 8_000, ..any },
        target("answer-response", Form::Wire, answers, answer_response),
        target("journal-filter", Form::Wire, vec![read.encode_to_vec()], filter),
        target("delivery-head", Form::Wire, vec![head.encode_to_vec()], delivery_head),
    ])
}

fn answer_response(bytes: &[u8]) -> Verdict {
    let response = strict::decode::<wire::AnswerResponse>("answer", bytes);
    match response.and_then(Answer::try_from) {
        Ok(_) => Ok(Judged::Accepted),
        Err(error) => refused(error),
    }
}

fn filter(bytes: &[u8]) -> Verdict {
    let request = strict::decode::<journal::ReadRequest>("request", bytes);
    match request.and_then(|request| Filter::from_wire(&request)) {
        Ok(filter) => {
            let again = Filter::from_wire(&filter.to_wire());
            accepted(again.as_ref() == Ok(&filter), "a filter is another one when it is sent on")
        }
        Err(error) => refused(error),
    }
}

fn delivery_head(bytes: &[u8]) -> Verdict {
    let head = strict::decode::<wire::DeliveryHead>("head", bytes);
    match head.clone().and_then(Head::from_wire) {
        Ok(read) => {
            accepted(Ok(read.to_wire()) == head, "a head is written otherwise than it came")
        }
        Err(error) => refused(error),
    }
}
