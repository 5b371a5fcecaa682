//! Where the body of an answer ends (RFC 9112, 6.3), as `hyper` reads it.

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Method, Response, StatusCode, Version};

use super::chunks::Chunks;
use crate::error::EgressError;

/// How the end of a body is known, and how far it is.
#[derive(Debug)]
pub(super) enum Framing {
    /// After so many bytes more.
    Length(u64),
    /// After the last chunk.
    Chunks(Chunks),
    /// When the connection is closed.
    Close,
    /// Nowhere: it broke off, or what came is no body.
    Broken,
}

impl Framing {
    /// Nothing more is to come.
    pub const OVER: Self = Self::Length(0);

    /// How the body behind this head ends.
    pub fn of(method: &Method, head: &Response<()>) -> Result<Self, EgressError> {
        let bodiless = matches!(
            head.status(),
            StatusCode::SWITCHING_PROTOCOLS | StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        );
        if bodiless || *method == Method::HEAD {
            return Ok(Self::OVER);
        }
        if let Some(last) = head.headers().get_all(TRANSFER_ENCODING).iter().next_back() {
            let last = last.to_str().unwrap_or_default().rsplit(',').next().unwrap_or_default();
            return match head.version() {
                Version::HTTP_10 => Err(EgressError::Broken),
                _ if last.trim().eq_ignore_ascii_case("chunked") => Ok(Self::Chunks(Chunks::default())),
                _ => Ok(Self::Close),
            };
        }
        Ok(length(head.headers())?.map_or(Self::Close, Self::Length))
    }

    /// What of these bytes belongs to the body. What comes after its end is left out, and so is what can't be understood.
    pub fn take(&mut self, bytes: &[u8]) -> Bytes {
        match self {
            Self::Length(left) => {
                let taken = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                *left -= taken as u64;
                Bytes::copy_from_slice(&bytes[..taken])
            }
            Self::Chunks(chunks) => {
                let mut data = BytesMut::with_capacity(bytes.len());
                if chunks.take(bytes, &mut data).is_none() {
                    *self = Self::Broken;
                }
                data.freeze()
            }
            Self::Close => Bytes::copy_from_slice(bytes),
            Self::Broken => Bytes::new(),
        }
    }

    /// Notes that the connection was closed.
    pub fn end(&mut self) {
        *self = if matches!(self, Self::Close) { Self::OVER } else { Self::Broken };
    }

    /// Whether nothing more is to come; an error, if the end can't come any more.
    pub fn is_over(&self) -> Result<bool, EgressError> {
        match self {
            Self::Length(left) => Ok(*left == 0),
            Self::Chunks(chunks) => Ok(chunks.are_over()),
            Self::Close => Ok(false),
            Self::Broken => Err(EgressError::Broken),
        }
    }

    /// How many bytes are to come, where that is known.
    pub fn left(&self) -> Option<u64> {
        match self {
            Self::Length(left) => Some(*left),
            Self::Chunks(_) | Self::Close | Self::Broken => None,
        }
    }
}

/// The length that the head says; it may say it several times, but nothing else.
fn length(headers: &HeaderMap) -> Result<Option<u64>, EgressError> {
    let mut said = None;
    for value in headers.get_all(CONTENT_LENGTH) {
        for length in value.to_str().map_err(|_| EgressError::Broken)?.split(',') {
            let length = length.trim();
            if !length.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(EgressError::Broken);
            }
            let length = length.parse::<u64>().map_err(|_| EgressError::Broken)?;
            if *said.get_or_insert(length) != length {
                return Err(EgressError::Broken);
            }
        }
    }
    Ok(said)
}
