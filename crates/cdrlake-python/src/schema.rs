//! The columns, for Python.

use arrow_schema::SchemaRef;
use cdrlake_core::{COLUMNS, SCHEMA_VERSION};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict};
use pyo3_arrow::ffi::to_schema_pycapsule;

/// The columns of a stream, as Arrow has them.
#[pyclass(module = "cdrlake", frozen)]
pub(crate) struct Schema(pub(crate) SchemaRef);

#[pymethods]
impl Schema {
    /// The columns' names, in order.
    #[getter]
    fn names(&self) -> Vec<&str> {
        self.0.fields().iter().map(|field| field.name().as_str()).collect()
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        Ok(to_schema_pycapsule(py, self.0.as_ref())?)
    }

    fn __repr__(&self) -> String {
        let columns = self.0.fields().iter();
        let columns: Vec<_> =
            columns.map(|field| format!("{}: {}", field.name(), field.data_type())).collect();
        format!("<cdrlake.Schema {}>", columns.join(", "))
    }
}

/// Version and columns of the table: name, type, whether nullable, meaning.
#[pyfunction]
pub(crate) fn schema<'py>(py: Python<'py>) -> PyResult<(u32, Vec<Bound<'py, PyDict>>)> {
    let columns = COLUMNS.iter().map(|spec| {
        let column = PyDict::new(py);
        column.set_item("name", spec.name)?;
        column.set_item("type", spec.column_type.name())?;
        column.set_item("nullable", spec.nullable)?;
        column.set_item("meaning", spec.meaning)?;
        Ok(column)
    });
    Ok((SCHEMA_VERSION, columns.collect::<PyResult<_>>()?))
}
