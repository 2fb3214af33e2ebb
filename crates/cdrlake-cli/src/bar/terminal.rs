//! A terminal that one line is drawn on, whatever becomes of its window meanwhile.
//!
//! A terminal may wrap the lines that it shows when its window becomes narrower, or may cut them off.
//! So the cursor always waits in front of the line: from there to the end of the screen all is the
//! line's, in as many rows as the terminal has made of it. More than one row is cleared only after the
//! window has become narrower, for terminals may keep a screen that is cleared from its first row on.

use std::io::{self, Write, stderr};
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::TermLike;
use terminal_size::{Width, terminal_size_of};

/// To the first column, and nothing in this row.
const CLEAR_ROW: &str = "\r\x1b[K";

/// To the first column, and nothing from there on.
const CLEAR_ALL: &str = "\r\x1b[J";

/// Standard error.
#[derive(Debug, Default)]
pub(super) struct Terminal(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// What is to be written.
    pending: String,
    /// How wide the window was when the line was drawn.
    width: u16,
}

impl Terminal {
    /// Whether it cannot move its cursor.
    pub(super) fn is_dumb() -> bool {
        std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb")
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn clear(&mut self, width: u16) {
        self.pending.push_str(if width < self.width { CLEAR_ALL } else { CLEAR_ROW });
    }

    fn draw(&mut self, text: &str, width: u16) {
        self.pending.push_str(&fitted(text, width.into()));
        self.width = width;
    }
}

impl TermLike for Terminal {
    fn width(&self) -> u16 {
        terminal_size_of(stderr()).map_or(80, |(Width(width), _)| width.max(1))
    }

    // There is but one line, and the cursor is in front of it.

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.state().draw(text, self.width());
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.state().clear(self.width());
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let text = mem::take(&mut self.state().pending);
        let mut terminal = stderr().lock();
        terminal.write_all(text.as_bytes())?;
        terminal.flush()
    }
}

/// What of a line has room, and the cursor in front of it again; nothing of spaces alone, with which
/// lines are filled up.
fn fitted(text: &str, width: usize) -> String {
    let text = text.trim_end();
    if text.is_empty() {
        return String::new();
    }
    // A character in the last column may take the cursor to the next row.
    let room = text.chars().take(width.saturating_sub(1));
    let shown = room.map(|shown| if shown.is_control() { '\u{FFFD}' } else { shown });
    shown.chain(['\r']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_in_its_row() {
        assert_eq!(fitted("1 MiB of 2 MiB  ", 80), "1 MiB of 2 MiB\r");
        assert_eq!(fitted("1 MiB of 2 MiB", 6), "1 MiB\r");
        assert_eq!(fitted("a\u{1b}[2J\nb", 80), "a\u{FFFD}[2J\u{FFFD}b\r");
        assert_eq!(fitted("   ", 80), "");
        assert_eq!(fitted("x", 0), "\r");
    }

    #[test]
    fn what_a_narrower_window_made_of_the_line_is_cleared() {
        let mut state = State::default();
        for (width, drawn) in [
            (80, "\r\x1b[K[=>  ] 50%\r"),
            (80, "\r\x1b[K[=>  ] 50%\r"),
            (6, "\r\x1b[J[=>  \r"),
            (80, "\r\x1b[K[=>  ] 50%\r"),
        ] {
            state.clear(width);
            state.draw("[=>  ] 50%", width);
            assert_eq!(mem::take(&mut state.pending), drawn, "{width}");
        }
    }
}
