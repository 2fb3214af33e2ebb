//! One writer at a time: a lock that dies with its process.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use cdrlake_run::Interrupt;

use crate::error::LakeError;
use crate::machine::host;

/// What to do while another run holds the lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Locked {
    /// Give up.
    #[default]
    Refuse,
    /// Wait for it.
    Wait,
}

/// A lock held on a lake, until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "held, not used")] File);

impl Lock {
    /// Takes the lock at `path`, and leaves a word on who has it.
    pub(crate) fn take(
        path: &Path,
        locked: Locked,
        run_id: &str,
        interrupt: &Interrupt,
    ) -> Result<Self, LakeError> {
        const MODE: u32 = 0o640;
        /// How soon to look again. Waiting in the system could not be interrupted.
        const PAUSE: Duration = Duration::from_millis(50);
        let write = LakeError::write(path);
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false).mode(MODE);
        let mut file = match options.open(path) {
            Ok(file) => file,
            Err(error) => return Err(write(error)),
        };
        let result = loop {
            match file.try_lock() {
                Err(TryLockError::WouldBlock) if locked == Locked::Wait => interrupt.check()?,
                result => break result,
            }
            thread::sleep(PAUSE);
        };
        match result {
            Ok(()) => {}
            Err(TryLockError::Error(error)) => return Err(write(error)),
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // It is only for people: if it cannot be read, that it is held is enough.
                let _ = file.read_to_string(&mut holder);
                let holder = match holder.trim() {
                    "" => "it has not said which yet".to_owned(),
                    holder => holder.to_owned(),
                };
                return Err(LakeError::Locked { path: path.to_owned(), holder });
            }
        }
        let host = host();
        let holder = format!("host {host}, process {}, run {run_id}\n", std::process::id());
        let tell = |file: &mut File| {
            file.set_len(0)?;
            file.write_all(holder.as_bytes())
        };
        // A full disk is no reason not to lock.
        let _ = tell(&mut file);
        Ok(Self(file))
    }
}
