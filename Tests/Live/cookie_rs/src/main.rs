//! Rust's cookie crate for the tests: a line of JSON in, a line of JSON out.

use cookie::{Cookie, CookieJar, Key};
use serde_json::{json, Value};
use std::io::{stdin, stdout, BufRead, Write};

fn text<'a>(asked: &'a Value, field: &str) -> Result<&'a str, String> {
    asked[field].as_str().ok_or_else(|| format!("no {field}"))
}

fn key(asked: &Value) -> Result<Key, String> {
    let hex = text(asked, "key")?;
    let bytes: Vec<u8> = (0..hex.len() / 2)
        .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).map_err(|error| error.to_string()))
        .collect::<Result<_, _>>()?;
    if asked["whole"] == true {
        if bytes.len() < 64 {
            return Err("too short".into());
        }
        Ok(Key::from(&bytes))
    } else {
        Ok(Key::derive_from(&bytes))
    }
}

fn add(jar: &mut CookieJar, key: &Key, private: bool, cookie: Cookie<'static>) -> Result<(), String> {
    if !private {
        jar.signed_mut(key).add(cookie);
        return Ok(());
    }
    #[cfg(feature = "private")]
    {
        jar.private_mut(key).add(cookie);
        Ok(())
    }
    #[cfg(not(feature = "private"))]
    Err("built without the private jar".into())
}

fn get(jar: &CookieJar, key: &Key, private: bool, name: &str) -> Option<Cookie<'static>> {
    if !private {
        return jar.signed(key).get(name);
    }
    #[cfg(feature = "private")]
    return jar.private(key).get(name);
    #[cfg(not(feature = "private"))]
    None
}

fn answer(asked: &Value) -> Result<String, String> {
    let (key, private) = (key(asked)?, asked["private"] == true);
    let name = text(asked, "name")?.to_owned();
    let mut jar = CookieJar::new();
    if asked["op"] == "write" {
        let cookie = Cookie::new(name.clone(), text(asked, "value")?.to_owned());
        add(&mut jar, &key, private, cookie)?;
        let written = jar.get(&name).ok_or("no cookie")?;
        return Ok(written.value().to_owned());
    }
    jar.add_original(Cookie::new(name.clone(), text(asked, "token")?.to_owned()));
    let found = get(&jar, &key, private, &name).ok_or("not genuine")?;
    Ok(found.value().to_owned())
}

fn main() {
    let mut missing = serde_json::Map::new();
    if !cfg!(feature = "private") {
        missing.insert("private".into(), json!("the cookie crate here has no private jar: it needs the crate aes-gcm"));
    }
    let version = option_env!("COOKIE_VERSION").unwrap_or("of unknown version");
    let mut out = stdout().lock();
    writeln!(out, "{}", json!({"versions": {"cookie-rs": version}, "missing": missing})).unwrap();
    for line in stdin().lock().lines() {
        let asked: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let said = match answer(&asked) {
            Ok(value) => json!({ "ok": value }),
            Err(error) => json!({ "error": error }),
        };
        writeln!(out, "{said}").unwrap();
        out.flush().unwrap();
    }
}
