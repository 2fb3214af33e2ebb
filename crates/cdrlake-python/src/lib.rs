//! The native half of the Python package `cdrlake`: Arrow streams out of `cdrlake-lake`.
//!
//! `arguments` turns what Python says into options, `inputs` what it names into inputs. `reader` is
//! the stream, fed by a thread of its own; `runs` waits for what gives no stream. `errors` turns
//! errors into the exceptions of `cdrlake._errors`. What users see of all this is documented in
//! `python/cdrlake`.

mod arguments;
mod errors;
mod inputs;
mod reader;
mod runs;
mod schema;

use pyo3::prelude::pymodule;

#[pymodule(name = "_native")]
mod native {
    #[pymodule_export]
    use crate::reader::{Batch, Reader, read, read_split, split_file};
    #[pymodule_export]
    use crate::runs::{convert, validate};
    #[pymodule_export]
    use crate::schema::{Schema, schema};
}
