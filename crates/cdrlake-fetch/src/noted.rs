//! What an inbox's journal is to remember of an answer.

use cdrlake_inbox::{Asked, FileEntry, Line};

use crate::inbox::{Received, Stored};
use crate::request::{Operation, Usage};

/// What the journal needs to know of files before they are in their place.
pub(crate) struct Noting(Vec<(u64, String)>);

impl Noting {
    pub(crate) fn of(received: &[Received]) -> Self {
        Self(received.iter().map(|file| (file.bytes, file.hash.clone())).collect())
    }

    /// The line of an answer whose files are in their places. `request` is what need not be sent again.
    pub(crate) fn line(self, stored: &[Stored], asked: Asked, request: Option<String>) -> Line {
        let now = jiff::Timestamp::now().to_string();
        let files = stored.iter().zip(self.0).filter_map(|(stored, (bytes, hash))| {
            let file = stored.path().file_name()?.to_str()?.to_owned();
            // What stood there may have come at any time.
            let is_new = !matches!(stored, Stored::Already(_));
            let came = is_new.then(|| now.clone());
            Some(FileEntry { file, bytes, hash: Some(hash), came })
        });
        Line { request, asked: Some(asked), files: files.collect() }
    }
}

/// What a request asks for.
pub(crate) fn asked_of(operation: &Operation) -> Asked {
    let resource = operation.resource().to_owned();
    match operation {
        Operation::Unrated(usage) | Operation::Order(usage) => {
            Asked { resource, ..asked_of_usage(usage) }
        }
        Operation::Consolidated { profile, order_id } => Asked {
            resource,
            profile: Some(profile.to_string()),
            order_id: Some(order_id.to_string()),
            ..Asked::default()
        },
        Operation::Rated(_) | Operation::NonUsage(_) => Asked { resource, ..Asked::default() },
    }
}

fn asked_of_usage(usage: &Usage) -> Asked {
    Asked {
        profile: Some(usage.profile.to_string()),
        product: Some(usage.offering.to_string()),
        from: Some(usage.days.from().to_string()),
        to: Some(usage.days.to().to_string()),
        ..Asked::default()
    }
}
