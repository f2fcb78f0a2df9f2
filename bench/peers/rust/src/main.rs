//! The cookie crate. It has no jar that knows hosts, so no lookup in one.

use cookie::time::{Duration, OffsetDateTime};
use cookie::{Cookie, SameSite};
use std::time::Instant;

const VALUE: &str =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdef";
const SET_COOKIE: &str = "sessionid=h0tG4VuXIPKJsHAI8079HAMOLtCtiGCL; Domain=example.com; \
    expires=Thu, 26 Jun 2025 11:48:30 GMT; HttpOnly; Max-Age=1209600; Partitioned; Path=/; SameSite=None; Secure";

/// Hides what it is given from the optimizer, as `black_box` does, which Debian 12's compiler has not.
#[inline(never)]
fn keep<T: ?Sized>(seen: &T) -> &T {
    unsafe { std::ptr::read_volatile(&seen) }
}

fn run(call: &mut impl FnMut(), seconds: f64) -> f64 {
    let (start, mut times) = (Instant::now(), 0u64);
    loop {
        for _ in 0..64 {
            call();
        }
        times += 64;
        let took = start.elapsed().as_secs_f64();
        if took >= seconds {
            return took * 1e9 / times as f64;
        }
    }
}

/// Warms up, then takes the best of five runs.
fn measure(op: &str, mut call: impl FnMut()) {
    run(&mut call, 0.1);
    let best = (0..5).map(|_| run(&mut call, 0.2)).fold(f64::MAX, f64::min);
    println!("rust-cookie\t{op}\t{best:.1}");
}

fn header(count: usize) -> String {
    let pairs: Vec<String> = (0..count)
        .map(|i| format!("cookie_{i:02}={}", &VALUE[..73]))
        .collect();
    pairs.join("; ")
}

/// The crate takes one pair at a time until 0.17, which has this loop as `Cookie::split_parse`.
fn parse(header: &str) -> impl Iterator<Item = Cookie<'_>> {
    header
        .split(';')
        .filter_map(|pair| Cookie::parse(pair).ok())
}

fn main() {
    // Cargo writes the lock file before it compiles.
    let version = include_str!("../Cargo.lock")
        .split("name = \"cookie\"\nversion = \"")
        .nth(1)
        .unwrap();
    println!("# rust-cookie {}", version.split('"').next().unwrap());
    for count in [3, 12, 50] {
        let header = header(count);
        assert_eq!(
            parse(&header).filter(|c| c.value() == &VALUE[..73]).count(),
            count
        );
        measure(&format!("parse_{count}"), || {
            for cookie in parse(keep(&header)) {
                keep(&(cookie.name(), cookie.value()));
            }
        });
    }

    let twelve = header(12);
    measure("get_one", || {
        let found = parse(keep(&twelve))
            .find(|cookie| cookie.name() == "cookie_07")
            .unwrap();
        keep(found.value());
    });

    let expires = OffsetDateTime::from_unix_timestamp(1750938510).unwrap();
    // Partitioned is not known before 0.18.
    let write = || {
        Cookie::build(keep("sessionid"), keep("h0tG4VuXIPKJsHAI8079HAMOLtCtiGCL"))
            .domain("example.com")
            .path("/")
            .max_age(Duration::seconds(1209600))
            .expires(expires)
            .same_site(SameSite::None)
            .secure(true)
            .http_only(true)
            .finish()
            .to_string()
    };
    println!("# rust-cookie writes {}", write());
    measure("write_full", || {
        keep(&write());
    });

    assert_eq!(
        Cookie::parse(SET_COOKIE).unwrap().expires_datetime(),
        Some(expires)
    );
    measure("parse_set_cookie", || {
        keep(&Cookie::parse(keep(SET_COOKIE)).unwrap());
    });
}
