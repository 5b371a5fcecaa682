//! Texts, flags, numbers, durations and words of a closed set.

use json::{Number, Value};

use super::{Reader, one_of, shown};
use crate::document::Mode;

/// Seconds that an approval may be waited for.
const MAX_EXPIRES_IN: u64 = 30 * 86_400;

impl Reader<'_> {
    pub(super) fn text<'v>(&mut self, value: &'v Value<'_>, wanted: &str) -> Option<&'v str> {
        let text = value.as_str();
        if text.is_none() {
            self.wrong_type(value, wanted);
        }
        text
    }

    pub(super) fn flag(&mut self, value: &Value<'_>) -> Option<bool> {
        let flag = value.as_bool();
        if flag.is_none() {
            self.wrong_type(value, "true or false");
        }
        flag
    }

    pub(super) fn number<'v, 'a>(&mut self, value: &'v Value<'a>, wanted: &str) -> Option<&'v Number<'a>> {
        let number = value.as_number();
        if number.is_none() {
            self.wrong_type(value, wanted);
        }
        number
    }

    /// A word of a closed set.
    pub(super) fn word<T: Copy>(
        &mut self,
        value: &Value<'_>,
        code: &'static str,
        words: &[(&str, T)],
    ) -> Option<T> {
        // Put into words only where they are needed: most documents have no such problem.
        let names = || one_of(&words.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        let Some(text) = value.as_str() else {
            self.wrong_type(value, &names());
            return None;
        };
        let found = words.iter().find(|(name, _)| *name == text).map(|(_, word)| *word);
        if found.is_none() {
            self.problem(value.span, code, format!("unknown word `{}`: use {}", shown(text), names()));
        }
        found
    }

    pub(super) fn mode(&mut self, value: &Value<'_>) -> Option<Mode> {
        self.word(value, "unknown_mode", &[("enforce", Mode::Enforce), ("shadow", Mode::Shadow)])
    }

    /// Seconds of a duration like `90s`, `15m`, `1h` or `7d`.
    pub(super) fn duration(&mut self, value: &Value<'_>) -> Option<u64> {
        const WANTED: &str =
            "a number of seconds, minutes, hours or days, as in \"90s\", \"15m\", \"1h\" or \"7d\"";
        let text = self.text(value, WANTED)?;
        let seconds = duration(text);
        if seconds.is_none() {
            let message = format!("`{}` is not a duration: write {WANTED}, at most 30 days", shown(text));
            self.problem(value.span, "bad_duration", message);
        }
        seconds
    }
}

fn duration(text: &str) -> Option<u64> {
    let unit = text.chars().next_back()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let digits = &text[..text.len() - 1];
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = digits.parse().ok().filter(|_| plain)?;
    number.checked_mul(seconds).filter(|seconds| (1..=MAX_EXPIRES_IN).contains(seconds))
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations() {
        for (text, seconds) in
            [("1s", 1), ("90s", 90), ("15m", 900), ("1h", 3600), ("30d", 2_592_000), ("007m", 420)]
        {
            assert_eq!(duration(text), Some(seconds), "{text}");
        }
        for text in
            ["", "h", "1", "0s", "31d", "-1h", "+1h", "1.5h", "1 h", "1H", "1w", "é", "99999999999999999999d"]
        {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
