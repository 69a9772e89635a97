//! Text of a file, without the byte order mark that some programs put before it.

use super::fault::Fault;

pub(super) fn decode(bytes: &[u8]) -> Result<&str, Fault> {
    if bytes.starts_with(b"\x1f\x8b") {
        return Err(Fault::new("the file", "is compressed (gzip); unpack it first"));
    }
    // Without a mark, one of the first two bytes is zero, as numbers and most names are ASCII.
    let marked = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    if marked || matches!(bytes, [0, 1..=255, ..] | [1..=255, 0, ..]) {
        return Err(Fault::new("the file", "is UTF-16; save it as UTF-8"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
        Fault::new(format!("line {line}"), "is not UTF-8")
    })
}
