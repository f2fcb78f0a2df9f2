//! The cookie crate's signed jar, and its private one where it can be built.

use cookie::{Cookie, CookieJar, Key};
use serde_json::{json, Value};
use std::hint::black_box;
use std::time::Instant;

const KEY: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";

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

/// A cookie of a response goes into the jar, which keeps its token.
fn written(jar: &CookieJar) -> &str {
    jar.get("session").unwrap().value()
}

fn measure_all(dialect: &str, write: impl Fn(String) -> CookieJar, read: impl Fn(Cookie<'static>) -> Cookie<'static>) {
    let received = |token: &str| Cookie::new("session", token.to_owned());
    let text = "v".repeat(100);
    let jar = write(text.clone());
    let token = written(&jar);
    assert_eq!(read(received(token)).value(), text);
    measure(&format!("{dialect} sign"), || {
        black_box(written(&write(black_box(&text).clone())));
    });
    measure(&format!("{dialect} verify"), || {
        black_box(read(received(black_box(token))));
    });

    let payload = json!({
        "_auth_user_id": "42",
        "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
        "_auth_user_hash": format!("{:064}", 7),
        "cart": [1, 2, 3, 4, 5, 6, 7, 8, 9],
        "language": "de",
        "messages": format!("{:060}", 8),
    });
    let dumps = || write(serde_json::to_string(black_box(&payload)).unwrap());
    let jar = dumps();
    let token = written(&jar);
    let loads = || serde_json::from_str::<Value>(read(received(black_box(token))).value()).unwrap();
    assert_eq!(loads(), payload);
    measure(&format!("{dialect} dumps"), || {
        black_box(written(&dumps()));
    });
    measure(&format!("{dialect} loads"), || {
        black_box(loads());
    });
}

fn main() {
    // Cargo writes the lock file before it compiles.
    let version = include_str!("../Cargo.lock")
        .split("name = \"cookie\"\nversion = \"")
        .nth(1)
        .unwrap();
    println!("# rust-cookie {}", version.split('"').next().unwrap());
    let key = Key::derive_from(KEY);
    measure_all(
        "cookie-rs-signed",
        |value| {
            let mut jar = CookieJar::new();
            jar.signed_mut(&key).add(Cookie::new("session", value));
            jar
        },
        |cookie| CookieJar::new().signed(&key).verify(cookie).unwrap(),
    );
    #[cfg(feature = "private")]
    measure_all(
        "cookie-rs-private",
        |value| {
            let mut jar = CookieJar::new();
            jar.private_mut(&key).add(Cookie::new("session", value));
            jar
        },
        |cookie| CookieJar::new().private(&key).decrypt(cookie).unwrap(),
    );
    #[cfg(not(feature = "private"))]
    println!("# rust-cookie's private jar: not installed");
}
