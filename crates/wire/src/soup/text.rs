//! ASCII fields: names padded on the right, numbers padded on the left.

use super::SoupError;

/// Text padded on the right with spaces to `N` bytes.
///
/// # Errors
/// [`SoupError::Text`] when it is longer than `N` or not printable ASCII.
pub fn pad<const N: usize>(field: &'static str, text: &str) -> Result<[u8; N], SoupError> {
    let bytes = text.as_bytes();
    if bytes.len() > N || !bytes.iter().all(u8::is_ascii_graphic) {
        return Err(SoupError::Text { field });
    }
    let mut padded = [b' '; N];
    padded[..bytes.len()].copy_from_slice(bytes);
    Ok(padded)
}

/// A decimal number in 20 bytes, padded with spaces; the specification pads on the left, some peers on the right, so
/// both are read. All spaces means 0, which a login uses for "from now on".
///
/// # Errors
/// [`SoupError::Number`] on any other byte, a space within the digits, or a value over 64 bits.
pub fn number(field: &'static str, bytes: &[u8; 20]) -> Result<u64, SoupError> {
    let text = bytes.trim_ascii();
    let mut value = 0u64;
    for &byte in text {
        if !byte.is_ascii_digit() {
            return Err(SoupError::Number { field });
        }
        let digit = u64::from(byte - b'0');
        value = value
            .checked_mul(10)
            .and_then(|tens| tens.checked_add(digit))
            .ok_or(SoupError::Number { field })?;
    }
    Ok(value)
}

/// A number as 20 bytes of decimal digits, padded on the left with spaces.
pub fn digits(value: u64) -> [u8; 20] {
    let mut out = [b' '; 20];
    let mut rest = value;
    let mut at = out.len();
    loop {
        at -= 1;
        out[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            return out;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_round_trip_at_both_ends_of_the_range() {
        for value in [0, 1, 9, 10, 12_345, u64::MAX] {
            assert_eq!(number("sequence", &digits(value)), Ok(value));
        }
    }

    #[test]
    fn a_number_padded_on_the_right_is_read_and_spaces_mean_zero() {
        assert_eq!(number("sequence", b"42                  "), Ok(42));
        assert_eq!(number("sequence", b"                    "), Ok(0));
    }

    #[test]
    fn a_number_with_other_bytes_or_too_large_is_refused() {
        let refused = Err(SoupError::Number { field: "sequence" });
        assert_eq!(number("sequence", b"                4 2 "), refused);
        assert_eq!(number("sequence", b"                 -42"), refused);
        assert_eq!(number("sequence", b"18446744073709551616"), refused);
    }

    #[test]
    fn a_name_of_the_full_width_passes_and_one_byte_more_is_refused() {
        assert_eq!(pad::<6>("user", "TICK01"), Ok(*b"TICK01"));
        assert_eq!(pad::<6>("user", "AB"), Ok(*b"AB    "));
        assert_eq!(pad::<6>("user", "TICK012"), Err(SoupError::Text { field: "user" }));
        assert_eq!(pad::<6>("user", "A B"), Err(SoupError::Text { field: "user" }));
    }
}
