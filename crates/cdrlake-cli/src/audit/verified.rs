//! What is said of files that an audit has read whole.

use cdrlake::{Audit, AuditError, LakeLocation, Verified};

use crate::message::{Event, Message};
use crate::quoted::quoted;

/// Records what can be recorded of files that have no BLAKE3, and says of how many.
pub(super) fn record(location: &LakeLocation, audit: &mut Audit) -> Result<Message, AuditError> {
    let files = cdrlake::record(location, audit)?;
    let text = match files {
        0 => "no BLAKE3 was to be recorded".to_owned(),
        files => format!("recorded the BLAKE3 of {}", counted(files)),
    };
    Ok(Message::new(Event::HashesRecorded, text).with("files", files))
}

/// How much was read, and what could not be verified of it.
pub(super) fn told(verified: &Verified, lake: Option<&str>) -> String {
    let Verified { files, bytes, unrecorded, .. } = verified;
    let mut text = format!("{} read whole, {bytes} bytes", counted(*files));
    if *unrecorded > 0 {
        text += &format!(
            "; of {} no BLAKE3 is recorded, so only that they can be read and have the bytes and rows that \
             the ledger says",
            counted(*unrecorded)
        );
        if let Some(lake) = lake {
            text += &format!(": cdrlake audit --verify --record {} records it", quoted(lake));
        }
    }
    text
}

fn counted(files: u64) -> String {
    format!("{files} file{}", if files == 1 { "" } else { "s" })
}
