//! Errors to Python exceptions, which know source, place and code.

use std::fmt;

use cdrlake::{Chain, ErrorKind, LakeError, LoadError};
use cdrlake_core::Field;
use pyo3::exceptions::{PyKeyboardInterrupt, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

const MODULE: &str = "cdrlake._errors";

/// An argument that cannot be.
pub(crate) fn value_error(error: impl fmt::Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

pub(crate) fn exception(py: Python<'_>, error: &LakeError) -> PyErr {
    let build = || -> PyResult<PyErr> {
        let details = PyDict::new(py);
        details.set_item("kind", error.kind().as_str())?;
        let class = match error {
            error if error.kind() == ErrorKind::Interrupted => {
                return Ok(PyKeyboardInterrupt::new_err(()));
            }
            LakeError::Load(LoadError::NoColumn(_) | LoadError::MemoryLimit(_)) => {
                return Ok(value_error(error));
            }
            LakeError::Load(LoadError::Source { name, error }) => {
                // A run is ended by damage, whatever it was that its source suffered from.
                details.set_item("kind", error.kind().as_str())?;
                details.set_item("source", name)?;
                details.set_item("code", error.code())?;
                let first = error.first_reject().and_then(|first| first.place);
                if let Some((position, fault)) = first {
                    details.set_item("record_number", position.record_number)?;
                    details.set_item("byte_offset", position.byte_offset)?;
                    details.set_item("field", fault.field.map(Field::name))?;
                    details.set_item("reject_code", fault.code.as_str())?;
                }
                // A stream that is cut off was not read to its end, whoever is to blame for that.
                let unread = matches!(error.code(), "cannot_open" | "cannot_read")
                    || matches!(error.kind(), ErrorKind::Io | ErrorKind::Transient);
                if unread { "FileError" } else { "DataError" }
            }
            other => {
                details.set_item("code", code(other))?;
                "LakeError"
            }
        };
        let class = py.import(MODULE)?.getattr(class)?;
        let raised = class.call((Chain(error).to_string(),), Some(&details))?;
        Ok(PyErr::from_value(raised))
    };
    build().unwrap_or_else(|error| error)
}

/// A word for machines; what people should know is the message.
const fn code(error: &LakeError) -> &'static str {
    match error {
        LakeError::OutputExists(_) | LakeError::Load(LoadError::OutputExists(_)) => "output_exists",
        LakeError::Locked { .. } => "locked",
        LakeError::Contradiction { .. } | LakeError::NoRecordIds(_) => "contradiction",
        LakeError::NotALake(_) | LakeError::NoLake(_) => "no_lake",
        LakeError::NetworkFileSystem { .. } => "network_file_system",
        LakeError::Write { .. } | LakeError::Parquet { .. } => "cannot_write",
        LakeError::Read { .. } => "cannot_read",
        LakeError::Unfinished(_) => "unfinished",
        LakeError::Defect(_) => "defect",
        _ => "failed",
    }
}

/// A thread ended without a result.
pub(crate) const THREAD_DIED: LakeError = LakeError::Defect("a thread ended without a result");
