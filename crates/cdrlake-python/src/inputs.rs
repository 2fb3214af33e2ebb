//! Paths and file objects to inputs.

use std::io::{self, Read};
use std::path::PathBuf;

use cdrlake::{Input, Stream};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::errors::value_error;
use crate::gate::in_python;

/// Paths, or pairs of a name and an object with `read`, as `_arguments.py` gives them.
#[derive(Default)]
pub(crate) struct Inputs(pub(crate) Vec<Input>);

impl<'py> FromPyObject<'_, 'py> for Inputs {
    type Error = PyErr;

    fn extract(named: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let input = |input: Bound<'py, PyAny>| -> PyResult<Input> {
            if let Ok((name, file)) = input.extract::<(String, Py<PyAny>)>() {
                return Ok(Input::Stream(Stream::new(&name, FileObject(file))));
            }
            let path: PathBuf = input.extract()?;
            if path.as_os_str().is_empty() {
                return Err(value_error("an input's path is empty"));
            }
            Ok(Input::Path(path))
        };
        named.try_iter()?.map(|each| input(each?)).collect::<PyResult<_>>().map(Self)
    }
}

/// A Python object with `read`, asked for bytes from a thread that does not hold the GIL.
struct FileObject(Py<PyAny>);

/// Bytes asked for at the most: each call takes the GIL.
const MOST: usize = 1 << 20;

impl Read for FileObject {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(MOST);
        in_python(|py| {
            let bytes = self.0.call_method1(py, "read", (most,))?;
            let bytes: PyBackedBytes = bytes.extract(py)?;
            let room = buffer.get_mut(..bytes.len()).filter(|_| bytes.len() <= most);
            let room = room.ok_or_else(|| value_error("read() gave more than was asked for"))?;
            room.copy_from_slice(&bytes);
            Ok(bytes.len())
        })
        .ok_or_else(|| io::Error::other("Python is shutting down"))?
        .map_err(|error: PyErr| io::Error::other(error.to_string()))
    }
}
