//! Exports from the command line. Comes in: which picture, which cells, what kind of file. Goes out: its bytes, on
//! standard output or in a new file; everything that is said about them goes elsewhere.

use std::io::IsTerminal as _;

use accord_proto::{
    client::{ClientFile, within},
    limits::CALL_TIMEOUT,
    reason::{Invalid, Reason},
    wire::region as wire,
};

use super::{connect_by, failed, file};
use crate::{
    cli::export::{Export, Exported},
    export::{
        self, Format, document,
        select::{self, Wanted},
    },
};

/// Asks for the picture and writes the cells that were chosen.
pub(crate) async fn run(wanted: Export) -> Result<Exported, Invalid> {
    let Export { requirement, version, format, out, client, filters } = wanted;
    if out.is_none() && format == Format::Xlsx && std::io::stdout().is_terminal() {
        let detail = "a workbook is nothing to read here: name a file";
        return Err(Invalid::new(Reason::FieldMissing, "--out", detail));
    }
    let request = within(CALL_TIMEOUT, wire::GetPictureRequest { requirement, version });
    let reply = connect_by(&client).await?.get_picture(request).await.map_err(failed)?;
    let lists = ClientFile::lists(&client)?;
    let picture = reply.into_inner().picture.unwrap_or_default();
    let (mut header, cells) = document::open(picture, lists)?;
    let filters = Wanted::from(filters);
    header.selection = filters.words();
    let cells = select::select(&filters, cells, lists)?;
    let bytes = export::write(format, &header, &cells)?;

    let mut remarks = header.notices.clone();
    if !remarks.is_empty() {
        let remark = "what was published remains published; do not use what was withdrawn";
        remarks.push(remark.to_owned());
    }
    remarks.push(format!(
        "{} of {} cells of picture {} version {}; {} of {} members answered",
        cells.len(),
        header.cells,
        header.requirement,
        header.version,
        header.answered,
        header.asked,
    ));
    let partial = header.answered < header.asked;
    let Some(out) = out else {
        return Ok(Exported { bytes, remarks, partial });
    };
    file::create(&out, &bytes)?;
    remarks.push(format!("{} bytes written to {}", bytes.len(), out.display()));
    Ok(Exported { bytes: Vec::new(), remarks, partial })
}
