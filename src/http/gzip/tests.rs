use std::io::Read;

use flate2::read::GzDecoder;
use proptest::prelude::*;

use super::*;

/// What chunks become, by a compressor that has seen other texts.
fn zipped(chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut compressor = Compressor::default();
    let mut other = Gzip::new();
    let mut gzip = Gzip::new();
    let mut out = Vec::new();
    for (place, chunk) in chunks.iter().enumerate() {
        let is_last = place + 1 == chunks.len();
        other
            .chunk(&mut compressor, b"another text", false)
            .unwrap();
        out.extend(gzip.chunk(&mut compressor, chunk, is_last).unwrap());
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn a_reader_gets_every_byte(chunks in prop::collection::vec(chunk(), 1..5)) {
        let mut text = Vec::new();
        let zipped = zipped(&chunks);
        let read = GzDecoder::new(&*zipped).read_to_end(&mut text);
        prop_assert!(read.is_ok(), "{read:?}");
        prop_assert!(text == chunks.concat());
    }
}

/// Nothing, text that shrinks, or noise that grows.
fn chunk() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(Vec::new()),
        (0_usize..200_000).prop_map(|length| b"recess_consumer_paused{} 1\n".repeat(length / 27)),
        (1_u64.., 0_usize..100_000, 1_u8..)
            .prop_map(|(seed, length, letters)| noise(seed, length, letters)),
    ]
}

/// By xorshift, of so many letters: of few, it shrinks a little.
fn noise(mut seed: u64, length: usize, letters: u8) -> Vec<u8> {
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % u64::from(letters)) as u8
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn text_shrinks_to_a_small_part() {
    let line = |number| format!("recess_consumer_paused{{consumer_name=\"c{number}\"}} 1\n");
    let text: String = (0..2_000).map(line).collect();
    let length = zipped(&[text.clone().into_bytes()]).len();
    assert!(length * 5 < text.len(), "{length} of {}", text.len());
}
