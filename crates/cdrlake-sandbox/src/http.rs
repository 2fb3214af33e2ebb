//! Requests read off a connection, and answers written to it.

use std::io::{self, BufRead, Read, Write};
use std::thread::sleep;

use crate::reply::{Breach, Reply};

/// What a client asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// As `GET`.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// The query, unescaped.
    pub query: Vec<(String, String)>,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, if Content-Length told one.
    pub body: Vec<u8>,
    /// Which connection it came over, from 0.
    pub connection: usize,
}

impl Request {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A parameter of the query.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The last part of the path.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// The next request; none if the client has left.
pub(crate) fn read_request(
    reader: &mut impl BufRead,
    connection: usize,
) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: pairs(query),
        headers,
        body: Vec::new(),
        connection,
    };
    let length = request.header("content-length").and_then(|length| length.parse().ok());
    reader.take(length.unwrap_or(0)).read_to_end(&mut request.body)?;
    Ok(Some(request))
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (unescape(name), unescape(value))
        })
        .collect()
}

fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits: String = rest.by_ref().take(2).map(char::from).collect();
                u8::from_str_radix(&digits, 16).unwrap_or(b'?')
            }
            b'+' => b' ',
            byte => byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Writes `reply`, with what is wrong with it.
pub(crate) fn write_reply(writer: &mut impl Write, reply: &Reply) -> io::Result<()> {
    let body = reply.framed_body();
    match &reply.breach {
        Breach::Silence(pause) => sleep(*pause),
        Breach::Raw(bytes) => writer.write_all(bytes)?,
        Breach::None | Breach::Length(_) => {
            writer.write_all(&[reply.head(), body].concat())?;
        }
        Breach::Cut(end) | Breach::Reset(end) => {
            let body = &body[..body.len().min(*end)];
            writer.write_all(&[&reply.head(), body].concat())?;
        }
        Breach::Drip(len, pause) => {
            writer.write_all(&reply.head())?;
            writer.flush()?;
            for drop in body.chunks((*len).max(1)) {
                sleep(*pause);
                writer.write_all(drop)?;
                writer.flush()?;
            }
        }
    }
    writer.flush()
}
