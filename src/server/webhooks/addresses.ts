// Which network addresses are public. Owns the list of those that are not, from the registries of IANA
// (https://www.iana.org/assignments/iana-ipv4-special-registry, …/iana-ipv6-special-registry).
import { BlockList, isIP } from 'node:net'

/** Two lists, because a single one would also match IPv4 addresses with IPv6 networks. */
const RESERVED_4 = new BlockList()
const RESERVED_6 = new BlockList()
for (const [net, prefix] of [
  ...([
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
  ] as const),
  ...([
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.0.2.0', 24],
    ['192.88.99.0', 24],
  ] as const),
  ...([
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
  ] as const),
  ...([
    ['224.0.0.0', 4],
    ['240.0.0.0', 4],
  ] as const),
])
  RESERVED_4.addSubnet(net, prefix, 'ipv4')
for (const [net, prefix] of [
  // Only 2000::/3 is allocated for the internet.
  ...([
    ['::', 3],
    ['4000::', 2],
    ['8000::', 1],
  ] as const),
  // Within it: protocols, documentation, and networks that embed an IPv4 address, which could be a private one.
  ...([
    ['2001::', 23],
    ['2001:db8::', 32],
    ['2002::', 16],
    ['3fff::', 20],
  ] as const),
])
  RESERVED_6.addSubnet(net, prefix, 'ipv6')

export function isPublicAddress(address: string): boolean {
  const bare = address.replace(/%.*$/, '')
  const family = isIP(bare)
  if (family === 4) return !RESERVED_4.check(bare, 'ipv4')
  return family === 6 && !RESERVED_6.check(bare, 'ipv6')
}
