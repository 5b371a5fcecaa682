//! Odd bodies of messages: JSON that parsers read differently, and what is almost JSON. The same seed gives the same bodies.

/// Numbers of the same sequence every time (Steele and others, 2014).
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap()
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for end in (1..list.len()).rev() {
            list.swap(end, self.below(end + 1));
        }
    }
}

/// What can be odd about a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Oddity {
    Batch,
    ByteOrderMark,
    Comma,
    Comment,
    Control,
    Cut,
    Damage,
    Deep,
    DuplicateKey,
    Encoding,
    EscapedKey,
    LoneSurrogate,
    LookAlikeKey,
    NotUtf8,
    NulInKey,
    Number,
    Quotes,
    Shape,
    Space,
    Trailing,
    Word,
}

use Oddity::{
    Batch, ByteOrderMark, Comma, Comment, Control, Cut, Damage, Deep, DuplicateKey, Encoding, EscapedKey,
    LoneSurrogate, LookAlikeKey, NotUtf8, NulInKey, Number, Quotes, Shape, Space, Trailing, Word,
};

pub const ALL: [Oddity; 21] = [
    Batch,
    ByteOrderMark,
    Comma,
    Comment,
    Control,
    Cut,
    Damage,
    Deep,
    DuplicateKey,
    Encoding,
    EscapedKey,
    LoneSurrogate,
    LookAlikeKey,
    NotUtf8,
    NulInKey,
    Number,
    Quotes,
    Shape,
    Space,
    Trailing,
    Word,
];

const METHODS: [&str; 5] = ["tools/call", "tools/call", "tools/list", "notifications/progress", "Tools/Call"];
const NAMES: [&str; 6] = ["run", "delete", "é", "run\0", "a\"b\\c", "😀"];
const KEYS: [&str; 10] = ["a", "b", "id", "amount", "name", "__proto__", "constructor", "toString", "é", ""];
const NUMBERS: [&str; 38] = [
    "-0",
    "-0.0",
    "0e0",
    "1E5",
    "1e+5",
    "10e-1",
    "1e308",
    "1.7976931348623157e308",
    "1.7976931348623159e308",
    "9e308",
    "-2e308",
    "1e309",
    "1e400",
    "-1e400",
    "1e-308",
    "5e-324",
    "1e-400",
    "2.2250738585072011e-308",
    "9007199254740993",
    "-9007199254740993",
    "18446744073709551616",
    "0.30000000000000004",
    "8.5e22",
    "1234567890123456789012345678901234567890.5",
    "01",
    "-01",
    "+1",
    ".5",
    "1.",
    "1.e5",
    "0x10",
    "1_000",
    "-",
    "1e",
    "NaN",
    "Infinity",
    "-Infinity",
    "1n",
];

/// A member of a message.
#[derive(Clone, Copy)]
enum Part {
    Version,
    Id,
    Method,
    Params,
    Name,
    Arguments,
    Meta,
    Value,
}

/// A body and what is odd about it.
pub struct Body {
    pub bytes: Vec<u8>,
    pub oddities: Vec<Oddity>,
}

/// Writes one body.
pub fn body(numbers: &mut Numbers) -> Body {
    let mut planned: Vec<Oddity> = ALL.to_vec();
    numbers.shuffle(&mut planned);
    planned.truncate(numbers.below(3));
    let mut writer = Writer { out: Vec::new(), numbers, planned, done: Vec::new(), depth: 0 };
    if writer.now(Batch) {
        writer.out.push(b'[');
        writer.message();
        let end = if writer.numbers.one_in(2) { "]" } else { ",{}]" };
        writer.text(end);
    } else {
        writer.message();
    }
    writer.ends();
    Body { bytes: writer.out, oddities: writer.done }
}

struct Writer<'a> {
    out: Vec<u8>,
    numbers: &'a mut Numbers,
    planned: Vec<Oddity>,
    done: Vec<Oddity>,
    depth: usize,
}

impl Writer<'_> {
    /// Whether this is the place for an oddity that is planned.
    fn odd(&mut self, oddity: Oddity) -> bool {
        self.planned.contains(&oddity) && self.numbers.one_in(4) && self.now(oddity)
    }

    fn now(&mut self, oddity: Oddity) -> bool {
        let place = self.planned.iter().position(|planned| *planned == oddity);
        place.map(|place| self.done.push(self.planned.swap_remove(place))).is_some()
    }

    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn one_of(&mut self, choices: &[&str]) {
        let text = self.numbers.pick(choices);
        self.text(text);
    }

    fn message(&mut self) {
        let mut parts = vec![
            ("jsonrpc", Part::Version),
            ("id", Part::Id),
            ("method", Part::Method),
            ("params", Part::Params),
        ];
        if self.odd(Shape) {
            match self.numbers.below(3) {
                0 => drop(parts.remove(self.numbers.below(4))),
                1 => parts.push((self.numbers.pick(&["result", "error", "extra", "tool"]), Part::Value)),
                _ => parts = vec![("jsonrpc", Part::Version), ("id", Part::Id), ("result", Part::Value)],
            }
        }
        self.object(parts);
    }

    fn object(&mut self, mut parts: Vec<(&str, Part)>) {
        self.numbers.shuffle(&mut parts);
        self.text("{");
        for (i, (key, part)) in parts.into_iter().enumerate() {
            self.text(if i > 0 { "," } else { "" });
            self.member(key, part);
            if self.odd(DuplicateKey) {
                self.text(",");
                self.member(key, part);
            }
        }
        let end = if self.odd(Comma) { ",}" } else { "}" };
        self.text(end);
    }

    fn member(&mut self, key: &str, part: Part) {
        self.space();
        self.key(key);
        self.space();
        self.text(":");
        self.space();
        self.part(part);
        self.space();
    }

    fn part(&mut self, part: Part) {
        if self.odd(Shape) {
            return self
                .one_of(&["null", "[]", "{}", "1.5", "1e2", "-0", "\"\"", "true", "\"2.0 \"", "[{}]"]);
        }
        match part {
            Part::Version => self.string("2.0"),
            Part::Id => self.one_of(&["1", "0", "-7", "\"x\"", "9007199254740993", "\"\""]),
            Part::Method => {
                let method = self.numbers.pick(&METHODS);
                self.string(method);
            }
            Part::Params => {
                let mut parts = vec![("name", Part::Name), ("arguments", Part::Arguments)];
                if self.numbers.one_in(4) {
                    parts.push(("_meta", Part::Meta));
                }
                self.object(parts);
            }
            Part::Name => {
                let name = self.numbers.pick(&NAMES);
                self.string(name);
            }
            Part::Arguments => {
                let mut keys = KEYS.to_vec();
                self.numbers.shuffle(&mut keys);
                keys.truncate(1 + self.numbers.below(4));
                self.object(keys.into_iter().map(|key| (key, Part::Value)).collect());
            }
            Part::Meta => self.object(vec![("progressToken", Part::Value), ("x", Part::Value)]),
            Part::Value => self.value(),
        }
    }

    fn value(&mut self) {
        if self.odd(Deep) {
            let levels = [50, 58, 59, 60, 61, 62, 63, 64, 65, 100, 1500][self.numbers.below(11)];
            let (open, close) = if self.numbers.one_in(2) { ("[", "]") } else { ("{\"a\":", "}") };
            return self.text(&format!("{}0{}", open.repeat(levels), close.repeat(levels)));
        }
        if self.odd(Word) {
            return self.one_of(&["True", "None", "undefined", "nul", "TRUE", "nil", "[,]", "true1"]);
        }
        self.depth += 1;
        match self.numbers.below(if self.depth > 3 { 5 } else { 8 }) {
            0 => self.one_of(&["null", "true", "false"]),
            1 | 2 => self.number(),
            3 | 4 => {
                let text = self.numbers.pick(&["x", "é", "\u{2028}", "a/b", "\t\u{7f}", "😀 \u{10ffff}", ""]);
                self.string(text);
            }
            5 | 6 => self.part(Part::Arguments),
            _ => {
                self.text("[");
                self.value();
                self.text(",");
                self.space();
                self.value();
                let end = if self.odd(Comma) { ",]" } else { "]" };
                self.text(end);
            }
        }
        self.depth -= 1;
    }

    fn number(&mut self) {
        if self.odd(Number) {
            if self.numbers.one_in(4) {
                let digits = 60 + self.numbers.below(8);
                return self.text(&"1234567890".repeat(7)[..digits]);
            }
            return self.one_of(&NUMBERS);
        }
        let (whole, fraction) = (self.numbers.below(1000), self.numbers.below(100));
        match self.numbers.below(3) {
            0 => self.text(&format!("{whole}.{fraction:02}")),
            1 => self.text(&format!("-{whole}")),
            _ => self.text(&whole.to_string()),
        }
    }

    fn space(&mut self) {
        if self.odd(Space) {
            self.one_of(&["\u{a0}", "\u{b}", "\u{c}", "\u{2028}", "\u{feff}", "\0", "\u{85}", "\u{3000}"]);
        } else if self.odd(Comment) {
            self.one_of(&["/**/", "//\n", "#\n", "<!---->"]);
        } else if self.numbers.one_in(5) {
            self.one_of(&[" ", "\n", "\t", "\r\n"]);
        }
    }

    fn key(&mut self, key: &str) {
        if self.odd(EscapedKey) {
            let escaped: Vec<String> = key.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            self.text(&format!("\"{}\"", escaped.concat()));
        } else if self.odd(NulInKey) {
            self.text(&format!("\"{key}\\u0000\""));
        } else if self.odd(LookAlikeKey) {
            let similar = match self.numbers.below(5) {
                0 => key.to_uppercase(),
                1 => key.replacen('s', "ſ", 1) + "\u{200b}",
                2 => format!("{key} "),
                3 => {
                    key.char_indices().map(|(i, c)| if i == 0 { c.to_ascii_uppercase() } else { c }).collect()
                }
                _ => key.replace('a', "\u{430}").replace('e', "\u{435}"),
            };
            self.string(&similar);
        } else {
            self.string(key);
        }
    }

    fn string(&mut self, text: &str) {
        let quote = if self.odd(Quotes) { "'" } else { "\"" };
        self.text(quote);
        for character in text.chars() {
            let mut units = [0; 2];
            if character < ' ' || matches!(character, '"' | '\\') || self.numbers.one_in(12) {
                for unit in character.encode_utf16(&mut units) {
                    let lower = self.numbers.one_in(2);
                    self.text(&if lower { format!("\\u{unit:04x}") } else { format!("\\u{unit:04X}") });
                }
            } else {
                self.text(character.encode_utf8(&mut [0; 4]));
            }
        }
        if self.odd(LoneSurrogate) {
            self.one_of(&["\\ud800", "\\udc00", "\\udc00\\ud800", "\\uD83D\\u0041", "\\ud83d\\n"]);
        }
        if self.odd(NotUtf8) {
            let bytes: &[u8] =
                self.numbers.pick(&[&b"\xff"[..], b"\xc0\x80", b"\xed\xa0\x80", b"\xf0\x9f", b"\xc3("]);
            self.out.extend_from_slice(bytes);
        }
        if self.odd(Control) {
            self.one_of(&["\u{1}", "\n", "\t", "\0", "\\x41", "\\u12", "\\v", "\\'"]);
        }
        self.text(quote);
    }

    /// What is odd about the body as a whole.
    fn ends(&mut self) {
        if self.now(Trailing) {
            self.one_of(&["{}", " x", "\0", ",", "]", "\u{feff}", "null", "\n{\"id\":2}"]);
        }
        if self.now(Cut) {
            let end = self.numbers.below(self.out.len());
            self.out.truncate(end);
        }
        if self.now(Damage) {
            let place = self.numbers.below(self.out.len() + 1);
            let byte = u8::try_from(self.numbers.below(256)).unwrap();
            if let Some(damaged) = self.out.get_mut(place) {
                *damaged = byte;
            }
        }
        if self.now(ByteOrderMark) {
            self.out.splice(..0, *b"\xef\xbb\xbf");
        }
        if self.now(Encoding) {
            let text = String::from_utf8_lossy(&self.out).into_owned();
            let mark = if self.numbers.one_in(2) { "\u{feff}" } else { "" };
            let units = || mark.encode_utf16().chain(text.encode_utf16());
            self.out = match self.numbers.below(3) {
                0 => units().flat_map(u16::to_le_bytes).collect(),
                1 => units().flat_map(u16::to_be_bytes).collect(),
                _ => mark.chars().chain(text.chars()).flat_map(|c| u32::from(c).to_le_bytes()).collect(),
            };
        }
    }
}
