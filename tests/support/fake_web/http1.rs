//! Requests and responses over HTTP/1.1.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{Ending, Framing, Reply, Request, Site};

/// One request and its response; returns the way in which the connection ends, if it does.
pub(super) async fn exchange<S>(
    stream: &mut S,
    at: SocketAddr,
    tls: bool,
    connection: usize,
    site: &Site,
) -> Option<Ending>
where
    S: AsyncBufReadExt + AsyncRead + AsyncWrite + Unpin,
{
    let Some(request) = read_request(stream, at, tls, connection).await else { return Some(Ending::Orderly) };
    let index = site.record(&request);
    let reply = site.reply(&request);
    let says_nothing = reply.raw.as_ref().is_some_and(Vec::is_empty);
    if reply.ending == Ending::Reset && says_nothing {
        return Some(Ending::Reset);
    }
    let sent = send(stream, &reply).await;
    site.log.lock().unwrap()[index].end = Some(Instant::now());
    match reply.ending {
        Ending::Held => {
            // Until the client disconnects.
            let _ = stream.read_u8().await;
        }
        // A client that reads slowly still gets the earlier bytes.
        Ending::Reset => {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        _ => {}
    }
    (sent.is_err() || reply.ending != Ending::Orderly || !reply.keeps_connection()).then_some(reply.ending)
}

async fn read_request<S>(stream: &mut S, at: SocketAddr, tls: bool, connection: usize) -> Option<Request>
where
    S: AsyncBufReadExt + Unpin,
{
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|&length| length > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let start = Instant::now();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|&length| length > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let host = headers.iter().find(|(name, _)| name == "host").map(|(_, host)| host.clone())?;
    let host = host.split(':').next().unwrap_or_default().to_owned();
    Some(Request { host, path, headers, at, tls, http2: false, connection, start, end: None })
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, reply: &Reply) -> std::io::Result<()> {
    tokio::time::sleep(reply.wait).await;
    let (piece, pause) = reply.drip.unwrap_or((64 << 10, Duration::ZERO));
    if let Some(raw) = &reply.raw {
        stream.write_all(raw).await?;
        let at_once = if pause.is_zero() { 1_000 } else { 1 };
        let endless = reply.endless.as_ref().map(|piece| piece.repeat(at_once));
        while let Some(endless) = &endless {
            stream.write_all(endless).await?;
            stream.flush().await?;
            tokio::time::sleep(pause).await;
        }
        return stream.flush().await;
    }
    stream.write_all(&reply.head()).await?;
    for piece in reply.body.chunks(piece) {
        match reply.framing {
            Framing::Chunked => {
                let head = format!("{:x}\r\n", piece.len());
                stream.write_all(&[head.as_bytes(), piece, b"\r\n"].concat()).await?;
            }
            _ => stream.write_all(piece).await?,
        }
        if !pause.is_zero() {
            stream.flush().await?;
            tokio::time::sleep(pause).await;
        }
    }
    if matches!(reply.framing, Framing::Chunked) {
        stream.write_all(b"0\r\n\r\n").await?;
    }
    stream.flush().await
}
