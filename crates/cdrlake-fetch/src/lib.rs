//! The carrier's API to files: authenticated, retried, stored whole or not at all.
//!
//! The API hands out call detail records and bills as archives. This crate asks for them, and puts
//! what comes into a directory, the *inbox*, as it came. It knows nothing of records: whether a
//! name is one of the carrier's, and whether an archive is sound, it asks its caller
//! ([`Checks`]).
//!
//! In the order in which a request passes through:
//!
//! * [`Endpoint`] and [`Credentials`]: where, and as whom.
//! * [`Operation`]: the carrier's five calls; its parameters cannot be built wrong. [`Days`] cuts a
//!   long range into requests.
//! * [`Fetcher`]: tokens, retries, and several downloads at a time.
//! * [`Lookup`]: calls of the number API that change nothing, answered in JSON.
//! * [`Plan`]: what a run at any time has to ask for, from what was delivered so far.
//! * [`Inbox`]: temporary file, fsync, a rename that never replaces; and what was fetched before.
//! * [`Error`]: what went wrong, the server's words about it, and of what kind it is
//!   ([`ErrorKind`]).
//!
//! Decisions where the carrier's documents are silent:
//!
//! * No redirect is followed, to whatever origin, so that a token never leaves its own.
//! * A day's file is final two days later: the one of 9 AM holds calls from 4 PM the day before. A
//!   rerun asks again for days that were not final when they were fetched.
//! * Days beyond the carrier's horizon are asked for nevertheless, with a warning: what it still
//!   has, it tells best.
//! * A token without `expires_in` is taken to last the documented 30 minutes.
//! * A day's files are final only if the service's clock says so too (the header `Date`): after a
//!   clock of ours that was ahead, days would be left out.
//! * One answer may hold several archives (`multipart/form-data`); all of them are stored, or none.

mod credentials;
mod days;
mod disk;
mod download;
mod endpoint;
mod error;
mod file_name;
mod format;
mod horizon;
mod inbox;
mod journal;
mod lookup;
mod multipart;
mod noted;
mod parameters;
mod plan;
mod progress;
mod proxy;
mod quote;
mod receive;
mod request;
mod retry;
mod secret_file;
mod service;
mod setup_error;
mod task;
mod token;
mod transport;
mod transport_error;

pub use cdrlake_run::{ErrorKind, Interrupt};
pub use credentials::{Credentials, CredentialsError};
pub use days::{Days, DaysError};
pub use disk::StoreError;
pub use download::{Fetcher, Options, Report};
pub use endpoint::{Endpoint, EndpointError};
pub use error::{Error, ServiceError};
pub use format::Format;
pub use horizon::{CONSOLIDATED_DAYS, UNRATED_DAYS, Warning, today};
pub use inbox::{Inbox, Stored};
pub use lookup::{Lookup, NumberOrderId};
pub use multipart::MultipartError;
pub use parameters::{
    AccountNumber, InvoiceNumber, Month, Offering, OrderId, ParameterError, Profile, Year,
};
pub use plan::{Deliveries, Plan};
pub use progress::{Event, Progress, Silent};
pub use receive::{Checks, Contents};
pub use request::{Bill, Operation, Usage};
pub use retry::Retry;
pub use secret_file::{SecretFileError, read_secret_file};
pub use setup_error::SetupError;
pub use task::{Fetched, Task, TaskReport};
pub use transport::Deadlines;
pub use transport_error::{TransportError, TransportFault};
