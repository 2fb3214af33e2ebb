//! The arguments of how a lake is opened, the same for all commands that open one.

use std::path::PathBuf;

use cdrlake::{LakeLocation, Locked, NetworkFileSystem};
use clap::Args;

use crate::{interrupt, message};

/// How a lake is opened.
#[derive(Debug, Args)]
pub(crate) struct LakeAccess {
    /// Where the lake's ledger is [default: _cdrlake/ledger.sqlite in it]
    #[arg(long, value_name = "FILE.sqlite")]
    ledger: Option<PathBuf>,

    /// Wait while another run writes the lake, rather than end with status 75.
    #[arg(long)]
    wait: bool,

    /// Use a lake on a network file system, where locks cannot be trusted: there must be no other
    /// writer.
    #[arg(long)]
    allow_network_filesystem: bool,
}

impl LakeAccess {
    /// Whether the ledger is named.
    pub(crate) fn has_ledger(&self) -> bool {
        self.ledger.is_some()
    }

    pub(crate) fn location(&self, root: PathBuf) -> LakeLocation {
        LakeLocation {
            ledger: self.ledger.clone(),
            locked: if self.wait { Locked::Wait } else { Locked::Refuse },
            network: match self.allow_network_filesystem {
                true => NetworkFileSystem::Allow,
                false => NetworkFileSystem::Refuse,
            },
            run_id: Some(message::run_id().to_owned()),
            interrupt: interrupt::request(),
            ..LakeLocation::new(root)
        }
    }
}
