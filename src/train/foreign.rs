//! Files that were taken for weights and are something else, told by their first bytes: what they are, and how to get
//! weights from them.

/// What a file of these bytes is and what to do about it, where that can be told and it is no safetensors file, whole or
/// cut short.
pub(super) fn recognized(bytes: &[u8]) -> Option<&'static str> {
    if bytes.is_empty() {
        return Some(
            "the file is empty: it was cut short before anything was in it, so copy or save it again",
        );
    }
    if is_safetensors(bytes) {
        return None;
    }
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    if let Some((_, what)) = MAGIC.iter().find(|(magic, _)| starts(magic)) {
        return Some(what);
    }
    match bytes {
        // The protocol's number follows the opcode that announces it.
        [0x80, 2..=5, ..] => Some(PICKLE),
        _ => text(bytes),
    }
}

const MAGIC: [(&[u8], &str); 5] = [
    (
        b"version https://git-lfs",
        "this is a pointer of Git LFS, not the file itself: fetch it with `git lfs pull`",
    ),
    (
        b"PK\x03\x04",
        "this is a zip archive, as torch.save writes: load it in PyTorch and write it with safetensors.torch.save_file",
    ),
    (
        b"\x89HDF\r\n\x1a\n",
        "this is an HDF5 file, as Keras writes: load it there and write its tensors with safetensors",
    ),
    (
        b"GGUF",
        "this is a GGUF file, as llama.cpp reads: take the safetensors file that it was made from",
    ),
    (b"\x1f\x8b\x08", "this is compressed with gzip: unpack it with `gunzip`"),
];

const PICKLE: &str = "this is a pickle, as torch.save writes: load it in PyTorch and write it with safetensors.torch.save_file";

/// Whether this is how a safetensors file begins: with the length of its header, in 8 bytes, of which a header of at most 100
/// MB leaves four zero, and the header's brace. Any magic number may be a length by chance.
fn is_safetensors(bytes: &[u8]) -> bool {
    let high = &bytes[bytes.len().min(4)..bytes.len().min(8)];
    high.iter().all(|&byte| byte == 0) && bytes.get(8).is_none_or(|&byte| byte == b'{')
}

/// What a text is.
fn text(bytes: &[u8]) -> Option<&'static str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let starts = |with: &str| {
        bytes.get(..with.len()).is_some_and(|b| b.eq_ignore_ascii_case(with.as_bytes()))
    };
    if ["<!doctype", "<html", "<?xml"].into_iter().any(starts) {
        Some(
            "this is a web page, as a failed download leaves: open it to see why, and fetch the file again",
        )
    } else if starts("{") {
        Some(
            "this is JSON, as a model's settings or an index of its files are: name the safetensors file itself",
        )
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::tensors::{Reader, notes};
    use super::recognized;

    #[test]
    fn a_file_that_is_no_weights_is_called_what_it_is() {
        for (bytes, what) in [
            (&b""[..], "the file is empty"),
            (
                b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n",
                "this is a pointer of Git LFS",
            ),
            (b"PK\x03\x04\0\0\x08\x08\0\0\0\0\0\0archive/data.pkl", "this is a zip archive"),
            (b"PK\x03\x04\x14\0\0\0\0\0", "this is a zip archive"),
            (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "this is a pickle"),
            (b"\x80\x05\x95\x1d\0\0\0\0\0\0\0}\x94", "this is a pickle"),
            (b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0", "this is an HDF5 file"),
            (b"GGUF\x03\0\0\0\x23\x01\0\0\0\0\0\0", "this is a GGUF file"),
            (b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "this is compressed with gzip"),
            (b"<!DOCTYPE html><title>404</title>", "this is a web page"),
            (b"\xef\xbb\xbf\n <!doctype HTML>", "this is a web page"),
            (b"<html lang=\"en\">", "this is a web page"),
            (b"<?xml version=\"1.0\"?><Error>", "this is a web page"),
            (b"{\"weight_map\": {}}", "this is JSON"),
            (b"\n { }", "this is JSON"),
        ] {
            let messages = [
                Reader::new("w.safetensors", bytes, 1).err().unwrap().to_string(),
                notes("w.safetensors", bytes).unwrap_err().to_string(),
            ];
            for message in messages {
                let (file, problem) = message.split_once(": ").unwrap();
                assert_eq!(file, "w.safetensors");
                assert!(problem.starts_with(what), "{message}");
                assert!(problem.contains(": "), "a remedy: {message}");
            }
        }
    }

    /// The header's length may look like another format's first bytes.
    #[test]
    fn a_safetensors_file_that_is_cut_short_is_not_taken_for_another_format() {
        for length in [0x0280_u64, 0x0580, 0x0008_8b1f, 0x0403_4b50, 0x4655_4747] {
            let file = [&length.to_le_bytes(), &b"{\"heads.price.bias\":"[..]].concat();
            for end in 1..file.len() {
                assert_eq!(recognized(&file[..end]), None, "{length:x}, {end} bytes");
            }
        }
        for text in ["a,b\n1,2\n", "no weights at all", "\0\0\0\0\0\0\0\0\0"] {
            assert_eq!(recognized(text.as_bytes()), None, "{text}");
            let message = notes("w", text.as_bytes()).unwrap_err().to_string();
            assert!(message.starts_with("w: this is not a whole safetensors file"), "{message}");
        }
    }
}
