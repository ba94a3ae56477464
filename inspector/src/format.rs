//! How numbers are written, on screens and in reports alike: three significant digits and a unit.

const UNITS_OF_TIME: [(&str, f64); 4] = [("ns", 1.0), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)];

/// A measured time: `0 ns`, `850 ns`, `12.3 µs`, `1.2 ms`, `61 s`; from two minutes on as [`age`].
pub fn duration(ns: u64) -> String {
    if ns >= 120_000_000_000 {
        return age(ns);
    }
    let mut value = ns as f64;
    let mut unit = UNITS_OF_TIME[0].0;
    for (name, factor) in UNITS_OF_TIME {
        // 999.6 µs would be written as `1000 µs`: it belongs to the next unit.
        if ns as f64 / factor < 0.9995 && factor > 1.0 {
            break;
        }
        (value, unit) = (ns as f64 / factor, name);
    }
    format!("{} {unit}", short(value))
}

/// How long something has existed: `0s`, `41s`, `3m09s`, `2h14m`, `5d03h`.
pub fn age(ns: u64) -> String {
    let seconds = ns / 1_000_000_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match () {
        () if minutes == 0 => format!("{seconds}s"),
        () if hours == 0 => format!("{minutes}m{:02}s", seconds % 60),
        () if days == 0 => format!("{hours}h{:02}m", minutes % 60),
        () => format!("{days}d{:02}h", hours % 24),
    }
}

/// A count: `9999` as it is, then `88.1k`, `1.2M`, `3.4G`.
pub fn count(n: u64) -> String {
    if n < 10_000 {
        return n.to_string();
    }
    scaled(n as f64, 1000.0, &["", "k", "M", "G", "T", "P", "E"])
}

/// A size: `512 B`, `4.1 KiB`, `1.2 MiB`.
pub fn bytes(n: u64) -> String {
    scaled(
        n as f64,
        1024.0,
        &[" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"],
    )
}

/// A ratio as a percentage: `0%`, `0.4%`, `12%`, `100%`.
pub fn percent(ratio: f64) -> String {
    let percent = if ratio.is_finite() {
        (ratio * 100.0).max(0.0)
    } else {
        0.0
    };
    if percent >= 10.0 || percent == 0.0 {
        format!("{percent:.0}%")
    } else {
        format!("{percent:.1}%")
    }
}

fn scaled(n: f64, base: f64, units: &[&str]) -> String {
    let mut value = n;
    let mut last = "";
    for unit in units {
        last = unit;
        if value < base * 0.9995 {
            break;
        }
        value /= base;
    }
    format!("{}{last}", short(value))
}

/// One decimal below 100, none above, and no `.0`.
fn short(value: f64) -> String {
    if value >= 99.95 {
        return format!("{value:.0}");
    }
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_choose_their_unit() {
        for (ns, text) in [
            (0, "0 ns"),
            (7, "7 ns"),
            (999, "999 ns"),
            (1_000, "1 µs"),
            (12_340, "12.3 µs"),
            (999_960, "1 ms"),
            (1_200_000, "1.2 ms"),
            (250_000_000, "250 ms"),
            (3_400_000_000, "3.4 s"),
            (61_000_000_000, "61 s"),
            (120_000_000_000, "2m00s"),
        ] {
            assert_eq!(duration(ns), text, "{ns} ns");
        }
    }

    #[test]
    fn ages_keep_two_units() {
        const SECOND: u64 = 1_000_000_000;
        for (seconds, text) in [
            (0, "0s"),
            (41, "41s"),
            (189, "3m09s"),
            (8_040, "2h14m"),
            (443_000, "5d03h"),
        ] {
            assert_eq!(age(seconds * SECOND), text, "{seconds} s");
        }
    }

    #[test]
    fn counts_and_sizes_are_short() {
        for (n, text) in [
            (0, "0"),
            (9_999, "9999"),
            (88_100, "88.1k"),
            (999_960, "1M"),
            (1_234_567, "1.2M"),
            (u64::MAX, "18.4E"),
        ] {
            assert_eq!(count(n), text);
        }
        for (n, text) in [
            (0, "0 B"),
            (512, "512 B"),
            (4_200, "4.1 KiB"),
            (1_258_291, "1.2 MiB"),
            (u64::MAX, "16 EiB"),
        ] {
            assert_eq!(bytes(n), text);
        }
    }

    #[test]
    fn ratios_survive_nonsense() {
        assert_eq!(percent(0.004), "0.4%");
        assert_eq!(percent(0.12), "12%");
        assert_eq!(percent(1.0), "100%");
        assert_eq!(percent(f64::NAN), "0%");
        assert_eq!(percent(-1.0), "0%");
    }
}
