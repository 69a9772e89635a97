//! What separates the columns of a table.

use super::line::Line;

/// What separates columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delimiter {
    /// The first of semicolon, tab, comma and blanks that is in most lines.
    #[default]
    Auto,
    /// This character.
    Character(u8),
    /// One or more blanks.
    Blanks,
}

const DELIMITERS: [(&str, Delimiter); 5] = [
    ("auto", Delimiter::Auto),
    ("semicolon", Delimiter::Character(b';')),
    ("tab", Delimiter::Character(b'\t')),
    ("comma", Delimiter::Character(b',')),
    ("space", Delimiter::Blanks),
];

/// A delimiter by its name, or the character itself.
pub(super) fn parse(given: &str) -> Result<Delimiter, String> {
    if let Some((_, delimiter)) = DELIMITERS.iter().find(|(name, _)| *name == given) {
        return Ok(*delimiter);
    }
    match given.as_bytes() {
        b" " => Ok(Delimiter::Blanks),
        b"\\t" => Ok(Delimiter::Character(b'\t')),
        &[character] if !character.is_ascii_alphanumeric() && !b"\".+-#\r\n".contains(&character) => {
            Ok(Delimiter::Character(character))
        }
        _ => Err("auto, comma, semicolon, tab, space, or one character".to_owned()),
    }
}

impl Delimiter {
    /// Whether it is in the line, outside quotes.
    fn is_in(self, line: &str) -> bool {
        let mut unquoted = line.trim().split('"').step_by(2);
        match self {
            Self::Auto => false,
            Self::Character(character) => unquoted.any(|part| part.as_bytes().contains(&character)),
            Self::Blanks => unquoted.any(|part| part.contains(char::is_whitespace)),
        }
    }

    /// The one that most of the lines have.
    pub(super) fn of(lines: &[Line]) -> Self {
        DELIMITERS
            .into_iter()
            .map(|(_, delimiter)| delimiter)
            .find(|delimiter| {
                2 * lines.iter().filter(|line| delimiter.is_in(line.text)).count() > lines.len()
            })
            .unwrap_or(Self::Character(b','))
    }
}
