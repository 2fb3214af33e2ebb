//! What a product's records look like: types, numbers, switches and trunks, as the carrier's
//! samples (section 4.6) show them.

use cdrlake_core::Country;
use cdrlake_core::encode::Values;

use crate::numbers::{Form, Number, Plan};
use crate::random::Random;
use crate::text::Text;

/// A product of the carrier (section 4.4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// 00.
    VoiceLine,
    /// 10.
    SipTrunking,
    /// 11, Voice Line (v).
    IpVoiceLine,
    /// 12; from Great Britain one call in eight is Global IN.
    InForResellers,
    /// 15, Wholesale SIP.
    GeographicNumberHosting,
    /// 19: SIP Trunking's records.
    CicForResellers,
    /// 20: SIP Trunking's records.
    CicOpcReseller,
}

impl Product {
    /// Every product, by identifier.
    pub const ALL: [Self; 7] = [
        Self::VoiceLine,
        Self::SipTrunking,
        Self::IpVoiceLine,
        Self::InForResellers,
        Self::GeographicNumberHosting,
        Self::CicForResellers,
        Self::CicOpcReseller,
    ];

    /// What it is called in file names.
    #[must_use]
    pub const fn identifier(self) -> &'static str {
        match self {
            Self::VoiceLine => "00",
            Self::SipTrunking => "10",
            Self::IpVoiceLine => "11",
            Self::InForResellers => "12",
            Self::GeographicNumberHosting => "15",
            Self::CicForResellers => "19",
            Self::CicOpcReseller => "20",
        }
    }

    /// The product of an identifier; none if the carrier's table does not have it.
    #[must_use]
    pub fn of_identifier(identifier: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|product| product.identifier() == identifier)
    }
}

/// What the numbers of subscribers in one profile are drawn from.
const SUBSCRIBERS: u64 = 1 << 18;

/// What the numbers that they call are drawn from.
const CALLED: u64 = 1 << 21;

/// Services of a reseller.
const SERVICES: u64 = 400;

/// Whose call it is: a country's rules and a product's.
#[derive(Clone, Copy)]
pub(crate) struct Maker {
    pub(crate) plan: &'static Plan,
    pub(crate) country: Country,
    pub(crate) product: Product,
}

/// The values of a record but for its moment and its reseller.
#[derive(Default)]
pub(crate) struct Call {
    origin: Text,
    destination: Text,
    product_type: &'static str,
    pub(crate) duration_tenths: u32,
    pub(crate) duration_padding: Padding,
    continuation: u8,
    switch: Text,
    trunks: [Text; 2],
    account_code: Text,
    pulses: &'static str,
    charge_band: &'static str,
    service_indicator: &'static str,
    charged: Text,
    dialled: Text,
}

/// What stands before the digits of a duration.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Padding {
    #[default]
    Zeros,
    Spaces,
}

impl Call {
    pub(crate) fn values<'a>(
        &'a self,
        date: (u16, u8, u8),
        time: (u8, u8, u8),
        carrier: &'a str,
    ) -> Values<'a> {
        Values {
            origin: self.origin.as_str(),
            destination: self.destination.as_str(),
            product_type: self.product_type,
            date,
            time,
            duration_tenths: self.duration_tenths,
            continuation: self.continuation,
            switch_id: self.switch.as_str(),
            trunk_incoming: self.trunks[0].as_str(),
            trunk_outgoing: self.trunks[1].as_str(),
            account_code: self.account_code.as_str(),
            pulses_in: if self.pulses == "000000" { self.pulses } else { "" },
            pulses_generated: self.pulses,
            charge_band: self.charge_band,
            service_indicator: self.service_indicator,
            charged: self.charged.as_str(),
            dialled: self.dialled.as_str(),
            carrier,
        }
    }
}

impl Maker {
    pub(crate) fn call(&self, random: &mut Random) -> Call {
        let mut call = match self.product {
            Product::VoiceLine => self.voice_line(random),
            Product::SipTrunking | Product::CicForResellers | Product::CicOpcReseller => {
                self.sip_trunking(random)
            }
            Product::IpVoiceLine => Call { product_type: "80", ..self.trunked(random) },
            Product::InForResellers if self.country.code() == "GB" && random.one_in(8) => {
                self.global_in(random)
            }
            Product::InForResellers => self.in_for_resellers(random),
            Product::GeographicNumberHosting => self.number_hosting(random),
        };
        call.duration_tenths = duration_tenths(random);
        call
    }

    /// Bytes that a product has between record and line feed: French Voice Line's, which name the
    /// reseller again.
    pub(crate) fn has_trailer(&self) -> bool {
        self.product == Product::VoiceLine && self.country.code() == "FR"
    }

    /// Direct calls, and the number that was dialled; another party's number as account code.
    fn voice_line(&self, random: &mut Random) -> Call {
        let called = self.called(random);
        let dialled = match self.country.code() {
            "FR" => called.number.in_form(Form::International),
            _ => called.text,
        };
        let mut trunk = Text::default();
        trunk.push("OF3").push(random.choice(&["XBN", "EZL", "KDA"]).unwrap_or_default());
        trunk.push_digits(random.zipf(6), 1);
        let is_metered = random.one_in(2);
        Call {
            origin: self.caller(random).in_form(Form::National),
            destination: called.text,
            product_type: match random.below(20) {
                0 => "04",
                1 | 2 => "01",
                _ => "00",
            },
            continuation: u8::from(random.one_in(8)),
            switch: node(random),
            trunks: [Text::default(), trunk],
            account_code: self.caller(random).in_form(Form::National),
            pulses: if is_metered { "000001" } else { "" },
            charge_band: self.charge_band(random),
            service_indicator: indicator(random),
            dialled,
            ..Call::default()
        }
    }

    /// With a trunk id as C-Num; in countries that write country codes little more than numbers.
    fn sip_trunking(&self, random: &mut Random) -> Call {
        let mut call = if self.form() == Form::CountryCode {
            Call {
                origin: self.caller(random).in_form(Form::CountryCode),
                destination: self.called(random).text,
                duration_padding: Padding::Spaces,
                service_indicator: "0000",
                ..Call::default()
            }
        } else {
            self.trunked(random)
        };
        call.product_type = "79";
        call
    }

    fn trunked(&self, random: &mut Random) -> Call {
        let origin = self.caller(random).in_form(Form::National);
        let mut trunk_id = Text::default();
        trunk_id.push("SIP").push(self.country.code()).push_digits(random.zipf(64), 5);
        Call {
            origin,
            destination: self.called(random).text,
            switch: self.city(random),
            trunks: self.trunks(random),
            account_code: origin,
            charge_band: self.charge_band(random),
            service_indicator: indicator(random),
            charged: trunk_id,
            ..Call::default()
        }
    }

    /// A masked caller, a service number, and the number that it is translated to.
    fn in_for_resellers(&self, random: &mut Random) -> Call {
        let mut origin = self.caller(random).in_form(Form::National);
        origin.mask(if self.country.code() == "IT" { 3 } else { 4 });
        let service = self.plan.service(random.zipf(SERVICES)).in_form(Form::National);
        let mut trunk = Text::default();
        trunk.push_digits(1000 + random.zipf(64) * 17, 4);
        Call {
            origin,
            destination: service,
            product_type: if random.one_in(4) { "00" } else { "10" },
            switch: node(random),
            trunks: [trunk, Text::default()],
            account_code: origin,
            pulses: "000000",
            charge_band: match self.charge_band(random) {
                "" => "000000",
                band => band,
            },
            service_indicator: if random.one_in(6) { "0010" } else { "0000" },
            charged: self.plan.subscriber(random.zipf(SERVICES)).in_form(Form::National),
            dialled: service,
            ..Call::default()
        }
    }

    /// From and to countries other than the reseller's, not always translated.
    fn global_in(&self, random: &mut Random) -> Call {
        let mut origin =
            self.abroad(random).subscriber(random.zipf(SUBSCRIBERS)).in_form(Form::International);
        origin.mask(4);
        let place = self.plan.abroad(random.zipf(24));
        let service = place.service(random.zipf(SERVICES)).in_form(Form::International);
        let mut charged = Text::default();
        if random.one_in(2) {
            charged.push("00");
        } else {
            charged = place.subscriber(random.zipf(SERVICES)).in_form(Form::International);
        }
        Call {
            origin,
            destination: service,
            product_type: "00",
            switch: node(random),
            account_code: origin,
            service_indicator: "0000",
            charged,
            dialled: service,
            ..Call::default()
        }
    }

    /// Hosted numbers call and are called.
    fn number_hosting(&self, random: &mut Random) -> Call {
        let (product_type, is_incoming) = match random.below(16) {
            0 => ("06", false),
            1 | 2 => ("07", false),
            3..9 => ("08", false),
            _ => ("09", true),
        };
        let hosted = self.caller(random).in_form(Form::National);
        let other = self.called(random).text;
        let [incoming, outgoing] = self.trunks(random);
        let (origin, destination, trunks) = match is_incoming {
            false => (hosted, other, [incoming, outgoing]),
            true => {
                let other = self.plan.subscriber(random.zipf(CALLED)).in_form(Form::National);
                (other, hosted, [outgoing, incoming])
            }
        };
        Call {
            origin,
            destination,
            product_type,
            switch: self.city(random),
            trunks,
            account_code: origin,
            service_indicator: "0000",
            ..Call::default()
        }
    }

    /// How the product writes its parties' numbers (section 4.5, ref. 1 and 2).
    fn form(&self) -> Form {
        let is_sip = matches!(
            self.product,
            Product::SipTrunking | Product::CicForResellers | Product::CicOpcReseller
        );
        let with_code = ["CZ", "PL", "RO", "SK", "LU", "FI", "NO", "JP"];
        if is_sip && with_code.contains(&self.country.code()) {
            Form::CountryCode
        } else {
            Form::National
        }
    }

    fn caller(&self, random: &mut Random) -> Number {
        self.plan.subscriber(random.zipf(SUBSCRIBERS))
    }

    /// Another subscriber, one in eight of them abroad.
    fn called(&self, random: &mut Random) -> Called {
        let (plan, form) = match (random.one_in(8), self.form()) {
            (true, Form::CountryCode) => (self.abroad(random), Form::CountryCode),
            (true, _) => (self.abroad(random), Form::International),
            (false, form) => (self.plan, form),
        };
        let number = plan.subscriber(random.zipf(CALLED));
        Called { number, text: number.in_form(form) }
    }

    fn abroad(&self, random: &mut Random) -> &'static Plan {
        self.plan.abroad(random.zipf(24))
    }

    /// A band set by the regulator, which only British and French calls to some numbers have.
    fn charge_band(&self, random: &mut Random) -> &'static str {
        match self.country.code() {
            "GB" if random.one_in(12) => random.choice(&["SC001", "SC021", "SC056"]),
            "FR" if random.one_in(4) => random.choice(&["A005", "C001", "G080"]),
            _ => None,
        }
        .unwrap_or_default()
    }

    fn city(&self, random: &mut Random) -> Text {
        let cities: [&str; 4] = match self.country.code() {
            "GB" => ["LON", "MAN", "SLO", "BHX"],
            "DE" => ["FRA", "BER", "MUC", "DUS"],
            "FR" => ["PAR", "LYS", "MRS", "LIL"],
            "IT" => ["MIA", "ROM", "TOR", "BGO"],
            "ES" => ["MAD", "BCN", "VAL", "SVQ"],
            _ => ["ZHA", "AMS", "VIE", "BRU"],
        };
        let mut city = Text::default();
        city.push(cities[random.zipf(4) as usize]);
        city
    }

    fn trunks(&self, random: &mut Random) -> [Text; 2] {
        let [mut incoming, mut outgoing] = [Text::default(); 2];
        incoming.push("SNCB").push_digits(random.zipf(48), 4);
        let place = random.choice(&["LON", "FRA", "VIE", "MAD"]).unwrap_or_default();
        outgoing.push("CX").push(place).push_digits(random.zipf(64), 3);
        [incoming, outgoing]
    }
}

struct Called {
    number: Number,
    text: Text,
}

/// A switch that goes by a number.
fn node(random: &mut Random) -> Text {
    let mut node = Text::default();
    node.push_digits(random.choice(&[63, 225, 1001, 3300, 3302]).unwrap_or_default(), 5);
    node
}

fn indicator(random: &mut Random) -> &'static str {
    match random.below(20) {
        0 => "0001",
        1 => "0010",
        _ => "0000",
    }
}

/// Log-normal with a median of a minute; one call in ten is not answered, none takes four hours.
fn duration_tenths(random: &mut Random) -> u32 {
    const MEDIAN: u64 = 600;
    const MAX: u64 = 4 * 36_000;
    if random.one_in(10) { 0 } else { random.log_normal(MEDIAN).clamp(1, MAX) as u32 }
}
