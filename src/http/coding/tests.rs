use axum::http::HeaderValue;

use super::*;

#[test]
fn gzip_is_sent_to_those_alone_who_ask_for_it() {
    use Coding::{Gzip, Identity};
    let table: &[(&[&str], Option<Coding>)] = &[
        (&[], Some(Identity)),
        (&[""], Some(Identity)),
        (&["gzip"], Some(Gzip)),
        (&["GZip"], Some(Gzip)),
        (&["x-gzip"], Some(Gzip)),
        (&["gzip, deflate, br, zstd"], Some(Gzip)),
        (&["deflate, br"], Some(Identity)),
        (&["deflate", "br ,gzip"], Some(Gzip)),
        (&["gzip;q=1.0"], Some(Gzip)),
        (&["gzip ; q=0.001"], Some(Gzip)),
        (&["gzip;Q=1"], Some(Gzip)),
        (&["gzip;q=0"], Some(Identity)),
        (&["gzip;q=0.000"], Some(Identity)),
        (&["gzip;q=0, *"], Some(Identity)),
        (&["*"], Some(Gzip)),
        (&["*;q=0"], None),
        (&["*;q=0, gzip"], Some(Gzip)),
        (&["*;q=0, identity"], Some(Identity)),
        (&["identity"], Some(Identity)),
        (&["identity, gzip"], Some(Gzip)),
        (&["identity;q=0.5, gzip;q=0.4"], Some(Identity)),
        (&["identity;q=0.4, gzip;q=0.5"], Some(Gzip)),
        (&["identity;q=0, gzip;q=0.1"], Some(Gzip)),
        (&["identity;q=0"], None),
        (&["identity;q=0, br"], None),
        (&["gzip;q=0, identity;q=0"], None),
        // Nonsense asks for nothing.
        (&["gzip;q=nonsense"], Some(Identity)),
        (&["gzip;q=2"], Some(Identity)),
        (&["gzip;q=0.0001"], Some(Identity)),
        (&["gzip;q=-1"], Some(Identity)),
        (&["gzipped"], Some(Identity)),
        (&[";;,,;q=1"], Some(Identity)),
    ];
    for (lists, expected) in table {
        let mut headers = HeaderMap::new();
        for list in *lists {
            headers.append(header::ACCEPT_ENCODING, HeaderValue::from_static(list));
        }
        assert_eq!(Coding::asked(&headers), *expected, "{lists:?}");
    }
}
