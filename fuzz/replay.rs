//! Replays a corpus and some thousands of texts near it: the short run of the fuzz targets that is part of every test run.

use std::path::Path;

/// Texts near the corpus that are tried, shared out among its files.
const NEAR: usize = 3000;

/// A small generator of the same numbers every time, so that a failure can be had again (Steele and others, 2014).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound.max(1) as u64).unwrap_or(0)
    }
}

/// The text with a byte changed, a part cut out, or a part written twice.
fn near(text: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    const BYTES: &[u8] = b"{}[]\",:\\/0123456789.eE-+*?_ntu\r\n\xff\xc3 aA";
    let mut text = text.to_vec();
    for _ in 0..=numbers.below(3) {
        let (from, length) = (numbers.below(text.len()), numbers.below(12));
        let to = (from + length).min(text.len());
        match numbers.below(4) {
            0 => drop(text.drain(from..to)),
            1 => {
                let part = text[from..to].to_vec();
                text.splice(from..from, part);
            }
            _ => {
                if let Some(byte) = text.get_mut(from) {
                    *byte = BYTES[numbers.below(BYTES.len())];
                }
            }
        }
    }
    text
}

/// Runs the body of a target on its corpus and near it.
pub fn replay(target: &str, body: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files: Vec<_> =
        std::fs::read_dir(&corpus).expect("a corpus").map(|file| file.expect("a file").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{target}");
    for (file, seed) in files.iter().zip(0_u64..) {
        let text = std::fs::read(file).expect("reads");
        body(&text);
        let mut numbers = Numbers(seed << 32);
        for _ in 0..NEAR.div_ceil(files.len()) {
            body(&near(&text, &mut numbers));
        }
    }
}
