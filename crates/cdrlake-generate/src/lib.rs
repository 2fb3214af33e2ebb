//! Synthetic call detail records: seeded, of a realistic shape, and of nobody.
//!
//! [`Calls`] are records of a country and a product; [`History`] is files of them as the carrier
//! would have delivered them; [`Damage`] spoils lines, each for one known reason; [`write()`] makes
//! files of any size with several threads and constant memory. [`mod@frozen`] is the benchmarks'
//! workload, which never changes. Whose numbers they are: see [`numbers`].
//!
//! The same seed gives the same bytes, on every machine and with any number of threads. Another
//! version may give others, but for the frozen ones.
//!
//! ```
//! use cdrlake_generate::{Calls, Damage, Lines, Packing, Product, Span, write};
//!
//! let calls = Calls {
//!     country: "FR".parse()?,
//!     product: Product::VoiceLine,
//!     profile: "ABC".parse()?,
//!     span: Span::new(jiff::civil::date(2025, 10, 1).at(8, 0, 0, 0), 8)?,
//!     records: 1000,
//!     seed: 42,
//!     damage: "short_record=1%".parse::<Damage>()?,
//! };
//! let mut file = Vec::new();
//! let threads = std::num::NonZero::<usize>::MIN;
//! let len = write(Lines::Calls(&calls), Packing::Gzip, threads, &mut file)?;
//! assert!(len > 220_000 && file.len() < 100_000);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod calls;
mod damage;
pub mod frozen;
mod history;
pub mod numbers;
mod product;
mod profile;
mod random;
mod span;
mod text;
mod write;

pub use calls::{Calls, PIECE_RECORDS};
use cdrlake_core::Country;
pub use damage::{Damage, DamageError};
pub use history::{Delivery, History};
pub use product::Product;
pub use profile::{InvalidProfile, Profile};
pub use span::{Span, SpanError};
pub use write::{Lines, Packing, write};
