//! `cdrlake-sandbox`: something to fetch from, without credentials.

#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::park;
use std::time::Duration;

use anyhow::{Context, Result};
use cdrlake_sandbox::{
    Breach, Carrier, Certificate, Certificates, Reply, Request, Sandbox, Settings,
};
use clap::{Parser, ValueEnum};

/// A stand-in for the carrier's API on this machine, with synthetic records.
///
/// It prints what `cdrlake fetch` needs, and serves until it is interrupted.
#[derive(Debug, Parser)]
#[command(name = "cdrlake-sandbox", version, max_term_width = 100)]
struct Arguments {
    /// The port on 127.0.0.1.
    #[arg(long, default_value_t = 8229)]
    port: u16,

    /// Serve https, and write the certificate of its authority here, for --ca-file.
    #[arg(long, value_name = "FILE.pem")]
    https: Option<PathBuf>,

    /// Records of a day.
    #[arg(long, default_value_t = 1000)]
    records: u64,

    /// Send files in multipart/form-data.
    #[arg(long)]
    multipart: bool,

    /// Let a token expire after so many requests.
    #[arg(long, value_name = "N", default_value_t = u32::MAX, hide_default_value = true)]
    token_requests: u32,

    /// What goes wrong.
    #[arg(long, value_enum)]
    fault: Option<Fault>,

    /// How often: with each Nth file.
    #[arg(long, value_name = "N", default_value_t = 2)]
    every: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Fault {
    /// The connection ends in the middle of the file.
    Cut,
    /// The connection is reset in the middle of the file.
    Reset,
    /// The file comes a few bytes at a time.
    Drip,
    /// Content-Length promises more.
    Lie,
    /// A web page comes instead.
    Html,
    /// Another origin is to be asked.
    Redirect,
    /// 429, with a Retry-After of two seconds.
    Throttle,
    /// 503.
    Down,
    /// 204.
    Empty,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let carrier = Arc::new(Carrier::new(Settings {
        records: arguments.records,
        multipart: arguments.multipart,
        token_requests: arguments.token_requests,
        ..Settings::default()
    }));
    let served = AtomicU64::new(0);
    let (fault, every) = (arguments.fault, arguments.every.max(1));
    let handler = move |request: &Request| {
        let reply = carrier.answer(request);
        let is_file = reply.status == 200 && request.resource() != "token";
        let reply = match fault {
            Some(fault)
                if is_file && served.fetch_add(1, Ordering::Relaxed) % every == every - 1 =>
            {
                fault.of(reply)
            }
            _ => reply,
        };
        println!("{} {} {}", reply.status, request.method, request.path);
        reply
    };
    let (sandbox, ca_file) = match &arguments.https {
        None => (Sandbox::http(arguments.port, handler), String::new()),
        Some(path) => {
            let certificates = Certificates::new();
            fs::write(path, certificates.authority_pem())
                .with_context(|| format!("cannot write {}", path.display()))?;
            let started = Sandbox::https(arguments.port, &certificates, Certificate::Good, handler);
            (started.map(|(sandbox, _)| sandbox), format!(" --ca-file {}", path.display()))
        }
    };
    let sandbox = sandbox.with_context(|| format!("cannot listen on port {}", arguments.port))?;
    let Settings { key, secret, .. } = Settings::default();
    println!("export CDRLAKE_CONSUMER_KEY={key} CDRLAKE_CONSUMER_SECRET={secret}");
    println!(
        "cdrlake fetch unrated --endpoint {}{ca_file} --profile ABC --product 'SIP Trunking' \
         --from 2026-11-01 --to 2026-11-07 -o inbox/",
        sandbox.url()
    );
    loop {
        park();
    }
}

impl Fault {
    fn of(self, reply: Reply) -> Reply {
        let half = reply.framed_body().len() / 2;
        match self {
            Self::Cut => reply.breached(Breach::Cut(half)),
            Self::Reset => reply.breached(Breach::Reset(half)),
            Self::Drip => reply.breached(Breach::Drip(64, Duration::from_millis(20))),
            Self::Lie => {
                let length = reply.body.len() as u64 + 1;
                reply.breached(Breach::Length(length))
            }
            Self::Html => Reply::new(200, "text/html", "<html>Please sign in</html>"),
            Self::Redirect => Reply::empty(302).with("Location", "http://127.0.0.2:1/"),
            Self::Throttle => {
                Reply::error(429, "429-01", "Too many requests", "Please retry after some time.")
                    .with("Retry-After", "2")
            }
            Self::Down => {
                Reply::error(503, "503-001", "service unavailable", "Backend unavailable.")
            }
            Self::Empty => Reply::empty(204),
        }
    }
}
