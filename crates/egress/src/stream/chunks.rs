//! A body in chunks (RFC 9112, 7.1), read byte by byte between their data, so that nothing has to be kept of what came in
//! part. Extensions are passed over; trailers are too, if they are headers.

use bytes::BytesMut;
use httparse::{EMPTY_HEADER, Status};

/// Bytes of the extensions of one chunk, and of all trailers.
const MAX_REST: usize = 16 * 1024;
/// Trailers, as many as `hyper` takes.
const MAX_TRAILERS: usize = 100;

/// How far the chunks are read.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    at: At,
    /// Bytes of data that are left of the chunk at hand.
    left: u64,
    /// Bytes of its extensions.
    extensions: usize,
    trailers: Vec<u8>,
}

/// What comes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// The first digit of a chunk's size.
    #[default]
    Start,
    /// Another, or what follows the size.
    Size,
    /// Space behind it.
    Space,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    /// A trailer, or the empty line that ends the body.
    Line,
    Trailer,
    TrailerLf,
    LastLf,
    Over,
}

impl Chunks {
    /// Adds to `data` what these bytes bring of it; nothing, if they are no chunks.
    pub fn take(&mut self, mut bytes: &[u8], data: &mut BytesMut) -> Option<()> {
        while let [first, rest @ ..] = bytes {
            match self.at {
                At::Over => break,
                At::Data => {
                    let taken = usize::try_from(self.left).map_or(bytes.len(), |left| left.min(bytes.len()));
                    data.extend_from_slice(&bytes[..taken]);
                    bytes = &bytes[taken..];
                    self.left -= taken as u64;
                    if self.left == 0 {
                        self.at = At::DataCr;
                    }
                }
                _ => {
                    self.at = self.step(*first)?;
                    bytes = rest;
                }
            }
        }
        Some(())
    }

    /// Whether the last one is here, and the empty line behind it.
    pub fn are_over(&self) -> bool {
        self.at == At::Over
    }

    /// Where a byte between data leads.
    fn step(&mut self, byte: u8) -> Option<At> {
        match (self.at, byte) {
            (At::Start | At::Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = char::from(byte).to_digit(16)?;
                self.left = self.left.checked_mul(16)?.checked_add(u64::from(digit))?;
                self.extensions = 0;
                Some(At::Size)
            }
            (At::Size | At::Space, b' ' | b'\t') => Some(At::Space),
            (At::Size | At::Space, b';') => Some(At::Extension),
            (At::Size | At::Space | At::Extension, b'\r') => Some(At::SizeLf),
            (At::SizeLf, b'\n') => Some(if self.left == 0 { At::Line } else { At::Data }),
            (At::DataCr, b'\r') => Some(At::DataLf),
            (At::DataLf, b'\n') => Some(At::Start),
            // A line that ends by one alone would not end there for others.
            (At::Extension, byte) if byte != b'\n' && self.extensions < MAX_REST => {
                self.extensions += 1;
                Some(At::Extension)
            }
            (At::Line | At::Trailer | At::TrailerLf | At::LastLf, byte) if self.trailers.len() < MAX_REST => {
                self.trailers.push(byte);
                match (self.at, byte) {
                    (At::Line, b'\r') => Some(At::LastLf),
                    (At::Trailer, b'\r') => Some(At::TrailerLf),
                    (At::Line | At::Trailer, byte) if byte != b'\n' => Some(At::Trailer),
                    (At::TrailerLf, b'\n') => Some(At::Line),
                    (At::LastLf, b'\n') if are_headers(&self.trailers) => Some(At::Over),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// Whether these are headers, and the empty line behind them.
fn are_headers(bytes: &[u8]) -> bool {
    let mut headers = [EMPTY_HEADER; MAX_TRAILERS];
    matches!(httparse::parse_headers(bytes, &mut headers), Ok(Status::Complete(_)))
}
