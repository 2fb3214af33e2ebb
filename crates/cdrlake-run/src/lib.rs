//! What every run has, whether it loads files or fetches them.
//!
//! * [`Interrupt`]: a request to end early, and streams that obey it.
//! * [`Progress`]: counts of how far a run is, for whoever shows them.
//! * [`new_run_id`]: what a run is called.
//! * [`ErrorKind`]: what kind of failure ended it, from which a caller tells what to do next; and
//!   [`Chain`], an error with its causes in one line.

mod chain;
mod error_kind;
mod interrupt;
mod progress;
mod run_id;

pub use chain::Chain;
pub use error_kind::ErrorKind;
pub use interrupt::{Awaited, Interrupt, Interrupted, Watched};
pub use progress::{Progress, Stage};
pub use run_id::new_run_id;
