//! Texts of tables as a terminal may be shown them: names of columns and classes may hold what moves its cursor or changes its title.

use std::borrow::Cow;
use std::fmt::Write;

/// Lines of text with what a terminal would obey written out, as `\u{1b}`; line feeds and tabs stay.
pub fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, |sign| is_obeyed(sign) && !matches!(sign, '\n' | '\t'))
}

/// The same of a name, which has one line.
pub fn one_line(name: &str) -> Cow<'_, str> {
    escaped(name, is_obeyed)
}

/// Control characters, and those that turn the direction of the text around.
fn is_obeyed(sign: char) -> bool {
    sign.is_control() || matches!(sign, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return text.into();
    }
    let mut shown = String::new();
    for sign in text.chars() {
        let _ = match is_escaped(sign) {
            true => write!(shown, "{}", sign.escape_default()),
            false => shown.write_char(sign),
        };
    }
    shown.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        assert_eq!(printable("größe\n\tcm"), "größe\n\tcm");
        assert_eq!(printable("\x1b[2Jowl\x07\u{9b}1m"), "\\u{1b}[2Jowl\\u{7}\\u{9b}1m");
        assert_eq!(one_line("a\r\nb\u{202e}c"), "a\\r\\nb\\u{202e}c");
    }
}
