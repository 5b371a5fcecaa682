//! The head of an answer: read until it is whole, or too long. Those of status 1xx announce another and are passed over.

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderName, HeaderValue, Response, StatusCode, Version};
use httparse::{EMPTY_HEADER, Status};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::error::EgressError;

/// Bytes of a head.
const MAX_HEAD: usize = 64 * 1024;
/// Headers in it, as many as `hyper` takes.
const MAX_HEADERS: usize = 100;
/// Bytes to begin with.
const USUAL_HEAD: usize = 1024;

/// The head, and what came with it of the body.
pub(super) async fn read(
    socket: &mut (impl AsyncRead + Unpin),
) -> Result<(Response<()>, Bytes), EgressError> {
    let mut came = BytesMut::with_capacity(USUAL_HEAD);
    loop {
        let before = came.len();
        if socket.read_buf(&mut came).await.map_err(|_| EgressError::Broken)? == 0 {
            return Err(EgressError::Broken);
        }
        // Only an end of a line can be the end of a head. Looking no oftener bounds the work, as there may be only so many lines.
        if came[before..].contains(&b'\n') {
            while let Some((head, length)) = parse(&came)? {
                came.advance(length);
                let status = head.status();
                if !status.is_informational() || status == StatusCode::SWITCHING_PROTOCOLS {
                    // A copy: what the head was read into is not kept.
                    return Ok((head, Bytes::copy_from_slice(&came)));
                }
            }
        }
        if came.len() >= MAX_HEAD {
            return Err(EgressError::Broken);
        }
    }
}

/// The first head in `bytes` and its length, if it is all there.
fn parse(bytes: &[u8]) -> Result<Option<(Response<()>, usize)>, EgressError> {
    let mut fields = [EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Response::new(&mut fields);
    let Status::Complete(length) = parsed.parse(bytes).map_err(|_| EgressError::Broken)? else {
        return Ok(None);
    };
    let mut head = Response::new(());
    *head.version_mut() = if parsed.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
    *head.status_mut() =
        StatusCode::from_u16(parsed.code.unwrap_or_default()).map_err(|_| EgressError::Broken)?;
    for field in parsed.headers {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| EgressError::Broken)?;
        let value = HeaderValue::from_bytes(field.value).map_err(|_| EgressError::Broken)?;
        head.headers_mut().append(name, value);
    }
    Ok(Some((head, length)))
}
