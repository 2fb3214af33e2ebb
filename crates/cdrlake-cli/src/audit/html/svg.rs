//! Pictures: what they show, in a title for those who do not see them.

use maud::{Markup, PreEscaped, html};

/// A picture of this size in pixels at the most; it shrinks where there is less room.
pub(super) fn picture(title: &str, width: u32, height: u32, content: &Markup) -> Markup {
    html! {
        svg role="img" viewBox=(format!("0 0 {width} {height}")) width=(width) height=(height) {
            title { (title) }
            (content)
        }
    }
}

/// A picture as wide as its place, whatever `width` units that is; only its height is in pixels.
pub(super) fn band(title: &str, width: u32, height: u32, content: &Markup) -> Markup {
    html! {
        svg.band role="img" viewBox=(format!("0 0 {width} {height}")) preserveAspectRatio="none"
            height=(height) {
            title { (title) }
            (content)
        }
    }
}

/// A path of this class. `data` is of our own numbers only.
pub(super) fn path(class: &str, data: &str) -> Markup {
    html! { @if !data.is_empty() { path class=(class) d=(PreEscaped(data)) {} } }
}

/// A path that tells what it is when it is pointed at.
pub(super) fn told_path(class: &str, data: &str, title: &str) -> Markup {
    html! { path class=(class) d=(PreEscaped(data)) { title { (title) } } }
}
