//! How long, as the arguments of attributes say it: `"50ms"`, `"1.5s"`, `"0"`, `"off"`.

/// A slow-poll threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Threshold(u64);

impl Threshold {
    /// In nanoseconds; `u64::MAX`: never.
    pub(super) fn nanos(self) -> u64 {
        self.0
    }
}

/// Reads a threshold; the error says what can be written.
pub(super) fn parse(text: &str) -> Result<Threshold, String> {
    let text = text.trim();
    match text {
        "off" => return Ok(Threshold(u64::MAX)),
        "0" => return Ok(Threshold(0)),
        _ => {}
    }
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit_ns = match unit.trim_start() {
        "ns" => 1.0,
        "us" | "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        _ => return Err(wrong(text)),
    };
    let number: f64 = number.parse().map_err(|_not_a_number| wrong(text))?;
    // Up to about 584 years; the cast saturates.
    Ok(Threshold((number * unit_ns).round() as u64))
}

fn wrong(text: &str) -> String {
    format!(
        "`{text}` is not a duration: write a number and ns, us, ms or s (\"50ms\"), \"0\" for every poll, or \"off\""
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_with_a_unit() {
        let ns = |text| parse(text).map(Threshold::nanos);
        assert_eq!(ns("50ms"), Ok(50_000_000));
        assert_eq!(ns(" 1.5 s "), Ok(1_500_000_000));
        assert_eq!(ns("200us"), Ok(200_000));
        assert_eq!(ns("200µs"), Ok(200_000));
        assert_eq!(ns("7ns"), Ok(7));
        assert_eq!(ns("0"), Ok(0));
        assert_eq!(ns("off"), Ok(u64::MAX));
        for wrong in ["", "50", "ms", "-1ms", "1e3ms", "1.2.3s", "50 min", "∞"] {
            assert!(ns(wrong).is_err(), "{wrong:?}");
        }
    }
}
