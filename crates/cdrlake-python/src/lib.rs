//! The native half of the Python package `cdrlake`: Arrow streams out of `cdrlake-lake`.
//!
//! `arguments` turns what Python says into options, `inputs` what it names into inputs. `reader` is
//! the stream, fed by a thread of its own, whose way back into Python is a `gate`; `runs` waits for what gives
//! no stream. `errors` turns
//! errors into the exceptions of `cdrlake._errors`. What users see of all this is documented in
//! `python/cdrlake`.

mod arguments;
mod errors;
mod gate;
mod inputs;
mod reader;
mod runs;
mod schema;

use pyo3::prelude::pymodule;

#[pymodule(name = "_native")]
mod native {
    use pyo3::prelude::*;
    use pyo3::types::PyModule;

    #[pymodule_export]
    use crate::reader::{Batch, Reader, read, read_split, split_file};
    #[pymodule_export]
    use crate::runs::{convert, validate};
    #[pymodule_export]
    use crate::schema::{Schema, schema};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let close = wrap_pyfunction!(crate::gate::close_gate, module)?;
        module.py().import("atexit")?.call_method1("register", (close,))?;
        Ok(())
    }
}
