//! An answer, and what may be wrong with it.

use std::time::Duration;

/// An answer of the server.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Headers besides those that frame the body.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How the body's end is told.
    pub framing: Framing,
    /// What goes wrong on the way.
    pub breach: Breach,
}

/// How a body's end is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// By its length.
    Length,
    /// By a last chunk; chunks are of 7 bytes, so that their borders fall everywhere.
    Chunked,
    /// By the end of the connection.
    Close,
}

/// What goes wrong on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Breach {
    /// Nothing.
    None,
    /// The connection ends after so many bytes of the body, framing included.
    Cut(usize),
    /// The connection is reset after so many bytes of the body, framing included.
    Reset(usize),
    /// The body comes so many bytes at a time, with a pause in front of each.
    Drip(usize, Duration),
    /// Content-Length says so.
    Length(u64),
    /// Nothing comes at all, for so long.
    Silence(Duration),
    /// These bytes come instead.
    Raw(Vec<u8>),
}

impl Reply {
    /// An answer with a body of a content type.
    #[must_use]
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
            body: body.into(),
            framing: Framing::Length,
            breach: Breach::None,
        }
    }

    /// An answer without body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { headers: Vec::new(), ..Self::new(status, "", "") }
    }

    /// A file.
    #[must_use]
    pub fn zip(name: &str, body: impl Into<Vec<u8>>) -> Self {
        let disposition = format!("attachment; filename=\"{name}\"");
        Self::new(200, "application/zip", body).with("Content-Disposition", &disposition)
    }

    /// The carrier's error payload.
    #[must_use]
    pub fn error(http_status: u16, code: &str, reason: &str, message: &str) -> Self {
        let escape = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let body = format!(
            r#"{{"code": "{}", "reason": "{}", "message": "{}", "status": "{http_status}-01"}}"#,
            escape(code),
            escape(reason),
            escape(message)
        );
        Self::new(http_status, "application/json", body)
    }

    /// With one more header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With its body framed otherwise.
    #[must_use]
    pub fn framed(self, framing: Framing) -> Self {
        Self { framing, ..self }
    }

    /// With something going wrong.
    #[must_use]
    pub fn breached(self, breach: Breach) -> Self {
        Self { breach, ..self }
    }

    /// The file in a `multipart/form-data` body, as the documents show it.
    #[must_use]
    pub fn in_multipart(mut self) -> Self {
        const BOUNDARY: &str = "645501572420247968528808";
        let mut body = format!("--{BOUNDARY}\r\n").into_bytes();
        for (name, value) in &self.headers {
            let value = value.replace("attachment;", "form-data; name=\"file\";");
            body.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        body.extend_from_slice(b"\r\n");
        body.append(&mut self.body);
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        Self {
            body,
            ..Self::new(self.status, &format!("multipart/form-data; boundary={BOUNDARY}"), "")
        }
    }

    /// The body with its framing, as it goes over the wire.
    #[must_use]
    pub fn framed_body(&self) -> Vec<u8> {
        match self.framing {
            Framing::Length | Framing::Close => self.body.clone(),
            Framing::Chunked => {
                let mut framed = Vec::new();
                for chunk in self.body.chunks(7) {
                    framed.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                    framed.extend_from_slice(chunk);
                    framed.extend_from_slice(b"\r\n");
                }
                framed.extend_from_slice(b"0\r\n\r\n");
                framed
            }
        }
    }

    /// The status line and all headers.
    pub(crate) fn head(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, phrase(self.status));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        match (&self.breach, self.framing) {
            (Breach::Length(length), _) => head.push_str(&format!("Content-Length: {length}\r\n")),
            (_, Framing::Length) if self.status == 204 => {}
            (_, Framing::Length) => {
                head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
            }
            (_, Framing::Chunked) => head.push_str("Transfer-Encoding: chunked\r\n"),
            (_, Framing::Close) => head.push_str("Connection: close\r\n"),
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    /// Whether the connection can serve another request after it.
    pub(crate) fn keeps_connection(&self) -> bool {
        self.framing != Framing::Close && matches!(self.breach, Breach::None | Breach::Drip(..))
    }
}

fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        413 => "Payload Too Large",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => "Status",
    }
}
