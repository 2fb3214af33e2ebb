//! The way back into Python for threads of our own, closed before the interpreter goes.
//!
//! A thread that asks an interpreter for its lock while that ends may be ended by it, amidst our frames, which
//! can abort the process. So the interpreter, before it ends, waits for those that are in it and lets in no more.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;

/// How long a Python function that was called may still take; one that never returns must not keep
/// the process from ending.
const PATIENCE: Duration = Duration::from_secs(5);

struct Gate {
    state: Mutex<State>,
    left: Condvar,
}

struct State {
    is_closed: bool,
    /// Threads in Python.
    inside: usize,
}

static GATE: Gate =
    Gate { state: Mutex::new(State { is_closed: false, inside: 0 }), left: Condvar::new() };

impl Gate {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets a thread out again, also when it panics.
struct Inside;

impl Inside {
    fn enter() -> Option<Self> {
        let mut state = GATE.state();
        if state.is_closed {
            return None;
        }
        state.inside += 1;
        Some(Self)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        GATE.state().inside -= 1;
        GATE.left.notify_all();
    }
}

/// Calls `work` with the interpreter's lock; none if the interpreter is about to end.
pub(crate) fn in_python<T>(work: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    let _inside = Inside::enter()?;
    Python::try_attach(work)
}

/// Closes the gate, and waits for those inside.
#[pyfunction]
pub(crate) fn close_gate(py: Python<'_>) {
    py.detach(|| {
        let mut state = GATE.state();
        state.is_closed = true;
        let is_busy = |state: &mut State| state.inside > 0;
        let _ = GATE.left.wait_timeout_while(state, PATIENCE, is_busy);
    });
}
