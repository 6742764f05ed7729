//! Which addresses may come to a door: a list, a range, a wildcard or a network, as API Server's "trusted IP
//! addresses". The same rule holds at every door.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::error::{Error, Kind};

/// One line of `trusted_ips`: `10.0.0.5`, `10.0.0.1-10.0.0.9`, `192.168.*.*` or `10.0.0.0/8`, IPv6 likewise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressRange {
    first: IpAddr,
    last: IpAddr,
}

impl AddressRange {
    fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => {
                self.first <= address && address <= self.last
            }
            _ => false,
        }
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

impl FromStr for AddressRange {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        parse(text).ok_or_else(|| {
            Error::new(Kind::Config, format!("\"{text}\" is not an address")).with_hint(
                "Write an address, a range (10.0.0.1-10.0.0.9), a wildcard (192.168.*.*) or a network (10.0.0.0/8)",
            )
        })
    }
}

fn parse(text: &str) -> Option<AddressRange> {
    if let Some((network, bits)) = text.split_once('/') {
        return parse_network(network.parse().ok()?, bits.parse().ok()?);
    }
    if let Some((first, last)) = text.split_once('-') {
        let (first, last) = (plain(first.trim().parse().ok()?), plain(last.trim().parse().ok()?));
        return (first.is_ipv4() == last.is_ipv4() && first <= last).then_some(AddressRange { first, last });
    }
    if text.contains('*') {
        return parse_wildcard(text);
    }
    let address = plain(text.parse().ok()?);
    Some(AddressRange { first: address, last: address })
}

fn parse_network(network: IpAddr, bits: u32) -> Option<AddressRange> {
    match network {
        IpAddr::V4(v4) => {
            let host = u32::MAX.checked_shr(bits).unwrap_or(0);
            (bits <= 32).then(|| AddressRange {
                first: Ipv4Addr::from_bits(v4.to_bits() & !host).into(),
                last: Ipv4Addr::from_bits(v4.to_bits() | host).into(),
            })
        }
        IpAddr::V6(v6) => {
            let host = u128::MAX.checked_shr(bits).unwrap_or(0);
            (bits <= 128).then(|| AddressRange {
                first: Ipv6Addr::from_bits(v6.to_bits() & !host).into(),
                last: Ipv6Addr::from_bits(v6.to_bits() | host).into(),
            })
        }
    }
}

/// `192.168.*.*`: stars only at the end, so that the wildcard is one range.
fn parse_wildcard(text: &str) -> Option<AddressRange> {
    let parts: Vec<&str> = text.split('.').collect();
    let known = parts.iter().take_while(|part| **part != "*").count();
    if parts.len() != 4 || parts.iter().skip(known).any(|part| *part != "*") {
        return None;
    }
    let end = |star: &str| -> Option<IpAddr> {
        let filled: Vec<&str> = parts.iter().map(|part| if *part == "*" { star } else { part }).collect();
        filled.join(".").parse().ok()
    };
    Some(AddressRange { first: end("0")?, last: end("255")? })
}

/// `::ffff:127.0.0.1` is 127.0.0.1: a socket that serves both families reports IPv4 clients that way.
fn plain(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// Whether a socket's address may ask. This machine always may.
#[must_use]
pub fn is_trusted(ranges: &[AddressRange], address: IpAddr) -> bool {
    let address = plain(address);
    address.is_loopback() || ranges.iter().any(|range| range.contains(address))
}

/// Whether the address is this machine's own loopback.
#[must_use]
pub fn is_loopback(address: IpAddr) -> bool {
    plain(address).is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_contain_their_addresses() {
        for (rule, inside, outside) in [
            ("10.0.0.5", "10.0.0.5", "10.0.0.6"),
            ("10.0.0.1-10.0.0.9", "10.0.0.9", "10.0.0.10"),
            ("192.168.*.*", "192.168.7.255", "192.169.0.0"),
            ("10.1.0.0/16", "10.1.255.255", "10.2.0.0"),
            ("0.0.0.0/0", "255.255.255.255", "::2"),
            ("fd00::/8", "fd12::1", "fe80::1"),
            ("::ffff:10.0.0.5", "10.0.0.5", "10.0.0.4"),
        ] {
            let ranges = [rule.parse().unwrap()];
            assert!(is_trusted(&ranges, inside.parse().unwrap()), "{rule} has {inside}");
            assert!(!is_trusted(&ranges, outside.parse().unwrap()), "{rule} has not {outside}");
        }
    }

    #[test]
    fn this_machine_is_always_trusted() {
        for address in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert!(is_trusted(&[], address.parse().unwrap()), "{address}");
        }
        assert!(!is_trusted(&[], "10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn a_wrong_rule_is_refused() {
        for rule in
            ["", "10.0.0", "10.0.0.9-10.0.0.1", "*.168.1.1", "10.0.0.0/33", "10.0.0.1-::1", "example.com"]
        {
            assert!(rule.parse::<AddressRange>().is_err(), "{rule}");
        }
    }
}
