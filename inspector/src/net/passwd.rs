//! Names of users, for people: from the local file only, no directory service is asked.

/// The name of a user, or its number where the file does not tell.
pub(super) fn user_name(uid: u32) -> String {
    let file = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    find(&file, uid).map_or_else(|| uid.to_string(), |name| super::clean(name, 64))
}

fn find(passwd: &str, uid: u32) -> Option<&str> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_by_number() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nbroken\nana:x:1000:1000::/home/ana:/bin/sh\n";
        assert_eq!(find(passwd, 0), Some("root"));
        assert_eq!(find(passwd, 1000), Some("ana"));
        assert_eq!(find(passwd, 7), None);
        assert_eq!(user_name(u32::MAX - 7), (u32::MAX - 7).to_string());
    }
}
