//! What a lake has not: planned, fetched from the carrier, and loaded.
//!
//! [`sync()`] does all of it, for a caller who wants no say in between. Its steps are public, for one
//! who prints, asks or measures there:
//!
//! 1. [`check_inbox`]: an inbox in the lake would be taken for a part of it.
//! 2. [`plan()`]: what the lake says was delivered, and so what to ask the carrier for. It sends and
//!    changes nothing, and needs no credentials.
//! 3. [`fetch()`]: the requests of the plan, into the inbox.
//! 4. [`load()`]: all that is in the inbox, into the lake, which skips what it has.
//!
//! A request that fails is no error of a sync: what came is loaded, the report of the fetch tells
//! what failed, and the next sync asks for it again, as it asks for all that the lake has not.
//!
//! ```no_run
//! use std::fs::File;
//!
//! use cdrlake_fetch::{Checks, Contents, Credentials, Endpoint, Format, Options, Silent};
//! use cdrlake_lake::LakeLocation;
//! use cdrlake_sync::{SyncOptions, parse_offering, sync};
//!
//! /// Takes what comes: loading says what is no archive, or damaged.
//! struct Unchecked;
//!
//! impl Checks for Unchecked {
//!     fn is_known_name(&self, name: &str) -> bool {
//!         name.contains(".cdr.")
//!     }
//!
//!     fn test(&self, _archive: &mut File, _format: Format) -> Result<Contents, String> {
//!         Ok(Contents::Files)
//!     }
//! }
//!
//! let endpoint: Endpoint = "production".parse()?;
//! let fetch = Options::new(endpoint, Credentials::from_environment()?);
//! let lake = LakeLocation::new("lake".into());
//! let mut options = SyncOptions::new("ABC".parse()?, "inbox".into(), fetch, lake);
//! // Only the first time; from then on the lake tells.
//! options.offerings.push(parse_offering("SIP Trunking")?);
//!
//! let synced = sync(&options, &Unchecked, &Silent)?;
//! for task in &synced.fetched.tasks {
//!     if let Err(error) = &task.result {
//!         eprintln!("{}: {error}", task.operation);
//!     }
//! }
//! if let Some(report) = synced.loaded {
//!     println!("{} records are new", report.totals.records_written);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod fetch;
mod gaps;
mod inbox;
mod known;
mod load;
mod offering;
mod plan;
mod sync;

pub use error::SyncError;
pub use fetch::fetch;
pub use inbox::check_inbox;
pub use load::load;
pub use offering::parse_offering;
pub use plan::{SyncPlan, plan};
pub use sync::{SyncOptions, Synced, sync};
