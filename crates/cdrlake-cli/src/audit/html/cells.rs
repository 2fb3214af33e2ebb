//! Tables, and values in them.

use maud::{Markup, html};

/// A table, in a box of its own that scrolls where the page is too narrow for it. Of each column its
/// name, and whether it holds numbers.
pub(super) fn table(caption: &str, head: &[(&str, Cells)], rows: &[Vec<Markup>]) -> Markup {
    html! {
        div.scroll role="region" tabindex="0" aria-label=(caption) {
            table {
                caption { (caption) }
                thead {
                    tr { @for (name, cells) in head { th scope="col" class=[cells.class()] { (name) } } }
                }
                tbody {
                    @for row in rows {
                        tr {
                            @for (cell, (_, cells)) in row.iter().zip(head) {
                                td class=[cells.class()] { (cell) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What the cells of a column hold.
#[derive(Clone, Copy)]
pub(super) enum Cells {
    Text,
    Number,
}

impl Cells {
    const fn class(self) -> Option<&'static str> {
        match self {
            Self::Text => None,
            Self::Number => Some("number"),
        }
    }
}

/// A value that may not be known.
pub(super) fn known(value: Option<&String>) -> Markup {
    match value {
        Some(value) => html! { (value) },
        None => html! { span.unknown { "not known" } },
    }
}
