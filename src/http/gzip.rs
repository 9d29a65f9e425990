//! gzip (RFC 1952) of a text that is written chunk by chunk. Speaks flate2.
//!
//! Each chunk is compressed by itself: so one [`Compressor`], with its tables of some hundred
//! kilobytes, serves all texts by turns, and a text whose client does not read on holds nothing but
//! its checksum. What that costs in length is little, as chunks are long and much alike within.

use std::io;

use flate2::{Compress, Compression, Crc, FlushCompress};

#[cfg(test)]
mod tests;

/// No name, no time; as fast as possible; from no system in particular.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];

/// A last block with nothing in it: the ones before say that more follow.
const LAST_BLOCK: [u8; 2] = [3, 0];

/// By how much a text can grow: five bytes for each block that is stored as it is.
const GROWTH: usize = 1024;

/// What chunks are compressed by.
pub struct Compressor(Compress);

impl Default for Compressor {
    fn default() -> Self {
        Self(Compress::new(Compression::fast(), false))
    }
}

/// One text.
pub struct Gzip {
    crc: Crc,
    is_begun: bool,
}

impl Gzip {
    /// Before its first chunk.
    pub fn new() -> Self {
        Self {
            crc: Crc::new(),
            is_begun: false,
        }
    }

    /// The next chunk, compressed; if it is the last one, with what ends a text.
    ///
    /// # Errors
    /// If the library finds itself in a state that its interface excludes.
    pub fn chunk(
        &mut self,
        Compressor(compress): &mut Compressor,
        text: &[u8],
        is_last: bool,
    ) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        if !self.is_begun {
            self.is_begun = true;
            out.extend(HEADER);
        }
        self.crc.update(text);
        compress.reset();
        loop {
            // Text becomes a tenth.
            out.reserve(text.len() / 8 + GROWTH);
            let done = usize::try_from(compress.total_in()).map_err(io::Error::other)?;
            let rest = text.get(done..).unwrap_or_default();
            compress.compress_vec(rest, &mut out, FlushCompress::Sync)?;
            // With room left over, it has written all that it holds.
            let is_taken = compress.total_in() >= u64::try_from(text.len()).unwrap_or(u64::MAX);
            if is_taken && out.len() < out.capacity() {
                break;
            }
        }
        if is_last {
            out.extend(LAST_BLOCK);
            out.extend(self.crc.sum().to_le_bytes());
            out.extend(self.crc.amount().to_le_bytes());
        }
        Ok(out)
    }
}
