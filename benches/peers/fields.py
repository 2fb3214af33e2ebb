"""The columns of the table in SQL, but for what each engine says in its own way."""


def text(start, end):
    return f"nullif(trim(substr(line, {start + 1}, {end - start})), '')"


def select(masked, start_time, instant, boolean, binary, tenths):
    columns = {
        "source_file": "'GB_ABC_10_0001_20251101090122.cdr'",
        "record_number": "cast(record_number as bigint)",
        "country": "'GB'",
        "profile": "'ABC'",
        "product_identifier": "'10'",
        "product": "'SIP Trunking'",
        "sequence_number": "cast(1 as integer)",
        "file_time": "cast('2025-11-01 09:01:22' as timestamp)",
        "origin": "origin",
        "origin_e164": "e164(origin)",
        "origin_masked_digits": f"cast(coalesce({masked}, 0) as tinyint)",
        "destination": "destination",
        "destination_e164": "e164(destination)",
        "product_type": "product_type",
        "product_type_name": "case product_type when '00' then 'Direct Service'"
        " when '79' then 'SIP Trunking' when '80' then 'IP Voice Line' end",
        "start_time": start_time,
        "start_time_utc": instant,
        "start_time_ambiguous": boolean,
        "duration": tenths,
        "continuation": "cast(substr(line, 67, 1) as tinyint)",
        "switch_id": text(67, 92),
        "trunk_incoming": text(92, 117),
        "trunk_outgoing": text(117, 142),
        "account_code": text(142, 162),
        "pulses_in": text(162, 168),
        "pulses_generated": text(168, 174),
        "pulses_sent": text(174, 180),
        "charge_band": f"nullif({text(174, 180)}, '000000')",
        "service_indicator": text(180, 184),
        "charged_number": text(184, 204),
        "charged_number_e164": "case when product_type in ('79', '80') then null"
        f" else e164({text(184, 204)}) end",
        "dialled_number": text(204, 224),
        "dialled_number_e164": f"e164({text(204, 224)})",
        "carrier": text(224, 227),
        "trailer": text(228, 292),
        "record_id": binary,
    }
    return ", ".join(f"{sql} as {name}" for name, sql in columns.items())
