//! The words of the header (RFC 6750, section 2.1; RFC 9110, section 11.6.2).

use tenant::Tenant;

use super::{Row, Verdict, Verdict::*};
use crate::front_door::*;

pub fn rows(tenant: &Tenant, now: i64) -> Vec<Row> {
    let token = tenant.token().at(now).sign();
    let row = |(header, verdict): (&str, Verdict)| Row {
        authorization: header.replace("TOKEN", &token),
        ..Row::new(header, "", verdict)
    };
    ROWS.iter().copied().map(row).collect()
}

const ROWS: &[(&str, Verdict)] = &[
    ("", Words(&HEADER_MISSING)),
    (" ", Words(&HEADER_MISSING)),
    ("\t \t", Words(&HEADER_MISSING)),
    ("Basic dXNlcjpwYXNz", Words(&NOT_BEARER)),
    ("Token TOKEN", Words(&NOT_BEARER)),
    ("JWT TOKEN", Words(&NOT_BEARER)),
    ("DPoP TOKEN", Words(&NOT_BEARER)),
    ("Basic x, Bearer TOKEN", Words(&NOT_BEARER)),
    ("TOKEN", Words(&NOT_BEARER)),
    ("BearerTOKEN", Words(&NOT_BEARER)),
    ("Bearer:TOKEN", Words(&NOT_BEARER)),
    ("Bearer, TOKEN", Words(&NOT_BEARER)),
    ("\"Bearer\" TOKEN", Words(&NOT_BEARER)),
    ("Bearer\u{a0}TOKEN", Words(&NOT_BEARER)),
    ("Bearer\u{2003}TOKEN", Words(&NOT_BEARER)),
    ("Bearer\u{85}TOKEN", Words(&NOT_BEARER)),
    ("\u{a0}Bearer TOKEN", Words(&NOT_BEARER)),
    ("B\u{435}arer TOKEN", Words(&NOT_BEARER)),
    ("\u{e9}", Words(&NOT_BEARER)),
    ("Bearer", Words(&TOKEN_NOT_FOUND)),
    ("bearer", Words(&TOKEN_NOT_FOUND)),
    ("Bearer ", Words(&TOKEN_NOT_FOUND)),
    ("Bearer\t", Words(&TOKEN_NOT_FOUND)),
    ("Bearer a b", Words(&NOT_BEARER_TOKEN)),
    ("Bearer TOKEN extra", Words(&NOT_BEARER_TOKEN)),
    ("Bearer Bearer TOKEN", Words(&NOT_BEARER_TOKEN)),
    ("Bearer TOKEN, Bearer TOKEN", Words(&NOT_BEARER_TOKEN)),
    ("Bearer TOKEN,TOKEN", Words(&NOT_BEARER_TOKEN)),
    ("Bearer TOKEN,", Words(&NOT_BEARER_TOKEN)),
    ("Bearer ,", Words(&NOT_BEARER_TOKEN)),
    ("Bearer TOKEN, Basic x", Words(&NOT_BEARER_TOKEN)),
    ("Bearer \"TOKEN\"", Malformed),
    ("Bearer token=TOKEN", Malformed),
    ("Bearer TOKEN;", Malformed),
    ("Bearer <TOKEN>", Malformed),
    ("Bearer \u{e9}", Malformed),
    ("Bearer \u{a0}", Malformed),
    ("Bearer TOKEN\u{a0}", Malformed),
    ("Bearer \u{85}TOKEN", Malformed),
    ("Bearer null", Malformed),
    ("Bearer undefined", Malformed),
    (r#"Bearer {"protected":"a","payload":"b","signature":"c"}"#, Words(&NOT_BEARER_TOKEN)),
    ("Bearer [object Object]", Words(&NOT_BEARER_TOKEN)),
    ("Bearer TOKEN", Accepted),
    ("bearer TOKEN", Accepted),
    ("BEARER TOKEN", Accepted),
    ("BeArEr TOKEN", Accepted),
    ("Bearer  TOKEN", Accepted),
    ("  Bearer   TOKEN  ", Accepted),
    ("Bearer\tTOKEN", Accepted),
    ("\tBearer \t TOKEN\t", Accepted),
];
