//! Lines of a table with their numbers.

/// A line that is neither blank nor a comment.
pub(super) struct Line<'a> {
    pub number: u64,
    pub text: &'a str,
}

/// The lines with something in them. One that is made of tabs has cells, though empty ones.
pub(super) fn lines(text: &str) -> Vec<Line<'_>> {
    // Old programs end lines with a carriage return alone.
    let end = if text.contains('\n') { '\n' } else { '\r' };
    (1..)
        .zip(text.split(end))
        .map(|(number, text)| Line {
            number,
            text: text.trim_end_matches('\r'),
        })
        .filter(|line| !line.text.trim_matches(' ').is_empty() && !line.text.starts_with('#'))
        .collect()
}
