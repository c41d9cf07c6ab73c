//! The data URIs and relative paths of a scene.

use std::path::{Component, Path, PathBuf};

use super::{ImportError, Place, UriFault, container::read_file};

/// Returns the bytes that a URI stands for, at most `max_bytes`.
pub(super) fn read(
    place: Place,
    uri: &str,
    folder: Option<&Path>,
    max_bytes: u64,
) -> Result<Vec<u8>, ImportError> {
    let refused = |fault| ImportError::Uri {
        place,
        uri: uri.chars().take(80).collect(),
        fault,
    };
    if let Some(data) = uri.strip_prefix("data:") {
        return decode_data(data).ok_or_else(|| refused(UriFault::Encoding));
    }
    let relative = relative_path(uri).map_err(refused)?;
    let folder = folder.ok_or_else(|| refused(UriFault::NoFolder))?;
    let path = folder.join(relative);
    let unreadable = |source| ImportError::Unreadable {
        path: path.clone(),
        source,
    };

    // A link could lead out of the folder where the path itself does not.
    let inner = path.canonicalize().map_err(unreadable)?;
    let outer = folder.canonicalize().map_err(unreadable)?;
    if !inner.starts_with(outer) {
        return Err(refused(UriFault::OutsideFolder));
    }
    if !inner.is_file() {
        return Err(unreadable(std::io::ErrorKind::NotFound.into()));
    }
    read_file(&inner, max_bytes)
}

/// Returns the path that a URI names below the scene's folder.
fn relative_path(uri: &str) -> Result<PathBuf, UriFault> {
    let head = uri.split(['/', '\\']).next().unwrap_or_default();
    if head.contains(':') {
        return Err(UriFault::Scheme);
    }
    let decoded = decode_percent(uri.as_bytes()).ok_or(UriFault::Encoding)?;
    let text = String::from_utf8(decoded).map_err(|_| UriFault::Encoding)?;
    if text.is_empty() || text.contains(['\\', '\0', ':']) {
        return Err(UriFault::OutsideFolder);
    }
    let path = PathBuf::from(text);
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if !path.components().all(is_plain) {
        return Err(UriFault::OutsideFolder);
    }
    Ok(path)
}

fn decode_data(data: &str) -> Option<Vec<u8>> {
    let (kind, data) = data.split_once(',')?;
    if kind.ends_with(";base64") {
        return decode_base64(data.as_bytes());
    }
    decode_percent(data.as_bytes())
}

fn decode_percent(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            out.push(first);
            continue;
        }
        let digits = std::str::from_utf8(after.get(..2)?).ok()?;
        out.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &after[2..];
    }
    Some(out)
}

fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    let end = text.iter().rposition(|&byte| byte != b'=');
    let digits = &text[..end.map_or(0, |end| end + 1)];
    let mut out = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    let (mut bits, mut bit_count) = (0_u32, 0);
    for &digit in digits {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        bit_count += 6;
        if bit_count >= 8 {
            bit_count -= 8;
            out.push((bits >> bit_count & 0xff) as u8);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_uris_decode() {
        assert_eq!(
            decode_data("image/png;base64,aGVsbG8="),
            Some(b"hello".to_vec())
        );
        assert_eq!(
            decode_data("application/octet-stream,a%20b"),
            Some(b"a b".to_vec())
        );
        assert_eq!(decode_data("x;base64,a*b"), None);
        assert_eq!(decode_data("no comma"), None);
    }

    #[test]
    fn a_path_stays_in_its_folder() {
        assert_eq!(relative_path("a%20b/c.bin"), Ok(PathBuf::from("a b/c.bin")));
        for uri in [
            "../x",
            "a/../../x",
            "/etc/passwd",
            "%2e%2e/x",
            "a\\..\\x",
            "",
            "a\0",
        ] {
            assert_eq!(relative_path(uri), Err(UriFault::OutsideFolder), "{uri:?}");
        }
        for uri in ["file:///etc/passwd", "http://x/y", "C:/x"] {
            assert_eq!(relative_path(uri), Err(UriFault::Scheme), "{uri:?}");
        }
        assert_eq!(relative_path("a%zz"), Err(UriFault::Encoding));
    }
}
