//! The arguments of `cdrlake fetch`.

use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use cdrlake::sync::parse_offering;
use cdrlake_fetch::{
    AccountNumber, Bill, Days, Endpoint, InvoiceNumber, Lookup, Month, NumberOrderId, Offering,
    Operation, OrderId, Profile, Task, UNRATED_DAYS, Usage, Year,
};
use clap::{Args, Subcommand};
use jiff::civil::Date;

/// How `cdrlake fetch` is called.
#[derive(Debug, Args)]
pub(crate) struct FetchArguments {
    #[command(subcommand)]
    pub(crate) what: What,

    /// Where endpoint, credentials and ca_file may be set [default: cdrlake.toml, for what else it sets]
    #[arg(long, value_name = "FILE.toml", global = true)]
    #[arg(env = "CDRLAKE_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    #[command(flatten)]
    Files(Files),
    #[command(flatten)]
    Json(Json),
}

/// What comes as files, into an inbox.
#[derive(Debug, Subcommand)]
pub(crate) enum Files {
    /// Unrated CDRs of some days; the carrier keeps them for 90 days.
    ///
    /// A rerun leaves out days that were fetched when all their files were there, as long as the
    /// inbox still has them.
    Unrated(UnratedArguments),
    /// One consolidated file of unrated CDRs: ordered, waited for, downloaded.
    ///
    /// The carrier promises it within two hours and keeps it for five days.
    Consolidated(ConsolidatedArguments),
    /// Rated CDRs of a month. They are stored as they come: their format is not public.
    Rated(BillArguments),
    /// Charges of a month besides calls. They are stored as they come: their format is not public.
    NonUsage(BillArguments),
}

/// What comes as JSON, to standard output: calls of the number API that change nothing.
#[derive(Debug, Subcommand)]
pub(crate) enum Json {
    /// Free numbers or the number inventory (GET numberCollection), as JSON.
    ///
    /// The answer is handed on as it comes. Without valid access to the number API the carrier may
    /// answer with a mock.
    Numbers(NumbersArguments),
    /// What became of an order of numbers (GET order), as JSON.
    ///
    /// The answer is handed on as it comes. Without valid access to the number API the carrier may
    /// answer with a mock.
    Order(NumberOrderArguments),
}

#[derive(Debug, Args)]
pub(crate) struct NumbersArguments {
    /// A parameter of the query, by the name that the carrier's guide gives it; may be repeated.
    ///
    /// It is passed on as it is.
    #[arg(long, value_name = "NAME=VALUE", value_parser = parameter)]
    query: Vec<(String, String)>,

    #[command(flatten)]
    json: JsonArguments,
}

#[derive(Debug, Args)]
pub(crate) struct NumberOrderArguments {
    /// The order's id.
    #[arg(long, value_name = "ID")]
    order_id: NumberOrderId,

    #[command(flatten)]
    json: JsonArguments,
}

/// What both have in common.
#[derive(Debug, Args)]
pub(crate) struct JsonArguments {
    /// Write the answer to this file, in place of any earlier one [default: standard output]
    #[arg(short, long, value_name = "FILE.json")]
    pub(crate) output: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) connection: ConnectionArguments,
}

#[derive(Debug, Args)]
pub(crate) struct UnratedArguments {
    /// The reseller profile.
    #[arg(long, value_name = "PROFILE")]
    profile: Profile,

    /// The product: offering, name or identifier, in any case.
    #[arg(long, value_name = "PRODUCT", value_parser = parse_offering)]
    product: Offering,

    /// The first day, as 2026-11-01.
    #[arg(long, value_name = "DATE")]
    from: Date,

    /// The last day [default: the first]
    #[arg(long, value_name = "DATE")]
    to: Option<Date>,

    /// How many days a request asks for.
    #[arg(long, value_name = "N", default_value = "1")]
    chunk_days: NonZero<u32>,

    #[command(flatten)]
    download: DownloadArguments,
}

#[derive(Debug, Args)]
pub(crate) struct ConsolidatedArguments {
    /// The reseller profile.
    #[arg(long, value_name = "PROFILE")]
    profile: Profile,

    /// The product: offering, name or identifier, in any case.
    #[arg(long, value_name = "PRODUCT", value_parser = parse_offering)]
    #[arg(required_unless_present = "order_id", conflicts_with = "order_id")]
    product: Option<Offering>,

    /// The first day, as 2026-11-01.
    #[arg(long, value_name = "DATE")]
    #[arg(required_unless_present = "order_id", conflicts_with = "order_id")]
    from: Option<Date>,

    /// The last day [default: the first]
    #[arg(long, value_name = "DATE", conflicts_with = "order_id")]
    to: Option<Date>,

    /// Wait for what was ordered earlier, and order nothing.
    #[arg(long, value_name = "ID")]
    order_id: Option<OrderId>,

    /// How many days an order may have [default: all, which may be 90]
    #[arg(long, value_name = "N", conflicts_with = "order_id")]
    chunk_days: Option<NonZero<u32>>,

    /// How long to wait for an order.
    #[arg(long, value_name = "TIME", default_value = "2h", value_parser = duration)]
    wait: Duration,

    #[command(flatten)]
    download: DownloadArguments,
}

#[derive(Debug, Args)]
pub(crate) struct BillArguments {
    /// The OCN.
    #[arg(long, value_name = "OCN")]
    ocn: AccountNumber,

    /// The BCN.
    #[arg(long, value_name = "BCN")]
    bcn: Option<AccountNumber>,

    /// The invoice number.
    #[arg(long, value_name = "NUMBER")]
    invoice: Option<InvoiceNumber>,

    /// The month, as Nov.
    #[arg(long, value_name = "MONTH")]
    month: Option<Month>,

    /// The year, as 2026.
    #[arg(long, value_name = "YEAR")]
    year: Option<Year>,

    #[command(flatten)]
    download: DownloadArguments,
}

/// What all four have in common.
#[derive(Debug, Args)]
pub(crate) struct DownloadArguments {
    /// The directory to store files in; it is made if it is not there.
    ///
    /// A file appears under its name only when it is whole and tests clean; nothing is replaced.
    #[arg(short, long, value_name = "INBOX", required_unless_present = "dry_run")]
    pub(crate) output: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) transfer: TransferArguments,
}

/// How files are fetched.
#[derive(Debug, Args)]
pub(crate) struct TransferArguments {
    #[command(flatten)]
    pub(crate) connection: ConnectionArguments,

    /// How many downloads at a time.
    #[arg(long, value_name = "N", default_value = "4")]
    pub(crate) jobs: NonZero<usize>,

    /// No progress bar, on a terminal either.
    #[arg(long)]
    pub(crate) no_progress: bool,
}

/// How the carrier is talked to.
#[derive(Debug, Args)]
pub(crate) struct ConnectionArguments {
    /// production, sandbox, or a base URL.
    ///
    /// Plain http is for loopback addresses only.
    #[arg(long, value_name = "WHERE", default_value = "production")]
    #[arg(env = "CDRLAKE_ENDPOINT", hide_env_values = true)]
    pub(crate) endpoint: Endpoint,

    /// A file with CDRLAKE_CONSUMER_KEY=… and CDRLAKE_CONSUMER_SECRET=…, or CDRLAKE_ACCESS_TOKEN=…
    /// [default: the environment]
    ///
    /// Nobody else may read it: mode 0600, or root's with 0640.
    #[arg(long, value_name = "FILE", env = "CDRLAKE_CREDENTIALS", hide_env_values = true)]
    pub(crate) credentials: Option<PathBuf>,

    /// Certificates to trust, in PEM, in place of the public ones.
    #[arg(long, value_name = "FILE.pem", env = "CDRLAKE_CA_FILE", hide_env_values = true)]
    pub(crate) ca_file: Option<PathBuf>,

    /// How long to wait in sum before a request that failed is given up.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    pub(crate) retry_for: Duration,

    /// How long a request may take with its answer.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration)]
    pub(crate) timeout: Duration,

    /// Print the requests, and send none.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Print errors only.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

impl Json {
    pub(crate) fn arguments(&self) -> &JsonArguments {
        match self {
            Self::Numbers(arguments) => &arguments.json,
            Self::Order(arguments) => &arguments.json,
        }
    }

    pub(crate) fn lookup(&self) -> Lookup {
        match self {
            Self::Numbers(arguments) => Lookup::Numbers { query: arguments.query.clone() },
            Self::Order(arguments) => Lookup::Order { order_id: arguments.order_id.clone() },
        }
    }
}

impl Files {
    pub(crate) fn download(&self) -> &DownloadArguments {
        match self {
            Self::Unrated(arguments) => &arguments.download,
            Self::Consolidated(arguments) => &arguments.download,
            Self::Rated(arguments) | Self::NonUsage(arguments) => &arguments.download,
        }
    }

    /// Whose names decide where a file's name can be split in several ways.
    pub(crate) fn profile(&self) -> Option<&Profile> {
        match self {
            Self::Unrated(arguments) => Some(&arguments.profile),
            Self::Consolidated(arguments) => Some(&arguments.profile),
            Self::Rated(_) | Self::NonUsage(_) => None,
        }
    }

    pub(crate) fn wait(&self) -> Option<Duration> {
        match self {
            Self::Consolidated(arguments) => Some(arguments.wait),
            _ => None,
        }
    }

    /// What there is to do, or why that cannot be.
    pub(crate) fn tasks(&self) -> Result<Vec<Task>, String> {
        match self {
            Self::Unrated(arguments) => arguments.tasks(),
            Self::Consolidated(arguments) => arguments.tasks(),
            Self::Rated(arguments) => Ok(vec![Task::Download(Operation::Rated(arguments.bill()))]),
            Self::NonUsage(arguments) => {
                Ok(vec![Task::Download(Operation::NonUsage(arguments.bill()))])
            }
        }
    }
}

impl UnratedArguments {
    fn tasks(&self) -> Result<Vec<Task>, String> {
        let days = days(self.from, self.to)?;
        let usage = |days| Usage { profile: self.profile.clone(), offering: self.product, days };
        let chunks = days.chunks(self.chunk_days);
        Ok(chunks.map(|days| Task::Download(Operation::Unrated(usage(days)))).collect())
    }
}

impl ConsolidatedArguments {
    fn tasks(&self) -> Result<Vec<Task>, String> {
        let profile = self.profile.clone();
        if let Some(order_id) = self.order_id.clone() {
            return Ok(vec![Task::Resume { profile, order_id }]);
        }
        // clap has seen to it that these are there.
        let (Some(offering), Some(from)) = (self.product, self.from) else {
            return Err("give --product and --from, or --order-id".to_owned());
        };
        let days = days(from, self.to)?;
        let chunk = self.chunk_days.map_or(days.count(), NonZero::get);
        if chunk.min(days.count()) > UNRATED_DAYS {
            return Err(format!("an order may have at most {UNRATED_DAYS} days"));
        }
        let chunk = NonZero::new(chunk).unwrap_or(NonZero::<u32>::MIN);
        let usage = |days| Usage { profile: profile.clone(), offering, days };
        Ok(days.chunks(chunk).map(|days| Task::Order(usage(days))).collect())
    }
}

impl BillArguments {
    fn bill(&self) -> Bill {
        Bill {
            ocn: self.ocn.clone(),
            bcn: self.bcn.clone(),
            invoice: self.invoice.clone(),
            month: self.month,
            year: self.year.clone(),
        }
    }
}

fn days(from: Date, to: Option<Date>) -> Result<Days, String> {
    Days::new(from, to.unwrap_or(from)).map_err(|error| error.to_string())
}

/// A parameter of a query.
fn parameter(text: &str) -> Result<(String, String), &'static str> {
    let parts = text.split_once('=').filter(|(name, _)| !name.is_empty());
    parts.map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or("expected NAME=VALUE")
}

/// A time like 90s, 15m or 2h.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a time like 90s, 15m or 2h".to_owned();
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let seconds = match text[digits.len()..].trim().to_ascii_lowercase().as_str() {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        _ => return Err(wrong()),
    };
    let number = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(seconds));
    // A year is as good as for ever, and no deadline overflows.
    const LONGEST: u64 = 366 * 24 * 3600;
    number.filter(|seconds| *seconds <= LONGEST).map(Duration::from_secs).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("2 h", 7200), ("0s", 0)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)));
        }
        for wrong in ["", "2", "h", "1.5h", "-1s", "2d", "9999999h", "99999999999999999999s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
