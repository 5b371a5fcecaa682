//! The Lua scripts. Each is sent once a Redis and from then on named by its hash; a Redis that does not know it is
//! sent it again.

use std::sync::LazyLock;

use redis::Script;

macro_rules! script {
    ($name:ident: $($file:literal)+) => {
        pub(crate) static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new(concat!($(include_str!(concat!("lua/", $file, ".lua"))),+)));
    };
}

script!(SETTLE: "clock" "windows" "settle");
script!(CLOSE: "close");
script!(APPEND: "clock" "append");
script!(MARK: "clock" "mark");
script!(PUBLISH: "clock" "publish");
script!(LEASE: "lease");
script!(RELEASE: "release");
