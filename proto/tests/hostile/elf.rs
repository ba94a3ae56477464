//! Writes ELF files by hand, as no linker would.

/// A section: its name and its bytes.
pub(crate) type Section = (&'static str, Vec<u8>);

/// An object of 64 bits with these sections and no others but the table of names.
pub(crate) fn object(sections: &[Section]) -> Vec<u8> {
    let mut names = vec![0];
    let mut bodies = Vec::new();
    let mut headers = vec![[0; 64].to_vec()];
    let named = sections
        .iter()
        .cloned()
        .chain([(".shstrtab", Vec::new())])
        .enumerate();
    for (at, (name, body)) in named {
        let is_names = at == sections.len();
        let (name_at, kind) = (names.len() as u32, if is_names { 3 } else { 1 });
        names.extend_from_slice(name.as_bytes());
        names.push(0);
        let body = if is_names { names.clone() } else { body };
        let mut header = [name_at, kind].map(u32::to_le_bytes).concat();
        let offset = 64 + bodies.len() as u64;
        let words = [0, 0, offset, body.len() as u64, 0, 1, 0];
        header.extend(words.map(u64::to_le_bytes).concat());
        headers.push(header);
        bodies.extend(body);
    }
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(16, 0);
    // A shared library of x86-64.
    file.extend([3_u16, 62].map(u16::to_le_bytes).concat());
    file.extend(1_u32.to_le_bytes());
    let table = 64 + bodies.len() as u64;
    file.extend([0, 0, table].map(u64::to_le_bytes).concat());
    file.extend(0_u32.to_le_bytes());
    let count = headers.len() as u16;
    let sizes = [64, 56, 0, 64, count, count - 1];
    file.extend(sizes.map(u16::to_le_bytes).concat());
    file.extend(bodies);
    file.extend(headers.concat());
    file
}

/// A unit of DWARF 4 with these entries.
pub(crate) fn unit(abbreviations: u32, entries: &[u8]) -> Vec<u8> {
    let mut unit = (7 + entries.len() as u32).to_le_bytes().to_vec();
    unit.extend(4_u16.to_le_bytes());
    unit.extend(abbreviations.to_le_bytes());
    unit.push(8);
    unit.extend(entries);
    unit
}

/// A line program of so many rows, one for each byte of code.
pub(crate) fn lines(rows: usize) -> Vec<u8> {
    let mut header = vec![1, 1, 1, 0xfb, 14, 13];
    header.extend([0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0]);
    let mut program = vec![0, 9, 2];
    program.extend(0x1000_u64.to_le_bytes());
    program.resize(program.len() + rows, 32);
    program.extend([0, 1, 1]);
    let mut lines = (6 + header.len() as u32 + program.len() as u32)
        .to_le_bytes()
        .to_vec();
    lines.extend(4_u16.to_le_bytes());
    lines.extend((header.len() as u32).to_le_bytes());
    lines.extend(header);
    lines.extend(program);
    lines
}
