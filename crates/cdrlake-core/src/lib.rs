//! The record format of the carrier's unrated call detail records: bytes to Arrow batches.
//!
//! A record is 228 bytes of ASCII in nineteen fixed-width fields and a line feed (the carrier's
//! section 4.5). This crate knows nothing of files, networks or threads.
//!
//! The path of the data, a module a step:
//!
//! 1. [`layout`](Field) says where each field stands.
//! 2. `framing` gives each physical line a verdict on its length; `validate` on its bytes and
//!    values; `scan` ties both together, fast over runs of equal strides.
//! 3. `decode` turns sound records into columns; `number`, `country`, `product` and `file_name`
//!    hold the rules of normalization, `privacy` what may stand in place of numbers.
//! 4. [`Decoder`] takes bytes in pieces of any size and gives batches; [`Reader`] does so from any
//!    [`Read`](std::io::Read).
//!
//! [`encode`] is the way back, and [`mod@reference`] is the slow and obvious twin that tests compare
//! with.
//!
//! ```
//! use cdrlake_core::{Reader, SourceOptions};
//!
//! let file = include_bytes!("../../../testdata/valid/DE_SV_00_0001_20110930090122.cdr");
//! let options = SourceOptions::from_file_name("DE_SV_00_0001_20110930090122.cdr");
//! let mut calls = 0;
//! for batch in Reader::new(&file[..], options) {
//!     calls += batch?.num_rows();
//! }
//! assert_eq!(calls, 3);
//! # Ok::<(), cdrlake_core::Error>(())
//! ```

mod calendar;
mod country;
mod decode;
mod decoder;
pub mod encode;
mod error;
mod file_name;
mod framing;
mod layout;
pub mod local_time;
mod mask;
mod number;
mod options;
mod privacy;
mod product;
mod reader;
mod record;
mod record_id;
pub mod reference;
mod scan;
mod schema;
mod time_zone;
mod validate;

pub use arrow_array::RecordBatch;
pub use country::{Country, UnknownCountry};
pub use decoder::Decoder;
pub use error::{Fault, RAW_LIMIT, Reject, RejectCode, Shape, Warning};
pub use file_name::{
    Metadata, carrier_name, is_bystander, is_profile, is_unfinished, parse_file_name,
};
pub use framing::{Position, count_lines, whole_lines_len};
pub use layout::{FIELDS, Field, FieldSpec, Kind, MAX_RECORD_LINE_LEN, RECORD_LEN};
pub use number::{E164, Role, SplitNumber, SplitNumberError, masked_digits, normalize, trim};
pub use options::{
    DEFAULT_BATCH_SIZE, MAX_BATCH_SIZE, SOURCE_HASH_LEN, SourceOptions, source_hash,
};
pub use privacy::{NotAKey, Numbers, Privacy, PrivacyError, PrivacyKey, Token, UnknownNumbers};
pub use product::{UnknownProduct, parse_product, product_name, product_type_name};
pub use reader::{Error, Reader};
pub use record::Record;
pub use record_id::{RECORD_ID_LEN, RecordId, UnknownRecordId, record_id};
pub use scan::Counts;
pub use schema::Origin as ColumnOrigin;
pub use schema::{COLUMNS, ColumnSpec, RULES_VERSION, SCHEMA_VERSION, schema};
pub use time_zone::{NoTimeZone, TimeZone};
pub use validate::Strictness;
